/*
 * SQL over everything a reader may see: one SELECT on a private SQLite connection whose only tables are virtual ones
 * over documents, things and series, each read through the caller's lens. Nothing is written, no file is opened, and
 * time, memory, rows and bytes have limits. docs/sql.md lists the tables and functions.
 *
 * Blocks on the disk; any thread. What is given to the sink is borrowed for the call.
 */
#ifndef SERVE_SQL_H
#define SERVE_SQL_H

#include "base/arena.h"
#include "base/json.h"
#include "document/documents.h"
#include "document/things.h"
#include "insight/query.h"
#include "model/catalog.h"
#include "model/lens.h"
#include "os/clock.h"

/* What a column holds. Outside: decimals are exact text at their scale, times RFC 3339 in UTC, dates "2026-03-08". */
enum sql_kind { SQL_TEXT, SQL_INT, SQL_NUMBER, SQL_DECIMAL, SQL_BOOL, SQL_TIME, SQL_DATE, SQL_JSON, SQL_ANY };
const char *
sql_kind_name(enum sql_kind kind); /* "text" "integer" "number" "decimal" "boolean" "time" "date" "json" "any" */

struct sql_source {
    struct documents *documents;
    struct things *things;
    struct view *view;
    struct query_engine *engine; /* NULL: no table of series but the newest values and single samples */
    const struct clock *clock;
    const struct catalog_cell *catalog;
    /* What the caller may see of a type (NULL: of things and series); a failure: nothing, the table does not exist. */
    Err (*lens)(void *ctx, const struct doctype *type, struct lens *out);
    Err (*party_name)(void *ctx, PartyId party, struct arena *arena, Str *out); /* NULL: parties are numbers */
    bool (*gone)(void *ctx); /* has the client left? NULL: it never does */
    void *ctx;
};

struct sql_limits { /* 0: the default */
    size_t rows;    /* of the answer; 1,000,000. More is ERR_LIMIT, unless `cut` */
    size_t memory;  /* bytes while working; 128 MiB */
    Nanos time;     /* 30 s */
    bool cut;       /* further rows are left out, and report.cut says so */
};

struct sql_order {
    Str text;
    const struct json *params; /* for ?1, ?2 … (an array) or :name (an object); NULL: none */
    struct sql_limits limits;
};

struct sql_column {
    const char *name;
    enum sql_kind kind; /* of a column of a table; SQL_ANY: computed, each value says its own */
    unsigned scale;     /* SQL_DECIMAL */
};
struct sql_value { /* int of SQL_BOOL is 0 or 1; a decimal is VALUE_STRING, as are times and dates */
    enum sql_kind kind;
    Value value;
};
struct sql_sink {
    Err (*columns)(void *ctx, const struct sql_column *columns, size_t n);
    Err (*row)(void *ctx, const struct sql_value *row, size_t n);
    void *ctx;
};

/* What was read, for the log of disclosures; and what it took. Lives in the arena given. */
struct sql_seen {
    const char *table;
    const struct doctype *type; /* NULL: things or series */
    struct lens lens;
    int64_t *ids; /* of documents, each once */
    size_t n_ids;
    Str what; /* otherwise: "m-01 volt, m-02 volt" */
    uint64_t rows;
};
struct sql_report {
    struct sql_seen *seen;
    size_t n_seen;
    uint64_t rows, rows_read; /* of the answer; from the tables */
    bool cut;
    double seconds;
    size_t peak; /* bytes of memory */
};
/* Runs one statement. ERR_INVALID says what, where in the text, and what may have been meant; ERR_LIMIT, ERR_TIMEOUT
 * and ERR_CANCELLED. What came to the sink before a failure is not the answer. */
Err sql_run(const struct sql_source *source, const struct sql_order *order, const struct sql_sink *sink,
            struct arena *arena, struct sql_report *report);
/* How it would be read, a line each: which table, in which order, and which conditions go down to the stores. */
Err sql_explain(const struct sql_source *source, const struct sql_order *order, struct arena *arena, Str **lines,
                size_t *n);

/* Every table the caller has, with its columns. */
struct sql_table_column {
    const char *name, *title_en, *title_zh, *unit, *refers; /* NULL: none */
    enum sql_kind kind;
    unsigned scale;
    bool input; /* may only stand in a condition: `where search = 'bearing'` */
};
struct sql_table_about {
    const char *name, *title_en, *title_zh, *about_en, *about_zh;
    const struct sql_table_column *columns;
    size_t n_columns;
};
Err sql_tables(const struct sql_source *source, struct arena *arena, struct sql_table_about **out, size_t *n);

#endif
