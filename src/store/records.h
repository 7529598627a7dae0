/*
 * The records store: rows in declared tables, for documents, people, devices and everything else that is not a series.
 * Tables are declared as data, rows are arrays of Value, questions are a small tree; no database's language is seen
 * here.
 *
 * Writing: records_write runs the caller's function on the one writer thread, inside a savepoint of a transaction that
 * many waiting callers share, and returns when that transaction is on the disk. A function that fails undoes only its
 * own changes. Reading: records_read runs the caller's function on the caller's thread, over one moment of the store.
 * Inside either, records_txn.h has the calls.
 *
 * Any thread may call; records_write, records_read and records_declare block on the disk, so never from an I/O loop.
 * Neither may be called from inside a records_fn.
 */
#ifndef STORE_RECORDS_H
#define STORE_RECORDS_H

#include "base/err.h"
#include "model/lens.h"
#include "os/clock.h"
#include "os/file.h"

struct records;
struct records_txn; /* one function's view and changes: store/records_txn.h */

/* RECORD_DECIMAL: int64 at the column's scale; NUMERIC where the database has it. */
enum record_kind { RECORD_INT, RECORD_REAL, RECORD_TEXT, RECORD_BOOL, RECORD_BLOB, RECORD_DECIMAL };
enum record_unique { RECORD_MANY, RECORD_UNIQUE_IN_PARTY, RECORD_UNIQUE }; /* rows without the value never clash */

struct record_column {
    const char *name; /* lower case letters, digits and '_' */
    enum record_kind kind;
    bool required;
    enum record_unique unique;
    bool indexed; /* quick to find and to sort by, in a party; of "party" itself: quick to page by id in a party */
    const char *refers;  /* table whose id it holds, or NULL; only ids that exist are taken */
    unsigned char scale; /* RECORD_DECIMAL */
};

/* columns[0] is "id" (1…, given by the store) and columns[1] is "party", both RECORD_INT. Owned by the caller, and must
 * outlive the store's use of it. */
struct record_table {
    const char *name;
    const struct record_column *columns;
    size_t n_columns;
    unsigned fields_at; /* column fields_at + i is field i of a lens's mask; 0: the mask does not apply */
    bool ids_rise;      /* an id is never given again, not even after its row was removed */
    unsigned lines;     /* 1 + k: the mask is lens.lines[k] instead of lens.fields, and lens.rows do not apply */
    unsigned state_at;  /* the column that LENS_STATE in lens.rows means; 0: none */
    bool searched;      /* keeps search words: records_txn_index, RECORD_MATCH */
};

#define RECORDS_COLUMNS_MAX 80

/* A numbered step of the store's own life; steps run once, in order, and are noted in the table `migration`. */
typedef Err records_fn(void *ctx, struct records_txn *txn);
struct records_migration {
    int number; /* 1, 2, 3 … */
    const char *name;
    const struct record_table *const *tables; /* made or widened by it; ends with NULL, or NULL */
    records_fn *run;                          /* rewrites rows; or NULL */
};

struct records_options {
    const char *dir;        /* the data folder, created when absent; the files are DIR/records.db… */
    const char *url;        /* "postgresql://…": the records are kept there instead; NULL or empty: in the folder */
    struct file_system *fs; /* NULL: the disk; anything else is for tests, which lose its unsynced part */
    const struct clock *clock; /* NULL: system */
    bool read_only;            /* for commands on a stopped folder: nothing is made, widened or written */
    unsigned readers;          /* most readers at once; 0 = 4; each is opened when first needed */
    size_t checkpoint_bytes;   /* log length at which it is folded into the database; 0 = 16 MiB */
    const char *backend;       /* name in the list of records.c; NULL: what the url begins with, or the first */
    const struct records_migration *migrations; /* NULL: the store's own; ends with number 0 */
};

/* ERR_NOT_FOUND: read_only and nothing there. ERR_INVALID: made by a newer version. ERR_CORRUPT: the files are damaged.
 * ERR_LOCKED: another server writes to that database. ERR_BUSY: the database server does not answer. */
Err records_open(const struct records_options *options, struct records **out);
void records_close(struct records *records); /* commits what waits, then closes; NULL is fine */
const char *records_dir(const struct records *records);
bool records_read_only(const struct records *records);
const struct clock *records_clock(const struct records *records);

/* Makes the tables, or adds the columns and indexes they lack. Read-only: only compares; ERR_INVALID when any lacks. */
Err records_declare(struct records *records, const struct record_table *const *tables, size_t n);

/* Returns fn's own error, or the commit's. On failure nothing of it is kept. ERR_CLOSED once closing. */
Err records_write(struct records *records, records_fn *fn, void *ctx);

/* The same without waiting; owned by the caller until done, which is called on the writer's thread, in the order of
 * submission, and must not block. */
struct records_job {
    records_fn *fn;
    void *ctx;
    void (*done)(struct records_job *job, Err err);
    struct records_job *next; /* the store's */
    Err err;                  /* the store's */
};
void records_submit(struct records *records, struct records_job *job);

/* One moment of the store, on the caller's thread; waits while every reader is busy. */
Err records_read(struct records *records, records_fn *fn, void *ctx);

/* Looks through the database's files, all of them: ERR_CORRUPT says what is wrong. Of a database server: nothing. */
Err records_check(struct records *records);

/* Called on the writer's thread after each commit; must not block. Waits for a commit under way, so that the one set
 * before is not called any more; fn NULL: nobody. */
void records_on_commit(struct records *records, void (*fn)(void *ctx), void *ctx);

struct records_stats {
    uint64_t jobs, failed, commits, reads, checkpoints, log_bytes; /* since open */
};
void records_stats(struct records *records, struct records_stats *out);

#endif
