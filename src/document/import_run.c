#include "document/import_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "document/import_stage.h"
#include "os/clock.h"
#include "trust/gate.h"

#define BLOCK ((size_t)1 << 20)
#define BATCH_MIN 16
#define BATCH_FIRST 256
#define BATCH_MAX 1000
#define BATCH_TIME (60 * NANOS_PER_MS) /* aimed at; a transaction must stay under 200 ms */

static Err type_of(const struct import_run *run, const struct doctype **type) {
    *type = documents_type(run->documents, run->job->type);
    if (*type) return err_none();
    return err_make(ERR_NOT_FOUND, "the type '" STR_FMT "' is no longer there: install its pack, or drop the import",
                    STR_ARG(str_slice(run->job->type, 0, 60)));
}

static Err open_new(const struct import_job *job, const char *name, struct file **out) {
    char path[512];
    import_job_path(job, name, path);
    return file_open(file_disk, path, FILE_READ | FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, out);
}

/* ---- checking */

static bool checked(void *ctx, const struct import_tally *tally) {
    struct import_run *run = ctx;
    run->tally = *tally;
    return run->go_on(run->ctx);
}

static Err parse_targets(const struct import_run *run, const struct doctype *type, struct import_target *targets) {
    struct lens lens;
    bool any = false;
    TRY(gate_lens(&run->job->who, type, "import", &lens));
    for (size_t c = 0; c < run->job->n_columns; c++) {
        TRY(import_columns_parse(run->documents, type, &lens, run->job->targets[c], &targets[c]));
        any |= targets[c].what == IMPORT_FIELD;
    }
    if (any) return err_none();
    return err_make(ERR_INVALID, "no column is mapped to a field: name at least one in 'mapping'");
}

static Err check_sheet(struct import_run *run, struct import_plan *plan, struct sheet *sheet) {
    struct sheet_row head;
    bool more;
    TRY(import_job_skip_head(sheet, &head, &more));
    return import_check_run(plan, sheet, &run->tally);
}

static Err check_source(struct import_run *run, struct import_plan *plan) {
    char path[512];
    struct file *file;
    struct sheet_source source;
    struct sheet *sheet = NULL;
    import_job_path(run->job, "source", path);
    TRY(file_open(file_disk, path, FILE_READ, &file));
    Err err = import_job_source(file, &source);
    if (err.code == ERR_NONE) err = sheet_open(&source, &sheet);
    if (err.code == ERR_NONE) err = check_sheet(run, plan, sheet);
    sheet_close(sheet);
    file_close(file);
    return err;
}

Err import_run_check(struct import_run *run) {
    struct import_job *job = run->job;
    struct import_target *targets = calloc(job->n_columns + 1, sizeof *targets);
    ASSERT(targets);
    struct import_plan plan = {.documents = run->documents,
                               .who = &job->who,
                               .targets = targets,
                               .headings = job->headings,
                               .n_columns = job->n_columns,
                               .offset = job->offset,
                               .threads = run->threads,
                               .progress = checked,
                               .ctx = run};
    Err err = type_of(run, &plan.type);
    if (err.code == ERR_NONE) err = parse_targets(run, plan.type, targets);
    if (err.code == ERR_NONE) err = open_new(job, "staged", &plan.staged);
    if (err.code == ERR_NONE) err = open_new(job, "faults", &plan.faults);
    if (err.code == ERR_NONE) err = check_source(run, &plan);
    if (err.code == ERR_NONE) err = file_sync(plan.staged, "import.staged");
    if (err.code == ERR_NONE) err = file_sync(plan.faults, "import.faults");
    file_close(plan.staged);
    file_close(plan.faults);
    free(targets);
    return err;
}

/* ---- applying */

struct apply {
    struct import_run *run;
    const struct doctype *type;
    struct file *staged;
    struct buf bytes; /* read, not yet taken */
    uint64_t at;
    struct arena arena;
    struct doc *docs[BATCH_MAX];
    size_t rows[BATCH_MAX], n, wanted;
    int64_t batch;
    Nanos now;
};

static Err read_more(struct apply *a, bool *more) {
    size_t got;
    buf_reserve(&a->bytes, BLOCK);
    TRY(file_read(a->staged, a->bytes.ptr + a->bytes.len, BLOCK, a->at, &got));
    a->bytes.len += got;
    a->at += got;
    *more = got > 0;
    return err_none();
}

static Err take_docs(struct apply *a) {
    const struct import_job *job = a->run->job;
    size_t taken = 0, used;
    bool more = true;
    arena_reset(&a->arena);
    a->n = 0;
    while (a->n < a->wanted && more) {
        struct doc *doc = NULL;
        TRY(import_stage_get(a->type, str_slice(buf_view(&a->bytes), taken, a->bytes.len), &a->arena, &doc,
                             &a->rows[a->n], &used));
        if (used == 0) {
            buf_consume(&a->bytes, taken);
            taken = 0;
            TRY(read_more(a, &more));
            continue;
        }
        taken += used;
        doc->party = job->who.party;
        doc->created_by = str_c(job->who.name);
        doc->created = a->now;
        a->docs[a->n++] = doc;
    }
    buf_consume(&a->bytes, taken);
    return err_none();
}

