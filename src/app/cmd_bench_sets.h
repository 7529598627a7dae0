/* The sets that a codec is measured on: lines of bench/codec.sets, which says how they are written. */
#ifndef APP_CMD_BENCH_SETS_H
#define APP_CMD_BENCH_SETS_H

#include "base/buf.h"
#include "base/err.h"

/* A set's line, cut into name=value words; values borrowed from the line. */
struct cmd_bench_set {
    Str name;
    Str words[16];
    size_t n_words;
};

/* The next set of the text, which is moved behind it; false: no more. */
bool cmd_bench_sets_next(Str *text, struct cmd_bench_set *out);
/* A word's value: "n" of "n=100"; empty: it is not there. */
Str cmd_bench_sets_word(const struct cmd_bench_set *set, const char *name);
double cmd_bench_sets_number(const struct cmd_bench_set *set, const char *name, double otherwise);
/* Appends its values as doubles. ERR_NOT_FOUND: the file is not there. Paths are from `folder`. */
Err cmd_bench_sets_load(const struct cmd_bench_set *set, const char *folder, struct buf *values);

#endif
