#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "connect/mqtt_core.h"

#define LISTEN_PAUSE (100 * NANOS_PER_MS) /* when no descriptor is free, before the next try */
#define ACCEPTS_A_TURN 256
#define SPARE_OUTS 256u
#define SPARE_OUT_BYTES 16384u

/* ---- mail */

void mqtt_thread_post(struct mqtt_thread *to, struct mqtt_mail *mail) {
    struct mqtt_mail *head = atomic_load_explicit(&to->mailbox, memory_order_relaxed);
    do {
        mail->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&to->mailbox, &head, mail, memory_order_release, memory_order_relaxed));
    if (!head) loop_wake(to->loop);
}

static void take_messages(struct mqtt_thread *thread, struct mqtt_mail_messages *mail) {
    for (size_t i = 0; i < mail->n; i++) {
        struct mqtt_message *message = mail->messages[i];
        if (message->retain) mqtt_publish_keep(thread, message);
        mqtt_deliver_match(thread, message);
        mqtt_message_drop(message);
    }
    free(mail);
}

static void take_conn(struct mqtt_thread *thread, struct mqtt_mail_conn *mail) {
    if (thread->stopping) {
        net_close(mail->fd);
        atomic_fetch_sub(&thread->server->connections, 1);
    } else {
        mqtt_conn_accept(thread, mail->fd, mail->accepted, mail->client_id, buf_view(&mail->bytes));
    }
    buf_fini(&mail->bytes);
    free(mail);
}

static void open_letter(struct mqtt_thread *thread, struct mqtt_mail *mail) {
    switch (mail->kind) {
    case MQTT_MAIL_COMMIT: mqtt_commit_returned((struct mqtt_commit *)(void *)mail); break;
    case MQTT_MAIL_MESSAGES: take_messages(thread, (struct mqtt_mail_messages *)(void *)mail); break;
    case MQTT_MAIL_CONN: take_conn(thread, (struct mqtt_mail_conn *)(void *)mail); break;
    case MQTT_MAIL_SHARE: mqtt_share_mail(thread, (struct mqtt_share_mail *)(void *)mail); break;
    case MQTT_MAIL_STOP:
        thread->stopping = true;
        free(mail);
        break;
    }
}

void mqtt_thread_read_mail(struct mqtt_thread *thread) {
    struct mqtt_mail *mail = atomic_exchange_explicit(&thread->mailbox, NULL, memory_order_acquire), *first = NULL;
    while (mail) { /* newest first: turn it round, so that what was posted first is read first */
        struct mqtt_mail *next = mail->next;
        mail->next = first;
        first = mail;
        mail = next;
    }
    while (first) {
        struct mqtt_mail *next = first->next;
        open_letter(thread, first);
        first = next;
    }
}

void mqtt_thread_send_to_all(struct mqtt_thread *from, struct mqtt_message *message) {
    for (unsigned i = 0; i < from->server->n_threads; i++) {
        if (i == from->index) continue;
        struct mqtt_outbox *box = &from->outboxes[i];
        VEC_PUSH(box->messages, box->n, box->cap, mqtt_message_hold(message));
    }
    if (message->retain) mqtt_publish_keep(from, message);
    mqtt_deliver_match(from, message);
}

/* Before the acknowledgements of this turn go out: what a client was told is published reaches later subscribers. */
static void post_messages(struct mqtt_thread *thread) {
    for (unsigned i = 0; i < thread->server->n_threads; i++) {
        struct mqtt_outbox *box = &thread->outboxes[i];
        if (box->n == 0) continue;
        struct mqtt_mail_messages *mail = malloc(sizeof *mail + box->n * sizeof *mail->messages);
        ASSERT(mail);
        mail->mail.kind = MQTT_MAIL_MESSAGES;
        mail->n = box->n;
        memcpy(mail->messages, box->messages, box->n * sizeof *mail->messages);
        box->n = 0;
        mqtt_thread_post(&thread->server->threads[i], &mail->mail);
    }
}

