#include "insight/view.h"

#include <math.h>
#include <stdlib.h>

#include "insight/view_inner.h"
#include "model/gate_rules.h"
#include "store/series.h"

#define OFFLINE_LEAST (15 * NANOS_PER_MIN)
#define OFFLINE_GAPS 3
#define WARN_BELOW 80.0

Err view_open(const struct view_options *options, struct view **out) {
    ASSERT(options->series && options->things && options->clock);
    struct view *view = calloc(1, sizeof *view);
    ASSERT(view);
    view->options = *options;
    view_fleet_init(view);
    *out = view;
    return err_none();
}

void view_close(struct view *view) {
    view_fleet_fini(view);
    free(view);
}

const char *view_state_name(enum view_state state) {
    static const char *const names[] = {"ok", "warning", "alarm", "offline"};
    return names[state];
}

static Err no_thing(Str thing) {
    return err_make(ERR_NOT_FOUND, "no machine '" STR_FMT "': see /api/v1/things", STR_ARG(str_slice(thing, 0, 100)));
}

/* The model's name, empty when the thing is not on record; names of unknown things are of no model. */
static bool model_name(const struct view *view, const struct lens *lens, Str thing, char out[64]) {
    out[0] = '\0';
    return things_model(view->options.things, lens->party, thing, out);
}

Err view_find(struct view *view, const struct lens *lens, Str thing, ThingId *id) {
    char model[64];
    bool reported = series_find_thing(view->options.series, lens->party, thing, id);
    bool known = model_name(view, lens, thing, model) || reported;
    if (!reported) *id = 0;
    return known && gate_shows_thing(lens, thing, str_c(model)) ? err_none() : no_thing(thing);
}

bool view_metric(const struct view *view, const struct lens *lens, Str thing, Str metric, struct lens *out) {
    char model[64];
    if (lens->agreement) model_name(view, lens, thing, model);
    return gate_lens_metric(lens, thing, lens->agreement ? str_c(model) : (Str){0}, metric,
                            clock_now(view->options.clock), out);
}

static Err owners_own(const struct lens *lens) {
    if (lens->agreement == 0 || !GATE_RULE_ON(CONDITION)) return err_none();
    return err_make(ERR_FORBIDDEN, "how a machine is, is its owner's own: no agreement gives it");
}

static const struct thing_model *model_named(const struct view *view, Str name) {
    return things_model_named(view->options.things, name);
}

const struct thing_model *view_model_of(const struct view *view, PartyId party, Str thing) {
    char name[64];
    return things_model(view->options.things, party, thing, name) ? model_named(view, str_c(name)) : NULL;
}

static bool look(const struct view *view, ThingId id, struct watch_thing *out) {
    return view->options.watch && id && watch_look(view->options.watch, id, out);
}

/* ---- the newest values */
static size_t rank(const struct thing_model *model, Str metric) {
    for (size_t i = 0; model && i < model->n_metrics; i++)
        if (str_eq_c(metric, model->metrics[i].name)) return i;
    return SIZE_MAX;
}

struct ranked {
    size_t rank;
    struct view_latest latest;
};

static int by_rank(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return str_cmp(x->latest.metric, y->latest.metric);
}

Err view_latest(struct view *view, const struct lens *lens, Str thing, struct arena *arena, struct view_latest **out,
                size_t *n) {
    ThingId id;
    size_t n_all = 0;
    *n = 0;
    TRY(view_find(view, lens, thing, &id));
    struct series_latest *latest = NULL;
    if (id) TRY(series_latest(view->options.series, lens, id, arena, &latest, &n_all));
    const struct thing_model *model = view_model_of(view, lens->party, thing);
    struct ranked *ranked = arena_zero(arena, n_all + 1, sizeof *ranked);
    for (size_t i = 0; i < n_all; i++) {
        struct lens given;
        Str metric = series_metric_name(view->options.series, latest[i].metric);
        if (!view_metric(view, lens, thing, metric, &given) || given.resolution > 0) continue;
        ranked[(*n)++] = (struct ranked){rank(model, metric), {metric, latest[i].time, latest[i].value}};
    }
    qsort(ranked, *n, sizeof *ranked, by_rank);
    *out = arena_zero(arena, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++) (*out)[i] = ranked[i].latest;
    return err_none();
}

