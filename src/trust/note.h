/*
 * Signed notes (C2SP signed-note), checkpoints (C2SP tlog-checkpoint) and witnesses' signatures under them (C2SP
 * tlog-cosignature), with Ed25519 alone.
 *
 *     weft.example/ledger                       origin
 *     20852163                                  size
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=   root
 *
 *     — weft.example/ledger Az3grl…             signatures
 */
#ifndef TRUST_NOTE_H
#define TRUST_NOTE_H

#include "base/time.h"
#include "trust/merkle.h"
#include "trust/secret.h"

#define NOTE_MAX (64 * 1024) /* bytes */
#define NOTE_SIGNATURES_MAX 32
#define NOTE_NAME_MAX 200

enum note_kind { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

/* A key that is known: "name+hash+base64", as verifiers publish it. */
struct note_key {
    enum note_kind kind;
    uint32_t id;
    char name[NOTE_NAME_MAX + 1];
    unsigned char key[32];
};
/* ERR_INVALID says what is wrong with it. */
Err note_key_parse(Str text, struct note_key *out);
Err note_key_make(Str name, enum note_kind kind, const unsigned char key[32], struct note_key *out);
Str note_key_text(const struct note_key *key, struct arena *arena);

struct note_signature {
    Str name;
    uint32_t id;
    Str bytes; /* behind the id */
    Str line;  /* "— name base64", without the newline */
};
struct note {
    Str text; /* with its last newline */
    struct note_signature *signatures;
    size_t n;
};
/* Takes it apart, checks no signature. ERR_INVALID says what is wrong. Points into `bytes` and the arena. */
Err note_parse(Str bytes, struct arena *arena, struct note *out);
/* A line more. */
Str note_join(const struct note *note, Str line, struct arena *arena);

enum note_verdict { NOTE_SIGNED, NOTE_UNSIGNED, NOTE_FORGED };
/* UNSIGNED: no signature of this key; FORGED: one that says it is, and is not. at (or NULL): a cosignature's time. */
enum note_verdict note_verify(const struct note *note, const struct note_key *key, Nanos *at);

/* A signature line for text, without newline. at: of a cosignature, whole seconds; else ignored. */
Str note_sign(Str text, const struct note_key *key, const struct secret_signer *signer, Nanos at, struct arena *arena);

struct checkpoint {
    Str origin;
    uint64_t size;
    MerkleHash root;
};
Err note_checkpoint(Str text, struct checkpoint *out); /* of a note's text; extension lines are passed over */
Str note_checkpoint_text(const struct checkpoint *checkpoint, struct arena *arena);

#endif
