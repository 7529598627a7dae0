/*
 * One thread appends. While it waits for the disk, callers queue up behind it, and the next group is all of them: one
 * frame, one sync.
 */
#include "trust/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "os/thread.h"
#include "trust/ledger_tree.h"
#include "trust/seal_ring.h"

#define PATH_BYTES 4096
#define GROUP_MAX 16384 /* entries of one frame */
#define BUNDLE_ENTRY 34 /* length, entry */

struct job {
    const LedgerLeaf *leaves;
    size_t n;
    LedgerLeaf own; /* of ledger_submit */
    void (*done)(void *ctx, Err err, uint64_t index);
    void *ctx;
    uint64_t first;
    Err err;
    bool finished;
    struct job *next;
};

struct ledger {
    struct ledger_options options;
    struct file_system *fs;
    char dir[PATH_BYTES - 64];
    struct ledger_tree *tree;
    struct secret_signer signer, witness;
    struct note_key key, witness_key;
    struct thread *thread;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t asked, answered;
    struct job *head, **tail;
    bool stopping;
    struct ledger_stats stats;
    uint64_t signed_size; /* of `signed_note` */
    struct buf signed_note, cosigned;
    uint64_t cosigned_size;
};

LedgerLeaf ledger_leaf(const unsigned char salt[32], Str text) {
    LedgerLeaf out;
    sha256_pair(str_n((const char *)salt, 32), text, out.bytes);
    return out;
}

/* ---- appending, on the ledger's own thread */
static void finish(struct ledger *l, struct job *job) {
    if (job->done) {
        job->done(job->ctx, job->err, job->first);
        free(job);
        return;
    }
    thread_lock(&l->lock);
    job->finished = true;
    thread_broadcast(&l->answered);
    thread_unlock(&l->lock);
}

/* Takes jobs from the list, whole, until the frame is full; one that is larger alone stands in frames of its own. */
static void append_group(struct ledger *l, struct job **list, struct buf *bytes) {
    struct job *group = *list, *last = NULL;
    size_t n = 0;
    buf_clear(bytes);
    for (struct job *job = group; job && (n == 0 || n + job->n <= GROUP_MAX); job = job->next) {
        buf_add(bytes, job->leaves, job->n * sizeof *job->leaves);
        n += job->n;
        last = job;
    }
    *list = last->next;
    last->next = NULL;
    uint64_t first = 0, index;
    Err err = err_none();
    for (size_t at = 0; at < n && err.code == ERR_NONE; at += GROUP_MAX) {
        size_t part = n - at < GROUP_MAX ? n - at : GROUP_MAX;
        err = ledger_tree_append(l->tree, (const unsigned char *)bytes->ptr + 32 * at, part, &index);
        if (at == 0) first = index;
    }
    thread_lock(&l->lock);
    if (err.code == ERR_NONE) l->stats.entries += n, l->stats.groups++;
    thread_unlock(&l->lock);
    for (struct job *job = group, *next; job; job = next) {
        next = job->next;
        job->err = err;
        job->first = first;
        first += job->n;
        finish(l, job);
    }
}

static void run(void *ctx) {
    struct ledger *l = ctx;
    struct buf bytes = {0};
    for (;;) {
        thread_lock(&l->lock);
        while (!l->head && !l->stopping) thread_wait(&l->asked, &l->lock);
        struct job *list = l->head;
        l->head = NULL;
        l->tail = &l->head;
        thread_unlock(&l->lock);
        if (!list) break;
        while (list) append_group(l, &list, &bytes);
        if (bytes.cap > (1u << 20)) buf_fini(&bytes);
    }
    buf_fini(&bytes);
}

static bool enqueue(struct ledger *l, struct job *job) {
    thread_lock(&l->lock);
    bool open = !l->stopping;
    if (open) {
        *l->tail = job;
        l->tail = &job->next;
        thread_signal(&l->asked);
    }
    thread_unlock(&l->lock);
    return open;
}

Err ledger_add(struct ledger *l, const LedgerLeaf *leaves, size_t n, uint64_t *first) {
    struct job job = {.leaves = leaves, .n = n};
    *first = 0;
    if (n == 0) return err_none();
    if (!enqueue(l, &job)) return err_make(ERR_CLOSED, "the ledger is closing");
    thread_lock(&l->lock);
    while (!job.finished) thread_wait(&l->answered, &l->lock);
    thread_unlock(&l->lock);
    *first = job.first;
    return job.err;
}

