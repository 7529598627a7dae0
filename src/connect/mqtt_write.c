#include "connect/mqtt_write.h"

#include "connect/mqtt_wire.h"

#include <string.h>

static void put_header(struct buf *out, unsigned type, unsigned flags, size_t length) {
    ASSERT(length <= MQTT_WIRE_VARINT_MAX);
    buf_byte(out, (uint8_t)(type << 4 | flags));
    mqtt_wire_put_varint(out, (uint32_t)length);
}

static void put_raw_properties(struct buf *out, unsigned version, Str raw) {
    if (version != MQTT_V5) return;
    mqtt_wire_put_varint(out, (uint32_t)raw.len);
    buf_add(out, raw.ptr, raw.len);
}

static size_t raw_properties_size(unsigned version, Str raw) {
    return version == MQTT_V5 ? mqtt_wire_varint_size((uint32_t)raw.len) + raw.len : 0;
}

static uint8_t connect_flags(const struct mqtt_connect *c) {
    unsigned flags = (c->clean ? 2u : 0) | (c->has_user ? 128u : 0) | (c->has_password ? 64u : 0);
    if (c->has_will) flags |= 4u | c->will.qos << 3 | (c->will.retain ? 32u : 0);
    return (uint8_t)flags;
}

void mqtt_write_connect(struct buf *out, const struct mqtt_connect *c) {
    size_t length = 10 + raw_properties_size(c->version, c->properties) + 2 + c->client_id.len;
    if (c->has_will)
        length += raw_properties_size(c->version, c->will.properties) + 4 + c->will.topic.len + c->will.payload.len;
    if (c->has_user) length += 2 + c->user.len;
    if (c->has_password) length += 2 + c->password.len;
    put_header(out, MQTT_CONNECT, 0, length);
    mqtt_wire_put_text(out, STR("MQTT"));
    buf_byte(out, c->version);
    buf_byte(out, connect_flags(c));
    mqtt_wire_put_u16(out, c->keep_alive_s);
    put_raw_properties(out, c->version, c->properties);
    mqtt_wire_put_text(out, c->client_id);
    if (c->has_will) {
        put_raw_properties(out, c->version, c->will.properties);
        mqtt_wire_put_text(out, c->will.topic);
        mqtt_wire_put_text(out, c->will.payload);
    }
    if (c->has_user) mqtt_wire_put_text(out, c->user);
    if (c->has_password) mqtt_wire_put_text(out, c->password);
}

void mqtt_write_connack(struct buf *out, unsigned version, bool session_present, uint8_t reason,
                        const struct mqtt_properties *properties) {
    struct mqtt_properties none;
    if (!properties) mqtt_property_init(&none), properties = &none;
    size_t extra = version == MQTT_V5 ? mqtt_property_size(properties, NULL, 0) : 0;
    put_header(out, MQTT_CONNACK, 0, 2 + extra);
    buf_byte(out, session_present);
    buf_byte(out, reason);
    if (version == MQTT_V5) mqtt_property_write(out, properties, NULL, 0);
}

static size_t publish_length(unsigned version, const struct mqtt_publish *p, const struct mqtt_properties *properties,
                             const uint32_t *ids, size_t n_ids) {
    size_t length = 2 + p->topic.len + (p->qos ? 2 : 0) + p->payload.len;
    if (version == MQTT_V5) length += properties || n_ids ? mqtt_property_size(properties, ids, n_ids) : 1;
    return length;
}

size_t mqtt_write_publish_size(unsigned version, const struct mqtt_publish *p, const struct mqtt_properties *properties,
                               const uint32_t *ids, size_t n_ids) {
    size_t length = publish_length(version, p, properties, ids, n_ids);
    return length > MQTT_WIRE_VARINT_MAX ? SIZE_MAX : 1 + mqtt_wire_varint_size((uint32_t)length) + length;
}

