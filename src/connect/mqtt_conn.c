/*
 * One connection. Bytes are read into the thread's one buffer and taken in from there; only the beginning of a packet
 * whose rest has not come, or what waits while the connection is paused, is kept in the connection's own memory, so an
 * idle connection holds none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "connect/mqtt_core.h"

static void on_ready(struct loop_source *source, unsigned events);
static void on_due(struct loop_timer *timer);

void mqtt_conn_accept(struct mqtt_thread *thread, int fd, Nanos accepted, const char *client_id, Str bytes) {
    struct mqtt_conn *conn = calloc(1, sizeof *conn);
    ASSERT(conn);
    conn->thread = thread;
    conn->source.on_ready = on_ready;
    conn->timer.on_due = on_due;
    conn->version = MQTT_V3;
    conn->last_in = accepted;
    snprintf(conn->given_id, sizeof conn->given_id, "%s", client_id);
    if (loop_add(thread->loop, &conn->source, fd, LOOP_READ).code != ERR_NONE) {
        net_close(fd);
        atomic_fetch_sub(&thread->server->connections, 1);
        free(conn);
        return;
    }
    conn->next = thread->conns;
    conn->prev = &thread->conns;
    if (conn->next) conn->next->prev = &conn->next;
    thread->conns = conn;
    ingest_count(&thread->counters.mqtt_connections, 1);
    mqtt_conn_set_timer(conn);
    if (bytes.len == 0) return;
    conn->holds++;
    mqtt_conn_take(conn, bytes);
    mqtt_conn_release(conn);
}

const char *mqtt_conn_name(const struct mqtt_conn *conn, char out[96]) {
    if (!conn->session) return "";
    Str user = conn->who.user, id = str_slice(conn->session->key, user.len + 1, conn->session->key.len);
    snprintf(out, 96, STR_FMT "%s" STR_FMT, STR_ARG(str_slice(user, 0, 40)), user.len ? "/" : "",
             STR_ARG(str_slice(id, 0, 40)));
    return out;
}

/* ---- time */

/* A client must be heard within one and a half keep-alives [MQTT-3.1.2-22]. */
static Nanos silence_allowed(const struct mqtt_conn *conn) { return (Nanos)conn->keep_alive_s * (3 * NANOS_PER_S / 2); }

void mqtt_conn_set_timer(struct mqtt_conn *conn) {
    struct mqtt_thread *thread = conn->thread;
    Nanos since = loop_now(thread->loop) - conn->last_in;
    if (conn->state == MQTT_CONN_NEW)
        loop_timer_set(thread->loop, &conn->timer,
                       (Nanos)thread->server->options.limits.connect_timeout_ms * NANOS_PER_MS - since);
    else if (conn->state == MQTT_CONN_OPEN && conn->keep_alive_s)
        loop_timer_set(thread->loop, &conn->timer, silence_allowed(conn) - since);
    else
        loop_timer_clear(thread->loop, &conn->timer);
}

/* Hearing something only notes the time; the timer looks at it when it is due and sets itself again. */
static void on_due(struct loop_timer *timer) {
    struct mqtt_conn *conn = (struct mqtt_conn *)(void *)((char *)timer - offsetof(struct mqtt_conn, timer));
    struct mqtt_thread *thread = conn->thread;
    struct ingest_counters *counters = &thread->counters;
    conn->holds++;
    if (conn->state == MQTT_CONN_ENDING) {
        mqtt_conn_drop(conn);
    } else if (conn->state == MQTT_CONN_NEW) {
        mqtt_thread_refused(thread, &counters->mqtt_refused_timeout, "mqtt.timeout", conn, "no CONNECT came in time");
        mqtt_conn_drop(conn);
    } else if (conn->paused || loop_now(thread->loop) - conn->last_in < silence_allowed(conn)) {
        if (conn->paused) conn->last_in = loop_now(thread->loop); /* it was we who did not listen */
        mqtt_conn_set_timer(conn);
    } else {
        mqtt_thread_refused(thread, &counters->mqtt_refused_keep_alive, "mqtt.silent", conn, "keep alive timeout");
        mqtt_conn_end(conn, MQTT_KEEP_ALIVE_TIMEOUT, NULL);
    }
    mqtt_conn_release(conn);
}

