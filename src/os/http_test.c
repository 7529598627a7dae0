#include "os/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/gzip.h"
#include "os/thread.h"
#include "tests/lib/os_http_client.h"
#include "tests/unit.h"

enum { BODY_MAX = 100000, BIG = 3 * 1024 * 1024 };
static const char static_bytes[] = "bytes that outlive the server";

/* The other side of the tests: what its handlers do hangs on the path. */
struct room {
    struct http *http;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open; /* /wait returns */
    int waiting;
    struct http_stream *streams[64];
    int n_streams;
};

static void plan(void *ctx, const struct http_request *request, struct http_plan *out) {
    (void)ctx;
    out->at_once = str_eq(request->path, STR("/now"));
    out->max_body = str_eq(request->path, STR("/small")) ? 10 : BODY_MAX;
}

static void wait_for_door(struct room *room) {
    thread_lock(&room->mutex);
    room->waiting++;
    thread_broadcast(&room->changed);
    while (!room->open) thread_wait(&room->changed, &room->mutex);
    room->waiting--;
    thread_unlock(&room->mutex);
}

static void join_stream(struct room *room, struct http_response *response) {
    struct http_stream *stream = http_stream_answer(response, "text/event-stream");
    thread_lock(&room->mutex);
    room->streams[room->n_streams++] = stream;
    thread_broadcast(&room->changed);
    thread_unlock(&room->mutex);
}

static void handle(void *ctx, struct http_request *request, struct http_response *response) {
    struct room *room = ctx;
    response->content_type = "text/plain";
    if (str_eq(request->path, STR("/wait"))) wait_for_door(room);
    if (str_eq(request->path, STR("/stream"))) {
        join_stream(room, response);
    } else if (str_eq(request->path, STR("/static"))) {
        response->bytes = static_bytes;
        response->len = strlen(static_bytes);
    } else if (str_eq(request->path, STR("/big"))) {
        for (int i = 0; i < BIG / 8; i++) buf_printf(&response->body, "%07d\n", i);
    } else {
        buf_printf(&response->body, "%s " STR_FMT, http_method_name(request->method), STR_ARG(request->path));
        for (size_t i = 0; i < request->n_params; i++)
            buf_printf(&response->body, " " STR_FMT "[" STR_FMT "]", STR_ARG(request->params[i].name),
                       STR_ARG(request->params[i].value));
        if (request->body.len) buf_printf(&response->body, " body=" STR_FMT, STR_ARG(request->body));
    }
}

static void refuse(void *ctx, const struct http_request *request, Err err, struct http_response *response) {
    (void)ctx, (void)request;
    response->content_type = "text/plain";
    buf_printf(&response->body, "%s: %s", err_slug(err.code), err.text);
}

static void open_room(struct room *room, struct http_options options) {
    *room = (struct room){0};
    thread_mutex_init(&room->mutex);
    thread_cond_init(&room->changed);
    options.listen = "127.0.0.1:0";
    options.plan = plan;
    options.handle = handle;
    options.refuse = refuse;
    options.ctx = room;
    CHECK_OK(http_start(&options, &room->http));
}

static void close_room(struct room *room) {
    http_stop(room->http);
    for (int i = 0; i < room->n_streams; i++) http_stream_release(room->streams[i]);
    thread_cond_fini(&room->changed);
    thread_mutex_fini(&room->mutex);
}

static void open_door(struct room *room) {
    thread_lock(&room->mutex);
    room->open = true;
    thread_broadcast(&room->changed);
    thread_unlock(&room->mutex);
}

static void wait_until(struct room *room, const int *number, int at_least) {
    thread_lock(&room->mutex);
    while (*number < at_least)
        if (!thread_wait_for(&room->changed, &room->mutex, 60 * NANOS_PER_S)) break;
    CHECK(*number >= at_least);
    thread_unlock(&room->mutex);
}

static void expect(struct http_answer answer, int status, const char *body) {
    CHECK_INT(answer.status, status);
    if (body) CHECK_STR(answer.body, str_c(body));
}

/* ---- plain requests */

