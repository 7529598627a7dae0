/*
 * The files, all CSV with a first row of names, times in RFC 3339:
 *
 *   machines.csv       machine,model,age_years,latitude,longitude,site_en,site_zh   each machine once
 *   telemetry.csv[.zst] time,machine,METRIC…    rising in time; a machine once a moment; an empty field: not reported
 *   errors.csv         time,machine,code        \
 *   failures.csv       time,machine,component    } rising in time
 *   maintenance.csv    time,machine,component   /
 *
 * Numbers have at most 15 digits, so that a double's shortest text is the file's text again; longer ones are refused
 * rather than rounded.
 */
#include "model/recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/map.h"
#include "base/vec.h"
#include "base/zst.h"
#include "os/file.h"

#define TELEMETRY_BYTES_MAX ((size_t)256 << 20)
#define FILE_BYTES_MAX ((size_t)64 << 20)
#define MACHINES_MAX 100000
#define NAME_MAX_BYTES 64
#define DIGITS_MAX 15
#define ZSTD_MAGIC STR("\x28\xB5\x2F\xFD")

struct reader {
    struct recording *rec;
    struct map machines; /* name → index */
    size_t events_cap;
    Nanos *last_row; /* of each machine; INT64_MIN: none yet */
};

static Err read_machine(struct reader *r, struct csv *csv, struct recording_machine *m) {
    TRY(csv_text(csv, 0, NAME_MAX_BYTES, &m->name));
    TRY(csv_text(csv, 1, NAME_MAX_BYTES, &m->model));
    TRY(csv_int(csv, 2, &m->age_years));
    TRY(csv_num(csv, 3, &m->latitude));
    TRY(csv_num(csv, 4, &m->longitude));
    TRY(csv_text(csv, 5, 4 * NAME_MAX_BYTES, &m->site_en));
    TRY(csv_text(csv, 6, 4 * NAME_MAX_BYTES, &m->site_zh));
    uint64_t seen;
    if (map_get(&r->machines, m->name, &seen))
        return csv_fault(csv, 0, "machine '" STR_FMT "' is there twice", STR_ARG(m->name));
    if (m->age_years < 0 || m->age_years > 200) return csv_fault(csv, 2, "an age of 0 to 200 years belongs here");
    if (fabs(m->latitude) > 90) return csv_fault(csv, 3, "a latitude of -90 to 90 degrees belongs here");
    if (fabs(m->longitude) > 180) return csv_fault(csv, 4, "a longitude of -180 to 180 degrees belongs here");
    return err_none();
}

static Err read_machines(struct reader *r, Str text) {
    struct recording *rec = r->rec;
    struct csv csv;
    csv_open(&csv, STR("machines.csv"), text, &rec->arena);
    TRY(csv_header(&csv, "machine,model,age_years,latitude,longitude,site_en,site_zh"));
    struct recording_machine *list = NULL;
    size_t cap = 0, n = 0;
    Err err;
    for (bool more = true;;) {
        struct recording_machine m;
        err = csv_next(&csv, &more);
        if (err.code != ERR_NONE || !more) break;
        err = read_machine(r, &csv, &m);
        if (err.code == ERR_NONE && n == MACHINES_MAX) err = csv_fault(&csv, 0, "more than %d machines", MACHINES_MAX);
        if (err.code != ERR_NONE) break;
        map_put(&r->machines, m.name, n);
        VEC_PUSH(list, n, cap, m);
    }
    if (err.code == ERR_NONE && n == 0) err = csv_fault(&csv, 0, "no machine: add at least one row");
    if (err.code == ERR_NONE) {
        rec->machines = arena_zero(&rec->arena, n, sizeof *list);
        memcpy(rec->machines, list, n * sizeof *list);
        rec->n_machines = n;
    }
    free(list);
    return err;
}