/* ---- health */
static void explain(struct view_contributor *c, const struct thing_metric *metric, struct arena *arena) {
    bool own = fabs(c->own_z) >= fabs(c->peer_z) || isnan(c->peer_z);
    double usual = own ? c->own_median : c->peer_median, z = own ? c->own_z : c->peer_z;
    c->text_en = arena_printf(arena, "%s: 24 h mean %.4g %s, %s usual %.4g %s (%+.1f deviations)", metric->title_en,
                              c->value, metric->unit, own ? "its own" : "its peers'", usual, metric->unit, z);
    c->text_zh = arena_printf(arena, "%s：24 小时均值 %.4g %s，%s %.4g %s（偏离 %+.1f 倍标准差）", metric->title_zh,
                              c->value, metric->unit, own ? "自身常态" : "同型常态", usual, metric->unit, z);
}

static int by_points(const void *a, const void *b) {
    const struct view_contributor *x = a, *y = b;
    return (x->points_lost < y->points_lost) - (x->points_lost > y->points_lost);
}

static void add_contributors(const struct watch_thing *seen, struct arena *arena, struct view_health *out) {
    const struct thing_model *model = seen->model;
    out->contributors = arena_zero(arena, model->n_metrics + 1, sizeof *out->contributors);
    for (size_t i = 0; i < model->n_metrics && i < WATCH_METRICS_MAX; i++) {
        const struct watch_metric *m = &seen->metrics[i];
        if (!(m->points_lost > 0)) continue;
        struct view_contributor *c = &out->contributors[out->n_contributors++];
        *c = (struct view_contributor){.metric = str_c(model->metrics[i].name),
                                       .points_lost = m->points_lost,
                                       .own_z = m->own_z,
                                       .peer_z = m->peer_z,
                                       .value = m->value,
                                       .own_median = m->own_median,
                                       .peer_median = m->peer_median};
        explain(c, &model->metrics[i], arena);
    }
    qsort(out->contributors, out->n_contributors, sizeof *out->contributors, by_points);
}

static void add_components(const struct thing_model *model, const struct watch_thing *seen, Nanos commissioned,
                           Nanos now, struct arena *arena, struct view_health *out) {
    out->components = arena_zero(arena, model->n_components + 1, sizeof *out->components);
    out->n_components = model->n_components;
    for (size_t i = 0; i < model->n_components; i++) {
        const struct thing_component *c = &model->components[i];
        bool known = seen && i < WATCH_COMPONENTS_MAX;
        Nanos replaced = known && seen->components[i].replaced_at ? seen->components[i].replaced_at : commissioned;
        double age = replaced ? (double)(now - replaced) / (double)NANOS_PER_HOUR : NAN;
        out->components[i] = (struct view_component){
            .name = str_c(c->name),
            .title_en = str_c(c->title_en),
            .title_zh = str_c(c->title_zh),
            .probability = known ? seen->components[i].probability : NAN,
            .age_hours = age < 0 ? 0 : age,
            .life_hours = c->life_hours,
            .wear = c->life_hours > 0 ? (age < 0 ? 0 : age / c->life_hours) : NAN,
            .replaced_at = known ? seen->components[i].replaced_at : 0,
        };
    }
}

