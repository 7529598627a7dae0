/*
 * A column of integers begins with: u8 form (difference 1 | planes 2 | split 4 | tens << 3), u8 width in bits, then as
 * 8 bytes each the least residue and, for differences, the first value. Times are mostly multiples of a large unit of
 * ten, so the widest unit that divides all residues is taken out and stands as a power of ten in the form's high bits.
 *
 * Differences wrap around modulo 2^64, which makes every int64 series possible; the reader wraps back.
 */
#include "kernel/compress.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/zst.h"
#include "kernel/bitpack.h"
#include "kernel/compress_blocks.h"
#include "kernel/compress_split.h"

#define COLD_LEVEL 3
#define PLANES_MIN 32   /* values; below, a zstd frame costs more than it saves */
#define ENTROPY_MIN 40  /* bytes; below, there is nothing to gain */
#define WORTH 0.97      /* an entropy form must be so much shorter than blocks, which are read several times faster */
#define DECIMAL_FITS 30 /* of 32 values, for a column to be tried as decimals of one power */
#define TRUE_FLOAT_BITS 16 /* a value; columns with fewer are not tried as whole bits */
#define CHANGE_BITS 6      /* nor, with fewer, as what changes in the bits */
#define DICTIONARY_MIN 64  /* values */
#define DICTIONARY_BITS 10 /* a value; columns with fewer are not looked at */

/* Forms of a column; a column of integers also holds a power of ten in its form's upper half. */
enum { INTS_DIFFERENCES = 1, INTS_PLANES = 2, INTS_SPLIT = 4, INTS_BLOCKS = 7, INTS_DICTIONARY = 15 };
enum { FLOATS_DECIMAL, FLOATS_RAW, FLOATS_XOR_PLANES, FLOATS_BLOCKS, FLOATS_DICTIONARY, FLOATS_PLANES, FLOATS_ZSTD };
enum { BYTES_RAW, BYTES_ZSTD, BITS_GAPS };

struct compress {
    struct zst *zstd;
    enum codec_isa isa;
    const struct codec_lanes *lanes;
    struct codec_work work;
    struct buf dictionary, whole;
    uint64_t *words;
    int64_t *ints;
    size_t cap_words, cap_ints;
    struct buf planes;
};

static const int64_t ten_to[19] = {1,
                                   10,
                                   100,
                                   1000,
                                   10000,
                                   100000,
                                   1000000,
                                   10000000,
                                   100000000,
                                   1000000000,
                                   10000000000,
                                   100000000000,
                                   1000000000000,
                                   10000000000000,
                                   100000000000000,
                                   1000000000000000,
                                   10000000000000000,
                                   100000000000000000,
                                   1000000000000000000};

struct compress *compress_new(void) {
    struct compress *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    c->zstd = zst_new();
    compress_use(c, codec_isa_best());
    return c;
}

void compress_use(struct compress *c, enum codec_isa isa) {
    ASSERT(codec_isa_has(isa));
    c->isa = isa;
    c->lanes = codec_lanes_of(isa);
    c->work.isa = isa, c->work.lanes = c->lanes;
}

void compress_free(struct compress *c) {
    if (!c) return;
    zst_free(c->zstd);
    buf_fini(&c->planes);
    buf_fini(&c->dictionary);
    buf_fini(&c->whole);
    free(c->words);
    free(c->ints);
    free(c);
}

static void *room(void *items, size_t *cap, size_t n, size_t size) {
    if (*cap >= n) return items;
    ASSERT(n <= COMPRESS_VALUES_MAX);
    *cap = n < 1024 ? 1024 : n;
    free(items);
    items = malloc(*cap * size);
    ASSERT(items != NULL);
    return items;
}

static uint64_t *words_of(struct compress *c, size_t n) {
    return c->words = room(c->words, &c->cap_words, n, sizeof *c->words);
}

static int64_t *ints_of(struct compress *c, size_t n) {
    return c->ints = room(c->ints, &c->cap_ints, n, sizeof *c->ints);
}

