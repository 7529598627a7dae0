/*
 * Rows in the store's own binary form. What a connection's thread fills is what the log writes and what memory keeps:
 * nothing is copied or allocated again on the way.
 *
 *     rows_begin(&rows, thing, time, 0);
 *     rows_value(&rows, metric, VALUE_F(21.5));      // any number of values; strings are copied; of a metric given
 * twice the last counts rows_end(&rows);                               // a row without values is dropped
 *
 *     struct rows_cursor at = rows_start(&rows);
 *     for (struct row row; rows_next(&at, &row);)
 *         for (struct row_value v = {0}; rows_next_value(&row, &v);) use(row.thing, row.time, v.metric, v.value);
 */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include "base/buf.h"
#include "model/value.h"

enum { ROWS_SERVER_TIME = 1 }; /* row flag: the server stamped it */

struct rows {
    struct buf bytes;
    uint32_t n_rows, n_values;
    size_t open_at;   /* offset of the row being written, SIZE_MAX when none */
    uint64_t seen[4]; /* metrics of that row, by their low bits: whether one may be there twice */
    bool twice;
};

struct rows_cursor {
    const char *at, *end;
};

struct row {
    ThingId thing;
    Nanos time;
    uint32_t flags, n_values;
    const char *values, *end; /* for rows_next_value */
};

struct row_value {
    MetricId metric;
    Value value; /* strings borrowed from the rows */
    const char *next;
};

void rows_clear(struct rows *rows); /* also makes a zeroed struct ready; keeps the memory */
void rows_fini(struct rows *rows);
void rows_begin(struct rows *rows, ThingId thing, Nanos time, uint32_t flags);
void rows_value(struct rows *rows, MetricId metric, Value value);
void rows_end(struct rows *rows);
void rows_cancel(struct rows *rows); /* forget the row being written */
struct rows_cursor rows_start(const struct rows *rows);
bool rows_next(struct rows_cursor *at, struct row *row);
bool rows_next_value(const struct row *row, struct row_value *v);

#endif
