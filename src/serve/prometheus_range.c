/* A series is computed as soon as it has been read and its samples are forgotten, so that what a query holds is its
 * answer and one thing a worker, not all the samples it reads. */
#include "serve/prometheus_range.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"
#include "serve/prometheus_select.h"
#include "serve/prometheus_window.h"

#define STEP_DEFAULT NANOS_PER_MIN /* of [1h:], as in Prometheus */
#define TIME_MAX (INT64_C(4000000000) * NANOS_PER_S)
#define NO_SERIES UINT32_MAX

/* The windows of a selector or a subquery: (end(i) - range, end(i)]. */
struct windows {
    const struct prometheus_eval *eval;
    Nanos range, offset, fixed;
    bool at; /* `fixed` for every step */
    prometheus_window_fn *window;
    const double *params; /* [eval->n], or NULL */
};

static struct windows windows_of(const struct prometheus_eval *eval, const struct prometheus_node *node, Nanos range,
                                 prometheus_window_fn *window, const double *params) {
    struct windows w = {eval, range, node->offset, 0, node->at != PROMETHEUS_AT_NOT, window, params};
    w.fixed = node->at == PROMETHEUS_AT_TIME    ? node->at_time
              : node->at == PROMETHEUS_AT_START ? eval->query_start
                                                : eval->query_end;
    return w;
}

static Nanos end_of(const struct windows *w, size_t i) {
    return (w->at ? w->fixed : prometheus_time(w->eval, i)) - w->offset;
}

static void compute(const struct windows *w, const Nanos *times, const double *values, size_t n, double *out) {
    size_t low = 0, high = 0;
    for (size_t i = 0; i < w->eval->n; i++) {
        Nanos end = end_of(w, i), start = end - w->range;
        while (high < n && times[high] <= end) high++;
        while (low < high && times[low] <= start) low++;
        struct prometheus_window window = {.times = times + low,
                                           .values = values + low,
                                           .n = high - low,
                                           .start = start,
                                           .end = end,
                                           .param = w->params ? w->params[i] : 0};
        if (window.n > 0 && !w->window(&window, &out[i])) out[i] = prometheus_absent();
    }
}

/* ---- which series */

struct place {
    uint32_t thing, metric;
};
struct picking {
    struct prometheus_eval *eval;
    struct map words; /* texts of labels, each once */
    struct prometheus_labels *labels;
    struct place *places;
    size_t n, cap, cap_places;
    Err err;
};

static Str kept_word(struct picking *p, Str word) {
    uint64_t at;
    if (map_get(&p->words, word, &at)) return str_n((const char *)(uintptr_t)at, word.len);
    Str copy = arena_str(p->eval->arena, word);
    map_put(&p->words, copy, (uint64_t)(uintptr_t)copy.ptr);
    return copy;
}

static bool pick(void *ctx, size_t thing, size_t metric, const struct prometheus_labels *labels) {
    struct picking *p = ctx;
    struct prometheus_labels copy = {NULL, labels->n};
    p->err = prometheus_eval_take(p->eval, labels->n * sizeof *copy.items + sizeof copy + sizeof(struct place));
    if (p->err.code == ERR_NONE && p->n % 1024 == 0) p->err = prometheus_eval_alive(p->eval);
    if (p->err.code != ERR_NONE) return false;
    copy.items = arena_alloc(p->eval->arena, (labels->n + 1) * sizeof *copy.items);
    for (size_t i = 0; i < labels->n; i++)
        copy.items[i] =
            (struct prometheus_label){kept_word(p, labels->items[i].name), kept_word(p, labels->items[i].value)};
    size_t n = p->n;
    VEC_PUSH(p->places, n, p->cap_places, ((struct place){(uint32_t)thing, (uint32_t)metric}));
    VEC_PUSH(p->labels, p->n, p->cap, copy);
    return true;
}

/* ---- reading them */

struct reading {
    struct prometheus_eval *eval;
    const uint32_t *series; /* [things asked for × metrics asked for], or NO_SERIES */
    size_t n_metrics;
    void (*take)(void *ctx, size_t series, const Nanos *times, const double *values, size_t n);
    void *ctx;
};

static bool read_series(void *ctx, size_t thing, size_t metric, const Nanos *times, const double *values, size_t n) {
    struct reading *r = ctx;
    uint32_t series = r->series[thing * r->n_metrics + metric];
    if (series != NO_SERIES) r->take(r->ctx, series, times, values, n);
    return prometheus_eval_alive(r->eval).code == ERR_NONE;
}

/* The things that have a series of these metrics, and where each series stands. */
static size_t narrow(const struct picking *p, const struct prometheus_selection *from, size_t first, size_t count,
                     struct view_samples_thing *things, uint32_t *series) {
    size_t n = 0;
    uint32_t last = NO_SERIES;
    for (size_t i = 0; i < p->n; i++) { /* by thing */
        struct place at = p->places[i];
        if (at.metric < first || at.metric >= first + count) continue;
        if (at.thing != last) {
            things[n] = from->things[at.thing];
            for (size_t k = 0; k < count; k++) series[n * count + k] = NO_SERIES;
            n++;
            last = at.thing;
        }
        series[(n - 1) * count + at.metric - first] = (uint32_t)i;
    }
    return n;
}

