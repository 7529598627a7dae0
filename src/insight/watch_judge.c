/*
 * A row is judged in this order: what labels before it say; its values against limits and baselines; at the first row
 * of an hour what the hours say; at that row and at every fault code, the failure model. Nothing later than the row is
 * looked at.
 */
#include "insight/watch_judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "insight/watch_words.h"

#define SLOW_GAP                                                                                                       \
    (10 * NANOS_PER_MIN) /* a metric that comes more rarely has no reading to spare: one beyond is enough */
#define DEADBAND 0.01    /* of the distance between the limits */
#define GAP_GAIN 0.1

struct watch_machine *watch_judge_new(struct watch_family *family, const struct thing_model *model, Str name) {
    struct watch_machine *w = calloc(1, sizeof *w);
    ASSERT(w);
    arena_init(&w->arena, 0);
    w->family = family, w->model = model, w->party = family->party;
    w->last = w->read_until = INT64_MIN;
    w->name = arena_str(&w->arena, name);
    w->track_metrics = arena_zero(&w->arena, family->n_tracked + 1, sizeof *w->track_metrics);
    w->track_components = arena_zero(&w->arena, family->n_components + 1, sizeof *w->track_components);
    w->components = arena_zero(&w->arena, family->n_components + 1, sizeof *w->components);
    size_t n = model->n_metrics < WATCH_METRICS_MAX ? model->n_metrics : WATCH_METRICS_MAX;
    w->metrics = arena_zero(&w->arena, n + 1, sizeof *w->metrics);
    failure_track_init(&w->track, w->track_metrics, family->n_tracked, w->track_components, family->n_components);
    for (size_t i = 0; i < n; i++) {
        anomaly_init(&w->metrics[i].anomaly, 0);
        w->metrics[i].latest = NAN;
    }
    for (size_t c = 0; c < family->n_components; c++) w->components[c].probability = NAN;
    return w;
}

void watch_judge_free(struct watch_machine *w) {
    if (!w) return;
    free(w->labels);
    arena_fini(&w->arena);
    free(w);
}

size_t watch_judge_bytes(const struct watch_machine *w) {
    return sizeof *w + arena_used(&w->arena) + w->labels_cap * sizeof *w->labels;
}

/* ---- findings */
struct finding *watch_judge_found(struct watch_findings *out, PartyId party, ThingId thing, Str name,
                                  enum finding_kind kind, Nanos at) {
    struct finding f = {.kind = kind, .party = party, .thing = thing, .thing_name = name, .at = at};
    VEC_PUSH(out->items, out->n, out->cap, f);
    return &out->items[out->n - 1];
}

static struct finding *add(struct watch_findings *out, const struct watch_machine *w, enum finding_kind kind,
                           Nanos at) {
    return watch_judge_found(out, w->party, w->id, w->name, kind, at);
}

static void because(struct finding *f, struct finding_reason reason) {
    if (f->n_reasons < FINDING_REASONS_MAX) f->reasons[f->n_reasons++] = reason;
}

static void clear(struct watch_findings *out, const struct watch_machine *w, enum finding_kind what, Nanos at,
                  Str metric, Str component) {
    struct finding *f = add(out, w, FINDING_CLEAR, at);
    f->clears = what, f->metric = metric, f->component = component;
}

static Str component_of(const struct thing_metric *metric) { return str_c(metric->component); }

/* ---- limits */
bool watch_judge_is_slow(double gap) { return gap >= (double)SLOW_GAP; }

static uint8_t one_more(uint8_t run, uint8_t most) { return run < most ? (uint8_t)(run + 1) : most; }

