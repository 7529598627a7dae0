#include "tests/lib/os_http_client.h"

#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "tests/unit.h"

void http_client_open(struct http_client *client, const char *address) {
    *client = (struct http_client){.fd = -1};
    arena_init(&client->arena, 0);
    CHECK_OK(net_connect(address, 5 * NANOS_PER_S, &client->fd));
}

void http_client_close(struct http_client *client) {
    net_close(client->fd);
    client->fd = -1;
    buf_fini(&client->in);
    client->in = (struct buf){0};
    arena_fini(&client->arena);
}

void http_client_send(struct http_client *client, Str raw) {
    while (raw.len > 0) {
        ptrdiff_t n = net_send(client->fd, raw.ptr, raw.len);
        if (n == NET_CLOSED) return;
        if (n == NET_AGAIN && !net_wait(client->fd, false, true, 5 * NANOS_PER_S)) return;
        if (n > 0) raw = str_slice(raw, (size_t)n, raw.len);
    }
}

/* false: no more comes, or not before end */
static bool receive(struct http_client *client, Nanos end) {
    for (;;) {
        buf_reserve(&client->in, 4096);
        ptrdiff_t n = net_recv(client->fd, client->in.ptr + client->in.len, 4096);
        if (n == NET_CLOSED) return false;
        if (n > 0) {
            client->in.len += (size_t)n;
            return true;
        }
        Nanos left = end - clock_monotonic();
        if (left <= 0 || !net_wait(client->fd, true, false, left)) return false;
    }
}

bool http_client_wait(struct http_client *client, const char *part, Nanos patience) {
    Nanos end = clock_monotonic() + patience;
    while (str_find(buf_view(&client->in), str_c(part)) < 0)
        if (!receive(client, end)) return false;
    return true;
}

Str http_client_header(const struct http_answer *answer, const char *name) {
    Str rest = answer->head, line;
    while (rest.len > 0) {
        Str tail, key, value;
        str_cut(rest, '\n', &line, &tail);
        rest = tail;
        if (str_cut(line, ':', &key, &value) && str_eq_nocase(key, str_c(name))) return str_trim(value);
    }
    return (Str){0};
}

/* The body's chunks, joined; false: more must come first. */
static bool join_chunks(Str raw, struct arena *arena, Str *body, size_t *used) {
    struct buf out = {0};
    Str rest = raw;
    bool whole = false;
    for (ptrdiff_t eol; (eol = str_find(rest, STR("\r\n"))) >= 0;) {
        size_t n = (size_t)strtoul(arena_c(arena, str_slice(rest, 0, (size_t)eol)), NULL, 16), at = (size_t)eol + 2;
        if (rest.len < at + n + 2) break;
        buf_add(&out, rest.ptr + at, n);
        rest = str_slice(rest, at + n + 2, rest.len);
        whole = n == 0;
        if (whole) break;
    }
    *body = arena_str(arena, buf_view(&out));
    *used = raw.len - rest.len;
    buf_fini(&out);
    return whole;
}

static bool read_body(struct http_client *client, struct http_answer *answer, bool is_head, Nanos end) {
    int64_t n = 0;
    bool chunked = str_eq_nocase(http_client_header(answer, "Transfer-Encoding"), STR("chunked"));
    str_to_i64(http_client_header(answer, "Content-Length"), &n);
    if (is_head || answer->status == 204 || answer->status == 304 || answer->status == 100) return true;
    for (;;) {
        size_t used = (size_t)n;
        Str raw = buf_view(&client->in);
        bool whole = chunked ? join_chunks(raw, &client->arena, &answer->body, &used) : raw.len >= (size_t)n;
        if (whole && !chunked) answer->body = arena_str(&client->arena, str_slice(raw, 0, (size_t)n));
        if (whole) buf_consume(&client->in, used);
        if (whole) return true;
        if (!receive(client, end)) return false;
    }
}

struct http_answer http_client_read(struct http_client *client, bool is_head, Nanos patience) {
    Nanos end = clock_monotonic() + patience;
    struct http_answer answer = {0};
    int64_t status;
    ptrdiff_t head;
    while ((head = str_find(buf_view(&client->in), STR("\r\n\r\n"))) < 0)
        if (!receive(client, end)) return answer;
    answer.head = arena_str(&client->arena, str_slice(buf_view(&client->in), 0, (size_t)head + 2));
    buf_consume(&client->in, (size_t)head + 4);
    if (!str_to_i64(str_slice(answer.head, 9, 12), &status)) return answer;
    answer.status = (int)status;
    if (!read_body(client, &answer, is_head, end)) answer.status = 0;
    return answer;
}

struct http_answer http_client_ask(struct http_client *client, const char *method, const char *target,
                                   const char *extra, Str body) {
    struct buf text = {0};
    buf_printf(&text, "%s %s HTTP/1.1\r\nHost: test\r\n%s", method, target, extra ? extra : "");
    if (body.len > 0) buf_printf(&text, "Content-Length: %zu\r\n", body.len);
    buf_c(&text, "\r\n");
    buf_str(&text, body);
    http_client_send(client, buf_view(&text));
    buf_fini(&text);
    return http_client_read(client, strcmp(method, "HEAD") == 0, 10 * NANOS_PER_S);
}
