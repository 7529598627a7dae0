#include "document/import_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "document/doc_value.h"

#define JOB_MAX ((size_t)4 << 20)
#define SAMPLE_MAX 60

static const char *const states[] = {"uploaded", "checking", "checked", "applying", "showing", "done", "failed"};

const char *import_job_state(const struct import_job *job) {
    return job->state == IMPORT_SHOWING ? "applying" : states[job->state];
}

Str import_job_path(const struct import_job *job, const char *file, char out[512]) {
    int n = snprintf(out, 512, "%s/%s", job->dir, file);
    ASSERT(n > 0 && n < 512);
    return str_n(out, (size_t)n);
}

void import_job_free(struct import_job *job) {
    if (!job) return;
    arena_fini(&job->arena);
    free(job);
}

/* ---- on the disk */

static void texts(struct jw *w, const char *key, const Str *list, size_t n) {
    jw_key(w, key);
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, list[i]);
    jw_array_end(w);
}

Err import_job_save(const struct import_job *job) {
    char path[512];
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_kstr(&w, "type", job->type);
    jw_kstr(&w, "name", job->name);
    jw_kstr(&w, "form", job->form);
    jw_kc(&w, "state", states[job->state]);
    jw_kint(&w, "party", job->who.party);
    jw_kint(&w, "user", job->who.user);
    jw_kint(&w, "roles", job->who.roles);
    jw_kc(&w, "who", job->who.name);
    texts(&w, "headings", job->headings, job->n_columns);
    texts(&w, "targets", job->targets, job->n_columns);
    texts(&w, "samples", job->samples, job->n_columns * IMPORT_SAMPLES);
    jw_kint(&w, "n_samples", (int64_t)job->n_samples);
    jw_kbool(&w, "skip", job->skip);
    jw_kstr(&w, "offset", job->offset);
    jw_kint(&w, "rows", (int64_t)job->tally.rows);
    jw_kint(&w, "good", (int64_t)job->tally.good);
    jw_kint(&w, "bad", (int64_t)job->tally.bad);
    jw_kint(&w, "staged_bytes", (int64_t)job->tally.staged_bytes);
    jw_kint(&w, "fault_bytes", (int64_t)job->tally.fault_bytes);
    jw_kint(&w, "applied", (int64_t)job->applied);
    jw_kint(&w, "print", (int64_t)job->print);
    jw_kint(&w, "batch", job->batch);
    jw_kint(&w, "created", job->created);
    jw_kint(&w, "started", job->started);
    jw_kint(&w, "finished", job->finished);
    jw_kc(&w, "failure", job->failure);
    jw_object_end(&w);
    import_job_path(job, "job.json", path);
    Err err = file_replace(file_disk, path, buf_view(&text), "import.job");
    buf_fini(&text);
    return err;
}

static Str *read_texts(struct import_job *job, const struct json *root, const char *key, size_t n) {
    const struct json *list = json_get(root, key);
    Str *out = arena_zero(&job->arena, n + 1, sizeof *out);
    for (size_t i = 0; list && json_kind(list) == JSON_ARRAY && i < n && i < json_len(list); i++)
        if (json_kind(json_at(list, i)) == JSON_STRING) out[i] = arena_str(&job->arena, json_str(json_at(list, i)));
    return out;
}

static void read_job(struct import_job *job, const struct json *root) {
    struct arena *arena = &job->arena;
    const struct json *headings = json_get(root, "headings");
    Str state = json_get_str(root, "state", STR("failed"));
    job->n_columns = headings && json_kind(headings) == JSON_ARRAY ? json_len(headings) : 0;
    job->type = arena_str(arena, json_get_str(root, "type", (Str){0}));
    job->name = arena_str(arena, json_get_str(root, "name", (Str){0}));
    job->form = arena_str(arena, json_get_str(root, "form", (Str){0}));
    job->state = IMPORT_FAILED;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (str_eq_c(state, states[i])) job->state = (enum import_state)i;
    job->who.party = (PartyId)json_get_int(root, "party", 0);
    job->who.user = json_get_int(root, "user", 0);
    job->who.roles = (unsigned)json_get_int(root, "roles", 0);
    snprintf(job->who.name, sizeof job->who.name, STR_FMT, STR_ARG(json_get_str(root, "who", (Str){0})));
    job->headings = read_texts(job, root, "headings", job->n_columns);
    job->targets = read_texts(job, root, "targets", job->n_columns);
    job->samples = read_texts(job, root, "samples", job->n_columns * IMPORT_SAMPLES);
    job->n_samples = (size_t)json_get_int(root, "n_samples", 0);
    job->skip = json_get_bool(root, "skip", false);
    job->offset = arena_str(arena, json_get_str(root, "offset", (Str){0}));
    job->tally = (struct import_tally){.rows = (uint64_t)json_get_int(root, "rows", 0),
                                       .good = (uint64_t)json_get_int(root, "good", 0),
                                       .bad = (uint64_t)json_get_int(root, "bad", 0),
                                       .staged_bytes = (uint64_t)json_get_int(root, "staged_bytes", 0),
                                       .fault_bytes = (uint64_t)json_get_int(root, "fault_bytes", 0)};
    job->applied = (uint64_t)json_get_int(root, "applied", 0);
    job->print = (uint64_t)json_get_int(root, "print", 0);
    job->batch = json_get_int(root, "batch", 0);
    job->created = json_get_int(root, "created", 0);
    job->started = json_get_int(root, "started", 0);
    job->finished = json_get_int(root, "finished", 0);
    snprintf(job->failure, sizeof job->failure, STR_FMT, STR_ARG(json_get_str(root, "failure", (Str){0})));
    if (job->n_samples > IMPORT_SAMPLES) job->n_samples = IMPORT_SAMPLES;
}

