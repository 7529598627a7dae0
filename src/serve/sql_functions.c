/* Functions on times, and decimals as texts. A time is RFC 3339 text in any of its forms, or a whole number of ms. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "serve/sql_inner.h"

Str sql_functions_time(Nanos t, char out[SQL_TIME_TEXT]) {
    int y, mo, d, h, mi, s;
    Nanos rest = t % NANOS_PER_S;
    if (rest < 0) rest += NANOS_PER_S;
    time_civil(t, &y, &mo, &d, &h, &mi, &s);
    int n = snprintf(out, SQL_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.", y, mo, d, h, mi, s);
    if (rest % NANOS_PER_MS == 0)
        n += snprintf(out + n, SQL_TIME_TEXT - (size_t)n, "%03dZ", (int)(rest / NANOS_PER_MS));
    else
        n += snprintf(out + n, SQL_TIME_TEXT - (size_t)n, "%09dZ", (int)rest);
    return str_n(out, (size_t)n);
}

/* SQLite's own datetime() writes "2026-03-08 10:00:00", which time_parse reads too. */
static bool read_text(Str text, Nanos *out) {
    return text.len > 0 && text.len < 48 && time_parse(text, out).code == ERR_NONE;
}

bool sql_functions_read_time(sqlite3_value *v, Nanos *out) {
    if (sqlite3_value_type(v) == SQLITE_FLOAT) {
        double ms = sqlite3_value_double(v);
        if (!(fabs(ms) < 9e12)) return false;
        *out = (Nanos)llround(ms * 1e6);
        return true;
    }
    if (sqlite3_value_type(v) == SQLITE_INTEGER) {
        int64_t ms = sqlite3_value_int64(v);
        if (ms > INT64_MAX / NANOS_PER_MS || ms < INT64_MIN / NANOS_PER_MS) return false;
        *out = ms * NANOS_PER_MS;
        return true;
    }
    const char *text = sqlite3_value_type(v) == SQLITE_TEXT ? (const char *)sqlite3_value_text(v) : NULL;
    return text && read_text(str_n(text, (size_t)sqlite3_value_bytes(v)), out);
}

/* Times by their instant, whatever form they are written in; other texts by their bytes, behind all times. */
static int compare_times(void *ctx, int n, const void *a, int m, const void *b) {
    Str x = str_n(a, (size_t)n), y = str_n(b, (size_t)m);
    Nanos s, t;
    (void)ctx;
    if (n == m && n == 24 && x.ptr[23] == 'Z' && y.ptr[23] == 'Z' && x.ptr[10] == 'T' && y.ptr[10] == 'T')
        return memcmp(x.ptr, y.ptr, 24); /* both as we write them */
    bool first = read_text(x, &s), second = read_text(y, &t);
    if (first && second) return s < t ? -1 : s > t;
    if (first != second) return first ? -1 : 1;
    return str_cmp(x, y);
}

static void answer_time(sqlite3_context *ctx, Nanos t) {
    char text[SQL_TIME_TEXT];
    Str s = sql_functions_time(t, text);
    sqlite3_result_text(ctx, s.ptr, (int)s.len, SQLITE_TRANSIENT);
}

static void fail(sqlite3_context *ctx, const char *fmt, sqlite3_value *v) {
    const char *text = (const char *)sqlite3_value_text(v);
    char *said = sqlite3_mprintf(fmt, text ? text : "");
    if (said)
        sqlite3_result_error(ctx, said, -1);
    else
        sqlite3_result_error_nomem(ctx);
    sqlite3_free(said);
}

static bool is_null(sqlite3_value *v) { return sqlite3_value_type(v) == SQLITE_NULL; }

static bool take_time(sqlite3_context *ctx, sqlite3_value *v, Nanos *out) {
    if (is_null(v)) return false; /* of nothing, nothing */
    if (sql_functions_read_time(v, out)) return true;
    fail(ctx, "'%.40s' is no time: write '2026-03-08T10:00:00Z', '2026-03-08' or ms since 1970", v);
    return false;
}

/* ---- spans: "10m", "-1h30m", "1d" */

static bool unit_of(Str text, size_t *at, Nanos *out) {
    static const struct {
        const char *name;
        Nanos is;
    } units[] = {{"ms", NANOS_PER_MS},  {"us", NANOS_PER_US}, {"s", NANOS_PER_S},      {"m", NANOS_PER_MIN},
                 {"h", NANOS_PER_HOUR}, {"d", NANOS_PER_DAY}, {"w", 7 * NANOS_PER_DAY}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        Str name = str_c(units[i].name);
        if (!str_starts(str_slice(text, *at, text.len), name)) continue;
        *at += name.len;
        *out = units[i].is;
        return true;
    }
    return false;
}

