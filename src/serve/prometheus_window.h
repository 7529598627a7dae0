/* What PromQL computes over the samples of one window; see struct prometheus_window. Formulas are Prometheus's own. */
#ifndef SERVE_PROMETHEUS_WINDOW_H
#define SERVE_PROMETHEUS_WINDOW_H

#include "serve/prometheus_functions.h"

/* Of counters and gauges, extrapolated to the window's ends as Prometheus does; at least two samples. */
prometheus_window_fn prometheus_window_rate, prometheus_window_increase, prometheus_window_delta;
prometheus_window_fn prometheus_window_irate, prometheus_window_idelta;  /* of the last two samples */
prometheus_window_fn prometheus_window_deriv, prometheus_window_predict; /* least squares; per second */
prometheus_window_fn prometheus_window_changes, prometheus_window_resets;
prometheus_window_fn prometheus_window_avg, prometheus_window_min, prometheus_window_max, prometheus_window_sum,
    prometheus_window_count, prometheus_window_stddev, prometheus_window_stdvar, prometheus_window_present,
    prometheus_window_last, prometheus_window_quantile;
prometheus_window_fn prometheus_window_last_time; /* of the newest sample, in seconds */

/* Of n values, which it sorts. q below 0: -Inf, above 1: +Inf; linear between neighbours. */
double prometheus_window_quantile_of(double q, double *values, size_t n);

#endif
