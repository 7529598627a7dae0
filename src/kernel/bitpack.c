#include "kernel/bitpack.h"

#include <string.h>

size_t bitpack_bytes(size_t n, unsigned width) { return (n * width + 7) / 8; }

void bitpack_write(const uint64_t *words, size_t n, unsigned width, uint8_t *out) {
    uint64_t pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        pending |= words[i] << bits;
        bits += width;
        if (bits < 64) continue;
        memcpy(out, &pending, 8);
        out += 8, bits -= 64;
        pending = bits ? words[i] >> (width - bits) : 0;
    }
    memcpy(out, &pending, (bits + 7) / 8);
}

static uint64_t unpack_one(const uint8_t *bytes, size_t size, size_t i, unsigned width) {
    size_t bit = i * width, at = bit / 8;
    uint8_t window[16] = {0};
    memcpy(window, bytes + at, size - at < 9 ? size - at : 9);
    uint64_t low, mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    memcpy(&low, window, 8);
    unsigned shift = bit % 8;
    if (shift) low = low >> shift | (uint64_t)window[8] << (64 - shift);
    return low & mask;
}

void bitpack_read(const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t *words) {
    size_t i = 0;
    if (width == 0) {
        memset(words, 0, n * sizeof *words);
        return;
    }
    if (width <= 56) {
        uint64_t mask = (UINT64_C(1) << width) - 1;
        for (; i < n && i * width / 8 + 8 <= size; i++) {
            uint64_t word;
            memcpy(&word, bytes + i * width / 8, 8);
            words[i] = word >> (i * width % 8) & mask;
        }
    }
    for (; i < n; i++) words[i] = unpack_one(bytes, size, i, width);
}

unsigned bitpack_width(uint64_t most) { return most ? 64 - (unsigned)__builtin_clzll(most) : 0; }
