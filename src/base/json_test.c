#include "base/json.h"

#include <string.h>

#include "tests/unit.h"

static void test_values(void) {
    unit_case("every kind");
    struct json *v;
    if (!CHECK_OK(json_parse(STR("{\"i\":-9223372036854775808,\"r\":1.5,\"s\":\"\\u538b\\ud83d\\ude00\",\"t\":true,"
                                 "\"f\":false,\"n\":null,\"a\":[1,[2]],\"o\":{\"x\":{}}}"),
                             &v)))
        return;
    CHECK(json_kind(v) == JSON_OBJECT && json_len(v) == 8);
    CHECK_INT(json_get_int(v, "i", 0), INT64_MIN);
    CHECK_NUM(json_get_num(v, "r", 0), 1.5, 0);
    CHECK_NUM(json_get_num(v, "i", 0), -9223372036854775808.0, 0);
    CHECK_STR(json_get_str(v, "s", STR("?")), STR("\xE5\x8E\x8B\xF0\x9F\x98\x80"));
    CHECK(json_get_bool(v, "t", false) && !json_get_bool(v, "f", true));
    CHECK(json_kind(json_get(v, "n")) == JSON_NULL);
    const struct json *a = json_get(v, "a");
    CHECK(json_kind(a) == JSON_ARRAY && json_len(a) == 2 && json_int(json_at(a, 0)) == 1);
    CHECK_INT(json_int(json_at(json_at(a, 1), 0)), 2);
    CHECK_INT(json_len(json_get(json_get(v, "o"), "x")), 0);
    unit_case("fallbacks for what is absent or of another kind");
    CHECK(json_get(v, "none") == NULL && json_get(NULL, "i") == NULL && json_get(a, "i") == NULL);
    CHECK_INT(json_get_int(v, "r", 7), 7);
    CHECK_NUM(json_get_num(v, "s", 7), 7, 0);
    CHECK_STR(json_get_str(v, "i", STR("d")), STR("d"));
    CHECK(json_get_bool(v, "n", true) && json_get_bool(NULL, "n", true));
    json_free(v);
    json_free(NULL);
}

static void test_order(void) {
    unit_case("members come in the order of the text");
    struct json *v;
    struct buf keys = {0};
    if (!CHECK_OK(json_parse(STR("{\"z\":1,\"a\":2,\"m\":3,\"b\":4}"), &v))) return;
    Str key;
    const struct json *value;
    int64_t sum = 0;
    for (void *at = NULL; json_next(v, &at, &key, &value);) buf_str(&keys, key), sum += json_int(value);
    CHECK_STR(buf_view(&keys), STR("zamb"));
    CHECK_INT(sum, 10);
    buf_fini(&keys);
    json_free(v);
}

static void test_refused(void) {
    static const struct {
        Str text;
        const char *where; /* in the error */
    } cases[] = {
        {STR_INIT(""), "line 1, column 0"},
        {STR_INIT("{\"a\":1,}"), "line 1, column 8"},
        {STR_INIT("{\n  \"a\": tru\n}"), "line 2, column 10"},
        {STR_INIT("[1 2]"), "line 1, column 4"},
        {STR_INIT("[1]x"), "line 1, column 4"},
        {STR_INIT("{\"a\":1,\"a\":2}"), "duplicate"},
        {STR_INIT("\"\\u0000\""), "line 1"},
        {STR_INIT("\"\0\""), "line 1"},
        {STR_INIT("\"\\ud800\""), "invalid Unicode"},
        {STR_INIT("\"\xFF\""), "line 1"},
        {STR_INIT("\"\xC0\x80\""), "line 1"},
        {STR_INIT("9223372036854775808"), "too big"},
        {STR_INIT("1e999"), "overflow"},
        {STR_INIT("01"), "line 1"},
        {STR_INIT(".5"), "line 1"},
        {STR_INIT("+1"), "line 1"},
        {STR_INIT("NaN"), "line 1"},
        {STR_INIT("'a'"), "line 1"},
        {STR_INIT("{a:1}"), "line 1"},
        {STR_INIT("[1,2"), "line 1"},
        {STR_INIT("\"open"), "line 1"},
        {STR_INIT("/* c */ 1"), "line 1"},
        {STR_INIT("\xEF\xBB\xBF{}"), "line 1"},
    };
    unit_case("what is not JSON, with its place");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *v;
        Err err = json_parse(cases[i].text, &v);
        if (!CHECK_ERR(err, ERR_INVALID)) CHECK_STR(STR("as above"), cases[i].text);
        if (!strstr(err.text, cases[i].where)) CHECK_STR(str_c(err.text), str_c(cases[i].where));
        CHECK(v == NULL && str_is_utf8(str_c(err.text)));
    }
}

static void test_depth(void) {
    unit_case("depth");
    char text[20000];
    struct json *v;
    memset(text, '[', sizeof text);
    CHECK_ERR(json_parse(str_n(text, sizeof text), &v), ERR_INVALID);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    CHECK_OK(json_parse(str_n(text, 2 * JSON_DEPTH_MAX), &v));
    struct buf out = {0};
    json_free(v);
    memset(text, '[', JSON_DEPTH_MAX + 1), memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    Err err = json_parse(str_n(text, 2 * JSON_DEPTH_MAX + 2), &v);
    CHECK_ERR(err, ERR_INVALID);
    CHECK(strstr(err.text, "nested deeper") != NULL);
    memset(text, '[', 1000), text[0] = '"', text[998] = '\\', text[999] = '"', text[1000] = '"';
    CHECK_OK(json_parse(str_n(text, 1001), &v)); /* brackets inside a string do not nest */
    json_free(v);
    buf_fini(&out);
}

static void test_dump(void) {
    static const char *const cases[] = {
        "{\"b\":[1,2.5,3.0,-0.0,1e+300],\"a\":{\"x\":null,\"y\":true},\"s\":\"\\u0001\xE5\x8E\x8B\\\"\"}",
        "[]",
        "{}",
        "\"a\"",
        "-9223372036854775808",
        "9223372036854775807",
        "0.1",
    };
    unit_case("dump gives the text back");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json *v;
        struct buf out = {0};
        if (!CHECK_OK(json_parse(str_c(cases[i]), &v))) continue;
        json_dump(v, &out);
        CHECK_STR(buf_view(&out), str_c(cases[i]));
        json_free(v);
        buf_fini(&out);
    }
}

void json_test(void) {
    test_values();
    test_order();
    test_refused();
    test_depth();
    test_dump();
}
