/*
 * Requests over kept HTTP connections, each sending its next when it has the answer to the last; one thread.
 *
 *     http_load HOST:PORT SECONDS CONNECTIONS METHOD PATH [BODYFILE [HEADER…]]
 *
 * In PATH and body "{n}" is a number that rises with every request from START (environment, 1), "{i}" one drawn from
 * 1…IDS (environment, 1000). Prints one JSON line: requests a second, their latency, and answers that were no 2xx.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/vec.h"
#include "os/clock.h"

#define CONNECTIONS_MAX 1024
#define ANSWER_MAX (256 << 10)

struct link {
    int fd;
    struct buf out;
    size_t sent;
    char in[ANSWER_MAX + 1];
    size_t got;
    Nanos since;
};

struct load {
    const char *method, *path;
    struct buf headers, body;
    struct link *links[CONNECTIONS_MAX];
    size_t n;
    uint64_t next, ids, seed, done, bad, bytes;
    double *latencies; /* ms */
    size_t n_latencies, cap_latencies;
    int epoll;
};

static void stop(const char *what) {
    fprintf(stderr, "http_load: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- requests */

static void add_filled(struct load *load, struct buf *out, Str text, uint64_t n) {
    for (size_t i = 0; i < text.len; i++) {
        bool place = text.ptr[i] == '{' && i + 2 < text.len && text.ptr[i + 2] == '}';
        if (place && text.ptr[i + 1] == 'n') {
            buf_printf(out, "%llu", (unsigned long long)n);
        } else if (place && text.ptr[i + 1] == 'i') {
            load->seed = load->seed * 6364136223846793005u + 1442695040888963407u;
            buf_printf(out, "%llu", (unsigned long long)(1 + (load->seed >> 33) % load->ids));
        } else {
            buf_byte(out, (uint8_t)text.ptr[i]);
            continue;
        }
        i += 2;
    }
}

static void put_request(struct load *load, struct link *link) {
    struct buf body = {0};
    uint64_t n = load->next++;
    add_filled(load, &body, buf_view(&load->body), n);
    buf_clear(&link->out);
    buf_printf(&link->out, "%s ", load->method);
    add_filled(load, &link->out, str_c(load->path), n);
    buf_c(&link->out, " HTTP/1.1\r\nHost: localhost\r\n");
    buf_str(&link->out, buf_view(&load->headers));
    if (body.len > 0) buf_printf(&link->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_c(&link->out, "\r\n");
    buf_str(&link->out, buf_view(&body));
    buf_fini(&body);
    link->sent = link->got = 0;
    link->since = clock_monotonic();
}

static void flush(struct link *link) {
    while (link->sent < link->out.len) {
        ssize_t n = write(link->fd, link->out.ptr + link->sent, link->out.len - link->sent);
        if (n < 0 && errno == EAGAIN) return; /* requests are smaller than a socket's buffer: rare, and read wakes us */
        if (n <= 0) stop("write");
        link->sent += (size_t)n;
    }
}

/* ---- answers */

/* The length of a whole answer, or 0: not yet. */
static size_t answer_length(const struct link *link) {
    const char *end = strstr(link->in, "\r\n\r\n");
    if (!end) return 0;
    const char *length = strcasestr(link->in, "\r\ncontent-length:");
    size_t head = (size_t)(end - link->in) + 4, body = 0;
    if (length && length < end) body = strtoul(length + strlen("\r\ncontent-length:"), NULL, 10);
    return link->got >= head + body ? head + body : 0;
}

static bool take_answer(struct load *load, struct link *link) {
    for (;;) {
        ssize_t n = read(link->fd, link->in + link->got, ANSWER_MAX - link->got);
        if (n < 0 && errno == EAGAIN) return false;
        if (n <= 0) stop("the server closed a connection");
        link->got += (size_t)n;
        link->in[link->got] = '\0';
        if (answer_length(link) == 0) continue;
        bool good = link->in[9] == '2';
        if (!good && load->bad++ < 3) fprintf(stderr, "http_load: %.400s\n", link->in);
        load->done++;
        load->bytes += link->got;
        double ms = (double)(clock_monotonic() - link->since) / 1e6;
        VEC_PUSH(load->latencies, load->n_latencies, load->cap_latencies, ms);
        return true;
    }
}

/* ---- */

static void open_links(struct load *load, const char *host, int port, size_t n) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1) stop(host);
    load->epoll = epoll_create1(0);
    for (load->n = 0; load->n < n; load->n++) {
        struct link *link = calloc(1, sizeof *link);
        if (!link) stop("memory");
        link->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(link->fd, (struct sockaddr *)&to, sizeof to) != 0) stop("connect");
        int one = 1;
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = link};
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, link->fd, &event);
        load->links[load->n] = link;
    }
}

static Nanos run(struct load *load, double seconds) {
    Nanos began = clock_monotonic(), until = began + (Nanos)(seconds * 1e9);
    size_t busy = load->n;
    for (size_t i = 0; i < load->n; i++) {
        put_request(load, load->links[i]);
        flush(load->links[i]);
    }
    while (busy > 0) {
        struct epoll_event events[CONNECTIONS_MAX];
        int n = epoll_wait(load->epoll, events, CONNECTIONS_MAX, 10000);
        if (n <= 0) stop("no answer for ten seconds");
        for (int i = 0; i < n; i++) {
            struct link *link = events[i].data.ptr;
            flush(link);
            if (!take_answer(load, link)) continue;
            if (clock_monotonic() >= until) {
                busy--;
                continue;
            }
            put_request(load, link);
            flush(link);
        }
    }
    return clock_monotonic() - began;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void read_body(struct load *load, const char *path) {
    char part[4096];
    size_t n;
    FILE *file = fopen(path, "r");
    if (!file) stop(path);
    while ((n = fread(part, 1, sizeof part, file)) > 0) buf_add(&load->body, part, n);
    fclose(file);
}

int main(int argc, char **argv) {
    static struct load load;
    const char *start = getenv("START"), *ids = getenv("IDS");
    if (argc < 6) {
        fprintf(stderr, "usage: http_load HOST:PORT SECONDS CONNECTIONS METHOD PATH [BODYFILE [HEADER...]]\n");
        return 2;
    }
    char *colon = strrchr(argv[1], ':');
    if (!colon) stop(argv[1]);
    *colon = '\0';
    load.method = argv[4];
    load.path = argv[5];
    load.next = start ? strtoull(start, NULL, 10) : 1;
    load.ids = ids ? strtoull(ids, NULL, 10) : 1000;
    if (argc > 6 && argv[6][0]) read_body(&load, argv[6]);
    for (int i = 7; i < argc; i++) buf_printf(&load.headers, "%s\r\n", argv[i]);
    open_links(&load, argv[1], atoi(colon + 1), strtoul(argv[3], NULL, 10));
    double seconds = (double)run(&load, strtod(argv[2], NULL)) / 1e9;
    qsort(load.latencies, load.n_latencies, sizeof *load.latencies, by_size);
    printf("{\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"done\":%llu,\"bad\":%llu,\"bytes\":%.0f}\n",
           (double)load.done / seconds, load.latencies[load.n_latencies / 2],
           load.latencies[load.n_latencies * 99 / 100], (unsigned long long)load.done, (unsigned long long)load.bad,
           (double)load.bytes / (double)load.done);
    return load.bad > 0;
}
