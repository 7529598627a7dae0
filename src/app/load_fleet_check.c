/*
 * The file of what was acknowledged: "WEFTACK1", u32 things, u32 0, then for each thing u32 sent, acknowledged, last.
 * The check opens the folder's series for reading only, beside the server that owns it, reads the counter of every
 * thing from the first report to the last, and compares: numbers 1, 2, 3 … without a gap, no fewer than were
 * acknowledged, no more than were sent, and the newest of them is the latest value.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/load_fleet.h"
#include "base/buf.h"
#include "os/file.h"
#include "os/process.h"
#include "store/series_batch.h"
#include "trust/gate.h"

#define MAGIC "WEFTACK1"
#define HEAD 16
#define FILE_MAX ((size_t)1 << 30)
#define SHOWN 5 /* things with a fault that are named */

Err load_fleet_check_write(const char *path, const struct load_fleet_thing *things, unsigned n) {
    struct buf out = {0};
    buf_c(&out, MAGIC);
    buf_u32le(&out, n);
    buf_u32le(&out, 0);
    buf_add(&out, things, n * sizeof *things);
    Err err = file_replace(file_disk, path, buf_view(&out), "load.acks");
    buf_fini(&out);
    return err;
}

struct found {
    uint32_t rows, last;
    bool gap;
};

struct checking {
    struct series *series;
    const struct load_fleet_thing *things; /* from the file */
    unsigned n;
    struct found *found;
    uint32_t *place_of; /* by ThingId: place in things + 1 */
    uint32_t n_ids;
    PartyId party;
    uint64_t rows, strange;
};

/* ---- reading */

static bool take(void *ctx, const struct series_batch *batch) {
    struct checking *c = ctx;
    uint32_t place = batch->thing < c->n_ids ? c->place_of[batch->thing] : 0;
    const struct series_batch_column *column = &batch->columns[0];
    if (!place || !column->n_present) return true;
    struct found *f = &c->found[place - 1];
    for (size_t i = 0; i < batch->n; i++) {
        if (column->numbers_only && column->present && !(column->present[i / 64] >> (i % 64) & 1)) continue;
        double x = column->numbers_only ? column->numbers[i] : value_as_num(column->values[i]);
        f->rows++;
        f->gap |= x != (double)f->last + 1;
        f->last = (uint32_t)x;
    }
    return true;
}

static void list_things(struct checking *c) {
    uint32_t n = series_thing_count(c->series);
    c->n_ids = n + 1;
    c->place_of = calloc(c->n_ids, sizeof *c->place_of);
    ASSERT(c->place_of);
    for (ThingId id = 1; id <= n; id++) {
        char text[64], same[64];
        unsigned place;
        PartyId party;
        Str name;
        if (!series_thing_name(c->series, id, &party, &name) || name.len >= sizeof text) continue;
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
        size_t digits = strcspn(text, "0123456789");
        place = (unsigned)strtoul(text + digits, NULL, 10);
        snprintf(same, sizeof same, LOAD_FLEET_NAME, place);
        if (strcmp(text, same) != 0 || place >= c->n) continue;
        c->place_of[id] = place + 1;
        c->party = party;
    }
}

static Err read_rows(struct checking *c, MetricId metric) {
    struct lens lens = gate_lens_party(c->party, "what was acknowledged is counted");
    struct series_ask ask = {.metrics = &metric, .n_metrics = 1, .from = INT64_MIN / 2, .workers = process_cores()};
    return series_batch_scan(c->series, &lens, &ask, take, c);
}

static int64_t latest_number(struct checking *c, ThingId thing, MetricId metric, struct arena *arena) {
    struct lens lens = gate_lens_party(c->party, "what was acknowledged is counted");
    struct series_latest *latest;
    size_t n;
    arena_reset(arena);
    if (series_latest(c->series, &lens, thing, arena, &latest, &n).code != ERR_NONE) return -1;
    for (size_t i = 0; i < n; i++)
        if (latest[i].metric == metric) return (int64_t)value_as_num(latest[i].value);
    return -1;
}

/* ---- judging */

static const char *fault_of(const struct load_fleet_thing *t, const struct found *f, int64_t latest) {
    if (f->rows < t->acked || f->last < t->last) return "reports are missing";
    if (f->gap) return "numbers do not follow one another";
    if (f->rows > t->sent) return "there are more reports than were sent";
    if (f->rows && latest != f->last) return "the latest value is not the last report's";
    return NULL;
}

