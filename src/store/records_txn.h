/*
 * What a records_fn may do. Rows are arrays of table->n_columns Value: VALUE_NONE is not set, RECORD_BLOB travels as
 * VALUE_STRING. Every read takes a lens: rows of another party do not exist, and a column that the lens hides is
 * VALUE_NONE in the rows and ERR_INVALID in a filter, an order or a count. Rows live in the arena given.
 */
#ifndef STORE_RECORDS_TXN_H
#define STORE_RECORDS_TXN_H

#include "base/arena.h"
#include "store/records.h"

enum record_op {
    RECORD_EQ, /* with VALUE_NONE: not set */
    RECORD_NE, /* rows without the value are not equal to it */
    RECORD_LT,
    RECORD_LE,
    RECORD_GT,
    RECORD_GE,
    RECORD_CONTAINS, /* text; ASCII letters match in either case */
    RECORD_IS_SET,   /* value: VALUE_B(true or false) */
    RECORD_AND,      /* of parts; no parts: every row */
    RECORD_OR,       /* of parts; no parts: no row */
};

struct record_filter {
    enum record_op op;
    unsigned column; /* the comparisons */
    Value value;
    const struct record_filter *parts; /* RECORD_AND, RECORD_OR */
    size_t n_parts;
};
#define RECORD_FILTER_DEPTH_MAX 8

struct record_query {
    const struct record_filter *filter; /* NULL: every row the lens shows */
    unsigned sort;                      /* column; rows without it come first, last when descending; then by id */
    bool descending;
    size_t limit; /* 0 = 50 */
    Str cursor;   /* page.next of the page before, or empty; ERR_INVALID when it belongs to another order */
    bool total;   /* also count all that match */
};

struct record_page {
    Value **rows;
    size_t n;
    uint64_t total;
    Str next; /* empty: the last page */
};

/* *row is NULL when there is none, or none the lens shows. */
Err records_txn_get(struct records_txn *txn, const struct lens *lens, const struct record_table *table, int64_t id,
                    struct arena *arena, Value **row);
Err records_txn_select(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                       const struct record_query *query, struct arena *arena, struct record_page *out);
/* The first row, in the order of ids, with this value in this column; NULL when none. */
Err records_txn_find(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                     unsigned column, Value value, struct arena *arena, Value **row);

/* Rows counted by the values of one column; sum: a RECORD_INT or _REAL column added up, or 0 for none. Ordered by key;
 * ERR_LIMIT when a sum overflows or there are more than 10,000 keys. */
struct record_group {
    Value key;
    uint64_t count;
    Value sum;
};
Err records_txn_group(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, unsigned by, unsigned sum, struct arena *arena,
                      struct record_group **out, size_t *n);
Err records_txn_count(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, uint64_t *out);

/* ---- only inside records_write. row[0] is ignored. ERR_CONFLICT names the column that must be unique. */
Err records_txn_insert(struct records_txn *txn, const struct record_table *table, const Value *row, int64_t *id);
/* The columns listed; ERR_NOT_FOUND when there is no such row. */
Err records_txn_update(struct records_txn *txn, const struct record_table *table, int64_t id, const unsigned *columns,
                       const Value *values, size_t n);
Err records_txn_remove(struct records_txn *txn, const struct record_table *table, const struct lens *lens,
                       const struct record_filter *filter, uint64_t *removed);
/* 1, 2, 3 … of a series in a party, without gaps: given back when the function fails. */
Err records_txn_next_number(struct records_txn *txn, PartyId party, Str series, int64_t *out);

#endif