static Err read_group(struct reading *r, const struct picking *p, const struct prometheus_selection *from, size_t first,
                      size_t count, Nanos start, Nanos end) {
    struct prometheus_eval *e = r->eval;
    MetricId metrics[VIEW_SAMPLES_METRICS_MAX];
    size_t most = p->n < from->n_things ? p->n : from->n_things;
    for (size_t k = 0; k < count; k++) metrics[k] = from->metrics[first + k].id;
    struct view_samples_thing *things = calloc(most + 1, sizeof *things);
    uint32_t *series = calloc(most * count + 1, sizeof *series);
    ASSERT(things && series);
    struct view_samples_ask ask = {.things = things,
                                   .n_things = narrow(p, from, first, count, things, series),
                                   .metrics = metrics,
                                   .n_metrics = count,
                                   .from = start,
                                   .to = end,
                                   .bytes = e->budget->bytes,
                                   .workers = e->workers,
                                   .cancel = &e->budget->cancel};
    r->series = series;
    r->n_metrics = count;
    Err err = ask.n_things ? view_samples_scan(e->view, e->lens, &ask, read_series, r) : err_none();
    free(things);
    free(series);
    Err late = prometheus_eval_alive(e);
    return late.code != ERR_NONE ? late : err;
}

/* Every series of a selector, each whole; `begin` is told how many there are before the first comes. */
static Err read_selector(const struct windows *w, struct prometheus_eval *eval, const struct prometheus_node *node,
                         Err (*begin)(void *ctx, const struct prometheus_labels *labels, size_t n),
                         void (*take)(void *ctx, size_t series, const Nanos *times, const double *values, size_t n),
                         void *ctx) {
    struct picking p = {.eval = eval};
    struct reading r = {.eval = eval, .take = take, .ctx = ctx};
    struct prometheus_selection from;
    struct prometheus_select select = {
        .view = eval->view, .lens = eval->lens, .matchers = node->matchers, .n_matchers = node->n_matchers};
    Nanos start = end_of(w, 0) - w->range + 1, end = end_of(w, eval->n - 1) + 1;
    map_init(&p.words);
    Err err = prometheus_select_each(&select, eval->arena, &from, pick, &p);
    if (err.code == ERR_NONE) err = p.err;
    if (err.code == ERR_NONE) err = begin(ctx, p.labels, p.n);
    for (size_t first = 0; err.code == ERR_NONE && p.n > 0 && first < from.n_metrics;
         first += VIEW_SAMPLES_METRICS_MAX) {
        size_t left = from.n_metrics - first;
        err = read_group(&r, &p, &from, first, left < VIEW_SAMPLES_METRICS_MAX ? left : VIEW_SAMPLES_METRICS_MAX, start,
                         end);
    }
    map_fini(&p.words);
    free(p.labels);
    free(p.places);
    return err;
}

/* ---- into values */

struct filling {
    struct windows windows;
    struct prometheus_eval *eval;
    struct prometheus_value *out;
};

static Err begin_values(void *ctx, const struct prometheus_labels *labels, size_t n) {
    struct filling *f = ctx;
    TRY(prometheus_eval_series(f->eval, n, f->out));
    for (size_t i = 0; i < n; i++) f->out->series[i].labels = labels[i];
    return err_none();
}

static void take_values(void *ctx, size_t series, const Nanos *times, const double *values, size_t n) {
    struct filling *f = ctx;
    compute(&f->windows, times, values, n, f->out->series[series].values);
}

/* ---- subqueries */

static size_t present(const struct prometheus_eval *inner, const double *row, Nanos *times, double *values) {
    size_t n = 0;
    for (size_t i = 0; i < inner->n; i++) {
        if (prometheus_is_absent(row[i])) continue;
        times[n] = prometheus_time(inner, i);
        values[n++] = row[i];
    }
    return n;
}

/* Steps of a subquery stand at whole multiples of its step, whenever it is asked. */
static Err inner_eval(const struct windows *w, const struct prometheus_node *node, struct prometheus_eval *inner) {
    Nanos step = node->step ? node->step : STEP_DEFAULT;
    Nanos start = end_of(w, 0) - w->range, end = end_of(w, w->eval->n - 1);
    if (start < -TIME_MAX || end > TIME_MAX)
        return err_make(ERR_INVALID, "the offsets and ranges of the subqueries lead beyond the years 1843 to 2096");
    *inner = *w->eval;
    inner->step = step;
    inner->start = start / step * step;
    while (inner->start <= start) inner->start += step;
    inner->n = end < inner->start ? 0 : (size_t)((end - inner->start) / step) + 1;
    return err_none();
}

static Err run_subquery(const struct windows *w, struct prometheus_eval *eval, const struct prometheus_node *node,
                        struct prometheus_eval *inner, struct prometheus_value *value) {
    TRY(inner_eval(w, node, inner));
    *value = (struct prometheus_value){.type = PROMETHEUS_VECTOR};
    if (inner->n == 0) return err_none();
    TRY(prometheus_eval_take(eval, inner->n * (sizeof(Nanos) + sizeof(double))));
    return prometheus_eval(inner, node->args[0], value);
}