static void put_ints(struct compress *c, const int64_t *v, size_t n, bool cold, bool dictionary, struct buf *out);

/* Of what stands from start to middle and from middle on, keeps the second when it is shorter than `worth` of the
 * first. */
static void keep_shorter(struct buf *out, size_t start, size_t middle, double worth) {
    size_t first = middle - start, second = out->len - middle;
    if ((double)second < (double)first * worth) {
        memmove(out->ptr + start, out->ptr + middle, second);
        out->len = start + second;
    } else {
        out->len = middle;
    }
}

/* ---- byte planes: first every lowest byte, then every next one */

static void split_planes(const uint64_t *words, size_t n, unsigned planes, uint8_t *out) {
    for (unsigned p = 0; p < planes; p++)
        for (size_t i = 0; i < n; i++) out[p * n + i] = (uint8_t)(words[i] >> (8 * p));
}

static uint8_t *planes_room(struct compress *c, size_t n) {
    buf_clear(&c->planes);
    buf_reserve(&c->planes, n + 1);
    return (uint8_t *)c->planes.ptr;
}

static bool write_planes(struct compress *c, const uint64_t *words, size_t n, unsigned planes, size_t at_most,
                         struct buf *out) {
    uint8_t *bytes = planes_room(c, n * planes);
    split_planes(words, n, planes, bytes);
    return zst_write(c->zstd, (Str){(char *)bytes, n * planes}, COLD_LEVEL, at_most, out);
}

static bool read_planes(struct compress *c, Str frame, size_t n, unsigned planes, uint64_t *words) {
    uint8_t *bytes = planes_room(c, n * planes);
    if (!zst_read(c->zstd, frame, bytes, n * planes)) return false;
    c->lanes->join(bytes, n, planes, words);
    return true;
}

/* ---- integers */

/* How a column's residues spread. */
struct spread {
    int64_t least, most;
};

static void widen(struct spread *s, int64_t v) {
    if (v < s->least) s->least = v;
    if (v > s->most) s->most = v;
}

static unsigned spread_width(const struct spread *s) { return bitpack_width((uint64_t)s->most - (uint64_t)s->least); }

static int64_t difference(const int64_t *v, size_t i) { return (int64_t)((uint64_t)v[i] - (uint64_t)v[i - 1]); }

/* The largest power of ten that divides every residue, looking only as far as it can matter. */
static unsigned common_ten(const uint64_t *words, size_t n) {
    unsigned e = 18;
    for (size_t i = 0; i < n && e > 0; i++)
        while (e > 0 && words[i] % (uint64_t)ten_to[e] != 0) e--;
    return e;
}

/* Residues of values or differences, less the least; for differences there are n - 1. */
static size_t residues(struct compress *c, const int64_t *v, size_t n, bool differences, int64_t least) {
    uint64_t *words = words_of(c, n);
    if (!differences) {
        for (size_t i = 0; i < n; i++) words[i] = (uint64_t)v[i] - (uint64_t)least;
        return n;
    }
    for (size_t i = 1; i < n; i++) words[i - 1] = (uint64_t)difference(v, i) - (uint64_t)least;
    return n - 1;
}

static void put_head(struct buf *out, unsigned form, unsigned tens, unsigned width) {
    buf_byte(out, (uint8_t)(form | tens << 3));
    buf_byte(out, (uint8_t)width);
}

static void put_packed(struct buf *out, const uint64_t *words, size_t n, unsigned width) {
    buf_reserve(out, bitpack_bytes(n, width) + 8);
    bitpack_write(words, n, width, (uint8_t *)out->ptr + out->len);
    out->len += bitpack_bytes(n, width);
}

/* Takes a common power of ten out of the residues; worth a look only where it would save much. */
static unsigned take_tens(uint64_t *words, size_t n, unsigned *width) {
    if (*width < 8) return 0;
    unsigned e = common_ten(words, n);
    if (e == 0) return 0;
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        words[i] /= (uint64_t)ten_to[e];
        if (words[i] > most) most = words[i];
    }
    *width = bitpack_width(most);
    return e;
}

