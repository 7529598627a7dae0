#include "kernel/codec_block.h"

#include <string.h>

#include "base/err.h"
#include "kernel/bitpack.h"

enum { CONSTANT, FRAME, STEPS, RUNS, FORM_MASK = 7, WITH_UNIT = 8, WITH_PATCHES = 16 };

#define PATCHES_MAX 256u
#define PLACE_BITS 10u
#define SAMPLE 31u /* numbers whose median stands for the block's */
#define RUN_MIN 3u /* values a run, on average, for runs to be tried */

/* ---- small things */

static uint64_t zigzag(uint64_t v) { return v << 1 ^ (v >> 63 ? UINT64_MAX : 0); }
static uint64_t unzigzag(uint64_t z) { return z >> 1 ^ (z & 1 ? UINT64_MAX : 0); }

void codec_block_put_signed(struct buf *out, int64_t v) { buf_varint(out, zigzag((uint64_t)v)); }

void codec_block_put_words(struct buf *out, const uint64_t *words, size_t n, unsigned width) {
    buf_reserve(out, bitpack_bytes(n, width) + 8);
    bitpack_write(words, n, width, (uint8_t *)out->ptr + out->len);
    out->len += bitpack_bytes(n, width);
}

bool codec_block_byte(struct codec_in *in, unsigned *out) {
    if (in->at >= in->end) return false;
    *out = *in->at++;
    return true;
}

bool codec_block_varint(struct codec_in *in, uint64_t *out) {
    unsigned byte, shift = 0;
    *out = 0;
    do {
        if (shift > 63 || !codec_block_byte(in, &byte)) return false;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return true;
}

bool codec_block_signed(struct codec_in *in, int64_t *out) {
    uint64_t z;
    if (!codec_block_varint(in, &z)) return false;
    *out = (int64_t)unzigzag(z);
    return true;
}

bool codec_block_words(enum codec_isa isa, struct codec_in *in, size_t n, unsigned width, uint64_t *out) {
    size_t size = bitpack_bytes(n, width);
    if (width > 64 || (size_t)(in->end - in->at) < size) return false;
    bitpack_read(isa, in->at, (size_t)(in->limit - in->at), n, width, out);
    in->at += size;
    return true;
}

/* ---- choosing */

/* How words would be packed: less `base`, in `width` bits, all but a few. */
struct plan {
    uint64_t base;
    unsigned width;
    size_t patches;
    size_t bits; /* what it costs, but for the head */
};

static int64_t median_of_some(const uint64_t *x, size_t n) {
    int64_t some[SAMPLE] = {0};
    size_t count = n < SAMPLE ? n : SAMPLE;
    for (size_t i = 0; i < count; i++) {
        int64_t v = (int64_t)x[i * n / count];
        size_t k = i;
        for (; k > 0 && some[k - 1] > v; k--) some[k] = some[k - 1];
        some[k] = v;
    }
    return some[count / 2];
}

/* The cheapest width when need[w] words need just w bits, and a patch has patch_width. */
static void choose_width(const uint32_t need[65], size_t n, unsigned patch_width, struct plan *p) {
    size_t over = 0;
    p->bits = SIZE_MAX;
    for (unsigned w = 65; w-- > 0;) {
        if (over > PATCHES_MAX) break;
        size_t bits = n * w + (over ? over * (PLACE_BITS + patch_width) + 32 : 0);
        if (bits < p->bits) p->bits = bits, p->width = w, p->patches = over;
        over += need[w];
    }
}

/* From the least on upwards. */
static struct plan plan_from_least(const uint64_t *x, size_t n) {
    int64_t least = (int64_t)x[0];
    uint32_t need[65] = {0};
    struct plan p;
    for (size_t i = 1; i < n; i++) least = (int64_t)x[i] < least ? (int64_t)x[i] : least;
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t r = x[i] - (uint64_t)least;
        most |= r;
        need[bitpack_width(r)]++;
    }
    choose_width(need, n, bitpack_width(most) < 64 ? bitpack_width(most) + 1 : 64, &p);
    p.base = (uint64_t)least;
    return p;
}

/* Around the middle: for what has far ones on both sides. */
static struct plan plan_around(const uint64_t *x, size_t n) {
    int64_t middle = median_of_some(x, n);
    uint32_t need[65] = {0};
    unsigned widest = 0;
    struct plan p;
    for (size_t i = 0; i < n; i++) {
        uint64_t d = x[i] - (uint64_t)middle;
        unsigned w = d ? bitpack_width((int64_t)d < 0 ? ~d : d) + 1 : 0;
        need[w]++;
        if (w > widest) widest = w;
    }
    choose_width(need, n, widest < 64 ? widest + 1 : 64, &p);
    p.base = (uint64_t)middle - (p.width ? UINT64_C(1) << (p.width - 1) : 0);
    return p;
}

