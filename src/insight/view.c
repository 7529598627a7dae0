#include "insight/view.h"

#include <math.h>
#include <stdlib.h>

#include "insight/view_inner.h"
#include "store/series.h"

#define OFFLINE_LEAST (15 * NANOS_PER_MIN)
#define OFFLINE_GAPS 3
#define WARN_BELOW 80.0

Err view_open(const struct view_options *options, struct view **out) {
    ASSERT(options->series && options->things && options->clock);
    struct view *view = calloc(1, sizeof *view);
    ASSERT(view);
    view->options = *options;
    *out = view;
    return err_none();
}

void view_close(struct view *view) { free(view); }

const char *view_state_name(enum view_state state) {
    static const char *const names[] = {"ok", "warning", "alarm", "offline"};
    return names[state];
}

static Err no_thing(Str thing) {
    return err_make(ERR_NOT_FOUND, "no machine '" STR_FMT "': see /api/v1/things", STR_ARG(str_slice(thing, 0, 100)));
}

Err view_find(struct view *view, const struct principal *who, Str thing, struct lens *lens, ThingId *id) {
    char model[64];
    TRY(gate_lens(who, NULL, "view", lens));
    bool reported = series_find_thing(view->options.series, lens->party, thing, id);
    if (!reported) *id = 0;
    return reported || things_model(view->options.things, lens->party, thing, model) ? err_none() : no_thing(thing);
}

static const struct thing_model *model_named(const struct view *view, Str name) {
    return view->options.model ? view->options.model(name) : NULL;
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

Err view_latest(struct view *view, const struct principal *who, Str thing, struct arena *arena,
                struct view_latest **out, size_t *n) {
    struct lens lens;
    ThingId id;
    *n = 0;
    TRY(view_find(view, who, thing, &lens, &id));
    struct series_latest *latest = NULL;
    if (id) TRY(series_latest(view->options.series, &lens, id, arena, &latest, n));
    const struct thing_model *model = view_model_of(view, lens.party, thing);
    struct ranked *ranked = arena_zero(arena, *n + 1, sizeof *ranked);
    for (size_t i = 0; i < *n; i++) {
        Str metric = series_metric_name(view->options.series, latest[i].metric);
        ranked[i] = (struct ranked){rank(model, metric), {metric, latest[i].time, latest[i].value}};
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

Err view_health(struct view *view, const struct principal *who, Str thing, struct arena *arena,
                struct view_health *out) {
    struct lens lens;
    ThingId id;
    *out = (struct view_health){.index = NAN};
    TRY(view_find(view, who, thing, &lens, &id));
    const struct thing_model *model = view_model_of(view, lens.party, thing);
    if (!model) return err_none();
    struct watch_thing seen;
    bool watched = look(view, id, &seen) && seen.model;
    struct thing_row row = {0};
    things_get(view->options.things, lens.party, thing, arena, &row);
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

static void fill(const struct view *view, const struct thing_row *row, struct view_thing *out) {
    struct watch_thing seen;
    ThingId id = 0;
    *out = (struct view_thing){.row = *row, .health = NAN};
    if (series_find_thing(view->options.series, row->party, row->name, &id))
        out->last_seen = series_last_seen(view->options.series, id);
    bool watched = look(view, id, &seen);
    if (watched) out->health = seen.health;
    out->state = state_of(&seen, watched, out->last_seen, clock_now(view->options.clock));
}

Err view_fleet(struct view *view, const struct principal *who, Str model, struct arena *arena, struct view_thing **out,
               size_t *n) {
    struct lens lens;
    struct thing_row *rows;
    *n = 0;
    TRY(gate_lens(who, NULL, "view", &lens));
    TRY(things_list(view->options.things, &lens, model, arena, &rows, n));
    *out = arena_zero(arena, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++) fill(view, &rows[i], &(*out)[i]);
    return err_none();
}

Err view_thing(struct view *view, const struct principal *who, Str name, struct arena *arena, struct view_thing *out) {
    struct lens lens;
    struct thing_row row;
    TRY(gate_lens(who, NULL, "view", &lens));
    if (!things_get(view->options.things, lens.party, name, arena, &row)) return no_thing(name);
    fill(view, &row, out);
    return err_none();
}

/* ---- registry and dead letters */
#define MODELS_MAX 256

Err view_models(struct view *view, const struct principal *who, struct arena *arena, struct watch_model **out,
                size_t *n) {
    struct lens lens;
    *n = 0;
    TRY(gate_lens(who, NULL, "view", &lens));
    *out = arena_zero(arena, MODELS_MAX, sizeof **out);
    if (!view->options.watch) return err_none();
    *n = watch_models(view->options.watch, *out, MODELS_MAX);
    if (*n > MODELS_MAX) *n = MODELS_MAX;
    return err_none();
}

Err view_dead_letters(struct view *view, const struct principal *who, uint64_t before_id, size_t limit,
                      struct arena *arena, struct dead_letter_row **out, size_t *n) {
    struct lens lens;
    *n = 0;
    TRY(gate_lens(who, NULL, "view", &lens));
    return series_dead_letters(view->options.series, &lens, before_id, limit, arena, out, n);
}
