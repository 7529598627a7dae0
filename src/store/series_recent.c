/* Rows mostly arrive in time order, so a check comes before the sort. */
#include "store/series_recent.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/vec.h"

void series_recent_fini(struct series_recent *recent) {
    free(recent->rows);
    *recent = (struct series_recent){0};
}

void series_recent_clear(struct series_recent *recent) { recent->n = 0; }

void series_recent_add(struct series_recent *recent, const struct series_memory *memory, ThingId thing, Nanos from,
                       Nanos to) {
    size_t first = recent->n;
    for (const struct row_head *row = series_memory_newest(memory, thing); row; row = series_memory_older(row))
        if (row->time >= from && row->time < to) VEC_PUSH(recent->rows, recent->n, recent->cap, row);
    for (size_t i = first, k = recent->n; i + 1 < k; i++) { /* the chain starts with the newest */
        const struct row_head *swap = recent->rows[i];
        recent->rows[i] = recent->rows[--k];
        recent->rows[k] = swap;
    }
}

/* Stable, bottom up. */
static void merge_runs(const struct row_head **from, const struct row_head **to, size_t n, size_t width) {
    for (size_t at = 0; at < n; at += 2 * width) {
        size_t a = at, b = at + width < n ? at + width : n, a_end = b, end = at + 2 * width < n ? at + 2 * width : n;
        for (size_t i = at; i < end; i++)
            to[i] = a < a_end && (b == end || from[a]->time <= from[b]->time) ? from[a++] : from[b++];
    }
}

void series_recent_sort(struct series_recent *recent) {
    size_t n = recent->n, sorted = 1;
    while (sorted < n && recent->rows[sorted - 1]->time <= recent->rows[sorted]->time) sorted++;
    if (sorted >= n) return;
    const struct row_head **other = malloc(n * sizeof *other);
    ASSERT(other != NULL);
    for (size_t width = 1; width < n; width *= 2) {
        merge_runs(recent->rows, other, n, width);
        const struct row_head **swap = recent->rows;
        recent->rows = other, other = swap;
        recent->cap = n; /* of the fresh array */
    }
    free(other);
}

static bool find_value(const struct row_head *head, MetricId metric, struct row_value *v) {
    struct row row = rows_open(head);
    *v = (struct row_value){0};
    while (rows_next_value(&row, v))
        if (v->metric == metric) return true;
    return false;
}

void series_recent_metric(const struct series_recent *recent, MetricId metric, struct series_samples *out) {
    size_t first = out->n;
    for (size_t i = 0; i < recent->n; i++) {
        struct row_value v;
        const struct row_head *row = recent->rows[i];
        if (!find_value(row, metric, &v)) continue;
        if (out->n > first && out->times[out->n - 1] == row->time) out->n--;
        series_merge_put(out, row->time, v.value);
    }
}
