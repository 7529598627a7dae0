/*
 * Aggregates for which the order of rows does not matter, or only which was first. Sums are kept in two doubles, so
 * that neither the order of things nor the number of workers shows in them.
 */
#include "insight/query_agg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "insight/query_agg_time.h"

/* ---- a sum of twice the digits */

struct wide {
    double high, low;
};

static void wide_add(struct wide *w, double x) {
    double s = w->high + x, t = s - w->high;
    double lost = (w->high - (s - t)) + (x - t);
    w->high = s;
    if (isfinite(lost)) w->low += lost;
}
static void wide_add_square(struct wide *w, double x) {
    double high = x * x;
    wide_add(w, high);
    wide_add(w, fma(x, x, -high));
}
static double wide_value(const struct wide *w) { return w->high + w->low; }

/* ---- basic: n, sum, min, max */

void query_agg_basic_add(struct query_agg_basic *b, uint64_t n, double min, double max, double sum) {
    if (n == 0) return;
    struct wide w = {b->sum, b->rest};
    wide_add(&w, sum);
    b->sum = w.high, b->rest = w.low;
    if (b->n == 0 || min < b->min) b->min = min;
    if (b->n == 0 || max > b->max) b->max = max;
    b->n += n;
}

struct four {
    double sum[4], min[4], max[4];
};

/* Four chains, so that an addition need not wait for the one before it. */
static void add_block(struct four *f, const double *x, size_t n, bool limits) {
    size_t i = 0;
    if (limits) {
        for (; i + 4 <= n; i += 4)
            for (size_t k = 0; k < 4; k++) {
                double v = x[i + k];
                f->sum[k] += v;
                f->min[k] = v < f->min[k] ? v : f->min[k];
                f->max[k] = v > f->max[k] ? v : f->max[k];
            }
    } else {
        for (; i + 4 <= n; i += 4)
            for (size_t k = 0; k < 4; k++) f->sum[k] += x[i + k];
    }
    for (; i < n; i++) {
        f->sum[i % 4] += x[i];
        f->min[i % 4] = x[i] < f->min[i % 4] ? x[i] : f->min[i % 4];
        f->max[i % 4] = x[i] > f->max[i % 4] ? x[i] : f->max[i % 4];
    }
}

/* What one word of bits says is there, packed, so that the loop above does the rest. */
static size_t pack(double out[64], const double *x, uint64_t bits) {
    size_t n = 0;
    for (; bits; bits &= bits - 1) out[n++] = x[__builtin_ctzll(bits)];
    return n;
}

static uint64_t add_present(struct four *f, const struct query_agg_run *run) {
    const double *x = run->values->numbers;
    uint64_t count = 0;
    double packed[64];
    for (size_t i = run->from; i < run->to;) {
        size_t word = i / 64, end = (word + 1) * 64 < run->to ? (word + 1) * 64 : run->to;
        uint64_t bits = run->values->has[word] >> i % 64;
        if (end - i < 64) bits &= (UINT64_C(1) << (end - i)) - 1;
        size_t n = end - i;
        if (n == 64 && bits == ~UINT64_C(0)) {
            add_block(f, x + i, 64, !run->no_limits);
        } else {
            n = pack(packed, x + i, bits);
            add_block(f, packed, n, !run->no_limits);
        }
        count += n;
        i = end;
    }
    return count;
}

static void basic_add(void *state, const struct query_agg_run *run) {
    const struct query_vec *v = run->values;
    struct four f = {.min = {INFINITY, INFINITY, INFINITY, INFINITY},
                     .max = {-INFINITY, -INFINITY, -INFINITY, -INFINITY}};
    uint64_t n = run->to - run->from;
    if (v->constant) {
        double x = v->numbers[0];
        if (query_vec_has(v, 0)) query_agg_basic_add(state, n, x, x, x * (double)n);
        return;
    }
    if (v->has)
        n = add_present(&f, run);
    else
        add_block(&f, v->numbers + run->from, n, !run->no_limits);
    double min = fmin(fmin(f.min[0], f.min[1]), fmin(f.min[2], f.min[3]));
    double max = fmax(fmax(f.max[0], f.max[1]), fmax(f.max[2], f.max[3]));
    query_agg_basic_add(state, n, min, max, (f.sum[0] + f.sum[1]) + (f.sum[2] + f.sum[3]));
}