void mqtt_write_publish(struct buf *out, unsigned version, const struct mqtt_publish *p,
                        const struct mqtt_properties *properties, const uint32_t *ids, size_t n_ids) {
    size_t length = publish_length(version, p, properties, ids, n_ids);
    buf_reserve(out, length + 5);
    put_header(out, MQTT_PUBLISH, (p->dup ? 8u : 0) | p->qos << 1 | (p->retain ? 1u : 0), length);
    mqtt_wire_put_text(out, p->topic);
    if (p->qos) mqtt_wire_put_u16(out, p->packet_id);
    if (version == MQTT_V5) {
        if (properties || n_ids)
            mqtt_property_write(out, properties, ids, n_ids);
        else
            buf_byte(out, 0);
    }
    buf_add(out, p->payload.ptr, p->payload.len);
}

void mqtt_write_reply(struct buf *out, enum mqtt_type type, unsigned version, uint16_t packet_id, uint8_t reason) {
    bool with_reason = version == MQTT_V5 && reason != 0;
    char bytes[5] = {(char)(type << 4 | (type == MQTT_PUBREL ? 2 : 0)), with_reason ? 3 : 2, (char)(packet_id >> 8),
                     (char)packet_id, (char)reason};
    buf_add(out, bytes, with_reason ? 5 : 4);
}

void mqtt_write_subscribe(struct buf *out, unsigned version, uint16_t packet_id, const struct mqtt_filter *filters,
                          size_t n) {
    size_t length = 2 + (version == MQTT_V5 ? 1 : 0);
    for (size_t i = 0; i < n; i++) length += 3 + filters[i].filter.len;
    put_header(out, MQTT_SUBSCRIBE, 2, length);
    mqtt_wire_put_u16(out, packet_id);
    if (version == MQTT_V5) buf_byte(out, 0);
    for (size_t i = 0; i < n; i++) {
        const struct mqtt_filter *f = &filters[i];
        mqtt_wire_put_text(out, f->filter);
        unsigned options = f->qos;
        if (version == MQTT_V5)
            options |= (f->no_local ? 4u : 0) | (f->retain_as_published ? 8u : 0) | f->retain_handling << 4;
        buf_byte(out, (uint8_t)options);
    }
}

void mqtt_write_unsubscribe(struct buf *out, unsigned version, uint16_t packet_id, const Str *filters, size_t n) {
    size_t length = 2 + (version == MQTT_V5 ? 1 : 0);
    for (size_t i = 0; i < n; i++) length += 2 + filters[i].len;
    put_header(out, MQTT_UNSUBSCRIBE, 2, length);
    mqtt_wire_put_u16(out, packet_id);
    if (version == MQTT_V5) buf_byte(out, 0);
    for (size_t i = 0; i < n; i++) mqtt_wire_put_text(out, filters[i]);
}

void mqtt_write_answer(struct buf *out, enum mqtt_type type, unsigned version, uint16_t packet_id, Str reasons) {
    bool bare = version != MQTT_V5 && type == MQTT_UNSUBACK;
    put_header(out, type, 0, 2u + (version == MQTT_V5 ? 1u : 0u) + (bare ? 0u : reasons.len));
    mqtt_wire_put_u16(out, packet_id);
    if (version == MQTT_V5) buf_byte(out, 0);
    if (!bare) buf_add(out, reasons.ptr, reasons.len);
}

void mqtt_write_ping(struct buf *out, enum mqtt_type type) { put_header(out, type, 0, 0); }

void mqtt_write_disconnect(struct buf *out, unsigned version, uint8_t reason, const char *why) {
    if (version != MQTT_V5) {
        put_header(out, MQTT_DISCONNECT, 0, 0);
        return;
    }
    struct mqtt_properties p;
    mqtt_property_init(&p);
    if (why) mqtt_property_set_text(&p, MQTT_P_REASON_STRING, str_c(why));
    put_header(out, MQTT_DISCONNECT, 0, 1 + mqtt_property_size(&p, NULL, 0));
    buf_byte(out, reason);
    mqtt_property_write(out, &p, NULL, 0);
}
