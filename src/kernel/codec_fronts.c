#include "kernel/codec_fronts.h"

#include <string.h>

#include "kernel/bitpack.h"

#define WITH_EXCEPTIONS 8
#define LIST_MAX 16u
#define FRONT_BITS 16u
#define SAMPLE 128u

struct fronts {
    unsigned bits;  /* of a front */
    unsigned count; /* in the list */
    uint16_t list[LIST_MAX];
};

static unsigned code_width(unsigned count) { return bitpack_width(count - 1); }

/* The first 16 bits of some values, in order. */
static size_t sample(const double *v, size_t n, uint16_t *some) {
    size_t count = n < SAMPLE ? n : SAMPLE;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i * n / count], 8);
        uint16_t front = (uint16_t)(bits >> 48);
        size_t k = i;
        for (; k > 0 && some[k - 1] > front; k--) some[k] = some[k - 1];
        some[k] = front;
    }
    return count;
}

/* The most frequent fronts of so many bits, at most LIST_MAX; how many of the sample they hold. */
static size_t list_fronts(const uint16_t *some, size_t count, unsigned bits, struct fronts *f) {
    size_t held[LIST_MAX] = {0}, all = 0;
    f->bits = bits, f->count = 0;
    for (size_t i = 0, from = 0; i <= count; i++) {
        if (i < count && some[i] >> (FRONT_BITS - bits) == some[from] >> (FRONT_BITS - bits)) continue;
        size_t k = f->count < LIST_MAX ? f->count++ : LIST_MAX;
        if (k == LIST_MAX && held[LIST_MAX - 1] < i - from) k = LIST_MAX - 1;
        if (k < LIST_MAX) {
            for (; k > 0 && held[k - 1] < i - from; k--) held[k] = held[k - 1], f->list[k] = f->list[k - 1];
            held[k] = i - from;
            f->list[k] = (uint16_t)(some[from] >> (FRONT_BITS - bits));
        }
        from = i;
    }
    for (unsigned k = 0; k < f->count; k++) all += held[k];
    return all;
}

/* The front that makes values shortest, about. */
static struct fronts choose(const double *v, size_t n) {
    uint16_t some[SAMPLE];
    size_t count = sample(v, n, some), best_cost = SIZE_MAX;
    struct fronts best = {0}, f;
    for (unsigned bits = 1; bits <= FRONT_BITS; bits++) {
        size_t held = list_fronts(some, count, bits, &f);
        size_t cost = count * (64 - bits + code_width(f.count)) + (count - held) * 32 + f.count * 16 * count / n;
        if (cost < best_cost) best_cost = cost, best = f;
    }
    return best;
}

static unsigned find_code(const struct fronts *f, uint16_t front) {
    unsigned k = 0;
    while (k < f->count && f->list[k] != front) k++;
    return k;
}

bool codec_fronts_write(struct codec_work *w, const double *v, size_t n, unsigned shift, size_t form, struct buf *out) {
    struct fronts f = choose(v, n);
    unsigned below = 64 - f.bits;
    uint16_t places[CODEC_BLOCK], wrong[CODEC_BLOCK], count = 0;
    if (shift >= below) return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &v[i], 8);
        unsigned code = find_code(&f, (uint16_t)(bits >> below));
        if (code == f.count) {
            places[count] = (uint16_t)i, wrong[count++] = (uint16_t)(bits >> below);
            code = 0;
        }
        w->words[i] = code;
        w->spare[i] = (bits & ((UINT64_C(1) << below) - 1)) >> shift;
    }
    buf_byte(out, (uint8_t)shift);
    buf_byte(out, (uint8_t)(below - shift));
    buf_byte(out, (uint8_t)(f.count - 1));
    for (unsigned k = 0; k < f.count; k++) buf_u16le(out, f.list[k]);
    if (count) {
        out->ptr[form] = (char)(out->ptr[form] | WITH_EXCEPTIONS);
        buf_u16le(out, count);
        for (size_t k = 0; k < count; k++) buf_u16le(out, places[k]);
        for (size_t k = 0; k < count; k++) buf_u16le(out, wrong[k]);
    }
    codec_block_put_words(out, w->words, n, code_width(f.count));
    codec_block_put_words(out, w->spare, n, below - shift);
    return true;
}

/* ---- reading */

static unsigned pair(const uint8_t *at) { return at[0] | (unsigned)at[1] << 8; }

static bool read_head(struct codec_in *in, unsigned *shift, unsigned *right, struct fronts *f) {
    if (!codec_block_byte(in, shift) || !codec_block_byte(in, right) || !codec_block_byte(in, &f->count)) return false;
    f->count++;
    if (*right == 0 || *shift + *right < 48 || *shift + *right > 63 || f->count > LIST_MAX) return false;
    if ((size_t)(in->end - in->at) < 2 * f->count) return false;
    for (unsigned k = 0; k < f->count; k++, in->at += 2) f->list[k] = (uint16_t)pair(in->at);
    return true;
}

bool codec_fronts_read(struct codec_work *w, struct codec_in *in, bool exceptions, double *v, size_t n) {
    struct fronts f = {0};
    unsigned shift, right;
    size_t count = 0;
    const uint8_t *places = NULL;
    if (!read_head(in, &shift, &right, &f)) return false;
    if (exceptions) {
        if (in->end - in->at < 2) return false;
        count = pair(in->at);
        if ((size_t)(in->end - in->at) - 2 < count * 4) return false;
        places = in->at + 2;
        in->at = places + count * 4;
    }
    if (!codec_block_words(w->isa, in, n, code_width(f.count), w->words) ||
        !codec_block_words(w->isa, in, n, right, w->spare))
        return false;
    uint64_t high[LIST_MAX] = {0};
    for (unsigned k = 0; k < f.count; k++) high[k] = (uint64_t)f.list[k] << (shift + right);
    for (size_t i = 0; i < n; i++) w->words[i] = high[w->words[i] % LIST_MAX];
    for (size_t k = 0; k < count; k++) {
        if (pair(places + 2 * k) >= n) return false;
        w->words[pair(places + 2 * k)] = (uint64_t)pair(places + 2 * (count + k)) << (shift + right);
    }
    w->lanes->doubles(w->spare, n, shift, w->words, v);
    return true;
}
