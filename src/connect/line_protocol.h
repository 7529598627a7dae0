/*
 * Influx line protocol becomes rows: what Telegraf and every InfluxDB client send. The thing is the value of the first
 * tag present of `thing_tags`; a metric is "measurement.field", or "measurement.field{cpu=0}" where one of `split_tags`
 * says which of several alike it is. Every other tag describes the thing: it is kept as a text metric "@tag" whenever
 * it changed, so that it has a history; an empty value does not overwrite.
 *
 * A line without a thing, or that is not well formed, goes to the dead letters with its reason; so does a single value
 * that clashes with what its metric is. The rest is kept.
 */
#ifndef CONNECT_LINE_PROTOCOL_H
#define CONNECT_LINE_PROTOCOL_H

#include "connect/telemetry.h"

/* What one sender at a time keeps between requests: the things and metrics its lines named before. */
struct line_protocol;

struct line_protocol_options {
    struct series *series;
    void (*thing_seen)(void *ctx, PartyId party, Str thing); /* NULL: nobody cares */
    void *ctx;
    const char *const *thing_tags, *const *split_tags; /* end with NULL; NULL: the defaults below */
    size_t keys_max;                                   /* measurement and tag sets remembered; 0 = 1,000,000 */
};
#define LINE_PROTOCOL_THING_TAGS "thing,name,device,host"
#define LINE_PROTOCOL_SPLIT_TAGS "cpu,device,interface,path"

enum line_precision { LINE_NS, LINE_US, LINE_MS, LINE_S, LINE_MIN, LINE_HOUR };
bool line_protocol_precision(Str text, enum line_precision *out); /* "ns" "n" "us" "u" "µs" "ms" "s" "m" "h" */

struct line_message {
    PartyId party;
    Str device; /* for the dead letters: who sent it */
    Str only;   /* the only thing it may speak for; empty: any of the party's */
    Str text;
    enum line_precision precision;
    Nanos now; /* for lines without a timestamp */
};
struct line_outcome {
    uint64_t lines, refused; /* refused: lines or values that went to the dead letters */
    char first[200];         /* why the first of them did */
};

struct line_protocol *line_protocol_new(const struct line_protocol_options *options);
void line_protocol_free(struct line_protocol *self);
/* Never fails: what is not kept as rows is in the letters. */
void line_protocol_take(struct line_protocol *self, const struct line_message *message, struct telemetry_batch *batch,
                        struct line_outcome *out);

#endif