/* ---- logs */

void mqtt_thread_refused(struct mqtt_thread *thread, uint64_t *counter, const char *event, const struct mqtt_conn *conn,
                         const char *why) {
    if (counter) ingest_count(counter, 1);
    Nanos second = loop_now(thread->loop) / NANOS_PER_S;
    if (second != thread->log_second) {
        thread->log_second = second;
        thread->logged = 0;
    }
    if (thread->logged >= thread->server->options.limits.log_rate) {
        thread->suppressed++;
        return;
    }
    thread->logged++;
    char name[96], peer[NET_ADDRESS_MAX] = "";
    if (conn && conn->state != MQTT_CONN_CLOSED) net_peer(conn->source.fd, peer);
    LOG_WARN(event, LOG_C("client", conn ? mqtt_conn_name(conn, name) : ""), LOG_C("peer", peer), LOG_C("why", why),
             LOG_I("suppressed", thread->suppressed));
    thread->suppressed = 0;
}

/* ---- listening: the first thread accepts; CONNECT tells which thread a client belongs to */

static void listen_later(struct mqtt_thread *thread, const char *why) {
    mqtt_thread_refused(thread, &thread->counters.mqtt_refused_limit, "mqtt.not_accepted", NULL, why);
    loop_want(thread->loop, &thread->listener, 0);
    loop_timer_set(thread->loop, &thread->listen_again, LISTEN_PAUSE);
}

static void on_listen_again(struct loop_timer *timer) {
    struct mqtt_thread *thread =
        (struct mqtt_thread *)(void *)((char *)timer - offsetof(struct mqtt_thread, listen_again));
    loop_want(thread->loop, &thread->listener, LOOP_READ);
}

static void on_listener(struct loop_source *source, unsigned events) {
    (void)events;
    struct mqtt_thread *thread =
        (struct mqtt_thread *)(void *)((char *)source - offsetof(struct mqtt_thread, listener));
    struct mqtt_server *server = thread->server;
    for (int i = 0; i < ACCEPTS_A_TURN && !thread->stopping; i++) {
        if (atomic_load(&server->connections) >= server->options.limits.max_connections) {
            listen_later(thread, "the limit of connections is reached");
            return;
        }
        int fd = net_accept(source->fd);
        if (fd < 0) {
            if (net_accept_exhausted())
                listen_later(thread, "no file descriptor is free: raise the limit of open files");
            return;
        }
        atomic_fetch_add(&server->connections, 1);
        ingest_count(&thread->counters.mqtt_accepted, 1);
        mqtt_conn_accept(thread, fd, loop_now(thread->loop), "", (Str){0});
    }
}

/* ---- turns */

bool mqtt_thread_full(const struct mqtt_thread *thread) {
    return thread->bytes_on_way >= thread->server->options.limits.thread_bytes;
}

static void flush_dirty(struct mqtt_thread *thread) {
    while (thread->dirty) {
        struct mqtt_conn *conn = thread->dirty;
        thread->dirty = conn->next_dirty;
        conn->dirty = false;
        mqtt_conn_flush(conn);
        mqtt_conn_release(conn);
    }
}

static void say_goodbye(struct mqtt_thread *thread) {
    while (thread->conns) {
        struct mqtt_conn *conn = thread->conns;
        conn->holds++;
        mqtt_conn_end(conn, MQTT_SERVER_SHUTTING_DOWN, "the server is shutting down");
        mqtt_conn_flush(conn);
        mqtt_conn_drop(conn);
        mqtt_conn_release(conn);
    }
    flush_dirty(thread);
    loop_stop(thread->loop);
}

static void on_turn(void *ctx) {
    struct mqtt_thread *thread = ctx;
    if (!thread->stopping) mqtt_conn_resume(thread);
    mqtt_commit_submit(thread);
    post_messages(thread);
    flush_dirty(thread);
    post_messages(thread); /* a connection that failed to flush may have left a will */
    if (thread->stopping && thread->commits_on_way == 0 && !thread->open) say_goodbye(thread);
}

