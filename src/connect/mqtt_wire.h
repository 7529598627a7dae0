/* MQTT's data types on the wire: big-endian integers, variable byte integers, length-prefixed texts. */
#ifndef CONNECT_MQTT_WIRE_H
#define CONNECT_MQTT_WIRE_H

#include "base/buf.h"

#define MQTT_WIRE_VARINT_MAX 268435455u
#define MQTT_WIRE_TEXT_MAX 65535u

struct mqtt_wire {
    const char *at, *end;
};

struct mqtt_wire mqtt_wire_read(Str bytes);
size_t mqtt_wire_left(const struct mqtt_wire *in);
/* False: not enough bytes (a variable byte integer also: longer than four bytes or than it need be). */
bool mqtt_wire_u8(struct mqtt_wire *in, uint8_t *out);
bool mqtt_wire_u16(struct mqtt_wire *in, uint16_t *out);
bool mqtt_wire_u32(struct mqtt_wire *in, uint32_t *out);
bool mqtt_wire_varint(struct mqtt_wire *in, uint32_t *out);
bool mqtt_wire_text(struct mqtt_wire *in, Str *out); /* two bytes of length, then that many */
bool mqtt_wire_bytes(struct mqtt_wire *in, size_t n, Str *out);

size_t mqtt_wire_varint_size(uint32_t v);
void mqtt_wire_put_u16(struct buf *out, uint16_t v);
void mqtt_wire_put_u32(struct buf *out, uint32_t v);
void mqtt_wire_put_varint(struct buf *out, uint32_t v); /* at most MQTT_WIRE_VARINT_MAX, an ASSERT */
void mqtt_wire_put_text(struct buf *out, Str text);     /* at most MQTT_WIRE_TEXT_MAX, an ASSERT */

#endif
