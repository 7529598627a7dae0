#include "base/jw.h"

#include <math.h>

#include "tests/unit.h"

static void test_structure(void) {
    unit_case("commas, colons, nesting");
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_object(&w);
    jw_kint(&w, "n", INT64_MIN), jw_knum(&w, "x", 0.5), jw_kbool(&w, "on", true), jw_kc(&w, "none", NULL);
    jw_kstr(&w, "name", STR("a")), jw_ktime(&w, "at", 0);
    jw_key(&w, "list"), jw_array(&w);
    jw_int(&w, 1), jw_null(&w), jw_num(&w, (double)NAN), jw_bool(&w, false), jw_c(&w, "s"), jw_raw(&w, STR("[2]"));
    jw_object(&w), jw_object_end(&w), jw_array(&w), jw_array_end(&w);
    jw_array_end(&w);
    jw_key_str(&w, STR("k\"")), jw_object(&w), jw_kint(&w, "deep", 1), jw_object_end(&w);
    jw_object_end(&w);
    CHECK_STR(
        buf_view(&out),
        STR("{\"n\":-9223372036854775808,\"x\":0.5,\"on\":true,\"none\":null,\"name\":\"a\","
            "\"at\":\"1970-01-01T00:00:00Z\",\"list\":[1,null,null,false,\"s\",[2],{},[]],\"k\\\"\":{\"deep\":1}}"));
    CHECK_INT(w.depth, 0);
    buf_fini(&out);
}

static void test_lines(void) {
    unit_case("values on the outermost level are the caller's to part");
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    for (int i = 0; i < 2; i++) jw_object(&w), jw_kint(&w, "i", i), jw_object_end(&w), buf_byte(&out, '\n');
    CHECK_STR(buf_view(&out), STR("{\"i\":0}\n{\"i\":1}\n"));
    buf_fini(&out);
}

static void test_strings(void) {
    static const struct {
        Str in;
        const char *out;
    } cases[] = {
        {STR_INIT(""), "\"\""},
        {STR_INIT("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
        {STR_INIT("\b\t\n\f\r"), "\"\\b\\t\\n\\f\\r\""},
        {STR_INIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\""},
        {STR_INIT("\xE5\x8E\x8B x \xF0\x9F\x98\x80"), "\"\xE5\x8E\x8B x \xF0\x9F\x98\x80\""},
        {STR_INIT("\xFFz"), "\"\xEF\xBF\xBDz\""},
        {STR_INIT("z\xE5\x8E"), "\"z\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {STR_INIT("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {STR_INIT("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {STR_INIT("\xC3\xA4\x80"), "\"\xC3\xA4\xEF\xBF\xBD\""},
    };
    unit_case("strings: escapes and what is not UTF-8");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        struct jw w;
        jw_init(&w, &out);
        jw_str(&w, cases[i].in);
        CHECK_STR(buf_view(&out), str_c(cases[i].out));
        CHECK(str_is_utf8(buf_view(&out)));
        buf_fini(&out);
    }
}

void jw_test(void) {
    test_structure();
    test_lines();
    test_strings();
}
