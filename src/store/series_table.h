/*
 * Rows on their way into a chunk, as columns: things in order of (party, thing), each one's rows in order of time. A
 * row of the same thing and time as the one before is merged into it, metric by metric, and the later value counts.
 * Strings are borrowed until the table is cleared.
 */
#ifndef STORE_SERIES_TABLE_H
#define STORE_SERIES_TABLE_H

#include "model/value.h"

/* Numbers, bools and strings of one metric stand in columns of their own. */
enum series_family { SERIES_NUMBERS, SERIES_BOOLS, SERIES_STRINGS };

struct series_column {
    uint32_t metric;
    enum series_family family;
    uint32_t *rows; /* ascending */
    Value *values;
    size_t n, cap;
};

struct series_part {
    PartyId party;
    ThingId thing;
    uint32_t rows;
    Nanos stamped; /* the last time the server stamped for it; 0: none known */
};

struct series_table {
    struct series_part *parts;
    size_t n_parts, cap_parts;
    Nanos *times;
    size_t n_rows, cap_rows, n_values;
    struct series_column *columns; /* in order of first use; series_table_sort orders them by metric */
    size_t n_columns, cap_columns, guess;
    uint32_t *index; /* hash of metric and family → column + 1 */
    size_t index_size;
};

void series_table_fini(struct series_table *table);
void series_table_clear(struct series_table *table); /* keeps the memory */
void series_table_part(struct series_table *table, PartyId party, ThingId thing, Nanos stamped);
void series_table_row(struct series_table *table, Nanos time);
void series_table_value(struct series_table *table, MetricId metric, Value value);
/* Many at once: times ascend and follow the last part's; then samples of one metric at some of the rows from `first`
 * on. */
void series_table_rows(struct series_table *table, const Nanos *times, size_t n);
void series_table_samples(struct series_table *table, size_t first, MetricId metric, const Nanos *times,
                          const Value *values, size_t n);
void series_table_sort(struct series_table *table); /* after it no row may be added until clear */
enum series_family series_table_family(enum value_kind kind);

#endif
