/*
 * What a records_fn may do. Rows are arrays of table->n_columns Value: VALUE_NONE is not set, RECORD_BLOB travels as
 * VALUE_STRING. Every read takes a lens: rows of another party, or that fail one of lens.rows, do not exist, and a
 * column that the lens hides is VALUE_NONE in the rows and ERR_INVALID in a filter, an order, a group or a measure.
 * lens.rows are compared with what is kept, hidden or not; a lens that was made for another type is ERR_INVALID.
 * Under lens.aggregates no row is given (ERR_FORBIDDEN), and a count of fewer than lens.min_group is 0.
 * Rows live in the arena given. Search words are not tied to columns: whoever indexes words of a column that some lens
 * hides must make them so that such a lens's RECORD_MATCH does not name them.
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
    RECORD_MATCH,  /* value: a text; each of its words is among the row's, "a|b" standing for either; `searched` tables
                    */
    RECORD_NOT_IN, /* RECORD_INT: the value is none of `list`, n_list of them; rows without the value pass */
};

struct record_filter {
    enum record_op op;
    unsigned column; /* the comparisons */
    Value value;
    const struct record_filter *parts; /* RECORD_AND, RECORD_OR */
    size_t n_parts;
    const int64_t *list; /* RECORD_NOT_IN */
    size_t n_list;
};
#define RECORD_FILTER_DEPTH_MAX 8
#define RECORD_MATCH_BYTES_MAX 16384 /* of a RECORD_MATCH text; ERR_LIMIT beyond */

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

/* Rows counted by the values of one column (0: all as one); sum: a RECORD_INT, _DECIMAL or _REAL column added up, or 0
 * for none. Ordered by key, not set first; groups smaller than lens.min_group are left out. ERR_LIMIT when a sum
 * overflows or there are more than 10,000 keys. */
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

/* Grouped by up to two columns (none: one group of all that match), with measures. Ordered by keys; ERR_LIMIT as above.
 * Under lens.min_group a group of fewer rows is left out and counted in *withheld, a sum over fewer rows is VALUE_NONE,
 * and MIN and MAX, which show a single row's value, are ERR_INVALID; so are these under lens.aggregates. */
enum record_cut {
    RECORD_WHOLE,
    RECORD_DAY,        /* of a time (int64 ns): the key is the first ns of its UTC day … */
    RECORD_MONTH,      /* … or month */
    RECORD_DATE_MONTH, /* of a date (days since 1970-01-01): the key is the first day of its month, as a date */
};
#define RECORD_MEASURES_MAX 16
struct record_key {
    unsigned column;
    enum record_cut cut;
};
enum record_measure_kind { RECORD_SUM, RECORD_MIN, RECORD_MAX };
struct record_measure {
    enum record_measure_kind what;
    unsigned column; /* RECORD_INT, _REAL or _DECIMAL; MIN and MAX also RECORD_TEXT */
};
struct record_aggregate {
    Value keys[2];
    uint64_t count;
    Value *measures;   /* VALUE_NONE when no row had a value */
    uint64_t *counted; /* rows with a value, for each measure */
};
Err records_txn_aggregate(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                          const struct record_filter *filter, const struct record_key *keys, size_t n_keys,
                          const struct record_measure *measures, size_t n_measures, struct arena *arena,
                          struct record_aggregate **out, size_t *n, size_t *withheld);

/* ---- only inside records_write. row[0] is ignored. ERR_CONFLICT names the column that must be unique. After a change
 * that the database refused, the function fails with that failure even if it says otherwise. */
Err records_txn_insert(struct records_txn *txn, const struct record_table *table, const Value *row, int64_t *id);
/* The columns listed; ERR_NOT_FOUND when there is no such row. */
Err records_txn_update(struct records_txn *txn, const struct record_table *table, int64_t id, const unsigned *columns,
                       const Value *values, size_t n);
/* ERR_CONFLICT: another row refers to one of them. */
Err records_txn_remove(struct records_txn *txn, const struct record_table *table, const struct lens *lens,
                       const struct record_filter *filter, uint64_t *removed);
/* 1, 2, 3 … of a series in a party, without gaps: given back when the function fails. */
Err records_txn_next_number(struct records_txn *txn, PartyId party, Str series, int64_t *out);

/* The search words of a row of a `searched` table, replacing those before; empty removes them. Words of letters and
 * digits in any script, joined by spaces; ASCII letters match in either case. Found from the same commit on. */
Err records_txn_index(struct records_txn *txn, const struct record_table *table, int64_t id, Str tokens);

#endif
