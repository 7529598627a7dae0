/*
 * Learning from what is kept: the rows before `until` are read back from the store, so a training after a restart
 * learns from the same past as one before it, and nothing later than `until` can leak in.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/vec.h"
#include "insight/watch_inner.h"
#include "trust/gate.h"

#define PAST (180 * NANOS_PER_DAY)
#define THINGS_MAX 200 /* of the family; the ones with failures first */
#define MODELS_MAX 256

struct sample {
    Nanos at;
    int metric; /* -1 - code for codes */
    double value;
};

struct reading {
    struct watch *watch;
    struct watch_family *family;
    struct watch_kind *kind;
    struct sample *samples;
    size_t n, cap;
};

static bool read_sample(void *ctx, const struct series_point *p) {
    struct reading *r = ctx;
    struct sample s = {.at = p->time, .value = value_as_num(p->value), .metric = -1};
    if (p->metric == r->kind->code && p->value.kind == VALUE_STRING) {
        thread_lock(&r->watch->lock);
        int code = watch_code(r->family, p->value.s, true);
        thread_unlock(&r->watch->lock);
        s.metric = -1 - code;
        if (code >= 0)
            s.metric = -1 - code;
        else
            return true;
        VEC_PUSH(r->samples, r->n, r->cap, s);
        return true;
    }
    for (size_t m = 0; m < r->kind->n_metrics; m++) {
        if (r->kind->metrics[m] != p->metric || isnan(s.value)) continue;
        s.metric = (int)m;
        VEC_PUSH(r->samples, r->n, r->cap, s);
    }
    return true;
}

static int by_time(const void *a, const void *b) {
    const struct sample *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->metric < y->metric) - (x->metric > y->metric); /* values before codes */
}

/* Samples of one time become one moment. */
static void gather(const struct reading *r, struct arena *arena, struct failure_machine *out) {
    struct failure_moment *moments = arena_zero(arena, r->n + 1, sizeof *moments);
    double *values = NULL; /* of the moment being gathered */
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++) {
        const struct sample *s = &r->samples[i];
        if (n == 0 || moments[n - 1].at != s->at) moments[n++] = (struct failure_moment){.at = s->at};
        struct failure_moment *m = &moments[n - 1];
        if (s->metric < 0) {
            m->codes |= UINT64_C(1) << (-1 - s->metric);
            continue;
        }
        if (!m->values) {
            values = arena_alloc(arena, r->kind->n_metrics * sizeof *values);
            for (size_t k = 0; k < r->kind->n_metrics; k++) values[k] = NAN;
            m->values = values;
        }
        values[s->metric] = s->value;
    }
    out->moments = moments;
    out->n_moments = n;
}

static Err read_machine(struct watch *w, struct watched *t, Nanos until, struct arena *arena,
                        struct failure_machine *out) {
    struct lens lens = gate_lens_system("failure model training");
    struct reading r = {.watch = w, .family = t->kind->family, .kind = t->kind};
    struct series_query query = {.thing = t->thing, .from = until - PAST, .to = until};
    Err err = series_read(w->options.series, &lens, &query, read_sample, &r);
    if (r.n > 0) qsort(r.samples, r.n, sizeof *r.samples, by_time);
    gather(&r, arena, out);
    free(r.samples);
    return err;
}

static void copy_labels(const struct watched *t, Nanos until, struct arena *arena, struct failure_machine *out) {
    struct failure_label *labels = arena_zero(arena, t->labels->n + 1, sizeof *labels);
    for (size_t i = 0; i < t->labels->n && t->labels->items[i].at < until; i++)
        labels[out->n_labels++] = t->labels->items[i];
    out->labels = labels;
}

