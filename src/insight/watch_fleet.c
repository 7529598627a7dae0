#include "insight/watch_fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/vec.h"
#include "insight/watch_learn.h"
#include "kernel/health.h"
#include "os/clock.h"

#define OPEN_MODEL UINT32_MAX
#define WARM_PAST (60 * NANOS_PER_DAY)
#define UNJUDGED_MAX 200000 /* values that an earlier run left and this one still judges */
#define PEERS_LEAST 3
#define PEERS_FRESH (NANOS_PER_S / 2)
#define WARN_BELOW 80.0

/* ---- begin and end */
static void index_kept(struct watch_fleet *f) {
    const struct json *list = f->kept ? json_get(f->kept, "machines") : NULL;
    for (size_t i = 0; list && i < json_len(list); i++) {
        char key[300];
        Str name = json_get_str(json_at(list, i), "thing", STR(""));
        snprintf(key, sizeof key, "%lld/" STR_FMT, (long long)json_get_int(json_at(list, i), "party", 0),
                 STR_ARG(str_slice(name, 0, 255)));
        map_put(&f->kept_by_name, str_c(key), i);
    }
}

Err watch_fleet_init(struct watch_fleet *f, const struct watch_options *options) {
    *f = (struct watch_fleet){.options = options};
    thread_mutex_init(&f->lock);
    map_init(&f->by_name);
    map_init(&f->kept_by_name);
    watch_keep_init(&f->registry);
    if (!options->dir) return err_none();
    TRY(file_make_dirs(options->fs, options->dir, "watch"));
    TRY(watch_keep_load_models(options->fs, options->dir, &f->registry));
    TRY(watch_keep_load_state(options->fs, options->dir, &f->kept));
    index_kept(f);
    return err_none();
}

void watch_fleet_fini(struct watch_fleet *f) {
    for (size_t i = 0; i < f->n_families; i++) {
        watch_learn_drop(f->families[i]->job);
        f->families[i]->job = NULL;
        watch_family_free(f->families[i]);
    }
    for (size_t i = 0; i < f->n_machines; i++) watch_judge_free(f->machines[i]);
    free(f->machines), free(f->families), free(f->peers), free(f->by_id);
    map_fini(&f->by_name);
    map_fini(&f->kept_by_name);
    json_free(f->kept);
    watch_keep_fini(&f->registry);
    thread_mutex_fini(&f->lock);
}

/* ---- machines and families */
static struct watch_family *family_of(struct watch_fleet *f, PartyId party, const struct thing_model *model) {
    for (size_t i = 0; i < f->n_families; i++)
        if (watch_family_fits(f->families[i], party, model)) return f->families[i];
    struct watch_family *family = watch_family_new(party, model);
    watch_keep_teach(&f->registry, family);
    VEC_PUSH(f->families, f->n_families, f->families_cap, family);
    return family;
}

static Str key_of(PartyId party, Str name, char out[300]) {
    int n = snprintf(out, 300, "%u/" STR_FMT, party, STR_ARG(str_slice(name, 0, 255)));
    return str_n(out, (size_t)n);
}

static const struct thing_model *model_of(const struct watch_fleet *f, PartyId party, Str name) {
    return f->options->model_of ? f->options->model_of(f->options->model_ctx, party, name) : NULL;
}

/* Found or made (cold); NULL: an open model. */
static struct watch_machine *machine_named(struct watch_fleet *f, PartyId party, Str name) {
    char text[300];
    uint64_t at;
    Str key = key_of(party, name, text);
    if (map_get(&f->by_name, key, &at)) return f->machines[at];
    const struct thing_model *model = model_of(f, party, name);
    if (!model) return NULL;
    thread_lock(&f->lock);
    struct watch_machine *w = watch_judge_new(family_of(f, party, model), model, name);
    w->cold = true, f->n_cold++;
    if (map_get(&f->kept_by_name, key, &at)) watch_keep_restore(json_at(json_get(f->kept, "machines"), at), w);
    map_put(&f->by_name, key, f->n_machines);
    VEC_PUSH(f->machines, f->n_machines, f->machines_cap, w);
    thread_unlock(&f->lock);
    return w;
}

static void grow_ids(struct watch_fleet *f, ThingId id) {
    if (id < f->n_ids) return;
    size_t n = id + id / 2 + 64;
    uint32_t *grown = realloc(f->by_id, n * sizeof *grown);
    ASSERT(grown);
    memset(grown + f->n_ids, 0, (n - f->n_ids) * sizeof *grown);
    f->by_id = grown, f->n_ids = n;
}

