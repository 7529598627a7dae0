/* The work on one import: checking it, and applying what was checked. On the thread of imports.c. */
#ifndef DOCUMENT_IMPORT_RUN_H
#define DOCUMENT_IMPORT_RUN_H

#include "document/import_job.h"

struct import_run {
    struct import_job *job;
    struct documents *documents;
    const struct clock *clock;
    unsigned threads;
    bool (*go_on)(void *ctx); /* false: stop with ERR_CLOSED. Asked often, also after the tally has changed */
    void *ctx;
    struct import_tally tally; /* of now */
    uint64_t applied;
    /* What must survive a crash before the next step: saves the job with this state and batch. */
    Err (*save)(void *ctx, enum import_state state, int64_t batch);
};

Err import_run_check(struct import_run *run);
Err import_run_apply(struct import_run *run);
/* After a crash: from where the job was left. */
Err import_run_show(struct import_run *run);

#endif
