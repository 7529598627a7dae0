/*
 * What a message of ten values costs in the series store, end to end: checked, laid into rows, logged with group
 * commit, synced, indexed, made the latest, and written out as runs.
 *
 *     build/bench/series_append [messages [things [messages a commit [values a message]]]]
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/clock.h"
#include "os/process.h"
#include "os/thread.h"
#include "store/series.h"

#define UNDER_WAY 64
#define METRICS_MAX 64

struct bench {
    struct series *series;
    uint64_t messages;
    Nanos start; /* of the rows; the last are of now */
    uint32_t things, batch, values;
    ThingId *ids;
    MetricId metrics[METRICS_MAX];
    struct thread_queue *free;
    _Atomic uint64_t failed;
    uint64_t row_bytes; /* as they go into the log */
};

static void done(struct series_commit *commit, Err err) {
    struct bench *b = commit->ctx;
    if (err.code) atomic_fetch_add(&b->failed, 1);
    thread_queue_push(b->free, commit);
}

static void name_all(struct bench *b) {
    char name[32];
    b->ids = malloc(b->things * sizeof *b->ids);
    ASSERT(b->ids != NULL);
    for (uint32_t i = 0; i < b->things; i++) {
        int n = snprintf(name, sizeof name, "machine-%06u", i);
        ASSERT(series_thing(b->series, 1, (Str){name, (size_t)n}, &b->ids[i]).code == ERR_NONE);
    }
    for (uint32_t i = 0; i < b->values; i++) {
        int n = snprintf(name, sizeof name, "metric_%u", i);
        ASSERT(series_metric(b->series, (Str){name, (size_t)n}, &b->metrics[i]).code == ERR_NONE);
    }
}

/* Random walks, as machines have: some integers, some decimals, a counter, a switch. */
static Value value_of(uint64_t message, uint32_t thing, uint32_t metric) {
    uint64_t step = message * 2654435761u + thing * 40503u + metric * 97u;
    step ^= step >> 15;
    int64_t walk = (int64_t)(thing % 400) + (int64_t)(message % 977) / 16 + (int64_t)(step % 7) - 3;
    if (metric % 5 == 1) return VALUE_I(walk * 3);
    if (metric % 5 == 2) return VALUE_F((double)(1700 + walk) / 10);
    if (metric % 5 == 3) return VALUE_F((double)(20000 + walk * 7) / 100);
    if (metric % 10 == 4) return VALUE_B(step % 64 == 0);
    return VALUE_I((int64_t)message);
}

static void fill(struct bench *b, struct rows *rows, uint64_t from) {
    rows_clear(rows);
    for (uint64_t i = from; i < from + b->batch; i++) {
        ThingId thing = b->ids[i % b->things];
        enum value_kind is;
        rows_begin(rows, thing, b->start + (Nanos)(i / b->things) * NANOS_PER_S, 0);
        for (uint32_t m = 0; m < b->values; m++) {
            Value v = value_of(i / b->things, thing, m);
            if (series_accepts(b->series, thing, b->metrics[m], v.kind, &is)) rows_value(rows, b->metrics[m], v);
        }
        rows_end(rows);
    }
}

static void run(struct bench *b) {
    struct series_commit *commits = calloc(UNDER_WAY, sizeof *commits);
    ASSERT(commits != NULL);
    b->free = thread_queue_new(UNDER_WAY);
    for (int i = 0; i < UNDER_WAY; i++) {
        commits[i] = (struct series_commit){.done = done, .ctx = b};
        thread_queue_push(b->free, &commits[i]);
    }
    for (uint64_t at = 0; at < b->messages; at += b->batch) {
        struct series_commit *c = thread_queue_pop(b->free, -1);
        fill(b, &c->rows, at);
        b->row_bytes += c->rows.bytes.len;
        series_submit(b->series, c);
    }
    for (int i = 0; i < UNDER_WAY; i++) thread_queue_pop(b->free, -1);
    for (int i = 0; i < UNDER_WAY; i++) rows_fini(&commits[i].rows);
    thread_queue_free(b->free);
    free(commits);
}

/* What this process made the disk write; 0 where the system does not say. */
static uint64_t disk_writes(void) {
    char line[128];
    unsigned long long n = 0;
    FILE *io = fopen("/proc/self/io", "r");
    while (io && fgets(line, sizeof line, io)) sscanf(line, "write_bytes: %llu", &n);
    if (io) fclose(io);
    return n;
}

static void report(const struct bench *b, Nanos wall, Nanos cpu, const char *what) {
    double n = (double)b->messages;
    printf("%-28s %9.0f messages/s %11.0f values/s %6.3f us CPU a message\n", what, n / ((double)wall / 1e9),
           n * b->values / ((double)wall / 1e9), (double)cpu / 1e3 / n);
}

int main(int argc, char **argv) {
    char dir[] = "/tmp/series_append.XXXXXX";
    struct bench b = {.messages = argc > 1 ? strtoull(argv[1], NULL, 10) : 4000000,
                      .things = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000,
                      .batch = argc > 3 ? (uint32_t)atoi(argv[3]) : 20,
                      .values = argc > 4 ? (uint32_t)atoi(argv[4]) : 10};
    struct series_stats s;
    if (!mkdtemp(dir) || b.values > METRICS_MAX) return 1;
    Err err = series_open(&(struct series_options){.dir = dir}, &b.series);
    if (err.code) return printf("%s\n", err.text), 1;
    name_all(&b);
    b.start = clock_now(&clock_system) / NANOS_PER_S * NANOS_PER_S - (Nanos)(b.messages / b.things) * NANOS_PER_S;
    struct rows rows = {0};
    uint64_t written = disk_writes();
    Nanos cpu = process_cpu_time(), wall = clock_monotonic();
    for (uint64_t at = 0; at < b.messages; at += b.batch) fill(&b, &rows, at);
    report(&b, clock_monotonic() - wall, process_cpu_time() - cpu, "checking and laying out");
    rows_fini(&rows);
    cpu = process_cpu_time(), wall = clock_monotonic();
    run(&b);
    report(&b, clock_monotonic() - wall, process_cpu_time() - cpu, "durable, with that");
    series_stats(b.series, &s);
    printf("syncs %llu, messages a sync %.0f, row bytes a message %.1f, runs %llu, resident %.1f MB, failed %llu\n",
           (unsigned long long)s.syncs, (double)b.messages / (double)s.syncs, (double)b.row_bytes / (double)b.messages,
           (unsigned long long)s.runs, (double)process_resident_bytes() / 1e6, (unsigned long long)b.failed);
    err = series_flush(b.series);
    if (err.code) printf("flush: %s\n", err.text);
    report(&b, clock_monotonic() - wall, process_cpu_time() - cpu, "and written out");
    clock_sleep(3 * NANOS_PER_S);
    series_stats(b.series, &s);
    double n_values = (double)b.messages * b.values;
    printf("after merging: %.2f bytes a value on disk, %.2f written for it (log and all), %llu runs, %llu chunks, "
           "%.3f us CPU a message in all\n",
           (double)(s.disk_bytes - s.log_bytes) / n_values, (double)(disk_writes() - written) / n_values,
           (unsigned long long)s.runs, (unsigned long long)s.chunks,
           (double)(process_cpu_time() - cpu) / 1e3 / (double)b.messages);
    series_close(b.series);
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    free(b.ids);
    return system(command);
}
