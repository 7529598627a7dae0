/* The API over real stores, through a socket. */
#include "serve/api.h"

#include <stdio.h>
#include <string.h>

#include "os/gzip.h"
#include "serve/console_file.h"
#include "tests/lib/serve_rig.h"

#define JSON(token, method, target, body, status) serve_rig_json(rig, (token), (method), (target), (body), (status))

/* ---- who may */

static void sessions(struct serve_rig *rig) {
    char extra[300];
    unit_case("signing in, acting and signing out by cookie");
    struct http_answer a =
        serve_rig_ask(rig, NULL, "POST", "/api/v1/session", "{'user':'ann','password':'correct horse'}");
    CHECK_INT(a.status, 200);
    CHECK(str_find(a.body, STR("\"user\":\"ann\"")) >= 0 &&
          str_find(a.body, STR("\"party\":{\"id\":1,\"name\":\"acme\"")) >= 0);
    Str cookie, attributes;
    str_cut(http_client_header(&a, "Set-Cookie"), ';', &cookie, &attributes);
    CHECK(str_starts(cookie, STR("weft_session=")));
    CHECK(str_find(attributes, STR("HttpOnly")) >= 0 && str_find(attributes, STR("SameSite=Strict")) >= 0);
    snprintf(extra, sizeof extra, "Cookie: a=b; " STR_FMT "\r\n", STR_ARG(cookie));
    CHECK_INT(http_client_ask(&rig->client, "GET", "/api/v1/session", extra, (Str){0}).status, 200);
    CHECK_INT(http_client_ask(&rig->client, "GET", "/api/v1/users", extra, (Str){0}).status, 200);

    unit_case("a change by cookie needs the header that other sites cannot send");
    snprintf(extra, sizeof extra, "Cookie: " STR_FMT "\r\nContent-Type: application/json\r\n", STR_ARG(cookie));
    CHECK_INT(http_client_ask(&rig->client, "PATCH", "/api/v1/things/m-1", extra, STR("{\"latitude\":1}")).status, 403);
    snprintf(extra, sizeof extra, "Cookie: " STR_FMT "\r\nContent-Type: application/json\r\nX-Weft: 1\r\n",
             STR_ARG(cookie));
    CHECK_INT(http_client_ask(&rig->client, "PATCH", "/api/v1/things/m-1", extra, STR("{\"latitude\":1}")).status, 200);

    CHECK_INT(http_client_ask(&rig->client, "DELETE", "/api/v1/session", extra, (Str){0}).status, 204);
    CHECK_INT(http_client_ask(&rig->client, "GET", "/api/v1/session", extra, (Str){0}).status, 401);

    unit_case("wrong passwords are refused, and after a few of them right ones too");
    for (int i = 0; i < 5; i++) JSON(NULL, "POST", "/api/v1/session", "{'user':'ann','password':'wrong'}", 401);
    a = serve_rig_ask(rig, NULL, "POST", "/api/v1/session", "{'user':'ann','password':'correct horse'}");
    CHECK_INT(a.status, 429);
    CHECK_STR(http_client_header(&a, "Retry-After"), STR("60"));
    JSON(NULL, "POST", "/api/v1/session", "{'user':'ann'}", 400);
    JSON(NULL, "POST", "/api/v1/session", NULL, 400);
}

