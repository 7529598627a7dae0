/* What the files of SQL share: a session (one statement on one private connection), tables and scans of them. */
#ifndef SERVE_SQL_INNER_H
#define SERVE_SQL_INNER_H

#include <sqlite3.h>

#include "base/buf.h"
#include "os/sqlheap.h"
#include "serve/sql.h"

#define SQL_TABLES_MAX 64u
#define SQL_COLUMNS_MAX 200u
#define SQL_TERMS_MAX 32u
#define SQL_INPUTS_NONE 0

struct sql_table;
struct sql_scan;

/* A condition that goes down to a store. What comes up again is tested by SQLite once more, so it may be let through
 * too much, never too little. */
struct sql_term {
    unsigned col;
    enum doc_op op; /* DOC_EQ … DOC_GE, DOC_IS_SET */
    Value value;    /* in the column's kind: times Nanos, dates days, decimals unscaled */
};

/* One kind of table. Every slot is called on the thread of the statement; begin and next may block. */
struct sql_table_ops {
    size_t scan_size; /* of the struct whose first member is a struct sql_scan */
    bool (*takes)(const struct sql_table *table, unsigned col, enum doc_op op); /* NULL: nothing goes down */
    bool (*sorts)(const struct sql_table *table, unsigned col);                 /* NULL: rows come in no order */
    /* Rows that are expected when the columns in `eq` are known and those in `range` are bounded. NULL: 1,000 */
    double (*expects)(const struct sql_table *table, const bool *eq, const bool *range);
    Err (*begin)(struct sql_scan *scan); /* at the first row, or done is set */
    Err (*next)(struct sql_scan *scan);
    Err (*cell)(struct sql_scan *scan, unsigned col, Value *out);
    void (*end)(struct sql_scan *scan); /* NULL: nothing but the arenas */
};

struct sql_table {
    struct sql_session *session;
    const struct sql_table_ops *ops;
    struct sql_table_about about;
    struct lens lens;
    const struct doctype *type; /* of documents, or NULL */
    const void *data;           /* the ops' own */
    bool opened;                /* a statement reads it */
    int64_t *ids;               /* of documents read, while under an agreement */
    size_t n_ids, cap_ids, sorted_ids;
    struct buf what;
    uint64_t rows;
};

struct sql_scan {
    struct sql_table *table;
    struct sql_term terms[SQL_TERMS_MAX];
    size_t n_terms;
    int order; /* column, -1: any */
    bool descending;
    int64_t wanted; /* rows at most, 0: unknown */
    uint64_t used;  /* columns asked for, bit by bit; 63: and all behind */
    bool done;
    struct arena arena; /* ends with the scan */
    struct arena page;  /* for what is read in one go; the ops reset it, and count it with sql_scan_hold */
    size_t held;
};

struct sql_plan { /* what xBestIndex chose */
    struct {
        unsigned col;
        enum doc_op op;
        bool limit;
    } terms[SQL_TERMS_MAX];
    size_t n;
    int order;
    bool descending;
    uint64_t used;
};

struct sql_session {
    const struct sql_source *source;
    const struct sql_order *order;
    sqlite3 *db;
    struct sqlheap heap;
    struct arena *arena;
    struct sql_table *tables[SQL_TABLES_MAX];
    size_t n_tables;
    struct sql_plan *plans;
    size_t n_plans, cap_plans;
    Nanos deadline, look_at; /* monotonic */
    Nanos now;               /* the platform's, the same for the whole statement */
    Err err;                 /* of a table, a function or a limit, better than SQLite's words */
    uint64_t rows_read;
    bool declaring; /* a table's own columns: no statement of the caller's */
};

/* ---- sql_guard.c */
Err sql_guard_open(struct sql_session *s);
Err sql_guard_check(struct sql_session *s);      /* time, and whether anybody still waits */
void sql_guard_run(const struct sql_session *s); /* the session whose clock is asked on this thread; NULL: none */
/* ---- sql_vtab.c */
Err sql_vtab_add(struct sql_session *s, struct sql_table *table);
Err sql_scan_hold_more(struct sql_scan *scan, size_t more); /* and so many bytes besides */
Err sql_scan_hold(struct sql_scan *scan);                   /* counts what the scan's arenas hold */
/* The first term on the column with that operator, or NULL. */
const struct sql_term *sql_scan_term(const struct sql_scan *scan, unsigned col, enum doc_op op);
bool sql_scan_text(const struct sql_scan *scan, unsigned col, Str *out); /* col = 'text' is asked for */
bool sql_scan_uses(const struct sql_scan *scan, unsigned col);
/* from <= time < to, of the terms on a column of times. False: nothing lies between. */
bool sql_scan_span(const struct sql_scan *scan, unsigned col, Nanos *from, Nanos *to);
/* ---- sql_push.c: false: it cannot go down as it is; never: no row can hold it */
bool sql_push_value(const struct sql_table_column *col, enum doc_op *op, sqlite3_value *from, struct arena *arena,
                    Value *out, bool *never);
void sql_push_result(sqlite3_context *ctx, const struct sql_table_column *col, Value v);
/* ---- sql_functions.c, sql_sum.c, sql_text.c */
Err sql_functions_add(struct sql_session *s);
Err sql_sum_add(struct sql_session *s);
Err sql_text_add(struct sql_session *s);
Err sql_format_add(struct sql_session *s); /* sql_format.c */
#define SQL_TIME_TEXT 40
/* Always with three digits of fraction, or nine: the texts of times sort as the times do. */
Str sql_functions_time(Nanos t, char out[SQL_TIME_TEXT]);
bool sql_functions_read_time(sqlite3_value *v, Nanos *out);
/* ---- sql_names.c: the table of that name as this caller sees it, made; NULL: there is none */
struct sql_table *sql_names_make(struct sql_session *s, Str name, Err *why);
Err sql_names_list(struct sql_session *s, struct sql_table_about **out, size_t *n);
/* ---- sql_errors.c: SQLite's last failure in the words of the house */
Err sql_errors_say(struct sql_session *s, int rc, Str text);
Str sql_errors_missing(struct sql_session *s,
                       const char *what); /* name behind "no such table: "; empty: another failure */

/* ---- the tables */
struct sql_table *sql_docs_make(struct sql_session *s, const struct doctype *type, const struct lens *lens);
/* field: of kind FIELD_LINES */
struct sql_table *sql_docs_make_lines(struct sql_session *s, const struct doctype *type, unsigned field,
                                      const struct lens *lens);
struct sql_table *sql_things_make(struct sql_session *s, Str name, const struct lens *lens);
struct sql_table *sql_series_make(struct sql_session *s, Str name, const struct lens *lens);
struct sql_table *sql_wide_make(struct sql_session *s, Str name, const struct lens *lens);
struct sql_table *sql_names_new(struct sql_session *s, const struct sql_table_ops *ops, const struct lens *lens,
                                const struct sql_table_about *about);

#endif
