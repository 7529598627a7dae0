/*
 * In order: the manifest, the names, the runs, the log, the dead letters. What mends writes new files first, then the
 * manifest that names them, and only then moves the old ones aside, so that a doctor who is interrupted can be called
 * again.
 */
#include "store/series_doctor_inner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "kernel/compress.h"

void series_doctor_path(const struct series_doctor *d, const char *name, char out[4096]) {
    ASSERT((size_t)snprintf(out, 4096, "%s/%s", d->dir, name) < 4096);
}

void series_doctor_tell(struct series_doctor *d, struct series_doctor_finding *f, ThingId thing, MetricId metric) {
    PartyId party;
    if (thing && series_names_get(d->names, SERIES_NAME_THING, thing, &party, &f->thing)) f->party = party;
    if (metric) series_names_get(d->names, SERIES_NAME_METRIC, metric, &party, &f->metric);
    if (f->state == SERIES_DOCTOR_NOTE) d->result->notes++;
    if (f->state == SERIES_DOCTOR_DAMAGED) d->result->damaged++;
    if (f->state == SERIES_DOCTOR_MENDED) d->result->mended++;
    d->options->sink(d->options->ctx, f);
}

void series_doctor_say(struct series_doctor *d, enum series_doctor_state state, const char *file, uint64_t offset,
                       const char *what, const char *mend) {
    struct series_doctor_finding f = {
        .state = state, .file = file, .offset = offset, .what = what, .mend = mend, .from = 1};
    series_doctor_tell(d, &f, 0, 0);
}

void series_doctor_progress(struct series_doctor *d, const char *file, uint64_t more) {
    d->bytes_done += more;
    if (d->options->progress) d->options->progress(d->options->ctx, file, d->bytes_done, d->bytes_all);
}

Err series_doctor_set_aside(struct series_doctor *d, const char *file) {
    char from[4096], to[4096], beside[256];
    snprintf(beside, sizeof beside, "lost/%s", file);
    series_doctor_path(d, file, from);
    series_doctor_path(d, beside, to);
    return file_rename(d->fs, from, to);
}

/* ---- the manifest, made of the files when it cannot be read */

struct rebuilding {
    struct series_doctor *d;
    Err err;
};

static void count_file(struct series_manifest *m, uint64_t id) {
    if (id >= m->next_file) m->next_file = id + 1;
}

static bool take_file(void *ctx, Str name) {
    struct rebuilding *r = ctx;
    struct series_manifest *m = &r->d->manifest;
    char text[64], *end;
    struct series_run_info info;
    snprintf(text, sizeof text, "%.*s", (int)(name.len < 60 ? name.len : 60), name.ptr);
    if (!str_ends(name, STR(".weft")) || name.len < 17) return true;
    uint64_t id = strtoull(text + name.len - 17, &end, 16);
    if (strcmp(end, ".weft") != 0) return true;
    if (str_starts(name, STR("names-"))) {
        count_file(m, id);
        if (id > m->names_file) m->names_file = id;
    } else if (str_starts(name, STR("latest-"))) {
        count_file(m, id); /* without a manifest nobody knows what it covers: a start reads every run */
    } else if (str_starts(name, STR("run-"))) {
        count_file(m, id);
        if (series_doctor_file_describe(r->d, text, &info)) VEC_PUSH(m->runs, m->n_runs, m->cap_runs, info);
    }
    return true;
}

static int by_id(const void *a, const void *b) {
    uint64_t x = ((const struct series_run_info *)a)->id, y = ((const struct series_run_info *)b)->id;
    return x < y ? -1 : x > y;
}

/* Runs of before they said which flushes they hold: in the order they were written. */
static void order_runs(struct series_manifest *m) {
    if (m->n_runs > 1) qsort(m->runs, m->n_runs, sizeof *m->runs, by_id);
    for (size_t i = 0; i < m->n_runs; i++) {
        if (m->runs[i].last == 0) m->runs[i].first = m->runs[i].last = m->runs[i].id;
        if (m->runs[i].last >= m->next_flush) m->next_flush = m->runs[i].last + 1;
    }
}

static bool holds(const struct series_run_info *a, const struct series_run_info *b) {
    return a != b && a->from <= b->from && a->to >= b->to && a->first <= b->first && a->last >= b->last &&
           a->id > b->id && a->class == b->class && a->level == b->level;
}

/* A merged run and what it was merged of may both be there; the merged one has everything. */
static void drop_merged(struct series_manifest *m) {
    size_t kept = 0;
    bool *gone = calloc(m->n_runs + 1, sizeof *gone);
    ASSERT(gone != NULL);
    for (size_t i = 0; i < m->n_runs; i++)
        for (size_t k = 0; k < m->n_runs && !gone[i]; k++) gone[i] = holds(&m->runs[k], &m->runs[i]);
    for (size_t i = 0; i < m->n_runs; i++)
        if (!gone[i]) m->runs[kept++] = m->runs[i];
    m->n_runs = kept;
    free(gone);
}

static Err measure_names(struct series_doctor *d) {
    char name[40], path[4096];
    struct file *file;
    if (d->manifest.names_file == 0) return err_none();
    snprintf(name, sizeof name, "names-%012llx.weft", (unsigned long long)d->manifest.names_file);
    series_doctor_path(d, name, path);
    TRY(file_open(d->fs, path, FILE_READ, &file));
    Err err = file_size(file, &d->manifest.names_bytes);
    file_close(file);
    return err;
}

static Err rebuild(struct series_doctor *d) {
    struct rebuilding r = {.d = d};
    series_manifest_fini(&d->manifest);
    series_manifest_init(&d->manifest);
    TRY(file_list(d->fs, d->dir, take_file, &r));
    order_runs(&d->manifest);
    drop_merged(&d->manifest);
    d->manifest.version = 2, d->changed = d->rebuilt = true;
    return measure_names(d);
}

