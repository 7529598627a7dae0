#include "store/series_partition.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define SPLIT_BYTES                                                                                                    \
    ((uint64_t)8 << 20) /* of rows in memory: with so many, a window is better cut into smaller ones                   \
                         */

static const Nanos sizes[SERIES_PARTITION_LEVELS] = {NANOS_PER_DAY, 8 * NANOS_PER_DAY, 64 * NANOS_PER_DAY,
                                                     512 * NANOS_PER_DAY};

void series_partition_fini(struct series_partitions *p) {
    free(p->items);
    *p = (struct series_partitions){0};
}

struct series_partition series_partition_window(Nanos t, unsigned level) {
    Nanos size = sizes[level], rest = t % size;
    struct series_partition out = {INT64_MIN, INT64_MAX};
    if (rest < 0) rest += size;
    if (t >= INT64_MIN + rest) out.from = t - rest;
    if (t <= INT64_MAX - (size - rest)) out.to = t + (size - rest);
    return out;
}

unsigned series_partition_level(const struct series_partition *p) {
    unsigned level = 0;
    while (level + 1 < SERIES_PARTITION_LEVELS && (uint64_t)p->to - (uint64_t)p->from > (uint64_t)sizes[level]) level++;
    return level;
}

/* ---- how much falls on each day */

struct day {
    Nanos from;
    uint64_t bytes;
};

struct days {
    struct day *items; /* ascending */
    size_t n, cap, last;
};

/* Where the day is, or would be. */
static size_t find_day(const struct days *d, Nanos from) {
    size_t low = 0, high = d->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (d->items[mid].from < from)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void count_row(struct days *d, const struct row_head *row) {
    Nanos from = series_partition_window(row->time, 0).from;
    if (d->last >= d->n || d->items[d->last].from != from) {
        size_t at = d->last = find_day(d, from);
        ASSERT(at == d->n || d->items);
        if (at == d->n || d->items[at].from != from) {
            VEC_PUSH(d->items, d->n, d->cap, (struct day){0});
            memmove(d->items + at + 1, d->items + at, (d->n - 1 - at) * sizeof *d->items);
            d->items[at] = (struct day){.from = from};
        }
    }
    d->items[d->last].bytes += row->size;
}

static void count_days(struct days *d, const struct series_memory *memory) {
    Nanos least, greatest;
    series_memory_times(memory, &least, &greatest);
    struct day day = {series_partition_window(least, 0).from, series_memory_bytes(memory)};
    if (day.from == series_partition_window(greatest, 0).from) { /* as always in live use */
        VEC_PUSH(d->items, d->n, d->cap, day);
        return;
    }
    size_t n;
    const ThingId *things = series_memory_things(memory, &n);
    for (size_t i = 0; i < n; i++)
        for (const struct row_head *row = series_memory_newest(memory, things[i]); row; row = series_memory_older(row))
            count_row(d, row);
}

/* ---- the plan */

struct plan {
    struct series_partitions *out;
    const struct series_manifest *manifest;
    Nanos today;
};

static void add(struct series_partitions *out, struct series_partition p) {
    for (size_t i = 0; i < out->n; i++)
        if (out->items[i].from == p.from) return;
    VEC_PUSH(out->items, out->n, out->cap, p);
}

/* The partition that there is already for this moment. */
static const struct series_run_info *existing(const struct plan *plan, Nanos t) {
    for (size_t i = 0; i < plan->manifest->n_runs; i++)
        if (plan->manifest->runs[i].from <= t && t < plan->manifest->runs[i].to &&
            plan->manifest->runs[i].level <= SERIES_KEEP_LEVELS)
            return &plan->manifest->runs[i];
    return NULL;
}

static bool is_free(const struct plan *plan, const struct series_partition *p) {
    for (size_t i = 0; i < plan->manifest->n_runs; i++)
        if (plan->manifest->runs[i].from < p->to && plan->manifest->runs[i].to > p->from &&
            plan->manifest->runs[i].level <= SERIES_KEEP_LEVELS)
            return false;
    return true;
}

/* Plans the days [at, n) that lie in the window of `level` that holds the first of them; returns how many those are. */
static size_t plan_window(const struct plan *plan, const struct day *days, size_t n, unsigned level) {
    struct series_partition window = series_partition_window(days[0].from, level);
    size_t count = 0;
    uint64_t bytes = 0;
    for (; count < n && days[count].from < window.to; count++) bytes += days[count].bytes;
    bool whole = bytes < SPLIT_BYTES && window.to <= plan->today && is_free(plan, &window);
    if (level == 0 || whole) {
        add(plan->out, window);
        return count;
    }
    for (size_t at = 0; at < count;) at += plan_window(plan, days + at, count - at, level - 1);
    return count;
}

static int by_from(const void *a, const void *b) {
    Nanos x = ((const struct series_partition *)a)->from, y = ((const struct series_partition *)b)->from;
    return x < y ? -1 : x > y;
}

void series_partition_plan(struct series_partitions *out, const struct series_manifest *manifest,
                           const struct series_memory *memory, Nanos now, unsigned widest) {
    struct plan plan = {out, manifest, series_partition_window(now, 0).from};
    struct days days = {0};
    size_t fresh = 0;
    count_days(&days, memory);
    for (size_t i = 0; i < days.n; i++) { /* days without a partition move to the front */
        const struct series_run_info *run = existing(&plan, days.items[i].from);
        if (run)
            add(out, (struct series_partition){run->from, run->to});
        else
            days.items[fresh++] = days.items[i];
    }
    for (size_t at = 0; at < fresh;) at += plan_window(&plan, days.items + at, fresh - at, widest);
    if (out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_from);
    free(days.items);
}
