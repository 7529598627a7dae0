#include "base/str.h"

#include <math.h>

#include "tests/unit.h"

static void test_compare(void) {
    unit_case("equality and order");
    CHECK(str_eq(STR(""), (Str){NULL, 0}));
    CHECK(str_eq(STR("a"), str_c("a")) && !str_eq(STR("a"), STR("b")) && !str_eq(STR("a"), STR("ab")));
    CHECK(str_eq_c(STR(""), NULL) && str_eq_c(STR("x"), "x"));
    CHECK(str_eq_nocase(STR("Content-Type"), STR("content-TYPE")) && !str_eq_nocase(STR("[a"), STR("{a")));
    CHECK(!str_eq_nocase(STR("\xC3\x84"), STR("\xC3\xA4"))); /* ASCII only */
    CHECK(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("b"), STR("a")) > 0 && str_cmp(STR("a"), STR("a")) == 0);
    CHECK(str_cmp(STR("a"), STR("aa")) < 0 && str_cmp(STR(""), STR("a")) < 0 && str_cmp(STR("\xFF"), STR("a")) > 0);
}

static void test_search(void) {
    unit_case("search");
    CHECK(str_starts(STR("abc"), STR("ab")) && str_starts(STR("abc"), STR("")) && !str_starts(STR("a"), STR("ab")));
    CHECK(str_ends(STR("abc"), STR("bc")) && str_ends(STR(""), STR("")) && !str_ends(STR("c"), STR("bc")));
    CHECK_INT(str_find(STR("banana"), STR("nan")), 2);
    CHECK_INT(str_find(STR("banana"), STR("")), 0);
    CHECK_INT(str_find(STR("ban"), STR("bananas")), -1);
    CHECK_INT(str_find((Str){NULL, 0}, STR("a")), -1);
    CHECK_INT(str_find(str_n("a\0b", 3), str_n("\0b", 2)), 1);
}

static void test_cut(void) {
    unit_case("trim, slice, cut");
    CHECK_STR(str_trim(STR(" \t a b\r\n")), STR("a b"));
    CHECK_STR(str_trim(STR(" \n ")), STR(""));
    CHECK_STR(str_slice(STR("abcdef"), 2, 4), STR("cd"));
    CHECK_STR(str_slice(STR("abc"), 2, 99), STR("c"));
    CHECK_STR(str_slice(STR("abc"), 9, 1), STR(""));
    CHECK_STR(str_slice((Str){NULL, 0}, 0, 5), STR(""));
    Str head, tail;
    CHECK(str_cut(STR("a=b=c"), '=', &head, &tail));
    CHECK_STR(head, STR("a"));
    CHECK_STR(tail, STR("b=c"));
    CHECK(str_cut(STR("a="), '=', &head, &tail) && head.len == 1 && tail.len == 0);
    CHECK(!str_cut(STR("abc"), '=', &head, &tail));
    CHECK_STR(head, STR("abc"));
    CHECK_STR(tail, STR(""));
}

static void test_i64(void) {
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"99999999999999999999", false, 0},
        {"18446744073709551616", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"1e3", false, 0},
        {"0x10", false, 0},
        {"--1", false, 0},
    };
    unit_case("integers");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t v = 0;
        bool ok = str_to_i64(str_c(cases[i].text), &v);
        if (ok != cases[i].ok) CHECK_STR(str_c(cases[i].text), ok ? STR("refused") : STR("accepted"));
        if (ok) CHECK_INT(v, cases[i].value);
    }
}

