/*
 * Indexes start with the party, because nearly every request is one party's. The system's own requests over every
 * party would then read whole tables; where such a request holds an indexed column to one value, it is given the list
 * of the parties in the table, found by hopping over that same index, and so uses it after all.
 */
#include "store/records_sql.h"

#include <stdlib.h>

#include "base/vec.h"
#include "store/records_system.h"

void records_sql_clear(struct records_sql *sql) {
    buf_clear(&sql->text);
    sql->n_binds = 0;
}

void records_sql_fini(struct records_sql *sql) {
    buf_fini(&sql->text);
    free(sql->binds);
    *sql = (struct records_sql){0};
}

static void add(struct records_sql *sql, const char *text) { buf_c(&sql->text, text); }

static void add_name(struct records_sql *sql, const char *name) {
    buf_byte(&sql->text, '"');
    buf_c(&sql->text, name);
    buf_byte(&sql->text, '"');
}

static void add_column(struct records_sql *sql, const struct record_table *table, unsigned column) {
    add_name(sql, table->columns[column].name);
}

static void bind_kind(struct records_sql *sql, enum record_kind kind, Value v) {
    buf_byte(&sql->text, '?');
    if (kind == RECORD_REAL && v.kind == VALUE_INT) v = VALUE_F((double)v.i);
    struct records_bind b = {.value = v, .blob = kind == RECORD_BLOB};
    VEC_PUSH(sql->binds, sql->n_binds, sql->cap_binds, b);
}

static void bind_int(struct records_sql *sql, int64_t v) { bind_kind(sql, RECORD_INT, VALUE_I(v)); }

static void bind(struct records_sql *sql, const struct record_table *table, unsigned column, Value v) {
    bind_kind(sql, table->columns[column].kind, v);
}

/* ---- which rows */

static void compare(struct records_sql *sql, const struct record_table *table, const struct record_filter *f) {
    static const char *const operators[] = {
        [RECORD_EQ] = " = ",  [RECORD_NE] = " IS NOT ", [RECORD_LT] = " < ",
        [RECORD_LE] = " <= ", [RECORD_GT] = " > ",      [RECORD_GE] = " >= ",
    };
    switch (f->op) {
    case RECORD_IS_SET:
        add_column(sql, table, f->column);
        add(sql, f->value.b ? " IS NOT NULL" : " IS NULL");
        return;
    case RECORD_CONTAINS:
        add(sql, "instr(lower(");
        add_column(sql, table, f->column);
        add(sql, "), lower(");
        bind(sql, table, f->column, f->value);
        add(sql, ")) > 0");
        return;
    default:
        add_column(sql, table, f->column);
        if (f->op == RECORD_EQ && f->value.kind == VALUE_NONE) {
            add(sql, " IS NULL");
            return;
        }
        add(sql, operators[f->op]);
        bind(sql, table, f->column, f->value);
    }
}

static void add_filter(struct records_sql *sql, const struct record_table *table, const struct record_filter *f) {
    if (f->op != RECORD_AND && f->op != RECORD_OR) {
        compare(sql, table, f);
        return;
    }
    if (f->n_parts == 0) {
        add(sql, f->op == RECORD_AND ? "1" : "0");
        return;
    }
    for (size_t i = 0; i < f->n_parts; i++) {
        add(sql, i == 0 ? "(" : f->op == RECORD_AND ? " AND " : " OR ");
        add_filter(sql, table, &f->parts[i]);
    }
    add(sql, ")");
}

static bool pins_index(const struct record_table *table, const struct record_filter *f) {
    if (!f) return false;
    if (f->op == RECORD_AND || f->op == RECORD_OR) {
        size_t pinned = 0;
        for (size_t i = 0; i < f->n_parts; i++) pinned += pins_index(table, &f->parts[i]);
        return f->op == RECORD_AND ? pinned > 0 : f->n_parts > 0 && pinned == f->n_parts;
    }
    const struct record_column *c = &table->columns[f->column];
    return f->op == RECORD_EQ && (c->indexed || c->unique == RECORD_UNIQUE_IN_PARTY);
}

static void add_scope(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope) {
    add(sql, " WHERE ");
    if (!scope->every_party) {
        add(sql, "\"party\" = ");
        bind_int(sql, scope->party);
    } else if (pins_index(table, scope->filter)) {
        buf_printf(&sql->text,
                   "\"party\" IN (WITH RECURSIVE p(v) AS (SELECT min(\"party\") FROM \"%s\" UNION ALL "
                   "SELECT (SELECT min(\"party\") FROM \"%s\" WHERE \"party\" > v) FROM p WHERE v IS NOT NULL) "
                   "SELECT v FROM p WHERE v IS NOT NULL)",
                   table->name, table->name);
    } else {
        add(sql, "1");
    }
    if (!scope->filter) return;
    add(sql, " AND ");
    add_filter(sql, table, scope->filter);
}

/* ---- in which order */

/* Rows after (value, id). A row without the value sorts before all others, so it comes last when descending. */
static void add_resume(struct records_sql *sql, const struct record_table *table, const struct records_order *order) {
    const char *beyond = order->descending ? " < " : " > ";
    if (order->sort == RECORD_ID) {
        add(sql, " AND \"id\"");
        add(sql, beyond);
        bind_int(sql, order->after_id);
        return;
    }
    bool none = order->after_value.kind == VALUE_NONE;
    add(sql, " AND (");
    add_column(sql, table, order->sort);
    if (none) {
        add(sql, " IS NULL AND \"id\"");
    } else {
        add(sql, beyond);
        bind(sql, table, order->sort, order->after_value);
        add(sql, " OR ");
        add_column(sql, table, order->sort);
        add(sql, " = ");
        bind(sql, table, order->sort, order->after_value);
        add(sql, " AND \"id\"");
    }
    add(sql, beyond);
    bind_int(sql, order->after_id);
    if (none != order->descending) {
        add(sql, " OR ");
        add_column(sql, table, order->sort);
        add(sql, none ? " IS NOT NULL" : " IS NULL");
    }
    add(sql, ")");
}