/* ---- out */

static void mark_dirty(struct mqtt_conn *conn) {
    if (conn->dirty) return;
    conn->dirty = true;
    conn->holds++;
    conn->next_dirty = conn->thread->dirty;
    conn->thread->dirty = conn;
}

struct buf *mqtt_conn_out(struct mqtt_conn *conn) {
    if (!conn->out) conn->out = mqtt_thread_lend(conn->thread);
    mark_dirty(conn);
    return conn->out;
}

size_t mqtt_conn_unsent(const struct mqtt_conn *conn) { return conn->out ? conn->out->len - conn->sent : 0; }

static void want(struct mqtt_conn *conn) {
    unsigned read = conn->paused ? 0 : LOOP_READ;
    unsigned write = mqtt_conn_unsent(conn) ? LOOP_WRITE : 0;
    loop_want(conn->thread->loop, &conn->source, read | write);
}

static void all_sent(struct mqtt_conn *conn) {
    if (conn->out) mqtt_thread_take_back(conn->thread, conn->out);
    conn->out = NULL;
    conn->sent = 0;
    if (conn->state != MQTT_CONN_ENDING || conn->shut) return;
    /* Closing with unread bytes would reset the connection and lose our last words: wait for the other side's end. */
    conn->shut = true;
    net_shutdown(conn->source.fd);
    loop_timer_set(conn->thread->loop, &conn->timer, MQTT_LINGER);
}

void mqtt_conn_mark_slow(struct mqtt_conn *conn) {
    conn->slow = true;
    mark_dirty(conn);
}

static void end_slow(struct mqtt_conn *conn) {
    conn->slow = false;
    mqtt_thread_refused(conn->thread, &conn->thread->counters.mqtt_refused_slow, "mqtt.slow", conn,
                        "the subscriber takes its messages too slowly");
    mqtt_conn_end(conn, MQTT_QUOTA_EXCEEDED, "messages are taken too slowly");
}

void mqtt_conn_flush(struct mqtt_conn *conn) {
    if (conn->state == MQTT_CONN_CLOSED) return;
    if (conn->slow && conn->state == MQTT_CONN_OPEN) end_slow(conn);
    while (mqtt_conn_unsent(conn)) {
        ptrdiff_t n = net_send(conn->source.fd, conn->out->ptr + conn->sent, mqtt_conn_unsent(conn));
        if (n == NET_CLOSED) {
            mqtt_conn_drop(conn);
            return;
        }
        if (n == NET_AGAIN) break;
        conn->sent += (size_t)n;
        ingest_count(&conn->thread->counters.mqtt_bytes_out, (uint64_t)n);
    }
    if (mqtt_conn_unsent(conn) == 0) all_sent(conn);
    want(conn);
    if (conn->state == MQTT_CONN_OPEN && conn->session) mqtt_deliver_more(conn->session);
}

/* ---- the end */

static void free_aliases(Str **aliases, size_t n) {
    for (size_t i = 0; *aliases && i < n; i++) free((char *)(uintptr_t)(*aliases)[i].ptr);
    free(*aliases);
    *aliases = NULL;
}

void mqtt_conn_release(struct mqtt_conn *conn) {
    ASSERT(conn->holds > 0);
    if (--conn->holds || conn->state != MQTT_CONN_CLOSED) return;
    free(conn);
}