static void access(struct serve_rig *rig) {
    static const struct {
        const char *name, *method, *target, *body;
        int nobody, viewer, technician, manager, stranger;
    } cases[] = {
        {"status", "GET", "/api/v1/status", NULL, 401, 200, 200, 200, 200},
        {"things", "GET", "/api/v1/things", NULL, 401, 200, 200, 200, 200},
        {"another party's thing", "GET", "/api/v1/things/m-1", NULL, 401, 200, 200, 200, 404},
        {"changing a thing", "PATCH", "/api/v1/things/m-2", "{'model':'model3'}", 401, 403, 403, 200, 404},
        {"users", "GET", "/api/v1/users", NULL, 401, 403, 403, 200, 200},
        {"audit", "GET", "/api/v1/audit", NULL, 401, 403, 403, 200, 200},
        {"dead letters", "GET", "/api/v1/dead-letters", NULL, 401, 403, 403, 200, 200},
        {"a document that only the system makes", "POST", "/api/v1/docs/alarm",
         "{'thing':'m-1','kind':'code','severity':'low','raised_at':'2015-01-01'}", 401, 403, 403, 403, 403},
        {"a document of the crew", "POST", "/api/v1/docs/fault", "{'thing':'m-1','occurred_at':'2015-01-01'}", 401, 403,
         201, 201, 400},
        {"health", "GET", "/healthz", NULL, 200, 200, 200, 200, 200},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        JSON(NULL, cases[i].method, cases[i].target, cases[i].body, cases[i].nobody);
        JSON(rig->viewer, cases[i].method, cases[i].target, cases[i].body, cases[i].viewer);
        JSON(rig->technician, cases[i].method, cases[i].target, cases[i].body, cases[i].technician);
        JSON(rig->manager, cases[i].method, cases[i].target, cases[i].body, cases[i].manager);
        JSON(rig->stranger, cases[i].method, cases[i].target, cases[i].body, cases[i].stranger);
    }
    unit_case("tokens that are none");
    JSON("weft_nonsense", "GET", "/api/v1/status", NULL, 401);
    struct http_answer a =
        http_client_ask(&rig->client, "GET", "/api/v1/status", "Authorization: Basic YTpi\r\n", (Str){0});
    CHECK_INT(a.status, 401);
    CHECK_STR(http_client_header(&a, "WWW-Authenticate"), STR("Bearer"));
}

/* ---- the frame around every handler */

