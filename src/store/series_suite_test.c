/* What every backend of the series store must do. A new one is one line in the table at the end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "store/series.h"
#include "tests/lib/store_oracle.h"
#include "tests/unit.h"

void series_suite_test(void);

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};
#define T0 INT64_C(1700006400000000000) /* a UTC midnight */

struct suite {
    const char *backend, *dir;
    size_t memory_bytes;
    struct series *series;
    _Atomic Nanos now; /* the store's threads ask too */
    struct clock clock;
};

static Nanos suite_now(void *ctx) { return ((struct suite *)ctx)->now; }

static bool open_suite(struct suite *s, bool read_only) {
    s->clock = (struct clock){suite_now, s};
    return CHECK_OK(series_open(&(struct series_options){.backend = s->backend,
                                                         .dir = s->dir,
                                                         .clock = &s->clock,
                                                         .memory_bytes = s->memory_bytes,
                                                         .merge_runs = 3,
                                                         .read_only = read_only},
                                &s->series));
}

static bool reopen(struct suite *s) {
    series_close(s->series);
    return open_suite(s, false);
}

static ThingId thing_of(struct suite *s, PartyId party, const char *name) {
    ThingId id = 0;
    CHECK_OK(series_thing(s->series, party, str_c(name), &id));
    return id;
}

static MetricId metric_of(struct suite *s, const char *name) {
    MetricId id = 0;
    CHECK_OK(series_metric(s->series, str_c(name), &id));
    return id;
}

static void put(struct suite *s, ThingId thing, Nanos time, MetricId metric, Value value) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    rows_begin(&c.rows, thing, time, 0);
    rows_value(&c.rows, metric, value);
    rows_end(&c.rows);
    CHECK_OK(series_write(s->series, &c));
    rows_fini(&c.rows);
}

static uint64_t draw(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state * UINT64_C(0x9e3779b97f4a7c15) >> 8;
}

/* ---- merging of rows with one time */

static void merge_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "press");
    MetricId a = metric_of(s, "a"), b = metric_of(s, "b"), text = metric_of(s, "text");
    struct store_oracle o = {0};
    struct {
        MetricId metric;
        Value value;
        bool flush;
    } steps[] = {
        {a, VALUE_I(1), false},    {b, VALUE_F(2.5), false},         {a, VALUE_I(3), true},
        {b, VALUE_I(4), true},     {text, VALUE_S(STR("x")), false}, {text, VALUE_S(STR("")), true},
        {a, VALUE_F(5.25), false},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        put(s, thing, T0 + 7, steps[i].metric, steps[i].value);
        store_oracle_put(&o, thing, steps[i].metric, T0 + 7, steps[i].value);
        if (steps[i].flush) CHECK_OK(series_flush(s->series));
        CHECK_INT(store_oracle_differences(&o, s->series, &all, &(struct series_query){.thing = thing}), 0);
    }
    if (reopen(s)) CHECK_INT(store_oracle_differences(&o, s->series, &all, &(struct series_query){.thing = thing}), 0);
    store_oracle_fini(&o);
}

/* ---- everything against the plain store */

static PartyId odd_party(ThingId thing) { return thing % 3 + 1; }

static Value random_value(uint64_t *state, MetricId metric) {
    static const Str words[] = {
        {"run", 3}, {"idle", 4}, {"", 0}, {"fault \"E12\"", 11}, {"a much longer state name", 24}};
    uint64_t r = draw(state);
    switch (metric % 6) {
    case 0: return VALUE_I((int64_t)(r % 1000) - 500);
    case 1: return VALUE_F((double)(r % 10000) / 100);
    case 2: return r % 3 ? VALUE_F((double)(r % 100) / 10) : VALUE_I((int64_t)(r % 10));
    case 3: return VALUE_B(r % 2);
    case 4: return VALUE_S(words[r % 5]);
    default: return r % 2 ? VALUE_I((int64_t)(r << 8)) : VALUE_F(sin((double)(r % 1000)));
    }
}

/* Mostly onward, sometimes late, sometimes months ago, sometimes a moment there is already. */
static Nanos random_time(uint64_t *state, uint64_t i) {
    uint64_t r = draw(state);
    Nanos t = T0 + (Nanos)i * 7 * NANOS_PER_S;
    if (r % 20 == 0) return t - (Nanos)(r % 500) * NANOS_PER_HOUR;
    if (r % 20 == 1) return T0 + (Nanos)(r % 50) * NANOS_PER_MIN;
    return t + (Nanos)(r % 1000);
}

