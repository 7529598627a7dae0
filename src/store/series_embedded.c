/*
 * Writing: a group's rows are copied once, into a block of memory that leaves room for the log's record head, so the
 * block is the log record and, once synced, the memory table. See docs/format-series.md for the files.
 */
#include "store/series_embedded.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "os/thread.h"
#include "store/series_memory.h"
#include "store/series_recent.h"
#include "store/series_scan.h"
#include "store/series_wal.h"

/* Bytes of a block that one write call puts into the log: perhaps names, perhaps rows. */
struct piece {
    struct series_block *block;
    size_t from, rows, end; /* offsets; rows == end: it has none */
};

struct series_engine {
    struct series_options options;
    struct file_system *fs;
    struct series_front front;
    struct series_pool *pool;
    struct series_wal *wal;
    pthread_mutex_t lock;         /* of what readers take a hold of */
    struct series_memory *active; /* being filled */
    struct piece *pieces;         /* of the group being written */
    size_t n_pieces, cap_pieces;
    _Atomic uint64_t syncs;
};

/* ---- writing */

static struct piece *begin_piece(struct series_engine *e, size_t room) {
    struct series_block *block = series_memory_reserve(e->active, room);
    struct piece piece = {block, block->used, block->used, block->used};
    VEC_PUSH(e->pieces, e->n_pieces, e->cap_pieces, piece);
    return &e->pieces[e->n_pieces - 1];
}

static void put_names(struct series_engine *e, struct piece *piece, Str names) {
    size_t padded = (names.len + 7) & ~(size_t)7;
    char *at = piece->block->bytes + piece->end;
    memset(at + SERIES_WAL_HEAD + padded - 8, 0, 8);
    memcpy(at + SERIES_WAL_HEAD, names.ptr, names.len);
    series_wal_seal(e->wal, at, SERIES_WAL_NAMES, padded);
    piece->rows = piece->end += SERIES_WAL_HEAD + padded;
    piece->block->used = piece->end;
}

static void put_rows(struct piece *piece, const struct rows *rows) {
    if (piece->rows == piece->end) piece->rows = piece->end += SERIES_WAL_HEAD;
    memcpy(piece->block->bytes + piece->end, rows->bytes.ptr, rows->bytes.len);
    piece->end += rows->bytes.len;
    piece->block->used = piece->end;
}

static void seal_rows(struct series_engine *e, const struct piece *piece) {
    if (piece->rows < piece->end)
        series_wal_seal(e->wal, piece->block->bytes + piece->rows - SERIES_WAL_HEAD, SERIES_WAL_ROWS,
                        piece->end - piece->rows);
}

static bool has_room(const struct piece *piece, size_t n) {
    return piece->block->cap - piece->end >= n + SERIES_WAL_HEAD &&
           piece->end - piece->rows + n <= SERIES_WAL_PAYLOAD_MAX;
}

