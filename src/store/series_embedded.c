/*
 * Writing: a group's rows are copied once, into a block of memory that leaves room for the log's record head, so the
 * block is the log record and, once synced, the memory table. When memory is full it is frozen, the log goes on in a
 * new segment, and the flusher writes the frozen part out while the committer fills the next.
 */
#include "store/series_embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "store/series_engine.h"

#define DEFAULT_MEMORY ((size_t)64 << 20)
#define LOG_SEGMENTS 8 /* of earlier starts, before they are cleared away */
#define OPEN_TRIES 20  /* of a reader beside an owner that replaces files */

/* ---- laying a group out */

static struct series_piece *begin_piece(struct series_engine *e, size_t room) {
    struct series_block *block = series_memory_reserve(e->active, room);
    struct series_piece piece = {block, block->used, block->used, block->used};
    VEC_PUSH(e->pieces, e->n_pieces, e->cap_pieces, piece);
    return &e->pieces[e->n_pieces - 1];
}

static void put_names(struct series_engine *e, struct series_piece *piece, Str names) {
    size_t padded = (names.len + 7) & ~(size_t)7;
    char *at = piece->block->bytes + piece->end;
    memset(at + SERIES_WAL_HEAD + padded - 8, 0, 8);
    memcpy(at + SERIES_WAL_HEAD, names.ptr, names.len);
    series_wal_seal(e->wal, at, SERIES_WAL_NAMES, padded);
    piece->rows = piece->end += SERIES_WAL_HEAD + padded;
    piece->block->used = piece->end;
}

static void put_rows(struct series_piece *piece, const struct rows *rows) {
    if (piece->rows == piece->end) piece->rows = piece->end += SERIES_WAL_HEAD;
    memcpy(piece->block->bytes + piece->end, rows->bytes.ptr, rows->bytes.len);
    piece->end += rows->bytes.len;
    piece->block->used = piece->end;
}

static void seal_rows(struct series_engine *e, const struct series_piece *piece) {
    if (piece->rows < piece->end)
        series_wal_seal(e->wal, piece->block->bytes + piece->rows - SERIES_WAL_HEAD, SERIES_WAL_ROWS,
                        piece->end - piece->rows);
}

static bool has_room(const struct series_piece *piece, size_t n) {
    return piece->block->cap - piece->end >= n + SERIES_WAL_HEAD &&
           piece->end - piece->rows + n <= SERIES_WAL_PAYLOAD_MAX;
}

/* Copies the group into blocks, as log records. */
static void lay_out(struct series_engine *e, const struct series_group *group) {
    struct series_piece *piece = NULL;
    e->n_pieces = 0;
    if (group->names.len) {
        piece = begin_piece(e, SERIES_WAL_HEAD + group->names.len + 8);
        put_names(e, piece, group->names);
    }
    for (const struct series_commit *c = group->commits; c; c = c->next) {
        size_t n = c->rows.bytes.len;
        if (n == 0) continue;
        ASSERT(c->rows.open_at == SIZE_MAX && n <= SERIES_WAL_PAYLOAD_MAX);
        if (!piece || !has_room(piece, n)) {
            if (piece) seal_rows(e, piece);
            piece = begin_piece(e, SERIES_WAL_HEAD + n);
        }
        put_rows(piece, &c->rows);
    }
    if (piece) seal_rows(e, piece);
}

static void give_back_pieces(struct series_engine *e) {
    while (e->n_pieces > 0) {
        const struct series_piece *p = &e->pieces[--e->n_pieces];
        p->block->used = p->from;
    }
}

static Err write_log(struct series_engine *e) {
    for (size_t i = 0; i < e->n_pieces; i++) {
        const struct series_piece *p = &e->pieces[i];
        TRY(series_wal_write(e->wal, p->block->bytes + p->from, p->end - p->from));
    }
    TRY(series_wal_sync(e->wal));
    atomic_fetch_add_explicit(&e->syncs, 1, memory_order_relaxed);
    return err_none();
}

/* ---- freezing: with `writing` held */

