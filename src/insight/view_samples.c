/* Batches of a thing come one after another from one worker, so a worker gathers one thing at a time and hands each of
 * its series on when the next thing begins: what is held is one thing a worker, however many things are asked for. */
#include "insight/view_samples.h"

#include <stdlib.h>

#include "base/vec.h"
#include "insight/view_inner.h"
#include "store/series_batch.h"

static Err own_alone(const struct lens *lens) {
    if (lens->agreement == 0 && lens->resolution == 0 && !lens->index) return err_none();
    return err_make(ERR_FORBIDDEN, "single samples are their owner's own: no agreement gives them here");
}

void view_samples_metrics(struct view *view, struct arena *arena, struct view_samples_metric **out, size_t *n) {
    MetricId last = 0;
    while (series_metric_name(view->options.series, last + 1).len > 0) last++;
    *out = arena_zero(arena, (size_t)last + 1, sizeof **out);
    *n = last;
    for (MetricId id = 1; id <= last; id++)
        (*out)[id - 1] = (struct view_samples_metric){id, series_metric_name(view->options.series, id)};
}

/* ---- things */

struct choosing {
    struct view *view;
    const struct lens *lens;
    bool (*wanted)(void *ctx, Str name, Str model);
    void *ctx;
    struct arena *arena;
    struct view_samples_thing *things;
    size_t n, cap;
};

static void consider(struct choosing *c, ThingId id, Str name) {
    char model[64] = "";
    things_model(c->view->options.things, c->lens->party, name, model);
    Str model_name = str_c(model);
    if (!gate_shows_thing(c->lens, name, model_name)) return;
    if (c->wanted && !c->wanted(c->ctx, name, model_name)) return;
    const struct thing_model *known = things_model_named(c->view->options.things, model_name);
    if (c->n > 0 && str_eq(c->things[c->n - 1].model, model_name))
        model_name = c->things[c->n - 1].model; /* most things are like the one before */
    else
        model_name = known ? str_c(known->name) : arena_str(c->arena, model_name);
    VEC_PUSH(c->things, c->n, c->cap, ((struct view_samples_thing){id, name, model_name}));
}

static void consider_all(struct choosing *c) {
    uint32_t count = series_thing_count(c->view->options.series);
    PartyId party;
    Str name;
    for (ThingId id = 1; id <= count; id++)
        if (series_thing_name(c->view->options.series, id, &party, &name) && party == c->lens->party)
            consider(c, id, name);
}

Err view_samples_things(struct view *view, const struct lens *lens, Str name,
                        bool (*wanted)(void *ctx, Str name, Str model), void *ctx, struct arena *arena,
                        struct view_samples_thing **out, size_t *n) {
    struct choosing c = {.view = view, .lens = lens, .wanted = wanted, .ctx = ctx, .arena = arena};
    ThingId id;
    TRY(own_alone(lens));
    if (name.len == 0)
        consider_all(&c);
    else if (series_find_thing(view->options.series, lens->party, name, &id))
        consider(&c, id, arena_str(arena, name));
    *out = arena_zero(arena, c.n + 1, sizeof **out);
    for (size_t i = 0; i < c.n; i++) (*out)[i] = c.things[i];
    *n = c.n;
    free(c.things);
    return err_none();
}

Err view_samples_latest(struct view *view, const struct lens *lens, const struct view_samples_thing *things,
                        size_t n_things, const MetricId *metrics, size_t n_metrics, struct arena *arena, Value *out,
                        Nanos *times) {
    TRY(own_alone(lens));
    ThingId *ids = arena_zero(arena, n_things + 1, sizeof *ids);
    for (size_t i = 0; i < n_things; i++) ids[i] = things[i].id;
    return series_batch_latest(view->options.series, lens, ids, n_things, metrics, n_metrics, arena, out, times);
}

const struct thing_metric *view_samples_declared(const struct view *view, Str model, Str metric) {
    const struct thing_model *known = model.len ? things_model_named(view->options.things, model) : NULL;
    return known ? thing_model_metric(known, metric) : NULL;
}

/* ---- scanning */

struct gathered {
    Nanos *times;
    double *values;
    size_t n, cap, cap_values;
};
struct gatherer { /* one worker's */
    ThingId thing;
    struct gathered *metrics; /* [n_metrics] */
    size_t held;
};
struct scanning {
    const struct view_samples_ask *ask;
    view_samples_sink *sink;
    void *ctx;
    struct gatherer gatherers[SERIES_ASK_WORKERS_MAX];
    _Atomic size_t held;
    atomic_bool full;
};