static void put_residues(struct compress *c, const int64_t *v, size_t n, bool differences, int64_t least,
                         unsigned width, bool cold, struct buf *out) {
    size_t count = residues(c, v, n, differences, least), start = out->len;
    unsigned tens = take_tens(c->words, count, &width);
    put_head(out, differences ? INTS_DIFFERENCES : 0, tens, width);
    buf_u64le(out, (uint64_t)least);
    if (differences) buf_u64le(out, (uint64_t)v[0]);
    size_t head = out->len, best = bitpack_bytes(count, width);
    unsigned smaller = 0;
    if (cold && count >= PLANES_MIN && width > 0) {
        if (write_planes(c, c->words, count, (width + 7) / 8, best, out)) smaller = INTS_PLANES, best = out->len - head;
        size_t middle = out->len;
        if (compress_split_write(c->zstd, c->words, count, width, best, &c->planes, out)) {
            smaller = INTS_SPLIT, best = out->len - middle;
            memmove(out->ptr + head, out->ptr + middle, best);
            out->len = head + best;
        }
    }
    if (!smaller) put_packed(out, c->words, count, width);
    out->ptr[start] = (char)(out->ptr[start] | (char)smaller);
}

/* By entropy, as one: the shorter of values and differences. */
static void put_entropy(struct compress *c, const int64_t *v, size_t n, struct buf *out) {
    struct spread plain = {v[0], v[0]}, steps = {INT64_MAX, INT64_MIN};
    for (size_t i = 1; i < n; i++) {
        widen(&plain, v[i]);
        widen(&steps, difference(v, i));
    }
    unsigned plain_width = spread_width(&plain), step_width = spread_width(&steps);
    size_t start = out->len;
    put_residues(c, v, n, true, steps.least, step_width, true, out);
    if (plain_width == 0 || step_width == 0) return;
    /* The wider of the two may still have the lower entropy. */
    size_t middle = out->len;
    put_residues(c, v, n, false, plain.least, plain_width, true, out);
    keep_shorter(out, start, middle, 1.0);
}

/* Replaces the column from `start` on by a dictionary, when that is shorter. words: the values as such. */
static void try_dictionary(struct compress *c, const void *values, size_t n, bool floats, bool cold, size_t start,
                           struct buf *out) {
    struct compress_blocks_set set;
    size_t middle = out->len;
    if (n < DICTIONARY_MIN || (middle - start) * 8 < n * DICTIONARY_BITS) return;
    uint64_t *words = words_of(c, n);
    memcpy(words, values, n * 8);
    if (!compress_blocks_different(words, n, n / 3 < 65536 ? n / 3 : 65536, &set)) return;
    buf_byte(out, floats ? FLOATS_DICTIONARY : INTS_DICTIONARY);
    buf_u32le(out, (uint32_t)set.count);
    buf_u32le(out, 0);
    size_t from = out->len;
    if (floats) {
        double *list = malloc(set.count * 8);
        ASSERT(list != NULL);
        memcpy(list, set.words, set.count * 8);
        compress_blocks_floats(&c->work, list, set.count, out);
        free(list);
    } else {
        compress_blocks_ints(&c->work, (const int64_t *)set.words, set.count, out);
    }
    uint32_t size = (uint32_t)(out->len - from);
    memcpy(out->ptr + from - 4, &size, 4);
    put_ints(c, set.places, n, cold, false, out);
    free(set.words);
    free(set.places);
    keep_shorter(out, start, middle, 1.0);
}

static void put_ints(struct compress *c, const int64_t *v, size_t n, bool cold, bool dictionary, struct buf *out) {
    size_t start = out->len;
    buf_byte(out, INTS_BLOCKS);
    compress_blocks_ints(&c->work, v, n, out);
    if (dictionary) try_dictionary(c, v, n, false, cold, start, out);
    size_t middle = out->len;
    if (!cold || n < PLANES_MIN || middle - start < ENTROPY_MIN) return;
    put_entropy(c, v, n, out);
    keep_shorter(out, start, middle, WORTH);
}

