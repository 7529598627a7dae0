#include <stdio.h>
#include <string.h>

#include "document/imports.h"
#include "os/file.h"
#include "tests/lib/serve_rig.h"

void api_imports_test(void);

static struct json *last;

/* Sends bytes; the answer's JSON lives until the next call. */
static const struct json *send_file(struct serve_rig *rig, const char *token, const char *target, Str bytes,
                                    int status) {
    char extra[300];
    snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\nContent-Type: text/csv\r\n", token);
    struct http_answer a = http_client_ask(&rig->client, "POST", target, extra, bytes);
    if (!CHECK_INT(a.status, status)) CHECK_STR(a.body, str_c(target));
    json_free(last);
    last = NULL;
    if (json_parse(a.body, &last).code != ERR_NONE) json_parse(STR("{}"), &last);
    return last;
}

static const char *at(const char *id, const char *rest) {
    static char text[200];
    snprintf(text, sizeof text, "/api/v1/imports/%s%s", id, rest);
    return text;
}

#define JSON(who, method, target, body, status) serve_rig_json(rig, (who), (method), (target), (body), (status))

static void whole_way(struct serve_rig *rig) {
    char id[32];
    const struct json *v;
    unit_case("a table is sent, its columns are recognised");
    v = send_file(rig, rig->manager, "/api/v1/imports?type=part&name=parts.csv",
                  STR("备件编码,On hand,库位,note\nX-1,5,A1,\nX-2,many,A2,\nX-1,1,,\n"), 201);
    snprintf(id, sizeof id, STR_FMT, STR_ARG(serve_rig_at(v, "id")));
    CHECK_AT(v, "state", "uploaded");
    CHECK_AT(v, "columns.0.field", "code");
    CHECK_AT(v, "columns.1.field", "on_hand");
    CHECK_AT(v, "columns.2.field", "null");
    CHECK_AT(v, "columns.2.samples.1", "A2");
    CHECK_AT(v, "fields.0.name", "code");

    unit_case("mapped, checked: each bad row is named");
    v = JSON(rig->manager, "POST", at(id, ""),
             "{'mapping':{'备件编码':'code','On hand':'on_hand','库位':'location'},'mode':'skip','start':true}", 200);
    imports_drain(rig->imports);
    v = JSON(rig->manager, "GET", at(id, ""), NULL, 200);
    CHECK_AT(v, "state", "checked");
    CHECK_AT(v, "rows", "3");
    CHECK_AT(v, "good", "1");
    CHECK_AT(v, "bad", "2");
    v = JSON(rig->manager, "GET", at(id, "/errors?limit=1"), NULL, 200);
    CHECK_AT(v, "items.0.row", "3");
    CHECK_AT(v, "items.0.field", "on_hand");
    CHECK_AT(v, "items.0.value", "many");
    char next[100];
    snprintf(next, sizeof next, "/errors?cursor=" STR_FMT, STR_ARG(serve_rig_at(v, "next")));
    v = JSON(rig->manager, "GET", at(id, next), NULL, 200);
    CHECK_AT(v, "items.0.row", "4");
    CHECK_AT(v, "items.0.message", "row 2 has the same value already");
    CHECK_AT(v, "next", "null");
    struct http_answer a = serve_rig_ask(rig, rig->manager, "GET", at(id, "/errors?format=csv"), NULL);
    CHECK(str_find(a.body, STR("3,On hand,on_hand,many,\"a decimal")) > 0);

    unit_case("applied, and there; listed; forgotten without its documents");
    JSON(rig->manager, "POST", at(id, "/apply"), NULL, 200);
    imports_drain(rig->imports);
    v = JSON(rig->manager, "GET", "/api/v1/imports?type=part", NULL, 200);
    CHECK_AT(v, "items.0.state", "done");
    CHECK_AT(v, "items.0.applied", "1");
    CHECK_AT(JSON(rig->manager, "GET", "/api/v1/imports?type=order", NULL, 200), "items", "[0]");
    CHECK_AT(JSON(rig->manager, "GET", "/api/v1/docs/part", NULL, 200), "items.0.location", "A1");
    CHECK_AT(JSON(rig->stranger, "GET", "/api/v1/imports", NULL, 200), "items", "[0]");
    JSON(rig->stranger, "GET", at(id, ""), NULL, 404);
    JSON(rig->manager, "DELETE", at(id, "?documents=keep"), NULL, 204);
    JSON(rig->manager, "GET", at(id, ""), NULL, 404);
    CHECK_AT(JSON(rig->manager, "GET", "/api/v1/docs/part", NULL, 200), "total", "1");
}

static bool count_upload(void *ctx, Str name) {
    *(int *)ctx += str_starts(name, STR("upload-"));
    return true;
}

static void refused(struct serve_rig *rig) {
    struct buf big = {0};
    int left = 0;
    unit_case("strangers, other roles, wrong types, nothing at all, bombs");
    send_file(rig, "weft_nobody", "/api/v1/imports?type=part", STR("code\nX\n"), 401);
    for (int i = 0; i < 3000000; i++) buf_byte(&big, 'x');
    send_file(rig, "weft_nobody", "/api/v1/imports?type=part", buf_view(&big), 413);
    send_file(rig, rig->viewer, "/api/v1/imports?type=part", STR("code\nX\n"), 403);
    send_file(rig, rig->manager, "/api/v1/imports?type=nonsense", STR("code\nX\n"), 404);
    send_file(rig, rig->manager, "/api/v1/imports", STR("code\nX\n"), 400);
    send_file(rig, rig->manager, "/api/v1/imports?type=part", STR(""), 400);
    send_file(rig, rig->manager, "/api/v1/imports?type=part", buf_view(&big), 413); /* one cell of 3 MB */
    buf_clear(&big);
    CHECK_OK(file_load(file_disk, "tests/golden/sheets/bomb.xlsx", 1000000, &big));
    const struct json *v = send_file(rig, rig->manager, "/api/v1/imports?type=part", buf_view(&big), 413);
    CHECK(str_find(serve_rig_at(v, "detail"), STR("unpacks to far more")) > 0);
    buf_clear(&big);
    CHECK_OK(file_load(file_disk, "tests/golden/sheets/entities.xlsx", 1000000, &big));
    send_file(rig, rig->manager, "/api/v1/imports?type=part", buf_view(&big), 400);
    JSON(rig->manager, "GET", "/api/v1/imports/i000000000000", NULL, 404);
    JSON(rig->manager, "GET", "/api/v1/imports/..%2f..%2fsecret", NULL, 404);
    CHECK_OK(file_list(file_disk, imports_dir(rig->imports), count_upload, &left));
    CHECK_INT(left, 0);
    buf_fini(&big);
}

void api_imports_test(void) {
    static struct serve_rig rig;
    unit_case("a server");
    if (CHECK(serve_rig_open(&rig, 0))) {
        whole_way(&rig);
        refused(&rig);
    }
    json_free(last);
    serve_rig_close(&rig);
}
