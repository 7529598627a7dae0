/* Rows of SQL as JSON, NDJSON or CSV, written as they come. */
#ifndef SERVE_SQL_WRITE_H
#define SERVE_SQL_WRITE_H

#include "base/jw.h"
#include "serve/sql.h"

enum sql_form { SQL_FORM_JSON, SQL_FORM_NDJSON, SQL_FORM_CSV };

struct sql_write {
    enum sql_form form;
    struct jw *w;    /* JSON: an open object, which gets "columns" and "rows"; sql_write_end closes the rows */
    struct buf *out; /* the others */
    size_t most;     /* bytes; 0: no bound */
    const struct sql_column *columns;
    size_t n;
    bool open;
};
struct sql_sink sql_write_sink(struct sql_write *write);
void sql_write_end(struct sql_write *write); /* after sql_run, also where no row came */
/* One value as JSON: decimals, times and dates as texts. */
void sql_write_value(struct jw *w, const struct sql_value *v);
/* The same as plain text, empty for NULL. */
void sql_write_text(struct buf *out, const struct sql_value *v);
void sql_write_tables(struct jw *w, const struct sql_table_about *tables, size_t n); /* an array */

#endif
