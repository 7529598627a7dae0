/*
 * CONNECT. A client's home is the thread that its client id hashes to: the connection moves there, with what was read
 * of it, before anything else is looked at. A session belongs to a user and a client id together, so that one device
 * cannot take over another's by guessing its client id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "connect/mqtt_core.h"
#include "connect/mqtt_topic.h"
#include "os/process.h"

static void refuse(struct mqtt_conn *conn, uint64_t *counter, unsigned reason, const char *why) {
    mqtt_thread_refused(conn->thread, counter, "mqtt.connect_refused", conn, why);
    uint8_t code = conn->version == MQTT_V5 ? (uint8_t)reason : mqtt_reason_connack_3(reason);
    if (code) {
        struct mqtt_properties p;
        mqtt_property_init(&p);
        if (why) mqtt_property_set_text(&p, MQTT_P_REASON_STRING, str_c(why));
        mqtt_write_connack(mqtt_conn_out(conn), conn->version, false, code, &p);
    }
    mqtt_conn_end(conn, reason, why);
}

static void move_home(struct mqtt_conn *conn, struct mqtt_thread *home, Str bytes) {
    struct mqtt_mail_conn *mail = calloc(1, sizeof *mail);
    ASSERT(mail);
    mail->mail.kind = MQTT_MAIL_CONN;
    mail->accepted = conn->last_in;
    memcpy(mail->client_id, conn->given_id, sizeof mail->client_id);
    buf_add(&mail->bytes, bytes.ptr, bytes.len);
    mail->fd = mqtt_conn_give_away(conn);
    mqtt_thread_post(home, &mail->mail);
}

static void give_id(struct mqtt_conn *conn) {
    static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
    unsigned char random[20];
    process_random(random, sizeof random);
    size_t n = (size_t)snprintf(conn->given_id, sizeof conn->given_id, "weft-");
    for (size_t i = 0; i < sizeof random; i++) conn->given_id[n++] = digits[random[i] & 31];
    conn->given_id[n] = 0;
}

/* ---- who */

static void set_who(struct mqtt_conn *conn, const struct device_identity *who) {
    size_t user = strlen(who->user), thing = strlen(who->thing);
    conn->who_texts = malloc(user + thing + 1);
    ASSERT(conn->who_texts);
    memcpy(conn->who_texts, who->user, user);
    memcpy(conn->who_texts + user, who->thing, thing);
    conn->who = (struct mqtt_identity){.party = who->party,
                                       .gateway = who->gateway,
                                       .user = str_n(conn->who_texts, user),
                                       .thing = str_n(conn->who_texts + user, thing)};
}

static bool authenticate(struct mqtt_conn *conn, const struct mqtt_connect *c) {
    const struct mqtt_server_options *options = &conn->thread->server->options;
    uint64_t *counter = &conn->thread->counters.mqtt_refused_login;
    struct device_identity who = {0};
    if (c->has_user && options->authenticate) {
        Err err = options->authenticate(options->ctx, c->user, c->password, &who);
        if (err.code == ERR_NONE) {
            set_who(conn, &who);
            return true;
        }
        if (err.code != ERR_UNAUTHENTICATED) {
            refuse(conn, counter, MQTT_SERVER_UNAVAILABLE, err.text);
            return false;
        }
    }
    conn->who = (struct mqtt_identity){.anonymous = true};
    if (options->allow_anonymous && !c->has_user) return true;
    if (c->has_user)
        refuse(conn, counter, MQTT_BAD_LOGIN, "the user name or password is wrong");
    else
        refuse(conn, counter, MQTT_NOT_AUTHORIZED, "a user name and password are needed");
    return false;
}

/* ---- which session */

static Str session_key(const struct mqtt_conn *conn, Str client_id, struct buf *out) {
    buf_str(out, conn->who.user);
    buf_byte(out, 0);
    buf_str(out, client_id);
    return buf_view(out);
}

static struct mqtt_session *take_session(struct mqtt_conn *conn, Str key, bool clean, bool *present) {
    struct mqtt_thread *thread = conn->thread;
    struct mqtt_session *session = mqtt_session_find(thread, key);
    if (session && session->conn) {
        ingest_count(&thread->counters.mqtt_taken_over, 1);
        mqtt_conn_end(session->conn, MQTT_SESSION_TAKEN_OVER, "another client came with this client identifier");
        session = mqtt_session_find(thread, key); /* it may have ended with its connection */
    }
    if (session && clean) {
        mqtt_session_end(session);
        session = NULL;
    }
    *present = session != NULL;
    return session ? session : mqtt_session_make(thread, key);
}

static void set_will(struct mqtt_session *session, const struct mqtt_connect *c) {
    if (!c->has_will) return;
    struct mqtt_properties p;
    struct mqtt_server *server = session->thread->server;
    (void)mqtt_property_parse(c->will.properties, MQTT_WILL, &p); /* it was parsed with the packet */
    struct mqtt_message_parts parts = {.qos = c->will.qos,
                                       .retain = c->will.retain,
                                       .serial = mqtt_server_serial(server),
                                       .publisher = session->serial,
                                       .topic = c->will.topic,
                                       .payload = c->will.payload,
                                       .properties = c->will.properties};
    session->will.message = mqtt_message_new(&parts);
    session->will.delay_s = mqtt_property_number(&p, MQTT_P_WILL_DELAY, 0);
    session->will.expiry_s = mqtt_property_number(&p, MQTT_P_MESSAGE_EXPIRY, 0);
}

