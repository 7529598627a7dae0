/*
 * A thing's rows in memory, in time order; of one time, in the order they arrived. Borrowed from memories that the
 * caller holds.
 */
#ifndef STORE_SERIES_RECENT_H
#define STORE_SERIES_RECENT_H

#include "store/series_memory.h"
#include "store/series_merge.h"

struct series_recent {
    const struct row_head **rows;
    size_t n, cap;
};

void series_recent_fini(struct series_recent *recent);
void series_recent_clear(struct series_recent *recent);
/* Adds one memory's rows with from <= time < to. Call for the older memory first. */
void series_recent_add(struct series_recent *recent, const struct series_memory *memory, ThingId thing, Nanos from,
                       Nanos to);
void series_recent_sort(struct series_recent *recent);
/* One metric's samples, ascending; of one time the later arrival's. Appends; strings are borrowed from the rows. */
void series_recent_metric(const struct series_recent *recent, MetricId metric, struct series_samples *out);

#endif
