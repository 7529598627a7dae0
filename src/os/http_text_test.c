#include "os/http_text.h"

#include "base/buf.h"

#include "tests/unit.h"

static void decode(void) {
    static const struct {
        const char *text;
        bool plus;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"", false, ""},         {"abc", false, "abc"},      {"a+b", false, "a+b"},     {"a+b", true, "a b"},
        {"%41%62", false, "Ab"}, {"%E5%8E%8B", false, "压"}, {"a%2Fb", false, "a/b"},   {"%", false, NULL},
        {"%4", false, NULL},     {"%zz", false, NULL},       {"a%00b", false, NULL},    {"%ff", false, NULL},
        {"%C0%AF", false, NULL}, {"%ED%A0%80", false, NULL}, {"100%25", false, "100%"},
    };
    struct arena arena;
    arena_init(&arena, 0);
    unit_case("percent-decoding");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str out;
        bool ok = http_text_decode(str_c(cases[i].text), cases[i].plus, &arena, &out);
        CHECK_INT(ok, cases[i].want != NULL);
        if (ok && cases[i].want) CHECK_STR(out, str_c(cases[i].want));
    }
    arena_fini(&arena);
}

static void query(void) {
    static const struct {
        const char *text, *name, *value; /* of the first pair */
        size_t n;
    } cases[] = {
        {"", "", "", 0},
        {"a=1", "a", "1", 1},
        {"a=1&b=2&&", "a", "1", 2},
        {"flag", "flag", "", 1},
        {"a=", "a", "", 1},
        {"a=x=y", "a", "x=y", 1},
        {"raised_at>=2015-01-01", "raised_at>=", "2015-01-01", 1},
        {"raised_at%3E%3D2015", "raised_at>=", "2015", 1},
        {"raised_at%3E=2015", "raised_at>=", "2015", 1},
        {"severity!=low", "severity!=", "low", 1},
        {"severity%21%3Dlow", "severity!=", "low", 1},
        {"probability>0.5", "probability>", "0.5", 1},
        {"text~=pump", "text~", "pump", 1},
        {"q=%E5%8E%8B+1", "q", "压 1", 1},
    };
    struct arena arena;
    struct http_pair *pairs;
    size_t n;
    arena_init(&arena, 0);
    unit_case("query parameters and comparisons");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_OK(http_text_query(str_c(cases[i].text), &arena, &pairs, &n));
        CHECK_INT(n, cases[i].n);
        if (n == 0) continue;
        CHECK_STR(pairs[0].name, str_c(cases[i].name));
        CHECK_STR(pairs[0].value, str_c(cases[i].value));
    }
    unit_case("query parameters that are refused");
    CHECK_ERR(http_text_query(STR("a=%zz"), &arena, &pairs, &n), ERR_INVALID);
    CHECK_ERR(http_text_query(STR("%00=1"), &arena, &pairs, &n), ERR_INVALID);
    struct buf many = {0};
    for (int i = 0; i <= HTTP_TEXT_PARAMS_MAX; i++) buf_c(&many, "a=1&");
    CHECK_ERR(http_text_query(buf_view(&many), &arena, &pairs, &n), ERR_INVALID);
    buf_fini(&many);
    arena_fini(&arena);
}

static void headers(void) {
    static const struct {
        const char *header;
        bool want;
    } codings[] = {
        {"", false},           {"gzip", true},          {"deflate, gzip;q=0.5, br", true},
        {"gzip;q=0", false},   {"GZIP", true},          {"*", true},
        {"*;q=0", false},      {"identity", false},     {"gzip;q=0.000", false},
        {"br, *;q=0.1", true}, {"gzip; q=0, *", false}, {",,;", false},
    };
    static const struct {
        const char *header;
        bool weak, strong;
    } tags[] = {
        {"\"7\"", true, true},          {"W/\"7\"", true, false}, {"\"1\", \"7\"", true, true}, {"*", true, true},
        {"\"1\",W/\"7\"", true, false}, {"7", false, false},      {"\"77\"", false, false},     {"", false, false},
    };
    static const struct {
        const char *header, *want;
    } cookies[] = {
        {"weft_session=abc", "abc"}, {"a=1; weft_session=abc; b=2", "abc"},
        {"weft_sessionx=abc", ""},   {"a=weft_session=abc", ""},
        {"weft_session=", ""},       {";;=; weft_session=x", "x"},
    };
    unit_case("Accept-Encoding");
    for (size_t i = 0; i < sizeof codings / sizeof *codings; i++)
        if (!CHECK_INT(http_text_accepts_gzip(str_c(codings[i].header)), codings[i].want))
            CHECK_STR(str_c(codings[i].header), STR("(this header)"));
    unit_case("entity tags");
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        CHECK_INT(http_text_etag_in(str_c(tags[i].header), STR("\"7\""), false), tags[i].weak);
        CHECK_INT(http_text_etag_in(str_c(tags[i].header), STR("\"7\""), true), tags[i].strong);
    }
    unit_case("cookies");
    for (size_t i = 0; i < sizeof cookies / sizeof *cookies; i++)
        CHECK_STR(http_text_cookie(str_c(cookies[i].header), "weft_session"), str_c(cookies[i].want));
    unit_case("media types");
    CHECK_STR(http_text_media_type(STR("application/json; charset=utf-8")), STR("application/json"));
    CHECK_STR(http_text_media_type(STR("")), STR(""));
}

static void targets(void) {
    static const struct {
        const char *target, *path, *query; /* path NULL: refused */
    } cases[] = {
        {"/", "/", ""},          {"/a?b=1", "/a", "b=1"}, {"http://h:1/a?b", "/a", "b"}, {"http://h", "/", ""},
        {"/a?b?c", "/a", "b?c"}, {"*", "*", ""},          {"a/b", NULL, NULL},           {"", NULL, NULL},
        {"?a", NULL, NULL},      {"://x/", NULL, NULL},   {"/a://b", "/a://b", ""},
    };
    unit_case("request targets");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Str path, text;
        bool ok = http_text_target(str_c(cases[i].target), &path, &text);
        if (!CHECK_INT(ok, cases[i].path != NULL) || !ok) continue;
        CHECK_STR(path, str_c(cases[i].path));
        CHECK_STR(text, str_c(cases[i].query));
    }
}

void http_text_test(void) {
    decode();
    query();
    headers();
    targets();
}
