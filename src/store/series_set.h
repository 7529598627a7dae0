/*
 * The runs there are at one moment. A set never changes; who holds it may read all its runs, whatever happens to the
 * store meanwhile.
 */
#ifndef STORE_SERIES_SET_H
#define STORE_SERIES_SET_H

#include "store/series_run.h"
#include "store/series_source.h"

struct series_set {
    _Atomic unsigned refs;
    size_t n, n_all;
    struct series_run *runs[]; /* [n] with rows, by partition, then the newest first; behind them, up to n_all, those of
                                  other levels */
};

/* Takes over the references given; the array stays the caller's. One reference to the set. */
struct series_set *series_set_new(struct series_run **runs, size_t n);
void series_set_hold(struct series_set *set);
void series_set_let_go(struct series_set *set); /* NULL is fine */

/* Lanes over the runs that overlap [from, to): lane 0 holds each partition's newest. Free with series_set_close_lanes.
 */
struct series_source_lane *series_set_open_lanes(const struct series_set *set, struct compress *scratch, Nanos from,
                                                 Nanos to, size_t *n);
void series_set_close_lanes(struct series_source_lane *lanes, size_t n);

#endif
