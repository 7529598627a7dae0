/*
 * The engine of `weft load mqtt`: many connections on a few threads, each keeping a window of messages on its way.
 * Messages are encoded once; sending one is a copy in which the time, the thing and some digits are overwritten.
 */
#ifndef APP_LOAD_MQTT_H
#define APP_LOAD_MQTT_H

#include <stdatomic.h>

#include "app/load_histogram.h"
#include "base/err.h"

struct load_mqtt_options {
    const char *to;              /* "HOST:PORT" */
    const char *user, *password; /* NULL: none */
    unsigned things, metrics, connections, qos, window, size, threads;
    double seconds;
    bool to_broker; /* ordinary topics, for any MQTT broker */
};

struct load_mqtt_result {
    uint64_t sent, acknowledged, errors; /* acknowledged: inside the measured time */
    size_t payload_bytes;
    double seconds;                /* measured */
    struct load_histogram latency; /* QoS 1: from sending to PUBACK */
};

/* Runs for options->seconds. counted, when given, follows the messages so far, for a progress display. */
Err load_mqtt_run(const struct load_mqtt_options *options, atomic_uint_fast64_t *counted, struct load_mqtt_result *out);

#endif
