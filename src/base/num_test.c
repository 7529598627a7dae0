#include "base/num.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

static void test_format(void) {
    static const struct {
        double v;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {21.375, "21.375"},
        {100, "100"},
        {999999999999999, "999999999999999"},
        {1e15, "1e+15"},
        {123456789012345680.0, "1.2345678901234568e+17"},
        {1e300, "1e+300"},
        {1.5e-7, "1.5e-7"},
        {1e-6, "0.000001"},
        {0.00001234, "0.00001234"},
        {123456.00000001, "123456.00000001"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {5.684341886080802e-14, "5.684341886080802e-14"}, /* 2^-44: its nearest 16 digits do not read back */
        {9007199254740993.0, "9.007199254740992e+15"},
        {-1e-5, "-0.00001"},
        {4.35, "4.35"},
        {0.285, "0.285"},
        {1.005, "1.005"},
    };
    unit_case("shortest text");
    char text[NUM_TEXT_MAX];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(num_format(cases[i].v, text), str_c(cases[i].text));
    CHECK_STR(num_format((double)NAN, text), STR("null"));
    CHECK_STR(num_format(-(double)INFINITY, text), STR("null"));
}

static uint64_t next_random(uint64_t *seed) {
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    uint64_t x = *seed ^ *seed >> 29;
    return x * UINT64_C(0xbf58476d1ce4e5b9) ^ x >> 32;
}

static double from_bits(uint64_t bits) {
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static bool same(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

/* The text reads back as the same bits, through the C library and through our own reader. */
static bool reads_back(double v) {
    char text[NUM_TEXT_MAX];
    double back = 0;
    Str s = num_format(v, text);
    return s.len < NUM_TEXT_MAX && text[s.len] == '\0' && same(strtod(text, NULL), v) && str_to_f64(s, &back) &&
           same(back, v);
}

static void test_round_trip(void) {
    unit_case("1,000,000 random bit patterns read back");
    uint64_t seed = 1;
    long wrong = 0;
    for (int i = 0; i < 1000000; i++) {
        double v = from_bits(next_random(&seed));
        if (isfinite(v)) wrong += !reads_back(v);
    }
    CHECK_INT(wrong, 0);
    unit_case("100,000 decimals of one to nine places read back");
    for (int i = 0; i < 100000; i++) {
        double v = (double)(int64_t)(next_random(&seed) >> 30) / pow(10, i % 10);
        wrong += !reads_back(v);
    }
    CHECK_INT(wrong, 0);
}

static int significant(Str s) {
    int n = 0, zeros = 0;
    for (size_t i = 0; i < s.len && s.ptr[i] != 'e'; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || (n == 0 && s.ptr[i] == '0')) continue;
        n++;
        zeros = s.ptr[i] == '0' ? zeros + 1 : 0;
    }
    return n - zeros;
}

/* Fewest digits, by trying: the nearest decimal of that length, or its neighbour, reads back. */
static int fewest_digits(double v) {
    for (int n = 1; n < 17; n++) {
        char text[40];
        snprintf(text, sizeof text, "%.*e", n - 1, v);
        if (strtod(text, NULL) == v) return n;
        long e = strtol(strchr(text, 'e') + 1, NULL, 10);
        long double step = powl(10.0L, e - n + 1);
        for (int side = -1; side <= 1; side += 2) {
            snprintf(text, sizeof text, "%.*Le", n - 1, (long double)strtod(text, NULL) + side * step);
            if (strtod(text, NULL) == v) return n;
        }
    }
    return 17;
}

static void test_shortest(void) {
    unit_case("no shorter text reads back: powers of two, small and random");
    char text[NUM_TEXT_MAX];
    uint64_t seed = 3;
    long wrong = 0;
    for (int e = -1074; e < 1024; e++) wrong += !reads_back(ldexp(1, e));
    for (int e = -1000; e < 1000; e++) {
        double v = ldexp(1, e);
        wrong += significant(num_format(v, text)) > fewest_digits(v);
    }
    for (uint64_t bits = 1; bits < 2000; bits++) wrong += !reads_back(from_bits(bits));
    for (int i = 0; i < 20000; i++) {
        double v = fabs(from_bits(next_random(&seed)));
        if (!isfinite(v) || v < 1e-290 || v > 1e290) continue;
        wrong += significant(num_format(v, text)) > fewest_digits(v);
    }
    CHECK_INT(wrong, 0);
}

/* ---- the table of powers, computed anew in plain long arithmetic */

enum { WORDS = 40 };
typedef struct Big {
    uint32_t w[WORDS];
} Big;

static void big_times(Big *b, uint32_t factor) {
    uint64_t carry = 0;
    for (int i = 0; i < WORDS; i++) {
        carry += (uint64_t)b->w[i] * factor;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static int big_bits(const Big *b) {
    int i = WORDS - 1;
    while (i > 0 && b->w[i] == 0) i--;
    int bits = 0;
    for (uint32_t w = b->w[i]; w; w >>= 1) bits++;
    return i * 32 + bits;
}

static int big_bit(const Big *b, int i) { return i < 0 ? 0 : (int)(b->w[i / 32] >> (i % 32) & 1); }

static bool big_subtract(Big *a, const Big *b) {
    Big out;
    int64_t borrow = 0;
    for (int i = 0; i < WORDS; i++) {
        borrow += (int64_t)a->w[i] - b->w[i];
        out.w[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    if (borrow < 0) return false;
    *a = out;
    return true;
}

/* The first 128 bits of 10^k, rounded down, plus one. */
static void power_of_ten(int k, uint64_t out[2]) {
    Big power = {{1}}, rest = {{0}};
    for (int i = 0; i < abs(k); i++) big_times(&power, 10);
    int bits = big_bits(&power);
    rest.w[(bits - 1) / 32] = UINT32_C(1) << ((bits - 1) % 32);
    out[0] = out[1] = 0;
    for (int i = 0; i < 128; i++) {
        int bit = big_bit(&power, bits - 1 - i);
        if (k < 0) {
            big_times(&rest, 2);
            bit = big_subtract(&rest, &power);
        }
        out[i / 64] = out[i / 64] << 1 | (uint64_t)bit;
    }
    if (++out[1] == 0) out[0]++;
}

static void test_powers(void) {
    static const uint64_t table[][2] = {
#define POWER(high, low) {high, low},
#include "base/num_powers.def"
#undef POWER
    };
    unit_case("the table of powers of ten");
    CHECK_INT(sizeof table / sizeof *table, 617);
    for (int k = -292; k <= 324; k++) {
        uint64_t want[2];
        power_of_ten(k, want);
        if (k == 0) want[0] = UINT64_C(1) << 63, want[1] = 1;
        CHECK_INT(table[k + 292][0], want[0]);
        CHECK_INT(table[k + 292][1], want[1]);
    }
}

static void test_decimal(void) {
    static const struct {
        const char *text;
        unsigned scale;
        bool ok;
        int64_t value;
        const char *back;
    } cases[] = {
        {"12.34", 2, true, 1234, "12.34"},
        {"12.3", 2, true, 1230, "12.30"},
        {"-0.05", 2, true, -5, "-0.05"},
        {"0", 0, true, 0, "0"},
        {"-0", 2, true, 0, "0.00"},
        {"7", 3, true, 7000, "7.000"},
        {"9223372036854775807", 0, true, INT64_MAX, "9223372036854775807"},
        {"-9223372036854775808", 0, true, INT64_MIN, "-9223372036854775808"},
        {"-9.223372036854775808", 18, true, INT64_MIN, "-9.223372036854775808"},
        {"9.223372036854775808", 18, false, 0, NULL},
        {"92233720368547758.08", 2, false, 0, NULL},
        {"10", 18, false, 0, NULL},
        {"12.345", 2, false, 0, NULL},
        {"12.340", 2, false, 0, NULL},
        {"1.", 2, false, 0, NULL},
        {".5", 2, false, 0, NULL},
        {"", 2, false, 0, NULL},
        {"-", 2, false, 0, NULL},
        {"-.5", 2, false, 0, NULL},
        {"+1", 2, false, 0, NULL},
        {"1e2", 2, false, 0, NULL},
        {"1.2.3", 2, false, 0, NULL},
        {"1 ", 2, false, 0, NULL},
        {"1,5", 2, false, 0, NULL},
        {"1.0", 0, false, 0, NULL},
    };
    unit_case("decimals at a scale");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[NUM_TEXT_MAX];
        int64_t v = 0;
        bool ok = num_parse_decimal(str_c(cases[i].text), cases[i].scale, &v);
        if (ok != cases[i].ok) CHECK_STR(str_c(cases[i].text), ok ? STR("refused") : STR("accepted"));
        if (!ok || !cases[i].ok) continue;
        CHECK_INT(v, cases[i].value);
        CHECK_STR(num_format_decimal(v, cases[i].scale, text), str_c(cases[i].back));
    }
}

void num_test(void) {
    test_format();
    test_round_trip();
    test_shortest();
    test_powers();
    test_decimal();
}
