/*
 * Err: the outcome of anything that can be expected to fail. code 0 is success.
 * The text is for the person who must mend it: lower case, the problem first, the thing in quotes, what to do.
 *
 *     TRY(file_open(...));                                   pass a failure on
 *     return err_make(ERR_NOT_FOUND, "no part '%s': list parts at /api/v1/docs/part", name);
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

enum err_code {
#define ERR(code, slug, http_status, title) code,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};

typedef struct Err {
    enum err_code code;
    char text[252];
} Err;

#define ERR_NONE_VALUE ((Err){.code = ERR_NONE})

Err err_none(void);
Err err_make(enum err_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Appends ": " and the system's words for errno_value. */
Err err_errno(enum err_code code, int errno_value, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *err_slug(enum err_code code);  /* "not-found": stable, used in problem+json "type" and in logs */
const char *err_title(enum err_code code); /* short human title */
int err_http_status(enum err_code code);

#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        Err try_err_ = (expr);                                                                                         \
        if (try_err_.code != ERR_NONE) return try_err_;                                                                \
    } while (0)

/* What the static analyzer must know, as it does not see into err.c: a made failure is one, and none is none. */
#ifdef __clang_analyzer__
static inline Err err_model(enum err_code code) {
    Err err;
    err.code = code;
    err.text[0] = '\0';
    return err;
}
static inline Err err_model_failure(enum err_code code) {
    if (code == ERR_NONE) __builtin_unreachable();
    return err_model(code);
}
#define err_none() err_model(ERR_NONE)
#define err_make(code, ...) err_model_failure(code)
#define err_errno(code, ...) err_model_failure(code)
#endif

/* A bug, not an expected failure: says where and stops the process, in production too. */
#define ASSERT(cond) ((cond) ? (void)0 : err_bug(__FILE__, __LINE__, #cond))
_Noreturn void err_bug(const char *file, int line, const char *what);

#endif
