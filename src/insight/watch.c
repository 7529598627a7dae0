#include "insight/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "insight/watch_inner.h"

#define QUEUE_DEFAULT ((size_t)16 << 20)
#define SAVE_EVERY (60 * NANOS_PER_S)

Str watch_key(PartyId party, Str thing, char out[300]) {
    int n = snprintf(out, 300, "%u/" STR_FMT, party, STR_ARG(str_slice(thing, 0, 280)));
    return str_n(out, (size_t)n);
}

/* ---- models of machine, and families of them */
static bool same_names(const struct thing_model *a, const struct thing_model *b) {
    if (a->n_metrics != b->n_metrics || a->n_components != b->n_components) return false;
    for (size_t i = 0; i < a->n_metrics; i++)
        if (strcmp(a->metrics[i].name, b->metrics[i].name) != 0) return false;
    for (size_t i = 0; i < a->n_components; i++)
        if (strcmp(a->components[i].name, b->components[i].name) != 0) return false;
    return true;
}

static struct watch_family *family_of(struct watch *w, const struct thing_model *model) {
    for (size_t i = 0; i < w->n_families; i++)
        if (same_names(w->families[i]->like, model)) return w->families[i];
    struct watch_family *f = calloc(1, sizeof *f);
    ASSERT(f);
    f->like = model;
    map_init(&f->codes);
    VEC_PUSH(w->families, w->n_families, w->cap_families, f);
    return f;
}

struct watch_family *watch_family_named(struct watch *w, Str model) {
    const struct thing_model *like = w->options.model_named ? w->options.model_named(model) : NULL;
    return like ? family_of(w, like) : NULL;
}

static struct watch_kind *kind_of(struct watch *w, const struct thing_model *model) {
    for (size_t i = 0; i < w->n_kinds; i++)
        if (w->kinds[i]->model == model) return w->kinds[i];
    struct watch_kind *k = calloc(1, sizeof *k);
    ASSERT(k);
    k->model = model;
    k->n_metrics = model->n_metrics < WATCH_INNER_METRICS ? model->n_metrics : WATCH_INNER_METRICS;
    k->n_components = model->n_components < WATCH_INNER_COMPONENTS ? model->n_components : WATCH_INNER_COMPONENTS;
    k->family = family_of(w, model);
    k->family->n_kinds++;
    for (size_t m = 0; m < k->n_metrics; m++) k->centre[m] = k->spread[m] = NAN;
    VEC_PUSH(w->kinds, w->n_kinds, w->cap_kinds, k);
    return k;
}

int watch_code(struct watch_family *family, Str code, bool make) {
    uint64_t number;
    if (map_get(&family->codes, code, &number)) return (int)number;
    if (!make || family->n_codes == FAILURE_CODES_MAX || code.len == 0) return -1;
    map_put(&family->codes, code, family->n_codes);
    char *copy = malloc(code.len + 1);
    ASSERT(copy);
    memcpy(copy, code.ptr, code.len);
    family->code_names[family->n_codes] = str_n(copy, code.len);
    return (int)family->n_codes++;
}

/* ---- things */
struct watch_labels *watch_labels_of(struct watch *w, PartyId party, Str thing) {
    char text[300];
    uint64_t found;
    Str key = watch_key(party, thing, text);
    if (map_get(&w->labels, key, &found)) return (struct watch_labels *)(uintptr_t)found;
    struct watch_labels *labels = calloc(1, sizeof *labels);
    ASSERT(labels);
    map_put(&w->labels, key, (uint64_t)(uintptr_t)labels);
    return labels;
}

