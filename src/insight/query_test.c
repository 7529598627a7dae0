/* Questions against results that were worked out by hand. */
#include "insight/query.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "os/file.h"
#include "store/series.h"
#include "tests/unit.h"

void query_test(void);

struct bench {
    struct series *series;
    struct query_engine *engine;
    struct lens lens;
    struct series_commit commit;
};

static Nanos frozen(void *ctx) {
    (void)ctx;
    return time_from_civil(2026, 7, 1, 0, 0, 0);
}
static const struct clock stopped = {frozen, NULL};
#define T(h, m) (time_from_civil(2026, 1, 5, (h), (m), 0)) /* a Monday */

static void open_bench(struct bench *b, const char *name) {
    char dir[400];
    *b = (struct bench){0};
    snprintf(dir, sizeof dir, "%s/%s", unit_temp_dir(), name);
    CHECK_OK(file_make_dirs(file_disk, dir, "test"));
    CHECK_OK(series_open(&(struct series_options){.dir = dir, .clock = &stopped}, &b->series));
    CHECK_OK(query_engine_open(&(struct query_engine_options){.series = b->series, .clock = &stopped, .workers = 2},
                               &b->engine));
    b->lens = gate_lens_party(1, "test");
}

static void close_bench(struct bench *b) {
    query_engine_close(b->engine);
    series_close(b->series);
    rows_fini(&b->commit.rows);
}

static void put(struct bench *b, const char *thing, Nanos at, const char *metric, Value v) {
    ThingId id = 0;
    MetricId m = 0;
    CHECK_OK(series_thing(b->series, 1, str_c(thing), &id));
    CHECK_OK(series_metric(b->series, str_c(metric), &m));
    rows_begin(&b->commit.rows, id, at, 0);
    rows_value(&b->commit.rows, m, v);
    rows_end(&b->commit.rows);
}

static void commit(struct bench *b) {
    CHECK_OK(series_write(b->series, &b->commit));
    rows_clear(&b->commit.rows);
}

/* ---- answers as text: columns by blanks, rows by bars; times as hh:mm, or with their day when it is another */

static void add_value(struct buf *out, Value v, enum query_kind kind) {
    char room[NUM_TEXT_MAX];
    int y, mo, d, h, m, s;
    if (v.kind == VALUE_NONE) {
        buf_c(out, "-");
    } else if (kind == QUERY_KIND_TIME) {
        time_civil(v.i, &y, &mo, &d, &h, &m, &s);
        if (y != 2026 || mo != 1 || d != 5) buf_printf(out, "%02d-%02dT", mo, d);
        buf_printf(out, "%02d:%02d", h, m);
    } else if (v.kind == VALUE_STRING) {
        buf_str(out, v.s);
    } else if (v.kind == VALUE_BOOL) {
        buf_c(out, v.b ? "true" : "false");
    } else {
        double rounded = round(value_as_num(v) * 1e6) / 1e6;
        buf_str(out, num_format(rounded, room));
    }
}

struct answer {
    struct buf text;
    enum query_kind kinds[64];
};

static bool take_columns(void *ctx, const struct query_column *columns, size_t n) {
    struct answer *a = ctx;
    for (size_t i = 0; i < n && i < 64; i++) a->kinds[i] = columns[i].kind;
    return true;
}

static bool take_row(void *ctx, const Value *row, size_t n) {
    struct answer *a = ctx;
    if (a->text.len) buf_c(&a->text, " | ");
    for (size_t i = 0; i < n; i++) {
        if (i) buf_c(&a->text, " ");
        add_value(&a->text, row[i], a->kinds[i]);
    }
    return true;
}

static Err run(struct bench *b, const struct query *q, struct answer *a) {
    struct query_sink sink = {take_columns, take_row, a};
    buf_clear(&a->text);
    return query_run(b->engine, &b->lens, q, &sink, NULL);
}

/* The same with one and with three workers. */
static void check(struct bench *b, const struct query *query, const char *want) {
    struct query q = *query;
    struct answer a = {0};
    if (q.from == 0 && !q.latest) q.from = T(0, 0);
    if (q.to == 0 && !q.latest) q.to = T(24, 0);
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        q.workers = workers;
        if (CHECK_OK(run(b, &q, &a))) CHECK_STR(buf_view(&a.text), str_c(want));
    }
    buf_fini(&a.text);
}