static void add_random_row(struct rows *rows, struct store_oracle *o, uint64_t *state, uint64_t i, uint32_t things) {
    ThingId thing = 1 + (ThingId)(draw(state) % things);
    Nanos time = random_time(state, i);
    rows_begin(rows, thing, time, 0);
    for (uint64_t n = 1 + draw(state) % 7; n > 0; n--) {
        MetricId metric = 1 + (MetricId)(draw(state) % 12);
        Value value = random_value(state, metric);
        rows_value(rows, metric, value);
        store_oracle_put(o, thing, metric, time, value);
    }
    rows_end(rows);
}

static void compare_all(struct suite *s, const struct store_oracle *o, uint64_t *state, uint32_t things) {
    const struct lens party = {.party = 2, .from = T0 - NANOS_PER_DAY, .to = T0 + NANOS_PER_HOUR};
    const struct lens coarse = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX, .resolution = NANOS_PER_HOUR};
    ThingId thing = 1 + (ThingId)(draw(state) % things);
    MetricId metric = 1 + (MetricId)(draw(state) % 12);
    Nanos from = T0 + (Nanos)(draw(state) % 5000) * NANOS_PER_S;
    const struct series_query queries[] = {
        {0},
        {.thing = thing},
        {.metric = metric},
        {.thing = thing, .metric = metric, .from = from, .to = from + NANOS_PER_HOUR},
        {.thing = thing, .metric = metric, .newest_first = true, .limit = 17},
        {.thing = thing, .metric = metric, .newest_first = true, .to = from},
        {.window = 15 * NANOS_PER_MIN, .metric = metric},
        {.window = NANOS_PER_DAY},
        {.limit = 100, .from = T0},
    };
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        CHECK_INT(store_oracle_differences(o, s->series, &all, &queries[i]), 0);
        CHECK_INT(store_oracle_differences(o, s->series, &party, &queries[i]), 0);
    }
    CHECK_INT(store_oracle_differences(o, s->series, &coarse, &queries[3]), 0);
    CHECK_INT(store_oracle_differences(o, s->series, &coarse, &queries[7]), 0);
}

static void name_things(struct suite *s, uint32_t things) {
    char name[32];
    for (ThingId t = 1; t <= things; t++) {
        snprintf(name, sizeof name, "thing-%u", t);
        CHECK_INT(thing_of(s, odd_party(t), name), t);
    }
    for (MetricId m = 1; m <= 12; m++) {
        snprintf(name, sizeof name, "metric.%u", m);
        CHECK_INT(metric_of(s, name), m);
    }
}

static void random_case(struct suite *s, uint64_t seed, uint32_t things, uint64_t commits) {
    struct store_oracle o = {.party_of = odd_party};
    struct series_commit c = {0};
    uint64_t state = seed, row = 0;
    s->now = T0 + NANOS_PER_DAY * 30; /* so that what is old may be merged */
    name_things(s, things);
    for (uint64_t i = 0; i < commits; i++) {
        rows_clear(&c.rows);
        for (uint64_t n = draw(&state) % 60; n > 0; n--) add_random_row(&c.rows, &o, &state, row++, things);
        CHECK_OK(series_write(s->series, &c));
        if (draw(&state) % 16 == 0) CHECK_OK(series_flush(s->series));
        if (draw(&state) % 40 == 0) CHECK_OK(series_compact(s->series));
        if (draw(&state) % 50 == 0 && !reopen(s)) break;
        if (draw(&state) % 25 == 0) compare_all(s, &o, &state, things);
    }
    compare_all(s, &o, &state, things);
    if (reopen(s)) compare_all(s, &o, &state, things);
    struct series_stats before, after;
    CHECK_OK(series_compact(s->series));
    series_stats(s->series, &before);
    CHECK_OK(series_compact(s->series));
    series_stats(s->series, &after);
    CHECK_INT(after.runs, before.runs); /* nothing is left to merge */
    compare_all(s, &o, &state, things);
    rows_fini(&c.rows);
    store_oracle_fini(&o);
}

static void few_things_case(struct suite *s) { random_case(s, 7, 5, 300); }
static void many_things_case(struct suite *s) { random_case(s, 8, 400, 150); }

/* ---- latest values, kinds, stamps */

static size_t latest_of(struct suite *s, ThingId thing, struct arena *arena, struct series_latest **out) {
    size_t n = 0;
    CHECK_OK(series_latest(s->series, &all, thing, arena, out, &n));
    return n;
}

