#include "connect/mqtt_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_write.h"
#include "os/clock.h"
#include "os/net.h"
#include "os/process.h"

#define SEND_BYTES 65536u /* gathered packets are sent at the latest when there are that many bytes */
#define READ_BYTES 65536u
#define PACKET_MAX (64u << 20)
#define WINDOW 20u
#define WINDOW_MAX 65534u /* one packet id stays free for requests */

struct mqtt_client {
    struct mqtt_client_options options;
    char client_id[64];
    int fd;
    unsigned version;
    uint16_t keep_alive_s;
    Nanos last_out, last_in;
    struct buf in, out;
    size_t sent;
    /* QoS 1: packet ids run 1 … 65,535 and round again; the window is smaller, so an id is free when its turn comes. */
    uint64_t published, acknowledged; /* acknowledged: of the oldest on, without a gap */
    uint8_t *acked;                   /* of the window, a place each */
    uint64_t places;
    uint16_t request_id; /* SUBSCRIBE or UNSUBSCRIBE that waits for its answer */
    int request_answer;  /* its reason; -1: none yet */
    bool session_present, connected;
};

static unsigned version_of(const struct mqtt_client_options *options) { return options->version_5 ? MQTT_V5 : MQTT_V3; }

/* ---- bytes */

static Err send_some(struct mqtt_client *c) {
    while (c->sent < c->out.len) {
        ptrdiff_t n = net_send(c->fd, c->out.ptr + c->sent, c->out.len - c->sent);
        if (n == NET_CLOSED) return err_make(ERR_CLOSED, "the server closed the connection");
        if (n == NET_AGAIN) return err_none();
        c->sent += (size_t)n;
        c->last_out = clock_monotonic();
    }
    buf_clear(&c->out);
    c->sent = 0;
    return err_none();
}

static uint16_t packet_id_of(uint64_t number) { return (uint16_t)((number - 1) % 65535u + 1); }

static bool acked_at(const struct mqtt_client *c, uint64_t number) { return c->acked[number % c->places] != 0; }

static Err take_ack(struct mqtt_client *c, const struct mqtt_reply *reply) {
    uint64_t number = c->acknowledged + 1;
    while (number <= c->published && packet_id_of(number) != reply->packet_id) number++;
    if (number > c->published || acked_at(c, number))
        return err_make(ERR_INVALID, "the server acknowledged packet %u, which was not sent", reply->packet_id);
    c->acked[number % c->places] = 1;
    if (c->options.on_ack) c->options.on_ack(c->options.ctx, number, reply->reason);
    while (c->acknowledged < c->published && acked_at(c, c->acknowledged + 1)) {
        c->acknowledged++;
        c->acked[c->acknowledged % c->places] = 0;
    }
    return err_none();
}

static Err take_publish(struct mqtt_client *c, const struct mqtt_frame *frame) {
    struct mqtt_publish publish;
    TRY(mqtt_codec_err(mqtt_codec_publish(frame->first, frame->body, c->version, &publish)));
    struct mqtt_client_message message = {
        .topic = publish.topic, .payload = publish.payload, .qos = publish.qos, .retain = publish.retain};
    if (c->options.on_message) c->options.on_message(c->options.ctx, &message);
    if (publish.qos)
        mqtt_write_reply(&c->out, publish.qos == 1 ? MQTT_PUBACK : MQTT_PUBREC, c->version, publish.packet_id, 0);
    return err_none();
}

