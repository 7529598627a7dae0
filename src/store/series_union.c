#include "store/series_union.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void series_union_fini(struct series_union *u) {
    for (size_t i = 0; i < u->cap_columns; i++) series_merge_fini(&u->columns[i].samples);
    free(u->columns);
    free(u->rows);
    arena_fini(&u->text);
    *u = (struct series_union){0};
}

void series_union_clear(struct series_union *u) {
    u->n_columns = u->n_rows = 0;
    arena_reset(&u->text);
}

void series_union_column(struct series_union *u, MetricId metric) {
    if (u->n_columns == u->cap_columns) {
        size_t old = u->cap_columns;
        u->columns = vec_grow(u->columns, &u->cap_columns, old + 1, sizeof *u->columns);
        memset(u->columns + old, 0, (u->cap_columns - old) * sizeof *u->columns);
    }
    struct series_union_columns *c = &u->columns[u->n_columns++];
    c->metric = metric, c->samples.n = 0, c->at = 0;
}

void series_union_add(struct series_union *u, const Nanos *times, const Value *values, size_t n) {
    struct series_samples *s = &u->columns[u->n_columns - 1].samples;
    series_merge_reserve(s, n);
    for (size_t i = 0; i < n; i++) {
        Value v = values[i];
        if (v.kind == VALUE_STRING) v.s = arena_str(&u->text, v.s);
        series_merge_put(s, times[i], v);
    }
}

static int by_time(const void *a, const void *b) {
    Nanos x = *(const Nanos *)a, y = *(const Nanos *)b;
    return x < y ? -1 : x > y;
}

/* Adds one column's times; mostly they are the same as the rows there are. */
static bool add_times(struct series_union *u, const struct series_samples *s) {
    if (s->n == 0 || (s->n == u->n_rows && memcmp(s->times, u->rows, s->n * sizeof *s->times) == 0)) return false;
    bool first = u->n_rows == 0;
    for (size_t i = 0; i < s->n; i++) VEC_PUSH(u->rows, u->n_rows, u->cap_rows, s->times[i]);
    return !first;
}

static void sort_rows(struct series_union *u) {
    size_t n = 0;
    qsort(u->rows, u->n_rows, sizeof *u->rows, by_time);
    for (size_t i = 0; i < u->n_rows; i++)
        if (n == 0 || u->rows[n - 1] != u->rows[i]) u->rows[n++] = u->rows[i];
    u->n_rows = n;
}

void series_union_sort(struct series_union *u) {
    for (size_t i = 0; i < u->n_columns; i++)
        if (add_times(u, &u->columns[i].samples)) sort_rows(u);
}
