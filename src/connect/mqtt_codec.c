#include "connect/mqtt_codec.h"

#include "connect/mqtt_topic.h"
#include "connect/mqtt_wire.h"

/* The flags that a type's first byte must carry; PUBLISH has its own. */
static const struct packet_row {
    const char *name;
    uint8_t flags;
} packets[16] = {
    [MQTT_CONNECT] = {"CONNECT", 0},         [MQTT_CONNACK] = {"CONNACK", 0},       [MQTT_PUBLISH] = {"PUBLISH", 0},
    [MQTT_PUBACK] = {"PUBACK", 0},           [MQTT_PUBREC] = {"PUBREC", 0},         [MQTT_PUBREL] = {"PUBREL", 2},
    [MQTT_PUBCOMP] = {"PUBCOMP", 0},         [MQTT_SUBSCRIBE] = {"SUBSCRIBE", 2},   [MQTT_SUBACK] = {"SUBACK", 0},
    [MQTT_UNSUBSCRIBE] = {"UNSUBSCRIBE", 2}, [MQTT_UNSUBACK] = {"UNSUBACK", 0},     [MQTT_PINGREQ] = {"PINGREQ", 0},
    [MQTT_PINGRESP] = {"PINGRESP", 0},       [MQTT_DISCONNECT] = {"DISCONNECT", 0}, [MQTT_AUTH] = {"AUTH", 0},
};

const char *mqtt_codec_name(unsigned type) { return type < 16 && packets[type].name ? packets[type].name : "RESERVED"; }

Err mqtt_codec_err(MqttFault fault) {
    if (fault.reason == MQTT_SUCCESS) return err_none();
    return err_make(ERR_INVALID, "%s: %s", mqtt_reason_text(fault.reason), fault.why ? fault.why : "no detail");
}

static MqttFault check_first(uint8_t first) {
    unsigned type = first >> 4;
    if (!packets[type].name) return MQTT_MALFORMED("packet type 0 is reserved");
    if (type == MQTT_PUBLISH) {
        if ((first & 6) == 6) return MQTT_MALFORMED("a PUBLISH has QoS 3");
        if ((first & 8) && !(first & 6)) return MQTT_MALFORMED("a PUBLISH of QoS 0 is marked as a duplicate");
        return MQTT_FINE;
    }
    if ((first & 15) != packets[type].flags) return MQTT_MALFORMED("a packet's reserved flags are wrong");
    return MQTT_FINE;
}

/* Longer than needed lengths are taken here: 3.1.1 does not forbid them, and clients that patch the length in use them.
 */
static enum mqtt_framing read_length(Str bytes, size_t *header, uint32_t *length, MqttFault *fault) {
    uint32_t v = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (1 + i >= bytes.len) return MQTT_PARTIAL;
        unsigned char byte = (unsigned char)bytes.ptr[1 + i];
        v |= (uint32_t)(byte & 0x7F) << (7 * i);
        if (byte & 0x80) continue;
        *header = 2 + i;
        *length = v;
        return MQTT_WHOLE;
    }
    *fault = MQTT_MALFORMED("the remaining length has more than four bytes");
    return MQTT_BAD;
}

enum mqtt_framing mqtt_codec_frame(Str bytes, size_t max, struct mqtt_frame *out, MqttFault *fault) {
    *out = (struct mqtt_frame){0};
    *fault = MQTT_FINE;
    if (bytes.len == 0) return MQTT_PARTIAL;
    out->first = (uint8_t)bytes.ptr[0];
    *fault = check_first(out->first);
    if (fault->reason) return MQTT_BAD;
    size_t header;
    uint32_t length;
    enum mqtt_framing got = read_length(bytes, &header, &length, fault);
    if (got != MQTT_WHOLE) return got;
    out->size = header + length;
    if (out->size > max) {
        *fault = (MqttFault){MQTT_PACKET_TOO_LARGE, "a packet is larger than the limit"};
        return MQTT_BAD;
    }
    bool whole = bytes.len >= out->size;
    out->body = str_n(bytes.ptr + header, whole ? length : bytes.len - header);
    return whole ? MQTT_WHOLE : MQTT_PARTIAL;
}

