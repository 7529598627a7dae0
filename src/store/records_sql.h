/*
 * Requests as SQL text with a place for every value. Plain text and values only: the adapter that speaks to the
 * database prepares the text and binds the values. The text depends on the shape of a request, not on its values, so
 * that prepared statements can be kept. What databases say differently stands in one table each, a dialect.
 */
#ifndef STORE_RECORDS_SQL_H
#define STORE_RECORDS_SQL_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/records_backend.h"

/* How a value travels; the lists are texts that the dialect has formed. */
enum records_bind_as { RECORDS_BIND_VALUE, RECORDS_BIND_BYTES, RECORDS_BIND_INTS, RECORDS_BIND_WORDS };
struct records_bind {
    Value value; /* strings borrowed from the request, or of sql->scratch */
    enum records_bind_as as;
};

struct records_sql {
    const struct records_dialect *dialect; /* set once, before the first use */
    struct buf text;
    struct records_bind *binds;
    size_t n_binds, cap_binds;
    struct arena scratch;
};

/*
 * In the templates '@' stands for the column, '$' for a value, '#' for the table's name, '~' for ten to the column's
 * scale and '^' for one divided by that.
 */
struct records_dialect {
    bool apart;                 /* references are made after all tables, by records_sql_refer */
    size_t name_bytes;          /* longest name; 0: any length */
    bool numbers;               /* places are $1, $2 … instead of ? */
    const char *types[6];       /* by enum record_kind; '%' is the column's scale */
    const char *id[2];          /* definition of the id, ids_rise or not */
    const char *after;          /* behind the columns of a new table */
    const char *differs;        /* not equal, and rows without the value are not equal */
    const char *contains;       /* text in text, ASCII letters in either case */
    const char *not_in;         /* '$': RECORDS_BIND_INTS */
    const char *cuts[4];        /* by enum record_cut */
    const char *read[6];        /* a column as it is read, by kind */
    const char *write[6];       /* a value as it is written and compared, by kind */
    const char *measures[3][6]; /* by enum record_measure_kind and the column's kind; NULL: none */
    const char *ascending;      /* behind a sorted column: what is not set comes first … */
    const char *descending;     /* … and last */
    const char *indexed;        /* behind the column of an index that is not unique */
    const char *returning;      /* behind an insert */
    /* Appends the test that a row has the words: lower case, one space between, bars between alternatives; not empty.
     */
    void (*match)(struct records_sql *sql, const struct record_table *table, Str words);
    /* The list as text, in sql->scratch. */
    Str (*ints)(struct records_sql *sql, const int64_t *list, size_t n);
    Str (*words)(struct records_sql *sql, Str words); /* NULL: words travel as they are */
};
extern const struct records_dialect records_sql_sqlite, records_sql_postgresql;

void records_sql_init(struct records_sql *sql, const struct records_dialect *dialect);
void records_sql_clear(struct records_sql *sql); /* keeps the memory */
void records_sql_fini(struct records_sql *sql);

void records_sql_select(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                        const struct records_order *order);
/* Its rows: the keys, the count, then for each measure its value and how many rows had one. */
void records_sql_aggregate(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                           const struct records_grouping *grouping);
void records_sql_insert(struct records_sql *sql, const struct record_table *table, const Value *row);
void records_sql_update(struct records_sql *sql, const struct record_table *table, int64_t id, const unsigned *columns,
                        const Value *values, size_t n);
void records_sql_remove(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope);
void records_sql_create(struct records_sql *sql, const struct record_table *table);
void records_sql_widen(struct records_sql *sql, const struct record_table *table, unsigned column);
/* The index a column needs; false: none. */
bool records_sql_index(struct records_sql *sql, const struct record_table *table, unsigned column);

#define RECORDS_SQL_TYPE_BYTES 32
void records_sql_type(const struct records_dialect *dialect, const struct record_column *column,
                      char out[RECORDS_SQL_TYPE_BYTES]);

/* The name of that index, cut and told apart where the dialect has a longest one. */
#define RECORDS_SQL_NAME_BYTES 256
void records_sql_index_name(const struct records_dialect *dialect, const struct record_table *table, unsigned column,
                            char out[RECORDS_SQL_NAME_BYTES]);
/* Makes a column's reference hold; its name is the index's with "_refers". */
void records_sql_refer(struct records_sql *sql, const struct record_table *table, unsigned column);

/* Pieces for the dialects. */
void records_sql_scope(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope);
void records_sql_template(struct records_sql *sql, const char *text, const struct record_table *table, unsigned column,
                          const struct records_bind *value); /* value: NULL where it has no '$' */
void records_sql_bind(struct records_sql *sql, struct records_bind value);

#endif
