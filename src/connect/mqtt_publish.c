/* PUBLISH from clients: telemetry goes to the series store, everything else to whoever subscribed. */
#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_core.h"
#include "connect/mqtt_topic.h"

#define OWN_TELEMETRY STR("v1/devices/me/telemetry")
#define GATEWAY_TELEMETRY STR("v1/gateway/telemetry")

/* ---- topic aliases */

static MqttFault resolve_alias(struct mqtt_conn *conn, const struct mqtt_properties *p, struct mqtt_publish *publish) {
    if (!mqtt_property_has(p, MQTT_P_TOPIC_ALIAS)) {
        if (publish->topic.len == 0) return MQTT_PROTOCOL("a PUBLISH has neither topic nor alias");
        return MQTT_FINE;
    }
    uint32_t alias = p->number[MQTT_P_TOPIC_ALIAS];
    if (alias == 0 || alias > MQTT_ALIASES_MAX)
        return (MqttFault){MQTT_TOPIC_ALIAS_INVALID, "the topic alias is zero or above the maximum"};
    if (!conn->aliases_in) conn->aliases_in = calloc(MQTT_ALIASES_MAX, sizeof *conn->aliases_in);
    ASSERT(conn->aliases_in);
    Str *known = &conn->aliases_in[alias - 1];
    if (publish->topic.len == 0) {
        if (known->len == 0) return MQTT_PROTOCOL("the topic alias was never given a topic");
        publish->topic = *known;
        return MQTT_FINE;
    }
    free((char *)(uintptr_t)known->ptr);
    char *copy = malloc(publish->topic.len);
    ASSERT(copy);
    *known = str_n(memcpy(copy, publish->topic.ptr, publish->topic.len), publish->topic.len);
    return MQTT_FINE;
}

static MqttFault check_properties(struct mqtt_conn *conn, struct mqtt_publish *publish, uint32_t *expiry_s) {
    struct mqtt_properties p;
    *expiry_s = 0;
    if (publish->properties.len == 0) {
        mqtt_property_init(&p);
    } else {
        (void)mqtt_property_parse(publish->properties, MQTT_PUBLISH, &p); /* it was parsed with the packet */
        if (mqtt_property_has(&p, MQTT_P_SUBSCRIPTION_ID))
            return MQTT_PROTOCOL("a client's PUBLISH has a subscription identifier");
        *expiry_s = mqtt_property_number(&p, MQTT_P_MESSAGE_EXPIRY, 0);
        if (mqtt_property_has(&p, MQTT_P_RESPONSE_TOPIC) && !mqtt_topic_name_ok(p.text[MQTT_P_RESPONSE_TOPIC]))
            return MQTT_PROTOCOL("the response topic is empty, too deep or has a wildcard");
    }
    return resolve_alias(conn, &p, publish);
}

/* ---- answers */

static enum mqtt_type answer_type(const struct mqtt_publish *publish) {
    return publish->qos == 0 ? 0 : publish->qos == 1 ? MQTT_PUBACK : MQTT_PUBREC;
}

/* At once, unless answers to earlier messages wait for the disk: they must go out in the order of the messages. */
static void answer_now(struct mqtt_conn *conn, const struct mqtt_publish *publish) {
    enum mqtt_type type = answer_type(publish);
    if (!type) return;
    if (conn->unanswered) {
        conn->unanswered++;
        mqtt_commit_owe(mqtt_commit_open(conn->thread), conn, type, publish->packet_id, 0);
    } else {
        mqtt_write_reply(mqtt_conn_out(conn), type, conn->version, publish->packet_id, MQTT_SUCCESS);
    }
}

static void answer_when_kept(struct mqtt_commit *commit, struct mqtt_conn *conn, const struct mqtt_publish *publish,
                             size_t bytes) {
    enum mqtt_type type = answer_type(publish);
    if (type) conn->unanswered++;
    mqtt_commit_owe(commit, conn, type, publish->packet_id, bytes);
}

/* ---- telemetry */

static void log_letters(struct mqtt_conn *conn, const struct telemetry_batch *batch, size_t before) {
    if (batch->n_letters == before) return;
    const struct dead_letter *letter = &batch->letters[batch->n_letters - 1];
    char why[400];
    size_t n = letter->reason.len < sizeof why - 1 ? letter->reason.len : sizeof why - 1;
    memcpy(why, letter->reason.ptr, n);
    why[n] = 0;
    mqtt_thread_refused(conn->thread, NULL, "ingest.refused", conn, why);
}

/* refusal: why the message cannot even be looked at; NULL: it is taken as telemetry. */
static void keep(struct mqtt_conn *conn, const struct mqtt_publish *publish, bool gateway, const char *refusal) {
    struct mqtt_thread *thread = conn->thread;
    struct mqtt_commit *commit = mqtt_commit_open(thread);
    size_t letters = commit->batch.n_letters;
    struct telemetry_message message = {.party = conn->who.party,
                                        .device = conn->who.thing,
                                        .own = &conn->thing,
                                        .gateway = gateway,
                                        .topic = publish->topic,
                                        .payload = publish->payload,
                                        .now = clock_now(thread->server->options.clock)};
    if (refusal)
        telemetry_refuse(&message, refusal, &commit->batch);
    else
        telemetry_take(thread->telemetry, &message, &commit->batch);
    log_letters(conn, &commit->batch, letters);
    answer_when_kept(commit, conn, publish, publish->payload.len + publish->topic.len);
}

