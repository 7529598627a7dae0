#include "connect/mqtt_wire.h"

#include "base/err.h"

struct mqtt_wire mqtt_wire_read(Str bytes) {
    return (struct mqtt_wire){bytes.ptr, bytes.len ? bytes.ptr + bytes.len : bytes.ptr};
}

size_t mqtt_wire_left(const struct mqtt_wire *in) { return (size_t)(in->end - in->at); }

bool mqtt_wire_u8(struct mqtt_wire *in, uint8_t *out) {
    if (in->at == in->end) return false;
    *out = (uint8_t)*in->at++;
    return true;
}

bool mqtt_wire_u16(struct mqtt_wire *in, uint16_t *out) {
    if (mqtt_wire_left(in) < 2) return false;
    const unsigned char *p = (const unsigned char *)in->at;
    *out = (uint16_t)(p[0] << 8 | p[1]);
    in->at += 2;
    return true;
}

bool mqtt_wire_u32(struct mqtt_wire *in, uint32_t *out) {
    if (mqtt_wire_left(in) < 4) return false;
    const unsigned char *p = (const unsigned char *)in->at;
    *out = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    in->at += 4;
    return true;
}

bool mqtt_wire_varint(struct mqtt_wire *in, uint32_t *out) {
    uint32_t v = 0;
    for (unsigned i = 0; i < 4 && in->at + i < in->end; i++) {
        unsigned char byte = (unsigned char)in->at[i];
        v |= (uint32_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        if (i > 0 && byte == 0) return false; /* the shortest form is the only one [MQTT-1.5.5-1] */
        in->at += i + 1;
        *out = v;
        return true;
    }
    return false;
}

bool mqtt_wire_bytes(struct mqtt_wire *in, size_t n, Str *out) {
    if (mqtt_wire_left(in) < n) return false;
    *out = str_n(in->at, n);
    in->at += n;
    return true;
}

bool mqtt_wire_text(struct mqtt_wire *in, Str *out) {
    uint16_t n;
    return mqtt_wire_u16(in, &n) && mqtt_wire_bytes(in, n, out);
}

size_t mqtt_wire_varint_size(uint32_t v) { return v < 128 ? 1 : v < 16384 ? 2 : v < 2097152 ? 3 : 4; }

void mqtt_wire_put_u16(struct buf *out, uint16_t v) {
    buf_byte(out, (uint8_t)(v >> 8));
    buf_byte(out, (uint8_t)v);
}

void mqtt_wire_put_u32(struct buf *out, uint32_t v) {
    mqtt_wire_put_u16(out, (uint16_t)(v >> 16));
    mqtt_wire_put_u16(out, (uint16_t)v);
}

void mqtt_wire_put_varint(struct buf *out, uint32_t v) {
    ASSERT(v <= MQTT_WIRE_VARINT_MAX);
    do {
        uint8_t byte = v & 0x7F;
        v >>= 7;
        buf_byte(out, v ? byte | 0x80 : byte);
    } while (v);
}

void mqtt_wire_put_text(struct buf *out, Str text) {
    ASSERT(text.len <= MQTT_WIRE_TEXT_MAX);
    mqtt_wire_put_u16(out, (uint16_t)text.len);
    buf_add(out, text.ptr, text.len);
}
