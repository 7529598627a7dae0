#include "insight/watch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "kernel/failure.h"
#include "model/recording.h"
#include "os/file.h"
#include "tests/unit.h"

void watch_test(void);

/* ---- a fleet like the demo's */
static const struct thing_metric press_metrics[] = {
    {"volt", "Voltage", "电压", "V", 118, 226, "comp1", {0}},
    {"rotate", "Rotation speed", "转速", "r/min", 240, 626, "comp2", {0}},
    {"pressure", "Pressure", "压力", "bar", 67, 146, "comp3", {0}},
    {"vibration", "Vibration", "振动", "μm", 22.5, 63, "comp4", {0}},
    {"error", "Fault code", "故障码", "", NAN, NAN, NULL, {0}},
};
static const struct thing_component press_components[] = {
    {"comp1", "Drive", "驱动", 1500, "P1", "a"},
    {"comp2", "Spindle", "主轴", 1300, "P2", "b"},
    {"comp3", "Pump", "泵", 1600, "P3", "c"},
    {"comp4", "Coupling", "联轴器", 1500, "P4", "b"},
};
static const struct thing_model press = {.name = "press",
                                         .title_en = "Press",
                                         .title_zh = "压机",
                                         .metrics = press_metrics,
                                         .n_metrics = 5,
                                         .components = press_components,
                                         .n_components = 4,
                                         .code_metric = "error"};

static const struct thing_model *model_of(void *ctx, PartyId party, Str thing) {
    (void)ctx, (void)party;
    return str_starts(thing, STR("m-")) ? &press : NULL;
}

#define SAID_MAX 20000
struct said {
    enum finding_kind kind, clears;
    char thing[16], what[24];
    Nanos at;
    double score;
    size_t n_reasons;
    char reason[160];
};

struct bench {
    char dir[300];
    struct series *series;
    struct watch *watch;
    struct said *said;
    size_t n_said;
    MetricId metrics[5];
};

static void sink(void *ctx, const struct finding *f) {
    struct bench *b = ctx;
    if (!CHECK(b->n_said < SAID_MAX)) return;
    struct said *s = &b->said[b->n_said++];
    *s = (struct said){.kind = f->kind, .clears = f->clears, .at = f->at, .score = f->score, .n_reasons = f->n_reasons};
    enum finding_kind about = f->kind == FINDING_CLEAR ? f->clears : f->kind;
    Str what = about == FINDING_PREDICTION ? f->component : about == FINDING_CODE ? f->text : f->metric;
    snprintf(s->thing, sizeof s->thing, STR_FMT, STR_ARG(f->thing_name));
    snprintf(s->what, sizeof s->what, STR_FMT, STR_ARG(what));
    if (f->n_reasons) snprintf(s->reason, sizeof s->reason, STR_FMT, STR_ARG(f->reasons[0].text_en));
}

static void on_commit(void *ctx, const struct rows *rows) {
    struct bench *b = ctx;
    if (b->watch) watch_rows(b->watch, rows);
}

static void open_watch(struct bench *b) {
    char dir[400];
    snprintf(dir, sizeof dir, "%s/insight", b->dir);
    CHECK_OK(watch_open(
        &(struct watch_options){.series = b->series, .model_of = model_of, .sink = sink, .sink_ctx = b, .dir = dir},
        &b->watch));
}

static void bench_open(struct bench *b, const char *name) {
    *b = (struct bench){.said = calloc(SAID_MAX, sizeof *b->said)};
    snprintf(b->dir, sizeof b->dir, "%s/%s", unit_temp_dir(), name);
    char dir[400];
    snprintf(dir, sizeof dir, "%s/series", b->dir);
    CHECK_OK(file_make_dirs(file_disk, dir, "test"));
    CHECK_OK(series_open(&(struct series_options){.dir = dir, .on_commit = on_commit, .on_commit_ctx = b}, &b->series));
    for (size_t i = 0; i < 5; i++) CHECK_OK(series_metric(b->series, str_c(press_metrics[i].name), &b->metrics[i]));
    open_watch(b);
}