void compress_ints(struct compress *c, const int64_t *v, size_t n, bool cold, struct buf *out) {
    if (n == 0) return;
    ASSERT(n <= COMPRESS_VALUES_MAX);
    put_ints(c, v, n, cold, true, out);
}

struct ints_head {
    unsigned form, tens, width;
    int64_t least, first;
};

static bool read_head(Str *bytes, struct ints_head *h) {
    if (bytes->len < 10) return false;
    uint8_t form = (uint8_t)bytes->ptr[0];
    *h = (struct ints_head){.form = form & 7, .tens = form >> 3, .width = (uint8_t)bytes->ptr[1]};
    bool both = (h->form & INTS_PLANES) && (h->form & INTS_SPLIT);
    if (both || h->tens > 18 || h->width > 64) return false;
    memcpy(&h->least, bytes->ptr + 2, 8);
    size_t at = 10;
    if (h->form & INTS_DIFFERENCES) {
        if (bytes->len < 18) return false;
        memcpy(&h->first, bytes->ptr + 10, 8);
        at = 18;
    }
    *bytes = str_slice(*bytes, at, bytes->len);
    return true;
}

static bool read_words(struct compress *c, Str bytes, const struct ints_head *h, size_t count, uint64_t *words) {
    if (h->form & INTS_PLANES) return read_planes(c, bytes, count, (h->width + 7) / 8, words);
    if (h->form & INTS_SPLIT) return compress_split_read(c->zstd, c->isa, bytes, count, h->width, &c->planes, words);
    if (bytes.len != bitpack_bytes(count, h->width)) return false;
    bitpack_read(c->isa, (const uint8_t *)bytes.ptr, bytes.len, count, h->width, words);
    return true;
}

/* The different values, and which bytes say where they stand. */
static bool read_dictionary(struct compress *c, Str bytes, size_t n, bool floats, Str *places, uint32_t *count) {
    uint32_t size;
    if (bytes.len < 8) return false;
    memcpy(count, bytes.ptr, 4);
    memcpy(&size, bytes.ptr + 4, 4);
    if (*count == 0 || *count > n || size > bytes.len - 8) return false;
    buf_clear(&c->dictionary);
    buf_reserve(&c->dictionary, (size_t)*count * 8);
    Str list = str_slice(bytes, 8, 8 + (size_t)size);
    *places = str_slice(bytes, 8 + (size_t)size, bytes.len);
    if (places->len == 0 || places->ptr[0] == INTS_DICTIONARY) return false;
    void *into = c->dictionary.ptr;
    size_t blocks = compress_blocks_count(*count);
    return floats ? compress_blocks_read_floats(&c->work, list, *count, 0, blocks, into)
                  : compress_blocks_read_ints(&c->work, list, *count, 0, blocks, into);
}

static bool look_up(const struct compress *c, uint32_t count, const int64_t *places, size_t n, void *values) {
    const char *list = c->dictionary.ptr;
    for (size_t i = 0; i < n; i++) {
        if ((uint64_t)places[i] >= count) return false;
        memcpy((char *)values + 8 * i, list + 8 * (size_t)places[i], 8);
    }
    return true;
}

static bool read_ints_dictionary(struct compress *c, Str bytes, int64_t *v, size_t n) {
    Str places;
    uint32_t count;
    return read_dictionary(c, bytes, n, false, &places, &count) && compress_read_ints(c, places, v, n) &&
           look_up(c, count, v, n, v);
}

static bool read_ints_as_one(struct compress *c, Str bytes, int64_t *v, size_t n) {
    struct ints_head h;
    if (!read_head(&bytes, &h)) return false;
    bool differences = h.form & INTS_DIFFERENCES;
    uint64_t *words = words_of(c, n), unit = (uint64_t)ten_to[h.tens], least = (uint64_t)h.least;
    if (!read_words(c, bytes, &h, differences ? n - 1 : n, words)) return false;
    if (differences)
        c->lanes->sum(words, n, unit, least, (uint64_t)h.first, v);
    else
        c->lanes->scale(words, n, unit, least, v);
    return true;
}

