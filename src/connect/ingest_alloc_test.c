/*
 * Steady ingest allocates nothing: messages in MQTT's JSON and in line protocol become rows, rows become commits, and
 * after the first minutes none of it asks for memory, but for a little whenever memory is frozen to be written out.
 * What does is told with its place.
 *
 * The calls are counted by the linker's --wrap (tests/targets.mk), of every thread but those that write runs out.
 */
#include <execinfo.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect/line_protocol.h"
#include "connect/telemetry.h"
#include "tests/unit.h"

void ingest_alloc_test(void);
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);

#define ROWS 100000u
#define THINGS 50u
#define MEMORY ((size_t)4 << 20)
#define A_FREEZE 64u /* calls that one freezing of memory may make: the next table, the log's next segment */
#define PLACES 400
#define FRAMES 6

static atomic_bool counting;
static atomic_uint calls;
static void *places[PLACES][FRAMES];

/* The threads that write memory out as runs and merge them may allocate. */
static bool is_background(void) {
    static _Thread_local int answer; /* 0: not asked yet */
    char name[32] = "";
    if (!answer) {
        pthread_getname_np(pthread_self(), name, sizeof name);
        answer = strcmp(name, "series-flush") == 0 || strcmp(name, "series-merge") == 0 ? 1 : 2;
    }
    return answer == 1;
}

static void count(void) {
    static _Thread_local bool inside;
    if (inside || !atomic_load_explicit(&counting, memory_order_relaxed) || is_background()) return;
    inside = true;
    unsigned n = atomic_fetch_add(&calls, 1);
    void *frames[FRAMES + 2] = {0};
    if (n < PLACES && backtrace(frames, FRAMES + 2) > 2) memcpy(places[n], frames + 2, sizeof places[n]);
    inside = false;
}

void *__wrap_malloc(size_t n) {
    count();
    return __real_malloc(n);
}
void *__wrap_calloc(size_t n, size_t size) {
    count();
    return __real_calloc(n, size);
}
void *__wrap_realloc(void *p, size_t n) {
    count();
    return __real_realloc(p, n);
}
char *__wrap_strdup(const char *s) {
    count();
    return __real_strdup(s);
}

/* Where memory was asked for, most often first; names by addr2line, where it is. */
static void tell_places(unsigned n) {
    if (n > PLACES) n = PLACES;
    printf("  %u of the calls came from (addr2line -f -e PROGRAM +0x…):\n", n);
    fflush(stdout);
    for (unsigned i = 0; i < n; i++) {
        unsigned same = 0;
        bool first = true;
        for (unsigned k = 0; k < n; k++) {
            bool equal = memcmp(places[k], places[i], sizeof places[i]) == 0;
            same += equal, first = first && !(equal && k < i);
        }
        if (!first) continue;
        printf("  %u times:\n", same);
        fflush(stdout);
        backtrace_symbols_fd(places[i], FRAMES, STDOUT_FILENO);
    }
}

/* ---- what comes in */

struct feed {
    struct series *series;
    struct telemetry *telemetry;
    struct ingest_counters counters;
    struct line_protocol *lines;
    struct telemetry_thing own[THINGS];
    struct telemetry_batch batch;
    struct series_commit commit;
    struct arena arena;
    struct buf text;
    uint64_t row;
    atomic_bool done;
    Err err;
};

static void finished(struct series_commit *commit, Err err) {
    struct feed *f = commit->ctx;
    f->err = err;
    atomic_store(&f->done, true);
}

/* One turn: a few messages, one commit, waited for. */
static void commit(struct feed *f) {
    atomic_store(&f->done, false);
    f->commit.dead_letters = f->batch.letters, f->commit.n_dead_letters = f->batch.n_letters;
    series_submit(f->series, &f->commit);
    while (!atomic_load(&f->done)) clock_sleep(NANOS_PER_MS / 50);
    CHECK_OK(f->err);
    rows_clear(&f->commit.rows);
    arena_reset(&f->arena);
    f->batch.n_letters = 0;
}

static long long moment(const struct feed *f) { return 1700000000000 + (long long)f->row * 10; }

static void one_by_rows(struct feed *f) {
    static const Str words[] = {{"run", 3}, {"idle", 4}, {"a longer state than that", 24}};
    ThingId thing = 1 + (ThingId)(f->row % THINGS);
    rows_begin(&f->commit.rows, thing, moment(f) * NANOS_PER_MS, 0);
    rows_value(&f->commit.rows, 1, VALUE_I((int64_t)f->row));
    rows_value(&f->commit.rows, 2, VALUE_F((double)f->row / 7));
    rows_value(&f->commit.rows, 3, VALUE_B(f->row % 3 == 0));
    rows_value(&f->commit.rows, 4, VALUE_S(words[f->row % 3]));
    rows_value(&f->commit.rows, 1, VALUE_I(5)); /* given twice: the last counts */
    rows_end(&f->commit.rows);
}