static void frame(struct serve_rig *rig) {
    unit_case("unknown addresses, methods and parameters");
    JSON(rig->manager, "GET", "/api/v1/nothing", NULL, 404);
    JSON(rig->manager, "GET", "/api", NULL, 404);
    struct http_answer a = serve_rig_ask(rig, rig->manager, "PUT", "/api/v1/docs/alarm/1", NULL);
    CHECK_INT(a.status, 405);
    CHECK_STR(http_client_header(&a, "Allow"), STR("DELETE, GET, HEAD, PATCH, OPTIONS"));
    a = serve_rig_ask(rig, NULL, "OPTIONS", "/api/v1/things", NULL);
    CHECK_INT(a.status, 204);
    CHECK_STR(http_client_header(&a, "Allow"), STR("GET, HEAD, OPTIONS"));
    a = serve_rig_ask(rig, rig->manager, "BREW", "/api/v1/things", NULL);
    CHECK_INT(a.status, 405);
    const struct json *v = JSON(rig->manager, "GET", "/api/v1/things?colour=red", NULL, 400);
    CHECK_AT(v, "type", "/problems/invalid");
    CHECK_AT(v, "detail", "query parameter 'colour' is not known here: see /api/v1/openapi.json");
    JSON(rig->manager, "GET", "/api/v1/things?limit=many", NULL, 400);
    JSON(rig->manager, "GET", "/api/v1/things/%zz", NULL, 400);
    JSON(rig->manager, "GET", "/api/v1/series?thing=m-1", NULL, 400);

    unit_case("bodies that are not what the API takes");
    JSON(rig->manager, "POST", "/api/v1/docs/fault", "[1]", 400);
    JSON(rig->manager, "POST", "/api/v1/docs/fault", "{'thing':", 400);
    JSON(rig->manager, "POST", "/api/v1/docs/fault", "{'thing':'m-1','thing':'m-2'}", 400);
    JSON(rig->manager, "POST", "/api/v1/docs/fault", NULL, 400);
    char extra[200];
    snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\nContent-Type: text/plain\r\n", rig->manager);
    CHECK_INT(http_client_ask(&rig->client, "POST", "/api/v1/docs/fault", extra, STR("{}")).status, 415);

    unit_case("every answer has its headers");
    a = serve_rig_ask(rig, rig->manager, "GET", "/api/v1/status", NULL);
    CHECK_STR(http_client_header(&a, "X-Content-Type-Options"), STR("nosniff"));
    CHECK_STR(http_client_header(&a, "Cache-Control"), STR("no-store"));
    CHECK(str_find(http_client_header(&a, "Content-Security-Policy"), STR("frame-ancestors 'none'")) >= 0);
    CHECK(http_client_header(&a, "X-Request-Id").len > 0);
    a = http_client_ask(&rig->client, "HEAD", "/healthz", NULL, (Str){0});
    CHECK_INT(a.status, 200);
    CHECK_INT(a.body.len, 0);

    unit_case("a gzip body is as good as a plain one");
    struct buf packed = {0};
    gzip_pack(STR("{\"thing\":\"m-1\",\"occurred_at\":\"2015-01-01\",\"text\":\"packed\"}"), 6, &packed);
    snprintf(extra, sizeof extra,
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n", rig->manager);
    CHECK_INT(http_client_ask(&rig->client, "POST", "/api/v1/docs/fault", extra, buf_view(&packed)).status, 201);
    buf_fini(&packed);
}

/* ---- documents */

static void documents(struct serve_rig *rig) {
    unit_case("a document is made, read, changed and moved");
    struct http_answer a = serve_rig_ask(rig, rig->manager, "POST", "/api/v1/docs/part",
                                         "{'code':'PN-1','title_en':'Pump','on_hand':'3','component':'comp3'}");
    CHECK_INT(a.status, 201);
    CHECK_STR(http_client_header(&a, "Location"), STR("/api/v1/docs/part/1"));
    CHECK_STR(http_client_header(&a, "ETag"), STR("\"1\""));
    const struct json *v = JSON(rig->viewer, "GET", "/api/v1/docs/part/PA-000001", NULL, 200);
    CHECK_AT(v, "id", "1");
    CHECK_AT(v, "on_hand", "3");
    CHECK_AT(v, "state", "active");
    CHECK_AT(v, "can", "[0]");
    v = JSON(rig->manager, "GET", "/api/v1/docs/part/1", NULL, 200);
    CHECK_AT(v, "can.0", "retire");
    v = JSON(rig->manager, "PATCH", "/api/v1/docs/part/1", "{'location':'Suzhou'}", 200);
    CHECK_AT(v, "version", "2");
    v = JSON(rig->manager, "POST", "/api/v1/docs/part/1/retire", NULL, 200);
    CHECK_AT(v, "state", "retired");
    v = JSON(rig->manager, "POST", "/api/v1/docs/part/1/retire", NULL, 409);
    CHECK_AT(v, "type", "/problems/state");
    JSON(rig->manager, "POST", "/api/v1/docs/part/1/explode", NULL, 404);
    JSON(rig->manager, "GET", "/api/v1/docs/part/99", NULL, 404);
    JSON(rig->manager, "GET", "/api/v1/docs/unicorn", NULL, 404);
    JSON(rig->stranger, "GET", "/api/v1/docs/part/1", NULL, 404);

    unit_case("faults are named with their field");
    v = JSON(rig->manager, "POST", "/api/v1/docs/part", "{'title_en':'x','on_hand':3}", 400);
    Str detail = serve_rig_at(v, "detail");
    CHECK(str_find(detail, STR("code")) >= 0 && str_find(detail, STR("on_hand")) >= 0);
    JSON(rig->manager, "POST", "/api/v1/docs/part", "{'code':'PN-1'}", 409);
}

static void tags(struct serve_rig *rig) {
    static const struct {
        const char *header;
        int status;
    } cases[] = {
        {"If-Match: \"1\"", 412}, {"If-Match: \"3\"", 200}, {"If-Match: *", 200},
        {"If-Match: x", 412},     {"If-Match: \"0\"", 412}, {"X-No: 1", 200},
    };
    unit_case("If-Match guards a change, If-None-Match a reading");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char extra[300];
        snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\nContent-Type: application/json\r\n%s\r\n",
                 rig->manager, cases[i].header);
        struct http_answer a =
            http_client_ask(&rig->client, "PATCH", "/api/v1/docs/part/1", extra, STR("{\"location\":\"Kunshan\"}"));
        if (!CHECK_INT(a.status, cases[i].status)) CHECK_STR(str_c(cases[i].header), a.body);
    }
    struct http_answer a = serve_rig_ask(rig, rig->manager, "GET", "/api/v1/docs/part/1", NULL);
    char extra[300];
    snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\nIf-None-Match: " STR_FMT "\r\n", rig->manager,
             STR_ARG(http_client_header(&a, "ETag")));
    a = http_client_ask(&rig->client, "GET", "/api/v1/docs/part/1", extra, (Str){0});
    CHECK_INT(a.status, 304);
    CHECK_INT(a.body.len, 0);
}

