#include "insight/watch_lean_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "os/clock.h"

#define MAGIC "WEFTLEAN"
#define VERSION 1u
#define HEAD 64
#define BLOCK_HEAD 16
#define BLOCK ((size_t)1 << 20)
#define BLOCK_MAX ((size_t)64 << 20)
#define SYNC_EVERY ((uint64_t)32 << 20)
#define REST (5 * NANOS_PER_S)          /* before the next, and before a whole one takes its place */
#define BYTES_PER_S ((uint64_t)4 << 20) /* written on average, at most */
#define PIECE_EVERY (20 * NANOS_PER_MS)
#define THING_HEAD 40

static void path_of(const char *dir, const char *name, char out[4096]) { snprintf(out, 4096, "%.4000s/%s", dir, name); }

/* What the order of the metrics is, so that a model that has changed is not given another's numbers. */
static uint32_t shape_of(const struct thing_model *model) {
    uint64_t hash = 0;
    for (size_t i = 0; i < watch_lean_metrics(model); i++)
        hash = hash_seeded(model->metrics[i].name, strlen(model->metrics[i].name), hash);
    return (uint32_t)hash;
}

/* ---- writing */

static void put_codes(struct buf *out, const struct watch_lean *w) {
    for (size_t e = 0; w->codes && e < w->family->n_codes; e++) {
        if (!(w->codes->on >> e & 1)) continue;
        Str code = w->family->codes[e];
        buf_u64le(out, (uint64_t)w->codes->at[e]);
        buf_u32le(out, (uint32_t)code.len);
        buf_str(out, code);
        while (out->len % 8 != 4) buf_byte(out, 0);
        buf_u32le(out, 0);
    }
}

static uint16_t count_codes(const struct watch_lean *w) {
    return w->codes ? (uint16_t)__builtin_popcountll(w->codes->on) : 0;
}

static void put_thing(struct buf *out, const struct watch_lean *w, struct series *series) {
    PartyId party;
    Str name;
    if (!series_thing_name(series, w->id, &party, &name)) return;
    size_t n = watch_lean_metrics(w->model);
    uint64_t gap;
    memcpy(&gap, &w->gap, sizeof gap);
    buf_u32le(out, w->id);
    buf_u32le(out, (uint32_t)hash_seeded(name.ptr, name.len, party));
    buf_u32le(out, shape_of(w->model));
    buf_u32le(out, (uint32_t)n | (uint32_t)count_codes(w) << 16);
    buf_u64le(out, (uint64_t)w->last);
    buf_u64le(out, (uint64_t)w->hour);
    buf_u64le(out, gap);
    put_codes(out, w);
    buf_add(out, w->metrics, n * sizeof(struct baseline));
}

static Err write_block(struct watch_lean_keeper *k, uint32_t things) {
    struct buf head = {0};
    buf_u32le(&head, (uint32_t)k->block.len);
    buf_u32le(&head, things);
    buf_u64le(&head, hash_bytes(k->block.ptr, k->block.len));
    Err err = file_write(k->file, head.ptr, head.len, k->at);
    if (err.code == ERR_NONE && k->block.len) err = file_write(k->file, k->block.ptr, k->block.len, k->at + BLOCK_HEAD);
    k->at += BLOCK_HEAD + k->block.len;
    buf_fini(&head);
    return err;
}

static Err begin(struct watch_lean_keeper *k, uint64_t judged) {
    char path[4096], head[HEAD] = MAGIC;
    head[8] = VERSION;
    path_of(k->dir, "lean.new", path);
    k->whole = false;
    TRY(file_open(k->fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &k->file));
    k->next = 0, k->at = HEAD, k->synced = 0, k->written = 0;
    k->began = clock_monotonic(), k->judged = judged;
    return file_write(k->file, head, HEAD, 0);
}

static Err piece(struct watch_lean_keeper *k, const struct watch_leans *leans, struct series *series) {
    uint32_t n = 0;
    buf_clear(&k->block);
    for (; k->next < leans->n && k->block.len < BLOCK; k->next++) {
        const struct watch_lean *w = leans->items[k->next];
        if (!w->id || w->last == INT64_MIN) continue;
        put_thing(&k->block, w, series);
        n++;
    }
    k->written += n;
    if (n) TRY(write_block(k, n));
    if (k->at - k->synced < SYNC_EVERY) return err_none();
    k->synced = k->at; /* a little at a time, so that nobody waits long for the disk */
    return file_sync(k->file, "watch.lean");
}

