/* The first byte chooses the version; the rest is a stream of packets, as a client could send them. */
#include "connect/mqtt_codec.h"
#include "connect/mqtt_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_properties(Str raw, enum mqtt_type type) {
    struct mqtt_properties p;
    if (mqtt_property_parse(raw, type, &p).reason) return;
    struct buf out = {0};
    mqtt_property_write(&out, &p, NULL, 0);
    ASSERT(out.len == mqtt_property_size(&p, NULL, 0));
    size_t at = 0;
    for (Str key, value; mqtt_property_next_user(raw, &at, &key, &value);) ASSERT(key.len <= raw.len);
    at = 0;
    for (uint32_t id; mqtt_property_next_subscription(raw, &at, &id);) ASSERT(at <= raw.len);
    buf_fini(&out);
}

/* A CONNECT that was understood is written and understood again. */
static void try_connect(Str body) {
    struct mqtt_connect c, again;
    if (mqtt_codec_connect(body, &c).reason) return;
    walk_properties(c.properties, MQTT_CONNECT);
    if (c.has_will) walk_properties(c.will.properties, MQTT_WILL);
    struct buf out = {0};
    mqtt_write_connect(&out, &c);
    struct mqtt_frame frame;
    MqttFault fault;
    ASSERT(mqtt_codec_frame(buf_view(&out), SIZE_MAX, &frame, &fault) == MQTT_WHOLE);
    ASSERT(mqtt_codec_connect(frame.body, &again).reason == 0);
    ASSERT(str_eq(c.client_id, again.client_id) && c.keep_alive_s == again.keep_alive_s);
    buf_fini(&out);
}

static void try_packet(const struct mqtt_frame *frame, unsigned version) {
    enum mqtt_type type = frame->first >> 4;
    struct mqtt_publish publish;
    struct mqtt_reply reply;
    struct mqtt_request request;
    struct mqtt_answer answer;
    struct mqtt_filter filter;
    switch (type) {
    case MQTT_CONNECT: try_connect(frame->body); break;
    case MQTT_CONNACK: (void)mqtt_codec_connack(frame->body, version, &reply); break;
    case MQTT_PUBLISH:
        if (mqtt_codec_publish(frame->first, frame->body, version, &publish).reason == 0)
            walk_properties(publish.properties, MQTT_PUBLISH);
        break;
    case MQTT_SUBSCRIBE:
    case MQTT_UNSUBSCRIBE:
        if (mqtt_codec_request(type, frame->body, version, &request).reason) break;
        while (mqtt_codec_next_filter(type, &request.filters, &filter)) ASSERT(filter.qos < 3);
        ASSERT(request.filters.len == 0);
        break;
    case MQTT_SUBACK:
    case MQTT_UNSUBACK: (void)mqtt_codec_answer(type, frame->body, version, &answer); break;
    default: (void)mqtt_codec_reply(type, frame->body, version, &reply);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    unsigned version = data[0] & 1 ? MQTT_V5 : MQTT_V3;
    Str rest = str_n((const char *)data + 1, size - 1);
    struct mqtt_frame frame;
    MqttFault fault;
    while (mqtt_codec_frame(rest, 1u << 20, &frame, &fault) == MQTT_WHOLE) {
        try_packet(&frame, version);
        rest = str_slice(rest, frame.size, rest.len);
    }
    return 0;
}