/* Leaves only what commits on their way still need. */
static void forget(struct mqtt_conn *conn) {
    buf_fini(&conn->partial);
    if (conn->out) mqtt_thread_take_back(conn->thread, conn->out);
    conn->out = NULL;
    conn->sent = 0;
    free_aliases(&conn->aliases_in, MQTT_ALIASES_MAX);
    free_aliases(&conn->aliases_out, MQTT_ALIASES_MAX);
    free(conn->who_texts);
    conn->who_texts = NULL;
    conn->who = (struct mqtt_identity){0};
}

static void unlink_conn(struct mqtt_conn *conn) {
    *conn->prev = conn->next;
    if (conn->next) conn->next->prev = conn->prev;
    conn->next = NULL;
    conn->prev = NULL;
}

static void leave_session(struct mqtt_conn *conn, bool with_will) {
    struct mqtt_session *session = conn->session;
    if (!session) return;
    conn->session = NULL;
    mqtt_session_detach(session, conn->session_expiry_s, with_will);
}

static void leave_loop(struct mqtt_conn *conn) {
    loop_remove(conn->thread->loop, &conn->source);
    loop_timer_clear(conn->thread->loop, &conn->timer);
    unlink_conn(conn);
    ingest_count(&conn->thread->counters.mqtt_connections, UINT64_MAX);
}

void mqtt_conn_drop(struct mqtt_conn *conn) {
    if (conn->state == MQTT_CONN_CLOSED) return;
    conn->holds++;
    leave_loop(conn);
    net_close(conn->source.fd);
    atomic_fetch_sub(&conn->thread->server->connections, 1);
    conn->state = MQTT_CONN_CLOSED;
    leave_session(conn, true);
    forget(conn);
    mqtt_conn_release(conn);
}

int mqtt_conn_give_away(struct mqtt_conn *conn) {
    int fd = conn->source.fd;
    leave_loop(conn);
    conn->state = MQTT_CONN_CLOSED;
    forget(conn);
    return fd;
}

void mqtt_conn_end(struct mqtt_conn *conn, unsigned reason, const char *why) {
    if (conn->state == MQTT_CONN_ENDING || conn->state == MQTT_CONN_CLOSED) return;
    bool say = conn->state == MQTT_CONN_OPEN && conn->version == MQTT_V5 && reason != MQTT_SUCCESS;
    if (say) mqtt_write_disconnect(mqtt_conn_out(conn), MQTT_V5, (uint8_t)reason, conn->problem_info ? why : NULL);
    conn->state = MQTT_CONN_ENDING;
    conn->paused = false;
    loop_timer_set(conn->thread->loop, &conn->timer, MQTT_LINGER);
    mark_dirty(conn); /* its flush shuts the socket down once all is sent */
    leave_session(conn, reason != MQTT_SUCCESS);
}

void mqtt_conn_fault(struct mqtt_conn *conn, MqttFault fault) {
    struct ingest_counters *counters = &conn->thread->counters;
    uint64_t *counter =
        fault.reason == MQTT_MALFORMED_PACKET ? &counters->mqtt_refused_malformed : &counters->mqtt_refused_protocol;
    mqtt_thread_refused(conn->thread, counter, "mqtt.fault", conn, fault.why);
    mqtt_conn_end(conn, fault.reason, fault.why);
}

/* ---- in */

static bool must_wait(const struct mqtt_conn *conn) {
    const struct mqtt_server_limits *limits = &conn->thread->server->options.limits;
    if (conn->bytes_on_way >= limits->connection_bytes || mqtt_thread_full(conn->thread)) return true;
    /* 3.1.1 has no receive maximum to hold a client to, so it is slowed down instead. */
    return conn->version != MQTT_V5 && conn->unanswered >= limits->receive_maximum;
}

static void pause_conn(struct mqtt_conn *conn) {
    conn->paused = true;
    ingest_count(&conn->thread->counters.mqtt_paused, 1);
    want(conn);
    if (conn->on_paused_list) return;
    conn->on_paused_list = true;
    conn->holds++;
    conn->next_paused = conn->thread->paused;
    conn->thread->paused = conn;
}

