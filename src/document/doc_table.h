/* How a document type is kept: its tables in the records, and rows to documents and back. */
#ifndef DOCUMENT_DOC_TABLE_H
#define DOCUMENT_DOC_TABLE_H

#include "base/arena.h"
#include "model/doctype.h"
#include "store/records_system.h"

enum { DOC_NUMBER = 2, DOC_STATE, DOC_VERSION, DOC_CREATED, DOC_CHANGED, DOC_CREATED_BY, DOC_BATCH, DOC_FIELDS };
enum { DOC_LINE_PARENT = 2, DOC_LINE_POSITION, DOC_LINE_FIELDS };

struct doc_types;
struct doc_words;

/* Rows of a FIELD_LINES: doc_TYPE__FIELD. In the head's own row the field's column holds how many there are. */
struct doc_lines_table {
    const struct doctype *type; /* of the lines */
    unsigned field;             /* of the head */
    struct record_table records;
    struct record_column columns[DOC_LINE_FIELDS + DOCTYPE_FIELDS_MAX];
};

struct doc_table {
    const struct doctype *type;
    const struct doc_types *types; /* those it was declared with: what its references mean */
    struct record_table records;
    struct record_column columns[DOC_FIELDS + DOCTYPE_FIELDS_MAX];
    struct doc_lines_table *lines[DOCTYPE_LINES_MAX];
    size_t n_lines;
    uint64_t secrets, companions; /* fields that are sealed; that only go with another one */
    struct doc_words *words;      /* what it is searched by; set once its types are known */
};

/* Checks the declaration (names, references, states, transitions, defaults) and lays its tables out; names live in the
 * arena. ERR_INVALID says what is wrong with the declaration. */
Err doc_table_make(const struct doctype *type, const struct doctype *const *all, struct arena *arena,
                   struct doc_table *out);
/* Column by outside name: a field, "FIELD.currency", or "id" "number" "state" "version" "created" "changed"
 * "created_by". -1: none. `shown_by`: the column whose being shown decides; the same but for a currency. */
int doc_table_column(const struct doc_table *table, Str name, unsigned *shown_by);
/* How a field is kept, as text: a change of it would not fit what stands. */
Str doc_table_shape(const struct field *field, struct arena *arena);
/* ERR_CORRUPT when its state is not one of the type's. Strings are borrowed from the row; secrets are still sealed. */
Err doc_table_read(const struct doc_table *table, const Value *row, struct arena *arena, struct doc **out);
void doc_table_write(const struct doc_table *table, const struct doc *doc, Value *row); /* [n_columns] */

#endif
