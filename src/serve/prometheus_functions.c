#include "serve/prometheus_functions.h"

#include <math.h>
#include <string.h>

#include "serve/prometheus_call.h"
#include "serve/prometheus_window.h"

#define S PROMETHEUS_SCALAR
#define V PROMETHEUS_VECTOR
#define R PROMETHEUS_RANGE
#define T PROMETHEUS_STRING

#define GROUP(text, which)                                                                                             \
    { .name = text, .gives = V, .takes = {V}, .least = 1, .most = 1, .group = PROMETHEUS_GROUP_##which }
#define GROUP_BY(text, type, which)                                                                                    \
    { .name = text, .gives = V, .takes = {type, V}, .least = 2, .most = 2, .group = PROMETHEUS_GROUP_##which }
#define WINDOW(text, fn)                                                                                               \
    { .name = text, .gives = V, .takes = {R}, .least = 1, .most = 1, .window = prometheus_window_##fn }
#define MATH(text, fn)                                                                                                 \
    { .name = text, .gives = V, .takes = {V}, .least = 1, .most = 1, .math = fn }
#define DATE(text, fn)                                                                                                 \
    { .name = text, .gives = V, .takes = {V}, .least = 0, .most = 1, .date = prometheus_call_##fn }
#define CALL(text, type, low, high, fn, ...)                                                                           \
    { .name = text, .gives = type, .takes = {__VA_ARGS__}, .least = low, .most = high, .call = prometheus_call_##fn }

static double degrees(double v) { return v * 180 / M_PI; }
static double radians(double v) { return v * M_PI / 180; }
static double sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : v; }

static const struct prometheus_function functions[] = {
    GROUP("sum", SUM),
    GROUP("avg", AVG),
    GROUP("min", MIN),
    GROUP("max", MAX),
    GROUP("count", COUNT),
    GROUP("stddev", STDDEV),
    GROUP("stdvar", STDVAR),
    GROUP("group", GROUP),
    GROUP_BY("topk", S, TOPK),
    GROUP_BY("bottomk", S, BOTTOMK),
    GROUP_BY("quantile", S, QUANTILE),
    GROUP_BY("count_values", T, COUNT_VALUES),

    WINDOW("rate", rate),
    WINDOW("increase", increase),
    WINDOW("delta", delta),
    WINDOW("irate", irate),
    WINDOW("idelta", idelta),
    WINDOW("deriv", deriv),
    WINDOW("changes", changes),
    WINDOW("resets", resets),
    WINDOW("avg_over_time", avg),
    WINDOW("min_over_time", min),
    WINDOW("max_over_time", max),
    WINDOW("sum_over_time", sum),
    WINDOW("count_over_time", count),
    WINDOW("stddev_over_time", stddev),
    WINDOW("stdvar_over_time", stdvar),
    WINDOW("present_over_time", present),
    {.name = "last_over_time",
     .gives = V,
     .takes = {R},
     .least = 1,
     .most = 1,
     .window = prometheus_window_last,
     .keeps_name = true},
    {.name = "quantile_over_time",
     .gives = V,
     .takes = {S, R},
     .least = 2,
     .most = 2,
     .window = prometheus_window_quantile},
    {.name = "predict_linear", .gives = V, .takes = {R, S}, .least = 2, .most = 2, .window = prometheus_window_predict},
    CALL("absent_over_time", V, 1, 1, absent_over_time, R),

    MATH("abs", fabs),
    MATH("ceil", ceil),
    MATH("floor", floor),
    MATH("sqrt", sqrt),
    MATH("exp", exp),
    MATH("ln", log),
    MATH("log2", log2),
    MATH("log10", log10),
    MATH("sgn", sign),
    MATH("sin", sin),
    MATH("cos", cos),
    MATH("tan", tan),
    MATH("asin", asin),
    MATH("acos", acos),
    MATH("atan", atan),
    MATH("sinh", sinh),
    MATH("cosh", cosh),
    MATH("tanh", tanh),
    MATH("asinh", asinh),
    MATH("acosh", acosh),
    MATH("atanh", atanh),
    MATH("deg", degrees),
    MATH("rad", radians),

    DATE("minute", minute),
    DATE("hour", hour),
    DATE("day_of_week", day_of_week),
    DATE("day_of_month", day_of_month),
    DATE("day_of_year", day_of_year),
    DATE("days_in_month", days_in_month),
    DATE("month", month),
    DATE("year", year),

    CALL("round", V, 1, 2, round, V, S),
    CALL("clamp", V, 3, 3, clamp, V, S, S),
    CALL("clamp_min", V, 2, 2, clamp_min, V, S),
    CALL("clamp_max", V, 2, 2, clamp_max, V, S),
    CALL("time", S, 0, 0, time, S),
    CALL("pi", S, 0, 0, pi, S),
    CALL("timestamp", V, 1, 1, timestamp, V),
    CALL("scalar", S, 1, 1, scalar, V),
    CALL("vector", V, 1, 1, vector, S),
    CALL("absent", V, 1, 1, absent, V),
    CALL("sort", V, 1, 1, sort, V),
    CALL("sort_desc", V, 1, 1, sort_desc, V),
    CALL("label_replace", V, 5, 5, label_replace, V, T, T, T),
    CALL("label_join", V, 3, PROMETHEUS_ARGS_MAX, label_join, V, T, T, T),
};

const struct prometheus_function *prometheus_functions_at(size_t i) {
    return i < sizeof functions / sizeof *functions ? &functions[i] : NULL;
}

const struct prometheus_function *prometheus_functions_find(Str name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (str_eq_c(name, functions[i].name)) return &functions[i];
    return NULL;
}
