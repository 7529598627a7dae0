#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Below this every integer, and every decimal of so many digits, has a double of its own (15 digits). */
#define EXACT_MAX 1e15
#define SCALE_MAX 18 /* 10^18 is the largest power of ten in an int64 */

static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
#define FAST_DECIMALS ((unsigned)(sizeof powers / sizeof *powers) - 1)

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
    for (unsigned scale = 0; scale <= FAST_DECIMALS; scale++) {
        double shifted = size * powers[scale];
        if (shifted >= EXACT_MAX) return NULL;
        uint64_t n = (uint64_t)(shifted + 0.5);
        if ((double)n / powers[scale] == size) return put_fixed(out, signbit(v), n, scale);
    }
    return NULL;
}

/* Rewrites C's "d.ddde-07" as plain digits and decimal exponent; returns the number of digits. */
static int split_scientific(const char *text, char digits[20], int *exponent) {
    int n = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9') digits[n++] = *text;
    while (n > 1 && digits[n - 1] == '0') n--;
    *exponent = atoi(text + 1);
    return n;
}

static char *put_scientific(char *out, const char *digits, int n, int exponent) {
    *out++ = digits[0];
    if (n > 1) {
        *out++ = '.';
        memcpy(out, digits + 1, (size_t)n - 1);
        out += n - 1;
    }
    return out + sprintf(out, "e%+d", exponent);
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

/* The fewest digits that read back, found by asking the C library, which rounds correctly both ways. */
static char *format_any(double v, char *out) {
    char text[40], digits[20];
    double size = fabs(v);
    int precision = fpclassify(v) == FP_SUBNORMAL ? 1 : 15;
    for (; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, size);
        if (strtod(text, NULL) == size) break;
    }
    if (precision == 17) snprintf(text, sizeof text, "%.16e", size);
    int exponent, n = split_scientific(text, digits, &exponent);
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
