/* What an upgrade means for the documents that stand: what is in the way, and bringing them along. */
#ifndef DOCUMENT_PACKS_ROWS_H
#define DOCUMENT_PACKS_ROWS_H

#include "document/packs.h"

extern const struct record_table packs_rows_table; /* which fields were brought along */

void packs_rows_step(struct packs_plan *plan, const char *type, const char *action, bool refused, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Old types against new ones. */
Err packs_rows_plan(struct records *records, const struct catalog *old, const struct catalog *new,
                    struct packs_plan *plan);
/* Documents of a type, of every party. */
Err packs_rows_count(struct records *records, const struct doctype *type, uint64_t *out);
/* Before the pack's folder is replaced: notes what renamed fields were. */
Err packs_rows_begin(struct records *records, const struct catalog *old, const struct catalog *new);
/* Fills the fields that were added or renamed, in every row that stands; what was filled once is noted, and left alone.
 * After documents_retype. */
Err packs_rows_fill(struct records *records, const struct catalog *catalog);

#endif
