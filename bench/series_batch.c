/*
 * What reading series as columns costs: the fleet workload (things that report seven readings and three diagnostics
 * every ten seconds, a tenth of either missing, some late) is written, and read as batches: nanoseconds a value, hot as
 * it was flushed and cold as it was compacted, by one thread and by two, beside summing the same number of doubles.
 *
 *     build/release/bench/series_batch [things [hours [rounds]]]      4000 24 5 unless said
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/process.h"
#include "store/series_batch.h"

#define METRICS 10
#define STEP (10 * NANOS_PER_S)
#define WINDOW (10 * NANOS_PER_MIN)
#define WORKERS 2

/* A report under way. */
struct late {
    Nanos time, due; /* time 0: none is */
};

struct bench {
    struct series *series;
    uint32_t n_things, rounds;
    ThingId *things;
    MetricId metrics[METRICS];
    Nanos from, to;
    double *walk;      /* [n_things × METRICS] */
    struct late *late; /* [n_things × 2] */
    uint64_t state;
};

static const struct lens all = {.every_party = true, .from = INT64_MIN, .to = INT64_MAX};

static uint64_t draw(uint64_t *state) {
    *state ^= *state << 13, *state ^= *state >> 7, *state ^= *state << 17;
    return *state * UINT64_C(0x9e3779b97f4a7c15) >> 11;
}

static double between(uint64_t *state, double low, double high) {
    return low + (high - low) * (double)(draw(state) % 1000001) / 1e6;
}

static void fail(const char *what, Err err) {
    if (!err.code) return;
    printf("%s: %s\n", what, err.text);
    exit(1);
}

/* ---- filling */

static void name_all(struct bench *b) {
    char name[32];
    for (uint32_t i = 0; i < b->n_things; i++) {
        int n = snprintf(name, sizeof name, "truck_%u", i);
        fail("thing", series_thing(b->series, 1, (Str){name, (size_t)n}, &b->things[i]));
    }
    for (uint32_t m = 0; m < METRICS; m++) {
        int n = snprintf(name, sizeof name, "metric_%u", m);
        fail("metric", series_metric(b->series, (Str){name, (size_t)n}, &b->metrics[m]));
    }
}

/* Steps, range and decimals as the published workload has them: position, elevation, velocity, heading, grade,
 * consumption; fuel, load, status. */
static const struct shape {
    double step, low, high, unit;
} shapes[METRICS] = {
    {0.005, -90, 90, 1e5}, {0.005, -180, 180, 1e5}, {10, 0, 5000, 1},  {10, 0, 100, 1},  {5, 0, 360, 1},
    {5, 0, 100, 1},        {5, 0, 50, 10},          {0.001, 0, 1, 10}, {50, 0, 5000, 1}, {1, 0, 5, 1}};

static Value next_value(struct bench *b, uint32_t thing, uint32_t m) {
    const struct shape *s = &shapes[m];
    double *at = &b->walk[thing * METRICS + m];
    *at += between(&b->state, -s->step, s->step);
    *at = *at < s->low ? s->low : *at > s->high ? s->high : *at;
    double v = (double)(int64_t)(*at * s->unit) / s->unit;
    return m == 9 ? VALUE_I((int64_t)v) : VALUE_F(v);
}

static void put(struct bench *b, struct rows *rows, uint32_t thing, Nanos time, int half) {
    rows_begin(rows, b->things[thing], time, 0);
    for (uint32_t m = half ? 7 : 0; m < (half ? METRICS : 7u); m++)
        rows_value(rows, b->metrics[m], next_value(b, thing, m));
    rows_end(rows);
}

/* A tenth never comes; one in fifty comes later. */
static void report(struct bench *b, struct rows *rows, uint32_t thing, Nanos time, int half) {
    struct late *late = &b->late[thing * 2 + (uint32_t)half];
    uint64_t luck = draw(&b->state) % 100;
    if (late->time && late->due <= time) put(b, rows, thing, late->time, half), late->time = 0;
    if (luck < 10) return;
    if (luck < 12 && !late->time)
        *late = (struct late){time, time + (Nanos)(1 + luck % 7) * STEP};
    else
        put(b, rows, thing, time, half);
}

static void fill(struct bench *b) {
    struct series_commit c = {0};
    rows_clear(&c.rows);
    for (Nanos t = b->from; t < b->to; t += STEP) {
        for (uint32_t i = 0; i < b->n_things; i++) {
            report(b, &c.rows, i, t, 0);
            report(b, &c.rows, i, t, 1);
        }
        fail("write", series_write(b->series, &c));
        rows_clear(&c.rows);
    }
    rows_fini(&c.rows);
}

