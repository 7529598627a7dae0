/*
 * Batches are what series_read gives, put side by side: for stores of every kind of value and of file, with rows that
 * come late, twice and in any order, at any cut, with one thread and with four.
 */
#include "store/series_batch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "os/thread.h"
#include "store/series_run.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"

void series_batch_test(void);

#define T0 INT64_C(1700006400000000000) /* a UTC midnight */
#define METRICS 12
#define EVERY 1024 /* things that a case has, at most */

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};
static Nanos still(void *ctx) { return (void)ctx, T0 + NANOS_PER_DAY; }
static const struct clock clock_still = {still, NULL};

static uint64_t draw(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

/* ---- what came out, as single samples */

struct sample {
    ThingId thing;
    size_t metric; /* its place in the ask */
    Nanos time;
    Value value;
};

struct taken {
    const struct series_ask *ask;
    pthread_mutex_t lock;
    struct sample *items;
    size_t n, cap;
    struct arena text;
    Nanos last[EVERY];      /* of each thing: batches come in order of time */
    unsigned worker[EVERY]; /* and from one worker, + 1 */
    size_t rows, batches, summaries, wrong;
    size_t stop_after; /* batches; 0: never */
    atomic_bool *cancel;
};

static void take_start(struct taken *t, const struct series_ask *ask) {
    *t = (struct taken){.ask = ask};
    for (size_t i = 0; i < EVERY; i++) t->last[i] = INT64_MIN;
    thread_mutex_init(&t->lock);
}

static void take_end(struct taken *t) {
    free(t->items);
    arena_fini(&t->text);
    thread_mutex_fini(&t->lock);
}

static bool is_present(const struct series_batch_column *c, size_t i) {
    return c->n_present && (!c->present || (c->present[i / 64] >> i % 64 & 1));
}

static Value value_of(const struct series_batch_column *c, size_t i) {
    if (!c->numbers_only) return c->values[i];
    if (c->kind == VALUE_BOOL) return VALUE_B(c->numbers[i] != 0);
    return c->kind == VALUE_INT ? VALUE_I((int64_t)c->numbers[i]) : VALUE_F(c->numbers[i]);
}

static void take_row(struct taken *t, const struct series_batch *b, size_t i) {
    size_t any = 0;
    for (size_t k = 0; k < t->ask->n_metrics; k++) {
        const struct series_batch_column *c = &b->columns[k];
        if (!is_present(c, i)) {
            if (c->n_present && !c->numbers_only && c->values[i].kind != VALUE_NONE) t->wrong++;
            continue;
        }
        Value v = value_of(c, i);
        if (v.kind == VALUE_STRING) v.s = arena_str(&t->text, v.s);
        if (v.kind == VALUE_NONE) t->wrong++;
        VEC_PUSH(t->items, t->n, t->cap, ((struct sample){b->thing, k, b->times[i], v}));
        any++;
    }
    if (!any && t->ask->n_metrics) t->wrong++;
}

static void take_rows(struct taken *t, const struct series_batch *b) {
    for (size_t k = 0; k < t->ask->n_metrics; k++) {
        size_t present = 0;
        for (size_t i = 0; i < b->n; i++) present += is_present(&b->columns[k], i);
        if (present != b->columns[k].n_present) t->wrong++;
    }
    for (size_t i = 0; i < b->n; i++) {
        if (b->times[i] < t->ask->from || (t->ask->to && b->times[i] >= t->ask->to)) t->wrong++;
        if (b->times[i] <= t->last[b->thing]) t->wrong++;
        t->last[b->thing] = b->times[i];
        take_row(t, b, i);
    }
    t->rows += b->n;
}

static bool take(void *ctx, const struct series_batch *b) {
    struct taken *t = ctx;
    thread_lock(&t->lock);
    if (b->n == 0 || b->thing >= EVERY || b->worker >= SERIES_ASK_WORKERS_MAX) t->wrong++;
    if (t->worker[b->thing] && t->worker[b->thing] != b->worker + 1) t->wrong++;
    t->worker[b->thing] = b->worker + 1;
    if (b->summaries)
        t->summaries++;
    else
        take_rows(t, b);
    t->batches++;
    bool more = t->batches != t->stop_after;
    if (t->cancel) atomic_store(t->cancel, true);
    thread_unlock(&t->lock);
    return more;
}

static int by_place(const void *a, const void *b) {
    const struct sample *x = a, *y = b;
    if (x->thing != y->thing) return x->thing < y->thing ? -1 : 1;
    if (x->metric != y->metric) return x->metric < y->metric ? -1 : 1;
    return x->time < y->time ? -1 : x->time > y->time;
}

/* ---- against series_read */

struct compared {
    const struct sample *at, *end;
    ThingId thing;
    size_t metric, wrong;
};

static bool same_family(Value a, Value b) {
    bool x = a.kind == VALUE_INT || a.kind == VALUE_FLOAT, y = b.kind == VALUE_INT || b.kind == VALUE_FLOAT;
    return x == y && (x || a.kind == b.kind);
}

static bool same_value(Value got, Value want) {
    if (!same_family(got, want)) return false;
    if (want.kind == VALUE_FLOAT && isnan(want.f)) return isnan(value_as_num(got));
    return value_eq(got, want);
}

static bool compare_point(void *ctx, const struct series_point *p) {
    struct compared *c = ctx;
    bool same = c->at < c->end && c->at->thing == c->thing && c->at->metric == c->metric && c->at->time == p->time &&
                same_value(c->at->value, p->value);
    if (!same) c->wrong++;
    if (c->at < c->end) c->at++;
    return same;
}

/* The number of differences; the first ends it. */
static size_t differences(struct series *s, const struct lens *lens, const struct series_ask *ask, Err *err) {
    struct taken t;
    take_start(&t, ask);
    *err = series_batch_scan(s, lens, ask, take, &t);
    if (t.n) qsort(t.items, t.n, sizeof *t.items, by_place);
    struct compared c = {.at = t.items, .end = t.items + t.n};
    for (ThingId thing = 1; thing <= series_thing_count(s) && !c.wrong; thing++) {
        bool asked = ask->things == NULL;
        for (size_t i = 0; i < ask->n_things && ask->things; i++) asked |= ask->things[i] == thing;
        for (size_t k = 0; asked && k < ask->n_metrics && !c.wrong; k++) {
            struct series_query q = {.thing = thing, .metric = ask->metrics[k], .from = ask->from, .to = ask->to};
            c.thing = thing, c.metric = k;
            Err read = series_read(s, lens, &q, compare_point, &c);
            if (read.code && read.code != ERR_CORRUPT) c.wrong++;
        }
    }
    size_t wrong = c.wrong + t.wrong + (size_t)(c.end - c.at);
    take_end(&t);
    return wrong;
}

static bool same(struct series *s, const struct lens *lens, const struct series_ask *ask) {
    Err err;
    size_t wrong = differences(s, lens, ask, &err);
    return CHECK_OK(err) && CHECK_INT(wrong, 0);
}

/* ---- windows: what summaries and rows add up to is what the rows alone add up to */

struct totals {
    uint64_t n;
    double sum, min, max;
    Value first, last;
};

struct windows {
    pthread_mutex_t lock;
    const struct series_ask *ask;
    struct totals totals[64][METRICS]; /* of one thing */
    size_t summaries;
};

static void add_one(struct totals *t, Value v) {
    double x = value_as_num(v);
    if (v.kind == VALUE_STRING) v = VALUE_B(true), x = 0; /* borrowed, and counted alone */
    if (t->n++ == 0) t->first = v, t->min = t->max = x;
    t->last = v, t->sum += x;
    t->min = x < t->min ? x : t->min, t->max = x > t->max ? x : t->max;
}

static void add_summary(struct totals *t, const struct series_batch_summary *s) {
    if (s->n == 0) return;
    if (t->n == 0) t->first = s->first, t->min = s->min, t->max = s->max;
    t->n += s->n, t->last = s->last, t->sum += s->sum;
    t->min = s->min < t->min ? s->min : t->min, t->max = s->max > t->max ? s->max : t->max;
}

static bool add_window(void *ctx, const struct series_batch *b) {
    struct windows *w = ctx;
    Nanos window = 6 * NANOS_PER_HOUR, origin = w->ask->origin;
    thread_lock(&w->lock);
    for (size_t k = 0; k < w->ask->n_metrics; k++) {
        if (b->summaries)
            add_summary(&w->totals[(b->times[0] - T0 - origin + 9 * window) / window][k], &b->summaries[k]);
        for (size_t i = 0; !b->summaries && i < b->n; i++)
            if (is_present(&b->columns[k], i))
                add_one(&w->totals[(b->times[i] - T0 - origin + 9 * window) / window][k], value_of(&b->columns[k], i));
    }
    w->summaries += b->summaries != NULL;
    thread_unlock(&w->lock);
    return true;
}

static bool same_totals(const struct totals *a, const struct totals *b) {
    return a->n == b->n &&
           (a->n == 0 || (fabs(a->sum - b->sum) <= 1e-6 * (1 + fabs(b->sum)) && a->min == b->min && a->max == b->max &&
                          value_eq(a->first, b->first) && value_eq(a->last, b->last)));
}

/* How many summaries there were. */
static size_t check_windows(struct series *s, ThingId thing, Nanos origin, const MetricId *metrics, size_t n) {
    struct series_ask ask = {.things = &thing, .n_things = 1, .metrics = metrics, .n_metrics = n, .origin = origin};
    static struct windows with, without;
    with = (struct windows){.ask = &ask}, without = (struct windows){.ask = &ask};
    thread_mutex_init(&with.lock), thread_mutex_init(&without.lock);
    CHECK_OK(series_batch_scan(s, &all, &ask, add_window, &without));
    ask.window = 6 * NANOS_PER_HOUR;
    CHECK_OK(series_batch_scan(s, &all, &ask, add_window, &with));
    CHECK_INT(without.summaries, 0);
    size_t wrong = 0;
    for (size_t i = 0; i < 64; i++)
        for (size_t k = 0; k < n; k++) wrong += !same_totals(&with.totals[i][k], &without.totals[i][k]);
    CHECK_INT(wrong, 0);
    return with.summaries;
}

/* ---- stores */

static struct series *open_store(const char *dir, size_t memory_bytes) {
    struct series *s = NULL;
    CHECK_OK(series_open(
        &(struct series_options){.dir = dir, .clock = &clock_still, .memory_bytes = memory_bytes, .merge_runs = 4},
        &s));
    return s;
}

static void name_all(struct series *s, uint32_t things) {
    char name[16];
    uint32_t id;
    for (uint32_t i = 1; i <= things; i++)
        CHECK_OK(series_thing(s, i % 3 + 1, (Str){name, (size_t)snprintf(name, sizeof name, "thing-%u", i)}, &id));
    for (uint32_t i = 1; i <= METRICS; i++)
        CHECK_OK(series_metric(s, (Str){name, (size_t)snprintf(name, sizeof name, "metric-%u", i)}, &id));
}

/* Of one metric different things may report different kinds; one thing's stays. */
static Value random_value(uint64_t *state, ThingId thing, MetricId metric) {
    static const Str words[] = {{"run", 3}, {"idle", 4}, {"", 0}, {"fault \"E12\"", 11}, {"a much longer state", 19}};
    uint64_t r = draw(state);
    switch (metric) {
    case 1: return VALUE_I((int64_t)(r % 1000) - 500);
    case 2: return VALUE_F((double)(r % 10000) / 100);
    case 3: return r % 3 ? VALUE_F((double)(r % 100) / 10) : VALUE_I((int64_t)(r % 10));
    case 4: return VALUE_B(r % 2);
    case 5: return VALUE_S(words[r % 5]);
    case 6: return r % 9 ? VALUE_I((int64_t)(r % 100)) : VALUE_I(INT64_MAX - (int64_t)(r % 100));
    case 7: return r % 2 ? VALUE_I((int64_t)(r << 8)) : VALUE_F(sin((double)(r % 1000)));
    case 8: return r % 50 ? VALUE_F((double)r) : VALUE_F(r % 100 ? -0.0 : (double)NAN);
    case 9: return thing % 3 == 0 ? VALUE_S(words[r % 5]) : thing % 3 == 1 ? VALUE_B(r % 2) : VALUE_I((int64_t)(r % 7));
    case 10: return thing % 4 == 0 ? VALUE_B(true) : VALUE_F((double)(r % 64));
    default: return VALUE_I((int64_t)(r % 5));
    }
}

/* Rows report some group of metrics, as devices do. */
static void put_row(struct rows *rows, uint64_t *state, ThingId thing, Nanos time) {
    uint64_t r = draw(state);
    MetricId first = r % 3 ? 1 : 7, last = r % 3 == 2 ? METRICS : r % 3 ? 6 : 9;
    rows_begin(rows, thing, time, 0);
    for (MetricId m = first; m <= last; m++)
        if (m != 12 || r % 40 == 2) rows_value(rows, m, random_value(state, thing, m));
    rows_end(rows);
}

static void commit(struct series *s, struct series_commit *c) {
    CHECK_OK(series_write(s, c));
    rows_clear(&c->rows);
}

/* Every thing goes on, a few rows come late, some of them twice, some are of days ago. */
static void write_round(struct series *s, uint64_t *state, uint32_t things, uint32_t rows, Nanos at) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    for (uint32_t i = 0; i < rows; i++) {
        for (ThingId thing = 1; thing <= things; thing++) {
            uint64_t r = draw(state);
            if (thing > 2 && r % 16) continue; /* two of them report often */
            Nanos time = at + (Nanos)i * 10 * NANOS_PER_S;
            if (r % 97 == 0) time -= (Nanos)(r % 20000) * 10 * NANOS_PER_S;
            if (r % 101 == 0) time -= (Nanos)(r % 9) * NANOS_PER_DAY;
            put_row(&c.rows, state, thing, time);
        }
        if (i % 64 == 63) commit(s, &c);
    }
    commit(s, &c);
    rows_fini(&c.rows);
}

