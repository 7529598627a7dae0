/*
 * `weft load fleet`: a whole fleet that reports evenly through gateway connections, as a fleet does, whatever the
 * server answers: one message a thing and interval, QoS 1. What was acknowledged of each thing is remembered, so that
 * it can be counted afterwards, also after the server was killed. docs/scale.md says how to use it.
 */
#ifndef APP_LOAD_FLEET_H
#define APP_LOAD_FLEET_H

#include <stdatomic.h>

#include "app/load_histogram.h"
#include "base/err.h"

#define LOAD_FLEET_METRICS 20
#define LOAD_FLEET_NAME "pump-%07u"

struct load_fleet_options {
    const char *to;              /* "HOST:PORT" of MQTT */
    const char *user, *password; /* of a gateway */
    const char *http, *token;    /* "HOST:PORT" of the API and who reads there; NULL: lag is not measured */
    const char *acks;            /* file that gets what was acknowledged; NULL: none */
    unsigned things, connections, window, seed;
    Nanos every, duration;
    bool until_closed; /* the server is going to be killed: that its connections end is no fault */
};

/* What is known of each thing: how many of its messages went out, how many came back, the number of the last that did.
 */
struct load_fleet_thing {
    uint32_t sent, acked, last;
};

struct load_fleet_result {
    uint64_t sent, acknowledged, errors, late; /* late: sent more than a second behind their time */
    size_t payload_bytes;
    double seconds;
    Nanos cpu, stall;            /* stall: the longest time without any answer while some were due */
    struct load_histogram reply; /* from when a message was due until its PUBACK */
    struct load_histogram lag;   /* from when a message was due until a reader of latest values saw it */
};

/* `counted` rises by what was acknowledged. */
Err load_fleet_run(const struct load_fleet_options *options, atomic_uint_fast64_t *counted,
                   struct load_fleet_result *out);

/* ---- load_fleet_command.c */
int load_fleet_command_main(int argc, char **argv); /* `weft load fleet FLAGS`: argv[2]… */

/* ---- load_fleet_message.c: PUBLISH packets, made once; putting one is copying and overwriting digits */
struct load_fleet_message;
struct load_fleet_message *load_fleet_message_new(unsigned seed);
void load_fleet_message_free(struct load_fleet_message *message);
size_t load_fleet_message_payload(const struct load_fleet_message *message);
size_t load_fleet_message_bytes(const struct load_fleet_message *message);
/* The seq-th report of a thing, from 1, at its time; `at` has room for load_fleet_message_bytes. Any thread. */
void load_fleet_message_put(const struct load_fleet_message *message, unsigned thing, uint32_t seq, uint64_t time_ms,
                            uint16_t packet_id, char *at);

/* ---- load_fleet_probe.c: how old is what a reader sees? One message at a time is followed. */
struct load_fleet_probe;
Err load_fleet_probe_start(const struct load_fleet_options *options, struct load_fleet_probe **out);
/* A message was sent that was due then. Any thread; does nothing while one is being followed. */
void load_fleet_probe_sent(struct load_fleet_probe *probe, unsigned thing, uint32_t seq, Nanos due);
void load_fleet_probe_stop(struct load_fleet_probe *probe, struct load_histogram *lag); /* NULL is fine */

/* ---- load_fleet_check.c: is all there that was acknowledged? */
Err load_fleet_check_write(const char *path, const struct load_fleet_thing *things, unsigned n);
int load_fleet_check_main(int argc, char **argv); /* `weft load fleet-check`: argv[2]… */

#endif