bool compress_read_ints(struct compress *c, Str bytes, int64_t *v, size_t n) {
    if (n == 0) return bytes.len == 0;
    if (n > COMPRESS_VALUES_MAX || bytes.len == 0) return false;
    Str rest = str_slice(bytes, 1, bytes.len);
    switch (bytes.ptr[0]) {
    case INTS_BLOCKS: return compress_blocks_read_ints(&c->work, rest, n, 0, compress_blocks_count(n), v);
    case INTS_DICTIONARY: return read_ints_dictionary(c, rest, v, n);
    default: return read_ints_as_one(c, bytes, v, n);
    }
}

/* ---- floats */

#define SINGLE 0x20u /* with the power: rounded to single precision after the division */
#define POWER_MASK 0x1fu

/* Appends the exceptions (u32 index, 8 bytes) and leaves the mantissas in scratch; false: more than one in 16. */
static bool to_decimals(struct compress *c, const double *v, size_t n, unsigned power, bool single,
                        struct buf *exceptions) {
    int64_t *m = ints_of(c, n), last = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        if (codec_real_decimal(v[i], power, single, &m[i])) {
            last = m[i];
            continue;
        }
        if (++wrong > n / 16 + 1) return false;
        m[i] = last; /* costs nothing in the stream */
        buf_u32le(exceptions, (uint32_t)i);
        buf_add(exceptions, &v[i], 8);
    }
    return true;
}

/* Mantissas of one power for all, by entropy. Returns whether the column is such decimals at all. */
static bool try_decimals(struct compress *c, const double *v, size_t n, size_t start, struct buf *out) {
    unsigned power;
    bool single;
    size_t middle = out->len;
    if (codec_real_choose(v, n, &power, &single) < DECIMAL_FITS) return false;
    buf_byte(out, FLOATS_DECIMAL);
    buf_byte(out, (uint8_t)(power | (single ? SINGLE : 0)));
    buf_u32le(out, 0); /* bytes of exceptions */
    size_t from = out->len;
    if (!to_decimals(c, v, n, power, single, out)) {
        out->len = middle;
        return false;
    }
    uint32_t size = (uint32_t)(out->len - from);
    memcpy(out->ptr + from - 4, &size, 4);
    put_entropy(c, c->ints, n, out);
    keep_shorter(out, start, middle, WORTH);
    return true;
}

/* The planes of the bits, or of what changes in them. */
static void try_planes(struct compress *c, const double *v, size_t n, bool changes, size_t start, struct buf *out) {
    uint64_t *words = words_of(c, n), last = 0, bits;
    size_t middle = out->len;
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &v[i], 8);
        words[i] = changes ? bits ^ last : bits;
        last = bits;
    }
    buf_byte(out, changes ? FLOATS_XOR_PLANES : FLOATS_PLANES);
    if (write_planes(c, words, n, 8, 8 * n, out))
        keep_shorter(out, start, middle, WORTH);
    else
        out->len = middle;
}

/* The bytes as they are: for what comes again and again in long pieces. */
static void try_zstd(struct compress *c, const double *v, size_t n, size_t start, struct buf *out) {
    size_t middle = out->len;
    buf_byte(out, FLOATS_ZSTD);
    if (zst_write(c->zstd, (Str){(const char *)v, n * 8}, COLD_LEVEL, 8 * n, out))
        keep_shorter(out, start, middle, WORTH);
    else
        out->len = middle;
}

void compress_floats(struct compress *c, const double *v, size_t n, bool cold, struct buf *out) {
    if (n == 0) return;
    ASSERT(n <= COMPRESS_VALUES_MAX);
    size_t start = out->len;
    buf_byte(out, FLOATS_BLOCKS);
    compress_blocks_floats(&c->work, v, n, out);
    try_dictionary(c, v, n, true, cold, start, out);
    if (!cold || n < PLANES_MIN || out->len - start < ENTROPY_MIN) return;
    if (try_decimals(c, v, n, start, out)) return;
    if ((out->len - start) * 8 < n * CHANGE_BITS) return;
    try_planes(c, v, n, true, start, out);
    if ((out->len - start) * 8 < n * TRUE_FLOAT_BITS) return;
    try_planes(c, v, n, false, start, out);
    try_zstd(c, v, n, start, out);
}

