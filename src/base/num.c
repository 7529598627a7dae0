#include "base/num.h"

#include <math.h>
#include <string.h>

#include "base/err.h"

/* Below this every decimal of so many digits (15) has a double of its own. */
#define EXACT_MAX 1e15
#define SCALE_MAX 18 /* 10^18 is the largest power of ten in an int64 */

static const double small_powers[] = {1e0, 1e1, 1e2, 1e3, 1e4};
#define FEW_DECIMALS ((unsigned)(sizeof small_powers / sizeof *small_powers) - 1)

__extension__ typedef unsigned __int128 Wide;

/* Digits of v at out, at least width of them with leading zeros; returns their end. */
static char *put_digits(char *out, uint64_t v, unsigned width) {
    char reversed[20];
    unsigned n = 0;
    do reversed[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (width > n) *out++ = '0', width--;
    while (n) *out++ = reversed[--n];
    return out;
}

static char *put_fixed(char *out, bool negative, uint64_t unscaled, unsigned scale) {
    uint64_t power = 1;
    for (unsigned i = 0; i < scale; i++) power *= 10;
    if (negative) *out++ = '-';
    out = put_digits(out, unscaled / power, 1);
    if (scale) *out++ = '.', out = put_digits(out, unscaled % power, scale);
    return out;
}

/*
 * v as few decimals, which telemetry mostly is. n < 10^15 and 10^scale are exact doubles, so n / 10^scale is rounded
 * once, as reading the text would be: if it equals v the text reads back as v, and no other text of so few digits does.
 */
static char *format_few_decimals(double v, char *out) {
    double size = fabs(v);
    for (unsigned scale = 0; scale <= FEW_DECIMALS; scale++) {
        double shifted = size * small_powers[scale];
        if (shifted >= EXACT_MAX) return NULL;
        uint64_t n = (uint64_t)(shifted + 0.5);
        if ((double)n / small_powers[scale] == size) return put_fixed(out, signbit(v), n, scale);
    }
    return NULL;
}

/* ---- any double: Schubfach (R. Giulietti, "The Schubfach way to render doubles", 2020) */

#define POWER_MIN (-292)
static const struct {
    uint64_t high, low;
} power_table[] = {
#define POWER(high, low) {high, low},
#include "base/num_powers.def"
#undef POWER
};

/* A decimal: digits × 10^exponent. */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* The top 64 bits of power × factor, the last bit set when any bit below is: enough to compare exactly. */
static uint64_t multiply_to_odd(uint64_t high, uint64_t low, uint64_t factor) {
    Wide below = (Wide)low * factor;
    Wide y = (Wide)high * factor + (uint64_t)(below >> 64);
    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/*
 * Which of the decimals around v = quarters/4 × 10^k reads back, the shorter first. low and high bound what rounds to
 * v, in quarters.
 */
static struct decimal pick_shortest(uint64_t low, uint64_t quarters, uint64_t high, int k) {
    uint64_t s = quarters / 4;
    if (s >= 10) {
        uint64_t tens = s / 10;
        bool down = low <= 40 * tens, up = 40 * tens + 40 <= high;
        if (down != up) return (struct decimal){tens + up, k + 1};
    }
    bool down = low <= 4 * s, up = 4 * s + 4 <= high;
    if (down != up) return (struct decimal){s + up, k};
    uint64_t middle = 4 * s + 2;
    return (struct decimal){s + (quarters > middle || (quarters == middle && (s & 1))), k};
}

/* size: finite and above zero */
static struct decimal shortest_decimal(double size) {
    uint64_t bits;
    memcpy(&bits, &size, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1), c = fraction;
    int biased = (int)(bits >> 52), q = -1074;
    if (biased) c |= UINT64_C(1) << 52, q = biased - 1075;
    bool narrow_below = fraction == 0 && biased > 1;           /* the next double down is only half as far */
    int k = (q * 1262611 - (narrow_below ? 524031 : 0)) >> 22; /* floor(log10(2^q or 3/4 2^q)) */
    int shift = q + ((-k * 1741647) >> 19) + 1;                /* floor(log2(10^-k)) */
    uint64_t high = power_table[-k - POWER_MIN].high, low = power_table[-k - POWER_MIN].low;
    uint64_t below = multiply_to_odd(high, low, (4 * c - 2 + narrow_below) << shift);
    uint64_t at = multiply_to_odd(high, low, (4 * c) << shift);
    uint64_t above = multiply_to_odd(high, low, (4 * c + 2) << shift);
    uint64_t odd = c & 1; /* a tie reads back as the even neighbour */
    struct decimal d = pick_shortest(below + odd, at, above - odd, k);
    while (d.digits % 10 == 0) d.digits /= 10, d.exponent++;
    return d;
}

static char *put_exponent(char *out, int exponent) {
    *out++ = 'e';
    *out++ = exponent < 0 ? '-' : '+';
    return put_digits(out, (uint64_t)(exponent < 0 ? -exponent : exponent), 1);
}

/* n digits, the first of weight 10^exponent, as "d.ddde-7" */
static char *put_scientific(char *out, const char *digits, int n, int exponent) {
    *out++ = digits[0];
    if (n > 1) {
        *out++ = '.';
        memcpy(out, digits + 1, (size_t)n - 1);
        out += n - 1;
    }
    return put_exponent(out, exponent);
}

static char *put_plain(char *out, const char *digits, int n, int exponent) {
    if (exponent < 0) {
        *out++ = '0', *out++ = '.';
        for (int i = -1; i > exponent; i--) *out++ = '0';
        memcpy(out, digits, (size_t)n);
        return out + n;
    }
    for (int i = 0; i < n || i <= exponent; i++) {
        if (i == exponent + 1) *out++ = '.';
        *out++ = i < n ? digits[i] : '0';
    }
    return out;
}

static char *format_any(double v, char *out) {
    char digits[20];
    struct decimal d = shortest_decimal(fabs(v));
    int n = (int)(put_digits(digits, d.digits, 1) - digits), exponent = d.exponent + n - 1;
    if (signbit(v)) *out++ = '-';
    return exponent < -6 || exponent >= 15 ? put_scientific(out, digits, n, exponent)
                                           : put_plain(out, digits, n, exponent);
}

Str num_format(double v, char out[NUM_TEXT_MAX]) {
    if (!isfinite(v)) return STR("null");
    char *end = format_few_decimals(v, out);
    if (!end) end = format_any(v, out);
    *end = '\0';
    return (Str){out, (size_t)(end - out)};
}

Str num_format_decimal(int64_t unscaled, unsigned scale, char out[NUM_TEXT_MAX]) {
    ASSERT(scale <= SCALE_MAX);
    uint64_t size = unscaled < 0 ? UINT64_C(0) - (uint64_t)unscaled : (uint64_t)unscaled;
    char *end = put_fixed(out, unscaled < 0, size, scale);
    *end = '\0';
    return (Str){out, (size_t)(end - out)};
}

bool num_parse_decimal(Str text, unsigned scale, int64_t *out) {
    ASSERT(scale <= SCALE_MAX);
    bool negative = text.len && text.ptr[0] == '-', point = false;
    size_t i = negative;
    unsigned whole = 0, decimals = 0;
    int64_t v = 0; /* downwards, as INT64_MIN has no positive twin */
    for (; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '.' && !point && whole) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9') return false;
        if (point ? ++decimals > scale : !++whole) return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, c - '0', &v)) return false;
    }
    if (!whole || (point && !decimals)) return false;
    for (; decimals < scale; decimals++)
        if (__builtin_mul_overflow(v, 10, &v)) return false;
    if (!negative && v == INT64_MIN) return false;
    *out = negative ? v : -v;
    return true;
}
