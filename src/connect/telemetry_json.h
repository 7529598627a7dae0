/*
 * The telemetry scanner: strict RFC 8259 over the three shapes of message, in one pass, without a tree. It knows
 * nothing of stores or things; telemetry.c gives its samples a meaning.
 *
 * Integers without '.' and exponent that fit int64 are exact, all other numbers are correctly rounded doubles. Texts
 * are UTF-8 without NUL; lone surrogates are refused. Nesting is limited to TELEMETRY_JSON_DEPTH_MAX.
 */
#ifndef CONNECT_TELEMETRY_JSON_H
#define CONNECT_TELEMETRY_JSON_H

#include "base/buf.h"
#include "model/value.h"

#define TELEMETRY_JSON_DEPTH_MAX 32

enum telemetry_sample_state {
    TELEMETRY_SAMPLE_OK,
    TELEMETRY_SAMPLE_NESTED,   /* an object or array */
    TELEMETRY_SAMPLE_RANGE,    /* a number beyond a double */
    TELEMETRY_SAMPLE_STRAY,    /* beside "ts" and "values" */
    TELEMETRY_SAMPLE_REPLACED, /* the same name came again */
};

struct telemetry_sample {
    Str name;        /* of the payload, or of text when it had escapes */
    Str raw;         /* the value as written */
    Value value;     /* VALUE_NONE: null */
    MetricId metric; /* 0; for the use of whoever resolves names */
    enum telemetry_sample_state state;
};

struct telemetry_row {
    Str thing;          /* gateway messages only */
    Str raw;            /* the row's object as written */
    const char *refuse; /* why the whole row cannot be kept, or NULL */
    bool timed;
    Nanos time;
    size_t first, n; /* its samples */
};

/* Keeps its memory between messages; zero value is ready. Views live until the next scan, as the payload does. */
struct telemetry_json {
    struct telemetry_row *rows;
    size_t n_rows, cap_rows;
    struct telemetry_sample *samples;
    size_t n_samples, cap_samples;
    struct buf text; /* unescaped texts */
    const char *why; /* what is wrong when scan fails, */
    size_t at;       /* and at which byte */
};

bool telemetry_json_scan(struct telemetry_json *json, Str payload, bool gateway);
void telemetry_json_fini(struct telemetry_json *json);

#endif
