/*
 * A start from the file of latest values shows what a start that reads every run shows: whatever came, in order, late
 * or too far ahead, was flushed or merged or not, and however the clock has moved on since. The second start is made by
 * taking the file away. And a fleet of twenty thousand costs no more than it is said to.
 */
#include "store/series_snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/series.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"

void series_snapshot_test(void);

#define THINGS 12
#define METRICS 4
#define BASE INT64_C(1700006400000000000)
#define ROUNDS 60 /* of random work */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define FLEET 2000
#else
#define FLEET 20000
#endif

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};

struct world {
    struct store_cutfs *disk;
    struct series *series;
    uint64_t seed;
    _Atomic Nanos now; /* the store reads it on threads of its own */
};

static uint64_t draw(struct world *w) {
    w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return w->seed >> 33;
}

static Nanos clock_of(void *ctx) { return ((struct world *)ctx)->now; }

static void open_store(struct world *w) {
    struct clock *clock = &(struct clock){clock_of, w};
    static struct clock kept; /* the store keeps the pointer */
    kept = *clock;
    struct series_options options = {.fs = store_cutfs_fs(w->disk),
                                     .dir = "/series",
                                     .clock = &kept,
                                     .memory_bytes = 64 << 10,
                                     .merge_runs = 3,
                                     .snapshot_values = 40};
    CHECK_OK(series_open(&options, &w->series));
}

/* ---- random work */

static Value random_value(struct world *w, uint32_t metric, char text[32]) {
    switch (metric) {
    case 0: return VALUE_I((int64_t)draw(w) - 1000);
    case 1: return VALUE_F((double)draw(w) / 8);
    case 2: return VALUE_B(draw(w) & 1);
    default: snprintf(text, 32, "state %u", (unsigned)draw(w) % 50); return VALUE_S(str_c(text));
    }
}

/* Mostly now; some late, of other days; some minutes or hours ahead. */
static Nanos random_time(struct world *w) {
    switch (draw(w) % 12) {
    case 0: return w->now - (Nanos)(draw(w) % 4000) * NANOS_PER_MIN;
    case 1: return w->now + (Nanos)(draw(w) % 300) * NANOS_PER_MIN;
    case 2: return w->now - w->now % NANOS_PER_HOUR; /* a moment that comes again, with other values */
    default: return w->now;
    }
}

static void put_row(struct world *w, struct rows *rows) {
    char name[32], texts[METRICS][32];
    ThingId thing;
    snprintf(name, sizeof name, "thing-%u", (unsigned)(draw(w) % THINGS));
    CHECK_OK(series_thing(w->series, 1, str_c(name), &thing));
    Nanos time = random_time(w);
    bool stamped = draw(w) % 4 == 0;
    rows_begin(rows, thing, stamped ? series_stamp(w->series, thing, w->now) : time, stamped ? ROWS_SERVER_TIME : 0);
    for (uint32_t m = 0; m < METRICS; m++) {
        MetricId metric;
        snprintf(name, sizeof name, "metric-%u", m);
        CHECK_OK(series_metric(w->series, str_c(name), &metric));
        if (draw(w) % 3) rows_value(rows, metric, random_value(w, m, texts[m]));
    }
    rows_end(rows);
}

static void work(struct world *w) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    for (unsigned i = 0, n = 1 + (unsigned)draw(w) % 30; i < n; i++) {
        put_row(w, &c.rows);
        w->now += (Nanos)(draw(w) % 90) * NANOS_PER_S;
        if (draw(w) % 3) continue;
        CHECK_OK(series_write(w->series, &c));
        rows_clear(&c.rows);
    }
    CHECK_OK(series_write(w->series, &c));
    rows_fini(&c.rows);
    if (draw(w) % 2) CHECK_OK(series_flush(w->series));
    if (draw(w) % 12 == 0) CHECK_OK(series_compact(w->series));
}

/* ---- what a start shows, as text */

