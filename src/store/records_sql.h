/*
 * Requests as SQL text with '?' for every value. Plain text and values only: the adapter that speaks to the database
 * prepares the text and binds the values. The text depends on the shape of a request, not on its values, so that
 * prepared statements can be kept.
 */
#ifndef STORE_RECORDS_SQL_H
#define STORE_RECORDS_SQL_H

#include "base/buf.h"
#include "store/records_backend.h"

struct records_bind {
    Value value; /* strings borrowed from the request */
    bool blob;   /* a string that is bytes, not text */
};

struct records_sql {
    struct buf text;
    struct records_bind *binds;
    size_t n_binds, cap_binds;
};

void records_sql_clear(struct records_sql *sql); /* also makes a zeroed struct ready; keeps the memory */
void records_sql_fini(struct records_sql *sql);
void records_sql_select(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                        const struct records_order *order);
void records_sql_group(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                       unsigned by, unsigned sum, size_t limit);
void records_sql_insert(struct records_sql *sql, const struct record_table *table, const Value *row);
void records_sql_update(struct records_sql *sql, const struct record_table *table, int64_t id, const unsigned *columns,
                        const Value *values, size_t n);
void records_sql_remove(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope);
void records_sql_create(struct records_sql *sql, const struct record_table *table);
void records_sql_widen(struct records_sql *sql, const struct record_table *table, unsigned column);
/* The index a column needs; false: none. */
bool records_sql_index(struct records_sql *sql, const struct record_table *table, unsigned column);
const char *records_sql_type(enum record_kind kind);

#endif
