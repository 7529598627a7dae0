/*
 * The rows of a table become documents, checked by several threads, and go into two files in their order: documents
 * that may be kept (document/import_stage.h) and faults, a JSON object a line:
 * {"row":17,"column":"…","field":"…","value":"…","message":"…","suggestion":"…"}
 */
#ifndef DOCUMENT_IMPORT_CHECK_H
#define DOCUMENT_IMPORT_CHECK_H

#include "document/import_columns.h"
#include "document/sheet.h"
#include "os/file.h"

struct import_tally {
    uint64_t rows;      /* of the table, behind its headings */
    uint64_t good, bad; /* documents */
    uint64_t staged_bytes, fault_bytes;
};

struct import_plan {
    struct documents *documents;
    const struct principal *who;
    const struct doctype *type;
    const struct import_target *targets; /* [n_columns] */
    const Str *headings;
    size_t n_columns;
    Str offset;       /* of times that do not say theirs, "+08:00"; empty: UTC */
    unsigned threads; /* 0 = one for each core */
    struct file *staged, *faults;
    bool (*progress)(void *ctx, const struct import_tally *tally); /* false: stop with ERR_CLOSED */
    void *ctx;
};
/* sheet stands behind its headings. A fault of a document is no failure; one of the table as a whole is. */
Err import_check_run(const struct import_plan *plan, struct sheet *sheet, struct import_tally *out);

/* One line of the file of faults. */
void import_check_fault(struct buf *out, size_t row, Str column, Str field, Str value, const char *message,
                        const char *suggestion);

#endif
