#include "connect/mqtt_codec.h"

#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_write.h"
#include "tests/unit.h"

/* Packets are written as texts: hex digits are bytes, 'quoted' is itself, blanks do not count. */
static size_t bytes_of(const char *text, char *out) {
    size_t n = 0;
    while (*text) {
        if (*text == ' ') {
            text++;
        } else if (*text == '\'') {
            for (text++; *text != '\''; text++) out[n++] = *text;
            text++;
        } else {
            unsigned hi = (unsigned)(strchr("0123456789abcdef", text[0]) - "0123456789abcdef");
            unsigned lo = (unsigned)(strchr("0123456789abcdef", text[1]) - "0123456789abcdef");
            out[n++] = (char)(hi << 4 | lo);
            text += 2;
        }
    }
    return n;
}

static MqttFault parse_body(const struct mqtt_frame *frame, unsigned version) {
    struct mqtt_connect connect;
    struct mqtt_publish publish;
    struct mqtt_reply reply;
    struct mqtt_request request;
    struct mqtt_answer answer;
    enum mqtt_type type = frame->first >> 4;
    switch (type) {
    case MQTT_CONNECT: return mqtt_codec_connect(frame->body, &connect);
    case MQTT_CONNACK: return mqtt_codec_connack(frame->body, version, &reply);
    case MQTT_PUBLISH: return mqtt_codec_publish(frame->first, frame->body, version, &publish);
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE: return mqtt_codec_request(type, frame->body, version, &request);
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: return mqtt_codec_answer(type, frame->body, version, &answer);
    default: return mqtt_codec_reply(type, frame->body, version, &reply);
    }
}

