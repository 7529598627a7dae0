/* Series read from the store, and what is computed over their windows while they are read. */
#ifndef SERVE_PROMETHEUS_RANGE_H
#define SERVE_PROMETHEUS_RANGE_H

#include "serve/prometheus_eval.h"
#include "serve/prometheus_functions.h"

/* A selector without a range: `window` over the lookback. */
Err prometheus_range_instant(struct prometheus_eval *eval, const struct prometheus_node *selector,
                             prometheus_window_fn *window, struct prometheus_value *out);
/* A function over a range: node->function->window. */
Err prometheus_range_call(struct prometheus_eval *eval, const struct prometheus_node *node,
                          struct prometheus_value *out);
/* `window` over a range, without arguments besides. */
Err prometheus_range_over(struct prometheus_eval *eval, const struct prometheus_node *range,
                          prometheus_window_fn *window, const double *params, struct prometheus_value *out);

/* A range by itself: the samples, at the one time of the query. */
struct prometheus_samples {
    struct prometheus_labels labels;
    const Nanos *times;
    const double *values;
    size_t n;
};
Err prometheus_range_samples(struct prometheus_eval *eval, const struct prometheus_node *range,
                             struct prometheus_samples **out, size_t *n);

#endif