static Err over_subquery(struct filling *f, const struct prometheus_node *node) {
    struct prometheus_eval inner;
    struct prometheus_value value;
    TRY(run_subquery(&f->windows, f->eval, node, &inner, &value));
    TRY(prometheus_eval_series(f->eval, value.n_series, f->out));
    Nanos *times = arena_alloc(f->eval->arena, (inner.n + 1) * sizeof *times);
    double *values = arena_alloc(f->eval->arena, (inner.n + 1) * sizeof *values);
    for (size_t i = 0; i < value.n_series; i++) {
        size_t n = present(&inner, value.series[i].values, times, values);
        f->out->series[i].labels = value.series[i].labels;
        compute(&f->windows, times, values, n, f->out->series[i].values);
        TRY(prometheus_eval_alive(f->eval));
    }
    return err_none();
}

/* ---- */

Err prometheus_range_over(struct prometheus_eval *eval, const struct prometheus_node *range,
                          prometheus_window_fn *window, const double *params, struct prometheus_value *out) {
    ASSERT(range);
    struct filling f = {windows_of(eval, range, range->range, window, params), eval, out};
    if (range->kind == PROMETHEUS_NODE_SUBQUERY) return over_subquery(&f, range);
    return read_selector(&f.windows, eval, range, begin_values, take_values, &f);
}

Err prometheus_range_instant(struct prometheus_eval *eval, const struct prometheus_node *selector,
                             prometheus_window_fn *window, struct prometheus_value *out) {
    struct filling f = {windows_of(eval, selector, eval->lookback, window, NULL), eval, out};
    return read_selector(&f.windows, eval, selector, begin_values, take_values, &f);
}

Err prometheus_range_call(struct prometheus_eval *eval, const struct prometheus_node *node,
                          struct prometheus_value *out) {
    const struct prometheus_node *range = NULL;
    const double *params = NULL;
    for (size_t i = 0; i < node->n_args; i++) {
        struct prometheus_value param;
        if (node->args[i]->type == PROMETHEUS_RANGE) {
            range = node->args[i];
            continue;
        }
        TRY(prometheus_eval(eval, node->args[i], &param));
        params = param.scalar;
    }
    TRY(prometheus_range_over(eval, range, node->function->window, params, out));
    return node->function->keeps_name ? err_none() : prometheus_eval_unname(eval, out);
}

/* ---- samples as they are */

struct copying {
    struct windows windows;
    struct prometheus_eval *eval;
    struct prometheus_samples *series;
    size_t n;
};

static Err begin_samples(void *ctx, const struct prometheus_labels *labels, size_t n) {
    struct copying *c = ctx;
    c->series = arena_zero(c->eval->arena, n + 1, sizeof *c->series);
    c->n = n;
    for (size_t i = 0; i < n; i++) c->series[i].labels = labels[i];
    return err_none();
}

static void take_samples(void *ctx, size_t series, const Nanos *times, const double *values, size_t n) {
    struct copying *c = ctx;
    struct prometheus_samples *out = &c->series[series];
    if (prometheus_eval_take(c->eval, n * (sizeof *times + sizeof *values)).code != ERR_NONE) return;
    Nanos *at = arena_alloc(c->eval->arena, n * sizeof *at);
    double *of = arena_alloc(c->eval->arena, n * sizeof *of);
    Nanos end = end_of(&c->windows, 0);
    for (size_t i = 0; i < n; i++) {
        if (times[i] <= end - c->windows.range || times[i] > end) continue;
        at[out->n] = times[i];
        of[out->n++] = values[i];
    }
    out->times = at;
    out->values = of;
}

Err prometheus_range_samples(struct prometheus_eval *eval, const struct prometheus_node *range,
                             struct prometheus_samples **out, size_t *n) {
    struct copying c = {windows_of(eval, range, range->range, NULL, NULL), eval, NULL, 0};
    struct prometheus_eval inner;
    struct prometheus_value value;
    eval->workers = 1; /* copies go to one arena */
    if (range->kind == PROMETHEUS_NODE_SELECTOR) {
        TRY(read_selector(&c.windows, eval, range, begin_samples, take_samples, &c));
    } else {
        TRY(run_subquery(&c.windows, eval, range, &inner, &value));
        TRY(begin_samples(&c, NULL, 0));
        c.series = arena_zero(eval->arena, value.n_series + 1, sizeof *c.series);
        c.n = value.n_series;
        for (size_t i = 0; i < c.n; i++) {
            Nanos *times = arena_alloc(eval->arena, (inner.n + 1) * sizeof *times);
            double *values = arena_alloc(eval->arena, (inner.n + 1) * sizeof *values);
            TRY(prometheus_eval_take(eval, inner.n * (sizeof *times + sizeof *values)));
            size_t some = present(&inner, value.series[i].values, times, values);
            c.series[i] = (struct prometheus_samples){value.series[i].labels, times, values, some};
        }
    }
    *out = c.series;
    *n = c.n;
    return prometheus_eval_take(eval, 0);
}