static void basic_merge(void *state, const void *other, struct query_agg_room *room) {
    const struct query_agg_basic *o = other;
    (void)room;
    query_agg_basic_add(state, o->n, o->min, o->max, o->sum);
    struct query_agg_basic *b = state;
    b->rest += o->rest;
}

#define BASIC(name, expr)                                                                                              \
    static Value name(const void *state, double parameter) {                                                           \
        const struct query_agg_basic *b = state;                                                                       \
        (void)parameter;                                                                                               \
        return b->n == 0 ? (Value){.kind = VALUE_NONE} : VALUE_F(expr);                                                \
    }
BASIC(avg_finish, (b->sum + b->rest) / (double)b->n)
BASIC(sum_finish, b->sum + b->rest)
BASIC(min_finish, b->min)
BASIC(max_finish, b->max)
BASIC(spread_finish, b->max - b->min)

/* ---- counts */

static uint64_t present(const struct query_vec *v, size_t from, size_t to) {
    uint64_t n = 0;
    if (v->constant) return query_vec_has(v, 0) ? to - from : 0;
    if (v->form != QUERY_FORM_VALUE && !v->has) return to - from;
    for (size_t i = from; i < to; i++) n += query_vec_has(v, i);
    return n;
}
static void count_add(void *state, const struct query_agg_run *run) {
    *(uint64_t *)state += run->values ? present(run->values, run->from, run->to) : run->to - run->from;
}
static void count_if_add(void *state, const struct query_agg_run *run) {
    const struct query_vec *v = run->values;
    for (size_t i = run->from; i < run->to; i++)
        *(uint64_t *)state += query_vec_has(v, i) && v->numbers[v->constant ? 0 : i] != 0;
}
static void count_merge(void *state, const void *other, struct query_agg_room *room) {
    (void)room;
    *(uint64_t *)state += *(const uint64_t *)other;
}
static Value count_finish(const void *state, double parameter) {
    (void)parameter;
    return VALUE_I((int64_t) * (const uint64_t *)state);
}

/* ---- first, last: by time, then by thing */

static void keep_value(Value *into, Value v, struct query_agg_room *room) {
    if (v.kind == VALUE_STRING) {
        if (into->kind == VALUE_STRING && str_eq(into->s, v.s)) return;
        v.s = arena_str(room->arena, v.s);
        atomic_fetch_add(room->bytes, v.s.len + 16);
    }
    *into = v;
}

void query_agg_end_add(struct query_agg_end *e, bool first, Nanos at, uint32_t rank, Value value,
                       struct query_agg_room *room) {
    bool before = at != e->at ? at < e->at : rank < e->rank;
    if (e->value.kind != VALUE_NONE && before != first) {
        if (first || at != e->at || rank != e->rank) return;
    }
    keep_value(&e->value, value, room);
    e->at = at;
    e->rank = rank;
}

static Nanos time_of(const struct query_agg_run *run, size_t i) { return run->times ? run->times[i] : 0; }

static void end_add(void *state, const struct query_agg_run *run, bool first) {
    const struct query_vec *v = run->values;
    size_t i = first ? run->from : run->to;
    for (size_t n = run->to - run->from; n-- > 0; i += first) {
        if (!first) i--;
        if (!query_vec_has(v, i)) continue;
        query_agg_end_add(state, first, time_of(run, i), run->rank, query_vec_value(v, i), run->room);
        return;
    }
}
static void first_add(void *state, const struct query_agg_run *run) { end_add(state, run, true); }
static void last_add(void *state, const struct query_agg_run *run) { end_add(state, run, false); }
static void first_merge(void *state, const void *other, struct query_agg_room *room) {
    const struct query_agg_end *o = other;
    if (o->value.kind != VALUE_NONE) query_agg_end_add(state, true, o->at, o->rank, o->value, room);
}
static void last_merge(void *state, const void *other, struct query_agg_room *room) {
    const struct query_agg_end *o = other;
    if (o->value.kind != VALUE_NONE) query_agg_end_add(state, false, o->at, o->rank, o->value, room);
}
static Value end_finish(const void *state, double parameter) {
    (void)parameter;
    return ((const struct query_agg_end *)state)->value;
}
static Value end_time_finish(const void *state, double parameter) {
    const struct query_agg_end *e = state;
    (void)parameter;
    return e->value.kind == VALUE_NONE ? (Value){.kind = VALUE_NONE} : VALUE_I(e->at);
}
bool query_agg_is_first(const struct query_agg *agg) { return agg->add == first_add; }

