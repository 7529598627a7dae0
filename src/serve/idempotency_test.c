#include "serve/idempotency.h"

#include <stdio.h>

#include "tests/unit.h"

static struct http_response answer(struct arena *arena, const char *body) {
    struct http_response r = {.status = 201, .content_type = "application/json", .arena = arena};
    buf_c(&r.body, body);
    http_response_header(&r, "Location", STR("/x/1"));
    http_response_header(&r, "X-Other", STR("no"));
    return r;
}

void idempotency_test(void) {
    struct arena arena;
    struct idempotency *table = idempotency_new();
    arena_init(&arena, 0);
    struct http_response first = answer(&arena, "{\"id\":1}"), again = {.status = 200, .arena = &arena};
    bool repeated;

    unit_case("the second request gets the first one's answer");
    CHECK_OK(idempotency_begin(table, STR("ann /x k1"), 7, &again, &repeated));
    CHECK(!repeated);
    CHECK_ERR(idempotency_begin(table, STR("ann /x k1"), 7, &again, &repeated), ERR_CONFLICT);
    idempotency_end(table, STR("ann /x k1"), &first);
    CHECK_OK(idempotency_begin(table, STR("ann /x k1"), 7, &again, &repeated));
    CHECK(repeated);
    CHECK_INT(again.status, 201);
    CHECK_STR(buf_view(&again.body), STR("{\"id\":1}"));
    CHECK_INT(again.n_headers, 2);
    CHECK_STR(again.headers[0].value, STR("/x/1"));

    unit_case("a key is not for another body");
    CHECK_ERR(idempotency_begin(table, STR("ann /x k1"), 8, &again, &repeated), ERR_INVALID);

    unit_case("what failed may be tried again");
    CHECK_OK(idempotency_begin(table, STR("ann /x k2"), 7, &again, &repeated));
    idempotency_end(table, STR("ann /x k2"), NULL);
    CHECK_OK(idempotency_begin(table, STR("ann /x k2"), 9, &again, &repeated));
    CHECK(!repeated);

    unit_case("the oldest keys go first");
    for (int i = 0; i < IDEMPOTENCY_KEYS_MAX; i++) {
        char name[32];
        struct http_response more = answer(&arena, "{}");
        snprintf(name, sizeof name, "bob /x %d", i);
        CHECK_OK(idempotency_begin(table, str_c(name), 1, &again, &repeated));
        CHECK(!repeated);
        idempotency_end(table, str_c(name), &more);
        buf_fini(&more.body);
    }
    CHECK_OK(idempotency_begin(table, STR("ann /x k1"), 7, &again, &repeated));
    CHECK(!repeated);

    buf_fini(&first.body);
    buf_fini(&again.body);
    idempotency_free(table);
    arena_fini(&arena);
}
