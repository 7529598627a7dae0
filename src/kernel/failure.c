#include "kernel/failure.h"

#include <math.h>

#include "base/err.h"

#define KIND_HOURS 72.0 /* the kind's baseline counts as much as this many hours of the machine's own */
#define SHIFT_MAX 4.0
#define CODES_MAX 3.0
#define Z_MAX 20.0

static double clip(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/* A machine's own baseline drawn towards its kind's. */
struct baseline {
    double centre, spread; /* spread: of one hourly mean, widened when hours are alike (autocorrelated) */
};

static struct baseline baseline_of(const struct failure_metric *metric, const struct failure_kind *kind, size_t m) {
    double own = metric->hourly.n >= STATS_HUBER_WARM ? metric->hourly.n : 0;
    double own_day = metric->daily.n >= STATS_HUBER_WARM ? metric->daily.n : 0;
    double part = own / (own + KIND_HOURS), part_day = own_day / (own_day + 2 * KIND_HOURS);
    struct baseline b = {kind->centre[m], kind->spread[m]};
    double day = kind->daily_spread[m];
    if (own > 0) {
        b.centre += part * (metric->hourly.centre - b.centre);
        b.spread += part * (metric->hourly.spread - b.spread);
    }
    if (own_day > 0) day += part_day * (metric->daily.spread - day);
    double inflation = day * sqrt(24) / b.spread;
    if (inflation > 1) b.spread *= inflation;
    return b;
}

static void look_at_metrics(const struct failure_track *track, const struct baseline baselines[], Nanos since,
                            struct failure_look *out) {
    for (size_t m = 0; m < track->n_metrics; m++) {
        double mean[FAILURE_WINDOWS];
        int n[FAILURE_WINDOWS];
        failure_track_means(track, m, since, mean, n);
        for (size_t w = 0; w < FAILURE_WINDOWS; w++)
            if (n[w] && baselines[m].spread > 0)
                out->z[w][m] =
                    (float)clip((mean[w] - baselines[m].centre) * sqrt(n[w]) / baselines[m].spread, -Z_MAX, Z_MAX);
    }
}

/* Components that have not been touched for 48 hours see the same metrics and codes. */
void failure_looks(const struct failure_track *track, const struct failure_kind *kind, Nanos at,
                   struct failure_look out[]) {
    struct baseline baselines[FAILURE_METRICS_MAX];
    for (size_t m = 0; m < track->n_metrics; m++) baselines[m] = baseline_of(&track->metrics[m], kind, m);
    const struct failure_look *untouched = NULL;
    for (size_t c = 0; c < track->n_components; c++) {
        Nanos since = track->components[c].replaced;
        bool touched = since != INT64_MIN && since > at - (FAILURE_HOURS + 1) * NANOS_PER_HOUR;
        if (!touched && untouched) {
            out[c] = *untouched;
        } else {
            out[c] = (struct failure_look){0};
            look_at_metrics(track, baselines, since, &out[c]);
            out[c].codes_24h = failure_track_codes(track, at, 24, since);
            out[c].codes_48h = failure_track_codes(track, at, 48, since);
        }
        if (!touched) untouched = &out[c];
        out[c].age_hours = since == INT64_MIN ? NAN : (float)((double)(at - since) / (double)NANOS_PER_HOUR);
    }
}

static double project(const struct failure_model *model, size_t c, const float z[FAILURE_METRICS_MAX]) {
    double s = 0;
    for (size_t m = 0; m < model->n_metrics; m++) s += model->filter[c][m] * (double)z[m];
    return s;
}

static double codes_evidence(const struct failure_model *model, size_t c, uint64_t set) {
    double sum = 0;
    bool any = false;
    for (size_t e = 0; e < model->n_codes; e++) {
        bool there = set >> e & 1;
        any |= there && model->code_there[c][e] > 1;
        sum += there ? model->code_there[c][e] : model->code_absent[c][e];
    }
    return any ? clip(round(sum * 1e9) / 1e9, -CODES_MAX, CODES_MAX) : 0; /* whatever the order of the codes */
}

void failure_features(const struct failure_model *model, size_t component, const struct failure_look *look,
                      double out[FAILURE_FEATURES]) {
    double s[FAILURE_WINDOWS];
    for (size_t w = 0; w < FAILURE_WINDOWS; w++) s[w] = clip(project(model, component, look->z[w]), 0, SHIFT_MAX);
    out[FAILURE_SHIFT_12H] = fmin(s[FAILURE_12H], 3);
    out[FAILURE_SHIFT_24H] = s[FAILURE_24H];
    double all = 0;
    for (size_t m = 0; m < model->n_metrics; m++)
        all += (double)look->z[FAILURE_24H][m] * (double)look->z[FAILURE_24H][m];
    double along = project(model, component, look->z[FAILURE_24H]);
    out[FAILURE_ELSEWHERE] = clip(sqrt(fmax(0, all - along * along)), 0, SHIFT_MAX);
    out[FAILURE_CODES_24H] = codes_evidence(model, component, look->codes_24h);
    out[FAILURE_CODES_48H] = codes_evidence(model, component, look->codes_48h);
    out[FAILURE_SILENT] = out[FAILURE_CODES_48H] > 0 ? 0 : s[FAILURE_48H];
    out[FAILURE_BOTH] = s[FAILURE_24H] / SHIFT_MAX * fmax(0, out[FAILURE_CODES_24H]);
    double life = model->mean_life_hours[component];
    out[FAILURE_AGE] = isnan(look->age_hours) || !(life > 0) ? 1 : clip((double)look->age_hours / life, 0, 3);
}

double failure_judge(const struct failure_model *model, size_t component, const struct failure_look *look,
                     double parts[FAILURE_FEATURES]) {
    double x[FAILURE_FEATURES], odds = model->bias;
    if (parts)
        for (size_t f = 0; f < FAILURE_FEATURES; f++) parts[f] = 0;
    if (!model->failures[component]) return 0;
    failure_features(model, component, look, x);
    for (size_t f = 0; f < FAILURE_FEATURES; f++) {
        double part = model->weight[f] * (x[f] - model->middle[f]) / model->scale[f];
        if (parts) parts[f] = part;
        odds += part;
    }
    return 1 / (1 + exp(-odds));
}

const char *failure_feature_name(enum failure_feature feature) {
    static const char *const names[FAILURE_FEATURES] = {"shift_12h", "shift_24h", "elsewhere", "codes_24h",
                                                        "codes_48h", "silent",    "both",      "age"};
    return names[feature];
}
