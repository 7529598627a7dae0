/*
 * DIR holds
 *
 *     entries     the entries, 32 bytes each, one behind the other
 *     level0 …7   the hashes of tlog-tiles' levels, 32 bytes each: all tiles of a level, one behind the other, so that
 * a tile, full or partial, is one piece of a file log         what was appended since those files were last written
 *
 * The log is a head of 64 bytes,
 *
 *      0   8  "weftledg"
 *      8   8  size: entries in the files when this log was begun
 *     16  32  root of the tree of that size
 *     48   8  0
 *     56   8  XXH3 of bytes 0…55
 *
 * then frames: n (4), index of the first entry (8), XXH3 of both and the entries (8), n entries. A group of entries is
 * a frame, written and synced as one. Once the log is long its entries and their hashes are written to the files, those
 * synced, and a new log begun beside and renamed. What stands in the files behind `size` does not count, so a folding
 * that was cut short is simply done again. A frame that fails its sum ends the log: it was never acknowledged.
 */
#include "trust/ledger_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "os/thread.h"

#define HEAD_BYTES 64
#define FRAME_BYTES 20
#define FRAME_MAX ((size_t)1 << 16)  /* entries */
#define FOLD_AT ((uint64_t)1 << 17)  /* entries in the log */
#define FILES (TILE_PATH_LEVELS + 1) /* the levels, then the entries */
#define ENTRIES TILE_PATH_LEVELS
#define APPLY_AT_ONCE 512 /* entries, so that readers wait little */
#define PATH_BYTES 4096

static const char magic[8] = "weftledg";

struct ledger_tree {
    struct file_system *fs;
    char dir[PATH_BYTES - 64];
    struct file *log, *files[FILES];
    uint64_t log_bytes, fold_at;
    bool broken;          /* the log may hold what was refused: reopen */
    MerkleHash stack[64]; /* of each bit of size that is set, the root of that complete subtree */
    pthread_mutex_t lock; /* of the rest, which only the appending thread changes */
    uint64_t size, folded;
    struct buf tails[FILES]; /* what the files will get when the log is folded */
};

/* How many hashes a level has over `size` entries. */
static uint64_t count_of(size_t file, uint64_t size) { return file == ENTRIES || file == 0 ? size : size >> 8 * file; }

static void path_of(const struct ledger_tree *t, const char *name, char out[PATH_BYTES]) {
    snprintf(out, PATH_BYTES, "%s/%s", t->dir, name);
}

static void file_name(size_t file, char out[16]) {
    if (file == ENTRIES)
        snprintf(out, 16, "entries");
    else
        snprintf(out, 16, "level%zu", file);
}

/* ---- in memory */
static void apply_one(struct ledger_tree *t, const unsigned char *entry) {
    buf_add(&t->tails[ENTRIES], entry, 32);
    MerkleHash h = merkle_leaf(str_n((const char *)entry, 32));
    for (unsigned level = 0;; level++) {
        if (level % 8 == 0) buf_add(&t->tails[level / 8], h.bytes, sizeof h.bytes);
        if (!(t->size >> level & 1)) {
            t->stack[level] = h;
            break;
        }
        h = merkle_node(t->stack[level], h);
    }
    t->size++;
}

static void apply(struct ledger_tree *t, const unsigned char *entries, size_t n) {
    for (size_t i = 0; i < n;) {
        size_t end = n - i < APPLY_AT_ONCE ? n : i + APPLY_AT_ONCE;
        thread_lock(&t->lock);
        for (; i < end; i++) apply_one(t, entries + 32 * i);
        thread_unlock(&t->lock);
    }
}

static MerkleHash root_of(const struct ledger_tree *t) {
    MerkleHash root = merkle_empty();
    bool first = true;
    for (unsigned level = 0; level < 64; level++) {
        if (!(t->size >> level & 1)) continue;
        root = first ? t->stack[level] : merkle_node(t->stack[level], root);
        first = false;
    }
    return root;
}

