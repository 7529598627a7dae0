/* A published message: made once, never changed, held by every queue and thread that still needs it. */
#ifndef CONNECT_MQTT_MESSAGE_H
#define CONNECT_MQTT_MESSAGE_H

#include <stdatomic.h>

#include "base/str.h"
#include "base/time.h"

struct mqtt_message {
    atomic_uint refs;
    uint8_t qos;
    bool retain;        /* the publisher asked to keep it for later subscribers */
    uint64_t serial;    /* of two retained messages on a topic the later one stays, on every thread */
    uint64_t publisher; /* the session it came from, for "no local"; 0: the server itself */
    Nanos expires;      /* monotonic; 0: never */
    Str topic, payload;
    Str route;      /* where it is matched: the topic itself, or a place of one device alone */
    Str properties; /* as the publisher sent them, raw */
};

struct mqtt_message_parts {
    unsigned qos;
    bool retain;
    uint64_t serial, publisher;
    Nanos expires;
    Str topic, payload, route, properties; /* an empty route: the topic's */
};

struct mqtt_message *mqtt_message_new(const struct mqtt_message_parts *parts); /* copies; one reference */
struct mqtt_message *mqtt_message_hold(struct mqtt_message *message);
void mqtt_message_drop(struct mqtt_message *message); /* NULL is fine */
size_t mqtt_message_bytes(const struct mqtt_message *message);

#endif