static void bench_close(struct bench *b) {
    watch_close(b->watch);
    b->watch = NULL;
    series_close(b->series);
    free(b->said);
}

static ThingId thing(struct bench *b, const char *name) {
    ThingId id = 0;
    CHECK_OK(series_thing(b->series, 1, str_c(name), &id));
    return id;
}

static void put(struct bench *b, struct series_commit *c, const char *name, Nanos at, double volt, const char *code) {
    rows_begin(&c->rows, thing(b, name), at, 0);
    if (!isnan(volt)) rows_value(&c->rows, b->metrics[0], VALUE_F(volt));
    if (code) rows_value(&c->rows, b->metrics[4], VALUE_S(str_c(code)));
    rows_end(&c->rows);
}

static void put_one(struct bench *b, const char *name, Nanos at, double volt, const char *code) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    put(b, &c, name, at, volt, code);
    CHECK_OK(series_write(b->series, &c));
    rows_fini(&c.rows);
}

static size_t count(const struct bench *b, enum finding_kind kind, enum finding_kind clears) {
    size_t n = 0;
    for (size_t i = 0; i < b->n_said; i++)
        n += b->said[i].kind == kind && (kind != FINDING_CLEAR || b->said[i].clears == clears);
    return n;
}

#define T0 (time_from_civil(2020, 1, 6, 0, 0, 0))
#define MINUTES(n) ((n)*NANOS_PER_MIN)
#define HOURS(n) ((n)*NANOS_PER_HOUR)

static void check_limits(void) {
    struct bench b;
    unit_case("a limit: rare readings count at once, frequent ones after two, and it is over after three inside");
    bench_open(&b, "limits");
    CHECK_OK(watch_start(b.watch));
    static const double slow[] = {170, 171, 230, 231, 225.9, 224, 224, 224, 100};
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) put_one(&b, "m-slow", T0 + HOURS((Nanos)i), slow[i], NULL);
    watch_drain(b.watch);
    CHECK_INT(b.n_said, 3);
    CHECK_INT(b.said[0].kind, FINDING_LIMIT);
    CHECK_INT(b.said[0].at, T0 + HOURS(2));
    CHECK_NUM(b.said[0].score, 230, 0);
    CHECK_STR(str_c(b.said[0].reason), STR("Voltage 230 V, above its limit of 226 V"));
    CHECK_INT(b.said[1].kind, FINDING_CLEAR);
    CHECK_INT(b.said[1].at, T0 + HOURS(7)); /* 225.9 is within 1 % of the limit */
    CHECK_INT(b.said[2].at, T0 + HOURS(8));
    b.n_said = 0;
    static const double fast[] = {170, 171, 230, 170, 230, 231, 170};
    for (size_t i = 0; i < sizeof fast / sizeof *fast; i++)
        put_one(&b, "m-fast", T0 + MINUTES((Nanos)i), fast[i], NULL);
    watch_drain(b.watch);
    CHECK_INT(b.n_said, 1);
    CHECK_INT(b.said[0].at, T0 + MINUTES(5));
    bench_close(&b);
}

static void check_codes(void) {
    struct bench b;
    unit_case("codes, several in one value, and their end a day later");
    bench_open(&b, "codes");
    CHECK_OK(watch_start(b.watch));
    put_one(&b, "m-1", T0, 170, "e1| e2 |");
    put_one(&b, "m-1", T0 + HOURS(1), 170, "e1");
    put_one(&b, "m-1", T0 + HOURS(2), NAN, "");
    put_one(&b, "m-1", T0 + HOURS(24), 170, NULL);
    put_one(&b, "m-1", T0 + HOURS(25), 170, NULL);
    watch_drain(b.watch);
    CHECK_INT(count(&b, FINDING_CODE, 0), 3);
    CHECK_INT(count(&b, FINDING_CLEAR, FINDING_CODE), 2);
    CHECK_INT(b.n_said, 5);
    CHECK_STR(str_c(b.said[1].what), STR("e2"));
    CHECK_STR(str_c(b.said[3].what), STR("e2"));
    CHECK_INT(b.said[3].at, T0 + HOURS(24));
    CHECK_STR(str_c(b.said[4].what), STR("e1"));
    bench_close(&b);
}

