#include "kernel/failure_trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define MONTH_HOURS (365.25 * 24 / 12)
#define BUDGET_DEFAULT 0.1
#define FOLDS_DEFAULT 5
#define QUIET_STEP 16 /* of the rows where nothing happens, one in so many is learnt from, and counts for all */
#define LOUD_Z 3.0f   /* a 24 h mean beyond this is something happening */
#define CANDIDATE_STEP 1.04
#define ODDS_MAX 40.0
#define CERTAIN_LEAST 0.8

double failure_trial_recall(const struct failure_counts *counts) {
    return counts->failures ? (double)counts->foreseen_24h / counts->failures : NAN;
}

double failure_trial_false_rate(const struct failure_counts *counts) {
    return counts->machine_months > 0 ? counts->false_alarms / counts->machine_months : NAN;
}

void failure_trial_add(struct failure_counts *sum, const struct failure_counts *more) {
    sum->failures += more->failures, sum->foreseen_24h += more->foreseen_24h, sum->foreseen += more->foreseen;
    sum->predictions += more->predictions, sum->false_alarms += more->false_alarms;
    sum->undecided += more->undecided, sum->machine_months += more->machine_months;
}

static bool covers(const struct failure_span *span, size_t machine) {
    return !span->machines || span->machines[machine];
}

/* ---- walking through a machine's past */
typedef void look_fn(void *ctx, size_t machine, Nanos at, const struct failure_look looks[]);

struct walk {
    const struct failure_fleet *fleet;
    const struct failure_kind *kind;
    Nanos from, to; /* looks are taken within */
    look_fn *fn;
    void *ctx;
};

static void walk_machine(const struct walk *walk, size_t machine) {
    const struct failure_machine *past = &walk->fleet->machines[machine];
    struct failure_metric metrics[FAILURE_METRICS_MAX];
    struct failure_component components[FAILURE_COMPONENTS_MAX];
    struct failure_track track;
    failure_track_init(&track, metrics, walk->fleet->n_metrics, components, walk->fleet->n_components);
    size_t label = 0;
    for (size_t i = 0; i < past->n_moments && past->moments[i].at < walk->to; i++) {
        const struct failure_moment *moment = &past->moments[i];
        for (; label < past->n_labels && past->labels[label].at < moment->at; label++)
            failure_track_replaced(&track, past->labels[label].component, past->labels[label].at);
        bool look = failure_track_advance(&track, moment->at) || moment->codes;
        for (size_t m = 0; m < track.n_metrics && moment->values; m++)
            failure_track_value(&track, m, moment->values[m]);
        for (uint8_t e = 0; e < walk->fleet->n_codes; e++)
            if (moment->codes >> e & 1) failure_track_code(&track, e, moment->at);
        if (!look || moment->at < walk->from) continue;
        struct failure_look looks[FAILURE_COMPONENTS_MAX];
        failure_looks(&track, walk->kind, moment->at, looks);
        walk->fn(walk->ctx, machine, moment->at, looks);
    }
}

/* ---- how the kind behaves: hourly and daily means of all machines */
#define SAMPLES_MAX 20000

struct samples {
    double *values;
    size_t n, seen, step;
};

static void samples_add(struct samples *s, double x) {
    if (s->seen++ % s->step == 0 && s->n < SAMPLES_MAX) s->values[s->n++] = x;
}

/* Sums of the hour and of the day being filled, for one metric. */
struct filling {
    double hour_sum, day_sum;
    int hour_n, day_n;
};

static void close_filling(struct filling *f, bool day_over, struct samples *hours, struct samples *days) {
    if (f->hour_n) {
        double x = f->hour_sum / f->hour_n;
        samples_add(hours, x);
        f->day_sum += x, f->day_n++;
    }
    f->hour_sum = 0, f->hour_n = 0;
    if (!day_over) return;
    if (f->day_n >= 12) samples_add(days, f->day_sum / f->day_n);
    f->day_sum = 0, f->day_n = 0;
}

static void sample_machine(const struct failure_machine *past, size_t m, const struct failure_span *span,
                           struct samples *hours, struct samples *days) {
    struct filling f = {0};
    int64_t hour = INT64_MIN;
    for (size_t i = 0; i < past->n_moments && past->moments[i].at < span->to; i++) {
        const struct failure_moment *moment = &past->moments[i];
        if (moment->at < span->from || !moment->values || !isfinite(moment->values[m])) continue;
        int64_t now = moment->at / NANOS_PER_HOUR;
        if (now != hour && hour != INT64_MIN) close_filling(&f, now / 24 != hour / 24, hours, days);
        hour = now;
        f.hour_sum += moment->values[m], f.hour_n++;
    }
    close_filling(&f, true, hours, days);
}

