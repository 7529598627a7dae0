#include "os/fetch.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "os/clock.h"
#include "os/http.h"
#include "os/thread.h"
#include "tests/unit.h"

void fetch_test(void);

/* ---- which addresses are one's own */

static bool is_private(const char *text) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (strchr(text, ':')) {
        CHECK_INT(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        return fetch_is_private((const struct sockaddr *)&v6);
    }
    CHECK_INT(inet_pton(AF_INET, text, &v4.sin_addr), 1);
    return fetch_is_private((const struct sockaddr *)&v4);
}

static void tells_addresses_apart(void) {
    static const char *const own[] = {"127.0.0.1",
                                      "10.1.2.3",
                                      "172.16.0.1",
                                      "172.31.255.255",
                                      "192.168.9.9",
                                      "169.254.169.254",
                                      "100.64.0.1",
                                      "0.0.0.0",
                                      "224.0.0.1",
                                      "255.255.255.255",
                                      "198.19.0.1",
                                      "::1",
                                      "::",
                                      "fe80::1",
                                      "fd00::1",
                                      "ff02::1",
                                      "::ffff:127.0.0.1",
                                      "::ffff:10.0.0.1",
                                      "64:ff9b::7f00:1",
                                      "2002:7f00:1::1",
                                      "::7f00:1"};
    static const char *const others[] = {"1.1.1.1",         "172.32.0.1",     "172.15.0.1",
                                         "100.128.0.1",     "192.169.0.1",    "223.255.255.255",
                                         "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1"};
    unit_case("addresses of one's own network");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!CHECK(is_private(own[i]))) CHECK_STR(str_c(own[i]), STR("private"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!CHECK(!is_private(others[i]))) CHECK_STR(str_c(others[i]), STR("public"));
    struct sockaddr strange = {.sa_family = AF_UNIX};
    CHECK(fetch_is_private(&strange));
}

/* ---- calls */

static void plan(void *ctx, const struct http_request *request, struct http_plan *out) {
    (void)ctx, (void)request, (void)out;
}

static void handle(void *ctx, struct http_request *request, struct http_response *response) {
    (void)ctx;
    response->content_type = "text/plain";
    if (str_eq(request->path, STR("/slow"))) clock_sleep(2 * NANOS_PER_S);
    if (str_eq(request->path, STR("/file"))) {
        response->status = 302;
        http_response_header(response, "Location", STR("file:///etc/passwd"));
    } else if (str_eq(request->path, STR("/again"))) {
        response->status = 302;
        http_response_header(response, "Location", STR("/echo"));
    } else if (str_eq(request->path, STR("/big"))) {
        for (int i = 0; i < 5000; i++) buf_c(&response->body, "twenty bytes at once");
    } else {
        buf_printf(&response->body, "%s " STR_FMT " " STR_FMT, http_method_name(request->method),
                   STR_ARG(http_header(request, "X-Word")), STR_ARG(request->body));
    }
}

static void refuse(void *ctx, const struct http_request *request, Err err, struct http_response *response) {
    (void)ctx, (void)request;
    response->status = err_http_status(err.code);
}

static void calls(const char *address) {
    struct arena arena;
    struct fetch_answer a;
    char base[100];
    arena_init(&arena, 0);
    snprintf(base, sizeof base, "http://%s", address);
    struct fetch_request r = {.limits = {.plain = true, .private_too = true}};
#define URL(path) (r.url = arena_printf(&arena, "%s%s", base, path))
    unit_case("a POST with a header, and what comes back");
    URL("/echo");
    r.headers = &(struct http_pair){STR("X-Word"), STR("weft")};
    r.n_headers = 1;
    r.body = STR("warp");
    CHECK_OK(fetch_http(&r, &arena, &a));
    CHECK_INT(a.status, 200);
    CHECK_STR(a.body, STR("POST weft warp"));
    CHECK_STR(a.content_type, STR("text/plain"));
    r.method = "PUT";
    CHECK_OK(fetch_http(&r, &arena, &a));
    CHECK_STR(a.body, STR("PUT weft warp"));
    unit_case("no header is smuggled in");
    r.headers = &(struct http_pair){STR("X-Word"), STR("weft\r\nX-Other: 1")};
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_INVALID);
    r = (struct fetch_request){.limits = {.plain = true, .private_too = true}};
    unit_case("a redirect is an answer, unless it may be followed; never to another scheme");
    URL("/again");
    CHECK_OK(fetch_http(&r, &arena, &a));
    CHECK_INT(a.status, 302);
    r.redirects = 3;
    CHECK_OK(fetch_http(&r, &arena, &a));
    CHECK_STR(a.body, STR("GET  "));
    URL("/file");
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_INVALID);
    CHECK_INT(a.body.len, 0);
    unit_case("an answer that is too large, or too late");
    URL("/big");
    r.limits.max_bytes = 10000;
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_TOO_LARGE);
    r.limits.max_bytes = 100000;
    CHECK_OK(fetch_http(&r, &arena, &a));
    CHECK_INT(a.body.len, 100000);
    URL("/slow");
    r.limits.time = 100 * NANOS_PER_MS;
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_TIMEOUT);
    unit_case("one's own network is not called, by address or by name");
    URL("/echo");
    r.limits = (struct fetch_limits){.plain = true};
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_FORBIDDEN);
    r.url = arena_printf(&arena, "http://localhost%s/echo", strrchr(address, ':'));
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_FORBIDDEN);
    r.url = STR("http://[::ffff:127.0.0.1]:9/");
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_FORBIDDEN);
    unit_case("nothing but https, unless plain is allowed");
    r.limits = (struct fetch_limits){.private_too = true};
    URL("/echo");
    CHECK_ERR(fetch_http(&r, &arena, &a), ERR_INVALID);
    static const char *const bad[] = {"file:///etc/passwd", "ftp://example.org/", "gopher://x/", "", "https", "x://y"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        r.url = str_c(bad[i]);
        CHECK_ERR(fetch_http(&r, &arena, &a), ERR_INVALID);
    }
    unit_case("mail that cannot be sent");
    struct fetch_mail mail = {
        .server = STR("https://x"), .from = STR("a@b.example"), .text = STR("Subject: x\r\n\r\n")};
    Str to[] = {STR("c@d.example"), STR("e@f.example\r\nDATA")};
    mail.to = to;
    mail.n_to = 1;
    CHECK_ERR(fetch_send_mail(&mail), ERR_INVALID);
    mail.server = STR("smtp://127.0.0.1:9");
    CHECK_ERR(fetch_send_mail(&mail), ERR_FORBIDDEN);
    mail.limits.private_too = true;
    mail.n_to = 2;
    CHECK_ERR(fetch_send_mail(&mail), ERR_INVALID);
    arena_fini(&arena);
}

void fetch_test(void) {
    struct http *http;
    struct http_options options = {.listen = "127.0.0.1:0", .plan = plan, .handle = handle, .refuse = refuse};
    tells_addresses_apart();
    if (!CHECK_OK(http_start(&options, &http))) return;
    calls(http_address(http));
    http_stop(http);
}