static void on_wake(void *ctx) { mqtt_thread_read_mail(ctx); }

static void run(void *ctx) {
    struct mqtt_thread *thread = ctx;
    loop_run(thread->loop);
}

Err mqtt_thread_init(struct mqtt_thread *thread, struct mqtt_server *server, unsigned index) {
    *thread = (struct mqtt_thread){.server = server, .index = index};
    struct loop_hooks hooks = {.on_wake = on_wake, .on_turn = on_turn, .ctx = thread};
    TRY(loop_open(&hooks, &thread->loop));
    struct telemetry_options telemetry = {.series = server->options.series,
                                          .model_of = server->options.model_of,
                                          .thing_seen = server->options.thing_seen,
                                          .ctx = server->options.ctx,
                                          .counters = &thread->counters};
    thread->telemetry = telemetry_new(&telemetry);
    thread->tree = mqtt_tree_new();
    map_init(&thread->sessions);
    map_init(&thread->serials);
    map_init(&thread->groups);
    thread->outboxes = calloc(server->n_threads, sizeof *thread->outboxes);
    thread->input = malloc(MQTT_INPUT_BYTES);
    ASSERT(thread->outboxes && thread->input);
    thread->listener.on_ready = on_listener;
    thread->listen_again.on_due = on_listen_again;
    if (index == 0) TRY(loop_add(thread->loop, &thread->listener, server->listener, LOOP_READ));
    return err_none();
}

Err mqtt_thread_start(struct mqtt_thread *thread) {
    char name[16] = "mqtt-0";
    name[5] = (char)('0' + thread->index % 10);
    return thread_start(&thread->thread, name, run, thread);
}

static void free_sessions(struct mqtt_thread *thread) {
    size_t at = 0;
    Str key;
    uint64_t value;
    while (at = 0, map_next(&thread->sessions, &at, &key, &value)) {
        struct mqtt_session *session = (struct mqtt_session *)(uintptr_t)value;
        session->will_due = 0; /* nobody is left to hear it */
        mqtt_session_end(session);
    }
}

void mqtt_thread_end(struct mqtt_thread *thread) {
    if (!thread->loop) return;
    while (thread->conns) mqtt_conn_drop(thread->conns);
    flush_dirty(thread);
    free_sessions(thread);
}

bool mqtt_thread_has_mail(const struct mqtt_thread *thread) { return atomic_load(&thread->mailbox) != NULL; }

void mqtt_thread_fini(struct mqtt_thread *thread) {
    if (!thread->loop) return;
    mqtt_share_free(thread);
    for (unsigned i = 0; i < thread->server->n_threads; i++) {
        for (size_t k = 0; k < thread->outboxes[i].n; k++) mqtt_message_drop(thread->outboxes[i].messages[k]);
        free(thread->outboxes[i].messages);
    }
    free(thread->outboxes);
    mqtt_commit_free_pool(thread);
    telemetry_free(thread->telemetry);
    mqtt_tree_free(thread->tree);
    map_fini(&thread->sessions);
    map_fini(&thread->serials);
    map_fini(&thread->groups);
    for (size_t i = 0; i < thread->n_outs; i++) {
        buf_fini(thread->outs[i]);
        free(thread->outs[i]);
    }
    free(thread->outs);
    free(thread->matches);
    free(thread->input);
    loop_close(thread->loop);
}

struct buf *mqtt_thread_lend(struct mqtt_thread *thread) {
    if (thread->n_outs) return thread->outs[--thread->n_outs];
    struct buf *out = calloc(1, sizeof *out);
    ASSERT(out);
    return out;
}

void mqtt_thread_take_back(struct mqtt_thread *thread, struct buf *out) {
    buf_clear(out);
    if (thread->n_outs < SPARE_OUTS && out->cap <= SPARE_OUT_BYTES) {
        VEC_PUSH(thread->outs, thread->n_outs, thread->cap_outs, out);
        return;
    }
    buf_fini(out);
    free(out);
}