/* A repeatable scatter of about ±1, without a trend. */
static double scatter(int i) {
    unsigned x = (unsigned)i * 2654435761u;
    x ^= x >> 15, x *= 2246822519u, x ^= x >> 13;
    unsigned y = x * 3266489917u;
    y ^= y >> 16;
    return (double)(x % 1000) / 500.0 + (double)(y % 1000) / 500.0 - 2;
}

static void check_anomalies(void) {
    struct bench b;
    unit_case("a shift of two spreads for a day is an anomaly, and ends");
    bench_open(&b, "anomalies");
    CHECK_OK(watch_start(b.watch));
    for (int h = 0; h < 400; h++) {
        bool shifted = h >= 300 && h < 336;
        put_one(&b, "m-1", T0 + HOURS(h), 170 + 5 * scatter(h) + (shifted ? 8 : 0), NULL);
    }
    watch_drain(b.watch);
    CHECK_INT(count(&b, FINDING_ANOMALY, 0), 1);
    CHECK_INT(count(&b, FINDING_CLEAR, FINDING_ANOMALY), 1);
    CHECK_INT(b.n_said, 2);
    CHECK(b.said[0].at > T0 + HOURS(303) && b.said[0].at < T0 + HOURS(324));
    CHECK(b.said[1].at > T0 + HOURS(336) && b.said[1].at < T0 + HOURS(360));
    CHECK(strstr(b.said[0].reason, "own baseline 1") != NULL);

    unit_case("what is seen of it: baseline, health, state");
    struct watch_thing look;
    CHECK(watch_look(b.watch, thing(&b, "m-1"), &look));
    CHECK_NUM(look.metrics[0].own_median, 170, 1);
    CHECK_NUM(look.metrics[0].own_mad, 5 * 0.8165 / sqrt(24), 0.6);
    CHECK_NUM(look.health, 100, 0);
    CHECK_INT(look.state, WATCH_OK);
    CHECK_INT(look.usual_gap, NANOS_PER_HOUR);
    CHECK_INT(look.last, T0 + HOURS(399));
    CHECK(isnan(look.components[0].probability));
    CHECK(!watch_look(b.watch, thing(&b, "open-1"), &look));
    bench_close(&b);
}

static void check_open_models(void) {
    struct bench b;
    unit_case("things of open models are counted and left alone");
    bench_open(&b, "open");
    CHECK_OK(watch_start(b.watch));
    for (int i = 0; i < 100; i++) put_one(&b, "open-1", T0 + HOURS(i), 1e6 * i, "e1");
    watch_drain(b.watch);
    struct watch_stats stats;
    watch_stats(b.watch, &stats);
    CHECK_INT(b.n_said, 0);
    CHECK_INT(stats.open_rows, 100);
    CHECK_INT(stats.things, 0);
    CHECK_INT(stats.judged_rows, 0);
    bench_close(&b);
}

static void check_late(void) {
    struct bench b;
    unit_case("rows that come late are kept but not judged; one moment may come in two messages");
    bench_open(&b, "late");
    CHECK_OK(watch_start(b.watch));
    put_one(&b, "m-1", T0 + HOURS(5), 170, NULL);
    put_one(&b, "m-1", T0 + HOURS(5), NAN, "e1");
    put_one(&b, "m-1", T0 + HOURS(4), 500, "e2");
    watch_drain(b.watch);
    struct watch_stats stats;
    watch_stats(b.watch, &stats);
    CHECK_INT(stats.late_rows, 1);
    CHECK_INT(b.n_said, 1);
    CHECK_STR(str_c(b.said[0].what), STR("e1"));
    bench_close(&b);
}

/* ---- the recording, live */
struct play {
    bool restart;       /* stop and start again in the middle */
    int hours_a_commit; /* rows handed in at once */
};