static bool read_decimals(struct compress *c, Str bytes, double *v, size_t n) {
    uint32_t size, i;
    if (bytes.len < 5) return false;
    unsigned form = (uint8_t)bytes.ptr[0], power = form & POWER_MASK;
    if (power > CODEC_REAL_POWER_MAX || form > (SINGLE | POWER_MASK)) return false;
    double unit = codec_real_power(power);
    memcpy(&size, bytes.ptr + 1, 4);
    if (size > bytes.len - 5 || size % 12) return false;
    int64_t *m = ints_of(c, n);
    if (!compress_read_ints(c, str_slice(bytes, 5 + size, bytes.len), m, n)) return false;
    if (form & SINGLE)
        c->lanes->singles(m, n, unit, v);
    else
        c->lanes->decimals(m, n, unit, v);
    for (const char *at = bytes.ptr + 5; at < bytes.ptr + 5 + size; at += 12) {
        memcpy(&i, at, 4);
        if (i >= n) return false;
        memcpy(&v[i], at + 4, 8);
    }
    return true;
}

static bool read_xor(struct compress *c, Str bytes, double *v, size_t n) {
    uint64_t *words = words_of(c, n), bits = 0;
    if (!read_planes(c, bytes, n, 8, words)) return false;
    for (size_t i = 0; i < n; i++) {
        bits ^= words[i];
        memcpy(&v[i], &bits, 8);
    }
    return true;
}

static bool read_planes_floats(struct compress *c, Str bytes, double *v, size_t n) {
    uint64_t *words = words_of(c, n);
    if (!read_planes(c, bytes, n, 8, words)) return false;
    memcpy(v, words, n * 8);
    return true;
}

static bool read_floats_dictionary(struct compress *c, Str bytes, double *v, size_t n) {
    Str places;
    uint32_t count;
    int64_t *at = ints_of(c, n);
    return read_dictionary(c, bytes, n, true, &places, &count) && compress_read_ints(c, places, at, n) &&
           look_up(c, count, at, n, v);
}

bool compress_read_floats(struct compress *c, Str bytes, double *v, size_t n) {
    if (n == 0) return bytes.len == 0;
    if (bytes.len == 0 || n > COMPRESS_VALUES_MAX) return false;
    Str rest = str_slice(bytes, 1, bytes.len);
    switch (bytes.ptr[0]) {
    case FLOATS_DECIMAL: return read_decimals(c, rest, v, n);
    case FLOATS_XOR_PLANES: return read_xor(c, rest, v, n);
    case FLOATS_BLOCKS: return compress_blocks_read_floats(&c->work, rest, n, 0, compress_blocks_count(n), v);
    case FLOATS_DICTIONARY: return read_floats_dictionary(c, rest, v, n);
    case FLOATS_PLANES: return read_planes_floats(c, rest, v, n);
    case FLOATS_ZSTD: return zst_read(c->zstd, rest, v, n * 8);
    case FLOATS_RAW:
        if (rest.len != n * 8) return false;
        memcpy(v, rest.ptr, rest.len);
        return true;
    default: return false;
    }
}

/* ---- in other ways */

#define EXACT (INT64_C(1) << 53)

bool compress_read_ints_as_floats(struct compress *c, Str bytes, double *v, size_t n) {
    if (n > COMPRESS_VALUES_MAX) return false;
    int64_t *ints = ints_of(c, n);
    if (!compress_read_ints(c, bytes, ints, n)) return false;
    uint64_t outside = 0;
    for (size_t i = 0; i < n; i++) outside |= (uint64_t)ints[i] + (uint64_t)EXACT > 2 * (uint64_t)EXACT;
    if (outside) return false;
    c->lanes->decimals(ints, n, 1.0, v);
    return true;
}