static void plain(void) {
    struct room room;
    struct http_client c;
    open_room(&room, (struct http_options){0});
    http_client_open(&c, http_address(room.http));
    unit_case("one connection serves many requests");
    for (int i = 0; i < 50; i++) {
        struct http_answer a = http_client_ask(&c, "GET", "/a%2Fb?x=1&y>=%20", NULL, (Str){0});
        expect(a, 200, "GET /a%2Fb x[1] y>=[ ]");
        CHECK(!str_eq_nocase(http_client_header(&a, "Connection"), STR("close")));
        CHECK(http_client_header(&a, "X-Request-Id").len > 8);
    }
    expect(http_client_ask(&c, "GET", "/now", NULL, (Str){0}), 200, "GET /now");
    expect(http_client_ask(&c, "POST", "/p", NULL, STR("warp")), 200, "POST /p body=warp");
    expect(http_client_ask(&c, "GET", "/static", NULL, (Str){0}), 200, static_bytes);
    expect(http_client_ask(&c, "BREW", "/pot", NULL, (Str){0}), 200, "? /pot");
    CHECK_INT(http_port(room.http) > 0, true);

    unit_case("HEAD has the headers of GET and no body");
    struct http_answer head = http_client_ask(&c, "HEAD", "/static", NULL, (Str){0});
    expect(head, 200, "");
    CHECK_INT(strtol(http_client_header(&head, "Content-Length").ptr, NULL, 10), (long)strlen(static_bytes));

    unit_case("two requests in one segment are both answered");
    http_client_send(&c, STR("GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\n"));
    expect(http_client_read(&c, false, NANOS_PER_S), 200, "GET /1");
    expect(http_client_read(&c, false, NANOS_PER_S), 200, "GET /2");

    unit_case("a large answer is packed for whoever takes gzip");
    struct http_answer big = http_client_ask(&c, "GET", "/big", NULL, (Str){0});
    CHECK_INT(big.body.len, BIG);
    struct http_answer packed = http_client_ask(&c, "GET", "/big", "Accept-Encoding: gzip\r\n", (Str){0});
    struct buf again = {0};
    CHECK_STR(http_client_header(&packed, "Content-Encoding"), STR("gzip"));
    CHECK_OK(gzip_unpack(packed.body, BIG, &again));
    CHECK_STR(buf_view(&again), big.body);
    buf_fini(&again);
    http_client_close(&c);
    close_room(&room);
}

/* ---- bodies */

static void send_gzip(struct http_client *c, Str plain_text, int status, const char *body) {
    struct buf packed = {0};
    gzip_pack(plain_text, 6, &packed);
    expect(http_client_ask(c, "POST", "/g", "Content-Encoding: gzip\r\n", buf_view(&packed)), status, body);
    buf_fini(&packed);
}

