#include "app/load_mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load_message.h"
#include "connect/mqtt_write.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/thread.h"

#define READ_BYTES 65536u
#define REST_BYTES 512u /* the longest beginning of a packet that is kept; answers are short */
#define SEND_BYTES 65536u
#define CONNECT_WAIT (30 * NANOS_PER_S)
#define DRAIN_WAIT (5 * NANOS_PER_S)
#define KEEP_ALIVE_S 300

enum phase { PHASE_CONNECT, PHASE_RUN, PHASE_DRAIN };

struct worker;

struct link {
    struct loop_source source; /* first */
    struct worker *worker;
    unsigned index;
    bool open, dead, drained;
    uint64_t sent; /* messages, for times and things */
    unsigned on_way;
    Nanos *sent_at; /* by packet id - 1 */
    char rest[REST_BYTES];
    size_t n_rest;
    struct buf unsent;
};

struct worker {
    const struct load_mqtt_options *options;
    struct load_message *message;
    struct loop *loop;
    struct thread *thread;
    struct link *links;
    unsigned n_links, opened, dead, drained;
    enum phase phase;
    Nanos begin, end;
    uint64_t sent, acknowledged, errors;
    atomic_uint_fast64_t *counted;
    struct load_histogram latency;
    struct buf out;
    char *in;
    Err err;
};

/* ---- out */

static void lose(struct link *link) {
    if (link->dead) return;
    struct worker *w = link->worker;
    link->dead = true;
    w->dead++;
    w->errors++;
    loop_remove(w->loop, &link->source);
    net_close(link->source.fd);
}

static void send_bytes(struct link *link, const char *bytes, size_t n) {
    while (n && link->unsent.len == 0) {
        ptrdiff_t done = net_send(link->source.fd, bytes, n);
        if (done == NET_CLOSED) {
            lose(link);
            return;
        }
        if (done == NET_AGAIN) break;
        bytes += done;
        n -= (size_t)done;
    }
    if (n) buf_add(&link->unsent, bytes, n);
    if (n) loop_want(link->worker->loop, &link->source, LOOP_READ | LOOP_WRITE);
}

static void put_message(struct link *link, uint16_t packet_id, Nanos now) {
    struct worker *w = link->worker;
    load_message_put(w->message, link->index, link->sent++, packet_id, &w->out);
    if (packet_id) link->sent_at[packet_id - 1] = now;
    link->on_way += packet_id != 0;
    w->sent++;
}

static void send_out(struct link *link) {
    struct buf *out = &link->worker->out;
    send_bytes(link, out->ptr, out->len);
    buf_clear(out);
}

/* QoS 0 has no answers to wait for: it sends until the socket is full. */
static void flood(struct link *link) {
    struct worker *w = link->worker;
    while (!link->dead && link->unsent.len == 0 && w->phase == PHASE_RUN) {
        Nanos now = clock_monotonic();
        if (now >= w->end) break;
        while (w->out.len < SEND_BYTES) put_message(link, 0, now);
        send_out(link);
    }
    loop_want(w->loop, &link->source, LOOP_READ | (link->unsent.len ? LOOP_WRITE : 0));
}

static void begin(struct link *link) {
    struct worker *w = link->worker;
    Nanos now = clock_monotonic();
    if (w->options->qos == 0) {
        loop_want(w->loop, &link->source, LOOP_READ | LOOP_WRITE);
        return;
    }
    for (unsigned i = 1; i <= w->options->window; i++) put_message(link, (uint16_t)i, now);
    send_out(link);
}

/* After everything else on the connection; its answer says that all of it was read. */
static void ask_whether_all_is_read(struct link *link) {
    if (link->dead) return;
    mqtt_write_ping(&link->worker->out, MQTT_PINGREQ);
    send_out(link);
}

static void on_writable(struct link *link) {
    struct worker *w = link->worker;
    struct buf unsent = link->unsent;
    link->unsent = (struct buf){0};
    send_bytes(link, unsent.ptr, unsent.len);
    buf_fini(&unsent);
    if (link->dead || link->unsent.len) return;
    loop_want(w->loop, &link->source, LOOP_READ);
    if (w->options->qos == 0 && w->phase == PHASE_RUN) flood(link);
}

/* ---- in */

static void acked(struct link *link, uint16_t packet_id, Nanos now) {
    struct worker *w = link->worker;
    if (packet_id == 0 || packet_id > w->options->window) {
        w->errors++;
        return;
    }
    link->on_way--;
    if (now <= w->end) {
        w->acknowledged++;
        load_histogram_add(&w->latency, now - link->sent_at[packet_id - 1]);
    }
    if (w->phase == PHASE_RUN && now < w->end) put_message(link, packet_id, now);
}