/* delta: last - first of what is in the group */
struct delta {
    struct query_agg_end first, last;
};
static void delta_add(void *state, const struct query_agg_run *run) {
    struct delta *d = state;
    first_add(&d->first, run);
    last_add(&d->last, run);
}
static void delta_merge(void *state, const void *other, struct query_agg_room *room) {
    struct delta *d = state;
    const struct delta *o = other;
    first_merge(&d->first, &o->first, room);
    last_merge(&d->last, &o->last, room);
}
static Value delta_finish(const void *state, double parameter) {
    const struct delta *d = state;
    (void)parameter;
    if (d->first.value.kind == VALUE_NONE) return (Value){.kind = VALUE_NONE};
    return VALUE_F(value_as_num(d->last.value) - value_as_num(d->first.value));
}

/* ---- when it was least or greatest: the first moment of those */
struct extreme {
    bool has;
    double value;
    Nanos at;
    uint32_t rank;
};
static void extreme_take(struct extreme *x, double value, Nanos at, uint32_t rank) {
    bool earlier = at != x->at ? at < x->at : rank < x->rank;
    if (x->has && (value < x->value || (value == x->value && !earlier))) return;
    *x = (struct extreme){true, value, at, rank};
}
static void extreme_add(void *state, const struct query_agg_run *run, double sign) {
    const struct query_vec *v = run->values;
    for (size_t i = run->from; i < run->to; i++)
        if (query_vec_has(v, i))
            extreme_take(state, sign * v->numbers[v->constant ? 0 : i], time_of(run, i), run->rank);
}
static void max_time_add(void *state, const struct query_agg_run *run) { extreme_add(state, run, 1); }
static void min_time_add(void *state, const struct query_agg_run *run) { extreme_add(state, run, -1); }
static void extreme_merge(void *state, const void *other, struct query_agg_room *room) {
    const struct extreme *o = other;
    (void)room;
    if (o->has) extreme_take(state, o->value, o->at, o->rank);
}
static Value extreme_finish(const void *state, double parameter) {
    const struct extreme *x = state;
    (void)parameter;
    return x->has ? VALUE_I(x->at) : (Value){.kind = VALUE_NONE};
}

/* ---- scatter: of sums and sums of squares, both of twice the digits */
struct scatter {
    uint64_t n;
    struct wide sum, squares;
};
static void scatter_add(void *state, const struct query_agg_run *run) {
    struct scatter *s = state;
    const struct query_vec *v = run->values;
    for (size_t i = run->from; i < run->to; i++) {
        if (!query_vec_has(v, i)) continue;
        double x = v->numbers[v->constant ? 0 : i];
        s->n++;
        wide_add(&s->sum, x);
        wide_add_square(&s->squares, x);
    }
}
static void wide_merge(struct wide *w, const struct wide *o) {
    wide_add(w, o->high);
    w->low += o->low;
}
static void scatter_merge(void *state, const void *other, struct query_agg_room *room) {
    struct scatter *s = state;
    const struct scatter *o = other;
    (void)room;
    s->n += o->n;
    wide_merge(&s->sum, &o->sum);
    wide_merge(&s->squares, &o->squares);
}
static Value variance_finish(const void *state, double parameter) {
    const struct scatter *s = state;
    (void)parameter;
    if (s->n < 2) return (Value){.kind = VALUE_NONE};
    double n = (double)s->n, mean = wide_value(&s->sum) / n;
    struct wide w = s->squares; /* Σx² - n·mean², with what rounding the mean left out */
    double left = fma(-mean, n, s->sum.high) + s->sum.low, high = mean * mean;
    wide_add(&w, -n * high);
    wide_add(&w, -fma(n, high, -(n * high)) - n * fma(mean, mean, -high) - 2 * mean * left);
    double v = wide_value(&w) / (n - 1);
    return VALUE_F(v > 0 ? v : 0);
}
static Value stddev_finish(const void *state, double parameter) {
    Value v = variance_finish(state, parameter);
    return v.kind == VALUE_NONE ? v : VALUE_F(sqrt(v.f));
}

