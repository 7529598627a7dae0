/*
 * A run whose partition's end is older than what its class says is dropped as a file: first the manifest no longer
 * names it, then the file goes when its last reader has. The newest value of a metric that nothing newer was heard of
 * is not to be forgotten with it, so those are written to a run of their own first, which no read of samples looks
 * into.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "store/series_keep_class.h"
#include "store/series_run_write.h"

static void set_class(struct series_manifest *m, uint32_t number, const struct series_keep *keep) {
    for (size_t i = 0; i < m->n_classes; i++)
        if (m->classes[i].number == number) {
            m->classes[i].keep = *keep;
            return;
        }
    VEC_PUSH(m->classes, m->n_classes, m->cap_classes, ((struct series_manifest_class){number, *keep}));
}

void series_keep_drop_begin(struct series_engine *e) {
    static const struct series_keep none;
    if (!e->options.keep || !e->options.keep->usual) return; /* who says nothing changes nothing */
    struct series_keep usual = *e->options.keep->usual;
    if (usual.raw == SERIES_KEEP_FOREVER) usual.raw = 0;
    if (e->manifest.n_classes || memcmp(&usual, &none, sizeof usual) != 0) set_class(&e->manifest, 0, &usual);
}

/* ---- newest values */

struct saving {
    struct series_engine *engine;
    struct series_run_writer *writer;
    struct arena arena;
    Nanos from, to;
};

static int by_time(const void *a, const void *b) {
    Nanos x = ((const struct series_latest *)a)->time, y = ((const struct series_latest *)b)->time;
    return x < y ? -1 : x > y;
}

static Err save_thing(struct saving *s, PartyId party, ThingId thing) {
    struct series_live *live = s->engine->front.live;
    struct series_latest *latest;
    size_t n, kept = 0;
    arena_reset(&s->arena);
    series_live_latest(live, thing, &s->arena, &latest, &n);
    for (size_t i = 0; i < n; i++)
        if (latest[i].time >= s->from && latest[i].time < s->to && latest[i].value.kind) latest[kept++] = latest[i];
    if (kept == 0) return err_none();
    qsort(latest, kept, sizeof *latest, by_time);
    TRY(series_run_write_thing(s->writer, party, thing, series_live_stamped(live, thing), kept));
    for (size_t i = 0; i < kept; i++) {
        TRY(series_run_write_row(s->writer, latest[i].time));
        series_run_write_value(s->writer, latest[i].metric, latest[i].value);
    }
    return err_none();
}

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static Err save_things(struct saving *s) {
    const struct series_names *names = s->engine->front.names;
    uint32_t count = series_names_count(names, SERIES_NAME_THING);
    uint64_t *keys = malloc((count + 1) * sizeof *keys);
    ASSERT(keys != NULL);
    for (uint32_t i = 0; i < count; i++) keys[i] = SERIES_RUN_KEY(series_names_party(names, i + 1), i + 1);
    if (count > 1) qsort(keys, count, sizeof *keys, by_key);
    Err err = err_none();
    for (uint32_t i = 0; i < count && err.code == ERR_NONE; i++)
        err = save_thing(s, (PartyId)(keys[i] >> 32), (ThingId)keys[i]);
    free(keys);
    return err;
}

/* A run of the newest values that lie within a partition; rows 0: there are none. */
static Err save_latest(struct series_engine *e, struct series_run_info *info) {
    struct saving s = {.engine = e, .from = info->from, .to = info->to};
    struct compress *scratch = compress_new();
    Err err = series_run_write_begin(e->fs, e->dir, info, scratch, &s.writer);
    if (err.code == ERR_NONE) err = save_things(&s);
    if (err.code == ERR_NONE)
        err = series_run_write_end(s.writer, info);
    else
        series_run_write_drop(s.writer);
    arena_fini(&s.arena);
    compress_free(scratch);
    if (err.code == ERR_NONE && info->rows) err = file_sync_dir(e->fs, e->dir, "dropped.dir");
    return err;
}

/* ---- dropping */

static void tell(const struct series_engine *e, const struct series_run_info *info) {
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX], keep[SERIES_KEEP_TEXT_MAX];
    struct series_keep said = series_manifest_keep(&e->manifest, info->class);
    time_format(info->from, from), time_format(info->to, to);
    LOG_INFO("series.dropped", LOG_C("from", from), LOG_C("to", to), LOG_C("kept", series_keep_text(&said, keep)),
             LOG_I("level", info->level), LOG_I("rows", info->rows), LOG_I("bytes", info->bytes));
}

static bool is_due(const struct series_engine *e, const struct series_run_info *info, Nanos now) {
    return series_manifest_due(&e->manifest, info) <= now;
}