static void write_hours(struct bench *b, const struct recording *rec, size_t *next, Nanos until) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    for (; *next < rec->n_events && rec->events[*next].time < until; ++*next) {
        const struct recording_event *e = &rec->events[*next];
        Str name = rec->machines[e->machine].name;
        char text[16];
        snprintf(text, sizeof text, STR_FMT, STR_ARG(name));
        if (e->kind == RECORDING_ROW) {
            rows_begin(&c.rows, thing(b, text), e->time, 0);
            for (size_t m = 0; m < 4; m++) rows_value(&c.rows, b->metrics[m], VALUE_F(e->values[m]));
            rows_end(&c.rows);
        } else if (e->kind == RECORDING_CODE) {
            char code[32];
            snprintf(code, sizeof code, STR_FMT, STR_ARG(e->what));
            while (*next + 1 < rec->n_events && rec->events[*next + 1].kind == RECORDING_CODE &&
                   rec->events[*next + 1].time == e->time && rec->events[*next + 1].machine == e->machine) {
                ++*next;
                snprintf(code + strlen(code), sizeof code - strlen(code), "|" STR_FMT,
                         STR_ARG(rec->events[*next].what));
            }
            put(b, &c, text, e->time, NAN, code);
        } else if (e->kind == RECORDING_FAILURE) {
            watch_failed(b->watch, 1, name, e->what, e->time);
        } else {
            watch_replaced(b->watch, 1, name, e->what, e->time);
        }
    }
    if (c.rows.n_rows) CHECK_OK(series_write(b->series, &c));
    rows_fini(&c.rows);
}

static void tell_again(struct bench *b, const struct recording *rec, Nanos until) {
    for (size_t i = 0; i < rec->n_events && rec->events[i].time < until; i++) {
        const struct recording_event *e = &rec->events[i];
        Str name = rec->machines[e->machine].name;
        if (e->kind == RECORDING_FAILURE) watch_failed(b->watch, 1, name, e->what, e->time);
        if (e->kind == RECORDING_REPLACEMENT) watch_replaced(b->watch, 1, name, e->what, e->time);
    }
}

static void play_all(struct bench *b, const struct recording *rec, struct play play) {
    size_t next = 0;
    while (next < rec->n_events && rec->events[next].time < rec->from) {
        const struct recording_event *e = &rec->events[next++];
        watch_replaced(b->watch, 1, rec->machines[e->machine].name, e->what, e->time);
    }
    CHECK_OK(watch_start(b->watch));
    bool restarted = !play.restart;
    for (Nanos t = rec->from; t <= rec->to; t += HOURS(play.hours_a_commit)) {
        write_hours(b, rec, &next, t + HOURS(play.hours_a_commit));
        if (restarted || t < rec->from + HOURS(1200)) continue;
        restarted = true;
        watch_close(b->watch);
        open_watch(b);
        tell_again(b, rec, t + HOURS(play.hours_a_commit));
        CHECK_OK(watch_start(b->watch));
    }
    watch_drain(b->watch);
}

static int by_finding(const void *a, const void *b) {
    const struct said *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    int c = strcmp(x->thing, y->thing);
    if (!c) c = (x->kind > y->kind) - (x->kind < y->kind);
    if (!c) c = (x->clears > y->clears) - (x->clears < y->clears);
    return c ? c : strcmp(x->what, y->what);
}

static void compare(struct bench *a, struct bench *b, double tolerance) {
    CHECK_INT(a->n_said, b->n_said);
    qsort(a->said, a->n_said, sizeof *a->said, by_finding);
    qsort(b->said, b->n_said, sizeof *b->said, by_finding);
    size_t differ = 0;
    for (size_t i = 0; i < a->n_said && i < b->n_said; i++) {
        const struct said *x = &a->said[i], *y = &b->said[i];
        bool same = by_finding(x, y) == 0 && fabs(x->score - y->score) <= tolerance * fabs(x->score);
        if (!same && differ++ < 3)
            printf("  %s %s %d at %lld %.9g / %s %s %d at %lld %.9g\n", x->thing, x->what, (int)x->kind,
                   (long long)x->at, x->score, y->thing, y->what, (int)y->kind, (long long)y->at, y->score);
    }
    CHECK_INT(differ, 0);
}

