/* How a document type is kept: its table in the records, and rows to documents and back. */
#ifndef DOCUMENT_DOC_TABLE_H
#define DOCUMENT_DOC_TABLE_H

#include "base/arena.h"
#include "model/doctype.h"
#include "store/records_system.h"

enum { DOC_NUMBER = 2, DOC_STATE, DOC_VERSION, DOC_CREATED, DOC_CHANGED, DOC_CREATED_BY, DOC_FIELDS };

struct doc_table {
    const struct doctype *type;
    struct record_table records;
    struct record_column columns[DOC_FIELDS + DOCTYPE_FIELDS_MAX];
};

/* Checks the declaration (names, references, states, transitions, defaults) and lays its table out; names live in the
 * arena. ERR_INVALID says what is wrong with the declaration. */
Err doc_table_make(const struct doctype *type, const struct doctype *const *all, struct arena *arena,
                   struct doc_table *out);
/* Column by outside name: a field, or "id" "number" "state" "version" "created" "changed" "created_by". -1: none. */
int doc_table_column(const struct doc_table *table, Str name);
/* ERR_CORRUPT when its state is not one of the type's. Strings are borrowed from the row. */
Err doc_table_read(const struct doc_table *table, const Value *row, struct arena *arena, struct doc **out);
void doc_table_write(const struct doc *doc, Value *row); /* [n_columns] */

#endif
