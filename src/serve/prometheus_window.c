#include "serve/prometheus_window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double seconds(Nanos span) { return (double)span / (double)NANOS_PER_S; }

/* ---- rate and its relatives */

/* A counter that starts again counts from zero. */
static double gained(const struct prometheus_window *w, bool counter) {
    double sum = w->values[w->n - 1] - w->values[0];
    for (size_t i = 1; counter && i < w->n; i++)
        if (w->values[i] < w->values[i - 1]) sum += w->values[i - 1];
    return sum;
}

/*
 * What was gained between the first and the last sample, stretched to the window's ends: all the way when an end is
 * nearer than 1.1 times the usual gap, else by half a gap; a counter never to before it would have been zero.
 * https://github.com/prometheus/prometheus/blob/main/promql/functions.go, extrapolatedRate
 */
static bool extrapolated(const struct prometheus_window *w, bool counter, bool per_second, double *out) {
    if (w->n < 2) return false;
    double result = gained(w, counter);
    double sampled = seconds(w->times[w->n - 1] - w->times[0]), gap = sampled / (double)(w->n - 1);
    double to_start = seconds(w->times[0] - w->start), to_end = seconds(w->end - w->times[w->n - 1]);
    if (to_start >= gap * 1.1) to_start = gap / 2;
    if (counter && result > 0 && w->values[0] >= 0) {
        double to_zero = sampled * (w->values[0] / result);
        if (to_zero < to_start) to_start = to_zero;
    }
    if (to_end >= gap * 1.1) to_end = gap / 2;
    *out = result * ((sampled + to_start + to_end) / sampled);
    if (per_second) *out /= seconds(w->end - w->start);
    return true;
}

bool prometheus_window_rate(const struct prometheus_window *w, double *out) { return extrapolated(w, true, true, out); }
bool prometheus_window_increase(const struct prometheus_window *w, double *out) {
    return extrapolated(w, true, false, out);
}
bool prometheus_window_delta(const struct prometheus_window *w, double *out) {
    return extrapolated(w, false, false, out);
}

bool prometheus_window_irate(const struct prometheus_window *w, double *out) {
    if (w->n < 2) return false;
    double last = w->values[w->n - 1], before = w->values[w->n - 2];
    *out = (last < before ? last : last - before) / seconds(w->times[w->n - 1] - w->times[w->n - 2]);
    return true;
}

bool prometheus_window_idelta(const struct prometheus_window *w, double *out) {
    if (w->n < 2) return false;
    *out = w->values[w->n - 1] - w->values[w->n - 2];
    return true;
}

/* ---- a line through the samples */

/* Times are taken from `origin`, so that squares stay small. */
static void fit(const struct prometheus_window *w, Nanos origin, double *slope, double *level) {
    double n = (double)w->n, sum_x = 0, sum_y = 0, sum_xy = 0, sum_xx = 0;
    bool constant = true;
    for (size_t i = 0; i < w->n; i++) {
        double x = seconds(w->times[i] - origin), y = w->values[i];
        constant = constant && y == w->values[0];
        sum_x += x;
        sum_y += y;
        sum_xy += x * y;
        sum_xx += x * x;
    }
    if (constant) {
        *slope = isinf(w->values[0]) ? (double)NAN : 0;
        *level = w->values[0];
        return;
    }
    double covariance = sum_xy - sum_x * sum_y / n, variance = sum_xx - sum_x * sum_x / n;
    *slope = covariance / variance;
    *level = sum_y / n - *slope * sum_x / n;
}

bool prometheus_window_deriv(const struct prometheus_window *w, double *out) {
    double level;
    if (w->n < 2) return false;
    fit(w, w->times[0], out, &level);
    return true;
}

bool prometheus_window_predict(const struct prometheus_window *w, double *out) {
    double slope, level;
    if (w->n < 2) return false;
    fit(w, w->end, &slope, &level);
    *out = slope * w->param + level;
    return true;
}

