/* The lens and the ask come together here; what follows of it is the backend's. Latest values are this node's. */
#include "store/series_batch.h"

#include "model/gate_rules.h"
#include "store/series_merge.h"
#include "store/series_ops.h"

/* Whole windows of what the lens shows as one, or nothing: part of one would be finer than allowed. */
static Err check_ask(const struct lens *lens, const struct series_ask *ask) {
    if (ask->n_metrics > SERIES_ASK_METRICS_MAX)
        return err_make(ERR_LIMIT, "%zu metrics at once: ask for %u at most", ask->n_metrics, SERIES_ASK_METRICS_MAX);
    if (ask->window < 0) return err_make(ERR_INVALID, "window of %lld ns: give 0 for none", (long long)ask->window);
    bool coarse = ask->window > 0 && lens->resolution > 0 && ask->window % lens->resolution == 0 &&
                  ask->origin % lens->resolution == 0;
    if (lens->resolution > 0 && !coarse)
        return err_make(ERR_FORBIDDEN, "single samples are not shown: ask for windows");
    return err_none();
}

static Nanos next_whole(Nanos t, Nanos step) {
    Nanos start = series_merge_window_start(t, step);
    return start == t ? t : start > INT64_MAX - step ? INT64_MAX : start + step;
}

Err series_batch_scan(struct series *series, const struct lens *lens, const struct series_ask *ask,
                      series_batch_sink *sink, void *ctx) {
    TRY(check_ask(lens, ask));
    struct series_inside inside = series_inside(series);
    struct series_asked asked = {.party = lens->party, .every_party = lens->every_party, .ask = *ask};
    Nanos from = ask->from, to = ask->to ? ask->to : INT64_MAX;
    if (lens->resolution > 0 && GATE_RULE_ON(WHOLE_HOURS))
        from = series_merge_window_start(from, lens->resolution), to = next_whole(to, lens->resolution);
    asked.ask.from = from > lens->from ? from : lens->from;
    asked.ask.to = to < lens->to ? to : lens->to;
    if (asked.ask.from >= asked.ask.to) return err_none();
    return inside.ops->batch(inside.engine, &asked, sink, ctx);
}

Err series_batch_latest(struct series *series, const struct lens *lens, const ThingId *things, size_t n_things,
                        const MetricId *metrics, size_t n_metrics, struct arena *arena, Value *out, Nanos *times) {
    struct series_inside inside = series_inside(series);
    if (lens->resolution > 0) return err_make(ERR_FORBIDDEN, "single samples are not shown: ask for windows");
    for (size_t i = 0; i < n_things; i++, out += n_metrics, times += n_metrics) {
        PartyId party = series_names_party(inside.front.names, things[i]);
        bool shown = party != 0 && (lens->every_party || party == lens->party);
        if (shown)
            series_live_values(inside.front.live, things[i], metrics, n_metrics, lens->from, lens->to, arena, out,
                               times);
        for (size_t k = 0; !shown && k < n_metrics; k++) out[k] = (Value){.kind = VALUE_NONE}, times[k] = 0;
    }
    return err_none();
}
