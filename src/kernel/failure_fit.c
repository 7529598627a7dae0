/* Learning: first the filter and the codes by counting, then the weights by Newton's method on what they yield. */
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "kernel/failure.h"

#define RIDGE 1.0
#define NEWTON_MAX 25
#define NEWTON_DONE 1e-7
#define FILTER_FLOOR 1.5 /* a mean z below this before failures says nothing about a metric */
#define CODE_PRIOR 1.0   /* failures' worth of doubt about each code */
#define SHARED 0.2       /* what a failure teaches about which sign is whose when another component failed too */
#define RATE_FLOOR 1e-4
#define SIZE (FAILURE_FEATURES + 1) /* the last one is the bias */

static bool used(const struct failure_fit *fit, size_t i) { return !fit->use || fit->use[i]; }

static double soft(double x, double by) { return x > by ? x - by : x < -by ? x + by : 0; }

static void learn_filters(const struct failure_fit *fit, struct failure_model *out) {
    double sum[FAILURE_COMPONENTS_MAX][FAILURE_METRICS_MAX] = {{0}}, n[FAILURE_COMPONENTS_MAX] = {0};
    for (size_t i = 0; i < fit->n_rows; i++) {
        const struct failure_row *row = &fit->rows[i];
        if (!used(fit, i) || !row->last_day) continue;
        double w = row->alone ? 1 : SHARED;
        n[row->component] += w;
        for (size_t m = 0; m < fit->n_metrics; m++) sum[row->component][m] += w * (double)row->look.z[FAILURE_24H][m];
    }
    for (size_t c = 0; c < fit->n_components; c++) {
        double length = 0;
        for (size_t m = 0; m < fit->n_metrics && n[c] > 0; m++) {
            out->filter[c][m] = soft(sum[c][m] / n[c], FILTER_FLOOR);
            length += out->filter[c][m] * out->filter[c][m];
        }
        for (size_t m = 0; m < fit->n_metrics && length > 0; m++) out->filter[c][m] /= sqrt(length);
    }
}

/* How often each code was there before a failure (once a failure, however many rows) and at a usual moment. */
struct code_counts {
    double failures, weight, seen[FAILURE_CODES_MAX];
    double usual, usual_seen[FAILURE_CODES_MAX];
};

static void count_usual(const struct failure_fit *fit, struct code_counts counts[]) {
    for (size_t i = 0; i < fit->n_rows; i++) {
        const struct failure_row *row = &fit->rows[i];
        if (!used(fit, i) || row->fails) continue;
        struct code_counts *k = &counts[row->component];
        k->usual += (double)row->weight;
        for (size_t e = 0; e < fit->n_codes; e++)
            if (row->look.codes_48h >> e & 1) k->usual_seen[e] += (double)row->weight;
    }
}

struct episode {
    uint64_t codes;
    uint8_t component;
    bool any, alone;
};

static void count_failures(const struct failure_fit *fit, struct arena *scratch, struct code_counts counts[]) {
    struct episode *episodes = arena_zero(scratch, fit->n_episodes + 1, sizeof *episodes);
    for (size_t i = 0; i < fit->n_rows; i++) {
        const struct failure_row *row = &fit->rows[i];
        if (!used(fit, i) || !row->fails) continue;
        ASSERT(row->episode < fit->n_episodes);
        struct episode *episode = &episodes[row->episode];
        episode->codes |= row->look.codes_48h, episode->component = row->component, episode->any = true,
                                               episode->alone = row->alone;
    }
    for (size_t i = 0; i < fit->n_episodes; i++) {
        if (!episodes[i].any) continue;
        struct code_counts *k = &counts[episodes[i].component];
        double w = episodes[i].alone ? 1 : SHARED;
        k->failures += 1, k->weight += w;
        for (size_t e = 0; e < fit->n_codes; e++) k->seen[e] += w * (double)(episodes[i].codes >> e & 1);
    }
}

static void learn_codes(const struct failure_fit *fit, struct arena *scratch, struct failure_model *out) {
    struct code_counts *counts = arena_zero(scratch, FAILURE_COMPONENTS_MAX, sizeof *counts);
    count_usual(fit, counts);
    count_failures(fit, scratch, counts);
    for (size_t c = 0; c < fit->n_components; c++) {
        const struct code_counts *k = &counts[c];
        out->failures[c] = (uint32_t)k->failures;
        for (size_t e = 0; e < fit->n_codes; e++) {
            double usual = fmax(RATE_FLOOR, k->usual > 0 ? k->usual_seen[e] / k->usual : 0);
            double fails = (k->seen[e] + CODE_PRIOR * usual) / (k->weight + CODE_PRIOR);
            out->code_there[c][e] = log(fails / usual);
            out->code_absent[c][e] = log((1 - fails) / fmax(RATE_FLOOR, 1 - usual));
        }
    }
}

/* Features of all rows used, standardised; y and weight beside them. */
struct design {
    double *x; /* [n][SIZE], 1 in the last column */
    double *weight;
    bool *y;
    size_t n;
};