static void check_fails(struct bench *b, const struct query *query, enum err_code code, const char *part) {
    struct query q = *query;
    struct answer a = {0};
    if (q.from == 0) q.from = T(0, 0), q.to = T(24, 0);
    Err err = run(b, &q, &a);
    if (CHECK_ERR(err, code) && !CHECK(str_find(str_c(err.text), str_c(part)) >= 0)) printf("  %s\n", err.text);
    buf_fini(&a.text);
}

#define SELECT(...)                                                                                                    \
    .select = (const struct query_select[]){__VA_ARGS__},                                                              \
    .n_select = sizeof((const struct query_select[]){__VA_ARGS__}) / sizeof(struct query_select)
#define AS(name, expr)                                                                                                 \
    { STR_INIT(name), STR_INIT(expr) }
#define BY(...) .by = (const Str[]){__VA_ARGS__}, .n_by = sizeof((const Str[]){__VA_ARGS__}) / sizeof(Str)
#define ORDER(...) .order = (const Str[]){__VA_ARGS__}, .n_order = sizeof((const Str[]){__VA_ARGS__}) / sizeof(Str)
#define STAGES(...)                                                                                                    \
    .stages = (const struct query_stage[]){__VA_ARGS__},                                                               \
    .n_stages = sizeof((const struct query_stage[]){__VA_ARGS__}) / sizeof(struct query_stage)
#define SPAN(ns) .window = {QUERY_UNIT_SPAN, (ns)}
#define N(text) STR_INIT(text)

/* ---- expressions, over one row: a 7, b 2, t true, s "run", @load "2000", gone: null */
static const struct {
    const char *expr, *want;
} expressions[] = {
    {"a + b * 3", "13"},
    {"(a + b) * 3", "27"},
    {"-a + 1", "-6"},
    {"a - b - 1", "4"},
    {"a / b", "3.5"},
    {"a / 0", "-"},
    {"a % b", "1"},
    {"a % 0", "-"},
    {"1e3 + .5", "1000.5"},
    {"a = 7", "true"},
    {"a <> 7", "false"},
    {"a != 7", "false"},
    {"a >= 7 and b < 2", "false"},
    {"a >= 7 or gone > 2", "true"},
    {"a < 7 or gone > 2", "-"},
    {"a < 7 and gone > 2", "false"},
    {"not gone > 2", "-"},
    {"not a > 2", "false"},
    {"gone is null", "true"},
    {"a is not null", "true"},
    {"gone + 1", "-"},
    {"a in (1, 7)", "true"},
    {"a not in (1, 2)", "true"},
    {"s in ('stop', 'run')", "true"},
    {"a between 7 and 8", "true"},
    {"a not between 7 and 8", "false"},
    {"s = 'run'", "true"},
    {"s > 'rum'", "true"},
    {"s", "run"},
    {"s + 1", "-"},
    {"a / @load", "0.0035"},
    {"@load > 300", "true"},
    {"@load = '2000'", "true"},
    {"number(@load) + 1", "2001"},
    {"if(a > b, a, b)", "7"},
    {"if(gone > b, a, b)", "2"},
    {"if(t, 'yes', 'no')", "yes"},
    {"coalesce(gone, b)", "2"},
    {"coalesce(gone, s, 'x')", "run"},
    {"coalesce(gone, null)", "-"},
    {"abs(-a)", "7"},
    {"floor(a / b) + ceil(a / b) + round(a / b)", "11"},
    {"sqrt(-1)", "-"},
    {"sqrt(a + b)", "3"},
    {"ln(exp(2))", "2"},
    {"ln(0)", "-"},
    {"pow(b, 10)", "1024"},
    {"min2(a, b) + greatest(a, b, gone)", "9"},
    {"hour(time)", "6"},
    {"weekday(time)", "1"},
    {"minute(time) + day(time) + month(time) + year(time)", "2062"},
    {"time > '2026-01-05'", "true"},
    {"time < '2026-01-05T06:30:00Z'", "false"},
    {"time", "06:30"},
    {"thing", "x"},
    {"thing = 'x' and true", "true"},
    {"\"a\" + \"odd name {x=1}\"", "12"},
    {"text(a)", "7"},
};