static struct watch_machine *machine_numbered(struct watch_fleet *f, ThingId id) {
    if (id < f->n_ids && f->by_id[id]) return f->by_id[id] == OPEN_MODEL ? NULL : f->machines[f->by_id[id] - 1];
    PartyId party;
    Str name;
    uint64_t at;
    char text[300];
    if (!series_thing_name(f->options->series, id, &party, &name)) return NULL;
    struct watch_machine *w = machine_named(f, party, name);
    thread_lock(&f->lock);
    grow_ids(f, id);
    f->by_id[id] = OPEN_MODEL;
    if (w && map_get(&f->by_name, key_of(party, name, text), &at)) {
        f->by_id[id] = (uint32_t)at + 1;
        w->id = id;
    }
    thread_unlock(&f->lock);
    return w;
}

void watch_fleet_meet(struct watch_fleet *f) {
    uint32_t n = series_thing_count(f->options->series);
    for (ThingId id = 1; id <= n; id++) {
        struct watch_machine *w = machine_numbered(f, id);
        if (!w || !w->cold) continue;
        w->stored_until = series_last_seen(f->options->series, id);
        if (!w->kept_until) w->kept_until = w->stored_until; /* a store without our files: its past is past */
    }
}

/* A thing whose model changed is met anew; what it was told stays with it. */
static void change_model(struct watch_fleet *f, size_t at, const struct thing_model *model) {
    struct watch_machine *old = f->machines[at];
    struct watch_machine *w = watch_judge_new(family_of(f, old->party, model), model, old->name);
    w->id = old->id, w->cold = true;
    w->kept_until = old->cold ? old->kept_until : old->last == INT64_MIN ? 0 : old->last;
    if (!old->cold) f->n_cold++;
    for (size_t i = 0; i < old->n_labels; i++) {
        Str component = str_c(old->model->components[old->labels[i].component].name);
        int c = watch_family_component(w->family, component);
        if (c >= 0) watch_judge_label(w, &(struct watch_label){old->labels[i].at, (uint8_t)c, old->labels[i].failed});
    }
    f->machines[at] = w;
    watch_judge_free(old);
}

void watch_fleet_forget_models(struct watch_fleet *f) {
    for (size_t i = 0; i < f->n_ids; i++)
        if (f->by_id[i] == OPEN_MODEL) f->by_id[i] = 0;
    for (size_t i = 0; i < f->n_machines; i++) {
        const struct thing_model *model = model_of(f, f->machines[i]->party, f->machines[i]->name);
        if (!model || model == f->machines[i]->model) continue; /* an open one goes on as it was until a restart */
        thread_lock(&f->lock);
        change_model(f, i, model);
        f->next_cold = 0;
        thread_unlock(&f->lock);
    }
}

void watch_fleet_told(struct watch_fleet *f, PartyId party, Str thing, Str component, Nanos at, bool failed) {
    struct watch_machine *w = machine_named(f, party, thing);
    int c = w ? watch_family_component(w->family, component) : -1;
    if (c < 0) return;
    thread_lock(&f->lock);
    watch_judge_label(w, &(struct watch_label){at, (uint8_t)c, failed});
    thread_unlock(&f->lock);
}

/* ---- learning */
struct counting {
    const struct watch_fleet *fleet;
    const struct watch_family *family;
};

static uint32_t failures_before(void *ctx, Nanos t) {
    const struct counting *c = ctx;
    uint32_t n = 0;
    for (size_t i = 0; i < c->fleet->n_machines; i++) {
        const struct watch_machine *w = c->fleet->machines[i];
        if (w->family != c->family) continue;
        for (size_t l = 0; l < w->n_labels && w->labels[l].at < t; l++) n += w->labels[l].failed;
    }
    return n;
}

static void start_learning(struct watch_fleet *f, struct watch_family *family, Nanos cutoff) {
    struct watch_pupil *pupils = calloc(f->n_machines + 1, sizeof *pupils);
    ASSERT(pupils);
    size_t n = 0;
    for (size_t i = 0; i < f->n_machines; i++) {
        const struct watch_machine *w = f->machines[i];
        if (w->family == family) pupils[n++] = (struct watch_pupil){w->id, w->name, w->labels, w->n_labels};
    }
    Err err =
        watch_learn_start(&(struct watch_learn_task){f->options->series, family, cutoff, pupils, n}, &family->job);
    free(pupils);
    family->job_applies = cutoff + WATCH_LEARN_APPLIES;
    f->trainings += err.code == ERR_NONE;
    if (err.code != ERR_NONE) LOG_WARN("watch.not_learnt", LOG_C("why", err.text));
}

