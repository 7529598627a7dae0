#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "connect/mqtt_core.h"

static void on_due(struct loop_timer *timer);

static Str serial_key(const uint64_t *serial) { return str_n((const char *)serial, sizeof *serial); }

static struct mqtt_session *find(const struct map *map, Str key) {
    uint64_t value;
    return map_get(map, key, &value) ? (struct mqtt_session *)(uintptr_t)value : NULL;
}

struct mqtt_session *mqtt_session_find(struct mqtt_thread *thread, Str key) {
    return find(&thread->sessions, key);
}

struct mqtt_session *mqtt_session_by_serial(struct mqtt_thread *thread, uint64_t serial) {
    return find(&thread->serials, serial_key(&serial));
}

struct mqtt_session *mqtt_session_make(struct mqtt_thread *thread, Str key) {
    struct mqtt_session *session = calloc(1, sizeof *session);
    char *text = malloc(key.len ? key.len : 1);
    ASSERT(session && text);
    memcpy(text, key.ptr, key.len);
    session->key = str_n(text, key.len);
    session->thread = thread;
    session->serial = mqtt_server_serial(thread->server);
    session->timer.on_due = on_due;
    map_put(&thread->sessions, session->key, (uint64_t)(uintptr_t)session);
    map_put(&thread->serials, serial_key(&session->serial), (uint64_t)(uintptr_t)session);
    ingest_count(&thread->counters.mqtt_sessions, 1);
    return session;
}

void mqtt_session_attach(struct mqtt_session *session, struct mqtt_conn *conn) {
    loop_timer_clear(session->thread->loop, &session->timer);
    session->conn = conn;
    conn->session = session;
    session->will_due = 0; /* back in time: the will is not sent */
    mqtt_message_drop(session->will.message);
    session->will = (struct mqtt_will_state){0};
}

static void send_will(struct mqtt_session *session) {
    struct mqtt_message *will = session->will.message;
    if (will && session->will.expiry_s) /* nobody else holds it yet */
        will->expires = loop_now(session->thread->loop) + (Nanos)session->will.expiry_s * NANOS_PER_S;
    session->will = (struct mqtt_will_state){0};
    session->will_due = 0;
    if (!will) return;
    mqtt_publish_message(session->thread, will);
    mqtt_message_drop(will);
}

static void set_timer(struct mqtt_session *session) {
    Nanos due = session->expires;
    if (session->will_due && session->will_due < due) due = session->will_due;
    loop_timer_set(session->thread->loop, &session->timer, due - loop_now(session->thread->loop));
}

static void on_due(struct loop_timer *timer) {
    struct mqtt_session *session =
        (struct mqtt_session *)(void *)((char *)timer - offsetof(struct mqtt_session, timer));
    Nanos now = loop_now(session->thread->loop);
    if (session->will_due && session->will_due <= now) send_will(session);
    if (session->expires <= now)
        mqtt_session_end(session);
    else
        set_timer(session);
}

void mqtt_session_detach(struct mqtt_session *session, uint32_t expiry_s, bool with_will) {
    struct mqtt_thread *thread = session->thread;
    uint32_t most = thread->server->options.limits.session_expiry_s;
    Nanos now = loop_now(thread->loop);
    session->conn = NULL;
    if (expiry_s > most) expiry_s = most;
    if (!with_will) {
        mqtt_message_drop(session->will.message);
        session->will = (struct mqtt_will_state){0};
    }
    session->expires = now + (Nanos)expiry_s * NANOS_PER_S;
    bool waits = session->will.message && session->will.delay_s && expiry_s;
    if (waits)
        session->will_due = now + (Nanos)session->will.delay_s * NANOS_PER_S;
    else
        send_will(session);
    if (expiry_s == 0)
        mqtt_session_end(session);
    else
        set_timer(session);
}

void mqtt_session_unsubscribe_all(struct mqtt_session *session) {
    struct mqtt_thread *thread = session->thread;
    mqtt_share_leave_all(session);
    while (session->subs) {
        struct mqtt_sub *sub = session->subs;
        session->subs = sub->next_own;
        mqtt_tree_remove(thread->tree, sub);
        free(sub);
    }
    ingest_count(&thread->counters.mqtt_subscriptions, 0 - (uint64_t)session->n_subs);
    session->n_subs = 0;
}

static void forget(struct mqtt_session *session) {
    for (size_t i = 0; i < session->n_flights; i++) mqtt_message_drop(session->flights[i].delivery.message);
    for (size_t i = 0; i < session->n_queue; i++) mqtt_message_drop(session->queue[session->queue_at + i].message);
    free(session->flights);
    free(session->queue);
    free(session->received);
}

void mqtt_session_end(struct mqtt_session *session) {
    struct mqtt_thread *thread = session->thread;
    ASSERT(!session->conn);
    loop_timer_clear(thread->loop, &session->timer);
    mqtt_session_unsubscribe_all(session);
    map_del(&thread->sessions, session->key);
    map_del(&thread->serials, serial_key(&session->serial));
    if (session->will_due) send_will(session); /* the session's end is the latest time for it */
    mqtt_message_drop(session->will.message);
    forget(session);
    free((char *)(uintptr_t)session->key.ptr);
    free(session);
    ingest_count(&thread->counters.mqtt_sessions, UINT64_MAX);
}

/* ---- QoS 2, inbound */

static uint16_t *find_received(const struct mqtt_session *session, uint16_t packet_id) {
    for (size_t i = 0; i < session->n_received; i++)
        if (session->received[i] == packet_id) return &session->received[i];
    return NULL;
}

bool mqtt_session_received(const struct mqtt_session *session, uint16_t packet_id) {
    return find_received(session, packet_id) != NULL;
}

void mqtt_session_remember_received(struct mqtt_session *session, uint16_t packet_id) {
    if (find_received(session, packet_id)) return;
    VEC_PUSH(session->received, session->n_received, session->cap_received, packet_id);
}

bool mqtt_session_forget_received(struct mqtt_session *session, uint16_t packet_id) {
    uint16_t *at = find_received(session, packet_id);
    if (!at) return false;
    *at = session->received[--session->n_received];
    return true;
}
