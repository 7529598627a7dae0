/* One cell of a table as a field's value in JSON, and what is wrong with it in words that help. */
#ifndef DOCUMENT_IMPORT_CELL_H
#define DOCUMENT_IMPORT_CELL_H

#include "base/jw.h"
#include "model/doctype.h"

struct import_fault {
    char message[200], suggestion[120]; /* a suggestion is a text to put there instead, or empty */
};

/* Everything but references. currency: of another column, or empty. Writes one JSON value; false: the fault says why.
 */
bool import_cell_json(const struct field *field, Str cell, Str currency, struct jw *w, struct import_fault *fault);
/* "2026/3/8 10:20" and "2026年3月8日" as "2026-03-08T10:20:00" and "2026-03-08". False: no date. */
bool import_cell_moment(Str cell, bool *has_time, char out[32]);

#endif
