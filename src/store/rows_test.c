#include "store/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/rows_form.h"
#include "tests/unit.h"

void rows_test(void);

#define I(v)                                                                                                           \
    { .kind = VALUE_INT, .i = (v) }
#define F(v)                                                                                                           \
    { .kind = VALUE_FLOAT, .f = (v) }
#define B(v)                                                                                                           \
    { .kind = VALUE_BOOL, .b = (v) }
#define S(text)                                                                                                        \
    {                                                                                                                  \
        .kind = VALUE_STRING, .s = { text, sizeof(text) - 1 }                                                          \
    }

static const Value values[] = {
    I(0),         I(-1),         I(INT32_MAX), I(INT32_MIN), I((int64_t)INT32_MAX + 1),
    I(INT64_MIN), F(0.5),        F(0.1),       F(-0.0),      F(1e300),
    F(5e-324),    F(16777217.0), B(true),      B(false),     S(""),
    S("run"),     S("four"),     S("five\0"),
};
#define N_VALUES (sizeof values / sizeof *values)

static bool same(Value a, Value b) {
    if (a.kind != b.kind) return false;
    return a.kind == VALUE_STRING ? str_eq(a.s, b.s)
           : a.kind == VALUE_BOOL ? a.b == b.b
                                  : memcmp(&a.i, &b.i, sizeof a.i) == 0;
}

static void add_row(struct rows *rows, ThingId thing, size_t n) {
    rows_begin(rows, thing, (Nanos)thing * 7, thing % 2 ? ROWS_SERVER_TIME : 0);
    for (size_t i = 0; i < n; i++) rows_value(rows, (MetricId)i + 1, values[i % N_VALUES]);
    rows_end(rows);
}

static void round_trip_case(void) {
    struct rows rows = {0};
    size_t thing = 0, n_values = 0;
    for (size_t n = 0; n <= 3 * N_VALUES; n++) add_row(&rows, (ThingId)n + 1, n), n_values += n;
    CHECK_INT(rows.n_rows, 3 * N_VALUES); /* the one without values is dropped */
    CHECK_INT(rows.n_values, n_values);
    struct rows_cursor at = rows_start(&rows);
    for (struct row row; rows_next(&at, &row);) {
        uint32_t i = 0;
        thing++;
        CHECK_INT(row.thing, thing + 1);
        CHECK_INT(row.time, (Nanos)row.thing * 7);
        CHECK_INT(row.flags, row.thing % 2 ? ROWS_SERVER_TIME : 0);
        for (struct row_value v = {0}; rows_next_value(&row, &v); i++)
            CHECK(v.metric == i + 1 && same(v.value, values[i % N_VALUES]));
        CHECK_INT(i, thing);
        CHECK_INT(row.n_values, thing);
    }
    CHECK_INT(thing, 3 * N_VALUES);
    rows_fini(&rows);
}

static void cancel_case(void) {
    struct rows rows = {0};
    add_row(&rows, 1, 3);
    size_t len = rows.bytes.len;
    rows_begin(&rows, 2, 5, 0);
    rows_value(&rows, 1, VALUE_I(1));
    struct rows_cursor at = rows_start(&rows);
    struct row row;
    CHECK(rows_next(&at, &row) && !rows_next(&at, &row)); /* the open one is not there yet */
    rows_cancel(&rows);
    CHECK_INT(rows.bytes.len, len);
    rows_begin(&rows, 2, 5, 0);
    rows_value(&rows, 1, (Value){.kind = VALUE_NONE});
    rows_end(&rows);
    CHECK_INT(rows.bytes.len, len);
    CHECK_INT(rows.n_rows, 1);
    rows_fini(&rows);
}

/* Of a metric given twice the last counts, wherever it stands and however long the values are. */
static void twice_case(void) {
    struct rows rows = {0};
    rows_begin(&rows, 1, 0, 0);
    for (MetricId m = 1; m <= 300; m++) rows_value(&rows, m, VALUE_S(STR("first")));
    for (MetricId m = 300; m >= 1; m -= 2) rows_value(&rows, m, VALUE_I((int64_t)m << 40));
    rows_value(&rows, 256, VALUE_B(true));
    rows_end(&rows);
    struct rows_cursor at = rows_start(&rows);
    struct row row;
    unsigned seen = 0;
    CHECK(rows_next(&at, &row) && row.n_values == 300 && rows.n_values == 300);
    for (struct row_value v = {0}; rows_next_value(&row, &v); seen++) {
        Value want = v.metric == 256 ? VALUE_B(true)
                     : v.metric % 2  ? VALUE_S(STR("first"))
                                     : VALUE_I((int64_t)v.metric << 40);
        CHECK(same(v.value, want));
    }
    CHECK_INT(seen, 300);
    rows_fini(&rows);
}

/* Bytes from the disk are checked: cut anywhere, or with any byte changed, they are refused or still well-formed. */
static void check_case(void) {
    struct rows rows = {0};
    uint32_t n_rows, n_values;
    for (size_t n = 1; n <= N_VALUES; n++) add_row(&rows, (ThingId)n, n);
    size_t len = rows.bytes.len, whole = 0;
    char *copy = malloc(len);
    if (!CHECK(copy != NULL)) return;
    CHECK(rows_check(buf_view(&rows.bytes), &n_rows, &n_values) && n_rows == rows.n_rows && n_values == rows.n_values);
    for (size_t n = 0; n < len; n++) {
        memcpy(copy, rows.bytes.ptr, n);
        whole += rows_check((Str){copy, n}, &n_rows, &n_values);
    }
    CHECK_INT(whole, rows.n_rows); /* cut between rows, and the empty piece */
    for (size_t at = 0; at < len; at++) {
        memcpy(copy, rows.bytes.ptr, len);
        copy[at] = (char)~copy[at];
        if (!rows_check((Str){copy, len}, &n_rows, &n_values)) continue;
        struct rows broken = {.bytes = {copy, len, len}, .open_at = SIZE_MAX};
        struct rows_cursor cursor = rows_start(&broken);
        for (struct row row; rows_next(&cursor, &row);)
            for (struct row_value v = {0}; rows_next_value(&row, &v);) CHECK(v.next <= row.end);
    }
    free(copy);
    rows_fini(&rows);
}

void rows_test(void) {
    unit_case("what goes in comes out");
    round_trip_case();
    unit_case("cancelled and empty rows");
    cancel_case();
    unit_case("a metric twice");
    twice_case();
    unit_case("bytes that are no rows");
    check_case();
}