/* ---- reading */
static Err damaged(const struct ledger_tree *t, const char *what) {
    return err_make(ERR_CORRUPT, "the ledger in '%.100s' is damaged: %s: restore it from a backup", t->dir, what);
}

/* The lock is held. */
static Err read_locked(struct ledger_tree *t, size_t file, uint64_t from, size_t n, unsigned char *out) {
    uint64_t in_file = count_of(file, t->folded);
    if (from + n > count_of(file, t->size) || from + n < from)
        return err_make(ERR_NOT_FOUND, "the ledger does not reach that far yet");
    size_t old = from >= in_file ? 0 : in_file - from < n ? (size_t)(in_file - from) : n;
    if (old > 0) {
        size_t got = 0;
        TRY(file_read(t->files[file], out, 32 * old, 32 * from, &got));
        if (got != 32 * old) return damaged(t, "a file is too short");
    }
    if (old < n) memcpy(out + 32 * old, t->tails[file].ptr + 32 * (from + old - in_file), 32 * (n - old));
    return err_none();
}

Err ledger_tree_read(struct ledger_tree *t, unsigned level, uint64_t from, size_t n, unsigned char *out) {
    size_t file = level == TILE_PATH_ENTRIES ? ENTRIES : level;
    if (file >= FILES || (file == ENTRIES && level != TILE_PATH_ENTRIES))
        return err_make(ERR_NOT_FOUND, "the ledger has no tiles of level %u", level);
    thread_lock(&t->lock);
    Err err = read_locked(t, file, from, n, out);
    thread_unlock(&t->lock);
    return err;
}

uint64_t ledger_tree_size(struct ledger_tree *t) {
    thread_lock(&t->lock);
    uint64_t size = t->size;
    thread_unlock(&t->lock);
    return size;
}

/* A node between the levels of tiles is hashed from up to 128 hashes of the tile below. */
static Err node(void *ctx, unsigned level, uint64_t index, MerkleHash *out) {
    MerkleHash row[128];
    size_t n = (size_t)1 << level % 8;
    TRY(ledger_tree_read(ctx, level / 8, index << level % 8, n, row[0].bytes));
    for (; n > 1; n /= 2)
        for (size_t i = 0; i < n / 2; i++) row[i] = merkle_node(row[2 * i], row[2 * i + 1]);
    *out = row[0];
    return err_none();
}

struct merkle_source ledger_tree_source(struct ledger_tree *t) {
    return (struct merkle_source){.node = node, .ctx = t};
}

/* ---- the log */
static void put_u64(unsigned char *to, uint64_t v) {
    for (int i = 0; i < 8; i++) to[i] = (unsigned char)(v >> 8 * i);
}

static uint64_t get_u64(const unsigned char *from) {
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--) v = v << 8 | from[i];
    return v;
}

static uint64_t frame_sum(const unsigned char head[12], const unsigned char *entries, size_t n) {
    return hash_seeded(entries, 32 * n, hash_bytes(head, 12));
}

static Err write_log_head(struct ledger_tree *t, const char *path) {
    unsigned char head[HEAD_BYTES] = {0};
    memcpy(head, magic, sizeof magic);
    put_u64(head + 8, t->size);
    memcpy(head + 16, root_of(t).bytes, 32);
    put_u64(head + 56, hash_bytes(head, 56));
    struct file *file;
    TRY(file_open(t->fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE, &file));
    Err err = file_write(file, head, sizeof head, 0);
    if (err.code == ERR_NONE) err = file_sync(file, "ledger.log");
    file_close(file);
    return err;
}

