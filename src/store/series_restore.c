/*
 * The catalogue of names is a file of blocks that each flush adds to; after a failure a new file is begun, because
 * nobody can say what of the old one is on the disk.
 *
 *     catalogue   "WEFTNAM1", then blocks { u32 bytes, u32 zero, u64 checksum of the bytes, names (series_names.h) }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "store/series_keep_class.h"
#include "store/series_snapshot.h"

#define NAMES_MAGIC "WEFTNAM1"
#define NAMES_BYTES_MAX ((size_t)4 << 30)
#define BLOCK_HEAD 16

static void names_path(const struct series_engine *e, uint64_t id, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/names-%012llx.weft", e->dir, (unsigned long long)id) < 4096);
}

/* ---- names */

static Err load_blocks(struct series_names *names, Str bytes) {
    if (bytes.len < 8 || memcmp(bytes.ptr, NAMES_MAGIC, 8) != 0) return err_make(ERR_CORRUPT, "no catalogue of names");
    for (size_t at = 8; at < bytes.len;) {
        uint32_t size;
        uint64_t checksum;
        if (bytes.len - at < BLOCK_HEAD) return err_make(ERR_CORRUPT, "cut off at byte %zu", at);
        memcpy(&size, bytes.ptr + at, 4), memcpy(&checksum, bytes.ptr + at + 8, 8);
        at += BLOCK_HEAD;
        if (size > bytes.len - at) return err_make(ERR_CORRUPT, "cut off at byte %zu", at);
        if (checksum != hash_bytes(bytes.ptr + at, size))
            return err_make(ERR_CORRUPT, "the block at byte %zu fails its checksum", at);
        TRY(series_names_load(names, (Str){bytes.ptr + at, size}));
        at += size;
    }
    return err_none();
}

Err series_restore_names(struct series_engine *e) {
    const struct series_manifest *m = &e->manifest;
    char path[4096];
    struct buf bytes = {0};
    if (m->names_file == 0) return err_none();
    names_path(e, m->names_file, path);
    Err err = file_load(e->fs, path, NAMES_BYTES_MAX, &bytes);
    if (err.code == ERR_NONE && bytes.len < m->names_bytes) err = err_make(ERR_CORRUPT, "the file is too short");
    if (err.code == ERR_NONE) err = load_blocks(e->front.names, (Str){bytes.ptr, (size_t)m->names_bytes});
    buf_fini(&bytes);
    return err.code ? err_make(err.code == ERR_NOT_FOUND ? ERR_CORRUPT : err.code, "'%s': %s", path, err.text) : err;
}

static void put_block(struct buf *out, Str names) {
    buf_u32le(out, (uint32_t)names.len);
    buf_u32le(out, 0);
    buf_u64le(out, hash_bytes(names.ptr, names.len));
    buf_str(out, names);
}

static Err write_names(struct series_engine *e, uint64_t id, Str bytes, uint64_t at) {
    char path[4096];
    struct file *file;
    names_path(e, id, path);
    TRY(file_open(e->fs, path, FILE_WRITE | FILE_CREATE | (at ? 0 : FILE_TRUNCATE), &file));
    Err err = file_write(file, bytes.ptr, bytes.len, at);
    if (err.code == ERR_NONE) err = file_sync(file, "names.data");
    file_close(file);
    return err;
}

static Err add_names(struct series_engine *e, struct series_manifest *m, struct buf *names, struct buf *block) {
    bool anew = e->names_anew || m->names_file == 0;
    if (anew) m->names[0] = m->names[1] = 0;
    series_names_dump(e->front.names, m->names, names);
    if (names->len == 0 && !anew) return err_none();
    if (anew) {
        m->names_file = m->next_file++, m->names_bytes = 0;
        buf_c(block, NAMES_MAGIC);
    }
    put_block(block, buf_view(names));
    e->names_anew = true; /* until it has worked */
    TRY(write_names(e, m->names_file, buf_view(block), m->names_bytes));
    e->names_anew = false;
    m->names_bytes += block->len;
    return err_none();
}

Err series_restore_keep_names(struct series_engine *e, struct series_manifest *manifest) {
    struct buf names = {0}, block = {0};
    Err err = add_names(e, manifest, &names, &block);
    buf_fini(&names);
    buf_fini(&block);
    return err;
}

