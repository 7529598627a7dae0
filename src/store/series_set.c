#include "store/series_set.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int by_place(const void *a, const void *b) {
    const struct series_run_info *x = series_run_info(*(struct series_run *const *)a);
    const struct series_run_info *y = series_run_info(*(struct series_run *const *)b);
    if (!x->level != !y->level) return x->level ? 1 : -1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    return x->last > y->last ? -1 : x->last < y->last;
}

struct series_set *series_set_new(struct series_run **runs, size_t n) {
    struct series_set *set = malloc(sizeof *set + n * sizeof set->runs[0]);
    ASSERT(set != NULL);
    atomic_init(&set->refs, 1);
    set->n = 0, set->n_all = n;
    if (n) memcpy(set->runs, runs, n * sizeof set->runs[0]);
    if (n > 1) qsort(set->runs, n, sizeof set->runs[0], by_place);
    while (set->n < n && series_run_info(set->runs[set->n])->level == 0) set->n++;
    return set;
}

void series_set_hold(struct series_set *set) { atomic_fetch_add(&set->refs, 1); }

void series_set_let_go(struct series_set *set) {
    if (!set || atomic_fetch_sub(&set->refs, 1) != 1) return;
    for (size_t i = 0; i < set->n_all; i++) series_run_unref(set->runs[i]);
    free(set);
}

/* The place of run i among the runs of its partition. */
static size_t depth_of(const struct series_set *set, size_t i) {
    size_t depth = 0;
    while (i > depth && series_run_info(set->runs[i - depth - 1])->from == series_run_info(set->runs[i])->from) depth++;
    return depth;
}

static bool overlaps(const struct series_run *run, Nanos from, Nanos to) {
    const struct series_run_info *info = series_run_info(run);
    return info->from < to && info->to > from;
}

struct series_source_lane *series_set_open_lanes(const struct series_set *set, struct compress *scratch, Nanos from,
                                                 Nanos to, size_t *n) {
    struct series_run **runs = malloc((set->n + 1) * sizeof *runs);
    ASSERT(runs != NULL);
    *n = 0;
    for (size_t i = 0; i < set->n; i++)
        if (overlaps(set->runs[i], from, to) && depth_of(set, i) >= *n) *n = depth_of(set, i) + 1;
    struct series_source_lane *lanes = calloc(*n + 1, sizeof *lanes);
    ASSERT(lanes != NULL);
    for (size_t lane = 0; lane < *n; lane++) {
        size_t count = 0;
        for (size_t i = 0; i < set->n; i++)
            if (overlaps(set->runs[i], from, to) && depth_of(set, i) == lane) runs[count++] = set->runs[i];
        series_source_lane_open(&lanes[lane], scratch, runs, count);
    }
    free(runs);
    return lanes;
}

void series_set_close_lanes(struct series_source_lane *lanes, size_t n) {
    for (size_t i = 0; i < n; i++) series_source_lane_close(&lanes[i]);
    free(lanes);
}