static MqttFault read_properties(struct mqtt_wire *in, unsigned version, Str *raw) {
    *raw = (Str){0};
    if (version != MQTT_V5) return MQTT_FINE;
    uint32_t n;
    if (!mqtt_wire_varint(in, &n)) return MQTT_MALFORMED("the length of the properties is malformed");
    if (!mqtt_wire_bytes(in, n, raw)) return MQTT_MALFORMED("the properties are cut short");
    return MQTT_FINE;
}

/* Properties, parsed to see that they are right; the reader who needs them parses again, which is rare. */
static MqttFault check_properties(struct mqtt_wire *in, unsigned version, enum mqtt_type type, Str *raw) {
    MqttFault bad = read_properties(in, version, raw);
    if (bad.reason || raw->len == 0) return bad;
    struct mqtt_properties parsed;
    return mqtt_property_parse(*raw, type, &parsed);
}

/* ---- CONNECT */

enum { FLAG_RESERVED = 1, FLAG_CLEAN = 2, FLAG_WILL = 4, FLAG_WILL_RETAIN = 32, FLAG_PASSWORD = 64, FLAG_USER = 128 };

static MqttFault check_connect_flags(uint8_t flags, unsigned version) {
    unsigned will_qos = flags >> 3 & 3u;
    if (flags & FLAG_RESERVED) return MQTT_MALFORMED("the reserved flag of CONNECT is set");
    if (will_qos == 3) return MQTT_MALFORMED("the will has QoS 3");
    if (!(flags & FLAG_WILL) && (will_qos || flags & FLAG_WILL_RETAIN))
        return MQTT_MALFORMED("CONNECT has flags of a will but no will");
    if (version == MQTT_V3 && flags & FLAG_PASSWORD && !(flags & FLAG_USER))
        return MQTT_MALFORMED("CONNECT has a password but no user name");
    return MQTT_FINE;
}

static MqttFault read_will(struct mqtt_wire *in, uint8_t flags, struct mqtt_connect *out) {
    struct mqtt_will *will = &out->will;
    MqttFault bad = check_properties(in, out->version, MQTT_WILL, &will->properties);
    if (bad.reason) return bad;
    if (!mqtt_wire_text(in, &will->topic) || !mqtt_wire_text(in, &will->payload))
        return MQTT_MALFORMED("the will is cut short");
    if (!mqtt_topic_utf8(will->topic)) return MQTT_MALFORMED("the will's topic is not UTF-8");
    if (!mqtt_topic_name_ok(will->topic))
        return (MqttFault){MQTT_TOPIC_NAME_INVALID, "the will's topic is empty, too deep or has a wildcard"};
    will->qos = flags >> 3 & 3u;
    will->retain = (flags & FLAG_WILL_RETAIN) != 0;
    out->has_will = true;
    return MQTT_FINE;
}

static MqttFault read_payload(struct mqtt_wire *in, uint8_t flags, struct mqtt_connect *out) {
    if (!mqtt_wire_text(in, &out->client_id)) return MQTT_MALFORMED("the client identifier is cut short");
    if (!mqtt_topic_utf8(out->client_id)) return MQTT_MALFORMED("the client identifier is not UTF-8");
    if (flags & FLAG_WILL) {
        MqttFault bad = read_will(in, flags, out);
        if (bad.reason) return bad;
    }
    out->has_user = (flags & FLAG_USER) != 0;
    out->has_password = (flags & FLAG_PASSWORD) != 0;
    if (out->has_user && !mqtt_wire_text(in, &out->user)) return MQTT_MALFORMED("the user name is cut short");
    if (!mqtt_topic_utf8(out->user)) return MQTT_MALFORMED("the user name is not UTF-8");
    if (out->has_password && !mqtt_wire_text(in, &out->password)) return MQTT_MALFORMED("the password is cut short");
    if (mqtt_wire_left(in)) return MQTT_MALFORMED("CONNECT has bytes behind its end");
    return MQTT_FINE;
}

