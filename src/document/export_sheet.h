/*
 * Documents of one type as a table: one row a document, or one for each of its lines with the head repeated, so that
 * the file can be imported again. What is written is what the documents' JSON shows through the lens, no more.
 *
 * A list is read page by page in the order of its sort: a document that changes meanwhile appears as it is when its
 * page is read, and what is made meanwhile appears when its place in the order is yet to come.
 */
#ifndef DOCUMENT_EXPORT_SHEET_H
#define DOCUMENT_EXPORT_SHEET_H

#include "document/documents.h"
#include "document/sheet.h"

struct export_sheet {
    struct documents *documents;
    const struct lens *lens;
    const struct doctype *type;
    struct doc_query query; /* filters, sort, search; limit: documents in all, 0 = every one */
    const Str *fields;      /* only these, in this order; NULL: all that the lens shows */
    size_t n_fields;
    bool zh;   /* headings and choices in Chinese, else in English */
    bool xlsx; /* else CSV */
    /* Before the rows of a page are written; an error stops. NULL: nobody is told. */
    Err (*page)(void *ctx, const struct doc_page *page);
    void *ctx;
};
/* Writes a new file at path. ERR_INVALID: a field that is not there. rows: documents written. */
Err export_sheet_write(const struct export_sheet *order, const char *path, uint64_t *documents);
/* Headings alone, with a line below them that says how to fill each column; an import skips it. */
Err export_sheet_template(const struct export_sheet *order, const char *path);

#endif