bool compress_read_floats_part(struct compress *c, Str bytes, size_t n, size_t from, size_t to, double *v) {
    if (n == 0 || n > COMPRESS_VALUES_MAX || from > to || to > compress_blocks_count(n) || bytes.len == 0) return false;
    if (bytes.ptr[0] == FLOATS_BLOCKS)
        return compress_blocks_read_floats(&c->work, str_slice(bytes, 1, bytes.len), n, from, to, v);
    buf_clear(&c->whole);
    buf_reserve(&c->whole, n * 8);
    size_t begin = from * COMPRESS_BLOCK, end = to * COMPRESS_BLOCK < n ? to * COMPRESS_BLOCK : n;
    if (!compress_read_floats(c, bytes, (double *)(void *)c->whole.ptr, n)) return false;
    if (end > begin) memcpy(v, c->whole.ptr + begin * 8, (end - begin) * 8);
    return true;
}

bool compress_read_ints_part(struct compress *c, Str bytes, size_t n, size_t from, size_t to, int64_t *v) {
    if (n == 0 || n > COMPRESS_VALUES_MAX || from > to || to > compress_blocks_count(n) || bytes.len == 0) return false;
    if (bytes.ptr[0] == INTS_BLOCKS)
        return compress_blocks_read_ints(&c->work, str_slice(bytes, 1, bytes.len), n, from, to, v);
    buf_clear(&c->whole);
    buf_reserve(&c->whole, n * 8);
    size_t begin = from * COMPRESS_BLOCK, end = to * COMPRESS_BLOCK < n ? to * COMPRESS_BLOCK : n;
    if (!compress_read_ints(c, bytes, (int64_t *)(void *)c->whole.ptr, n)) return false;
    if (end > begin) memcpy(v, c->whole.ptr + begin * 8, (end - begin) * 8);
    return true;
}

/* ---- bits and bytes */

void compress_bytes(struct compress *c, Str bytes, bool cold, struct buf *out) {
    size_t start = out->len;
    buf_byte(out, BYTES_ZSTD);
    buf_u32le(out, (uint32_t)bytes.len);
    if (cold && bytes.len >= PLANES_MIN && zst_write(c->zstd, bytes, COLD_LEVEL, bytes.len, out)) return;
    out->len = start;
    buf_byte(out, BYTES_RAW);
    buf_str(out, bytes);
}

bool compress_read_bytes(struct compress *c, Str bytes, size_t size_max, struct buf *out) {
    if (bytes.len == 0) return false;
    Str rest = str_slice(bytes, 1, bytes.len);
    if (bytes.ptr[0] == BYTES_RAW) {
        if (rest.len > size_max) return false;
        buf_str(out, rest);
        return true;
    }
    uint32_t size;
    if (bytes.ptr[0] != BYTES_ZSTD || rest.len < 4) return false;
    memcpy(&size, rest.ptr, 4);
    if (size > size_max) return false;
    buf_reserve(out, size + 1);
    if (!zst_read(c->zstd, str_slice(rest, 4, rest.len), out->ptr + out->len, size)) return false;
    out->len += size;
    return true;
}

/* The runs between the rarer bits, a byte each; 255 goes on. Returns how many bytes. */
static size_t list_gaps(const bool *v, size_t n, bool rare, uint8_t *out) {
    size_t size = 0, gap = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i] != rare && ++gap < 255) continue;
        out[size++] = (uint8_t)gap;
        gap = 0;
    }
    return size;
}

/* Replaces what was written from `start` by gaps, when those are shorter. */
static void try_gaps(struct compress *c, const bool *v, size_t n, size_t start, struct buf *out) {
    size_t set = 0, middle = out->len;
    for (size_t i = 0; i < n; i++) set += v[i];
    bool rare = set < n - set;
    uint8_t *gaps = planes_room(c, n);
    size_t size = list_gaps(v, n, rare, gaps);
    buf_byte(out, BITS_GAPS);
    buf_byte(out, rare);
    buf_u32le(out, (uint32_t)size);
    compress_bytes(c, (Str){(char *)gaps, size}, true, out);
    size_t shorter = out->len - middle;
    if (shorter < middle - start)
        memmove(out->ptr + start, out->ptr + middle, shorter);
    else
        shorter = middle - start;
    out->len = start + shorter;
}