static void add_order(struct records_sql *sql, const struct record_table *table, const struct records_order *order) {
    const char *direction = order->descending ? " DESC" : "";
    add(sql, " ORDER BY ");
    if (order->sort != RECORD_ID) {
        add_column(sql, table, order->sort);
        add(sql, direction);
        add(sql, ", ");
    }
    add(sql, "\"id\"");
    add(sql, direction);
    add(sql, " LIMIT ");
    bind_int(sql, (int64_t)order->limit);
}

void records_sql_select(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                        const struct records_order *order) {
    records_sql_clear(sql);
    for (unsigned i = 0; i < table->n_columns; i++) {
        add(sql, i == 0 ? "SELECT " : ", ");
        add_column(sql, table, i);
    }
    add(sql, " FROM ");
    add_name(sql, table->name);
    add_scope(sql, table, scope);
    if (order->resumes) add_resume(sql, table, order);
    add_order(sql, table, order);
}

void records_sql_group(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                       unsigned by, unsigned sum, size_t limit) {
    records_sql_clear(sql);
    add(sql, "SELECT ");
    if (by)
        add_column(sql, table, by);
    else
        add(sql, "NULL");
    add(sql, ", count(*), ");
    if (sum) add(sql, "sum(");
    if (sum) add_column(sql, table, sum);
    add(sql, sum ? ") FROM " : "NULL FROM ");
    add_name(sql, table->name);
    add_scope(sql, table, scope);
    if (!by) return;
    add(sql, " GROUP BY ");
    add_column(sql, table, by);
    add(sql, " ORDER BY ");
    add_column(sql, table, by);
    add(sql, " LIMIT ");
    bind_int(sql, (int64_t)limit);
}

/* ---- changes */

void records_sql_insert(struct records_sql *sql, const struct record_table *table, const Value *row) {
    records_sql_clear(sql);
    add(sql, "INSERT INTO ");
    add_name(sql, table->name);
    for (unsigned i = 1; i < table->n_columns; i++) {
        add(sql, i == 1 ? " (" : ", ");
        add_column(sql, table, i);
    }
    add(sql, ") VALUES (");
    for (unsigned i = 1; i < table->n_columns; i++) {
        if (i > 1) add(sql, ", ");
        bind(sql, table, i, row[i]);
    }
    add(sql, ")");
}

void records_sql_update(struct records_sql *sql, const struct record_table *table, int64_t id, const unsigned *columns,
                        const Value *values, size_t n) {
    records_sql_clear(sql);
    add(sql, "UPDATE ");
    add_name(sql, table->name);
    for (size_t i = 0; i < n; i++) {
        add(sql, i == 0 ? " SET " : ", ");
        add_column(sql, table, columns[i]);
        add(sql, " = ");
        bind(sql, table, columns[i], values[i]);
    }
    add(sql, " WHERE \"id\" = ");
    bind_int(sql, id);
}

void records_sql_remove(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope) {
    records_sql_clear(sql);
    add(sql, "DELETE FROM ");
    add_name(sql, table->name);
    add_scope(sql, table, scope);
}

/* ---- tables */

const char *records_sql_type(enum record_kind kind) {
    static const char *const types[] = {[RECORD_INT] = "INTEGER",
                                        [RECORD_REAL] = "REAL",
                                        [RECORD_TEXT] = "TEXT",
                                        [RECORD_BOOL] = "INTEGER",
                                        [RECORD_BLOB] = "BLOB"};
    return types[kind];
}

static void add_definition(struct records_sql *sql, const struct record_table *table, unsigned column) {
    const struct record_column *c = &table->columns[column];
    add_name(sql, c->name);
    add(sql, " ");
    add(sql, records_sql_type(c->kind));
    if (column == RECORD_ID) add(sql, table->ids_rise ? " PRIMARY KEY AUTOINCREMENT" : " PRIMARY KEY");
    if (c->refers) buf_printf(&sql->text, " REFERENCES \"%s\"(\"id\")", c->refers);
}

void records_sql_create(struct records_sql *sql, const struct record_table *table) {
    records_sql_clear(sql);
    add(sql, "CREATE TABLE ");
    add_name(sql, table->name);
    for (unsigned i = 0; i < table->n_columns; i++) {
        add(sql, i == 0 ? " (" : ", ");
        add_definition(sql, table, i);
    }
    add(sql, ") STRICT");
}

void records_sql_widen(struct records_sql *sql, const struct record_table *table, unsigned column) {
    records_sql_clear(sql);
    add(sql, "ALTER TABLE ");
    add_name(sql, table->name);
    add(sql, " ADD COLUMN ");
    add_definition(sql, table, column);
}

bool records_sql_index(struct records_sql *sql, const struct record_table *table, unsigned column) {
    const struct record_column *c = &table->columns[column];
    bool unique = c->unique != RECORD_MANY, with_party = column != RECORD_PARTY && c->unique != RECORD_UNIQUE;
    if (!c->indexed && !unique) return false;
    records_sql_clear(sql);
    buf_printf(&sql->text, "CREATE %sINDEX IF NOT EXISTS \"%s_%s%s\" ON \"%s\" (%s\"%s\")", unique ? "UNIQUE " : "",
               table->name, c->name, unique ? "_unique" : "", table->name, with_party ? "\"party\", " : "", c->name);
    return true;
}