static void check_expressions(void) {
    struct bench b;
    open_bench(&b, "expressions");
    put(&b, "x", T(6, 30), "a", VALUE_I(7));
    put(&b, "x", T(6, 30), "b", VALUE_F(2));
    put(&b, "x", T(6, 30), "t", VALUE_B(true));
    put(&b, "x", T(6, 30), "s", VALUE_S(STR("run")));
    put(&b, "x", T(6, 30), "odd name {x=1}", VALUE_F(5));
    put(&b, "x", T(6, 30), "@load", VALUE_S(STR("2000")));
    put(&b, "x", T(9, 0), "gone", VALUE_F(1)); /* at another time */
    commit(&b);
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        char name[100];
        struct query_select select = {STR("r"), str_c(expressions[i].expr)};
        struct query_stage stage = {.where = STR("a = 7"), .select = &select, .n_select = 1};
        snprintf(name, sizeof name, "an expression: %s", expressions[i].expr);
        unit_case(name);
        check(&b, &(struct query){.stages = &stage, .n_stages = 1}, expressions[i].want);
    }
    close_bench(&b);
}

static const struct {
    const char *expr, *part;
} faults[] = {
    {"a +", "at its end"},
    {"a + (b", "')' is missing"},
    {"a b", "at character 3"},
    {"'a", "quote"},
    {"nosuch(a)", "no function"},
    {"speed + 1", "no column 'speed'"},
    {"velocty", "did you mean 'motor.velocity'?"},
    {"avg(avg(a))", "two stages"},
    {"sum(*)", "count(*)"},
    {"abs()", "more arguments"},
    {"abs(a, a)", "too many"},
    {"percentile(a, 101)", "0 to 100"},
    {"hour(a)", "of a time"},
    {"a in 5", "behind 'in'"},
    {"time > 'soon'", "no time"},
    {"((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a", "deeply"},
};

static void check_faults(void) {
    struct bench b;
    unit_case("a fault in an expression says where, what and what may be meant");
    open_bench(&b, "faults");
    put(&b, "x", T(6, 30), "a", VALUE_I(7));
    put(&b, "x", T(6, 30), "motor.velocity", VALUE_I(7));
    commit(&b);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct query_select select = {STR("r"), str_c(faults[i].expr)};
        struct query_stage stage = {.select = &select, .n_select = 1};
        check_fails(&b, &(struct query){.stages = &stage, .n_stages = 1}, ERR_INVALID, faults[i].part);
    }
    check_fails(&b, &(struct query){STAGES({BY(N("thing")), SELECT(AS("v", "a"))})}, ERR_INVALID, "last(a)");
    check_fails(&b, &(struct query){STAGES({.where = N("avg(a) > 1")})}, ERR_INVALID, "having");
    check_fails(&b, &(struct query){STAGES({BY(N("thing")), ORDER(N("-w")), SELECT(AS("v", "avg(a)"))})}, ERR_INVALID,
                "no column 'w'");
    check_fails(&b,
                &(struct query){STAGES({BY(N("thing")), SELECT(AS("v", "avg(a)"))},
                                       {SPAN(NANOS_PER_HOUR), SELECT(AS("w", "sum(v)"))})},
                ERR_INVALID, "stage 2, window");
    check_fails(&b, &(struct query){.zone = STR("Nowhere/Land"), STAGES({SELECT(AS("v", "a"))})}, ERR_INVALID, "IANA");
    close_bench(&b);
}

/* ---- aggregates: of 1 2 4 8 at 00:00, 00:10, 00:20, 00:40, and 16 at 01:20 */
static const struct {
    const char *expr, *all, *hours;
} aggregates[] = {
    {"avg(v)", "6.2", "00:00 3.75 | 01:00 16"},
    {"sum(v)", "31", "00:00 15 | 01:00 16"},
    {"min(v) + max(v)", "17", "00:00 9 | 01:00 32"},
    {"spread(v)", "15", "00:00 7 | 01:00 0"},
    {"count(v)", "5", "00:00 4 | 01:00 1"},
    {"count(*)", "5", "00:00 4 | 01:00 1"},
    {"count_if(v > 3)", "3", "00:00 2 | 01:00 1"},
    {"count(v > 3)", "5", "00:00 4 | 01:00 1"},
    {"first(v)", "1", "00:00 1 | 01:00 16"},
    {"last(v)", "16", "00:00 8 | 01:00 16"},
    {"last_time(v)", "01:20", "00:00 00:40 | 01:00 01:20"},
    {"max_time(v)", "01:20", "00:00 00:40 | 01:00 01:20"},
    {"max(time)", "01:20", "00:00 00:40 | 01:00 01:20"},
    {"delta(v)", "15", "00:00 7 | 01:00 0"},
    {"variance(v)", "37.2", "00:00 9.583333 | 01:00 -"},
    {"stddev(v)", "6.09918", "00:00 3.095696 | 01:00 -"},
    {"median(v)", "4", "00:00 3 | 01:00 16"},
    {"percentile(v, 25)", "2", "00:00 1.75 | 01:00 16"},
    {"distinct(v > 3)", "2", "00:00 2 | 01:00 1"},
    /* straight: at 01:00 the line from (00:40, 8) to (01:20, 16) is at 12 */
    {"increase(v)", "15", "00:00 11 | 01:00 4"},
    {"rate(v) * 3600", "11.25", "00:00 11 | 01:00 12"},
    {"integral(v) / 60", "645", "00:00 365 | 01:00 280"},
    /* steps: the last holds to the end of the day */
    {"duration(v = 8) / 60", "40", "00:00 20 | 01:00 20"},
    {"duration(v = 8, '30m') / 60", "30", "00:00 20 | 01:00 10"},
    {"time_avg(v)", "8.916667", "00:00 4.5 | 01:00 13.333333"},
    {"rises(v > 3)", "1", "00:00 1 | 01:00 0"},
};

