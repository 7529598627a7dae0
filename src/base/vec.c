#include "base/vec.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"

void *vec_grow(void *items, size_t *cap, size_t need, size_t item_size) {
    size_t grown = *cap < 8 ? 8 : *cap, bytes;
    while (grown < need) {
        ASSERT(grown <= SIZE_MAX / 2);
        grown *= 2;
    }
    if (grown == *cap) return items;
    ASSERT(!__builtin_mul_overflow(grown, item_size, &bytes));
    void *out = realloc(items, bytes);
    ASSERT(out != NULL);
    *cap = grown;
    return out;
}
