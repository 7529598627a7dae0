#include "serve/prometheus_call.h"

#include <math.h>
#include <stdlib.h>

#include "serve/prometheus_eval.h"
#include "serve/prometheus_range.h"
#include "serve/prometheus_regex.h"
#include "serve/prometheus_window.h"

#define EACH(eval, value, s, i, v)                                                                                     \
    for (size_t s = 0; s < (value)->n_series; s++)                                                                     \
        for (size_t i = 0; i < (eval)->n; i++)                                                                         \
            for (double *v = &(value)->series[s].values[i]; v && !prometheus_is_absent(*v); v = NULL)

/* The n-th argument, a number at each step; what is not given is `fallback`. */
static Err number(struct prometheus_eval *eval, const struct prometheus_node *node, size_t n, double fallback,
                  double **out) {
    struct prometheus_value value;
    if (n < node->n_args) {
        TRY(prometheus_eval(eval, node->args[n], &value));
        *out = value.scalar;
        return err_none();
    }
    TRY(prometheus_eval_rows(eval, 1, out));
    for (size_t i = 0; i < eval->n; i++) (*out)[i] = fallback;
    return err_none();
}

static Err text(struct prometheus_eval *eval, const struct prometheus_node *node, size_t n, Str *out) {
    struct prometheus_value value;
    TRY(prometheus_eval(eval, node->args[n], &value));
    *out = value.text;
    return err_none();
}

Err prometheus_call_round(struct prometheus_eval *eval, const struct prometheus_node *node,
                          struct prometheus_value *out) {
    double *to;
    TRY(prometheus_eval(eval, node->args[0], out));
    TRY(number(eval, node, 1, 1, &to));
    EACH(eval, out, s, i, v) {
        double inverse = 1 / to[i]; /* as Prometheus: fewer digits are lost than by dividing */
        *v = floor(*v * inverse + 0.5) / inverse;
    }
    return prometheus_eval_unname(eval, out);
}

static double between(double v, double low, double high) {
    if (isnan(low) || isnan(high)) return (double)NAN;
    return fmax(low, fmin(high, v));
}

static Err clamp(struct prometheus_eval *eval, const double *low, const double *high, struct prometheus_value *out) {
    EACH(eval, out, s, i, v) {
        if (low[i] > high[i])
            *v = prometheus_absent();
        else if (!isnan(*v))
            *v = between(*v, low[i], high[i]);
    }
    return prometheus_eval_unname(eval, out);
}

Err prometheus_call_clamp(struct prometheus_eval *eval, const struct prometheus_node *node,
                          struct prometheus_value *out) {
    double *low, *high;
    TRY(prometheus_eval(eval, node->args[0], out));
    TRY(number(eval, node, 1, 0, &low));
    TRY(number(eval, node, 2, 0, &high));
    return clamp(eval, low, high, out);
}

Err prometheus_call_clamp_min(struct prometheus_eval *eval, const struct prometheus_node *node,
                              struct prometheus_value *out) {
    double *low, *high;
    TRY(prometheus_eval(eval, node->args[0], out));
    TRY(number(eval, node, 1, 0, &low));
    TRY(number(eval, node, 2, (double)INFINITY, &high));
    return clamp(eval, low, high, out);
}

Err prometheus_call_clamp_max(struct prometheus_eval *eval, const struct prometheus_node *node,
                              struct prometheus_value *out) {
    double *low, *high;
    TRY(prometheus_eval(eval, node->args[0], out));
    TRY(number(eval, node, 1, 0, &high));
    TRY(number(eval, node, 2, (double)-INFINITY, &low));
    return clamp(eval, low, high, out);
}

/* ---- numbers and vectors */

Err prometheus_call_pi(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out) {
    *out = (struct prometheus_value){.type = PROMETHEUS_SCALAR};
    return number(eval, node, 0, M_PI, &out->scalar);
}

Err prometheus_call_time(struct prometheus_eval *eval, const struct prometheus_node *node,
                         struct prometheus_value *out) {
    (void)node;
    *out = (struct prometheus_value){.type = PROMETHEUS_SCALAR};
    TRY(prometheus_eval_rows(eval, 1, &out->scalar));
    for (size_t i = 0; i < eval->n; i++) out->scalar[i] = (double)(prometheus_time(eval, i) / NANOS_PER_MS) / 1000;
    return err_none();
}

