/* Hashes: XXH3 for tables and checksums (libxxhash), not for secrets. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

uint64_t hash_bytes(const void *bytes, size_t n); /* XXH3-64, seed 0: stored checksums depend on it */
uint64_t hash_seeded(const void *bytes, size_t n, uint64_t seed);
uint64_t hash_str(Str s);

#endif