static void refresh_models(struct mqtt_thread *thread) {
    unsigned changed = atomic_load_explicit(&thread->models_changed, memory_order_relaxed);
    if (changed == thread->models_seen) return;
    thread->models_seen = changed;
    telemetry_forget_models(thread->telemetry);
}

/* ---- messages for others */

void mqtt_publish_keep(struct mqtt_thread *thread, struct mqtt_message *message) {
    size_t before = mqtt_tree_retained_count(thread->tree);
    bool kept = mqtt_tree_retain(thread->tree, message, thread->server->options.limits.retained_bytes);
    /* Every thread keeps all retained messages; one of them counts. */
    if (thread->index == 0)
        ingest_count(&thread->counters.mqtt_retained, mqtt_tree_retained_count(thread->tree) - before);
    if (!kept && thread->index == 0)
        mqtt_thread_refused(thread, &thread->counters.mqtt_dropped, "mqtt.not_retained", NULL,
                            "the limit of retained messages is reached");
}

void mqtt_publish_message(struct mqtt_thread *thread, struct mqtt_message *message) {
    ingest_count(&thread->counters.mqtt_published, 1);
    mqtt_thread_send_to_all(thread, message);
}

static void publish_to_others(struct mqtt_conn *conn, const struct mqtt_publish *publish, uint32_t expiry_s) {
    struct mqtt_thread *thread = conn->thread;
    struct mqtt_message_parts parts = {.qos = publish->qos,
                                       .retain = publish->retain,
                                       .serial = mqtt_server_serial(thread->server),
                                       .publisher = conn->session->serial,
                                       .topic = publish->topic,
                                       .payload = publish->payload,
                                       .properties = publish->properties};
    if (expiry_s) parts.expires = loop_now(thread->loop) + (Nanos)expiry_s * NANOS_PER_S;
    struct mqtt_message *message = mqtt_message_new(&parts);
    if (publish->qos == 2) mqtt_session_remember_received(conn->session, publish->packet_id);
    answer_now(conn, publish);
    mqtt_publish_message(thread, message);
    mqtt_message_drop(message);
}

/* ---- PUBLISH and PUBREL */

static void route(struct mqtt_conn *conn, const struct mqtt_publish *publish, uint32_t expiry_s) {
    struct ingest_counters *counters = &conn->thread->counters;
    if (conn->who.anonymous) {
        publish_to_others(conn, publish, expiry_s);
    } else if (str_eq(publish->topic, OWN_TELEMETRY)) {
        keep(conn, publish, false, NULL);
    } else if (str_eq(publish->topic, GATEWAY_TELEMETRY)) {
        if (!conn->who.gateway) ingest_count(&counters->refused_topic, 1);
        keep(conn, publish, true, conn->who.gateway ? NULL : "only a device created as a gateway may speak for others");
    } else if (conn->thread->server->options.allow_anonymous) {
        publish_to_others(conn, publish, expiry_s);
    } else {
        ingest_count(&counters->refused_topic, 1);
        keep(conn, publish, false, "a device may not publish on this topic: telemetry goes to v1/devices/me/telemetry");
    }
}

void mqtt_publish_take(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    struct mqtt_publish publish;
    uint32_t expiry_s = 0;
    MqttFault bad = mqtt_codec_publish(frame->first, frame->body, conn->version, &publish);
    if (!bad.reason && conn->version == MQTT_V5) bad = check_properties(conn, &publish, &expiry_s);
    if (!bad.reason && publish.qos && conn->unanswered >= conn->thread->server->options.limits.receive_maximum)
        bad =
            (MqttFault){MQTT_RECEIVE_MAXIMUM_EXCEEDED, "more messages are unanswered than the receive maximum allows"};
    if (bad.reason) {
        mqtt_conn_fault(conn, bad);
        return;
    }
    if (publish.qos == 2 && mqtt_session_received(conn->session, publish.packet_id)) {
        answer_now(conn, &publish); /* it came again because our answer was lost */
        return;
    }
    refresh_models(conn->thread);
    route(conn, &publish, expiry_s);
}

void mqtt_publish_release(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    struct mqtt_reply reply;
    MqttFault bad = mqtt_codec_reply(MQTT_PUBREL, frame->body, conn->version, &reply);
    if (bad.reason) {
        mqtt_conn_fault(conn, bad);
        return;
    }
    bool known = mqtt_session_forget_received(conn->session, reply.packet_id);
    mqtt_write_reply(mqtt_conn_out(conn), MQTT_PUBCOMP, conn->version, reply.packet_id,
                     known ? MQTT_SUCCESS : MQTT_PACKET_ID_NOT_FOUND);
}
