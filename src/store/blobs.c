/*
 * A blob is written to DIR/blobs/new/N, synced, and renamed to its name; then the folder of the name is synced. So a
 * name never stands for half of its bytes, and what is left in new/ was never acknowledged and goes at the next
 * opening. Bytes that are here already are compared, and written again when the disk has spoilt them.
 */
#include "store/blobs.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"

#define PATH_BYTES 4096
#define NAME_BYTES (sizeof "/ab/" + 2 * SHA256_BYTES)

struct blobs {
    struct file_system *fs;
    char dir[PATH_BYTES - 64];
    _Atomic uint64_t next;
};

/* ---- names */

static void folder_of(const struct blobs *blobs, BlobId id, char out[PATH_BYTES]) {
    ASSERT(snprintf(out, PATH_BYTES, "%s/%02x", blobs->dir, id.hash[0]) < PATH_BYTES);
}

static void path_of(const struct blobs *blobs, BlobId id, char out[PATH_BYTES]) {
    char name[NAME_BYTES] = "";
    for (size_t i = 1; i < SHA256_BYTES; i++) snprintf(name + 2 * (i - 1), 3, "%02x", id.hash[i]);
    ASSERT(snprintf(out, PATH_BYTES, "%s/%02x/%s", blobs->dir, id.hash[0], name) < PATH_BYTES);
}

static BlobId id_of(Str bytes) {
    BlobId id;
    sha256_bytes(bytes.ptr, bytes.len, id.hash);
    return id;
}

/* ---- opening */

struct leftovers {
    const struct blobs *blobs;
    Err err;
};

static bool remove_leftover(void *ctx, Str name) {
    struct leftovers *left = ctx;
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/new/" STR_FMT, left->blobs->dir, STR_ARG(str_slice(name, 0, 32)));
    left->err = file_remove(left->blobs->fs, path);
    return left->err.code == ERR_NONE;
}

static Err clean(struct blobs *blobs) {
    char path[PATH_BYTES];
    struct leftovers left = {.blobs = blobs, .err = err_none()};
    snprintf(path, sizeof path, "%s/new", blobs->dir);
    TRY(file_make_dirs(blobs->fs, path, "blobs.folder"));
    TRY(file_list(blobs->fs, path, remove_leftover, &left));
    return left.err;
}

Err blobs_open(const char *dir, struct file_system *fs, struct blobs **out) {
    struct blobs *blobs = calloc(1, sizeof *blobs);
    ASSERT(blobs);
    blobs->fs = fs ? fs : file_disk;
    int n = snprintf(blobs->dir, sizeof blobs->dir - NAME_BYTES, "%s/blobs", dir);
    Err err = n > 0 && (size_t)n < sizeof blobs->dir - NAME_BYTES
                  ? clean(blobs)
                  : err_make(ERR_INVALID, "the data folder's name is too long");
    if (err.code == ERR_NONE)
        *out = blobs;
    else
        free(blobs);
    return err;
}

void blobs_close(struct blobs *blobs) { free(blobs); }

/* ---- blobs */

static Err load(struct blobs *blobs, BlobId id, struct buf *into) {
    char path[PATH_BYTES];
    path_of(blobs, id, path);
    TRY(file_load(blobs->fs, path, SIZE_MAX, into));
    BlobId found = id_of(buf_view(into));
    if (memcmp(found.hash, id.hash, SHA256_BYTES) == 0) return err_none();
    return err_make(ERR_CORRUPT, "'%.200s' is not what was put there: take it from a backup", path);
}

static Err write_new(struct blobs *blobs, Str bytes, const char *temp) {
    struct file *file;
    TRY(file_open(blobs->fs, temp, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, &file));
    Err err = file_write(file, bytes.ptr, bytes.len, 0);
    if (err.code == ERR_NONE) err = file_sync(file, "blobs.data");
    file_close(file);
    return err;
}

static Err put_new(struct blobs *blobs, Str bytes, BlobId id) {
    char temp[PATH_BYTES], path[PATH_BYTES];
    uint64_t number = atomic_fetch_add(&blobs->next, 1);
    snprintf(temp, sizeof temp, "%s/new/%" PRIu64, blobs->dir, number);
    path_of(blobs, id, path);
    Err err = write_new(blobs, bytes, temp);
    if (err.code == ERR_NONE) err = file_rename(blobs->fs, temp, path);
    if (err.code != ERR_NONE) file_remove(blobs->fs, temp);
    return err;
}

