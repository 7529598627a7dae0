/*
 * MQTT 3.1.1 and 5.0 packets, read strictly and without copying: every Str is a view into the bytes given. What is
 * wrong with a packet comes back as a MqttFault with the reason code that 5.0 has for it. mqtt_write.h is the other
 * way.
 *
 *     struct mqtt_frame frame;
 *     switch (mqtt_codec_frame(bytes, &limits, &frame, &fault)) …
 *     fault = mqtt_codec_publish(frame.first, frame.body, version, &publish);
 */
#ifndef CONNECT_MQTT_CODEC_H
#define CONNECT_MQTT_CODEC_H

#include "base/err.h"
#include "connect/mqtt_property.h"

enum mqtt_version { MQTT_V3 = 4, MQTT_V5 = 5 }; /* the protocol level on the wire */

struct mqtt_frame {
    uint8_t first; /* type and flags */
    Str body;      /* what the remaining length counts; of a partial one, what is there */
    size_t size;   /* of the whole packet; 0 while its length is not known */
};

enum mqtt_framing { MQTT_WHOLE, MQTT_PARTIAL, MQTT_BAD };
/* The first packet of bytes; BAD: reserved type or flags, a malformed length, or larger than max. */
enum mqtt_framing mqtt_codec_frame(Str bytes, size_t max, struct mqtt_frame *out, MqttFault *fault);

struct mqtt_will {
    Str topic, payload;
    Str properties; /* raw; parse with MQTT_WILL */
    unsigned qos;
    bool retain;
};

struct mqtt_connect {
    uint8_t version;
    bool clean, has_will, has_user, has_password;
    uint16_t keep_alive_s;
    Str client_id, user, password;
    Str properties; /* raw; parse with MQTT_CONNECT */
    struct mqtt_will will;
};

struct mqtt_publish {
    bool dup, retain;
    unsigned qos;
    uint16_t packet_id; /* 0 with QoS 0 */
    Str topic;          /* empty only in 5.0, with a topic alias */
    Str properties;     /* raw; parse with MQTT_PUBLISH */
    Str payload;
};

/* CONNACK, and the answers with a packet id: PUBACK, PUBREC, PUBREL, PUBCOMP; also DISCONNECT and AUTH (no id). */
struct mqtt_reply {
    uint16_t packet_id;
    uint8_t reason; /* 3.1.1: 0, in CONNACK its return code */
    bool session_present;
    Str properties; /* raw; parse with the packet's type */
};

/* SUBSCRIBE and UNSUBSCRIBE, checked whole; walk the filters with mqtt_codec_next_filter. */
struct mqtt_request {
    uint16_t packet_id;
    Str properties;
    Str filters; /* raw */
};
struct mqtt_filter {
    Str filter;
    unsigned qos, retain_handling;
    bool no_local, retain_as_published;
};

/* SUBACK and UNSUBACK: one reason a filter (3.1.1's UNSUBACK has none). */
struct mqtt_answer {
    uint16_t packet_id;
    Str properties, reasons;
};

/* Finds the version itself; out->version is set even when the rest is wrong, so that the answer can be in its words. */
MqttFault mqtt_codec_connect(Str body, struct mqtt_connect *out);
MqttFault mqtt_codec_connack(Str body, unsigned version, struct mqtt_reply *out);
MqttFault mqtt_codec_publish(uint8_t first, Str body, unsigned version, struct mqtt_publish *out);
MqttFault mqtt_codec_reply(enum mqtt_type type, Str body, unsigned version, struct mqtt_reply *out);
MqttFault mqtt_codec_request(enum mqtt_type type, Str body, unsigned version, struct mqtt_request *out);
bool mqtt_codec_next_filter(enum mqtt_type type, Str *filters, struct mqtt_filter *out);
MqttFault mqtt_codec_answer(enum mqtt_type type, Str body, unsigned version, struct mqtt_answer *out);

const char *mqtt_codec_name(unsigned type); /* "PUBLISH"; for logs */
Err mqtt_codec_err(MqttFault fault);        /* ERR_INVALID with its text */

#endif