/* Nothing is frozen, so what is active can be. */
static Err freeze(struct series_engine *e) {
    uint32_t last;
    TRY(series_wal_rotate(e->wal, &last));
    struct series_memory *fresh = series_memory_new(e->pool);
    thread_lock(&e->lock);
    ASSERT(!e->frozen);
    e->frozen_rows += series_memory_rows(e->active);
    e->frozen = e->active, e->frozen_log = last;
    e->active = fresh;
    thread_broadcast(&e->changed);
    thread_unlock(&e->lock);
    return err_none();
}

/* Waits until nothing is frozen; a failing flush is an answer too. */
static Err wait_for_flush(struct series_engine *e) {
    thread_lock(&e->lock);
    while (e->frozen && !e->flush_error.code && !e->stop) thread_wait(&e->changed, &e->lock);
    Err err = e->frozen ? (e->stop ? err_make(ERR_CLOSED, "the store is being closed") : e->flush_error) : err_none();
    thread_unlock(&e->lock);
    return err;
}

static bool is_frozen(struct series_engine *e) {
    thread_lock(&e->lock);
    bool frozen = e->frozen != NULL;
    thread_unlock(&e->lock);
    return frozen;
}

/* Memory is bounded: with the frozen half not yet written and the other full, writing waits. */
static Err make_room(struct series_engine *e) {
    size_t bytes = series_memory_bytes(e->active);
    if (bytes < e->memory_limit) return err_none();
    if (is_frozen(e)) {
        if (bytes < e->memory_limit + e->memory_limit / 4) return err_none();
        TRY(wait_for_flush(e));
    }
    return freeze(e);
}

static Err append_locked(struct series_engine *e, const struct series_group *group) {
    TRY(series_wal_ready(e->wal));
    TRY(make_room(e));
    lay_out(e, group);
    if (e->n_pieces == 0) return err_none(); /* dead letters only */
    Err err = write_log(e);
    if (err.code) {
        give_back_pieces(e);
        return err;
    }
    for (size_t i = 0; i < e->n_pieces; i++) {
        const struct series_piece *p = &e->pieces[i];
        series_memory_index(e->active, p->block->bytes + p->rows, p->end - p->rows);
    }
    return err_none();
}

static Err embedded_append(struct series_engine *e, const struct series_group *group) {
    thread_lock(&e->writing);
    Err err = append_locked(e, group);
    thread_unlock(&e->writing);
    return err;
}

/* Freezes what is active when nothing is; *flush is the number after which it is written out. */
static Err freeze_now(struct series_engine *e, bool *done, uint64_t *flush) {
    *done = false;
    if (is_frozen(e)) return err_none();
    *done = true;
    thread_lock(&e->lock);
    *flush = e->flushes + 1;
    thread_unlock(&e->lock);
    if (series_memory_rows(e->active) == 0) {
        *flush = 0;
        return err_none();
    }
    TRY(series_wal_ready(e->wal));
    return freeze(e);
}

static Err embedded_flush(struct series_engine *e) {
    bool done = false;
    uint64_t flush = 0;
    while (!done) {
        TRY(wait_for_flush(e));
        thread_lock(&e->writing);
        Err err = freeze_now(e, &done, &flush);
        thread_unlock(&e->writing);
        if (err.code) return err;
    }
    thread_lock(&e->lock);
    while (e->flushes < flush && !e->flush_error.code && !e->stop) thread_wait(&e->changed, &e->lock);
    Err err = e->flushes < flush ? e->flush_error : err_none();
    if (e->flushes < flush && !err.code) err = err_make(ERR_CLOSED, "the store is being closed");
    thread_unlock(&e->lock);
    return err;
}

/* ---- changing the manifest */

void series_embedded_copy_classes(const struct series_manifest *from, struct series_manifest *to) {
    free(to->classes);
    to->n_classes = to->cap_classes = from->n_classes;
    to->classes = malloc((from->n_classes + 1) * sizeof *to->classes);
    ASSERT(to->classes != NULL);
    if (from->n_classes) memcpy(to->classes, from->classes, from->n_classes * sizeof *to->classes);
}