static void dump(struct world *w, struct buf *out) {
    struct arena arena;
    arena_init(&arena, 0);
    for (ThingId thing = 1; thing <= series_thing_count(w->series); thing++) {
        struct series_latest *latest;
        size_t n;
        CHECK_OK(series_latest(w->series, &all, thing, &arena, &latest, &n));
        buf_printf(out, "thing %u seen %lld\n", thing, (long long)series_last_seen(w->series, thing));
        for (size_t i = 0; i < n; i++) {
            Value v = latest[i].value;
            buf_printf(out, " %u at %lld: %d ", latest[i].metric, (long long)latest[i].time, (int)v.kind);
            if (v.kind == VALUE_STRING)
                buf_printf(out, STR_FMT "\n", STR_ARG(v.s));
            else
                buf_printf(out, "%.17g\n", value_as_num(v));
        }
        for (MetricId m = 1; m <= METRICS; m++) { /* kinds, of what has no latest value too */
            enum value_kind is = VALUE_NONE;
            series_accepts(w->series, thing, m, VALUE_INT, &is);
            buf_printf(out, " kind of %u: %d\n", m, is == VALUE_FLOAT ? VALUE_INT : (int)is);
        }
    }
    arena_fini(&arena);
}

struct taking {
    struct world *world;
    unsigned taken;
};

static bool take_away(void *ctx, Str name) {
    struct taking *t = ctx;
    char path[300];
    if (!str_starts(name, STR("latest-"))) return true;
    snprintf(path, sizeof path, "/series/" STR_FMT, STR_ARG(name));
    CHECK_OK(file_remove(store_cutfs_fs(t->world->disk), path));
    t->taken++;
    return false;
}

static uint64_t refused(struct world *w) {
    struct series_stats stats;
    series_stats(w->series, &stats);
    return stats.latest_refused;
}

/* How often there was a file to start from. */
static unsigned compare_starts(struct world *w) {
    struct buf with = {0}, without = {0};
    struct taking taking = {w, 0};
    open_store(w);
    CHECK_INT(refused(w), 0);
    dump(w, &with);
    series_close(w->series);
    CHECK_OK(file_list(store_cutfs_fs(w->disk), "/series", take_away, &taking));
    open_store(w);
    CHECK_INT(refused(w), taking.taken);
    dump(w, &without);
    CHECK_STR(buf_view(&with), buf_view(&without));
    CHECK_OK(series_compact(w->series)); /* which writes another */
    buf_fini(&with);
    buf_fini(&without);
    return taking.taken;
}

static void check_equal(void) {
    unit_case("a start with the file is as one without");
    unsigned taken = 0;
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct world w = {.disk = store_cutfs_new(seed), .seed = seed * 77, .now = BASE};
        open_store(&w);
        for (unsigned i = 0; i < ROUNDS; i++) {
            work(&w);
            if (i % 6) continue;
            series_close(w.series);
            w.now += (Nanos)(draw(&w) % 200) * NANOS_PER_MIN;
            taken += compare_starts(&w);
        }
        series_close(w.series);
        store_cutfs_free(w.disk);
    }
    CHECK(taken > 15);
}

/* ---- rows ahead of the clock */

static void put_one(struct world *w, const char *name, Nanos time, int64_t value) {
    struct series_commit c = {0};
    ThingId thing;
    MetricId metric;
    CHECK_OK(series_thing(w->series, 1, str_c(name), &thing));
    CHECK_OK(series_metric(w->series, STR("metric-0"), &metric));
    rows_clear(&c.rows);
    rows_begin(&c.rows, thing, time, 0);
    rows_value(&c.rows, metric, VALUE_I(value));
    rows_end(&c.rows);
    CHECK_OK(series_write(w->series, &c));
    rows_fini(&c.rows);
}

static int64_t latest_of(struct world *w, const char *name) {
    struct arena arena;
    struct series_latest *latest;
    size_t n;
    ThingId thing;
    int64_t value = -1;
    arena_init(&arena, 0);
    CHECK(series_find_thing(w->series, 1, str_c(name), &thing));
    CHECK_OK(series_latest(w->series, &all, thing, &arena, &latest, &n));
    if (n == 1) value = latest[0].value.i;
    arena_fini(&arena);
    return value;
}

