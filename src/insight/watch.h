/*
 * The watch: what the platform concludes from the rows it keeps. One thread takes committed rows in the order they
 * come and turns them into findings: limits, anomalies, fault codes, predicted failures, and their end.
 *
 *     TRY(watch_open(&options, &watch));                       // reads its folder: models learnt, what was said
 * already for each fault and repair on record: watch_failed(…), watch_replaced(…); TRY(watch_start(watch)); // warms up
 * from the stored series, starts the thread … series on_commit → watch_rows(watch, rows);            // also before
 * watch_start: then it is not looked at,
 *                                                              // the warm-up reads it from the store
 *     watch_close(watch);
 *
 * Findings follow from the machine's time alone, never from the time on the wall or the order of threads: rows at t
 * are judged by rows up to t and by failures and repairs before t, as long as those are told (watch_failed,
 * watch_replaced) before rows later than them by more than six hours are handed in. A row older than the last one of
 * its thing is kept by the store but no longer judged.
 *
 * The model's code metric may carry several codes of one moment, joined by '|'. Empty text is no code.
 *
 * Only things whose model is declared are watched. Nobody has said what the metrics of an open model mean, so such a
 * thing costs one look-up a row and no memory; its charts and latest values come from the store as ever.
 * A watched thing whose model names components costs about 1.2 kB a metric and 3 kB beside, for its failures are
 * foreseen; one of a model without them 64 bytes a metric and 70 beside. Nothing in it grows but what it is told
 * (labels).
 */
#ifndef INSIGHT_WATCH_H
#define INSIGHT_WATCH_H

#include "model/finding.h"
#include "model/thing_model.h"
#include "store/series.h"

struct watch;

struct watch_options {
    struct series *series;
    const struct thing_model *(*model_of)(void *ctx, PartyId party, Str thing); /* any thread; NULL: an open model */
    void *model_ctx;
    /* Called on the watch's thread; may block, and then the ingest waits too. For FINDING_PREDICTION `text` names the
     * registry row that spoke; for FINDING_CODE it is the code. A finding may come again after a crash (never after a
     * clean stop): its key is (thing, kind, metric or component, at). */
    finding_sink *sink;
    void *sink_ctx;
    struct file_system *fs; /* NULL: the disk */
    const char *dir;        /* its own folder, created; NULL: nothing survives a restart */
    size_t queue_bytes;     /* rows that may wait; 0 = 16 MiB; then watch_rows waits */
};

Err watch_open(const struct watch_options *options, struct watch **out);
Err watch_start(struct watch *watch);
void watch_close(struct watch *watch); /* judges what waits, keeps its state, ends its threads; NULL is fine */

/* Any thread. Copies; waits while the queue is full. */
void watch_rows(struct watch *watch, const struct rows *rows);
/* A component failed, was replaced. Any thread, never waits; telling the same twice changes nothing. */
void watch_failed(struct watch *watch, PartyId party, Str thing, Str component, Nanos at);
void watch_replaced(struct watch *watch, PartyId party, Str thing, Str component, Nanos at);
/* A thing was made or got another model: ask model_of again. Any thread. */
void watch_forget_models(struct watch *watch);
/* Waits until everything handed in so far is judged, training included. Hours not yet complete stay open. */
void watch_drain(struct watch *watch);

/* A model as it was learnt: the registry's row. */
struct watch_model {
    char name[64];    /* "failure-48h model3 2015-02-16" */
    Nanos trained_at; /* the moment after which it speaks; nothing later went into it */
    Nanos from, to;   /* period it learnt from */
    uint32_t things, failures;
    double threshold; /* probability at which a prediction is made */
    /* how it did on the past, each thing judged by a model that never saw it */
    uint32_t tested, foreseen_24h, foreseen, false_alarms;
    double machine_months;
};
/* Of a party (0: of every one), newest first; returns how many there are, fills at most max. Any thread. */
size_t watch_models(struct watch *watch, PartyId party, struct watch_model *out, size_t max);

struct watch_stats {
    uint64_t rows, values; /* handed in */
    uint64_t judged_rows, late_rows, open_rows;
    uint64_t findings, predictions, trainings;
    uint64_t things, bytes;  /* watched, and the memory they take … */
    uint64_t baseline_bytes; /* … of it what is usual for their metrics */
    uint64_t queue_bytes;    /* waiting now */
    Nanos waited;            /* how long watch_rows kept callers waiting, in all */
};
void watch_stats(struct watch *watch, struct watch_stats *out);

/* ---- what view.h reads; any thread, all copied */
#define WATCH_METRICS_MAX 32
#define WATCH_COMPONENTS_MAX 16
enum watch_state { WATCH_OK, WATCH_WARNING, WATCH_ALARM };

struct watch_metric {
    double value;                 /* trailing 24 h mean */
    double own_median, own_mad;   /* of this thing's own past; mad scaled to a standard deviation; NaN: not yet */
    double peer_median, peer_mad; /* of the things of its model */
    double own_z, peer_z, points_lost, anomaly; /* anomaly: tail likelihood 0–1 of the latest value */
    bool beyond_limit, anomalous;
};
struct watch_component {
    Nanos replaced_at, failed_at; /* 0: never heard of */
    double probability;           /* of failing within the horizon; NaN: no model yet */
    Nanos predicted_at;           /* of the open prediction; 0: none */
};
struct watch_thing {
    const struct thing_model *model;
    Nanos last; /* its latest row judged */
    enum watch_state state;
    double health;                                           /* 0–100; NaN: not enough seen */
    Nanos usual_gap;                                         /* between its rows; 0 unknown */
    struct watch_metric metrics[WATCH_METRICS_MAX];          /* as in model->metrics */
    struct watch_component components[WATCH_COMPONENTS_MAX]; /* as in model->components */
};
bool watch_look(struct watch *watch, ThingId thing, struct watch_thing *out); /* false: not watched */

#endif