enum watch_limit_turn watch_judge_limit(const struct thing_metric *m, double x, bool slow, struct watch_limit *s) {
    if (isnan(m->low) && isnan(m->high)) return WATCH_LIMIT_SAME;
    double band = isnan(m->low) || isnan(m->high) ? 0 : DEADBAND * (m->high - m->low);
    bool beyond = x > m->high || x < m->low; /* false against NaN */
    bool inside = !(x > m->high - band) && !(x < m->low + band);
    s->beyond_run = beyond ? one_more(s->beyond_run, WATCH_BEYOND_RUN) : 0;
    s->inside_run = inside ? one_more(s->inside_run, WATCH_INSIDE_RUN) : 0;
    if (!s->beyond && s->beyond_run >= (slow ? 1 : WATCH_BEYOND_RUN)) return s->beyond = true, WATCH_LIMIT_BEGINS;
    if (s->beyond && s->inside_run >= WATCH_INSIDE_RUN) return s->beyond = false, WATCH_LIMIT_ENDS;
    return WATCH_LIMIT_SAME;
}

static void check_limit(struct watch_machine *w, size_t role, double x, Nanos at, struct watch_findings *out) {
    const struct thing_metric *m = &w->model->metrics[role];
    enum watch_limit_turn turn = watch_judge_limit(m, x, watch_judge_is_slow(w->gap), &w->metrics[role].limit);
    if (turn == WATCH_LIMIT_BEGINS) {
        struct finding *f = add(out, w, FINDING_LIMIT, at);
        f->metric = str_c(m->name), f->component = component_of(m), f->score = x;
        because(f, watch_words_limit(&out->arena, m, x));
    } else if (turn == WATCH_LIMIT_ENDS) {
        clear(out, w, FINDING_LIMIT, at, str_c(m->name), component_of(m));
        out->items[out->n - 1].score = x;
    }
}

/* ---- anomalies: trailing means far from the machine's own baseline; its kind's until that is known */
struct deviation {
    double z12, z24, mean, centre, spread;
    bool own, known;
};

static struct deviation deviation_of(const struct watch_machine *w, size_t m) {
    const struct failure_metric *track = &w->track_metrics[m];
    const struct watch_family *family = w->family;
    struct deviation d = {.own = track->daily.n >= STATS_HUBER_WARM};
    if (!d.own && !family->taught) return d;
    d.centre = d.own ? track->hourly.centre : family->model.kind.centre[m];
    d.spread = d.own ? track->daily.spread : family->model.kind.daily_spread[m];
    double hourly = d.own ? track->hourly.spread : family->model.kind.spread[m];
    double means[FAILURE_WINDOWS];
    int n[FAILURE_WINDOWS];
    failure_track_means(&w->track, m, INT64_MIN, means, n);
    d.mean = means[FAILURE_24H];
    if (n[FAILURE_12H] < WATCH_ANOMALY_HOURS || !(hourly > 0)) return d;
    double wide = fmax(1, d.spread * sqrt(24) / hourly); /* hours that are alike carry less */
    d.spread = hourly * wide / sqrt(24);
    d.z12 = (means[FAILURE_12H] - d.centre) * sqrt(n[FAILURE_12H]) / (hourly * wide);
    d.z24 = (means[FAILURE_24H] - d.centre) * sqrt(n[FAILURE_24H]) / (hourly * wide);
    d.known = true;
    return d;
}

static void check_anomaly(struct watch_machine *w, size_t m, Nanos at, struct watch_findings *out) {
    size_t role = w->family->tracked[m];
    struct watch_metric_state *s = &w->metrics[role];
    const struct thing_metric *metric = &w->model->metrics[role];
    struct deviation d = deviation_of(w, m);
    if (!d.known) return;
    double z = fabs(d.z12) > fabs(d.z24) ? d.z12 : d.z24;
    if (!s->anomalous && fabs(z) >= WATCH_ANOMALY_ON && fabs(d.z12) > WATCH_ANOMALY_OFF) {
        s->anomalous = true;
        struct finding *f = add(out, w, FINDING_ANOMALY, at);
        f->metric = str_c(metric->name), f->component = component_of(metric), f->score = z;
        because(f, watch_words_shift(&out->arena, metric, d.mean, d.centre, d.spread, d.own, z));
    } else if (s->anomalous && fabs(d.z12) < WATCH_ANOMALY_OFF) {
        s->anomalous = false;
        clear(out, w, FINDING_ANOMALY, at, str_c(metric->name), component_of(metric));
        out->items[out->n - 1].score = d.z12;
    }
}

