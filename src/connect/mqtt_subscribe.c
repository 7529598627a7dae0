#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_core.h"
#include "connect/mqtt_topic.h"

#define OWN STR("v1/devices/me/")
#define FILTERS_MAX 1024 /* in one packet */

/*
 * Every device calls itself "me", so what it subscribes to below v1/devices/me/ is matched at a place that only its
 * own thing has. No client may name such a place itself.
 */
static bool own_route(struct mqtt_conn *conn, Str filter, struct buf *out) {
    if (conn->who.anonymous || !str_starts(filter, OWN)) return true;
    if (conn->thing.id == 0) {
        struct series *series = conn->thread->server->options.series;
        if (series_thing(series, conn->who.party, conn->who.thing, &conn->thing.id).code != ERR_NONE) return false;
    }
    buf_clear(out);
    buf_printf(out, MQTT_OWN_ROUTE "/%u/", conn->thing.id);
    buf_str(out, str_slice(filter, OWN.len, filter.len));
    return true;
}

static bool denied(const struct mqtt_server *server, Str filter) {
    for (size_t i = 0; i < server->options.n_deny_subscribe; i++)
        if (mqtt_topic_match(str_c(server->deny[i]), filter)) return true;
    return false;
}

static unsigned permit(const struct mqtt_conn *conn, Str filter) {
    Str group, rest;
    if (!mqtt_topic_filter_ok(filter)) return MQTT_TOPIC_FILTER_INVALID;
    if (!mqtt_topic_shared(filter, &group, &rest)) rest = filter;
    if (denied(conn->thread->server, rest) || str_starts(rest, STR(MQTT_OWN_ROUTE))) return MQTT_NOT_AUTHORIZED;
    if (conn->who.anonymous || conn->thread->server->options.allow_anonymous) return MQTT_SUCCESS;
    return str_starts(filter, OWN) ? MQTT_SUCCESS : MQTT_NOT_AUTHORIZED;
}

static struct mqtt_sub **find_sub(struct mqtt_session *session, const struct mqtt_node *node) {
    for (struct mqtt_sub **at = &session->subs; *at; at = &(*at)->next_own)
        if ((*at)->node == node) return at;
    return NULL;
}

static struct mqtt_sub *add_sub(struct mqtt_session *session, struct mqtt_node *node) {
    struct mqtt_sub *sub = calloc(1, sizeof *sub);
    ASSERT(sub);
    sub->owner = session;
    sub->next_own = session->subs;
    session->subs = sub;
    session->n_subs++;
    mqtt_tree_add(session->thread->tree, node, sub);
    ingest_count(&session->thread->counters.mqtt_subscriptions, 1);
    return sub;
}

static unsigned subscribe_shared(struct mqtt_conn *conn, const struct mqtt_filter *filter, uint32_t id) {
    struct mqtt_session *session = conn->session;
    bool full = session->n_subs >= conn->thread->server->options.limits.subscriptions;
    if (full && !mqtt_share_has(session, filter->filter)) return MQTT_QUOTA_EXCEEDED;
    mqtt_share_join(session, filter, id);
    return filter->qos;
}

/* A granted QoS, or a reason from 0x80 on; *fresh: it was not subscribed to before. */
static unsigned subscribe_plain(struct mqtt_conn *conn, const struct mqtt_filter *filter, uint32_t id, bool *fresh) {
    struct mqtt_session *session = conn->session;
    struct mqtt_tree *tree = conn->thread->tree;
    struct buf route = {0};
    buf_str(&route, filter->filter);
    if (!own_route(conn, filter->filter, &route)) {
        buf_fini(&route);
        return MQTT_UNSPECIFIED;
    }
    struct mqtt_node *node = mqtt_tree_find(tree, buf_view(&route));
    struct mqtt_sub **known = node ? find_sub(session, node) : NULL;
    bool full = !known && session->n_subs >= conn->thread->server->options.limits.subscriptions;
    if (!full) {
        *fresh = !known;
        struct mqtt_sub *sub = known ? *known : add_sub(session, mqtt_tree_node(tree, buf_view(&route)));
        sub->id = id;
        sub->qos = (uint8_t)filter->qos;
        sub->no_local = filter->no_local;
        sub->retain_as_published = filter->retain_as_published;
    }
    buf_fini(&route);
    return full ? MQTT_QUOTA_EXCEEDED : filter->qos;
}

static unsigned subscribe(struct mqtt_conn *conn, const struct mqtt_filter *filter, uint32_t id, bool *fresh) {
    unsigned no = permit(conn, filter->filter);
    if (no) return no;
    Str group, rest;
    if (mqtt_topic_shared(filter->filter, &group, &rest)) return subscribe_shared(conn, filter, id);
    return subscribe_plain(conn, filter, id, fresh);
}

/* ---- retained messages for a new subscription */

struct sending {
    struct mqtt_session *session;
    const struct mqtt_filter *filter;
    uint32_t id;
};

