/*
 * The table runner of the unit tests. Every src/ROOM/x_test.c defines `void x_test(void)`, which tests/main.sh finds.
 * A failed check prints file:line, got and want, and the run goes on; a failure fails the program.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "base/err.h"
#include "base/str.h"

void unit_case(const char *name);   /* names the case that the checks after it belong to; each counts as one test */
void unit_skip(const char *reason); /* the current case is counted as skipped and says why */
bool unit_true(bool ok, const char *file, int line, const char *what);
bool unit_int(long long got, long long want, const char *file, int line, const char *what);
bool unit_num(double got, double want, double tolerance, const char *file, int line, const char *what);
bool unit_str(Str got, Str want, const char *file, int line, const char *what);
bool unit_ok(Err err, const char *file, int line, const char *what);
bool unit_fails(Err err, enum err_code want, const char *file, int line, const char *what);
const char *unit_temp_dir(void);           /* a fresh folder, removed when the program ends */
const char *unit_shared(const char *path); /* in ../shared beside the repository; NULL when absent (then unit_skip) */
int unit_main(const char *room, size_t n, void (*const tests[])(void), const char *const names[]);

#define CHECK(cond) unit_true((cond), __FILE__, __LINE__, #cond)
#define CHECK_INT(got, want) unit_int((long long)(got), (long long)(want), __FILE__, __LINE__, #got)
#define CHECK_NUM(got, want, tol) unit_num((got), (want), (tol), __FILE__, __LINE__, #got)
#define CHECK_STR(got, want) unit_str((got), (want), __FILE__, __LINE__, #got)
#define CHECK_OK(expr) unit_ok((expr), __FILE__, __LINE__, #expr)
#define CHECK_ERR(expr, code) unit_fails((expr), (code), __FILE__, __LINE__, #expr)

#endif
