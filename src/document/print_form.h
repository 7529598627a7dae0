/*
 * A document on paper. Its sheet is a JSON text that the print plugin lays out, in a process of its own:
 * {"lang","form":"page|label","title","number","state","party","printed","url","fields":[{"label","value"}],
 *  "tables":[{"title","columns":[{"label","right"}],"rows":[["…"]]}],"signatures":["…"]}
 */
#ifndef DOCUMENT_PRINT_FORM_H
#define DOCUMENT_PRINT_FORM_H

#include "document/documents.h"

struct print_form {
    struct documents *documents;
    const struct lens *lens; /* what it hides is not on the paper */
    const struct doc *doc;
    bool zh, label;
    Str url;   /* in the QR code; empty: none */
    Str party; /* whose document it is, or empty */
    Nanos now;
};
Err print_form_json(const struct print_form *form, struct jw *w);

/* The table of functions of plugin "print": a sheet as PDF, appended. ERR_INVALID: no such sheet. Not thread-safe. */
struct print_plugin {
    Err (*pdf)(Str sheet, struct buf *out);
};

#endif
