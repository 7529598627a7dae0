#include "base/sha256.h"

#include <sodium.h>

void sha256_bytes(const void *bytes, size_t n, unsigned char out[SHA256_BYTES]) { crypto_hash_sha256(out, bytes, n); }

void sha256_pair(Str first, Str second, unsigned char out[SHA256_BYTES]) {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)first.ptr, first.len);
    crypto_hash_sha256_update(&state, (const unsigned char *)second.ptr, second.len);
    crypto_hash_sha256_final(&state, out);
}
