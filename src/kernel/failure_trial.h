/*
 * Learning from a fleet's history and judging what was learnt, honestly: a model only ever judges what it was not
 * taught, and the threshold is chosen inside the part it was taught on.
 *
 * The rules of counting. A prediction opens when the probability of a component reaches the threshold and none is
 * open for that component of that machine; it means one work order. It closes when the component fails (foreseen, with
 * a lead) or 48 hours pass (a false work order). A replacement on plan does not save it. One still open when the
 * history ends is undecided. A failure at the moment of its prediction was not foreseen.
 *
 * Deterministic; threads are the caller's business (a call touches only its own output and arena).
 */
#ifndef KERNEL_FAILURE_TRIAL_H
#define KERNEL_FAILURE_TRIAL_H

#include "kernel/failure.h"

struct failure_moment {
    Nanos at;
    const double *values; /* [n_metrics] NaN: not reported; NULL: none */
    uint64_t codes;       /* bit set */
};
struct failure_label {
    Nanos at;
    uint8_t component;
    bool failed; /* else replaced */
};
/* One machine's past, in the order of time. What happens at one time comes as moments, then labels. */
struct failure_machine {
    const struct failure_moment *moments;
    size_t n_moments;
    const struct failure_label *labels;
    size_t n_labels;
};
struct failure_fleet {
    const struct failure_machine *machines;
    size_t n_machines, n_metrics, n_components, n_codes;
};

struct failure_counts {
    uint32_t failures, foreseen_24h, foreseen, predictions, false_alarms, undecided;
    double machine_months; /* of 365.25/12 days */
};
double failure_trial_recall(const struct failure_counts *counts);     /* with a lead of 24 h; NaN without failures */
double failure_trial_false_rate(const struct failure_counts *counts); /* a machine-month */
void failure_trial_add(struct failure_counts *sum, const struct failure_counts *more);

/* Which part of the history counts. */
struct failure_span {
    const bool *machines; /* [n_machines] or NULL: all */
    Nanos from, to;       /* from <= t < to */
};

struct failure_plan {
    double budget;  /* false work orders a machine-month that the threshold may cost; 0 = 0.1 */
    unsigned folds; /* for choosing the threshold; 0 = 5 */
};

/* A way to judge: given looks, how alarming is each component, on any scale that rises with danger. */
typedef double failure_judge_fn(const void *judge, size_t component, const struct failure_look *look);

/* Learns from the span only: baseline of the kind, filter, codes, weights, and the threshold that foresees most
 * failures within the budget when each fifth of the machines is judged by a model of the others. *out_counts: how that
 * went. Failures need labels at or before span.to. */
void failure_trial_train(const struct failure_fleet *fleet, const struct failure_span *span,
                         const struct failure_plan *plan, struct arena *arena, struct failure_model *out,
                         struct failure_counts *out_counts);

/* Counts predictions made within the span by `judge` at `threshold`. Looks use the kind given. The machines' past
 * before the span is walked through as well (baselines, ages), but nothing is predicted there. */
struct failure_test {
    failure_judge_fn *judge;
    const void *ctx;
    const struct failure_kind *kind;
    double threshold;
};
void failure_trial_count(const struct failure_fleet *fleet, const struct failure_span *span,
                         const struct failure_test *test, struct arena *arena, struct failure_counts *out);
double failure_trial_model(const void *model, size_t component, const struct failure_look *look); /* a judge */

/* The threshold for any judge that foresees most within the budget in the span; +infinity when nothing fits. */
double failure_trial_choose(const struct failure_fleet *fleet, const struct failure_span *span,
                            const struct failure_test *test, double budget, struct arena *arena,
                            struct failure_counts *out_counts);

void failure_trial_kind(const struct failure_fleet *fleet, const struct failure_span *span, struct arena *arena,
                        struct failure_kind *out);
/* Mean time from one replacement (or failure) of a component to the next, hours; NaN when never seen twice. */
void failure_trial_lives(const struct failure_fleet *fleet, const struct failure_span *span,
                         double out[FAILURE_COMPONENTS_MAX]);

#endif
