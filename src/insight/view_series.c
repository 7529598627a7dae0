/* Charts. A chart asks for its raw samples first and only when they are many for windows: a machine that
 * reports hourly then shows what it really sent, and one that reports every second shows its envelope. */
#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "insight/view_inner.h"
#include "model/gate_rules.h"
#include "store/series.h"

#define FEW 1000
#define LIMIT_DEFAULT 2000
#define SPAN_DEFAULT (7 * NANOS_PER_DAY)

static const Nanos steps[] = {
    NANOS_PER_S,        5 * NANOS_PER_S,    10 * NANOS_PER_S,   30 * NANOS_PER_S,    NANOS_PER_MIN,
    5 * NANOS_PER_MIN,  10 * NANOS_PER_MIN, 15 * NANOS_PER_MIN, 30 * NANOS_PER_MIN,  NANOS_PER_HOUR,
    2 * NANOS_PER_HOUR, 3 * NANOS_PER_HOUR, 6 * NANOS_PER_HOUR, 12 * NANOS_PER_HOUR, NANOS_PER_DAY,
    7 * NANOS_PER_DAY,  30 * NANOS_PER_DAY,
};

static Nanos step_for(Nanos span) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (span / steps[i] <= FEW) return steps[i];
    return span / FEW;
}

/* ---- collecting: the newest `limit` points are kept */
struct collect {
    struct arena *arena;
    struct view_point *points;
    size_t n, cap, limit;
    bool cut, raw;
};

static struct view_point point_of(const struct collect *c, const struct series_point *p) {
    if (c->raw) {
        double v = value_as_num(p->value);
        Value value = p->value;
        if (value.kind == VALUE_STRING) value.s = arena_str(c->arena, value.s);
        return (struct view_point){.time = p->time, .value = value, .avg = v, .min = v, .max = v, .count = 1};
    }
    bool numbers = !isnan(p->min); /* `last` is hidden where single samples are */
    return (struct view_point){.time = p->time,
                               .avg = numbers && p->count ? p->sum / (double)p->count : NAN,
                               .min = numbers ? p->min : NAN,
                               .max = numbers ? p->max : NAN,
                               .count = p->count};
}

static bool collect(void *ctx, const struct series_point *p) {
    struct collect *c = ctx;
    if (c->raw && c->n == c->limit) { /* newest first: what comes now is older */
        c->cut = true;
        return false;
    }
    VEC_PUSH(c->points, c->n, c->cap, point_of(c, p));
    return true;
}

static void reverse(struct view_point *points, size_t n) {
    for (size_t i = 0; i + 1 < n - i; i++) {
        struct view_point swap = points[i];
        points[i] = points[n - 1 - i];
        points[n - 1 - i] = swap;
    }
}

static void hand_out(struct collect *c, struct view_series *out) {
    size_t skip = !c->raw && c->n > c->limit ? c->n - c->limit : 0;
    if (c->raw && c->n > 0) reverse(c->points, c->n);
    out->n = c->n - skip;
    out->cut = c->cut || skip > 0;
    out->points = arena_zero(c->arena, out->n + 1, sizeof *out->points);
    for (size_t i = 0; i < out->n; i++) out->points[i] = c->points[skip + i];
}

static Err read_points(struct view *view, const struct lens *lens, ThingId thing, MetricId metric, size_t limit,
                       struct arena *arena, struct view_series *out) {
    struct collect c = {.arena = arena, .limit = limit, .raw = out->window == 0};
    struct series_query query = {.thing = thing,
                                 .metric = metric,
                                 .from = out->from,
                                 .to = out->to,
                                 .window = out->window,
                                 .newest_first = c.raw,
                                 .limit = c.raw ? limit + 1 : 0};
    Err err = series_read(view->options.series, lens, &query, collect, &c);
    if (err.code == ERR_NONE) hand_out(&c, out);
    free(c.points);
    return err;
}

/* When a machine last reported anything is not told under an agreement on some of its metrics. */
static void set_span(struct view *view, const struct lens *lens, const struct view_query *query, ThingId thing,
                     struct view_series *out) {
    Nanos now = clock_now(view->options.clock);
    Nanos last = thing && lens->agreement == 0 ? series_last_seen(view->options.series, thing) : 0;
    out->to = query->to ? query->to : (last ? last : now) + 1;
    if (query->to == 0 && lens->agreement != 0 && out->to > lens->to) out->to = lens->to;
    out->from = query->from ? query->from : out->to - SPAN_DEFAULT;
}