/* What the specifications' rules say of whole packets; the names quote the rule. */
static const struct {
    const char *name, *packet;
    unsigned version, reason;
} packets[] = {
    {"3.1.1 connect, figure 3.6", "10 18 0004'MQTT' 04 c2 000a 0000 0004'user' 0004'pass'", 4, 0},
    {"5.0 connect with an expiry of 10", "10 12 0004'MQTT' 05 02 003c 05 110000000a 0000", 5, 0},
    {"5.0 connect with a will", "10 1d 0004'MQTT' 05 0e 003c 00 0001'c' 05 1800000005 0002'w/' 0003'bye'", 5, 0},
    {"a will whose topic is a wildcard", "10 15 0004'MQTT' 04 06 003c 0001'c' 0001'#' 0003'bye'", 4, 0x90},
    {"level 3", "10 0f 0006'MQIsdp' 03 02 003c 0001'c'", 4, 0x84},
    {"level 6", "10 0d 0004'MQTT' 06 02 003c 0001'c'", 4, 0x84},
    {"reserved connect flag", "10 0d 0004'MQTT' 04 03 003c 0001'c'", 4, 0x81},
    {"will QoS without a will", "10 0d 0004'MQTT' 04 0a 003c 0001'c'", 4, 0x81},
    {"will retain without a will", "10 0d 0004'MQTT' 04 22 003c 0001'c'", 4, 0x81},
    {"will QoS 3", "10 14 0004'MQTT' 04 1e 003c 0001'c' 0001'w' 0002'xx'", 4, 0x81},
    {"3.1.1 password without user", "10 10 0004'MQTT' 04 42 003c 0001'c' 0001'p'", 4, 0x81},
    {"5.0 password without user", "10 11 0004'MQTT' 05 42 003c 00 0001'c' 0001'p'", 5, 0},
    {"bytes behind connect", "10 0e 0004'MQTT' 04 02 003c 0001'c' 00", 4, 0x81},
    {"client id not UTF-8", "10 0d 0004'MQTT' 04 02 003c 0001 ff", 4, 0x81},
    {"client id with NUL", "10 0d 0004'MQTT' 04 02 003c 0001 00", 4, 0x81},
    {"receive maximum 0", "10 10 0004'MQTT' 05 02 003c 03 210000 0000", 5, 0x82},
    {"maximum packet size 0", "10 12 0004'MQTT' 05 02 003c 05 2700000000 0000", 5, 0x82},
    {"expiry twice", "10 17 0004'MQTT' 05 02 003c 0a 110000000a110000000a 0000", 5, 0x82},
    {"unknown property", "10 0f 0004'MQTT' 05 02 003c 02 0400 0000", 5, 0x81},
    {"a property of publish in connect", "10 0f 0004'MQTT' 05 02 003c 02 0101 0000", 5, 0x82},
    {"request problem information 2", "10 0f 0004'MQTT' 05 02 003c 02 1702 0000", 5, 0x82},
    {"authentication data alone", "10 11 0004'MQTT' 05 02 003c 04 16000178 0000", 5, 0x82},
    {"property cut short", "10 10 0004'MQTT' 05 02 003c 03 110000 0000", 5, 0x81},
    {"properties longer than the packet", "10 0d 0004'MQTT' 05 02 003c 7f 0000", 5, 0x81},
    {"connack", "20 02 01 00", 4, 0},
    {"connack, reserved flag", "20 02 02 00", 4, 0x81},
    {"publish, QoS 0", "30 05 0003'a/b'", 4, 0},
    {"publish, QoS 1, figure 3.11", "32 07 0003'a/b' 000a", 4, 0},
    {"publish, QoS 1, id 0", "32 07 0003'a/b' 0000", 4, 0x82},
    {"publish, wildcard, 3.1.1", "30 05 0003'a/+'", 4, 0x81},
    {"publish, wildcard, 5.0", "30 06 0003'a/#' 00", 5, 0x90},
    {"publish, empty topic, 3.1.1", "30 02 0000", 4, 0x81},
    {"publish, empty topic and alias", "30 06 0000 03 230001", 5, 0},
    {"publish, topic cut short", "30 03 0003'a'", 4, 0x81},
    {"publish, id cut short", "32 06 0003'a/b' 00", 4, 0x81},
    {"publish, no property length", "30 03 0001'a'", 5, 0x81},
    {"publish, user property twice", "30 12 0001'a' 0e 260001'k'0001'v' 260001'k'0001'v'", 5, 0},
    {"publish, payload format 2", "30 06 0001'a' 02 0102", 5, 0x82},
    {"publish, response topic not UTF-8", "30 08 0001'a' 04 080001 ff", 5, 0x81},
    {"puback", "40 02 000a", 4, 0},
    {"puback, reason, no properties", "40 03 000a 10", 5, 0},
    {"puback, reason and string", "40 09 000a 80 05 1f0002'no'", 5, 0},
    {"puback, id 0", "40 02 0000", 4, 0x82},
    {"puback, trailing byte in 3.1.1", "40 03 000a 00", 4, 0x81},
    {"pubrel", "62 02 000a", 4, 0},
    {"subscribe, figure 3.22", "82 0e 000a 0003'a/b' 01 0003'c/d' 02", 4, 0},
    {"subscribe, none", "82 02 000a", 4, 0x82},
    {"subscribe, QoS 3", "82 08 000a 0003'a/b' 03", 4, 0x81},
    {"subscribe, reserved bits in 3.1.1", "82 08 000a 0003'a/b' 04", 4, 0x81},
    {"subscribe, no local in 5.0", "82 09 000a 00 0003'a/b' 04", 5, 0},
    {"subscribe, retain handling 3", "82 09 000a 00 0003'a/b' 30", 5, 0x82},
    {"subscribe, reserved bits in 5.0", "82 09 000a 00 0003'a/b' 40", 5, 0x81},
    {"subscribe, identifier 0", "82 0b 000a 02 0b00 0003'a/b' 00", 5, 0x82},
    {"subscribe, shared and no local", "82 10 000a 00 000a'$share/g/a' 04", 5, 0x82},
    {"subscribe, id 0", "82 08 0000 0003'a/b' 01", 4, 0x82},
    {"suback, figure 3.26", "90 05 000a 00 02 80", 4, 0},
    {"suback, none", "90 02 000a", 4, 0x81},
    {"unsubscribe, figure 3.31", "a2 0c 000a 0003'a/b' 0003'c/d'", 4, 0},
    {"unsubscribe, none", "a2 02 000a", 4, 0x82},
    {"unsuback", "b0 02 000a", 4, 0},
    {"unsuback, 5.0", "b0 04 000a 00 11", 5, 0},
    {"pingreq", "c0 00", 4, 0},
    {"pingreq with a body", "c0 01 00", 4, 0x81},
    {"disconnect", "e0 00", 4, 0},
    {"disconnect, 5.0, reason", "e0 01 04", 5, 0},
    {"disconnect, 5.0, expiry", "e0 07 00 05 1100000000", 5, 0},
    {"disconnect, 3.1.1, with a body", "e0 01 00", 4, 0x81},
    {"auth, 5.0", "f0 06 18 04 150001'x'", 5, 0},
    {"packet type 0", "00 00", 4, 0x81},
    {"pubrel with wrong flags", "60 02 000a", 4, 0x81},
    {"publish, QoS 3", "36 07 0003'a/b' 000a", 4, 0x81},
    {"publish, duplicate of QoS 0", "38 05 0003'a/b'", 4, 0x81},
    {"length of five bytes", "30 8080808001", 4, 0x81},
    {"larger than the limit", "30 ffff7f", 4, 0x95},
};