static struct plan plan_words(const uint64_t *x, size_t n) {
    struct plan a = plan_from_least(x, n);
    if (n < 16 || a.width == 0) return a;
    struct plan b = plan_around(x, n);
    return b.bits < a.bits ? b : a;
}

/* ---- writing */

static bool fits(uint64_t residue, unsigned width) { return width == 64 || residue >> width == 0; }

static void put_patches(struct buf *out, const uint64_t *residues, size_t n, unsigned width, uint64_t *places,
                        uint64_t *highs) {
    size_t count = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < n; i++) {
        if (fits(residues[i], width)) continue;
        places[count] = i;
        highs[count] = zigzag(residues[i]);
        most |= highs[count++];
    }
    ASSERT(count > 0 && count <= PATCHES_MAX);
    buf_byte(out, (uint8_t)(count - 1));
    buf_byte(out, (uint8_t)bitpack_width(most));
    codec_block_put_words(out, places, count, PLACE_BITS);
    codec_block_put_words(out, highs, count, bitpack_width(most));
}

static void put_residues(const uint64_t *x, size_t n, const struct plan *p, struct buf *out) {
    uint64_t residues[CODEC_BLOCK], places[PATCHES_MAX], highs[PATCHES_MAX];
    for (size_t i = 0; i < n; i++) residues[i] = x[i] - p->base;
    codec_block_put_signed(out, (int64_t)p->base);
    buf_byte(out, (uint8_t)p->width);
    if (p->patches) {
        put_patches(out, residues, n, p->width, places, highs);
        for (size_t i = 0; i < n; i++)
            if (!fits(residues[i], p->width)) residues[i] = 0;
    }
    codec_block_put_words(out, residues, n, p->width);
}

/* The largest number that divides all distances from the first. */
static uint64_t common_unit(const int64_t *v, size_t n) {
    uint64_t unit = 0;
    for (size_t i = 1; i < n && unit != 1; i++) {
        uint64_t a = v[i] > v[0] ? (uint64_t)v[i] - (uint64_t)v[0] : (uint64_t)v[0] - (uint64_t)v[i], b = unit;
        if (a == b) continue;
        while (b) {
            uint64_t t = a % b;
            a = b, b = t;
        }
        unit = a;
    }
    return unit;
}

static size_t count_runs(const int64_t *v, size_t n) {
    size_t runs = 1;
    for (size_t i = 1; i < n; i++) runs += v[i] != v[i - 1];
    return runs;
}

/* Values by themselves or their differences, whichever is less. Returns how long it will be, about. */
static void put_words(const uint64_t *x, size_t n, unsigned flags, struct buf *out) {
    uint64_t steps[CODEC_BLOCK];
    for (size_t i = 1; i < n; i++) steps[i - 1] = x[i] - x[i - 1];
    struct plan plain = plan_words(x, n), step = plain;
    bool differences = n > 2;
    if (differences) step = plan_words(steps, n - 1);
    differences = differences && step.bits + 16 < plain.bits;
    const struct plan *p = differences ? &step : &plain;
    out->ptr[flags] = (char)(out->ptr[flags] | (differences ? STEPS : FRAME) | (p->patches ? WITH_PATCHES : 0));
    if (differences) codec_block_put_signed(out, (int64_t)x[0]);
    put_residues(differences ? steps : x, differences ? n - 1 : n, p, out);
}

static void put_plain(const int64_t *v, size_t n, uint64_t unit, struct buf *out) {
    uint64_t x[CODEC_BLOCK];
    x[0] = (uint64_t)v[0];
    size_t form = out->len;
    buf_byte(out, unit > 1 ? WITH_UNIT : 0);
    if (unit > 1) {
        /* Distances from the first, as signed as they are: v - v[0] may wrap, and wraps back when it is read. */
        codec_block_put_signed(out, v[0]);
        buf_varint(out, unit);
        for (size_t i = 0; i < n; i++) {
            bool below = v[i] < v[0];
            uint64_t d = below ? (uint64_t)v[0] - (uint64_t)v[i] : (uint64_t)v[i] - (uint64_t)v[0];
            x[i] = below ? 0 - d / unit : d / unit;
        }
    } else {
        memcpy(x, v, n * sizeof *x);
    }
    put_words(x, n, (unsigned)form, out);
}

