/*
 * A ring of keys in a file of its own, boxed with another key. The file of a party holds its keys, the newest last;
 * root.key holds the keys that box the parties' files, and is itself boxed with the master key. Used by seal.c alone.
 */
#ifndef TRUST_SEAL_RING_H
#define TRUST_SEAL_RING_H

#include "model/value.h"
#include "os/file.h"
#include "trust/secret.h"

#define SEAL_RING_MAX 1024 /* keys in a ring */

struct seal_key {
    uint32_t number; /* random, never 0: an erased ring's successor shares no number with it */
    struct secret_key key;
};

struct seal_ring {
    PartyId owner;     /* 0: the root ring */
    uint32_t boxed_by; /* number of the root key that its file is boxed with; 0: the master key */
    size_t n;
    struct seal_key *keys;
};

void seal_ring_fini(struct seal_ring *ring); /* wipes it; a zero value is fine */
void seal_ring_copy(const struct seal_ring *from, struct seal_ring *to);
Err seal_ring_add(struct seal_ring *ring);                                            /* a new random key; ERR_LIMIT */
const struct seal_key *seal_ring_find(const struct seal_ring *ring, uint32_t number); /* or NULL */
const struct seal_key *seal_ring_newest(const struct seal_ring *ring);

/* Which key opens a file that says it was boxed with this one; NULL: none does. */
typedef const struct secret_key *seal_ring_opener(const void *ctx, uint32_t boxed_by);
/* ERR_NOT_FOUND: no file, or one whose erasing was interrupted; ERR_CORRUPT: no opener, or it does not open. */
Err seal_ring_load(struct file_system *fs, const char *path, PartyId owner, seal_ring_opener *opener, const void *ctx,
                   struct seal_ring *out);
/* All or nothing, and durable; *unsure: it failed when the new file may already stand there. What the file held before
 * is overwritten. */
Err seal_ring_save(struct file_system *fs, const char *path, const struct seal_ring *ring, const struct secret_key *key,
                   bool *unsure);
/* Overwrites, removes, syncs the folder. */
Err seal_ring_shred(struct file_system *fs, const char *path);

/* A file of nobody but its owner, whole or not at all, durable: for keys. As seal_ring_save. */
Err seal_ring_replace(struct file_system *fs, const char *path, Str bytes, bool *unsure);

#endif