static void check_aggregates(void) {
    struct bench b;
    open_bench(&b, "aggregates");
    static const struct {
        Nanos minute;
        double v;
    } rows[] = {{0, 1}, {10, 2}, {20, 4}, {40, 8}, {80, 16}};
    for (size_t i = 0; i < 5; i++) put(&b, "x", T(0, 0) + rows[i].minute * NANOS_PER_MIN, "v", VALUE_F(rows[i].v));
    commit(&b);
    for (size_t i = 0; i < sizeof aggregates / sizeof *aggregates; i++) {
        char name[100];
        struct query_select select = {STR("r"), str_c(aggregates[i].expr)};
        struct query_stage all = {.select = &select, .n_select = 1}, hours = all;
        hours.window = (struct query_window){QUERY_UNIT_SPAN, NANOS_PER_HOUR};
        snprintf(name, sizeof name, "an aggregate, whole and by the hour: %s", aggregates[i].expr);
        unit_case(name);
        struct query q = {.to = T(2, 0), .stages = &all, .n_stages = 1};
        check(&b, &q, aggregates[i].all);
        q.stages = &hours;
        check(&b, &q, aggregates[i].hours);
    }
    close_bench(&b);
}

static void check_borders(void) {
    struct bench b;
    unit_case("a counter starts anew at a reset, and windows add up to the whole");
    open_bench(&b, "borders");
    static const double counter[] = {100, 110, 5, 25};
    for (size_t i = 0; i < 4; i++) put(&b, "c", T(0, 30) + (Nanos)i * NANOS_PER_HOUR, "n", VALUE_F(counter[i]));
    commit(&b);
    struct query_stage hours = {SPAN(NANOS_PER_HOUR), SELECT(AS("r", "increase(n)"))};
    check(&b, &(struct query){STAGES({SELECT(AS("r", "increase(n)"))})}, "35");
    check(&b, &(struct query){.stages = &hours, .n_stages = 1}, "00:00 5 | 01:00 7.5 | 02:00 12.5 | 03:00 10");
    unit_case("what holds goes on through windows without a row, to the end of what is asked");
    put(&b, "m", T(0, 15), "on", VALUE_B(true));
    put(&b, "m", T(2, 30), "on", VALUE_B(false));
    put(&b, "m", T(3, 45), "on", VALUE_B(true));
    commit(&b);
    struct query_stage held = {SPAN(NANOS_PER_HOUR), SELECT(AS("r", "duration(on) / 60"))};
    check(&b, &(struct query){.to = T(5, 0), .stages = &held, .n_stages = 1},
          "00:00 45 | 01:00 60 | 02:00 30 | 03:00 15 | 04:00 60");
    unit_case("a spell counts whole, where it began, once it is over; a first state began at no time");
    put(&b, "m", T(4, 15), "on", VALUE_B(false));
    commit(&b);
    struct query_stage spells = {SPAN(NANOS_PER_HOUR), SELECT(AS("r", "spells(on)"), AS("n", "rises(on)"))};
    check(&b, &(struct query){.to = T(5, 0), .stages = &spells, .n_stages = 1},
          "00:00 - 0 | 02:00 - 0 | 03:00 1800 1 | 04:00 - 0");
    unit_case("each thing has its own order of time");
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4; i++) put(&b, k ? "p" : "q", T(i, 10 * k), "run", VALUE_B(i % 2 == 1));
    commit(&b);
    check(&b, &(struct query){STAGES({SELECT(AS("r", "rises(run)"))})}, "4");
    close_bench(&b);
}

