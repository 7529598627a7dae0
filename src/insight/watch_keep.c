#include "insight/watch_keep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "os/file.h"

#define VERSION 1
#define BYTES_MAX ((size_t)256 << 20)

void watch_keep_init(struct watch_registry *r) {
    *r = (struct watch_registry){0};
    arena_init(&r->arena, 0);
}

void watch_keep_fini(struct watch_registry *r) {
    free(r->items);
    arena_fini(&r->arena);
    *r = (struct watch_registry){0};
}

/* ---- families and their lines */
static bool line_fits(const struct watch_kept_model *k, const struct watch_family *f) {
    if (k->party != f->party || k->n_metrics != f->n_tracked || k->n_components != f->n_components) return false;
    for (size_t i = 0; i < k->n_metrics; i++)
        if (!str_eq_c(k->metrics[i], f->like->metrics[f->tracked[i]].name)) return false;
    for (size_t i = 0; i < k->n_components; i++)
        if (!str_eq_c(k->components[i], f->like->components[i].name)) return false;
    return true;
}

void watch_keep_add(struct watch_registry *r, const struct watch_family *f) {
    for (size_t i = 0; i < r->n; i++)
        if (r->items[i].whole && line_fits(&r->items[i], f)) r->items[i].whole = false;
    if (r->n == WATCH_KEEP_ROWS) memmove(r->items, r->items + 1, --r->n * sizeof *r->items);
    struct watch_kept_model k = {.party = f->party,
                                 .row = f->row,
                                 .whole = true,
                                 .model = f->model,
                                 .cutoff = f->taught_cutoff,
                                 .failures = f->taught_failures};
    k.n_metrics = f->n_tracked, k.n_components = f->n_components, k.n_codes = f->model.n_codes;
    k.metrics = arena_zero(&r->arena, k.n_metrics + 1, sizeof(Str));
    k.components = arena_zero(&r->arena, k.n_components + 1, sizeof(Str));
    k.codes = arena_zero(&r->arena, k.n_codes + 1, sizeof(Str));
    for (size_t i = 0; i < k.n_metrics; i++) k.metrics[i] = str_c(f->like->metrics[f->tracked[i]].name);
    for (size_t i = 0; i < k.n_components; i++) k.components[i] = str_c(f->like->components[i].name);
    for (size_t i = 0; i < k.n_codes; i++) k.codes[i] = arena_str(&r->arena, f->codes[i]);
    VEC_PUSH(r->items, r->n, r->cap, k);
}

void watch_keep_teach(const struct watch_registry *r, struct watch_family *f) {
    for (size_t i = r->n; i-- > 0;) {
        const struct watch_kept_model *k = &r->items[i];
        if (!k->whole || !line_fits(k, f)) continue;
        for (size_t e = 0; e < k->n_codes; e++) watch_family_code(f, k->codes[e]);
        f->model = k->model, f->row = k->row, f->taught = true;
        f->taught_cutoff = k->cutoff, f->taught_failures = k->failures;
        return;
    }
}

/* ---- writing */
static void put_numbers(struct jw *w, const char *key, const double *v, size_t n) {
    jw_key(w, key);
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_num(w, v[i]);
    jw_array_end(w);
}

static void put_names(struct jw *w, const char *key, const Str *names, size_t n) {
    jw_key(w, key);
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, names[i]);
    jw_array_end(w);
}

static void put_row(struct jw *w, const struct watch_model *row) {
    jw_kc(w, "name", row->name);
    jw_kint(w, "trained_at", row->trained_at);
    jw_kint(w, "from", row->from), jw_kint(w, "to", row->to);
    jw_kint(w, "things", row->things), jw_kint(w, "failures", row->failures);
    jw_knum(w, "threshold", row->threshold);
    jw_kint(w, "tested", row->tested), jw_kint(w, "foreseen_24h", row->foreseen_24h);
    jw_kint(w, "foreseen", row->foreseen), jw_kint(w, "false_alarms", row->false_alarms);
    jw_knum(w, "machine_months", row->machine_months);
}

