/*
 * A small MQTT client for tests, tools and the demo's replay: one TCP connection, one thread, no callbacks from other
 * threads. Not thread-safe.
 *
 *     struct mqtt_client_options options = {.address = "127.0.0.1:1883", .user = user, .password = password};
 *     TRY(mqtt_client_open(&options, &client));
 *     TRY(mqtt_client_publish(client, STR("v1/devices/me/telemetry"), payload, 1, false)); // many of these
 *     TRY(mqtt_client_flush(client));                                                      // all acknowledged
 *     mqtt_client_close(client);
 *
 * publish gathers packets and sends them when its buffer or the window is full, so poll or flush must follow.
 */
#ifndef CONNECT_MQTT_CLIENT_H
#define CONNECT_MQTT_CLIENT_H

#include "base/err.h"
#include "base/time.h"

struct mqtt_client;

struct mqtt_client_message {
    Str topic, payload; /* borrowed for the call */
    unsigned qos;
    bool retain;
};

struct mqtt_client_options {
    const char *address;       /* "HOST:PORT" */
    Str client_id;             /* empty: the server's choice (5.0) or a random one (3.1.1) */
    Str user, password;        /* empty user: none */
    bool version_5;            /* false: 3.1.1 */
    bool keep_session;         /* false: a clean one */
    uint32_t session_expiry_s; /* 5.0, with keep_session */
    uint16_t keep_alive_s;     /* 0 = 60; pings are sent inside poll, publish and flush */
    uint32_t window;           /* QoS 1 messages not yet acknowledged; 0 = 20, at most 65,534 */
    Nanos timeout;             /* no progress for this long is ERR_TIMEOUT; 0 = 10 s */
    void (*on_message)(void *ctx, const struct mqtt_client_message *message);
    void (*on_ack)(void *ctx, uint64_t number, unsigned reason); /* reason < 0x80: kept */
    void *ctx;
};

Err mqtt_client_open(const struct mqtt_client_options *options, struct mqtt_client **out); /* connects; waits */
void mqtt_client_close(struct mqtt_client *client); /* says DISCONNECT; NULL is fine */
void mqtt_client_abort(struct mqtt_client *client); /* drops the connection without a word */
/* Waits while the window is full. QoS 1 publishes are numbered 1, 2, 3 … in the order of the calls (see on_ack). */
Err mqtt_client_publish(struct mqtt_client *client, Str topic, Str payload, unsigned qos, bool retain);
Err mqtt_client_subscribe(struct mqtt_client *client, Str filter, unsigned qos); /* waits for the answer */
Err mqtt_client_unsubscribe(struct mqtt_client *client, Str filter);             /* waits for the answer */
Err mqtt_client_poll(struct mqtt_client *client,
                     Nanos timeout);               /* sends, and reads what comes until timeout or one read */
Err mqtt_client_flush(struct mqtt_client *client); /* waits until every QoS 1 publish is acknowledged */
uint64_t mqtt_client_acknowledged(const struct mqtt_client *client);
bool mqtt_client_session_present(const struct mqtt_client *client);

#endif