/* ---- cases */

static void compare_some(struct series *s, uint64_t *state, uint32_t things, Nanos until) {
    const struct lens party = {.party = 2, .from = T0 - 2 * NANOS_PER_DAY, .to = T0 + 2 * NANOS_PER_HOUR};
    for (int i = 0; i < 8; i++) {
        MetricId metrics[METRICS];
        ThingId chosen[5];
        size_t n = 0, step = 1 + draw(state) % 5;
        for (MetricId m = 1 + (MetricId)(draw(state) % METRICS); m <= METRICS; m += (MetricId)step) metrics[n++] = m;
        for (size_t k = 0; k < 5; k++) chosen[k] = (ThingId)(1 + (draw(state) + k) % things);
        for (size_t k = 1; k < 5; k++) /* none twice, in any order */
            for (size_t j = 0; j < k; j++)
                if (chosen[j] == chosen[k]) chosen[k] = chosen[k] % things + 1, j = SIZE_MAX;
        Nanos from = i % 4 == 0 ? 0 : T0 + (Nanos)(draw(state) % 9000) * 7 * NANOS_PER_S;
        struct series_ask ask = {.things = i % 2 ? chosen : NULL,
                                 .n_things = 5,
                                 .metrics = metrics,
                                 .n_metrics = n,
                                 .from = from,
                                 .to = i % 3   ? from + 3 * NANOS_PER_HOUR + 1
                                       : i % 2 ? until
                                               : 0,
                                 .workers = i % 3 == 1 ? 4 : 1};
        if (!same(s, i == 5 ? &party : &all, &ask)) return;
    }
}