void ledger_submit(struct ledger *l, const LedgerLeaf *leaf, void (*done)(void *ctx, Err err, uint64_t index),
                   void *ctx) {
    struct job *job = calloc(1, sizeof *job);
    ASSERT(job);
    *job = (struct job){.own = *leaf, .n = 1, .done = done, .ctx = ctx};
    job->leaves = &job->own;
    if (enqueue(l, job)) return;
    free(job);
    done(ctx, err_make(ERR_CLOSED, "the ledger is closing"), 0);
}

uint64_t ledger_size(struct ledger *l) { return ledger_tree_size(l->tree); }
const struct note_key *ledger_key(const struct ledger *l) { return &l->key; }
const struct note_key *ledger_witness_key(const struct ledger *l) { return &l->witness_key; }

void ledger_stats(struct ledger *l, struct ledger_stats *out) {
    thread_lock(&l->lock);
    *out = l->stats;
    thread_unlock(&l->lock);
}

/* ---- checkpoints */
static Err checkpoint_text(struct ledger *l, uint64_t size, struct arena *arena, Str *out) {
    struct merkle_source source = ledger_tree_source(l->tree);
    struct checkpoint c = {.origin = str_c(l->key.name), .size = size};
    TRY(merkle_root(&source, size, &c.root));
    *out = note_checkpoint_text(&c, arena);
    return err_none();
}

static void set_buf(struct buf *to, Str bytes) {
    buf_clear(to);
    buf_str(to, bytes);
}

/* The lock is held. */
static Err renew_checkpoint(struct ledger *l, struct arena *arena) {
    uint64_t size = ledger_tree_size(l->tree);
    if (l->signed_note.len > 0 && l->signed_size == size) return err_none();
    struct note note = {0};
    TRY(checkpoint_text(l, size, arena, &note.text));
    set_buf(&l->signed_note, note_join(&note, note_sign(note.text, &l->key, &l->signer, 0, arena), arena));
    l->signed_size = size;
    return err_none();
}

Err ledger_checkpoint(struct ledger *l, struct arena *arena, Str *out) {
    thread_lock(&l->lock);
    Err err = renew_checkpoint(l, arena);
    bool same = l->cosigned.len > 0 && l->cosigned_size == l->signed_size;
    if (err.code == ERR_NONE) *out = arena_str(arena, buf_view(same ? &l->cosigned : &l->signed_note));
    thread_unlock(&l->lock);
    return err;
}

Err ledger_cosigned(struct ledger *l, struct arena *arena, Str *out) {
    thread_lock(&l->lock);
    *out = arena_str(arena, buf_view(&l->cosigned));
    thread_unlock(&l->lock);
    return out->len > 0 ? err_none() : err_make(ERR_NOT_FOUND, "no witness has signed a checkpoint yet");
}

/* ---- cosignatures */
static Err own_checkpoint(struct ledger *l, const struct note *note, struct arena *arena, struct checkpoint *c) {
    Str text;
    TRY(note_checkpoint(note->text, c));
    if (!str_eq_c(c->origin, l->key.name))
        return err_make(ERR_INVALID, "this checkpoint is of '%.*s', and this ledger is '%s'",
                        (int)(c->origin.len < 80 ? c->origin.len : 80), c->origin.ptr, l->key.name);
    if (c->size > ledger_tree_size(l->tree))
        return err_make(ERR_INVALID, "this ledger has not reached size %llu", (unsigned long long)c->size);
    TRY(checkpoint_text(l, c->size, arena, &text));
    if (!str_eq(text, note->text))
        return err_make(ERR_INVALID, "at size %llu this ledger has another root: somebody shows a forged ledger",
                        (unsigned long long)c->size);
    return err_none();
}

static const struct note_signature *line_of(const struct note *note, const struct note_key *key) {
    for (size_t i = 0; i < note->n; i++)
        if (note->signatures[i].id == key->id && str_eq_c(note->signatures[i].name, key->name))
            return &note->signatures[i];
    return NULL;
}