static void whole_packets(void) {
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        unit_case(packets[i].name);
        char bytes[256];
        size_t n = bytes_of(packets[i].packet, bytes);
        struct mqtt_frame frame;
        MqttFault fault;
        enum mqtt_framing got = mqtt_codec_frame(str_n(bytes, n), 1000, &frame, &fault);
        CHECK(got != MQTT_PARTIAL);
        if (got == MQTT_WHOLE) {
            CHECK_INT(frame.size, n);
            fault = parse_body(&frame, packets[i].version);
        }
        CHECK_INT(fault.reason, packets[i].reason);
        CHECK((fault.why != NULL) == (fault.reason != 0));
        /* Every beginning of a packet is partial or already wrong, and reading it touches nothing behind its end. */
        for (size_t cut = 0; cut < n; cut++) {
            char *part = malloc(cut + 1);
            memcpy(part, bytes, cut);
            part = realloc(part, cut ? cut : 1);
            CHECK(mqtt_codec_frame(str_n(part, cut), 1000, &frame, &fault) != MQTT_WHOLE);
            free(part);
        }
    }
}

static void connect_fields(void) {
    unit_case("connect's fields");
    char bytes[128];
    size_t n =
        bytes_of("0004'MQTT' 05 ee 000a 03 210014 0002'c1' 05 1800000005 0001'w' 0003'bye' 0001'u' 0001'p'", bytes);
    struct mqtt_connect c;
    CHECK_INT(mqtt_codec_connect(str_n(bytes, n), &c).reason, 0);
    CHECK_INT(c.version, 5);
    CHECK(c.clean && c.has_will && c.has_user && c.has_password && c.will.retain);
    CHECK_INT(c.will.qos, 1);
    CHECK_INT(c.keep_alive_s, 10);
    CHECK_STR(c.client_id, STR("c1"));
    CHECK_STR(c.will.topic, STR("w"));
    CHECK_STR(c.will.payload, STR("bye"));
    CHECK_STR(c.user, STR("u"));
    CHECK_STR(c.password, STR("p"));
    struct mqtt_properties p;
    CHECK_INT(mqtt_property_parse(c.properties, MQTT_CONNECT, &p).reason, 0);
    CHECK_INT(mqtt_property_number(&p, MQTT_P_RECEIVE_MAXIMUM, 0), 20);
    CHECK_INT(mqtt_property_number(&p, MQTT_P_TOPIC_ALIAS_MAXIMUM, 7), 7);
    CHECK_INT(mqtt_property_parse(c.will.properties, MQTT_WILL, &p).reason, 0);
    CHECK_INT(mqtt_property_number(&p, MQTT_P_WILL_DELAY, 0), 5);
    struct buf again = {0};
    mqtt_write_connect(&again, &c);
    CHECK_STR(str_slice(buf_view(&again), 2, again.len), str_n(bytes, n));
    buf_fini(&again);
}

