/* Every function and aggregation operator of PromQL that is known here: what it takes, and what computes it. */
#ifndef SERVE_PROMETHEUS_FUNCTIONS_H
#define SERVE_PROMETHEUS_FUNCTIONS_H

#include "serve/prometheus_tree.h"

struct prometheus_eval;
struct prometheus_value;

/* The samples of one series in (start, end]; at least one. param: of quantile_over_time and predict_linear. */
struct prometheus_window {
    const Nanos *times;
    const double *values;
    size_t n;
    Nanos start, end;
    double param;
};
typedef bool prometheus_window_fn(const struct prometheus_window *window, double *out); /* false: no value */
typedef double prometheus_math_fn(double);
typedef double prometheus_date_fn(Nanos);
typedef Err prometheus_call_fn(struct prometheus_eval *eval, const struct prometheus_node *node,
                               struct prometheus_value *out);

enum prometheus_group {
    PROMETHEUS_GROUP_NOT,
    PROMETHEUS_GROUP_SUM,
    PROMETHEUS_GROUP_AVG,
    PROMETHEUS_GROUP_MIN,
    PROMETHEUS_GROUP_MAX,
    PROMETHEUS_GROUP_COUNT,
    PROMETHEUS_GROUP_STDDEV,
    PROMETHEUS_GROUP_STDVAR,
    PROMETHEUS_GROUP_GROUP,
    PROMETHEUS_GROUP_TOPK,
    PROMETHEUS_GROUP_BOTTOMK,
    PROMETHEUS_GROUP_QUANTILE,
    PROMETHEUS_GROUP_COUNT_VALUES,
};

#define PROMETHEUS_ARGS_MAX 64u
struct prometheus_function {
    const char *name;
    enum prometheus_type gives, takes[4]; /* further ones are of the last type that is listed */
    unsigned least, most;                 /* arguments */
    enum prometheus_group group;          /* an aggregation operator */
    /* one of: */
    prometheus_window_fn *window;
    prometheus_math_fn *math;
    prometheus_date_fn *date;
    prometheus_call_fn *call;
    bool keeps_name; /* of a window: last_over_time keeps the metric's name */
};
const struct prometheus_function *prometheus_functions_find(Str name); /* NULL: none */
/* The i-th; NULL behind the last. */
const struct prometheus_function *prometheus_functions_at(size_t i);

#endif
