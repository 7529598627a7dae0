/*
 * One metric of one thing from several sources, as one stream in time order. Of samples with one time, the one from the
 * source that stands first counts; within a source times are different already.
 */
#ifndef STORE_SERIES_MERGE_H
#define STORE_SERIES_MERGE_H

#include "base/err.h"
#include "model/value.h"

/* Many samples by what a chunk's directory says of them: no other source has any between the first's time and the
 * last's. */
struct series_summary {
    uint64_t n;
    double min, max, sum;
    Value first, last;
};

struct series_samples {
    Nanos *times;
    Value *values;
    size_t n, cap;
    const struct series_summary *summary; /* else NULL; then n is 1, and times[0] the first one's */
};

void series_merge_put(struct series_samples *samples, Nanos time, Value value);
void series_merge_reserve(struct series_samples *samples, size_t extra);
void series_merge_fini(struct series_samples *samples);

/* Gives batch after batch, ascending, or descending when it was made so; n 0 at the end. Borrowed until the next. */
struct series_source {
    Err (*next)(struct series_source *self, struct series_samples *batch);
    struct series_samples batch; /* the merge's place in it: */
    size_t at;
    bool ended;
};

struct series_merge {
    struct series_source **sources; /* the one that counts first */
    size_t n;
    bool descending;
};

/* The next samples, in order, borrowed until the next call; n 0 at the end. */
struct series_slice {
    const Nanos *times;
    const Value *values;
    size_t n;
    const struct series_summary *summary;
};
Err series_merge_next(struct series_merge *merge, struct series_slice *out);

Nanos series_merge_window_start(Nanos time, Nanos window); /* the k·window at or before time */

#endif