static Err take_connack(struct mqtt_client *c, const struct mqtt_frame *frame) {
    struct mqtt_reply reply;
    TRY(mqtt_codec_err(mqtt_codec_connack(frame->body, c->version, &reply)));
    if (reply.reason) {
        const char *why = c->version == MQTT_V5 ? mqtt_reason_text(reply.reason) : "see its return code";
        bool login = reply.reason == MQTT_BAD_LOGIN || reply.reason == MQTT_NOT_AUTHORIZED || reply.reason == 4 ||
                     reply.reason == 5;
        return err_make(login ? ERR_UNAUTHENTICATED : ERR_BUSY, "the server refused the connection with code %u: %s",
                        reply.reason, why);
    }
    c->connected = true;
    c->session_present = reply.session_present;
    struct mqtt_properties p;
    if (c->version != MQTT_V5 || mqtt_property_parse(reply.properties, MQTT_CONNACK, &p).reason) return err_none();
    c->keep_alive_s = (uint16_t)mqtt_property_number(&p, MQTT_P_SERVER_KEEP_ALIVE, c->keep_alive_s);
    uint32_t most = mqtt_property_number(&p, MQTT_P_RECEIVE_MAXIMUM, 65535);
    if (c->options.window > most) c->options.window = most;
    return err_none();
}

static Err take_reply(struct mqtt_client *c, const struct mqtt_frame *frame) {
    enum mqtt_type type = frame->first >> 4;
    struct mqtt_reply reply;
    TRY(mqtt_codec_err(mqtt_codec_reply(type, frame->body, c->version, &reply)));
    switch (type) {
    case MQTT_PUBACK: return take_ack(c, &reply);
    case MQTT_PUBREC: mqtt_write_reply(&c->out, MQTT_PUBREL, c->version, reply.packet_id, 0); return err_none();
    case MQTT_PUBREL: mqtt_write_reply(&c->out, MQTT_PUBCOMP, c->version, reply.packet_id, 0); return err_none();
    case MQTT_DISCONNECT:
        return err_make(ERR_CLOSED, "the server ended the connection: %s", mqtt_reason_text(reply.reason));
    default: return err_none();
    }
}

static Err take_answer(struct mqtt_client *c, const struct mqtt_frame *frame) {
    enum mqtt_type type = frame->first >> 4;
    struct mqtt_answer answer;
    TRY(mqtt_codec_err(mqtt_codec_answer(type, frame->body, c->version, &answer)));
    if (answer.packet_id == c->request_id)
        c->request_answer = answer.reasons.len ? (unsigned char)answer.reasons.ptr[0] : 0;
    return err_none();
}

static Err take_frame(struct mqtt_client *c, const struct mqtt_frame *frame) {
    switch (frame->first >> 4) {
    case MQTT_PUBLISH: return take_publish(c, frame);
    case MQTT_CONNACK: return take_connack(c, frame);
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: return take_answer(c, frame);
    default: return take_reply(c, frame);
    }
}

static Err take_all(struct mqtt_client *c) {
    struct mqtt_frame frame;
    MqttFault fault;
    Str rest = buf_view(&c->in);
    Err err = err_none();
    while (err.code == ERR_NONE) {
        enum mqtt_framing got = mqtt_codec_frame(rest, PACKET_MAX, &frame, &fault);
        if (got == MQTT_BAD) err = mqtt_codec_err(fault);
        if (got != MQTT_WHOLE) break;
        err = take_frame(c, &frame);
        rest = str_slice(rest, frame.size, rest.len);
    }
    buf_consume(&c->in, c->in.len - rest.len);
    return err;
}

static Err read_some(struct mqtt_client *c, bool *any) {
    *any = false;
    buf_reserve(&c->in, READ_BYTES);
    ptrdiff_t n = net_recv(c->fd, c->in.ptr + c->in.len, READ_BYTES);
    if (n == NET_CLOSED) return err_make(ERR_CLOSED, "the server closed the connection");
    if (n == NET_AGAIN) return err_none();
    c->in.len += (size_t)n;
    c->last_in = clock_monotonic();
    *any = true;
    return take_all(c);
}

static void ping_if_due(struct mqtt_client *c) {
    Nanos quiet = clock_monotonic() - c->last_out;
    if (c->keep_alive_s && c->out.len == 0 && quiet >= (Nanos)c->keep_alive_s * NANOS_PER_S * 3 / 4)
        mqtt_write_ping(&c->out, MQTT_PINGREQ);
}

