/*
 * The files: those of every format in tests/golden are read for ever, and the same rows still give the same run;
 * a damaged byte anywhere never gives a wrong value, and takes no more than what it belongs to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "store/series.h"
#include "store/series_run.h"
#include "tests/lib/store_cutfs.h"
#include "tests/lib/store_oracle.h"
#include "tests/unit.h"

void series_format_test(void);

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};
#define T0 INT64_C(1700006400000000000)
#define GOLDEN_NEWEST "tests/golden/series-3"

/* One folder of each format that was ever written; cold: what merging makes of it. */
static const char *const golden[] = {"tests/golden/series-1", "tests/golden/series-2", "tests/golden/series-2-cold",
                                     GOLDEN_NEWEST, "tests/golden/series-3-cold"};

static Nanos still(void *ctx) { return (void)ctx, T0 + NANOS_PER_HOUR; }
static const struct clock clock_still = {still, NULL};

static Value golden_value(uint32_t thing, uint32_t row, uint32_t metric) {
    static const Str states[] = {{"run", 3}, {"idle", 4}, {"停机", 6}};
    uint32_t n = thing * 1000 + row;
    switch (metric) {
    case 1: return VALUE_I((int64_t)n * n - 5000);
    case 2: return VALUE_F((double)(1700 + n % 37) / 10);
    case 3: return row % 3 ? VALUE_F((double)row / 8) : VALUE_I(row);
    case 4: return VALUE_B(row % 5 == 0);
    case 5: return VALUE_S(states[row / 10 % 3]);
    case 6: return VALUE_F(1.0 / (1 + n));
    default: return row % 2 ? VALUE_I(INT64_MAX - n) : VALUE_F(-0.0);
    }
}

static bool golden_has(uint32_t row, uint32_t metric) { return metric < 6 || row % metric == 0; }

/* Three things: one with chunks of its own, two that share one. */
static uint32_t golden_rows(uint32_t thing) { return thing == 1 ? 1500 : 20; }

static void golden_thing(struct rows *rows, struct store_oracle *o, uint32_t thing, uint32_t from, uint32_t to) {
    for (uint32_t row = from; row < to; row++) {
        Nanos time = T0 + (Nanos)row * NANOS_PER_S + (row % 7 == 0 ? 1000 : 0);
        if (rows) rows_begin(rows, thing, time, 0);
        for (MetricId m = 1; m <= 7; m++) {
            if (!golden_has(row, m)) continue;
            if (rows) rows_value(rows, m, golden_value(thing, row, m));
            if (o) store_oracle_put(o, thing, m, time, golden_value(thing, row, m));
        }
        if (rows) rows_end(rows);
    }
}

static Err golden_names(struct series *s) {
    char name[16];
    uint32_t id;
    for (uint32_t i = 1; i <= 7; i++) {
        int n = snprintf(name, sizeof name, "metric-%u", i);
        TRY(series_metric(s, (Str){name, (size_t)n}, &id));
    }
    for (uint32_t i = 1; i <= 3; i++) {
        int n = snprintf(name, sizeof name, "泵-%u", i);
        TRY(series_thing(s, i, (Str){name, (size_t)n}, &id));
    }
    return err_none();
}

/* Most rows go into a run, the last few of the third thing stay in the log; one dead letter. */
static Err golden_write(struct series *s) {
    struct series_commit c = {0};
    struct dead_letter letter = {1, T0, STR("pump"), STR("v1/devices/me/telemetry"), STR("not JSON"), STR("{\"a\":")};
    TRY(golden_names(s));
    rows_clear(&c.rows);
    for (uint32_t t = 1; t <= 3; t++) golden_thing(&c.rows, NULL, t, 0, t == 3 ? 15 : golden_rows(t));
    c.dead_letters = &letter, c.n_dead_letters = 1;
    Err err = series_write(s, &c);
    if (err.code == ERR_NONE) err = series_flush(s);
    rows_clear(&c.rows);
    c.n_dead_letters = 0;
    golden_thing(&c.rows, NULL, 3, 15, 20);
    if (err.code == ERR_NONE) err = series_write(s, &c);
    rows_fini(&c.rows);
    return err;
}

static void golden_oracle(struct store_oracle *o) {
    for (uint32_t t = 1; t <= 3; t++) golden_thing(NULL, o, t, 0, golden_rows(t));
}