static void random_case(void) {
    enum { THINGS = 40, ROUNDS = 6 };
    const char *dir = unit_temp_dir();
    uint64_t state = 77;
    unit_case("random stores: memory, runs that overlap, shared chunks, hot and cold");
    struct series *s = open_store(dir, (size_t)1 << 20);
    name_all(s, THINGS);
    Nanos at = T0;
    for (int round = 0; round < ROUNDS; round++, at += 400 * 10 * NANOS_PER_S) {
        write_round(s, &state, THINGS, 420, at);
        compare_some(s, &state, THINGS, at);
        if (round % 2) CHECK_OK(series_flush(s));
        if (round == 2) CHECK_OK(series_compact(s));
        if (round == 3) series_close(s), s = open_store(dir, (size_t)1 << 20);
        compare_some(s, &state, THINGS, at);
    }
    CHECK_OK(series_compact(s));
    compare_some(s, &state, THINGS, at);
    series_close(s);
}

static void golden_case(void) {
    static const char *const dirs[] = {"tests/golden/series-1", "tests/golden/series-2", "tests/golden/series-2-cold",
                                       "tests/golden/series-3", "tests/golden/series-3-cold"};
    static const MetricId metrics[] = {7, 3, 1, 5, 2, 6, 4};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        struct series *s;
        unit_case(dirs[i]);
        if (!CHECK_OK(
                series_open(&(struct series_options){.dir = dirs[i], .clock = &clock_still, .read_only = true}, &s)))
            continue;
        for (size_t n = 1; n <= 7; n++) {
            same(s, &all, &(struct series_ask){.metrics = metrics, .n_metrics = n, .workers = 2});
            same(s, &all,
                 &(struct series_ask){.metrics = metrics + 7 - n,
                                      .n_metrics = n,
                                      .from = T0 + 77 * NANOS_PER_S,
                                      .to = T0 + 999 * NANOS_PER_S});
        }
        series_close(s);
    }
}

