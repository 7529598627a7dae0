/*
 * Things whose model names no components: nothing of them is foreseen, so limits, anomalies and codes are all there is
 * to watch, and 64 bytes a metric hold it (kernel/baseline.h). A fleet of them is judged in the same order and by the
 * same rules as other things. Private to the watch: its thread changes them, holding the fleet's lock.
 */
#ifndef INSIGHT_WATCH_LEAN_H
#define INSIGHT_WATCH_LEAN_H

#include "insight/watch_judge.h"
#include "kernel/baseline.h"
#include "store/rows.h"

/* Fault codes whose alarm has not cleared; made for the first. */
struct watch_lean_codes {
    uint64_t on;
    Nanos at[FAILURE_CODES_MAX];
};

struct watch_lean {
    struct watch_family *family;
    const struct thing_model *model;
    struct watch_lean_codes *codes; /* NULL: none ever */
    Nanos last;                     /* its latest row judged; INT64_MIN: none */
    Nanos stored_until;             /* rows up to here were in the store when this run began, and are not all judged */
    double gap;
    int64_t hour; /* being filled, since 1970; INT64_MIN: nothing yet */
    ThingId id;
    bool cold;                 /* its past is still to be read from the store */
    struct baseline metrics[]; /* as in model->metrics, at most WATCH_METRICS_MAX */
};

struct watch_leans {
    struct arena slabs; /* the leans; one that is given up stays there until the end */
    struct watch_lean **items;
    size_t n, cap;
    uint64_t baseline_bytes;
    size_t n_cold, next_cold;
};

bool watch_lean_suits(const struct thing_model *model);
size_t watch_lean_metrics(const struct thing_model *model);
size_t watch_lean_add(struct watch_leans *leans, struct watch_family *family, const struct thing_model *model,
                      ThingId id); /* its place */
void watch_lean_fini(struct watch_leans *leans);
uint64_t watch_lean_bytes(const struct watch_leans *leans);

/* Rows in the order of their time. */
void watch_lean_row(struct watch_lean *lean, struct series *series, const struct row *row, struct watch_findings *out);
void watch_lean_values(struct watch_lean *lean, struct series *series, Nanos at, const struct watch_value *values,
                       size_t n, struct watch_findings *out);
void watch_lean_advance(struct watch_lean *lean, Nanos at); /* hours that are over are closed */

double watch_lean_mean(const struct watch_lean *lean, size_t role); /* of the last 24 h; NaN: none */
void watch_lean_look(const struct watch_lean *lean, struct watch_thing *out);

#endif