static void lists(struct serve_rig *rig) {
    unit_case("lists are filtered, sorted, counted and paged");
    for (int i = 0; i < 25; i++) {
        char body[200];
        snprintf(body, sizeof body, "{'thing':'m-%d','priority':'%s','title_en':'job %d','kind':'request'}", i % 2 + 1,
                 i % 5 ? "normal" : "urgent", i);
        JSON(rig->manager, "POST", "/api/v1/docs/work_order", body, 201);
    }
    const struct json *v = JSON(rig->viewer, "GET", "/api/v1/docs/work_order?thing=m-1&limit=5", NULL, 200);
    CHECK_AT(v, "total", "13");
    CHECK_AT(v, "items", "[5]");
    CHECK_AT(v, "items.0.number", "WO-000025");
    int pages = 1, items = 5;
    char next[400], target[500];
    snprintf(next, sizeof next, STR_FMT, STR_ARG(serve_rig_at(v, "next")));
    while (strcmp(next, "null") != 0 && pages < 10) {
        snprintf(target, sizeof target, "/api/v1/docs/work_order?thing=m-1&limit=5&cursor=%s", next);
        v = JSON(rig->viewer, "GET", target, NULL, 200);
        items += (int)json_len(json_get(v, "items"));
        pages++;
        snprintf(next, sizeof next, STR_FMT, STR_ARG(serve_rig_at(v, "next")));
    }
    CHECK_INT(pages, 3);
    CHECK_INT(items, 13);
    v = JSON(rig->viewer, "GET", "/api/v1/docs/work_order?priority=urgent&sort=number&limit=1", NULL, 200);
    CHECK_AT(v, "total", "5");
    CHECK_AT(v, "items.0.title_en", "job 0");
    v = JSON(rig->viewer, "GET", "/api/v1/docs/work_order?count=priority", NULL, 200);
    CHECK_AT(v, "counts", "[2]");
    v = JSON(rig->viewer, "GET", "/api/v1/docs/work_order?count=state&thing=m-2", NULL, 200);
    CHECK_AT(v, "counts.0.key", "requested");
    CHECK_AT(v, "counts.0.count", "12");
    v = JSON(rig->viewer, "GET", "/api/v1/docs/fault?occurred_at%3E=2016-01-01", NULL, 200);
    CHECK_AT(v, "total", "0");
    v = JSON(rig->stranger, "GET", "/api/v1/docs/work_order", NULL, 200);
    CHECK_AT(v, "total", "0");
    JSON(rig->viewer, "GET", "/api/v1/docs/work_order?colour=red", NULL, 400);
    JSON(rig->viewer, "GET", "/api/v1/docs/work_order?sort=colour", NULL, 400);
    JSON(rig->viewer, "GET", "/api/v1/docs/work_order?count=colour", NULL, 400);
    JSON(rig->viewer, "GET", "/api/v1/docs/work_order?cursor=nonsense", NULL, 400);

    unit_case("types describe themselves to who may read them");
    v = JSON(rig->viewer, "GET", "/api/v1/docs", NULL, 200);
    CHECK_AT(v, "items.0.name", "alarm");
    CHECK_AT(v, "items.0.title_zh", "告警");
}

static void once(struct serve_rig *rig) {
    char extra[300];
    unit_case("a request sent again under its key is done once");
    snprintf(extra, sizeof extra,
             "Authorization: Bearer %s\r\nContent-Type: application/json\r\nIdempotency-Key: k1\r\n", rig->manager);
    Str body = STR("{\"thing\":\"m-2\",\"occurred_at\":\"2015-01-02\",\"text\":\"once\"}");
    struct http_answer a = http_client_ask(&rig->client, "POST", "/api/v1/docs/fault", extra, body);
    struct http_answer b = http_client_ask(&rig->client, "POST", "/api/v1/docs/fault", extra, body);
    CHECK_INT(a.status, 201);
    CHECK_INT(b.status, 201);
    CHECK_STR(b.body, a.body);
    CHECK_STR(http_client_header(&b, "Idempotent-Replayed"), STR("true"));
    CHECK_STR(http_client_header(&b, "Location"), http_client_header(&a, "Location"));
    CHECK_INT(http_client_ask(&rig->client, "POST", "/api/v1/docs/fault", extra, STR("{}")).status, 400);
}

/* ---- machines */

