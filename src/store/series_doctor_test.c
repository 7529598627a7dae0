/*
 * The doctor: every kind of file is damaged at random places; whenever a sample is lost, a finding says so; what mends
 * gives back everything that no finding names, and the store opens afterwards.
 */
#include "store/series_doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "store/series.h"
#include "tests/lib/store_cutfs.h"
#include "tests/lib/store_oracle.h"
#include "tests/unit.h"

void series_doctor_test(void);

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define ROUNDS 40u
#else
#define ROUNDS 240u
#endif

#define T0 INT64_C(1700006400000000000)
#define METRICS 4u
static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};

static Nanos still(void *ctx) { return (void)ctx, T0 + 3 * NANOS_PER_DAY; }
static const struct clock clock_still = {still, NULL};

/* ---- a folder with something in every kind of file */

struct copy {
    char name[64];
    struct buf bytes;
};

struct ward {
    struct store_cutfs *disk;
    struct store_oracle oracle;
    struct copy *files;
    size_t n_files, cap_files;
    struct series_doctor_finding *findings;
    char (*texts)[2][64];
    size_t n_findings, cap_findings, cap_texts;
    bool *found; /* samples of the oracle that were read */
    size_t wrong;
    uint64_t seed;
};

static uint64_t draw(struct ward *w) {
    uint64_t n = w->seed++;
    return hash_bytes(&n, sizeof n);
}

static Value value_of(uint32_t thing, uint32_t row, uint32_t metric) {
    static const Str states[] = {{"run", 3}, {"idle", 4}, {"停机", 6}};
    uint32_t n = thing * 7919 + row;
    if (metric == 1) return VALUE_F((double)(n * 37 % 5000) / 10);
    if (metric == 2) return VALUE_I((int64_t)n * n);
    if (metric == 3) return VALUE_B(n % 5 == 0);
    return VALUE_S(states[n / 10 % 3]);
}

static PartyId party_of(ThingId thing) { return 1 + thing % 2; }

static void put_rows(struct ward *w, struct series *s, uint32_t thing, uint32_t from, uint32_t to, Nanos day) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    for (uint32_t row = from; row < to; row++) {
        Nanos time = T0 + day + (Nanos)row * 10 * NANOS_PER_S;
        rows_begin(&c.rows, thing, time, 0);
        for (MetricId m = 1; m <= METRICS; m++) {
            if (m == 3 && row % 3) continue;
            rows_value(&c.rows, m, value_of(thing, row, m));
            store_oracle_put(&w->oracle, thing, m, time, value_of(thing, row, m));
        }
        rows_end(&c.rows);
    }
    CHECK_OK(series_write(s, &c));
    rows_fini(&c.rows);
}

static void put_letter(struct series *s, int n) {
    char text[32];
    snprintf(text, sizeof text, "letter %d", n);
    struct dead_letter letter = {1, T0, STR("device"), STR("topic"), STR("reason"), str_c(text)};
    struct series_commit c = {.dead_letters = &letter, .n_dead_letters = 1};
    CHECK_OK(series_write(s, &c));
}

static Err open_ward(struct ward *w, struct series **out) {
    return series_open(
        &(struct series_options){.fs = store_cutfs_fs(w->disk), .dir = "/d", .clock = &clock_still, .merge_runs = 100},
        out);
}

static void fill(struct ward *w) {
    struct series *s;
    char name[16];
    uint32_t id;
    if (!CHECK_OK(open_ward(w, &s))) return;
    for (uint32_t i = 1; i <= METRICS; i++) {
        snprintf(name, sizeof name, "metric-%u", i);
        CHECK_OK(series_metric(s, str_c(name), &id));
    }
    for (uint32_t t = 1; t <= 4; t++) {
        snprintf(name, sizeof name, "thing-%u", t);
        CHECK_OK(series_thing(s, party_of(t), str_c(name), &id));
    }
    for (int i = 0; i < 5; i++) put_letter(s, i);
    put_rows(w, s, 1, 0, 3000, 0);
    for (uint32_t t = 2; t <= 4; t++) put_rows(w, s, t, 0, 60, 0);
    CHECK_OK(series_flush(s));
    for (uint32_t t = 1; t <= 4; t++) put_rows(w, s, t, 0, 80, 2 * NANOS_PER_DAY);
    CHECK_OK(series_flush(s));
    for (uint32_t t = 1; t <= 4; t++)
        for (uint32_t k = 0; k < 5; k++) put_rows(w, s, t, 100 + k * 4, 104 + k * 4, 2 * NANOS_PER_DAY);
    series_close(s);
}

