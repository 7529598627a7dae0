#include "tests/lib/store_oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

void store_oracle_fini(struct store_oracle *o) {
    free(o->items);
    *o = (struct store_oracle){0};
}

static int compare(const struct store_oracle_sample *a, ThingId thing, MetricId metric, Nanos time) {
    if (a->thing != thing) return a->thing < thing ? -1 : 1;
    if (a->metric != metric) return a->metric < metric ? -1 : 1;
    return a->time < time ? -1 : a->time > time;
}

static size_t place(const struct store_oracle *o, ThingId thing, MetricId metric, Nanos time) {
    size_t low = 0, high = o->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (compare(&o->items[mid], thing, metric, time) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

void store_oracle_put(struct store_oracle *o, ThingId thing, MetricId metric, Nanos time, Value value) {
    size_t at = place(o, thing, metric, time);
    struct store_oracle_sample sample = {thing, metric, time, value};
    if (at == o->n || compare(&o->items[at], thing, metric, time) != 0) {
        VEC_PUSH(o->items, o->n, o->cap, sample);
        memmove(&o->items[at + 1], &o->items[at], (o->n - 1 - at) * sizeof *o->items);
    }
    o->items[at] = sample;
}

const struct store_oracle_sample *store_oracle_get(const struct store_oracle *o, ThingId thing, MetricId metric,
                                                   Nanos time) {
    size_t at = place(o, thing, metric, time);
    return at < o->n && compare(&o->items[at], thing, metric, time) == 0 ? &o->items[at] : NULL;
}

/* ---- what a read should give */

struct points {
    struct series_point *items;
    size_t n, cap;
};

static Nanos floor_to(Nanos t, Nanos window) {
    Nanos rest = ((t % window) + window) % window;
    return t < INT64_MIN + rest ? INT64_MIN : t - rest;
}

static Nanos ceil_to(Nanos t, Nanos window) {
    Nanos rest = (window - ((t % window) + window) % window) % window;
    return t > INT64_MAX - rest ? INT64_MAX : t + rest;
}

static bool asked(const struct store_oracle *o, const struct store_oracle_sample *s, const struct lens *lens,
                  const struct series_query *q) {
    PartyId party = o->party_of ? o->party_of(s->thing) : 1;
    if (!lens->every_party && lens->party != party) return false;
    if ((q->thing && q->thing != s->thing) || (q->metric && q->metric != s->metric)) return false;
    if (s->time < lens->from || s->time >= lens->to) return false;
    Nanos from = q->from, to = q->to;
    if (lens->resolution) { /* whole windows alone */
        from = floor_to(from, lens->resolution);
        to = to ? ceil_to(to, lens->resolution) : 0;
    }
    return s->time >= from && (to == 0 || s->time < to);
}

static void add_to_window(struct points *out, const struct store_oracle_sample *s, Nanos window) {
    Nanos start = floor_to(s->time, window);
    struct series_point *p = out->n ? &out->items[out->n - 1] : NULL;
    if (!p || p->thing != s->thing || p->metric != s->metric || p->time != start) {
        struct series_point fresh = {
            .thing = s->thing, .metric = s->metric, .time = start, .min = NAN, .max = NAN, .first = s->value};
        VEC_PUSH(out->items, out->n, out->cap, fresh);
        p = &out->items[out->n - 1];
    }
    p->count++;
    p->last = s->value;
    if (s->value.kind == VALUE_STRING) return;
    double v = value_as_num(s->value);
    p->sum += v;
    p->min = isnan(p->min) || v < p->min ? v : p->min;
    p->max = isnan(p->max) || v > p->max ? v : p->max;
}

static void expect(const struct store_oracle *o, const struct lens *lens, const struct series_query *q,
                   struct points *out) {
    Nanos window = q->window;
    if (lens->resolution && window < lens->resolution) window = lens->resolution;
    for (size_t k = 0; k < o->n; k++) {
        const struct store_oracle_sample *s = &o->items[q->newest_first ? o->n - 1 - k : k];
        if (!asked(o, s, lens, q)) continue;
        if (window) {
            add_to_window(out, s, window);
            continue;
        }
        struct series_point p = {.thing = s->thing, .metric = s->metric, .time = s->time, .value = s->value};
        VEC_PUSH(out->items, out->n, out->cap, p);
    }
    if (q->limit && out->n > q->limit) out->n = q->limit;
}

/* ---- comparing */

static bool same_value(Value a, Value b) {
    if (a.kind != b.kind) return false;
    if (a.kind == VALUE_NONE) return true;
    if (a.kind == VALUE_STRING) return str_eq(a.s, b.s);
    if (a.kind == VALUE_FLOAT) return memcmp(&a.f, &b.f, sizeof a.f) == 0;
    return value_eq(a, b);
}

static bool same_num(double a, double b) {
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b));
}

static bool same_point(const struct series_point *a, const struct series_point *b, bool windows, bool hidden) {
    if (a->thing != b->thing || a->metric != b->metric || a->time != b->time) return false;
    if (!windows) return same_value(a->value, b->value);
    if (a->count != b->count) return false;
    if (isnan(b->sum)) return true; /* holds a NaN: see series.h */
    if (!same_num(a->min, b->min) || !same_num(a->max, b->max)) return false;
    double size = fmax(fabs(b->min), fabs(b->max)) * (double)b->count; /* what cancels out leaves its rounding */
    if (!same_num(a->sum, b->sum) && !(fabs(a->sum - b->sum) <= 1e-12 * size)) return false;
    if (hidden) return a->first.kind == VALUE_NONE && a->last.kind == VALUE_NONE;
    return same_value(a->first, b->first) && same_value(a->last, b->last);
}

struct comparison {
    struct points want;
    size_t at, wrong;
    bool windows, hidden;
};

static bool compare_point(void *ctx, const struct series_point *p) {
    struct comparison *c = ctx;
    const struct series_point *want = c->at < c->want.n ? &c->want.items[c->at] : NULL;
    c->at++;
    if (want && same_point(p, want, c->windows, c->hidden)) return true;
    if (c->wrong++ < 5)
        printf(
            "  point %zu: got thing %u metric %u time %lld count %llu kind %d, want thing %u metric %u time %lld count "
            "%llu kind %d\n",
            c->at - 1, p->thing, p->metric, (long long)p->time, (unsigned long long)p->count, (int)p->value.kind,
            want ? want->thing : 0, want ? want->metric : 0, want ? (long long)want->time : 0,
            want ? (unsigned long long)want->count : 0, want ? (int)want->value.kind : 0);
    if (c->wrong < 5 && want && c->windows)
        printf("    got min %.17g max %.17g sum %.17g, want %.17g %.17g %.17g\n", p->min, p->max, p->sum, want->min,
               want->max, want->sum);
    return true;
}

size_t store_oracle_differences(const struct store_oracle *o, struct series *series, const struct lens *lens,
                                const struct series_query *q) {
    struct comparison c = {.windows = q->window || lens->resolution, .hidden = lens->resolution > 0};
    expect(o, lens, q, &c.want);
    Err err = series_read(series, lens, q, compare_point, &c);
    if (err.code) printf("  read: %s\n", err.text), c.wrong++;
    if (c.at < c.want.n) {
        printf("  got %zu points, want %zu\n", c.at, c.want.n);
        c.wrong += c.want.n - c.at;
    }
    free(c.want.items);
    return c.wrong;
}