/* time and machine, the first two fields of every other file; *last holds the order of time. */
static Err read_when_and_which(struct reader *r, struct csv *csv, Nanos *last, struct recording_event *event) {
    uint64_t machine;
    TRY(csv_time(csv, 0, &event->time));
    if (event->time < *last) return csv_fault(csv, 0, "earlier than the row before: sort the rows by time");
    *last = event->time;
    if (!map_get(&r->machines, csv->fields[1], &machine))
        return csv_fault(csv, 1, "machine '" STR_FMT "' is not in machines.csv",
                         STR_ARG(str_slice(csv->fields[1], 0, NAME_MAX_BYTES)));
    event->machine = (uint32_t)machine;
    return err_none();
}

static void add_event(struct reader *r, const struct recording_event *event) {
    struct recording *rec = r->rec;
    VEC_PUSH(rec->events, rec->n_events, r->events_cap, *event);
}

static Err read_metrics(struct recording *rec, struct csv *csv) {
    bool more;
    TRY(csv_next(csv, &more));
    if (!more || csv->n < 3 || !str_eq_c(csv->fields[0], "time") || !str_eq_c(csv->fields[1], "machine")) {
        csv->line = 1;
        return csv_fault(csv, 0, "the first row must be 'time,machine,METRIC…' with at least one metric");
    }
    if (csv->n - 2 > RECORDING_METRICS_MAX)
        return csv_fault(csv, csv->n - 1, "more than %d metrics", RECORDING_METRICS_MAX);
    for (size_t i = 2; i < csv->n; i++) {
        TRY(csv_text(csv, i, NAME_MAX_BYTES, &rec->metrics[rec->n_metrics]));
        for (size_t j = 0; j < rec->n_metrics; j++)
            if (str_eq(rec->metrics[j], rec->metrics[rec->n_metrics]))
                return csv_fault(csv, i, "metric '" STR_FMT "' is there twice", STR_ARG(rec->metrics[j]));
        rec->n_metrics++;
    }
    return err_none();
}

static size_t digits_of(Str number) {
    size_t digits = 0;
    for (size_t i = 0; i < number.len && number.ptr[i] != 'e' && number.ptr[i] != 'E'; i++)
        if (number.ptr[i] >= '0' && number.ptr[i] <= '9') digits += digits > 0 || number.ptr[i] != '0';
    return digits;
}

static Err read_values(struct reader *r, const struct csv *csv, double *values) {
    for (size_t i = 0; i < r->rec->n_metrics; i++) {
        values[i] = NAN;
        if (!csv->fields[i + 2].len) continue;
        TRY(csv_num(csv, i + 2, &values[i]));
        if (digits_of(csv->fields[i + 2]) > DIGITS_MAX)
            return csv_fault(csv, i + 2, "more than %d digits: some would be lost", DIGITS_MAX);
    }
    return err_none();
}

static Err read_telemetry(struct reader *r, Str text) {
    struct recording *rec = r->rec;
    struct csv csv;
    Nanos last = INT64_MIN;
    csv_open(&csv, STR("telemetry.csv"), text, &rec->arena);
    TRY(read_metrics(rec, &csv));
    r->last_row = arena_zero(&rec->arena, rec->n_machines, sizeof *r->last_row);
    for (size_t i = 0; i < rec->n_machines; i++) r->last_row[i] = INT64_MIN;
    for (bool more;;) {
        TRY(csv_next(&csv, &more));
        if (!more) break;
        struct recording_event event = {.kind = RECORDING_ROW};
        double *values = arena_alloc(&rec->arena, rec->n_metrics * sizeof *values);
        TRY(read_when_and_which(r, &csv, &last, &event));
        if (r->last_row[event.machine] == event.time)
            return csv_fault(&csv, 1, "a second row of this machine and time");
        r->last_row[event.machine] = event.time;
        TRY(read_values(r, &csv, values));
        event.values = values;
        if (!rec->n_rows++) rec->from = event.time;
        rec->to = event.time;
        add_event(r, &event);
    }
    return err_none();
}

