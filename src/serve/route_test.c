#include "serve/route.h"

#include "tests/unit.h"

static Err nothing(struct api_call *call) {
    (void)call;
    return err_none();
}

static void matching(void) {
    static const struct {
        const char *route, *path;
        bool fits;
        const char *first, *second;
    } cases[] = {
        {"/", "/", true, NULL, NULL},
        {"/a", "/a", true, NULL, NULL},
        {"/a", "/a/", false, NULL, NULL},
        {"/a", "/b", false, NULL, NULL},
        {"/a", "/A", false, NULL, NULL},
        {"/a/{x}", "/a/b", true, "b", NULL},
        {"/a/{x}", "/a/", false, NULL, NULL},
        {"/a/{x}", "/a", false, NULL, NULL},
        {"/a/{x}", "/a/b/c", false, NULL, NULL},
        {"/a/{x}", "/a/b%2Fc", true, "b/c", NULL},
        {"/a/{x}", "/a/%E5%8E%8B", true, "压", NULL},
        {"/a/{x}", "/a/b+c", true, "b+c", NULL},
        {"/a/{x}", "/a/%zz", false, NULL, NULL},
        {"/a/{x}", "/a/%00", false, NULL, NULL},
        {"/a/{x}/{y}", "/a/1/2", true, "1", "2"},
        {"/a/{x}/c/{y}", "/a/1/c/2", true, "1", "2"},
        {"/a/{x}/c/{y}", "/a/1/d/2", false, NULL, NULL},
        {"/a/{x}", "//a/b", false, NULL, NULL},
    };
    struct arena arena;
    arena_init(&arena, 0);
    unit_case("paths and templates");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct route route = {.path = cases[i].route, .handler = nothing};
        Str segments[ROUTE_SEGMENTS_MAX] = {0};
        if (!CHECK_INT(route_match(&route, str_c(cases[i].path), &arena, segments), cases[i].fits))
            CHECK_STR(str_c(cases[i].path), str_c(cases[i].route));
        if (cases[i].first) CHECK_STR(segments[0], str_c(cases[i].first));
        if (cases[i].second) CHECK_STR(segments[1], str_c(cases[i].second));
    }
    arena_fini(&arena);
}

static void parameters(void) {
    static const struct route_param params[] = {{"limit", ROUTE_INT, false, "a number"},
                                                {"from", ROUTE_TIME, false, "a time"},
                                                {"thing", ROUTE_TEXT, true, "a name"},
                                                {.name = NULL}};
    static const struct {
        const char *query;
        bool ok, open_ok; /* open: with ROUTE_ANY_PARAMS */
    } cases[] = {
        {"thing=a", true, true},
        {"thing=a&limit=5&from=2015-01-01", true, true},
        {"thing=", true, true},
        {"", false, false},
        {"limit=5", false, false},
        {"thing=a&limit=x", false, false},
        {"thing=a&limit=99999999999999999999", false, false},
        {"thing=a&from=yesterday", false, false},
        {"thing=a&other=1", false, true},
        {"thing=a&limit>=1", false, true},
    };
    struct arena arena;
    arena_init(&arena, 0);
    unit_case("query parameters against their table");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct route route = {.path = "/", .params = params, .handler = nothing};
        struct http_pair *pairs;
        size_t n;
        CHECK_OK(http_text_query(str_c(cases[i].query), &arena, &pairs, &n));
        if (!CHECK_INT(route_check_params(&route, pairs, n).code == ERR_NONE, cases[i].ok))
            CHECK_STR(str_c(cases[i].query), STR("closed"));
        route.flags = ROUTE_ANY_PARAMS;
        if (!CHECK_INT(route_check_params(&route, pairs, n).code == ERR_NONE, cases[i].open_ok))
            CHECK_STR(str_c(cases[i].query), STR("open"));
    }
    arena_fini(&arena);
}

void route_test(void) {
    matching();
    parameters();
}
