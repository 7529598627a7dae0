/* What hangs from documents, over HTTP: parts, groups, words, several writes, notes. */
#include <stdio.h>
#include <string.h>

#include "document/documents.h"
#include "tests/lib/serve_rig.h"

void api_docs_test(void);

#define ASK(method, target, body, status) serve_rig_json(rig, rig->manager, (method), (target), (body), (status))

static void at(const struct json *root, const char *path, const char *want) {
    CHECK_STR(serve_rig_at(root, path), str_c(want));
}

static void make(struct serve_rig *rig) {
    static const char *const faults[] = {
        "{'thing':'m-1','occurred_at':'2015-01-03','component':'comp1','text':'主轴承异响 bearing noise'}",
        "{'thing':'m-1','occurred_at':'2015-01-20','component':'comp2','text':'oil leak'}",
        "{'thing':'m-2','occurred_at':'2015-02-01','component':'comp1','text':'bearing hot'}"};
    for (size_t i = 0; i < 3; i++) ASK("POST", "/api/v1/docs/fault", faults[i], 201);
    ASK("POST", "/api/v1/docs/part", "{'code':'comp1','title_en':'Bearing kit','on_hand':'3'}", 201);
}

static void parts(struct serve_rig *rig) {
    unit_case("only some fields, and no total");
    const struct json *a = ASK("GET", "/api/v1/docs/fault?fields=text,number&total=false&sort=id", NULL, 200);
    at(a, "items.0.text", "主轴承异响 bearing noise");
    at(a, "items.0.component", "absent");
    at(a, "items.0.number", "FA-000001");
    at(a, "total", "absent");
    at(ASK("GET", "/api/v1/docs/fault/1?fields=number", NULL, 200), "text", "absent");
    ASK("GET", "/api/v1/docs/fault?fields=nothing", NULL, 400);
    ASK("GET", "/api/v1/docs/fault?expand=text", NULL, 400);
    ASK("GET", "/api/v1/docs/fault?expand=nothing", NULL, 400);
    unit_case("a reference that is not set is nothing, expanded or not");
    at(ASK("GET", "/api/v1/docs/fault/1?expand=prediction", NULL, 200), "prediction", "null");
}

static void groups(struct serve_rig *rig) {
    unit_case("groups by month, with measures");
    const struct json *a =
        ASK("GET", "/api/v1/docs/fault?group=occurred_at:month&measure=count,min:occurred_at", NULL, 200);
    at(a, "groups.0.keys.0", "2015-01-01T00:00:00Z");
    at(a, "groups.0.count", "2");
    at(a, "groups.0.measures.0", "2");
    at(a, "groups.0.measures.1", "2015-01-03T00:00:00Z");
    at(a, "groups.1.count", "1");
    at(a, "withheld", "0");
    at(ASK("GET", "/api/v1/docs/part?measure=sum:on_hand,avg:on_hand", NULL, 200), "groups.0.measures.0", "3");
    static const char *const wrong[] = {"group=nothing",    "group=text:month",     "group=id",
                                        "measure=sum:text", "measure=most:on_hand", "group=component,thing,state",
                                        "measure=sum"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char target[100];
        unit_case(wrong[i]);
        snprintf(target, sizeof target, "/api/v1/docs/fault?%s", wrong[i]);
        ASK("GET", target, NULL, 400);
    }
}

static void words(struct serve_rig *rig) {
    unit_case("words, in one type and in all");
    CHECK_OK(documents_search_now(rig->documents));
    const struct json *a = ASK("GET", "/api/v1/docs/fault?q=bearing&sort=id", NULL, 200);
    at(a, "total", "2");
    at(ASK("GET", "/api/v1/docs/fault?q=%E8%BD%B4%E6%89%BF", NULL, 200), "items.0.number", "FA-000001");
    a = ASK("GET", "/api/v1/search?q=bearing", NULL, 200);
    at(a, "next", "null");
    CHECK_INT((int64_t)json_len(json_get(a, "items")), 3);
    unit_case("a page at a time, each once");
    char target[200] = "/api/v1/search?q=bearing&limit=1";
    size_t n = 0;
    for (int page = 0; page < 9 && target[0]; page++) {
        a = ASK("GET", target, NULL, 200);
        n += json_len(json_get(a, "items"));
        Str next = json_get_str(a, "next", (Str){0});
        target[0] = '\0';
        if (next.len)
            snprintf(target, sizeof target, "/api/v1/search?q=bearing&limit=1&cursor=" STR_FMT, STR_ARG(next));
    }
    CHECK_INT((int64_t)n, 3);
    a = ASK("GET", "/api/v1/search?q=noise&types=fault", NULL, 200);
    at(a, "items.0.snippet", "主轴承异响 bearing noise");
    at(a, "items.0.state", "reported");
    CHECK_INT((int64_t)json_len(json_get(ASK("GET", "/api/v1/search?q=noise&types=part", NULL, 200), "items")), 0);
    a = serve_rig_json(rig, rig->stranger, "GET", "/api/v1/search?q=bearing", NULL, 200);
    CHECK_INT((int64_t)json_len(json_get(a, "items")), 0);
    ASK("GET", "/api/v1/search", NULL, 400);
    ASK("GET", "/api/v1/search?q=.", NULL, 400);
    ASK("GET", "/api/v1/search?q=a&cursor=nothing~1", NULL, 400);
}

