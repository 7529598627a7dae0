/*
 * A column of integers begins with: u8 form (difference 1 | planes 2 | split 4 | tens << 3), u8 width in bits, then as
 * 8 bytes each the least residue and, for differences, the first value. Times are mostly multiples of a large unit of
 * ten, so the widest unit that divides all residues is taken out and stands as a power of ten in the form's high bits.
 *
 * Differences wrap around modulo 2^64, which makes every int64 series possible; the reader wraps back.
 */
#include "kernel/compress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/zst.h"
#include "kernel/bitpack.h"
#include "kernel/codec_lanes.h"
#include "kernel/compress_split.h"

#define COLD_LEVEL 3
#define PLANES_MIN 32 /* values; below, a zstd frame costs more than it saves */

/* Forms of a column; a column of integers also holds a power of ten in its form's upper half. */
enum { INTS_DIFFERENCES = 1, INTS_PLANES = 2, INTS_SPLIT = 4 };
enum { FLOATS_DECIMAL, FLOATS_RAW, FLOATS_XOR_PLANES };
enum { BYTES_RAW, BYTES_ZSTD, BITS_GAPS };

struct compress {
    struct zst *zstd;
    enum codec_isa isa;
    const struct codec_lanes *lanes;
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
}

void compress_free(struct compress *c) {
    if (!c) return;
    zst_free(c->zstd);
    buf_fini(&c->planes);
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

void compress_ints(struct compress *c, const int64_t *v, size_t n, bool cold, struct buf *out) {
    if (n == 0) return;
    struct spread plain = {v[0], v[0]}, steps = {INT64_MAX, INT64_MIN};
    for (size_t i = 1; i < n; i++) {
        widen(&plain, v[i]);
        widen(&steps, difference(v, i));
    }
    unsigned plain_width = spread_width(&plain), step_width = n > 1 ? spread_width(&steps) : 64;
    size_t start = out->len;
    bool differences = step_width < plain_width;
    put_residues(c, v, n, differences, differences ? steps.least : plain.least, differences ? step_width : plain_width,
                 cold, out);
    if (!cold || n < PLANES_MIN || plain_width == 0 || step_width == 0) return;
    /* The wider of the two may still have the lower entropy: try it, and keep the shorter. */
    size_t middle = out->len;
    differences = !differences;
    put_residues(c, v, n, differences, differences ? steps.least : plain.least, differences ? step_width : plain_width,
                 cold, out);
    size_t first = middle - start, second = out->len - middle;
    if (second < first) memmove(out->ptr + start, out->ptr + middle, second);
    out->len = start + (second < first ? second : first);
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

bool compress_read_ints(struct compress *c, Str bytes, int64_t *v, size_t n) {
    if (n == 0) return bytes.len == 0;
    struct ints_head h;
    if (n > COMPRESS_VALUES_MAX || !read_head(&bytes, &h)) return false;
    bool differences = h.form & INTS_DIFFERENCES;
    uint64_t *words = words_of(c, n), unit = (uint64_t)ten_to[h.tens], least = (uint64_t)h.least;
    if (!read_words(c, bytes, &h, differences ? n - 1 : n, words)) return false;
    if (differences)
        c->lanes->sum(words, n, unit, least, (uint64_t)h.first, v);
    else
        c->lanes->scale(words, n, unit, least, v);
    return true;
}

/* ---- floats */

#define DECIMALS_MAX 15
#define SAMPLE 32
#define MANTISSA_LIMIT 9007199254740992.0 /* 2^53 */

static bool same_bits(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* Whether v is m / 10^e, bit for bit. */
static bool as_decimal(double v, unsigned e, int64_t *m) {
    double scaled = v * (double)ten_to[e];
    if (!(scaled > -MANTISSA_LIMIT && scaled < MANTISSA_LIMIT)) return false;
    *m = llrint(scaled);
    return same_bits((double)*m / (double)ten_to[e], v);
}

/* The smallest power that fits the most of a few values spread over the column. */
static unsigned choose_decimals(const double *v, size_t n) {
    size_t step = n > SAMPLE ? n / SAMPLE : 1;
    unsigned best = 0;
    size_t best_fits = 0;
    for (unsigned e = 0; e <= DECIMALS_MAX; e++) {
        size_t fits = 0, looked = 0;
        int64_t m;
        for (size_t i = 0; i < n; i += step, looked++) fits += as_decimal(v[i], e, &m);
        if (fits > best_fits) best = e, best_fits = fits;
        if (fits == looked) break;
    }
    return best;
}

/* Appends the exceptions (u32 index, 8 bytes) and leaves the mantissas in scratch; false: more than one in 16. */
static bool to_decimals(struct compress *c, const double *v, size_t n, unsigned e, struct buf *exceptions) {
    int64_t *m = ints_of(c, n), last = 0;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        if (as_decimal(v[i], e, &m[i])) {
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

static void put_raw(struct compress *c, const double *v, size_t n, bool cold, struct buf *out) {
    size_t start = out->len;
    buf_byte(out, FLOATS_XOR_PLANES);
    if (cold && n >= PLANES_MIN) {
        uint64_t *words = words_of(c, n), last = 0, bits;
        for (size_t i = 0; i < n; i++) {
            memcpy(&bits, &v[i], 8);
            words[i] = bits ^ last;
            last = bits;
        }
        if (write_planes(c, words, n, 8, 8 * n, out)) return;
    }
    out->ptr[start] = FLOATS_RAW;
    buf_add(out, v, n * 8);
}

void compress_floats(struct compress *c, const double *v, size_t n, bool cold, struct buf *out) {
    if (n == 0) return;
    unsigned e = choose_decimals(v, n);
    size_t start = out->len;
    buf_byte(out, FLOATS_DECIMAL);
    buf_byte(out, (uint8_t)e);
    buf_u32le(out, 0); /* bytes of exceptions */
    size_t from = out->len;
    if (to_decimals(c, v, n, e, out)) {
        uint32_t size = (uint32_t)(out->len - from);
        memcpy(out->ptr + from - 4, &size, 4);
        compress_ints(c, c->ints, n, cold, out);
        if (out->len - start < 8 * n + 1) return;
    }
    out->len = start;
    put_raw(c, v, n, cold, out);
}

static bool read_decimals(struct compress *c, Str bytes, double *v, size_t n) {
    uint32_t size, i;
    if (bytes.len < 5 || (uint8_t)bytes.ptr[0] > DECIMALS_MAX) return false;
    double unit = (double)ten_to[(uint8_t)bytes.ptr[0]];
    memcpy(&size, bytes.ptr + 1, 4);
    if (size > bytes.len - 5 || size % 12) return false;
    int64_t *m = ints_of(c, n);
    if (!compress_read_ints(c, str_slice(bytes, 5 + size, bytes.len), m, n)) return false;
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

bool compress_read_floats(struct compress *c, Str bytes, double *v, size_t n) {
    if (n == 0) return bytes.len == 0;
    if (bytes.len == 0 || n > COMPRESS_VALUES_MAX) return false;
    Str rest = str_slice(bytes, 1, bytes.len);
    switch (bytes.ptr[0]) {
    case FLOATS_DECIMAL: return read_decimals(c, rest, v, n);
    case FLOATS_XOR_PLANES: return read_xor(c, rest, v, n);
    case FLOATS_RAW:
        if (rest.len != n * 8) return false;
        memcpy(v, rest.ptr, rest.len);
        return true;
    default: return false;
    }
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