static bool note_any(void *ctx, Str name) {
    bool *found = ctx;
    *found |= str_ends(name, STR(".weft")) || (str_starts(name, STR("wal-")) && str_ends(name, STR(".log")));
    return !*found;
}

static Err check_manifest(struct series_doctor *d, bool *go_on) {
    bool found = false, mends = d->options->repair;
    *go_on = true;
    Err err = series_manifest_load(d->fs, d->dir, &d->manifest);
    d->result->files++;
    if (err.code == ERR_NONE) return err;
    if (err.code != ERR_NOT_FOUND && err.code != ERR_CORRUPT) return err;
    TRY(file_list(d->fs, d->dir, note_any, &found));
    *go_on = found;
    if (!found) return err_none();
    series_doctor_say(d, mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED, "manifest", 0,
                      err.code == ERR_NOT_FOUND ? "the manifest is gone" : err.text,
                      mends ? "made again of the files there are; the old one lies in lost/"
                            : "restore it from a backup; --repair makes it again of the files there are");
    TRY(rebuild(d)); /* also to look at what there is */
    d->changed = mends;
    if (mends && err.code == ERR_CORRUPT) TRY(series_doctor_set_aside(d, "manifest"));
    return err_none();
}

/* ---- runs */

static Err check_runs(struct series_doctor *d) {
    struct series_run_info fresh;
    size_t kept = 0, n = d->manifest.n_runs;
    Err err = err_none();
    for (size_t i = 0; i < n; i++) {
        bool mended = false;
        struct series_run_info info = d->manifest.runs[i];
        if (err.code == ERR_NONE) err = series_doctor_file_run(d, &info, &fresh, &mended);
        d->result->files++, d->result->bytes += info.bytes;
        d->changed |= mended;
        if (mended && err.code == ERR_NONE) info = fresh;
        if (info.rows) d->manifest.runs[kept++] = info;
    }
    d->manifest.n_runs = kept;
    return err;
}

/* ---- what the manifest does not name */

struct cleaning {
    struct series_doctor *d;
    struct buf names; /* each with its NUL */
};

static bool is_named(const struct series_manifest *m, Str name) {
    char text[64], *end;
    snprintf(text, sizeof text, "%.*s", (int)(name.len < 60 ? name.len : 60), name.ptr);
    uint64_t id = strtoull(text + name.len - 17, &end, 16);
    if (strcmp(end, ".weft") != 0) return true;
    if (str_starts(name, STR("names-"))) return id == m->names_file;
    if (str_starts(name, STR("latest-"))) return id == m->latest_file;
    for (size_t i = 0; i < m->n_runs; i++)
        if (m->runs[i].id == id) return true;
    return !str_starts(name, STR("run-"));
}

static bool note_left(void *ctx, Str name) {
    struct cleaning *c = ctx;
    if (!str_ends(name, STR(".weft")) || name.len < 17 || is_named(&c->d->manifest, name)) return true;
    buf_str(&c->names, name);
    buf_byte(&c->names, 0);
    return true;
}

/* What was mended is moved aside; what nothing was mended of is left over from a crash. */
static Err set_left_aside(struct series_doctor *d) {
    struct cleaning c = {.d = d};
    bool aside = d->changed && d->options->repair;
    Err err = file_list(d->fs, d->dir, note_left, &c);
    for (size_t at = 0; at < c.names.len && err.code == ERR_NONE; at += strlen(c.names.ptr + at) + 1) {
        if (aside) err = series_doctor_set_aside(d, c.names.ptr + at);
        if (!aside && !d->options->beside)
            series_doctor_say(d, SERIES_DOCTOR_NOTE, c.names.ptr + at, 0, "a file that the manifest does not name",
                              "nothing: a crash left it over, and the next start removes it");
    }
    buf_fini(&c.names);
    return err;
}

/* ---- the whole */

static Err finish(struct series_doctor *d) {
    bool unsure;
    if (!d->options->repair || !d->changed) return set_left_aside(d);
    d->manifest.version++;
    TRY(file_sync_dir(d->fs, d->dir, "doctor.dir"));
    TRY(series_manifest_save(d->fs, d->dir, &d->manifest, &unsure));
    TRY(set_left_aside(d));
    return file_sync_dir(d->fs, d->dir, "doctor.aside");
}

static Err make_lost(struct series_doctor *d) {
    char path[4096];
    if (!d->options->repair) return err_none();
    series_doctor_path(d, "lost", path);
    return file_make_dirs(d->fs, path, "doctor.lost");
}

static Err look(struct series_doctor *d) {
    bool go_on;
    TRY(make_lost(d));
    TRY(check_manifest(d, &go_on));
    if (!go_on) return err_none();
    for (size_t i = 0; i < d->manifest.n_runs; i++) d->bytes_all += d->manifest.runs[i].bytes;
    TRY(series_doctor_names_run(d));
    TRY(check_runs(d));
    TRY(series_doctor_log_run(d));
    TRY(series_doctor_log_letters(d));
    return finish(d);
}

Err series_doctor_run(const struct series_doctor_options *options, struct series_doctor_result *out) {
    struct series_doctor d = {.options = options, .result = out, .dir = options->dir};
    *out = (struct series_doctor_result){0};
    d.fs = options->fs ? options->fs : file_disk;
    if (!file_exists(d.fs, options->dir)) return err_none();
    d.names = series_names_new();
    d.scratch = compress_new();
    series_manifest_init(&d.manifest);
    Err err = look(&d);
    series_manifest_fini(&d.manifest);
    series_names_free(d.names);
    compress_free(d.scratch);
    return err;
}
