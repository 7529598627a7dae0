/*
 * A receipt: what stands in the ledger under a number, with all that is needed to prove it without the server. JSON:
 *
 *     {"weft":"receipt/1","text":"…","salt":BASE64,"index":17,"size":300,"path":[BASE64,…],"checkpoint":"NOTE"}
 *
 * Whoever owns what the text tells has the receipt and may show it.
 */
#ifndef TRUST_RECEIPT_H
#define TRUST_RECEIPT_H

#include "base/jw.h"
#include "trust/ledger.h"

#define RECEIPT_MAX (256 * 1024) /* bytes of its JSON */

struct receipt {
    Str text;
    unsigned char salt[32];
    uint64_t index, size;
    MerkleHash path[MERKLE_PATH_MAX];
    size_t n;
    Str checkpoint; /* the signed note */
};
/* With the newest checkpoint that witnesses signed, if the entry is in it, else the newest. */
Err receipt_make(struct ledger *ledger, const unsigned char salt[32], Str text, uint64_t index, struct arena *arena,
                 struct receipt *out);
void receipt_write(const struct receipt *receipt, struct jw *w, struct arena *arena);
Err receipt_parse(Str json, struct arena *arena, struct receipt *out); /* ERR_INVALID says what is wrong */

/* A proof that one size of the ledger begins another: {"from":5,"to":9,"path":[BASE64,…]}. */
struct receipt_proof {
    uint64_t from, to;
    MerkleHash path[MERKLE_PATH_MAX];
    size_t n;
};
void receipt_proof_write(const struct receipt_proof *proof, struct jw *w, struct arena *arena);
Err receipt_proof_parse(Str json, struct arena *arena, struct receipt_proof *out);

/* ---- checking, offline */
enum receipt_verdict { RECEIPT_HOLDS, RECEIPT_FAILS, RECEIPT_OPEN }; /* OPEN: cannot be told from what was given */
struct receipt_check {
    const struct receipt *receipt;
    const struct note_key *keys; /* the ledger's and witnesses', from elsewhere than the receipt */
    size_t n_keys;
    const Str *checkpoints; /* of the same ledger, that others keep */
    size_t n_checkpoints;
    const struct receipt_proof *proofs;
    size_t n_proofs;
    void (*say)(void *ctx, enum receipt_verdict verdict, Str words);
    void *ctx;
};
/* Says each thing that holds, fails or stays open. FAILS if any fails; else OPEN if any that matters stays open. */
enum receipt_verdict receipt_check(const struct receipt_check *check, struct arena *arena);

#endif
