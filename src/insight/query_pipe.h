/*
 * Rows on their way through the stages, on one thread. A pipe holds for each stage what it has of it so far; a stage
 * whose groups are of one thing each hands them on when the thing ends, so that the next works on while the rest is
 * read. The first stage that is no such is where the pipes of several threads meet (query.c).
 */
#ifndef INSIGHT_QUERY_PIPE_H
#define INSIGHT_QUERY_PIPE_H

#include "insight/query_group.h"
#include "insight/query_plan.h"
#include "insight/query_table.h"
#include "os/thread.h"

struct pipe_rows;
struct zone;

#define QUERY_PIPE_LOOK (20 * NANOS_PER_MS) /* between two looks whether anybody still waits */

/* What all pipes of a question share. */
struct query_shared {
    const struct query_plan *plan;
    const struct zone *zone; /* NULL: UTC */
    Nanos from, to, horizon; /* horizon: to where a last value holds */
    size_t max_bytes;
    bool each;          /* the first stage's rows are one a thing */
    uint32_t min_group; /* of things, in the first stage; 0: any */
    Nanos deadline;     /* monotonic */
    const atomic_bool *cancel;
    bool (*gone)(void *ctx);
    void *gone_ctx;
    _Atomic Nanos look; /* monotonic: when `gone` is asked next */
    atomic_size_t bytes;
    atomic_bool stop;
    ThreadMutex guard; /* of err */
    Err err;
};
void query_pipe_fail(struct query_shared *shared, Err err); /* the first counts */
bool query_pipe_go_on(struct query_shared *shared);         /* limits and cancelling are looked at here */

/* Where the frames of the last stage of a pipe go. */
struct query_pipe_end {
    void (*take)(void *ctx, const struct query_frame *frame, uint32_t rank);
    void *ctx;
};
struct query_pipe {
    struct query_shared *shared;
    size_t first, last; /* stages */
    struct arena arena;
    struct query_eval *evals;    /* [n_stages] */
    struct query_group **groups; /* [n_stages]; NULL where a stage does not group */
    struct pipe_rows **rows;     /* [n_stages] */
    struct query_pipe_end end;
    bool hold;     /* the last stage's groups wait to be merged with those of other pipes */
    uint32_t rank; /* of the thing that is read */
    uint32_t thing;
};
struct query_pipe *query_pipe_new(struct query_shared *shared, size_t first, size_t last, bool hold,
                                  const struct query_pipe_end *end);
void query_pipe_free(struct query_pipe *pipe);
void query_pipe_push(struct query_pipe *pipe, size_t stage, const struct query_frame *frame);
/* What is behind a thing's last row: tracks end, groups of one thing go on. */
void query_pipe_end_thing(struct query_pipe *pipe);
/* What still waits goes on to the end. */
void query_pipe_finish(struct query_pipe *pipe);

#endif
