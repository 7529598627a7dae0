/*
 * Messages on their way to subscribers. A match first collects, one entry a session however many of its subscriptions
 * cover the topic, then delivers: delivering never ends a session, so the entries stay true (a subscriber that is too
 * slow is only marked, and ended when its connection is flushed).
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "connect/mqtt_core.h"

static const struct mqtt_server_limits *limits_of(const struct mqtt_session *session) {
    return &session->thread->server->options.limits;
}

static void count_drop(struct mqtt_session *session) { ingest_count(&session->thread->counters.mqtt_dropped, 1); }

static bool is_over(const struct mqtt_session *session, const struct mqtt_message *message) {
    return message->expires && message->expires <= loop_now(session->thread->loop);
}

/* ---- one PUBLISH onto a connection */

/* The alias for a topic, 0 none; *known: the client has been told what it stands for. */
static uint16_t alias_for(struct mqtt_conn *conn, Str topic, bool *known) {
    *known = true;
    for (uint16_t i = 0; i < conn->n_aliases_out; i++)
        if (str_eq(conn->aliases_out[i], topic)) return (uint16_t)(i + 1);
    *known = false;
    if (conn->n_aliases_out == conn->max_aliases_out) return 0;
    if (!conn->aliases_out) conn->aliases_out = calloc(MQTT_ALIASES_MAX, sizeof *conn->aliases_out);
    char *copy = malloc(topic.len);
    ASSERT(conn->aliases_out && copy);
    conn->aliases_out[conn->n_aliases_out] = str_n(memcpy(copy, topic.ptr, topic.len), topic.len);
    return ++conn->n_aliases_out;
}

static void outgoing_properties(struct mqtt_conn *conn, const struct mqtt_message *message,
                                struct mqtt_publish *publish, struct mqtt_properties *p) {
    mqtt_property_init(p);
    /* A will's properties come from CONNECT and may hold a delay, which is no business of subscribers. */
    if (message->properties.len && mqtt_property_parse(message->properties, MQTT_PUBLISH, p).reason)
        (void)mqtt_property_parse(message->properties, MQTT_WILL, p);
    p->present &= ~(UINT64_C(1) << MQTT_P_TOPIC_ALIAS | UINT64_C(1) << MQTT_P_WILL_DELAY);
    if (message->expires) {
        Nanos left = message->expires - loop_now(conn->thread->loop);
        mqtt_property_set(p, MQTT_P_MESSAGE_EXPIRY, (uint32_t)((left + NANOS_PER_S - 1) / NANOS_PER_S));
    }
    if (conn->max_aliases_out == 0) return;
    bool known;
    uint16_t alias = alias_for(conn, message->topic, &known);
    if (alias) mqtt_property_set(p, MQTT_P_TOPIC_ALIAS, alias);
    if (alias && known) publish->topic = (Str){0};
}

/* False: larger than the client takes; such a message is as good as delivered [MQTT-3.1.2-25]. */
static bool write_publish(struct mqtt_conn *conn, const struct mqtt_delivery *d, uint16_t packet_id, bool dup) {
    struct mqtt_publish publish = {.dup = dup,
                                   .retain = d->retain,
                                   .qos = d->qos,
                                   .packet_id = packet_id,
                                   .topic = d->message->topic,
                                   .payload = d->message->payload};
    struct mqtt_properties p, *used = NULL;
    bool plain = d->message->properties.len == 0 && !d->message->expires && conn->max_aliases_out == 0;
    if (conn->version == MQTT_V5 && !plain) {
        outgoing_properties(conn, d->message, &publish, &p);
        used = &p;
    }
    if (conn->max_packet != UINT32_MAX &&
        mqtt_write_publish_size(conn->version, &publish, used, d->ids, d->n_ids) > conn->max_packet)
        return false;
    mqtt_write_publish(mqtt_conn_out(conn), conn->version, &publish, used, d->ids, d->n_ids);
    ingest_count(&conn->thread->counters.mqtt_delivered, 1);
    return true;
}

