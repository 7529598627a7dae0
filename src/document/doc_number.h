/*
 * Numbers of documents by a pattern: "WO-{yyyy}{mm}-{0000}". {yyyy} {yy} {mm} {dd}: the UTC day; {000}: the counter, at
 * least so many digits. The counter is the party's own and starts again when what stands before and behind it changes.
 */
#ifndef DOCUMENT_DOC_NUMBER_H
#define DOCUMENT_DOC_NUMBER_H

#include "base/arena.h"
#include "model/doctype.h"

struct records_txn;

Err doc_number_check(const struct doctype *type); /* of type->number */
Err doc_number_next(struct records_txn *txn, const struct doctype *type, PartyId party, Nanos now, struct arena *arena,
                    Str *out);

#endif
