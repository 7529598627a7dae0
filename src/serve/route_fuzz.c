/* A path against templates, and its query against a table of parameters. What fits comes out decoded. */
#include "serve/route.h"

static Err nothing(struct api_call *call) {
    (void)call;
    return err_none();
}

static const struct route_param params[] = {{"limit", ROUTE_INT, false, "a number"},
                                            {"from", ROUTE_TIME, true, "a time"},
                                            {"q", ROUTE_TEXT, false, "a text"},
                                            {.name = NULL}};
static const struct route routes[] = {
    {.path = "/", .handler = nothing},
    {.path = "/api/v1/docs/{type}/{id}/{transition}", .handler = nothing},
    {.path = "/api/v1/things/{name}", .params = params, .handler = nothing},
    {.path = "/{a}", .params = params, .flags = ROUTE_ANY_PARAMS, .handler = nothing},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str path, query, segments[ROUTE_SEGMENTS_MAX];
    struct http_pair *pairs;
    struct arena arena;
    size_t n;
    arena_init(&arena, 0);
    str_cut(str_n((const char *)data, size), '?', &path, &query);
    bool parsed = http_text_query(query, &arena, &pairs, &n).code == ERR_NONE;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        for (size_t s = 0; s < ROUTE_SEGMENTS_MAX; s++) segments[s] = (Str){0};
        bool fits = route_match(&routes[i], path, &arena, segments);
        ASSERT(!fits || route_match(&routes[i], path, NULL, NULL));
        for (size_t s = 0; fits && s < ROUTE_SEGMENTS_MAX; s++) ASSERT(str_is_utf8(segments[s]));
        if (parsed) route_check_params(&routes[i], pairs, n);
    }
    arena_fini(&arena);
    return 0;
}