/* ---- windows in the calendar */
static void check_zones(void) {
    struct bench b;
    open_bench(&b, "zones");
    for (Nanos t = time_from_civil(2026, 3, 28, 0, 30, 0); t < time_from_civil(2026, 3, 31, 0, 0, 0);
         t += NANOS_PER_HOUR)
        put(&b, "x", t, "v", VALUE_F(1));
    for (Nanos t = time_from_civil(2026, 10, 24, 0, 30, 0); t < time_from_civil(2026, 10, 26, 0, 0, 0);
         t += NANOS_PER_HOUR)
        put(&b, "y", t, "v", VALUE_F(1));
    commit(&b);
    struct query_stage days = {.window = {QUERY_UNIT_DAY, 1}, SELECT(AS("n", "count(v)"))};
    struct query q = {.from = time_from_civil(2026, 3, 27, 23, 0, 0),
                      .to = time_from_civil(2026, 3, 31, 0, 0, 0),
                      .zone = STR("Europe/Berlin"),
                      .stages = &days,
                      .n_stages = 1};
    unit_case("days of a zone have 23 hours when summer begins, and 25 when it ends");
    check(&b, &q, "03-27T23:00 23 | 03-28T23:00 23 | 03-29T22:00 24 | 03-30T22:00 2");
    q.from = time_from_civil(2026, 10, 23, 22, 0, 0), q.to = time_from_civil(2026, 10, 26, 0, 0, 0);
    check(&b, &q, "10-23T22:00 22 | 10-24T22:00 25 | 10-25T23:00 1");
    unit_case("hours go on evenly over a change; parts of a day follow the clock");
    struct query_stage quarters = {SPAN(6 * NANOS_PER_HOUR), SELECT(AS("n", "count(v)"))};
    q.from = time_from_civil(2026, 10, 24, 22, 0, 0), q.stages = &quarters;
    check(&b, &q, "10-24T22:00 7 | 10-25T05:00 6 | 10-25T11:00 6 | 10-25T17:00 6 | 10-25T23:00 1");
    unit_case("weeks begin on Mondays, months and years on their first day");
    struct query_stage stage = {.window = {QUERY_UNIT_WEEK, 1}, SELECT(AS("n", "count(v)"))};
    q = (struct query){.from = time_from_civil(2026, 3, 1, 0, 0, 0),
                       .to = time_from_civil(2026, 12, 1, 0, 0, 0),
                       .stages = &stage,
                       .n_stages = 1};
    check(&b, &q, "03-23T00:00 48 | 03-30T00:00 24 | 10-19T00:00 48");
    stage.window.unit = QUERY_UNIT_MONTH;
    check(&b, &q, "03-01T00:00 72 | 10-01T00:00 48");
    stage.window.n = 6;
    check(&b, &q, "01-01T00:00 72 | 07-01T00:00 48");
    stage.window = (struct query_window){QUERY_UNIT_YEAR, 1};
    check(&b, &q, "01-01T00:00 120");
    close_bench(&b);
}