static void one_by_json(struct feed *f) {
    char name[32], text[300];
    bool gateway = f->row % 4 == 3;
    int n = snprintf(name, sizeof name, "m-%u", (unsigned)(f->row % THINGS));
    struct telemetry_message message = {.party = 1,
                                        .device = {name, (size_t)n},
                                        .own = &f->own[f->row % THINGS],
                                        .gateway = gateway,
                                        .topic = STR("v1/devices/me/telemetry"),
                                        .now = moment(f) * NANOS_PER_MS};
    const char *form =
        gateway ? "{\"gw-%u\":[{\"ts\":%lld,\"values\":{\"rpm\":%u,\"x\":%u.25,\"on\":true,\"state\":\"a\\u00e9\"}}]}"
                : "{\"thing\":%u,\"ts\":%lld,\"values\":{\"rpm\":%u,\"x\":%u.25,\"on\":true,\"state\":\"run\"}}";
    if (f->row % 8 == 0) form = "{\"m\":%u,\"long\":%lld,\"rpm\":%u,\"volt\":%u.5}"; /* untimed */
    n = snprintf(text, sizeof text, form, (unsigned)(f->row % 7), moment(f), (unsigned)(f->row % 3000),
                 (unsigned)(f->row % 90));
    message.payload = (Str){text, (size_t)n};
    telemetry_take(f->telemetry, &message, &f->batch);
}

static void one_by_line(struct feed *f) {
    char text[300];
    unsigned thing = (unsigned)(f->row % THINGS);
    int n = snprintf(text, sizeof text,
                     "readings,name=t-%u,fleet=East velocity=%u.5,heading=%ui,on=true,state=\"idle \\\"x\\\"\" %lld\n"
                     "cpu,host=h-%u,cpu=cpu0 idle=%u %lld\n",
                     thing, (unsigned)(f->row % 90), (unsigned)(f->row % 360), moment(f) * 1000000, thing,
                     (unsigned)(f->row % 100), moment(f) * 1000000);
    struct line_outcome outcome;
    struct line_message message = {
        .party = 1, .device = STR("gate"), .text = {text, (size_t)n}, .now = moment(f) * NANOS_PER_MS};
    line_protocol_take(f->lines, &message, &f->batch, &outcome);
}

static void run(struct feed *f, void (*one)(struct feed *f), uint64_t rows) {
    for (uint64_t end = f->row + rows; f->row < end; f->row++) {
        one(f);
        if (f->row % 250 == 249) commit(f);
    }
    commit(f);
}

static void open_feed(struct feed *f) {
    char name[32];
    ThingId id;
    *f = (struct feed){0};
    CHECK_OK(series_open(&(struct series_options){.dir = unit_temp_dir(), .memory_bytes = MEMORY}, &f->series));
    f->telemetry = telemetry_new(&(struct telemetry_options){.series = f->series, .counters = &f->counters});
    f->lines = line_protocol_new(&(struct line_protocol_options){.series = f->series});
    arena_init(&f->arena, 0);
    f->commit.done = finished, f->commit.ctx = f;
    rows_clear(&f->commit.rows);
    f->batch = (struct telemetry_batch){.rows = &f->commit.rows, .arena = &f->arena};
    for (unsigned i = 0; i < THINGS; i++) {
        snprintf(name, sizeof name, "by rows %u", i);
        CHECK_OK(series_thing(f->series, 1, str_c(name), &id));
    }
    for (unsigned i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "by rows %u", i);
        CHECK_OK(series_metric(f->series, str_c(name), &id));
    }
}

static void close_feed(struct feed *f) {
    series_close(f->series);
    telemetry_free(f->telemetry);
    line_protocol_free(f->lines);
    rows_fini(&f->commit.rows);
    arena_fini(&f->arena);
    free(f->batch.letters);
}

static void steady(const char *name, void (*one)(struct feed *f)) {
    struct feed f;
    struct series_stats before, after;
    unit_case(name);
    open_feed(&f);
    run(&f, one, ROWS / 2); /* memory was frozen and written out several times since */
    CHECK_OK(series_flush(f.series));
    run(&f, one, ROWS / 4);
    series_stats(f.series, &before);
    atomic_store(&calls, 0);
    atomic_store(&counting, true);
    run(&f, one, ROWS);
    atomic_store(&counting, false);
    series_stats(f.series, &after);
    uint64_t rows = after.rows - before.rows, bytes = rows * 200; /* at most, as rows lie in memory */
    unsigned n = atomic_load(&calls), allowed = (unsigned)(bytes / (MEMORY / 2) + 1) * A_FREEZE;
    CHECK(rows >= ROWS);
    if (!CHECK(n <= allowed)) {
        printf("  %u calls for %llu rows, allowed are %u\n", n, (unsigned long long)rows, allowed);
        tell_places(n);
    }
    if (getenv("WEFT_ALLOC"))
        printf("alloc: %s: %u calls for %llu rows\n", name, n, (unsigned long long)rows), tell_places(n);
    close_feed(&f);
}

void ingest_alloc_test(void) {
    void *frames[2];
    (void)backtrace(frames, 2); /* its own first call allocates */
    steady("rows to the log and memory", one_by_rows);
    steady("JSON messages", one_by_json);
    steady("lines", one_by_line);
}
