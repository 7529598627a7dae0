/*
 * The MQTT server in the process: MQTT 3.1.1 and 5.0 over TCP on a few I/O threads.
 *
 * Telemetry (v1/devices/me/telemetry, v1/gateway/telemetry) becomes rows of the series store, and a QoS 1 message is
 * acknowledged after its rows, or the message with the reason it was refused, are durable. Other topics are ordinary
 * publish and subscribe; a device may only use those below v1/devices/me/.
 *
 * Threads: a client lives on the thread that its client id hashes to, with its session, so sessions and topic trees
 * need no lock; threads hand messages to each other through mailboxes.
 */
#ifndef CONNECT_MQTT_SERVER_H
#define CONNECT_MQTT_SERVER_H

#include "connect/ingest.h"
#include "model/thing_model.h"
#include "os/clock.h"
#include "store/series.h"
#include "trust/device.h"

struct mqtt_server;

/* Zero is the default given in brackets. */
struct mqtt_server_limits {
    uint32_t max_packet;         /* bytes of one packet [262,144] */
    uint32_t max_connections;    /* [100,000] */
    uint32_t receive_maximum;    /* QoS 1 and 2 publishes one client may have unanswered [1,024], at most 65,535 */
    uint32_t connect_timeout_ms; /* from TCP accept to a whole CONNECT [10,000] */
    uint32_t subscriptions;      /* of one session [1,000] */
    uint32_t queue_messages;     /* waiting for one subscriber, connected or away [1,000] */
    size_t output_bytes;         /* unsent bytes of one connection [1 MiB] */
    size_t connection_bytes;     /* of one connection read but not yet durable [256 KiB] */
    size_t thread_bytes;         /* of one I/O thread read but not yet durable [8 MiB] */
    size_t retained_bytes;       /* all retained messages [64 MiB] */
    uint32_t session_expiry_s;   /* longest life of a session whose client is away [86,400] */
    uint32_t log_rate;           /* refusals logged a second and thread [5]; every one is counted */
};

struct mqtt_server_options {
    const char *address;       /* "HOST:PORT"; port 0: any free one */
    unsigned threads;          /* 0 = 2 */
    const struct clock *clock; /* NULL: system */
    struct series *series;
    /* Who a user name and password are; any thread, must not block. NULL: nobody but anonymous. */
    Err (*authenticate)(void *ctx, Str user, Str password, struct device_identity *out);
    /* The model of a thing, NULL when it has none; asked once for each thing and after mqtt_server_models_changed.
     * A metric that a closed model does not name goes to the dead letters. NULL: every model is open. */
    const struct thing_model *(*model_of)(void *ctx, PartyId party, Str thing);
    void (*thing_seen)(void *ctx, PartyId party,
                       Str thing); /* a gateway's thing was made; I/O thread; must not block */
    void *ctx;
    bool allow_anonymous;       /* clients without credentials may use every topic */
    uint16_t server_keep_alive; /* seconds; longer wishes of 5.0 clients, and none, become this; 0: every wish stands */
    const char *const *deny_subscribe; /* topic filters nobody may subscribe to */
    size_t n_deny_subscribe;
    struct mqtt_server_limits limits;
};

Err mqtt_server_start(const struct mqtt_server_options *options, struct mqtt_server **out);
/* Stops listening, commits what was read, answers it, says goodbye to clients; returns when all threads ended. The
 * series store must still be open. NULL is fine. */
void mqtt_server_stop(struct mqtt_server *server);
uint16_t mqtt_server_port(const struct mqtt_server *server);
const char *mqtt_server_address(const struct mqtt_server *server); /* as bound, "127.0.0.1:39877" */
void mqtt_server_counters(const struct mqtt_server *server, struct ingest_counters *out); /* any thread */
void mqtt_server_models_changed(struct mqtt_server *server);                              /* any thread */

/* Publishes from inside the process; any thread; does not wait. ERR_INVALID: not a topic name. */
Err mqtt_server_publish(struct mqtt_server *server, Str topic, Str payload, unsigned qos, bool retain);
/* To one thing's device on v1/devices/me/SUBTOPIC ("rpc/request/7"); QoS 1, queued while the device is away if it kept
 * a session. */
Err mqtt_server_command(struct mqtt_server *server, ThingId thing, Str subtopic, Str payload);

#endif
