/* Why MQTT says no: the reason codes of 5.0, and what 3.1.1 has for them. */
#ifndef CONNECT_MQTT_REASON_H
#define CONNECT_MQTT_REASON_H

#include <stdbool.h>
#include <stdint.h>

enum mqtt_reason {
#define REASON(name, code, connack, text) MQTT_##name = code,
#include "connect/mqtt_reason.def"
#undef REASON
};

/* What is wrong with a packet; reason 0 is "nothing". By value: the hot path makes one for every packet. */
typedef struct MqttFault {
    enum mqtt_reason reason;
    const char *why; /* for people, a constant */
} MqttFault;

#define MQTT_FINE ((MqttFault){MQTT_SUCCESS, NULL})
#define MQTT_MALFORMED(text) ((MqttFault){MQTT_MALFORMED_PACKET, (text)})
#define MQTT_PROTOCOL(text) ((MqttFault){MQTT_PROTOCOL_ERROR, (text)})

const char *mqtt_reason_text(unsigned reason);  /* "unknown reason" for codes the table lacks */
uint8_t mqtt_reason_connack_3(unsigned reason); /* 3.1.1's CONNACK code; 0: it has none, just close */

#endif