static Err read_events(struct reader *r, const char *name, Str text, enum recording_kind kind, size_t *count) {
    struct recording *rec = r->rec;
    struct csv csv;
    Nanos last = INT64_MIN;
    csv_open(&csv, str_c(name), text, &rec->arena);
    TRY(csv_header(&csv, kind == RECORDING_CODE ? "time,machine,code" : "time,machine,component"));
    for (bool more;;) {
        TRY(csv_next(&csv, &more));
        if (!more) return err_none();
        struct recording_event event = {.kind = kind};
        TRY(read_when_and_which(r, &csv, &last, &event));
        TRY(csv_text(&csv, 2, NAME_MAX_BYTES, &event.what));
        add_event(r, &event);
        ++*count;
    }
}

static int by_time(const void *a, const void *b) {
    const struct recording_event *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    if (x->machine != y->machine) return x->machine < y->machine ? -1 : 1;
    return str_cmp(x->what, y->what);
}

static Err read_all(struct reader *r, const struct recording_files *files) {
    TRY(read_machines(r, files->machines));
    TRY(read_telemetry(r, files->telemetry));
    TRY(read_events(r, "errors.csv", files->errors, RECORDING_CODE, &r->rec->n_codes));
    TRY(read_events(r, "failures.csv", files->failures, RECORDING_FAILURE, &r->rec->n_failures));
    return read_events(r, "maintenance.csv", files->maintenance, RECORDING_REPLACEMENT, &r->rec->n_replacements);
}

/* Fields are slices of the texts, so the texts go into the arena first. */
static Err keep_texts(const struct recording_files *files, struct arena *arena, struct recording_files *kept) {
    *kept = (struct recording_files){arena_str(arena, files->machines),
                                     {0},
                                     arena_str(arena, files->errors),
                                     arena_str(arena, files->failures),
                                     arena_str(arena, files->maintenance)};
    if (!str_starts(files->telemetry, ZSTD_MAGIC)) {
        kept->telemetry = arena_str(arena, files->telemetry);
        return err_none();
    }
    struct buf plain = {0};
    Err err = zst_decompress(files->telemetry, TELEMETRY_BYTES_MAX, &plain);
    if (err.code == ERR_NONE)
        kept->telemetry = arena_str(arena, buf_view(&plain));
    else
        err = err_make(ERR_INVALID, "telemetry.csv.zst:1:1: %s", err.text);
    buf_fini(&plain);
    return err;
}

Err recording_parse(const struct recording_files *files, struct recording *out) {
    *out = (struct recording){0};
    arena_init(&out->arena, 0);
    struct reader r = {.rec = out};
    map_init(&r.machines);
    struct recording_files kept;
    Err err = keep_texts(files, &out->arena, &kept);
    if (err.code == ERR_NONE) err = read_all(&r, &kept);
    if (err.code == ERR_NONE && out->n_events) qsort(out->events, out->n_events, sizeof *out->events, by_time);
    map_fini(&r.machines);
    if (err.code != ERR_NONE) recording_close(out);
    return err;
}

static Err load(const char *dir, const char *name, struct buf *into) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return file_load(file_disk, path, FILE_BYTES_MAX, into);
}

static Err load_all(const char *dir, struct buf files[5]) {
    static const char *const names[] = {"machines.csv", "telemetry.csv.zst", "errors.csv", "failures.csv",
                                        "maintenance.csv"};
    for (size_t i = 0; i < 5; i++) {
        Err err = load(dir, names[i], &files[i]);
        if (i == 1 && err.code == ERR_NOT_FOUND) err = load(dir, "telemetry.csv", &files[i]);
        TRY(err);
    }
    return err_none();
}

Err recording_open(const char *dir, struct recording *out) {
    struct buf files[5] = {{0}};
    *out = (struct recording){0};
    Err err = load_all(dir, files);
    if (err.code == ERR_NONE)
        err = recording_parse(&(struct recording_files){buf_view(&files[0]), buf_view(&files[1]), buf_view(&files[2]),
                                                        buf_view(&files[3]), buf_view(&files[4])},
                              out);
    for (size_t i = 0; i < 5; i++) buf_fini(&files[i]);
    return err;
}

void recording_close(struct recording *recording) {
    free(recording->events);
    arena_fini(&recording->arena);
    *recording = (struct recording){0};
}

const char *recording_kind_name(enum recording_kind kind) {
    static const char *const names[] = {"row", "code", "failure", "replacement"};
    return names[kind];
}
