/*
 * The ledger: an append-only Merkle tree (RFC 9162) of salted hashes, kept and served as C2SP tlog-tiles with a signed
 * checkpoint (C2SP checkpoint and signed-note, Ed25519). Whoever holds an entry's receipt can prove offline that it
 * stands in the ledger, and that the ledger only ever grew: `weft verify`.
 *
 * What enters is SHA-256 of a canonical text behind a random salt of 32 bytes; text and salt stay with the owner of
 * what is told. Many callers share one sync.
 */
#ifndef TRUST_LEDGER_H
#define TRUST_LEDGER_H

#include "base/arena.h"
#include "base/err.h"
#include "model/value.h"
#include "os/clock.h"
#include "os/file.h"
#include "trust/note.h"

struct ledger;

struct ledger_options {
    const char *dir;    /* the data folder: DIR/ledger/ holds entries, hashes, the signing key */
    const char *origin; /* first line of checkpoints: "weft.example/ledger"; NULL or empty: one made of the key */
    const struct note_key *witnesses; /* whose cosignatures are taken; kept by the caller */
    size_t n_witnesses;
    struct file_system *fs; /* NULL: the disk */
    const struct clock *clock;
    uint64_t fold_at; /* entries in the log at which it is folded into the files; 0 = 131,072 */
};
Err ledger_open(const struct ledger_options *options, struct ledger **out);
void ledger_close(struct ledger *ledger); /* what was submitted is done first; NULL is fine */

typedef struct LedgerLeaf {
    unsigned char bytes[32]; /* SHA-256(salt || text): the entry; its leaf hash is SHA-256(0x00 || bytes) */
} LedgerLeaf;
LedgerLeaf ledger_leaf(const unsigned char salt[32], Str text);

/* Returns once it is durable and in a tree that a checkpoint will sign; waits for the group. Any thread. */
Err ledger_add(struct ledger *ledger, const LedgerLeaf *leaves, size_t n, uint64_t *first_index);
/* The same without waiting: durable within a second, done on the ledger's thread; must not block. */
void ledger_submit(struct ledger *ledger, const LedgerLeaf *leaf, void (*done)(void *ctx, Err err, uint64_t index),
                   void *ctx);

Err ledger_checkpoint(struct ledger *ledger, struct arena *arena, Str *out); /* the signed note, newest */
/* The newest that a witness has signed too; ERR_NOT_FOUND: none yet. */
Err ledger_cosigned(struct ledger *ledger, struct arena *arena, Str *out);
/* "tile/0/x001/234.p/5", "tile/entries/000"; ERR_NOT_FOUND. What is found never changes. */
Err ledger_tile(struct ledger *ledger, Str path, struct arena *arena, Str *out);
/* Proofs within trees no larger than the ledger; ERR_INVALID. */
Err ledger_inclusion(struct ledger *ledger, uint64_t index, uint64_t size, MerkleHash path[MERKLE_PATH_MAX], size_t *n);
Err ledger_consistency(struct ledger *ledger, uint64_t from, uint64_t to, MerkleHash path[MERKLE_PATH_MAX], size_t *n);
/* Another server's signature under one of our checkpoints (C2SP tlog-cosignature), kept and served with it.
 * ERR_INVALID: no checkpoint of this ledger, or forged; ERR_FORBIDDEN: of no witness that is known. */
Err ledger_cosign(struct ledger *ledger, Str note);
uint64_t ledger_size(struct ledger *ledger);
const struct note_key *ledger_key(const struct ledger *ledger); /* its name is the origin */

/* As a witness of other ledgers: signs with this server's key as `NAME`, the origin with "/witness" behind it. */
const struct note_key *ledger_witness_key(const struct ledger *ledger);
Str ledger_witness(struct ledger *ledger, Str text,
                   struct arena *arena); /* the signature's line, at the clock's time */

/* Hashes every entry and every level of tiles again. ERR_CORRUPT says which entry or tile is not what was entered. */
Err ledger_check(struct ledger *ledger);

struct ledger_stats {
    uint64_t entries, groups; /* appended since the start, and in how many syncs */
};
void ledger_stats(struct ledger *ledger, struct ledger_stats *out);

#endif