/* A thing with chunks of its own in every quarter of three days, one that shares them. */
static struct series *regular_store(const char *dir) {
    struct series *s = open_store(dir, 0);
    struct series_commit c = {0};
    uint64_t state = 3;
    name_all(s, 3);
    rows_clear(&c.rows);
    for (uint32_t quarter = 0; quarter < 12; quarter++) {
        for (uint32_t i = 0; i < 1100; i++) {
            Nanos time = T0 + quarter * 6 * NANOS_PER_HOUR + i * 10 * NANOS_PER_S;
            rows_begin(&c.rows, 1, time, 0);
            rows_value(&c.rows, 1, random_value(&state, 1, 1));
            if (i % 10) rows_value(&c.rows, 2, random_value(&state, 1, 2));
            rows_value(&c.rows, 4, random_value(&state, 1, 4));
            rows_value(&c.rows, 5, random_value(&state, 1, 5));
            rows_end(&c.rows);
            if (i % 100 == 0) put_row(&c.rows, &state, 2, time);
        }
        commit(s, &c);
        CHECK_OK(series_flush(s));
    }
    rows_fini(&c.rows);
    return s;
}

static void summary_case(void) {
    static const MetricId numbers[] = {2, 1, 4, 11}, texts[] = {1, 5};
    struct series *s = regular_store(unit_temp_dir());
    unit_case("windows from what chunks' directories say");
    CHECK(check_windows(s, 1, 0, numbers, 4) >= 4); /* the others may have been merged into larger chunks by now */
    check_windows(s, 1, 3 * NANOS_PER_HOUR, numbers, 4);
    check_windows(s, 2, 0, numbers, 4);
    CHECK_INT(check_windows(s, 1, 0, texts, 2), 0);
    struct series_commit c = {0};
    rows_clear(&c.rows);
    rows_begin(&c.rows, 1, T0 + 71 * NANOS_PER_HOUR, 0); /* late, within a chunk's time or behind it */
    rows_value(&c.rows, 1, VALUE_I(1000000));
    rows_end(&c.rows);
    rows_begin(&c.rows, 1, T0 + 66 * NANOS_PER_HOUR + 10 * NANOS_PER_S, 0);
    rows_value(&c.rows, 1, VALUE_I(-1000000));
    rows_end(&c.rows);
    commit(s, &c);
    check_windows(s, 1, 0, numbers, 4);
    same(s, &all, &(struct series_ask){.metrics = numbers, .n_metrics = 4});
    rows_fini(&c.rows);
    series_close(s);
}

