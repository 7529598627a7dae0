/*
 * What a database must offer to keep records: a const table of ten functions. records.c calls them and owns threads,
 * groups and queues; records_txn.c owns lenses and checks, so a backend sees only well-formed requests.
 * Every backend passes tests/lib/store_records_suite.c.
 */
#ifndef STORE_RECORDS_BACKEND_H
#define STORE_RECORDS_BACKEND_H

#include "store/records_txn.h"

struct records_conn; /* a connection; each backend has its own. One thread at a time. */

enum records_role { RECORDS_WRITER, RECORDS_READER, RECORDS_KEEPER };
enum records_step {                 /* of a transaction */
                    RECORDS_BEGIN,  /* writer: takes the write lock; reader: fixes its moment */
                    RECORDS_SAVE,   /* a savepoint; one at a time */
                    RECORDS_KEEP,   /* forget the savepoint, keep its changes */
                    RECORDS_UNDO,   /* undo the changes since the savepoint and forget it */
                    RECORDS_COMMIT, /* returns when it would survive a power cut */
                    RECORDS_ROLLBACK,
                    /* Housekeeping, outside a transaction. TEND: the keeper folds the log into the database as far as
                       readers allow, the others finish what they put off and give back idle memory. FOLD, from the
                       writer: all of the log is folded, so that it starts again. */
                    RECORDS_TEND,
                    RECORDS_FOLD,
                    RECORDS_CHECK, /* the reader, outside a transaction: ERR_CORRUPT says what is wrong with the files
                                    */
};

struct records_place {
    const char *dir;
    const char *url;        /* of a database server, or NULL */
    struct file_system *fs; /* NULL: the disk, by the backend's own means */
    bool read_only;
};

/* Which rows; the party test is part of it. */
struct records_scope {
    PartyId party;
    bool every_party;
    const struct record_filter *filter; /* or NULL */
};

/* A page: where to start is after (after_value, after_id) in the order. */
struct records_order {
    unsigned sort;
    bool descending, resumes;
    Value after_value;
    int64_t after_id;
    size_t limit;
};

/* Groups by n_keys columns (never the id), with measures; no keys: one group of all. Ordered by keys, not set first. */
struct records_grouping {
    const struct record_key *keys;
    size_t n_keys; /* at most 2 */
    const struct record_measure *measures;
    size_t n_measures; /* at most RECORD_MEASURES_MAX */
    size_t limit;
};

/* Called once a row or group, values borrowed for the call; false stops. */
typedef bool records_row_fn(void *ctx, const Value *row);
typedef bool records_group_fn(void *ctx, const struct record_aggregate *group);

/* All may block on the disk. Failures: ERR_IO, ERR_CORRUPT, ERR_BUSY unless said. */
struct records_backend {
    const char *name;
    /* Opens, making what is absent unless read_only (then ERR_NOT_FOUND). The writer is opened first. KEEPER: only for
     * TEND. */
    Err (*connect)(const struct records_place *place, enum records_role role, struct records_conn **out);
    void (*disconnect)(struct records_conn *conn); /* what is not committed is undone */
    /* Makes or widens the tables, all at once; writer, outside a transaction. Reader: ERR_INVALID when tables or
     * columns lack. */
    Err (*declare)(struct records_conn *conn, const struct record_table *const *tables, size_t n);
    /* log_bytes (or NULL): after COMMIT the length of the log that TEND folds into the database. */
    Err (*step)(struct records_conn *conn, enum records_step step, uint64_t *log_bytes);
    /* Rows in order, at most order->limit. */
    Err (*select)(struct records_conn *conn, const struct record_table *table, const struct records_scope *scope,
                  const struct records_order *order, records_row_fn *fn, void *ctx);
    /* ERR_LIMIT: a sum overflows. */
    Err (*aggregate)(struct records_conn *conn, const struct record_table *table, const struct records_scope *scope,
                     const struct records_grouping *grouping, records_group_fn *fn, void *ctx);
    /* ERR_CONFLICT: a unique column (named) has the value; ERR_INVALID: a reference leads nowhere. */
    Err (*insert)(struct records_conn *conn, const struct record_table *table, const Value *row, int64_t *id);
    Err (*update)(struct records_conn *conn, const struct record_table *table, int64_t id, const unsigned *columns,
                  const Value *values, size_t n, uint64_t *changed);
    Err (*remove)(struct records_conn *conn, const struct record_table *table, const struct records_scope *scope,
                  uint64_t *removed);
    /* Replaces the search words of a row: lower case, single spaces between; empty removes them. */
    Err (*index)(struct records_conn *conn, const struct record_table *table, int64_t id, Str words);
};

/* What a records_fn holds while it runs. */
struct records_txn {
    const struct records_backend *backend;
    struct records_conn *conn;
    bool writes;
    Err failed; /* the first change that the database refused: the function cannot succeed any more */
};

extern const struct records_backend records_sqlite, records_postgresql;

#endif