MqttFault mqtt_codec_connect(Str body, struct mqtt_connect *out) {
    *out = (struct mqtt_connect){.version = MQTT_V3};
    struct mqtt_wire in = mqtt_wire_read(body);
    Str protocol;
    uint8_t flags;
    if (!mqtt_wire_text(&in, &protocol) || !mqtt_wire_u8(&in, &out->version))
        return MQTT_MALFORMED("the protocol name is cut short");
    if (!str_eq(protocol, STR("MQTT")) || (out->version != MQTT_V3 && out->version != MQTT_V5))
        return (MqttFault){MQTT_UNSUPPORTED_VERSION, "only MQTT 3.1.1 and 5.0 are spoken here"};
    if (!mqtt_wire_u8(&in, &flags) || !mqtt_wire_u16(&in, &out->keep_alive_s))
        return MQTT_MALFORMED("CONNECT is cut short");
    MqttFault bad = check_connect_flags(flags, out->version);
    if (bad.reason) return bad;
    out->clean = (flags & FLAG_CLEAN) != 0;
    bad = check_properties(&in, out->version, MQTT_CONNECT, &out->properties);
    return bad.reason ? bad : read_payload(&in, flags, out);
}

MqttFault mqtt_codec_connack(Str body, unsigned version, struct mqtt_reply *out) {
    *out = (struct mqtt_reply){0};
    struct mqtt_wire in = mqtt_wire_read(body);
    uint8_t flags;
    if (!mqtt_wire_u8(&in, &flags) || !mqtt_wire_u8(&in, &out->reason)) return MQTT_MALFORMED("CONNACK is cut short");
    if (flags & ~1u) return MQTT_MALFORMED("the reserved flags of CONNACK are set");
    out->session_present = flags & 1;
    MqttFault bad = check_properties(&in, version, MQTT_CONNACK, &out->properties);
    if (bad.reason) return bad;
    if (mqtt_wire_left(&in)) return MQTT_MALFORMED("CONNACK has bytes behind its end");
    return MQTT_FINE;
}

/* ---- PUBLISH */

MqttFault mqtt_codec_publish(uint8_t first, Str body, unsigned version, struct mqtt_publish *out) {
    struct mqtt_wire in = mqtt_wire_read(body);
    out->dup = (first & 8) != 0;
    out->qos = first >> 1 & 3u;
    out->retain = (first & 1) != 0;
    out->packet_id = 0;
    if (!mqtt_wire_text(&in, &out->topic)) return MQTT_MALFORMED("the topic is cut short");
    if (!mqtt_topic_utf8(out->topic)) return MQTT_MALFORMED("the topic is not UTF-8");
    if (out->qos) {
        if (!mqtt_wire_u16(&in, &out->packet_id)) return MQTT_MALFORMED("the packet identifier is cut short");
        if (out->packet_id == 0) return MQTT_PROTOCOL("the packet identifier is zero");
    }
    MqttFault bad = check_properties(&in, version, MQTT_PUBLISH, &out->properties);
    if (bad.reason) return bad;
    out->payload = str_n(in.at, mqtt_wire_left(&in));
    if (out->topic.len == 0 && version == MQTT_V5) return MQTT_FINE; /* an alias, which the connection looks up */
    if (!mqtt_topic_name_ok(out->topic))
        return (MqttFault){version == MQTT_V5 ? MQTT_TOPIC_NAME_INVALID : MQTT_MALFORMED_PACKET,
                           "the topic is empty, too deep or has a wildcard"};
    return MQTT_FINE;
}

/* ---- answers */

MqttFault mqtt_codec_reply(enum mqtt_type type, Str body, unsigned version, struct mqtt_reply *out) {
    *out = (struct mqtt_reply){0};
    struct mqtt_wire in = mqtt_wire_read(body);
    bool has_id = type >= MQTT_PUBACK && type <= MQTT_PUBCOMP;
    if (has_id) {
        if (!mqtt_wire_u16(&in, &out->packet_id)) return MQTT_MALFORMED("the packet identifier is cut short");
        if (out->packet_id == 0) return MQTT_PROTOCOL("the packet identifier is zero");
    }
    if (version == MQTT_V5 && mqtt_wire_left(&in)) {
        mqtt_wire_u8(&in, &out->reason);
        MqttFault bad = mqtt_wire_left(&in) ? check_properties(&in, version, type, &out->properties) : MQTT_FINE;
        if (bad.reason) return bad;
    }
    if (mqtt_wire_left(&in)) return MQTT_MALFORMED("a packet has bytes behind its end");
    return MQTT_FINE;
}