static bool note_file(void *ctx, Str name) {
    struct ward *w = ctx;
    struct copy copy = {0};
    char path[96];
    snprintf(copy.name, sizeof copy.name, STR_FMT, STR_ARG(name));
    snprintf(path, sizeof path, "/d/%s", copy.name);
    if (file_load(store_cutfs_fs(w->disk), path, 64 << 20, &copy.bytes).code == ERR_NONE)
        VEC_PUSH(w->files, w->n_files, w->cap_files, copy);
    return true;
}

/* The folder as it was, on a new disk. */
static void restore(struct ward *w) {
    store_cutfs_free(w->disk);
    w->disk = store_cutfs_new(1);
    struct file_system *fs = store_cutfs_fs(w->disk);
    CHECK_OK(file_make_dirs(fs, "/d", "x"));
    for (size_t i = 0; i < w->n_files; i++) {
        char path[96];
        snprintf(path, sizeof path, "/d/%s", w->files[i].name);
        CHECK_OK(file_replace(fs, path, buf_view(&w->files[i].bytes), "x"));
    }
}

/* ---- damage */

enum harm { FLIP, CUT, ZERO, GONE, HARMS };

static void harm(struct ward *w, const struct copy *file, enum harm how) {
    char path[96];
    struct buf bytes = {0};
    struct file_system *fs = store_cutfs_fs(w->disk);
    snprintf(path, sizeof path, "/d/%s", file->name);
    buf_str(&bytes, buf_view(&file->bytes));
    size_t at = draw(w) % bytes.len;
    if (how == FLIP) bytes.ptr[at] = (char)(bytes.ptr[at] ^ 1 << draw(w) % 8);
    if (how == CUT) bytes.len = at;
    if (how == ZERO) {
        size_t from = at & ~(size_t)511;
        memset(bytes.ptr + from, 0, bytes.len - from < 512 ? bytes.len - from : 512);
    }
    if (how == GONE)
        CHECK_OK(file_remove(fs, path));
    else
        CHECK_OK(file_replace(fs, path, buf_view(&bytes), "x"));
    buf_fini(&bytes);
}

/* ---- looking */

static void note_finding(void *ctx, const struct series_doctor_finding *f) {
    struct ward *w = ctx;
    size_t n = w->n_findings;
    VEC_PUSH(w->findings, w->n_findings, w->cap_findings, *f);
    if (n >= w->cap_texts) w->texts = vec_grow(w->texts, &w->cap_texts, n + 1, sizeof *w->texts);
    snprintf(w->texts[n][0], 64, STR_FMT, STR_ARG(f->thing));
    snprintf(w->texts[n][1], 64, STR_FMT, STR_ARG(f->metric));
    CHECK(f->file && f->what && f->mend);
}

static struct series_doctor_result examine(struct ward *w, bool repair) {
    struct series_doctor_result result;
    w->n_findings = 0;
    CHECK_OK(series_doctor_run(
        &(struct series_doctor_options){
            .fs = store_cutfs_fs(w->disk), .dir = "/d", .repair = repair, .sink = note_finding, .ctx = w},
        &result));
    return result;
}

/* Whether a finding says that this sample may be lost. */
static bool is_told(const struct ward *w, const struct store_oracle_sample *s) {
    char thing[16], metric[16];
    snprintf(thing, sizeof thing, "thing-%u", s->thing);
    snprintf(metric, sizeof metric, "metric-%u", s->metric);
    for (size_t i = 0; i < w->n_findings; i++) {
        const struct series_doctor_finding *f = &w->findings[i];
        if (w->texts[i][0][0] && strcmp(w->texts[i][0], thing) != 0) continue;
        if (w->texts[i][1][0] && strcmp(w->texts[i][1], metric) != 0) continue;
        if (f->from <= f->to && (s->time < f->from || s->time > f->to)) continue;
        if (f->from > f->to && strncmp(f->file, "run-", 4) == 0 && !strstr(f->what, "head")) continue;
        return true;
    }
    return false;
}

static bool take_point(void *ctx, const struct series_point *p) {
    struct ward *w = ctx;
    const struct store_oracle_sample *s = store_oracle_get(&w->oracle, p->thing, p->metric, p->time);
    bool same = s && s->value.kind == p->value.kind &&
                (s->value.kind == VALUE_STRING ? str_eq(s->value.s, p->value.s) : value_eq(s->value, p->value));
    if (same)
        w->found[s - w->oracle.items] = true;
    else
        w->wrong++;
    return true;
}

