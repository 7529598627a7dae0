#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang_analyzer__ /* the models of err.h */
#undef err_none
#undef err_make
#undef err_errno
#endif

static const struct {
    const char *slug, *title;
    int http_status;
} rows[ERR_COUNT] = {
#define ERR(code, slug, http_status, title) [code] = {slug, title, http_status},
#include "base/err.def"
#undef ERR
};

/* Only what is read is set: 250 bytes of zeros on every successful call would be felt on the hot path. */
Err err_none(void) {
    Err err;
    err.code = ERR_NONE;
    err.text[0] = '\0';
    return err;
}

/* A text that was cut to fit must not end in half a character. */
static void trim_cut_character(Err *err, int wanted) {
    if (wanted < (int)sizeof err->text) return;
    size_t n = strlen(err->text), start = n;
    while (start > 0 && n - start < 3 && ((unsigned char)err->text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)err->text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (n - (start - 1) < need) err->text[start - 1] = '\0';
}

static int format(Err *err, enum err_code code, const char *fmt, va_list args) {
    ASSERT(code > ERR_NONE && code < ERR_COUNT);
    err->code = code;
    int n = vsnprintf(err->text, sizeof err->text, fmt, args);
    ASSERT(n >= 0);
    return n;
}

Err err_make(enum err_code code, const char *fmt, ...) {
    Err err;
    va_list args;
    va_start(args, fmt);
    int n = format(&err, code, fmt, args);
    va_end(args);
    trim_cut_character(&err, n);
    return err;
}

Err err_errno(enum err_code code, int errno_value, const char *fmt, ...) {
    Err err;
    va_list args;
    va_start(args, fmt);
    int n = format(&err, code, fmt, args);
    va_end(args);
    trim_cut_character(&err, n);
    size_t len = strlen(err.text);
    char reason[96];
    const char *text = strerror_r(errno_value, reason, sizeof reason);
    n = snprintf(err.text + len, sizeof err.text - len, ": %s", text);
    ASSERT(n >= 0);
    return err;
}

const char *err_slug(enum err_code code) { return code < ERR_COUNT ? rows[code].slug : "unknown"; }

const char *err_title(enum err_code code) { return code < ERR_COUNT ? rows[code].title : "unknown failure"; }

int err_http_status(enum err_code code) { return code < ERR_COUNT ? rows[code].http_status : 500; }

_Noreturn void err_bug(const char *file, int line, const char *what) {
    fprintf(stderr, "%s:%d: bug: '%s' does not hold; please report this line\n", file, line, what);
    abort();
}
