#include "serve/prometheus_select.h"

#include <stdlib.h>

#include "base/vec.h"
#include "serve/prometheus_regex.h"

#define CHUNK 256u
#define SPLIT_MAX 8u

struct metric {
    struct view_samples_metric is;
    Str shown;
    struct prometheus_label split[SPLIT_MAX];
    size_t n_split;
    bool seen;
};
struct tag {
    MetricId id;
    Str label;
    bool exact;
    Str name;
};
struct selecting {
    const struct prometheus_select *by;
    struct arena *arena;
    struct view_samples_metric *known;
    size_t n_known;
    struct metric *metrics;
    struct tag *tags;
    size_t n_metrics, n_tags;
    MetricId *asked; /* metrics, then tags */
    struct prometheus_labels labels;
    prometheus_select_sink *sink;
    void *ctx;
    bool enough;
};

/* ---- metrics */

static bool metric_fits(const struct prometheus_select *by, Str shown, Str name) {
    for (size_t i = 0; i < by->n_matchers; i++) {
        const struct prometheus_matcher *m = &by->matchers[i];
        if (str_eq_c(m->name, "__name__") && !prometheus_labels_match_metric(m, shown, name)) return false;
        if (str_eq_c(m->name, "metric") && !prometheus_labels_match(m, name)) return false;
    }
    return true;
}

static int by_label(const void *a, const void *b) {
    const struct tag *x = a, *y = b;
    if (x->exact != y->exact) return x->exact ? -1 : 1; /* of two that read alike, the one that is written so */
    return str_cmp(x->name, y->name);
}

static void know_metrics(struct selecting *s) {
    view_samples_metrics(s->by->view, s->arena, &s->known, &s->n_known);
    s->metrics = arena_zero(s->arena, s->n_known + 1, sizeof *s->metrics);
    s->tags = arena_zero(s->arena, s->n_known + 1, sizeof *s->tags);
    for (size_t i = 0; i < s->n_known; i++) {
        Str name = s->known[i].name;
        if (name.ptr[0] == '@') {
            Str tag = str_slice(name, 1, name.len), label = prometheus_labels_tag(tag, s->arena);
            s->tags[s->n_tags++] = (struct tag){s->known[i].id, label, str_eq(tag, label), tag};
            continue;
        }
        struct metric m = {.is = s->known[i], .shown = prometheus_labels_metric(name, s->arena)};
        if (!metric_fits(s->by, m.shown, name)) continue;
        m.n_split = prometheus_labels_split(name, m.split, SPLIT_MAX, s->arena);
        s->metrics[s->n_metrics++] = m;
    }
    qsort(s->tags, s->n_tags, sizeof *s->tags, by_label);
    s->asked = arena_zero(s->arena, s->n_metrics + s->n_tags + 1, sizeof *s->asked);
    for (size_t i = 0; i < s->n_metrics; i++) s->asked[i] = s->metrics[i].is.id;
    for (size_t i = 0; i < s->n_tags; i++) s->asked[s->n_metrics + i] = s->tags[i].id;
    s->labels.items = arena_zero(s->arena, s->n_tags + SPLIT_MAX + 8, sizeof *s->labels.items);
}

/* ---- things */

static bool thing_fits(void *ctx, Str name, Str model) {
    const struct prometheus_select *by = ctx;
    for (size_t i = 0; i < by->n_matchers; i++) {
        const struct prometheus_matcher *m = &by->matchers[i];
        if (str_eq_c(m->name, "thing") && !prometheus_labels_match(m, name)) return false;
        if (str_eq_c(m->name, "model") && !prometheus_labels_match(m, model)) return false;
    }
    return true;
}

static Str named_thing(const struct prometheus_select *by) {
    for (size_t i = 0; i < by->n_matchers; i++)
        if (by->matchers[i].op == PROMETHEUS_IS && str_eq_c(by->matchers[i].name, "thing"))
            return by->matchers[i].value;
    return (Str){0};
}

/* ---- series */

static bool labels_fit(const struct selecting *s) {
    for (size_t i = 0; i < s->by->n_matchers; i++) {
        const struct prometheus_matcher *m = &s->by->matchers[i];
        if (str_eq_c(m->name, "__name__")) continue; /* by either of its names, before */
        if (!prometheus_labels_match(m, prometheus_labels_get(&s->labels, m->name))) return false;
    }
    return true;
}