static void stop_case(void) {
    static const MetricId metrics[] = {1, 2};
    struct series *s = regular_store(unit_temp_dir());
    struct taken t;
    unit_case("enough, cancelled, and what a lens refuses");
    struct series_ask ask = {.metrics = metrics, .n_metrics = 2};
    take_start(&t, &ask);
    t.stop_after = 2;
    CHECK_OK(series_batch_scan(s, &all, &ask, take, &t));
    CHECK_INT(t.batches, 2);
    take_end(&t);
    atomic_bool cancel = false;
    ask.cancel = &cancel, ask.workers = 4;
    take_start(&t, &ask);
    t.cancel = &cancel;
    CHECK_ERR(series_batch_scan(s, &all, &ask, take, &t), ERR_CANCELLED);
    take_end(&t);
    take_start(&t, &ask);
    CHECK_ERR(series_batch_scan(s, &all, &ask, take, &t), ERR_CANCELLED); /* before anything is given */
    CHECK_INT(t.batches, 0);
    take_end(&t);
    ask = (struct series_ask){0};
    take_start(&t, &ask);
    CHECK_OK(series_batch_scan(s, &all, &ask, take, &t));
    CHECK(t.rows >= 12 * 1100); /* moments alone */
    take_end(&t);
    ask = (struct series_ask){.metrics = metrics, .n_metrics = SERIES_ASK_METRICS_MAX + 1};
    CHECK_ERR(series_batch_scan(s, &all, &ask, take, &t), ERR_LIMIT);
    series_close(s);
}

