/*
 * Imports: documents that become visible all at once. Their rows carry the import's id from the first; every reading
 * leaves out the rows of imports that are not "shown", so showing one is a single short write.
 *
 *     open --show--> shown --drop--> dropping --> dropped
 *       \----------------drop----------/
 */
#ifndef DOCUMENT_DOC_BATCH_H
#define DOCUMENT_DOC_BATCH_H

#include "document/doc_engine.h"

Err doc_batch_open(struct documents *d); /* at the start: are there imports that are not shown? */
Err doc_batch_begin(struct documents *d, const struct principal *who, const struct doctype *type, Str title,
                    int64_t *batch);
Err doc_batch_add(struct documents *d, const struct principal *who, int64_t batch, struct doc *const *docs, size_t n,
                  size_t *bad, struct arena *arena);
Err doc_batch_show(struct documents *d, const struct principal *who, int64_t batch);
Err doc_batch_drop(struct documents *d, const struct principal *who, int64_t batch);

#endif
