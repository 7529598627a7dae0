/*
 * A question, checked and taken apart: for each stage what is computed over its rows, what groups them, and what comes
 * out. Read only once made; lives in the arena of the run.
 *
 * A grouped stage computes `keys` and the aggregates' arguments over the incoming rows. What it makes stands in a frame
 * of its own: keys, the window's start, the aggregates, then what `select` makes of those, one after another. A stage
 * that does not group puts what it makes behind the incoming columns.
 */
#ifndef INSIGHT_QUERY_PLAN_H
#define INSIGHT_QUERY_PLAN_H

#include "insight/query_agg.h"
#include "insight/query_expr.h"

#define QUERY_PLAN_AGGS_MAX 64u

struct query_plan_agg {
    const struct query_agg *agg;
    struct query_node *arg; /* NULL: count(*) */
    double parameter;
    unsigned state; /* the aggregate whose state this one reads: itself, or an equal one before it */
    size_t offset;  /* of the state in a group's */
    bool no_limits; /* basic: nobody asks for min or max */
    enum query_kind kind;
};
struct query_plan_key {
    struct query_node *node;
    Str name;
    enum query_kind kind;
};
struct query_plan_order {
    unsigned column;
    bool down;
};
struct query_plan_stage {
    unsigned number; /* from 1, for failures */
    const struct query_column *in;
    size_t n_in;
    bool *used;               /* [n_in]: columns that are computed with */
    struct query_node *where; /* NULL: all */
    bool grouped, windowed, ordered_aggs;
    bool by_thing; /* every group is of one thing */
    struct query_window window;
    struct query_plan_key *keys; /* the first n_by are asked for, the rest is needed */
    size_t n_keys, n_by;
    struct query_plan_agg *aggs;
    size_t n_aggs, state_size;
    size_t n_made;              /* columns before those of select: in, or keys, window and aggregates */
    struct query_node **select; /* [n_select] */
    size_t n_select;
    struct query_node *having;
    enum query_fill fill;
    double fill_value;
    unsigned *out_from; /* [n_out]: which column of the frame */
    struct query_column *out;
    size_t n_out;
    struct query_plan_order *order;
    size_t n_order, limit;
    unsigned *limit_by;
    size_t n_limit_by;
    unsigned slots;
    int time_in, thing_in, time_out, thing_out; /* columns; -1: none */
};
struct query_plan {
    struct query_plan_stage *stages;
    size_t n_stages;
    struct query_node
        *things; /* of the first stage's `where`, what is the same for all rows of a thing; NULL: nothing */
};

/* The names of the first stage's rows. Column 0 is thing, 1 is time; what is found gets the next number. */
struct query_plan_source {
    bool (*find)(void *ctx, Str name, unsigned *column, enum query_kind *kind);
    Str (*suggest)(void *ctx, Str name);
    /* Every column there is, in order of names. */
    Err (*all)(void *ctx, struct arena *arena, Str **names, size_t *n);
    /* Columns found so far. */
    const struct query_column *(*columns)(void *ctx, size_t *n);
    bool (*is_tag)(void *ctx, unsigned column);
    void *ctx;
};
Err query_plan_make(const struct query *query, const struct query_plan_source *source, struct arena *arena,
                    struct query_plan *out);

#endif
