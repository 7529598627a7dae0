/*
 * Aggregates: many values become one. A row of the table each; how each works stands in query_agg.c, and of those that
 * look at the order of time in query_agg_time.c.
 */
#ifndef INSIGHT_QUERY_AGG_H
#define INSIGHT_QUERY_AGG_H

#include "insight/query_vec.h"

struct query_node;

enum {
    QUERY_AGG_BASIC = 1,  /* from n, sum, min, max: one state serves all of one argument */
    QUERY_AGG_ANY = 2,    /* takes values of every kind, not numbers alone */
    QUERY_AGG_ORDER = 4,  /* looks at the order of time, across windows */
    QUERY_AGG_ENDS = 8,   /* first and last: summaries tell them */
    QUERY_AGG_KEEPS = 16, /* what comes out is of the argument's kind */
    QUERY_AGG_WHEN = 32,  /* a time comes out */
    QUERY_AGG_TRUTH = 64, /* its argument is a condition */
};

/* What a state may use beyond its bytes. */
struct query_agg_room {
    struct arena *arena;
    atomic_size_t *bytes; /* of the whole query, counted on */
};

/* A stretch of consecutive rows of one group. */
struct query_agg_run {
    const struct query_vec *values; /* numbers unless QUERY_AGG_ANY; NULL: no argument */
    const Nanos *times;             /* NULL: rows without time */
    uint32_t rank;                  /* whose rows: settles which of two at one time is first */
    size_t from, to;
    double parameter;
    bool no_limits; /* basic: neither min nor max is asked for */
    struct query_agg_room *room;
};

struct query_agg {
    const char *name;
    unsigned least, most; /* arguments */
    unsigned flags;
    size_t size; /* of a state, zeroed at first */
    void (*add)(void *state, const struct query_agg_run *run);
    void (*merge)(void *state, const void *other, struct query_agg_room *room);
    Value (*finish)(const void *state, double parameter);
    void (*drop)(void *state, struct query_agg_room *room); /* NULL: nothing to free */
    const struct query_agg_order *order;                    /* of QUERY_AGG_ORDER */
};
extern const struct query_agg query_agg_table[]; /* ends with name NULL */
const struct query_agg *query_agg_find(Str name);

/* ---- basic: public, since summaries and whole chunks are added to it */
struct query_agg_basic {
    uint64_t n;
    double sum, rest, min, max; /* the sum is sum + rest, exact to twice a double's digits: its order does not show */
};
void query_agg_basic_add(struct query_agg_basic *b, uint64_t n, double min, double max, double sum);

struct query_agg_end {
    Nanos at;
    uint32_t rank;
    Value value;
};
/* first: the earlier of the two counts; else the later. */
void query_agg_end_add(struct query_agg_end *e, bool first, Nanos at, uint32_t rank, Value value,
                       struct query_agg_room *room);
bool query_agg_is_first(const struct query_agg *agg);

/* ---- the order of time */

/* Where a thing's values stood last. Zero at its beginning. */
struct query_agg_track {
    bool has;
    Nanos at, began; /* began: of a stretch that holds */
    double value, total;
};
struct query_agg_order {
    bool steps; /* a value holds until the next; else it goes straight from one to the next */
    /* What lies between two moments of one window: the values at its ends. */
    void (*piece)(void *state, Nanos from, Nanos to, double a, double b);
    /* A value arrives, in the window of `state`. May name another moment whose window is told by late(). NULL: none. */
    void (*arrive)(void *state, const struct query_agg_track *before, Nanos at, double value);
    /* A stretch of truth ended: told to the window in which it began. NULL: not of interest. */
    void (*stretch)(void *state, Nanos from, Nanos to);
    bool counter; /* pieces are of the counter's total since the beginning, over its resets */
};

#endif
