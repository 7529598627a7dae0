/* A finding: what insight concluded from a machine's data, handed to act through a function pointer that app wires. */
#ifndef MODEL_FINDING_H
#define MODEL_FINDING_H

#include "model/value.h"

enum finding_kind {
    FINDING_LIMIT,      /* a metric left its model's limits (score = the value) */
    FINDING_ANOMALY,    /* a metric left its own or its peers' baseline for long enough (score = deviations) */
    FINDING_CODE,       /* the machine reported a fault code (text = the code) */
    FINDING_PREDICTION, /* a component will probably fail within `horizon` (score = probability) */
    FINDING_CLEAR,      /* the condition named by `clears` and metric or component has ended */
};

#define FINDING_REASONS_MAX 5
struct finding_reason {
    Str metric;           /* or feature */
    double weight;        /* contribution to the score, largest first, signed */
    Str text_en, text_zh; /* "voltage 24 h mean 190 V, own baseline 171 ± 4 V" */
};

/* All Str are borrowed for the duration of the call. */
struct finding {
    enum finding_kind kind, clears;
    PartyId party;
    ThingId thing;
    Str thing_name;
    Str metric;    /* may be empty */
    Str component; /* may be empty */
    Nanos at;      /* in the machine's time */
    double score;
    Nanos horizon;
    Str text;
    struct finding_reason reasons[FINDING_REASONS_MAX];
    size_t n_reasons;
};

typedef void finding_sink(void *ctx, const struct finding *finding);

#endif
