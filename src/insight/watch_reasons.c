/* Why: a prediction's parts in words. The features that speak of shifts are told by the metrics behind them, since a
 * person knows a voltage and not a matched filter. */
#include <math.h>
#include <stdlib.h>

#include "insight/watch_inner.h"

Str watch_reasons_metric(struct arena *arena, const struct thing_metric *metric, const struct watch_metric *s,
                         bool zh) {
    bool own = !isnan(s->own_median);
    double usual = own ? s->own_median : s->peer_median, spread = own ? s->own_mad : s->peer_mad;
    if (isnan(usual))
        return zh ? arena_printf(arena, "%s：24 小时均值 %.4g %s", metric->title_zh, s->value, metric->unit)
                  : arena_printf(arena, "%s: 24 h mean %.4g %s", metric->title_en, s->value, metric->unit);
    return zh ? arena_printf(arena, "%s：24 小时均值 %.4g %s，%s %.4g ± %.2g %s", metric->title_zh, s->value,
                             metric->unit, own ? "自身常态" : "同型常态", usual, spread, metric->unit)
              : arena_printf(arena, "%s: 24 h mean %.4g %s, %s baseline %.4g ± %.2g %s", metric->title_en, s->value,
                             metric->unit, own ? "own" : "peers'", usual, spread, metric->unit);
}

static void push(struct finding *f, struct finding_reason reason) {
    if (!(reason.weight > 0)) return;
    size_t at = f->n_reasons;
    if (at == FINDING_REASONS_MAX && reason.weight <= f->reasons[at - 1].weight) return;
    if (at < FINDING_REASONS_MAX)
        f->n_reasons++;
    else
        at--;
    for (; at > 0 && f->reasons[at - 1].weight < reason.weight; at--) f->reasons[at] = f->reasons[at - 1];
    f->reasons[at] = reason;
}

/* The shift's parts, shared out among the metrics as each moved the filter. */
static void add_shifts(struct arena *arena, const struct watched *t, size_t c, const struct failure_look *look,
                       double part, struct finding *out) {
    const struct failure_model *model = &t->kind->family->model;
    double along[WATCH_INNER_METRICS], sum = 0;
    for (size_t m = 0; m < t->kind->n_metrics; m++) {
        along[m] = fmax(0, model->filter[c][m] * (double)look->z[FAILURE_24H][m]);
        sum += along[m];
    }
    for (size_t m = 0; m < t->kind->n_metrics && sum > 0; m++) {
        const struct thing_metric *metric = &t->kind->model->metrics[m];
        struct watch_metric now = t->shown[m];
        int n;
        now.value = failure_track_mean(&t->track, m, 24, INT64_MIN, &n);
        if (along[m] < 0.1 * sum || isnan(now.value)) continue;
        push(out, (struct finding_reason){str_c(metric->name), part * along[m] / sum,
                                          watch_reasons_metric(arena, metric, &now, false),
                                          watch_reasons_metric(arena, metric, &now, true)});
    }
}

static void add_codes(struct arena *arena, const struct watched *t, size_t c, const struct failure_look *look,
                      double part, struct finding *out) {
    const struct watch_family *family = t->kind->family;
    Str list = {0};
    for (size_t e = 0; e < family->n_codes; e++)
        if (look->codes_48h >> e & 1 && family->model.code_there[c][e] > 0)
            list = arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(list), list.len ? ", " : "",
                                STR_ARG(family->code_names[e]));
    if (list.len == 0) return;
    push(out, (struct finding_reason){str_c(t->kind->model->code_metric), part,
                                      arena_printf(arena, "fault codes in 48 h: " STR_FMT, STR_ARG(list)),
                                      arena_printf(arena, "48 小时内故障码：" STR_FMT, STR_ARG(list))});
}

void watch_reasons_prediction(struct watch *watch, const struct watched *t, size_t c, const struct failure_look *look,
                              const double parts[FAILURE_FEATURES], struct finding *out) {
    const struct thing_component *component = &t->kind->model->components[c];
    struct arena *arena = &watch->scratch;
    double shift = parts[FAILURE_SHIFT_12H] + parts[FAILURE_SHIFT_24H] + parts[FAILURE_SILENT] + parts[FAILURE_BOTH];
    add_shifts(arena, t, c, look, shift, out);
    add_codes(arena, t, c, look, parts[FAILURE_CODES_24H] + parts[FAILURE_CODES_48H], out);
    double life = t->kind->family->model.mean_life_hours[c];
    if (isnan(look->age_hours) || !(life > 0)) return;
    push(out, (struct finding_reason){STR("age"), parts[FAILURE_AGE],
                                      arena_printf(arena, "%s: %.0f h old, pieces like it lasted %.0f h",
                                                   component->title_en, (double)look->age_hours, life),
                                      arena_printf(arena, "%s：已用 %.0f 小时，同类平均寿命 %.0f 小时",
                                                   component->title_zh, (double)look->age_hours, life)});
}
