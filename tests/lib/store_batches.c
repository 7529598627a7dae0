#include "tests/lib/store_batches.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "os/thread.h"

/* One sample, or many by their summary. `k` is the metric's place in the question. */
struct item {
    ThingId thing;
    size_t k, order;
    Nanos time;
    bool number; /* `x` of the column's kind, else `value` */
    uint8_t kind;
    double x;
    Value value;
    struct series_batch_summary summary; /* n: 0: a sample */
};

struct last {
    bool any;
    unsigned worker;
    Nanos time;
};

struct reading {
    const struct series_ask *ask;
    pthread_mutex_t lock;
    struct arena arena; /* strings */
    struct item *items;
    size_t n, cap, wrong;
    struct last *last; /* by thing */
    uint32_t things;
    ThingId current; /* of one worker: the thing whose batches come */
};

static void complain(struct reading *r, const char *what, ThingId thing, Nanos time) {
    if (r->wrong++ < 5) printf("  batch: %s (thing %u, time %lld)\n", what, thing, (long long)time);
}

static Value keep(struct reading *r, Value v) {
    if (v.kind == VALUE_STRING) v.s = arena_str(&r->arena, v.s);
    return v;
}

static void put(struct reading *r, struct item item) {
    item.order = r->n;
    VEC_PUSH(r->items, r->n, r->cap, item);
}

static void check_form(struct reading *r, const struct series_batch *b) {
    if (b->n == 0 || b->thing == 0 || b->thing > r->things) {
        complain(r, "without rows, or of an unknown thing", b->thing, 0);
        return;
    }
    struct last *last = &r->last[b->thing];
    if (b->worker >= (r->ask->workers ? r->ask->workers : 1))
        complain(r, "of an unknown worker", b->thing, b->times[0]);
    if (last->any && last->worker != b->worker) complain(r, "one thing from two workers", b->thing, b->times[0]);
    if (last->any && last->time >= b->times[0]) complain(r, "a moment twice or backwards", b->thing, b->times[0]);
    for (size_t i = 1; i < b->n; i++)
        if (b->times[i - 1] >= b->times[i]) complain(r, "times do not rise", b->thing, b->times[i]);
    if (r->ask->workers <= 1 && r->current != b->thing && last->any) complain(r, "a thing in two parts", b->thing, 0);
    r->current = b->thing;
    *last = (struct last){true, b->worker, b->times[b->n - 1]};
    if (b->times[0] < r->ask->from || (r->ask->to && b->times[b->n - 1] >= r->ask->to))
        complain(r, "outside what was asked", b->thing, b->times[0]);
}

static void take_summary(struct reading *r, const struct series_batch *b) {
    if (r->ask->window == 0 || b->n != 1) complain(r, "a summary that nobody asked for", b->thing, b->times[0]);
    for (size_t k = 0; k < r->ask->n_metrics; k++) {
        struct item item = {b->thing, .k = k, .time = b->times[0], .summary = b->summaries[k]};
        if (item.summary.n == 0) continue;
        item.summary.first = keep(r, item.summary.first), item.summary.last = keep(r, item.summary.last);
        put(r, item);
        if (item.summary.last_time > r->last[b->thing].time) r->last[b->thing].time = item.summary.last_time;
    }
}

static bool is_present(const struct series_batch_column *c, size_t i) {
    if (!c->numbers_only) return c->values[i].kind != VALUE_NONE;
    return !c->present || (c->present[i / 64] >> i % 64 & 1);
}

static void take_column(struct reading *r, const struct series_batch *b, size_t k, bool *any) {
    const struct series_batch_column *c = &b->columns[k];
    size_t n = 0;
    for (size_t i = 0; c->n_present && i < b->n; i++) {
        if (!is_present(c, i)) continue;
        struct item item = {b->thing, .k = k, .time = b->times[i], .number = c->numbers_only, .kind = c->kind};
        if (c->numbers_only)
            item.x = c->numbers[i];
        else
            item.value = keep(r, c->values[i]);
        put(r, item);
        n++, any[i] = true;
    }
    if (n != c->n_present) complain(r, "a wrong number of present values", b->thing, b->times[0]);
}

static bool take(void *ctx, const struct series_batch *b) {
    struct reading *r = ctx;
    thread_lock(&r->lock);
    check_form(r, b);
    if (b->summaries) {
        take_summary(r, b);
    } else {
        bool *any = calloc(b->n, sizeof *any);
        ASSERT(any != NULL);
        for (size_t k = 0; k < r->ask->n_metrics; k++) take_column(r, b, k, any);
        for (size_t i = 0; i < b->n; i++) {
            if (r->ask->n_metrics && !any[i]) complain(r, "a row without any of the metrics", b->thing, b->times[i]);
            if (!r->ask->n_metrics) put(r, (struct item){b->thing, .time = b->times[i]});
        }
        free(any);
    }
    thread_unlock(&r->lock);
    return r->wrong < 100;
}

/* ---- what should have come */

static bool shows(const struct store_oracle *o, const struct lens *lens, ThingId thing) {
    return lens->every_party || lens->party == (o->party_of ? o->party_of(thing) : 1);
}

