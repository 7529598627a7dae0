/*
 * Why two steps between a text and the master key: the parties' files are boxed with a root key, and the root key with
 * the master key, so that another master key takes effect by replacing one file, at one moment. After that the root key
 * is renewed too, party by party; root.key holds both root keys meanwhile, and an interrupted renewal is finished when
 * the folder is opened next.
 */
#include "trust/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "os/file.h"
#include "os/thread.h"
#include "trust/seal_master.h"
#include "trust/seal_ring.h"

#define PATH_BYTES 4096
#define DIR_BYTES 3900
#define VERSION 1
#define HEAD 5 /* version, key number */
#define ABOUT_MAX 1024

struct seal {
    struct file_system *fs;
    char dir[DIR_BYTES + 1];
    char own_master[PATH_BYTES]; /* empty: the master key comes from elsewhere */
    struct secret_key master;
    struct seal_ring root;
    pthread_mutex_t lock; /* of the rest */
    struct map rings;     /* party, 4 bytes → struct seal_ring * */
    bool broken;          /* the disk failed at a moment that leaves open what it holds */
};

/* ---- names */
static void path_of(const struct seal *s, PartyId party, char out[PATH_BYTES]) {
    snprintf(out, PATH_BYTES, "%s/keys/%u.key", s->dir, party);
}

static void root_path(const struct seal *s, char out[PATH_BYTES]) {
    snprintf(out, PATH_BYTES, "%s/keys/root.key", s->dir);
}

static void keys_dir(const struct seal *s, char out[PATH_BYTES]) { snprintf(out, PATH_BYTES, "%s/keys", s->dir); }

static Str map_key(const PartyId *party) { return str_n((const char *)party, sizeof *party); }

/* ---- openers and savers */
static const struct secret_key *master_opens(const void *ctx, uint32_t boxed_by) { return boxed_by == 0 ? ctx : NULL; }

static const struct secret_key *root_opens(const void *ctx, uint32_t boxed_by) {
    const struct seal_key *key = seal_ring_find(ctx, boxed_by);
    return key ? &key->key : NULL;
}

static Err still_sound(const struct seal *s) {
    return s->broken ? err_make(ERR_IO, "the disk failed while a key was written: restart the server") : err_none();
}

static Err save_ring(struct seal *s, struct seal_ring *ring) {
    char path[PATH_BYTES];
    bool unsure = false;
    TRY(still_sound(s));
    const struct seal_key *by = seal_ring_newest(&s->root);
    path_of(s, ring->owner, path);
    ring->boxed_by = by->number;
    Err err = seal_ring_save(s->fs, path, ring, &by->key, &unsure);
    if (unsure) s->broken = true;
    return err;
}

static Err save_root(struct seal *s, const struct seal_ring *root, const struct secret_key *master) {
    char path[PATH_BYTES];
    bool unsure = false;
    TRY(still_sound(s));
    root_path(s, path);
    Err err = seal_ring_save(s->fs, path, root, master, &unsure);
    if (unsure) s->broken = true;
    return err;
}

/* ---- the rings in memory; the lock is held */
static void forget(struct seal *s, PartyId party) {
    uint64_t at;
    if (!map_get(&s->rings, map_key(&party), &at)) return;
    struct seal_ring *ring = (struct seal_ring *)(uintptr_t)at;
    map_del(&s->rings, map_key(&party));
    seal_ring_fini(ring);
    free(ring);
}

/* Takes over what `ring` holds. */
static struct seal_ring *remember(struct seal *s, struct seal_ring *ring) {
    struct seal_ring *kept = malloc(sizeof *kept);
    ASSERT(kept);
    forget(s, ring->owner);
    *kept = *ring;
    *ring = (struct seal_ring){0};
    map_put(&s->rings, map_key(&kept->owner), (uint64_t)(uintptr_t)kept);
    return kept;
}

static Err ring_of(struct seal *s, PartyId party, struct seal_ring **out) {
    uint64_t at;
    char path[PATH_BYTES];
    struct seal_ring ring;
    if (map_get(&s->rings, map_key(&party), &at)) {
        *out = (struct seal_ring *)(uintptr_t)at;
        return err_none();
    }
    TRY(still_sound(s));
    path_of(s, party, path);
    TRY(seal_ring_load(s->fs, path, party, root_opens, &s->root, &ring));
    *out = remember(s, &ring);
    return err_none();
}

/* One more key for the party, or its first; in memory only once it is durable. */
static Err add_key(struct seal *s, PartyId party, struct seal_ring **out) {
    struct seal_ring *now = NULL, next = {.owner = party};
    Err err = ring_of(s, party, &now);
    if (err.code == ERR_NONE)
        seal_ring_copy(now, &next);
    else if (err.code != ERR_NOT_FOUND)
        return err;
    err = seal_ring_add(&next);
    if (err.code == ERR_NONE) err = save_ring(s, &next);
    if (err.code == ERR_NONE) *out = remember(s, &next);
    seal_ring_fini(&next);
    return err;
}