static void lens_case(void) {
    static const MetricId metrics[] = {1, 2};
    const struct lens coarse = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX, .resolution = NANOS_PER_HOUR};
    const struct {
        Nanos window, origin;
        enum err_code want;
    } asks[] = {{0, 0, ERR_FORBIDDEN},
                {NANOS_PER_MIN, 0, ERR_FORBIDDEN},
                {90 * NANOS_PER_MIN, 0, ERR_FORBIDDEN},
                {NANOS_PER_HOUR, NANOS_PER_MIN, ERR_FORBIDDEN},
                {2 * NANOS_PER_HOUR, NANOS_PER_HOUR, ERR_NONE}};
    struct series *s = regular_store(unit_temp_dir());
    unit_case("a lens that shows hours shows whole hours");
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct series_ask ask = {
            .metrics = metrics, .n_metrics = 2, .window = asks[i].window, .origin = asks[i].origin};
        struct taken t;
        take_start(&t, &ask);
        CHECK_INT(series_batch_scan(s, &coarse, &ask, take, &t).code, asks[i].want);
        CHECK(asks[i].want == ERR_NONE || t.batches == 0);
        take_end(&t);
    }
    struct series_ask part = {.metrics = metrics, .n_metrics = 1, .window = NANOS_PER_HOUR};
    struct series_ask whole = part;
    part.from = T0 + 25 * NANOS_PER_MIN, part.to = T0 + 65 * NANOS_PER_MIN;
    whole.from = T0, whole.to = T0 + 2 * NANOS_PER_HOUR;
    struct taken a, b;
    take_start(&a, &whole), take_start(&b, &whole);
    CHECK_OK(series_batch_scan(s, &coarse, &part, take, &a));
    CHECK_OK(series_batch_scan(s, &all, &whole, take, &b));
    CHECK_INT(a.rows, b.rows);
    CHECK_INT(a.wrong, 0);
    take_end(&a), take_end(&b);
    series_close(s);
}

/* A byte of each of many places turned: what is still given is right, and no more is missing than series_read lacks. */
static void damage_case(void) {
    static const MetricId metrics[] = {1, 2, 4, 5};
    unit_case("damage takes its own rows alone");
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* damage is meant */
    size_t told = 0;
    for (uint64_t place = 1; place <= 24; place++) {
        struct store_cutfs *disk = store_cutfs_new(1);
        struct series *s = NULL;
        struct series_options options = {.fs = store_cutfs_fs(disk), .dir = "/data", .clock = &clock_still};
        struct series_commit c = {0};
        uint64_t state = 5;
        char path[4096];
        CHECK_OK(series_open(&options, &s));
        name_all(s, 8);
        rows_clear(&c.rows);
        for (uint32_t i = 0; i < 1200; i++)
            for (ThingId thing = 1; thing <= 8; thing++)
                if (thing < 3 || i % 20 == 0) put_row(&c.rows, &state, thing, T0 + i * NANOS_PER_S);
        commit(s, &c);
        rows_fini(&c.rows);
        CHECK_OK(series_flush(s));
        series_close(s);
        series_run_path("/data", 1, path);
        CHECK(store_cutfs_flip(disk, path, place * 1777));
        if (!CHECK_OK(series_open(&options, &s))) return;
        for (unsigned workers = 1; workers <= 4; workers += 3) {
            Err err;
            CHECK_INT(differences(s, &all, &(struct series_ask){.metrics = metrics, .n_metrics = 4, .workers = workers},
                                  &err),
                      0);
            CHECK(err.code == ERR_NONE || err.code == ERR_CORRUPT);
            told += err.code == ERR_CORRUPT;
        }
        series_close(s);
        store_cutfs_free(disk);
    }
    CHECK(told >= 8);
    log_set_level(LOG_LEVEL_INFO);
}