static struct watched *make_thing(struct watch *w, ThingId id, PartyId party, Str name,
                                  const struct thing_model *model) {
    struct watched *t = calloc(1, sizeof *t);
    ASSERT(t);
    t->thing = id;
    t->party = party;
    t->name = name;
    t->kind = kind_of(w, model);
    t->labels = watch_labels_of(w, party, name);
    t->health = NAN;
    for (size_t c = 0; c < WATCH_INNER_COMPONENTS; c++) t->probability[c] = NAN;
    for (size_t m = 0; m < WATCH_INNER_METRICS; m++)
        t->shown[m] = (struct watch_metric){NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, NAN, false, false};
    failure_track_init(&t->track, t->metrics, t->kind->n_metrics, t->components, t->kind->n_components);
    t->labels->told = 0;
    w->n_things++;
    return t;
}

struct watched *watch_thing(struct watch *w, ThingId id) {
    if (id >= w->cap_things) {
        size_t before = w->cap_things;
        w->things = vec_grow(w->things, &w->cap_things, (size_t)id + 1, sizeof *w->things);
        memset(w->things + before, 0, (w->cap_things - before) * sizeof *w->things);
    }
    if (!w->things[id]) {
        PartyId party;
        Str name;
        bool known = series_thing_name(w->options.series, id, &party, &name);
        const struct thing_model *model = known ? w->options.model_of(w->options.model_ctx, party, name) : NULL;
        w->things[id] = model ? make_thing(w, id, party, name, model) : WATCH_INNER_OPEN;
    }
    return w->things[id] == WATCH_INNER_OPEN ? NULL : w->things[id];
}

static void forget_thing(struct watch *w, size_t id) {
    if (!w->things[id] || w->things[id] == WATCH_INNER_OPEN) return;
    free(w->things[id]);
    w->n_things--;
}

void watch_forget_models(struct watch *w) {
    thread_lock(&w->lock);
    for (size_t i = 0; i < w->cap_things; i++) {
        struct watched *t = w->things[i];
        if (t == WATCH_INNER_OPEN) w->things[i] = NULL;
        if (!t || t == WATCH_INNER_OPEN) continue;
        if (w->options.model_of(w->options.model_ctx, t->party, t->name) == t->kind->model) continue;
        forget_thing(w, i);
        w->things[i] = NULL;
    }
    thread_unlock(&w->lock);
}

/* ---- the queue */
void watch_rows(struct watch *w, const struct rows *rows) {
    size_t most = w->options.queue_bytes ? w->options.queue_bytes : QUEUE_DEFAULT;
    thread_lock(&w->lock);
    struct rows_cursor at = rows_start(rows);
    const char *begin = at.at;
    for (struct row row; w->started && rows_next(&at, &row); begin = at.at) {
        w->stats.rows++;
        w->stats.values += row.n_values;
        if (!watch_thing(w, row.thing)) {
            w->stats.open_rows++;
            continue;
        }
        Nanos since = 0;
        while (w->waiting.len > most && !w->stopping) {
            since = since ? since : clock_monotonic();
            thread_wait(&w->changed, &w->lock);
        }
        if (since) w->stats.waited += clock_monotonic() - since;
        if (w->waiting.len == 0) thread_broadcast(&w->changed);
        buf_add(&w->waiting, begin, (size_t)(at.at - begin));
    }
    thread_unlock(&w->lock);
}

/* Says what was found with the lock let go, because the listener may wait. */
void watch_say(struct watch *w) {
    size_t n = w->n_findings;
    w->n_findings = 0;
    w->stats.findings += n;
    thread_unlock(&w->lock);
    for (size_t i = 0; i < n; i++) w->options.sink(w->options.sink_ctx, &w->findings[i]);
    thread_lock(&w->lock);
}

static void judge_taken(struct watch *w) {
    struct rows rows = {.bytes = w->taken, .open_at = SIZE_MAX};
    struct rows_cursor at = rows_start(&rows);
    for (struct row row; rows_next(&at, &row);) {
        struct watched *t = watch_thing(w, row.thing);
        if (!t) continue;
        arena_reset(&w->scratch);
        watch_judge_row(w, t, &row);
        if (w->n_findings > 0) watch_say(w);
    }
    buf_clear(&w->taken);
}

