/*
 * Columns with times of their own, read as rows: the moments that any column has, in order, and each column's value at
 * each. For one thing and a bounded piece of time.
 */
#ifndef STORE_SERIES_UNION_H
#define STORE_SERIES_UNION_H

#include "base/arena.h"
#include "store/series_merge.h"

struct series_union_columns {
    MetricId metric;
    struct series_samples samples;
    size_t at; /* of the next to write */
};

struct series_union {
    struct series_union_columns *columns;
    size_t n_columns, cap_columns;
    Nanos *rows;
    size_t n_rows, cap_rows;
    struct arena text; /* strings, copied */
};

void series_union_fini(struct series_union *u); /* of a zeroed or used one */
void series_union_clear(struct series_union *u);
void series_union_column(struct series_union *u, MetricId metric);                                /* begins one */
void series_union_add(struct series_union *u, const Nanos *times, const Value *values, size_t n); /* ascending */
void series_union_sort(struct series_union *u);                                                   /* fills rows */

#endif
