/*
 * What a backend of the series store does. The names, kinds, latest values, stamps, dead letters and the group
 * committer belong to this node and stand in front of every backend; a backend keeps rows and gives them back.
 * A new backend is one file and one line in series_backends.c, and passes tests/lib/store_series_suite.c.
 */
#ifndef STORE_SERIES_OPS_H
#define STORE_SERIES_OPS_H

#include "store/rows_form.h"
#include "store/series.h"
#include "store/series_batch.h"
#include "store/series_live.h"
#include "store/series_names.h"

struct series_engine; /* each backend's own */

/* Filled from what the backend keeps, before open returns. */
struct series_front {
    struct series_names *names;
    struct series_live *live;
};

/* Commits that become durable together, linked by `next`, and the names that were new since the last group. */
struct series_group {
    struct series_commit *commits;
    Str names; /* stored form of series_names.h */
};

/* A read after the lens: what may be seen has been decided. */
struct series_scan {
    PartyId party;
    bool every_party;
    ThingId thing;       /* 0: every thing of the party */
    MetricId metric;     /* 0: every metric */
    Nanos from, to;      /* from <= t < to */
    Nanos window;        /* 0: raw */
    bool newest_first;   /* raw, one thing, one metric */
    bool samples_hidden; /* windows without first and last */
    size_t limit;        /* SIZE_MAX: none */
};

/* A reading of batches after the lens: the ask's from and to are what may be seen of them. */
struct series_asked {
    PartyId party;
    bool every_party;
    struct series_ask ask;
};

struct series_ops {
    const char *name;
    /* Opens or creates; loads names and latest values into the front. May block; ERR_IO, ERR_CORRUPT. */
    Err (*open)(const struct series_options *options, const struct series_front *front, struct series_engine **out);
    /* Ends its threads. What append said is durable stays so; what it did not may be lost. */
    void (*close)(struct series_engine *engine);
    /*
     * Makes a group's names and rows durable, then visible to reads. The committer's thread; blocks on the disk and
     * while memory is full. A failure: nothing of the group counts as kept. After a failed sync every call fails.
     */
    Err (*append)(struct series_engine *engine, const struct series_group *group);
    /* Gives points ordered by thing, metric, time. Any thread; blocks on the disk. ERR_CORRUPT after giving all that
     * can still be read. */
    Err (*read)(struct series_engine *engine, const struct series_scan *scan, series_sink *sink, void *ctx);
    /* Gives batches as store/series_batch.h has it. Any thread; starts as many more as asked for; blocks on the disk.
     */
    Err (*batch)(struct series_engine *engine, const struct series_asked *asked, series_batch_sink *sink, void *ctx);
    /* Moves what is in memory to its final place, and waits for that. Any thread but the committer's. */
    Err (*flush)(struct series_engine *engine);
    /* Flushes, and rewrites everything in its smallest form, however much that is; waits for it. Any thread but the
     * committer's; ERR_CLOSED when the store is being closed. */
    Err (*compact)(struct series_engine *engine);
    /* What there is and when it goes, in the arena. Any thread. */
    Err (*kept)(struct series_engine *engine, struct arena *arena, struct series_kept **out, size_t *n);
    /* Adds its numbers. Any thread. */
    void (*stats)(struct series_engine *engine, struct series_stats *out);
};

/* What a store consists of, for series_batch.c. */
struct series_inside {
    const struct series_ops *ops;
    struct series_engine *engine;
    struct series_front front;
};
struct series_inside series_inside(const struct series *series);

extern const struct series_ops *const series_backends[]; /* the first is the default; ends with NULL */

#endif