/* ---- percentiles: every value is kept */
struct heap {
    double *items;
    size_t n, cap;
};
static void heap_push(struct heap *h, double x, struct query_agg_room *room) {
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 16;
        h->items = realloc(h->items, cap * sizeof *h->items);
        ASSERT(h->items);
        atomic_fetch_add(room->bytes, (cap - h->cap) * sizeof *h->items);
        h->cap = cap;
    }
    h->items[h->n++] = x;
}
static void heap_add(void *state, const struct query_agg_run *run) {
    const struct query_vec *v = run->values;
    for (size_t i = run->from; i < run->to; i++) {
        double x = v->numbers[v->constant ? 0 : i];
        if (query_vec_has(v, i) && !isnan(x)) heap_push(state, x, run->room);
    }
}
static void heap_merge(void *state, const void *other, struct query_agg_room *room) {
    const struct heap *o = other;
    for (size_t i = 0; i < o->n; i++) heap_push(state, o->items[i], room);
}
static void heap_drop(void *state, struct query_agg_room *room) {
    struct heap *h = state;
    free(h->items);
    atomic_fetch_sub(room->bytes, h->cap * sizeof *h->items);
    *h = (struct heap){0};
}
static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
/* Between the two neighbours, straight: as percentile_cont of SQL. */
static Value percentile_finish(const void *state, double p) {
    const struct heap *h = state;
    if (h->n == 0) return (Value){.kind = VALUE_NONE};
    qsort(h->items, h->n, sizeof *h->items, by_size);
    double at = p / 100 * (double)(h->n - 1);
    size_t low = (size_t)floor(at), high = low + 1 < h->n ? low + 1 : low;
    return VALUE_F(h->items[low] + (h->items[high] - h->items[low]) * (at - (double)low));
}
static Value median_finish(const void *state, double parameter) {
    (void)parameter;
    return percentile_finish(state, 50);
}

/* ---- distinct: the hashes of what was seen; two of 2^64 do not meet */
struct seen {
    uint64_t *slots; /* 0: free */
    size_t n, cap;
};
static void seen_put(struct seen *s, uint64_t hash, struct query_agg_room *room) {
    if (2 * (s->n + 1) > s->cap) {
        struct seen more = {.cap = s->cap ? s->cap * 2 : 16, .n = s->n};
        more.slots = calloc(more.cap, sizeof *more.slots);
        ASSERT(more.slots);
        atomic_fetch_add(room->bytes, (more.cap - s->cap) * sizeof *more.slots);
        for (size_t i = 0; i < s->cap; i++) {
            if (!s->slots[i]) continue;
            size_t k = s->slots[i] & (more.cap - 1);
            while (more.slots[k]) k = (k + 1) & (more.cap - 1);
            more.slots[k] = s->slots[i];
        }
        free(s->slots);
        *s = more;
    }
    if (hash == 0) hash = 1;
    size_t i = hash & (s->cap - 1);
    while (s->slots[i] && s->slots[i] != hash) i = (i + 1) & (s->cap - 1);
    s->n += !s->slots[i];
    s->slots[i] = hash;
}
static uint64_t hash_value(Value v) {
    if (v.kind == VALUE_STRING) return hash_seeded(v.s.ptr, v.s.len, 1);
    if (v.kind == VALUE_BOOL) return hash_seeded(&v.b, sizeof v.b, 2);
    if (v.kind == VALUE_INT && (v.i > INT64_C(1) << 53 || v.i < -(INT64_C(1) << 53)))
        return hash_seeded(&v.i, sizeof v.i, 3);
    double x = value_as_num(v) + 0.0; /* -0 is 0 */
    return hash_seeded(&x, sizeof x, 4);
}
static void distinct_add(void *state, const struct query_agg_run *run) {
    const struct query_vec *v = run->values;
    size_t to = v->constant && run->to > run->from ? run->from + 1 : run->to;
    for (size_t i = run->from; i < to; i++)
        if (query_vec_has(v, i)) seen_put(state, hash_value(query_vec_value(v, i)), run->room);
}
static void distinct_merge(void *state, const void *other, struct query_agg_room *room) {
    const struct seen *o = other;
    for (size_t i = 0; i < o->cap; i++)
        if (o->slots[i]) seen_put(state, o->slots[i], room);
}
static void distinct_drop(void *state, struct query_agg_room *room) {
    struct seen *s = state;
    free(s->slots);
    atomic_fetch_sub(room->bytes, s->cap * sizeof *s->slots);
    *s = (struct seen){0};
}
static Value distinct_finish(const void *state, double parameter) {
    (void)parameter;
    return VALUE_I((int64_t)((const struct seen *)state)->n);
}