/* ---- reading */

struct tally {
    _Alignas(64) double sum;
    uint64_t values, windows, batches;
    Nanos window;
    double window_sum;
    uint64_t window_count;
};

struct reading {
    struct tally tallies[SERIES_ASK_WORKERS_MAX];
    size_t n_metrics;
    bool windows;
};

static void sum_column(struct tally *t, const struct series_batch_column *c, size_t n) {
    double sum[4] = {0};
    if (!c->present) {
        size_t i = 0;
        for (; i + 4 <= n; i += 4)
            for (size_t k = 0; k < 4; k++) sum[k] += c->numbers[i + k];
        for (; i < n; i++) sum[0] += c->numbers[i];
    } else {
        for (size_t w = 0; w < (n + 63) / 64; w++)
            for (uint64_t bits = c->present[w]; bits; bits &= bits - 1)
                sum[0] += c->numbers[w * 64 + (size_t)__builtin_ctzll(bits)];
    }
    t->sum += sum[0] + sum[1] + sum[2] + sum[3];
    t->values += c->n_present;
}

static void sum_windows(struct tally *t, const struct series_batch *b) {
    const struct series_batch_column *c = &b->columns[0];
    for (size_t i = 0; i < b->n;) {
        Nanos start = b->times[i] - b->times[i] % WINDOW;
        size_t end = i;
        double sum = 0;
        while (end < b->n && b->times[end] < start + WINDOW) sum += c->numbers[end++];
        if (start != t->window) t->windows++, t->sum += t->window_sum, t->window_sum = 0, t->window_count = 0;
        t->window = start, t->window_sum += sum, t->window_count += end - i;
        i = end;
    }
    t->values += c->n_present;
}

static bool take(void *ctx, const struct series_batch *b) {
    struct reading *r = ctx;
    struct tally *t = &r->tallies[b->worker];
    t->batches++;
    if (r->windows && b->columns[0].n_present == b->n)
        sum_windows(t, b);
    else
        for (size_t k = 0; k < r->n_metrics; k++)
            if (b->columns[k].n_present) sum_column(t, &b->columns[k], b->n);
    return true;
}

struct ask {
    const char *name;
    uint32_t things; /* 0: all */
    MetricId metrics[2];
    size_t n_metrics;
    Nanos span;
    bool windows;
};

static const struct ask asks[] = {
    {"one metric, everything", 0, {4}, 1, 0, false},
    {"two of one report", 0, {4, 5}, 2, 0, false},
    {"two of two reports", 0, {4, 9}, 2, 0, false},
    {"10 min windows of 4 hours", 0, {4}, 1, 4 * NANOS_PER_HOUR, true},
    {"one thing, one hour", 1, {4}, 1, NANOS_PER_HOUR, true},
};

static void time_ask(const struct bench *b, const struct ask *ask, unsigned workers, const char *state) {
    double best = 1e300, least = 1e300, sum = 0;
    uint64_t values = 0, batches = 0;
    for (uint32_t round = 0; round < b->rounds; round++) {
        struct reading r = {.n_metrics = ask->n_metrics, .windows = ask->windows};
        MetricId metrics[2] = {b->metrics[ask->metrics[0] - 1],
                               ask->n_metrics > 1 ? b->metrics[ask->metrics[1] - 1] : 0};
        Nanos middle = b->from + (b->to - b->from) / 3 / STEP * STEP;
        struct series_ask q = {.things = b->things,
                               .n_things = ask->things ? ask->things : b->n_things,
                               .metrics = metrics,
                               .n_metrics = ask->n_metrics,
                               .from = ask->span ? middle : 0,
                               .to = ask->span ? middle + ask->span : 0,
                               .workers = workers};
        Nanos start = clock_monotonic(), cpu = process_cpu_time();
        fail("scan", series_batch_scan(b->series, &all, &q, take, &r));
        double took = (double)(clock_monotonic() - start), used = (double)(process_cpu_time() - cpu);
        if (took < best) best = took;
        if (used < least) least = used;
        values = batches = 0;
        for (unsigned w = 0; w < workers; w++)
            values += r.tallies[w].values, batches += r.tallies[w].batches, sum += r.tallies[w].sum;
    }
    printf("%-5s %-26s %u thread%s %11llu values %7llu batches %10.3f ms %7.2f ns a value, %6.2f ns of processor\n",
           state, ask->name, workers, workers > 1 ? "s" : " ", (unsigned long long)values, (unsigned long long)batches,
           best / 1e6, best / (double)(values ? values : 1), least / (double)(values ? values : 1));
    if (sum == 0.5) printf("\n");
}

