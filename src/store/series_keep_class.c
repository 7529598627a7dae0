/*
 * Models are few and metrics are numbers, so what a model says of each metric is asked once a piece of work and then
 * looked up in an array.
 */
#include "store/series_keep_class.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "store/series_partition.h"

#define UNKNOWN UINT32_MAX
#define LATE_PART 4 /* a partition is at most a fourth of the time that its rows are kept */

struct model {
    const void *model;
    uint32_t *classes; /* [n], by metric */
    size_t n;
};

struct asked {
    uint32_t class;
    bool said;
};

struct series_keep_class {
    struct series_engine *engine;
    const struct series_keep_policy *policy;
    bool changing_held;
    struct model *models;
    struct asked *asked;
    size_t n_asked, cap_asked;
    size_t n_models, cap_models, at; /* at: of the thing at hand; SIZE_MAX: it has none */
};

struct series_keep_class *series_keep_class_new(struct series_engine *e, bool changing_held) {
    struct series_keep_class *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    c->engine = e, c->policy = e->options.keep, c->changing_held = changing_held, c->at = SIZE_MAX;
    return c;
}

void series_keep_class_free(struct series_keep_class *c) {
    for (size_t i = 0; i < c->n_models; i++) free(c->models[i].classes);
    free(c->models);
    free(c->asked);
    free(c);
}

bool series_keep_class_uniform(const struct series_keep_class *c) { return !c->policy || !c->policy->model_of; }

/* What is said, where nothing is said as usual. Of samples, for ever is 0. */
static struct series_keep complete(struct series_keep keep, struct series_keep usual) {
    if (keep.raw == 0) keep.raw = usual.raw;
    if (keep.raw == SERIES_KEEP_FOREVER) keep.raw = 0;
    for (size_t i = 0; i < SERIES_KEEP_LEVELS; i++)
        if (keep.rolled[i] == 0) keep.rolled[i] = usual.rolled[i];
    return keep;
}

static bool same_keep(const struct series_keep *a, const struct series_keep *b) { return memcmp(a, b, sizeof *a) == 0; }

/* With `changing` held: the class of what is kept so, made when there is none. */
static uint32_t find_class(struct series_engine *e, const struct series_keep *keep) {
    struct series_manifest *m = &e->manifest;
    struct series_keep plain = series_manifest_keep(m, 0);
    uint32_t number = 1;
    if (same_keep(keep, &plain)) return 0;
    for (size_t i = 0; i < m->n_classes; i++) {
        if (m->classes[i].number && same_keep(keep, &m->classes[i].keep)) return m->classes[i].number;
        if (m->classes[i].number >= number) number = m->classes[i].number + 1;
    }
    VEC_PUSH(m->classes, m->n_classes, m->cap_classes, ((struct series_manifest_class){number, *keep}));
    return number;
}

static uint32_t ask(struct series_keep_class *c, const void *model, MetricId metric) {
    PartyId party;
    Str name = {0};
    series_names_get(c->engine->front.names, SERIES_NAME_METRIC, metric, &party, &name);
    struct series_keep keep = c->policy->keep_of(c->policy->ctx, model, name);
    if (!c->changing_held) thread_lock(&c->engine->changing);
    keep = complete(keep, series_manifest_keep(&c->engine->manifest, 0));
    uint32_t class = find_class(c->engine, &keep);
    if (!c->changing_held) thread_unlock(&c->engine->changing);
    return class;
}

void series_keep_class_thing(struct series_keep_class *c, PartyId party, ThingId thing) {
    Str name = {0};
    c->at = SIZE_MAX;
    if (series_keep_class_uniform(c)) return;
    if (!series_names_get(c->engine->front.names, SERIES_NAME_THING, thing, &party, &name)) return;
    const void *model = c->policy->model_of(c->policy->ctx, party, name);
    if (!model) return;
    for (size_t i = 0; i < c->n_models && c->at == SIZE_MAX; i++)
        if (c->models[i].model == model) c->at = i;
    if (c->at != SIZE_MAX) return;
    c->at = c->n_models;
    VEC_PUSH(c->models, c->n_models, c->cap_models, ((struct model){.model = model}));
}

uint32_t series_keep_class_of(struct series_keep_class *c, MetricId metric) {
    if (c->at == SIZE_MAX) return 0;
    struct model *m = &c->models[c->at];
    if (metric >= m->n) {
        size_t n = m->n, cap = m->n;
        m->classes = vec_grow(m->classes, &cap, (size_t)metric + 1, sizeof *m->classes);
        for (m->n = cap; n < cap; n++) m->classes[n] = UNKNOWN;
    }
    if (m->classes[metric] == UNKNOWN) m->classes[metric] = ask(c, m->model, metric);
    return m->classes[metric];
}

unsigned series_keep_class_width(const struct series_keep *keep) {
    unsigned level = SERIES_PARTITION_LEVELS - 1;
    if (keep->raw == 0 || keep->raw == SERIES_KEEP_FOREVER) return level;
    for (; level > 0; level--) {
        struct series_partition window = series_partition_window(0, level);
        if (window.to - window.from <= keep->raw / LATE_PART) break;
    }
    return level;
}

unsigned series_keep_class_widest(const struct series_manifest *m) {
    unsigned widest = SERIES_PARTITION_LEVELS - 1;
    for (size_t i = 0; i < m->n_classes; i++) {
        unsigned width = series_keep_class_width(&m->classes[i].keep);
        if (width < widest) widest = width;
    }
    return widest;
}

static bool is_among_said(struct series_keep_class *c, const struct series_keep *keep) {
    struct series_keep said, usual = series_manifest_keep(&c->engine->manifest, 0);
    for (size_t i = 0; c->policy->said(c->policy->ctx, i, &said); i++) {
        said = complete(said, usual);
        if (same_keep(&said, keep)) return true;
    }
    return false;
}

bool series_keep_class_is_said(struct series_keep_class *c, uint32_t class) {
    if (class == 0 || !c->policy || !c->policy->said) return true;
    for (size_t i = 0; i < c->n_asked; i++)
        if (c->asked[i].class == class) return c->asked[i].said;
    if (!c->changing_held) thread_lock(&c->engine->changing);
    struct series_keep keep = series_manifest_keep(&c->engine->manifest, class);
    bool said = is_among_said(c, &keep);
    if (!c->changing_held) thread_unlock(&c->engine->changing);
    VEC_PUSH(c->asked, c->n_asked, c->cap_asked, ((struct asked){class, said}));
    return said;
}