static void things(struct serve_rig *rig) {
    unit_case("the fleet with what stands on each machine");
    struct doc *doc;
    struct arena arena;
    arena_init(&arena, 0);
    struct doc_set alarm[] = {{"thing", VALUE_S(STR("m-1"))},
                              {"kind", VALUE_S(STR("limit"))},
                              {"severity", VALUE_S(STR("high"))},
                              {"raised_at", VALUE_I(SERVE_RIG_START)}};
    struct doc_set prediction[] = {{"thing", VALUE_S(STR("m-1"))},
                                   {"component", VALUE_S(STR("comp2"))},
                                   {"probability", VALUE_F(0.75)},
                                   {"horizon_hours", VALUE_F(48)},
                                   {"predicted_at", VALUE_I(SERVE_RIG_START)},
                                   {"expected_by", VALUE_I(SERVE_RIG_START + 2 * NANOS_PER_DAY)}};
    CHECK_OK(documents_create(rig->documents, &rig->system, documents_type(rig->documents, STR("alarm")),
                              &(struct doc_change){.set = alarm, .n = 4}, &arena, &doc));
    CHECK_OK(documents_create(rig->documents, &rig->system, documents_type(rig->documents, STR("prediction")),
                              &(struct doc_change){.set = prediction, .n = 6}, &arena, &doc));
    arena_fini(&arena);
    serve_rig_sample(rig, "m-1", SERVE_RIG_START, 170.5);
    const struct json *v = JSON(rig->viewer, "GET", "/api/v1/things", NULL, 200);
    CHECK_AT(v, "total", "3");
    CHECK_AT(v, "items.0.name", "m-1");
    CHECK_AT(v, "items.0.open_alarms", "1");
    CHECK_AT(v, "items.0.prediction.component", "comp2");
    CHECK_AT(v, "items.0.prediction.probability", "0.75");
    CHECK_AT(v, "items.0.prediction.expected_by", "2015-01-03T00:00:00Z");
    CHECK_AT(v, "items.0.work_order.number", "WO-000025");
    CHECK_AT(v, "items.0.last_seen", "2015-01-01T00:00:00Z");
    CHECK_AT(v, "items.0.health", "null");
    CHECK_AT(v, "items.1.open_alarms", "0");
    CHECK_AT(v, "items.1.prediction", "null");
    v = JSON(rig->viewer, "GET", "/api/v1/things?q=M-&limit=1", NULL, 200);
    CHECK_AT(v, "total", "2");
    CHECK_AT(v, "next", "m-1");
    v = JSON(rig->viewer, "GET", "/api/v1/things?q=M-&limit=1&cursor=m-1", NULL, 200);
    CHECK_AT(v, "items.0.name", "m-2");
    CHECK_AT(v, "next", "null");
    v = JSON(rig->viewer, "GET", "/api/v1/things?model=open", NULL, 200);
    CHECK_AT(v, "items.0.name", "odd/名 1");
    JSON(rig->viewer, "GET", "/api/v1/things?state=broken", NULL, 400);
    v = JSON(rig->viewer, "GET", "/api/v1/things?state=offline", NULL, 200);
    CHECK_AT(v, "total", "2");

    unit_case("one machine, by a name that must be escaped");
    v = JSON(rig->viewer, "GET", "/api/v1/things/odd%2F%E5%90%8D%201", NULL, 200);
    CHECK_AT(v, "name", "odd/名 1");
    CHECK_AT(v, "components", "[0]");
    v = JSON(rig->viewer, "GET", "/api/v1/things/m-1", NULL, 200);
    CHECK_AT(v, "latest.0.metric", "volt");
    CHECK_AT(v, "latest.0.value", "170.5");
    CHECK_AT(v, "components.1.title_zh", "主轴轴承组");
    CHECK_AT(v, "health.index", "null");

    unit_case("a machine's place and attributes are changed by hand");
    v = JSON(rig->manager, "PATCH", "/api/v1/things/m-2",
             "{'latitude':31.5,'longitude':120.25,'attributes':{'site':'hall 3'},'model':'model1'}", 200);
    CHECK_AT(v, "latitude", "31.5");
    CHECK_AT(v, "attributes.site", "hall 3");
    CHECK_AT(v, "model", "model1");
    CHECK_INT(rig->models_changed, 1);
    v = JSON(rig->manager, "PATCH", "/api/v1/things/m-2", "{'attributes':{'site':'hall 4'}}", 200);
    CHECK_AT(v, "latitude", "31.5");
    JSON(rig->manager, "PATCH", "/api/v1/things/m-2", "{'latitude':91}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/things/m-2", "{'latitude':'north'}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/things/m-2", "{'colour':'red'}", 400);
    JSON(rig->manager, "PATCH", "/api/v1/things/m-9", "{'latitude':1}", 404);
}