/* What is there now; the number of samples that are not. */
static size_t read_all(struct ward *w, bool *opens) {
    struct series *s;
    size_t missing = 0;
    memset(w->found, 0, w->oracle.n * sizeof *w->found);
    w->wrong = 0;
    Err err = open_ward(w, &s);
    *opens = err.code == ERR_NONE;
    if (*opens) {
        *opens = series_read(s, &all, &(struct series_query){0}, take_point, w).code == ERR_NONE;
        series_close(s);
    }
    for (size_t i = 0; i < w->oracle.n; i++) missing += !w->found[i];
    return missing;
}

static void check_mended(struct ward *w, const char *file, enum harm how, unsigned round) {
    bool opens;
    size_t missing = read_all(w, &opens), untold = 0;
    for (size_t i = 0; i < w->oracle.n; i++) untold += !w->found[i] && !is_told(w, &w->oracle.items[i]);
    bool ok = opens && untold == 0 && w->wrong == 0;
    if (!CHECK(ok))
        printf("  round %u, harm %d of %s: opens %d, %zu missing, %zu untold, %zu wrong, %zu findings (%s)\n", round,
               how, file, opens, missing, untold, w->wrong, w->n_findings, w->n_findings ? w->findings[0].what : "");
}

static void one_round(struct ward *w, unsigned round) {
    const struct copy *file = &w->files[round % w->n_files];
    enum harm how = (enum harm)(round / w->n_files % HARMS);
    bool opens;
    w->seed = round * 1000 + 1;
    restore(w);
    harm(w, file, how);
    uint64_t before = store_cutfs_digest(w->disk);
    struct series_doctor_result seen = examine(w, false), mended, after;
    CHECK(store_cutfs_digest(w->disk) == before); /* looking changes nothing */
    if (seen.damaged == 0) {
        bool told = seen.notes > 0;
        size_t missing = read_all(w, &opens);
        if (!CHECK(opens && (missing == 0 || told) && w->wrong == 0))
            printf("  round %u, harm %d of %s: not noticed, opens %d, %zu missing\n", round, how, file->name, opens,
                   missing);
        return;
    }
    mended = examine(w, true);
    CHECK(mended.damaged == 0 && mended.mended > 0);
    after = examine(w, false);
    if (!CHECK_INT(after.damaged, 0))
        printf("  round %u, harm %d of %s: %s\n", round, how, file->name, w->findings[0].what);
    w->seed = round * 1000 + 1;
    restore(w), harm(w, file, how);
    examine(w, true);
    check_mended(w, file->name, how, round);
}

static void damage_case(void) {
    struct ward w = {.disk = store_cutfs_new(1), .oracle = {.party_of = party_of}};
    fill(&w);
    CHECK_OK(file_list(store_cutfs_fs(w.disk), "/d", note_file, &w));
    CHECK(w.n_files >= 6);
    w.found = calloc(w.oracle.n, sizeof *w.found);
    ASSERT(w.found != NULL);
    struct series_doctor_result well = examine(&w, false);
    CHECK_INT(well.damaged + well.mended + well.notes, 0);
    CHECK_INT(well.runs, 2);
    CHECK(well.rows > 3000 && well.values > well.rows && well.letters == 5 && well.records > 0);
    for (unsigned round = 0; round < ROUNDS; round++) one_round(&w, round);
    for (size_t i = 0; i < w.n_files; i++) buf_fini(&w.files[i].bytes);
    free(w.files);
    free(w.findings);
    free(w.texts);
    free(w.found);
    store_oracle_fini(&w.oracle);
    store_cutfs_free(w.disk);
}

static void golden_case(void) {
    static const char *const golden[] = {"tests/golden/series-1", "tests/golden/series-2",
                                         "tests/golden/series-2-cold"};
    struct ward w = {0};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        struct series_doctor_result result;
        w.n_findings = 0;
        CHECK_OK(series_doctor_run(&(struct series_doctor_options){.dir = golden[i], .sink = note_finding, .ctx = &w},
                                   &result));
        CHECK_INT(result.damaged, 0);
        if (result.damaged) printf("  %s: %s: %s\n", golden[i], w.findings[0].file, w.findings[0].what);
        CHECK_INT(result.runs, 1);
    }
    free(w.findings);
    free(w.texts);
}

void series_doctor_test(void) {
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* damage is meant */
    unit_case("released formats are well");
    golden_case();
    unit_case("what is damaged is told, and mended");
    damage_case();
    log_set_level(LOG_LEVEL_INFO);
}