static void apply_learning(struct watch_fleet *f, struct watch_family *family) {
    watch_learn_wait(family->job); /* outside the lock */
    thread_lock(&f->lock);
    if (watch_learn_apply(family->job, family)) {
        watch_keep_add(&f->registry, family);
        f->models_changed = true;
    }
    family->job = NULL;
    thread_unlock(&f->lock);
}

static void learn(struct watch_fleet *f, struct watch_family *family, Nanos at) {
    if (family->job && at >= family->job_applies) apply_learning(f, family);
    Nanos cutoff;
    if (watch_learn_due(family, at, failures_before, &(struct counting){f, family}, &cutoff))
        start_learning(f, family, cutoff);
}

void watch_fleet_wait_learning(struct watch_fleet *f) {
    for (size_t i = 0; i < f->n_families; i++)
        if (f->families[i]->job) watch_learn_wait(f->families[i]->job);
}

/* ---- rows */
static void judge(struct watch_fleet *f, struct watch_machine *w, Nanos at, const struct watch_value *values, size_t n,
                  struct watch_findings *out) {
    learn(f, w->family, at);
    thread_lock(&f->lock);
    watch_judge_row(w, at, values, n, out);
    thread_unlock(&f->lock);
    f->judged_rows++;
}

struct unjudged {
    struct watch_fleet *fleet;
    struct watch_machine *machine;
    struct watch_findings *out;
};

static void judge_unjudged(void *ctx, Nanos at, const struct watch_value *values, size_t n) {
    struct unjudged *u = ctx;
    judge(u->fleet, u->machine, at, values, n, u->out);
    u->machine->read_until = at;
}

static void warm(struct watch_fleet *f, struct watch_machine *w, struct watch_findings *out) {
    struct arena arena;
    struct watch_past past = {0};
    Nanos until = w->kept_until;
    arena_init(&arena, 0);
    w->cold = false, f->n_cold--;
    Err err = err_none();
    if (w->id && until) {
        err = watch_past_read(f->options->series, w->family, w->id, until - WARM_PAST, until + 1, &arena, &past);
        thread_lock(&f->lock);
        if (err.code == ERR_NONE) watch_past_warm(&past, w, until + 1);
        w->read_until = until;
        if (w->track.hour != INT64_MIN) w->last = until;
        thread_unlock(&f->lock);
    }
    if (err.code == ERR_NONE && w->id && w->stored_until > until)
        err = watch_past_rows(f->options->series, w->family, w->id, until, w->stored_until, UNJUDGED_MAX,
                              judge_unjudged, &(struct unjudged){f, w, out});
    if (err.code != ERR_NONE) LOG_WARN("watch.past", LOG_S("thing", w->name), LOG_C("why", err.text));
    watch_past_free(&past);
    arena_fini(&arena);
}

bool watch_fleet_warm_one(struct watch_fleet *f, struct watch_findings *out) {
    while (f->n_cold && f->next_cold < f->n_machines) {
        struct watch_machine *w = f->machines[f->next_cold++];
        if (!w->cold || !w->id) continue; /* one that never reported has no past */
        warm(f, w, out);
        return true;
    }
    return false;
}

/* A code metric may be a number; its text is the code. */
static size_t values_of(struct watch_fleet *f, struct watch_machine *w, const struct row *row,
                        struct watch_value values[WATCH_METRICS_MAX], char number[NUM_TEXT_MAX]) {
    size_t n = 0;
    for (struct row_value v = {0}; n < WATCH_METRICS_MAX && rows_next_value(row, &v);) {
        uint8_t role = watch_family_role(w->family, f->options->series, v.metric);
        if (role == WATCH_ROLE_NONE) continue;
        bool code = w->model->code_metric && strcmp(w->model->metrics[role].name, w->model->code_metric) == 0;
        double x = value_as_num(v.value);
        if (!code && isnan(x)) continue;
        values[n] = (struct watch_value){role, x, {0}};
        if (code) values[n].text = v.value.kind == VALUE_STRING ? v.value.s : num_format(x, number);
        n++;
    }
    return n;
}

