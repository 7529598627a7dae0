/* Batches by way of series_read: one metric after another, put side by side by time. */
#include "store/series_batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/series_union.h"

struct batching {
    struct series *series;
    const struct lens *lens;
    const struct series_ask *ask;
    series_batch_sink *sink;
    void *ctx;
    struct series_union rows;
    struct series_batch_column columns[SERIES_ASK_METRICS_MAX];
    bool stopped, any;
};

static bool cancelled(const struct series_ask *ask) { return ask->cancel && atomic_load(ask->cancel); }

static bool take(void *ctx, const struct series_point *p) {
    struct batching *b = ctx;
    b->any = true;
    series_union_add(&b->rows, &p->time, &p->value, 1);
    return !cancelled(b->ask);
}

static void put_column(struct batching *b, struct arena *arena, struct series_batch_column *out,
                       const struct series_samples *s) {
    size_t n = b->rows.n_rows, at = 0;
    Value *values = arena_zero(arena, n, sizeof *values);
    double *numbers = arena_zero(arena, n, sizeof *numbers);
    uint64_t *present = arena_zero(arena, (n + 63) / 64, sizeof *present);
    *out = (struct series_batch_column){.numbers_only = true, .kind = VALUE_BOOL, .n_present = s->n};
    bool bools = true, ints = true;
    for (size_t i = 0; i < n && at < s->n; i++) {
        if (s->times[at] != b->rows.rows[i]) continue;
        Value v = s->values[at++];
        values[i] = v;
        present[i / 64] |= UINT64_C(1) << i % 64;
        numbers[i] = value_as_num(v);
        if (v.kind != VALUE_BOOL) bools = false;
        if (v.kind != VALUE_INT) ints = false;
        if (v.kind == VALUE_STRING || (v.kind == VALUE_INT && fabs(numbers[i]) >= 0x1p53)) out->numbers_only = false;
        if (v.kind == VALUE_BOOL && i > 0 && !bools) out->numbers_only = false;
    }
    if (!bools) out->kind = ints ? VALUE_INT : VALUE_FLOAT;
    out->numbers = numbers, out->values = values, out->present = s->n == n ? NULL : present;
}

static Err give_thing(struct batching *b, ThingId thing) {
    const struct series_ask *ask = b->ask;
    PartyId party;
    Str name;
    if (!series_thing_name(b->series, thing, &party, &name)) return err_none();
    series_union_clear(&b->rows);
    b->any = false;
    for (size_t k = 0; k < ask->n_metrics; k++) {
        struct series_query query = {.thing = thing, .metric = ask->metrics[k], .from = ask->from, .to = ask->to};
        series_union_column(&b->rows, ask->metrics[k]);
        TRY(series_read(b->series, b->lens, &query, take, b));
    }
    if (!b->any) return err_none();
    series_union_sort(&b->rows);
    struct arena arena = {0};
    for (size_t k = 0; k < ask->n_metrics; k++) put_column(b, &arena, &b->columns[k], &b->rows.columns[k].samples);
    struct series_batch batch = {
        .party = party, .thing = thing, .n = b->rows.n_rows, .times = b->rows.rows, .columns = b->columns};
    if (!b->sink(b->ctx, &batch)) b->stopped = true;
    arena_fini(&arena);
    return err_none();
}

Err series_batch_scan(struct series *series, const struct lens *lens, const struct series_ask *ask,
                      series_batch_sink *sink, void *ctx) {
    if (lens->resolution > 0) return err_make(ERR_FORBIDDEN, "single samples are not shown: ask for windows");
    struct batching b = {.series = series, .lens = lens, .ask = ask, .sink = sink, .ctx = ctx};
    size_t n = ask->things ? ask->n_things : series_thing_count(series);
    Err err = err_none();
    for (size_t i = 0; i < n && !b.stopped && err.code == ERR_NONE; i++) {
        err = give_thing(&b, ask->things ? ask->things[i] : (ThingId)(i + 1));
        if (err.code == ERR_NONE && cancelled(ask)) err = err_make(ERR_CANCELLED, "the reading was stopped");
    }
    series_union_fini(&b.rows);
    return err;
}

Err series_batch_latest(struct series *series, const struct lens *lens, const ThingId *things, size_t n_things,
                        const MetricId *metrics, size_t n_metrics, struct arena *arena, Value *out, Nanos *times) {
    for (size_t i = 0; i < n_things * n_metrics; i++) out[i] = (Value){.kind = VALUE_NONE}, times[i] = 0;
    for (size_t i = 0; i < n_things; i++) {
        struct series_latest *latest;
        size_t n;
        TRY(series_latest(series, lens, things[i], arena, &latest, &n));
        for (size_t j = 0; j < n; j++)
            for (size_t k = 0; k < n_metrics; k++)
                if (latest[j].metric == metrics[k])
                    out[i * n_metrics + k] = latest[j].value, times[i * n_metrics + k] = latest[j].time;
    }
    return err_none();
}
