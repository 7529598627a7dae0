#include "insight/watch_fleet.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/vec.h"
#include "insight/watch_catch.h"
#include "insight/watch_learn.h"
#include "insight/watch_peers.h"
#include "os/clock.h"

#define OPEN_MODEL UINT32_MAX
#define WARM_PAST (60 * NANOS_PER_DAY)
#define UNJUDGED_MAX 200000 /* values that an earlier run left and this one still judges */

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
    f->keeper = (struct watch_lean_keeper){.fs = options->fs, .dir = options->dir, .began = clock_monotonic()};
    return err_none();
}

void watch_fleet_fini(struct watch_fleet *f) {
    for (size_t i = 0; i < f->n_families; i++) {
        watch_learn_drop(f->families[i]->job);
        f->families[i]->job = NULL;
        watch_family_free(f->families[i]);
    }
    for (size_t i = 0; i < f->n_machines; i++) watch_judge_free(f->machines[i]);
    watch_lean_keep_fini(&f->keeper);
    watch_lean_fini(&f->leans);
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

/* Found or made (cold). */
static size_t machine_named(struct watch_fleet *f, PartyId party, Str name, const struct thing_model *model) {
    char text[300];
    uint64_t at;
    Str key = key_of(party, name, text);
    if (map_get(&f->by_name, key, &at)) return at;
    thread_lock(&f->lock);
    struct watch_machine *w = watch_judge_new(family_of(f, party, model), model, name);
    w->cold = true, f->n_cold++;
    if (map_get(&f->kept_by_name, key, &at)) watch_keep_restore(json_at(json_get(f->kept, "machines"), at), w);
    map_put(&f->by_name, key, f->n_machines);
    VEC_PUSH(f->machines, f->n_machines, f->machines_cap, w);
    thread_unlock(&f->lock);
    return f->n_machines - 1;
}

static void grow_ids(struct watch_fleet *f, ThingId id) {
    if (id < f->n_ids) return;
    size_t n = id + id / 2 + 64;
    uint32_t *grown = realloc(f->by_id, n * sizeof *grown);
    ASSERT(grown);
    memset(grown + f->n_ids, 0, (n - f->n_ids) * sizeof *grown);
    f->by_id = grown, f->n_ids = n;
}

static uint32_t add_lean(struct watch_fleet *f, ThingId id, PartyId party, const struct thing_model *model) {
    thread_lock(&f->lock);
    size_t at = watch_lean_add(&f->leans, family_of(f, party, model), model, id);
    f->leans.items[at]->cold = true, f->leans.n_cold++;
    thread_unlock(&f->lock);
    return (uint32_t)(at + 1) | WATCH_LEAN;
}

static uint32_t resolve(struct watch_fleet *f, ThingId id, PartyId party, Str name) {
    const struct thing_model *model = model_of(f, party, name);
    if (!model) return OPEN_MODEL;
    if (watch_lean_suits(model)) return add_lean(f, id, party, model);
    size_t at = machine_named(f, party, name, model);
    thread_lock(&f->lock);
    f->machines[at]->id = id;
    thread_unlock(&f->lock);
    return (uint32_t)at + 1;
}

/* Its cell of by_id; OPEN_MODEL too for a number that nobody has. */
static uint32_t cell_of(struct watch_fleet *f, ThingId id) {
    if (id < f->n_ids && f->by_id[id]) return f->by_id[id];
    PartyId party;
    Str name;
    if (!series_thing_name(f->options->series, id, &party, &name)) return OPEN_MODEL;
    uint32_t cell = resolve(f, id, party, name);
    thread_lock(&f->lock);
    grow_ids(f, id);
    f->by_id[id] = cell;
    thread_unlock(&f->lock);
    return cell;
}

static struct watch_lean *lean_at(const struct watch_fleet *f, uint32_t cell) {
    return cell != OPEN_MODEL && cell & WATCH_LEAN ? f->leans.items[(cell & ~WATCH_LEAN) - 1] : NULL;
}

static struct watch_machine *machine_at(const struct watch_fleet *f, uint32_t cell) {
    return cell & WATCH_LEAN ? NULL : f->machines[cell - 1]; /* an open model has that bit too */
}

static struct watch_lean *make_lean(void *fleet, ThingId id, Str name) {
    (void)name;
    struct watch_fleet *f = fleet;
    return lean_at(f, cell_of(f, id));
}

static void meet_machine(struct watch_machine *w, Nanos stored) {
    if (!w->cold) return;
    w->stored_until = stored;
    if (!w->kept_until) w->kept_until = stored; /* a store without our files: its past is past */
}

void watch_fleet_meet(struct watch_fleet *f) {
    uint32_t n = series_thing_count(f->options->series);
    if (f->options->dir) {
        Err err = watch_lean_keep_load(f->options->fs, f->options->dir, f->options->series, make_lean, f);
        if (err.code != ERR_NONE) LOG_WARN("watch.not_read", LOG_C("why", err.text));
    }
    for (ThingId id = 1; id <= n; id++) {
        uint32_t cell = cell_of(f, id);
        struct watch_lean *lean = lean_at(f, cell);
        struct watch_machine *w = machine_at(f, cell);
        Nanos stored = series_last_seen(f->options->series, id);
        if (w) meet_machine(w, stored);
        if (lean) lean->stored_until = stored;
    }
    size_t cold = 0; /* those that were not kept */
    for (size_t i = 0; i < f->leans.n; i++) cold += f->leans.items[i]->cold;
    f->leans.n_cold = cold;
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

/* One that needs no components any more goes on as a lean, met at its next row; its numbers are not comparable. */
static void retire(struct watch_fleet *f, size_t at) {
    struct watch_machine *w = f->machines[at];
    char key[300];
    map_del(&f->by_name, key_of(w->party, w->name, key));
    if (w->id && w->id < f->n_ids) f->by_id[w->id] = 0;
    if (w->cold) f->n_cold--;
    w->id = 0, w->cold = false;
}

static void change_lean(struct watch_fleet *f, struct watch_lean *w, const struct thing_model *model) {
    if (watch_lean_suits(model) && watch_family_fits(w->family, w->family->party, model)) {
        w->model = model;
        return;
    }
    f->by_id[w->id] = 0; /* met anew at its next row, from the store's past */
    if (w->cold) f->leans.n_cold--;
    w->id = 0, w->cold = false;
}

static void forget_machine(struct watch_fleet *f, size_t at) {
    const struct watch_machine *w = f->machines[at];
    const struct thing_model *model = model_of(f, w->party, w->name);
    if (!model || model == w->model) return; /* an open one goes on as it was until a restart */
    thread_lock(&f->lock);
    if (watch_lean_suits(model))
        retire(f, at);
    else
        change_model(f, at, model);
    f->next_cold = 0;
    thread_unlock(&f->lock);
}

static void forget_lean(struct watch_fleet *f, struct watch_lean *w) {
    PartyId party;
    Str name;
    if (!w->id || !series_thing_name(f->options->series, w->id, &party, &name)) return;
    const struct thing_model *model = model_of(f, party, name);
    if (!model || model == w->model) return;
    thread_lock(&f->lock);
    change_lean(f, w, model);
    thread_unlock(&f->lock);
}

void watch_fleet_forget_models(struct watch_fleet *f) {
    for (size_t i = 0; i < f->n_ids; i++)
        if (f->by_id[i] == OPEN_MODEL) f->by_id[i] = 0;
    for (size_t i = 0, n = f->n_machines; i < n; i++) forget_machine(f, i);
    for (size_t i = 0; i < f->leans.n; i++) forget_lean(f, f->leans.items[i]);
    f->leans.next_cold = 0;
}

void watch_fleet_told(struct watch_fleet *f, PartyId party, Str thing, Str component, Nanos at, bool failed) {
    const struct thing_model *model = model_of(f, party, thing);
    if (!model || watch_lean_suits(model)) return;
    size_t place = machine_named(f, party, thing, model); /* which may move the list */
    struct watch_machine *w = f->machines[place];
    int c = watch_family_component(w->family, component);
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

/* The past of a lean is read while there is nothing else to do; in a small fleet also before its first row. */
#define LEANS_FEW 4096

static void warm_lean(struct watch_fleet *f, struct watch_lean *w, Nanos until) {
    w->cold = false, f->leans.n_cold--;
    if (until) watch_catch_past(f, w, until - WARM_PAST, until + 1);
}

static bool warm_one_lean(struct watch_fleet *f) {
    while (f->leans.n_cold && f->leans.next_cold < f->leans.n) {
        struct watch_lean *w = f->leans.items[f->leans.next_cold++];
        if (!w->cold) continue;
        warm_lean(f, w, w->stored_until);
        return true;
    }
    return false;
}

bool watch_fleet_warm_one(struct watch_fleet *f, struct watch_findings *out) {
    while (f->n_cold && f->next_cold < f->n_machines) {
        struct watch_machine *w = f->machines[f->next_cold++];
        if (!w->cold || !w->id) continue; /* one that never reported has no past */
        warm(f, w, out);
        return true;
    }
    return warm_one_lean(f);
}

void watch_fleet_catch_up(struct watch_fleet *f, void (*said)(void *ctx, struct watch_findings *found), void *ctx,
                          struct watch_findings *out) {
    for (size_t i = 0; i < f->n_families; i++)
        if (watch_lean_suits(f->families[i]->like)) watch_catch_up(f, f->families[i], said, ctx, out);
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

static void lean_row(struct watch_fleet *f, struct watch_lean *w, const struct row *row, struct watch_findings *out) {
    if (w->cold && f->leans.n <= LEANS_FEW) warm_lean(f, w, w->stored_until ? w->stored_until : row->time - 1);
    if (w->cold) w->cold = false, f->leans.n_cold--; /* begins with what comes */
    if (row->time < w->last || row->time <= w->stored_until) {
        f->late_rows += row->time < w->last;
        return;
    }
    thread_lock(&f->lock);
    watch_lean_row(w, f->options->series, row, out);
    thread_unlock(&f->lock);
    f->judged_rows++;
}

void watch_fleet_prefetch(const struct watch_fleet *f, ThingId thing) {
    if (thing >= f->n_ids) return;
    const struct watch_lean *w = f->by_id[thing] ? lean_at(f, f->by_id[thing]) : NULL;
    if (w) __builtin_prefetch(w, 1), __builtin_prefetch((const char *)w + 64, 1);
}

static void machine_row(struct watch_fleet *f, struct watch_machine *w, const struct row *row,
                        struct watch_findings *out) {
    struct watch_value values[WATCH_METRICS_MAX];
    char number[NUM_TEXT_MAX];
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

void watch_fleet_row(struct watch_fleet *f, const struct row *row, struct watch_findings *out) {
    uint32_t cell = cell_of(f, row->thing);
    struct watch_lean *lean = lean_at(f, cell);
    struct watch_machine *w = machine_at(f, cell);
    if (lean)
        lean_row(f, lean, row, out);
    else if (w)
        machine_row(f, w, row, out);
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

bool watch_fleet_is_warming(const struct watch_fleet *f) { return f->n_cold > 0 || f->leans.n_cold > 0; }

bool watch_fleet_look(struct watch_fleet *f, ThingId thing, struct watch_thing *out) {
    thread_lock(&f->lock);
    uint32_t cell = thing < f->n_ids && f->by_id[thing] ? f->by_id[thing] : OPEN_MODEL;
    const struct watch_lean *lean = lean_at(f, cell);
    const struct watch_machine *w = machine_at(f, cell);
    if (lean) watch_lean_look(lean, out);
    if (w) watch_judge_look(w, out);
    if (lean || w) watch_peers_health(f, lean ? lean->family->party : w->party, out);
    thread_unlock(&f->lock);
    return lean || w;
}

uint64_t watch_fleet_baseline_bytes(const struct watch_fleet *f) {
    uint64_t bytes = f->leans.baseline_bytes;
    for (size_t i = 0; i < f->n_machines; i++) {
        const struct watch_machine *w = f->machines[i];
        bytes += w->family->n_tracked * sizeof *w->track_metrics + watch_lean_metrics(w->model) * sizeof *w->metrics;
    }
    return bytes;
}

uint64_t watch_fleet_bytes(const struct watch_fleet *f) {
    uint64_t bytes = f->n_ids * sizeof *f->by_id + watch_lean_bytes(&f->leans);
    for (size_t i = 0; i < f->n_machines; i++) bytes += watch_judge_bytes(f->machines[i]);
    return bytes;
}