static void check_latest(struct suite *s, ThingId thing) {
    struct arena arena;
    struct series_latest *latest;
    arena_init(&arena, 0);
    if (CHECK_INT(latest_of(s, thing, &arena, &latest), 3)) {
        CHECK_INT(latest[0].value.i, 12);
        CHECK_INT(latest[0].time, T0 + 3);
        CHECK_STR(latest[1].value.s, STR("stop"));
        CHECK(latest[2].value.kind == VALUE_BOOL && latest[2].value.b);
    }
    CHECK_INT(series_last_seen(s->series, thing), T0 + 5);
    arena_fini(&arena);
}

static void latest_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "press"), silent = thing_of(s, 1, "silent");
    MetricId rpm = metric_of(s, "rpm"), state = metric_of(s, "state"), door = metric_of(s, "door");
    s->now = T0;
    put(s, thing, T0 + 1, rpm, VALUE_I(10));
    put(s, thing, T0 + 3, rpm, VALUE_I(11));
    put(s, thing, T0 + 3, rpm, VALUE_I(12));
    put(s, thing, T0 + 2, rpm, VALUE_I(13));
    put(s, thing, T0 + 4, state, VALUE_S(STR("run")));
    put(s, thing, T0 + 5, state, VALUE_S(STR("stop")));
    put(s, thing, T0, door, VALUE_B(true));
    put(s, thing, T0 + 11 * NANOS_PER_MIN, rpm, VALUE_I(99)); /* kept, never latest */
    check_latest(s, thing);
    CHECK_INT(series_last_seen(s->series, silent), 0);
    if (reopen(s)) check_latest(s, thing);
    CHECK_OK(series_flush(s->series));
    check_latest(s, thing);
    if (reopen(s)) check_latest(s, thing);
}

static void kinds_case(struct suite *s) {
    ThingId a = thing_of(s, 1, "a"), b = thing_of(s, 1, "b");
    MetricId m = metric_of(s, "m");
    enum value_kind is;
    CHECK(series_accepts(s->series, a, m, VALUE_INT, &is));
    CHECK(series_accepts(s->series, a, m, VALUE_FLOAT, &is));
    CHECK(!series_accepts(s->series, a, m, VALUE_STRING, &is) && is == VALUE_INT);
    CHECK(series_accepts(s->series, b, m, VALUE_STRING, &is)); /* each thing has its own */
    put(s, a, T0, m, VALUE_F(1.5));
    put(s, b, T0, m, VALUE_S(STR("x")));
    for (int i = 0; i < 2 && reopen(s); i++) {
        CHECK(!series_accepts(s->series, a, m, VALUE_BOOL, &is) && is == VALUE_FLOAT);
        CHECK(!series_accepts(s->series, b, m, VALUE_INT, &is) && is == VALUE_STRING);
        CHECK_OK(series_flush(s->series));
    }
}

static void stamps_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "a");
    MetricId m = metric_of(s, "m");
    struct series_commit c = {0};
    Nanos last = 0;
    for (int i = 0; i < 5; i++) {
        Nanos t = series_stamp(s->series, thing, T0 - i); /* the clock runs back */
        CHECK(t > last);
        last = t;
    }
    CHECK_INT(series_stamp(s->series, thing, T0 + 100), T0 + 100);
    rows_begin(&c.rows, thing, T0 + 100, ROWS_SERVER_TIME);
    rows_value(&c.rows, m, VALUE_I(1));
    rows_end(&c.rows);
    CHECK_OK(series_write(s->series, &c));
    rows_fini(&c.rows);
    if (reopen(s)) CHECK(series_stamp(s->series, thing, T0) > T0 + 100);
    CHECK_OK(series_flush(s->series));
    if (reopen(s)) CHECK(series_stamp(s->series, thing, T0) > T0 + 100);
}

/* ---- names */

static void names_case(struct suite *s) {
    static const Str bad[] = {{"", 0}, {"a\nb", 3}, {"\xff", 1}, {"\x7f", 1}};
    ThingId id, again;
    PartyId party;
    Str name;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(series_thing(s->series, 1, bad[i], &id), ERR_INVALID);
        CHECK_ERR(series_metric(s->series, bad[i], &id), ERR_INVALID);
    }
    char lengthy[256];
    memset(lengthy, 'x', sizeof lengthy);
    CHECK_ERR(series_thing(s->series, 1, (Str){lengthy, 256}, &id), ERR_INVALID);
    CHECK_OK(series_thing(s->series, 1, (Str){lengthy, 255}, &id));
    CHECK_ERR(series_thing(s->series, 0, STR("nobody's"), &id), ERR_INVALID);
    CHECK_OK(series_thing(s->series, 1, STR("泵-1"), &id));
    CHECK_OK(series_thing(s->series, 2, STR("泵-1"), &again));
    CHECK(id != again);
    CHECK(series_thing_name(s->series, again, &party, &name) && party == 2 && str_eq_c(name, "泵-1"));
    CHECK(!series_thing_name(s->series, 99, &party, &name));
    CHECK(!series_find_thing(s->series, 3, STR("泵-1"), &id));
    CHECK(series_metric_name(s->series, 99).len == 0);
    put(s, again, T0, metric_of(s, "温度"), VALUE_I(1));
    if (!reopen(s)) return;
    CHECK(series_find_thing(s->series, 2, STR("泵-1"), &id));
    CHECK_INT(id, again);
    CHECK_STR(series_metric_name(s->series, 1), STR("温度"));
    CHECK_INT(series_thing_count(s->series), 3);
}

