/*
 * Values stand as rows, the form that memory and the log have, so that nothing needs to be said twice; a block of them
 * is compressed. What the head says is needed first, what the blocks hold is checked block by block.
 *
 *     file    64 bytes: "WEFTLAT1"  u32 version 1  u32 blocks  u64 id  i64 made  i64 least time too far ahead
 *             u32 things  u32 0  u64 0  u64 checksum of what precedes it
 *     block   u32 bytes  u32 of them when unpacked  u32 rows' bytes of these  u32 0  u64 checksum of the bytes;
 *             the bytes, a Zstandard frame: rows, then stamps: u32 thing  u32 0  i64 last time stamped
 */
#include "store/series_snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/zst.h"

#define MAGIC "WEFTLAT1"
#define VERSION 1u
#define HEAD 64
#define BLOCK_HEAD 24
#define BLOCK ((size_t)1 << 20)
#define BLOCK_MAX (UINT32_C(1) << 30)
#define STAMP 16
#define LEVEL 1
#define VALUES_LEAST ((uint64_t)1 << 20) /* in runs that the last does not cover, before there is another */

static void path_of(const struct series_engine *e, uint64_t id, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/latest-%012llx.weft", e->dir, (unsigned long long)id) < 4096);
}

/* ---- writing */

struct writing {
    struct series_engine *engine;
    struct file *file;
    struct zst *zstd;
    struct rows rows;
    struct buf stamps, packed;
    uint64_t at;
    uint32_t blocks, things;
};

static Err write_block(struct writing *w) {
    struct buf head = {0};
    uint32_t rows = (uint32_t)w->rows.bytes.len;
    if (rows + w->stamps.len == 0) return err_none();
    buf_str(&w->rows.bytes, buf_view(&w->stamps));
    buf_clear(&w->packed);
    if (!zst_write(w->zstd, buf_view(&w->rows.bytes), LEVEL, SIZE_MAX, &w->packed))
        return err_make(ERR_IO, "latest values could not be compressed");
    buf_u32le(&head, (uint32_t)w->packed.len);
    buf_u32le(&head, (uint32_t)w->rows.bytes.len);
    buf_u32le(&head, rows);
    buf_u32le(&head, 0);
    buf_u64le(&head, hash_bytes(w->packed.ptr, w->packed.len));
    buf_str(&head, buf_view(&w->packed));
    Err err = file_write(w->file, head.ptr, head.len, w->at);
    w->at += head.len, w->blocks++;
    buf_fini(&head);
    rows_clear(&w->rows);
    buf_clear(&w->stamps);
    return err;
}

static Err write_things(struct writing *w) {
    struct series_live *live = w->engine->front.live;
    for (ThingId id = 1; id <= w->things; id++) {
        Nanos stamped;
        series_live_dump(live, id, &w->rows, &stamped);
        if (stamped) {
            buf_u32le(&w->stamps, id);
            buf_u32le(&w->stamps, 0);
            buf_u64le(&w->stamps, (uint64_t)stamped);
        }
        if (w->rows.bytes.len + w->stamps.len >= BLOCK) TRY(write_block(w));
    }
    return write_block(w);
}

static Err write_head(struct writing *w, uint64_t id, Nanos ahead) {
    struct buf head = {0};
    buf_c(&head, MAGIC);
    buf_u32le(&head, VERSION);
    buf_u32le(&head, w->blocks);
    buf_u64le(&head, id);
    buf_u64le(&head, (uint64_t)clock_now(w->engine->options.clock));
    buf_u64le(&head, (uint64_t)ahead);
    buf_u32le(&head, w->things);
    buf_u32le(&head, 0);
    buf_u64le(&head, 0);
    buf_u64le(&head, hash_bytes(head.ptr, head.len));
    ASSERT(head.len == HEAD);
    Err err = file_write(w->file, head.ptr, head.len, 0);
    buf_fini(&head);
    return err;
}

static Err write_file(struct writing *w, uint64_t id) {
    struct series_engine *e = w->engine;
    char path[4096];
    path_of(e, id, path);
    TRY(file_open(e->fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &w->file));
    w->at = HEAD;
    Err err = write_things(w);
    /* After the values: a row that came meanwhile and was passed over is named. */
    if (err.code == ERR_NONE) err = write_head(w, id, series_live_ahead(e->front.live));
    if (err.code == ERR_NONE) err = file_sync(w->file, "latest.data");
    file_close(w->file);
    return err.code ? err : file_sync_dir(e->fs, e->dir, "latest.dir");
}

/* Values in runs that it does not cover: what a start would read. */
static uint64_t uncovered(const struct series_manifest *m) {
    uint64_t values = 0;
    for (size_t i = 0; i < m->n_runs; i++)
        if (!m->latest_file || m->runs[i].last > m->latest_flush) values += m->runs[i].values;
    return values;
}

static bool is_due(const struct series_engine *e, const struct series_manifest *m) {
    struct series_live_size size;
    series_live_size(e->front.live, &size);
    uint64_t least = e->options.snapshot_values ? e->options.snapshot_values : VALUES_LEAST;
    return uncovered(m) >= (2 * size.series > least && !e->options.snapshot_values ? 2 * size.series : least);
}