/* ---- an index: no level, only how it goes on from the first hour that is shown */

static bool take_first(void *ctx, const struct series_point *p) {
    double *base = ctx;
    bool numbers = !isnan(p->min); /* `last` is hidden where single samples are */
    *base = numbers && p->count ? p->sum / (double)p->count : NAN;
    return false;
}

static Err make_index(struct view *view, const struct lens *lens, ThingId thing, MetricId metric,
                      struct view_series *out) {
    struct series_query query = {
        .thing = thing, .metric = metric, .from = INT64_MIN / 2, .window = NANOS_PER_HOUR, .limit = 1};
    double base = NAN;
    TRY(series_read(view->options.series, lens, &query, take_first, &base));
    out->index = true;
    out->unit = (Str){0};
    double scale = base != 0 ? 100 / base : NAN;
    for (size_t i = 0; i < out->n; i++) {
        struct view_point *p = &out->points[i];
        double low = p->min * scale, high = p->max * scale;
        p->value = (Value){.kind = VALUE_NONE};
        p->avg *= scale;
        p->min = low < high ? low : high; /* a negative level turns them round */
        p->max = low < high ? high : low;
    }
    return err_none();
}

/* ---- */

static void add_baseline(struct view *view, ThingId thing, Str metric, struct view_series *out) {
    struct watch_thing seen;
    if (!view->options.watch || !watch_look(view->options.watch, thing, &seen) || !seen.model) return;
    for (size_t i = 0; i < seen.model->n_metrics && i < WATCH_METRICS_MAX; i++) {
        if (!str_eq_c(metric, seen.model->metrics[i].name)) continue;
        const struct watch_metric *m = &seen.metrics[i];
        out->has_baseline = !isnan(m->own_median) || !isnan(m->peer_median);
        out->baseline = (struct view_baseline){m->own_median, m->own_mad, m->peer_median, m->peer_mad};
    }
}

/* Raw when few, else windows; never finer than the lens. */
static Err read_span(struct view *view, const struct lens *lens, const struct view_query *query, ThingId thing,
                     MetricId metric, struct arena *arena, struct view_series *out) {
    size_t limit = query->limit ? query->limit : LIMIT_DEFAULT;
    if (limit > VIEW_POINTS_MAX) limit = VIEW_POINTS_MAX;
    bool automatic = query->window == VIEW_WINDOW_AUTO;
    out->window = automatic ? 0 : query->window;
    if (out->window < lens->resolution) out->window = lens->resolution;
    TRY(read_points(view, lens, thing, metric, automatic ? FEW : limit, arena, out));
    if (!automatic || !out->cut) return err_none();
    out->window = step_for(out->to - out->from);
    if (out->window < lens->resolution) out->window = lens->resolution;
    return read_points(view, lens, thing, metric, limit, arena, out);
}

Err view_series(struct view *view, const struct lens *lens, const struct view_query *query, struct arena *arena,
                struct view_series *out) {
    struct lens given;
    ThingId thing;
    MetricId metric;
    *out = (struct view_series){.thing = query->thing, .metric = query->metric};
    TRY(view_find(view, lens, query->thing, &thing));
    set_span(view, lens, query, thing, out);
    if (out->from >= out->to) return err_make(ERR_INVALID, "`from` is not before `to`: swap or widen them");
    const struct thing_model *model = view_model_of(view, lens->party, query->thing);
    const struct thing_metric *declared = model ? thing_model_metric(model, query->metric) : NULL;
    if (declared) out->unit = str_c(declared->unit);
    if (!thing || !series_find_metric(view->options.series, query->metric, &metric)) return err_none();
    if (!view_metric(view, lens, query->thing, query->metric, &given)) return err_none(); /* as one never reported */
    TRY(read_span(view, &given, query, thing, metric, arena, out));
    if (given.index) return make_index(view, &given, thing, metric, out);
    if (lens->agreement == 0 || !GATE_RULE_ON(CONDITION)) add_baseline(view, thing, query->metric, out);
    return err_none();
}