static Err finish_file(struct watch_lean_keeper *k) {
    buf_clear(&k->block);
    Err err = write_block(k, (uint32_t)k->written);
    if (err.code == ERR_NONE) err = file_sync(k->file, "watch.lean");
    file_close(k->file);
    k->file = NULL;
    k->whole = err.code == ERR_NONE;
    k->ended = clock_monotonic();
    return err;
}

static Err take_place(struct watch_lean_keeper *k) {
    char from[4096], to[4096];
    path_of(k->dir, "lean.new", from);
    path_of(k->dir, "lean.state", to);
    k->whole = false;
    TRY(file_rename(k->fs, from, to));
    return file_sync_dir(k->fs, k->dir, "watch.lean.dir");
}

static Nanos pause_after(const struct watch_lean_keeper *k) {
    Nanos fair = (Nanos)(k->at / BYTES_PER_S) * NANOS_PER_S;
    return fair > REST ? fair : REST;
}

Nanos watch_lean_keep_pause(const struct watch_lean_keeper *k, const struct watch_leans *leans, uint64_t judged) {
    Nanos at = k->file ? k->last + PIECE_EVERY : k->whole ? k->ended + REST : k->began + pause_after(k);
    if (!k->dir || !(k->file || k->whole || (leans->n && judged != k->judged))) return -1;
    Nanos rest = at - clock_monotonic();
    return rest > 0 ? rest : 0;
}

static Err turn(struct watch_lean_keeper *k, const struct watch_leans *leans, struct series *series, uint64_t judged) {
    if (k->file) {
        k->last = clock_monotonic();
        TRY(piece(k, leans, series));
        return k->next < leans->n ? err_none() : finish_file(k);
    }
    /* The findings of what it has are with others by then: as keep_state in watch.c. */
    return k->whole ? take_place(k) : begin(k, judged);
}

static void give_up(struct watch_lean_keeper *k, Err why) {
    LOG_WARN("watch.not_saved", LOG_C("file", "lean.new"), LOG_C("why", why.text));
    file_close(k->file);
    k->file = NULL, k->whole = false, k->judged = UINT64_MAX;
}

void watch_lean_keep_turn(struct watch_lean_keeper *k, const struct watch_leans *leans, struct series *series,
                          uint64_t judged, bool finish) {
    if (finish && judged != k->judged) { /* what is half-way is older than what there is now */
        file_close(k->file);
        k->file = NULL, k->whole = false;
    }
    for (;;) {
        Nanos pause = watch_lean_keep_pause(k, leans, judged);
        if (pause < 0 || (pause > 0 && !finish)) return;
        Err err = turn(k, leans, series, judged);
        if (err.code != ERR_NONE) {
            give_up(k, err);
            return;
        }
        if (!finish) return;
    }
}

void watch_lean_keep_fini(struct watch_lean_keeper *k) {
    file_close(k->file);
    buf_fini(&k->block);
}

/* ---- reading */

struct loading {
    struct series *series;
    watch_lean_make *make;
    void *ctx;
    uint64_t things;
};

