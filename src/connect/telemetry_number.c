#include "connect/telemetry_number.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define EXACT (UINT64_C(1) << 53) /* integers up to here are doubles */
#define DIGITS_MAX 19             /* of a uint64_t without overflow */
#define EXPONENT_MAX 100000       /* any larger one gives 0 or an overflow just the same */

/* Powers of ten that are exact doubles. */
static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

struct decimal {
    const char *from;
    bool negative, integer, inexact; /* inexact: digits beyond the 19 that mantissa holds */
    uint64_t mantissa;
    int digits, exponent; /* value = mantissa · 10^exponent when not inexact */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static const char *take_digits(const char *at, const char *end, struct decimal *d, bool fraction) {
    for (; at < end && is_digit(*at); at++) {
        if (d->digits < DIGITS_MAX) {
            d->mantissa = d->mantissa * 10 + (uint64_t)(*at - '0');
            if (d->mantissa) d->digits++; /* leading zeros cost nothing */
            if (fraction) d->exponent--;
        } else {
            d->inexact = true;
            if (!fraction) d->exponent++;
        }
    }
    return at;
}

static const char *take_exponent(const char *at, const char *end, struct decimal *d) {
    bool negative = false;
    int e = 0;
    if (++at < end && (*at == '+' || *at == '-')) negative = *at++ == '-';
    if (at == end || !is_digit(*at)) return NULL;
    for (; at < end && is_digit(*at); at++)
        if (e < EXPONENT_MAX) e = e * 10 + (*at - '0');
    d->exponent += negative ? -e : e;
    d->integer = false;
    return at;
}

static const char *take_decimal(const char *at, const char *end, struct decimal *d) {
    *d = (struct decimal){.from = at, .integer = true};
    if (at < end && *at == '-') d->negative = true, at++;
    if (at == end || !is_digit(*at)) return NULL;
    if (*at == '0') {
        at++;
        if (at < end && is_digit(*at)) return NULL;
    } else {
        at = take_digits(at, end, d, false);
    }
    if (at < end && *at == '.') {
        const char *first = ++at;
        at = take_digits(at, end, d, true);
        if (at == first) return NULL;
        d->integer = false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) at = take_exponent(at, end, d);
    return at;
}

#if LDBL_MANT_DIG == 64
/*
 * A mantissa of 64 bits and a power of ten up to 10^27 are exact in the extended format, so their product or quotient
 * is within half a unit of its last place. Rounding that again to a double is right unless it lies at the middle
 * between two doubles, or so near that the first rounding may have moved it there; then false.
 */
static bool extended(const struct decimal *d, double *out) {
    static const long double tens[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                       1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                       1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (d->inexact || d->mantissa == 0 || d->exponent < -27 || d->exponent > 27) return false;
    long double v = (long double)d->mantissa;
    v = d->exponent < 0 ? v / tens[-d->exponent] : v * tens[d->exponent];
    uint64_t bits; /* the format keeps its 64 bits of mantissa first */
    memcpy(&bits, &v, sizeof bits);
    uint64_t below = bits & 0x7FF; /* the 11 bits that a double has no room for */
    if (below >= 0x3FF && below <= 0x401) return false;
    *out = d->negative ? (double)-v : (double)v;
    return true;
}
#else
static bool extended(const struct decimal *d, double *out) {
    (void)d;
    (void)out;
    return false;
}
#endif

/*
 * Clinger's fast path: a mantissa and a power of ten that are both exact doubles need one rounding. What neither that
 * nor the extended format settles goes to strtod, which is correctly rounded in the C locale; it stops at the character
 * behind the number, which the caller made sure is there.
 */
static double to_double(const struct decimal *d) {
    double v;
    if (!d->inexact && d->mantissa <= EXACT && d->exponent >= -22 && d->exponent <= 22) {
        v = (double)d->mantissa;
        v = d->exponent < 0 ? v / powers[-d->exponent] : v * powers[d->exponent];
        return d->negative ? -v : v;
    }
    if (d->mantissa == 0) return d->negative ? -0.0 : 0.0;
    return extended(d, &v) ? v : strtod(d->from, NULL);
}

const char *telemetry_number_parse(const char *at, const char *end, Value *out) {
    struct decimal d;
    const char *next = take_decimal(at, end, &d);
    if (!next || next == end) return NULL;
    uint64_t most = (uint64_t)INT64_MAX + d.negative;
    if (d.integer && !d.inexact && d.mantissa <= most) {
        *out = VALUE_I(d.negative ? (int64_t)(0 - d.mantissa) : (int64_t)d.mantissa);
        return next;
    }
    *out = VALUE_F(to_double(&d));
    if (!isfinite(out->f)) out->kind = VALUE_NONE;
    return next;
}

bool telemetry_number_millis(Str text, Nanos *out) {
    struct decimal d;
    const char *end = text.ptr + text.len;
    if (text.len == 0 || take_decimal(text.ptr, end, &d) != end || d.inexact) return false;
    if (d.exponent < -6 || (d.integer ? d.exponent != 0 : d.exponent >= 0)) return false;
    uint64_t v = d.mantissa, scale = 1;
    for (int i = d.exponent + 6; i > 0; i--) scale *= 10;
    if (v > (uint64_t)INT64_MAX / scale) return false;
    Nanos t = (Nanos)(v * scale);
    *out = d.negative ? -t : t;
    return true;
}