/* A log without frames, over files that hold everything. */
static Err new_log(struct ledger_tree *t) {
    char path[PATH_BYTES], beside[PATH_BYTES];
    path_of(t, "log", path);
    path_of(t, "log.new", beside);
    TRY(write_log_head(t, beside));
    TRY(file_rename(t->fs, beside, path));
    TRY(file_sync_dir(t->fs, t->dir, "ledger.log.dir"));
    file_close(t->log);
    t->log = NULL;
    TRY(file_open(t->fs, path, FILE_READ | FILE_WRITE, &t->log));
    t->log_bytes = HEAD_BYTES;
    return err_none();
}

static Err write_files(struct ledger_tree *t) {
    bool made = false;
    for (size_t i = 0; i < FILES; i++) {
        char name[16], path[PATH_BYTES];
        const struct buf *tail = &t->tails[i];
        if (tail->len == 0) continue;
        file_name(i, name);
        path_of(t, name, path);
        if (!t->files[i]) {
            TRY(file_open(t->fs, path, FILE_READ | FILE_WRITE | FILE_CREATE, &t->files[i]));
            made = true;
        }
        TRY(file_write(t->files[i], tail->ptr, tail->len, 32 * count_of(i, t->folded)));
        TRY(file_sync(t->files[i], "ledger.files"));
    }
    return made ? file_sync_dir(t->fs, t->dir, "ledger.files.dir") : err_none();
}

static Err fold(struct ledger_tree *t) {
    Err err = write_files(t);
    if (err.code == ERR_NONE) err = new_log(t);
    if (err.code != ERR_NONE) {
        t->broken = true;
        return err;
    }
    thread_lock(&t->lock);
    t->folded = t->size;
    for (size_t i = 0; i < FILES; i++) buf_fini(&t->tails[i]);
    thread_unlock(&t->lock);
    return err_none();
}

static Err append_frame(struct ledger_tree *t, const unsigned char *entries, size_t n) {
    struct buf frame = {0};
    unsigned char head[FRAME_BYTES];
    for (int i = 0; i < 4; i++) head[i] = (unsigned char)(n >> 8 * i);
    put_u64(head + 4, t->size);
    put_u64(head + 12, frame_sum(head, entries, n));
    buf_add(&frame, head, sizeof head);
    buf_add(&frame, entries, 32 * n);
    Err err = file_write(t->log, frame.ptr, frame.len, t->log_bytes);
    if (err.code == ERR_NONE) err = file_sync(t->log, "ledger.append");
    if (err.code == ERR_NONE)
        t->log_bytes += frame.len;
    else if (file_truncate(t->log, t->log_bytes).code != ERR_NONE || file_sync(t->log, "ledger.cut").code != ERR_NONE)
        t->broken = true;
    buf_fini(&frame);
    return err;
}

Err ledger_tree_append(struct ledger_tree *t, const unsigned char *entries, size_t n, uint64_t *first) {
    *first = t->size;
    if (t->broken) return err_make(ERR_IO, "the disk failed under the ledger: restart the server once it is mended");
    if (n > FRAME_MAX) return err_make(ERR_TOO_LARGE, "%zu entries at once: at most %zu", n, FRAME_MAX);
    if (n == 0) return err_none();
    TRY(append_frame(t, entries, n));
    apply(t, entries, n);
    if (t->size - t->folded < t->fold_at) return err_none();
    Err err = fold(t); /* what was appended is kept all the same */
    if (err.code != ERR_NONE) LOG_ERROR("ledger.fold", LOG_C("reason", err.text));
    return err_none();
}

/* ---- opening */
static Err open_files(struct ledger_tree *t) {
    for (size_t i = 0; i < FILES; i++) {
        char name[16], path[PATH_BYTES];
        uint64_t bytes = 0;
        file_name(i, name);
        path_of(t, name, path);
        Err err = file_open(t->fs, path, FILE_READ | FILE_WRITE, &t->files[i]);
        if (err.code == ERR_NONE)
            err = file_size(t->files[i], &bytes);
        else
            t->files[i] = NULL;
        if (err.code != ERR_NONE && err.code != ERR_NOT_FOUND) return err;
        if (bytes < 32 * count_of(i, t->folded)) return damaged(t, "a file is too short");
    }
    return err_none();
}