static void check_letters(struct series *s) {
    struct arena arena;
    struct dead_letter_row *rows;
    size_t n;
    arena_init(&arena, 0);
    CHECK_OK(series_dead_letters(s, &all, 0, 0, &arena, &rows, &n));
    if (CHECK_INT(n, 1)) CHECK_STR(rows[0].letter.payload, STR("{\"a\":"));
    arena_fini(&arena);
}

static void golden_read_case(const char *dir) {
    struct store_oracle o = {0};
    struct series *s;
    unit_case(dir);
    golden_oracle(&o);
    if (CHECK_OK(series_open(&(struct series_options){.dir = dir, .clock = &clock_still, .read_only = true}, &s))) {
        CHECK_INT(store_oracle_differences(&o, s, &all, &(struct series_query){0}), 0);
        CHECK_INT(store_oracle_differences(&o, s, &all, &(struct series_query){.window = NANOS_PER_MIN}), 0);
        CHECK_INT(store_oracle_differences(&o, s, &all, &(struct series_query){.window = NANOS_PER_HOUR}), 0);
        CHECK_INT(
            store_oracle_differences(&o, s, &all, &(struct series_query){.window = NANOS_PER_DAY, .from = T0 + 1}), 0);
        check_letters(s);
        series_close(s);
    }
    store_oracle_fini(&o);
}

/* The run written now is the golden one, byte for byte: hot columns do not depend on any library's version. */
static void golden_write_case(void) {
    const char *dir = unit_temp_dir();
    char path[4096];
    struct series *s;
    struct buf got = {0}, want = {0};
    if (!CHECK_OK(series_open(&(struct series_options){.dir = dir, .clock = &clock_still}, &s))) return;
    CHECK_OK(golden_write(s));
    series_close(s);
    series_run_path(dir, 1, path);
    CHECK_OK(file_load(file_disk, path, 1 << 20, &got));
    series_run_path(GOLDEN_NEWEST, 1, path);
    CHECK_OK(file_load(file_disk, path, 1 << 20, &want));
    CHECK(str_eq(buf_view(&got), buf_view(&want)));
    buf_fini(&got);
    buf_fini(&want);
}

/* ---- damage */

struct damage {
    struct store_cutfs *disk;
    struct store_oracle oracle;
    size_t wrong, right;
};

static Err open_damaged(struct damage *d, bool read_only, struct series **out) {
    return series_open(
        &(struct series_options){
            .fs = store_cutfs_fs(d->disk), .dir = "/s", .clock = &clock_still, .read_only = read_only},
        out);
}

static bool compare_point(void *ctx, const struct series_point *p) {
    struct damage *d = ctx;
    const struct store_oracle_sample *s = store_oracle_get(&d->oracle, p->thing, p->metric, p->time);
    bool same = s && s->value.kind == p->value.kind &&
                (s->value.kind == VALUE_STRING ? str_eq(s->value.s, p->value.s) : value_eq(s->value, p->value));
    same ? d->right++ : d->wrong++;
    return true;
}

/* Reads all that is left; the count of samples, none of them wrong. */
static Err read_left(struct damage *d, size_t *right) {
    struct series *s;
    d->wrong = d->right = 0;
    *right = 0;
    TRY(open_damaged(d, true, &s));
    Err err = series_read(s, &all, &(struct series_query){0}, compare_point, d);
    series_close(s);
    CHECK_INT(d->wrong, 0);
    *right = d->right;
    return err;
}

struct found_file {
    char names[16][64];
    size_t n;
};

static bool note_file(void *ctx, Str name) {
    struct found_file *f = ctx;
    if (f->n < 16 && name.len < 64) memcpy(f->names[f->n], name.ptr, name.len), f->names[f->n++][name.len] = '\0';
    return true;
}

/* One damaged byte of a run is either not noticed because nothing needs it, or named; the rest is still read. */
static void damage_run(struct damage *d, const char *path, size_t step) {
    size_t right, undamaged = d->oracle.n, corrupt = 0;
    for (uint64_t at = 0; store_cutfs_flip(d->disk, path, at); at += step) {
        Err err = read_left(d, &right);
        if (err.code) {
            corrupt++;
            CHECK_INT(err.code, ERR_CORRUPT);
            CHECK(str_find(str_c(err.text), STR("run-")) >= 0 && str_find(str_c(err.text), STR("byte")) >= 0);
        } else {
            CHECK_INT(right, undamaged);
        }
        CHECK(right <= undamaged);
        store_cutfs_flip(d->disk, path, at);
    }
    CHECK(corrupt > 0);
    CHECK_OK(read_left(d, &right));
    CHECK_INT(right, undamaged);
}

