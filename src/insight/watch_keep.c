/*
 * What survives a stop, in one file DIR/watch.bin, replaced whole:
 *
 *     "WEFTWAT1"  u64 hash of the rest  u32 families  u32 registry rows  u32 things
 *     family:   name of the model it is like (u32 length, bytes), i64 trained_at, u32 taught, u8 has_model,
 *               u32 codes, each u32 length and bytes, struct failure_model, struct watch_model
 *     row:      struct watch_model
 *     thing:    u32 length and bytes of "party/name", i64 last, i64 predicted[16]
 *
 * It holds nothing that cannot be learnt again from the store, so a file of another build or with a wrong hash is left
 * alone with a warning, and learning starts anew. Struct sizes are part of the hash's seed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "insight/watch_inner.h"
#include "trust/gate.h"

#define MAGIC "WEFTWAT1"
#define FILE_MAX_BYTES ((size_t)1 << 30)
#define UNSAID                                                                                                         \
    NANOS_PER_HOUR /* of a thing nothing was written down about: what its last hour showed may be said again */
#define WARM_UP (60 * NANOS_PER_DAY)
#define SEED ((uint64_t)sizeof(struct failure_model) << 32 | sizeof(struct watch_model))

static struct file_system *fs_of(const struct watch *w) { return w->options.fs ? w->options.fs : file_disk; }

static Str path_of(const struct watch *w, struct arena *arena) {
    return arena_printf(arena, "%s/watch.bin", w->options.dir);
}

/* ---- writing */
static void put_str(struct buf *out, Str s) {
    buf_u32le(out, (uint32_t)s.len);
    buf_str(out, s);
}

static void put_family(struct buf *out, const struct watch_family *f) {
    put_str(out, str_c(f->like->name));
    buf_u64le(out, (uint64_t)f->trained_at);
    buf_u32le(out, f->taught);
    buf_byte(out, f->has_model);
    buf_u32le(out, (uint32_t)f->n_codes);
    for (size_t i = 0; i < f->n_codes; i++) put_str(out, f->code_names[i]);
    buf_add(out, &f->model, sizeof f->model);
    buf_add(out, &f->row, sizeof f->row);
}

static void put_thing(struct buf *out, const struct watched *t) {
    char key[300];
    put_str(out, watch_key(t->party, t->name, key));
    buf_u64le(out, (uint64_t)t->last);
    for (size_t c = 0; c < WATCH_INNER_COMPONENTS; c++) buf_u64le(out, (uint64_t)t->predicted[c]);
}

Err watch_keep_save(struct watch *w) {
    if (!w->options.dir) return err_none();
    struct buf body = {0}, all = {0};
    buf_u32le(&body, (uint32_t)w->n_families);
    buf_u32le(&body, (uint32_t)w->n_models);
    buf_u32le(&body, (uint32_t)w->n_things);
    for (size_t i = 0; i < w->n_families; i++) put_family(&body, w->families[i]);
    buf_add(&body, w->models, w->n_models * sizeof *w->models);
    for (size_t i = 0; i < w->cap_things; i++)
        if (w->things[i] && w->things[i] != WATCH_INNER_OPEN) put_thing(&body, w->things[i]);
    buf_add(&all, MAGIC, 8);
    buf_u64le(&all, hash_seeded(body.ptr, body.len, SEED));
    buf_add(&all, body.ptr, body.len);
    struct arena arena;
    arena_init(&arena, 0);
    Err err = file_replace(fs_of(w), path_of(w, &arena).ptr, buf_view(&all), "watch.keep");
    arena_fini(&arena);
    buf_fini(&body);
    buf_fini(&all);
    return err;
}

/* ---- reading; the hash was right, so a short read means another build's layout */
struct reader {
    Str rest;
    bool bad;
};

static const char *take(struct reader *r, size_t n) {
    if (r->bad || r->rest.len < n) return r->bad = true, NULL;
    const char *at = r->rest.ptr;
    r->rest = str_slice(r->rest, n, r->rest.len);
    return at;
}

static uint32_t take_u32(struct reader *r) {
    const char *p = take(r, 4);
    uint32_t v = 0;
    if (p) memcpy(&v, p, 4);
    return v;
}

static int64_t take_i64(struct reader *r) {
    const char *p = take(r, 8);
    int64_t v = 0;
    if (p) memcpy(&v, p, 8);
    return v;
}

static Str take_str(struct reader *r) {
    uint32_t n = take_u32(r);
    const char *p = take(r, n);
    return str_n(p, p ? n : 0);
}

/* Families are known by name until a thing of theirs is seen, so they are kept aside as what was read. */
static void take_family(struct watch *w, struct reader *r) {
    Str like = take_str(r);
    struct watch_family f = {.trained_at = take_i64(r), .taught = take_u32(r)};
    const char *flag = take(r, 1);
    uint32_t n_codes = take_u32(r);
    Str codes[FAILURE_CODES_MAX];
    for (uint32_t i = 0; i < n_codes && !r->bad; i++) {
        Str code = take_str(r);
        if (i < FAILURE_CODES_MAX) codes[i] = code;
    }
    const char *model = take(r, sizeof f.model), *row = take(r, sizeof f.row);
    if (r->bad || n_codes > FAILURE_CODES_MAX) return;
    struct watch_family *made = watch_family_named(w, like);
    if (!made) return;
    made->trained_at = f.trained_at;
    made->taught = f.taught;
    made->has_model = *flag != 0;
    memcpy(&made->model, model, sizeof made->model);
    memcpy(&made->row, row, sizeof made->row);
    for (uint32_t i = 0; i < n_codes; i++) watch_code(made, codes[i], true);
}

