/*
 * Any body as a request in line protocol, whole: things, metrics, tags and their texts go into a store, which must stay
 * whole; the rows are well formed, and every line is either kept or among the dead letters. The first byte chooses the
 * settings.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connect/line_protocol.h"
#include "store/rows_form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const own_tags[] = {"id", "host", NULL}, *const own_split[] = {"path", NULL}, *const none[] = {NULL};

static char dir[64];

static bool remove_file(void *ctx, Str name) {
    char path[400];
    (void)ctx;
    snprintf(path, sizeof path, "%s/" STR_FMT, dir, STR_ARG(name));
    (void)file_remove(file_disk, path);
    return true;
}

/* Its threads end with the process; only the folder is to go. */
static void remove_store(void) {
    (void)file_list(file_disk, dir, remove_file, NULL);
    (void)file_remove(file_disk, dir);
}

static struct series *open_store(void) {
    struct series *series;
    snprintf(dir, sizeof dir, "/tmp/weft-fuzz-%ld", (long)getpid());
    Err err = series_open(&(struct series_options){.dir = dir}, &series);
    ASSERT(err.code == ERR_NONE);
    atexit(remove_store);
    return series;
}

static struct line_protocol *reader(struct series *series, unsigned kind) {
    static struct line_protocol *readers[3];
    struct line_protocol_options options = {.series = series, .keys_max = 64};
    if (kind == 1) options.thing_tags = own_tags, options.split_tags = own_split;
    if (kind == 2) options.split_tags = none, options.keys_max = 2;
    if (!readers[kind]) readers[kind] = line_protocol_new(&options);
    return readers[kind];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct series *series;
    static struct rows rows;
    static struct telemetry_batch batch;
    struct arena arena = {0};
    struct line_outcome outcome;
    uint32_t n_rows, n_values;
    if (size < 2 || size > 4096) return 0;
    if (!series) series = open_store();
    char *copy = malloc(size - 1); /* its end is watched */
    ASSERT(copy);
    memcpy(copy, data + 1, size - 1);
    rows_clear(&rows);
    batch.rows = &rows, batch.arena = &arena, batch.n_letters = 0;
    struct line_message message = {.party = 1,
                                   .device = STR("gate"),
                                   .only = data[0] & 64 ? STR("a") : (Str){0},
                                   .text = {copy, size - 1},
                                   .precision = (enum line_precision)(data[0] / 3 % 6),
                                   .now = 5 * NANOS_PER_S};
    line_protocol_take(reader(series, data[0] % 3), &message, &batch, &outcome);
    ASSERT(rows_check((Str){rows.bytes.ptr, rows.bytes.len}, &n_rows, &n_values));
    ASSERT(n_rows == rows.n_rows && n_values == rows.n_values && n_rows <= outcome.lines);
    ASSERT(outcome.refused == batch.n_letters);
    arena_fini(&arena);
    free(copy);
    return 0;
}