static void put_model(struct jw *w, const struct watch_kept_model *k) {
    const struct failure_model *m = &k->model;
    put_names(w, "metrics", k->metrics, k->n_metrics);
    put_names(w, "components", k->components, k->n_components);
    put_names(w, "codes", k->codes, k->n_codes);
    put_numbers(w, "centre", m->kind.centre, k->n_metrics);
    put_numbers(w, "spread", m->kind.spread, k->n_metrics);
    put_numbers(w, "daily_spread", m->kind.daily_spread, k->n_metrics);
    put_numbers(w, "life_hours", m->mean_life_hours, k->n_components);
    jw_key(w, "learnt");
    jw_array(w);
    for (size_t c = 0; c < k->n_components; c++) {
        jw_object(w);
        jw_kint(w, "failures", m->failures[c]);
        put_numbers(w, "filter", m->filter[c], k->n_metrics);
        put_numbers(w, "there", m->code_there[c], k->n_codes);
        put_numbers(w, "absent", m->code_absent[c], k->n_codes);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_knum(w, "bias", m->bias);
    put_numbers(w, "weight", m->weight, FAILURE_FEATURES);
    put_numbers(w, "middle", m->middle, FAILURE_FEATURES);
    put_numbers(w, "scale", m->scale, FAILURE_FEATURES);
}

static Err save(struct file_system *fs, const char *dir, const char *name, Str json) {
    char path[1024];
    snprintf(path, sizeof path, "%.1000s/%s", dir, name);
    return file_replace(fs, path, json, "watch");
}

Err watch_keep_save_models(struct file_system *fs, const char *dir, const struct watch_registry *r) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_object(&w);
    jw_kint(&w, "version", VERSION);
    jw_key(&w, "models");
    jw_array(&w);
    for (size_t i = 0; i < r->n; i++) {
        const struct watch_kept_model *k = &r->items[i];
        jw_object(&w);
        jw_kint(&w, "party", k->party);
        jw_kint(&w, "cutoff", k->cutoff), jw_kint(&w, "known_failures", k->failures);
        put_row(&w, &k->row);
        if (k->whole) put_model(&w, k);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
    Err err = save(fs, dir, "models.json", buf_view(&out));
    buf_fini(&out);
    return err;
}

/* ---- reading: what has the wrong shape is refused whole */
static bool get_numbers(const struct json *from, const char *key, double *out, size_t n) {
    const struct json *list = json_get(from, key);
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) != n) return false;
    for (size_t i = 0; i < n; i++) {
        const struct json *v = json_at(list, i);
        enum json_kind kind = json_kind(v);
        if (kind != JSON_INT && kind != JSON_REAL && kind != JSON_NULL) return false;
        out[i] = kind == JSON_NULL ? NAN : json_num(v);
    }
    return true;
}

static bool get_names(struct arena *arena, const struct json *from, const char *key, size_t max, Str **out, size_t *n) {
    const struct json *list = json_get(from, key);
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) > max) return false;
    *n = json_len(list);
    *out = arena_zero(arena, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++) {
        if (json_kind(json_at(list, i)) != JSON_STRING) return false;
        (*out)[i] = arena_str(arena, json_str(json_at(list, i)));
    }
    return true;
}

static bool get_learnt(const struct json *from, struct watch_kept_model *k) {
    const struct json *list = json_get(from, "learnt");
    struct failure_model *m = &k->model;
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) != k->n_components) return false;
    for (size_t c = 0; c < k->n_components; c++) {
        const struct json *one = json_at(list, c);
        m->failures[c] = (uint32_t)json_get_int(one, "failures", 0);
        if (!get_numbers(one, "filter", m->filter[c], k->n_metrics) ||
            !get_numbers(one, "there", m->code_there[c], k->n_codes) ||
            !get_numbers(one, "absent", m->code_absent[c], k->n_codes))
            return false;
    }
    return true;
}