static void label(struct selecting *s, const struct view_samples_thing *thing, const struct metric *m,
                  const Value *tags) {
    const struct thing_metric *declared = view_samples_declared(s->by->view, thing->model, m->is.name);
    s->labels.n = 0;
    prometheus_labels_add(&s->labels, STR("__name__"), m->shown);
    prometheus_labels_add(&s->labels, STR("metric"), m->is.name);
    prometheus_labels_add(&s->labels, STR("thing"), thing->name);
    prometheus_labels_add(&s->labels, STR("model"), thing->model);
    if (declared) prometheus_labels_add(&s->labels, STR("unit"), str_c(declared->unit));
    for (size_t i = 0; i < m->n_split; i++) prometheus_labels_add(&s->labels, m->split[i].name, m->split[i].value);
    for (size_t i = 0; i < s->n_tags; i++)
        if (tags[i].kind == VALUE_STRING) prometheus_labels_add(&s->labels, s->tags[i].label, tags[i].s);
}

static void visit_thing(struct selecting *s, const struct view_samples_thing *things, size_t thing, const Value *values,
                        const Nanos *times) {
    bool first = true;
    for (size_t k = 0; k < s->n_metrics && !s->enough; k++) {
        if (values[k].kind == VALUE_NONE || values[k].kind == VALUE_STRING) continue;
        if (times[k] < s->by->since) continue;
        if (s->by->sample && !first && s->metrics[k].seen) continue;
        label(s, &things[thing], &s->metrics[k], values + s->n_metrics);
        if (!labels_fit(s)) continue;
        first = false;
        s->metrics[k].seen = true;
        s->enough = !s->sink(s->ctx, thing, k, &s->labels);
    }
}

static Err visit(struct selecting *s, const struct view_samples_thing *things, size_t n) {
    size_t width = s->n_metrics + s->n_tags;
    if (s->n_metrics == 0) return err_none();
    Value *values = calloc(CHUNK * width, sizeof *values);
    Nanos *times = calloc(CHUNK * width, sizeof *times);
    struct arena scratch = {0};
    Err err = err_none();
    ASSERT(values && times);
    for (size_t at = 0; at < n && !s->enough && err.code == ERR_NONE; at += CHUNK) {
        size_t some = n - at < CHUNK ? n - at : CHUNK;
        err =
            view_samples_latest(s->by->view, s->by->lens, things + at, some, s->asked, width, &scratch, values, times);
        for (size_t i = 0; i < some && err.code == ERR_NONE && !s->enough; i++)
            visit_thing(s, things, at + i, values + i * width, times + i * width);
        arena_reset(&scratch);
    }
    arena_fini(&scratch);
    free(values);
    free(times);
    return err;
}

static Err check_effort(const struct prometheus_select *by) {
    for (size_t i = 0; i < by->n_matchers; i++)
        if (by->matchers[i].regex && prometheus_regex_gave_up(by->matchers[i].regex))
            return err_make(ERR_LIMIT,
                            "the regular expression '%.100s' takes too long: write it without nested repetition",
                            by->matchers[i].value.len < 100 ? by->matchers[i].value.ptr : "…");
    return err_none();
}

Err prometheus_select_each(const struct prometheus_select *select, struct arena *arena,
                           struct prometheus_selection *selection, prometheus_select_sink *sink, void *ctx) {
    struct selecting s = {.by = select, .arena = arena, .sink = sink, .ctx = ctx};
    struct view_samples_thing *things;
    struct view_samples_metric *metrics;
    size_t n;
    know_metrics(&s);
    TRY(view_samples_things(select->view, select->lens, named_thing(select), thing_fits, (void *)(uintptr_t)select,
                            arena, &things, &n));
    metrics = arena_zero(arena, s.n_metrics + 1, sizeof *metrics);
    for (size_t i = 0; i < s.n_metrics; i++) metrics[i] = s.metrics[i].is;
    *selection = (struct prometheus_selection){things, n, metrics, s.n_metrics};
    TRY(visit(&s, things, n));
    return check_effort(select);
}