/* ---- SUBSCRIBE, UNSUBSCRIBE and their answers */

static MqttFault check_options(uint8_t options, unsigned version, Str filter) {
    if ((options & 3) == 3) return MQTT_MALFORMED("a subscription asks for QoS 3");
    if (options & (version == MQTT_V5 ? 0xC0 : 0xFC)) return MQTT_MALFORMED("a subscription's reserved bits are set");
    if ((options >> 4 & 3) == 3) return MQTT_PROTOCOL("a subscription's retain handling is 3");
    if (options & 4 && str_starts(filter, STR("$share/")))
        return MQTT_PROTOCOL("a shared subscription asks for no local messages");
    return MQTT_FINE;
}

static MqttFault check_filters(enum mqtt_type type, Str filters, unsigned version) {
    struct mqtt_wire in = mqtt_wire_read(filters);
    if (in.at == in.end) return MQTT_PROTOCOL("a packet names no topic filter");
    while (in.at < in.end) {
        Str filter;
        uint8_t options = 0;
        if (!mqtt_wire_text(&in, &filter)) return MQTT_MALFORMED("a topic filter is cut short");
        if (!mqtt_topic_utf8(filter)) return MQTT_MALFORMED("a topic filter is not UTF-8");
        if (type != MQTT_SUBSCRIBE) continue;
        if (!mqtt_wire_u8(&in, &options)) return MQTT_MALFORMED("a subscription's options are cut short");
        MqttFault bad = check_options(options, version, filter);
        if (bad.reason) return bad;
    }
    return MQTT_FINE;
}

MqttFault mqtt_codec_request(enum mqtt_type type, Str body, unsigned version, struct mqtt_request *out) {
    struct mqtt_wire in = mqtt_wire_read(body);
    if (!mqtt_wire_u16(&in, &out->packet_id)) return MQTT_MALFORMED("the packet identifier is cut short");
    if (out->packet_id == 0) return MQTT_PROTOCOL("the packet identifier is zero");
    MqttFault bad = check_properties(&in, version, type, &out->properties);
    if (bad.reason) return bad;
    out->filters = str_n(in.at, mqtt_wire_left(&in));
    return check_filters(type, out->filters, version);
}

bool mqtt_codec_next_filter(enum mqtt_type type, Str *filters, struct mqtt_filter *out) {
    struct mqtt_wire in = mqtt_wire_read(*filters);
    uint8_t options = 0;
    if (in.at == in.end || !mqtt_wire_text(&in, &out->filter)) return false;
    if (type == MQTT_SUBSCRIBE && !mqtt_wire_u8(&in, &options)) return false;
    out->qos = options & 3u;
    out->no_local = (options & 4) != 0;
    out->retain_as_published = (options & 8) != 0;
    out->retain_handling = options >> 4 & 3u;
    *filters = str_n(in.at, mqtt_wire_left(&in));
    return true;
}

MqttFault mqtt_codec_answer(enum mqtt_type type, Str body, unsigned version, struct mqtt_answer *out) {
    *out = (struct mqtt_answer){0};
    struct mqtt_wire in = mqtt_wire_read(body);
    if (!mqtt_wire_u16(&in, &out->packet_id)) return MQTT_MALFORMED("the packet identifier is cut short");
    MqttFault bad = check_properties(&in, version, type, &out->properties);
    if (bad.reason) return bad;
    out->reasons = str_n(in.at, mqtt_wire_left(&in));
    bool none = version != MQTT_V5 && type == MQTT_UNSUBACK;
    if (none != (out->reasons.len == 0)) return MQTT_MALFORMED("the number of reason codes is wrong");
    return MQTT_FINE;
}