static uint64_t judge(struct checking *c, MetricId metric) {
    struct arena arena;
    uint64_t wrong = 0;
    ThingId *ids = calloc(c->n, sizeof *ids);
    ASSERT(ids);
    arena_init(&arena, 0);
    for (ThingId id = 1; id < c->n_ids; id++)
        if (c->place_of[id]) ids[c->place_of[id] - 1] = id;
    for (unsigned i = 0; i < c->n; i++) {
        int64_t latest = ids[i] ? latest_number(c, ids[i], metric, &arena) : -1;
        const char *fault = fault_of(&c->things[i], &c->found[i], latest);
        c->rows += c->found[i].rows;
        if (!fault) continue;
        if (wrong++ < SHOWN)
            fprintf(stderr,
                    LOAD_FLEET_NAME ": %s: sent %u, acknowledged %u (last %u); there %u (last %u), latest %lld\n", i,
                    fault, c->things[i].sent, c->things[i].acked, c->things[i].last, c->found[i].rows, c->found[i].last,
                    (long long)latest);
    }
    free(ids);
    arena_fini(&arena);
    return wrong;
}

static Err check(struct checking *c, uint64_t *wrong) {
    MetricId metric;
    list_things(c);
    if (!c->party || !series_find_metric(c->series, STR("seq"), &metric))
        return err_make(ERR_NOT_FOUND, "the folder has no thing of this load");
    TRY(read_rows(c, metric));
    *wrong = judge(c, metric);
    return err_none();
}

static Err parse(Str bytes, struct checking *c) {
    uint32_t n;
    if (bytes.len < HEAD || memcmp(bytes.ptr, MAGIC, 8) != 0)
        return err_make(ERR_INVALID, "no file of 'weft load fleet'");
    memcpy(&n, bytes.ptr + 8, 4);
    if (bytes.len != HEAD + n * sizeof(struct load_fleet_thing)) return err_make(ERR_INVALID, "the file is cut off");
    c->things = (const struct load_fleet_thing *)(const void *)(bytes.ptr + HEAD);
    c->n = n;
    return err_none();
}

static Err run(const char *path, const char *data) {
    struct buf bytes = {0};
    struct checking c = {0};
    char dir[4096];
    uint64_t acked = 0, sent = 0, wrong = 0;
    snprintf(dir, sizeof dir, "%.4000s/series", data);
    Err err = file_load(file_disk, path, FILE_MAX, &bytes);
    if (err.code == ERR_NONE) err = parse(buf_view(&bytes), &c);
    if (err.code == ERR_NONE) err = series_open(&(struct series_options){.dir = dir, .read_only = true}, &c.series);
    c.found = calloc(c.n + 1, sizeof *c.found);
    ASSERT(c.found);
    if (err.code == ERR_NONE) err = check(&c, &wrong);
    for (unsigned i = 0; i < c.n; i++) acked += c.things[i].acked, sent += c.things[i].sent;
    if (err.code == ERR_NONE) {
        printf("{\"things\":%u,\"sent\":%llu,\"acknowledged\":%llu,\"kept\":%llu,\"things_wrong\":%llu}\n", c.n,
               (unsigned long long)sent, (unsigned long long)acked, (unsigned long long)c.rows,
               (unsigned long long)wrong);
        if (wrong) err = err_make(ERR_CORRUPT, "%llu things lack something", (unsigned long long)wrong);
    }
    series_close(c.series);
    free(c.found);
    free(c.place_of);
    buf_fini(&bytes);
    return err;
}

int load_fleet_check_main(int argc, char **argv) {
    if (argc != 4 || strcmp(argv[2], "--help") == 0) {
        fputs("usage: weft load fleet-check ACKS DATA\n\n"
              "Compares what 'weft load fleet --acks ACKS' saw acknowledged with what the data folder holds; a server\n"
              "may own the folder.\n",
              argc == 3 ? stdout : stderr);
        return argc == 3 ? 0 : 2;
    }
    Err err = run(argv[2], argv[3]);
    if (err.code == ERR_NONE) return 0;
    fprintf(stderr, "weft load fleet-check: %s\n", err.text);
    return 1;
}
