/* Which column of a table is which field of a type. */
#ifndef DOCUMENT_IMPORT_COLUMNS_H
#define DOCUMENT_IMPORT_COLUMNS_H

#include "document/documents.h"

/*
 * What a column fills, as people write it:
 *
 *     "quantity"        a field                        "lines.quantity"   a field of a list of lines
 *     "customer"        a reference by number, or by any field of the other type that is unique there
 *     "customer.uscc"   a reference by this field      "price.currency"   the currency of an amount
 *     "number"          not kept: rows with the same number are one document with several lines
 */
struct import_target {
    enum { IMPORT_NOTHING, IMPORT_FIELD, IMPORT_CURRENCY, IMPORT_GROUP } what;
    int lines; /* index of the FIELD_LINES field, or -1: the head */
    int field; /* index in the head's or the line's type */
    const struct field *field_of;
    const struct doctype *ref; /* a reference: the other type */
    const char *by;            /* … found by this field, or NULL */
};

/* lens: only fields it shows exist. ERR_INVALID says which targets there are. */
Err import_columns_parse(const struct documents *d, const struct doctype *type, const struct lens *lens, Str text,
                         struct import_target *out);
/* The targets that the headings probably mean, by name or title in any language; empty: none. Each field once. */
void import_columns_propose(const struct doctype *type, const struct lens *lens, const Str *headings, size_t n,
                            struct arena *arena, Str *targets);
/* May a person's table fill this field? */
bool import_columns_takes(const struct field *field);

#endif