static void charts(struct serve_rig *rig) {
    unit_case("samples and windows of a series");
    for (int i = 1; i < 8; i++) serve_rig_sample(rig, "m-1", SERVE_RIG_START + i * 15 * NANOS_PER_MIN, 170 + i);
    const struct json *v = JSON(
        rig->viewer, "GET", "/api/v1/series?thing=m-1&metric=volt&from=2015-01-01&to=2015-01-02&window=0", NULL, 200);
    CHECK_AT(v, "unit", "V");
    CHECK_AT(v, "window_s", "0");
    CHECK_AT(v, "points", "[8]");
    CHECK_AT(v, "points.0.0", "1420070400000");
    CHECK_AT(v, "points.0.1", "170.5");
    v = JSON(rig->viewer, "GET", "/api/v1/series?thing=m-1&metric=volt&from=2015-01-01&to=2015-01-02&window=1h", NULL,
             200);
    CHECK_AT(v, "window_s", "3600");
    CHECK_AT(v, "points", "[2]");
    CHECK_AT(v, "points.1.0", "1420074000000");
    CHECK_AT(v, "points.1.1", "175.5");
    CHECK_AT(v, "points.1.2", "174");
    CHECK_AT(v, "points.1.3", "177");
    CHECK_AT(v, "baseline", "null");
    v = JSON(rig->viewer, "GET", "/api/v1/series?thing=m-1&metric=volt&from=1420070400000&to=1420071300000", NULL, 200);
    CHECK_AT(v, "points", "[1]");
    JSON(rig->viewer, "GET", "/api/v1/series?thing=m-1&metric=volt&window=5x", NULL, 400);
    JSON(rig->viewer, "GET", "/api/v1/series?thing=m-1&metric=volt&window=999999999999d", NULL, 400);
    JSON(rig->viewer, "GET", "/api/v1/series?thing=m-1&metric=volt&from=2015-01-02&to=2015-01-01", NULL, 400);
    JSON(rig->viewer, "GET", "/api/v1/series?thing=m-9&metric=volt", NULL, 404);
    JSON(rig->stranger, "GET", "/api/v1/series?thing=m-1&metric=volt", NULL, 404);
}

static void boards(struct serve_rig *rig) {
    unit_case("status, models, dashboard and kernels");
    const struct json *v = JSON(rig->viewer, "GET", "/api/v1/status", NULL, 200);
    CHECK_AT(v, "version", "0.0.test");
    CHECK_AT(v, "now", "2015-01-01T00:00:00Z");
    CHECK_AT(v, "clock", "recording");
    CHECK_AT(v, "party", "acme");
    CHECK_AT(v, "things", "3");
    CHECK_AT(v, "rows_kept", "8");
    CHECK_AT(v, "replay.speed", "3600");
    v = JSON(rig->viewer, "GET", "/api/v1/models", NULL, 200);
    CHECK_AT(v, "items.0.metrics.0.name", "volt");
    CHECK_AT(v, "items.0.metrics.4.low", "null");
    CHECK_AT(v, "items.0.components.0.life_hours", "1500");
    v = JSON(rig->viewer, "GET", "/api/v1/dashboard", NULL, 200);
    CHECK_AT(v, "open_alarms.high", "1");
    CHECK_AT(v, "work_orders.requested", "25");
    CHECK_AT(v, "predictions.open", "1");
    CHECK_AT(v, "predictions.faults", "4");
    CHECK_AT(v, "predictions.recall", "0");
    CHECK_AT(v, "backtest", "null");
    v = JSON(rig->viewer, "GET", "/api/v1/kernels", NULL, 200);
    CHECK(json_get(v, "items") != NULL);
    JSON(rig->viewer, "POST", "/api/v1/kernels/nonsense", "{'files':[]}", 404);
}

/* ---- the staff's own */

