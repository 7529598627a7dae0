/*
 * Things are dealt to connections, which one thread serves. Message k of a connection is due at its own moment, spread
 * evenly over the interval; a turn of the loop sends what is due, in one call a connection. A connection whose window
 * is full waits, and catches up when answers come: the times of its messages do not move, so waiting counts as lag.
 */
#include "app/load_fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_write.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/net.h"
#include "os/process.h"
#include "os/thread.h"

#define READ_BYTES 65536u
#define REST_BYTES 512u
#define BURST 32u /* messages of a connection in one call */
#define TURN (10 * NANOS_PER_MS)
#define CONNECT_WAIT (60 * NANOS_PER_S)
#define DRAIN_WAIT (30 * NANOS_PER_S)
#define LATE NANOS_PER_S
#define KEEP_ALIVE_S 300

struct worker;

struct way { /* a message on its way */
    uint32_t thing, seq;
    Nanos due;
};

struct link {
    struct loop_source source; /* first */
    struct worker *worker;
    unsigned index, n_things;
    bool open, dead;
    uint64_t sent;
    unsigned on_way;
    uint16_t free_at, n_free;
    uint16_t *free_ids; /* [window] */
    struct way *ways;   /* [window], by packet id - 1 */
    char rest[REST_BYTES];
    size_t n_rest;
    struct buf unsent;
};

struct worker {
    const struct load_fleet_options *options;
    const struct load_fleet_message *message;
    struct load_fleet_probe *probe;
    struct load_fleet_thing *things;
    struct loop *loop;
    struct link *links;
    unsigned opened, dead;
    bool running;
    Nanos begin, end, wall, answered; /* wall: clock time of begin; answered: when the last answer came */
    struct load_fleet_result *result;
    atomic_uint_fast64_t *counted;
    char *in, *out;
    Err err;
};

/* ---- out */

static void lose(struct link *l) {
    struct worker *w = l->worker;
    if (l->dead) return;
    l->dead = true;
    w->dead++;
    if (!w->options->until_closed || !w->running) w->result->errors++;
    loop_remove(w->loop, &l->source);
    net_close(l->source.fd);
}

static void send_bytes(struct link *l, const char *bytes, size_t n) {
    while (n && l->unsent.len == 0) {
        ptrdiff_t done = net_send(l->source.fd, bytes, n);
        if (done == NET_CLOSED) {
            lose(l);
            return;
        }
        if (done == NET_AGAIN) break;
        bytes += done, n -= (size_t)done;
    }
    if (n) buf_add(&l->unsent, bytes, n);
    if (n) loop_want(l->worker->loop, &l->source, LOOP_READ | LOOP_WRITE);
}

/* Things of a connection follow one another by the number of connections, so that all names come early. */
static unsigned thing_of(const struct link *l, uint64_t k) {
    return l->index + (unsigned)(k % l->n_things) * l->worker->options->connections;
}

/* Message k falls due at its thing's place in the interval; connections stand a little apart. */
static Nanos due_of(const struct link *l, uint64_t k) {
    const struct load_fleet_options *o = l->worker->options;
    double share = ((double)(k % l->n_things) + (double)l->index / o->connections) / l->n_things;
    return l->worker->begin + (Nanos)(k / l->n_things) * o->every + (Nanos)(share * (double)o->every);
}

static void put(struct link *l, Nanos now, char *at) {
    struct worker *w = l->worker;
    unsigned thing = thing_of(l, l->sent);
    uint16_t id = l->free_ids[l->free_at];
    Nanos due = due_of(l, l->sent);
    struct load_fleet_thing *t = &w->things[thing];
    l->free_at = (uint16_t)((l->free_at + 1) % w->options->window), l->n_free--;
    l->ways[id - 1] = (struct way){thing, ++t->sent, due};
    load_fleet_message_put(w->message, thing, t->sent, (uint64_t)((w->wall + (due - w->begin)) / NANOS_PER_MS), id, at);
    if (now - due > LATE) w->result->late++;
    l->sent++, l->on_way++;
    w->result->sent++;
    load_fleet_probe_sent(w->probe, thing, t->sent, due);
}

static void send_due(struct link *l, Nanos now) {
    struct worker *w = l->worker;
    size_t each = load_fleet_message_bytes(w->message);
    while (!l->dead && l->unsent.len == 0 && l->n_free && due_of(l, l->sent) <= now) {
        unsigned n = 0;
        for (; n < BURST && l->n_free && due_of(l, l->sent) <= now; n++) put(l, now, w->out + n * each);
        send_bytes(l, w->out, n * each);
    }
}