/* Our own signature, then the known witnesses' in the order of the settings: those of `note`, else those kept. */
static Err merge(struct ledger *l, const struct note *note, const struct note *kept, struct arena *arena, Str *out) {
    struct note all = {.text = note->text};
    *out = note_join(&all, note_sign(note->text, &l->key, &l->signer, 0, arena), arena);
    bool any = false;
    for (size_t i = 0; i < l->options.n_witnesses; i++) {
        const struct note_key *witness = &l->options.witnesses[i];
        enum note_verdict verdict =
            witness->kind == NOTE_COSIGNATURE ? note_verify(note, witness, NULL) : NOTE_UNSIGNED;
        if (verdict == NOTE_FORGED) return err_make(ERR_INVALID, "the signature of '%s' is not genuine", witness->name);
        const struct note_signature *line = verdict == NOTE_SIGNED ? line_of(note, witness) : NULL;
        any = any || line;
        if (!line && kept) line = line_of(kept, witness);
        if (line) *out = arena_printf(arena, STR_FMT STR_FMT "\n", STR_ARG(*out), STR_ARG(line->line));
    }
    if (any) return err_none();
    return err_make(ERR_FORBIDDEN, "no witness that this server knows has signed this: add its key to [ledger] "
                                   "witnesses");
}

static Err keep_cosigned(struct ledger *l, Str note, uint64_t size) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/cosigned", l->dir);
    TRY(file_replace(l->fs, path, note, "ledger.cosigned"));
    set_buf(&l->cosigned, note);
    l->cosigned_size = size;
    return err_none();
}

static Err cosign_locked(struct ledger *l, const struct note *note, const struct checkpoint *c, struct arena *arena) {
    struct note kept;
    Str merged;
    bool same = l->cosigned.len > 0 && c->size == l->cosigned_size;
    if (same) TRY(note_parse(buf_view(&l->cosigned), arena, &kept));
    TRY(merge(l, note, same ? &kept : NULL, arena, &merged));
    if (l->cosigned.len > 0 && c->size < l->cosigned_size) return err_none(); /* of an older one: of no more use */
    return keep_cosigned(l, merged, c->size);
}

Err ledger_cosign(struct ledger *l, Str bytes) {
    struct arena arena;
    struct note note;
    struct checkpoint c;
    arena_init(&arena, 0);
    Err err = note_parse(bytes, &arena, &note);
    if (err.code == ERR_NONE) err = own_checkpoint(l, &note, &arena, &c);
    if (err.code == ERR_NONE) {
        thread_lock(&l->lock);
        err = cosign_locked(l, &note, &c, &arena);
        thread_unlock(&l->lock);
    }
    arena_fini(&arena);
    return err;
}

Str ledger_witness(struct ledger *l, Str text, struct arena *arena) {
    Nanos now = clock_now(l->options.clock ? l->options.clock : &clock_system);
    return note_sign(text, &l->witness_key, &l->witness, now, arena);
}

/* ---- tiles and proofs */
static Str bundle(const unsigned char *entries, unsigned n, struct arena *arena) {
    unsigned char *out = arena_alloc(arena, (size_t)BUNDLE_ENTRY * n);
    for (unsigned i = 0; i < n; i++) {
        out[BUNDLE_ENTRY * i] = 0;
        out[BUNDLE_ENTRY * i + 1] = 32;
        memcpy(out + BUNDLE_ENTRY * i + 2, entries + 32 * i, 32);
    }
    return str_n((char *)out, (size_t)BUNDLE_ENTRY * n);
}

Err ledger_tile(struct ledger *l, Str path, struct arena *arena, Str *out) {
    struct tile_path tile;
    if (!tile_path_parse(path, &tile))
        return err_make(ERR_NOT_FOUND, "no tile is called that: see c2sp.org/tlog-tiles, for instance tile/0/000.p/1");
    unsigned char *bytes = arena_alloc(arena, (size_t)32 * tile.width);
    Err err = ledger_tree_read(l->tree, tile.level, tile.n * TILE_PATH_WIDTH, tile.width, bytes);
    if (err.code == ERR_NOT_FOUND)
        return err_make(ERR_NOT_FOUND, "the ledger has no such tile yet: see its checkpoint");
    TRY(err);
    *out = tile.level == TILE_PATH_ENTRIES ? bundle(bytes, tile.width, arena)
                                           : str_n((char *)bytes, (size_t)32 * tile.width);
    return err_none();
}

/* ---- looking through all of it */
static MerkleHash hash_of(const unsigned char *bytes) {
    MerkleHash hash;
    memcpy(hash.bytes, bytes, sizeof hash.bytes);
    return hash;
}