/* A document that the store refuses after all: somebody else was quicker. */
static Err note_fault(struct apply *a, size_t bad, const char *why) {
    struct import_job *job = a->run->job;
    char path[512];
    struct file *file;
    struct buf line = {0};
    import_check_fault(&line, a->rows[bad], (Str){0}, (Str){0}, (Str){0}, why, "");
    import_job_path(job, "faults", path);
    Err err = file_open(file_disk, path, FILE_WRITE, &file);
    if (err.code == ERR_NONE) {
        err = file_write(file, line.ptr, line.len, a->run->tally.fault_bytes);
        file_close(file);
    }
    a->run->tally.fault_bytes += line.len;
    a->run->tally.bad++;
    a->run->tally.good--;
    buf_fini(&line);
    return err;
}

static bool is_fault(Err err) { return err.code == ERR_INVALID || err.code == ERR_CONFLICT || err.code == ERR_LIMIT; }

static Err add_docs(struct apply *a) {
    struct import_run *run = a->run;
    while (a->n > 0) {
        size_t bad = a->n;
        Err err = documents_batch_add(run->documents, &run->job->who, a->batch, a->docs, a->n, &bad, &a->arena);
        if (err.code == ERR_NONE) {
            run->applied += a->n;
            return err;
        }
        if (bad >= a->n || !is_fault(err)) return err;
        TRY(note_fault(a, bad, err.text));
        if (!run->job->skip)
            return err_make(err.code, "row %zu cannot be kept: %.150s; nothing of the import was", a->rows[bad],
                            err.text);
        a->n--;
        memmove(&a->docs[bad], &a->docs[bad + 1], (a->n - bad) * sizeof *a->docs);
        memmove(&a->rows[bad], &a->rows[bad + 1], (a->n - bad) * sizeof *a->rows);
    }
    return err_none();
}

/* As many at once as are kept in the time aimed at, so that others get their turn. */
static void learn(struct apply *a, Nanos took) {
    size_t fits = took > 0 ? (size_t)((double)a->wanted * (double)BATCH_TIME / (double)took) : BATCH_MAX;
    a->wanted = (a->wanted + (fits < a->wanted * 2 ? fits : a->wanted * 2)) / 2 + 1;
    if (a->wanted < BATCH_MIN) a->wanted = BATCH_MIN;
    if (a->wanted > BATCH_MAX) a->wanted = BATCH_MAX;
}

static Err add_all(struct apply *a) {
    struct import_run *run = a->run;
    for (;;) {
        TRY(take_docs(a));
        if (a->n == 0) return err_none();
        bool full = a->n == a->wanted;
        Nanos began = clock_monotonic();
        TRY(add_docs(a));
        if (full) learn(a, clock_monotonic() - began);
        if (!run->go_on(run->ctx)) return err_make(ERR_CLOSED, "the import was stopped");
    }
}

static Err apply(struct apply *a) {
    struct import_run *run = a->run;
    char path[512];
    TRY(type_of(run, &a->type));
    if (import_stage_print(a->type) != run->job->print)
        return err_make(ERR_STATE, "the type '%s' has changed since the rows were checked: check them again",
                        a->type->name);
    import_job_path(run->job, "staged", path);
    TRY(file_open(file_disk, path, FILE_READ, &a->staged));
    TRY(documents_batch_begin(run->documents, &run->job->who, a->type, run->job->name, &a->batch));
    TRY(run->save(run->ctx, IMPORT_APPLYING, a->batch));
    TRY(add_all(a));
    if (a->bytes.len > 0) return err_make(ERR_CORRUPT, "the staged rows are damaged: check the import anew");
    TRY(run->save(run->ctx, IMPORT_SHOWING, a->batch));
    return documents_batch_show(run->documents, &run->job->who, a->batch);
}

static Err drop_batch(const struct import_run *run, int64_t batch) {
    if (batch == 0) return err_none();
    Err err = documents_batch_drop(run->documents, &run->job->who, batch);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

Err import_run_apply(struct import_run *run) {
    struct apply *a = calloc(1, sizeof *a);
    ASSERT(a);
    *a = (struct apply){.run = run, .wanted = BATCH_FIRST, .now = clock_now(run->clock)};
    arena_init(&a->arena, 0);
    run->tally = run->job->tally;
    run->applied = 0;
    Err err = drop_batch(run, run->job->batch); /* of an application that a crash ended */
    if (err.code == ERR_NONE) err = apply(a);
    bool stopped = err.code == ERR_CLOSED; /* goes on at the next start */
    if (err.code != ERR_NONE && !stopped && run->job->state != IMPORT_SHOWING) {
        Err dropped = drop_batch(run, a->batch);
        if (dropped.code != ERR_NONE)
            LOG_ERROR("import.not_dropped", LOG_C("id", run->job->id), LOG_C("why", dropped.text));
    }
    file_close(a->staged);
    buf_fini(&a->bytes);
    arena_fini(&a->arena);
    free(a);
    return err;
}

Err import_run_show(struct import_run *run) {
    run->tally = run->job->tally;
    run->applied = run->tally.good;
    return documents_batch_show(run->documents, &run->job->who, run->job->batch);
}