static bool read_span(Str text, Nanos *out) {
    bool minus = str_starts(text, STR("-"));
    size_t at = minus || str_starts(text, STR("+"));
    *out = 0;
    if (at == text.len) return false;
    while (at < text.len) {
        size_t from = at;
        int64_t n;
        Nanos unit, part;
        while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9') at++;
        if (!str_to_i64(str_slice(text, from, at), &n) || !unit_of(text, &at, &unit)) return false;
        if (__builtin_mul_overflow(n, unit, &part) || __builtin_add_overflow(*out, part, out)) return false;
    }
    if (minus) *out = -*out;
    return true;
}

static bool take_span(sqlite3_context *ctx, sqlite3_value *v, Nanos *out) {
    if (is_null(v)) return false;
    const char *text = (const char *)sqlite3_value_text(v);
    if (text && read_span(str_n(text, (size_t)sqlite3_value_bytes(v)), out)) return true;
    fail(ctx, "'%.40s' is no span: write '10m', '1h30m', '7d' or '-48h'", v);
    return false;
}

/* ---- the functions */

static void now(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    const struct sql_session *s = sqlite3_user_data(ctx);
    Nanos t = s->now, span = 0;
    if (argc == 1 && !take_span(ctx, argv[0], &span)) return;
    if (!__builtin_add_overflow(t, span, &t)) answer_time(ctx, t);
}

static void time_of(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Nanos t;
    (void)argc;
    if (take_time(ctx, argv[0], &t)) answer_time(ctx, t);
}

static void time_add(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Nanos t, span;
    (void)argc;
    if (!take_time(ctx, argv[0], &t) || !take_span(ctx, argv[1], &span)) return;
    if (!__builtin_add_overflow(t, span, &t)) answer_time(ctx, t);
}

static void ms(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Nanos t;
    (void)argc;
    if (!take_time(ctx, argv[0], &t)) return;
    if (t % NANOS_PER_MS == 0)
        sqlite3_result_int64(ctx, t / NANOS_PER_MS);
    else
        sqlite3_result_double(ctx, (double)t / 1e6);
}

/* seconds(a, b): from a to b */
static void seconds(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Nanos a, b, d;
    (void)argc;
    if (!take_time(ctx, argv[0], &a) || !take_time(ctx, argv[1], &b)) return;
    if (!__builtin_sub_overflow(b, a, &d)) sqlite3_result_double(ctx, (double)d / 1e9);
}

static void time_bucket(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    Nanos width, t, at;
    (void)argc;
    if (!take_span(ctx, argv[0], &width) || !take_time(ctx, argv[1], &t)) return;
    if (width <= 0) {
        fail(ctx, "'%.40s' is no width: it is more than nothing, as '10m'", argv[0]);
        return;
    }
    at = t % width;
    if (at < 0) at += width;
    answer_time(ctx, t - at);
}

/* decimal(x, scale): exact text, half to even. */
static void decimal(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    char text[64];
    (void)argc;
    int64_t scale = sqlite3_value_int64(argv[1]);
    if (is_null(argv[0])) return;
    if (scale < 0 || scale > 9) {
        sqlite3_result_error(ctx, "decimal(x, scale): the scale is 0 to 9", -1);
        return;
    }
    double v = sqlite3_value_double(argv[0]), unit = pow(10, (double)scale), whole = nearbyint(v * unit);
    if (!(fabs(whole) < 1e15)) {
        fail(ctx, "'%.40s' has more than 15 digits: decimal_sum() counts as many as there are", argv[0]);
        return;
    }
    Str s = num_format_decimal((int64_t)whole, (unsigned)scale, text);
    sqlite3_result_text(ctx, s.ptr, (int)s.len, SQLITE_TRANSIENT);
}

static const struct {
    const char *name;
    int argc;
    void (*fn)(sqlite3_context *ctx, int argc, sqlite3_value **argv);
} functions[] = {
    {"now", 0, now}, {"now", 1, now},         {"time_of", 1, time_of}, {"time_add", 2, time_add},
    {"ms", 1, ms},   {"seconds", 2, seconds}, {"decimal", 2, decimal}, {"time_bucket", 2, time_bucket},
};

Err sql_functions_add(struct sql_session *s) {
    int rc = sqlite3_create_collation(s->db, "TIME", SQLITE_UTF8, NULL, compare_times);
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof functions / sizeof *functions; i++)
        rc = sqlite3_create_function(s->db, functions[i].name, functions[i].argc,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, s, functions[i].fn, NULL,
                                     NULL);
    return rc == SQLITE_OK ? err_none() : err_make(ERR_LIMIT, "no memory for a statement: try again in a moment");
}