static void test_f64(void) {
    static const struct {
        const char *text;
        bool ok;
        double value;
    } cases[] = {
        {"0", true, 0.0},
        {"-0.0", true, -0.0},
        {"1", true, 1.0},
        {"0.1", true, 0.1},
        {"-12.5e-1", true, -1.25},
        {"1E+2", true, 100.0},
        {"123456789012345678", true, 123456789012345678.0},
        {"9007199254740993", true, 9007199254740992.0},
        {"9007199254740993.0000000000000000000000000001", true, 9007199254740994.0},
        {"1.7976931348623157e308", true, 1.7976931348623157e308},
        {"1.7976931348623159e308", false, 0},
        {"1e999", false, 0},
        {"1e99999999999999999999", false, 0},
        {"1e-99999999999999999999", true, 0.0},
        {"4.9406564584124654e-324", true, 4.9406564584124654e-324},
        {"2e-324", true, 0.0},
        {"0.000000000000000000000000000000000000001e39", true, 1.0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {".5", false, 0},
        {"5.", false, 0},
        {"01", false, 0},
        {"-01", false, 0},
        {"00", false, 0},
        {"1e", false, 0},
        {"1e+", false, 0},
        {"1.e1", false, 0},
        {"nan", false, 0},
        {"NaN", false, 0},
        {"inf", false, 0},
        {"-Infinity", false, 0},
        {"0x1p3", false, 0},
        {"1,5", false, 0},
        {"1 ", false, 0},
        {" 1", false, 0},
    };
    unit_case("doubles");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double v = 0;
        bool ok = str_to_f64(str_c(cases[i].text), &v);
        if (ok != cases[i].ok) CHECK_STR(str_c(cases[i].text), ok ? STR("refused") : STR("accepted"));
        if (ok && (v != cases[i].value || signbit(v) != signbit(cases[i].value))) CHECK_NUM(v, cases[i].value, 0);
    }
    char digits[2000];
    for (size_t i = 0; i < sizeof digits; i++) digits[i] = '9';
    double v;
    CHECK(str_to_f64(str_n(digits, 300), &v));
    CHECK(!str_to_f64(str_n(digits, sizeof digits), &v)); /* beyond any sense, and beyond the largest double */
    CHECK(!str_to_f64(str_n("1\0", 2), &v));
}

static void test_utf8(void) {
    static const struct {
        const char *text;
        bool ok;
    } cases[] = {
        {"", true},
        {"plain ascii that is longer than one word", true},
        {"\xC2\x80", true},                 /* U+0080, the first of two bytes */
        {"\xE0\xA0\x80", true},             /* U+0800 */
        {"\xEF\xBF\xBF", true},             /* U+FFFF */
        {"\xF0\x90\x80\x80", true},         /* U+10000 */
        {"\xF4\x8F\xBF\xBF", true},         /* U+10FFFF */
        {"\xED\x9F\xBF", true},             /* U+D7FF */
        {"\xEE\x80\x80", true},             /* U+E000 */
        {"\xE5\x8E\x8B\xE7\xBC\xA9", true}, /* 压缩 */
        {"12345678\xC3\xA4", true},
        {"\x80", false},
        {"\xC0\x80", false},         /* overlong NUL */
        {"\xC1\xBF", false},         /* overlong U+007F */
        {"\xE0\x80\xAF", false},     /* overlong '/' */
        {"\xE0\x9F\xBF", false},     /* overlong U+07FF */
        {"\xF0\x80\x80\xAF", false}, /* overlong '/' */
        {"\xF0\x8F\xBF\xBF", false}, /* overlong U+FFFF */
        {"\xED\xA0\x80", false},     /* surrogate U+D800 */
        {"\xED\xBF\xBF", false},     /* surrogate U+DFFF */
        {"\xF4\x90\x80\x80", false}, /* U+110000 */
        {"\xF5\x80\x80\x80", false},
        {"\xFF", false},
        {"\xC3", false},
        {"\xE2\x82", false},
        {"\xF0\x9F\x98", false},
        {"\xC3(", false},
        {"\xE2\x28\xA1", false},
        {"\xE2\x82\x28", false},
        {"12345678\xC3", false},
        {"1234567\xFF", false},
    };
    unit_case("utf-8");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (str_is_utf8(str_c(cases[i].text)) != cases[i].ok)
            CHECK_STR(str_c(cases[i].text), cases[i].ok ? STR("accepted") : STR("refused"));
    CHECK(str_is_utf8(str_n("a\0b", 3)));
}

void str_test(void) {
    test_compare();
    test_search();
    test_cut();
    test_i64();
    test_f64();
    test_utf8();
}