/* Sends and reads until something was read or the timeout is over. */
static Err pump(struct mqtt_client *c, Nanos timeout, bool *any) {
    Nanos until = clock_monotonic() + timeout;
    for (;;) {
        ping_if_due(c);
        TRY(send_some(c));
        TRY(read_some(c, any));
        if (*any) return send_some(c);
        Nanos left = until - clock_monotonic();
        if (left <= 0) return err_none();
        Nanos step = (Nanos)(c->keep_alive_s ? c->keep_alive_s : 60) * NANOS_PER_S / 4;
        (void)net_wait(c->fd, true, c->sent < c->out.len, left < step ? left : step);
    }
}

/* Until the condition holds; without any progress for the timeout it fails. */
static Err wait_for(struct mqtt_client *c, bool (*ready)(const struct mqtt_client *c), const char *what) {
    Nanos since = clock_monotonic();
    while (!ready(c)) {
        bool any = false;
        TRY(pump(c, c->options.timeout, &any));
        if (any) since = clock_monotonic();
        if (clock_monotonic() - since >= c->options.timeout)
            return err_make(ERR_TIMEOUT, "the server did not answer: %s was awaited", what);
    }
    return err_none();
}

/* ---- opening and closing */

static bool is_connected(const struct mqtt_client *c) { return c->connected; }

static void random_id(char out[64]) {
    uint64_t random[2];
    process_random(random, sizeof random);
    snprintf(out, 64, "weft-%llx%llx", (unsigned long long)random[0] >> 32, (unsigned long long)random[1] >> 32);
}

static void write_connect(struct mqtt_client *c) {
    const struct mqtt_client_options *o = &c->options;
    struct buf properties = {0};
    struct mqtt_properties p;
    mqtt_property_init(&p);
    if (o->session_expiry_s) mqtt_property_set(&p, MQTT_P_SESSION_EXPIRY, o->session_expiry_s);
    mqtt_property_write(&properties, &p, NULL, 0);
    struct mqtt_connect connect = {.version = (uint8_t)c->version,
                                   .clean = !o->keep_session,
                                   .has_user = o->user.len > 0,
                                   .has_password = o->user.len > 0 && o->password.len > 0,
                                   .keep_alive_s = c->keep_alive_s,
                                   .client_id = o->client_id,
                                   .user = o->user,
                                   .password = o->password,
                                   .properties = str_slice(buf_view(&properties), 1, properties.len)};
    mqtt_write_connect(&c->out, &connect);
    buf_fini(&properties);
}

Err mqtt_client_open(const struct mqtt_client_options *options, struct mqtt_client **out) {
    struct mqtt_client *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->options = *options;
    if (c->options.timeout == 0) c->options.timeout = 10 * NANOS_PER_S;
    if (c->options.window == 0) c->options.window = WINDOW;
    if (c->options.window > WINDOW_MAX) c->options.window = WINDOW_MAX;
    c->version = version_of(options);
    c->keep_alive_s = options->keep_alive_s ? options->keep_alive_s : 60;
    c->places = c->options.window;
    c->acked = calloc(c->places, 1);
    ASSERT(c->acked);
    c->fd = -1;
    random_id(c->client_id);
    if (options->client_id.len == 0 && !options->version_5) c->options.client_id = str_c(c->client_id);
    Err err = net_connect(options->address, c->options.timeout, &c->fd);
    if (err.code == ERR_NONE) {
        write_connect(c);
        err = wait_for(c, is_connected, "CONNACK");
    }
    if (err.code != ERR_NONE) {
        mqtt_client_abort(c);
        return err;
    }
    *out = c;
    return err_none();
}

void mqtt_client_abort(struct mqtt_client *client) {
    if (!client) return;
    net_close(client->fd);
    buf_fini(&client->in);
    buf_fini(&client->out);
    free(client->acked);
    free(client);
}