static Err restore_stack(struct ledger_tree *t, const unsigned char want[32]) {
    uint64_t at = 0;
    for (unsigned level = 64; level-- > 0;) {
        if (!(t->size >> level & 1)) continue;
        TRY(node(t, level, at >> level, &t->stack[level]));
        at += UINT64_C(1) << level;
    }
    return memcmp(root_of(t).bytes, want, 32) == 0 ? err_none() : damaged(t, "its hashes do not give its root");
}

static Err read_head(struct ledger_tree *t, const struct buf *log) {
    const unsigned char *p = (const unsigned char *)log->ptr;
    if (log->len < HEAD_BYTES || memcmp(p, magic, 8) != 0 || get_u64(p + 56) != hash_bytes(p, 56))
        return damaged(t, "the head of its log fails its checksum");
    t->size = t->folded = get_u64(p + 8);
    TRY(open_files(t));
    return restore_stack(t, p + 16);
}

static void replay(struct ledger_tree *t, const struct buf *log) {
    const unsigned char *p = (const unsigned char *)log->ptr;
    uint64_t at = HEAD_BYTES;
    while (log->len - at >= FRAME_BYTES) {
        const unsigned char *f = p + at;
        size_t n = (size_t)f[0] | (size_t)f[1] << 8 | (size_t)f[2] << 16 | (size_t)f[3] << 24;
        if (n == 0 || n > FRAME_MAX || log->len - at < FRAME_BYTES + 32 * n || get_u64(f + 4) != t->size ||
            get_u64(f + 12) != frame_sum(f, f + FRAME_BYTES, n))
            break;
        apply(t, f + FRAME_BYTES, n);
        at += FRAME_BYTES + 32 * n;
    }
    if (at < log->len) LOG_WARN("ledger.torn", LOG_I("bytes", log->len - at), LOG_C("reason", "not acknowledged"));
}

/* Whatever was seen is written anew: a killed process may have left it visible and not durable. */
static Err take_log(struct ledger_tree *t, const struct buf *log) {
    TRY(read_head(t, log));
    replay(t, log);
    return fold(t);
}

static Err open_all(struct ledger_tree *t) {
    char path[PATH_BYTES], entries[PATH_BYTES];
    struct buf log = {0};
    path_of(t, "log", path);
    path_of(t, "entries", entries);
    Err err = file_load(t->fs, path, SIZE_MAX / 2, &log);
    if (err.code == ERR_NONE)
        err = take_log(t, &log);
    else if (err.code == ERR_NOT_FOUND)
        err = file_exists(t->fs, entries) ? damaged(t, "its log is gone") : new_log(t);
    buf_fini(&log);
    return err;
}

Err ledger_tree_open(struct file_system *fs, const char *dir, uint64_t fold_at, struct ledger_tree **out) {
    *out = NULL;
    if (strlen(dir) >= sizeof((struct ledger_tree *)0)->dir)
        return err_make(ERR_INVALID, "the data folder's path is too long");
    struct ledger_tree *t = calloc(1, sizeof *t);
    ASSERT(t);
    t->fs = fs;
    t->fold_at = fold_at ? fold_at : FOLD_AT;
    snprintf(t->dir, sizeof t->dir, "%s", dir);
    thread_mutex_init(&t->lock);
    Err err = open_all(t);
    if (err.code != ERR_NONE)
        ledger_tree_close(t);
    else
        *out = t;
    return err;
}

void ledger_tree_close(struct ledger_tree *t) {
    if (!t) return;
    for (size_t i = 0; i < FILES; i++) {
        file_close(t->files[i]);
        buf_fini(&t->tails[i]);
    }
    file_close(t->log);
    thread_mutex_fini(&t->lock);
    free(t);
}
