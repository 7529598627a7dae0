#include "insight/watch_words.h"

#include <math.h>

#define TELLING 0.05 /* a metric with less of the filter's direction than this is not named */

struct finding_reason watch_words_shift(struct arena *arena, const struct thing_metric *m, double mean, double centre,
                                        double spread, bool own, double weight) {
    double far = spread > 0 ? (mean - centre) / spread : 0;
    return (struct finding_reason){
        .metric = str_c(m->name),
        .weight = weight,
        .text_en = arena_printf(arena, "%s: 24 h mean %.4g %s, %s baseline %.4g ± %.2g %s (%+.1f deviations)",
                                m->title_en, mean, m->unit, own ? "own" : "its kind's", centre, spread, m->unit, far),
        .text_zh = arena_printf(arena, "%s：24 小时均值 %.4g %s，%s基线 %.4g ± %.2g %s（偏离 %+.1f 倍标准差）",
                                m->title_zh, mean, m->unit, own ? "自身" : "同类", centre, spread, m->unit, far),
    };
}

struct finding_reason watch_words_limit(struct arena *arena, const struct thing_metric *m, double value) {
    bool high = value > m->high;
    double limit = high ? m->high : m->low;
    return (struct finding_reason){
        .metric = str_c(m->name),
        .weight = 1,
        .text_en = arena_printf(arena, "%s %.4g %s, %s its limit of %.4g %s", m->title_en, value, m->unit,
                                high ? "above" : "below", limit, m->unit),
        .text_zh = arena_printf(arena, "%s %.4g %s，%s限值 %.4g %s", m->title_zh, value, m->unit,
                                high ? "高于" : "低于", limit, m->unit),
    };
}

struct finding_reason watch_words_code(struct arena *arena, Str code, double times, double weight) {
    return (struct finding_reason){
        .metric = arena_str(arena, code),
        .weight = weight,
        .text_en =
            arena_printf(arena, "Fault code " STR_FMT " lately: %.2g times as frequent before such failures as usual",
                         STR_ARG(code), times),
        .text_zh =
            arena_printf(arena, "近期出现故障码 " STR_FMT "：此类故障前的出现率是平时的 %.2g 倍", STR_ARG(code), times),
    };
}

struct finding_reason watch_words_age(struct arena *arena, const struct thing_component *c, double hours, double mean,
                                      double weight) {
    return (struct finding_reason){
        .metric = STR("age"),
        .weight = weight,
        .text_en =
            arena_printf(arena, "%s in use for %.0f h; replaced after %.0f h on average", c->title_en, hours, mean),
        .text_zh = arena_printf(arena, "%s已运行 %.0f 小时；平均 %.0f 小时更换一次", c->title_zh, hours, mean),
    };
}

/* ---- reasons of a prediction */
struct reasons {
    struct finding_reason *out;
    size_t n;
};

/* Keeps the weightiest, in order. */
static void keep(struct reasons *r, struct finding_reason reason) {
    size_t i = r->n < FINDING_REASONS_MAX ? r->n++ : FINDING_REASONS_MAX - 1;
    if (i == FINDING_REASONS_MAX - 1 && r->n == FINDING_REASONS_MAX && r->out[i].text_en.ptr &&
        fabs(r->out[i].weight) >= fabs(reason.weight))
        return;
    for (; i > 0 && fabs(r->out[i - 1].weight) < fabs(reason.weight); i--) r->out[i] = r->out[i - 1];
    r->out[i] = reason;
}

static void add_shifts(struct reasons *r, struct arena *arena, const struct watch_machine *machine, size_t c,
                       const struct failure_look *look, double weight) {
    const struct failure_model *model = &machine->family->model;
    double all = 0;
    for (size_t m = 0; m < model->n_metrics; m++) all += fabs(model->filter[c][m] * (double)look->z[FAILURE_24H][m]);
    Nanos since = machine->track_components[c].replaced;
    for (size_t m = 0; m < model->n_metrics && all > 0; m++) {
        if (fabs(model->filter[c][m]) < TELLING) continue;
        const struct failure_metric *track = &machine->track_metrics[m];
        bool own = track->daily.n >= STATS_HUBER_WARM;
        double share = model->filter[c][m] * (double)look->z[FAILURE_24H][m] / all;
        double mean = failure_track_mean(&machine->track, m, 24, since, NULL);
        double centre = own ? track->hourly.centre : model->kind.centre[m];
        double spread = own ? track->daily.spread : model->kind.daily_spread[m];
        if (isnan(mean)) continue;
        keep(r, watch_words_shift(arena, &machine->model->metrics[machine->family->tracked[m]], mean, centre, spread,
                                  own, weight * share));
    }
}

static void add_codes(struct reasons *r, struct arena *arena, const struct watch_machine *machine, size_t c,
                      const struct failure_look *look, double weight) {
    const struct failure_model *model = &machine->family->model;
    double all = 0;
    for (size_t e = 0; e < model->n_codes; e++)
        if (look->codes_48h >> e & 1) all += fabs(model->code_there[c][e]);
    for (size_t e = 0; e < model->n_codes && all > 0; e++)
        if (look->codes_48h >> e & 1)
            keep(r, watch_words_code(arena, machine->family->codes[e], exp(model->code_there[c][e]),
                                     weight * model->code_there[c][e] / all));
}

size_t watch_words_reasons(struct arena *arena, const struct watch_machine *machine, size_t c,
                           const struct failure_look *look, Nanos at, struct finding_reason out[FINDING_REASONS_MAX]) {
    const struct failure_model *model = &machine->family->model;
    double parts[FAILURE_FEATURES];
    struct reasons r = {out, 0};
    failure_judge(model, c, look, parts);
    double both = parts[FAILURE_BOTH] / 2;
    for (size_t i = 0; i < FINDING_REASONS_MAX; i++) out[i] = (struct finding_reason){0};
    add_shifts(&r, arena, machine, c, look,
               parts[FAILURE_SHIFT_12H] + parts[FAILURE_SHIFT_24H] + parts[FAILURE_SILENT] + both);
    add_codes(&r, arena, machine, c, look, parts[FAILURE_CODES_24H] + parts[FAILURE_CODES_48H] + both);
    Nanos since = machine->track_components[c].replaced;
    if (since != INT64_MIN && model->mean_life_hours[c] > 0)
        keep(&r, watch_words_age(arena, &machine->model->components[c], (double)(at - since) / (double)NANOS_PER_HOUR,
                                 model->mean_life_hours[c], parts[FAILURE_AGE]));
    return r.n;
}
