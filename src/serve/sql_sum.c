/*
 * sum(), total() and avg() that are exact on decimals. A double that is the nearest one to a decimal of at most 15
 * digits and nine places stands for that decimal (one to one), so it is added as an integer at a common scale in 128
 * bits; what is no such number goes to a second sum, with the error of each step carried along (Neumaier, 1974).
 */
#include <math.h>
#include <string.h>

#include "serve/sql_inner.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

#define SCALE_MAX 9
#define EXACT_MAX 1e15

struct sum {
    int128 exact; /* at scale SCALE_MAX */
    double rest, carry;
    int64_t n, whole; /* values; of them integers of SQL */
    bool rounded;     /* something is in rest */
};

static const int64_t powers[SCALE_MAX + 1] = {1,      10,      100,      1000,      10000,
                                              100000, 1000000, 10000000, 100000000, 1000000000};

/* The decimal that v stands for, at scale SCALE_MAX; false: it stands for none. */
static bool as_decimal(double v, int128 *out) {
    for (unsigned scale = 0; scale <= SCALE_MAX; scale++) {
        double whole = nearbyint(v * (double)powers[scale]);
        if (!(fabs(whole) < EXACT_MAX)) return false;
        if (whole / (double)powers[scale] != v) continue;
        *out = (int128)(int64_t)whole * powers[SCALE_MAX - scale];
        return true;
    }
    return false;
}

static void add_rest(struct sum *s, double v) {
    double t = s->rest + v;
    s->carry += fabs(s->rest) >= fabs(v) ? (s->rest - t) + v : (v - t) + s->rest;
    s->rest = t;
    s->rounded = true;
}

/* sign 1: comes in, -1: leaves the window */
static void take(sqlite3_context *ctx, sqlite3_value *v, int sign) {
    struct sum *s = sqlite3_aggregate_context(ctx, sizeof *s);
    int128 exact;
    int type = sqlite3_value_numeric_type(v);
    if (!s || type == SQLITE_NULL) return;
    s->n += sign;
    if (type == SQLITE_INTEGER) {
        s->whole += sign;
        exact = (int128)sqlite3_value_int64(v) * powers[SCALE_MAX];
        s->exact += sign * exact; /* 2^63 · 10^9 fits 2^68 times */
    } else if (as_decimal(sqlite3_value_double(v), &exact)) {
        s->exact += sign * exact;
    } else {
        add_rest(s, sign * sqlite3_value_double(v));
    }
}

static void step(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    take(ctx, argv[0], 1);
}

static void inverse(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    take(ctx, argv[0], -1);
}

/* At the least scale that holds it, so that what has at most 15 digits comes out as the double nearest to it. */
static double as_double(const struct sum *s) {
    int128 v = s->exact;
    unsigned scale = SCALE_MAX;
    while (scale > 0 && v % 10 == 0) v /= 10, scale--;
    double exact = (double)((long double)v / (long double)powers[scale]);
    if (v < (int128)INT64_C(9007199254740992) && v > -(int128)INT64_C(9007199254740992))
        exact = (double)v / (double)powers[scale];
    return s->rounded ? exact + (s->rest + s->carry) : exact;
}

static const struct sum *sum_of(sqlite3_context *ctx) { return sqlite3_aggregate_context(ctx, 0); }

static void answer_sum(sqlite3_context *ctx) {
    const struct sum *s = sum_of(ctx);
    if (!s || s->n == 0) return; /* of nothing, nothing */
    int128 whole = s->exact / powers[SCALE_MAX];
    bool is_whole = !s->rounded && s->exact % powers[SCALE_MAX] == 0;
    if (is_whole && s->whole == s->n && (whole > INT64_MAX || whole < INT64_MIN))
        sqlite3_result_error(ctx, "integer overflow in sum()", -1);
    else if (is_whole && whole <= INT64_MAX && whole >= INT64_MIN)
        sqlite3_result_int64(ctx, (int64_t)whole);
    else
        sqlite3_result_double(ctx, as_double(s));
}

static void answer_total(sqlite3_context *ctx) {
    const struct sum *s = sum_of(ctx);
    sqlite3_result_double(ctx, s ? as_double(s) : 0);
}

static void answer_avg(sqlite3_context *ctx) {
    const struct sum *s = sum_of(ctx);
    if (s && s->n > 0) sqlite3_result_double(ctx, as_double(s) / (double)s->n);
}

/* Exact text, however long. */
static void answer_text(sqlite3_context *ctx) {
    const struct sum *s = sum_of(ctx);
    char text[64];
    size_t at = sizeof text;
    if (!s || s->n == 0) return;
    if (s->rounded) {
        sqlite3_result_error(ctx, "decimal_sum() adds decimals of at most 15 digits and nine places", -1);
        return;
    }
    uint128 v = s->exact < 0 ? -(uint128)s->exact : (uint128)s->exact;
    unsigned scale = SCALE_MAX;
    while (scale > 0 && v % 10 == 0) v /= 10, scale--;
    for (unsigned digits = 0; v > 0 || digits <= scale; digits++, v /= 10) {
        if (digits == scale && scale > 0) text[--at] = '.';
        text[--at] = (char)('0' + (int)(v % 10));
    }
    if (s->exact < 0) text[--at] = '-';
    sqlite3_result_text(ctx, text + at, (int)(sizeof text - at), SQLITE_TRANSIENT);
}

/* ---- spread, in one pass (Welford, 1962); leaves a window the way it came */

struct spread {
    int64_t n;
    double mean, m2;
};

static void spread_in(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    struct spread *s = sqlite3_aggregate_context(ctx, sizeof *s);
    (void)argc;
    if (!s || sqlite3_value_numeric_type(argv[0]) == SQLITE_NULL) return;
    double v = sqlite3_value_double(argv[0]), d = v - s->mean;
    s->n++;
    s->mean += d / (double)s->n;
    s->m2 += d * (v - s->mean);
}

static void spread_out(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    struct spread *s = sqlite3_aggregate_context(ctx, sizeof *s);
    (void)argc;
    if (!s || sqlite3_value_numeric_type(argv[0]) == SQLITE_NULL) return;
    double v = sqlite3_value_double(argv[0]), d = v - s->mean;
    if (--s->n == 0) {
        *s = (struct spread){0};
        return;
    }
    s->mean -= d / (double)s->n;
    s->m2 -= d * (v - s->mean);
}

static void answer_spread(sqlite3_context *ctx) {
    const struct spread *s = sqlite3_aggregate_context(ctx, 0);
    if (s && s->n > 1) sqlite3_result_double(ctx, sqrt(fmax(s->m2, 0) / (double)(s->n - 1)));
}

Err sql_sum_add(struct sql_session *s) {
    static const struct {
        const char *name;
        void (*answer)(sqlite3_context *ctx);
    } sums[] = {{"sum", answer_sum}, {"total", answer_total}, {"avg", answer_avg}, {"decimal_sum", answer_text}};
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, rc = SQLITE_OK;
    for (size_t i = 0; rc == SQLITE_OK && i < sizeof sums / sizeof *sums; i++)
        rc = sqlite3_create_window_function(s->db, sums[i].name, 1, flags, s, step, sums[i].answer, sums[i].answer,
                                            inverse, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_create_window_function(s->db, "stddev", 1, flags, s, spread_in, answer_spread, answer_spread,
                                            spread_out, NULL);
    return rc == SQLITE_OK ? err_none() : err_make(ERR_LIMIT, "no memory for a statement: try again in a moment");
}
