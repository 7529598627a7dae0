/*
 * Every metric walks: a table of steps, one for each metric, in which each thing begins somewhere else and goes on by
 * one with every report. Numbers of one metric have the same number of characters, so that a message is a copy of one
 * template with a few bytes replaced; words are padded with blanks behind them, which JSON allows.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load_fleet.h"
#include "base/buf.h"
#include "connect/mqtt_write.h"

#define STEPS 8192u /* of a walk; a power of two */
#define TEXT 8u     /* bytes of a value, at most */
#define SEQ_DIGITS 9
#define TIME_DIGITS 13
#define NAME_DIGITS 7

/* One thing in so many goes beyond a limit once in so many reports, for so many. */
#define FAULT_THINGS 16
#define FAULT_EVERY 4096
#define FAULT_RUN 4
#define FAULT_METRIC 7 /* "flow" */

enum kind { DECIMAL, WHOLE, HOURS, TRUTH, WORD };

/* Decimals: digits before and behind the point. Whole numbers: how many. */
static const struct metric {
    const char *name;
    enum kind kind;
    unsigned before, behind;
    double stay; /* bools and words: how likely the next is the same */
} metrics[LOAD_FLEET_METRICS - 1] = {
    {"supply_temperature", DECIMAL, 2, 1, 0},
    {"return_temperature", DECIMAL, 2, 1, 0},
    {"ambient_temperature", DECIMAL, 2, 1, 0},
    {"motor_temperature", DECIMAL, 2, 1, 0},
    {"bearing_temperature", DECIMAL, 2, 2, 0},
    {"suction_pressure", DECIMAL, 2, 2, 0},
    {"discharge_pressure", DECIMAL, 2, 2, 0},
    {"flow", DECIMAL, 2, 2, 0},
    {"current", DECIMAL, 2, 2, 0},
    {"voltage", DECIMAL, 3, 1, 0},
    {"power", DECIMAL, 3, 1, 0},
    {"vibration", DECIMAL, 3, 2, 0},
    {"speed", WHOLE, 4, 0, 0},
    {"starts", HOURS, 5, 0, 0},
    {"running_hours", HOURS, 6, 0, 0},
    {"running", TRUTH, 0, 0, 0.999},
    {"door_open", TRUTH, 0, 0, 0.999},
    {"mode", WORD, 0, 0, 0.995},
    {"phase", WORD, 0, 0, 0.98},
};
static const char *const words[] = {"\"auto\"", "\"hand\"", "\"idle\"", "\"stop\""};

struct place {
    size_t at, len;
    char (*walk)[TEXT]; /* [STEPS] */
};

struct load_fleet_message {
    struct buf bytes;
    size_t payload, id_at, thing_at, time_at, seq_at;
    struct place places[LOAD_FLEET_METRICS - 1];
};

/* ---- walks */

static uint64_t roll(uint64_t *state) { /* splitmix64 */
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state) { return (double)(roll(state) >> 11) * 0x1p-53; }

/* Around the middle of its range and drawn back to it: its limits, near the range's ends, are hardly ever met. */
static void walk_number(struct place *p, const struct metric *m, uint64_t *dice) {
    double low = pow(10, m->before - 1.0), high = 10 * low - low / 10, middle = (low + high) / 2, x = middle;
    for (size_t i = 0; i < STEPS; i++) {
        x += (uniform(dice) - 0.5) * (high - low) / 8 + (middle - x) * 0.08;
        x = x < low ? low : x > high ? high : x;
        char text[32];
        int n = snprintf(text, sizeof text, "%.*f", (int)m->behind, x);
        p->len = (size_t)n;
        memcpy(p->walk[i], text, p->len);
    }
}

static void walk_count(struct place *p, const struct metric *m) {
    for (size_t i = 0; i < STEPS; i++) {
        char text[32];
        unsigned long long from = (unsigned long long)pow(10, m->before - 1.0);
        p->len = (size_t)snprintf(text, sizeof text, "%llu", from + i / 120);
        memcpy(p->walk[i], text, p->len);
    }
}

static void walk_word(struct place *p, const struct metric *m, uint64_t *dice) {
    size_t which = 0;
    p->len = m->kind == TRUTH ? 5 : 6;
    for (size_t i = 0; i < STEPS; i++) {
        if (uniform(dice) > m->stay) which++;
        const char *word = m->kind == TRUTH ? which % 2 ? "false" : "true " : words[which % 4];
        memcpy(p->walk[i], word, p->len);
    }
}

