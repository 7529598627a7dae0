/*
 * Where a merge gets its samples: the rows in memory, or a lane of runs. A lane holds at most one run of each
 * partition, so that its runs never overlap and follow one another in time; the newest runs of all partitions form the
 * first lane.
 *
 *     series_source_lane_open(&lane, scratch, runs, n);          // ascending by partition; references are the caller's
 *     series_source_lane_thing(&lane, party, thing, from, to);   // find its chunks
 *     series_source_lane_metric(&lane, metric, descending);      // lane.base is ready to be merged
 */
#ifndef STORE_SERIES_SOURCE_H
#define STORE_SERIES_SOURCE_H

#include "store/series_merge.h"
#include "store/series_recent.h"
#include "store/series_run.h"

struct series_source_memory {
    struct series_source base; /* first */
    struct series_samples samples;
};
void series_source_memory_metric(struct series_source_memory *memory, const struct series_recent *recent,
                                 MetricId metric, bool descending);
void series_source_memory_fini(struct series_source_memory *memory);

struct series_source_ref {
    struct series_run *run;
    struct series_run_entry entry;
    bool alone; /* no other chunk and no row in memory has a moment of the thing between its first and last */
};

struct series_source_lane {
    struct series_source base; /* first */
    struct compress *scratch;
    struct series_run_place *places; /* [n_runs] */
    size_t n_runs;
    struct series_source_ref *refs; /* the thing's chunks, ascending in time */
    size_t n_refs, cap_refs, next;
    struct series_run_entries found;
    struct series_run_chunk chunk;
    struct series_samples samples;
    PartyId party;
    ThingId thing;
    MetricId metric;
    Nanos from, to;
    bool descending;
    Nanos window; /* a chunk that is alone and lies in one such window gives its summary; 0: never */
    struct series_summary summary;
    Err failure;
};
void series_source_lane_open(struct series_source_lane *lane, struct compress *scratch, struct series_run *const *runs,
                             size_t n);
void series_source_lane_close(struct series_source_lane *lane);
void series_source_lane_thing(struct series_source_lane *lane, PartyId party, ThingId thing, Nanos from, Nanos to);
/* After the thing was found in all lanes: which chunks are alone. Memory: the thing's rows there, in order of time. */
void series_source_mark_alone(struct series_source_lane *lanes, size_t n, const struct series_recent *memory);
void series_source_lane_metric(struct series_source_lane *lane, MetricId metric, bool descending);
/* Reads the whole of each of the thing's chunks, so that what cannot be read is told whatever is asked of it. */
void series_source_lane_check(struct series_source_lane *lane);
/* The first run or chunk that could not be read; it was passed over, and the rest given all the same. */
Err series_source_lane_failure(const struct series_source_lane *lane);

#endif