static void check_ahead(void) {
    unit_case("what was too far ahead is found by a later start, and what is late is not the latest");
    struct world w = {.disk = store_cutfs_new(1), .seed = 3, .now = BASE};
    open_store(&w);
    for (int i = 0; i < 50; i++) put_one(&w, "other", BASE + i, i); /* so that there is enough for a file */
    put_one(&w, "pump", BASE, 1);
    put_one(&w, "pump", BASE + NANOS_PER_HOUR, 2);
    put_one(&w, "pump", BASE - NANOS_PER_HOUR, 3);
    CHECK_OK(series_flush(w.series));
    CHECK_INT(latest_of(&w, "pump"), 1);
    series_close(w.series);
    open_store(&w);
    CHECK_INT(latest_of(&w, "pump"), 1);
    series_close(w.series);
    w.now = BASE + 2 * NANOS_PER_HOUR;
    open_store(&w);
    CHECK_INT(latest_of(&w, "pump"), 2);
    put_one(&w, "pump", BASE + NANOS_PER_HOUR / 2, 4); /* late */
    CHECK_INT(latest_of(&w, "pump"), 2);
    series_close(w.series);
    store_cutfs_free(w.disk);
}

/* ---- a fleet */

static void write_fleet(struct world *w, int round) {
    struct series_commit c = {0};
    MetricId metrics[20];
    char name[32];
    rows_clear(&c.rows);
    for (unsigned m = 0; m < 20; m++) {
        snprintf(name, sizeof name, "metric-%u", m);
        CHECK_OK(series_metric(w->series, str_c(name), &metrics[m]));
    }
    for (unsigned i = 0; i < FLEET; i++) {
        ThingId thing;
        snprintf(name, sizeof name, "pump-%07u", i);
        CHECK_OK(series_thing(w->series, 1, str_c(name), &thing));
        rows_begin(&c.rows, thing, BASE + round * 30 * NANOS_PER_S, 0);
        for (unsigned m = 0; m < 20; m++) rows_value(&c.rows, metrics[m], VALUE_F((double)(i + m) + round / 8.0));
        rows_end(&c.rows);
        if (i % 500 != 499) continue;
        CHECK_OK(series_write(w->series, &c));
        rows_clear(&c.rows);
    }
    CHECK_OK(series_write(w->series, &c));
    rows_fini(&c.rows);
}

static void check_fleet(void) {
    unit_case("a fleet's latest values in 40 bytes a series, its names in 80 a thing");
    struct world w = {.disk = store_cutfs_new(1), .seed = 3, .now = BASE + NANOS_PER_HOUR};
    struct series_stats stats;
    struct buf before = {0}, after = {0};
    open_store(&w);
    for (int round = 0; round < 2; round++) write_fleet(&w, round);
    series_stats(w.series, &stats);
    CHECK_INT(stats.latest, (uint64_t)FLEET * 20);
    CHECK(stats.latest_bytes <= 40 * stats.latest);
    CHECK(stats.names_bytes <= 80 * (uint64_t)FLEET);
    CHECK_OK(series_flush(w.series));
    dump(&w, &before);
    series_close(w.series);
    open_store(&w);
    dump(&w, &after);
    CHECK(str_eq(buf_view(&before), buf_view(&after)));
    series_close(w.series);
    store_cutfs_free(w.disk);
    buf_fini(&before);
    buf_fini(&after);
}

/* ---- damage */

static void check_damage(void) {
    unit_case("a file that is damaged is passed over, and every run is read");
    struct world w = {.disk = store_cutfs_new(1), .seed = 3, .now = BASE + NANOS_PER_HOUR};
    struct buf before = {0}, after = {0};
    open_store(&w);
    for (int i = 0; i < 50; i++) put_one(&w, "pump", BASE + i, i);
    CHECK_OK(series_flush(w.series));
    dump(&w, &before);
    series_close(w.series);
    unsigned found = 0;
    for (unsigned id = 1; id < 64; id++) {
        char path[64];
        snprintf(path, sizeof path, "/series/latest-%012x.weft", id);
        found += store_cutfs_flip(w.disk, path, 80);
    }
    CHECK_INT(found, 1);
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1));
    open_store(&w);
    log_set_level(LOG_LEVEL_INFO);
    CHECK_INT(refused(&w), 1);
    dump(&w, &after);
    CHECK_STR(buf_view(&after), buf_view(&before));
    series_close(w.series);
    store_cutfs_free(w.disk);
    buf_fini(&before);
    buf_fini(&after);
}

void series_snapshot_test(void) {
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* files are taken away */
    check_equal();
    log_set_level(LOG_LEVEL_INFO);
    check_ahead();
    check_damage();
    check_fleet();
}