static bool get_model(struct arena *arena, const struct json *from, struct watch_kept_model *k) {
    struct failure_model *m = &k->model;
    bool ok = get_names(arena, from, "metrics", FAILURE_METRICS_MAX, &k->metrics, &k->n_metrics) &&
              get_names(arena, from, "components", FAILURE_COMPONENTS_MAX, &k->components, &k->n_components) &&
              get_names(arena, from, "codes", FAILURE_CODES_MAX, &k->codes, &k->n_codes) &&
              get_numbers(from, "centre", m->kind.centre, k->n_metrics) &&
              get_numbers(from, "spread", m->kind.spread, k->n_metrics) &&
              get_numbers(from, "daily_spread", m->kind.daily_spread, k->n_metrics) &&
              get_numbers(from, "life_hours", m->mean_life_hours, k->n_components) && get_learnt(from, k) &&
              get_numbers(from, "weight", m->weight, FAILURE_FEATURES) &&
              get_numbers(from, "middle", m->middle, FAILURE_FEATURES) &&
              get_numbers(from, "scale", m->scale, FAILURE_FEATURES);
    m->n_metrics = k->n_metrics, m->n_components = k->n_components, m->n_codes = k->n_codes;
    m->bias = json_get_num(from, "bias", NAN), m->threshold = k->row.threshold;
    for (size_t f = 0; ok && f < FAILURE_FEATURES; f++) ok = m->scale[f] > 0 && isfinite(m->weight[f]);
    return ok && isfinite(m->bias);
}

static bool get_line(struct arena *arena, const struct json *from, struct watch_kept_model *k) {
    if (json_kind(from) != JSON_OBJECT) return false;
    struct watch_model *row = &k->row;
    Str name = str_slice(json_get_str(from, "name", STR("")), 0, sizeof row->name - 1);
    if (name.len) memcpy(row->name, name.ptr, name.len);
    k->party = (PartyId)json_get_int(from, "party", 0);
    k->cutoff = json_get_int(from, "cutoff", 0), k->failures = (uint32_t)json_get_int(from, "known_failures", 0);
    row->trained_at = json_get_int(from, "trained_at", 0);
    row->from = json_get_int(from, "from", 0), row->to = json_get_int(from, "to", 0);
    row->things = (uint32_t)json_get_int(from, "things", 0);
    row->failures = (uint32_t)json_get_int(from, "failures", 0);
    row->threshold = json_get_num(from, "threshold", 2);
    row->tested = (uint32_t)json_get_int(from, "tested", 0);
    row->foreseen_24h = (uint32_t)json_get_int(from, "foreseen_24h", 0);
    row->foreseen = (uint32_t)json_get_int(from, "foreseen", 0);
    row->false_alarms = (uint32_t)json_get_int(from, "false_alarms", 0);
    row->machine_months = json_get_num(from, "machine_months", 0);
    k->whole = json_get(from, "weight") != NULL;
    return name.len && k->party && (!k->whole || get_model(arena, from, k));
}