/* Of a selector, when each value was measured; of anything computed, the time it is computed for. */
Err prometheus_call_timestamp(struct prometheus_eval *eval, const struct prometheus_node *node,
                              struct prometheus_value *out) {
    if (node->args[0]->kind == PROMETHEUS_NODE_SELECTOR) {
        TRY(prometheus_range_instant(eval, node->args[0], prometheus_window_last_time, out));
        return prometheus_eval_unname(eval, out);
    }
    TRY(prometheus_eval(eval, node->args[0], out));
    EACH(eval, out, s, i, v)
    *v = (double)(prometheus_time(eval, i) / NANOS_PER_MS) / 1000;
    return prometheus_eval_unname(eval, out);
}

Err prometheus_call_scalar(struct prometheus_eval *eval, const struct prometheus_node *node,
                           struct prometheus_value *out) {
    struct prometheus_value in;
    TRY(prometheus_eval(eval, node->args[0], &in));
    *out = (struct prometheus_value){.type = PROMETHEUS_SCALAR};
    TRY(prometheus_eval_rows(eval, 1, &out->scalar));
    for (size_t i = 0; i < eval->n; i++) {
        size_t n = 0;
        for (size_t s = 0; s < in.n_series; s++) {
            if (prometheus_is_absent(in.series[s].values[i])) continue;
            out->scalar[i] = in.series[s].values[i];
            n++;
        }
        if (n != 1) out->scalar[i] = (double)NAN;
    }
    return err_none();
}

Err prometheus_call_vector(struct prometheus_eval *eval, const struct prometheus_node *node,
                           struct prometheus_value *out) {
    double *values;
    TRY(number(eval, node, 0, 0, &values));
    TRY(prometheus_eval_series(eval, 1, out));
    for (size_t i = 0; i < eval->n; i++) out->series[0].values[i] = values[i];
    return err_none();
}

/* ---- absent: a 1 with the labels that were asked for by equality */

static struct prometheus_labels asked_labels(const struct prometheus_node *node, struct arena *arena) {
    struct prometheus_labels out = {arena_zero(arena, node->n_matchers + 1, sizeof *out.items), 0};
    if (node->kind != PROMETHEUS_NODE_SELECTOR) return out;
    for (size_t i = 0; i < node->n_matchers; i++) {
        const struct prometheus_matcher *m = &node->matchers[i];
        size_t times = 0;
        for (size_t k = 0; k < node->n_matchers; k++) times += str_eq(node->matchers[k].name, m->name);
        if (m->op == PROMETHEUS_IS && times == 1 && !prometheus_labels_names_metric(m->name))
            prometheus_labels_add(&out, m->name, m->value);
    }
    return out;
}

static Err absent(struct prometheus_eval *eval, const struct prometheus_node *of, const struct prometheus_value *in,
                  struct prometheus_value *out) {
    TRY(prometheus_eval_series(eval, 1, out));
    out->series[0].labels = asked_labels(of, eval->arena);
    for (size_t i = 0; i < eval->n; i++) {
        bool any = false;
        for (size_t s = 0; s < in->n_series && !any; s++) any = !prometheus_is_absent(in->series[s].values[i]);
        if (!any) out->series[0].values[i] = 1;
    }
    return err_none();
}

Err prometheus_call_absent(struct prometheus_eval *eval, const struct prometheus_node *node,
                           struct prometheus_value *out) {
    struct prometheus_value in;
    TRY(prometheus_eval(eval, node->args[0], &in));
    return absent(eval, node->args[0], &in, out);
}

Err prometheus_call_absent_over_time(struct prometheus_eval *eval, const struct prometheus_node *node,
                                     struct prometheus_value *out) {
    struct prometheus_value in;
    TRY(prometheus_range_over(eval, node->args[0], prometheus_window_present, NULL, &in));
    return absent(eval, node->args[0], &in, out);
}

/* ---- order: of an answer at one time; a span has none */

static int ascending(const void *a, const void *b) {
    double x = ((const struct prometheus_series *)a)->values[0], y = ((const struct prometheus_series *)b)->values[0];
    if (isnan(x) || isnan(y)) return (isnan(x) != 0) - (isnan(y) != 0);
    return (x > y) - (x < y);
}

static int descending(const void *a, const void *b) {
    double x = ((const struct prometheus_series *)a)->values[0], y = ((const struct prometheus_series *)b)->values[0];
    return isnan(x) || isnan(y) ? ascending(a, b) : ascending(b, a);
}

static Err sorted(struct prometheus_eval *eval, const struct prometheus_node *node,
                  int (*order)(const void *, const void *), struct prometheus_value *out) {
    TRY(prometheus_eval(eval, node->args[0], out));
    if (eval->n != 1) return err_none();
    qsort(out->series, out->n_series, sizeof *out->series, order);
    out->ordered = true;
    return err_none();
}

