/*
 * Reading many rows as columns: for whoever computes over them. Rows of one thing come as batches in order of time,
 * each with the metrics that were asked for side by side, as plain arrays. What is on the disk, in memory and being
 * written out is merged already, so that a moment is given once and its newest value counts.
 *
 *     struct series_ask ask = {.things = things, .n_things = n, .metrics = metrics, .n_metrics = 2, .from = a, .to =
 * b}; TRY(series_batch_scan(series, lens, &ask, sink, ctx));
 */
#ifndef STORE_SERIES_BATCH_H
#define STORE_SERIES_BATCH_H

#include <stdatomic.h>

#include "store/series.h"

#define SERIES_ASK_METRICS_MAX 64u
#define SERIES_ASK_WORKERS_MAX 16u

/* Many samples by what is known of them without reading them. */
struct series_batch_summary {
    uint64_t n; /* 0: the thing has none of the metric there */
    double min, max, sum;
    Value first, last;
    Nanos last_time;
};

struct series_batch_column {
    bool numbers_only;       /* `numbers` holds all of it; else `values` does */
    uint8_t kind;            /* of numbers: VALUE_INT (all whole, below 2^53), VALUE_FLOAT, VALUE_BOOL (0 and 1) */
    const double *numbers;   /* [n]; anything where absent */
    const Value *values;     /* [n]; VALUE_NONE where absent; strings borrowed */
    const uint64_t *present; /* of numbers: bit i of word i/64; NULL: every row has it */
    size_t n_present;        /* 0: no row of the batch has it; the arrays may then be NULL */
};

struct series_batch {
    PartyId party;
    ThingId thing;
    unsigned worker;                              /* whose call it is: 0 .. workers - 1 */
    size_t n;                                     /* rows, at least 1 */
    const Nanos *times;                           /* [n], ascending */
    const struct series_batch_column *columns;    /* [n_metrics], as asked; unless: */
    const struct series_batch_summary *summaries; /* [n_metrics]: n is 1, times[0] the first moment, no columns */
};
/* Everything is borrowed until it returns. False: enough, of every worker. With several workers it is called by several
 * threads at once; all batches of one thing come from one of them, one after another. */
typedef bool series_batch_sink(void *ctx, const struct series_batch *batch);

struct series_ask {
    const ThingId *things; /* in the order wanted; NULL: every thing the lens shows */
    size_t n_things;
    const MetricId *metrics;   /* none twice */
    size_t n_metrics;          /* at most SERIES_ASK_METRICS_MAX; 0: moments alone */
    Nanos from, to;            /* from <= t < to; to 0: no end */
    Nanos window, origin;      /* window not 0: stretches inside one [origin + k·window, …) may come as summaries */
    unsigned workers;          /* threads; 0: one, the caller's */
    const atomic_bool *cancel; /* set from elsewhere: ends with ERR_CANCELLED; NULL: never */
};
/* ERR_FORBIDDEN when the lens shows no single samples and the window is no multiple of its resolution; ERR_CORRUPT
 * after giving all that can still be read. Blocks on the disk. */
Err series_batch_scan(struct series *series, const struct lens *lens, const struct series_ask *ask,
                      series_batch_sink *sink, void *ctx);

/* The newest value of each of `metrics` for each of the things, from memory: out[i * n_metrics + k], kind VALUE_NONE
 * where there is none; times likewise. Strings are copied to the arena. Things that the lens hides have none. */
Err series_batch_latest(struct series *series, const struct lens *lens, const ThingId *things, size_t n_things,
                        const MetricId *metrics, size_t n_metrics, struct arena *arena, Value *out, Nanos *times);

#endif
