/*
 * printf() and format() with %d %i %x %f %e %g %s %c %q and %%, widths and places bounded: SQLite's own would work for
 * half a minute on '%.1000000000c', within one step that nothing can stop.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "serve/sql_inner.h"

enum { WIDTH_MAX = 1000, PLACES_MAX = 30 };

struct directive {
    bool left, zero, plus;
    int width, places; /* -1: not given */
    char what;
};

struct formatting {
    sqlite3_context *ctx;
    sqlite3_str *out;
    const char *at;
    sqlite3_value **args;
    int n_args;
    const char *fault;
};

static int read_number(struct formatting *f) {
    int n = 0;
    for (; *f->at >= '0' && *f->at <= '9'; f->at++)
        if (n <= WIDTH_MAX) n = 10 * n + (*f->at - '0');
    return n;
}

static bool read_directive(struct formatting *f, struct directive *d) {
    *d = (struct directive){.places = -1};
    for (;; f->at++) {
        if (*f->at == '-')
            d->left = true;
        else if (*f->at == '0')
            d->zero = true;
        else if (*f->at == '+')
            d->plus = true;
        else
            break;
    }
    d->width = read_number(f);
    if (*f->at == '.') {
        f->at++;
        d->places = read_number(f);
    }
    while (*f->at == 'l') f->at++;
    d->what = *f->at;
    if (d->what == '\0' || !strchr("dixXfeEgGscq%", d->what))
        f->fault = "printf() knows %d %i %x %f %e %g %s %c %q and %%";
    else if (d->width > WIDTH_MAX)
        f->fault = "printf() fills up to 1000 characters";
    else if (d->places > (strchr("scq", d->what) ? WIDTH_MAX : PLACES_MAX))
        f->fault = "printf() writes up to 30 places, and 1000 characters of a text";
    else
        f->at++;
    return !f->fault;
}

static sqlite3_value *next(struct formatting *f) {
    if (f->n_args == 0) return NULL;
    f->n_args--;
    return *f->args++;
}

static void pad(struct formatting *f, const struct directive *d, Str text) {
    int more = d->width - (int)text.len;
    bool zeros = d->zero && !d->left && strchr("dixXfeEgG", d->what);
    size_t sign = zeros && text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    if (sign) sqlite3_str_append(f->out, text.ptr, 1);
    if (more > 0 && !d->left) sqlite3_str_appendchar(f->out, more, zeros ? '0' : ' ');
    sqlite3_str_append(f->out, text.ptr + sign, (int)(text.len - sign));
    if (more > 0 && d->left) sqlite3_str_appendchar(f->out, more, ' ');
}

static void write_number(struct formatting *f, const struct directive *d) {
    char text[512];
    sqlite3_value *v = next(f);
    int n, places = d->places < 0 ? 6 : d->places;
    double x = v ? sqlite3_value_double(v) : 0;
    long long i = v ? sqlite3_value_int64(v) : 0;
    switch (d->what) {
    case 'd':
    case 'i': n = snprintf(text, sizeof text, d->plus ? "%+lld" : "%lld", i); break;
    case 'x': n = snprintf(text, sizeof text, "%llx", (unsigned long long)i); break;
    case 'X': n = snprintf(text, sizeof text, "%llX", (unsigned long long)i); break;
    case 'f': n = snprintf(text, sizeof text, d->plus ? "%+.*f" : "%.*f", places, x); break;
    case 'e':
    case 'E': n = snprintf(text, sizeof text, "%.*e", places, x); break;
    default: n = snprintf(text, sizeof text, "%.*g", places, x);
    }
    if (n > 0) pad(f, d, str_n(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

/* Widths and places of texts count bytes, as SQLite's do, but no character is cut. */
static void write_text(struct formatting *f, const struct directive *d) {
    sqlite3_value *v = next(f);
    const char *text = v ? (const char *)sqlite3_value_text(v) : NULL;
    Str s = text ? str_n(text, (size_t)sqlite3_value_bytes(v)) : (Str){0};
    size_t most = d->what == 'c' ? 1 : d->places < 0 ? s.len : (size_t)d->places, at = 0;
    for (size_t k = 0; at < s.len && (d->what == 'c' ? k < most : at < most); k++) do
            at++;
        while (at < s.len && (s.ptr[at] & 0xc0) == 0x80);
    s = str_slice(s, 0, at);
    if (d->what == 'c' && d->places > 1) {
        for (int i = 0; i < d->places; i++) sqlite3_str_append(f->out, s.ptr, (int)s.len);
        return;
    }
    if (d->what != 'q') {
        pad(f, d, s);
        return;
    }
    for (size_t i = 0; i < s.len; i++) sqlite3_str_appendchar(f->out, s.ptr[i] == '\'' ? 2 : 1, s.ptr[i]);
}

static void write_all(struct formatting *f) {
    struct directive d;
    while (*f->at && sqlite3_str_errcode(f->out) == SQLITE_OK) {
        size_t plain = strcspn(f->at, "%");
        sqlite3_str_append(f->out, f->at, (int)plain);
        f->at += plain;
        if (*f->at != '%') continue;
        f->at++;
        if (!read_directive(f, &d)) return;
        if (d.what == '%')
            sqlite3_str_appendchar(f->out, 1, '%');
        else if (strchr("scq", d.what))
            write_text(f, &d);
        else
            write_number(f, &d);
    }
}

static void format(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    if (argc == 0 || sqlite3_value_type(argv[0]) == SQLITE_NULL) return;
    const struct sql_session *s = sqlite3_user_data(ctx);
    const char *text = (const char *)sqlite3_value_text(argv[0]);
    struct formatting f = {.ctx = ctx, .at = text, .args = argv + 1, .n_args = argc - 1};
    if (!text) return;
    f.out = sqlite3_str_new(s->db); /* knows SQLite's limit of length */
    write_all(&f);
    int rc = sqlite3_str_errcode(f.out), n = sqlite3_str_length(f.out);
    char *made = sqlite3_str_finish(f.out);
    if (f.fault)
        sqlite3_result_error(ctx, f.fault, -1);
    else if (rc == SQLITE_TOOBIG)
        sqlite3_result_error_toobig(ctx);
    else if (rc != SQLITE_OK)
        sqlite3_result_error_nomem(ctx);
    else
        sqlite3_result_text(ctx, made ? made : "", made ? n : 0, SQLITE_TRANSIENT);
    sqlite3_free(made);
}

Err sql_format_add(struct sql_session *s) {
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_create_function(s->db, "printf", -1, flags, s, format, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_create_function(s->db, "format", -1, flags, s, format, NULL, NULL);
    return rc == SQLITE_OK ? err_none() : err_make(ERR_LIMIT, "no memory for a statement: try again in a moment");
}
