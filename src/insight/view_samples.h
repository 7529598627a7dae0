/*
 * Numbers of many things at once, each series whole: for what computes over samples by itself, as PromQL does. The
 * caller's own party alone (ERR_FORBIDDEN under an agreement): what is given to others is given in windows. Booleans
 * count as 0 and 1, texts are left out. Blocks on the disk.
 */
#ifndef INSIGHT_VIEW_SAMPLES_H
#define INSIGHT_VIEW_SAMPLES_H

#include <stdatomic.h>

#include "insight/view.h"
#include "model/thing_model.h"

struct view_samples_metric {
    MetricId id;
    Str name;
};
/* Every name that anybody ever reported. Tell nobody of one before view_samples_latest has shown that a thing has it.
 */
void view_samples_metrics(struct view *view, struct arena *arena, struct view_samples_metric **out, size_t *n);

struct view_samples_thing {
    ThingId id;
    Str name, model; /* model empty: not on record */
};
/* name not empty: that one alone. wanted NULL: all. By id. */
Err view_samples_things(struct view *view, const struct lens *lens, Str name,
                        bool (*wanted)(void *ctx, Str name, Str model), void *ctx, struct arena *arena,
                        struct view_samples_thing **out, size_t *n);

/* The newest values, from memory: out[i * n_metrics + k], as series_batch_latest; texts too, copied to the arena. */
Err view_samples_latest(struct view *view, const struct lens *lens, const struct view_samples_thing *things,
                        size_t n_things, const MetricId *metrics, size_t n_metrics, struct arena *arena, Value *out,
                        Nanos *times);

/* What a model declares of a metric; NULL: nothing. */
const struct thing_metric *view_samples_declared(const struct view *view, Str model, Str metric);

#define VIEW_SAMPLES_METRICS_MAX 64u
struct view_samples_ask {
    const struct view_samples_thing *things; /* by id, as view_samples_things gives them */
    size_t n_things;
    const MetricId *metrics; /* at most VIEW_SAMPLES_METRICS_MAX */
    size_t n_metrics;
    Nanos from, to;            /* from <= t < to */
    size_t bytes;              /* of samples held at once; past it ERR_LIMIT */
    unsigned workers;          /* 0: one */
    const atomic_bool *cancel; /* NULL: never */
};
/* One whole series, in order of time; n at least 1. Called by several threads at once when there are several workers.
 * False: enough. */
typedef bool view_samples_sink(void *ctx, size_t thing, size_t metric, const Nanos *times, const double *values,
                               size_t n);
Err view_samples_scan(struct view *view, const struct lens *lens, const struct view_samples_ask *ask,
                      view_samples_sink *sink, void *ctx);

#endif