/* ---- latest values */

struct restoring {
    struct series_engine *engine;
    struct compress *scratch;
    struct series_run_chunk chunk;
    Nanos horizon;
};

/* The newest value at most as late as the horizon among the column's rows of one part. */
static void restore_part(struct restoring *r, const struct series_run_column *column, const struct series_part *part,
                         uint32_t begin, uint32_t *at) {
    const struct series_run_chunk *c = &r->chunk;
    uint32_t i = *at, best = UINT32_MAX;
    for (; i < column->form.n && column->rows[i] < begin + part->rows; i++) {
        bool ahead = c->times[column->rows[i]] > r->horizon;
        if (!ahead || best == UINT32_MAX) best = i;
        if (ahead) series_live_note_ahead(r->engine->front.live, c->times[column->rows[i]]);
    }
    *at = i;
    if (best != UINT32_MAX && part->thing <= series_names_count(r->engine->front.names, SERIES_NAME_THING))
        series_live_restore(r->engine->front.live, part->thing, column->form.metric, c->times[column->rows[best]],
                            column->values[best], r->horizon);
}

static Err restore_column(struct restoring *r, uint32_t i) {
    struct series_run_chunk *c = &r->chunk;
    const struct series_chunk_column *form = &c->columns[i].form;
    const struct series_run_column *column;
    Value last = series_chunk_value(form->last_kind, form->last);
    const struct series_chunk_head *h = &c->chunk.head;
    if (h->n_parts == 1 && form->last_time <= r->horizon && last.kind != VALUE_NONE) {
        series_live_restore(r->engine->front.live, h->thing, form->metric, form->last_time, last, r->horizon);
        return err_none();
    }
    TRY(series_run_load_times(r->scratch, c));
    TRY(series_run_load_column(r->scratch, c, i, &column));
    uint32_t begin = 0, at = 0;
    for (uint32_t p = 0; p < h->n_parts; begin += c->parts[p++].rows) restore_part(r, column, &c->parts[p], begin, &at);
    return err_none();
}

static Err restore_chunk(struct restoring *r, struct series_run *run, const struct series_run_entry *entry) {
    struct series_run_chunk *c = &r->chunk;
    uint32_t things = series_names_count(r->engine->front.names, SERIES_NAME_THING);
    TRY(series_run_load(c, run, entry));
    if (c->chunk.head.n_parts > 1) TRY(series_run_load_times(r->scratch, c));
    if (c->chunk.head.thing > things) return err_make(ERR_CORRUPT, "rows of the unknown thing %u", c->chunk.head.thing);
    if (c->chunk.head.n_parts == 1)
        series_live_restore_stamp(r->engine->front.live, c->chunk.head.thing, c->chunk.head.stamped);
    for (uint32_t p = 0; c->chunk.head.n_parts > 1 && p < c->chunk.head.n_parts; p++)
        if (c->parts[p].thing <= things)
            series_live_restore_stamp(r->engine->front.live, c->parts[p].thing, c->parts[p].stamped);
    for (uint32_t i = 0; i < c->chunk.head.n_columns; i++) TRY(restore_column(r, i));
    return err_none();
}

/* Chunks with a row from `from` on. What cannot be read is passed over: reading it later says so. */
static void restore_run(struct restoring *r, struct series_run *run, Nanos from) {
    struct series_run_place place = {.run = run};
    struct series_run_entries all = {0};
    Err err = series_run_all(&place, &all);
    for (size_t i = 0; i < all.n; i++) {
        if (all.items[i].greatest < from) continue;
        Err one = restore_chunk(r, run, &all.items[i]);
        if (one.code && err.code == ERR_NONE) err = one;
        if (one.code) r->chunk.loaded = false;
    }
    if (err.code) {
        LOG_ERROR("series.latest_incomplete", LOG_C("error", err.text));
        r->engine->damaged = true;
    }
    series_run_place_fini(&place);
    free(all.items);
}

static int by_arrival(const void *a, const void *b) {
    const struct series_run_info *x = series_run_info(*(struct series_run *const *)a);
    const struct series_run_info *y = series_run_info(*(struct series_run *const *)b);
    return x->last < y->last ? -1 : x->last > y->last;
}