static Err check_party(PartyId party) {
    return party != 0 ? err_none() : err_make(ERR_INVALID, "what belongs to no party cannot be sealed");
}

static Err key_to_seal(struct seal *s, PartyId party, struct seal_key *out) {
    struct seal_ring *ring = NULL;
    TRY(check_party(party));
    thread_lock(&s->lock);
    Err err = ring_of(s, party, &ring);
    if (err.code == ERR_NOT_FOUND) err = add_key(s, party, &ring);
    if (err.code == ERR_NONE) *out = *seal_ring_newest(ring);
    thread_unlock(&s->lock);
    return err;
}

static Err key_to_open(struct seal *s, PartyId party, uint32_t number, struct seal_key *out) {
    struct seal_ring *ring = NULL;
    thread_lock(&s->lock);
    Err err = ring_of(s, party, &ring);
    const struct seal_key *key = err.code == ERR_NONE ? seal_ring_find(ring, number) : NULL;
    if (key) *out = *key;
    thread_unlock(&s->lock);
    if (err.code == ERR_NOT_FOUND || (err.code == ERR_NONE && !key))
        return err_make(ERR_NOT_FOUND, "the key that this was sealed with was erased: nobody can read it any more");
    return err;
}

bool seal_has(struct seal *s, PartyId party) {
    struct seal_ring *ring = NULL;
    thread_lock(&s->lock);
    Err err = ring_of(s, party, &ring);
    thread_unlock(&s->lock);
    return err.code == ERR_NONE;
}

/* ---- sealing */
static Err bound(PartyId party, Str about, unsigned char out[ABOUT_MAX + 5], size_t *n) {
    if (about.len > ABOUT_MAX) return err_make(ERR_LIMIT, "%zu bytes of 'about': at most %d", about.len, ABOUT_MAX);
    out[0] = VERSION;
    for (int i = 0; i < 4; i++) out[1 + i] = (unsigned char)(party >> 8 * i);
    if (about.len > 0) memcpy(out + 5, about.ptr, about.len);
    *n = about.len + 5;
    return err_none();
}

Err seal_bytes(struct seal *s, PartyId party, Str about, Str plain, struct arena *arena, Str *sealed) {
    unsigned char with[ABOUT_MAX + 5];
    struct seal_key key;
    size_t n;
    TRY(bound(party, about, with, &n));
    TRY(key_to_seal(s, party, &key));
    unsigned char *out = arena_alloc(arena, HEAD + SECRET_BOX_EXTRA + plain.len);
    out[0] = VERSION;
    for (int i = 0; i < 4; i++) out[1 + i] = (unsigned char)(key.number >> 8 * i);
    secret_box(&key.key, str_n((char *)with, n), plain, out + HEAD);
    secret_wipe(&key, sizeof key);
    *sealed = str_n((char *)out, HEAD + SECRET_BOX_EXTRA + plain.len);
    return err_none();
}

static Err not_sealed_here(void) {
    return err_make(ERR_CORRUPT, "this is not what was sealed here: it was changed, or moved from elsewhere");
}

Err seal_bytes_reveal(struct seal *s, PartyId party, Str about, Str sealed, struct arena *arena, Str *plain) {
    unsigned char with[ABOUT_MAX + 5];
    struct seal_key key;
    size_t n;
    const unsigned char *at = (const unsigned char *)sealed.ptr;
    if (sealed.len < HEAD + SECRET_BOX_EXTRA || at[0] != VERSION) return not_sealed_here();
    TRY(bound(party, about, with, &n));
    uint32_t number = (uint32_t)at[1] | (uint32_t)at[2] << 8 | (uint32_t)at[3] << 16 | (uint32_t)at[4] << 24;
    TRY(key_to_open(s, party, number, &key));
    size_t length = sealed.len - HEAD - SECRET_BOX_EXTRA;
    unsigned char *out = arena_alloc(arena, length + 1);
    bool ok = secret_unbox(&key.key, str_n((char *)with, n), str_slice(sealed, HEAD, sealed.len), out);
    secret_wipe(&key, sizeof key);
    if (!ok) return not_sealed_here();
    out[length] = 0;
    *plain = str_n((char *)out, length);
    return err_none();
}

Err seal_text(struct seal *s, PartyId party, Str about, Str plain, struct arena *arena, Str *sealed) {
    Str raw;
    TRY(seal_bytes(s, party, about, plain, arena, &raw));
    *sealed = secret_base64(arena, raw);
    return err_none();
}

