#include "serve/problem.h"

#include <string.h>

#include "base/json.h"
#include "tests/unit.h"

static void rendering(void) {
    struct arena arena;
    arena_init(&arena, 0);
    unit_case("every failure is a problem with its status and page");
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        struct http_request request = {.arena = &arena, .id = "7f-1"};
        struct http_response response = {.status = 200, .arena = &arena};
        struct buf page = {0};
        struct json *v;
        const char *slug = err_slug((enum err_code)code);
        problem_answer(&request, err_make((enum err_code)code, "the \"thing\" <b>\n"), &response);
        CHECK_INT(response.status, err_http_status((enum err_code)code));
        CHECK_STR(str_c(response.content_type), STR("application/problem+json"));
        if (CHECK_OK(json_parse(buf_view(&response.body), &v))) {
            CHECK_STR(json_get_str(v, "type", (Str){0}), arena_printf(&arena, "/problems/%s", slug));
            CHECK_STR(json_get_str(v, "title", (Str){0}), str_c(err_title((enum err_code)code)));
            CHECK_STR(json_get_str(v, "detail", (Str){0}), STR("the \"thing\" <b>\n"));
            CHECK_STR(json_get_str(v, "instance", (Str){0}), STR("urn:weft:request:7f-1"));
            CHECK_INT(json_get_int(v, "status", 0), response.status);
            json_free(v);
        }
        CHECK(problem_page(str_c(slug), &page));
        CHECK(str_find(buf_view(&page), str_c(err_title((enum err_code)code))) > 0);
        CHECK(str_find(buf_view(&page), STR("(null)")) < 0);
        buf_fini(&page);
        buf_fini(&response.body);
    }
    unit_case("a kind of problem that does not exist has no page");
    struct buf page = {0};
    CHECK(!problem_page(STR("nonsense"), &page));
    CHECK(!problem_page(STR("none"), &page));
    CHECK_INT(page.len, 0);
    arena_fini(&arena);
}

void problem_test(void) { rendering(); }