/* ---- what both sides may do */

static void take_wishes(struct mqtt_conn *conn, const struct mqtt_connect *c, const struct mqtt_properties *p) {
    const struct mqtt_server_options *options = &conn->thread->server->options;
    conn->keep_alive_s = c->keep_alive_s;
    bool longer = c->keep_alive_s == 0 || c->keep_alive_s > options->server_keep_alive;
    if (c->version == MQTT_V5 && options->server_keep_alive && longer) conn->keep_alive_s = options->server_keep_alive;
    conn->receive_maximum = (uint16_t)mqtt_property_number(p, MQTT_P_RECEIVE_MAXIMUM, 65535);
    conn->max_packet = mqtt_property_number(p, MQTT_P_MAXIMUM_PACKET, UINT32_MAX);
    conn->problem_info = mqtt_property_number(p, MQTT_P_REQUEST_PROBLEM, 1) != 0;
    uint32_t aliases = mqtt_property_number(p, MQTT_P_TOPIC_ALIAS_MAXIMUM, 0);
    conn->max_aliases_out = (uint16_t)(aliases < MQTT_ALIASES_MAX ? aliases : MQTT_ALIASES_MAX);
    uint32_t most = options->limits.session_expiry_s;
    uint32_t wish = mqtt_property_number(p, MQTT_P_SESSION_EXPIRY, 0);
    if (c->version == MQTT_V3) wish = c->clean ? 0 : most;
    conn->session_expiry_s = wish < most ? wish : most;
}

static void welcome(struct mqtt_conn *conn, const struct mqtt_connect *c, const struct mqtt_properties *asked,
                    bool present) {
    const struct mqtt_server_options *options = &conn->thread->server->options;
    struct mqtt_properties p;
    mqtt_property_init(&p);
    mqtt_property_set(&p, MQTT_P_RECEIVE_MAXIMUM, options->limits.receive_maximum);
    mqtt_property_set(&p, MQTT_P_MAXIMUM_PACKET, options->limits.max_packet);
    mqtt_property_set(&p, MQTT_P_TOPIC_ALIAS_MAXIMUM, MQTT_ALIASES_MAX);
    if (conn->session_expiry_s != mqtt_property_number(asked, MQTT_P_SESSION_EXPIRY, 0))
        mqtt_property_set(&p, MQTT_P_SESSION_EXPIRY, conn->session_expiry_s);
    if (conn->keep_alive_s != c->keep_alive_s) mqtt_property_set(&p, MQTT_P_SERVER_KEEP_ALIVE, conn->keep_alive_s);
    if (c->client_id.len == 0) mqtt_property_set_text(&p, MQTT_P_ASSIGNED_CLIENT_ID, str_c(conn->given_id));
    mqtt_write_connack(mqtt_conn_out(conn), conn->version, present, MQTT_SUCCESS, &p);
}

static void open_session(struct mqtt_conn *conn, const struct mqtt_connect *c, Str client_id) {
    struct mqtt_properties p;
    (void)mqtt_property_parse(c->properties, MQTT_CONNECT, &p); /* it was parsed with the packet */
    if (mqtt_property_has(&p, MQTT_P_AUTH_METHOD)) {
        refuse(conn, &conn->thread->counters.mqtt_refused_login, MQTT_BAD_AUTH_METHOD,
               "no authentication method but user name and password is known here");
        return;
    }
    if (!authenticate(conn, c)) return;
    struct buf key = {0};
    bool present;
    take_wishes(conn, c, &p);
    struct mqtt_session *session = take_session(conn, session_key(conn, client_id, &key), c->clean, &present);
    buf_fini(&key);
    mqtt_session_attach(session, conn);
    set_will(session, c);
    conn->state = MQTT_CONN_OPEN;
    mqtt_conn_set_timer(conn);
    ingest_count(&conn->thread->counters.mqtt_connects, 1);
    welcome(conn, c, &p, present);
    mqtt_deliver_resume(session);
}

void mqtt_connect_take(struct mqtt_conn *conn, const struct mqtt_frame *frame, Str all) {
    struct mqtt_connect c;
    struct ingest_counters *counters = &conn->thread->counters;
    MqttFault bad = mqtt_codec_connect(frame->body, &c);
    conn->version = c.version == MQTT_V3 || c.version < MQTT_V3 ? MQTT_V3 : MQTT_V5;
    if (bad.reason) {
        refuse(conn, &counters->mqtt_refused_malformed, bad.reason, bad.why);
        return;
    }
    if (c.client_id.len == 0 && c.version == MQTT_V3 && !c.clean) {
        refuse(conn, &counters->mqtt_refused_protocol, MQTT_CLIENT_ID_NOT_VALID,
               "a client that wants to keep its session must have an identifier");
        return;
    }
    if (c.client_id.len == 0 && !conn->given_id[0]) give_id(conn);
    Str client_id = c.client_id.len ? c.client_id : str_c(conn->given_id);
    struct mqtt_thread *home = mqtt_server_home(conn->thread->server, client_id);
    if (home != conn->thread)
        move_home(conn, home, all);
    else
        open_session(conn, &c, client_id);
}