static bool wants(const struct series_ask *ask, ThingId thing) {
    for (size_t i = 0; ask->things && i < ask->n_things; i++)
        if (ask->things[i] == thing) return true;
    return !ask->things;
}

static size_t place_of(const struct series_ask *ask, MetricId metric) {
    for (size_t k = 0; k < ask->n_metrics; k++)
        if (ask->metrics[k] == metric) return k;
    return ask->n_metrics ? SIZE_MAX : 0;
}

static void expect(const struct store_oracle *o, const struct lens *lens, const struct series_ask *ask,
                   struct reading *out) {
    for (size_t i = 0; i < o->n; i++) {
        const struct store_oracle_sample *s = &o->items[i];
        size_t k = place_of(ask, s->metric);
        if (k == SIZE_MAX || !wants(ask, s->thing) || !shows(o, lens, s->thing)) continue;
        if (s->time < ask->from || (ask->to && s->time >= ask->to)) continue;
        if (s->time < lens->from || s->time >= lens->to) continue;
        put(out, (struct item){s->thing, .k = k, .time = s->time, .value = s->value});
    }
}

static int by_place(const void *a, const void *b) {
    const struct item *x = a, *y = b;
    if (x->thing != y->thing) return x->thing < y->thing ? -1 : 1;
    if (x->k != y->k) return x->k < y->k ? -1 : 1;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void sort(struct reading *r) {
    if (r->n > 1) qsort(r->items, r->n, sizeof *r->items, by_place);
}

/* Moments alone: each once. */
static void drop_repeats(struct reading *r) {
    size_t kept = 0;
    for (size_t i = 0; i < r->n; i++)
        if (kept == 0 || r->items[kept - 1].thing != r->items[i].thing || r->items[kept - 1].time != r->items[i].time)
            r->items[kept++] = r->items[i];
    r->n = kept;
}

/* ---- comparing samples */

static bool same_value(Value a, Value b) {
    if (a.kind != b.kind) return false;
    if (a.kind == VALUE_NONE) return true;
    if (a.kind == VALUE_STRING) return str_eq(a.s, b.s);
    if (a.kind == VALUE_FLOAT) return memcmp(&a.f, &b.f, sizeof a.f) == 0;
    return value_eq(a, b);
}

/* Beside values that are no numbers, a whole number may come as a float that is the same. */
static bool same_or_float(Value got, Value want) {
    if (got.kind == VALUE_FLOAT && want.kind == VALUE_INT) return fabs(got.f) < 0x1p53 && (int64_t)got.f == want.i;
    return same_value(got, want);
}

/* A number of a column of numbers says the value without losing any of it. */
static bool same_number(const struct item *got, Value want) {
    switch (want.kind) {
    case VALUE_BOOL: return got->kind == VALUE_BOOL && got->x == (want.b ? 1 : 0);
    case VALUE_INT: return got->kind != VALUE_BOOL && fabs(got->x) < 0x1p63 && (int64_t)got->x == want.i;
    case VALUE_FLOAT:
        if (got->kind == VALUE_INT) return got->x == want.f && fabs(want.f) < 0x1p53;
        return got->kind == VALUE_FLOAT && memcmp(&got->x, &want.f, sizeof want.f) == 0;
    default: return false;
    }
}

static void compare_samples(struct reading *got, const struct reading *want) {
    size_t n = got->n < want->n ? got->n : want->n;
    for (size_t i = 0; i < n; i++) {
        const struct item *g = &got->items[i], *w = &want->items[i];
        bool same = g->thing == w->thing && g->k == w->k && g->time == w->time;
        if (same && got->ask->n_metrics)
            same = g->number ? same_number(g, w->value) : same_or_float(g->value, w->value);
        if (same) continue;
        complain(got, "another sample than should be here:", w->thing, w->time);
        if (got->wrong < 5)
            printf("    place %zu: got thing %u metric %zu time %lld kind %d x %.17g, want metric %zu kind %d: %.17g\n",
                   i, g->thing, g->k, (long long)g->time, g->number ? g->kind : (int)g->value.kind, g->x, w->k,
                   (int)w->value.kind, value_as_num(w->value));
        if (got->wrong > 20) return;
    }
}

/* ---- comparing windows */

struct window {
    ThingId thing;
    size_t k;
    Nanos start, last_time;
    uint64_t n;
    double min, max, sum, size; /* size: the sum of the sizes, for what rounding may do */
    Value first, last;
};

struct windows {
    struct window *items;
    size_t n, cap;
};

static Nanos start_of(const struct series_ask *ask, Nanos t) {
    Nanos rest = (t - ask->origin) % ask->window;
    return t - (rest < 0 ? rest + ask->window : rest);
}

static struct window *window_for(const struct series_ask *ask, struct windows *out, const struct item *item) {
    Nanos start = start_of(ask, item->time);
    struct window *w = out->n ? &out->items[out->n - 1] : NULL;
    if (w && w->thing == item->thing && w->k == item->k && w->start == start) return w;
    struct window fresh = {.thing = item->thing, .k = item->k, .start = start, .min = NAN, .max = NAN};
    VEC_PUSH(out->items, out->n, out->cap, fresh);
    return &out->items[out->n - 1];
}

static void add_numbers(struct window *w, double min, double max, double sum, double size) {
    if (!(w->min <= min)) w->min = min;
    if (!(w->max >= max)) w->max = max;
    w->sum += sum, w->size += size;
}

static void add_item(struct window *w, const struct item *item) {
    const struct series_batch_summary *s = &item->summary;
    Value v = !item->number ? item->value : item->kind == VALUE_BOOL ? VALUE_B(item->x != 0) : VALUE_F(item->x);
    if (w->n == 0) w->first = s->n ? s->first : v;
    w->last = s->n ? s->last : v;
    w->last_time = s->n ? s->last_time : item->time;
    w->n += s->n ? s->n : 1;
    if (w->first.kind == VALUE_STRING) return;
    if (s->n)
        add_numbers(w, s->min, s->max, s->sum, fmax(fabs(s->min), fabs(s->max)) * (double)s->n);
    else
        add_numbers(w, value_as_num(v), value_as_num(v), value_as_num(v), fabs(value_as_num(v)));
}

static struct windows fold(struct reading *got, const struct reading *r) {
    struct windows out = {0};
    for (size_t i = 0; i < r->n; i++) {
        struct window *w = window_for(got->ask, &out, &r->items[i]);
        const struct item *item = &r->items[i];
        if (item->summary.n && start_of(got->ask, item->summary.last_time) != w->start)
            complain(got, "a summary of two windows", item->thing, item->time);
        add_item(w, item);
    }
    return out;
}

/* Columns of numbers do not say whether a number was whole. */
static bool same_end(Value a, Value b) {
    bool numbers = (a.kind == VALUE_INT || a.kind == VALUE_FLOAT) && (b.kind == VALUE_INT || b.kind == VALUE_FLOAT);
    return numbers ? value_as_num(a) == value_as_num(b) || (isnan(value_as_num(a)) && isnan(value_as_num(b)))
                   : same_value(a, b);
}

static bool close_to(double a, double b, double size) {
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)) + 1e-12 * size;
}