static void take_ping(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    if (frame->body.len)
        mqtt_conn_fault(conn, MQTT_MALFORMED("a PINGREQ has a body"));
    else
        mqtt_write_ping(mqtt_conn_out(conn), MQTT_PINGRESP);
}

static void take_disconnect(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    struct mqtt_reply reply;
    MqttFault bad = mqtt_codec_reply(MQTT_DISCONNECT, frame->body, conn->version, &reply);
    if (bad.reason) {
        mqtt_conn_fault(conn, bad);
        return;
    }
    if (reply.properties.len) {
        struct mqtt_properties p;
        (void)mqtt_property_parse(reply.properties, MQTT_DISCONNECT, &p); /* it was parsed just now */
        uint32_t expiry = mqtt_property_number(&p, MQTT_P_SESSION_EXPIRY, conn->session_expiry_s);
        if (conn->session_expiry_s == 0 && expiry != 0) {
            mqtt_conn_fault(conn, MQTT_PROTOCOL("DISCONNECT gives an expiry to a session that had none"));
            return;
        }
        conn->session_expiry_s = expiry;
    }
    leave_session(conn, reply.reason == MQTT_DISCONNECT_WITH_WILL);
    mqtt_conn_end(conn, MQTT_SUCCESS, NULL);
}

static void take_unexpected(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    (void)frame;
    mqtt_conn_fault(conn, MQTT_PROTOCOL("a client does not send this type of packet now"));
}

static void (*const takers[16])(struct mqtt_conn *conn, const struct mqtt_frame *frame) = {
    [0] = take_unexpected,
    [MQTT_CONNECT] = take_unexpected, /* a second one */
    [MQTT_CONNACK] = take_unexpected,
    [MQTT_PUBLISH] = mqtt_publish_take,
    [MQTT_PUBACK] = mqtt_deliver_answer,
    [MQTT_PUBREC] = mqtt_deliver_answer,
    [MQTT_PUBREL] = mqtt_publish_release,
    [MQTT_PUBCOMP] = mqtt_deliver_answer,
    [MQTT_SUBSCRIBE] = mqtt_subscribe_take,
    [MQTT_SUBACK] = take_unexpected,
    [MQTT_UNSUBSCRIBE] = mqtt_subscribe_end,
    [MQTT_UNSUBACK] = take_unexpected,
    [MQTT_PINGREQ] = take_ping,
    [MQTT_PINGRESP] = take_unexpected,
    [MQTT_DISCONNECT] = take_disconnect,
    [MQTT_AUTH] = take_unexpected, /* no method was agreed on */
};

static void take_frame(struct mqtt_conn *conn, const struct mqtt_frame *frame, Str all) {
    ingest_count(&conn->thread->counters.mqtt_packets_in, 1);
    if (conn->state == MQTT_CONN_OPEN)
        takers[frame->first >> 4](conn, frame);
    else if (frame->first >> 4 == MQTT_CONNECT)
        mqtt_connect_take(conn, frame, all);
    else
        mqtt_conn_fault(conn, MQTT_PROTOCOL("the first packet is not CONNECT"));
}

/* Keeps what was not taken in; bytes may lie in partial itself. */
static void keep_rest(struct mqtt_conn *conn, Str rest) {
    bool inside =
        conn->partial.ptr && rest.ptr >= conn->partial.ptr && rest.ptr <= conn->partial.ptr + conn->partial.len;
    if (inside) {
        buf_consume(&conn->partial, (size_t)(rest.ptr - conn->partial.ptr));
        return;
    }
    buf_clear(&conn->partial);
    if (rest.len)
        buf_add(&conn->partial, rest.ptr, rest.len);
    else
        buf_fini(&conn->partial);
}