static void latest_case(void) {
    struct series *s = open_store(unit_temp_dir(), 0);
    uint64_t state = 11;
    enum { THINGS = 20 };
    MetricId metrics[] = {9, 2, 5, 999, 1};
    ThingId things[THINGS + 1];
    Value values[(THINGS + 1) * 5];
    Nanos times[(THINGS + 1) * 5];
    struct arena arena = {0};
    unit_case("the newest of many things is the newest of each");
    name_all(s, THINGS + 1); /* one never says anything */
    write_round(s, &state, THINGS, 100, T0);
    for (ThingId i = 0; i <= THINGS; i++) things[i] = THINGS + 1 - i;
    const struct lens own = {.party = 2, .from = T0 + 200 * NANOS_PER_S, .to = INT64_MAX};
    CHECK_OK(series_batch_latest(s, &own, things, THINGS + 1, metrics, 5, &arena, values, times));
    size_t wrong = 0, found = 0;
    for (size_t i = 0; i <= THINGS; i++) {
        struct series_latest *latest;
        size_t n;
        CHECK_OK(series_latest(s, &own, things[i], &arena, &latest, &n));
        for (size_t k = 0; k < 5; k++) {
            struct series_latest want = {0};
            for (size_t j = 0; j < n; j++)
                if (latest[j].metric == metrics[k]) want = latest[j];
            wrong += times[i * 5 + k] != want.time || !same_value(values[i * 5 + k], want.value);
            found += want.time != 0;
        }
    }
    CHECK_INT(wrong, 0);
    CHECK(found >= 10);
    const struct lens coarse = {.every_party = true, .to = INT64_MAX, .resolution = NANOS_PER_HOUR};
    CHECK_ERR(series_batch_latest(s, &coarse, things, 1, metrics, 1, &arena, values, times), ERR_FORBIDDEN);
    arena_fini(&arena);
    series_close(s);
}

/* ---- beside a writer */

struct writer {
    struct series *series;
    atomic_bool stop;
};

static void keep_writing(void *ctx) {
    struct writer *w = ctx;
    uint64_t state = 21;
    for (Nanos at = T0; !atomic_load(&w->stop); at += 64 * 10 * NANOS_PER_S) {
        write_round(w->series, &state, 30, 64, at);
        CHECK_OK(series_flush(w->series));
    }
}

static void beside_case(void) {
    static const MetricId metrics[] = {1, 2, 5};
    struct writer w = {.series = open_store(unit_temp_dir(), 0)};
    struct thread *thread;
    unit_case("reading beside a writer");
    name_all(w.series, 30);
    CHECK_OK(thread_start(&thread, "writer", keep_writing, &w));
    for (int i = 0; i < 30; i++) {
        struct series_ask ask = {.metrics = metrics, .n_metrics = 3, .workers = 3};
        struct taken t;
        take_start(&t, &ask);
        CHECK_OK(series_batch_scan(w.series, &all, &ask, take, &t));
        CHECK_INT(t.wrong, 0);
        take_end(&t);
    }
    atomic_store(&w.stop, true);
    thread_join(thread);
    same(w.series, &all, &(struct series_ask){.metrics = metrics, .n_metrics = 3, .workers = 4});
    series_close(w.series);
}

void series_batch_test(void) {
    random_case();
    golden_case();
    summary_case();
    stop_case();
    lens_case();
    damage_case();
    latest_case();
    beside_case();
}
