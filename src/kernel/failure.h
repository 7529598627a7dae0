/*
 * The chance that a component of a machine fails within 48 hours, learnt from machines of its kind.
 *
 * For each component, hour by hour, two kinds of evidence are weighed by one logistic model over all components:
 *
 * - **A shift.** For windows W of 6, 12, 24 and 48 hours, z(m,W) = (mean(m,W) - centre)·sqrt(n)/spread compares a
 *   metric's trailing mean with its baseline, which is the machine's own (Huber estimates) drawn towards that of its
 *   kind while the own one is young: (n·own + 72·kind)/(n + 72). A matched filter projects z onto the direction in
 *   which the metrics were seen to move before failures of this component: s(W) = Σ w(m)·z(m,W), |w| = 1. The
 *   direction is learnt: the mean z before failures, soft-thresholded, so that metrics that say nothing count nothing.
 *   Failures at which another component failed too count a fifth: they do not tell whose sign was whose.
 * - **Fault codes.** Each code e weighs log(P(e | fails)/P(e)) when it was reported within the window and
 *   log((1-P(e | fails))/(1-P(e))) when it was not but some code of this component was (naive Bayes, Laplace-smoothed).
 *
 * With the component's age over its mean life these are the features below; the weights come from ridge-penalised
 * logistic regression by Newton's method (iteratively reweighted least squares, e.g. Hastie, Tibshirani, Friedman,
 * "The elements of statistical learning", 4.4.1). A row is positive when the component fails within the horizon
 * after it; the fit is weighted so that rows left out of the sample still count.
 *
 * Units: as the metrics'; z, s and features are pure numbers; probabilities 0–1. NaN: a window without values gives
 * z = 0. Cost: a look at one component is about 100 additions a metric; a fit of N rows is O(N·features²·iterations),
 * 20 ms for 20 machines × 90 days. No allocation beyond the scratch arena; the same bits whatever calls it.
 */
#ifndef KERNEL_FAILURE_H
#define KERNEL_FAILURE_H

#include "base/arena.h"
#include "kernel/failure_track.h"

#define FAILURE_HORIZON (48 * NANOS_PER_HOUR)
#define FAILURE_LEAD (24 * NANOS_PER_HOUR) /* a prediction at least this early leaves time to act */

/* How the metrics of one kind of machine behave: medians over its machines. */
struct failure_kind {
    double centre[FAILURE_METRICS_MAX], spread[FAILURE_METRICS_MAX]; /* of hourly means */
    double daily_spread[FAILURE_METRICS_MAX];                        /* of trailing 24 h means */
};

enum failure_window { FAILURE_6H, FAILURE_12H, FAILURE_24H, FAILURE_48H }; /* FAILURE_WINDOWS of them */

/* One look at one component at one moment, before any model: what a model is fitted to and what it judges. */
struct failure_look {
    float z[FAILURE_WINDOWS][FAILURE_METRICS_MAX];
    uint64_t codes_24h, codes_48h;
    float age_hours; /* since the last replacement; NaN: unknown */
};
/* One look at each of the track's components. */
void failure_looks(const struct failure_track *track, const struct failure_kind *kind, Nanos at,
                   struct failure_look out[]);

enum failure_feature {
    FAILURE_SHIFT_12H, /* s(12 h) clipped to 0…3; every other s(W) is clipped to 0…4, beyond which it says no more */
    FAILURE_SHIFT_24H,
    FAILURE_ELSEWHERE, /* what of |z(24 h)| the filter leaves over, clipped to 0…4 */
    FAILURE_CODES_24H, /* sum of the codes' log-likelihood ratios, clipped to ±3; 0 without a code of the component */
    FAILURE_CODES_48H,
    FAILURE_SILENT, /* a shift of long standing without a code: s(48 h) while codes 48 h <= 0, else 0 */
    FAILURE_BOTH,   /* shift and codes together: s(24 h)/4·max(codes 24 h, 0) */
    FAILURE_AGE,    /* age/mean life, clipped to 0…3; 1 when unknown */
    FAILURE_FEATURES
};
const char *failure_feature_name(enum failure_feature feature);

struct failure_model {
    size_t n_metrics, n_components, n_codes;
    struct failure_kind kind;
    double filter[FAILURE_COMPONENTS_MAX][FAILURE_METRICS_MAX]; /* w */
    double code_there[FAILURE_COMPONENTS_MAX][FAILURE_CODES_MAX],
        code_absent[FAILURE_COMPONENTS_MAX][FAILURE_CODES_MAX];
    double mean_life_hours[FAILURE_COMPONENTS_MAX];
    uint32_t failures[FAILURE_COMPONENTS_MAX]; /* it learnt from; a component without any is never predicted */
    double bias, weight[FAILURE_FEATURES], middle[FAILURE_FEATURES], scale[FAILURE_FEATURES];
    double threshold; /* of the probability: at and above it a prediction is made; > 1: never */
};

void failure_features(const struct failure_model *model, size_t component, const struct failure_look *look,
                      double out[FAILURE_FEATURES]);
/* Probability of failing within the horizon. parts (or NULL): what each feature adds to the log odds against a usual
 * moment. */
double failure_judge(const struct failure_model *model, size_t component, const struct failure_look *look,
                     double parts[FAILURE_FEATURES]);

/* A row to learn from. */
struct failure_row {
    struct failure_look look;
    uint8_t component;
    bool fails;       /* within the horizon after it */
    bool last_day;    /* … and within 24 h: the filter and the codes are learnt from these */
    bool alone;       /* no other component of the machine fails within a day of it */
    float weight;     /* how many rows it stands for */
    uint32_t episode; /* which failure, from 0: rows of one failure count once for codes; UINT32_MAX: none */
};
struct failure_fit {
    const struct failure_row *rows;
    size_t n_rows, n_episodes;
    const bool *use; /* [n_rows] or NULL: all */
    const struct failure_kind *kind;
    size_t n_metrics, n_components, n_codes;
    const double *mean_life_hours; /* [n_components] */
};
/* threshold is left at 2 (never). A model without any failure judges everything 0. */
void failure_fit_learn(const struct failure_fit *fit, struct arena *scratch, struct failure_model *out);

#endif