static void check_window_words(void) {
    struct query_window w;
    unit_case("windows in words");
    CHECK_OK(query_window_parse(STR("1h30m"), &w));
    CHECK_INT(w.n, 90 * NANOS_PER_MIN);
    CHECK_OK(query_window_parse(STR("250ms"), &w));
    CHECK_INT(w.n, 250 * NANOS_PER_MS);
    CHECK_OK(query_window_parse(STR("2mo"), &w));
    CHECK(w.unit == QUERY_UNIT_MONTH && w.n == 2);
    static const char *const bad[] = {"", "0s", "m", "5", "1d2h", "-5m", "5x", "99999999999999999999s", "5 m"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK_ERR(query_window_parse(str_c(bad[i]), &w), ERR_INVALID);
}

/* ---- stages, groups, order, fill */
static void fleet(struct bench *b) {
    static const struct {
        const char *thing, *fleet;
        double v[4];
    } rows[] = {{"t3", "South", {1, 2, 3, 4}}, {"t1", "North", {5, 5, 0, 0}}, {"t2", "South", {9, 0, 9, 0}}};
    for (size_t i = 0; i < 3; i++) {
        put(b, rows[i].thing, T(0, 0), "@fleet", VALUE_S(str_c(rows[i].fleet)));
        for (int k = 0; k < 4; k++) put(b, rows[i].thing, T(k, 0), "v", VALUE_F(rows[i].v[k]));
    }
    commit(b);
}

static void check_stages(void) {
    struct bench b;
    open_bench(&b, "stages");
    fleet(&b);
    unit_case("groups come in order of their keys, whichever thread made them");
    check(&b, &(struct query){STAGES({BY(N("@fleet")), SELECT(AS("v", "sum(v)"))})}, "North 10 | South 28");
    check(&b, &(struct query){STAGES({BY(N("thing")), SELECT(AS("v", "sum(v)"))})}, "t1 10 | t2 18 | t3 10");
    check(&b, &(struct query){STAGES({BY(N("v > 4")), SELECT(AS("n", "count(*)"))})}, "false 8 | true 4");
    check(&b, &(struct query){STAGES({BY(N("@fleet")), SPAN(2 * NANOS_PER_HOUR), SELECT(AS("v", "max(v)"))})},
          "North 00:00 5 | North 02:00 0 | South 00:00 9 | South 02:00 9");
    unit_case("a stage works on the rows of the one before");
    check(&b,
          &(struct query){STAGES(
              {BY(N("thing"), N("@fleet")), SPAN(NANOS_PER_HOUR), SELECT(AS("w", "avg(v)")), .having = N("w > 1")},
              {BY(N("@fleet")), SELECT(AS("n", "count(*)"), AS("m", "max(w)"))})},
          "North 2 5 | South 5 9");
    check(&b,
          &(struct query){STAGES({BY(N("thing")), SPAN(NANOS_PER_HOUR), SELECT(AS("w", "avg(v) > 3"))},
                                 {BY(N("thing")), SELECT(AS("n", "rises(w)"), AS("h", "duration(w) / 3600"))},
                                 {SELECT(AS("n", "sum(n)"), AS("h", "sum(h)"))})},
          "2 5");
    unit_case("what select makes can be used behind it, and a tag goes with its thing");
    check(&b,
          &(struct query){STAGES(
              {BY(N("thing")), SELECT(AS("a", "sum(v)"), AS("b", "a * 2"), AS("c", "@fleet")), .having = N("b > 20")})},
          "t2 18 36 South");
    unit_case("where drops rows, by things and by values");
    check(&b,
          &(struct query){
              STAGES({.where = N("@fleet = 'South' and v > 2"), BY(N("thing")), SELECT(AS("n", "count(*)"))})},
          "t2 2 | t3 2");
    unit_case("of no rows there is one row without groups, and none with them");
    check(&b, &(struct query){STAGES({.where = N("v > 100"), SELECT(AS("n", "count(*)"), AS("v", "avg(v)"))})}, "0 -");
    check(&b, &(struct query){STAGES({.where = N("v > 100"), BY(N("thing")), SELECT(AS("n", "count(*)"))})}, "");
    unit_case("order, limit, and so many of each");
    check(&b,
          &(struct query){STAGES({BY(N("thing")), SELECT(AS("v", "sum(v)")), ORDER(N("-v"), N("thing")), .limit = 2})},
          "t2 18 | t1 10");
    check(&b,
          &(struct query){
              STAGES({SELECT(AS("thing", "thing"), AS("time", "time"), AS("v", "v")), ORDER(N("-v"), N("time")),
                      .limit = 1, .limit_by = (const Str[]){N("thing")}, .n_limit_by = 1})},
          "t2 00:00 9 | t1 00:00 5 | t3 03:00 4");
    check(&b, &(struct query){STAGES({SELECT(AS("thing", "thing"), AS("v", "v")), .limit = 3})}, "t1 5 | t1 5 | t1 0");
    close_bench(&b);
}

static void check_fill(void) {
    struct bench b;
    open_bench(&b, "fill");
    put(&b, "x", T(1, 0), "v", VALUE_F(10));
    put(&b, "x", T(4, 0), "v", VALUE_F(40));
    commit(&b);
    struct query_stage s = {SPAN(NANOS_PER_HOUR), BY(N("thing")), SELECT(AS("v", "avg(v)"))};
    struct query q = {.to = T(6, 0), .stages = &s, .n_stages = 1};
    unit_case("windows without rows: left out, null, as before, on the line, a value");
    check(&b, &q, "x 01:00 10 | x 04:00 40");
    s.fill = QUERY_FILL_NULL;
    check(&b, &q, "x 00:00 - | x 01:00 10 | x 02:00 - | x 03:00 - | x 04:00 40 | x 05:00 -");
    s.fill = QUERY_FILL_PREVIOUS;
    check(&b, &q, "x 00:00 - | x 01:00 10 | x 02:00 10 | x 03:00 10 | x 04:00 40 | x 05:00 40");
    s.fill = QUERY_FILL_LINEAR;
    check(&b, &q, "x 00:00 - | x 01:00 10 | x 02:00 20 | x 03:00 30 | x 04:00 40 | x 05:00 -");
    s.fill = QUERY_FILL_VALUE, s.fill_value = 7;
    check(&b, &q, "x 00:00 7 | x 01:00 10 | x 02:00 7 | x 03:00 7 | x 04:00 40 | x 05:00 7");
    close_bench(&b);
}

static void check_picks(void) {
    struct bench b;
    open_bench(&b, "picks");
    fleet(&b);
    put(&b, "t1", T(9, 0), "w", VALUE_F(3));
    commit(&b);
    struct query_stage s = {SELECT(AS("thing", "thing"), AS("v", "v"))};
    struct query q = {.latest = true, .stages = &s, .n_stages = 1, .n_picks = 1};
    unit_case("the newest of each thing, picked by name, pattern and tag");
    struct query_pick pick = {.what = STR("thing"), .values = (const Str[]){N("t2"), N("nobody")}, .n = 2};
    q.picks = &pick;
    check(&b, &q, "t2 0");
    pick.values = (const Str[]){N("t*")}, pick.n = 1;
    check(&b, &q, "t1 0 | t2 0 | t3 4");
    pick.what = STR("@fleet"), pick.values = (const Str[]){N("South")};
    check(&b, &q, "t2 0 | t3 4");
    pick.except = true;
    check(&b, &q, "t1 0");
    unit_case("a column that other things have is empty here; one that none has is an error");
    struct query_stage w = {SELECT(AS("thing", "thing"), AS("w", "w"), AS("v", "v"))};
    q.stages = &w;
    pick.except = false;
    check(&b, &q, "t2 - 0 | t3 - 4");
    struct query_stage none = {SELECT(AS("u", "u"))};
    q.stages = &none;
    check_fails(&b, &(struct query){.latest = true, .stages = &none, .n_stages = 1}, ERR_INVALID, "no column 'u'");
    unit_case("groups of the newest");
    struct query_stage groups = {BY(N("@fleet")), SELECT(AS("n", "count(*)"), AS("v", "max(v)"))};
    check(&b, &(struct query){.latest = true, .stages = &groups, .n_stages = 1}, "North 1 0 | South 2 4");
    close_bench(&b);
}

static bool left(void *ctx) {
    ++*(int *)ctx;
    return true;
}

static void check_limits(void) {
    struct bench b;
    atomic_bool cancel = true;
    open_bench(&b, "limits");
    fleet(&b);
    struct query_stage s = {SELECT(AS("v", "v"))}, g = {BY(N("thing"), N("time")), SELECT(AS("v", "median(v)"))};
    unit_case("limits on rows and memory, a deadline and a cancel end it with an error that says so");
    check_fails(&b, &(struct query){.stages = &s, .n_stages = 1, .limits = {.rows = 3}}, ERR_TOO_LARGE,
                "more than 3 rows");
    check_fails(&b, &(struct query){.stages = &g, .n_stages = 1, .limits = {.bytes = 500}}, ERR_TOO_LARGE, "memory");
    check_fails(&b, &(struct query){.stages = &s, .n_stages = 1, .limits = {.time = 1}}, ERR_TIMEOUT, "too long");
    check_fails(&b, &(struct query){.stages = &s, .n_stages = 1, .limits = {.cancel = &cancel}}, ERR_CANCELLED, "");
    int asked = 0;
    check_fails(&b, &(struct query){.stages = &s, .n_stages = 1, .limits = {.gone = left, .gone_ctx = &asked}},
                ERR_CANCELLED, "nobody waits");
    CHECK(asked == 1);
    close_bench(&b);
}

/* ---- under an agreement: South's v by the hour, w as it is, u as an index; nothing of North */
static void check_lens(void) {
    struct bench b;
    open_bench(&b, "lens");
    fleet(&b);
    for (int k = 0; k < 8; k++) {
        put(&b, "t2", T(k / 2, 30 * (k % 2)), "w", VALUE_F(k));
        put(&b, "t2", T(k / 2, 30 * (k % 2)), "u", VALUE_F(k));
        put(&b, "t2", T(k / 2, 30 * (k % 2)), "secret", VALUE_F(k));
    }
    commit(&b);
    static const char *const things[] = {"t2", "t3", NULL}, *const v[] = {"v", NULL}, *const w[] = {"w", NULL},
                             *const u[] = {"u", NULL};
    const struct lens_grant grants[] = {{.things = things, .metrics = v, .resolution = NANOS_PER_HOUR},
                                        {.things = things, .metrics = w},
                                        {.things = things, .metrics = u, .index = true}};
    b.lens.agreement = 1, b.lens.grants = grants, b.lens.n_grants = 3;
    b.lens.from = T(1, 0), b.lens.to = T(24, 0);
    unit_case("an agreement: samples of what is given as it is, in its period; other things do not exist");
    check(&b, &(struct query){STAGES({SELECT(AS("thing", "thing"), AS("time", "time"), AS("w", "w")), .limit = 2})},
          "t2 01:00 2 | t2 01:30 3");
    check(&b, &(struct query){STAGES({BY(N("thing")), SELECT(AS("w", "median(w)"))})}, "t2 4.5");
    unit_case("an agreement: what is given by the hour makes windows of whole hours");
    check(&b, &(struct query){STAGES({SPAN(2 * NANOS_PER_HOUR), SELECT(AS("v", "sum(v)"))})}, "00:00 2 | 02:00 16");
    check(&b, &(struct query){STAGES({BY(N("thing")), SELECT(AS("v", "max(v)"), AS("n", "count(v)"))})},
          "t2 9 3 | t3 4 3");
    unit_case("an agreement: nothing finer, by no aggregate and by no condition");
    const struct query_stage fine[] = {
        {SELECT(AS("v", "v"))},
        {SPAN(NANOS_PER_HOUR), SELECT(AS("v", "first(v)"))},
        {SPAN(NANOS_PER_HOUR), SELECT(AS("v", "median(v)"))},
        {SPAN(NANOS_PER_HOUR), SELECT(AS("v", "max(v + 0)"))},
        {SPAN(30 * NANOS_PER_MIN), SELECT(AS("v", "max(v)"))},
        {SPAN(90 * NANOS_PER_MIN), SELECT(AS("v", "max(v)"))},
        {.where = N("v > 3"), SELECT(AS("v", "count(v)"))},
        {BY(N("w")), SELECT(AS("v", "max(v)"))},
        {SELECT(AS("v", "max(u)"))},
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        check_fails(&b, &(struct query){.stages = &fine[i], .n_stages = 1}, ERR_FORBIDDEN, "given");
    check_fails(&b, &(struct query){.latest = true, .stages = fine, .n_stages = 1}, ERR_FORBIDDEN, "windows");
    unit_case("an agreement: a name that is not given is as one that nobody reports");
    const struct query_stage hidden = {SELECT(AS("s", "max(secret)"))}, absent = {SELECT(AS("s", "max(absent)"))};
    check_fails(&b, &(struct query){.stages = &hidden, .n_stages = 1}, ERR_INVALID, "no column 'secret' here");
    check_fails(&b, &(struct query){.stages = &absent, .n_stages = 1}, ERR_INVALID, "no column 'absent' here");
    check_fails(&b, &(struct query){STAGES({BY(N("@fleet")), SELECT(AS("w", "max(w)"))})}, ERR_INVALID, "@fleet");
    unit_case("an agreement: groups of too few things are withheld, and single rows are not shown");
    b.lens.min_group = 2;
    check(&b, &(struct query){STAGES({SPAN(NANOS_PER_HOUR), SELECT(AS("v", "sum(v)"))})},
          "01:00 2 | 02:00 12 | 03:00 4");
    check(&b, &(struct query){STAGES({BY(N("thing")), SELECT(AS("v", "sum(v)"))})}, "");
    check(&b, &(struct query){STAGES({SELECT(AS("w", "sum(w)"))})}, "");
    check_fails(&b, &(struct query){STAGES({SELECT(AS("w", "w"))})}, ERR_FORBIDDEN, "groups of at least 2");
    unit_case("another party sees nothing of it");
    b.lens = gate_lens_party(2, "test");
    check_fails(&b, &(struct query){STAGES({SELECT(AS("w", "w"))})}, ERR_INVALID, "no column 'w'");
    close_bench(&b);
}

void query_test(void) {
    check_lens();
    check_expressions();
    check_faults();
    check_aggregates();
    check_borders();
    check_zones();
    check_window_words();
    check_stages();
    check_fill();
    check_picks();
    check_limits();
}
