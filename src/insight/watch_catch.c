#include "insight/watch_catch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/num.h"
#include "base/vec.h"
#include "insight/watch_past.h"
#include "store/series_batch.h"
#include "trust/gate.h"

/* ---- catching up */

struct catching {
    struct watch_fleet *fleet;
    MetricId metrics[WATCH_METRICS_MAX];
    uint8_t roles[WATCH_METRICS_MAX]; /* of each */
    bool codes[WATCH_METRICS_MAX];
    size_t n;
    void (*said)(void *ctx, struct watch_findings *found);
    void *ctx;
    struct watch_findings *out;
};

static void list_metrics(struct catching *c, const struct watch_family *family) {
    const struct thing_model *like = family->like;
    for (size_t i = 0; i < watch_lean_metrics(like); i++) {
        const char *name = like->metrics[i].name;
        if (!series_find_metric(c->fleet->options->series, str_c(name), &c->metrics[c->n])) continue;
        c->roles[c->n] = (uint8_t)i;
        c->codes[c->n++] = like->code_metric && strcmp(like->code_metric, name) == 0;
    }
}

/* Leans that lack something; the earliest moment from which. */
static ThingId *list_things(const struct watch_fleet *f, const struct watch_family *family, size_t *n, Nanos *from,
                            Nanos *to) {
    ThingId *things = NULL;
    size_t cap = 0;
    *n = 0, *from = INT64_MAX, *to = INT64_MIN;
    for (size_t i = 0; i < f->leans.n; i++) {
        const struct watch_lean *w = f->leans.items[i];
        if (w->family != family || !w->id || w->cold || w->last == INT64_MIN || w->last >= w->stored_until) continue;
        VEC_PUSH(things, *n, cap, w->id);
        if (w->last < *from) *from = w->last;
        if (w->stored_until > *to) *to = w->stored_until;
    }
    return things;
}

static bool value_at(const struct series_batch_column *column, size_t i, Value *out) {
    if (!column->n_present) return false;
    if (!column->numbers_only) return *out = column->values[i], out->kind != VALUE_NONE;
    if (column->present && !(column->present[i / 64] >> (i % 64) & 1)) return false;
    return *out = VALUE_F(column->numbers[i]), true;
}

static size_t row_values(const struct catching *c, const struct series_batch *batch, size_t i,
                         struct watch_value values[WATCH_METRICS_MAX], char number[NUM_TEXT_MAX]) {
    size_t n = 0;
    for (size_t k = 0; k < c->n; k++) {
        Value v;
        if (!value_at(&batch->columns[k], i, &v)) continue;
        double x = value_as_num(v);
        if (!c->codes[k] && isnan(x)) continue;
        values[n] = (struct watch_value){c->roles[k], x, {0}};
        if (c->codes[k]) values[n].text = v.kind == VALUE_STRING ? v.s : num_format(x, number);
        n++;
    }
    return n;
}

static struct watch_lean *lean_of(const struct watch_fleet *f, ThingId id) {
    uint32_t cell = id < f->n_ids ? f->by_id[id] : 0;
    return cell && cell != UINT32_MAX && cell & WATCH_LEAN ? f->leans.items[(cell & ~WATCH_LEAN) - 1] : NULL;
}

static bool take(void *ctx, const struct series_batch *batch) {
    struct catching *c = ctx;
    struct watch_lean *w = lean_of(c->fleet, batch->thing);
    struct watch_value values[WATCH_METRICS_MAX];
    char number[NUM_TEXT_MAX];
    for (size_t i = 0; w && i < batch->n; i++) {
        if (batch->times[i] <= w->last || batch->times[i] > w->stored_until) continue;
        size_t n = row_values(c, batch, i, values, number);
        thread_lock(&c->fleet->lock);
        watch_lean_values(w, c->fleet->options->series, batch->times[i], values, n, c->out);
        thread_unlock(&c->fleet->lock);
        c->fleet->judged_rows++;
        if (c->out->n) c->said(c->ctx, c->out);
    }
    return true;
}

void watch_catch_up(struct watch_fleet *f, const struct watch_family *family,
                    void (*said)(void *ctx, struct watch_findings *found), void *ctx, struct watch_findings *out) {
    struct catching c = {.fleet = f, .said = said, .ctx = ctx, .out = out};
    struct series_ask ask = {.metrics = c.metrics};
    ThingId *things = list_things(f, family, &ask.n_things, &ask.from, &ask.to);
    list_metrics(&c, family);
    ask.things = things, ask.n_metrics = c.n;
    if (ask.n_things && c.n) {
        struct lens lens = gate_lens_party(family->party, "the watch judges what an earlier run did not");
        ask.from++, ask.to++;
        Err err = series_batch_scan(f->options->series, &lens, &ask, take, &c);
        if (err.code != ERR_NONE) LOG_WARN("watch.past", LOG_C("why", err.text));
    }
    free(things);
}

/* ---- learning from the past */

void watch_catch_past(struct watch_fleet *f, struct watch_lean *w, Nanos from, Nanos to) {
    struct arena arena;
    struct watch_past past = {0};
    arena_init(&arena, 0);
    Err err = watch_past_read(f->options->series, w->family, w->id, from, to, &arena, &past);
    if (err.code != ERR_NONE) LOG_WARN("watch.past", LOG_I("thing", w->id), LOG_C("why", err.text));
    thread_lock(&f->lock);
    for (size_t h = 0; err.code == ERR_NONE && h < past.n_hours; h++) {
        const struct watch_hour *hours = &past.hours[h * past.n_metrics];
        for (size_t m = 0; m < past.n_metrics; m++) {
            if (!hours[m].count) continue;
            watch_lean_advance(w, (past.first_hour + (int64_t)h) * NANOS_PER_HOUR);
            baseline_fill(&w->metrics[w->family->tracked[m]], hours[m].sum / hours[m].count, hours[m].count);
        }
    }
    if (w->hour != INT64_MIN) w->last = to - 1;
    thread_unlock(&f->lock);
    watch_past_free(&past);
    arena_fini(&arena);
}
