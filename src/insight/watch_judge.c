/*
 * One row, judged: baselines learn, conditions begin and end, and at the first row of an hour (and at every fault code)
 * each component's chance of failing is looked at. The order is that of kernel/failure_trial.h, so that what the
 * back-test counts is what runs here.
 */
#include <math.h>
#include <stdlib.h>

#include "insight/watch_inner.h"

#define LIMIT_ROWS 2     /* beyond the limit, one after another, before it counts */
#define LIMIT_BACK 3     /* within it again before it is over */
#define ANOMALY_FROM 5.0 /* deviations of the trailing day */
#define ANOMALY_UNTIL 3.0
#define ANOMALY_ROWS 3
#define POINTS_FREE 2.0  /* deviations that cost nothing */
#define POINTS_EACH 10.0 /* points a deviation beyond them */
#define POINTS_MOST 60.0
#define PEER_PART 0.5 /* what a deviation from the peers counts beside one from itself */
#define SURE_HOURS 12 /* hours with values that a trailing day needs */
#define TRAIN_FAILURES 8
#define TRAIN_EVERY (7 * NANOS_PER_DAY)
#define HEALTH_WARNING 80.0

static struct finding *add(struct watch *watch, const struct watched *t, enum finding_kind kind, Nanos at) {
    bool room = watch->n_findings < sizeof watch->findings / sizeof *watch->findings;
    struct finding *f = room && !watch->muted ? &watch->findings[watch->n_findings++] : &watch->spare;
    *f = (struct finding){.kind = kind, .party = t->party, .thing = t->thing, .thing_name = t->name, .at = at};
    return f;
}

/* ---- labels that lie before this row */
static void take_labels(struct watched *t, Nanos before) {
    for (; t->labels->told < t->labels->n && t->labels->items[t->labels->told].at < before; t->labels->told++) {
        const struct failure_label *l = &t->labels->items[t->labels->told];
        failure_track_replaced(&t->track, l->component, l->at);
        if (!l->failed) continue;
        t->failed[l->component] = l->at;
        t->predicted[l->component] = 0; /* what was foreseen has come, or it was another; either way it is over */
    }
}

/* ---- limits */
static void judge_limit(struct watch *watch, struct watched *t, size_t m, double x, Nanos at) {
    const struct thing_metric *metric = &t->kind->model->metrics[m];
    struct watch_condition *c = &t->limits[m];
    bool beyond = x < metric->low || x > metric->high; /* NaN limits: never */
    c->beyond = beyond ? (uint16_t)(c->beyond + (c->beyond < UINT16_MAX)) : 0;
    c->within = beyond ? 0 : (uint16_t)(c->within + (c->within < UINT16_MAX));
    bool begins = !c->standing && c->beyond >= LIMIT_ROWS, ends = c->standing && c->within >= LIMIT_BACK;
    t->shown[m].beyond_limit = c->standing = (c->standing || begins) && !ends;
    if (!begins && !ends) return;
    struct finding *f = add(watch, t, begins ? FINDING_LIMIT : FINDING_CLEAR, at);
    f->clears = FINDING_LIMIT;
    f->metric = str_c(metric->name);
    f->component = str_c(metric->component);
    f->score = x;
}

/* ---- the trailing day against the own and the peers' baseline */
static void show_metric(struct watched *t, size_t m) {
    const struct failure_metric *metric = &t->metrics[m];
    const struct watch_kind *kind = t->kind;
    struct watch_metric *s = &t->shown[m];
    int n;
    double day = failure_track_mean(&t->track, m, 24, INT64_MIN, &n);
    bool warm = metric->daily.n >= STATS_HUBER_WARM;
    s->value = n >= SURE_HOURS ? day : NAN;
    s->own_median = warm ? metric->daily.centre : NAN;
    s->own_mad = warm ? metric->daily.spread : NAN;
    s->peer_median = kind->centre[m];
    s->peer_mad = kind->spread[m];
    s->own_z = (s->value - s->own_median) / s->own_mad;
    s->peer_z = (s->value - s->peer_median) / s->peer_mad;
    double z = fmax(isnan(s->own_z) ? 0 : fabs(s->own_z), isnan(s->peer_z) ? 0 : PEER_PART * fabs(s->peer_z));
    s->points_lost = fmin(fmax(z - POINTS_FREE, 0) * POINTS_EACH, POINTS_MOST);
}