void watch_fleet_row(struct watch_fleet *f, const struct row *row, struct watch_findings *out) {
    struct watch_machine *w = machine_numbered(f, row->thing);
    struct watch_value values[WATCH_METRICS_MAX];
    char number[NUM_TEXT_MAX];
    if (!w) return;
    if (w->cold) {
        if (!w->kept_until) w->kept_until = row->time - 1;
        warm(f, w, out);
    }
    if (row->time < w->last || row->time <= w->read_until) {
        f->late_rows += row->time < w->last;
        return;
    }
    size_t n = values_of(f, w, row, values, number);
    judge(f, w, row->time, values, n, out);
}

/* ---- state and looking */
void watch_fleet_state(const struct watch_fleet *f, struct buf *json) {
    struct jw w;
    buf_clear(json);
    jw_init(&w, json);
    watch_keep_state_begin(&w);
    for (size_t i = 0; i < f->n_machines; i++) watch_keep_state_machine(&w, f->machines[i]);
    watch_keep_state_end(&w);
}

static void make_peers(const struct watch_fleet *f, struct watch_peers *p) {
    double *values = malloc((f->n_machines + 1) * sizeof *values);
    ASSERT(values);
    for (size_t m = 0; m < p->model->n_metrics && m < WATCH_METRICS_MAX; m++) {
        size_t n = 0;
        for (size_t i = 0; i < f->n_machines; i++) {
            const struct watch_machine *w = f->machines[i];
            int8_t track = w->family->track_of[m];
            if (w->model != p->model || w->party != p->party || track < 0 || w->last == INT64_MIN) continue;
            values[n++] = failure_track_mean(&w->track, (size_t)track, 24, INT64_MIN, NULL);
        }
        n = stats_drop_nan(values, n);
        p->median[m] = p->mad[m] = NAN;
        if (n < PEERS_LEAST) continue;
        p->median[m] = stats_median(values, n);
        p->mad[m] = stats_mad(values, n, p->median[m]);
    }
    free(values);
    p->made = clock_monotonic();
}

static const struct watch_peers *peers_of(struct watch_fleet *f, PartyId party, const struct thing_model *model) {
    struct watch_peers *p = NULL;
    for (size_t i = 0; i < f->n_peers && !p; i++)
        if (f->peers[i].model == model && f->peers[i].party == party) p = &f->peers[i];
    if (!p) {
        VEC_PUSH(f->peers, f->n_peers, f->peers_cap, ((struct watch_peers){.model = model, .party = party}));
        p = &f->peers[f->n_peers - 1];
    }
    if (!p->made || clock_monotonic() - p->made > PEERS_FRESH) make_peers(f, p);
    return p;
}

static void add_health(struct watch_fleet *f, PartyId party, struct watch_thing *out) {
    struct health_metric health[WATCH_METRICS_MAX];
    const struct watch_peers *peers = peers_of(f, party, out->model);
    size_t n = out->model->n_metrics < WATCH_METRICS_MAX ? out->model->n_metrics : WATCH_METRICS_MAX;
    for (size_t m = 0; m < n; m++) {
        struct watch_metric *metric = &out->metrics[m];
        metric->peer_median = peers->median[m], metric->peer_mad = peers->mad[m];
        double spread = isnan(metric->own_mad) ? metric->peer_mad : fmax(metric->peer_mad, metric->own_mad);
        if (spread > 0) metric->peer_z = (metric->value - metric->peer_median) / spread;
        health[m] = (struct health_metric){metric->own_z, metric->peer_z, 0};
    }
    out->health = health_index(health, n);
    for (size_t m = 0; m < n; m++) out->metrics[m].points_lost = health[m].points_lost;
    if (out->health < WARN_BELOW && out->state < WATCH_WARNING) out->state = WATCH_WARNING;
}

bool watch_fleet_look(struct watch_fleet *f, ThingId thing, struct watch_thing *out) {
    thread_lock(&f->lock);
    bool known = thing < f->n_ids && f->by_id[thing] && f->by_id[thing] != OPEN_MODEL;
    if (known) {
        const struct watch_machine *w = f->machines[f->by_id[thing] - 1];
        watch_judge_look(w, out);
        add_health(f, w->party, out);
    }
    thread_unlock(&f->lock);
    return known;
}

uint64_t watch_fleet_bytes(const struct watch_fleet *f) {
    uint64_t bytes = f->n_ids * sizeof *f->by_id;
    for (size_t i = 0; i < f->n_machines; i++) bytes += watch_judge_bytes(f->machines[i]);
    return bytes;
}
