#include "app/load_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connect/mqtt_write.h"
#include "os/clock.h"

#define TIME_DIGITS 13
#define NUMBER_DIGITS 7 /* of things and connections */
#define VALUE_DIGITS 3  /* of each metric, that change */
#define NAME_MAX_BYTES 200
#define AGO                                                                                                            \
    (NANOS_PER_DAY / NANOS_PER_MS) /* times start a day back, so that running ahead of the clock stays in the past */

struct load_message {
    struct buf bytes;
    bool gateway, to_broker;
    unsigned things, connections, per_connection;
    uint64_t first_ms, step_ms;
    size_t payload, topic_at, id_at, thing_at, time_at, n_values, *value_at;
};

static void put_digits(char *at, uint64_t v, unsigned n) {
    for (unsigned i = n; i > 0; i--, v /= 10) at[i - 1] = (char)('0' + v % 10);
}

/* {"ts":…,"values":{"metric_0":100.000,…}}; names are lengthened until the payload has the size asked for. */
static void write_payload(struct load_message *m, const struct load_mqtt_options *o, struct buf *out, size_t padding) {
    size_t each = padding / o->metrics, more = padding % o->metrics;
    if (m->gateway) {
        buf_printf(out, "{\"thing-%0*d\":[", NUMBER_DIGITS, 0);
        m->thing_at = out->len - 3 - NUMBER_DIGITS;
    }
    buf_c(out, "{\"ts\":");
    m->time_at = out->len;
    buf_printf(out, "%0*d,\"values\":{", TIME_DIGITS, 0);
    for (unsigned i = 0; i < o->metrics; i++) {
        buf_printf(out, "%s\"metric_%u", i ? "," : "", i);
        for (size_t k = 0; k < each + (i < more) && k < NAME_MAX_BYTES; k++) buf_byte(out, 'x');
        buf_printf(out, "\":%u.", 20 + i % 80);
        m->value_at[i] = out->len;
        buf_printf(out, "%0*d", VALUE_DIGITS, 0);
    }
    buf_c(out, m->gateway ? "}}]}" : "}}");
}

struct load_message *load_message_new(const struct load_mqtt_options *o) {
    struct load_message *m = calloc(1, sizeof *m);
    ASSERT(m && o->metrics);
    m->value_at = calloc(o->metrics, sizeof *m->value_at);
    ASSERT(m->value_at);
    m->things = o->things;
    m->connections = o->connections;
    m->gateway = o->connections < o->things;
    m->to_broker = o->to_broker;
    m->per_connection = m->gateway ? (o->things + o->connections - 1) / o->connections : 1;
    m->n_values = o->metrics;
    m->first_ms = (uint64_t)(clock_now(&clock_system) / NANOS_PER_MS - AGO);
    m->step_ms = m->gateway ? 100 : 1;
    struct buf payload = {0};
    write_payload(m, o, &payload, 0);
    if (o->size > payload.len) {
        size_t padding = o->size - payload.len;
        buf_clear(&payload);
        write_payload(m, o, &payload, padding);
    }
    m->payload = payload.len;
    char topic[64];
    snprintf(topic, sizeof topic, "load/%0*d/telemetry", NUMBER_DIGITS, 0);
    const char *name = o->to_broker ? topic : m->gateway ? "v1/gateway/telemetry" : "v1/devices/me/telemetry";
    struct mqtt_publish publish = {
        .qos = o->qos, .packet_id = (uint16_t)(o->qos ? 1 : 0), .topic = str_c(name), .payload = buf_view(&payload)};
    mqtt_write_publish(&m->bytes, MQTT_V3, &publish, NULL, NULL, 0);
    size_t payload_at = m->bytes.len - payload.len;
    m->id_at = payload_at - 2;
    m->topic_at = payload_at - (o->qos ? 2 : 0) - strlen(name) + strlen("load/");
    m->thing_at += payload_at;
    m->time_at += payload_at;
    for (size_t i = 0; i < m->n_values; i++) m->value_at[i] += payload_at;
    buf_fini(&payload);
    return m;
}

void load_message_free(struct load_message *m) {
    buf_fini(&m->bytes);
    free(m->value_at);
    free(m);
}

size_t load_message_payload(const struct load_message *m) { return m->payload; }

/* No thing is given one time twice: over its own topic by a millisecond a message of all connections, else by its turn.
 */
static uint64_t time_of(const struct load_message *m, unsigned connection, uint64_t n) {
    if (!m->gateway) return m->first_ms + n * m->connections + connection;
    return m->first_ms + n / m->per_connection * m->step_ms;
}

void load_message_put(const struct load_message *m, unsigned connection, uint64_t n, uint16_t packet_id,
                      struct buf *out) {
    buf_reserve(out, m->bytes.len);
    char *at = out->ptr + out->len;
    memcpy(at, m->bytes.ptr, m->bytes.len);
    out->len += m->bytes.len;
    if (packet_id) {
        at[m->id_at] = (char)(packet_id >> 8);
        at[m->id_at + 1] = (char)packet_id;
    }
    if (m->to_broker) put_digits(at + m->topic_at, connection, NUMBER_DIGITS);
    put_digits(at + m->time_at, time_of(m, connection, n), TIME_DIGITS);
    if (m->gateway) {
        uint64_t thing = connection + (n % m->per_connection) * m->connections;
        put_digits(at + m->thing_at, thing < m->things ? thing : connection, NUMBER_DIGITS);
    }
    uint64_t noise = (n * 2654435761u + connection) >> 4;
    for (size_t i = 0; i < m->n_values; i++, noise = noise * 5 + 1)
        put_digits(at + m->value_at[i], noise % 1000, VALUE_DIGITS);
}