/* ---- over time */

bool prometheus_window_changes(const struct prometheus_window *w, double *out) {
    *out = 0;
    for (size_t i = 1; i < w->n; i++) {
        double a = w->values[i - 1], b = w->values[i];
        if (a != b && !(isnan(a) && isnan(b))) *out += 1;
    }
    return true;
}

bool prometheus_window_resets(const struct prometheus_window *w, double *out) {
    *out = 0;
    for (size_t i = 1; i < w->n; i++) *out += w->values[i] < w->values[i - 1];
    return true;
}

bool prometheus_window_sum(const struct prometheus_window *w, double *out) {
    double sum = 0, lost = 0; /* Neumaier */
    for (size_t i = 0; i < w->n; i++) {
        double v = w->values[i], t = sum + v;
        lost += fabs(sum) >= fabs(v) ? (sum - t) + v : (v - t) + sum;
        sum = t;
    }
    *out = isfinite(sum) ? sum + lost : sum;
    return true;
}

bool prometheus_window_avg(const struct prometheus_window *w, double *out) {
    prometheus_window_sum(w, out);
    *out /= (double)w->n;
    return true;
}

bool prometheus_window_min(const struct prometheus_window *w, double *out) {
    *out = w->values[0];
    for (size_t i = 1; i < w->n; i++)
        if (w->values[i] < *out || isnan(*out)) *out = w->values[i];
    return true;
}

bool prometheus_window_max(const struct prometheus_window *w, double *out) {
    *out = w->values[0];
    for (size_t i = 1; i < w->n; i++)
        if (w->values[i] > *out || isnan(*out)) *out = w->values[i];
    return true;
}

bool prometheus_window_count(const struct prometheus_window *w, double *out) {
    *out = (double)w->n;
    return true;
}

bool prometheus_window_present(const struct prometheus_window *w, double *out) {
    (void)w;
    *out = 1;
    return true;
}

bool prometheus_window_last(const struct prometheus_window *w, double *out) {
    *out = w->values[w->n - 1];
    return true;
}

bool prometheus_window_last_time(const struct prometheus_window *w, double *out) {
    *out = (double)(w->times[w->n - 1] / NANOS_PER_MS) / 1000;
    return true;
}

bool prometheus_window_stdvar(const struct prometheus_window *w, double *out) {
    double mean = 0, squares = 0; /* Welford; of the whole, not of a sample of it */
    for (size_t i = 0; i < w->n; i++) {
        double away = w->values[i] - mean;
        mean += away / (double)(i + 1);
        squares += away * (w->values[i] - mean);
    }
    *out = squares / (double)w->n;
    return true;
}

bool prometheus_window_stddev(const struct prometheus_window *w, double *out) {
    prometheus_window_stdvar(w, out);
    *out = sqrt(*out);
    return true;
}

/* NaN first, as Prometheus sorts. */
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    if (isnan(x) || isnan(y)) return isnan(y) - isnan(x);
    return (x > y) - (x < y);
}

double prometheus_window_quantile_of(double q, double *values, size_t n) {
    if (n == 0 || isnan(q)) return (double)NAN;
    if (q < 0) return (double)-INFINITY;
    if (q > 1) return (double)INFINITY;
    qsort(values, n, sizeof *values, by_value);
    double rank = q * (double)(n - 1), low = floor(rank), part = rank - low;
    size_t at = (size_t)low, next = at + 1 < n ? at + 1 : n - 1;
    return values[at] * (1 - part) + values[next] * part;
}

bool prometheus_window_quantile(const struct prometheus_window *w, double *out) {
    double *copy = malloc(w->n * sizeof *copy);
    ASSERT(copy);
    memcpy(copy, w->values, w->n * sizeof *copy);
    *out = prometheus_window_quantile_of(w->param, copy, w->n);
    free(copy);
    return true;
}