static void several(struct serve_rig *rig) {
    unit_case("several writes, each by itself");
    const struct json *a = ASK(
        "POST", "/api/v1/docs/fault/batch",
        "{'items':[{'op':'create','doc':{'thing':'m-1','occurred_at':'2015-03-01'}},{'op':'create','doc':{}},"
        "{'op':'repair','id':1},{'op':'change','id':2,'if_version':9,'doc':{'text':'x'}},{'op':'delete','id':2},{}]}",
        200);
    at(a, "items.0.status", "201");
    at(a, "items.0.number", "FA-000004");
    at(a, "items.1.status", "400");
    at(a, "items.2.status", "200");
    at(a, "items.3.error.type", "precondition");
    at(a, "items.4.status", "403");
    at(a, "items.5.status", "400");
    unit_case("all or none");
    a = ASK(
        "POST", "/api/v1/docs/fault/batch",
        "{'atomic':true,'items':[{'op':'change','id':2,'doc':{'text':'changed'}},{'op':'change','id':99,'doc':{}}]}",
        404);
    CHECK(str_find(json_get_str(a, "detail", (Str){0}), STR("items[1]: ")) == 0);
    at(ASK("GET", "/api/v1/docs/fault/2", NULL, 200), "text", "oil leak");
    ASK("POST", "/api/v1/docs/fault/batch", "{'items':7}", 400);
    unit_case("what is never deleted");
    ASK("DELETE", "/api/v1/docs/fault/2", NULL, 403);
}

static void notes(struct serve_rig *rig) {
    char extra[300];
    unit_case("comments");
    at(ASK("POST", "/api/v1/docs/fault/2/comments", "{'text':'换了油封'}", 201), "text", "换了油封");
    at(ASK("GET", "/api/v1/docs/fault/FA-000002/comments", NULL, 200), "items.0.who", "token:ann");
    ASK("POST", "/api/v1/docs/fault/2/comments", "{'text':' '}", 400);
    ASK("POST", "/api/v1/docs/fault/99/comments", "{'text':'x'}", 404);
    serve_rig_json(rig, rig->stranger, "GET", "/api/v1/docs/fault/2/comments", NULL, 404);
    unit_case("files");
    snprintf(extra, sizeof extra,
             "Authorization: Bearer %s\r\nContent-Type: text/html\r\nX-Weft-Name: %%E5%%9B%%BE.html\r\n", rig->manager);
    struct http_answer a =
        http_client_ask(&rig->client, "POST", "/api/v1/docs/fault/2/attachments", extra, STR("<b>hi</b>"));
    CHECK_INT(a.status, 201);
    CHECK(str_find(a.body, STR("\"name\":\"图.html\",\"media_type\":\"text/html\",\"bytes\":9,\"sealed\":false")) >= 0);
    a = serve_rig_ask(rig, rig->manager, "GET", "/api/v1/docs/fault/2/attachments/1", NULL);
    CHECK_STR(a.body, STR("<b>hi</b>"));
    CHECK_STR(http_client_header(&a, "Content-Type"), STR("application/octet-stream")); /* never runs in a page */
    CHECK_STR(http_client_header(&a, "X-Content-Type-Options"), STR("nosniff"));
    at(ASK("GET", "/api/v1/docs/fault/2/attachments", NULL, 200), "items.0.bytes", "9");
    ASK("GET", "/api/v1/docs/fault/1/attachments/1", NULL, 404);
    ASK("GET", "/api/v1/docs/fault/2/attachments/x", NULL, 404);
    unit_case("history, newest first");
    ASK("PATCH", "/api/v1/docs/fault/2", "{'text':'oil leaks'}", 200);
    const struct json *h = ASK("GET", "/api/v1/docs/fault/2/history", NULL, 200);
    at(h, "items.0.action", "change");
    at(h, "items.0.before.text", "oil leak");
    at(h, "items.0.after.text", "oil leaks");
    serve_rig_json(rig, rig->stranger, "GET", "/api/v1/docs/fault/2/history", NULL, 404);
}

void api_docs_test(void) {
    static struct serve_rig rig;
    unit_case("a server");
    if (CHECK(serve_rig_open(&rig, 0))) {
        make(&rig);
        parts(&rig);
        groups(&rig);
        words(&rig);
        several(&rig);
        notes(&rig);
    }
    serve_rig_close(&rig);
}