static struct design make_design(const struct failure_fit *fit, struct arena *scratch, struct failure_model *out) {
    struct design d = {.n = 0};
    d.x = arena_zero(scratch, fit->n_rows, SIZE * sizeof *d.x);
    d.weight = arena_zero(scratch, fit->n_rows, sizeof *d.weight);
    d.y = arena_zero(scratch, fit->n_rows, sizeof *d.y);
    double total = 0, square[FAILURE_FEATURES] = {0};
    for (size_t i = 0; i < fit->n_rows; i++) {
        const struct failure_row *row = &fit->rows[i];
        if (!used(fit, i) || !out->failures[row->component]) continue;
        double *x = &d.x[d.n * SIZE], w = (double)row->weight;
        failure_features(out, row->component, &row->look, x);
        x[FAILURE_FEATURES] = 1;
        d.weight[d.n] = w, d.y[d.n] = row->fails, d.n++;
        total += w;
        for (size_t f = 0; f < FAILURE_FEATURES; f++) out->middle[f] += w * x[f], square[f] += w * x[f] * x[f];
    }
    for (size_t f = 0; f < FAILURE_FEATURES; f++) {
        out->middle[f] = total > 0 ? out->middle[f] / total : 0;
        double variance = total > 0 ? square[f] / total - out->middle[f] * out->middle[f] : 0;
        out->scale[f] = variance > 1e-12 ? sqrt(variance) : 1;
        for (size_t i = 0; i < d.n; i++) d.x[i * SIZE + f] = (d.x[i * SIZE + f] - out->middle[f]) / out->scale[f];
    }
    return d;
}

/* a·x = b for symmetric positive definite a, in place (Cholesky). */
static void solve(double a[SIZE][SIZE], double b[SIZE]) {
    for (size_t j = 0; j < SIZE; j++) {
        for (size_t k = 0; k < j; k++) a[j][j] -= a[j][k] * a[j][k];
        a[j][j] = sqrt(fmax(a[j][j], 1e-12));
        for (size_t i = j + 1; i < SIZE; i++) {
            for (size_t k = 0; k < j; k++) a[i][j] -= a[i][k] * a[j][k];
            a[i][j] /= a[j][j];
        }
    }
    for (size_t i = 0; i < SIZE; i++) {
        for (size_t k = 0; k < i; k++) b[i] -= a[i][k] * b[k];
        b[i] /= a[i][i];
    }
    for (size_t i = SIZE; i-- > 0;) {
        for (size_t k = i + 1; k < SIZE; k++) b[i] -= a[k][i] * b[k];
        b[i] /= a[i][i];
    }
}

/* Gradient and negative Hessian of the penalised log-likelihood; returns the log-likelihood. */
static double derivatives(const struct design *d, const double beta[SIZE], double hessian[SIZE][SIZE],
                          double gradient[SIZE]) {
    double likelihood = 0;
    memset(hessian, 0, SIZE * SIZE * sizeof(double));
    for (size_t j = 0; j < SIZE; j++) {
        double ridge = j < FAILURE_FEATURES ? RIDGE : 0;
        gradient[j] = -ridge * beta[j];
        hessian[j][j] = ridge;
        likelihood -= ridge * beta[j] * beta[j] / 2;
    }
    for (size_t i = 0; i < d->n; i++) {
        const double *x = &d->x[i * SIZE];
        double odds = 0, w = d->weight[i];
        for (size_t j = 0; j < SIZE; j++) odds += beta[j] * x[j];
        double p = 1 / (1 + exp(-odds)), error = w * ((d->y[i] ? 1 : 0) - p), curve = w * p * (1 - p);
        likelihood -= w * (d->y[i] ? log1p(exp(-odds)) : odds > 30 ? odds : log1p(exp(odds)));
        for (size_t j = 0; j < SIZE; j++) {
            gradient[j] += error * x[j];
            for (size_t k = 0; k <= j; k++) hessian[j][k] += curve * x[j] * x[k];
        }
    }
    return likelihood;
}

/* Newton with step halving: the likelihood never falls. */
static void learn_weights(const struct design *d, struct failure_model *out) {
    double beta[SIZE] = {0}, hessian[SIZE][SIZE], step[SIZE];
    double positive = 0, total = 0;
    for (size_t i = 0; i < d->n; i++) total += d->weight[i], positive += d->y[i] ? d->weight[i] : 0;
    beta[FAILURE_FEATURES] = log(fmax(positive, 0.5) / fmax(total - positive, 0.5));
    double likelihood = derivatives(d, beta, hessian, step);
    for (int round = 0; round < NEWTON_MAX; round++) {
        solve(hessian, step);
        double next[SIZE], h[SIZE][SIZE], g[SIZE], gain = -1;
        for (double part = 1; part > 1e-4; part /= 2) {
            for (size_t j = 0; j < SIZE; j++) next[j] = beta[j] + part * step[j];
            gain = derivatives(d, next, h, g) - likelihood;
            if (gain >= 0) break;
        }
        if (gain < 0) break;
        memcpy(beta, next, sizeof beta), memcpy(hessian, h, sizeof hessian), memcpy(step, g, sizeof step);
        likelihood += gain;
        if (gain < NEWTON_DONE * (1 + fabs(likelihood))) break;
    }
    memcpy(out->weight, beta, sizeof out->weight);
    out->bias = beta[FAILURE_FEATURES];
}

void failure_fit_learn(const struct failure_fit *fit, struct arena *scratch, struct failure_model *out) {
    ASSERT(fit->n_metrics <= FAILURE_METRICS_MAX && fit->n_components <= FAILURE_COMPONENTS_MAX &&
           fit->n_codes <= FAILURE_CODES_MAX);
    *out = (struct failure_model){.n_metrics = fit->n_metrics,
                                  .n_components = fit->n_components,
                                  .n_codes = fit->n_codes,
                                  .kind = *fit->kind,
                                  .threshold = 2};
    for (size_t c = 0; c < fit->n_components; c++) out->mean_life_hours[c] = fit->mean_life_hours[c];
    for (size_t f = 0; f < FAILURE_FEATURES; f++) out->scale[f] = 1;
    learn_filters(fit, out);
    learn_codes(fit, scratch, out);
    struct design d = make_design(fit, scratch, out);
    if (d.n) learn_weights(&d, out);
}