static void staff(struct serve_rig *rig) {
    unit_case("users and tokens");
    JSON(rig->manager, "POST", "/api/v1/users", "{'name':'bob','password':'long enough','roles':['operator']}", 201);
    JSON(rig->manager, "POST", "/api/v1/users", "{'name':'bob','roles':['viewer']}", 409);
    JSON(rig->manager, "POST", "/api/v1/users", "{'name':'eve','password':'short','roles':['viewer']}", 400);
    JSON(rig->manager, "POST", "/api/v1/users", "{'name':'eve','roles':['emperor']}", 400);
    JSON(rig->manager, "POST", "/api/v1/users", "{'name':'eve','roles':[]}", 400);
    const struct json *v = JSON(rig->manager, "POST", "/api/v1/tokens", "{'user':'bob','role':'operator'}", 201);
    char operator_token[128];
    snprintf(operator_token, sizeof operator_token, STR_FMT, STR_ARG(serve_rig_at(v, "token")));
    JSON(operator_token, "GET", "/api/v1/users", NULL, 200);
    JSON(operator_token, "POST", "/api/v1/tokens", "{'user':'bob','role':'manager'}", 403);
    JSON(operator_token, "POST", "/api/v1/users", "{'name':'eve','roles':['manager']}", 403);
    JSON(rig->manager, "POST", "/api/v1/tokens", "{'user':'bob'}", 400);
    v = JSON(rig->manager, "GET", "/api/v1/users", NULL, 200);
    CHECK_INT(json_len(json_get(v, "items")), 4);

    unit_case("devices");
    v = JSON(rig->manager, "POST", "/api/v1/devices", "{'name':'press-7','model':'model2','gateway':true}", 201);
    CHECK(serve_rig_at(v, "password").len >= 26);
    v = JSON(rig->manager, "GET", "/api/v1/things/press-7", NULL, 200);
    CHECK_AT(v, "model", "model2");
    JSON(rig->manager, "POST", "/api/v1/devices", "{'name':''}", 400);
    JSON(rig->technician, "POST", "/api/v1/devices", "{'name':'x'}", 403);

    unit_case("every write is in the audit, newest first");
    v = JSON(rig->manager, "GET", "/api/v1/audit?type=part&limit=2", NULL, 200);
    CHECK_AT(v, "items", "[2]");
    CHECK_AT(v, "items.0.who", "token:ann");
    char target[100];
    snprintf(target, sizeof target, "/api/v1/audit?type=part&before=" STR_FMT, STR_ARG(serve_rig_at(v, "next")));
    v = JSON(rig->manager, "GET", target, NULL, 200);
    const struct json *items = json_get(v, "items");
    CHECK_STR(json_get_str(json_at(items, json_len(items) - 1), "action", (Str){0}), STR("create"));
    v = JSON(rig->stranger, "GET", "/api/v1/audit?type=part", NULL, 200);
    CHECK_AT(v, "items", "[0]");
    v = JSON(rig->manager, "GET", "/api/v1/dead-letters", NULL, 200);
    CHECK_AT(v, "items", "[0]");
}

/* ---- for machines that watch machines */

/* Every line is a comment, or a sample of a name that a HELP and a TYPE stand before, once. */
static void check_metrics(Str text) {
    char last[200] = "";
    size_t samples = 0;
    struct map {
        char name[200];
    } helped[400];
    size_t n = 0;
    while (text.len > 0) {
        Str line, rest, word, tail;
        str_cut(text, '\n', &line, &rest);
        text = rest;
        if (str_starts(line, STR("# HELP "))) {
            str_cut(str_slice(line, 7, line.len), ' ', &word, &tail);
            for (size_t i = 0; i < n; i++)
                if (!CHECK(!str_eq(word, str_c(helped[i].name)))) CHECK_STR(word, STR("(once)"));
            snprintf(helped[n++].name, sizeof helped[0].name, STR_FMT, STR_ARG(word));
            CHECK(tail.len > 3);
        } else if (str_starts(line, STR("# TYPE "))) {
            str_cut(str_slice(line, 7, line.len), ' ', &word, &tail);
            CHECK_STR(word, str_c(helped[n - 1].name));
            CHECK(str_eq(tail, STR("counter")) || str_eq(tail, STR("gauge")) || str_eq(tail, STR("histogram")));
            snprintf(last, sizeof last, STR_FMT, STR_ARG(word));
        } else {
            double value;
            ptrdiff_t blank = (ptrdiff_t)line.len - 1;
            while (blank > 0 && line.ptr[blank] != ' ') blank--;
            CHECK(str_to_f64(str_slice(line, (size_t)blank + 1, line.len), &value));
            if (!CHECK(str_starts(line, str_c(last)))) CHECK_STR(line, str_c(last));
            samples++;
        }
    }
    CHECK(samples > 60);
}