static void judge_anomaly(struct watch *watch, struct watched *t, size_t m, Nanos at) {
    const struct thing_metric *metric = &t->kind->model->metrics[m];
    const struct watch_metric *s = &t->shown[m];
    struct watch_condition *c = &t->anomalies[m];
    if (isnan(s->own_z)) return;
    double z = fabs(s->own_z);
    c->beyond = z >= ANOMALY_FROM ? (uint16_t)(c->beyond + (c->beyond < UINT16_MAX)) : 0;
    bool begins = !c->standing && c->beyond >= ANOMALY_ROWS, ends = c->standing && z < ANOMALY_UNTIL;
    t->shown[m].anomalous = c->standing = (c->standing || begins) && !ends;
    if (!begins && !ends) return;
    struct finding *f = add(watch, t, begins ? FINDING_ANOMALY : FINDING_CLEAR, at);
    f->clears = FINDING_ANOMALY;
    f->metric = str_c(metric->name);
    f->component = str_c(metric->component);
    f->score = s->own_z;
    f->n_reasons = 1;
    f->reasons[0] =
        (struct finding_reason){f->metric, s->own_z, watch_reasons_metric(&watch->scratch, metric, s, false),
                                watch_reasons_metric(&watch->scratch, metric, s, true)};
}

/* ---- peers: once a day of machine time, the medians over the machines of the kind */
static double median_of(struct watch *watch, const struct watch_kind *kind, size_t m, double *scratch,
                        double (*get)(const struct failure_metric *)) {
    size_t n = 0;
    for (size_t i = 0; i < watch->cap_things; i++) {
        const struct watched *t = watch->things[i];
        if (t && t != WATCH_INNER_OPEN && t->kind == kind) scratch[n++] = get(&t->metrics[m]);
    }
    n = stats_drop_nan(scratch, n);
    return n >= 3 ? stats_median(scratch, n) : NAN;
}

static double day_centre(const struct failure_metric *m) {
    return m->daily.n >= STATS_HUBER_WARM ? m->daily.centre : NAN;
}
static double day_spread(const struct failure_metric *m) {
    return m->daily.n >= STATS_HUBER_WARM ? m->daily.spread : NAN;
}

static void renew_peers(struct watch *watch, struct watch_kind *kind, Nanos at) {
    if (kind->day == at / NANOS_PER_DAY) return;
    kind->day = at / NANOS_PER_DAY;
    double *scratch = arena_zero(&watch->scratch, watch->n_things + 1, sizeof *scratch);
    for (size_t m = 0; m < kind->n_metrics; m++) {
        kind->centre[m] = median_of(watch, kind, m, scratch, day_centre);
        kind->spread[m] = median_of(watch, kind, m, scratch, day_spread);
    }
}

/* ---- predictions */
static void predict(struct watch *watch, struct watched *t, size_t c, const struct failure_look *look, Nanos at) {
    const struct watch_family *family = t->kind->family;
    double parts[FAILURE_FEATURES];
    t->probability[c] = failure_judge(&family->model, c, look, parts);
    if (t->predicted[c] && at - t->predicted[c] > FAILURE_HORIZON) {
        t->predicted[c] = 0;
        struct finding *over = add(watch, t, FINDING_CLEAR, at);
        over->clears = FINDING_PREDICTION;
        over->component = str_c(t->kind->model->components[c].name);
    }
    if (t->predicted[c] || !(t->probability[c] >= family->model.threshold)) return;
    t->predicted[c] = at;
    struct finding *f = add(watch, t, FINDING_PREDICTION, at);
    f->component = str_c(t->kind->model->components[c].name);
    f->score = t->probability[c];
    f->horizon = FAILURE_HORIZON;
    f->text = str_c(family->row.name);
    watch_reasons_prediction(watch, t, c, look, parts, f);
    watch->stats.predictions += !watch->muted;
}

static void judge_components(struct watch *watch, struct watched *t, Nanos at) {
    const struct watch_family *family = t->kind->family;
    struct failure_look looks[FAILURE_COMPONENTS_MAX];
    if (!family->has_model || watch->muted) return;
    failure_looks(&t->track, &family->model.kind, at, looks);
    for (size_t c = 0; c < t->kind->n_components; c++) predict(watch, t, c, &looks[c], at);
}