/* ---- the table */

#define ENDS (QUERY_AGG_ANY | QUERY_AGG_ENDS)
#define TRUE_ORDER (QUERY_AGG_ORDER | QUERY_AGG_TRUTH)
#define BASIC_ROW(name, finish)                                                                                        \
    { name, 1, 1, QUERY_AGG_BASIC, sizeof(struct query_agg_basic), basic_add, basic_merge, finish, NULL, NULL }
#define ROW(name, least, most, flags, type, add, merge, finish, drop)                                                  \
    { name, least, most, flags, sizeof(type), add, merge, finish, drop, NULL }
#define TIME_ROW(name, most, flags, what)                                                                              \
    {                                                                                                                  \
        name, 1, most, flags, sizeof(struct query_agg_time), NULL, query_agg_time_merge, query_agg_time_##what, NULL,  \
            &query_agg_time_order_##what                                                                               \
    }

const struct query_agg query_agg_table[] = {
    BASIC_ROW("avg", avg_finish),
    BASIC_ROW("sum", sum_finish),
    BASIC_ROW("min", min_finish),
    BASIC_ROW("max", max_finish),
    BASIC_ROW("spread", spread_finish),
    ROW("count", 0, 1, QUERY_AGG_ANY, uint64_t, count_add, count_merge, count_finish, NULL),
    ROW("count_if", 1, 1, QUERY_AGG_TRUTH, uint64_t, count_if_add, count_merge, count_finish, NULL),
    ROW("first", 1, 1, ENDS | QUERY_AGG_KEEPS, struct query_agg_end, first_add, first_merge, end_finish, NULL),
    ROW("last", 1, 1, ENDS | QUERY_AGG_KEEPS, struct query_agg_end, last_add, last_merge, end_finish, NULL),
    ROW("first_time", 1, 1, QUERY_AGG_ANY | QUERY_AGG_WHEN, struct query_agg_end, first_add, first_merge,
        end_time_finish, NULL),
    ROW("last_time", 1, 1, ENDS | QUERY_AGG_WHEN, struct query_agg_end, last_add, last_merge, end_time_finish, NULL),
    ROW("min_time", 1, 1, QUERY_AGG_WHEN, struct extreme, min_time_add, extreme_merge, extreme_finish, NULL),
    ROW("max_time", 1, 1, QUERY_AGG_WHEN, struct extreme, max_time_add, extreme_merge, extreme_finish, NULL),
    ROW("delta", 1, 1, 0, struct delta, delta_add, delta_merge, delta_finish, NULL),
    ROW("stddev", 1, 1, 0, struct scatter, scatter_add, scatter_merge, stddev_finish, NULL),
    ROW("variance", 1, 1, 0, struct scatter, scatter_add, scatter_merge, variance_finish, NULL),
    ROW("median", 1, 1, 0, struct heap, heap_add, heap_merge, median_finish, heap_drop),
    ROW("percentile", 2, 2, 0, struct heap, heap_add, heap_merge, percentile_finish, heap_drop),
    ROW("distinct", 1, 1, QUERY_AGG_ANY, struct seen, distinct_add, distinct_merge, distinct_finish, distinct_drop),
    TIME_ROW("increase", 1, QUERY_AGG_ORDER, increase),
    TIME_ROW("rate", 1, QUERY_AGG_ORDER, rate),
    TIME_ROW("integral", 1, QUERY_AGG_ORDER, integral),
    TIME_ROW("time_avg", 2, QUERY_AGG_ORDER, time_avg),
    TIME_ROW("duration", 2, TRUE_ORDER, duration),
    TIME_ROW("rises", 1, TRUE_ORDER, rises),
    TIME_ROW("spells", 1, TRUE_ORDER, spells),
    {.name = NULL},
};

const struct query_agg *query_agg_find(Str name) {
    for (const struct query_agg *a = query_agg_table; a->name; a++)
        if (str_eq_nocase(name, str_c(a->name))) return a;
    return NULL;
}
