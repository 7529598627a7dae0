/*
 * One metric of one thing from several sources, as one stream in time order. Of samples with one time, the one from the
 * source that stands first counts; within a source times are different already.
 */
#ifndef STORE_SERIES_MERGE_H
#define STORE_SERIES_MERGE_H

#include "base/err.h"
#include "model/value.h"

struct series_samples {
    Nanos *times;
    Value *values;
    size_t n, cap;
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

/* The next samples, in order: *n of them at *times and *values, borrowed until the next call; *n 0 at the end. */
Err series_merge_next(struct series_merge *merge, const Nanos **times, const Value **values, size_t *n);

#endif
