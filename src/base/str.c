#include "base/str.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Longer numbers are refused: a double has at most 767 significant digits. */
#define NUMBER_TEXT_MAX 1023

Str str_c(const char *text) { return text ? (Str){text, strlen(text)} : (Str){"", 0}; }

Str str_n(const char *ptr, size_t len) { return (Str){ptr, len}; }

bool str_eq(Str a, Str b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

bool str_eq_c(Str a, const char *b) { return str_eq(a, str_c(b)); }

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

bool str_eq_nocase(Str a, Str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i])) return false;
    return true;
}

int str_cmp(Str a, Str b) {
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (order) return order < 0 ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(Str s, Str prefix) {
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_ends(Str s, Str suffix) {
    return s.len >= suffix.len && (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

ptrdiff_t str_find(Str s, Str part) {
    if (part.len == 0) return 0;
    if (s.len < part.len) return -1;
    const char *at = memmem(s.ptr, s.len, part.ptr, part.len);
    return at ? at - s.ptr : -1;
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

Str str_trim(Str s) {
    while (s.len && is_blank(s.ptr[0])) s.ptr++, s.len--;
    while (s.len && is_blank(s.ptr[s.len - 1])) s.len--;
    return s;
}

Str str_slice(Str s, size_t from, size_t to) {
    if (to > s.len) to = s.len;
    if (from > to) from = to;
    return s.ptr ? (Str){s.ptr + from, to - from} : (Str){"", 0};
}

bool str_cut(Str s, char sep, Str *head, Str *tail) {
    const char *at = s.len ? memchr(s.ptr, sep, s.len) : NULL;
    size_t n = at ? (size_t)(at - s.ptr) : s.len;
    *head = str_slice(s, 0, n);
    *tail = str_slice(s, at ? n + 1 : n, s.len);
    return at != NULL;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool str_to_i64(Str s, int64_t *out) {
    bool negative = s.len && s.ptr[0] == '-';
    size_t i = negative;
    if (i == s.len) return false;
    int64_t v = 0; /* counts downwards, because INT64_MIN has no positive twin */
    for (; i < s.len; i++) {
        if (!is_digit(s.ptr[i])) return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, s.ptr[i] - '0', &v)) return false;
    }
    if (!negative && v == INT64_MIN) return false;
    *out = negative ? v : -v;
    return true;
}

/* Moves *i over digits, adding them to *mantissa while it stays exact in a double; false when there is none. */
static bool take_digits(Str s, size_t *i, uint64_t *mantissa, bool *exact) {
    size_t from = *i;
    for (; *i < s.len && is_digit(s.ptr[*i]); (*i)++) {
        if (*mantissa >= (UINT64_C(1) << 53) / 10) *exact = false;
        if (*exact) *mantissa = *mantissa * 10 + (uint64_t)(s.ptr[*i] - '0');
    }
    return *i > from;
}

/* The pieces of a JSON number; exact: mantissa × 10^exponent is the very value. */
struct number {
    bool negative, exact;
    uint64_t mantissa;
    long exponent;
};

static bool take_exponent(Str s, size_t *i, struct number *n) {
    bool negative = false;
    long e = 0;
    if (*i < s.len && (s.ptr[*i] == '+' || s.ptr[*i] == '-')) negative = s.ptr[(*i)++] == '-';
    size_t from = *i;
    for (; *i < s.len && is_digit(s.ptr[*i]); (*i)++)
        if (e < 100000) e = e * 10 + (s.ptr[*i] - '0');
    n->exponent += negative ? -e : e;
    return *i > from;
}

/* RFC 8259's grammar of a number, over the whole of s. */
static bool scan_number(Str s, struct number *n) {
    size_t i = 0;
    *n = (struct number){.exact = true};
    if (i < s.len && s.ptr[i] == '-') n->negative = true, i++;
    size_t first = i;
    if (!take_digits(s, &i, &n->mantissa, &n->exact)) return false;
    if (s.ptr[first] == '0' && i > first + 1) return false;
    if (i < s.len && s.ptr[i] == '.') {
        size_t from = ++i;
        if (!take_digits(s, &i, &n->mantissa, &n->exact)) return false;
        n->exponent -= (long)(i - from);
    }
    if (i < s.len && (s.ptr[i] == 'e' || s.ptr[i] == 'E')) {
        i++;
        if (!take_exponent(s, &i, n)) return false;
    }
    return i == s.len;
}

bool str_to_f64(Str s, double *out) {
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct number n;
    if (s.len > NUMBER_TEXT_MAX || !scan_number(s, &n)) return false;
    double v;
    if (n.exact && n.exponent >= -22 && n.exponent <= 22) { /* both factors exact, one rounding: the nearest double */
        v = (double)n.mantissa;
        v = n.exponent < 0 ? v / powers[-n.exponent] : v * powers[n.exponent];
        if (n.negative) v = -v;
    } else {
        char text[NUMBER_TEXT_MAX + 1];
        memcpy(text, s.ptr, s.len);
        text[s.len] = '\0';
        v = strtod(text, NULL);
    }
    if (!isfinite(v)) return false;
    *out = v;
    return true;
}

/* Length of the UTF-8 sequence at p (n bytes left), 0 when it is not valid. RFC 3629, table 3-7 of Unicode. */
static size_t utf8_sequence(const unsigned char *p, size_t n) {
    unsigned char b = p[0];
    if (b < 0x80) return 1;
    if (b < 0xC2 || b > 0xF4) return 0;
    size_t need = b < 0xE0 ? 2 : b < 0xF0 ? 3 : 4;
    if (n < need) return 0;
    unsigned char low = b == 0xE0 ? 0xA0 : b == 0xF0 ? 0x90 : 0x80;
    unsigned char high = b == 0xED ? 0x9F : b == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high) return 0;
    for (size_t i = 2; i < need; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    return need;
}

bool str_is_utf8(Str s) {
    const unsigned char *p = (const unsigned char *)s.ptr;
    for (size_t i = 0; i < s.len;) {
        uint64_t word;
        if (s.len - i >= sizeof word && (memcpy(&word, p + i, sizeof word), !(word & UINT64_C(0x8080808080808080)))) {
            i += sizeof word;
            continue;
        }
        size_t n = utf8_sequence(p + i, s.len - i);
        if (!n) return false;
        i += n;
    }
    return true;
}
