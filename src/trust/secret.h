/*
 * Secrets: random texts, their keyed hashes, and people's passwords. The key is 256 random bits in its own file,
 * DIR/secret.key, readable by its owner only: the database alone tells nothing that could be tried out.
 * The one user of libsodium.
 */
#ifndef TRUST_SECRET_H
#define TRUST_SECRET_H

#include "base/err.h"
#include "base/str.h"

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

#endif
