/* The description against the rules of OpenAPI 3.1 that a client generator would trip over. */
#include "serve/openapi.h"

#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "serve/api.h"
#include "serve/openapi_schemas.h"
#include "tests/lib/model_machinery.h"
#include "tests/unit.h"

struct reader {
    const struct json *root;
    struct arena arena;
    struct map ids; /* operationIds seen */
    size_t operations, refs;
};

/* "#/components/schemas/X" → the member, or NULL */
static const struct json *resolve(struct reader *r, Str ref) {
    const struct json *v = r->root;
    Str rest = str_slice(ref, 2, ref.len), part, tail;
    if (!str_starts(ref, STR("#/"))) return NULL;
    while (v && rest.len > 0) {
        str_cut(rest, '/', &part, &tail);
        rest = tail;
        v = json_get(v, arena_c(&r->arena, part));
    }
    return v;
}

static void check_refs(struct reader *r, const struct json *v) {
    void *at = NULL;
    Str key;
    const struct json *member;
    if (json_kind(v) == JSON_ARRAY)
        for (size_t i = 0; i < json_len(v); i++) check_refs(r, json_at(v, i));
    if (json_kind(v) != JSON_OBJECT) return;
    while (json_next(v, &at, &key, &member)) {
        if (str_eq(key, STR("$ref")) && json_kind(member) == JSON_STRING) {
            r->refs++;
            if (!CHECK(resolve(r, json_str(member)) != NULL)) CHECK_STR(json_str(member), STR("(resolves)"));
        }
        check_refs(r, member);
    }
}

/* Declared parameters in the path are those in its braces, each once and required. */
static void check_parameters(struct reader *r, Str path, const struct json *operation) {
    const struct json *list = json_get(operation, "parameters");
    size_t braces = 0, declared = 0;
    for (size_t i = 0; i < path.len; i++) braces += path.ptr[i] == '{';
    for (size_t i = 0; list && i < json_len(list); i++) {
        const struct json *p = json_at(list, i);
        if (json_get(p, "$ref")) p = resolve(r, json_get_str(p, "$ref", (Str){0}));
        CHECK(json_get(p, "schema") != NULL);
        Str name = json_get_str(p, "name", (Str){0}), in = json_get_str(p, "in", (Str){0});
        for (size_t k = 0; k < i; k++) {
            const struct json *q = json_at(list, k);
            bool same = str_eq(json_get_str(q, "name", (Str){0}), name) && str_eq(json_get_str(q, "in", (Str){0}), in);
            if (!CHECK(!same)) CHECK_STR(name, path);
        }
        if (!str_eq(in, STR("path"))) continue;
        declared++;
        CHECK(json_get_bool(p, "required", false));
        CHECK(str_find(path, arena_printf(&r->arena, "{" STR_FMT "}", STR_ARG(name))) >= 0);
    }
    if (!CHECK_INT(declared, braces)) CHECK_STR(path, STR("(this path)"));
}

static void check_operation(struct reader *r, Str path, const struct json *operation) {
    Str id = json_get_str(operation, "operationId", (Str){0});
    r->operations++;
    uint64_t seen;
    if (!CHECK(id.len > 0 && !map_get(&r->ids, id, &seen))) CHECK_STR(id, STR("(unique)"));
    map_put(&r->ids, id, 1);
    CHECK(json_get_str(operation, "summary", (Str){0}).len > 0);
    const struct json *answers = json_get(operation, "responses");
    CHECK(answers && json_len(answers) >= 2 && json_get(answers, "default"));
    check_parameters(r, path, operation);
}

static void check_paths(struct reader *r) {
    static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
    void *at = NULL;
    Str path;
    const struct json *item;
    while (json_next(json_get(r->root, "paths"), &at, &path, &item)) {
        CHECK(path.ptr[0] == '/');
        void *in = NULL;
        Str method;
        const struct json *operation;
        while (json_next(item, &in, &method, &operation)) {
            bool known = false;
            for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) known |= str_eq_c(method, methods[i]);
            if (CHECK(known)) check_operation(r, path, operation);
        }
    }
}

/* Nothing in the table of routes is left out, unless it is hidden or stands for each type. */
static void check_coverage(struct reader *r) {
    const struct route *route;
    for (size_t i = 0; (route = api_route(i)); i++) {
        if (route->flags & (ROUTE_HIDDEN | ROUTE_PER_TYPE)) continue;
        const struct json *item = json_get(json_get(r->root, "paths"), route->path);
        char method[16] = "";
        for (const char *c = http_method_name(route->method); *c; c++) strncat(method, &(char){(char)(*c + 32)}, 1);
        if (!CHECK(json_get(item, method) != NULL)) CHECK_STR(str_c(route->path), str_c(method));
    }
    for (const struct doctype *const *t = model_machinery()->types; *t; t++) {
        const struct json *paths = json_get(r->root, "paths"), *schemas = resolve(r, STR("#/components/schemas"));
        CHECK(json_get(json_get(paths, arena_printf(&r->arena, "/api/v1/docs/%s", (*t)->name).ptr), "get") != NULL);
        const struct json *schema = json_get(schemas, (*t)->name), *members = json_get(schema, "properties");
        for (size_t f = 0; f < (*t)->n_fields; f++) {
            const struct json *member = json_get(members, (*t)->fields[f].name);
            CHECK_STR(json_get_str(member, "title", (Str){0}), str_c((*t)->fields[f].title_en));
            CHECK_STR(json_get_str(member, "x-title-zh", (Str){0}), str_c((*t)->fields[f].title_zh));
        }
    }
}

static void check_schemas(void) {
    unit_case("every schema of ours is JSON");
    for (const struct openapi_schema *s = openapi_schemas; s->name; s++) {
        struct json *v;
        if (!CHECK_OK(json_parse(str_c(s->json), &v))) continue;
        CHECK(json_kind(v) == JSON_OBJECT);
        json_free(v);
    }
}

static void check_routes(void) {
    const struct route *a, *b;
    unit_case("routes are told apart by method and path, and name schemas that exist");
    for (size_t i = 0; (a = api_route(i)); i++) {
        CHECK(i < API_ROUTES_MAX);
        CHECK_INT(api_place(a), i);
        CHECK(a->path[0] == '/' && a->id && a->summary && a->tag);
        for (size_t k = i + 1; (b = api_route(k)); k++)
            if (!CHECK(a->method != b->method || strcmp(a->path, b->path) != 0)) CHECK_STR(str_c(a->path), STR(""));
    }
}

void openapi_test(void) {
    struct reader r = {0};
    struct buf text = {0};
    struct jw w;
    struct json *root;
    jw_init(&w, &text);
    check_schemas();
    check_routes();
    unit_case("the description is valid JSON and says what it is");
    openapi_write(model_machinery()->types, "1.2.3", &w);
    if (!CHECK_OK(json_parse(buf_view(&text), &root))) return;
    r.root = root;
    arena_init(&r.arena, 0);
    map_init(&r.ids);
    CHECK_STR(json_get_str(root, "openapi", (Str){0}), STR("3.1.0"));
    CHECK_STR(json_get_str(json_get(root, "info"), "version", (Str){0}), STR("1.2.3"));
    unit_case("every reference resolves");
    check_refs(&r, root);
    CHECK(r.refs > 100);
    unit_case("operations have unique ids, answers and declared parameters");
    check_paths(&r);
    CHECK(r.operations > 40);
    unit_case("every route and document type is described");
    check_coverage(&r);
    map_fini(&r.ids);
    arena_fini(&r.arena);
    json_free(root);
    buf_fini(&text);
}
