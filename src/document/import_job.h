/* One import on the disk and in memory; for imports.c and import_run.c. */
#ifndef DOCUMENT_IMPORT_JOB_H
#define DOCUMENT_IMPORT_JOB_H

#include "document/documents.h"
#include "document/import_check.h"

enum import_state {
    IMPORT_UPLOADED,
    IMPORT_CHECKING,
    IMPORT_CHECKED,
    IMPORT_APPLYING,
    IMPORT_SHOWING, /* "applying" outside: everything is in, and is being shown */
    IMPORT_DONE,
    IMPORT_FAILED,
};

#define IMPORT_SAMPLES 5

struct import_job {
    struct import_job *next; /* newer ones first */
    struct arena arena;
    char id[16], dir[400];
    Str type, name, form;
    struct principal who;
    enum import_state state;
    Str *headings, *targets; /* [n_columns]; an empty target: left out */
    Str *samples;            /* [n_columns * IMPORT_SAMPLES] */
    size_t n_columns, n_samples;
    bool skip; /* bad rows are left out; else one bad row stops all */
    Str offset;
    struct import_tally tally;
    uint64_t applied, print;
    int64_t batch;
    Nanos created, started, finished;
    char failure[252];
    /* not kept */
    bool busy, cancel;
};

const char *import_job_state(const struct import_job *job); /* as the API names it */
Str import_job_path(const struct import_job *job, const char *file, char out[512]);
Err import_job_save(const struct import_job *job);
Err import_job_load(const char *dir, Str id, struct import_job **out);
void import_job_free(struct import_job *job);
/* Reads headings and samples of its source, and proposes targets. */
Err import_job_look(struct import_job *job, const struct doctype *type, const struct lens *lens);
void import_job_json(const struct import_job *job, const struct doctype *type, const struct lens *lens, struct jw *w);
void import_job_remove_files(const struct import_job *job, bool all);
/* A source for document/sheet.h over an open file. */
Err import_job_source(struct file *file, struct sheet_source *out);
/* Reads past the headings, and the line of help that a template has below them. */
Err import_job_skip_head(struct sheet *sheet, struct sheet_row *first, bool *more);

#endif