void series_embedded_copy_manifest(const struct series_manifest *from, struct series_manifest *to) {
    *to = *from;
    to->cap_runs = from->n_runs;
    to->runs = malloc((from->n_runs + 1) * sizeof *to->runs);
    ASSERT(to->runs != NULL);
    if (from->n_runs) memcpy(to->runs, from->runs, from->n_runs * sizeof *to->runs);
    to->classes = NULL, to->n_classes = to->cap_classes = 0;
    series_embedded_copy_classes(from, to);
}

static struct series_run *find_run(struct series_run *const *runs, size_t n, uint64_t id) {
    for (size_t i = 0; i < n; i++)
        if (series_run_info(runs[i])->id == id) return runs[i];
    return NULL;
}

static bool names_run(const struct series_manifest *m, uint64_t id) {
    for (size_t i = 0; i < m->n_runs; i++)
        if (m->runs[i].id == id) return true;
    return false;
}

/* The set the manifest names, of runs that are open. */
static struct series_set *make_set(struct series_engine *e, const struct series_manifest *m, struct series_run **fresh,
                                   size_t n_fresh) {
    struct series_run **runs = malloc((m->n_runs + 1) * sizeof *runs);
    ASSERT(runs != NULL);
    for (size_t i = 0; i < m->n_runs; i++) {
        runs[i] = find_run(fresh, n_fresh, m->runs[i].id);
        if (runs[i]) continue; /* its reference is taken over */
        runs[i] = find_run(e->set->runs, e->set->n_all, m->runs[i].id);
        ASSERT(runs[i] != NULL);
        series_run_ref(runs[i]);
    }
    struct series_set *set = series_set_new(runs, m->n_runs);
    free(runs);
    return set;
}

static void show_set(struct series_engine *e, const struct series_manifest *m, struct series_set *set,
                     bool frozen_done) {
    struct series_memory *written = NULL;
    thread_lock(&e->lock);
    struct series_set *old = e->set;
    e->set = set;
    if (frozen_done) {
        written = e->frozen, e->frozen = NULL;
        e->flushes++;
        e->flush_error = err_none();
    }
    thread_unlock(&e->lock);
    for (size_t i = 0; i < old->n_all; i++)
        if (!names_run(m, series_run_info(old->runs[i])->id)) series_run_doom(old->runs[i]);
    series_set_let_go(old);
    series_memory_unref(written);
}

Err series_embedded_change(struct series_engine *e, const struct series_manifest *manifest, struct series_run **fresh,
                           size_t n_fresh, bool frozen_done) {
    struct series_manifest next;
    bool unsure;
    series_embedded_copy_manifest(manifest, &next);
    series_embedded_copy_classes(&e->manifest, &next); /* there may be more of them by now */
    next.version++;
    Err err = series_manifest_save(e->fs, e->dir, &next, &unsure);
    if (err.code == ERR_NONE) {
        show_set(e, &next, make_set(e, &next, fresh, n_fresh), frozen_done);
        series_manifest_fini(&e->manifest);
        e->manifest = next;
        return err;
    }
    e->manifest.next_file = next.next_file;
    series_manifest_fini(&next);
    if (unsure) e->stuck = err_make(err.code, "the manifest may not be on the disk, restart to find out: %s", err.text);
    for (size_t i = 0; i < n_fresh; i++) {
        if (!unsure) series_run_doom(fresh[i]); /* else the manifest on the disk may name it */
        series_run_unref(fresh[i]);
    }
    return err;
}

/* ---- opening */

static Err replay_rows(struct series_engine *e, Str payload) {
    uint32_t n_rows, n_values, things = series_names_count(e->front.names, SERIES_NAME_THING);
    Nanos horizon = clock_now(e->options.clock) + SERIES_LIVE_AHEAD;
    if (!rows_check(payload, &n_rows, &n_values)) return err_make(ERR_CORRUPT, "rows are not well-formed");
    struct series_block *block = series_memory_reserve(e->active, payload.len);
    char *at = block->bytes + block->used;
    memcpy(at, payload.ptr, payload.len);
    for (char *row = at; row < at + payload.len; row += ((struct row_head *)(void *)row)->size) {
        const struct row_head *head = (const struct row_head *)(const void *)row;
        if (head->thing > things) return err_make(ERR_CORRUPT, "row of the unknown thing %u", head->thing);
        series_live_row(e->front.live, head, horizon);
    }
    block->used += payload.len;
    series_memory_index(e->active, at, payload.len);
    return err_none();
}

