/*
 * Joining: the times of all parts become one ascending list by merging them in pairs, then each part's values are
 * written to their places, the parts that count least first, so that what counts more overwrites.
 */
#include "store/series_batch_part.h"

#include <string.h>

#include "base/err.h"

#define EXACT (INT64_C(1) << 53)

/* What kinds of values a column has seen, to say how it is given. */
struct seen {
    bool bools, ints, floats, others; /* others: not exact as doubles */
};

static void see(struct seen *seen, Value v) {
    switch (v.kind) {
    case VALUE_BOOL: seen->bools = true; break;
    case VALUE_FLOAT: seen->floats = true; break;
    case VALUE_INT:
        seen->ints = true;
        seen->others |= v.i >= EXACT || v.i <= -EXACT;
        break;
    default: seen->others = true; break;
    }
}

static bool all_numbers(const struct seen *s) { return !s->others && !(s->bools && (s->ints || s->floats)); }
static uint8_t kind_of(const struct seen *s) { return s->bools ? VALUE_BOOL : s->floats ? VALUE_FLOAT : VALUE_INT; }

static void finish_column(struct series_batch_column *c, const struct seen *seen, uint64_t *present, size_t n) {
    c->n_present = series_batch_count(present, n);
    c->numbers_only = c->values == NULL;
    c->kind = c->numbers_only ? kind_of(seen) : 0;
    c->present = c->n_present == n ? NULL : present;
}

/* ---- memory */

void series_batch_part_index(struct series_batch_index *index, const MetricId *metrics, size_t n) {
    *index = (struct series_batch_index){.metrics = metrics, .n = n};
    for (size_t k = n; k-- > 0;) index->guess[metrics[k] & 255] = (uint8_t)(k + 1);
}

static size_t place_of(const struct series_batch_index *index, MetricId metric) {
    size_t guess = index->guess[metric & 255];
    if (guess == 0) return index->n;
    if (index->metrics[guess - 1] == metric) return guess - 1;
    for (size_t k = guess; k < index->n; k++)
        if (index->metrics[k] == metric) return k;
    return index->n;
}

/* What of memory is being made a part of. */
struct laying {
    Nanos *times;
    double *numbers[SERIES_ASK_METRICS_MAX];
    Value *values[SERIES_ASK_METRICS_MAX]; /* of the columns that need them; else NULL */
    uint64_t *present[SERIES_ASK_METRICS_MAX];
    struct seen seen[SERIES_ASK_METRICS_MAX];
    size_t n;
};

static bool lay_values(struct laying *l, const struct series_batch_index *index, const struct row_head *head,
                       size_t at) {
    struct row row = rows_open(head);
    bool any = false;
    for (struct row_value v = {0}; rows_next_value(&row, &v);) {
        size_t k = place_of(index, v.metric);
        if (k == index->n) continue;
        any = true;
        see(&l->seen[k], v.value);
        l->numbers[k][at] = value_as_num(v.value);
        if (l->values[k]) l->values[k][at] = v.value;
        series_batch_set(l->present[k], at);
    }
    return any;
}

static void lay_rows(struct laying *l, const struct series_batch_index *index, const struct row_head *const *rows,
                     size_t n) {
    l->n = 0;
    for (size_t i = 0; i < n; i++) {
        bool same = l->n > 0 && l->times[l->n - 1] == rows[i]->time;
        size_t at = same ? l->n - 1 : l->n;
        bool any = lay_values(l, index, rows[i], at);
        if (same || !(any || index->n == 0)) continue;
        l->times[at] = rows[i]->time;
        l->n++;
    }
}

void series_batch_part_memory(struct series_batch_part *part, const struct series_batch_index *index,
                              const struct row_head *const *rows, size_t n, struct arena *arena) {
    struct laying l = {.times = arena_alloc(arena, n * sizeof *l.times)};
    bool again = false;
    for (size_t k = 0; k < index->n; k++) {
        l.numbers[k] = arena_alloc(arena, n * sizeof(double));
        l.present[k] = arena_zero(arena, series_batch_words(n), sizeof(uint64_t));
    }
    lay_rows(&l, index, rows, n);
    for (size_t k = 0; k < index->n; k++) {
        if (all_numbers(&l.seen[k])) continue;
        l.values[k] = arena_zero(arena, n, sizeof(Value));
        again = true;
    }
    if (again) lay_rows(&l, index, rows, n);
    part->n = l.n, part->times = l.times;
    for (size_t k = 0; k < index->n; k++) {
        part->columns[k] = (struct series_batch_column){.numbers = l.numbers[k], .values = l.values[k]};
        finish_column(&part->columns[k], &l.seen[k], l.present[k], l.n);
    }
}

/* ---- joining */

struct stretch {
    size_t from, n;
};

/* Merges two ascending lists, of equal times one; returns how many come out. */
static size_t merge_times(const Nanos *a, size_t n_a, const Nanos *b, size_t n_b, Nanos *out) {
    size_t i = 0, k = 0, n = 0;
    while (i < n_a && k < n_b) {
        Nanos x = a[i], y = b[k];
        out[n++] = x < y ? x : y;
        i += x <= y, k += y <= x;
    }
    memcpy(out + n, a + i, (n_a - i) * sizeof *out);
    n += n_a - i;
    memcpy(out + n, b + k, (n_b - k) * sizeof *out);
    return n + n_b - k;
}

