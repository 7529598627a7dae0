/* Things without components: what is said of them, what they cost, and that a restart, clean or not, loses nothing. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "insight/watch.h"
#include "os/file.h"
#include "tests/unit.h"

void watch_lean_test(void);

#define T0 INT64_C(1700006400000000000)
#define MINUTES(n) ((Nanos)(n)*NANOS_PER_MIN)
#define SAID_MAX 64

static const struct thing_metric metrics[] = {
    {.name = "flow", .title_en = "Flow", .title_zh = "流量", .unit = "m³/h", .low = 10, .high = 90},
    {.name = "power", .title_en = "Power", .title_zh = "功率", .unit = "kW", .low = NAN, .high = NAN},
    {.name = "fault", .title_en = "Fault", .title_zh = "故障", .unit = "", .low = NAN, .high = NAN},
};
static const struct thing_model pump = {
    .name = "pump", .title_en = "Pump", .title_zh = "泵", .metrics = metrics, .n_metrics = 3, .code_metric = "fault"};

static const struct thing_model *model_of(void *ctx, PartyId party, Str thing) {
    return (void)ctx, (void)party, (void)thing, &pump;
}

struct world {
    char dir[400];
    struct series *series;
    struct watch *watch;
    MetricId metrics[3];
    struct {
        enum finding_kind kind, clears;
        char what[64];
    } said[SAID_MAX];
    size_t n_said;
};

static void sink(void *ctx, const struct finding *f) {
    struct world *w = ctx;
    if (!CHECK(w->n_said < SAID_MAX)) return;
    enum finding_kind about = f->kind == FINDING_CLEAR ? f->clears : f->kind;
    Str what = about == FINDING_CODE ? f->text : f->metric;
    w->said[w->n_said].kind = f->kind, w->said[w->n_said].clears = f->clears;
    snprintf(w->said[w->n_said++].what, 64, STR_FMT "/" STR_FMT, STR_ARG(f->thing_name), STR_ARG(what));
}

static void on_commit(void *ctx, const struct rows *rows) {
    struct world *w = ctx;
    if (w->watch) watch_rows(w->watch, rows);
}

static void start_watch(struct world *w) {
    char dir[450];
    snprintf(dir, sizeof dir, "%s/insight", w->dir);
    CHECK_OK(watch_open(
        &(struct watch_options){.series = w->series, .model_of = model_of, .sink = sink, .sink_ctx = w, .dir = dir},
        &w->watch));
    CHECK_OK(watch_start(w->watch));
}

static void open_world(struct world *w, const char *name) {
    char dir[450];
    *w = (struct world){0};
    snprintf(w->dir, sizeof w->dir, "%.300s/%s", unit_temp_dir(), name);
    snprintf(dir, sizeof dir, "%s/series", w->dir);
    CHECK_OK(file_make_dirs(file_disk, dir, "test"));
    CHECK_OK(series_open(&(struct series_options){.dir = dir, .on_commit = on_commit, .on_commit_ctx = w}, &w->series));
    for (size_t i = 0; i < 3; i++) CHECK_OK(series_metric(w->series, str_c(metrics[i].name), &w->metrics[i]));
    start_watch(w);
}

static void stop_watch(struct world *w) {
    struct watch *watch = w->watch;
    w->watch = NULL;
    watch_close(watch);
}

static void close_world(struct world *w) {
    stop_watch(w);
    series_close(w->series);
}

static ThingId put(struct world *w, const char *name, Nanos at, double flow, const char *fault) {
    struct series_commit c = {0};
    ThingId thing;
    rows_clear(&c.rows);
    CHECK_OK(series_thing(w->series, 1, str_c(name), &thing));
    rows_begin(&c.rows, thing, at, 0);
    rows_value(&c.rows, w->metrics[0], VALUE_F(flow));
    rows_value(&c.rows, w->metrics[1], VALUE_F(flow * 2));
    if (fault) rows_value(&c.rows, w->metrics[2], VALUE_S(str_c(fault)));
    rows_end(&c.rows);
    CHECK_OK(series_write(w->series, &c));
    rows_fini(&c.rows);
    return thing;
}

static void check_said(const struct world *w, size_t i, enum finding_kind kind, const char *what) {
    if (!CHECK(i < w->n_said)) return;
    CHECK_INT(w->said[i].kind, kind);
    CHECK_STR(str_c(w->said[i].what), str_c(what));
}

static void check_findings(void) {
    struct world w;
    unit_case("a limit after two readings in a row, over after three inside; a code, over after a day");
    open_world(&w, "lean-said");
    static const double flows[] = {50, 95, 50, 95, 96, 97, 50, 50, 50};
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++)
        put(&w, "pump-1", T0 + MINUTES(i), flows[i], i == 7 ? "e7" : NULL);
    put(&w, "pump-1", T0 + MINUTES(25 * 60), 50, NULL);
    put(&w, "pump-1", T0, 500, NULL); /* late: kept, not judged */
    watch_drain(w.watch);
    CHECK_INT(w.n_said, 4);
    check_said(&w, 0, FINDING_LIMIT, "pump-1/flow");
    check_said(&w, 1, FINDING_CODE, "pump-1/e7");
    check_said(&w, 2, FINDING_CLEAR, "pump-1/flow");
    check_said(&w, 3, FINDING_CLEAR, "pump-1/e7");
    struct watch_stats stats;
    watch_stats(w.watch, &stats);
    CHECK_INT(stats.late_rows, 1);
    close_world(&w);
}

