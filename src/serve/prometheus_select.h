/* Which series a selector means: things and metrics that the lens shows, with their labels. */
#ifndef SERVE_PROMETHEUS_SELECT_H
#define SERVE_PROMETHEUS_SELECT_H

#include "insight/view_samples.h"
#include "serve/prometheus_labels.h"

struct prometheus_select {
    struct view *view;
    const struct lens *lens;
    const struct prometheus_matcher *matchers;
    size_t n_matchers;
    Nanos since; /* 0: any; else only series that reported at or after it */
    bool sample; /* of each thing one series and of each metric one: enough to know all labels' names */
};
/* false: enough. labels and what they point to are borrowed for the call, but names and models stay. */
typedef bool prometheus_select_sink(void *ctx, size_t thing, size_t metric, const struct prometheus_labels *labels);

struct prometheus_selection {
    const struct view_samples_thing *things;
    size_t n_things;
    const struct view_samples_metric *metrics; /* those whose names fit */
    size_t n_metrics;
};
/* Things and metrics live in the arena. ERR_LIMIT when a regular expression gave up. */
Err prometheus_select_each(const struct prometheus_select *select, struct arena *arena,
                           struct prometheus_selection *selection, prometheus_select_sink *sink, void *ctx);

#endif