static Err load(struct file_system *fs, const char *dir, const char *name, struct json **out) {
    char path[1024];
    struct buf text = {0};
    *out = NULL;
    snprintf(path, sizeof path, "%.1000s/%s", dir, name);
    Err err = file_load(fs, path, BYTES_MAX, &text);
    if (err.code == ERR_NONE) {
        err = json_parse(buf_view(&text), out);
        if (err.code == ERR_NONE && json_get_int(*out, "version", 0) != VERSION)
            err = err_make(ERR_INVALID, "it is of another version than %d", VERSION);
    }
    buf_fini(&text);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

/* Not fatal: what was learnt can be learnt again. */
static Err set_aside(struct file_system *fs, const char *dir, const char *name, Err why) {
    char path[1024], bad[1030];
    if (why.code == ERR_IO) return why;
    snprintf(path, sizeof path, "%.1000s/%s", dir, name);
    snprintf(bad, sizeof bad, "%.1020s.bad", path);
    LOG_WARN("watch.file_refused", LOG_C("file", path), LOG_C("why", why.text), LOG_C("renamed", bad));
    return file_rename(fs, path, bad);
}

Err watch_keep_load_models(struct file_system *fs, const char *dir, struct watch_registry *r) {
    struct json *root;
    Err err = load(fs, dir, "models.json", &root);
    const struct json *list = root && err.code == ERR_NONE ? json_get(root, "models") : NULL;
    bool ok = !root || (list && json_kind(list) == JSON_ARRAY);
    for (size_t i = 0; ok && list && i < json_len(list); i++) {
        struct watch_kept_model k = {0};
        ok = get_line(&r->arena, json_at(list, i), &k);
        if (ok) VEC_PUSH(r->items, r->n, r->cap, k);
    }
    json_free(root);
    if (err.code == ERR_NONE && !ok) err = err_make(ERR_INVALID, "its models do not have the expected shape");
    if (err.code == ERR_NONE) return err;
    r->n = 0;
    return set_aside(fs, dir, "models.json", err);
}

/* ---- state */
void watch_keep_state_begin(struct jw *w) {
    jw_object(w);
    jw_kint(w, "version", VERSION);
    jw_key(w, "machines");
    jw_array(w);
}

void watch_keep_state_machine(struct jw *w, const struct watch_machine *machine) {
    Nanos judged = machine->cold ? machine->kept_until : machine->last == INT64_MIN ? 0 : machine->last;
    jw_object(w);
    jw_kint(w, "party", machine->party);
    jw_kstr(w, "thing", machine->name);
    jw_kint(w, "judged", judged);
    jw_kint(w, "gap", (int64_t)machine->gap);
    jw_key(w, "conditions");
    jw_array(w);
    for (size_t i = 0; i < machine->model->n_metrics && i < WATCH_METRICS_MAX; i++) {
        const struct watch_metric_state *s = &machine->metrics[i];
        if (!s->limit.beyond && !s->anomalous) continue;
        jw_object(w);
        jw_kc(w, "metric", machine->model->metrics[i].name);
        jw_kbool(w, "beyond", s->limit.beyond), jw_kbool(w, "anomalous", s->anomalous);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_key(w, "predictions");
    jw_array(w);
    for (size_t c = 0; c < machine->family->n_components; c++) {
        if (!machine->components[c].predicted_at) continue;
        jw_object(w);
        jw_kc(w, "component", machine->model->components[c].name);
        jw_kint(w, "at", machine->components[c].predicted_at);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
}

void watch_keep_state_end(struct jw *w) {
    jw_array_end(w);
    jw_object_end(w);
}

Err watch_keep_save_state(struct file_system *fs, const char *dir, Str json) {
    return save(fs, dir, "state.json", json);
}

Err watch_keep_load_state(struct file_system *fs, const char *dir, struct json **out) {
    Err err = load(fs, dir, "state.json", out);
    const struct json *list = *out && err.code == ERR_NONE ? json_get(*out, "machines") : NULL;
    if (err.code == ERR_NONE && *out && (!list || json_kind(list) != JSON_ARRAY))
        err = err_make(ERR_INVALID, "its machines are not a list");
    if (err.code == ERR_NONE) return err;
    json_free(*out);
    *out = NULL;
    return set_aside(fs, dir, "state.json", err);
}

static void restore_conditions(const struct json *list, struct watch_machine *machine) {
    for (size_t i = 0; list && json_kind(list) == JSON_ARRAY && i < json_len(list); i++) {
        const struct json *one = json_at(list, i);
        Str metric = json_get_str(one, "metric", STR(""));
        for (size_t m = 0; m < machine->model->n_metrics && m < WATCH_METRICS_MAX; m++) {
            if (!str_eq_c(metric, machine->model->metrics[m].name)) continue;
            machine->metrics[m].limit.beyond = json_get_bool(one, "beyond", false);
            machine->metrics[m].anomalous = json_get_bool(one, "anomalous", false);
        }
    }
}

void watch_keep_restore(const struct json *entry, struct watch_machine *machine) {
    machine->kept_until = json_get_int(entry, "judged", 0);
    machine->gap = (double)json_get_int(entry, "gap", 0);
    restore_conditions(json_get(entry, "conditions"), machine);
    const struct json *list = json_get(entry, "predictions");
    for (size_t i = 0; list && json_kind(list) == JSON_ARRAY && i < json_len(list); i++) {
        int c = watch_family_component(machine->family, json_get_str(json_at(list, i), "component", STR("")));
        if (c >= 0) machine->components[c].predicted_at = json_get_int(json_at(list, i), "at", 0);
    }
}