static void watching(struct serve_rig *rig) {
    unit_case("metrics in Prometheus text format");
    struct http_answer a = serve_rig_ask(rig, NULL, "GET", "/metrics", NULL);
    CHECK_INT(a.status, 200);
    check_metrics(a.body);
    CHECK(str_find(a.body, STR("weft_series_rows_total 8\n")) > 0);
    CHECK(str_find(a.body, STR("weft_ingest_messages_total 42\n")) > 0);
    CHECK(str_find(a.body,
                   STR("weft_http_requests_total{method=\"POST\",route=\"/api/v1/docs/{type}\",status=\"2xx\"}")) > 0);

    unit_case("health says which check fails");
    const struct json *v = JSON(NULL, "GET", "/healthz", NULL, 200);
    CHECK_AT(v, "status", "ok");
    rig->sick = true;
    v = JSON(NULL, "GET", "/healthz", NULL, 503);
    CHECK_AT(v, "status", "failing");
    CHECK_AT(v, "checks.0.name", "disk");
    CHECK_AT(v, "checks.0.detail", "the disk is full: make room");
    rig->sick = false;

    unit_case("the description and the pages of problems");
    v = JSON(NULL, "GET", "/api/v1/openapi.json", NULL, 200);
    CHECK_AT(v, "openapi", "3.1.0");
    CHECK_INT(serve_rig_ask(rig, NULL, "GET", "/problems/not-found", NULL).status, 200);
    JSON(NULL, "GET", "/problems/nonsense", NULL, 404);
}

static void console(struct serve_rig *rig) {
    struct http_answer a;
    unit_case("what is under /api or /assets and not there is no page");
    JSON(NULL, "GET", "/assets/none.js", NULL, 404);
    JSON(NULL, "POST", "/somewhere", "{}", console_files_count ? 405 : 404);
    unit_case("the console's pages, with tags and packing");
    if (console_files_count == 0) {
        unit_skip("the console is not built here: npm ci in console/");
        return;
    }
    a = http_client_ask(&rig->client, "GET", "/", "Accept-Encoding: gzip\r\n", (Str){0});
    CHECK_INT(a.status, 200);
    CHECK_STR(http_client_header(&a, "Content-Encoding"), STR("gzip"));
    CHECK_STR(http_client_header(&a, "Cache-Control"), STR("no-cache"));
    struct buf plain = {0};
    CHECK_OK(gzip_unpack(a.body, 1 << 24, &plain));
    a = http_client_ask(&rig->client, "GET", "/things/m-1", NULL, (Str){0});
    CHECK_INT(a.status, 200);
    CHECK_STR(a.body, buf_view(&plain));
    CHECK_STR(http_client_header(&a, "Content-Type"), STR("text/html; charset=utf-8"));
    buf_fini(&plain);
    for (size_t i = 0; i < console_files_count; i++) {
        char extra[100];
        snprintf(extra, sizeof extra, "If-None-Match: %s\r\n", console_files[i].etag);
        a = http_client_ask(&rig->client, "GET", console_files[i].path, NULL, (Str){0});
        CHECK_INT(a.status, 200);
        CHECK_STR(http_client_header(&a, "ETag"), str_c(console_files[i].etag));
        bool lasting = str_find(http_client_header(&a, "Cache-Control"), STR("immutable")) > 0;
        CHECK_INT(lasting, str_starts(str_c(console_files[i].path), STR("/assets/")));
        CHECK_INT(http_client_ask(&rig->client, "GET", console_files[i].path, extra, (Str){0}).status, 304);
    }
}

void api_test(void) {
    struct serve_rig rig;
    if (serve_rig_open(&rig, 0)) {
        access(&rig);
        frame(&rig);
        documents(&rig);
        tags(&rig);
        lists(&rig);
        once(&rig);
        things(&rig);
        charts(&rig);
        boards(&rig);
        staff(&rig);
        watching(&rig);
        console(&rig);
        sessions(&rig);
    }
    serve_rig_close(&rig);
}