static bool same_window(const struct window *a, const struct window *b, bool ends_hidden) {
    if (a->thing != b->thing || a->k != b->k || a->start != b->start || a->n != b->n) return false;
    if (!ends_hidden && (!same_end(a->first, b->first) || !same_end(a->last, b->last) || a->last_time != b->last_time))
        return false;
    if (b->first.kind == VALUE_STRING || isnan(b->sum)) return true; /* a NaN: see series.h */
    return close_to(a->min, b->min, 0) && close_to(a->max, b->max, 0) && close_to(a->sum, b->sum, b->size);
}

static void compare_windows(struct reading *got, const struct reading *want, bool ends_hidden) {
    struct windows g = fold(got, got), w = fold(got, want);
    if (g.n != w.n) complain(got, "a wrong number of windows", 0, (Nanos)g.n);
    for (size_t i = 0; i < g.n && i < w.n && got->wrong < 20; i++) {
        if (same_window(&g.items[i], &w.items[i], ends_hidden)) continue;
        complain(got, "a wrong window:", w.items[i].thing, w.items[i].start);
        printf("    metric %zu: got %llu, min %.17g, max %.17g, sum %.17g, last at %lld\n    want %llu, %.17g, %.17g, "
               "%.17g, %lld\n",
               w.items[i].k, (unsigned long long)g.items[i].n, g.items[i].min, g.items[i].max, g.items[i].sum,
               (long long)g.items[i].last_time, (unsigned long long)w.items[i].n, w.items[i].min, w.items[i].max,
               w.items[i].sum, (long long)w.items[i].last_time);
    }
    free(g.items);
    free(w.items);
}

static void reading_init(struct reading *r, const struct series_ask *ask, uint32_t things) {
    *r = (struct reading){.ask = ask, .things = things};
    arena_init(&r->arena, 0);
    thread_mutex_init(&r->lock);
    r->last = calloc((size_t)things + 1, sizeof *r->last);
    ASSERT(r->last != NULL);
}

static void reading_fini(struct reading *r) {
    arena_fini(&r->arena);
    thread_mutex_fini(&r->lock);
    free(r->last);
    free(r->items);
}

size_t store_batches_differences(const struct store_oracle *o, struct series *series, const struct lens *lens,
                                 const struct series_ask *ask) {
    struct reading got, want;
    reading_init(&got, ask, series_thing_count(series));
    reading_init(&want, ask, 0);
    Err err = series_batch_scan(series, lens, ask, take, &got);
    if (err.code) {
        printf("  batch: %s\n", err.text);
        got.wrong++;
    }
    expect(o, lens, ask, &want);
    sort(&got);
    sort(&want);
    if (!ask->n_metrics) drop_repeats(&want);
    if (ask->window) {
        compare_windows(&got, &want, lens->resolution > 0);
    } else {
        if (got.n != want.n) complain(&got, "a wrong number of samples", (ThingId)want.n, (Nanos)got.n);
        compare_samples(&got, &want);
    }
    size_t wrong = got.wrong;
    reading_fini(&got);
    reading_fini(&want);
    return wrong;
}