void failure_trial_kind(const struct failure_fleet *fleet, const struct failure_span *span, struct arena *arena,
                        struct failure_kind *out) {
    *out = (struct failure_kind){0};
    size_t moments = 0;
    for (size_t i = 0; i < fleet->n_machines; i++)
        if (covers(span, i)) moments += fleet->machines[i].n_moments;
    struct samples hours = {.values = arena_zero(arena, SAMPLES_MAX, sizeof(double)),
                            .step = moments / SAMPLES_MAX + 1};
    struct samples days = {.values = arena_zero(arena, SAMPLES_MAX, sizeof(double)), .step = 1};
    for (size_t m = 0; m < fleet->n_metrics; m++) {
        hours.n = hours.seen = days.n = days.seen = 0;
        for (size_t i = 0; i < fleet->n_machines; i++)
            if (covers(span, i)) sample_machine(&fleet->machines[i], m, span, &hours, &days);
        if (!hours.n) continue;
        out->centre[m] = stats_median(hours.values, hours.n);
        out->spread[m] = stats_mad(hours.values, hours.n, out->centre[m]);
        out->daily_spread[m] = out->spread[m] / sqrt(24);
        if (days.n >= STATS_HUBER_WARM) {
            double centre = stats_median(days.values, days.n);
            out->daily_spread[m] = stats_mad(days.values, days.n, centre);
        }
    }
}

void failure_trial_lives(const struct failure_fleet *fleet, const struct failure_span *span,
                         double out[FAILURE_COMPONENTS_MAX]) {
    double sum[FAILURE_COMPONENTS_MAX] = {0}, n[FAILURE_COMPONENTS_MAX] = {0};
    for (size_t i = 0; i < fleet->n_machines; i++) {
        if (!covers(span, i)) continue;
        Nanos last[FAILURE_COMPONENTS_MAX];
        for (size_t c = 0; c < FAILURE_COMPONENTS_MAX; c++) last[c] = INT64_MIN;
        const struct failure_machine *past = &fleet->machines[i];
        for (size_t l = 0; l < past->n_labels && past->labels[l].at < span->to; l++) {
            size_t c = past->labels[l].component;
            Nanos at = past->labels[l].at;
            if (last[c] != INT64_MIN && at > last[c])
                sum[c] += (double)(at - last[c]) / (double)NANOS_PER_HOUR, n[c] += 1;
            last[c] = at;
        }
    }
    for (size_t c = 0; c < FAILURE_COMPONENTS_MAX; c++) out[c] = n[c] > 0 ? sum[c] / n[c] : NAN;
}

/* ---- rows to learn from */
struct collect {
    const struct failure_fleet *fleet;
    Nanos known_to; /* outcomes are known up to here */
    struct arena *arena;
    struct failure_row *rows;
    uint32_t *machine_of; /* beside rows */
    size_t n, cap, n_episodes;
};

/* The first failure of the component after t, before known_to: its label's index, or n_labels. */
static size_t next_failure(const struct failure_machine *past, size_t component, Nanos t, Nanos known_to) {
    for (size_t l = 0; l < past->n_labels && past->labels[l].at < known_to; l++)
        if (past->labels[l].failed && past->labels[l].component == component && past->labels[l].at > t) return l;
    return past->n_labels;
}

static bool loud(const struct failure_fleet *fleet, const struct failure_look *look) {
    if (look->codes_48h) return true;
    for (size_t m = 0; m < fleet->n_metrics; m++)
        if (fabsf(look->z[FAILURE_24H][m]) > LOUD_Z) return true;
    return false;
}

static void push_row(struct collect *c, const struct failure_row *row, size_t machine) {
    if (c->n == c->cap) {
        size_t cap = c->cap ? c->cap * 2 : 4096;
        struct failure_row *rows = arena_alloc(c->arena, cap * sizeof *rows);
        uint32_t *machine_of = arena_alloc(c->arena, cap * sizeof *machine_of);
        if (c->n)
            memcpy(rows, c->rows, c->n * sizeof *rows), memcpy(machine_of, c->machine_of, c->n * sizeof(uint32_t));
        c->rows = rows, c->machine_of = machine_of, c->cap = cap;
    }
    c->machine_of[c->n] = (uint32_t)machine;
    c->rows[c->n++] = *row;
}

