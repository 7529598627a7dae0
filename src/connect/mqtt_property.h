/*
 * The properties of MQTT 5.0, checked against one table: which packets may carry each, of what type, how often.
 *
 *     struct mqtt_properties p;
 *     MqttFault bad = mqtt_property_parse(raw, MQTT_CONNECT, &p);
 *     if (mqtt_property_has(&p, MQTT_P_RECEIVE_MAXIMUM)) use(p.number[MQTT_P_RECEIVE_MAXIMUM]);
 */
#ifndef CONNECT_MQTT_PROPERTY_H
#define CONNECT_MQTT_PROPERTY_H

#include "base/buf.h"
#include "connect/mqtt_reason.h"

enum mqtt_type {
    MQTT_CONNECT = 1,
    MQTT_CONNACK,
    MQTT_PUBLISH,
    MQTT_PUBACK,
    MQTT_PUBREC,
    MQTT_PUBREL,
    MQTT_PUBCOMP,
    MQTT_SUBSCRIBE,
    MQTT_SUBACK,
    MQTT_UNSUBSCRIBE,
    MQTT_UNSUBACK,
    MQTT_PINGREQ,
    MQTT_PINGRESP,
    MQTT_DISCONNECT,
    MQTT_AUTH,
    MQTT_WILL = 0, /* no packet: the will's own properties inside CONNECT */
};

enum mqtt_property {
    MQTT_P_PAYLOAD_FORMAT = 0x01,
    MQTT_P_MESSAGE_EXPIRY = 0x02,
    MQTT_P_CONTENT_TYPE = 0x03,
    MQTT_P_RESPONSE_TOPIC = 0x08,
    MQTT_P_CORRELATION_DATA = 0x09,
    MQTT_P_SUBSCRIPTION_ID = 0x0B,
    MQTT_P_SESSION_EXPIRY = 0x11,
    MQTT_P_ASSIGNED_CLIENT_ID = 0x12,
    MQTT_P_SERVER_KEEP_ALIVE = 0x13,
    MQTT_P_AUTH_METHOD = 0x15,
    MQTT_P_AUTH_DATA = 0x16,
    MQTT_P_REQUEST_PROBLEM = 0x17,
    MQTT_P_WILL_DELAY = 0x18,
    MQTT_P_REQUEST_RESPONSE = 0x19,
    MQTT_P_RESPONSE_INFO = 0x1A,
    MQTT_P_SERVER_REFERENCE = 0x1C,
    MQTT_P_REASON_STRING = 0x1F,
    MQTT_P_RECEIVE_MAXIMUM = 0x21,
    MQTT_P_TOPIC_ALIAS_MAXIMUM = 0x22,
    MQTT_P_TOPIC_ALIAS = 0x23,
    MQTT_P_MAXIMUM_QOS = 0x24,
    MQTT_P_RETAIN_AVAILABLE = 0x25,
    MQTT_P_USER = 0x26,
    MQTT_P_MAXIMUM_PACKET = 0x27,
    MQTT_P_WILDCARD_AVAILABLE = 0x28,
    MQTT_P_SUBSCRIPTION_ID_AVAILABLE = 0x29,
    MQTT_P_SHARED_AVAILABLE = 0x2A,
    MQTT_P_END = 0x2B
};

/* Views into the packet. number and text are valid only where present says so. */
struct mqtt_properties {
    uint64_t present; /* bit = property */
    Str raw;          /* all of them, encoded; user properties and subscription ids are read from here */
    uint32_t number[MQTT_P_END];
    Str text[MQTT_P_END];
};

bool mqtt_property_has(const struct mqtt_properties *p, enum mqtt_property which);
uint32_t mqtt_property_number(const struct mqtt_properties *p, enum mqtt_property which, uint32_t fallback);
Str mqtt_property_text(const struct mqtt_properties *p, enum mqtt_property which); /* empty when absent */
/* raw: the properties without their length. */
MqttFault mqtt_property_parse(Str raw, enum mqtt_type type, struct mqtt_properties *out);
/* Walks raw; for repeated properties. Start with an offset of 0; the bytes were parsed before. value: of a user
 * property. */
bool mqtt_property_next_user(Str raw, size_t *at, Str *key, Str *value);
bool mqtt_property_next_subscription(Str raw, size_t *at, uint32_t *id);

void mqtt_property_init(struct mqtt_properties *p); /* none present */
void mqtt_property_set(struct mqtt_properties *p, enum mqtt_property which, uint32_t number);
void mqtt_property_set_text(struct mqtt_properties *p, enum mqtt_property which, Str text);
/* Their length and then those present, except subscription ids, which come from ids, and user properties, which are
 * copied from raw. p may be NULL: none but the ids. */
void mqtt_property_write(struct buf *out, const struct mqtt_properties *p, const uint32_t *ids, size_t n_ids);
size_t mqtt_property_size(const struct mqtt_properties *p, const uint32_t *ids, size_t n_ids); /* of what write adds */

#endif