static void time_latest(const struct bench *b, const char *state) {
    double best = 1e300;
    Value *values = malloc(b->n_things * 3 * sizeof *values);
    Nanos *times = malloc(b->n_things * 3 * sizeof *times);
    struct arena arena = {0};
    if (!values || !times) exit(1);
    for (uint32_t round = 0; round < b->rounds; round++) {
        Nanos start = clock_monotonic();
        fail("latest",
             series_batch_latest(b->series, &all, b->things, b->n_things, b->metrics, 3, &arena, values, times));
        double took = (double)(clock_monotonic() - start);
        if (took < best) best = took;
    }
    printf("%-5s %-26s 1 thread  %11u values %20s%8.3f ms %7.2f ns a value\n", state, "latest of three metrics",
           b->n_things * 3, "", best / 1e6, best / (double)(b->n_things * 3));
    arena_fini(&arena);
    free(values);
    free(times);
}

/* The named limit: the same number of doubles, summed where they lie, and copied once. */
static void time_limit(const struct bench *b) {
    size_t n = b->n_things * (size_t)(4 * 360);
    double *from = malloc(n * sizeof *from), *to = malloc(n * sizeof *to), best_sum = 1e300, best_copy = 1e300;
    if (!from || !to) exit(1);
    for (size_t i = 0; i < n; i++) from[i] = (double)(i % 1000);
    for (uint32_t round = 0; round < b->rounds; round++) {
        struct tally t = {0};
        struct series_batch_column c = {.numbers = from, .n_present = n};
        Nanos start = clock_monotonic();
        sum_column(&t, &c, n);
        Nanos middle = clock_monotonic();
        memcpy(to, from, n * sizeof *to);
        Nanos end = clock_monotonic();
        if ((double)(middle - start) < best_sum) best_sum = (double)(middle - start);
        if ((double)(end - middle) < best_copy) best_copy = (double)(end - middle);
        if (t.sum + to[n / 2] == 0.5) printf("\n");
    }
    printf("limit %zu doubles: summed %.3f ms, %.2f ns each; copied %.3f ms, %.2f ns each\n", n, best_sum / 1e6,
           best_sum / (double)n, best_copy / 1e6, best_copy / (double)n);
    free(from);
    free(to);
}

static void time_all(const struct bench *b, const char *state) {
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++)
        for (unsigned workers = 1; workers <= WORKERS; workers++)
            if (asks[i].things == 0 || workers == 1) time_ask(b, &asks[i], workers, state);
    time_latest(b, state);
}

int main(int argc, char **argv) {
    char dir[] = "/tmp/series_batch.XXXXXX";
    struct bench b = {.n_things = argc > 1 ? (uint32_t)atoi(argv[1]) : 4000,
                      .rounds = argc > 3 ? (uint32_t)atoi(argv[3]) : 5,
                      .state = 123};
    Nanos hours = argc > 2 ? atoi(argv[2]) : 24;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!mkdtemp(dir) || !(b.things = calloc(b.n_things, sizeof *b.things)) ||
        !(b.walk = calloc(b.n_things * METRICS, sizeof *b.walk)) || !(b.late = calloc(b.n_things * 2, sizeof *b.late)))
        return 1;
    fail("open", series_open(&(struct series_options){.dir = dir}, &b.series));
    name_all(&b);
    b.to = clock_now(&clock_system) / NANOS_PER_DAY * NANOS_PER_DAY;
    b.from = b.to - hours * NANOS_PER_HOUR;
    Nanos start = clock_monotonic();
    fill(&b);
    fail("flush", series_flush(b.series));
    printf("%u things, %lld hours: written in %.1f s\n", b.n_things, (long long)hours,
           (double)(clock_monotonic() - start) / 1e9);
    time_limit(&b);
    time_all(&b, "hot");
    start = clock_monotonic();
    fail("compact", series_compact(b.series));
    printf("compacted in %.1f s\n", (double)(clock_monotonic() - start) / 1e9);
    time_all(&b, "cold");
    series_close(b.series);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    free(b.things);
    free(b.walk);
    free(b.late);
    return system(command);
}