static void make_walk(struct place *p, const struct metric *m, uint64_t *dice) {
    p->walk = calloc(STEPS, TEXT);
    ASSERT(p->walk);
    switch (m->kind) {
    case HOURS: walk_count(p, m); break;
    case TRUTH:
    case WORD: walk_word(p, m, dice); break;
    default: walk_number(p, m, dice);
    }
    ASSERT(p->len <= TEXT);
}

/* ---- the template */

static void write_payload(struct load_fleet_message *m, struct buf *out) {
    buf_printf(out, "{\"" LOAD_FLEET_NAME "\":[", 0u);
    m->thing_at = out->len - 3 - NAME_DIGITS;
    buf_c(out, "{\"ts\":");
    m->time_at = out->len;
    buf_printf(out, "%0*d,\"values\":{\"seq\":", TIME_DIGITS, 0);
    m->seq_at = out->len;
    buf_printf(out, "%*d", SEQ_DIGITS, 0);
    for (size_t i = 0; i < LOAD_FLEET_METRICS - 1; i++) {
        struct place *p = &m->places[i];
        buf_printf(out, ",\"%s\":", metrics[i].name);
        p->at = out->len;
        buf_printf(out, "%.*s", (int)p->len, p->walk[0]);
    }
    buf_c(out, "}}]}");
}

struct load_fleet_message *load_fleet_message_new(unsigned seed) {
    struct load_fleet_message *m = calloc(1, sizeof *m);
    ASSERT(m);
    uint64_t dice = seed;
    for (size_t i = 0; i < LOAD_FLEET_METRICS - 1; i++) make_walk(&m->places[i], &metrics[i], &dice);
    struct buf payload = {0};
    write_payload(m, &payload);
    m->payload = payload.len;
    struct mqtt_publish publish = {
        .qos = 1, .packet_id = 1, .topic = STR("v1/gateway/telemetry"), .payload = buf_view(&payload)};
    mqtt_write_publish(&m->bytes, MQTT_V3, &publish, NULL, NULL, 0);
    size_t at = m->bytes.len - payload.len;
    m->id_at = at - 2;
    m->thing_at += at, m->time_at += at, m->seq_at += at;
    for (size_t i = 0; i < LOAD_FLEET_METRICS - 1; i++) m->places[i].at += at;
    buf_fini(&payload);
    return m;
}

void load_fleet_message_free(struct load_fleet_message *m) {
    if (!m) return;
    for (size_t i = 0; i < LOAD_FLEET_METRICS - 1; i++) free(m->places[i].walk);
    buf_fini(&m->bytes);
    free(m);
}

size_t load_fleet_message_payload(const struct load_fleet_message *m) { return m->payload; }
size_t load_fleet_message_bytes(const struct load_fleet_message *m) { return m->bytes.len; }

/* Padded on the left with `pad`: zeroes in a name, blanks before a number of JSON. */
static void put_digits(char *at, uint64_t v, unsigned n, char pad) {
    unsigned i = n;
    do at[--i] = (char)('0' + v % 10);
    while ((v /= 10) && i);
    while (i) at[--i] = pad;
}

void load_fleet_message_put(const struct load_fleet_message *m, unsigned thing, uint32_t seq, uint64_t time_ms,
                            uint16_t packet_id, char *at) {
    memcpy(at, m->bytes.ptr, m->bytes.len);
    at[m->id_at] = (char)(packet_id >> 8);
    at[m->id_at + 1] = (char)packet_id;
    put_digits(at + m->thing_at, thing, NAME_DIGITS, '0');
    put_digits(at + m->time_at, time_ms, TIME_DIGITS, '0');
    put_digits(at + m->seq_at, seq, SEQ_DIGITS, ' ');
    uint32_t from = thing * 2654435761u;
    for (size_t i = 0; i < LOAD_FLEET_METRICS - 1; i++) {
        const struct place *p = &m->places[i];
        from = from * 1664525u + 1013904223u;
        memcpy(at + p->at, p->walk[((from >> 16) + seq) % STEPS], p->len);
    }
    if (thing % FAULT_THINGS == 0 && (thing / FAULT_THINGS + seq) % FAULT_EVERY < FAULT_RUN)
        memcpy(at + m->places[FAULT_METRIC].at, "97.00", 5);
}