static void bodies(void) {
    struct room room;
    struct http_client c;
    struct buf large = {0};
    for (int i = 0; i < BODY_MAX * 5; i++) buf_byte(&large, 'x');
    open_room(&room, (struct http_options){0});
    http_client_open(&c, http_address(room.http));
    unit_case("a chunked body");
    http_client_send(&c, STR("POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "5\r\nhello\r\n6\r\n chunk\r\n0\r\n\r\n"));
    expect(http_client_read(&c, false, NANOS_PER_S), 200, "POST /c body=hello chunk");

    unit_case("a gzip body is unpacked, within the limit");
    send_gzip(&c, STR("small"), 200, "POST /g body=small");
    send_gzip(&c, buf_view(&large), 413, NULL);
    expect(http_client_ask(&c, "POST", "/g", "Content-Encoding: gzip\r\n", STR("no gzip")), 400, NULL);
    expect(http_client_ask(&c, "POST", "/g", "Content-Encoding: br\r\n", STR("?")), 415, NULL);

    unit_case("a body too large is refused, and the connection goes on");
    struct http_answer a = http_client_ask(&c, "POST", "/p", NULL, buf_view(&large));
    expect(a, 413, NULL);
    CHECK(str_find(a.body, STR("too-large: a body of 500000 bytes")) == 0);
    expect(http_client_ask(&c, "POST", "/small", NULL, STR("0123456789")), 200, "POST /small body=0123456789");
    expect(http_client_ask(&c, "POST", "/small", NULL, STR("0123456789a")), 413, NULL);
    http_client_send(&c, STR("POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
                             "8\r\n01234567\r\n8\r\n01234567\r\n0\r\n\r\n"));
    expect(http_client_read(&c, false, NANOS_PER_S), 413, NULL);
    expect(http_client_ask(&c, "GET", "/after", NULL, (Str){0}), 200, "GET /after");

    unit_case("a huge body is refused before it is sent");
    http_client_send(&c, STR("POST /p HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n"));
    expect(http_client_read(&c, false, NANOS_PER_S), 413, NULL);
    http_client_close(&c);
    http_client_open(&c, http_address(room.http));
    http_client_send(&c, STR("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\nExpect: 100-continue\r\n\r\n"));
    expect(http_client_read(&c, false, NANOS_PER_S), 413, NULL);
    http_client_close(&c);

    struct http_stats stats;
    http_stats(room.http, &stats);
    CHECK_INT(stats.refused_large, 6);
    buf_fini(&large);
    close_room(&room);
}

/* ---- limits of time and number */

static void full_queue(void) {
    struct room room;
    struct http_client busy[3], c;
    open_room(&room, (struct http_options){.workers = 1, .max_waiting = 2});
    unit_case("more work than the queue takes is answered 503 with Retry-After");
    static const char request[] = "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n";
    http_client_open(&busy[0], http_address(room.http));
    http_client_send(&busy[0], str_c(request));
    wait_until(&room, &room.waiting, 1);
    struct http_stats stats = {0};
    for (int i = 1; i < 3; i++) {
        http_client_open(&busy[i], http_address(room.http));
        http_client_send(&busy[i], str_c(request));
        while (http_stats(room.http, &stats), stats.waiting < (uint64_t)i) clock_sleep(NANOS_PER_MS);
    }
    http_client_open(&c, http_address(room.http));
    struct http_answer a = http_client_ask(&c, "GET", "/x", NULL, (Str){0});
    expect(a, 503, NULL);
    CHECK_STR(http_client_header(&a, "Retry-After"), STR("1"));
    expect(http_client_ask(&c, "GET", "/now", NULL, (Str){0}), 200, "GET /now");
    open_door(&room);
    for (int i = 0; i < 3; i++) {
        expect(http_client_read(&busy[i], false, 60 * NANOS_PER_S), 200, "GET /wait");
        http_client_close(&busy[i]);
    }
    expect(http_client_ask(&c, "GET", "/x", NULL, (Str){0}), 200, "GET /x");
    http_client_close(&c);
    close_room(&room);
}

static void deadlines(void) {
    static const struct {
        const char *name, *text;
        int status; /* 0: closed without a word */
    } cases[] = {
        {"headers that do not end", "GET / HTTP/1.1\r\nHost: t\r\nX-Slow: ", 408},
        {"a body that does not end", "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc", 408},
        {"a chunked body that does not end",
         "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 408},
    };
    struct room room;
    open_room(&room, (struct http_options){.header_time = 400 * NANOS_PER_MS,
                                           .request_time = 500 * NANOS_PER_MS,
                                           .idle_time = 300 * NANOS_PER_MS});
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_client c;
        unit_case(cases[i].name);
        http_client_open(&c, http_address(room.http));
        http_client_send(&c, str_c(cases[i].text));
        expect(http_client_read(&c, false, 60 * NANOS_PER_S), cases[i].status, NULL);
        http_client_close(&c);
    }
    unit_case("a connection that drips is closed all the same");
    struct http_client c;
    http_client_open(&c, http_address(room.http));
    http_client_send(&c, STR("GET / HTTP/1.1\r\nHost: t\r\n"));
    bool closed = false;
    for (int i = 0; i < 60 && !closed; i++) {
        http_client_send(&c, STR("X-Drip: 1\r\n"));
        closed = http_client_read(&c, false, 50 * NANOS_PER_MS).status == 408;
    }
    CHECK(closed);
    http_client_close(&c);

    unit_case("an idle connection is closed after its time");
    http_client_open(&c, http_address(room.http));
    expect(http_client_ask(&c, "GET", "/i", NULL, (Str){0}), 200, "GET /i");
    expect(http_client_read(&c, false, 60 * NANOS_PER_S), 0, NULL);
    http_client_close(&c);
    struct http_stats stats;
    http_stats(room.http, &stats);
    CHECK_INT(stats.refused_slow, 4);
    close_room(&room);
}

/* ---- streams */

static void send_all(struct room *room, const char *text) {
    struct http_stream_message *m = http_stream_message(str_c(text));
    for (int i = 0; i < room->n_streams; i++) http_stream_send(room->streams[i], m);
    http_stream_message_release(m);
}

static void streams(void) {
    struct room room;
    struct http_client c[20];
    enum { N = sizeof c / sizeof *c };
    open_room(&room, (struct http_options){0});
    unit_case("what is sent to streams reaches every client");
    for (int i = 0; i < N; i++) {
        http_client_open(&c[i], http_address(room.http));
        http_client_send(&c[i], STR("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n"));
    }
    wait_until(&room, &room.n_streams, N);
    for (int round = 0; round < 30; round++) {
        char text[32];
        snprintf(text, sizeof text, "data: %d\n\n", round);
        send_all(&room, text);
        for (int i = 0; i < N; i++) CHECK(http_client_wait(&c[i], text, 60 * NANOS_PER_S));
    }
    unit_case("a client that leaves is noticed");
    http_client_close(&c[0]);
    bool gone = false;
    for (int i = 0; i < 200 && !gone; i++) {
        send_all(&room, ": beat\n\n");
        clock_sleep(5 * NANOS_PER_MS);
        for (int k = 0; k < N; k++) gone = gone || http_stream_gone(room.streams[k]);
    }
    CHECK(gone);
    struct http_stats stats;
    http_stats(room.http, &stats);
    CHECK_INT(stats.streams, N - 1);

    unit_case("stopping ends the streams");
    http_stop(room.http);
    room.http = NULL;
    for (int i = 1; i < N; i++) {
        CHECK(http_client_wait(&c[i], "\r\n0\r\n\r\n", 60 * NANOS_PER_S));
        http_client_close(&c[i]);
    }
    close_room(&room);
}

static void slow_reader(void) {
    struct room room;
    struct http_client slow, quick;
    open_room(&room, (struct http_options){0});
    unit_case("a client that does not read is dropped, the others are not");
    http_client_open(&slow, http_address(room.http));
    http_client_send(&slow, STR("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n"));
    wait_until(&room, &room.n_streams, 1);
    http_client_open(&quick, http_address(room.http));
    http_client_send(&quick, STR("GET /stream HTTP/1.1\r\nHost: t\r\n\r\n"));
    wait_until(&room, &room.n_streams, 2);
    struct buf text = {0};
    for (int i = 0; i < 100000; i++) buf_byte(&text, (uint8_t)('a' + i % 26));
    buf_c(&text, "\nend of message\n");
    struct http_stats stats = {0};
    for (int i = 0; i < 500 && stats.streams_dropped == 0; i++) {
        struct http_stream_message *m = http_stream_message(buf_view(&text));
        http_stream_send(room.streams[0], m);
        CHECK(http_stream_send(room.streams[1], m));
        http_stream_message_release(m);
        CHECK(http_client_wait(&quick, "end of message", 60 * NANOS_PER_S));
        buf_clear(&quick.in);
        http_stats(room.http, &stats);
    }
    CHECK_INT(stats.streams_dropped, 1);
    CHECK(http_stream_gone(room.streams[0]));
    CHECK(!http_stream_gone(room.streams[1]));
    buf_fini(&text);
    http_client_close(&slow);
    http_client_close(&quick);
    close_room(&room);
}

static void many_connections(void) {
    struct room room;
    struct http_client c[6];
    open_room(&room, (struct http_options){.max_connections = 64, .max_per_client = 5});
    unit_case("one address holds a limited number of connections");
    for (int i = 0; i < 5; i++) {
        http_client_open(&c[i], http_address(room.http));
        expect(http_client_ask(&c[i], "GET", "/x", NULL, (Str){0}), 200, "GET /x");
    }
    http_client_open(&c[5], http_address(room.http));
    expect(http_client_ask(&c[5], "GET", "/x", NULL, (Str){0}), 0, NULL);
    for (int i = 0; i < 6; i++) http_client_close(&c[i]);
    close_room(&room);
}

static void stop_while_working(void) {
    struct room room;
    struct http_client c;
    open_room(&room, (struct http_options){.workers = 2});
    unit_case("a stop lets the handlers that run answer");
    http_client_open(&c, http_address(room.http));
    http_client_send(&c, STR("GET /wait HTTP/1.1\r\nHost: t\r\n\r\n"));
    wait_until(&room, &room.waiting, 1);
    open_door(&room);
    http_stop(room.http);
    room.http = NULL;
    expect(http_client_read(&c, false, NANOS_PER_S), 200, "GET /wait");
    http_client_close(&c);
    close_room(&room);

    unit_case("an address that cannot be had is an error");
    struct http *none = NULL;
    struct http_options options = {.listen = "nowhere", .plan = plan, .handle = handle, .refuse = refuse};
    CHECK_ERR(http_start(&options, &none), ERR_INVALID);
}

void http_test(void) {
    log_set_level(LOG_LEVEL_WARN);
    plain();
    bodies();
    full_queue();
    deadlines();
    streams();
    slow_reader();
    many_connections();
    stop_while_working();
    log_set_level(LOG_LEVEL_INFO);
}