static size_t place_of(const struct view_samples_ask *ask, ThingId id) {
    size_t low = 0, high = ask->n_things;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (ask->things[middle].id <= id)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static bool hand_on(struct scanning *s, struct gatherer *g) {
    bool more = true;
    size_t place = g->thing ? place_of(s->ask, g->thing) : 0;
    for (size_t k = 0; k < s->ask->n_metrics; k++) {
        struct gathered *m = &g->metrics[k];
        if (more && m->n > 0) more = s->sink(s->ctx, place, k, m->times, m->values, m->n);
        m->n = 0;
    }
    atomic_fetch_sub(&s->held, g->held);
    g->held = 0;
    return more;
}

static bool has(const struct series_batch_column *c, size_t i) {
    return !c->present || (c->present[i / 64] >> i % 64 & 1);
}

static void add_column(struct gathered *out, const struct series_batch *batch, const struct series_batch_column *c) {
    if (c->n_present == 0) return;
    if (out->cap - out->n < batch->n) {
        out->times = vec_grow(out->times, &out->cap, out->n + batch->n, sizeof *out->times);
        out->values = vec_grow(out->values, &out->cap_values, out->cap, sizeof *out->values);
    }
    for (size_t i = 0; i < batch->n; i++) {
        double v;
        if (c->numbers_only) {
            if (!has(c, i)) continue;
            v = c->numbers[i];
        } else {
            if (c->values[i].kind == VALUE_NONE || c->values[i].kind == VALUE_STRING) continue;
            v = value_as_num(c->values[i]);
        }
        out->times[out->n] = batch->times[i];
        out->values[out->n++] = v;
    }
}

static bool take_batch(void *ctx, const struct series_batch *batch) {
    struct scanning *s = ctx;
    struct gatherer *g = &s->gatherers[batch->worker];
    if (batch->thing != g->thing) {
        if (!hand_on(s, g)) return false;
        g->thing = batch->thing;
    }
    size_t bytes = batch->n * s->ask->n_metrics * (sizeof(Nanos) + sizeof(double));
    g->held += bytes;
    if (atomic_fetch_add(&s->held, bytes) + bytes > s->ask->bytes) {
        atomic_store(&s->full, true);
        return false;
    }
    for (size_t k = 0; k < s->ask->n_metrics; k++) add_column(&g->metrics[k], batch, &batch->columns[k]);
    return true;
}

static Err scan(struct view *view, const struct lens *lens, struct scanning *s) {
    const struct view_samples_ask *ask = s->ask;
    ThingId *ids = calloc(ask->n_things + 1, sizeof *ids);
    ASSERT(ids);
    for (size_t i = 0; i < ask->n_things; i++) ids[i] = ask->things[i].id;
    struct series_ask read = {.things = ids,
                              .n_things = ask->n_things,
                              .metrics = ask->metrics,
                              .n_metrics = ask->n_metrics,
                              .from = ask->from,
                              .to = ask->to,
                              .workers = ask->workers > SERIES_ASK_WORKERS_MAX ? SERIES_ASK_WORKERS_MAX : ask->workers,
                              .cancel = ask->cancel};
    Err err = series_batch_scan(view->options.series, lens, &read, take_batch, s);
    free(ids);
    return err;
}

Err view_samples_scan(struct view *view, const struct lens *lens, const struct view_samples_ask *ask,
                      view_samples_sink *sink, void *ctx) {
    TRY(own_alone(lens));
    ASSERT(ask->n_metrics <= VIEW_SAMPLES_METRICS_MAX);
    if (ask->n_things == 0 || ask->n_metrics == 0 || ask->from >= ask->to) return err_none();
    struct scanning s = {.ask = ask, .sink = sink, .ctx = ctx};
    struct gathered *metrics = calloc(SERIES_ASK_WORKERS_MAX * ask->n_metrics, sizeof *metrics);
    ASSERT(metrics);
    for (size_t w = 0; w < SERIES_ASK_WORKERS_MAX; w++) s.gatherers[w].metrics = metrics + w * ask->n_metrics;
    Err err = scan(view, lens, &s);
    bool more = err.code == ERR_NONE && !atomic_load(&s.full);
    for (size_t w = 0; w < SERIES_ASK_WORKERS_MAX && more; w++) more = hand_on(&s, &s.gatherers[w]);
    for (size_t i = 0; i < SERIES_ASK_WORKERS_MAX * ask->n_metrics; i++) {
        free(metrics[i].times);
        free(metrics[i].values);
    }
    free(metrics);
    if (err.code != ERR_NONE || !atomic_load(&s.full)) return err;
    return err_make(ERR_LIMIT,
                    "more than %zu MiB of samples are needed at once: ask for a shorter time or fewer series",
                    ask->bytes >> 20);
}
