/*
 * Telemetry: a message's JSON becomes rows of the series store, and what cannot be kept becomes dead letters.
 *
 *     {"ts":1700000000000,"values":{"rpm":1480,"state":"run"}}     or an array of such objects
 *     {"rpm":1480,"state":"run"}                                    untimed: the server's time
 *     {"press-7":[{"ts":1700000000000,"values":{"rpm":1480}}]}      a gateway's, things by name
 *
 * A message is kept whole, or wholly refused when its JSON is not valid; a value that cannot be kept (an object or
 * array, a kind that clashes with what the metric is, a metric the closed model does not name) goes alone, as a small
 * message that could be sent again, and the rest is kept. null is not reported; of a name given twice the last counts.
 */
#ifndef CONNECT_TELEMETRY_H
#define CONNECT_TELEMETRY_H

#include "base/arena.h"
#include "connect/ingest.h"
#include "model/thing_model.h"
#include "store/series.h"

/* What one thread keeps between messages: the names it saw last and the numbers they stand for. */
struct telemetry;

struct telemetry_options {
    struct series *series;
    const struct thing_model *(*model_of)(void *ctx, PartyId party, Str thing); /* see mqtt_server.h; NULL: all open */
    void (*thing_seen)(void *ctx, PartyId party, Str thing);
    void *ctx;
    struct ingest_counters *counters;
};

/* Where a message's rows and dead letters go: one commit's. Letters and their texts are copied into the arena. */
struct telemetry_batch {
    struct rows *rows;
    struct arena *arena;
    struct dead_letter *letters; /* grown with VEC_PUSH; the owner frees */
    size_t n_letters, cap_letters;
};

/* What a connection remembers of the thing it speaks for, so that it is looked up once. Zero at first. */
struct telemetry_thing {
    ThingId id;
    const struct thing_model *closed; /* its model when that is closed */
    uint32_t models;                  /* the state of the models that was asked */
};

struct telemetry_message {
    PartyId party;
    Str device;                  /* the thing the connection speaks for */
    struct telemetry_thing *own; /* the connection's */
    bool gateway;                /* the payload names things */
    Str topic, payload;
    Nanos now;
};

struct telemetry *telemetry_new(const struct telemetry_options *options);
void telemetry_free(struct telemetry *telemetry);
void telemetry_forget_models(struct telemetry *telemetry); /* asks model_of again */
/* Never fails: what is not kept as rows is in the letters. Steady state allocates and hashes nothing. */
void telemetry_take(struct telemetry *telemetry, const struct telemetry_message *message,
                    struct telemetry_batch *batch);
/* The whole message to the dead letters, for a reason found before its content was looked at. */
void telemetry_refuse(const struct telemetry_message *message, const char *reason, struct telemetry_batch *batch);

#endif