void mqtt_client_close(struct mqtt_client *client) {
    if (!client) return;
    mqtt_write_disconnect(&client->out, client->version, MQTT_SUCCESS, NULL);
    Nanos until = clock_monotonic() + client->options.timeout;
    while (send_some(client).code == ERR_NONE && client->out.len && clock_monotonic() < until)
        (void)net_wait(client->fd, false, true, NANOS_PER_S);
    mqtt_client_abort(client);
}

/* ---- publishing */

static bool has_room(const struct mqtt_client *c) { return c->published - c->acknowledged < c->options.window; }

Err mqtt_client_publish(struct mqtt_client *c, Str topic, Str payload, unsigned qos, bool retain) {
    if (qos > 1) return err_make(ERR_INVALID, "this client publishes at QoS 0 and 1, not %u", qos);
    if (qos == 1 && !has_room(c)) TRY(wait_for(c, has_room, "PUBACK"));
    struct mqtt_publish publish = {.qos = qos, .retain = retain, .topic = topic, .payload = payload};
    if (qos == 1) publish.packet_id = packet_id_of(++c->published);
    mqtt_write_publish(&c->out, c->version, &publish, NULL, NULL, 0);
    if (c->out.len - c->sent < SEND_BYTES) return err_none();
    Nanos since = clock_monotonic();
    while (c->out.len) { /* a server that does not read holds us here, while we still read what it says */
        bool any = false;
        size_t before = c->out.len - c->sent;
        TRY(send_some(c));
        TRY(read_some(c, &any));
        if (c->out.len - c->sent < before) since = clock_monotonic();
        if (clock_monotonic() - since >= c->options.timeout)
            return err_make(ERR_TIMEOUT, "the server does not read what is sent to it");
        if (c->out.len) (void)net_wait(c->fd, true, true, NANOS_PER_S);
    }
    return err_none();
}

static bool all_acknowledged(const struct mqtt_client *c) { return c->published == c->acknowledged && c->out.len == 0; }

Err mqtt_client_flush(struct mqtt_client *client) { return wait_for(client, all_acknowledged, "PUBACK"); }

Err mqtt_client_poll(struct mqtt_client *client, Nanos timeout) {
    bool any;
    return pump(client, timeout, &any);
}

/* ---- subscribing */

static bool is_answered(const struct mqtt_client *c) { return c->request_answer >= 0; }

static Err await_answer(struct mqtt_client *c, Str filter, const char *what) {
    TRY(wait_for(c, is_answered, what));
    if (c->request_answer < MQTT_UNSPECIFIED) return err_none();
    return err_make(ERR_FORBIDDEN, "the server refused '" STR_FMT "' with %s: %s", STR_ARG(str_slice(filter, 0, 100)),
                    what, mqtt_reason_text((unsigned)c->request_answer));
}

/* The first packet id behind the window is free. */
static uint16_t new_request(struct mqtt_client *c) {
    c->request_id = packet_id_of(c->published + c->options.window + 1);
    c->request_answer = -1;
    return c->request_id;
}

Err mqtt_client_subscribe(struct mqtt_client *c, Str filter, unsigned qos) {
    struct mqtt_filter wish = {.filter = filter, .qos = qos};
    mqtt_write_subscribe(&c->out, c->version, new_request(c), &wish, 1);
    return await_answer(c, filter, "SUBACK");
}

Err mqtt_client_unsubscribe(struct mqtt_client *c, Str filter) {
    mqtt_write_unsubscribe(&c->out, c->version, new_request(c), &filter, 1);
    return await_answer(c, filter, "UNSUBACK");
}

uint64_t mqtt_client_acknowledged(const struct mqtt_client *client) { return client->acknowledged; }

bool mqtt_client_session_present(const struct mqtt_client *client) { return client->session_present; }