static bool send_retained(void *ctx, struct mqtt_message *message) {
    const struct sending *s = ctx;
    if (message->expires && message->expires <= loop_now(s->session->thread->loop)) return false;
    if (s->filter->no_local && message->publisher == s->session->serial) return true;
    struct mqtt_delivery delivery = {.message = message,
                                     .qos = (uint8_t)(s->filter->qos < message->qos ? s->filter->qos : message->qos),
                                     .retain = true,
                                     .n_ids = s->id != 0,
                                     .ids = {s->id}};
    mqtt_deliver_one(s->session, &delivery);
    return true;
}

static void retained_for(struct mqtt_conn *conn, const struct mqtt_filter *filter, uint32_t id) {
    struct sending sending = {conn->session, filter, id};
    struct buf route = {0};
    buf_str(&route, filter->filter);
    if (own_route(conn, filter->filter, &route))
        mqtt_tree_retained(conn->thread->tree, buf_view(&route), send_retained, &sending);
    buf_fini(&route);
}

/* ---- SUBSCRIBE and UNSUBSCRIBE */

static uint8_t code_for(const struct mqtt_conn *conn, unsigned reason) {
    return reason >= MQTT_UNSPECIFIED && conn->version != MQTT_V5 ? MQTT_UNSPECIFIED : (uint8_t)reason;
}

static void log_refusal(struct mqtt_conn *conn, const struct mqtt_filter *filter, unsigned reason) {
    char why[300];
    snprintf(why, sizeof why, "subscribing to '" STR_FMT "': %s", STR_ARG(str_slice(filter->filter, 0, 200)),
             mqtt_reason_text(reason));
    mqtt_thread_refused(conn->thread, NULL, "mqtt.subscribe_refused", conn, why);
}

void mqtt_subscribe_take(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    struct mqtt_request request;
    MqttFault bad = mqtt_codec_request(MQTT_SUBSCRIBE, frame->body, conn->version, &request);
    if (bad.reason) {
        mqtt_conn_fault(conn, bad);
        return;
    }
    struct mqtt_properties p;
    (void)mqtt_property_parse(request.properties, MQTT_SUBSCRIBE, &p); /* it was parsed with the packet */
    uint32_t id = mqtt_property_number(&p, MQTT_P_SUBSCRIPTION_ID, 0);
    char reasons[FILTERS_MAX];
    bool send[FILTERS_MAX];
    size_t n = 0;
    struct mqtt_filter filter;
    for (Str rest = request.filters; n < FILTERS_MAX && mqtt_codec_next_filter(MQTT_SUBSCRIBE, &rest, &filter); n++) {
        bool fresh = false;
        unsigned reason = subscribe(conn, &filter, id, &fresh);
        if (reason >= MQTT_UNSPECIFIED) log_refusal(conn, &filter, reason);
        reasons[n] = (char)code_for(conn, reason);
        send[n] = reason < MQTT_UNSPECIFIED && !str_starts(filter.filter, STR("$share/")) &&
                  (filter.retain_handling == 0 || (filter.retain_handling == 1 && fresh));
    }
    mqtt_write_answer(mqtt_conn_out(conn), MQTT_SUBACK, conn->version, request.packet_id, str_n(reasons, n));
    Str rest = request.filters;
    for (size_t i = 0; i < n && mqtt_codec_next_filter(MQTT_SUBSCRIBE, &rest, &filter); i++)
        if (send[i]) retained_for(conn, &filter, id);
}

static unsigned unsubscribe(struct mqtt_conn *conn, Str filter) {
    struct mqtt_session *session = conn->session;
    struct buf route = {0};
    if (!mqtt_topic_filter_ok(filter)) return MQTT_TOPIC_FILTER_INVALID;
    if (mqtt_share_leave(session, filter)) return MQTT_SUCCESS;
    buf_str(&route, filter);
    bool ok = own_route(conn, filter, &route);
    struct mqtt_node *node = ok ? mqtt_tree_find(conn->thread->tree, buf_view(&route)) : NULL;
    buf_fini(&route);
    struct mqtt_sub **at = node ? find_sub(session, node) : NULL;
    if (!at) return MQTT_NO_SUBSCRIPTION_EXISTED;
    struct mqtt_sub *sub = *at;
    *at = sub->next_own;
    session->n_subs--;
    mqtt_tree_remove(conn->thread->tree, sub);
    free(sub);
    ingest_count(&conn->thread->counters.mqtt_subscriptions, UINT64_MAX);
    return MQTT_SUCCESS;
}

void mqtt_subscribe_end(struct mqtt_conn *conn, const struct mqtt_frame *frame) {
    struct mqtt_request request;
    MqttFault bad = mqtt_codec_request(MQTT_UNSUBSCRIBE, frame->body, conn->version, &request);
    if (bad.reason) {
        mqtt_conn_fault(conn, bad);
        return;
    }
    char reasons[FILTERS_MAX];
    size_t n = 0;
    struct mqtt_filter filter;
    for (Str rest = request.filters; n < FILTERS_MAX && mqtt_codec_next_filter(MQTT_UNSUBSCRIBE, &rest, &filter); n++)
        reasons[n] = (char)unsubscribe(conn, filter.filter);
    mqtt_write_answer(mqtt_conn_out(conn), MQTT_UNSUBACK, conn->version, request.packet_id, str_n(reasons, n));
}