static Err replay_record(void *ctx, enum series_wal_kind kind, Str payload) {
    struct series_engine *e = ctx;
    switch (kind) {
    case SERIES_WAL_NAMES: return series_names_load(e->front.names, payload);
    case SERIES_WAL_ROWS: return replay_rows(e, payload);
    }
    return err_make(ERR_CORRUPT, "record of kind %d: written by a newer version?", (int)kind);
}

static bool note_any(void *ctx, Str name) {
    bool *found = ctx;
    *found |= str_ends(name, STR(".weft")) || (str_starts(name, STR("wal-")) && str_ends(name, STR(".log")));
    return !*found;
}

/* A folder without a manifest is new, or has lost it: then nothing in it may be taken for left over. */
static Err begin_store(struct series_engine *e) {
    bool found = false, unsure;
    TRY(file_list(e->fs, e->dir, note_any, &found));
    if (found)
        return err_make(ERR_CORRUPT, "'%s/manifest' is gone, but not what it names: restore it from a backup", e->dir);
    if (e->options.read_only) return err_none();
    e->manifest.version = 1;
    return series_manifest_save(e->fs, e->dir, &e->manifest, &unsure);
}

static Err load_manifest(struct series_engine *e) {
    Err err = series_manifest_load(e->fs, e->dir, &e->manifest);
    return err.code == ERR_NOT_FOUND ? begin_store(e) : err;
}

static void open_runs(struct series_engine *e) {
    size_t n = e->manifest.n_runs;
    struct series_run **runs = malloc((n + 1) * sizeof *runs);
    ASSERT(runs != NULL);
    for (size_t i = 0; i < n; i++) runs[i] = series_run_open(e->fs, e->dir, &e->manifest.runs[i]);
    e->set = series_set_new(runs, n);
    free(runs);
}

static Err load_all(struct series_engine *e) {
    TRY(load_manifest(e));
    TRY(series_restore_names(e));
    open_runs(e);
    TRY(series_restore_latest(e));
    struct series_wal_options log = {.fs = e->fs,
                                     .dir = e->dir,
                                     .first = e->manifest.log_first,
                                     .read_only = e->options.read_only,
                                     .sink = replay_record,
                                     .ctx = e};
    return series_wal_open(&log, &e->wal);
}

/* Beside a reader the owner may have replaced files half-way: then the manifest is another by now. */
static bool is_stale(struct series_engine *e) {
    struct series_manifest now;
    series_manifest_init(&now);
    Err err = series_manifest_load(e->fs, e->dir, &now);
    bool stale = err.code == ERR_NONE ? now.version != e->manifest.version : e->manifest.version != 0;
    series_manifest_fini(&now);
    return stale;
}

static void forget_all(struct series_engine *e) {
    series_set_let_go(e->set);
    series_wal_close(e->wal);
    series_memory_unref(e->active);
    series_manifest_fini(&e->manifest);
    e->set = NULL, e->wal = NULL;
    series_manifest_init(&e->manifest);
    e->active = series_memory_new(e->pool);
}

static Err load(struct series_engine *e) {
    Err err = load_all(e);
    for (int i = 0; e->options.read_only && i < OPEN_TRIES && is_stale(e); i++) {
        forget_all(e);
        err = load_all(e);
    }
    return err;
}

/* Every start adds a segment to the log: many starts without much writing are cleared away. */
static Err tidy_log(struct series_engine *e) {
    if (series_memory_rows(e->active) == 0 || series_wal_segments(e->wal) < LOG_SEGMENTS) return err_none();
    return freeze(e);
}