Err import_job_load(const char *dir, Str id, struct import_job **out) {
    char path[512];
    struct buf text = {0};
    struct json *root = NULL;
    struct import_job *job = calloc(1, sizeof *job);
    ASSERT(job);
    arena_init(&job->arena, 0);
    snprintf(job->id, sizeof job->id, STR_FMT, STR_ARG(id));
    snprintf(job->dir, sizeof job->dir, "%s/%s", dir, job->id);
    import_job_path(job, "job.json", path);
    Err err = file_load(file_disk, path, JOB_MAX, &text);
    if (err.code == ERR_NONE) err = json_parse(buf_view(&text), &root);
    if (err.code == ERR_NONE) read_job(job, root);
    json_free(root);
    buf_fini(&text);
    if (err.code != ERR_NONE)
        import_job_free(job);
    else
        *out = job;
    return err;
}

void import_job_remove_files(const struct import_job *job, bool all) {
    static const char *const files[] = {"source", "staged", "faults", "job.json"};
    char path[512];
    for (size_t i = 0; i < (all ? 4u : 2u); i++) {
        import_job_path(job, files[i], path);
        Err gone = file_remove(file_disk, path);
        (void)gone; /* not every import has every file */
    }
    if (all) (void)file_remove(file_disk, job->dir).code;
}

/* ---- the source */

static Err read_source(void *ctx, void *into, size_t n, uint64_t at, size_t *got) {
    return file_read(ctx, into, n, at, got);
}

Err import_job_source(struct file *file, struct sheet_source *out) {
    *out = (struct sheet_source){.read = read_source, .ctx = file};
    return file_size(file, &out->size);
}

Err import_job_skip_head(struct sheet *sheet, struct sheet_row *first, bool *more) {
    TRY(sheet_next(sheet, first, more));
    if (!*more) return err_make(ERR_INVALID, "the file has no rows: the first one holds the headings");
    return err_none();
}

static void take_headings(struct import_job *job, const struct sheet_row *row) {
    job->n_columns = row->n;
    while (job->n_columns > 0 && row->cells[job->n_columns - 1].len == 0) job->n_columns--;
    job->headings = arena_zero(&job->arena, job->n_columns + 1, sizeof(Str));
    job->targets = arena_zero(&job->arena, job->n_columns + 1, sizeof(Str));
    job->samples = arena_zero(&job->arena, job->n_columns * IMPORT_SAMPLES + 1, sizeof(Str));
    for (size_t c = 0; c < job->n_columns; c++) job->headings[c] = arena_str(&job->arena, row->cells[c]);
}

static void take_sample(struct import_job *job, const struct sheet_row *row) {
    for (size_t c = 0; c < job->n_columns && c < row->n; c++) {
        size_t n = row->cells[c].len < SAMPLE_MAX ? row->cells[c].len : SAMPLE_MAX;
        while (n > 0 && n < row->cells[c].len && ((unsigned char)row->cells[c].ptr[n] & 0xC0) == 0x80) n--;
        job->samples[c * IMPORT_SAMPLES + job->n_samples] = arena_str(&job->arena, str_slice(row->cells[c], 0, n));
    }
    job->n_samples++;
}