void mqtt_conn_take(struct mqtt_conn *conn, Str bytes) {
    struct mqtt_frame frame;
    MqttFault fault;
    size_t max = conn->thread->server->options.limits.max_packet;
    while (conn->state <= MQTT_CONN_OPEN && bytes.len) {
        if (must_wait(conn)) {
            pause_conn(conn);
            break;
        }
        enum mqtt_framing got = mqtt_codec_frame(bytes, max, &frame, &fault);
        if (got == MQTT_PARTIAL) break;
        if (got == MQTT_BAD) {
            mqtt_conn_fault(conn, fault);
            return;
        }
        take_frame(conn, &frame, bytes);
        bytes = str_slice(bytes, frame.size, bytes.len);
    }
    if (conn->state <= MQTT_CONN_OPEN) keep_rest(conn, bytes);
}

static void discard(struct mqtt_conn *conn) {
    ptrdiff_t n = net_recv(conn->source.fd, conn->thread->input, MQTT_INPUT_BYTES);
    if (n == NET_CLOSED) mqtt_conn_drop(conn);
}

/* A packet's beginning moves in front of what is read now, unless it is so long that its rest is better read behind it.
 */
static void read_more(struct mqtt_conn *conn) {
    struct mqtt_thread *thread = conn->thread;
    size_t have = conn->partial.len;
    bool own = have > MQTT_INPUT_BYTES / 2;
    char *into = thread->input + have;
    if (own) {
        buf_reserve(&conn->partial, MQTT_INPUT_BYTES);
        into = conn->partial.ptr + have;
    } else if (have) {
        memcpy(thread->input, conn->partial.ptr, have);
    }
    ptrdiff_t n = net_recv(conn->source.fd, into, own ? MQTT_INPUT_BYTES : MQTT_INPUT_BYTES - have);
    if (n == NET_AGAIN) return;
    if (n == NET_CLOSED) {
        mqtt_conn_drop(conn);
        return;
    }
    conn->last_in = loop_now(thread->loop);
    ingest_count(&thread->counters.mqtt_bytes_in, (uint64_t)n);
    if (own) conn->partial.len += (size_t)n;
    Str all = own ? buf_view(&conn->partial) : str_n(thread->input, have + (size_t)n);
    if (!own) buf_clear(&conn->partial);
    mqtt_conn_take(conn, all);
}

static void on_ready(struct loop_source *source, unsigned events) {
    struct mqtt_conn *conn = (struct mqtt_conn *)(void *)source;
    struct mqtt_thread *thread = conn->thread;
    if (thread->stopping) { /* nothing more is taken in; what was is still answered */
        loop_want(thread->loop, source, 0);
        return;
    }
    conn->holds++;
    if (events & LOOP_WRITE) mqtt_conn_flush(conn);
    if (events & LOOP_READ) {
        /* Mail first: what another client was told is published must be here before this one's packets are read. */
        if (atomic_load_explicit(&thread->mailbox, memory_order_relaxed)) mqtt_thread_read_mail(thread);
        if (conn->state == MQTT_CONN_ENDING)
            discard(conn);
        else if (conn->state != MQTT_CONN_CLOSED && conn->paused && events & LOOP_HANGUP)
            mqtt_conn_drop(conn);
        else if (conn->state != MQTT_CONN_CLOSED && !conn->paused)
            read_more(conn);
    }
    mqtt_conn_release(conn);
}

static void resume(struct mqtt_conn *conn) {
    conn->paused = false;
    want(conn);
    if (conn->partial.len) mqtt_conn_take(conn, buf_view(&conn->partial));
}

void mqtt_conn_resume(struct mqtt_thread *thread) {
    struct mqtt_conn *conn = thread->paused, *next;
    thread->paused = NULL;
    for (; conn; conn = next) {
        next = conn->next_paused;
        conn->on_paused_list = false;
        if (conn->state <= MQTT_CONN_OPEN && must_wait(conn)) {
            conn->on_paused_list = true;
            conn->next_paused = thread->paused;
            thread->paused = conn;
            continue;
        }
        if (conn->state <= MQTT_CONN_OPEN && conn->paused) resume(conn);
        mqtt_conn_release(conn);
    }
}