static void check_restart(void) {
    struct world w;
    struct watch_thing before, after;
    unit_case("after a clean stop everything is known; what was stored meanwhile is judged");
    open_world(&w, "lean-restart");
    ThingId id = 0;
    for (int i = 0; i < 200; i++) id = put(&w, "pump-2", T0 + MINUTES(i), 50 + i % 7, i == 5 ? "e1" : NULL);
    put(&w, "pump-2", T0 + MINUTES(200), 95, NULL);
    put(&w, "pump-2", T0 + MINUTES(201), 95, NULL);
    watch_drain(w.watch);
    CHECK_INT(w.n_said, 2);
    CHECK(watch_look(w.watch, id, &before));
    stop_watch(&w);
    for (int i = 202; i < 206; i++) put(&w, "pump-2", T0 + MINUTES(i), 50, NULL); /* nobody watches */
    w.n_said = 0;
    start_watch(&w);
    watch_drain(w.watch);
    CHECK_INT(w.n_said, 1);
    check_said(&w, 0, FINDING_CLEAR, "pump-2/flow");
    CHECK(watch_look(w.watch, id, &after));
    CHECK_INT(after.last, T0 + MINUTES(205));
    CHECK(before.metrics[0].beyond_limit && !after.metrics[0].beyond_limit);
    CHECK_NUM(after.metrics[1].value, before.metrics[1].value, 5);
    CHECK_INT(after.usual_gap, before.usual_gap);
    put(&w, "pump-2", T0 + MINUTES(26 * 60), 50, NULL); /* the code of before the restart clears */
    watch_drain(w.watch);
    CHECK_INT(w.n_said, 2);
    check_said(&w, 1, FINDING_CLEAR, "pump-2/e1");
    stop_watch(&w);
    unit_case("a file that is damaged is set aside, and watching begins from the store");
    char path[500];
    struct file *file;
    snprintf(path, sizeof path, "%s/insight/lean.state", w.dir);
    if (CHECK_OK(file_open(file_disk, path, FILE_READ | FILE_WRITE, &file))) {
        CHECK_OK(file_write(file, "x", 1, 100));
        file_close(file);
    }
    start_watch(&w);
    watch_drain(w.watch);
    CHECK(watch_look(w.watch, id, &after));
    snprintf(path, sizeof path, "%s/insight/lean.state.bad", w.dir);
    CHECK(file_exists(file_disk, path));
    close_world(&w);
}

static void check_cost(void) {
    struct world w;
    struct watch_stats stats;
    char name[32];
    unit_case("64 bytes a metric, and at most 120 a thing beside");
    open_world(&w, "lean-cost");
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "pump-%d", i);
        put(&w, name, T0, 50, NULL);
    }
    watch_drain(w.watch);
    watch_stats(w.watch, &stats);
    CHECK_INT(stats.things, 1000);
    CHECK_INT(stats.baseline_bytes, 1000 * 3 * 64);
    CHECK(stats.bytes - stats.baseline_bytes <= 120 * 1000);
    close_world(&w);
}

void watch_lean_test(void) {
    check_findings();
    check_restart();
    check_cost();
}