/* Which machines to learn from, with their labels as they stand now. */
static size_t choose_things(struct watch *w, struct watch_family *family, Nanos until, struct arena *arena,
                            struct watched *things[THINGS_MAX], struct failure_machine machines[THINGS_MAX]) {
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < w->cap_things && n < THINGS_MAX; i++) {
            struct watched *t = w->things[i];
            if (!t || t == WATCH_INNER_OPEN || t->kind->family != family || (t->labels->n > 0) != (pass == 0)) continue;
            machines[n] = (struct failure_machine){0};
            copy_labels(t, until, arena, &machines[n]);
            things[n++] = t;
        }
    return n;
}

static void name_row(struct watch_family *family, Nanos until, const struct failure_counts *counts,
                     struct watch_model *row) {
    int year, month, day, hour, minute, second;
    time_civil(until, &year, &month, &day, &hour, &minute, &second);
    snprintf(row->name, sizeof row->name, "failure-48h %.30s%s %04d-%02d-%02d", family->like->name,
             family->n_kinds > 1 ? "…" : "", year, month, day);
    row->trained_at = until;
    row->tested = counts->failures;
    row->foreseen_24h = counts->foreseen_24h;
    row->foreseen = counts->foreseen;
    row->false_alarms = counts->false_alarms;
    row->machine_months = counts->machine_months;
}

static void adopt(struct watch *w, struct watch_family *family, const struct failure_model *model,
                  const struct watch_model *row, uint32_t taught) {
    family->model = *model;
    family->has_model = true;
    family->row = *row;
    family->trained_at = row->trained_at;
    family->taught = taught;
    if (w->n_models == MODELS_MAX) {
        w->n_models--;
        for (size_t i = 0; i < w->n_models; i++) w->models[i] = w->models[i + 1];
    }
    VEC_PUSH(w->models, w->n_models, w->cap_models, *row);
    w->stats.trainings++;
    LOG_INFO("watch.trained", LOG_C("model", row->name), LOG_I("failures", row->failures), LOG_I("things", row->things),
             LOG_F("threshold", row->threshold), LOG_I("foreseen_24h", row->foreseen_24h), LOG_I("tested", row->tested),
             LOG_I("false", row->false_alarms));
}

static uint32_t count_failures(const struct failure_fleet *fleet) {
    uint32_t n = 0;
    for (size_t i = 0; i < fleet->n_machines; i++)
        for (size_t l = 0; l < fleet->machines[i].n_labels; l++) n += fleet->machines[i].labels[l].failed;
    return n;
}

void watch_train_family(struct watch *w, struct watch_family *family, Nanos until) {
    struct arena arena;
    arena_init(&arena, 0);
    struct watched **things = arena_zero(&arena, THINGS_MAX, sizeof(struct watched *));
    struct failure_machine *machines = arena_zero(&arena, THINGS_MAX, sizeof *machines);
    thread_lock(&w->lock);
    uint32_t taught = family->failures;
    size_t n = choose_things(w, family, until, &arena, things, machines);
    thread_unlock(&w->lock);
    Err err = err_none();
    Nanos first = until;
    for (size_t i = 0; i < n && err.code == ERR_NONE; i++) {
        err = read_machine(w, things[i], until, &arena, &machines[i]);
        if (machines[i].n_moments && machines[i].moments[0].at < first) first = machines[i].moments[0].at;
    }
    struct failure_fleet fleet = {machines, n, family->like->n_metrics, family->like->n_components, family->n_codes};
    struct failure_span span = {.from = until - PAST, .to = until};
    struct failure_model *model = arena_zero(&arena, 1, sizeof *model);
    struct failure_counts counts = {0};
    struct watch_model row = {.from = first, .to = until, .things = (uint32_t)n};
    if (err.code == ERR_NONE)
        failure_train(&fleet, &span, &(struct failure_plan){0}, &arena, model, &counts);
    else
        LOG_WARN("watch.train", LOG_C("reason", err.text));
    row.failures = count_failures(&fleet);
    row.threshold = model->threshold;
    name_row(family, until, &counts, &row);
    thread_lock(&w->lock);
    family->training = false;
    family->trained_at = until;
    if (err.code == ERR_NONE) adopt(w, family, model, &row, taught);
    thread_unlock(&w->lock);
    arena_fini(&arena);
}