static void other_packet(struct link *link, const struct mqtt_frame *frame) {
    struct worker *w = link->worker;
    struct mqtt_reply reply;
    switch (frame->first >> 4) {
    case MQTT_CONNACK:
        if (mqtt_codec_connack(frame->body, MQTT_V3, &reply).reason || reply.reason) {
            if (w->err.code == ERR_NONE)
                w->err = err_make(ERR_UNAUTHENTICATED, "'%s' refused the connection with code %u", w->options->to,
                                  reply.reason);
            lose(link);
            return;
        }
        link->open = true;
        w->opened++;
        return;
    case MQTT_PINGRESP:
        if (w->phase != PHASE_DRAIN || link->drained) return;
        link->drained = true;
        w->drained++;
        return;
    default: w->errors++;
    }
}

/* Nearly everything that comes is a PUBACK, so that is looked at first. */
static size_t take_packets(struct link *link, const char *at, size_t n, Nanos now) {
    size_t taken = 0;
    while (!link->dead) {
        if (n - taken >= 4 && at[taken] == 0x40 && at[taken + 1] == 2) {
            const unsigned char *id = (const unsigned char *)at + taken + 2;
            acked(link, (uint16_t)(id[0] << 8 | id[1]), now);
            taken += 4;
            continue;
        }
        struct mqtt_frame frame;
        MqttFault fault;
        enum mqtt_framing got = mqtt_codec_frame(str_n(at + taken, n - taken), REST_BYTES, &frame, &fault);
        if (got == MQTT_BAD) lose(link);
        if (got != MQTT_WHOLE) break;
        other_packet(link, &frame);
        taken += frame.size;
    }
    return taken;
}

static void on_readable(struct link *link) {
    struct worker *w = link->worker;
    memcpy(w->in, link->rest, link->n_rest);
    ptrdiff_t got = net_recv(link->source.fd, w->in + link->n_rest, READ_BYTES - link->n_rest);
    if (got == NET_AGAIN) return;
    if (got == NET_CLOSED) {
        lose(link);
        return;
    }
    size_t n = link->n_rest + (size_t)got, taken = take_packets(link, w->in, n, clock_monotonic());
    if (link->dead) return;
    link->n_rest = n - taken;
    if (link->n_rest > REST_BYTES) {
        lose(link);
        return;
    }
    memcpy(link->rest, w->in + taken, link->n_rest);
    if (w->out.len) send_out(link);
}

static void on_ready(struct loop_source *source, unsigned events) {
    struct link *link = (struct link *)(void *)source;
    if (events & LOOP_READ) on_readable(link);
    if (events & LOOP_WRITE && !link->dead) on_writable(link);
}

/* ---- a worker's life */

static Err open_link(struct worker *w, struct link *link) {
    int fd;
    char id[48];
    link->worker = w;
    link->source.on_ready = on_ready;
    link->sent_at = calloc(w->options->window ? w->options->window : 1, sizeof *link->sent_at);
    ASSERT(link->sent_at);
    TRY(net_connect(w->options->to, CONNECT_WAIT, &fd));
    Err err = loop_add(w->loop, &link->source, fd, LOOP_READ);
    if (err.code != ERR_NONE) {
        net_close(fd);
        return err;
    }
    snprintf(id, sizeof id, "load-%llx-%u", (unsigned long long)w->begin, link->index);
    struct mqtt_connect connect = {.version = MQTT_V3,
                                   .clean = true,
                                   .keep_alive_s = KEEP_ALIVE_S,
                                   .client_id = str_c(id),
                                   .has_user = w->options->user != NULL,
                                   .has_password = w->options->user && w->options->password,
                                   .user = str_c(w->options->user),
                                   .password = str_c(w->options->password)};
    mqtt_write_connect(&w->out, &connect);
    send_out(link);
    return err_none();
}

static bool turn_until(struct worker *w, Nanos until, const unsigned *count) {
    for (;;) {
        Nanos left = until - clock_monotonic();
        if (*count + w->dead >= w->n_links || left <= 0) return *count + w->dead >= w->n_links;
        loop_turn(w->loop, left < 100 * NANOS_PER_MS ? left : 100 * NANOS_PER_MS);
    }
}

