#include "connect/mqtt_property.h"

#include "base/err.h"
#include "connect/mqtt_topic.h"
#include "connect/mqtt_wire.h"

enum datum { BYTE, FLAG, TWO, FOUR, VARIABLE, TEXT, BINARY, PAIR }; /* FLAG: a byte that is 0 or 1 */

#define IN(type) (1u << (type))
#define ALL_REPLIES                                                                                                    \
    (IN(MQTT_CONNACK) | IN(MQTT_PUBACK) | IN(MQTT_PUBREC) | IN(MQTT_PUBREL) | IN(MQTT_PUBCOMP) | IN(MQTT_SUBACK) |     \
     IN(MQTT_UNSUBACK) | IN(MQTT_DISCONNECT) | IN(MQTT_AUTH))
#define MESSAGE (IN(MQTT_PUBLISH) | IN(MQTT_WILL))

/* Table 2-4 of MQTT 5.0. no_zero: 0 is a protocol error. */
static const struct rule {
    uint16_t packets;
    uint8_t datum;
    bool defined, no_zero;
} rules[MQTT_P_END] = {
    [MQTT_P_PAYLOAD_FORMAT] = {MESSAGE, FLAG, true, false},
    [MQTT_P_MESSAGE_EXPIRY] = {MESSAGE, FOUR, true, false},
    [MQTT_P_CONTENT_TYPE] = {MESSAGE, TEXT, true, false},
    [MQTT_P_RESPONSE_TOPIC] = {MESSAGE, TEXT, true, false},
    [MQTT_P_CORRELATION_DATA] = {MESSAGE, BINARY, true, false},
    [MQTT_P_SUBSCRIPTION_ID] = {IN(MQTT_PUBLISH) | IN(MQTT_SUBSCRIBE), VARIABLE, true, true},
    [MQTT_P_SESSION_EXPIRY] = {IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT), FOUR, true, false},
    [MQTT_P_ASSIGNED_CLIENT_ID] = {IN(MQTT_CONNACK), TEXT, true, false},
    [MQTT_P_SERVER_KEEP_ALIVE] = {IN(MQTT_CONNACK), TWO, true, false},
    [MQTT_P_AUTH_METHOD] = {IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH), TEXT, true, false},
    [MQTT_P_AUTH_DATA] = {IN(MQTT_CONNECT) | IN(MQTT_CONNACK) | IN(MQTT_AUTH), BINARY, true, false},
    [MQTT_P_REQUEST_PROBLEM] = {IN(MQTT_CONNECT), FLAG, true, false},
    [MQTT_P_WILL_DELAY] = {IN(MQTT_WILL), FOUR, true, false},
    [MQTT_P_REQUEST_RESPONSE] = {IN(MQTT_CONNECT), FLAG, true, false},
    [MQTT_P_RESPONSE_INFO] = {IN(MQTT_CONNACK), TEXT, true, false},
    [MQTT_P_SERVER_REFERENCE] = {IN(MQTT_CONNACK) | IN(MQTT_DISCONNECT), TEXT, true, false},
    [MQTT_P_REASON_STRING] = {ALL_REPLIES, TEXT, true, false},
    [MQTT_P_RECEIVE_MAXIMUM] = {IN(MQTT_CONNECT) | IN(MQTT_CONNACK), TWO, true, true},
    [MQTT_P_TOPIC_ALIAS_MAXIMUM] = {IN(MQTT_CONNECT) | IN(MQTT_CONNACK), TWO, true, false},
    [MQTT_P_TOPIC_ALIAS] = {IN(MQTT_PUBLISH), TWO, true, false}, /* 0 has a reason code of its own */
    [MQTT_P_MAXIMUM_QOS] = {IN(MQTT_CONNACK), FLAG, true, false},
    [MQTT_P_RETAIN_AVAILABLE] = {IN(MQTT_CONNACK), FLAG, true, false},
    [MQTT_P_USER] = {0xFFFF, PAIR, true, false},
    [MQTT_P_MAXIMUM_PACKET] = {IN(MQTT_CONNECT) | IN(MQTT_CONNACK), FOUR, true, true},
    [MQTT_P_WILDCARD_AVAILABLE] = {IN(MQTT_CONNACK), FLAG, true, false},
    [MQTT_P_SUBSCRIPTION_ID_AVAILABLE] = {IN(MQTT_CONNACK), FLAG, true, false},
    [MQTT_P_SHARED_AVAILABLE] = {IN(MQTT_CONNACK), FLAG, true, false},
};

