/* MQTT packets written behind what a buffer holds. Lengths over the wire's limits are ASSERTs: check what comes from
 * outside first. */
#ifndef CONNECT_MQTT_WRITE_H
#define CONNECT_MQTT_WRITE_H

#include "connect/mqtt_codec.h"

/* connect->properties and will.properties are copied as they are (5.0); version says which words are used. */
void mqtt_write_connect(struct buf *out, const struct mqtt_connect *connect);
/* properties: NULL none. 3.1.1: reason is its own return code. */
void mqtt_write_connack(struct buf *out, unsigned version, bool session_present, uint8_t reason,
                        const struct mqtt_properties *properties);
/* p->properties is ignored: properties come parsed, NULL none, with the subscription ids given. */
void mqtt_write_publish(struct buf *out, unsigned version, const struct mqtt_publish *p,
                        const struct mqtt_properties *properties, const uint32_t *ids, size_t n_ids);
size_t mqtt_write_publish_size(unsigned version, const struct mqtt_publish *p, const struct mqtt_properties *properties,
                               const uint32_t *ids, size_t n_ids);
/* PUBACK, PUBREC, PUBREL, PUBCOMP: four bytes when the reason is 0 or the version 3.1.1. */
void mqtt_write_reply(struct buf *out, enum mqtt_type type, unsigned version, uint16_t packet_id, uint8_t reason);
void mqtt_write_subscribe(struct buf *out, unsigned version, uint16_t packet_id, const struct mqtt_filter *filters,
                          size_t n);
void mqtt_write_unsubscribe(struct buf *out, unsigned version, uint16_t packet_id, const Str *filters, size_t n);
/* SUBACK and UNSUBACK. */
void mqtt_write_answer(struct buf *out, enum mqtt_type type, unsigned version, uint16_t packet_id, Str reasons);
void mqtt_write_ping(struct buf *out, enum mqtt_type type); /* PINGREQ, PINGRESP */
/* DISCONNECT and AUTH; 3.1.1's DISCONNECT has no reason. why: a reason string, NULL none. */
void mqtt_write_disconnect(struct buf *out, unsigned version, uint8_t reason, const char *why);

#endif
