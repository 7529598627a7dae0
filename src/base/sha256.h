/* SHA-256 (FIPS 180-4), for names and proofs. */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include "base/str.h"

#define SHA256_BYTES 32

void sha256_bytes(const void *bytes, size_t n, unsigned char out[SHA256_BYTES]);
/* Of the two, one behind the other. */
void sha256_pair(Str first, Str second, unsigned char out[SHA256_BYTES]);

#endif