static void take_all(struct watch *w, struct reader *r) {
    uint32_t families = take_u32(r), models = take_u32(r), things = take_u32(r);
    for (uint32_t i = 0; i < families && !r->bad; i++) take_family(w, r);
    for (uint32_t i = 0; i < models && !r->bad; i++) {
        struct watch_model row;
        const char *p = take(r, sizeof row);
        if (!p) break;
        memcpy(&row, p, sizeof row);
        VEC_PUSH(w->models, w->n_models, w->cap_models, row);
    }
    for (uint32_t i = 0; i < things && !r->bad; i++) {
        Str key = take_str(r);
        struct watch_said said = {.last = take_i64(r)};
        for (size_t c = 0; c < WATCH_INNER_COMPONENTS; c++) said.predicted[c] = take_i64(r);
        if (r->bad) break;
        map_put(&w->said, key, w->n_said);
        VEC_PUSH(w->said_list, w->n_said, w->cap_said, said);
    }
}

Err watch_keep_load(struct watch *w) {
    if (!w->options.dir) return err_none();
    TRY(file_make_dirs(fs_of(w), w->options.dir, "watch.dir"));
    struct arena arena;
    struct buf bytes = {0};
    arena_init(&arena, 0);
    Err err = file_load(fs_of(w), path_of(w, &arena).ptr, FILE_MAX_BYTES, &bytes);
    arena_fini(&arena);
    struct reader r = {.rest = buf_view(&bytes)};
    if (err.code == ERR_NONE) {
        const char *magic = take(&r, 8);
        bool right =
            magic && memcmp(magic, MAGIC, 8) == 0 && take_i64(&r) == (int64_t)hash_seeded(r.rest.ptr, r.rest.len, SEED);
        if (right) take_all(w, &r);
        if (!right || r.bad)
            LOG_WARN("watch.state", LOG_C("reason", "of another build or damaged: learning starts anew"));
    }
    buf_fini(&bytes);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

/* ---- the warm-up: the stored past is judged again without a word */
struct past {
    struct {
        Nanos at;
        MetricId metric;
        Value value;
    } * items;
    size_t n, cap;
    struct arena arena;
};

static bool keep_point(void *ctx, const struct series_point *p) {
    struct past *past = ctx;
    Value value = p->value;
    if (value.kind == VALUE_STRING) value.s = arena_str(&past->arena, value.s);
    if (past->n == past->cap) past->items = vec_grow(past->items, &past->cap, past->n + 1, sizeof *past->items);
    past->items[past->n].at = p->time;
    past->items[past->n].metric = p->metric;
    past->items[past->n++].value = value;
    return true;
}

static int by_time(const void *a, const void *b) {
    Nanos x = *(const Nanos *)a, y = *(const Nanos *)b;
    return (x > y) - (x < y);
}

static void judge_again(struct watch *w, struct watched *t, struct past *past, Nanos from, Nanos to) {
    struct rows rows = {0};
    rows_clear(&rows);
    for (size_t i = 0; i < past->n;) {
        Nanos at = past->items[i].at;
        rows_begin(&rows, t->thing, at, 0);
        for (; i < past->n && past->items[i].at == at; i++)
            rows_value(&rows, past->items[i].metric, past->items[i].value);
        rows_end(&rows);
        struct rows_cursor cursor = rows_start(&rows);
        struct row row;
        if (at > from && at <= to && rows_next(&cursor, &row)) {
            arena_reset(&w->scratch);
            watch_judge_row(w, t, &row);
            if (w->n_findings > 0) watch_say(w);
        }
        rows_clear(&rows);
    }
    rows_fini(&rows);
}

static Err warm_up_thing(struct watch *w, struct watched *t) {
    struct lens lens = gate_lens_system("baselines after a restart");
    char key[300];
    uint64_t place;
    Nanos seen = series_last_seen(w->options.series, t->thing), said_to = seen - UNSAID;
    bool known = map_get(&w->said, watch_key(t->party, t->name, key), &place);
    if (known) said_to = w->said_list[place].last;
    struct past past = {0};
    arena_init(&past.arena, 0);
    struct series_query query = {.thing = t->thing, .from = seen - WARM_UP, .to = 0};
    Err err = series_read(w->options.series, &lens, &query, keep_point, &past);
    if (past.n > 0) qsort(past.items, past.n, sizeof *past.items, by_time);
    w->muted = true;
    judge_again(w, t, &past, INT64_MIN, said_to);
    w->muted = false;
    if (known) memcpy(t->predicted, w->said_list[place].predicted, sizeof w->said_list[place].predicted);
    judge_again(w, t, &past, said_to, INT64_MAX); /* what came after the last word */
    arena_fini(&past.arena);
    free(past.items);
    return err;
}

void watch_keep_warm_up(struct watch *w) {
    thread_lock(&w->lock);
    for (ThingId id = 1; id <= series_thing_count(w->options.series) && !w->stopping; id++) {
        struct watched *t = watch_thing(w, id);
        if (!t || t->last) continue;
        Err err = warm_up_thing(w, t);
        if (err.code != ERR_NONE) LOG_WARN("watch.warm-up", LOG_S("thing", t->name), LOG_C("reason", err.text));
    }
    thread_unlock(&w->lock);
}