static bool fails_alone(const struct failure_machine *past, size_t label) {
    const struct failure_label *l = &past->labels[label];
    for (size_t i = 0; i < past->n_labels; i++) {
        const struct failure_label *other = &past->labels[i];
        if (other->failed && other->component != l->component && llabs(other->at - l->at) <= FAILURE_LEAD) return false;
    }
    return true;
}

/* Labels are numbered through all machines, so that a label's number names its episode. */
static uint32_t episode_of(const struct collect *c, size_t machine, size_t label) {
    size_t before = 0;
    for (size_t i = 0; i < machine; i++) before += c->fleet->machines[i].n_labels;
    return (uint32_t)(before + label);
}

static void collect_look(void *ctx, size_t machine, Nanos at, const struct failure_look looks[]) {
    struct collect *c = ctx;
    const struct failure_machine *past = &c->fleet->machines[machine];
    for (size_t k = 0; k < c->fleet->n_components; k++) {
        size_t label = next_failure(past, k, at, c->known_to);
        Nanos left = label < past->n_labels ? past->labels[label].at - at : INT64_MAX;
        if (left <= FAILURE_HORIZON && past->labels[label].at - past->moments[0].at < FAILURE_HORIZON)
            continue; /* its signs may lie before the first row */
        struct failure_row row = {.look = looks[k], .component = (uint8_t)k, .weight = 1, .episode = UINT32_MAX};
        row.fails = left <= FAILURE_HORIZON, row.last_day = left <= FAILURE_LEAD;
        if (row.fails) row.episode = episode_of(c, machine, label), row.alone = fails_alone(past, label);
        if (!row.fails && at + FAILURE_HORIZON >= c->known_to) continue; /* nobody knows yet */
        if (!row.fails && !loud(c->fleet, &looks[k])) {
            if ((at / NANOS_PER_HOUR + (int64_t)(machine * 7 + k * 3)) % QUIET_STEP) continue;
            row.weight = QUIET_STEP;
        }
        push_row(c, &row, machine);
    }
}

/* ---- judging: scores of every look, so that many thresholds can be tried on one walk */
struct scores {
    Nanos *at;
    float *score; /* [n][n_components] */
    size_t n;
};

struct judging {
    const struct failure_test *test;
    struct scores *machines; /* [fleet->n_machines] */
    size_t n_components;
};

static void judge_look(void *ctx, size_t machine, Nanos at, const struct failure_look looks[]) {
    struct judging *j = ctx;
    struct scores *s = &j->machines[machine];
    s->at[s->n] = at;
    for (size_t c = 0; c < j->n_components; c++)
        s->score[s->n * j->n_components + c] = (float)j->test->judge(j->test->ctx, c, &looks[c]);
    s->n++;
}

static void score_machine(const struct failure_fleet *fleet, const struct failure_span *span,
                          const struct failure_test *test, size_t machine, struct arena *arena, struct scores *all) {
    struct scores *s = &all[machine];
    size_t room = fleet->machines[machine].n_moments;
    s->n = 0;
    s->at = arena_alloc(arena, (room + 1) * sizeof *s->at);
    s->score = arena_alloc(arena, (room * fleet->n_components + 1) * sizeof *s->score);
    struct judging j = {test, all, fleet->n_components};
    walk_machine(&(struct walk){fleet, test->kind, span->from, span->to, judge_look, &j}, machine);
}

/* Closes an open prediction at a failure (or not in time): counts it. */
static void settle(struct failure_counts *counts, Nanos open, Nanos failed) {
    Nanos lead = failed - open;
    bool in_time = lead > 0 && lead <= FAILURE_HORIZON;
    counts->foreseen += in_time;
    counts->foreseen_24h += in_time && lead >= FAILURE_LEAD;
    counts->false_alarms += !in_time;
}

struct open_prediction {
    bool is;
    Nanos at;
};

static void pass_failures(const struct failure_machine *past, size_t c, const struct failure_span *span, Nanos until,
                          size_t *label, struct open_prediction *open, struct failure_counts *counts) {
    for (; *label < past->n_labels && past->labels[*label].at < until; ++*label) {
        const struct failure_label *l = &past->labels[*label];
        if (!l->failed || l->component != c || l->at < span->from) continue;
        counts->failures++;
        if (open->is) settle(counts, open->at, l->at);
        open->is = false;
    }
    if (!open->is || until - open->at <= FAILURE_HORIZON) return;
    counts->false_alarms++;
    open->is = false;
}