static void ask_for_training(struct watch *watch, struct watch_family *family) {
    bool due = family->trained_at == 0 || family->now - family->trained_at >= TRAIN_EVERY;
    if (!due || family->training || watch->to_train || watch->muted) return;
    if (family->failures < TRAIN_FAILURES || family->failures == family->taught) return;
    family->training = true;
    watch->to_train = family;
    watch->train_at = family->now - family->now % NANOS_PER_HOUR;
    thread_broadcast(&watch->changed);
}

/* ---- the row */
static bool take_values(struct watch *watch, struct watched *t, const struct row *row) {
    struct watch_kind *kind = t->kind;
    bool codes = false;
    for (struct row_value v = {0}; rows_next_value(row, &v);) {
        if (v.metric == kind->code && v.value.kind == VALUE_STRING) {
            int code = watch_code(kind->family, v.value.s, true);
            if (code >= 0) failure_track_code(&t->track, (uint8_t)code, row->time);
            struct finding *f = add(watch, t, FINDING_CODE, row->time);
            f->metric = str_c(kind->model->code_metric);
            f->text = arena_str(&watch->scratch, v.value.s);
            codes = true;
            continue;
        }
        double x = value_as_num(v.value);
        for (size_t m = 0; m < kind->n_metrics && !isnan(x); m++) {
            if (kind->metrics[m] != v.metric) continue;
            const struct stats_huber *own = &t->metrics[m].hourly;
            failure_track_value(&t->track, m, x);
            judge_limit(watch, t, m, x, row->time);
            if (own->n >= STATS_HUBER_WARM)
                t->shown[m].anomaly = 1 - 2 * stats_normal_tail(fabs(x - own->centre) / own->spread);
        }
    }
    return codes;
}

static void find_metrics(const struct watch *watch, struct watch_kind *kind) {
    for (size_t m = 0; m < kind->n_metrics; m++)
        if (!kind->metrics[m])
            series_find_metric(watch->options.series, str_c(kind->model->metrics[m].name), &kind->metrics[m]);
    if (!kind->code && kind->model->code_metric)
        series_find_metric(watch->options.series, str_c(kind->model->code_metric), &kind->code);
}

static void sum_up(struct watched *t) {
    bool alarm = false, warning = false;
    t->health = 100;
    size_t known = 0;
    for (size_t m = 0; m < t->kind->n_metrics; m++) {
        known += !isnan(t->shown[m].value) && (!isnan(t->shown[m].own_z) || !isnan(t->shown[m].peer_z));
        t->health -= t->shown[m].points_lost;
        alarm |= t->shown[m].beyond_limit;
        warning |= t->shown[m].anomalous;
    }
    for (size_t c = 0; c < t->kind->n_components; c++) alarm |= t->predicted[c] != 0;
    t->health = known ? fmax(t->health, 0) : NAN;
    t->state = alarm ? WATCH_ALARM : warning || t->health < HEALTH_WARNING ? WATCH_WARNING : WATCH_OK;
}

void watch_judge_row(struct watch *watch, struct watched *t, const struct row *row) {
    if (t->last && row->time < t->last) {
        watch->stats.late_rows++;
        return;
    }
    watch->stats.judged_rows++;
    if (t->last && row->time > t->last) {
        Nanos gap = row->time - t->last;
        t->gap = t->gap ? t->gap + (gap - t->gap) / 8 : gap;
    }
    t->last = row->time;
    find_metrics(watch, t->kind);
    take_labels(t, row->time);
    bool hour = failure_track_advance(&t->track, row->time);
    bool codes = take_values(watch, t, row);
    if (row->time > t->kind->family->now) t->kind->family->now = row->time;
    if (!hour && !codes) return;
    renew_peers(watch, t->kind, row->time);
    for (size_t m = 0; m < t->kind->n_metrics && hour; m++) {
        show_metric(t, m);
        judge_anomaly(watch, t, m, row->time);
    }
    judge_components(watch, t, row->time);
    sum_up(t);
    ask_for_training(watch, t->kind->family);
}
