#include "insight/watch_family.h"

#include <stdlib.h>
#include <string.h>

static bool is_code_metric(const struct thing_model *model, const struct thing_metric *metric) {
    return model->code_metric && strcmp(model->code_metric, metric->name) == 0;
}

struct watch_family *watch_family_new(PartyId party, const struct thing_model *like) {
    struct watch_family *f = calloc(1, sizeof *f);
    ASSERT(f);
    arena_init(&f->arena, 0);
    f->party = party, f->like = like;
    f->n_components = like->n_components < FAILURE_COMPONENTS_MAX ? like->n_components : FAILURE_COMPONENTS_MAX;
    for (size_t i = 0; i < WATCH_METRICS_MAX; i++) f->track_of[i] = -1;
    size_t most = f->n_components ? FAILURE_METRICS_MAX : WATCH_METRICS_MAX;
    for (size_t i = 0; i < like->n_metrics && i < WATCH_METRICS_MAX && f->n_tracked < most; i++) {
        if (is_code_metric(like, &like->metrics[i])) continue;
        f->track_of[i] = (int8_t)f->n_tracked;
        f->tracked[f->n_tracked++] = (uint8_t)i;
    }
    return f;
}

void watch_family_free(struct watch_family *f) {
    if (!f) return;
    ASSERT(!f->job);
    free(f->role_of);
    arena_fini(&f->arena);
    free(f);
}

static bool same(const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

bool watch_family_fits(const struct watch_family *f, PartyId party, const struct thing_model *model) {
    const struct thing_model *like = f->like;
    if (f->party != party) return false;
    if (like == model) return true;
    if (like->n_metrics != model->n_metrics || like->n_components != model->n_components) return false;
    if (!same(like->code_metric, model->code_metric)) return false;
    for (size_t i = 0; i < like->n_metrics; i++)
        if (!same(like->metrics[i].name, model->metrics[i].name)) return false;
    for (size_t i = 0; i < like->n_components; i++)
        if (!same(like->components[i].name, model->components[i].name)) return false;
    return true;
}

static uint8_t find_role(const struct watch_family *f, Str name) {
    for (size_t i = 0; i < f->like->n_metrics && i < WATCH_METRICS_MAX; i++)
        if (str_eq_c(name, f->like->metrics[i].name)) return (uint8_t)i;
    return WATCH_ROLE_NONE;
}

uint8_t watch_family_role(struct watch_family *f, struct series *series, MetricId metric) {
    if (metric >= f->n_roles) {
        size_t n = metric + 64;
        uint8_t *grown = realloc(f->role_of, n);
        ASSERT(grown);
        memset(grown + f->n_roles, WATCH_ROLE_UNKNOWN, n - f->n_roles);
        f->role_of = grown, f->n_roles = n;
    }
    if (f->role_of[metric] == WATCH_ROLE_UNKNOWN) f->role_of[metric] = find_role(f, series_metric_name(series, metric));
    return f->role_of[metric];
}

uint8_t watch_family_code(struct watch_family *f, Str code) {
    code = str_slice(code, 0, WATCH_CODE_MAX);
    for (size_t i = 0; i < f->n_codes; i++)
        if (str_eq(f->codes[i], code)) return (uint8_t)i;
    if (f->n_codes == FAILURE_CODES_MAX) return FAILURE_CODES_MAX;
    f->codes[f->n_codes] = arena_str(&f->arena, code);
    return (uint8_t)f->n_codes++;
}

int watch_family_component(const struct watch_family *f, Str name) {
    for (size_t i = 0; i < f->n_components; i++)
        if (str_eq_c(name, f->like->components[i].name)) return (int)i;
    return -1;
}