/* Roll-ups have no newest value of their own. */
static bool holds_values(const struct series_run *run) {
    uint32_t level = series_run_info(run)->level;
    return level == 0 || level == SERIES_LEVEL_LATEST;
}

/* Runs in the order in which their rows arrived: a value of the same time as one before counts. */
static struct series_run **sorted_runs(const struct series_engine *e) {
    size_t n = e->set->n_all;
    struct series_run **runs = malloc((n + 1) * sizeof *runs);
    ASSERT(runs != NULL);
    if (n) memcpy(runs, e->set->runs, n * sizeof *runs);
    if (n > 1) qsort(runs, n, sizeof *runs, by_arrival);
    return runs;
}

/*
 * What the snapshot covers is not read again, but for chunks with rows that were too far ahead when it was written, and
 * may be somebody's newest by now; those come first, so that of one moment the snapshot's value counts. False: it
 * cannot be read, and every run has to be.
 */
static bool restore_covered(struct restoring *r, struct series_run **runs, size_t n) {
    struct series_engine *e = r->engine;
    struct series_snapshot_head head;
    Err err = series_snapshot_head(e, &head);
    if (err.code == ERR_NOT_FOUND) return false;
    for (size_t i = 0; i < n && err.code == ERR_NONE && head.ahead != INT64_MAX; i++)
        if (holds_values(runs[i]) && series_run_info(runs[i])->last <= e->manifest.latest_flush)
            restore_run(r, runs[i], head.ahead);
    if (err.code == ERR_NONE) err = series_snapshot_load(e);
    if (err.code == ERR_NONE) return true;
    LOG_ERROR("series.latest_unreadable", LOG_C("error", err.text));
    atomic_fetch_add_explicit(&e->latest_refused, 1, memory_order_relaxed);
    return false;
}

Err series_restore_latest(struct series_engine *e) {
    struct restoring r = {.engine = e, .scratch = compress_new()};
    size_t n = e->set->n_all;
    struct series_run **runs = sorted_runs(e);
    r.horizon = clock_now(e->options.clock) + SERIES_LIVE_AHEAD;
    bool covered = restore_covered(&r, runs, n);
    for (size_t i = 0; i < n; i++)
        if (holds_values(runs[i]) && (!covered || series_run_info(runs[i])->last > e->manifest.latest_flush))
            restore_run(&r, runs[i], INT64_MIN);
    free(runs);
    series_run_chunk_fini(&r.chunk);
    compress_free(r.scratch);
    return err_none();
}

/* ---- what a crash left behind */

static bool is_named(const struct series_manifest *m, Str name) {
    char text[13] = "", *end;
    memcpy(text, name.ptr + name.len - 17, 12);
    uint64_t id = strtoull(text, &end, 16);
    if (end != text + 12) return true; /* not one of ours */
    if (str_starts(name, STR("names-"))) return id == m->names_file;
    if (str_starts(name, STR("latest-"))) return id == m->latest_file;
    for (size_t i = 0; i < m->n_runs; i++)
        if (m->runs[i].id == id) return true;
    return false;
}

struct cleaning {
    struct series_engine *engine;
    struct buf paths; /* each with its NUL */
};

static bool note_file(void *ctx, Str name) {
    struct cleaning *c = ctx;
    bool run = str_starts(name, STR("run-")) && name.len == 4 + 17,
         names = str_starts(name, STR("names-")) && name.len == 6 + 17,
         latest = str_starts(name, STR("latest-")) && name.len == 7 + 17;
    if (!(run || names || latest) || !str_ends(name, STR(".weft")) || is_named(&c->engine->manifest, name)) return true;
    buf_c(&c->paths, c->engine->dir);
    buf_byte(&c->paths, '/');
    buf_str(&c->paths, name);
    buf_byte(&c->paths, 0);
    return true;
}

void series_restore_clean(struct series_engine *e) {
    struct cleaning c = {.engine = e};
    Err err = file_list(e->fs, e->dir, note_file, &c);
    for (size_t at = 0; at < c.paths.len && err.code == ERR_NONE; at += strlen(c.paths.ptr + at) + 1)
        err = file_remove(e->fs, c.paths.ptr + at);
    if (err.code) LOG_WARN("series.not_cleaned", LOG_C("dir", e->dir), LOG_C("error", err.text));
    buf_fini(&c.paths);
}
