/* Malformed requests over a real socket: each is answered with a clear 4xx (or the connection is closed), and the
 * server goes on serving others. */
#include "base/log.h"
#include "os/http.h"
#include "os/process.h"
#include "tests/lib/os_http_client.h"
#include "tests/unit.h"

static void plan(void *ctx, const struct http_request *request, struct http_plan *out) {
    (void)ctx, (void)request, (void)out;
}

static void handle(void *ctx, struct http_request *request, struct http_response *response) {
    (void)ctx;
    buf_str(&response->body, request->path);
}

static void refuse(void *ctx, const struct http_request *request, Err err, struct http_response *response) {
    (void)ctx, (void)request;
    buf_c(&response->body, err.text);
}

#define RAW(literal)                                                                                                   \
    { literal, sizeof(literal) - 1 }

static const struct {
    const char *name;
    Str text;
    int low, high; /* statuses that are right; 0 in low: may also be closed without one */
} cases[] = {
    {"no HTTP at all", RAW("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello\r\n\r\n"), 0, 499},
    {"MQTT", RAW("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\r\n\r\n"), 0, 499},
    {"no version", RAW("GET /\r\n\r\n"), 0, 499},
    {"a version that does not exist", RAW("GET / HTTP/9.9\r\nHost: t\r\n\r\n"), 0, 505},
    {"no Host", RAW("GET / HTTP/1.1\r\n\r\n"), 400, 400},
    {"a header without a colon", RAW("GET / HTTP/1.1\r\nHost: t\r\nbroken\r\n\r\n"), 0, 499},
    /* libmicrohttpd ends the value at the NUL and hides the rest */
    {"a NUL in a header", RAW("GET / HTTP/1.1\r\nHost: t\r\nX: a\0b\r\n\r\n"), 200, 499},
    {"a negative length", RAW("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n"), 400, 400},
    {"a length that is no number", RAW("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ten\r\n\r\n"), 400, 400},
    {"a length beyond 64 bits", RAW("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
     400, 413},
    {"two lengths", RAW("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 400, 400},
    {"both length and chunks",
     RAW("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, 400},
    {"a chunk size that is no number",
     RAW("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"), 0, 499},
    {"a chunk longer than it says",
     RAW("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n"), 0, 499},
    {"a chunk size beyond 64 bits",
     RAW("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n"), 0, 499},
    {"an unknown transfer coding", RAW("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: lzma\r\n\r\nabc"), 400, 501},
    {"a target that is no path", RAW("GET things HTTP/1.1\r\nHost: t\r\n\r\n"), 400, 400},
    {"a bad escape in the query", RAW("GET /?a=%zz HTTP/1.1\r\nHost: t\r\n\r\n"), 400, 400},
    {"a NUL in the query", RAW("GET /?a=%00 HTTP/1.1\r\nHost: t\r\n\r\n"), 400, 400},
    {"no UTF-8 in the query", RAW("GET /?a=\xff\xfe HTTP/1.1\r\nHost: t\r\n\r\n"), 400, 400},
    {"an answer instead of a request", RAW("HTTP/1.1 200 OK\r\n\r\n"), 0, 499},
    {"blank lines without end", RAW("\r\n\r\n\r\n\r\n\r\n\r\n"), 0, 499},
};

static bool alive(const char *address) {
    struct http_client c;
    http_client_open(&c, address);
    struct http_answer a = http_client_ask(&c, "GET", "/alive", NULL, (Str){0});
    bool ok = a.status == 200 && str_eq(a.body, STR("/alive"));
    http_client_close(&c);
    return ok;
}

static int send_one(const char *address, Str text) {
    struct http_client c;
    http_client_open(&c, address);
    http_client_send(&c, text);
    int status = http_client_read(&c, false, 3 * NANOS_PER_S).status;
    http_client_close(&c);
    return status;
}

static void fill(struct buf *text, const char *head, const char *part, size_t n) {
    buf_clear(text);
    buf_c(text, head);
    while (text->len < n) buf_c(text, part);
    buf_c(text, "\r\n\r\n");
}

static void large(const char *address) {
    struct buf text = {0};
    unit_case("a target longer than the connection's memory");
    fill(&text, "GET /", "aaaaaaaaaaaaaaaa", 200000);
    int status = send_one(address, buf_view(&text));
    CHECK(status == 0 || status == 414 || status == 431);
    unit_case("headers larger than the connection's memory");
    fill(&text, "GET / HTTP/1.1\r\nHost: t\r\n", "X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n",
         200000);
    status = send_one(address, buf_view(&text));
    CHECK(status == 0 || status == 431 || status == 413);
    unit_case("more headers than are taken");
    fill(&text, "GET / HTTP/1.1\r\nHost: t\r\n", "A: b\r\n", 1200);
    text.len -= 2;
    CHECK_INT(send_one(address, buf_view(&text)), 400);
    unit_case("more parameters than are taken");
    for (size_t n = 400; n <= 8000; n *= 20) { /* the second fills libmicrohttpd's memory: it then says nothing */
        fill(&text, "GET /?", "a=b&", n);
        text.len -= 4;
        buf_c(&text, " HTTP/1.1\r\nHost: t\r\n\r\n");
        CHECK_INT(send_one(address, buf_view(&text)), n == 400 ? 400 : 408);
    }
    buf_fini(&text);
}

/* Every valid request with one byte changed, and cut at every place. */
static void mutations(const char *address) {
    static const char valid[] = "POST /a?b=c HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nAccept: */*\r\n\r\nab";
    uint8_t seed[sizeof valid];
    process_random(seed, sizeof seed);
    unit_case("a request with one byte changed");
    for (size_t i = 0; i < sizeof valid - 1; i++) {
        char text[sizeof valid];
        for (size_t k = 0; k < sizeof valid; k++) text[k] = valid[k];
        text[i] = (char)seed[i];
        struct http_client c;
        http_client_open(&c, address);
        http_client_send(&c, str_n(text, sizeof valid - 1));
        int status = http_client_read(&c, false, 3 * NANOS_PER_S).status;
        if (!CHECK(status == 0 || (status >= 200 && status < 600 && status != 500))) CHECK_INT(seed[i], -(int)i);
        http_client_close(&c);
    }
    unit_case("a request cut off at any place");
    for (size_t n = 0; n < sizeof valid - 1; n++) {
        struct http_client c;
        http_client_open(&c, address);
        http_client_send(&c, str_n(valid, n));
        http_client_close(&c);
    }
    CHECK(alive(address));
}

void http_hostile_test(void) {
    struct http *http;
    struct http_options options = {.listen = "127.0.0.1:0",
                                   .plan = plan,
                                   .handle = handle,
                                   .refuse = refuse,
                                   .header_time = 200 * NANOS_PER_MS,
                                   .request_time = 300 * NANOS_PER_MS};
    log_set_level(LOG_LEVEL_WARN); /* the slow ones would fill the output */
    if (!CHECK_OK(http_start(&options, &http))) return;
    const char *address = http_address(http);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        int status = send_one(address, cases[i].text);
        bool right = (status == 0 && cases[i].low == 0) ||
                     ((status >= 400 || cases[i].low) && status >= cases[i].low && status <= cases[i].high);
        if (!CHECK(right)) CHECK_INT(status, cases[i].high);
        CHECK(alive(address));
    }
    large(address);
    mutations(address);
    http_stop(http);
    log_set_level(LOG_LEVEL_INFO);
}