static void on_writable(struct link *l) {
    struct buf unsent = l->unsent;
    l->unsent = (struct buf){0};
    send_bytes(l, unsent.ptr, unsent.len);
    buf_fini(&unsent);
    if (!l->dead && l->unsent.len == 0) loop_want(l->worker->loop, &l->source, LOOP_READ);
}

/* ---- in */

static void acked(struct link *l, uint16_t id, Nanos now) {
    struct worker *w = l->worker;
    if (id == 0 || id > w->options->window || l->ways[id - 1].thing == UINT32_MAX) {
        w->result->errors++;
        return;
    }
    struct way *way = &l->ways[id - 1];
    struct load_fleet_thing *t = &w->things[way->thing];
    t->acked++;
    if (way->seq > t->last) t->last = way->seq;
    load_histogram_add(&w->result->reply, now - way->due);
    way->thing = UINT32_MAX;
    l->free_ids[(l->free_at + l->n_free++) % w->options->window] = id;
    l->on_way--;
    w->result->acknowledged++;
    if (now - w->answered > w->result->stall) w->result->stall = now - w->answered;
    w->answered = now;
}

static void other_packet(struct link *l, const struct mqtt_frame *frame) {
    struct worker *w = l->worker;
    struct mqtt_reply reply;
    if (frame->first >> 4 != MQTT_CONNACK) {
        w->result->errors++;
        return;
    }
    if (mqtt_codec_connack(frame->body, MQTT_V3, &reply).reason || reply.reason) {
        w->err = err_make(ERR_UNAUTHENTICATED, "'%s' refused a connection with code %u", w->options->to, reply.reason);
        lose(l);
        return;
    }
    l->open = true;
    w->opened++;
}

static size_t take_packets(struct link *l, const char *at, size_t n, Nanos now) {
    size_t taken = 0;
    while (!l->dead) {
        if (n - taken >= 4 && at[taken] == 0x40 && at[taken + 1] == 2) {
            const unsigned char *id = (const unsigned char *)at + taken + 2;
            acked(l, (uint16_t)(id[0] << 8 | id[1]), now);
            taken += 4;
            continue;
        }
        struct mqtt_frame frame;
        MqttFault fault;
        enum mqtt_framing got = mqtt_codec_frame(str_n(at + taken, n - taken), REST_BYTES, &frame, &fault);
        if (got == MQTT_BAD) lose(l);
        if (got != MQTT_WHOLE) break;
        other_packet(l, &frame);
        taken += frame.size;
    }
    return taken;
}

static void on_readable(struct link *l) {
    struct worker *w = l->worker;
    memcpy(w->in, l->rest, l->n_rest);
    ptrdiff_t got = net_recv(l->source.fd, w->in + l->n_rest, READ_BYTES - l->n_rest);
    if (got == NET_AGAIN) return;
    if (got == NET_CLOSED) {
        lose(l);
        return;
    }
    size_t n = l->n_rest + (size_t)got, taken = take_packets(l, w->in, n, clock_monotonic());
    if (l->dead) return;
    l->n_rest = n - taken;
    if (l->n_rest > REST_BYTES) {
        lose(l);
        return;
    }
    memcpy(l->rest, w->in + taken, l->n_rest);
}

static void on_ready(struct loop_source *source, unsigned events) {
    struct link *l = (struct link *)(void *)source;
    if (events & LOOP_READ) on_readable(l);
    if (events & LOOP_WRITE && !l->dead) on_writable(l);
}

/* ---- a worker's life */

static Err open_link(struct worker *w, struct link *l) {
    const struct load_fleet_options *o = w->options;
    int fd;
    char id[48];
    l->worker = w;
    l->source.on_ready = on_ready;
    l->n_things = o->things / o->connections + (l->index < o->things % o->connections);
    l->ways = calloc(o->window, sizeof *l->ways);
    l->free_ids = calloc(o->window, sizeof *l->free_ids);
    ASSERT(l->ways && l->free_ids);
    for (unsigned i = 0; i < o->window; i++) l->free_ids[i] = (uint16_t)(i + 1), l->ways[i].thing = UINT32_MAX;
    l->n_free = (uint16_t)o->window;
    TRY(net_connect(o->to, CONNECT_WAIT, &fd));
    Err err = loop_add(w->loop, &l->source, fd, LOOP_READ);
    if (err.code != ERR_NONE) {
        net_close(fd);
        return err;
    }
    snprintf(id, sizeof id, "fleet-%llx-%u", (unsigned long long)w->begin, l->index);
    struct mqtt_connect connect = {.version = MQTT_V3,
                                   .clean = true,
                                   .keep_alive_s = KEEP_ALIVE_S,
                                   .client_id = str_c(id),
                                   .has_user = o->user != NULL,
                                   .has_password = o->user && o->password,
                                   .user = str_c(o->user),
                                   .password = str_c(o->password)};
    struct buf packet = {0};
    mqtt_write_connect(&packet, &connect);
    send_bytes(l, packet.ptr, packet.len);
    buf_fini(&packet);
    return err_none();
}

