#include "serve/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/process.h"
#include "tests/lib/serve_rig.h"

#define PATIENCE (60 * NANOS_PER_S)

static void open_live(struct serve_rig *rig, const char *token, struct http_client *c) {
    char text[300];
    http_client_open(c, serve_address(rig->serve));
    snprintf(text, sizeof text,
             "GET /api/v1/live HTTP/1.1\r\nHost: t\r\nAuthorization: Bearer %s\r\nLast-Event-ID: 7\r\n\r\n", token);
    http_client_send(c, str_c(text));
}

static void events(struct serve_rig *rig) {
    struct http_client mine, theirs, technician;
    unit_case("a live client hears the status at once");
    open_live(rig, rig->viewer, &mine);
    CHECK(http_client_wait(&mine, "event: status\ndata: {\"version\":\"0.0.test\"", PATIENCE));
    CHECK(str_find(buf_view(&mine.in), STR("Content-Type: text/event-stream")) > 0);
    CHECK(str_find(buf_view(&mine.in), STR("\"party\":\"acme\"")) > 0);
    open_live(rig, rig->stranger, &theirs);
    open_live(rig, rig->technician, &technician);
    CHECK(http_client_wait(&theirs, "\"party\":\"other\"", PATIENCE));
    CHECK(http_client_wait(&technician, "\"party\":\"acme\"", PATIENCE));

    unit_case("a document's change is told to who may read it, and to nobody else");
    serve_rig_json(rig, rig->manager, "POST", "/api/v1/docs/fault", "{'thing':'m-1','occurred_at':'2015-01-01'}", 201);
    static const char doc[] = "event: doc\ndata: {\"type\":\"fault\",\"id\":1,\"number\":\"FA-000001\","
                              "\"state\":\"reported\",\"thing\":\"m-1\"}";
    CHECK(http_client_wait(&mine, doc, PATIENCE));
    CHECK(http_client_wait(&technician, doc, PATIENCE));
    serve_rig_json(rig, rig->manager, "POST", "/api/v1/docs/fault/1/repair", NULL, 200);
    CHECK(http_client_wait(&mine, "\"state\":\"repaired\"", PATIENCE));

    unit_case("a machine that changed is told with its whole item");
    clock_sleep(1500 * NANOS_PER_MS); /* the fleet was looked at once since */
    buf_clear(&mine.in);
    serve_rig_sample(rig, "m-2", SERVE_RIG_START, 170);
    CHECK(http_client_wait(&mine, "event: things\ndata: [{\"name\":\"m-2\"", PATIENCE));
    CHECK(http_client_wait(&mine, "\"last_seen\":\"2015-01-01T00:00:00Z\"", PATIENCE));
    CHECK(str_find(buf_view(&theirs.in), STR("event: doc")) < 0);
    CHECK(!http_client_wait(&theirs, "event: things", NANOS_PER_S));
    http_client_close(&mine);
    http_client_close(&theirs);
    http_client_close(&technician);

    unit_case("nobody hears anything without signing in, and HEAD opens no stream");
    CHECK_INT(serve_rig_ask(rig, NULL, "GET", "/api/v1/live", NULL).status, 401);
    CHECK_INT(serve_rig_ask(rig, rig->viewer, "HEAD", "/api/v1/live", NULL).status, 200);
    CHECK_INT(serve_rig_ask(rig, rig->viewer, "GET", "/api/v1/status", NULL).status, 200);
}

static void crowd(struct serve_rig *rig) {
    enum { N = 1000, BATCH = 100 };
    unit_case("a thousand live clients all hear the same change");
    struct http_client *c = calloc(N, sizeof *c);
    ASSERT(c != NULL);
    int joined = 0;
    for (int from = 0; from < N; from += BATCH) { /* fewer at once than the server's queue takes */
        for (int i = from; i < from + BATCH; i++) open_live(rig, rig->viewer, &c[i]);
        for (int i = from; i < from + BATCH; i++) joined += http_client_wait(&c[i], "event: status", PATIENCE);
    }
    CHECK_INT(joined, N);
    serve_rig_json(rig, rig->manager, "POST", "/api/v1/docs/fault", "{'thing':'m-2','occurred_at':'2015-01-01'}", 201);
    int heard = 0;
    for (int i = 0; i < N; i++) heard += http_client_wait(&c[i], "\"number\":\"FA-000002\"", PATIENCE);
    CHECK_INT(heard, N);
    for (int i = 0; i < N; i++) http_client_close(&c[i]);
    free(c);
    CHECK_INT(serve_rig_ask(rig, rig->viewer, "GET", "/api/v1/status", NULL).status, 200);
}

void live_test(void) {
    struct serve_rig rig;
    process_raise_fd_limit();
    if (serve_rig_open(&rig, 4096)) {
        events(&rig);
        crowd(&rig);
    }
    serve_rig_close(&rig);
}