static void judge(void *ctx) {
    struct watch *w = ctx;
    watch_keep_warm_up(w);
    thread_lock(&w->lock);
    Nanos saved = clock_monotonic();
    while (!w->stopping || w->waiting.len > 0) {
        if (w->waiting.len == 0) {
            w->busy = false;
            thread_broadcast(&w->changed);
            thread_wait_for(&w->changed, &w->lock, NANOS_PER_S);
        }
        if (w->waiting.len > 0) {
            struct buf swap = w->taken;
            w->taken = w->waiting;
            w->waiting = swap;
            w->busy = true;
            thread_broadcast(&w->changed);
            judge_taken(w);
        }
        if (clock_monotonic() - saved < SAVE_EVERY) continue;
        Err err = watch_keep_save(w);
        if (err.code != ERR_NONE) LOG_WARN("watch.save", LOG_C("reason", err.text));
        saved = clock_monotonic();
    }
    w->busy = false;
    thread_broadcast(&w->changed);
    thread_unlock(&w->lock);
}

static void train(void *ctx) {
    struct watch *w = ctx;
    thread_lock(&w->lock);
    while (!w->stopping) {
        struct watch_family *family = w->to_train;
        if (!family) {
            thread_wait(&w->changed, &w->lock);
            continue;
        }
        Nanos at = w->train_at;
        thread_unlock(&w->lock);
        watch_train_family(w, family, at);
        thread_lock(&w->lock);
        w->to_train = NULL;
        thread_broadcast(&w->changed);
    }
    thread_unlock(&w->lock);
}

void watch_drain(struct watch *w) {
    thread_lock(&w->lock);
    while (w->started && !w->stopping && (w->waiting.len > 0 || w->busy || w->to_train))
        thread_wait(&w->changed, &w->lock);
    thread_unlock(&w->lock);
}

/* ---- labels */
static void label(struct watch *w, PartyId party, Str thing, Str component, Nanos at, bool failed) {
    const struct thing_model *model = w->options.model_of(w->options.model_ctx, party, thing);
    const struct thing_component *found = model ? thing_model_component(model, component) : NULL;
    if (!found || (size_t)(found - model->components) >= WATCH_INNER_COMPONENTS) return;
    struct failure_label item = {.at = at, .component = (uint8_t)(found - model->components), .failed = failed};
    thread_lock(&w->lock);
    struct watch_labels *l = watch_labels_of(w, party, thing);
    size_t i = l->n;
    while (i > 0 && l->items[i - 1].at > at) i--;
    bool known = false;
    for (size_t k = 0; k < l->n; k++)
        known |= l->items[k].at == at && l->items[k].component == item.component && l->items[k].failed == failed;
    if (!known) {
        VEC_PUSH(l->items, l->n, l->cap, item);
        memmove(&l->items[i + 1], &l->items[i], (l->n - 1 - i) * sizeof *l->items);
        l->items[i] = item;
        if (i < l->told) l->told = i; /* told again from here: the later of two always stands in the end */
        if (failed) family_of(w, model)->failures++;
    }
    thread_unlock(&w->lock);
}

void watch_failed(struct watch *w, PartyId party, Str thing, Str component, Nanos at) {
    label(w, party, thing, component, at, true);
}

void watch_replaced(struct watch *w, PartyId party, Str thing, Str component, Nanos at) {
    label(w, party, thing, component, at, false);
}

/* ---- life */
Err watch_open(const struct watch_options *options, struct watch **out) {
    ASSERT(options->series && options->sink && options->model_of);
    struct watch *w = calloc(1, sizeof *w);
    ASSERT(w);
    w->options = *options;
    thread_mutex_init(&w->lock);
    thread_cond_init(&w->changed);
    map_init(&w->labels);
    map_init(&w->said);
    arena_init(&w->scratch, 0);
    Err err = watch_keep_load(w);
    if (err.code != ERR_NONE)
        watch_close(w);
    else
        *out = w;
    return err;
}

