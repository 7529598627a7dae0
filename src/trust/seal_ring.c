/*
 * The file of a ring:
 *
 *      0   8  "weftkey1"
 *      8   4  owner: the party, little-endian; 0: the root ring
 *     12   4  number of the root key it is boxed with; 0: the master key
 *     16   4  n, 1…SEAL_RING_MAX
 *     20  24  nonce
 *     44   .  encrypted: n times the key's number (4) and the key (32); then the tag (16)
 *
 * Bytes 0…19 are bound to the box, so that a party's file put in the place of another's does not open. A file that
 * begins with eight zeros is one whose erasing was interrupted after it was overwritten.
 */
#include "trust/seal_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 20
#define KEY_BYTES 36
#define FILE_BYTES(n) (HEAD + SECRET_BOX_EXTRA + (n)*KEY_BYTES)
#define PATH_BYTES 4096

static const unsigned char magic[8] = "weftkey1";

static void put_u32(unsigned char *to, uint32_t v) {
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(v >> 8 * i);
}

static uint32_t get_u32(const unsigned char *from) {
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

void seal_ring_fini(struct seal_ring *ring) {
    if (ring->keys) secret_wipe(ring->keys, ring->n * sizeof *ring->keys);
    free(ring->keys);
    *ring = (struct seal_ring){0};
}

static void set_keys(struct seal_ring *ring, const struct seal_key *keys, size_t n, size_t room) {
    struct seal_key *copy = calloc(room, sizeof *copy);
    ASSERT(copy);
    if (n > 0) memcpy(copy, keys, n * sizeof *copy);
    ring->keys = copy;
    ring->n = n;
}

void seal_ring_copy(const struct seal_ring *from, struct seal_ring *to) {
    *to = *from;
    set_keys(to, from->keys, from->n, from->n + 1);
}

Err seal_ring_add(struct seal_ring *ring) {
    struct seal_key *old = ring->keys;
    size_t n = ring->n;
    if (n >= SEAL_RING_MAX)
        return err_make(ERR_LIMIT, "the party has %zu keys already, and more are not kept: erase, or do not rotate", n);
    set_keys(ring, old, n, n + 1);
    if (old) secret_wipe(old, n * sizeof *old);
    free(old);
    struct seal_key *fresh = &ring->keys[n];
    do secret_random(&fresh->number, sizeof fresh->number);
    while (fresh->number == 0 || seal_ring_find(ring, fresh->number));
    secret_random(&fresh->key, sizeof fresh->key);
    ring->n = n + 1;
    return err_none();
}

const struct seal_key *seal_ring_find(const struct seal_ring *ring, uint32_t number) {
    for (size_t i = ring->n; i-- > 0;)
        if (ring->keys[i].number == number) return &ring->keys[i];
    return NULL;
}

const struct seal_key *seal_ring_newest(const struct seal_ring *ring) { return &ring->keys[ring->n - 1]; }

/* ---- reading */
static Err damaged(const char *path) {
    return err_make(ERR_CORRUPT,
                    "'%.150s' does not open: restore it from where keys are kept, or erase the party's key", path);
}

static Err unbox(const char *path, Str bytes, const struct secret_key *key, struct seal_ring *out) {
    size_t n = get_u32((const unsigned char *)bytes.ptr + 16);
    unsigned char plain[SEAL_RING_MAX * KEY_BYTES];
    if (!key || n == 0 || n > SEAL_RING_MAX || bytes.len != FILE_BYTES(n) ||
        !secret_unbox(key, str_slice(bytes, 0, HEAD), str_slice(bytes, HEAD, bytes.len), plain))
        return damaged(path);
    set_keys(out, NULL, 0, n);
    for (size_t i = 0; i < n; i++) {
        out->keys[i].number = get_u32(plain + i * KEY_BYTES);
        memcpy(out->keys[i].key.bytes, plain + i * KEY_BYTES + 4, 32);
    }
    out->n = n;
    secret_wipe(plain, n * KEY_BYTES);
    return err_none();
}

Err seal_ring_load(struct file_system *fs, const char *path, PartyId owner, seal_ring_opener *opener, const void *ctx,
                   struct seal_ring *out) {
    static const unsigned char zeros[8];
    struct buf bytes = {0};
    *out = (struct seal_ring){.owner = owner};
    Err err = file_load(fs, path, FILE_BYTES(SEAL_RING_MAX), &bytes);
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    if (err.code != ERR_NONE) {
        /* as it is */
    } else if (bytes.len >= 8 && memcmp(at, zeros, 8) == 0) {
        err = err_make(ERR_NOT_FOUND, "'%.150s' was erased", path);
    } else if (bytes.len < HEAD || memcmp(at, magic, 8) != 0 || get_u32(at + 8) != owner) {
        err = damaged(path);
    } else {
        out->boxed_by = get_u32(at + 12);
        err = unbox(path, buf_view(&bytes), opener(ctx, out->boxed_by), out);
    }
    buf_fini(&bytes);
    return err;
}

/* ---- writing */
static Err write_new(struct file_system *fs, const char *path, Str bytes) {
    struct file *file;
    TRY(file_open(fs, path, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, &file));
    Err err = file_write(file, bytes.ptr, bytes.len, 0);
    if (err.code == ERR_NONE) err = file_sync(file, "seal.key");
    file_close(file);
    return err;
}

static Err overwrite(struct file *file) {
    static const char zeros[4096];
    uint64_t size = 0;
    TRY(file_size(file, &size));
    for (uint64_t at = 0; at < size; at += sizeof zeros) {
        uint64_t n = size - at < sizeof zeros ? size - at : sizeof zeros;
        TRY(file_write(file, zeros, (size_t)n, at));
    }
    return file_sync(file, "seal.shred");
}

static void folder_of(const char *path, char out[PATH_BYTES]) {
    const char *slash = strrchr(path, '/');
    snprintf(out, PATH_BYTES, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

Err seal_ring_replace(struct file_system *fs, const char *path, Str bytes, bool *unsure) {
    char beside[PATH_BYTES], dir[PATH_BYTES];
    struct file *before = NULL;
    *unsure = false;
    if (strlen(path) + sizeof ".new" > sizeof beside)
        return err_make(ERR_INVALID, "the data folder's path is too long");
    snprintf(beside, sizeof beside, "%s.new", path);
    folder_of(path, dir);
    Err err = write_new(fs, beside, bytes);
    if (err.code != ERR_NONE) {
        file_remove(fs, beside);
        return err;
    }
    if (file_open(fs, path, FILE_WRITE, &before).code != ERR_NONE) before = NULL;
    *unsure = true;
    err = file_rename(fs, beside, path);
    if (err.code == ERR_NONE) err = file_sync_dir(fs, dir, "seal.dir");
    if (err.code == ERR_NONE) *unsure = false;
    if (err.code == ERR_NONE && before) overwrite(before); /* nothing needs it any more, so a failure harms nothing */
    file_close(before);
    return err;
}

Err seal_ring_save(struct file_system *fs, const char *path, const struct seal_ring *ring, const struct secret_key *key,
                   bool *unsure) {
    unsigned char plain[SEAL_RING_MAX * KEY_BYTES], bytes[FILE_BYTES(SEAL_RING_MAX)];
    memcpy(bytes, magic, 8);
    put_u32(bytes + 8, ring->owner);
    put_u32(bytes + 12, ring->boxed_by);
    put_u32(bytes + 16, (uint32_t)ring->n);
    for (size_t i = 0; i < ring->n; i++) {
        put_u32(plain + i * KEY_BYTES, ring->keys[i].number);
        memcpy(plain + i * KEY_BYTES + 4, ring->keys[i].key.bytes, 32);
    }
    secret_box(key, str_n((char *)bytes, HEAD), str_n((char *)plain, ring->n * KEY_BYTES), bytes + HEAD);
    secret_wipe(plain, ring->n * KEY_BYTES);
    return seal_ring_replace(fs, path, str_n((char *)bytes, FILE_BYTES(ring->n)), unsure);
}

Err seal_ring_shred(struct file_system *fs, const char *path) {
    char dir[PATH_BYTES];
    struct file *file;
    folder_of(path, dir);
    TRY(file_open(fs, path, FILE_WRITE, &file));
    Err err = overwrite(file);
    file_close(file);
    TRY(err);
    TRY(file_remove(fs, path));
    return file_sync_dir(fs, dir, "seal.shred.dir");
}