static Err start(struct series_engine *e) {
    if (e->options.read_only) return err_none();
    series_restore_clean(e);
    series_keep_drop_begin(e);
    e->rows_before = series_live_rows(e->front.live) - series_memory_rows(e->active);
    TRY(tidy_log(e));
    e->compact = true;
    e->first_flush = e->manifest.next_flush - 1;
    TRY(thread_start(&e->flusher, "series-flush", series_flush_run, e));
    return thread_start(&e->compactor, "series-merge", series_compact_run, e);
}

static void embedded_close(struct series_engine *e) {
    if (!e) return;
    atomic_store(&e->stopping, true);
    thread_lock(&e->lock);
    e->stop = true;
    thread_broadcast(&e->changed);
    thread_unlock(&e->lock);
    if (e->flusher) thread_join(e->flusher);
    if (e->compactor) thread_join(e->compactor);
    series_wal_close(e->wal);
    series_memory_unref(e->active);
    series_memory_unref(e->frozen);
    series_set_let_go(e->set);
    series_memory_pool_free(e->pool);
    series_manifest_fini(&e->manifest);
    thread_cond_fini(&e->changed);
    thread_mutex_fini(&e->lock);
    thread_mutex_fini(&e->changing);
    thread_mutex_fini(&e->writing);
    free(e->pieces);
    free(e);
}

static struct series_engine *new_engine(const struct series_options *options, const struct series_front *front) {
    struct series_engine *e = calloc(1, sizeof *e);
    ASSERT(e != NULL);
    e->options = *options, e->fs = options->fs, e->dir = options->dir, e->front = *front;
    e->memory_limit = (options->memory_bytes ? options->memory_bytes : DEFAULT_MEMORY) / 2;
    thread_mutex_init(&e->writing);
    thread_mutex_init(&e->changing);
    thread_mutex_init(&e->lock);
    thread_cond_init(&e->changed);
    series_manifest_init(&e->manifest);
    e->pool = series_memory_pool_new();
    e->active = series_memory_new(e->pool);
    return e;
}

static Err embedded_open(const struct series_options *options, const struct series_front *front,
                         struct series_engine **out) {
    struct series_engine *e = new_engine(options, front);
    Err err = load(e);
    if (err.code == ERR_NONE) err = start(e);
    if (err.code)
        embedded_close(e);
    else
        *out = e;
    return err;
}

static void embedded_stats(struct series_engine *e, struct series_stats *out) {
    thread_lock(&e->lock);
    out->memory_bytes += series_memory_bytes(e->active) + (e->frozen ? series_memory_bytes(e->frozen) : 0);
    out->runs += e->set->n_all;
    for (size_t i = 0; i < e->set->n_all; i++) {
        out->chunks += series_run_info(e->set->runs[i])->chunks;
        out->disk_bytes += series_run_info(e->set->runs[i])->bytes;
    }
    thread_unlock(&e->lock);
    out->dropped_runs += atomic_load_explicit(&e->dropped_runs, memory_order_relaxed);
    out->dropped_bytes += atomic_load_explicit(&e->dropped_bytes, memory_order_relaxed);
    out->log_bytes += series_wal_bytes(e->wal);
    out->disk_bytes += series_wal_bytes(e->wal);
    out->syncs += atomic_load_explicit(&e->syncs, memory_order_relaxed);
    out->flush_bytes += atomic_load_explicit(&e->flush_written, memory_order_relaxed);
    out->merge_bytes += atomic_load_explicit(&e->merge_written, memory_order_relaxed);
    out->latest_file_bytes += atomic_load_explicit(&e->latest_written, memory_order_relaxed);
    out->latest_refused += atomic_load_explicit(&e->latest_refused, memory_order_relaxed);
}

static Err embedded_compact(struct series_engine *e) {
    TRY(embedded_flush(e));
    TRY(series_compact_whole(e));
    thread_lock(&e->writing);
    series_wal_drop_spares(e->wal);
    thread_unlock(&e->writing);
    return err_none();
}

const struct series_ops series_embedded_ops = {
    .name = "embedded",
    .open = embedded_open,
    .close = embedded_close,
    .append = embedded_append,
    .read = series_gather_read,
    .batch = series_batch_crew_read,
    .flush = embedded_flush,
    .compact = embedded_compact,
    .kept = series_keep_drop_list,
    .stats = embedded_stats,
};