/* Each pass halves the number of lists. */
static size_t merge_pass(struct stretch *lists, size_t n, const Nanos *from, Nanos *to) {
    size_t made = 0, at = 0;
    for (size_t i = 0; i < n; i += 2) {
        struct stretch a = lists[i], b = i + 1 < n ? lists[i + 1] : (struct stretch){0, 0};
        lists[made] = (struct stretch){at, merge_times(from + a.from, a.n, from + b.from, b.n, to + at)};
        at += lists[made++].n;
    }
    return made;
}

static const Nanos *join_times(const struct series_batch_part *const *parts, size_t n_parts, struct arena *arena,
                               size_t *n) {
    size_t total = 0, left = n_parts;
    for (size_t i = 0; i < n_parts; i++) total += parts[i]->n;
    Nanos *from = arena_alloc(arena, total * sizeof *from), *to = arena_alloc(arena, total * sizeof *to);
    struct stretch *lists = arena_alloc(arena, n_parts * sizeof *lists);
    for (size_t i = 0, at = 0; i < n_parts; at += parts[i++]->n) {
        lists[i] = (struct stretch){at, parts[i]->n};
        if (parts[i]->n) memcpy(from + at, parts[i]->times, parts[i]->n * sizeof *from);
    }
    while (left > 1) {
        left = merge_pass(lists, left, from, to);
        Nanos *swap = from;
        from = to, to = swap;
    }
    *n = lists[0].n;
    return from;
}

/* Where each of a part's rows stands among all; every one of its times is there. */
static uint32_t *places_of(const struct series_batch_part *part, const Nanos *times, size_t n, struct arena *arena) {
    uint32_t *places = arena_alloc(arena, part->n * sizeof *places);
    size_t low = 0, high = n;
    while (part->n && low < high) {
        size_t mid = low + (high - low) / 2;
        if (times[mid] < part->times[0])
            low = mid + 1;
        else
            high = mid;
    }
    for (size_t i = 0, at = low; i < part->n; i++, at++) {
        while (times[at] != part->times[i]) at++;
        places[i] = (uint32_t)at;
    }
    return places;
}

static bool has(const struct series_batch_column *c, size_t i) {
    return !c->present || series_batch_bit(c->present, i);
}

static Value value_at(const struct series_batch_column *c, size_t i) {
    if (!c->numbers_only) return c->values[i];
    if (c->kind == VALUE_BOOL) return VALUE_B(c->numbers[i] != 0);
    return c->kind == VALUE_INT ? VALUE_I((int64_t)c->numbers[i]) : VALUE_F(c->numbers[i]);
}

static void see_column(struct seen *seen, const struct series_batch_column *c) {
    if (c->n_present == 0) return;
    seen->others |= !c->numbers_only;
    seen->bools |= c->kind == VALUE_BOOL;
    seen->ints |= c->kind == VALUE_INT;
    seen->floats |= c->kind == VALUE_FLOAT;
}

static void put_column(const struct series_batch_column *c, size_t n, const uint32_t *places, double *numbers,
                       Value *values, uint64_t *present) {
    if (c->n_present == 0) return;
    for (size_t i = 0; i < n; i++) {
        if (!has(c, i)) continue;
        series_batch_set(present, places[i]);
        ASSERT(numbers || values);
        if (numbers)
            numbers[places[i]] = c->numbers[i];
        else
            values[places[i]] = value_at(c, i);
    }
}

static void join_column(struct series_batch_column *out, const struct series_batch_part *const *parts,
                        uint32_t *const *places, size_t n_parts, size_t k, size_t n, struct arena *arena) {
    struct seen seen = {0};
    for (size_t i = 0; i < n_parts; i++) see_column(&seen, &parts[i]->columns[k]);
    bool plain = all_numbers(&seen);
    double *numbers = plain ? arena_alloc(arena, n * sizeof *numbers) : NULL;
    Value *values = plain ? NULL : arena_zero(arena, n, sizeof *values);
    uint64_t *present = arena_zero(arena, series_batch_words(n), sizeof *present);
    for (size_t i = n_parts; i-- > 0;)
        put_column(&parts[i]->columns[k], parts[i]->n, places[i], numbers, values, present);
    *out = (struct series_batch_column){.numbers = numbers, .values = values};
    finish_column(out, &seen, present, n);
}

void series_batch_part_join(struct series_batch_part *out, const struct series_batch_part *const *parts, size_t n_parts,
                            size_t n_metrics, struct arena *arena) {
    uint32_t **places = arena_alloc(arena, n_parts * sizeof *places);
    out->times = join_times(parts, n_parts, arena, &out->n);
    ASSERT(out->n <= UINT32_MAX);
    for (size_t i = 0; i < n_parts; i++) places[i] = places_of(parts[i], out->times, out->n, arena);
    for (size_t k = 0; k < n_metrics; k++) join_column(&out->columns[k], parts, places, n_parts, k, out->n, arena);
}

/* ---- cutting */

void series_batch_part_stretch(struct series_batch_part *out, const struct series_batch_part *part, size_t n_metrics,
                               size_t from, size_t n) {
    out->n = n, out->times = part->times + from;
    for (size_t k = 0; k < n_metrics; k++) {
        struct series_batch_column c = part->columns[k];
        if (c.n_present) {
            c.numbers = c.numbers ? c.numbers + from : NULL;
            c.values = c.values ? c.values + from : NULL;
            c.present = c.present ? c.present + from / 64 : NULL;
            c.n_present = c.present ? series_batch_count(c.present, n) : n;
        }
        out->columns[k] = c;
    }
}
