/* References that the rows of a table make, looked up once each. Any thread. */
#ifndef DOCUMENT_IMPORT_REFS_H
#define DOCUMENT_IMPORT_REFS_H

#include "document/import_cell.h"
#include "document/import_columns.h"

struct import_refs;
struct import_refs *import_refs_new(struct documents *documents, const struct principal *who);
void import_refs_free(struct import_refs *refs);
/* The id of the document that a cell means. *id 0: the fault says why there is none. */
Err import_refs_find(struct import_refs *refs, const struct import_target *target, Str cell, struct arena *arena,
                     int64_t *id, struct import_fault *fault);

#endif
