/*
 * One watched thing, and what its rows mean. Private to the watch: its thread alone judges; watch_look reads under the
 * watch's lock.
 */
#ifndef INSIGHT_WATCH_JUDGE_H
#define INSIGHT_WATCH_JUDGE_H

#include "insight/watch_family.h"
#include "kernel/anomaly.h"

struct watch_label {
    Nanos at;
    uint8_t component;
    bool failed;
};

struct watch_limit {
    bool beyond;
    uint8_t beyond_run, inside_run;
};

struct watch_metric_state {
    struct anomaly anomaly;
    double latest, score; /* of the newest value */
    bool anomalous;       /* holds */
    struct watch_limit limit;
};

struct watch_component_state {
    Nanos replaced_at, failed_at; /* 0: never heard of */
    Nanos predicted_at;           /* of the open prediction; 0: none */
    double probability;           /* NaN: no model */
};

struct watch_machine {
    struct watch_family *family;
    const struct thing_model *model;
    PartyId party;
    ThingId id; /* 0: has not reported yet */
    Str name;   /* lives in `arena` */
    struct arena arena;
    bool cold;          /* its past is still to be read from the store */
    Nanos kept_until;   /* rows up to here were judged by an earlier run; 0: unknown */
    Nanos stored_until; /* after a restart: rows up to here were in the store when this run began */
    Nanos read_until;   /* rows up to here were judged from the store while warming up */
    Nanos last;         /* its latest row judged; INT64_MIN: none */
    double gap;         /* smoothed time between rows; 0 unknown */
    struct failure_track track;
    struct failure_metric *track_metrics;
    struct failure_component *track_components;
    struct watch_metric_state *metrics;       /* as in model->metrics, at most WATCH_METRICS_MAX */
    struct watch_component_state *components; /* [family->n_components] */
    uint64_t codes_on;                        /* codes whose alarm has not cleared */
    Nanos code_at[FAILURE_CODES_MAX];
    struct watch_label *labels; /* by time */
    size_t n_labels, labels_cap, labels_done;
};

/* A value of a row, by its place in the model. */
struct watch_value {
    uint8_t role;
    double num; /* NaN for text */
    Str text;
};

/* Findings of one row, handed out when the watch's lock is free again. */
struct watch_findings {
    struct arena arena;
    struct finding *items;
    size_t n, cap;
};

struct finding *watch_judge_found(struct watch_findings *out, PartyId party, ThingId thing, Str name,
                                  enum finding_kind kind, Nanos at);

/* A limit's condition: one reading beyond is enough when readings are rare (slow), else WATCH_BEYOND_RUN in a row; over
 * after WATCH_INSIDE_RUN inside. */
#define WATCH_BEYOND_RUN 2
#define WATCH_INSIDE_RUN 3
enum watch_limit_turn { WATCH_LIMIT_SAME, WATCH_LIMIT_BEGINS, WATCH_LIMIT_ENDS };
enum watch_limit_turn watch_judge_limit(const struct thing_metric *metric, double x, bool slow,
                                        struct watch_limit *limit);
bool watch_judge_is_slow(double gap); /* smoothed time between rows */
double watch_judge_gap(double gap, Nanos last, Nanos at);

/* Trailing means against a baseline, in its deviations: an anomaly begins, goes on, is over. */
#define WATCH_ANOMALY_ON 5.0  /* of the 12 h or 24 h mean */
#define WATCH_ANOMALY_OFF 2.5 /* of the 12 h mean */
#define WATCH_ANOMALY_HOURS 6 /* with values, at least */
#define WATCH_CODE_CLEARS (24 * NANOS_PER_HOUR)

struct watch_machine *watch_judge_new(struct watch_family *family, const struct thing_model *model, Str name);
void watch_judge_free(struct watch_machine *machine);
size_t watch_judge_bytes(const struct watch_machine *machine);
void watch_judge_row(struct watch_machine *machine, Nanos at, const struct watch_value *values, size_t n,
                     struct watch_findings *out);
/* Kept for the rows behind it; false: known already. Late ones take effect at once. */
bool watch_judge_label(struct watch_machine *machine, const struct watch_label *label);
/* Brings the track up to time `at` with what labels say before it; for warming up. */
void watch_judge_pass_labels(struct watch_machine *machine, Nanos before);
/* One reported code string, split at '|': calls watch_family_code for each. */
size_t watch_judge_split(struct watch_family *family, Str text, uint8_t out[], size_t max);

/* What is known now, but for peers and health (watch.c adds them). */
void watch_judge_look(const struct watch_machine *machine, struct watch_thing *out);

#endif
