/*
 * Durable documents a second: each create writes the document with three indexes, its audit row, its outbox row and its
 * number, and returns when the commit is synced. Also moves, reads and credential checks. Usage: document_rate [FOLDER]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/documents.h"
#include "os/process.h"
#include "os/thread.h"
#include "store/records.h"
#include "trust/device.h"
#include "trust/gate.h"
#include "trust/people.h"

#define THREADS_MAX 128
#define SECONDS 3
#define CHECKS 400000

static const struct choice severities[] = {{"low", "", ""}, {"high", "", ""}, {.name = NULL}};
static const struct field fields[] = {
    {.name = "thing", .kind = FIELD_THING, .indexed = true},
    {.name = "severity", .kind = FIELD_CHOICE, .choices = severities, .indexed = true},
    {.name = "metric", .kind = FIELD_TEXT},
    {.name = "text", .kind = FIELD_TEXT},
    {.name = "value", .kind = FIELD_NUMBER},
    {.name = "raised_at", .kind = FIELD_TIME, .indexed = true},
};
static const struct doc_state states[] = {{.name = "raised"}, {.name = "cleared", .final = true}};
static const struct transition transitions[] = {{.name = "clear", .from = "raised", .to = "cleared"}};
static const struct doctype alarm = {.name = "alarm",
                                     .prefix = "AL",
                                     .fields = fields,
                                     .n_fields = sizeof fields / sizeof *fields,
                                     .states = states,
                                     .n_states = 2,
                                     .transitions = transitions,
                                     .n_transitions = 1};
static const struct doctype *const types[] = {&alarm, NULL};

struct bench {
    struct records *records;
    struct people *people;
    struct devices *devices;
    struct documents *documents;
    struct principal who;
    Nanos until;
    char user[DEVICE_SECRET_MAX], password[DEVICE_SECRET_MAX];
};

struct worker {
    struct bench *bench;
    int number;
    uint64_t done;
    int64_t last;
    Err err;
};

static void must(Err err) {
    if (err.code == ERR_NONE) return;
    fprintf(stderr, "document_rate: %s\n", err.text);
    exit(1);
}

static void create(void *ctx) {
    struct worker *w = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    while (clock_monotonic() < w->bench->until && w->err.code == ERR_NONE) {
        char thing[32];
        struct doc *doc;
        arena_reset(&arena);
        snprintf(thing, sizeof thing, "machine-%d", (int)(w->done % 1000));
        const struct doc_set set[] = {{"thing", VALUE_S(str_c(thing))},
                                      {"severity", VALUE_S(STR("high"))},
                                      {"metric", VALUE_S(STR("vibration"))},
                                      {"text", VALUE_S(STR("vibration 63.2 left its limits 22.5 to 63"))},
                                      {"value", VALUE_F(63.2)},
                                      {"raised_at", VALUE_I(clock_now(&clock_system))}};
        struct doc_change change = {.set = set, .n = sizeof set / sizeof *set};
        w->err = documents_create(w->bench->documents, &w->bench->who, &alarm, &change, &arena, &doc);
        if (w->err.code != ERR_NONE) break;
        w->last = doc->id;
        w->done++;
    }
    arena_fini(&arena);
}

static void list(void *ctx) {
    struct worker *w = ctx;
    struct arena arena;
    struct lens lens;
    arena_init(&arena, 0);
    w->err = gate_lens(&w->bench->who, &alarm, "bench", &lens);
    while (clock_monotonic() < w->bench->until && w->err.code == ERR_NONE) {
        const struct doc_filter filter = {.field = "id", .value = VALUE_I(1 + (int64_t)(w->done * 7919 % 1000))};
        struct doc_query query = {.filters = &filter, .n_filters = 1};
        struct doc_page page;
        arena_reset(&arena);
        w->err = documents_list(w->bench->documents, &lens, &alarm, &query, &arena, &page);
        w->done++;
    }
    arena_fini(&arena);
}

static void check(void *ctx) {
    struct worker *w = ctx;
    struct device_identity identity;
    while (w->done < CHECKS && w->err.code == ERR_NONE) {
        w->err = device_check(w->bench->devices, str_c(w->bench->user), str_c(w->bench->password), &identity);
        w->done++;
    }
}

/* Runs fn on n threads for a while; returns how many it did a second. */
static double run(struct bench *b, void (*fn)(void *ctx), int n) {
    static struct worker workers[THREADS_MAX];
    struct thread *threads[THREADS_MAX];
    uint64_t done = 0;
    Nanos start = clock_monotonic();
    b->until = start + SECONDS * NANOS_PER_S;
    for (int i = 0; i < n; i++) {
        workers[i] = (struct worker){.bench = b, .number = i};
        must(thread_start(&threads[i], "bench", fn, &workers[i]));
    }
    for (int i = 0; i < n; i++) {
        thread_join(threads[i]);
        must(workers[i].err);
        done += workers[i].done;
    }
    return (double)done / ((double)(clock_monotonic() - start) / 1e9);
}

static void open_all(struct bench *b, const char *dir) {
    PartyId party;
    must(records_open(&(struct records_options){.dir = dir}, &b->records));
    must(people_open(b->records, &clock_system, &b->people));
    must(people_party(b->people, STR("bench"), &party));
    must(device_open(b->records, &clock_system, &b->devices));
    must(documents_open(&(struct documents_options){.records = b->records, .types = types}, &b->documents));
    b->who = principal_system(party, "bench");
    must(device_add(b->devices, &b->who, party, STR("machine-1"), false, b->user, b->password));
}

static void close_all(struct bench *b) {
    documents_close(b->documents);
    device_close(b->devices);
    people_close(b->people);
    records_close(b->records);
}

int main(int argc, char **argv) {
    static const int threads[] = {1, 8, 32, 128};
    const char *dir = argc > 1 ? argv[1] : "build/bench-documents";
    struct bench b = {.records = NULL};
    Nanos start = clock_monotonic();
    open_all(&b, dir);
    printf("%-44s %10.1f ms, %.1f MB resident\n", "open", (double)(clock_monotonic() - start) / 1e6,
           (double)process_resident_bytes() / 1e6);
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        struct records_stats before, after;
        records_stats(b.records, &before);
        Nanos cpu = process_cpu_time();
        double rate = run(&b, create, threads[i]);
        records_stats(b.records, &after);
        double jobs = (double)(after.jobs - before.jobs);
        printf("durable creates, %3d threads                 %10.0f /s, %.1f a commit, %.0f us CPU each\n", threads[i],
               rate, jobs / (double)(after.commits - before.commits), (double)(process_cpu_time() - cpu) / 1e3 / jobs);
    }
    printf("%-44s %10.0f /s\n", "look-ups of one document, 1 thread", run(&b, list, 1));
    printf("%-44s %10.0f /s\n", "look-ups of one document, 4 threads", run(&b, list, 4));
    printf("%-44s %10.0f /s\n", "device credentials checked, 1 thread", run(&b, check, 1));
    printf("%-44s %10.0f /s\n", "device credentials checked, 4 threads", run(&b, check, 4));
    printf("%-44s %10.1f MB\n", "resident afterwards", (double)process_resident_bytes() / 1e6);
    close_all(&b);
    return 0;
}