/* ---- codes */
size_t watch_judge_split(struct watch_family *family, Str text, uint8_t out[], size_t max) {
    size_t n = 0;
    for (Str head, rest = text; rest.len && n < max;) {
        str_cut(rest, '|', &head, &rest);
        head = str_trim(head);
        if (!head.len) continue;
        uint8_t code = watch_family_code(family, head);
        if (code < FAILURE_CODES_MAX) out[n++] = code;
    }
    return n;
}

static bool take_codes(struct watch_machine *w, uint8_t role, Str text, Nanos at, struct watch_findings *out) {
    uint8_t codes[FAILURE_RECENT_CODES];
    size_t n = watch_judge_split(w->family, text, codes, FAILURE_RECENT_CODES);
    for (size_t i = 0; i < n; i++) {
        failure_track_code(&w->track, codes[i], at);
        w->codes_on |= UINT64_C(1) << codes[i];
        w->code_at[codes[i]] = at;
        struct finding *f = add(out, w, FINDING_CODE, at);
        f->metric = str_c(w->model->metrics[role].name);
        f->text = w->family->codes[codes[i]];
        f->score = 1;
    }
    return n > 0;
}

static void clear_codes(struct watch_machine *w, Nanos at, struct watch_findings *out) {
    for (uint8_t e = 0; e < w->family->n_codes && w->codes_on; e++) {
        if (!(w->codes_on >> e & 1) || at - w->code_at[e] < WATCH_CODE_CLEARS) continue;
        w->codes_on &= ~(UINT64_C(1) << e);
        clear(out, w, FINDING_CODE, at, str_c(w->model->code_metric), (Str){0});
        out->items[out->n - 1].text = w->family->codes[e];
    }
}

/* ---- predictions */
static void expire(struct watch_machine *w, Nanos at, struct watch_findings *out) {
    for (size_t c = 0; c < w->family->n_components; c++) {
        struct watch_component_state *s = &w->components[c];
        if (!s->predicted_at || at - s->predicted_at <= FAILURE_HORIZON) continue;
        s->predicted_at = 0;
        clear(out, w, FINDING_PREDICTION, at, (Str){0}, str_c(w->model->components[c].name));
    }
}

static void predict(struct watch_machine *w, Nanos at, struct watch_findings *out) {
    const struct watch_family *family = w->family;
    struct failure_look looks[FAILURE_COMPONENTS_MAX];
    if (!family->taught || !family->n_components) return;
    failure_looks(&w->track, &family->model.kind, at, looks);
    for (size_t c = 0; c < family->n_components; c++) {
        struct watch_component_state *s = &w->components[c];
        s->probability = failure_judge(&family->model, c, &looks[c], NULL);
        if (s->predicted_at || s->probability < family->model.threshold) continue;
        s->predicted_at = at;
        struct finding *f = add(out, w, FINDING_PREDICTION, at);
        f->component = str_c(w->model->components[c].name);
        f->score = s->probability, f->horizon = FAILURE_HORIZON;
        f->text = str_c(family->row.name);
        f->n_reasons = watch_words_reasons(&out->arena, w, c, &looks[c], at, f->reasons);
    }
}

/* ---- labels */
static void take_label(struct watch_machine *w, const struct watch_label *label) {
    struct watch_component_state *s = &w->components[label->component];
    failure_track_replaced(&w->track, label->component, label->at);
    Nanos *when = label->failed ? &s->failed_at : &s->replaced_at;
    if (label->at > *when) *when = label->at;
    if (s->predicted_at && s->predicted_at <= label->at) s->predicted_at = 0; /* it came true, or the part is new */
}

void watch_judge_pass_labels(struct watch_machine *w, Nanos before) {
    while (w->labels_done < w->n_labels && w->labels[w->labels_done].at < before)
        take_label(w, &w->labels[w->labels_done++]);
}