Err seal_reveal(struct seal *s, PartyId party, Str about, Str sealed, struct arena *arena, Str *plain) {
    Str raw;
    if (!secret_base64_read(arena, sealed, &raw)) return not_sealed_here();
    return seal_bytes_reveal(s, party, about, raw, arena, plain);
}

/* ---- keys come and go */
Err seal_rotate(struct seal *s, PartyId party) {
    struct seal_ring *ring;
    TRY(check_party(party));
    thread_lock(&s->lock);
    Err err = add_key(s, party, &ring);
    thread_unlock(&s->lock);
    return err;
}

Err seal_erase(struct seal *s, PartyId party) {
    char path[PATH_BYTES], beside[PATH_BYTES + 8];
    path_of(s, party, path);
    snprintf(beside, sizeof beside, "%s.new", path);
    thread_lock(&s->lock);
    forget(s, party);
    Err err = file_exists(s->fs, beside) ? seal_ring_shred(s->fs, beside) : err_none();
    if (err.code == ERR_NONE) err = seal_ring_shred(s->fs, path);
    thread_unlock(&s->lock);
    if (err.code == ERR_NOT_FOUND) return err_make(ERR_NOT_FOUND, "the party has no key: nothing of it is sealed");
    return err;
}

struct listing {
    PartyId *parties;
    size_t n, cap;
    struct arena arena;
    const char *leftover; /* a file that a crash left */
};

static bool take_name(void *ctx, Str name) {
    struct listing *l = ctx;
    int64_t party;
    if (str_ends(name, STR(".new"))) {
        l->leftover = arena_c(&l->arena, name);
        return false;
    }
    if (!str_ends(name, STR(".key")) || !str_to_i64(str_slice(name, 0, name.len - 4), &party) || party <= 0 ||
        party > UINT32_MAX)
        return true;
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 64;
        l->parties = realloc(l->parties, l->cap * sizeof *l->parties);
        ASSERT(l->parties);
    }
    l->parties[l->n++] = (PartyId)party;
    return true;
}

static Err list_keys(struct seal *s, struct listing *l) {
    char dir[PATH_BYTES];
    *l = (struct listing){0};
    arena_init(&l->arena, 0);
    keys_dir(s, dir);
    return file_list(s->fs, dir, take_name, l);
}

static void end_listing(struct listing *l) {
    free(l->parties);
    arena_fini(&l->arena);
}

static Err renew_one(struct seal *s, PartyId party) {
    char path[PATH_BYTES];
    struct seal_ring ring;
    path_of(s, party, path);
    Err err = seal_ring_load(s->fs, path, party, root_opens, &s->root, &ring);
    if (err.code == ERR_NOT_FOUND) return err_none(); /* erased */
    if (err.code == ERR_NONE && ring.boxed_by != seal_ring_newest(&s->root)->number) err = save_ring(s, &ring);
    seal_ring_fini(&ring);
    return err;
}

/* Boxes every party's file with the newest root key, then forgets the older ones. A file that no longer opens stays as
 * it is, and so do the root keys. */
static Err renew_root(struct seal *s) {
    struct listing list;
    Err err = list_keys(s, &list), first = err;
    for (size_t i = 0; err.code == ERR_NONE && i < list.n; i++) {
        Err one = renew_one(s, list.parties[i]);
        if (one.code != ERR_NONE && first.code == ERR_NONE) first = one;
    }
    end_listing(&list);
    TRY(first);
    struct seal_ring newest = {0};
    seal_ring_copy(&s->root, &newest);
    newest.keys[0] = newest.keys[newest.n - 1];
    secret_wipe(newest.keys + 1, (newest.n - 1) * sizeof *newest.keys);
    newest.n = 1;
    err = save_root(s, &newest, &s->master);
    if (err.code == ERR_NONE) {
        seal_ring_fini(&s->root);
        s->root = newest;
        newest = (struct seal_ring){0};
    }
    seal_ring_fini(&newest);
    return err;
}

static Err rewrap(struct seal *s, const struct seal_options *to, const struct secret_key *master) {
    struct seal_ring next;
    char own[PATH_BYTES] = "";
    seal_ring_copy(&s->root, &next);
    Err err = seal_ring_add(&next);
    if (err.code == ERR_NONE) err = save_root(s, &next, master); /* from here on the old master key opens nothing */
    if (err.code != ERR_NONE) {
        seal_ring_fini(&next);
        return err;
    }
    seal_ring_fini(&s->root);
    s->root = next;
    s->master = *master;
    TRY(renew_root(s));
    bool was_own = s->own_master[0] != '\0';
    bool is_own = seal_master_own(to, own) != NULL;
    if (was_own && !is_own) TRY(seal_ring_shred(s->fs, s->own_master));
    snprintf(s->own_master, sizeof s->own_master, "%s", is_own ? own : "");
    return err_none();
}