bool mqtt_property_has(const struct mqtt_properties *p, enum mqtt_property which) {
    return (p->present >> which & 1) != 0;
}

uint32_t mqtt_property_number(const struct mqtt_properties *p, enum mqtt_property which, uint32_t fallback) {
    return mqtt_property_has(p, which) ? p->number[which] : fallback;
}

Str mqtt_property_text(const struct mqtt_properties *p, enum mqtt_property which) {
    return mqtt_property_has(p, which) ? p->text[which] : (Str){0};
}

static bool read_number(struct mqtt_wire *in, enum datum datum, uint32_t *out) {
    uint16_t two;
    uint8_t one;
    switch (datum) {
    case FOUR: return mqtt_wire_u32(in, out);
    case VARIABLE: return mqtt_wire_varint(in, out);
    case TWO:
        if (!mqtt_wire_u16(in, &two)) return false;
        *out = two;
        return true;
    default:
        if (!mqtt_wire_u8(in, &one)) return false;
        *out = one;
        return true;
    }
}

static MqttFault read_texts(struct mqtt_wire *in, enum datum datum, Str *text) {
    Str key;
    if (datum == PAIR) {
        if (!mqtt_wire_text(in, &key)) return MQTT_MALFORMED("a user property is cut short");
        if (!mqtt_topic_utf8(key)) return MQTT_MALFORMED("a user property's name is not UTF-8");
    }
    if (!mqtt_wire_text(in, text)) return MQTT_MALFORMED("a property's text is cut short");
    if (datum != BINARY && !mqtt_topic_utf8(*text)) return MQTT_MALFORMED("a property's text is not UTF-8");
    return MQTT_FINE;
}

static MqttFault read_one(struct mqtt_wire *in, uint32_t id, enum mqtt_type type, struct mqtt_properties *out) {
    if (id >= MQTT_P_END || !rules[id].defined) return MQTT_MALFORMED("a property has an unknown identifier");
    const struct rule *rule = &rules[id];
    if (!(rule->packets >> type & 1)) return MQTT_PROTOCOL("a property does not belong into this packet");
    bool repeats = id == MQTT_P_USER || (id == MQTT_P_SUBSCRIPTION_ID && type == MQTT_PUBLISH);
    if (!repeats && mqtt_property_has(out, (enum mqtt_property)id)) return MQTT_PROTOCOL("a property is given twice");
    out->present |= UINT64_C(1) << id;
    if (rule->datum >= TEXT) return read_texts(in, rule->datum, &out->text[id]);
    if (!read_number(in, rule->datum, &out->number[id])) return MQTT_MALFORMED("a property is cut short");
    if (rule->datum == FLAG && out->number[id] > 1) return MQTT_PROTOCOL("a property that is 0 or 1 is neither");
    if (rule->no_zero && out->number[id] == 0) return MQTT_PROTOCOL("a property is zero that must not be");
    return MQTT_FINE;
}

MqttFault mqtt_property_parse(Str raw, enum mqtt_type type, struct mqtt_properties *out) {
    struct mqtt_wire in = mqtt_wire_read(raw);
    out->present = 0;
    out->raw = raw;
    while (in.at < in.end) {
        uint32_t id;
        if (!mqtt_wire_varint(&in, &id)) return MQTT_MALFORMED("a property's identifier is cut short");
        MqttFault bad = read_one(&in, id, type, out);
        if (bad.reason) return bad;
    }
    if (mqtt_property_has(out, MQTT_P_AUTH_DATA) && !mqtt_property_has(out, MQTT_P_AUTH_METHOD))
        return MQTT_PROTOCOL("authentication data without a method");
    return MQTT_FINE;
}

/* Steps over one property that was parsed before. */
static bool step(struct mqtt_wire *in, uint32_t *id, uint32_t *number, Str *key, Str *value) {
    if (in->at >= in->end || !mqtt_wire_varint(in, id)) return false;
    ASSERT(*id < MQTT_P_END);
    enum datum datum = rules[*id].datum;
    if (datum < TEXT) return read_number(in, datum, number);
    if (datum == PAIR && !mqtt_wire_text(in, key)) return false;
    return mqtt_wire_text(in, value);
}

