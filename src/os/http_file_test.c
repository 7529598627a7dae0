/* Bodies that go to a file while they arrive, and answers that are one. */
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/http.h"
#include "tests/lib/os_http_client.h"
#include "tests/unit.h"

enum { BODY_MAX = 3000000 };

struct side {
    char dir[300];
    struct http *http;
};

static void plan(void *ctx, const struct http_request *request, struct http_plan *out) {
    struct side *side = ctx;
    out->max_body = BODY_MAX;
    if (!str_eq(request->path, STR("/memory"))) out->body_dir = side->dir;
}

/* /keep renames the file, /back answers with it, anything else leaves it. */
static void handle(void *ctx, struct http_request *request, struct http_response *response) {
    struct side *side = ctx;
    char kept[400];
    snprintf(kept, sizeof kept, "%s/kept", side->dir);
    response->content_type = "text/plain";
    bool back = str_eq(request->path, STR("/back"));
    if (back || str_eq(request->path, STR("/keep"))) CHECK_OK(file_rename(file_disk, request->body_file, kept));
    if (back)
        response->file = arena_c(request->arena, str_c(kept));
    else
        buf_printf(&response->body, "%llu %zu", (unsigned long long)request->body_bytes, request->body.len);
}

static void refuse(void *ctx, const struct http_request *request, Err err, struct http_response *response) {
    (void)ctx, (void)request;
    buf_printf(&response->body, "%s", err_slug(err.code));
}

static bool count_entry(void *ctx, Str name) {
    (void)name;
    ++*(int *)ctx;
    return true;
}

static int entries(const char *dir) {
    int n = 0;
    file_list(file_disk, dir, count_entry, &n);
    return n;
}

static void fill(struct buf *text, size_t n) {
    buf_clear(text);
    for (uint32_t i = 0; text->len < n; i++) buf_u32le(text, i * 2654435761u);
}

void http_file_test(void) {
    struct side side;
    struct http_client c;
    struct buf body = {0};
    char path[400];
    snprintf(side.dir, sizeof side.dir, "%s", unit_temp_dir());
    struct http_options options = {
        .listen = "127.0.0.1:0", .plan = plan, .handle = handle, .refuse = refuse, .ctx = &side};
    unit_case("a server whose bodies go to files");
    if (!CHECK_OK(http_start(&options, &side.http))) return;
    http_client_open(&c, http_address(side.http));
    fill(&body, 2000000);

    unit_case("a body is in its file, and gone with its request");
    struct http_answer a = http_client_ask(&c, "POST", "/leave", "", buf_view(&body));
    CHECK_STR(a.body, STR("2000000 0"));
    CHECK_INT(http_client_ask(&c, "POST", "/memory", "", STR("abc")).status, 200);
    CHECK_INT(entries(side.dir), 0);

    unit_case("a renamed file stays, byte for byte");
    CHECK_INT(http_client_ask(&c, "POST", "/keep", "", buf_view(&body)).status, 200);
    struct buf kept = {0};
    snprintf(path, sizeof path, "%s/kept", side.dir);
    CHECK_OK(file_load(file_disk, path, BODY_MAX, &kept));
    CHECK_STR(buf_view(&kept), buf_view(&body));
    CHECK_INT(entries(side.dir), 1);

    unit_case("an answer that is a file; nothing is left of it");
    a = http_client_ask(&c, "POST", "/back", "", buf_view(&body));
    CHECK_INT(a.status, 200);
    CHECK_STR(a.body, buf_view(&body));
    CHECK_INT(entries(side.dir), 0);

    unit_case("too large, said before or found on the way; packed");
    fill(&body, BODY_MAX + 100);
    CHECK_INT(http_client_ask(&c, "POST", "/leave", "", buf_view(&body)).status, 413);
    buf_clear(&body);
    buf_printf(&body, "%x\r\n", BODY_MAX + 1000);
    for (int i = 0; i < BODY_MAX + 1000; i++) buf_byte(&body, 'x');
    buf_c(&body, "\r\n0\r\n\r\n");
    http_client_send(&c, STR("POST /leave HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    http_client_send(&c, buf_view(&body));
    CHECK_INT(http_client_read(&c, false, 60 * NANOS_PER_S).status, 413);
    CHECK_INT(http_client_ask(&c, "POST", "/leave", "Content-Encoding: gzip\r\n", STR("x")).status, 415);
    CHECK_INT(http_client_ask(&c, "POST", "/memory", "", STR("abc")).status, 200);
    CHECK_INT(entries(side.dir), 0);

    unit_case("a client that goes away in the middle leaves nothing");
    http_client_send(&c, STR("POST /leave HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf"));
    http_client_close(&c);
    http_stop(side.http);
    CHECK_INT(entries(side.dir), 0);
    buf_fini(&kept);
    buf_fini(&body);
}