static MerkleHash tile_root(const unsigned char *hashes) {
    MerkleHash row[TILE_PATH_WIDTH];
    for (size_t i = 0; i < TILE_PATH_WIDTH; i++) row[i] = hash_of(hashes + 32 * i);
    for (size_t k = TILE_PATH_WIDTH; k > 1; k /= 2)
        for (size_t i = 0; i < k / 2; i++) row[i] = merkle_node(row[2 * i], row[2 * i + 1]);
    return row[0];
}

static Err check_leaves(struct ledger *l, uint64_t size) {
    unsigned char entries[TILE_PATH_WIDTH * 32], hashes[TILE_PATH_WIDTH * 32];
    for (uint64_t at = 0; at < size; at += TILE_PATH_WIDTH) {
        size_t n = size - at < TILE_PATH_WIDTH ? (size_t)(size - at) : TILE_PATH_WIDTH;
        TRY(ledger_tree_read(l->tree, TILE_PATH_ENTRIES, at, n, entries));
        TRY(ledger_tree_read(l->tree, 0, at, n, hashes));
        for (size_t i = 0; i < n; i++)
            if (!merkle_eq(merkle_leaf(str_n((char *)entries + 32 * i, 32)), hash_of(hashes + 32 * i)))
                return err_make(ERR_CORRUPT, "entry %llu is not what was entered: restore the folder from a backup",
                                (unsigned long long)(at + i));
    }
    return err_none();
}

static Err check_level(struct ledger *l, unsigned level, uint64_t n) {
    unsigned char below[TILE_PATH_WIDTH * 32], hash[32];
    for (uint64_t i = 0; i < n; i++) {
        TRY(ledger_tree_read(l->tree, level - 1, i * TILE_PATH_WIDTH, TILE_PATH_WIDTH, below));
        TRY(ledger_tree_read(l->tree, level, i, 1, hash));
        if (!merkle_eq(tile_root(below), hash_of(hash)))
            return err_make(ERR_CORRUPT, "tile %u/%llu does not hash what is below it: restore the folder", level,
                            (unsigned long long)i);
    }
    return err_none();
}

Err ledger_check(struct ledger *l) {
    uint64_t n = ledger_tree_size(l->tree);
    TRY(check_leaves(l, n));
    for (unsigned level = 1; (n /= TILE_PATH_WIDTH) > 0; level++) TRY(check_level(l, level, n));
    return err_none();
}

static Err check_size(struct ledger *l, uint64_t size) {
    if (size <= ledger_tree_size(l->tree)) return err_none();
    return err_make(ERR_INVALID, "the ledger has not reached size %llu", (unsigned long long)size);
}

Err ledger_inclusion(struct ledger *l, uint64_t index, uint64_t size, MerkleHash path[MERKLE_PATH_MAX], size_t *n) {
    struct merkle_source source = ledger_tree_source(l->tree);
    TRY(check_size(l, size));
    return merkle_prove_inclusion(&source, index, size, path, n);
}

Err ledger_consistency(struct ledger *l, uint64_t from, uint64_t to, MerkleHash path[MERKLE_PATH_MAX], size_t *n) {
    struct merkle_source source = ledger_tree_source(l->tree);
    TRY(check_size(l, to));
    return merkle_prove_consistency(&source, from, to, path, n);
}

/* ---- opening */
static Err load_seed(struct ledger *l, unsigned char seed[32]) {
    char path[PATH_BYTES];
    struct buf bytes = {0};
    bool unsure;
    snprintf(path, sizeof path, "%s/signing.key", l->dir);
    Err err = file_load(l->fs, path, 64, &bytes);
    if (err.code == ERR_NONE && bytes.len != 32)
        err = err_make(ERR_CORRUPT, "'%.120s' must be 32 bytes: restore it from a backup", path);
    if (err.code == ERR_NONE) {
        memcpy(seed, bytes.ptr, 32);
        err = file_sync_dir(l->fs, l->dir, "ledger.key"); /* a killed process may have made it */
    } else if (err.code == ERR_NOT_FOUND) {
        secret_random(seed, 32);
        err = seal_ring_replace(l->fs, path, str_n((const char *)seed, 32), &unsure);
    }
    buf_fini(&bytes);
    return err;
}