bool mqtt_property_next_user(Str raw, size_t *at, Str *key, Str *value) {
    struct mqtt_wire in = mqtt_wire_read(str_slice(raw, *at, raw.len));
    uint32_t id, number;
    while (step(&in, &id, &number, key, value)) {
        if (id != MQTT_P_USER) continue;
        *at = (size_t)(in.at - raw.ptr);
        return true;
    }
    return false;
}

bool mqtt_property_next_subscription(Str raw, size_t *at, uint32_t *id_out) {
    struct mqtt_wire in = mqtt_wire_read(str_slice(raw, *at, raw.len));
    uint32_t id, number;
    Str key, value;
    while (step(&in, &id, &number, &key, &value)) {
        if (id != MQTT_P_SUBSCRIPTION_ID) continue;
        *at = (size_t)(in.at - raw.ptr);
        *id_out = number;
        return true;
    }
    return false;
}

void mqtt_property_init(struct mqtt_properties *p) {
    p->present = 0;
    p->raw = (Str){0};
}

void mqtt_property_set(struct mqtt_properties *p, enum mqtt_property which, uint32_t number) {
    ASSERT(rules[which].datum < TEXT);
    p->present |= UINT64_C(1) << which;
    p->number[which] = number;
}

void mqtt_property_set_text(struct mqtt_properties *p, enum mqtt_property which, Str text) {
    ASSERT(rules[which].datum == TEXT || rules[which].datum == BINARY);
    p->present |= UINT64_C(1) << which;
    p->text[which] = text;
}

static size_t one_size(const struct mqtt_properties *p, unsigned id) {
    switch (rules[id].datum) {
    case FOUR: return 5;
    case TWO: return 3;
    case VARIABLE: return 1 + mqtt_wire_varint_size(p->number[id]);
    case TEXT:
    case BINARY: return 3 + p->text[id].len;
    default: return 2;
    }
}

static bool written_singly(const struct mqtt_properties *p, unsigned id) {
    return mqtt_property_has(p, (enum mqtt_property)id) && id != MQTT_P_USER && id != MQTT_P_SUBSCRIPTION_ID;
}

static size_t bare_size(const struct mqtt_properties *p, const uint32_t *ids, size_t n_ids) {
    size_t size = 0, at = 0;
    for (size_t i = 0; i < n_ids; i++) size += 1 + mqtt_wire_varint_size(ids[i]);
    if (!p) return size;
    for (unsigned id = 1; id < MQTT_P_END; id++)
        if (written_singly(p, id)) size += one_size(p, id);
    if (mqtt_property_has(p, MQTT_P_USER))
        for (Str key, value; mqtt_property_next_user(p->raw, &at, &key, &value);) size += 5 + key.len + value.len;
    return size;
}

static void write_one(struct buf *out, const struct mqtt_properties *p, unsigned id) {
    buf_byte(out, (uint8_t)id);
    switch (rules[id].datum) {
    case FOUR: mqtt_wire_put_u32(out, p->number[id]); break;
    case TWO: mqtt_wire_put_u16(out, (uint16_t)p->number[id]); break;
    case VARIABLE: mqtt_wire_put_varint(out, p->number[id]); break;
    case TEXT:
    case BINARY: mqtt_wire_put_text(out, p->text[id]); break;
    default: buf_byte(out, (uint8_t)p->number[id]);
    }
}

size_t mqtt_property_size(const struct mqtt_properties *p, const uint32_t *ids, size_t n_ids) {
    size_t bare = bare_size(p, ids, n_ids);
    ASSERT(bare <= MQTT_WIRE_VARINT_MAX);
    return mqtt_wire_varint_size((uint32_t)bare) + bare;
}

void mqtt_property_write(struct buf *out, const struct mqtt_properties *p, const uint32_t *ids, size_t n_ids) {
    mqtt_wire_put_varint(out, (uint32_t)bare_size(p, ids, n_ids));
    for (size_t i = 0; i < n_ids; i++) {
        buf_byte(out, MQTT_P_SUBSCRIPTION_ID);
        mqtt_wire_put_varint(out, ids[i]);
    }
    if (!p) return;
    for (unsigned id = 1; id < MQTT_P_END; id++)
        if (written_singly(p, id)) write_one(out, p, id);
    if (!mqtt_property_has(p, MQTT_P_USER)) return;
    size_t at = 0;
    for (Str key, value; mqtt_property_next_user(p->raw, &at, &key, &value);) {
        buf_byte(out, MQTT_P_USER);
        mqtt_wire_put_text(out, key);
        mqtt_wire_put_text(out, value);
    }
}