/* Copies the group into blocks, as log records. */
static void lay_out(struct series_engine *e, const struct series_group *group) {
    struct piece *piece = NULL;
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

static Err write_log(struct series_engine *e) {
    for (size_t i = 0; i < e->n_pieces; i++) {
        const struct piece *p = &e->pieces[i];
        TRY(series_wal_write(e->wal, p->block->bytes + p->from, p->end - p->from));
    }
    TRY(series_wal_sync(e->wal));
    atomic_fetch_add_explicit(&e->syncs, 1, memory_order_relaxed);
    return err_none();
}

static void give_back_pieces(struct series_engine *e) {
    while (e->n_pieces > 0) {
        const struct piece *p = &e->pieces[--e->n_pieces];
        p->block->used = p->from;
    }
}

static Err embedded_append(struct series_engine *e, const struct series_group *group) {
    TRY(series_wal_ready(e->wal));
    lay_out(e, group);
    if (e->n_pieces == 0) return err_none(); /* dead letters only */
    Err err = write_log(e);
    if (err.code) {
        give_back_pieces(e);
        return err;
    }
    for (size_t i = 0; i < e->n_pieces; i++) {
        const struct piece *p = &e->pieces[i];
        series_memory_index(e->active, p->block->bytes + p->rows, p->end - p->rows);
    }
    return err_none();
}

/* ---- reading */

struct memory_source {
    struct series_source base; /* first */
    struct series_samples samples;
    bool given;
};

static Err memory_next(struct series_source *self, struct series_samples *batch) {
    struct memory_source *m = (struct memory_source *)self;
    *batch = m->given ? (struct series_samples){0} : m->samples;
    m->given = true;
    return err_none();
}

static void turn_round(struct series_samples *s) {
    for (size_t i = 0, k = s->n; i + 1 < k; i++) {
        k--;
        Nanos time = s->times[i];
        s->times[i] = s->times[k], s->times[k] = time;
        Value value = s->values[i];
        s->values[i] = s->values[k], s->values[k] = value;
    }
}

struct reading {
    struct series_engine *engine;
    const struct series_scan *scan;
    struct series_scan_out out;
    struct series_memory *active;
    struct series_recent recent;
    struct memory_source memory;
};

static Err read_metric(struct reading *r, ThingId thing, MetricId metric) {
    r->memory.samples.n = 0;
    r->memory.base = (struct series_source){.next = memory_next};
    r->memory.given = false;
    series_recent_metric(&r->recent, metric, &r->memory.samples);
    if (r->scan->newest_first) turn_round(&r->memory.samples);
    struct series_source *sources[] = {&r->memory.base};
    struct series_merge merge = {sources, 1, r->scan->newest_first};
    return series_scan_stream(&r->out, thing, metric, &merge);
}

static Err read_thing(struct reading *r, ThingId thing) {
    const struct series_scan *scan = r->scan;
    series_recent_clear(&r->recent);
    series_recent_add(&r->recent, r->active, thing, scan->from, scan->to);
    series_recent_sort(&r->recent);
    if (scan->metric) return read_metric(r, thing, scan->metric);
    size_t n;
    MetricId *metrics = series_live_metrics(r->engine->front.live, thing, &n);
    Err err = err_none();
    for (size_t i = 0; i < n && err.code == ERR_NONE && !r->out.stopped; i++) err = read_metric(r, thing, metrics[i]);
    free(metrics);
    return err;
}

static bool shown(const struct reading *r, ThingId thing) {
    PartyId party = series_names_party(r->engine->front.names, thing);
    return party != 0 && (r->scan->every_party || party == r->scan->party);
}

static Err read_things(struct reading *r) {
    if (r->scan->thing) return shown(r, r->scan->thing) ? read_thing(r, r->scan->thing) : err_none();
    uint32_t count = series_names_count(r->engine->front.names, SERIES_NAME_THING);
    for (ThingId thing = 1; thing <= count && !r->out.stopped; thing++)
        if (shown(r, thing)) TRY(read_thing(r, thing));
    return err_none();
}

static Err embedded_read(struct series_engine *e, const struct series_scan *scan, series_sink *sink, void *ctx) {
    struct reading r = {.engine = e, .scan = scan, .out = {.scan = scan, .sink = sink, .ctx = ctx}};
    thread_lock(&e->lock);
    r.active = e->active;
    series_memory_ref(r.active);
    thread_unlock(&e->lock);
    Err err = read_things(&r);
    series_memory_unref(r.active);
    series_recent_fini(&r.recent);
    series_merge_fini(&r.memory.samples);
    return err;
}

/* ---- opening */

static Err replay_rows(struct series_engine *e, Str payload, Nanos horizon) {
    uint32_t n_rows, n_values;
    if (!rows_check(payload, &n_rows, &n_values)) return err_make(ERR_CORRUPT, "rows are not well-formed");
    struct series_block *block = series_memory_reserve(e->active, payload.len);
    char *at = block->bytes + block->used;
    memcpy(at, payload.ptr, payload.len);
    uint32_t things = series_names_count(e->front.names, SERIES_NAME_THING);
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
    case SERIES_WAL_ROWS: return replay_rows(e, payload, clock_now(e->options.clock) + SERIES_LIVE_AHEAD);
    }
    return err_make(ERR_CORRUPT, "record of kind %d: written by a newer version?", (int)kind);
}

static void embedded_close(struct series_engine *e) {
    if (!e) return;
    series_wal_close(e->wal);
    series_memory_unref(e->active);
    series_memory_pool_free(e->pool);
    thread_mutex_fini(&e->lock);
    free(e->pieces);
    free(e);
}

static Err embedded_open(const struct series_options *options, const struct series_front *front,
                         struct series_engine **out) {
    struct series_engine *e = calloc(1, sizeof *e);
    ASSERT(e != NULL);
    e->options = *options, e->fs = options->fs, e->front = *front;
    thread_mutex_init(&e->lock);
    e->pool = series_memory_pool_new();
    e->active = series_memory_new(e->pool);
    struct series_wal_options log = {
        .fs = e->fs, .dir = options->dir, .first = 1, .read_only = options->read_only, .sink = replay_record, .ctx = e};
    Err err = series_wal_open(&log, &e->wal);
    if (err.code)
        embedded_close(e);
    else
        *out = e;
    return err;
}

static Err embedded_flush(struct series_engine *e) {
    (void)e;
    return err_none();
}

static void embedded_stats(struct series_engine *e, struct series_stats *out) {
    thread_lock(&e->lock);
    out->memory_bytes += series_memory_bytes(e->active);
    thread_unlock(&e->lock);
    out->log_bytes += series_wal_bytes(e->wal);
    out->syncs += atomic_load_explicit(&e->syncs, memory_order_relaxed);
}

const struct series_ops series_embedded_ops = {
    .name = "embedded",
    .open = embedded_open,
    .close = embedded_close,
    .append = embedded_append,
    .read = embedded_read,
    .flush = embedded_flush,
    .stats = embedded_stats,
};
