/*
 * Eight numbers are `width` bytes, so number k of a group stands at the same bit of every group. Plain C has one loop a
 * width, in which those places are constants. With AVX2 two numbers lie within 16 bytes that a shuffle puts in place;
 * with AVX-512 all eight within 64. What is left over at the end, where a whole load would reach too far, goes by one.
 */
#include "kernel/bitpack.h"

#include <stdbool.h>
#include <string.h>

#if CODEC_X86
#include <immintrin.h>
#endif

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

/* ---- plain C */

static inline __attribute__((always_inline)) uint64_t take(const uint8_t *at, unsigned k, unsigned width) {
    uint64_t low;
    unsigned shift = k * width % 8;
    memcpy(&low, at + k * width / 8, 8);
    low >>= shift;
    if (shift + width > 64) low |= (uint64_t)at[k * width / 8 + 8] << (64 - shift);
    return width == 64 ? low : low & ((UINT64_C(1) << width % 64) - 1);
}

/* `groups` of eight; reads up to 9 bytes behind the last number's beginning. */
static inline __attribute__((always_inline)) void unroll(const uint8_t *at, size_t groups, unsigned width,
                                                         uint64_t *out) {
    for (; groups > 0; groups--, at += width, out += 8) {
        out[0] = take(at, 0, width), out[1] = take(at, 1, width);
        out[2] = take(at, 2, width), out[3] = take(at, 3, width);
        out[4] = take(at, 4, width), out[5] = take(at, 5, width);
        out[6] = take(at, 6, width), out[7] = take(at, 7, width);
    }
}

#define EIGHT(w) ONE(w) ONE(w + 1) ONE(w + 2) ONE(w + 3) ONE(w + 4) ONE(w + 5) ONE(w + 6) ONE(w + 7)
#define ONE(w)                                                                                                         \
    case w: unroll(at, groups, w, out); break;

/* Two halves, so that no function is long. */
static void narrow_groups(const uint8_t *at, size_t groups, unsigned width, uint64_t *out) {
    switch (width) { EIGHT(1) EIGHT(9) EIGHT(17) EIGHT(25) }
}

static void wide_groups(const uint8_t *at, size_t groups, unsigned width, uint64_t *out) {
    switch (width) { EIGHT(33) EIGHT(41) EIGHT(49) EIGHT(57) }
}

/* How many groups can be read when one looks at `reach` bytes from its beginning on. */
static size_t groups_within(size_t size, size_t n, unsigned width, size_t reach) {
    if (size < reach) return 0;
    size_t groups = (size - reach) / width + 1;
    return groups < n / 8 ? groups : n / 8;
}

static size_t plain(const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t *words) {
    size_t groups = groups_within(size, n, width, 7 * width / 8 + 9);
    if (width <= 32)
        narrow_groups(bytes, groups, width, words);
    else
        wide_groups(bytes, groups, width, words);
    return groups * 8;
}

#if CODEC_X86
#define SHUFFLED_MAX 57 /* bits: 8 bytes hold a number wherever in its first byte it begins */

/* ---- AVX2 */

/* The bytes of numbers k and k + 1, counted from the first byte of k, and how far each is to be shifted. */
static void pair_places(unsigned k, unsigned width, uint8_t bytes[16], uint64_t shifts[2]) {
    for (unsigned i = 0; i < 2; i++) {
        unsigned bit = (k + i) * width, from = bit / 8 - k * width / 8;
        shifts[i] = bit % 8;
        for (unsigned b = 0; b < 8; b++) bytes[8 * i + b] = (uint8_t)(from + b);
    }
}

__attribute__((target("avx2"))) static size_t avx2(const uint8_t *bytes, size_t size, size_t n, unsigned width,
                                                   uint64_t *words) {
    uint8_t places[4][16];
    uint64_t by[4][2];
    for (unsigned p = 0; p < 4; p++) pair_places(2 * p, width, places[p], by[p]);
    size_t at1 = 2 * width / 8, at2 = 4 * width / 8, at3 = 6 * width / 8;
    size_t groups = groups_within(size, n, width, at3 + 16);
    const __m256i low = _mm256_loadu_si256((const void *)places[0]), low_by = _mm256_loadu_si256((const void *)by[0]);
    const __m256i high = _mm256_loadu_si256((const void *)places[2]), high_by = _mm256_loadu_si256((const void *)by[2]);
    const __m256i mask = _mm256_set1_epi64x((int64_t)((UINT64_C(1) << width) - 1));
    for (size_t g = 0; g < groups; g++, bytes += width, words += 8) {
        __m256i a = _mm256_castsi128_si256(_mm_loadu_si128((const void *)bytes));
        __m256i b = _mm256_castsi128_si256(_mm_loadu_si128((const void *)(bytes + at2)));
        a = _mm256_inserti128_si256(a, _mm_loadu_si128((const void *)(bytes + at1)), 1);
        b = _mm256_inserti128_si256(b, _mm_loadu_si128((const void *)(bytes + at3)), 1);
        a = _mm256_srlv_epi64(_mm256_shuffle_epi8(a, low), low_by);
        b = _mm256_srlv_epi64(_mm256_shuffle_epi8(b, high), high_by);
        _mm256_storeu_si256((void *)words, _mm256_and_si256(a, mask));
        _mm256_storeu_si256((void *)(words + 4), _mm256_and_si256(b, mask));
    }
    return groups * 8;
}

/* ---- AVX-512 */

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))) static size_t
avx512(const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t *words) {
    uint8_t places[64];
    uint64_t by[8];
    for (unsigned k = 0; k < 8; k++) {
        by[k] = k * width % 8;
        for (unsigned b = 0; b < 8; b++) places[8 * k + b] = (uint8_t)(k * width / 8 + b);
    }
    size_t groups = groups_within(size, n, width, 64);
    const __m512i place = _mm512_loadu_si512(places), shift = _mm512_loadu_si512(by);
    const __m512i mask = _mm512_set1_epi64((int64_t)((UINT64_C(1) << width) - 1));
    for (size_t g = 0; g < groups; g++, bytes += width, words += 8) {
        __m512i v = _mm512_permutexvar_epi8(place, _mm512_loadu_si512(bytes));
        _mm512_storeu_si512(words, _mm512_and_si512(_mm512_srlv_epi64(v, shift), mask));
    }
    return groups * 8;
}
#endif

void bitpack_read(enum codec_isa isa, const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t *words) {
    size_t i = 0;
    if (width == 0) {
        memset(words, 0, n * sizeof *words);
        return;
    }
#if CODEC_X86
    if (isa == CODEC_AVX512 && width <= SHUFFLED_MAX)
        i = avx512(bytes, size, n, width, words);
    else if (isa == CODEC_AVX2 && width <= SHUFFLED_MAX)
        i = avx2(bytes, size, n, width, words);
    else
#endif
        i = plain(bytes, size, n, width, words);
    (void)isa;
    for (; i < n; i++) words[i] = unpack_one(bytes, size, i, width);
}

unsigned bitpack_width(uint64_t most) { return most ? 64 - (unsigned)__builtin_clzll(most) : 0; }