static void many_names_case(struct suite *s) {
    char name[32];
    ThingId id;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "truck-%d", i);
        CHECK_INT(thing_of(s, 1, name), i + 1);
    }
    put(s, 5000, T0, metric_of(s, "m"), VALUE_I(1));
    CHECK_OK(series_flush(s->series));
    if (!reopen(s)) return;
    for (int i = 0; i < 5000; i += 7) {
        snprintf(name, sizeof name, "truck-%d", i);
        CHECK(series_find_thing(s->series, 1, str_c(name), &id) && id == (ThingId)i + 1);
    }
}

/* ---- dead letters */

static void add_letters(struct suite *s, int n, PartyId party) {
    char payload[64];
    for (int i = 0; i < n; i++) {
        snprintf(payload, sizeof payload, "{\"n\":%d}", i);
        struct dead_letter letter = {party, T0 + i, STR("dev"), STR("v1/t"), STR("not a number"), str_c(payload)};
        struct series_commit c = {.dead_letters = &letter, .n_dead_letters = 1};
        CHECK_OK(series_write(s->series, &c));
    }
}

static void letters_case(struct suite *s) {
    const struct lens second = {.party = 2, .from = INT64_MIN, .to = INT64_MAX};
    struct arena arena;
    struct dead_letter_row *rows;
    size_t n;
    arena_init(&arena, 0);
    add_letters(s, 10, 1);
    if (reopen(s)) add_letters(s, 5, 2);
    CHECK_OK(series_dead_letters(s->series, &all, 0, 3, &arena, &rows, &n));
    if (CHECK_INT(n, 3)) CHECK(rows[0].id == 15 && rows[1].id == 14 && rows[2].id == 13);
    CHECK_OK(series_dead_letters(s->series, &all, 11, 0, &arena, &rows, &n));
    if (CHECK_INT(n, 10)) {
        CHECK_INT(rows[0].id, 10);
        CHECK_STR(rows[9].letter.payload, STR("{\"n\":0}"));
        CHECK_STR(rows[9].letter.reason, STR("not a number"));
    }
    CHECK_OK(series_dead_letters(s->series, &second, 0, 100, &arena, &rows, &n));
    CHECK_INT(n, 5);
    arena_fini(&arena);
}

/* ---- reading beside an owner, and refusals */

static void read_only_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "a"), id;
    MetricId m = metric_of(s, "m");
    struct store_oracle o = {0};
    for (int i = 0; i < 100; i++) {
        put(s, thing, T0 + i, m, VALUE_I(i));
        store_oracle_put(&o, thing, m, T0 + i, VALUE_I(i));
        if (i == 50) CHECK_OK(series_flush(s->series));
    }
    struct suite beside = {.backend = s->backend, .dir = s->dir, .now = s->now};
    if (open_suite(&beside, true)) {
        CHECK_INT(store_oracle_differences(&o, beside.series, &all, &(struct series_query){0}), 0);
        CHECK_ERR(series_thing(beside.series, 1, STR("new"), &id), ERR_STATE);
        CHECK_ERR(series_flush(beside.series), ERR_STATE);
        struct series_commit c = {0};
        CHECK_ERR(series_write(beside.series, &c), ERR_STATE);
        series_close(beside.series);
    }
    store_oracle_fini(&o);
}

static bool never(void *ctx, const struct series_point *p) {
    (void)p;
    ++*(int *)ctx;
    return false;
}