/* ---- QoS 1 and 2: what is under way, and what waits behind it */

static bool room(const struct mqtt_session *session) {
    return session->conn && session->n_flights < session->conn->receive_maximum &&
           mqtt_conn_unsent(session->conn) < limits_of(session)->output_bytes;
}

static struct mqtt_flight *find_flight(struct mqtt_session *session, uint16_t packet_id) {
    for (size_t i = 0; i < session->n_flights; i++)
        if (session->flights[i].packet_id == packet_id) return &session->flights[i];
    return NULL;
}

static uint16_t free_packet_id(struct mqtt_session *session) {
    do {
        if (++session->last_packet_id == 0) session->last_packet_id = 1;
    } while (find_flight(session, session->last_packet_id));
    return session->last_packet_id;
}

/* Takes the delivery's reference. */
static void send_flight(struct mqtt_session *session, const struct mqtt_delivery *delivery) {
    struct mqtt_flight flight = {.packet_id = free_packet_id(session),
                                 .state = delivery->qos == 1 ? MQTT_FLIGHT_PUBACK : MQTT_FLIGHT_PUBREC,
                                 .delivery = *delivery};
    if (!write_publish(session->conn, delivery, flight.packet_id, false)) {
        count_drop(session);
        mqtt_message_drop(delivery->message);
        return;
    }
    VEC_PUSH(session->flights, session->n_flights, session->cap_flights, flight);
}

static void land(struct mqtt_session *session, struct mqtt_flight *flight) {
    mqtt_message_drop(flight->delivery.message);
    size_t at = (size_t)(flight - session->flights);
    session->n_flights--;
    memmove(flight, flight + 1, (session->n_flights - at) * sizeof *flight);
    if (session->n_flights || session->n_queue) return;
    free(session->flights);
    session->flights = NULL;
    session->cap_flights = 0;
}

static void enqueue(struct mqtt_session *session, const struct mqtt_delivery *delivery) {
    if (session->queue_at && session->queue_at + session->n_queue == session->cap_queue) {
        memmove(session->queue, session->queue + session->queue_at, session->n_queue * sizeof *session->queue);
        session->queue_at = 0;
    }
    size_t end = session->queue_at + session->n_queue;
    VEC_PUSH(session->queue, end, session->cap_queue, *delivery);
    mqtt_message_hold(delivery->message);
    session->n_queue++;
}

void mqtt_deliver_more(struct mqtt_session *session) {
    while (session->n_queue && room(session)) {
        struct mqtt_delivery next = session->queue[session->queue_at++];
        session->n_queue--;
        if (is_over(session, next.message)) {
            count_drop(session);
            mqtt_message_drop(next.message);
        } else {
            send_flight(session, &next);
        }
    }
    if (session->n_queue || !session->queue) return;
    free(session->queue);
    session->queue = NULL;
    session->queue_at = session->cap_queue = 0;
}

static void deliver_later(struct mqtt_session *session, const struct mqtt_delivery *delivery) {
    if (session->n_queue < limits_of(session)->queue_messages) {
        enqueue(session, delivery);
        return;
    }
    count_drop(session);
    if (session->conn) mqtt_conn_mark_slow(session->conn);
}

void mqtt_deliver_one(struct mqtt_session *session, const struct mqtt_delivery *delivery) {
    struct mqtt_conn *conn = session->conn;
    if (is_over(session, delivery->message)) {
        count_drop(session);
    } else if (delivery->qos) {
        if (session->n_queue || !room(session)) {
            deliver_later(session, delivery);
        } else {
            mqtt_message_hold(delivery->message);
            send_flight(session, delivery);
        }
    } else if (!conn || mqtt_conn_unsent(conn) >= limits_of(session)->output_bytes ||
               !write_publish(conn, delivery, 0, false)) {
        count_drop(session);
    }
}

