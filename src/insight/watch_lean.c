#include "insight/watch_lean.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/vec.h"
#include "insight/watch_words.h"

#define SLAB ((size_t)1 << 20)

/* The flags of a baseline: its limit's condition and its anomaly's. */
enum { BEYOND = 1, ANOMALOUS = 2, BEYOND_SHIFT = 2, INSIDE_SHIFT = 4, RUN_MASK = 3 };

static struct watch_limit limit_of(const struct baseline *b) {
    return (struct watch_limit){(b->flags & BEYOND) != 0, b->flags >> BEYOND_SHIFT & RUN_MASK,
                                b->flags >> INSIDE_SHIFT & RUN_MASK};
}

static void keep_limit(struct baseline *b, const struct watch_limit *s) {
    b->flags = (uint8_t)((b->flags & ANOMALOUS) | (s->beyond ? BEYOND : 0) | s->beyond_run << BEYOND_SHIFT |
                         s->inside_run << INSIDE_SHIFT);
}

/* ---- begin and end */

bool watch_lean_suits(const struct thing_model *model) { return model->n_components == 0; }

size_t watch_lean_metrics(const struct thing_model *model) {
    return model->n_metrics < WATCH_METRICS_MAX ? model->n_metrics : WATCH_METRICS_MAX;
}

size_t watch_lean_add(struct watch_leans *leans, struct watch_family *family, const struct thing_model *model,
                      ThingId id) {
    if (!leans->items) arena_init(&leans->slabs, SLAB);
    size_t n = watch_lean_metrics(model), size = sizeof(struct watch_lean) + n * sizeof(struct baseline);
    struct watch_lean *lean = arena_zero(&leans->slabs, 1, size);
    lean->family = family, lean->model = model, lean->id = id;
    lean->last = lean->hour = INT64_MIN;
    leans->baseline_bytes += n * sizeof(struct baseline);
    VEC_PUSH(leans->items, leans->n, leans->cap, lean);
    return leans->n - 1;
}

void watch_lean_fini(struct watch_leans *leans) {
    for (size_t i = 0; i < leans->n; i++) free(leans->items[i]->codes);
    if (leans->items) arena_fini(&leans->slabs);
    free(leans->items);
}

uint64_t watch_lean_bytes(const struct watch_leans *leans) {
    return leans->baseline_bytes + leans->n * sizeof(struct watch_lean) + leans->cap * sizeof *leans->items;
}

/* ---- findings */

struct judging {
    struct watch_lean *lean;
    struct series *series;
    Nanos at;
    struct watch_findings *out;
};

/* Its name is asked for only when there is something to say. */
static struct finding *found(struct judging *j, enum finding_kind kind) {
    PartyId party = 0;
    Str name = {0};
    series_thing_name(j->series, j->lean->id, &party, &name);
    return watch_judge_found(j->out, party, j->lean->id, name, kind, j->at);
}

static void over(struct judging *j, enum finding_kind what, const struct thing_metric *metric, double score) {
    struct finding *f = found(j, FINDING_CLEAR);
    f->clears = what, f->metric = str_c(metric->name), f->component = str_c(metric->component), f->score = score;
}

static void because(struct finding *f, struct finding_reason reason) { f->reasons[f->n_reasons++] = reason; }

/* ---- limits and anomalies */

static void check_limit(struct judging *j, size_t role, double x) {
    const struct thing_metric *m = &j->lean->model->metrics[role];
    struct baseline *b = &j->lean->metrics[role];
    struct watch_limit limit = limit_of(b);
    enum watch_limit_turn turn = watch_judge_limit(m, x, watch_judge_is_slow(j->lean->gap), &limit);
    keep_limit(b, &limit);
    if (turn == WATCH_LIMIT_ENDS) over(j, FINDING_LIMIT, m, x);
    if (turn != WATCH_LIMIT_BEGINS) return;
    struct finding *f = found(j, FINDING_LIMIT);
    f->metric = str_c(m->name), f->component = str_c(m->component), f->score = x;
    because(f, watch_words_limit(&j->out->arena, m, x));
}

/* As watch_judge.c judges, but a thing speaks for itself alone until its own baseline is known. */
static void check_anomaly(struct judging *j, size_t role) {
    const struct thing_metric *m = &j->lean->model->metrics[role];
    struct baseline *b = &j->lean->metrics[role];
    int n12, n24;
    if (!baseline_known(b) || !(b->day_spread > 0) || !(b->hour_spread > 0)) return;
    double half = baseline_mean(b, j->lean->hour, 12, &n12), day = baseline_mean(b, j->lean->hour, 24, &n24);
    if (n12 < WATCH_ANOMALY_HOURS) return;
    double hourly = (double)b->hour_spread, centre = baseline_centre(b);
    double wide = fmax(1, (double)b->day_spread * sqrt(24) / hourly); /* hours that are alike carry less */
    double z12 = (half - centre) * sqrt(n12) / (hourly * wide), z24 = (day - centre) * sqrt(n24) / (hourly * wide);
    double z = fabs(z12) > fabs(z24) ? z12 : z24;
    if (!(b->flags & ANOMALOUS) && fabs(z) >= WATCH_ANOMALY_ON && fabs(z12) > WATCH_ANOMALY_OFF) {
        b->flags |= ANOMALOUS;
        struct finding *f = found(j, FINDING_ANOMALY);
        f->metric = str_c(m->name), f->component = str_c(m->component), f->score = z;
        because(f, watch_words_shift(&j->out->arena, m, day, centre, hourly * wide / sqrt(24), true, z));
    } else if (b->flags & ANOMALOUS && fabs(z12) < WATCH_ANOMALY_OFF) {
        b->flags &= (uint8_t)~ANOMALOUS;
        over(j, FINDING_ANOMALY, m, z12);
    }
}

