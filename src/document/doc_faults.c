#include "document/doc_faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ONE_MAX 176

/* Bytes of text that may go without leaving half a character. */
static size_t whole_characters(const char *text, size_t max) {
    size_t n = strlen(text);
    if (n <= max) return n;
    n = max;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
    return n;
}

void doc_faults_add(struct doc_faults *f, enum err_code code, const char *field, const char *fmt, ...) {
    char one[256];
    va_list args;
    int head = snprintf(one, sizeof one, "%s%s%.64s: ", f->n ? "; " : "", f->at, field);
    va_start(args, fmt);
    vsnprintf(one + head, sizeof one - (size_t)head, fmt, args);
    va_end(args);
    if (f->n++ == 0) f->code = code;
    size_t len = whole_characters(one, ONE_MAX);
    if (f->n_hidden > 0 || f->len + len >= sizeof f->text) {
        f->n_hidden++;
        return;
    }
    memcpy(f->text + f->len, one, len);
    f->len += len;
    f->text[f->len] = 0;
}

Err doc_faults_err(const struct doc_faults *f) {
    if (f->n == 0) return err_none();
    if (f->n_hidden == 0) return err_make(f->code, "%s", f->text);
    return err_make(f->code, "%s; and %zu more", f->text, f->n_hidden);
}