static void count_component(const struct failure_machine *past, const struct scores *s, size_t c, size_t n_components,
                            const struct failure_span *span, double threshold, struct failure_counts *counts) {
    struct open_prediction open = {0};
    size_t label = 0;
    for (size_t i = 0; i < s->n; i++) {
        pass_failures(past, c, span, s->at[i], &label, &open, counts);
        if (open.is || !((double)s->score[i * n_components + c] >= threshold)) continue;
        open = (struct open_prediction){true, s->at[i]};
        counts->predictions++;
    }
    Nanos end = s->n ? s->at[s->n - 1] : span->from;
    Nanos last =
        end + 1 < span->to ? end + 1 : span->to; /* failures at the last moment count, later ones are not known */
    pass_failures(past, c, span, last, &label, &open, counts);
    if (open.is) counts->undecided++;
}

static void count_all(const struct failure_fleet *fleet, const struct failure_span *span, const struct scores *all,
                      double threshold, struct failure_counts *out) {
    *out = (struct failure_counts){0};
    for (size_t i = 0; i < fleet->n_machines; i++) {
        if (!covers(span, i) || !all[i].n) continue;
        Nanos length = all[i].at[all[i].n - 1] - all[i].at[0];
        out->machine_months += (double)length / (double)NANOS_PER_HOUR / MONTH_HOURS;
        for (size_t c = 0; c < fleet->n_components; c++)
            count_component(&fleet->machines[i], &all[i], c, fleet->n_components, span, threshold, out);
    }
}

