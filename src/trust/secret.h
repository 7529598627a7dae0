/*
 * Secrets: random texts, their keyed hashes, and people's passwords. The key is 256 random bits in its own file,
 * DIR/secret.key, readable by its owner only: the database alone tells nothing that could be tried out.
 * The one user of libsodium.
 */
#ifndef TRUST_SECRET_H
#define TRUST_SECRET_H

#include "base/arena.h"
#include "base/err.h"

#define SECRET_HASH_BYTES 32
#define SECRET_PASSWORD_MAX 128 /* bytes of a kept password hash, with its NUL */
#define SECRET_PASSWORD_MIN_LENGTH 8
#define SECRET_PASSWORD_MAX_LENGTH 1024

struct secret_key {
    unsigned char bytes[32];
};

/* Reads DIR/secret.key; make: creates it when absent, durable before it is used. ERR_NOT_FOUND, ERR_CORRUPT. */
Err secret_load(const char *dir, bool make, struct secret_key *out);
/* Keyed BLAKE2b of two texts; the pair is hashed, not its concatenation. Under a microsecond. */
void secret_hash(const struct secret_key *key, Str first, Str second, unsigned char out[SECRET_HASH_BYTES]);
bool secret_same(const unsigned char a[SECRET_HASH_BYTES],
                 const unsigned char b[SECRET_HASH_BYTES]); /* constant time */
/* Writes `length` characters of a–z and 2–7, five random bits each, and a NUL. */
void secret_text(char *out, size_t length);
/* argon2id at libsodium's interactive limits: about 0.1 s and 64 MiB for the time of the call. */
Err secret_password_hash(Str password, char out[SECRET_PASSWORD_MAX]);
bool secret_password_matches(const char *hash, Str password);

/* ---- boxes: XChaCha20-Poly1305. A box is its random nonce, the ciphertext and the tag; `about` is bound to it. */
#define SECRET_BOX_EXTRA 40 /* bytes that a box is longer than what is in it */
void secret_box(const struct secret_key *key, Str about, Str plain, unsigned char *out);
/* false: another key, another `about`, or not a box; out: box.len - SECRET_BOX_EXTRA bytes. */
bool secret_unbox(const struct secret_key *key, Str about, Str box, unsigned char *out);

void secret_random(void *into, size_t n);
void secret_wipe(void *what, size_t n); /* zeroes, and the compiler may not leave it out */
/* 64 hex digits or 32 raw bytes, blanks around the digits allowed. */
bool secret_key_parse(Str text, struct secret_key *out);
/* ---- signatures: Ed25519 (RFC 8032) */
#define SECRET_SIGNATURE_BYTES 64
struct secret_signer {
    unsigned char bytes[64]; /* seed, then public key */
};
void secret_signer_make(const unsigned char seed[32], struct secret_signer *out);
const unsigned char *secret_signer_public(const struct secret_signer *signer); /* 32 bytes */
void secret_sign(const struct secret_signer *signer, Str text, unsigned char out[SECRET_SIGNATURE_BYTES]);
bool secret_verify(const unsigned char public_key[32], Str text, Str signature);

void secret_sha256(Str text, unsigned char out[32]);
void secret_hmac_sha256(Str key, Str text, unsigned char out[32]); /* RFC 2104 */

/* Base64 with padding (RFC 4648), strict when read. */
Str secret_base64(struct arena *arena, Str bytes);
bool secret_base64_read(struct arena *arena, Str text, Str *bytes);

#endif