Err seal_rewrap(struct seal *s, const struct seal_options *to) {
    struct secret_key master;
    struct seal_options there = *to;
    there.dir = s->dir;
    there.fs = s->fs;
    char own[PATH_BYTES];
    bool to_own = seal_master_own(&there, own) != NULL;
    if (to_own && s->own_master[0] != '\0')
        return err_make(ERR_INVALID, "'%.150s' is the master key already: name another", own);
    TRY(seal_master_load(&there, SEAL_MASTER_RENEW, &master));
    if (secret_same(master.bytes, s->master.bytes))
        return err_make(ERR_INVALID, "this is the master key already in use: name another");
    thread_lock(&s->lock);
    Err err = rewrap(s, &there, &master);
    thread_unlock(&s->lock);
    secret_wipe(&master, sizeof master);
    return err;
}

/* ---- opening */
static Err shred_leftovers(struct seal *s) {
    for (;;) {
        struct listing list;
        char path[PATH_BYTES + 256];
        Err err = list_keys(s, &list);
        bool more = err.code == ERR_NONE && list.leftover;
        if (more) {
            snprintf(path, sizeof path, "%s/keys/%s", s->dir, list.leftover);
            err = seal_ring_shred(s->fs, path);
        }
        end_listing(&list);
        if (err.code != ERR_NONE || !more) return err;
    }
}

static Err make_keys_dir(struct seal *s) {
    char dir[PATH_BYTES];
    struct file *file;
    keys_dir(s, dir);
    TRY(file_open(s->fs, dir, FILE_READ | FILE_DIR | FILE_CREATE | FILE_PRIVATE, &file));
    file_close(file);
    return file_sync_dir(s->fs, s->dir, "seal.keys");
}

static Err make_root(struct seal *s) {
    struct listing list;
    TRY(make_keys_dir(s));
    Err err = list_keys(s, &list);
    if (err.code == ERR_NONE && list.n > 0)
        err = err_make(ERR_CORRUPT, "'%.120s/keys' holds keys but no root.key: put it back from where keys are kept",
                       s->dir);
    end_listing(&list);
    TRY(err);
    TRY(seal_ring_add(&s->root));
    return save_root(s, &s->root, &s->master);
}

static Err load_root(struct seal *s, const char *path) {
    char dir[PATH_BYTES];
    Err err = seal_ring_load(s->fs, path, 0, master_opens, &s->master, &s->root);
    if (err.code == ERR_CORRUPT)
        return err_make(ERR_INVALID,
                        "the master key does not open '%.120s': it is not the one that the folder's keys were wrapped "
                        "with, or the file is damaged",
                        path);
    TRY(err);
    keys_dir(s, dir); /* what a killed process renamed is there, but perhaps not yet durable */
    TRY(file_sync_dir(s->fs, dir, "seal.open"));
    TRY(shred_leftovers(s));
    if (s->root.n == 1) return err_none();
    LOG_INFO("seal.rewrap", LOG_C("reason", "the last one was interrupted"));
    return renew_root(s);
}

static Err open_all(struct seal *s, const struct seal_options *o) {
    char path[PATH_BYTES];
    root_path(s, path);
    bool present = file_exists(s->fs, path);
    if (!seal_master_own(o, s->own_master)) s->own_master[0] = '\0';
    TRY(seal_master_load(o, present ? SEAL_MASTER_READ : SEAL_MASTER_MAKE, &s->master));
    return present ? load_root(s, path) : make_root(s);
}

Err seal_open(const struct seal_options *o, struct seal **out) {
    *out = NULL;
    if (strlen(o->dir) > DIR_BYTES) return err_make(ERR_INVALID, "the data folder's path is too long");
    struct seal *s = calloc(1, sizeof *s);
    ASSERT(s);
    s->fs = o->fs ? o->fs : file_disk;
    snprintf(s->dir, sizeof s->dir, "%s", o->dir);
    map_init(&s->rings);
    thread_mutex_init(&s->lock);
    Err err = open_all(s, o);
    if (err.code != ERR_NONE)
        seal_close(s);
    else
        *out = s;
    return err;
}

void seal_close(struct seal *s) {
    if (!s) return;
    uint64_t value;
    Str key;
    for (size_t at = 0; map_next(&s->rings, &at, &key, &value);) {
        struct seal_ring *ring = (struct seal_ring *)(uintptr_t)value;
        seal_ring_fini(ring);
        free(ring);
    }
    map_fini(&s->rings);
    seal_ring_fini(&s->root);
    secret_wipe(&s->master, sizeof s->master);
    thread_mutex_fini(&s->lock);
    free(s);
}