/* Two keys from one seed, as cosignatures may not use the key of checkpoints. */
static Err make_keys(struct ledger *l, unsigned char seed[32]) {
    unsigned char other[32];
    char name[NOTE_NAME_MAX + 1], witness[NOTE_NAME_MAX + 16];
    sha256_pair(STR("weft witness"), str_n((const char *)seed, 32), other);
    secret_signer_make(seed, &l->signer);
    secret_signer_make(other, &l->witness);
    const unsigned char *p = secret_signer_public(&l->signer);
    if (l->options.origin && l->options.origin[0])
        snprintf(name, sizeof name, "%s", l->options.origin);
    else
        snprintf(name, sizeof name, "weft-%02x%02x%02x%02x/ledger", p[0], p[1], p[2], p[3]);
    snprintf(witness, sizeof witness, "%s/witness", name);
    TRY(note_key_make(str_c(name), NOTE_ED25519, p, &l->key));
    return note_key_make(str_c(witness), NOTE_COSIGNATURE, secret_signer_public(&l->witness), &l->witness_key);
}

/* What a witness has signed is still here, or the ledger was cut back. */
static Err load_cosigned(struct ledger *l) {
    char path[PATH_BYTES];
    struct buf bytes = {0};
    struct arena arena;
    struct note note;
    struct checkpoint c;
    snprintf(path, sizeof path, "%s/cosigned", l->dir);
    Err err = file_load(l->fs, path, NOTE_MAX, &bytes);
    if (err.code == ERR_NOT_FOUND) return err_none();
    arena_init(&arena, 0);
    if (err.code == ERR_NONE) err = note_parse(buf_view(&bytes), &arena, &note);
    if (err.code == ERR_NONE) err = note_checkpoint(note.text, &c);
    if (err.code == ERR_NONE && str_eq_c(c.origin, l->key.name)) { /* else of another name that it had before */
        err = own_checkpoint(l, &note, &arena, &c);
        if (err.code != ERR_NONE)
            err = err_make(ERR_CORRUPT,
                           "the ledger lacks entries that a witness has signed (size %llu): restore the "
                           "newest backup",
                           (unsigned long long)c.size);
        set_buf(&l->cosigned, buf_view(&bytes));
        l->cosigned_size = c.size;
    }
    buf_fini(&bytes);
    arena_fini(&arena);
    return err;
}

static Err open_all(struct ledger *l) {
    unsigned char seed[32] = {0};
    TRY(file_make_dirs(l->fs, l->dir, "ledger.dir"));
    TRY(file_sync_dir(l->fs, l->options.dir, "ledger.parent")); /* a killed process may have made it */
    TRY(ledger_tree_open(l->fs, l->dir, l->options.fold_at, &l->tree));
    Err err = load_seed(l, seed);
    if (err.code == ERR_NONE) err = make_keys(l, seed);
    secret_wipe(seed, sizeof seed);
    TRY(err);
    TRY(load_cosigned(l));
    return thread_start(&l->thread, "ledger", run, l);
}

Err ledger_open(const struct ledger_options *options, struct ledger **out) {
    *out = NULL;
    struct ledger *l = calloc(1, sizeof *l);
    ASSERT(l);
    l->options = *options;
    l->fs = options->fs ? options->fs : file_disk;
    l->tail = &l->head;
    thread_mutex_init(&l->lock);
    thread_cond_init(&l->asked);
    thread_cond_init(&l->answered);
    int n = snprintf(l->dir, sizeof l->dir, "%s/ledger", options->dir);
    Err err =
        n > 0 && (size_t)n < sizeof l->dir ? open_all(l) : err_make(ERR_INVALID, "the data folder's path is too long");
    if (err.code != ERR_NONE)
        ledger_close(l);
    else
        *out = l;
    return err;
}

void ledger_close(struct ledger *l) {
    if (!l) return;
    thread_lock(&l->lock);
    l->stopping = true;
    thread_broadcast(&l->asked);
    thread_unlock(&l->lock);
    if (l->thread) thread_join(l->thread);
    ledger_tree_close(l->tree);
    buf_fini(&l->signed_note);
    buf_fini(&l->cosigned);
    secret_wipe(&l->signer, sizeof l->signer);
    secret_wipe(&l->witness, sizeof l->witness);
    thread_mutex_fini(&l->lock);
    thread_cond_fini(&l->asked);
    thread_cond_fini(&l->answered);
    free(l);
}
