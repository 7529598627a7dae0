/*
 * The groups of one stage, on one thread: rows come in, aggregates are kept, and frames of keys, window starts and
 * aggregates go out, in order of keys and windows.
 */
#ifndef INSIGHT_QUERY_GROUP_H
#define INSIGHT_QUERY_GROUP_H

#include "insight/query_plan.h"

struct query_group;
struct query_group_options {
    const struct query_plan_stage *stage;
    const struct query_plan_stage *before; /* NULL: the rows are what things reported */
    const struct zone *zone;
    Nanos from, to, horizon;
    uint32_t min_group;
    size_t max_bytes;
    atomic_size_t *bytes;
    bool each; /* every row is of another thing */
};
struct query_group *query_group_new(const struct query_group_options *options, struct query_eval *eval);
void query_group_free(struct query_group *g); /* NULL is fine */

/* Rows that `where` has passed. rank: of their thing. False: beyond the limit of memory. */
bool query_group_push(struct query_group *g, const struct query_frame *frame, uint32_t rank);
struct query_group_sum;
/* What is known of many samples of some columns without reading them: one moment's, in one window. */
struct query_group_known {
    const struct query_frame *frame; /* one row: thing and tags */
    Nanos at;
    const struct query_group_sum *sums; /* [of the incoming columns]; n 0: none */
    uint32_t rank;
};
struct query_group_sum {
    uint64_t n;
    double min, max, sum;
    Value first, last;
    Nanos last_time;
};
bool query_group_know(struct query_group *g, const struct query_group_known *known);
/* No more rows of this thing come. */
bool query_group_end_sequence(struct query_group *g);
bool query_group_merge(struct query_group *g, struct query_group *other);
/* Hands everything out; times: in order of windows rather than keys. Frames are borrowed. False: beyond a limit. */
bool query_group_give(struct query_group *g, bool by_time, void (*take)(void *ctx, const struct query_frame *frame),
                      void *ctx);
void query_group_clear(struct query_group *g); /* ready for the next thing; keeps its memory */
size_t query_group_count(const struct query_group *g);

#endif