void mqtt_deliver_resume(struct mqtt_session *session) {
    struct mqtt_conn *conn = session->conn;
    for (size_t i = 0; i < session->n_flights; i++) {
        struct mqtt_flight *flight = &session->flights[i];
        if (flight->state == MQTT_FLIGHT_PUBCOMP)
            mqtt_write_reply(mqtt_conn_out(conn), MQTT_PUBREL, conn->version, flight->packet_id, MQTT_SUCCESS);
        else
            (void)write_publish(conn, &flight->delivery, flight->packet_id, true);
    }
    mqtt_deliver_more(session);
}

/* ---- answers */

static void received(struct mqtt_session *session, struct mqtt_flight *flight, const struct mqtt_reply *reply) {
    struct mqtt_conn *conn = session->conn;
    if (!flight) {
        mqtt_write_reply(mqtt_conn_out(conn), MQTT_PUBREL, conn->version, reply->packet_id, MQTT_PACKET_ID_NOT_FOUND);
    } else if (reply->reason >= MQTT_UNSPECIFIED) {
        land(session, flight);
    } else {
        flight->state = MQTT_FLIGHT_PUBCOMP;
        mqtt_write_reply(mqtt_conn_out(conn), MQTT_PUBREL, conn->version, reply->packet_id, MQTT_SUCCESS);
    }
}

void mqtt_deliver_answer(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    enum mqtt_type type = frame->first >> 4;
    struct mqtt_session *session = conn->session;
    struct mqtt_reply reply;
    MqttFault bad = mqtt_codec_reply(type, frame->body, conn->version, &reply);
    if (bad.reason) {
        mqtt_conn_fault(conn, bad);
        return;
    }
    struct mqtt_flight *flight = find_flight(session, reply.packet_id);
    if (type == MQTT_PUBREC)
        received(session, flight, &reply);
    else if (flight && flight->state == (type == MQTT_PUBACK ? MQTT_FLIGHT_PUBACK : MQTT_FLIGHT_PUBCOMP))
        land(session, flight);
    mqtt_deliver_more(session);
}

/* ---- matching */

struct matching {
    struct mqtt_thread *thread;
    struct mqtt_message *message;
};

static void add_id(struct mqtt_delivery *delivery, uint32_t id) {
    if (id && delivery->n_ids < MQTT_IDS_MAX) delivery->ids[delivery->n_ids++] = id;
}

static void found(void *ctx, struct mqtt_sub *sub) {
    const struct matching *m = ctx;
    struct mqtt_thread *thread = m->thread;
    if (sub->group) {
        mqtt_share_deliver(thread, sub, m->message);
        return;
    }
    struct mqtt_session *session = sub->owner;
    if (sub->no_local && session->serial == m->message->publisher) return;
    if (session->match_serial != thread->match_serial) {
        session->match_serial = thread->match_serial;
        session->match_at = (uint32_t)thread->n_matches;
        struct mqtt_match fresh = {.session = session, .delivery.message = m->message};
        VEC_PUSH(thread->matches, thread->n_matches, thread->cap_matches, fresh);
    }
    struct mqtt_delivery *delivery = &thread->matches[session->match_at].delivery;
    uint8_t qos = sub->qos < m->message->qos ? sub->qos : m->message->qos;
    if (qos > delivery->qos) delivery->qos = qos;
    if (sub->retain_as_published && m->message->retain) delivery->retain = true;
    add_id(delivery, sub->id);
}

void mqtt_deliver_match(struct mqtt_thread *thread, struct mqtt_message *message) {
    struct matching m = {thread, message};
    thread->n_matches = 0;
    thread->match_serial++;
    mqtt_tree_match(thread->tree, message->route, found, &m);
    for (size_t i = 0; i < thread->n_matches; i++)
        mqtt_deliver_one(thread->matches[i].session, &thread->matches[i].delivery);
}