bool watch_judge_label(struct watch_machine *w, const struct watch_label *label) {
    size_t i = w->n_labels;
    while (i > 0 && w->labels[i - 1].at > label->at) i--;
    for (size_t k = i; k > 0 && w->labels[k - 1].at == label->at; k--)
        if (w->labels[k - 1].component == label->component && w->labels[k - 1].failed == label->failed) return false;
    VEC_PUSH(w->labels, w->n_labels, w->labels_cap, *label);
    memmove(&w->labels[i + 1], &w->labels[i], (w->n_labels - 1 - i) * sizeof *w->labels);
    w->labels[i] = *label;
    if (i < w->labels_done || (w->last != INT64_MIN && label->at < w->last)) { /* late */
        take_label(w, label);
        if (i <= w->labels_done) w->labels_done++;
    }
    return true;
}

/* ---- rows */
double watch_judge_gap(double known, Nanos last, Nanos at) {
    if (last == INT64_MIN || at <= last) return known;
    double gap = (double)(at - last);
    return known > 0 ? known + GAP_GAIN * (fmin(gap, 4 * known) - known) : gap;
}

static void take_value(struct watch_machine *w, const struct watch_value *v, Nanos at, struct watch_findings *out) {
    struct watch_metric_state *s = &w->metrics[v->role];
    int8_t m = w->family->track_of[v->role];
    if (m >= 0) failure_track_value(&w->track, (size_t)m, v->num);
    s->latest = v->num;
    s->score = anomaly_add(&s->anomaly, v->num);
    check_limit(w, v->role, v->num, at, out);
}

void watch_judge_row(struct watch_machine *w, Nanos at, const struct watch_value *values, size_t n,
                     struct watch_findings *out) {
    watch_judge_pass_labels(w, at);
    bool hour = failure_track_advance(&w->track, at), codes = false;
    w->gap = watch_judge_gap(w->gap, w->last, at);
    w->last = at;
    for (size_t i = 0; i < n; i++) {
        if (values[i].text.ptr)
            codes |= take_codes(w, values[i].role, values[i].text, at, out);
        else
            take_value(w, &values[i], at, out);
    }
    if (hour) {
        for (size_t m = 0; m < w->family->n_tracked; m++) check_anomaly(w, m, at, out);
        clear_codes(w, at, out);
        expire(w, at, out);
    }
    if (hour || codes) predict(w, at, out);
}

/* ---- looking */
static void look_at_metric(const struct watch_machine *w, size_t role, struct watch_metric *out) {
    const struct watch_metric_state *s = &w->metrics[role];
    int8_t m = w->family->track_of[role];
    *out = (struct watch_metric){NAN, NAN, NAN, NAN, NAN, NAN, NAN, 0, s->score, s->limit.beyond, s->anomalous};
    if (m < 0 || w->track.hour == INT64_MIN) return;
    const struct failure_metric *track = &w->track_metrics[m];
    out->value = failure_track_mean(&w->track, (size_t)m, 24, INT64_MIN, NULL);
    if (track->daily.n < STATS_HUBER_WARM) return;
    out->own_median = track->hourly.centre, out->own_mad = track->daily.spread;
    out->own_z = (out->value - out->own_median) / out->own_mad;
}

void watch_judge_look(const struct watch_machine *w, struct watch_thing *out) {
    *out = (struct watch_thing){
        .model = w->model, .last = w->last == INT64_MIN ? 0 : w->last, .health = NAN, .usual_gap = (Nanos)w->gap};
    for (size_t i = 0; i < w->model->n_metrics && i < WATCH_METRICS_MAX; i++) {
        look_at_metric(w, i, &out->metrics[i]);
        if (out->metrics[i].anomalous && out->state < WATCH_WARNING) out->state = WATCH_WARNING;
        if (out->metrics[i].beyond_limit) out->state = WATCH_ALARM;
    }
    for (size_t c = 0; c < w->family->n_components && c < WATCH_COMPONENTS_MAX; c++) {
        const struct watch_component_state *s = &w->components[c];
        out->components[c] = (struct watch_component){s->replaced_at, s->failed_at, s->probability, s->predicted_at};
        if (s->predicted_at) out->state = WATCH_ALARM;
    }
}