static Err look(struct import_job *job, struct sheet *sheet) {
    struct sheet_row row;
    bool more;
    TRY(import_job_skip_head(sheet, &row, &more));
    take_headings(job, &row);
    while (job->n_samples < IMPORT_SAMPLES) {
        TRY(sheet_next(sheet, &row, &more));
        if (!more) break;
        if (job->n_samples > 0 || row.cells[0].len == 0 || row.cells[0].ptr[0] != '#') take_sample(job, &row);
    }
    job->form = str_c(sheet_form(sheet));
    return err_none();
}

Err import_job_look(struct import_job *job, const struct doctype *type, const struct lens *lens) {
    char path[512];
    struct file *file;
    struct sheet_source source;
    struct sheet *sheet = NULL;
    import_job_path(job, "source", path);
    TRY(file_open(file_disk, path, FILE_READ, &file));
    Err err = import_job_source(file, &source);
    if (err.code == ERR_NONE) err = sheet_open(&source, &sheet);
    if (err.code == ERR_NONE) err = look(job, sheet);
    sheet_close(sheet);
    file_close(file);
    if (err.code == ERR_NONE)
        import_columns_propose(type, lens, job->headings, job->n_columns, &job->arena, job->targets);
    return err;
}

/* ---- as the API shows it */

static void write_columns(const struct import_job *job, struct jw *w) {
    jw_key(w, "columns");
    jw_array(w);
    for (size_t c = 0; c < job->n_columns; c++) {
        jw_object(w);
        jw_kstr(w, "name", job->headings[c]);
        jw_key(w, "samples");
        jw_array(w);
        for (size_t i = 0; i < job->n_samples; i++) jw_str(w, job->samples[c * IMPORT_SAMPLES + i]);
        jw_array_end(w);
        jw_key(w, "field");
        if (job->targets[c].len > 0)
            jw_str(w, job->targets[c]);
        else
            jw_null(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_field(struct jw *w, const struct field *lines, const struct field *f, struct arena *arena) {
    jw_object(w);
    jw_kstr(w, "name", lines ? arena_printf(arena, "%s.%s", lines->name, f->name) : str_c(f->name));
    jw_kc(w, "title_en", f->title_en);
    jw_kc(w, "title_zh", f->title_zh);
    jw_kc(w, "kind", doc_value_kind_name(f->kind));
    jw_kbool(w, "required", f->required);
    jw_object_end(w);
}

static void write_fields(const struct doctype *type, const struct lens *lens, struct jw *w) {
    struct arena arena;
    size_t list = 0;
    arena_init(&arena, 0);
    jw_key(w, "fields");
    jw_array(w);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        bool shown = lens->fields >> i & 1;
        if (shown && import_columns_takes(f)) write_field(w, NULL, f, &arena);
        for (size_t k = 0; shown && f->kind == FIELD_LINES && k < f->lines->n_fields; k++)
            if ((lens->lines[list] >> k & 1) && import_columns_takes(&f->lines->fields[k]))
                write_field(w, f, &f->lines->fields[k], &arena);
        list += f->kind == FIELD_LINES;
    }
    jw_array_end(w);
    arena_fini(&arena);
}

static void moment(struct jw *w, const char *key, Nanos t) {
    jw_key(w, key);
    if (t)
        jw_time(w, t);
    else
        jw_null(w);
}

void import_job_json(const struct import_job *job, const struct doctype *type, const struct lens *lens, struct jw *w) {
    jw_object(w);
    jw_kc(w, "id", job->id);
    jw_kstr(w, "type", job->type);
    jw_kstr(w, "name", job->name);
    jw_kstr(w, "form", job->form);
    jw_kc(w, "state", import_job_state(job));
    jw_kc(w, "mode", job->skip ? "skip" : "all");
    jw_kstr(w, "offset", job->offset);
    jw_kint(w, "rows", (int64_t)job->tally.rows);
    jw_kint(w, "checked", (int64_t)(job->tally.good + job->tally.bad));
    jw_kint(w, "good", (int64_t)job->tally.good);
    jw_kint(w, "bad", (int64_t)job->tally.bad);
    jw_kint(w, "applied", (int64_t)job->applied);
    jw_kc(w, "who", job->who.name);
    moment(w, "created", job->created);
    moment(w, "started", job->started);
    moment(w, "finished", job->finished);
    jw_key(w, "batch");
    if (job->batch)
        jw_int(w, job->batch);
    else
        jw_null(w);
    jw_key(w, "failure");
    if (job->failure[0])
        jw_c(w, job->failure);
    else
        jw_null(w);
    write_columns(job, w);
    if (type) write_fields(type, lens, w);
    jw_object_end(w);
}