static Err connect_all(struct worker *w) {
    unsigned n = w->options->connections;
    for (unsigned i = 0; i < n; i++) {
        TRY(open_link(w, &w->links[i]));
        if (i % 256 == 255) loop_turn(w->loop, 0);
    }
    Nanos until = clock_monotonic() + CONNECT_WAIT;
    while (w->opened + w->dead < n && clock_monotonic() < until) loop_turn(w->loop, 100 * NANOS_PER_MS);
    if (w->err.code != ERR_NONE) return w->err;
    if (w->opened == n) return err_none();
    return err_make(ERR_IO, "%u of %u connections to '%s' were not accepted", n - w->opened, n, w->options->to);
}

static unsigned on_way(const struct worker *w) {
    unsigned n = 0;
    for (unsigned i = 0; i < w->options->connections; i++) n += w->links[i].dead ? 0 : w->links[i].on_way;
    return n;
}

static void send_all(struct worker *w) {
    unsigned n = w->options->connections;
    w->begin = w->answered = clock_monotonic();
    w->wall = clock_now(&clock_system);
    w->end = w->begin + w->options->duration;
    w->running = true;
    for (Nanos now = w->begin, next = now; now < w->end && w->dead < n; now = clock_monotonic()) {
        uint64_t before = w->result->acknowledged;
        if (now >= next) {
            for (unsigned i = 0; i < n; i++) send_due(&w->links[i], now);
            next = now + TURN;
        }
        Nanos rest = next - clock_monotonic();
        if (rest > 0) clock_sleep(rest); /* many answers come in one turn, then */
        loop_turn(w->loop, 0);
        atomic_fetch_add_explicit(w->counted, w->result->acknowledged - before, memory_order_relaxed);
    }
    w->end = clock_monotonic();
    for (Nanos until = w->end + DRAIN_WAIT; on_way(w) && clock_monotonic() < until;)
        loop_turn(w->loop, 100 * NANOS_PER_MS);
    if (!w->options->until_closed) w->result->errors += on_way(w);
    w->result->seconds = (double)(w->end - w->begin) / (double)NANOS_PER_S;
}

static void close_worker(struct worker *w) {
    for (unsigned i = 0; w->links && i < w->options->connections; i++) {
        struct link *l = &w->links[i];
        if (l->source.on_ready && !l->dead && l->source.fd) net_close(l->source.fd);
        free(l->ways);
        free(l->free_ids);
        buf_fini(&l->unsent);
    }
    free(w->links);
    free(w->in);
    free(w->out);
    if (w->loop) loop_close(w->loop);
}

static Err run(struct worker *w) {
    struct loop_hooks none = {0};
    w->begin = clock_monotonic();
    w->links = calloc(w->options->connections, sizeof *w->links);
    w->in = malloc(READ_BYTES);
    w->out = malloc(BURST * load_fleet_message_bytes(w->message));
    ASSERT(w->links && w->in && w->out);
    for (unsigned i = 0; i < w->options->connections; i++) w->links[i].index = i;
    TRY(loop_open(&none, &w->loop));
    TRY(connect_all(w));
    TRY(load_fleet_probe_start(w->options, &w->probe));
    Nanos cpu = process_cpu_time();
    send_all(w);
    load_fleet_probe_stop(w->probe, &w->result->lag);
    w->result->cpu = process_cpu_time() - cpu;
    return err_none();
}

Err load_fleet_run(const struct load_fleet_options *options, atomic_uint_fast64_t *counted,
                   struct load_fleet_result *out) {
    struct load_fleet_message *message = load_fleet_message_new(options->seed);
    *out = (struct load_fleet_result){.payload_bytes = load_fleet_message_payload(message)};
    struct worker w = {.options = options, .message = message, .result = out, .counted = counted};
    w.things = calloc(options->things, sizeof *w.things);
    ASSERT(w.things);
    Err err = run(&w);
    close_worker(&w);
    if (err.code == ERR_NONE && options->acks) err = load_fleet_check_write(options->acks, w.things, options->things);
    free(w.things);
    load_fleet_message_free(message);
    return err;
}
