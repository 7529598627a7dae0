#include "store/series_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"

#define FIRST_INDEX 64

enum series_family series_table_family(enum value_kind kind) {
    return kind == VALUE_STRING ? SERIES_STRINGS : kind == VALUE_BOOL ? SERIES_BOOLS : SERIES_NUMBERS;
}

void series_table_fini(struct series_table *t) {
    for (size_t i = 0; i < t->cap_columns; i++) {
        free(t->columns[i].rows);
        free(t->columns[i].values);
    }
    free(t->columns);
    free(t->parts);
    free(t->times);
    free(t->index);
    *t = (struct series_table){0};
}

void series_table_clear(struct series_table *t) {
    t->n_parts = t->n_rows = t->n_values = t->n_columns = t->guess = 0;
    if (t->index_size) memset(t->index, 0, t->index_size * sizeof *t->index);
}

void series_table_part(struct series_table *t, PartyId party, ThingId thing, Nanos stamped) {
    VEC_PUSH(t->parts, t->n_parts, t->cap_parts, ((struct series_part){party, thing, 0, stamped}));
}

void series_table_row(struct series_table *t, Nanos time) {
    struct series_part *part = &t->parts[t->n_parts - 1];
    if (part->rows && t->times[t->n_rows - 1] == time) return;
    ASSERT(part->rows == 0 || t->times[t->n_rows - 1] < time);
    VEC_PUSH(t->times, t->n_rows, t->cap_rows, time);
    part->rows++;
    t->guess = 0;
}

/* ---- columns: the next one is mostly the one behind the last */

static bool is_column(const struct series_column *c, MetricId metric, enum series_family family) {
    return c->metric == metric && c->family == family;
}

static size_t slot_of(const struct series_table *t, MetricId metric, enum series_family family) {
    size_t mask = t->index_size - 1, i = (size_t)(metric * UINT32_C(2654435761) >> 7) + family;
    for (i &= mask; t->index[i] && !is_column(&t->columns[t->index[i] - 1], metric, family); i = (i + 1) & mask) {
    }
    return i;
}

static void grow_index(struct series_table *t) {
    free(t->index);
    t->index_size = t->index_size ? t->index_size * 2 : FIRST_INDEX;
    t->index = calloc(t->index_size, sizeof *t->index);
    ASSERT(t->index != NULL);
    for (size_t i = 0; i < t->n_columns; i++)
        t->index[slot_of(t, t->columns[i].metric, t->columns[i].family)] = (uint32_t)i + 1;
}

static void grow_columns(struct series_table *t) {
    size_t old = t->cap_columns;
    t->columns = vec_grow(t->columns, &t->cap_columns, old + 1, sizeof *t->columns);
    memset(t->columns + old, 0, (t->cap_columns - old) * sizeof *t->columns);
}

static struct series_column *find_column(struct series_table *t, MetricId metric, enum series_family family) {
    if (t->guess < t->n_columns && is_column(&t->columns[t->guess], metric, family)) return &t->columns[t->guess++];
    if (t->n_columns * 2 >= t->index_size) grow_index(t);
    size_t slot = slot_of(t, metric, family);
    if (!t->index[slot]) {
        if (t->n_columns == t->cap_columns) grow_columns(t);
        struct series_column *c = &t->columns[t->n_columns++];
        c->metric = metric, c->family = family, c->n = 0;
        t->index[slot] = (uint32_t)t->n_columns;
    }
    t->guess = t->index[slot];
    return &t->columns[t->index[slot] - 1];
}

static void grow_column(struct series_column *c) {
    size_t cap = c->cap;
    c->rows = vec_grow(c->rows, &cap, c->cap + 1, sizeof *c->rows);
    c->values = realloc(c->values, cap * sizeof *c->values);
    ASSERT(c->values != NULL);
    c->cap = cap;
}

void series_table_value(struct series_table *t, MetricId metric, Value value) {
    struct series_column *c = find_column(t, metric, series_table_family(value.kind));
    uint32_t row = (uint32_t)t->n_rows - 1;
    if (c->n && c->rows[c->n - 1] == row) { /* the same moment again */
        c->values[c->n - 1] = value;
        return;
    }
    if (c->n == c->cap) grow_column(c);
    c->rows[c->n] = row;
    c->values[c->n++] = value;
    t->n_values++;
}

void series_table_rows(struct series_table *t, const Nanos *times, size_t n) {
    size_t cap = t->cap_rows;
    if (cap < t->n_rows + n) t->times = vec_grow(t->times, &t->cap_rows, t->n_rows + n, sizeof *t->times);
    memcpy(t->times + t->n_rows, times, n * sizeof *times);
    t->n_rows += n;
    t->parts[t->n_parts - 1].rows += (uint32_t)n;
    t->guess = 0;
}

static size_t same_family(const Value *values, size_t n) {
    enum series_family family = series_table_family(values[0].kind);
    size_t same = 1;
    while (same < n && series_table_family(values[same].kind) == family) same++;
    return same;
}

void series_table_samples(struct series_table *t, size_t first, MetricId metric, const Nanos *times,
                          const Value *values, size_t n) {
    for (size_t row = first; n > 0;) {
        size_t same = same_family(values, n);
        struct series_column *c = find_column(t, metric, series_table_family(values[0].kind));
        while (c->cap < c->n + same) grow_column(c);
        for (size_t i = 0; i < same; i++, row++) {
            while (t->times[row] != times[i]) row++;
            c->rows[c->n + i] = (uint32_t)row;
        }
        memcpy(c->values + c->n, values, same * sizeof *values);
        c->n += same, t->n_values += same;
        times += same, values += same, n -= same;
    }
}

static int by_metric(const void *a, const void *b) {
    const struct series_column *x = a, *y = b;
    if (x->metric != y->metric) return x->metric < y->metric ? -1 : 1;
    return (int)x->family - (int)y->family;
}

void series_table_sort(struct series_table *t) {
    if (t->n_columns > 1) qsort(t->columns, t->n_columns, sizeof *t->columns, by_metric);
}