static void put_runs(struct codec_work *w, const int64_t *v, size_t n, size_t runs, struct buf *out) {
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && v[i] == v[i - 1]) {
            w->lengths[at - 1]++;
            continue;
        }
        w->values[at] = v[i];
        w->lengths[at++] = 1;
    }
    ASSERT(at == runs);
    buf_byte(out, RUNS);
    buf_varint(out, runs);
    uint64_t unit = common_unit(w->values, runs);
    put_plain(w->values, runs, unit, out);
    put_plain(w->lengths, runs, 1, out);
}

void codec_block_write(struct codec_work *w, const int64_t *v, size_t n, struct buf *out) {
    size_t start = out->len, runs = count_runs(v, n);
    ASSERT(n >= 1 && n <= CODEC_BLOCK);
    if (runs == 1) {
        buf_byte(out, CONSTANT);
        codec_block_put_signed(out, v[0]);
        return;
    }
    put_plain(v, n, common_unit(v, n), out);
    if (runs * RUN_MIN > n) return;
    size_t middle = out->len;
    put_runs(w, v, n, runs, out);
    size_t first = middle - start, second = out->len - middle;
    if (second < first) memmove(out->ptr + start, out->ptr + middle, second);
    out->len = start + (second < first ? second : first);
}

/* ---- reading */

/* The patches, before the words that they are put over. */
struct patches {
    unsigned count, width;
    uint64_t places[PATCHES_MAX], highs[PATCHES_MAX];
};

static bool read_patches(enum codec_isa isa, struct codec_in *in, struct patches *p) {
    if (!codec_block_byte(in, &p->count) || !codec_block_byte(in, &p->width)) return false;
    p->count++;
    return codec_block_words(isa, in, p->count, PLACE_BITS, p->places) &&
           codec_block_words(isa, in, p->count, p->width, p->highs);
}

static bool read_residues(struct codec_work *w, struct codec_in *in, bool patched, size_t n, int64_t *base) {
    struct patches p;
    unsigned width;
    p.count = 0;
    if (!codec_block_signed(in, base) || !codec_block_byte(in, &width)) return false;
    if (patched && !read_patches(w->isa, in, &p)) return false;
    if (!codec_block_words(w->isa, in, n, width, w->words)) return false;
    for (unsigned i = 0; i < p.count; i++) {
        if (p.places[i] >= n) return false;
        w->words[p.places[i]] = unzigzag(p.highs[i]);
    }
    return true;
}

static bool read_runs(struct codec_work *w, struct codec_in *in, int64_t *v, size_t n, size_t *count) {
    uint64_t runs;
    if (!codec_block_varint(in, &runs) || runs == 0 || runs > n) return false;
    *count = (size_t)runs;
    if (in->at >= in->end || (*in->at & FORM_MASK) == RUNS || !codec_block_read(w, in, w->values, *count)) return false;
    if (in->at >= in->end || (*in->at & FORM_MASK) == RUNS || !codec_block_read(w, in, w->lengths, *count))
        return false;
    size_t at = 0;
    for (size_t i = 0; i < *count; i++) {
        if (w->lengths[i] < 1 || (uint64_t)w->lengths[i] > n - at) return false;
        for (size_t k = 0; k < (size_t)w->lengths[i]; k++) v[at + k] = w->values[i];
        at += (size_t)w->lengths[i];
    }
    return at == n;
}

static bool read_form(struct codec_work *w, struct codec_in *in, unsigned form, int64_t *v, size_t n) {
    int64_t base, first = 0;
    size_t count;
    bool patched = form & WITH_PATCHES;
    switch (form & FORM_MASK) {
    case CONSTANT:
        if (!codec_block_signed(in, &base)) return false;
        for (size_t i = 0; i < n; i++) v[i] = base;
        return true;
    case FRAME:
        if (!read_residues(w, in, patched, n, &base)) return false;
        w->lanes->scale(w->words, n, 1, (uint64_t)base, v);
        return true;
    case STEPS:
        if (!codec_block_signed(in, &first) || !read_residues(w, in, patched, n - 1, &base)) return false;
        w->lanes->sum(w->words, n, 1, (uint64_t)base, (uint64_t)first, v);
        return true;
    case RUNS: return read_runs(w, in, v, n, &count);
    default: return false;
    }
}

bool codec_block_read(struct codec_work *w, struct codec_in *in, int64_t *v, size_t n) {
    unsigned form;
    int64_t offset = 0;
    uint64_t unit = 1;
    if (n == 0 || n > CODEC_BLOCK || !codec_block_byte(in, &form)) return false;
    if ((form & WITH_UNIT) && (!codec_block_signed(in, &offset) || !codec_block_varint(in, &unit))) return false;
    if (!read_form(w, in, form, v, n)) return false;
    if (form & WITH_UNIT) w->lanes->scale((const uint64_t *)v, n, unit, (uint64_t)offset, v);
    return true;
}