static uint32_t u32_at(const char *at) {
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static int64_t i64_at(const char *at) {
    int64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

/* Passes over the codes, and gives them to the thing when there is one. False: cut off. */
static bool take_codes(Str *rest, unsigned n, struct watch_lean *w) {
    for (unsigned i = 0; i < n; i++) {
        if (rest->len < 16) return false;
        uint32_t len = u32_at(rest->ptr + 8);
        size_t size = (12 + (size_t)len + 4 + 7) / 8 * 8;
        if (len > WATCH_CODE_MAX || size > rest->len) return false;
        uint8_t code = w ? watch_family_code(w->family, (Str){rest->ptr + 12, len}) : FAILURE_CODES_MAX;
        if (code < FAILURE_CODES_MAX) {
            if (!w->codes) w->codes = calloc(1, sizeof *w->codes);
            ASSERT(w->codes);
            w->codes->on |= UINT64_C(1) << code;
            w->codes->at[code] = i64_at(rest->ptr);
        }
        *rest = str_slice(*rest, size, rest->len);
    }
    return true;
}

static bool take_thing(struct loading *l, Str *rest) {
    if (rest->len < THING_HEAD) return false;
    const char *at = rest->ptr;
    ThingId id = u32_at(at);
    uint32_t n = u32_at(at + 12) & 0xFFFF, codes = u32_at(at + 12) >> 16;
    PartyId party;
    Str name;
    bool known = n <= WATCH_METRICS_MAX && codes <= FAILURE_CODES_MAX &&
                 series_thing_name(l->series, id, &party, &name) &&
                 (uint32_t)hash_seeded(name.ptr, name.len, party) == u32_at(at + 4);
    struct watch_lean *w = known ? l->make(l->ctx, id, name) : NULL;
    if (w && (shape_of(w->model) != u32_at(at + 8) || watch_lean_metrics(w->model) != n)) w = NULL;
    *rest = str_slice(*rest, THING_HEAD, rest->len);
    if (!take_codes(rest, codes, w) || rest->len < n * sizeof(struct baseline)) return false;
    if (w) {
        w->last = i64_at(at + 16), w->hour = i64_at(at + 24);
        memcpy(&w->gap, at + 32, sizeof w->gap);
        memcpy(w->metrics, rest->ptr, n * sizeof(struct baseline));
        w->cold = false;
    }
    *rest = str_slice(*rest, n * sizeof(struct baseline), rest->len);
    return true;
}

static Err take_block(struct loading *l, Str bytes, uint32_t things) {
    for (uint32_t i = 0; i < things; i++)
        if (!take_thing(l, &bytes)) return err_make(ERR_CORRUPT, "a block makes no sense");
    l->things += things;
    return bytes.len ? err_make(ERR_CORRUPT, "a block holds more than its things") : err_none();
}

static Err read_exactly(struct file *file, void *into, size_t n, uint64_t at) {
    size_t got;
    TRY(file_read(file, into, n, at, &got));
    return got == n ? err_none() : err_make(ERR_CORRUPT, "cut off at byte %llu", (unsigned long long)(at + got));
}

static Err read_blocks(struct loading *l, struct file *file, struct buf *block) {
    char head[HEAD];
    TRY(read_exactly(file, head, HEAD, 0));
    if (memcmp(head, MAGIC, 8) != 0 || u32_at(head + 8) != VERSION)
        return err_make(ERR_INVALID, "it is of another version than %u", VERSION);
    for (uint64_t at = HEAD;;) {
        TRY(read_exactly(file, head, BLOCK_HEAD, at));
        uint32_t bytes = u32_at(head), things = u32_at(head + 4);
        if (bytes == 0)
            return things == (uint32_t)l->things ? err_none() : err_make(ERR_CORRUPT, "things are missing in it");
        if (bytes > BLOCK_MAX) return err_make(ERR_CORRUPT, "a block of %u bytes", bytes);
        buf_clear(block);
        buf_reserve(block, bytes);
        TRY(read_exactly(file, block->ptr, bytes, at + BLOCK_HEAD));
        if ((uint64_t)i64_at(head + 8) != hash_bytes(block->ptr, bytes))
            return err_make(ERR_CORRUPT, "the block at byte %llu fails its checksum", (unsigned long long)at);
        TRY(take_block(l, (Str){block->ptr, bytes}, things));
        at += BLOCK_HEAD + bytes;
    }
}

Err watch_lean_keep_load(struct file_system *fs, const char *dir, struct series *series, watch_lean_make *make,
                         void *ctx) {
    struct loading l = {series, make, ctx, 0};
    struct buf block = {0};
    struct file *file;
    char path[4096], bad[4096];
    path_of(dir, "lean.state", path);
    Err err = file_open(fs, path, FILE_READ, &file);
    if (err.code != ERR_NONE) return err.code == ERR_NOT_FOUND ? err_none() : err;
    err = read_blocks(&l, file, &block);
    file_close(file);
    buf_fini(&block);
    if (err.code == ERR_NONE || err.code == ERR_IO) return err;
    path_of(dir, "lean.state.bad", bad);
    LOG_WARN("watch.file_refused", LOG_C("file", path), LOG_C("why", err.text), LOG_C("renamed", bad));
    return file_rename(fs, path, bad);
}