Err view_health(struct view *view, const struct lens *lens, Str thing, struct arena *arena, struct view_health *out) {
    ThingId id;
    *out = (struct view_health){.index = NAN};
    TRY(owners_own(lens));
    TRY(view_find(view, lens, thing, &id));
    const struct thing_model *model = view_model_of(view, lens->party, thing);
    if (!model) return err_none();
    struct watch_thing seen;
    bool watched = look(view, id, &seen) && seen.model;
    struct thing_row row = {0};
    things_get(view->options.things, lens->party, thing, arena, &row);
    if (watched) {
        out->known = !isnan(seen.health);
        out->index = seen.health;
        add_contributors(&seen, arena, out);
    }
    add_components(model, watched ? &seen : NULL, row.commissioned, clock_now(view->options.clock), arena, out);
    return err_none();
}

/* ---- the fleet */
static enum view_state state_of(const struct watch_thing *seen, bool watched, Nanos last_seen, Nanos now) {
    Nanos patience = OFFLINE_LEAST;
    if (watched && seen->usual_gap * OFFLINE_GAPS > patience) patience = seen->usual_gap * OFFLINE_GAPS;
    if (last_seen == 0 || now - last_seen > patience) return VIEW_OFFLINE;
    if (!watched) return VIEW_OK;
    if (seen->state == WATCH_ALARM) return VIEW_ALARM;
    return seen->state == WATCH_WARNING || seen->health < WARN_BELOW ? VIEW_WARNING : VIEW_OK;
}

void view_fill(const struct view *view, const struct lens *lens, const struct thing_row *row, struct view_thing *out) {
    struct watch_thing seen;
    ThingId id = 0;
    if (lens->agreement != 0 && GATE_RULE_ON(CONDITION)) {
        *out = (struct view_thing){.health = NAN};
        out->row = (struct thing_row){
            .party = row->party, .name = row->name, .model = row->model, .latitude = NAN, .longitude = NAN};
        return;
    }
    *out = (struct view_thing){.row = *row, .health = NAN};
    if (series_find_thing(view->options.series, row->party, row->name, &id))
        out->last_seen = series_last_seen(view->options.series, id);
    bool watched = look(view, id, &seen);
    if (watched) out->health = seen.health;
    out->state = state_of(&seen, watched, out->last_seen, clock_now(view->options.clock));
}

Err view_fleet(struct view *view, const struct lens *lens, Str model, struct arena *arena, struct view_thing **out,
               size_t *n) {
    struct thing_row *rows;
    size_t n_rows;
    *n = 0;
    TRY(things_list(view->options.things, lens, model, arena, &rows, &n_rows));
    *out = arena_zero(arena, n_rows + 1, sizeof **out);
    for (size_t i = 0; i < n_rows; i++)
        if (gate_shows_thing(lens, rows[i].name, rows[i].model)) view_fill(view, lens, &rows[i], &(*out)[(*n)++]);
    return err_none();
}

Err view_thing(struct view *view, const struct lens *lens, Str name, struct arena *arena, struct view_thing *out) {
    struct thing_row row;
    if (!things_get(view->options.things, lens->party, name, arena, &row) ||
        !gate_shows_thing(lens, row.name, row.model))
        return no_thing(name);
    view_fill(view, lens, &row, out);
    return err_none();
}

/* ---- registry and dead letters */
#define MODELS_MAX 256

Err view_models(struct view *view, const struct lens *lens, struct arena *arena, struct watch_model **out, size_t *n) {
    *n = 0;
    *out = arena_zero(arena, MODELS_MAX, sizeof **out);
    if (!view->options.watch || owners_own(lens).code != ERR_NONE) return err_none();
    *n = watch_models(view->options.watch, lens->every_party ? 0 : lens->party, *out, MODELS_MAX);
    if (*n > MODELS_MAX) *n = MODELS_MAX;
    return err_none();
}

Err view_dead_letters(struct view *view, const struct lens *lens, uint64_t before_id, size_t limit, struct arena *arena,
                      struct dead_letter_row **out, size_t *n) {
    *n = 0;
    TRY(owners_own(lens));
    return series_dead_letters(view->options.series, lens, before_id, limit, arena, out, n);
}