Err watch_start(struct watch *w) {
    w->started = w->busy = true; /* busy: with the warm-up */
    TRY(thread_start(&w->judge, "watch", judge, w));
    return thread_start(&w->trainer, "watch-train", train, w);
}

static void free_maps(struct watch *w) {
    Str key;
    uint64_t value;
    for (size_t at = 0; map_next(&w->labels, &at, &key, &value);) {
        free(((struct watch_labels *)(uintptr_t)value)->items);
        free((void *)(uintptr_t)value);
    }
    map_fini(&w->labels);
    map_fini(&w->said);
}

static void free_families(struct watch *w) {
    for (size_t i = 0; i < w->n_families; i++) {
        for (size_t c = 0; c < w->families[i]->n_codes; c++) free((void *)(uintptr_t)w->families[i]->code_names[c].ptr);
        map_fini(&w->families[i]->codes);
        free(w->families[i]);
    }
    for (size_t i = 0; i < w->n_kinds; i++) free(w->kinds[i]);
}

void watch_close(struct watch *w) {
    if (!w) return;
    thread_lock(&w->lock);
    w->stopping = true;
    thread_broadcast(&w->changed);
    thread_unlock(&w->lock);
    if (w->judge) thread_join(w->judge);
    if (w->trainer) thread_join(w->trainer);
    if (w->started) {
        Err err = watch_keep_save(w);
        if (err.code != ERR_NONE) LOG_WARN("watch.save", LOG_C("reason", err.text));
    }
    for (size_t i = 0; i < w->cap_things; i++) forget_thing(w, i);
    free_maps(w);
    free_families(w);
    free(w->things);
    free(w->kinds);
    free(w->families);
    free(w->said_list);
    free(w->models);
    buf_fini(&w->waiting);
    buf_fini(&w->taken);
    arena_fini(&w->scratch);
    thread_cond_fini(&w->changed);
    thread_mutex_fini(&w->lock);
    free(w);
}

/* ---- what is asked */
size_t watch_models(struct watch *w, struct watch_model *out, size_t max) {
    thread_lock(&w->lock);
    size_t n = w->n_models;
    for (size_t i = 0; i < n && i < max; i++) out[i] = w->models[n - 1 - i];
    thread_unlock(&w->lock);
    return n;
}

void watch_stats(struct watch *w, struct watch_stats *out) {
    thread_lock(&w->lock);
    *out = w->stats;
    out->things = w->n_things;
    out->bytes = w->n_things * sizeof(struct watched) + w->cap_things * sizeof *w->things;
    out->queue_bytes = w->waiting.len;
    thread_unlock(&w->lock);
}

static void copy_components(const struct watched *t, struct watch_thing *out) {
    for (size_t c = 0; c < t->kind->n_components; c++)
        out->components[c] = (struct watch_component){
            .failed_at = t->failed[c], .probability = t->probability[c], .predicted_at = t->predicted[c]};
    for (size_t i = 0; i < t->labels->n; i++) {
        const struct failure_label *l = &t->labels->items[i];
        if (l->at > out->components[l->component].replaced_at) out->components[l->component].replaced_at = l->at;
    }
}

bool watch_look(struct watch *w, ThingId id, struct watch_thing *out) {
    thread_lock(&w->lock);
    const struct watched *t = id && id < w->cap_things ? w->things[id] : NULL;
    bool watched = t && t != WATCH_INNER_OPEN;
    if (watched) {
        *out = (struct watch_thing){
            .model = t->kind->model, .last = t->last, .state = t->state, .health = t->health, .usual_gap = t->gap};
        memcpy(out->metrics, t->shown, sizeof t->shown);
        copy_components(t, out);
    }
    thread_unlock(&w->lock);
    return watched;
}