/* Rows with flushes up to `last` are to be dropped of this partition: the newest values among them are saved first. */
static Err save(struct series_engine *e, const struct series_run_info *gone, struct series_manifest *next,
                struct series_run **fresh, size_t *n_fresh) {
    struct series_run_info info = {.id = e->manifest.next_file++, .first = gone->first, .last = gone->last};
    info.from = gone->from, info.to = gone->to, info.cold = true, info.level = SERIES_LEVEL_LATEST;
    next->next_file = e->manifest.next_file;
    TRY(save_latest(e, &info));
    if (info.rows == 0) return err_none();
    VEC_PUSH(next->runs, next->n_runs, next->cap_runs, info);
    fresh[(*n_fresh)++] = series_run_open(e->fs, e->dir, &info);
    return err_none();
}

static void drop_fresh(struct series_run **fresh, size_t n) {
    for (size_t i = 0; i < n; i++) {
        series_run_doom(fresh[i]);
        series_run_unref(fresh[i]);
    }
}

/* All that is due is dropped with one change of the manifest. */
static Err drop_locked(struct series_engine *e, Nanos now, uint64_t *runs, uint64_t *bytes) {
    struct series_manifest next;
    series_embedded_copy_manifest(&e->manifest, &next);
    struct series_run **fresh = malloc((next.n_runs + 1) * sizeof *fresh);
    ASSERT(fresh != NULL);
    size_t n_fresh = 0, kept = 0;
    Err err = err_none();
    Nanos saved = INT64_MIN;
    for (size_t i = 0; i < e->manifest.n_runs && err.code == ERR_NONE; i++) {
        const struct series_run_info *info = &e->manifest.runs[i];
        if (!is_due(e, info, now) || info->level || info->from == saved) continue;
        saved = info->from;
        err = save(e, info, &next, fresh, &n_fresh);
    }
    for (size_t i = 0; i < next.n_runs; i++) {
        bool due = i < e->manifest.n_runs && is_due(e, &next.runs[i], now);
        if (due) ++*runs, *bytes += next.runs[i].bytes, tell(e, &next.runs[i]);
        if (!due) next.runs[kept++] = next.runs[i];
    }
    next.n_runs = kept;
    if (err.code)
        drop_fresh(fresh, n_fresh);
    else
        err = series_embedded_change(e, &next, fresh, n_fresh, false);
    series_manifest_fini(&next);
    free(fresh);
    return err;
}

Err series_keep_drop_run(struct series_engine *e, bool *dropped) {
    Nanos now = clock_now(e->options.clock);
    uint64_t runs = 0, bytes = 0;
    bool due = false;
    thread_lock(&e->changing);
    for (size_t i = 0; i < e->manifest.n_runs; i++) due |= is_due(e, &e->manifest.runs[i], now);
    Err err = !due ? err_none() : e->stuck.code ? e->stuck : drop_locked(e, now, &runs, &bytes);
    thread_unlock(&e->changing);
    *dropped = due && err.code == ERR_NONE;
    if (!*dropped) return err;
    atomic_fetch_add_explicit(&e->dropped_runs, runs, memory_order_relaxed);
    atomic_fetch_add_explicit(&e->dropped_bytes, bytes, memory_order_relaxed);
    return err;
}

/* ---- telling */

static bool same_place(const struct series_kept *k, const struct series_run_info *info) {
    return k->from == info->from && k->to == info->to && k->class == info->class && k->level == info->level;
}

static void count_run(struct series_kept *list, size_t *n, const struct series_manifest *m,
                      const struct series_run_info *info) {
    struct series_kept *k = *n && same_place(&list[*n - 1], info) ? &list[*n - 1] : &list[(*n)++];
    if (k->runs == 0)
        *k = (struct series_kept){.class = info->class,
                                  .level = info->level,
                                  .keep = series_manifest_keep(m, info->class),
                                  .from = info->from,
                                  .to = info->to,
                                  .dropped_at = series_manifest_due(m, info)};
    k->runs++, k->bytes += info->bytes, k->rows += info->rows, k->values += info->values;
}

static int by_place(const void *a, const void *b) {
    const struct series_run_info *x = a, *y = b;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->class != y->class) return x->class < y->class ? -1 : 1;
    return x->level < y->level ? -1 : x->level > y->level;
}

Err series_keep_drop_list(struct series_engine *e, struct arena *arena, struct series_kept **out, size_t *n) {
    struct series_manifest now;
    thread_lock(&e->changing);
    series_embedded_copy_manifest(&e->manifest, &now);
    thread_unlock(&e->changing);
    if (now.n_runs > 1) qsort(now.runs, now.n_runs, sizeof *now.runs, by_place);
    *out = arena_zero(arena, now.n_runs + 1, sizeof **out);
    *n = 0;
    for (size_t i = 0; i < now.n_runs; i++) count_run(*out, n, &now, &now.runs[i]);
    series_manifest_fini(&now);
    return err_none();
}
