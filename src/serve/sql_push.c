/*
 * Values between SQLite and the tables. Decimals of up to 15 digits are numbers in SQL, whole ones integers and others
 * the nearest double, which is one to one up to there: they compare, add and sort as numbers do, and come out as they
 * went in. Longer ones are refused by name, never rounded.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "serve/sql_inner.h"

#define EXACT_MAX INT64_C(999999999999999)

static const double powers[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

/* What lies between two values of the column is taken outward: SQLite tests each row again. */
static bool round_out(double v, enum doc_op *op, Value *out, bool *never) {
    double whole = floor(v);
    if (!(fabs(v) < 9e18)) return false;
    if (whole != v && *op == DOC_EQ) {
        *never = true;
        return false;
    }
    if (whole != v && (*op == DOC_LT || *op == DOC_LE)) *op = DOC_LE; /* x < 2.5 is x <= 2 */
    if (whole != v && (*op == DOC_GT || *op == DOC_GE)) *op = DOC_GT; /* x > 2.5 is x > 2 */
    *out = VALUE_I((int64_t)whole);
    return true;
}

static bool push_int(sqlite3_value *from, enum doc_op *op, Value *out, bool *never) {
    switch (sqlite3_value_type(from)) {
    case SQLITE_INTEGER: *out = VALUE_I(sqlite3_value_int64(from)); return true;
    case SQLITE_FLOAT: return round_out(sqlite3_value_double(from), op, out, never);
    default: return false;
    }
}

/* 12.5 at scale 2 is 1250; what a double says less exactly than the scale is taken a little wider. */
static bool push_decimal(unsigned scale, sqlite3_value *from, enum doc_op *op, Value *out) {
    int type = sqlite3_value_type(from);
    if (scale >= sizeof powers / sizeof *powers || (type != SQLITE_INTEGER && type != SQLITE_FLOAT)) return false;
    double v = sqlite3_value_double(from) * powers[scale], whole = nearbyint(v);
    if (!(fabs(v) < (double)EXACT_MAX)) return false;
    if (whole / powers[scale] == sqlite3_value_double(from)) {
        *out = VALUE_I((int64_t)whole);
        return true;
    }
    if (*op == DOC_EQ) return false;
    bool less = *op == DOC_LT || *op == DOC_LE;
    *op = less ? DOC_LE : DOC_GE;
    *out = VALUE_I((int64_t)(less ? ceil(v) + 1 : floor(v) - 1));
    return true;
}

static bool push_text(sqlite3_value *from, struct arena *arena, Value *out) {
    if (sqlite3_value_type(from) != SQLITE_TEXT) return false;
    const char *text = (const char *)sqlite3_value_text(from);
    if (!text) return false;
    *out = VALUE_S(arena_str(arena, str_n(text, (size_t)sqlite3_value_bytes(from))));
    return str_is_utf8(out->s) && memchr(out->s.ptr, 0, out->s.len) == NULL;
}

static bool push_date(sqlite3_value *from, struct arena *arena, Value *out) {
    Nanos at;
    if (!push_text(from, arena, out) || out->s.len != 10 || time_parse(out->s, &at).code != ERR_NONE) return false;
    Nanos days = at / NANOS_PER_DAY - (at % NANOS_PER_DAY < 0);
    *out = VALUE_I(days);
    return true;
}

static bool push_time(sqlite3_value *from, Value *out) {
    Nanos at;
    if (!sql_functions_read_time(from, &at)) return false;
    *out = VALUE_I(at);
    return true;
}

static bool push_bool(sqlite3_value *from, enum doc_op op, Value *out) {
    if (op != DOC_EQ || sqlite3_value_type(from) != SQLITE_INTEGER) return false;
    int64_t v = sqlite3_value_int64(from);
    if (v != 0 && v != 1) return false;
    *out = VALUE_B(v == 1);
    return true;
}

bool sql_push_value(const struct sql_table_column *col, enum doc_op *op, sqlite3_value *from, struct arena *arena,
                    Value *out, bool *never) {
    *never = false;
    if (sqlite3_value_type(from) == SQLITE_NULL) return false; /* IS NULL comes as such */
    switch (col->kind) {
    case SQL_INT: return push_int(from, op, out, never);
    case SQL_NUMBER:
        if (sqlite3_value_type(from) != SQLITE_FLOAT && sqlite3_value_type(from) != SQLITE_INTEGER) return false;
        *out = VALUE_F(sqlite3_value_double(from));
        return true;
    case SQL_DECIMAL: return push_decimal(col->scale, from, op, out);
    case SQL_BOOL: return push_bool(from, *op, out);
    case SQL_TIME: return push_time(from, out);
    case SQL_DATE: return push_date(from, arena, out);
    case SQL_TEXT: return push_text(from, arena, out);
    case SQL_JSON:
    case SQL_ANY: break;
    }
    return false;
}

static void result_text(sqlite3_context *ctx, Str s) {
    sqlite3_result_text64(ctx, s.len ? s.ptr : "", s.len, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static void result_decimal(sqlite3_context *ctx, const struct sql_table_column *col, int64_t v) {
    char text[NUM_TEXT_MAX];
    if (col->scale == 0) {
        sqlite3_result_int64(ctx, v);
        return;
    }
    if (v > EXACT_MAX || v < -EXACT_MAX || col->scale >= sizeof powers / sizeof *powers) {
        Str s = num_format_decimal(v, col->scale, text);
        char *said =
            sqlite3_mprintf("'%s' holds %.*s, which has more than the 15 digits that SQL counts exactly: leave "
                            "the column or the row out",
                            col->name, STR_ARG(s));
        sqlite3_result_error(ctx, said ? said : "a decimal of more than 15 digits", -1);
        sqlite3_free(said);
        return;
    }
    int64_t unit = (int64_t)powers[col->scale];
    if (v % unit == 0)
        sqlite3_result_int64(ctx, v / unit);
    else
        sqlite3_result_double(ctx, (double)v / powers[col->scale]); /* rightly rounded: both are exact */
}

static void result_date(sqlite3_context *ctx, int64_t days) {
    char text[TIME_TEXT_MAX];
    result_text(ctx, str_slice(time_format(days * NANOS_PER_DAY, text), 0, 10));
}

void sql_push_result(sqlite3_context *ctx, const struct sql_table_column *col, Value v) {
    char time[SQL_TIME_TEXT];
    switch (v.kind) {
    case VALUE_NONE: break; /* NULL */
    case VALUE_STRING: result_text(ctx, v.s); break;
    case VALUE_BOOL: sqlite3_result_int(ctx, v.b); break;
    case VALUE_FLOAT: sqlite3_result_double(ctx, v.f); break; /* NaN becomes NULL */
    case VALUE_INT:
        if (col->kind == SQL_TIME)
            result_text(ctx, sql_functions_time(v.i, time));
        else if (col->kind == SQL_DECIMAL)
            result_decimal(ctx, col, v.i);
        else if (col->kind == SQL_DATE)
            result_date(ctx, v.i);
        else
            sqlite3_result_int64(ctx, v.i);
        break;
    }
}