static Err connect_all(struct worker *w) {
    for (unsigned i = 0; i < w->n_links; i++) {
        TRY(open_link(w, &w->links[i]));
        if (i % 256 == 255) loop_turn(w->loop, 0);
    }
    bool all = turn_until(w, clock_monotonic() + CONNECT_WAIT, &w->opened);
    if (w->err.code != ERR_NONE) return w->err;
    if (!all || w->dead)
        return err_make(ERR_IO, "%u of %u connections to '%s' were not accepted", w->n_links - w->opened, w->n_links,
                        w->options->to);
    return err_none();
}

static void run(void *ctx) {
    struct worker *w = ctx;
    w->phase = PHASE_RUN;
    for (unsigned i = 0; i < w->n_links; i++) begin(&w->links[i]);
    for (uint64_t shown = 0;;) {
        Nanos left = w->end - clock_monotonic();
        if (left <= 0 || w->dead == w->n_links) break;
        loop_turn(w->loop, left < 100 * NANOS_PER_MS ? left : 100 * NANOS_PER_MS);
        uint64_t done = w->options->qos ? w->acknowledged : w->sent;
        atomic_fetch_add_explicit(w->counted, done - shown, memory_order_relaxed);
        shown = done;
    }
    w->phase = PHASE_DRAIN;
    for (unsigned i = 0; i < w->n_links; i++) ask_whether_all_is_read(&w->links[i]);
    (void)turn_until(w, clock_monotonic() + DRAIN_WAIT, &w->drained);
    if (w->options->qos == 0) w->end = clock_monotonic(); /* when the server had read all of it */
}

static void close_worker(struct worker *w) {
    for (unsigned i = 0; i < w->n_links; i++) {
        struct link *link = &w->links[i];
        if (link->source.on_ready && !link->dead && link->source.fd) {
            mqtt_write_disconnect(&w->out, MQTT_V3, 0, NULL);
            send_out(link);
            if (!link->dead) net_close(link->source.fd);
        }
        free(link->sent_at);
        buf_fini(&link->unsent);
    }
    free(w->links);
    free(w->in);
    buf_fini(&w->out);
    loop_close(w->loop);
}

static Err open_worker(struct worker *w, unsigned first, unsigned n) {
    struct loop_hooks none = {0};
    w->begin = clock_monotonic();
    w->n_links = n;
    w->links = calloc(n, sizeof *w->links);
    w->in = malloc(READ_BYTES);
    ASSERT(w->links && w->in);
    for (unsigned i = 0; i < n; i++) w->links[i].index = first + i;
    TRY(loop_open(&none, &w->loop));
    return connect_all(w);
}

static Err run_all(struct worker *workers, unsigned n, Nanos duration) {
    Nanos begin_at = clock_monotonic();
    for (unsigned i = 0; i < n; i++) {
        workers[i].begin = begin_at;
        workers[i].end = begin_at + duration;
        TRY(thread_start(&workers[i].thread, "load", run, &workers[i]));
    }
    return err_none();
}

static void sum(const struct load_mqtt_options *options, const struct worker *w, struct load_mqtt_result *out) {
    out->sent += w->sent;
    out->acknowledged += w->acknowledged;
    out->errors += w->errors;
    double seconds = (double)(w->end - w->begin) / (double)NANOS_PER_S;
    if (seconds > out->seconds) out->seconds = seconds;
    load_histogram_merge(&out->latency, &w->latency);
    (void)options;
}

Err load_mqtt_run(const struct load_mqtt_options *options, atomic_uint_fast64_t *counted,
                  struct load_mqtt_result *out) {
    atomic_uint_fast64_t unseen = 0;
    unsigned n = options->threads < options->connections ? options->threads : options->connections;
    struct worker *workers = calloc(n, sizeof *workers);
    struct load_message *message = load_message_new(options);
    ASSERT(workers && n);
    *out = (struct load_mqtt_result){.payload_bytes = load_message_payload(message)};
    Err err = err_none();
    for (unsigned i = 0; i < n && err.code == ERR_NONE; i++) {
        workers[i].options = options;
        workers[i].message = message;
        workers[i].counted = counted ? counted : &unseen;
        unsigned first = options->connections * i / n, next = options->connections * (i + 1) / n;
        err = open_worker(&workers[i], first, next - first);
    }
    if (err.code == ERR_NONE) err = run_all(workers, n, (Nanos)(options->seconds * (double)NANOS_PER_S));
    for (unsigned i = 0; i < n; i++) {
        if (workers[i].thread) thread_join(workers[i].thread);
        sum(options, &workers[i], out);
        if (workers[i].loop) close_worker(&workers[i]);
    }
    free(workers);
    load_message_free(message);
    return err;
}