/* ---- choosing a threshold */
static int rising(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Thresholds worth trying, falling: the highest score, then ever further down the ranks, 4 % a step. */
static size_t candidates(const struct failure_fleet *fleet, const struct failure_span *span, const struct scores *all,
                         struct arena *arena, double **out) {
    size_t n = 0, picked = 0;
    for (size_t i = 0; i < fleet->n_machines; i++)
        if (covers(span, i)) n += all[i].n * fleet->n_components;
    float *sorted = arena_alloc(arena, (n + 1) * sizeof *sorted);
    n = 0;
    for (size_t i = 0; i < fleet->n_machines; i++)
        for (size_t k = 0; covers(span, i) && k < all[i].n * fleet->n_components; k++)
            if (isfinite(all[i].score[k])) sorted[n++] = all[i].score[k];
    qsort(sorted, n, sizeof *sorted, rising);
    *out = arena_alloc(arena, 512 * sizeof **out);
    for (double rank = 1; rank <= (double)n && picked < 512; rank = fmax(rank + 1, rank * CANDIDATE_STEP)) {
        double t = (double)sorted[n - (size_t)rank];
        if (!picked || t < (*out)[picked - 1]) (*out)[picked++] = t;
    }
    return picked;
}

/* More foreseen is better, then fewer false; among equals the middle one, which is furthest from both edges. */
static double choose(const struct failure_fleet *fleet, const struct failure_span *span, const struct scores *all,
                     double budget, struct arena *arena, struct failure_counts *best) {
    double *list, threshold = INFINITY;
    size_t n = candidates(fleet, span, all, arena, &list), first = 0, last = 0;
    *best = (struct failure_counts){0};
    count_all(fleet, span, all, INFINITY, best);
    for (size_t i = 0; i < n; i++) {
        struct failure_counts c;
        count_all(fleet, span, all, list[i], &c);
        if (c.false_alarms > 10 + 4 * budget * c.machine_months) break; /* it only gets worse */
        if (c.false_alarms > budget * c.machine_months || c.foreseen_24h < best->foreseen_24h) continue;
        bool better = c.foreseen_24h > best->foreseen_24h || c.false_alarms < best->false_alarms;
        if (!better && (c.foreseen_24h == 0 || c.false_alarms > best->false_alarms)) continue;
        if (better) first = i, *best = c;
        last = i;
        threshold = list[(first + last) / 2];
    }
    if (isfinite(threshold)) count_all(fleet, span, all, threshold, best);
    return threshold;
}

double failure_trial_choose(const struct failure_fleet *fleet, const struct failure_span *span,
                            const struct failure_test *test, double budget, struct arena *arena,
                            struct failure_counts *out_counts) {
    struct scores *all = arena_zero(arena, fleet->n_machines, sizeof *all);
    for (size_t i = 0; i < fleet->n_machines; i++)
        if (covers(span, i)) score_machine(fleet, span, test, i, arena, all);
    return choose(fleet, span, all, budget, arena, out_counts);
}

void failure_trial_count(const struct failure_fleet *fleet, const struct failure_span *span,
                         const struct failure_test *test, struct arena *arena, struct failure_counts *out) {
    struct scores *all = arena_zero(arena, fleet->n_machines, sizeof *all);
    for (size_t i = 0; i < fleet->n_machines; i++)
        if (covers(span, i)) score_machine(fleet, span, test, i, arena, all);
    count_all(fleet, span, all, test->threshold, out);
}

/* Log odds: thresholds are then as far apart near 1 as near 0. */
double failure_trial_model(const void *model, size_t component, const struct failure_look *look) {
    double p = failure_judge(model, component, look, NULL);
    if (p <= 0) return -ODDS_MAX;
    return p >= 1 ? ODDS_MAX : log(p / (1 - p));
}

/* ---- training */
struct training {
    const struct failure_fleet *fleet;
    const struct failure_span *span;
    struct failure_kind kind;
    struct collect rows;
    double lives[FAILURE_COMPONENTS_MAX];
    struct arena *arena;
};

static void learn(const struct training *t, const bool *use, struct failure_model *out) {
    struct failure_fit fit = {.rows = t->rows.rows,
                              .n_rows = t->rows.n,
                              .n_episodes = t->rows.n_episodes,
                              .use = use,
                              .kind = &t->kind,
                              .n_metrics = t->fleet->n_metrics,
                              .n_components = t->fleet->n_components,
                              .n_codes = t->fleet->n_codes,
                              .mean_life_hours = t->lives};
    failure_fit_learn(&fit, t->arena, out);
}

/* Each fold's machines are scored by a model that did not see them. */
static void cross_score(const struct training *t, unsigned folds, struct scores *all) {
    bool *use = arena_zero(t->arena, t->rows.n + 1, sizeof *use);
    for (unsigned f = 0; f < folds; f++) {
        struct failure_model model;
        struct failure_test test = {failure_trial_model, &model, &t->kind, 0};
        for (size_t i = 0; i < t->rows.n; i++) use[i] = t->rows.machine_of[i] % folds != f;
        learn(t, use, &model);
        for (size_t i = f; i < t->fleet->n_machines; i += folds)
            if (covers(t->span, i)) score_machine(t->fleet, t->span, &test, i, t->arena, all);
    }
}

static void collect_rows(struct training *t) {
    t->rows = (struct collect){.fleet = t->fleet, .known_to = t->span->to, .arena = t->arena};
    struct walk walk = {t->fleet, &t->kind, t->span->from, t->span->to, collect_look, &t->rows};
    for (size_t i = 0; i < t->fleet->n_machines; i++) {
        t->rows.n_episodes += t->fleet->machines[i].n_labels;
        if (covers(t->span, i)) walk_machine(&walk, i);
    }
}

/*
 * Models of few failures are weaker on the machines left out than the final one will be, which drives the chosen
 * threshold up. But where r failures a machine-month are foreseen at probability p, r(1-p)/p predictions are false: no
 * more certainty is asked for than keeps that within the budget.
 */
static double certain_enough(const struct failure_counts *counts, double budget) {
    double rate = counts->machine_months > 0 ? counts->failures / counts->machine_months : 0;
    return fmax(CERTAIN_LEAST, rate / (rate + budget));
}

void failure_trial_train(const struct failure_fleet *fleet, const struct failure_span *span,
                         const struct failure_plan *plan, struct arena *arena, struct failure_model *out,
                         struct failure_counts *out_counts) {
    struct training t = {.fleet = fleet, .span = span, .arena = arena};
    failure_trial_kind(fleet, span, arena, &t.kind);
    failure_trial_lives(fleet, span, t.lives);
    collect_rows(&t);
    struct scores *all = arena_zero(arena, fleet->n_machines, sizeof *all);
    cross_score(&t, plan->folds ? plan->folds : FOLDS_DEFAULT, all);
    double budget = plan->budget > 0 ? plan->budget : BUDGET_DEFAULT;
    double odds = choose(fleet, span, all, budget, arena, out_counts);
    learn(&t, NULL, out);
    double most = certain_enough(out_counts, budget);
    out->threshold = fmin(1 / (1 + exp(-odds)), most);
    if (!(out->threshold > 0) || !out_counts->failures) out->threshold = 2;
}