void series_snapshot_keep(struct series_engine *e, struct series_manifest *m, uint64_t flushed) {
    if (e->damaged || !is_due(e, m)) return; /* with damage, more may be known after a repair */
    /* Things whose names stand in the log alone are left out: all of their rows do, too. */
    struct writing w = {.engine = e, .zstd = zst_new(), .things = m->names[SERIES_NAME_THING]};
    uint64_t id = m->next_file++;
    rows_clear(&w.rows);
    Err err = write_file(&w, id);
    if (err.code == ERR_NONE) {
        m->latest_file = id, m->latest_flush = flushed;
        atomic_fetch_add_explicit(&e->latest_written, w.at, memory_order_relaxed);
    } else {
        LOG_ERROR("series.latest_not_written", LOG_C("dir", e->dir), LOG_C("error", err.text));
        series_snapshot_drop(e, id);
    }
    rows_fini(&w.rows);
    buf_fini(&w.stamps);
    buf_fini(&w.packed);
    zst_free(w.zstd);
}

void series_snapshot_drop(struct series_engine *e, uint64_t file) {
    char path[4096];
    if (!file) return;
    path_of(e, file, path);
    Err err = file_remove(e->fs, path); /* if it stays, the next start removes it */
    if (err.code && err.code != ERR_NOT_FOUND) LOG_WARN("series.not_removed", LOG_C("error", err.text));
}

/* ---- reading */

struct reading {
    struct series_engine *engine;
    struct file *file;
    struct buf packed, bytes;
    char path[4096];
    uint32_t blocks;
    struct series_snapshot_head head;
};

static uint32_t u32_at(const char *at) {
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static uint64_t u64_at(const char *at) {
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static Err read_exactly(struct reading *r, void *into, size_t n, uint64_t at) {
    size_t got;
    TRY(file_read(r->file, into, n, at, &got));
    return got == n ? err_none() : err_make(ERR_CORRUPT, "'%s' is cut off", r->path);
}

static Err read_head(struct reading *r) {
    char head[HEAD];
    uint64_t id = r->engine->manifest.latest_file;
    path_of(r->engine, id, r->path);
    Err err = file_open(r->engine->fs, r->path, FILE_READ, &r->file);
    if (err.code) return err_make(err.code == ERR_NOT_FOUND ? ERR_CORRUPT : err.code, "%s", err.text);
    TRY(read_exactly(r, head, HEAD, 0));
    if (memcmp(head, MAGIC, 8) != 0 || u64_at(head + HEAD - 8) != hash_bytes(head, HEAD - 8) || u64_at(head + 16) != id)
        return err_make(ERR_CORRUPT, "'%s' fails the checksum of its head", r->path);
    if (u32_at(head + 8) != VERSION)
        return err_make(ERR_CORRUPT, "'%s' has version %u: written by a newer program?", r->path, u32_at(head + 8));
    r->blocks = u32_at(head + 12);
    r->head = (struct series_snapshot_head){u32_at(head + 48), (Nanos)u64_at(head + 40), (Nanos)u64_at(head + 32)};
    return err_none();
}

static void take_stamps(struct reading *r, const char *at, const char *end, uint32_t things) {
    for (; end - at >= STAMP; at += STAMP)
        if (u32_at(at) && u32_at(at) <= things)
            series_live_restore_stamp(r->engine->front.live, u32_at(at), (Nanos)u64_at(at + 8));
}

static Err take_block(struct reading *r, size_t rows) {
    uint32_t n_rows, n_values, things = series_names_count(r->engine->front.names, SERIES_NAME_THING);
    const char *at = r->bytes.ptr, *end = at + rows;
    if (!rows_check((Str){at, rows}, &n_rows, &n_values))
        return err_make(ERR_CORRUPT, "'%s' holds rows that are not well-formed", r->path);
    take_stamps(r, end, at + r->bytes.len, things);
    for (const struct row_head *head; at < end; at += head->size) {
        head = (const struct row_head *)(const void *)at;
        if (head->thing > things) return err_make(ERR_CORRUPT, "'%s' knows more things than there are", r->path);
        series_live_row(r->engine->front.live, head, INT64_MAX);
    }
    return err_none();
}

static Err read_block(struct reading *r, struct zst *zstd, uint64_t *at) {
    char head[BLOCK_HEAD];
    TRY(read_exactly(r, head, BLOCK_HEAD, *at));
    uint32_t packed = u32_at(head), size = u32_at(head + 4), rows = u32_at(head + 8);
    if (packed > BLOCK_MAX || size > BLOCK_MAX || rows > size || rows % 8)
        return err_make(ERR_CORRUPT, "'%s' has a block that makes no sense", r->path);
    buf_clear(&r->packed), buf_clear(&r->bytes);
    buf_reserve(&r->packed, packed), buf_reserve(&r->bytes, size + 8);
    TRY(read_exactly(r, r->packed.ptr, packed, *at + BLOCK_HEAD));
    if (hash_bytes(r->packed.ptr, packed) != u64_at(head + 16) ||
        !zst_read(zstd, (Str){r->packed.ptr, packed}, r->bytes.ptr, size))
        return err_make(ERR_CORRUPT, "a block of '%s' fails its checksum", r->path);
    r->bytes.len = size;
    *at += BLOCK_HEAD + packed;
    return take_block(r, rows);
}

static void close_reading(struct reading *r) {
    file_close(r->file);
    buf_fini(&r->packed);
    buf_fini(&r->bytes);
}

Err series_snapshot_head(struct series_engine *e, struct series_snapshot_head *out) {
    struct reading r = {.engine = e};
    if (!e->manifest.latest_file) return err_make(ERR_NOT_FOUND, "there is no snapshot of latest values");
    Err err = read_head(&r);
    *out = r.head;
    close_reading(&r);
    return err;
}

Err series_snapshot_load(struct series_engine *e) {
    struct reading r = {.engine = e};
    uint64_t at = HEAD;
    Err err = read_head(&r);
    struct zst *zstd = zst_new();
    for (uint32_t i = 0; i < r.blocks && err.code == ERR_NONE; i++) err = read_block(&r, zstd, &at);
    zst_free(zstd);
    close_reading(&r);
    return err;
}