static void refusals_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "a");
    MetricId m = metric_of(s, "m");
    const struct lens coarse = {.party = 1, .from = INT64_MIN, .to = INT64_MAX, .resolution = NANOS_PER_HOUR};
    int calls = 0;
    put(s, thing, T0, m, VALUE_I(1));
    put(s, thing, T0 + 1, m, VALUE_I(1));
    CHECK_OK(series_read(s->series, &all, &(struct series_query){0}, never, &calls));
    CHECK_INT(calls, 1); /* the reader had enough */
    CHECK_ERR(series_read(s->series, &all, &(struct series_query){.newest_first = true}, never, &calls), ERR_INVALID);
    CHECK_ERR(series_read(s->series, &all, &(struct series_query){.window = -1}, never, &calls), ERR_INVALID);
    CHECK_ERR(series_read(s->series, &coarse, &(struct series_query){.thing = thing, .metric = m, .newest_first = true},
                          never, &calls),
              ERR_FORBIDDEN);
    struct arena arena;
    struct series_latest *latest;
    size_t n;
    arena_init(&arena, 0);
    CHECK_ERR(series_latest(s->series, &coarse, thing, &arena, &latest, &n), ERR_FORBIDDEN);
    CHECK_OK(series_latest(s->series, &(struct lens){.party = 2, .to = INT64_MAX}, thing, &arena, &latest, &n));
    CHECK_INT(n, 0);
    arena_fini(&arena);
}

/* ---- values at the ends of their ranges, and rows that are wide */

static void extremes_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "a");
    const Value values[] = {VALUE_I(INT64_MIN),
                            VALUE_I(INT64_MAX),
                            VALUE_I(0),
                            VALUE_F(-0.0),
                            VALUE_F(5e-324),
                            VALUE_F(1.7976931348623157e308),
                            VALUE_F(0.1),
                            VALUE_I((INT64_C(1) << 53) + 1),
                            VALUE_F(9007199254740993.0)};
    struct store_oracle o = {0};
    MetricId m = metric_of(s, "m");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        Nanos time = i == 0 ? INT64_MIN + 1 : i == 1 ? INT64_MAX - 1 : T0 + (Nanos)i;
        put(s, thing, time, m, values[i]);
        store_oracle_put(&o, thing, m, time, values[i]);
    }
    struct series_query q = {.from = INT64_MIN};
    CHECK_INT(store_oracle_differences(&o, s->series, &all, &q), 0);
    CHECK_OK(series_flush(s->series));
    CHECK_INT(store_oracle_differences(&o, s->series, &all, &q), 0);
    if (reopen(s)) CHECK_INT(store_oracle_differences(&o, s->series, &all, &q), 0);
    store_oracle_fini(&o);
}

static void wide_case(struct suite *s) {
    ThingId thing = thing_of(s, 1, "a");
    struct store_oracle o = {0};
    struct series_commit c = {0};
    char name[32];
    for (int i = 1; i <= 700; i++) {
        snprintf(name, sizeof name, "m%d", i);
        metric_of(s, name);
    }
    for (int row = 0; row < 40; row++) {
        rows_begin(&c.rows, thing, T0 + row, 0);
        for (MetricId m = 1; m <= 700; m++) {
            rows_value(&c.rows, m, VALUE_I(row));
            rows_value(&c.rows, m, VALUE_I(row * (int)m)); /* the last counts */
            store_oracle_put(&o, thing, m, T0 + row, VALUE_I(row * (int)m));
        }
        rows_end(&c.rows);
    }
    CHECK_OK(series_write(s->series, &c));
    CHECK_INT(store_oracle_differences(&o, s->series, &all, &(struct series_query){0}), 0);
    CHECK_OK(series_flush(s->series));
    CHECK_INT(store_oracle_differences(&o, s->series, &all, &(struct series_query){0}), 0);
    rows_fini(&c.rows);
    store_oracle_fini(&o);
}

/* ---- the table */

static const struct {
    const char *name;
    void (*run)(struct suite *s);
    size_t memory_bytes;
} cases[] = {
    {"rows with one time merge", merge_case, 0},
    {"few things, against the plain store", few_things_case, 64 << 10},
    {"many things, against the plain store", many_things_case, 256 << 10},
    {"latest values", latest_case, 0},
    {"kinds", kinds_case, 0},
    {"stamps rise", stamps_case, 0},
    {"names", names_case, 0},
    {"many names", many_names_case, 0},
    {"dead letters", letters_case, 0},
    {"read only beside the owner", read_only_case, 0},
    {"what is refused", refusals_case, 0},
    {"extreme values and times", extremes_case, 0},
    {"wide rows", wide_case, 0},
};

static const char *const backends[] = {"embedded"};

void series_suite_test(void) {
    char name[128];
    for (size_t b = 0; b < sizeof backends / sizeof *backends; b++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            struct suite s = {
                .backend = backends[b], .dir = unit_temp_dir(), .memory_bytes = cases[i].memory_bytes, .now = T0};
            snprintf(name, sizeof name, "%s: %s", backends[b], cases[i].name);
            unit_case(name);
            if (!open_suite(&s, false)) continue;
            cases[i].run(&s);
            series_close(s.series);
        }
}
