/*
 * Indexes start with the party, because nearly every request is one party's. The system's own requests over every
 * party would then read whole tables; where such a request holds an indexed column to one value, it is given the list
 * of the parties in the table, found by hopping over that same index, and so uses it after all.
 */
#include "store/records_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "store/records_system.h"
#include "store/records_view.h"

void records_sql_init(struct records_sql *sql, const struct records_dialect *dialect) {
    *sql = (struct records_sql){.dialect = dialect};
    arena_init(&sql->scratch, 0);
}

void records_sql_clear(struct records_sql *sql) {
    buf_clear(&sql->text);
    sql->n_binds = 0;
    if (arena_used(&sql->scratch) > 0) arena_reset(&sql->scratch);
}

void records_sql_fini(struct records_sql *sql) {
    buf_fini(&sql->text);
    free(sql->binds);
    arena_fini(&sql->scratch);
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

void records_sql_bind(struct records_sql *sql, struct records_bind value) {
    VEC_PUSH(sql->binds, sql->n_binds, sql->cap_binds, value);
    if (sql->dialect->numbers)
        buf_printf(&sql->text, "$%zu", sql->n_binds);
    else
        buf_byte(&sql->text, '?');
}

/* 100, or 0.01 */
static void add_scale(struct records_sql *sql, const struct record_column *column, bool inverse) {
    if (inverse && column->scale > 0) add(sql, "0.");
    if (!inverse || column->scale == 0) buf_byte(&sql->text, '1');
    for (unsigned i = inverse; i < column->scale; i++) buf_byte(&sql->text, '0');
    if (inverse && column->scale > 0) buf_byte(&sql->text, '1');
}

void records_sql_template(struct records_sql *sql, const char *text, const struct record_table *table, unsigned column,
                          const struct records_bind *value) {
    for (const char *c = text; *c; c++) {
        if (*c == '@')
            add_column(sql, table, column);
        else if (*c == '$')
            records_sql_bind(sql, *value);
        else if (*c == '#')
            add(sql, table->name);
        else if (*c == '~' || *c == '^')
            add_scale(sql, &table->columns[column], *c == '^');
        else
            buf_byte(&sql->text, (uint8_t)*c);
    }
}

static void bind(struct records_sql *sql, const struct record_table *table, unsigned column, Value v) {
    enum record_kind kind = table->columns[column].kind;
    if (kind == RECORD_REAL && v.kind == VALUE_INT) v = VALUE_F((double)v.i);
    struct records_bind b = {.value = v, .as = kind == RECORD_BLOB ? RECORDS_BIND_BYTES : RECORDS_BIND_VALUE};
    if (v.kind == VALUE_FLOAT) kind = RECORD_REAL; /* an integer column may be compared with a float */
    records_sql_template(sql, sql->dialect->write[kind], table, column, &b);
}

static void bind_int(struct records_sql *sql, const struct record_table *table, int64_t v) {
    struct records_bind b = {.value = VALUE_I(v)};
    records_sql_template(sql, sql->dialect->write[RECORD_INT], table, RECORD_ID, &b);
}

/* ---- which rows */

static void add_match(struct records_sql *sql, const struct record_table *table, Str text) {
    Str words = records_view_words(text, &sql->scratch);
    if (words.len == 0)
        add(sql, "1 = 1");
    else
        sql->dialect->match(sql, table, words);
}

static void compare(struct records_sql *sql, const struct record_table *table, const struct record_filter *f) {
    static const char *const operators[] = {
        [RECORD_EQ] = " = ", [RECORD_LT] = " < ", [RECORD_LE] = " <= ", [RECORD_GT] = " > ", [RECORD_GE] = " >= ",
    };
    struct records_bind b = {.value = f->value};
    switch (f->op) {
    case RECORD_MATCH: add_match(sql, table, f->value.s); return;
    case RECORD_CONTAINS: records_sql_template(sql, sql->dialect->contains, table, f->column, &b); return;
    case RECORD_NOT_IN:
        b = (struct records_bind){VALUE_S(sql->dialect->ints(sql, f->list, f->n_list)), RECORDS_BIND_INTS};
        records_sql_template(sql, sql->dialect->not_in, table, f->column, &b);
        return;
    default: break;
    }
    add_column(sql, table, f->column);
    bool set = f->op == RECORD_IS_SET ? f->value.b : f->op == RECORD_NE;
    if (f->op == RECORD_IS_SET || (f->op <= RECORD_NE && f->value.kind == VALUE_NONE)) {
        add(sql, set ? " IS NOT NULL" : " IS NULL");
        return;
    }
    add(sql, f->op == RECORD_NE ? sql->dialect->differs : operators[f->op]);
    bind(sql, table, f->column, f->value);
}

static void add_filter(struct records_sql *sql, const struct record_table *table, const struct record_filter *f) {
    if (f->op != RECORD_AND && f->op != RECORD_OR) {
        compare(sql, table, f);
        return;
    }
    if (f->n_parts == 0) {
        add(sql, f->op == RECORD_AND ? "1 = 1" : "1 = 0");
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

void records_sql_scope(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope) {
    add(sql, " WHERE ");
    if (!scope->every_party) {
        add(sql, "\"party\" = ");
        bind_int(sql, table, scope->party);
    } else if (pins_index(table, scope->filter)) {
        buf_printf(&sql->text,
                   "\"party\" IN (WITH RECURSIVE p(v) AS (SELECT min(\"party\") FROM \"%s\" UNION ALL "
                   "SELECT (SELECT min(\"party\") FROM \"%s\" WHERE \"party\" > v) FROM p WHERE v IS NOT NULL) "
                   "SELECT v FROM p WHERE v IS NOT NULL)",
                   table->name, table->name);
    } else {
        add(sql, "1 = 1");
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
        bind_int(sql, table, order->after_id);
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
    bind_int(sql, table, order->after_id);
    if (none != order->descending) {
        add(sql, " OR ");
        add_column(sql, table, order->sort);
        add(sql, none ? " IS NOT NULL" : " IS NULL");
    }
    add(sql, ")");
}

static void add_order(struct records_sql *sql, const struct record_table *table, const struct records_order *order) {
    add(sql, " ORDER BY ");
    if (order->sort != RECORD_ID) {
        add_column(sql, table, order->sort);
        add(sql, order->descending ? sql->dialect->descending : sql->dialect->ascending);
        add(sql, ", ");
    }
    add(sql, order->descending ? "\"id\" DESC LIMIT " : "\"id\" LIMIT ");
    bind_int(sql, table, (int64_t)order->limit);
}

void records_sql_select(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                        const struct records_order *order) {
    records_sql_clear(sql);
    for (unsigned i = 0; i < table->n_columns; i++) {
        add(sql, i == 0 ? "SELECT " : ", ");
        records_sql_template(sql, sql->dialect->read[table->columns[i].kind], table, i, NULL);
    }
    add(sql, " FROM ");
    add_name(sql, table->name);
    records_sql_scope(sql, table, scope);
    if (order->resumes) add_resume(sql, table, order);
    add_order(sql, table, order);
}

/* ---- groups */

static void add_key(struct records_sql *sql, const struct record_table *table, const struct record_key *key) {
    const char *text =
        key->cut == RECORD_WHOLE ? sql->dialect->read[table->columns[key->column].kind] : sql->dialect->cuts[key->cut];
    records_sql_template(sql, text, table, key->column, NULL);
}

static void add_measure(struct records_sql *sql, const struct record_table *table, const struct record_measure *m) {
    const char *text = sql->dialect->measures[m->what][table->columns[m->column].kind];
    ASSERT(text);
    records_sql_template(sql, text, table, m->column, NULL);
    records_sql_template(sql, ", count(@)", table, m->column, NULL);
}

/* Groups are named by position: 1, or 1 and 2. */
void records_sql_aggregate(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope,
                           const struct records_grouping *g) {
    records_sql_clear(sql);
    add(sql, "SELECT ");
    for (size_t i = 0; i < g->n_keys; i++) {
        add_key(sql, table, &g->keys[i]);
        add(sql, ", ");
    }
    add(sql, "count(*)");
    for (size_t i = 0; i < g->n_measures; i++) {
        add(sql, ", ");
        add_measure(sql, table, &g->measures[i]);
    }
    add(sql, " FROM ");
    add_name(sql, table->name);
    records_sql_scope(sql, table, scope);
    if (g->n_keys == 0) return;
    const char *up = sql->dialect->ascending;
    add(sql, g->n_keys == 1 ? " GROUP BY 1 ORDER BY 1" : " GROUP BY 1, 2 ORDER BY 1");
    add(sql, up);
    if (g->n_keys == 2) {
        add(sql, ", 2");
        add(sql, up);
    }
    add(sql, " LIMIT ");
    bind_int(sql, table, (int64_t)g->limit);
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
    add(sql, sql->dialect->returning);
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
    bind_int(sql, table, id);
}

void records_sql_remove(struct records_sql *sql, const struct record_table *table, const struct records_scope *scope) {
    records_sql_clear(sql);
    add(sql, "DELETE FROM ");
    add_name(sql, table->name);
    records_sql_scope(sql, table, scope);
}

/* ---- tables */

void records_sql_type(const struct records_dialect *dialect, const struct record_column *column,
                      char out[RECORDS_SQL_TYPE_BYTES]) {
    const char *type = dialect->types[column->kind], *scale = strchr(type, '%');
    if (scale)
        snprintf(out, RECORDS_SQL_TYPE_BYTES, "%.*s%u%s", (int)(scale - type), type, column->scale, scale + 1);
    else
        snprintf(out, RECORDS_SQL_TYPE_BYTES, "%s", type);
}

static void add_definition(struct records_sql *sql, const struct record_table *table, unsigned column) {
    const struct record_column *c = &table->columns[column];
    char type[RECORDS_SQL_TYPE_BYTES];
    records_sql_type(sql->dialect, c, type);
    add_name(sql, c->name);
    add(sql, " ");
    add(sql, column == RECORD_ID ? sql->dialect->id[table->ids_rise ? 1 : 0] : type);
    if (c->refers && !sql->dialect->apart) buf_printf(&sql->text, " REFERENCES \"%s\"(\"id\")", c->refers);
}

void records_sql_create(struct records_sql *sql, const struct record_table *table) {
    records_sql_clear(sql);
    add(sql, "CREATE TABLE ");
    add_name(sql, table->name);
    for (unsigned i = 0; i < table->n_columns; i++) {
        add(sql, i == 0 ? " (" : ", ");
        add_definition(sql, table, i);
    }
    add(sql, ")");
    add(sql, sql->dialect->after);
}

void records_sql_widen(struct records_sql *sql, const struct record_table *table, unsigned column) {
    records_sql_clear(sql);
    add(sql, "ALTER TABLE ");
    add_name(sql, table->name);
    add(sql, " ADD COLUMN ");
    add_definition(sql, table, column);
}

/* A long one keeps its beginning, and gets a hash of the whole. */
static void name_within(size_t most, const char *whole, char out[RECORDS_SQL_NAME_BYTES]) {
    size_t n = strlen(whole);
    if (most == 0 || n <= most)
        snprintf(out, RECORDS_SQL_NAME_BYTES, "%s", whole);
    else
        snprintf(out, RECORDS_SQL_NAME_BYTES, "%.*s_%016llx", (int)most - 17, whole,
                 (unsigned long long)hash_bytes(whole, n));
}

void records_sql_index_name(const struct records_dialect *dialect, const struct record_table *table, unsigned column,
                            char out[RECORDS_SQL_NAME_BYTES]) {
    char whole[RECORDS_SQL_NAME_BYTES];
    const struct record_column *c = &table->columns[column];
    int n = snprintf(whole, sizeof whole, "%s_%s%s", table->name, c->name, c->unique != RECORD_MANY ? "_unique" : "");
    ASSERT(n > 0 && (size_t)n < sizeof whole);
    name_within(dialect->name_bytes, whole, out);
}

void records_sql_refer(struct records_sql *sql, const struct record_table *table, unsigned column) {
    char whole[RECORDS_SQL_NAME_BYTES], name[RECORDS_SQL_NAME_BYTES];
    const struct record_column *c = &table->columns[column];
    int n = snprintf(whole, sizeof whole, "%s_%s_refers", table->name, c->name);
    ASSERT(n > 0 && (size_t)n < sizeof whole);
    name_within(sql->dialect->name_bytes, whole, name);
    records_sql_clear(sql);
    buf_printf(&sql->text, "ALTER TABLE \"%s\" ADD CONSTRAINT \"%s\" FOREIGN KEY (\"%s\") REFERENCES \"%s\"(\"id\")",
               table->name, name, c->name, c->refers);
}

bool records_sql_index(struct records_sql *sql, const struct record_table *table, unsigned column) {
    const struct record_column *c = &table->columns[column];
    bool unique = c->unique != RECORD_MANY, with_party = column != RECORD_PARTY && c->unique != RECORD_UNIQUE;
    char name[RECORDS_SQL_NAME_BYTES];
    if (!c->indexed && !unique) return false;
    records_sql_index_name(sql->dialect, table, column, name);
    records_sql_clear(sql);
    buf_printf(&sql->text, "CREATE %sINDEX IF NOT EXISTS \"%s\" ON \"%s\" (%s\"%s\"%s)", unique ? "UNIQUE " : "", name,
               table->name, with_party ? "\"party\", " : "", c->name, unique ? "" : sql->dialect->indexed);
    return true;
}
