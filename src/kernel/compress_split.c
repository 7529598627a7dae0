#include "kernel/compress_split.h"

#include <string.h>

#include "kernel/bitpack.h"
#include "kernel/codec_lanes.h"

#define HEAD_BYTES 13
#define OUTSIDE 255u
#define TAIL 250 /* one word in so many may lie outside at either end */
#define LEVEL 3

/* ---- the window: from the TAIL-th smallest to the TAIL-th largest word, found without sorting */

static void swap(uint64_t *a, uint64_t *b) {
    uint64_t t = *a;
    *a = *b;
    *b = t;
}

/* Puts the k-th smallest at k, smaller ones before it. Hoare's selection with the median of three. */
static uint64_t select_at(uint64_t *w, size_t n, size_t k) {
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w[middle] < w[low]) swap(&w[middle], &w[low]);
        if (w[high] < w[low]) swap(&w[high], &w[low]);
        if (w[high] < w[middle]) swap(&w[high], &w[middle]);
        uint64_t pivot = w[middle];
        size_t i = low, j = high;
        while (i <= j) {
            while (w[i] < pivot) i++;
            while (w[j] > pivot) j--;
            if (i > j) break;
            swap(&w[i++], &w[j]);
            if (j == 0) break;
            j--;
        }
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            return w[k];
    }
    return w[k];
}

struct window {
    uint64_t base;
    unsigned low;
};

static struct window choose(uint64_t *copy, size_t n) {
    size_t tail = n / TAIL;
    uint64_t least = select_at(copy, n, tail), most = select_at(copy, n, n - 1 - tail);
    struct window w = {.base = least};
    while ((most - least) >> w.low >= OUTSIDE) w.low++;
    uint64_t spare = (((uint64_t)OUTSIDE << w.low) - (most - least)) / 2; /* the same room at both ends */
    w.base = least > spare ? least - spare : 0;
    return w;
}

static unsigned step_of(const struct window *w, uint64_t word) {
    if (word < w->base) return OUTSIDE;
    uint64_t step = (word - w->base) >> w->low;
    return step < OUTSIDE ? (unsigned)step : OUTSIDE;
}

/* ---- writing */

static void put_bits(struct buf *out, const uint64_t *words, size_t n, unsigned width) {
    buf_reserve(out, bitpack_bytes(n, width) + 8);
    bitpack_write(words, n, width, (uint8_t *)out->ptr + out->len);
    out->len += bitpack_bytes(n, width);
}

static void put_places(const uint64_t *words, size_t n, const struct window *w, uint64_t *copy, struct buf *out) {
    uint64_t mask = ((uint64_t)1 << w->low) - 1;
    for (size_t i = 0; i < n; i++) copy[i] = step_of(w, words[i]) == OUTSIDE ? 0 : (words[i] - w->base) & mask;
    put_bits(out, copy, n, w->low);
}

static size_t put_outside(const uint64_t *words, size_t n, unsigned width, const struct window *w, uint64_t *copy,
                          struct buf *out) {
    size_t outside = 0;
    for (size_t i = 0; i < n; i++)
        if (step_of(w, words[i]) == OUTSIDE) copy[outside++] = words[i];
    put_bits(out, copy, outside, width);
    return outside;
}

bool compress_split_write(struct zst *zstd, const uint64_t *words, size_t n, unsigned width, size_t at_most,
                          struct buf *scratch, struct buf *out) {
    size_t start = out->len;
    buf_clear(scratch);
    buf_reserve(scratch, n * 9);
    uint64_t *copy = (uint64_t *)(void *)scratch->ptr;
    uint8_t *steps = (uint8_t *)(copy + n);
    memcpy(copy, words, n * sizeof *words);
    struct window w = choose(copy, n);
    buf_byte(out, (uint8_t)w.low);
    buf_u64le(out, w.base);
    buf_u32le(out, 0);
    put_places(words, n, &w, copy, out);
    uint32_t outside = (uint32_t)put_outside(words, n, width, &w, copy, out);
    memcpy(out->ptr + start + HEAD_BYTES - 4, &outside, 4);
    for (size_t i = 0; i < n; i++) steps[i] = (uint8_t)step_of(&w, words[i]);
    bool framed = zst_write(zstd, str_n((const char *)steps, n), LEVEL, n, out);
    if (!framed) buf_add(out, steps, n);
    if (out->len - start < at_most) return true;
    out->len = start;
    return false;
}

/* ---- reading */

struct sections {
    struct window w;
    Str places, outside, steps;
    size_t n_outside;
};

static bool cut(Str bytes, size_t n, unsigned width, struct sections *s) {
    uint32_t outside;
    if (bytes.len < HEAD_BYTES) return false;
    s->w.low = (uint8_t)bytes.ptr[0];
    memcpy(&s->w.base, bytes.ptr + 1, 8);
    memcpy(&outside, bytes.ptr + 9, 4);
    s->n_outside = outside;
    if (s->w.low > 56 || outside > n) return false;
    size_t places = bitpack_bytes(n, s->w.low), far = bitpack_bytes(outside, width);
    if (bytes.len - HEAD_BYTES < places + far) return false;
    s->places = str_slice(bytes, HEAD_BYTES, HEAD_BYTES + places);
    s->outside = str_slice(bytes, HEAD_BYTES + places, HEAD_BYTES + places + far);
    s->steps = str_slice(bytes, HEAD_BYTES + places + far, bytes.len);
    return true;
}

/* What lies outside the window goes to its places; false: their number is wrong. */
static bool put_back(const uint8_t *steps, size_t n, const uint64_t *outside, size_t n_outside, uint64_t *words) {
    const uint8_t *at = steps, *end = steps + n;
    size_t taken = 0;
    while (at < end && (at = memchr(at, (int)OUTSIDE, (size_t)(end - at))) != NULL) {
        if (taken == n_outside) return false;
        words[at - steps] = outside[taken++];
        at++;
    }
    return taken == n_outside;
}

bool compress_split_read(struct zst *zstd, enum codec_isa isa, Str bytes, size_t n, unsigned width, struct buf *scratch,
                         uint64_t *words) {
    struct sections s;
    if (!cut(bytes, n, width, &s)) return false;
    buf_clear(scratch);
    buf_reserve(scratch, n * 9 + 16);
    uint64_t *outside = (uint64_t *)(void *)scratch->ptr;
    uint8_t *steps = (uint8_t *)(outside + n);
    if (s.steps.len == n)
        memcpy(steps, s.steps.ptr, n);
    else if (!zst_read(zstd, s.steps, steps, n))
        return false;
    bitpack_read(isa, (const uint8_t *)s.places.ptr, s.places.len, n, s.w.low, words);
    bitpack_read(isa, (const uint8_t *)s.outside.ptr, s.outside.len, s.n_outside, width, outside);
    codec_lanes_of(isa)->steps(steps, n, s.w.low, s.w.base, words);
    return put_back(steps, n, outside, s.n_outside, words);
}
