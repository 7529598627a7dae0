#include "kernel/codec_real.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "kernel/bitpack.h"
#include "kernel/codec_fronts.h"

enum { DECIMAL, BITS, FRONTS, RAW, KIND_MASK = 3, SINGLE = 4, WITH_EXCEPTIONS = 8 };

#define SAMPLE 32u
#define FEW_FITS 20u     /* of 32; below, decimals are not tried */
#define GOOD_DECIMAL 30u /* bits a value; above, the other forms are tried too */
#define GOOD_SINGLE 16u
#define MANTISSA_LIMIT 9007199254740992.0 /* 2^53 */

static const double powers[CODEC_REAL_POWER_MAX + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                        1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                        1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double codec_real_power(unsigned power) { return powers[power]; }

static uint64_t bits_of(double v) {
    uint64_t bits;
    memcpy(&bits, &v, 8);
    return bits;
}

bool codec_real_decimal(double v, unsigned power, bool single, int64_t *m) {
    double scaled = v * powers[power];
    if (!(scaled > -MANTISSA_LIMIT && scaled < MANTISSA_LIMIT)) return false;
    *m = llrint(scaled);
    double back = (double)*m / powers[power];
    return bits_of(single ? (double)(float)back : back) == bits_of(v);
}

/* ---- choosing */

static unsigned count_fits(const double *v, size_t n, unsigned power, bool single) {
    unsigned fits = 0;
    int64_t m;
    for (size_t i = 0; i < SAMPLE; i++) fits += codec_real_decimal(v[i * n / SAMPLE], power, single, &m);
    return fits;
}

static unsigned choose_power(const double *v, size_t n, bool single, unsigned *power) {
    unsigned best = 0;
    for (unsigned e = 0; e <= CODEC_REAL_POWER_MAX && best < SAMPLE; e++) {
        unsigned fits = count_fits(v, n, e, single);
        if (fits > best) best = fits, *power = e;
    }
    return best;
}

static bool look_single(const double *v, size_t n) {
    for (size_t i = 0; i < SAMPLE; i++)
        if (bits_of(v[i * n / SAMPLE]) & 0x1fffffff) return false;
    return true;
}

unsigned codec_real_choose(const double *v, size_t n, unsigned *power, bool *single) {
    unsigned other = 0, fits;
    *power = 0, *single = false;
    fits = choose_power(v, n, false, power);
    if (fits == SAMPLE && *power < 8) return fits;
    if (look_single(v, n)) {
        unsigned more = choose_power(v, n, true, &other);
        if (more >= fits && (fits < SAMPLE || other < *power)) *power = other, *single = true, fits = more;
    }
    return fits;
}

/* ---- writing */

static void put_decimals(struct codec_work *w, const double *v, size_t n, unsigned power, bool single,
                         struct buf *out) {
    uint16_t places[CODEC_BLOCK], count = 0;
    int64_t *m = w->ints, last = 0;
    for (size_t i = 0; i < n; i++) {
        if (codec_real_decimal(v[i], power, single, &m[i])) {
            last = m[i];
            continue;
        }
        m[i] = last; /* costs nothing in the stream */
        places[count++] = (uint16_t)i;
    }
    for (size_t k = count; k-- > 0;) /* those at the beginning have none before them */
        if (places[k] == k && k + 1 < n) m[k] = m[k + 1];
    buf_byte(out, (uint8_t)(DECIMAL | (single ? SINGLE : 0) | (count ? WITH_EXCEPTIONS : 0)));
    buf_byte(out, (uint8_t)power);
    if (count) {
        buf_u16le(out, count);
        for (size_t k = 0; k < count; k++) buf_u16le(out, places[k]);
        for (size_t k = 0; k < count; k++) buf_add(out, &v[places[k]], 8);
    }
    codec_block_write(w, m, n, out);
}

static unsigned common_shift(const double *v, size_t n) {
    uint64_t any = 0;
    for (size_t i = 0; i < n; i++) any |= bits_of(v[i]);
    return any ? (unsigned)__builtin_ctzll(any) : 0;
}

static void put_bits(struct codec_work *w, const double *v, size_t n, unsigned shift, struct buf *out) {
    for (size_t i = 0; i < n; i++) w->ints[i] = (int64_t)(bits_of(v[i]) >> shift);
    buf_byte(out, BITS);
    buf_byte(out, (uint8_t)shift);
    codec_block_write(w, w->ints, n, out);
}

/* Keeps the shorter of what stands from start to middle and from middle on. */
static void keep_shorter(struct buf *out, size_t start, size_t middle) {
    size_t first = middle - start, second = out->len - middle;
    if (first > 0 && first <= second) {
        out->len = middle;
        return;
    }
    memmove(out->ptr + start, out->ptr + middle, second);
    out->len = start + second;
}

void codec_real_write(struct codec_work *w, const double *v, size_t n, struct buf *out) {
    unsigned power;
    bool single;
    size_t start = out->len, middle;
    ASSERT(n >= 1 && n <= CODEC_BLOCK);
    unsigned fits = codec_real_choose(v, n, &power, &single);
    if (fits >= FEW_FITS) {
        put_decimals(w, v, n, power, single, out);
        if (out->len - start <= 4 + n * (single ? GOOD_SINGLE : GOOD_DECIMAL) / 8) return;
    }
    unsigned shift = common_shift(v, n);
    middle = out->len;
    put_bits(w, v, n, shift, out);
    keep_shorter(out, start, middle);
    middle = out->len;
    buf_byte(out, FRONTS);
    if (codec_fronts_write(w, v, n, shift, middle, out))
        keep_shorter(out, start, middle);
    else
        out->len = middle;
    if (out->len - start <= 1 + n * 8) return;
    out->len = start;
    buf_byte(out, RAW);
    buf_add(out, v, n * 8);
}

/* ---- reading */

static bool read_decimals(struct codec_work *w, struct codec_in *in, unsigned form, double *v, size_t n) {
    unsigned power, low = 0, high = 0;
    if (!codec_block_byte(in, &power) || power > CODEC_REAL_POWER_MAX) return false;
    const uint8_t *places = NULL, *wrong = NULL;
    size_t count = 0;
    if (form & WITH_EXCEPTIONS) {
        if (!codec_block_byte(in, &low) || !codec_block_byte(in, &high)) return false;
        count = low | high << 8;
        if ((size_t)(in->end - in->at) < count * 10) return false;
        places = in->at, wrong = places + 2 * count;
        in->at += count * 10;
    }
    if (!codec_block_read(w, in, w->ints, n)) return false;
    if (form & SINGLE)
        w->lanes->singles(w->ints, n, powers[power], v);
    else
        w->lanes->decimals(w->ints, n, powers[power], v);
    for (size_t k = 0; k < count; k++) {
        size_t at = (size_t)places[2 * k] | (size_t)places[2 * k + 1] << 8;
        if (at >= n) return false;
        memcpy(&v[at], wrong + 8 * k, 8);
    }
    return true;
}

static bool read_bits(struct codec_work *w, struct codec_in *in, double *v, size_t n) {
    unsigned shift;
    if (!codec_block_byte(in, &shift) || shift > 63 || !codec_block_read(w, in, w->ints, n)) return false;
    w->lanes->doubles((const uint64_t *)w->ints, n, shift, NULL, v);
    return true;
}

bool codec_real_read(struct codec_work *w, struct codec_in *in, double *v, size_t n) {
    unsigned form;
    if (n == 0 || n > CODEC_BLOCK || !codec_block_byte(in, &form)) return false;
    switch (form & KIND_MASK) {
    case DECIMAL: return read_decimals(w, in, form, v, n);
    case BITS: return read_bits(w, in, v, n);
    case FRONTS: return codec_fronts_read(w, in, form & WITH_EXCEPTIONS, v, n);
    default:
        if ((size_t)(in->end - in->at) < n * 8) return false;
        memcpy(v, in->at, n * 8);
        in->at += n * 8;
        return true;
    }
}
