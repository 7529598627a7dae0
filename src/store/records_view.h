/* What a lens leaves of a table: every request of records_txn.c passes here before a backend sees it. */
#ifndef STORE_RECORDS_VIEW_H
#define STORE_RECORDS_VIEW_H

#include "store/records_backend.h"

/* A checked request: the scope points into the struct, which must not be moved. */
struct records_view {
    struct records_scope scope;
    struct record_filter root, parts[2 * LENS_ROWS_MAX + 1]; /* the lens's conditions, then the caller's filter */
};

bool records_view_hides(const struct lens *lens, const struct record_table *table, unsigned column);
/* ERR_INVALID when it is hidden. */
Err records_view_column(const struct lens *lens, const struct record_table *table, unsigned column);
bool records_view_fits(enum record_kind kind, Value v); /* may it stand in such a column? */

/* filter: the caller's, or NULL. ERR_INVALID: it names what is hidden or is no question; ERR_LIMIT: it is too large. */
Err records_view_make(const struct lens *lens, const struct record_table *table, const struct record_filter *filter,
                      struct records_view *out);

/* Words as the backends take them: ASCII in lower case, single spaces between. */
Str records_view_words(Str text, struct arena *arena);
/* ERR_INVALID unless they are letters and digits. */
Err records_view_check_words(Str words);
/* Does a row with these words pass a RECORD_MATCH of `asked`? Both as records_view_words gives them. */
bool records_view_matches(Str words, Str asked);

#endif
