/*
 * A thread of its own asks the API for the latest values of the thing whose message just went out, again and again
 * until its number is there. It asks at most every few milliseconds, so that looking does not become the load.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load_fleet.h"
#include "base/buf.h"
#include "os/clock.h"
#include "os/net.h"
#include "os/thread.h"

#define PAUSE (40 * NANOS_PER_MS) /* between two messages followed */
#define AGAIN (3 * NANOS_PER_MS)  /* between two looks at one */
#define GIVE_UP (60 * NANOS_PER_S)
#define ANSWER_MAX ((size_t)1 << 20)

struct load_fleet_probe {
    const struct load_fleet_options *options;
    struct thread *thread;
    atomic_int state; /* IDLE: send me one; TAKEN: being filled; FULL: to be followed */
    atomic_bool over;
    unsigned thing;
    uint32_t seq;
    Nanos due;
    int fd;
    struct buf answer;
    struct load_histogram lag;
};

enum { IDLE, TAKEN, FULL, RESTING };

void load_fleet_probe_sent(struct load_fleet_probe *p, unsigned thing, uint32_t seq, Nanos due) {
    int idle = IDLE;
    if (!p || atomic_load_explicit(&p->state, memory_order_relaxed) != IDLE) return;
    if (!atomic_compare_exchange_strong(&p->state, &idle, TAKEN)) return;
    p->thing = thing, p->seq = seq, p->due = due;
    atomic_store(&p->state, FULL);
}

/* ---- one request on a connection that stays */

static bool send_all(int fd, const char *at, size_t n) {
    while (n) {
        ptrdiff_t done = net_send(fd, at, n);
        if (done == NET_CLOSED) return false;
        if (done == NET_AGAIN) {
            if (!net_wait(fd, false, true, NANOS_PER_S)) return false;
            continue;
        }
        at += done, n -= (size_t)done;
    }
    return true;
}

/* Whether a whole answer is there; its length is always named, since it is no stream. */
static bool is_whole(Str text) {
    ptrdiff_t end = str_find(text, STR("\r\n\r\n")), length = str_find(text, STR("Content-Length: "));
    if (end < 0 || length < 0) return false;
    int64_t n = strtoll(text.ptr + length + 16, NULL, 10);
    return (int64_t)text.len - end - 4 >= n;
}

static bool receive(struct load_fleet_probe *p) {
    buf_clear(&p->answer);
    while (p->answer.len < ANSWER_MAX) {
        buf_reserve(&p->answer, 16384);
        ptrdiff_t got = net_recv(p->fd, p->answer.ptr + p->answer.len, 16383);
        if (got == NET_CLOSED) return false;
        if (got == NET_AGAIN) {
            if (!net_wait(p->fd, true, false, 30 * NANOS_PER_S)) return false;
            continue;
        }
        p->answer.len += (size_t)got;
        p->answer.ptr[p->answer.len] = '\0';
        if (is_whole(buf_view(&p->answer))) return true;
    }
    return false;
}

static bool ask(struct load_fleet_probe *p) {
    const struct load_fleet_options *o = p->options;
    char text[1024];
    int n = snprintf(text, sizeof text,
                     "GET /api/v1/things/" LOAD_FLEET_NAME " HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
                     p->thing, o->http, o->token);
    if (p->fd < 0 && net_connect(o->http, 5 * NANOS_PER_S, &p->fd).code != ERR_NONE) return false;
    if (send_all(p->fd, text, (size_t)n) && receive(p)) return true;
    net_close(p->fd);
    p->fd = -1;
    return false;
}

/* The number in {"metric":"seq","time":…,"value":N}; -1: none. */
static int64_t seen_number(Str answer) {
    ptrdiff_t at = str_find(answer, STR("\"metric\":\"seq\""));
    if (at < 0) return -1;
    Str rest = str_slice(answer, (size_t)at, answer.len);
    at = str_find(rest, STR("\"value\":"));
    return at < 0 ? -1 : strtoll(rest.ptr + at + 8, NULL, 10);
}

static void follow(struct load_fleet_probe *p) {
    while (!atomic_load(&p->over)) {
        bool answered = ask(p);
        Nanos now = clock_monotonic();
        if (answered && seen_number(buf_view(&p->answer)) >= p->seq) {
            load_histogram_add(&p->lag, now - p->due);
            return;
        }
        if (now - p->due > GIVE_UP) {
            load_histogram_add(&p->lag, now - p->due);
            return;
        }
        clock_sleep(answered ? AGAIN : 100 * NANOS_PER_MS);
    }
}

static void run(void *ctx) {
    struct load_fleet_probe *p = ctx;
    while (!atomic_load(&p->over)) {
        if (atomic_load(&p->state) == FULL) {
            follow(p);
            atomic_store(&p->state, RESTING);
            clock_sleep(PAUSE);
            atomic_store(&p->state, IDLE);
        }
        clock_sleep(NANOS_PER_MS);
    }
}

Err load_fleet_probe_start(const struct load_fleet_options *options, struct load_fleet_probe **out) {
    *out = NULL;
    if (!options->http || !options->token) return err_none();
    struct load_fleet_probe *p = calloc(1, sizeof *p);
    ASSERT(p);
    p->options = options, p->fd = -1;
    Err err = thread_start(&p->thread, "probe", run, p);
    if (err.code == ERR_NONE)
        *out = p;
    else
        free(p);
    return err;
}

void load_fleet_probe_stop(struct load_fleet_probe *p, struct load_histogram *lag) {
    if (!p) return;
    atomic_store(&p->over, true);
    thread_join(p->thread);
    load_histogram_merge(lag, &p->lag);
    net_close(p->fd);
    buf_fini(&p->answer);
    free(p);
}