Err blobs_put(struct blobs *blobs, Str bytes, BlobId *out) {
    char folder[PATH_BYTES];
    struct buf old = {0};
    *out = id_of(bytes);
    folder_of(blobs, *out, folder);
    Err err = load(blobs, *out, &old);
    buf_fini(&old);
    if (err.code == ERR_NOT_FOUND || err.code == ERR_CORRUPT) {
        TRY(file_make_dirs(blobs->fs, folder, "blobs.folder"));
        err = put_new(blobs, bytes, *out);
    }
    TRY(err);
    return file_sync_dir(blobs->fs, folder, "blobs.dir"); /* also for bytes that another has only just put */
}

Err blobs_get(struct blobs *blobs, BlobId id, struct arena *arena, Str *out) {
    struct buf bytes = {0};
    Err err = load(blobs, id, &bytes);
    if (err.code == ERR_NONE) *out = arena_str(arena, buf_view(&bytes));
    if (err.code == ERR_NOT_FOUND) err = err_make(ERR_NOT_FOUND, "no such file is kept");
    buf_fini(&bytes);
    return err;
}

Err blobs_remove(struct blobs *blobs, BlobId id) {
    char path[PATH_BYTES], folder[PATH_BYTES];
    path_of(blobs, id, path);
    folder_of(blobs, id, folder);
    Err err = file_remove(blobs->fs, path);
    if (err.code == ERR_NOT_FOUND) return err_none();
    TRY(err);
    return file_sync_dir(blobs->fs, folder, "blobs.dir");
}

/* ---- looking through all of them */

struct check {
    const struct blobs *blobs;
    struct blobs_count *count;
    bool (*bad)(void *ctx, const char *file, const char *what);
    void *ctx;
    char folder[3]; /* the one at hand */
    struct buf bytes;
    Err err;
};

static bool tell_bad(struct check *c, const char *file, const char *what) {
    c->count->bad++;
    return c->bad(c->ctx, file, what);
}

static int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

static bool id_from(const char *folder, Str name, BlobId *id) {
    char text[2 * SHA256_BYTES + 1];
    if (name.len != 2 * (SHA256_BYTES - 1)) return false;
    snprintf(text, sizeof text, "%s" STR_FMT, folder, STR_ARG(name));
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        id->hash[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static bool check_file(void *ctx, Str name) {
    struct check *c = ctx;
    char file[NAME_BYTES + 256], path[PATH_BYTES];
    BlobId id;
    snprintf(file, sizeof file, "blobs/%s/%.*s", c->folder, (int)(name.len < 200 ? name.len : 200), name.ptr);
    if (!id_from(c->folder, name, &id)) return tell_bad(c, file, "no file of this store has such a name");
    path_of(c->blobs, id, path);
    buf_clear(&c->bytes);
    Err err = file_load(c->blobs->fs, path, SIZE_MAX, &c->bytes);
    if (err.code == ERR_NOT_FOUND) return true;
    if (err.code) return tell_bad(c, file, err.text);
    c->count->files++, c->count->bytes += c->bytes.len;
    BlobId found = id_of(buf_view(&c->bytes));
    bool same = memcmp(found.hash, id.hash, SHA256_BYTES) == 0;
    return same || tell_bad(c, file, "its bytes are not those that its name stands for");
}

static Err check_folder(struct check *c, unsigned number) {
    char path[PATH_BYTES];
    snprintf(c->folder, sizeof c->folder, "%02x", number & 0xff);
    snprintf(path, sizeof path, "%s/%s", c->blobs->dir, c->folder);
    Err err = file_list(c->blobs->fs, path, check_file, c);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

Err blobs_check(const char *dir, struct file_system *fs, bool (*bad)(void *ctx, const char *file, const char *what),
                void *ctx, struct blobs_count *out) {
    struct blobs blobs = {.fs = fs ? fs : file_disk};
    struct check c = {.blobs = &blobs, .count = out, .bad = bad, .ctx = ctx};
    *out = (struct blobs_count){0};
    int n = snprintf(blobs.dir, sizeof blobs.dir - NAME_BYTES, "%s/blobs", dir);
    if (n < 0 || (size_t)n >= sizeof blobs.dir - NAME_BYTES)
        return err_make(ERR_INVALID, "the data folder's name is too long");
    Err err = err_none();
    for (unsigned i = 0; i < 256 && err.code == ERR_NONE; i++) err = check_folder(&c, i);
    buf_fini(&c.bytes);
    return err;
}