/* Of the other files a damaged byte costs what it costs, but gives no wrong value. */
static void damage_other(struct damage *d, const char *path, size_t step) {
    size_t right;
    for (uint64_t at = 0; store_cutfs_flip(d->disk, path, at); at += step) {
        Err err = read_left(d, &right);
        CHECK(err.code == ERR_NONE || err.code == ERR_CORRUPT);
        store_cutfs_flip(d->disk, path, at);
    }
}

static void damage_case(void) {
    struct damage d = {.disk = store_cutfs_new(3)};
    struct series *s;
    struct found_file files = {.n = 0};
    golden_oracle(&d.oracle);
    if (CHECK_OK(open_damaged(&d, false, &s))) {
        CHECK_OK(golden_write(s));
        series_close(s);
    }
    CHECK_OK(file_list(store_cutfs_fs(d.disk), "/s", note_file, &files));
    CHECK(files.n >= 5);
    for (size_t i = 0; i < files.n; i++) {
        char path[80];
        snprintf(path, sizeof path, "/s/%s", files.names[i]);
        if (strncmp(files.names[i], "run-", 4) == 0)
            damage_run(&d, path, 37);
        else
            damage_other(&d, path, strncmp(files.names[i], "wal-", 4) == 0 ? 1009 : 7);
    }
    store_oracle_fini(&d.oracle);
    store_cutfs_free(d.disk);
}

/* Damages the values of a metric in the run's first chunk. */
static void damage_column(struct damage *d, MetricId metric) {
    struct series_chunk chunk;
    struct buf bytes = {0};
    char path[4096];
    series_run_path("/s", 1, path);
    CHECK_OK(file_load(store_cutfs_fs(d->disk), path, 1 << 20, &bytes));
    CHECK_OK(series_chunk_parse(str_slice(buf_view(&bytes), 64, bytes.len), &chunk));
    for (uint32_t i = 0; i < chunk.head.n_columns; i++) {
        struct series_chunk_column c = series_chunk_column_at(&chunk, i);
        if (c.metric == metric)
            CHECK(store_cutfs_flip(d->disk, path, 64 + series_chunk_column_offset(&chunk, i) + c.value_bytes / 2));
    }
    buf_fini(&bytes);
}

/* A window over a whole chunk needs its directory alone: damage behind it is not even met. */
static void summary_case(void) {
    struct damage d = {.disk = store_cutfs_new(5)};
    struct series *s;
    const struct series_query day = {.thing = 1, .metric = 1, .window = NANOS_PER_DAY};
    const struct series_query minutes = {.thing = 1, .metric = 1, .window = NANOS_PER_MIN};
    golden_oracle(&d.oracle);
    if (CHECK_OK(open_damaged(&d, false, &s))) {
        CHECK_OK(golden_write(s));
        series_close(s);
    }
    damage_column(&d, 1);
    if (CHECK_OK(open_damaged(&d, true, &s))) {
        CHECK_INT(store_oracle_differences(&d.oracle, s, &all, &day), 0);
        CHECK_ERR(series_read(s, &all, &minutes, compare_point, &d), ERR_CORRUPT);
        series_close(s);
    }
    store_oracle_fini(&d.oracle);
    store_cutfs_free(d.disk);
}

/* A run that is gone, or a manifest, is named; the rest is read. */
static void missing_case(void) {
    struct damage d = {.disk = store_cutfs_new(4)};
    struct series *s;
    size_t right;
    char path[4096];
    golden_oracle(&d.oracle);
    if (CHECK_OK(open_damaged(&d, false, &s))) {
        CHECK_OK(golden_write(s));
        series_close(s);
    }
    series_run_path("/s", 1, path);
    CHECK_OK(file_remove(store_cutfs_fs(d.disk), path));
    CHECK_ERR(read_left(&d, &right), ERR_CORRUPT);
    CHECK(right > 0); /* what is in the log */
    CHECK_OK(file_remove(store_cutfs_fs(d.disk), "/s/manifest"));
    CHECK_ERR(open_damaged(&d, false, &s), ERR_CORRUPT);
    store_oracle_fini(&d.oracle);
    store_cutfs_free(d.disk);
}

void series_format_test(void) {
    unit_case("the golden folder is read");
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) golden_read_case(golden[i]);
    unit_case("the golden run is still what is written");
    golden_write_case();
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* damage is meant */
    unit_case("damaged bytes");
    damage_case();
    unit_case("windows from directories");
    summary_case();
    unit_case("missing files");
    missing_case();
    log_set_level(LOG_LEVEL_INFO);
}
