/*
 * The Merkle tree of RFC 9162, section 2.1 (the same as RFC 6962): hashes, proofs, and their checking. Pure: a leaf is
 * SHA-256(0x00 || entry), an inner node SHA-256(0x01 || left || right).
 *
 * Whoever makes proofs hands in a source of the nodes of complete subtrees: level l, index i is the root over the
 * leaves i * 2^l … (i + 1) * 2^l - 1, all of which are in the tree.
 */
#ifndef TRUST_MERKLE_H
#define TRUST_MERKLE_H

#include "base/err.h"
#include "base/str.h"

typedef struct MerkleHash {
    unsigned char bytes[32];
} MerkleHash;

#define MERKLE_PATH_MAX 64 /* hashes in a proof: one a level */

MerkleHash merkle_leaf(Str entry);
MerkleHash merkle_node(MerkleHash left, MerkleHash right);
MerkleHash merkle_empty(void); /* the root of no leaves */
bool merkle_eq(MerkleHash a, MerkleHash b);

/* True when the path proves that `leaf` is at `index` in the tree of `size` leaves with this root. */
bool merkle_included(MerkleHash leaf, uint64_t index, uint64_t size, const MerkleHash *path, size_t n, MerkleHash root);
/* True when the path proves that the tree of `to` leaves begins with the tree of `from` leaves, from ≤ to. An empty
 * tree begins every tree, but no path proves it: from 0 with to > 0 is false. */
bool merkle_consistent(uint64_t from, uint64_t to, const MerkleHash *path, size_t n, MerkleHash from_root,
                       MerkleHash to_root);

struct merkle_source {
    Err (*node)(void *ctx, unsigned level, uint64_t index, MerkleHash *out);
    void *ctx;
};
Err merkle_root(const struct merkle_source *source, uint64_t size, MerkleHash *out);
/* ERR_INVALID: index ≥ size; from 0 or from > to. */
Err merkle_prove_inclusion(const struct merkle_source *source, uint64_t index, uint64_t size,
                           MerkleHash path[MERKLE_PATH_MAX], size_t *n);
Err merkle_prove_consistency(const struct merkle_source *source, uint64_t from, uint64_t to,
                             MerkleHash path[MERKLE_PATH_MAX], size_t *n);

#endif