static void publish_round_trip(void) {
    unit_case("publish, written and read");
    struct mqtt_properties p;
    mqtt_property_init(&p);
    mqtt_property_set(&p, MQTT_P_PAYLOAD_FORMAT, 1);
    mqtt_property_set(&p, MQTT_P_MESSAGE_EXPIRY, 60);
    mqtt_property_set(&p, MQTT_P_TOPIC_ALIAS, 3);
    mqtt_property_set_text(&p, MQTT_P_CONTENT_TYPE, STR("application/json"));
    mqtt_property_set_text(&p, MQTT_P_CORRELATION_DATA, STR("\x00\x01"));
    p.raw = STR("\x26\0\1k\0\1v\x26\0\1k\0\2v2");
    p.present |= UINT64_C(1) << MQTT_P_USER;
    uint32_t ids[] = {1, 300, 268435455};
    struct mqtt_publish out = {.qos = 2, .dup = true, .packet_id = 513, .topic = STR("a/b"), .payload = STR("hello")};
    struct buf buf = {0};
    mqtt_write_publish(&buf, MQTT_V5, &out, &p, ids, 3);
    CHECK_INT(buf.len, mqtt_write_publish_size(MQTT_V5, &out, &p, ids, 3));
    struct mqtt_frame frame;
    MqttFault fault;
    CHECK_INT(mqtt_codec_frame(buf_view(&buf), 1000, &frame, &fault), MQTT_WHOLE);
    struct mqtt_publish in;
    CHECK_INT(mqtt_codec_publish(frame.first, frame.body, MQTT_V5, &in).reason, 0);
    CHECK(in.dup && !in.retain && in.qos == 2 && in.packet_id == 513);
    CHECK_STR(in.topic, out.topic);
    CHECK_STR(in.payload, out.payload);
    struct mqtt_properties q;
    CHECK_INT(mqtt_property_parse(in.properties, MQTT_PUBLISH, &q).reason, 0);
    CHECK_INT(mqtt_property_number(&q, MQTT_P_MESSAGE_EXPIRY, 0), 60);
    CHECK_STR(mqtt_property_text(&q, MQTT_P_CONTENT_TYPE), STR("application/json"));
    size_t at = 0, n = 0;
    for (uint32_t id; mqtt_property_next_subscription(q.raw, &at, &id); n++) CHECK_INT(id, ids[n]);
    CHECK_INT(n, 3);
    Str key, value;
    at = 0;
    CHECK(mqtt_property_next_user(q.raw, &at, &key, &value));
    CHECK(mqtt_property_next_user(q.raw, &at, &key, &value));
    CHECK_STR(value, STR("v2"));
    CHECK(!mqtt_property_next_user(q.raw, &at, &key, &value));
    buf_fini(&buf);
}

/* What is written is what the specifications draw. */
static void written(void) {
    struct buf out = {0};
    char want[64];
#define WRITES(text, call)                                                                                             \
    do {                                                                                                               \
        unit_case(text);                                                                                               \
        buf_clear(&out);                                                                                               \
        call;                                                                                                          \
        CHECK_STR(buf_view(&out), str_n(want, bytes_of(text, want)));                                                  \
    } while (0)
    struct mqtt_filter filters[] = {{.filter = STR("a/b"), .qos = 1}, {.filter = STR("c/d"), .qos = 2}};
    Str names[] = {STR("a/b"), STR("c/d")};
    WRITES("20 02 01 00", mqtt_write_connack(&out, 4, true, 0, NULL));
    WRITES("20 03 00 87 00", mqtt_write_connack(&out, 5, false, 0x87, NULL));
    WRITES("40 02 1234", mqtt_write_reply(&out, MQTT_PUBACK, 4, 0x1234, 0x80));
    WRITES("40 03 1234 10", mqtt_write_reply(&out, MQTT_PUBACK, 5, 0x1234, 0x10));
    WRITES("62 02 0001", mqtt_write_reply(&out, MQTT_PUBREL, 5, 1, 0));
    WRITES("82 0e 000a 0003'a/b' 01 0003'c/d' 02", mqtt_write_subscribe(&out, 4, 10, filters, 2));
    WRITES("a2 0d 000a 00 0003'a/b' 0003'c/d'", mqtt_write_unsubscribe(&out, 5, 10, names, 2));
    WRITES("90 05 000a 00 02 80", mqtt_write_answer(&out, MQTT_SUBACK, 4, 10, STR("\x00\x02\x80")));
    WRITES("b0 02 000a", mqtt_write_answer(&out, MQTT_UNSUBACK, 4, 10, STR("\x00")));
    WRITES("b0 04 000a 00 11", mqtt_write_answer(&out, MQTT_UNSUBACK, 5, 10, STR("\x11")));
    WRITES("d0 00", mqtt_write_ping(&out, MQTT_PINGRESP));
    WRITES("e0 00", mqtt_write_disconnect(&out, 4, 0, NULL));
    WRITES("e0 07 8e 05 1f0002'no'", mqtt_write_disconnect(&out, 5, 0x8E, "no"));
#undef WRITES
    buf_fini(&out);
}

void mqtt_codec_test(void) {
    whole_packets();
    connect_fields();
    publish_round_trip();
    written();
    unit_case("names");
    CHECK_STR(str_c(mqtt_codec_name(MQTT_PUBREC)), STR("PUBREC"));
    CHECK_STR(str_c(mqtt_codec_name(0)), STR("RESERVED"));
    CHECK_ERR(mqtt_codec_err(MQTT_MALFORMED("x")), ERR_INVALID);
    CHECK_INT(mqtt_reason_connack_3(MQTT_BAD_LOGIN), 4);
    CHECK_INT(mqtt_reason_connack_3(MQTT_MALFORMED_PACKET), 0);
}