Err prometheus_call_sort(struct prometheus_eval *eval, const struct prometheus_node *node,
                         struct prometheus_value *out) {
    return sorted(eval, node, ascending, out);
}

Err prometheus_call_sort_desc(struct prometheus_eval *eval, const struct prometheus_node *node,
                              struct prometheus_value *out) {
    return sorted(eval, node, descending, out);
}

/* ---- labels */

/* label_replace(v, "to", "replacement", "from", "regex") */
Err prometheus_call_label_replace(struct prometheus_eval *eval, const struct prometheus_node *node,
                                  struct prometheus_value *out) {
    Str to, replacement, from, pattern;
    struct prometheus_regex *regex;
    TRY(text(eval, node, 1, &to));
    TRY(text(eval, node, 2, &replacement));
    TRY(text(eval, node, 3, &from));
    TRY(text(eval, node, 4, &pattern));
    if (to.len == 0) return err_make(ERR_INVALID, "label_replace: the label to write has no name");
    TRY(prometheus_regex_make(eval->arena, pattern, &regex));
    TRY(prometheus_eval(eval, node->args[0], out));
    for (size_t s = 0; s < out->n_series; s++) {
        struct prometheus_labels *labels = &out->series[s].labels;
        Str value = prometheus_labels_get(labels, from);
        if (!prometheus_regex_match(regex, value)) continue;
        Str made = prometheus_regex_expand(regex, value, replacement, eval->arena);
        *labels = prometheus_labels_with(labels, to, made, eval->arena);
    }
    return prometheus_eval_settle(eval, out);
}

/* label_join(v, "to", "separator", "from", …) */
Err prometheus_call_label_join(struct prometheus_eval *eval, const struct prometheus_node *node,
                               struct prometheus_value *out) {
    Str to, separator, from[PROMETHEUS_ARGS_MAX];
    TRY(text(eval, node, 1, &to));
    TRY(text(eval, node, 2, &separator));
    if (to.len == 0) return err_make(ERR_INVALID, "label_join: the label to write has no name");
    for (size_t i = 3; i < node->n_args; i++) TRY(text(eval, node, i, &from[i]));
    TRY(prometheus_eval(eval, node->args[0], out));
    for (size_t s = 0; s < out->n_series; s++) {
        struct buf made = {0};
        for (size_t i = 3; i < node->n_args; i++) {
            if (i > 3) buf_str(&made, separator);
            buf_str(&made, prometheus_labels_get(&out->series[s].labels, from[i]));
        }
        out->series[s].labels =
            prometheus_labels_with(&out->series[s].labels, to, arena_str(eval->arena, buf_view(&made)), eval->arena);
        buf_fini(&made);
    }
    return prometheus_eval_settle(eval, out);
}

/* ---- dates */

struct date {
    int year, month, day, hour, minute, second;
};

static struct date date_of(Nanos t) {
    struct date d;
    time_civil(t, &d.year, &d.month, &d.day, &d.hour, &d.minute, &d.second);
    return d;
}

static double days_between(Nanos from, Nanos to) { return (double)((to - from) / NANOS_PER_DAY); }

double prometheus_call_minute(Nanos t) { return date_of(t).minute; }
double prometheus_call_hour(Nanos t) { return date_of(t).hour; }
double prometheus_call_day_of_month(Nanos t) { return date_of(t).day; }
double prometheus_call_month(Nanos t) { return date_of(t).month; }
double prometheus_call_year(Nanos t) { return date_of(t).year; }

double prometheus_call_day_of_week(Nanos t) { /* Sunday is 0; 1970 began on a Thursday */
    int64_t day = t / NANOS_PER_DAY - (t % NANOS_PER_DAY < 0);
    return (double)(((day + 4) % 7 + 7) % 7);
}

double prometheus_call_day_of_year(Nanos t) {
    struct date d = date_of(t);
    return days_between(time_from_civil(d.year, 1, 1, 0, 0, 0), time_from_civil(d.year, d.month, d.day, 0, 0, 0)) + 1;
}

double prometheus_call_days_in_month(Nanos t) {
    struct date d = date_of(t);
    int year = d.month == 12 ? d.year + 1 : d.year, month = d.month == 12 ? 1 : d.month + 1;
    return days_between(time_from_civil(d.year, d.month, 1, 0, 0, 0), time_from_civil(year, month, 1, 0, 0, 0));
}
