/*
 * SQLite's functions on texts that compare every place with every other, again in time that grows with the texts alone:
 * instr() and replace() of half a MiB in half a MiB would run for minutes, within one step that nothing can stop.
 */
#include <string.h>

#include "serve/sql_inner.h"

#define TRIM_MAX 64 /* bytes that trim(x, y) takes away */

static bool take(sqlite3_value *v, Str *out) {
    if (sqlite3_value_type(v) == SQLITE_NULL) return false;
    const char *text = (const char *)sqlite3_value_text(v);
    if (!text) return false;
    *out = str_n(text, (size_t)sqlite3_value_bytes(v));
    return true;
}

static int64_t characters(Str s) {
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++) n += (s.ptr[i] & 0xc0) != 0x80;
    return n;
}

static void instr(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Str text, part;
    (void)argc;
    if (!take(argv[0], &text) || !take(argv[1], &part)) return;
    const char *at = memmem(text.ptr, text.len, part.ptr, part.len);
    sqlite3_result_int64(ctx, at ? characters(str_n(text.ptr, (size_t)(at - text.ptr))) + 1 : 0);
}

static void replace(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Str text, part, by;
    struct sql_session *s = sqlite3_user_data(ctx);
    (void)argc;
    if (!take(argv[0], &text) || !take(argv[1], &part) || !take(argv[2], &by)) return;
    sqlite3_str *out = sqlite3_str_new(s->db); /* knows SQLite's limit of length */
    while (part.len > 0 && text.len > 0) {
        const char *at = memmem(text.ptr, text.len, part.ptr, part.len);
        if (!at || sqlite3_str_errcode(out) != SQLITE_OK) break;
        sqlite3_str_append(out, text.ptr, (int)(at - text.ptr));
        sqlite3_str_append(out, by.ptr, (int)by.len);
        text = str_slice(text, (size_t)(at - text.ptr) + part.len, text.len);
    }
    sqlite3_str_append(out, text.ptr, (int)text.len);
    int rc = sqlite3_str_errcode(out), n = sqlite3_str_length(out);
    char *made = sqlite3_str_finish(out);
    if (rc == SQLITE_TOOBIG)
        sqlite3_result_error_toobig(ctx);
    else if (rc != SQLITE_OK)
        sqlite3_result_error_nomem(ctx);
    else
        sqlite3_result_text(ctx, made ? made : "", made ? n : 0, SQLITE_TRANSIENT);
    sqlite3_free(made);
}

static size_t step(const char *at, const char *end) {
    size_t n = 1;
    while (at + n < end && (at[n] & 0xc0) == 0x80) n++;
    return n;
}

static bool among(Str set, Str character) { return str_find(set, character) >= 0; }

/* ctx's data: bit 0 at the front, bit 1 at the end */
static void trim(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Str text, set;
    intptr_t ends = (intptr_t)sqlite3_user_data(ctx);
    (void)argc;
    if (!take(argv[0], &text) || !take(argv[1], &set)) return;
    if (set.len > TRIM_MAX) {
        sqlite3_result_error(ctx, "trim(text, characters) takes at most 64 bytes of characters", -1);
        return;
    }
    const char *from = text.ptr, *to = text.ptr + text.len;
    while ((ends & 1) && from < to && among(set, str_n(from, step(from, to)))) from += step(from, to);
    while ((ends & 2) && from < to) {
        const char *last = to - 1;
        while (last > from && (*last & 0xc0) == 0x80) last--;
        if (!among(set, str_n(last, (size_t)(to - last)))) break;
        to = last;
    }
    sqlite3_result_text(ctx, from, (int)(to - from), SQLITE_TRANSIENT);
}

Err sql_text_add(struct sql_session *s) {
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    static const struct {
        const char *name;
        intptr_t ends;
    } trims[] = {{"ltrim", 1}, {"rtrim", 2}, {"trim", 3}};
    int rc = sqlite3_create_function(s->db, "instr", 2, flags, s, instr, NULL, NULL);
    if (rc == SQLITE_OK) rc = sqlite3_create_function(s->db, "replace", 3, flags, s, replace, NULL, NULL);
    for (size_t i = 0; rc == SQLITE_OK && i < 3; i++)
        rc = sqlite3_create_function(s->db, trims[i].name, 2, flags, (void *)trims[i].ends, trim, NULL, NULL);
    return rc == SQLITE_OK ? err_none() : err_make(ERR_LIMIT, "no memory for a statement: try again in a moment");
}