/* ---- codes */

static void take_codes(struct judging *j, size_t role, Str text) {
    uint8_t codes[FAILURE_RECENT_CODES];
    struct watch_lean *w = j->lean;
    size_t n = watch_judge_split(w->family, text, codes, FAILURE_RECENT_CODES);
    if (n && !w->codes) {
        w->codes = calloc(1, sizeof *w->codes);
        ASSERT(w->codes);
    }
    for (size_t i = 0; i < n; i++) {
        w->codes->on |= UINT64_C(1) << codes[i];
        w->codes->at[codes[i]] = j->at;
        struct finding *f = found(j, FINDING_CODE);
        f->metric = str_c(w->model->metrics[role].name);
        f->text = w->family->codes[codes[i]];
        f->score = 1;
    }
}

static void clear_codes(struct judging *j) {
    struct watch_lean_codes *codes = j->lean->codes;
    for (uint8_t e = 0; codes && e < j->lean->family->n_codes && codes->on; e++) {
        if (!(codes->on >> e & 1) || j->at - codes->at[e] < WATCH_CODE_CLEARS) continue;
        codes->on &= ~(UINT64_C(1) << e);
        struct finding *f = found(j, FINDING_CLEAR);
        f->clears = FINDING_CODE, f->metric = str_c(j->lean->model->code_metric);
        f->text = j->lean->family->codes[e];
    }
}

/* ---- rows */

static bool advance(struct watch_lean *w, Nanos at) {
    int64_t hour = at / NANOS_PER_HOUR - (at % NANOS_PER_HOUR < 0);
    if (hour <= w->hour) return false;
    size_t n = watch_lean_metrics(w->model);
    for (size_t i = 0; w->hour != INT64_MIN && i < n; i++) baseline_close(&w->metrics[i], w->hour, hour);
    w->hour = hour;
    return true;
}

void watch_lean_advance(struct watch_lean *w, Nanos at) { advance(w, at); }

static bool begin_row(struct watch_lean *w, Nanos at) {
    w->gap = watch_judge_gap(w->gap, w->last, at);
    w->last = at;
    return advance(w, at);
}

static void take_number(struct judging *j, size_t role, double x) {
    baseline_add(&j->lean->metrics[role], x);
    check_limit(j, role, x);
}

static void end_row(struct judging *j, bool hour) {
    if (!hour) return;
    size_t n = watch_lean_metrics(j->lean->model);
    for (size_t i = 0; i < n; i++) check_anomaly(j, i);
    clear_codes(j);
}

void watch_lean_row(struct watch_lean *w, struct series *series, const struct row *row, struct watch_findings *out) {
    struct judging j = {w, series, row->time, out};
    bool hour = begin_row(w, row->time);
    const char *code_metric = w->model->code_metric;
    for (struct row_value v = {0}; rows_next_value(row, &v);) {
        uint8_t role = watch_family_role(w->family, series, v.metric);
        if (role == WATCH_ROLE_NONE) continue;
        double x = value_as_num(v.value);
        if (code_metric && strcmp(w->model->metrics[role].name, code_metric) == 0) {
            char number[NUM_TEXT_MAX]; /* a code metric may be a number; its text is the code */
            take_codes(&j, role, v.value.kind == VALUE_STRING ? v.value.s : num_format(x, number));
        } else if (!isnan(x)) {
            take_number(&j, role, x);
        }
    }
    end_row(&j, hour);
}

void watch_lean_values(struct watch_lean *w, struct series *series, Nanos at, const struct watch_value *values,
                       size_t n, struct watch_findings *out) {
    struct judging j = {w, series, at, out};
    bool hour = begin_row(w, at);
    for (size_t i = 0; i < n; i++) {
        if (values[i].text.ptr)
            take_codes(&j, values[i].role, values[i].text);
        else
            take_number(&j, values[i].role, values[i].num);
    }
    end_row(&j, hour);
}

/* ---- looking */

double watch_lean_mean(const struct watch_lean *w, size_t role) {
    return w->hour == INT64_MIN ? (double)NAN : baseline_mean(&w->metrics[role], w->hour, 24, NULL);
}

void watch_lean_look(const struct watch_lean *w, struct watch_thing *out) {
    *out = (struct watch_thing){
        .model = w->model, .last = w->last == INT64_MIN ? 0 : w->last, .health = NAN, .usual_gap = (Nanos)w->gap};
    for (size_t i = 0, n = watch_lean_metrics(w->model); i < n; i++) {
        const struct baseline *b = &w->metrics[i];
        struct watch_metric *m = &out->metrics[i];
        *m = (struct watch_metric){
            watch_lean_mean(w, i),      NAN, NAN, NAN, NAN, NAN, NAN, 0, baseline_score(b), (b->flags & BEYOND) != 0,
            (b->flags & ANOMALOUS) != 0};
        if (baseline_known(b)) {
            m->own_median = baseline_centre(b), m->own_mad = (double)b->day_spread;
            m->own_z = (m->value - m->own_median) / m->own_mad;
        }
        if (m->anomalous && out->state < WATCH_WARNING) out->state = WATCH_WARNING;
        if (m->beyond_limit) out->state = WATCH_ALARM;
    }
}