static void check_predictions(const struct bench *b, const struct recording *rec) {
    size_t foreseen = 0, right = 0, all = 0;
    for (size_t i = 0; i < b->n_said; i++) {
        const struct said *s = &b->said[i];
        if (s->kind != FINDING_PREDICTION) continue;
        if (s->at + FAILURE_HORIZON > rec->to) continue; /* nobody knows */
        all++;
        CHECK(s->n_reasons > 0 && s->reason[0]);
        for (size_t k = 0; k < rec->n_events; k++) {
            const struct recording_event *e = &rec->events[k];
            if (e->kind != RECORDING_FAILURE || !str_eq_c(e->what, s->what) ||
                !str_eq_c(rec->machines[e->machine].name, s->thing))
                continue;
            Nanos lead = e->time - s->at;
            right += lead > 0 && lead <= FAILURE_HORIZON;
            foreseen += lead >= FAILURE_LEAD && lead <= FAILURE_HORIZON;
        }
    }
    printf("  recording, live: %zu predictions decided, %zu right, %zu with 24 h lead of %zu failures\n", all, right,
           foreseen, rec->n_failures);
    CHECK(foreseen >= 28);
    CHECK(all - right <= 4);
}

static void check_recording(void) {
    struct recording rec;
    struct bench a, b, c;
    if (!CHECK_OK(recording_open("packs/machinery/demo", &rec))) return;
    unit_case("the recording, hour by hour: failures foreseen by what was learnt before them");
    bench_open(&a, "hourly");
    play_all(&a, &rec, (struct play){.hours_a_commit = 1});
    check_predictions(&a, &rec);
    struct watch_model models[4];
    struct watch_stats stats;
    watch_stats(a.watch, &stats);
    CHECK_INT(watch_models(a.watch, 0, models, 4), stats.trainings);
    CHECK(stats.trainings >= 8);
    CHECK(models[0].trained_at > models[1].trained_at);
    CHECK(models[0].to <= rec.to && models[0].failures >= 35 && models[0].things == 20);

    unit_case("the same findings when rows come six hours at a time");
    bench_open(&b, "six");
    play_all(&b, &rec, (struct play){.hours_a_commit = 6});
    compare(&a, &b, 0);
    bench_close(&b);

    unit_case("the same findings across a restart, none twice");
    bench_open(&c, "restart");
    play_all(&c, &rec, (struct play){.hours_a_commit = 1, .restart = true});
    compare(&a, &c, 1e-6);
    bench_close(&c);
    bench_close(&a);
    recording_close(&rec);
}

static void check_damage(void) {
    struct bench b;
    unit_case("damaged files of its own are set aside");
    bench_open(&b, "damage");
    watch_close(b.watch);
    char path[500];
    static const char *const damage[] = {"{", "{\"version\":2}", "{\"version\":1,\"machines\":3,\"models\":[7]}"};
    for (size_t i = 0; i < 3; i++) {
        for (int k = 0; k < 2; k++) {
            snprintf(path, sizeof path, "%s/insight/%s.json", b.dir, k ? "models" : "state");
            CHECK_OK(file_replace(file_disk, path, str_c(damage[i]), "test"));
        }
        open_watch(&b);
        CHECK_OK(watch_start(b.watch));
        watch_close(b.watch);
        snprintf(path, sizeof path, "%s/insight/models.json.bad", b.dir);
        CHECK(file_exists(file_disk, path));
        CHECK_OK(file_remove(file_disk, path));
    }
    b.watch = NULL;
    bench_close(&b);
}

void watch_test(void) {
    check_limits();
    check_codes();
    check_anomalies();
    check_open_models();
    check_late();
    check_damage();
    check_recording();
}
