/*
 * PromQL, computed: every node gives its values at all steps of the query at once, a row of numbers for each series.
 * What is absent at a step is PROMETHEUS_ABSENT, a NaN of its own. Semantics are those of Prometheus 3: an instant
 * selector looks back over (t - lookback, t], a range over (t - range, t].
 */
#ifndef SERVE_PROMETHEUS_EVAL_H
#define SERVE_PROMETHEUS_EVAL_H

#include <stdatomic.h>
#include <string.h>

#include "insight/view_samples.h"
#include "serve/prometheus_labels.h"
#include "serve/prometheus_tree.h"

#define PROMETHEUS_STEPS_MAX 11000u
#define PROMETHEUS_LOOKBACK (5 * NANOS_PER_MIN)

/* Shared by a query and the subqueries in it. */
struct prometheus_budget {
    _Atomic size_t used;
    size_t bytes;       /* at most */
    Nanos deadline;     /* monotonic */
    atomic_bool cancel; /* set at the deadline, by whoever notices it */
};

struct prometheus_eval {
    struct view *view;
    const struct lens *lens;
    struct arena *arena;
    Nanos start, step;            /* of the times to compute: start + i * step */
    size_t n;                     /* … for i < n; at most PROMETHEUS_STEPS_MAX */
    Nanos query_start, query_end; /* what @ start() and @ end() mean */
    Nanos lookback;
    unsigned workers;
    struct prometheus_budget *budget;
};

struct prometheus_series {
    struct prometheus_labels labels;
    double *values; /* [n] */
};
struct prometheus_value {
    enum prometheus_type type; /* PROMETHEUS_RANGE never: see prometheus_range_samples */
    struct prometheus_series *series;
    size_t n_series;
    double *scalar; /* [n] */
    Str text;
    bool ordered; /* the series stand in an order that was asked for, and not by their labels */
};

/* ERR_LIMIT, ERR_TIMEOUT; ERR_STATE: the data does not fit what is asked (two series where one belongs). */
Err prometheus_eval(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out);

/* ---- for the files that compute */

#define PROMETHEUS_ABSENT_BITS UINT64_C(0x7ff0000000000002)
static inline double prometheus_absent(void) {
    uint64_t bits = PROMETHEUS_ABSENT_BITS;
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}
static inline bool prometheus_is_absent(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits == PROMETHEUS_ABSENT_BITS;
}
static inline Nanos prometheus_time(const struct prometheus_eval *eval, size_t i) {
    return eval->start + (Nanos)i * eval->step;
}
Err prometheus_eval_alive(struct prometheus_eval *eval); /* ERR_TIMEOUT */
Err prometheus_eval_take(struct prometheus_eval *eval, size_t bytes);
/* n rows of eval->n absent values each, one behind another. */
Err prometheus_eval_rows(struct prometheus_eval *eval, size_t n, double **out);
Err prometheus_eval_series(struct prometheus_eval *eval, size_t n, struct prometheus_value *out); /* with their rows */
/* Drops the metric's name of every series, and puts series together that are then the same. */
Err prometheus_eval_unname(struct prometheus_eval *eval, struct prometheus_value *value);
/* Puts series with the same labels together; ERR_STATE when both have a value at one time. */
Err prometheus_eval_settle(struct prometheus_eval *eval, struct prometheus_value *value);

#endif