void compress_bits(struct compress *c, const bool *v, size_t n, bool cold, struct buf *out) {
    if (n == 0) return;
    size_t size = (n + 7) / 8, start = out->len;
    uint8_t *bytes = planes_room(c, size);
    memset(bytes, 0, size);
    for (size_t i = 0; i < n; i++) bytes[i / 8] = (uint8_t)(bytes[i / 8] | (v[i] ? 1u << i % 8 : 0));
    compress_bytes(c, (Str){(char *)bytes, size}, cold, out);
    if (cold && n >= PLANES_MIN) try_gaps(c, v, n, start, out);
}

/* Bits [from, to) of the words. */
static void set_range(uint64_t *words, size_t from, size_t to) {
    while (from < to) {
        size_t bit = from % 64, some = to - from < 64 - bit ? to - from : 64 - bit;
        words[from / 64] |= (some == 64 ? UINT64_MAX : ((UINT64_C(1) << some) - 1)) << bit;
        from += some;
    }
}

static bool read_gaps(struct compress *c, Str bytes, uint64_t *words, size_t n) {
    uint32_t size;
    if (bytes.len < 5 || (uint8_t)bytes.ptr[0] > 1) return false;
    bool rare = bytes.ptr[0];
    memcpy(&size, bytes.ptr + 1, 4);
    buf_clear(&c->planes);
    if (size > n || !compress_read_bytes(c, str_slice(bytes, 5, bytes.len), size, &c->planes)) return false;
    if (c->planes.len != size) return false;
    memset(words, 0, (n + 63) / 64 * 8);
    if (!rare) set_range(words, 0, n);
    size_t at = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t gap = (uint8_t)c->planes.ptr[i];
        if (gap > n - at || (gap < 255 && gap == n - at)) return false;
        at += gap;
        if (gap == 255) continue;
        words[at / 64] ^= UINT64_C(1) << at % 64;
        at++;
    }
    return true;
}

bool compress_read_bit_words(struct compress *c, Str bytes, uint64_t *words, size_t n) {
    if (n == 0) return bytes.len == 0;
    size_t size = (n + 7) / 8;
    if (bytes.len && bytes.ptr[0] == BITS_GAPS) return read_gaps(c, str_slice(bytes, 1, bytes.len), words, n);
    buf_clear(&c->planes);
    if (!compress_read_bytes(c, bytes, size, &c->planes) || c->planes.len != size) return false;
    words[(n - 1) / 64] = 0;
    memcpy(words, c->planes.ptr, size);
    if (n % 64) words[n / 64] &= (UINT64_C(1) << n % 64) - 1;
    return true;
}

/* Eight bits as eight bytes of 0 or 1. */
static uint64_t spread_bits(unsigned eight) {
    uint64_t each = (eight * UINT64_C(0x0101010101010101)) & UINT64_C(0x8040201008040201);
    return (each + UINT64_C(0x7f7f7f7f7f7f7f7f)) >> 7 & UINT64_C(0x0101010101010101);
}

bool compress_read_bits(struct compress *c, Str bytes, bool *v, size_t n) {
    uint64_t *words = words_of(c, (n + 63) / 64), bools;
    size_t i = 0;
    if (n > COMPRESS_VALUES_MAX || !compress_read_bit_words(c, bytes, words, n)) return false;
    for (; i + 8 <= n; i += 8) {
        bools = spread_bits((unsigned)(words[i / 64] >> i % 64 & 0xff));
        memcpy(v + i, &bools, 8);
    }
    for (; i < n; i++) v[i] = words[i / 64] >> i % 64 & 1;
    return true;
}
