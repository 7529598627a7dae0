/*
 * Records in PostgreSQL: the tables stand in the connection's current schema, with real columns, references and
 * indexes. One server owns a schema: its writer holds an advisory lock as long as its connection lives. The one writer
 * commits many jobs as one transaction, as on SQLite; readers see one moment by REPEATABLE READ.
 *
 * A connection that is lost is opened again at the next BEGIN. Jobs whose COMMIT was not answered fail with ERR_BUSY
 * although the database may have kept them; that cannot be known here.
 *
 * Trips are spared, as each costs more than a small statement: BEGIN and SAVEPOINT wait for the first statement and go
 * with it, a savepoint that is kept is released together with what comes next, and nobody waits for a reader's end.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "os/plugin.h"
#include "store/postgresql_driver.h"
#include "store/records_sql.h"

#define NAME_BYTES 128
#define OWN_PATIENCE (5 * NANOS_PER_S)
#define OWN_PAUSE (50 * NANOS_PER_MS)
#define CELL_BYTES 8 /* numbers travel as eight bytes, booleans as one */

struct records_conn {
    const struct postgresql_driver *driver;
    struct postgresql_link *link; /* NULL: the keeper, or lost */
    enum records_role role;
    bool read_only, began, releases; /* releases: a kept savepoint is still to be forgotten */
    char *url;
    struct records_sql sql;
    struct postgresql_value *values;
    char (*cells)[CELL_BYTES];
    size_t cap_values;
};

/* ---- failures */

static const struct {
    const char *state; /* its beginning */
    enum err_code code;
    const char *text; /* NULL: the database's own */
} failures[] = {
    {"", ERR_BUSY, NULL}, /* the connection itself */
    {"08", ERR_BUSY, NULL},
    {"57P", ERR_BUSY, NULL},
    {"57014", ERR_TIMEOUT, "the database took too long: narrow the question"},
    {"55P03", ERR_BUSY, "the database is locked by somebody else: try again"},
    {"25P03", ERR_BUSY, "the database gave up waiting: try again"},
    {"40", ERR_BUSY, "two changes stood in each other's way: try again"},
    {"23503", ERR_INVALID, "a reference leads nowhere: give the id of something that exists"},
    {"22003", ERR_LIMIT, "the sum is larger than 64 bits hold: narrow the filter"},
    {"22021", ERR_INVALID, "a text holds a character that the database cannot keep: leave out NUL"},
    {"22P05", ERR_INVALID, "a text holds a character that the database cannot keep: leave out NUL"},
    {"54000", ERR_INVALID, "a text is too long for a field that is indexed: shorten it"},
    {"53", ERR_IO, NULL}, /* out of disk, memory, connections */
    {"XX001", ERR_CORRUPT, NULL},
    {"XX002", ERR_CORRUPT, NULL},
};

static Err failure(const struct postgresql_failure *f) {
    enum err_code code = ERR_IO;
    const char *text = NULL;
    for (size_t i = f->state[0] ? 1 : 0; i < sizeof failures / sizeof *failures; i++) {
        size_t n = strlen(failures[i].state);
        if (strncmp(f->state, failures[i].state, n) != 0) continue;
        code = failures[i].code;
        text = failures[i].text;
        break;
    }
    if (text) return err_make(code, "%s", text);
    return err_make(code, "postgresql%s%s: %.180s", f->state[0] ? " " : "", f->state, f->text);
}

/* Which column must be unique is told by the name of its index. */
static Err change_failure(struct records_conn *c, const struct record_table *table,
                          const struct postgresql_failure *f) {
    char name[RECORDS_SQL_NAME_BYTES];
    if (strcmp(f->state, "23505") != 0) return failure(f);
    for (unsigned i = 0; i < table->n_columns; i++) {
        if (table->columns[i].unique == RECORD_MANY) continue;
        records_sql_index_name(c->sql.dialect, table, i, name);
        if (strcmp(name, f->constraint) != 0) continue;
        return err_make(ERR_CONFLICT, "%s: it exists already, and must be unique", table->columns[i].name);
    }
    return err_make(ERR_CONFLICT, "a value exists already, and must be unique: %.100s", f->constraint);
}

/* ---- statements */

static void put_bytes(char out[CELL_BYTES], uint64_t bits) {
    for (size_t i = 0; i < CELL_BYTES; i++) out[i] = (char)(bits >> (56 - 8 * i));
}

static uint64_t get_bytes(Str cell) {
    uint64_t bits = 0;
    for (size_t i = 0; i < cell.len && i < CELL_BYTES; i++) bits = bits << 8 | (unsigned char)cell.ptr[i];
    return bits;
}

static struct postgresql_value value_of(const struct records_bind *b, char cell[CELL_BYTES]) {
    Value v = b->value;
    uint64_t bits;
    switch (v.kind) {
    case VALUE_INT: put_bytes(cell, (uint64_t)v.i); break;
    case VALUE_FLOAT:
        if (v.f != v.f) return (struct postgresql_value){0};
        memcpy(&bits, &v.f, sizeof bits);
        put_bytes(cell, bits);
        break;
    case VALUE_BOOL: cell[0] = v.b; return (struct postgresql_value){cell, 1, false};
    case VALUE_STRING:
        return (struct postgresql_value){v.s.ptr ? v.s.ptr : "", v.s.len,
                                         b->as == RECORDS_BIND_INTS || b->as == RECORDS_BIND_WORDS};
    case VALUE_NONE: return (struct postgresql_value){0};
    }
    return (struct postgresql_value){cell, CELL_BYTES, false};
}

static void fill_values(struct records_conn *c) {
    size_t n = c->sql.n_binds;
    if (n > c->cap_values) {
        c->cap_values = 2 * n;
        c->values = realloc(c->values, c->cap_values * sizeof *c->values);
        c->cells = realloc(c->cells, c->cap_values * sizeof *c->cells);
        ASSERT(c->values && c->cells);
    }
    for (size_t i = 0; i < n; i++) c->values[i] = value_of(&c->sql.binds[i], c->cells[i]);
}

/* The statement of c->sql. */
static bool run(struct records_conn *c, struct postgresql_failure *f) {
    if (!c->link) {
        *f = (struct postgresql_failure){.text = "the connection was lost: try again"};
        return false;
    }
    fill_values(c);
    return c->driver->run(c->link, buf_view(&c->sql.text), c->values, c->sql.n_binds, f);
}

static Err run_simply(struct records_conn *c) {
    struct postgresql_failure f;
    return run(c, &f) ? err_none() : failure(&f);
}

static Err execute(struct records_conn *c, const char *text) {
    records_sql_clear(&c->sql);
    buf_c(&c->sql.text, text);
    return run_simply(c);
}

static Value read_cell(struct records_conn *c, size_t row, size_t column, enum record_kind kind) {
    Str cell;
    double f;
    if (!c->driver->cell(c->link, row, column, &cell)) return (Value){.kind = VALUE_NONE};
    uint64_t bits = get_bytes(cell);
    switch (kind) {
    case RECORD_INT:
    case RECORD_DECIMAL: return VALUE_I((int64_t)bits);
    case RECORD_BOOL: return VALUE_B(bits != 0);
    case RECORD_REAL: memcpy(&f, &bits, sizeof f); return VALUE_F(f);
    case RECORD_TEXT:
    case RECORD_BLOB: break;
    }
    return VALUE_S(cell);
}

/* ---- rows */

static Err pg_select(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                     const struct records_order *order, records_row_fn *fn, void *ctx) {
    Value row[RECORDS_COLUMNS_MAX];
    records_sql_select(&c->sql, table, scope, order);
    TRY(run_simply(c));
    for (size_t r = 0, n = c->driver->rows(c->link); r < n; r++) {
        for (size_t i = 0; i < table->n_columns; i++) row[i] = read_cell(c, r, i, table->columns[i].kind);
        if (!fn(ctx, row)) break;
    }
    return err_none();
}

static void read_group(struct records_conn *c, size_t row, const struct record_table *table,
                       const struct records_grouping *g, struct record_aggregate *out) {
    size_t at = 0;
    for (size_t i = 0; i < g->n_keys; i++)
        out->keys[i] = read_cell(c, row, at++, table->columns[g->keys[i].column].kind);
    out->count = (uint64_t)read_cell(c, row, at++, RECORD_INT).i;
    for (size_t i = 0; i < g->n_measures; i++) {
        out->measures[i] = read_cell(c, row, at++, table->columns[g->measures[i].column].kind);
        out->counted[i] = (uint64_t)read_cell(c, row, at++, RECORD_INT).i;
    }
}

static Err pg_aggregate(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                        const struct records_grouping *grouping, records_group_fn *fn, void *ctx) {
    Value measures[RECORD_MEASURES_MAX];
    uint64_t counted[RECORD_MEASURES_MAX];
    struct record_aggregate group = {.measures = measures, .counted = counted};
    records_sql_aggregate(&c->sql, table, scope, grouping);
    TRY(run_simply(c));
    for (size_t r = 0, n = c->driver->rows(c->link); r < n; r++) {
        read_group(c, r, table, grouping, &group);
        if (!fn(ctx, &group)) break;
    }
    return err_none();
}

/* ---- changes */

static Err run_change(struct records_conn *c, const struct record_table *table) {
    struct postgresql_failure f;
    return run(c, &f) ? err_none() : change_failure(c, table, &f);
}

static Err pg_insert(struct records_conn *c, const struct record_table *table, const Value *row, int64_t *id) {
    records_sql_insert(&c->sql, table, row);
    TRY(run_change(c, table));
    *id = read_cell(c, 0, 0, RECORD_INT).i;
    return err_none();
}

static Err pg_update(struct records_conn *c, const struct record_table *table, int64_t id, const unsigned *columns,
                     const Value *values, size_t n, uint64_t *changed) {
    records_sql_update(&c->sql, table, id, columns, values, n);
    TRY(run_change(c, table));
    *changed = c->driver->changed(c->link);
    return err_none();
}

static Err pg_remove(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                     uint64_t *removed) {
    records_sql_remove(&c->sql, table, scope);
    if (!table->searched) {
        TRY(run_change(c, table));
        *removed = c->driver->changed(c->link);
        return err_none();
    }
    struct buf text = {0};
    buf_c(&text, "WITH gone AS (");
    buf_str(&text, buf_view(&c->sql.text));
    buf_printf(&text,
               " RETURNING \"id\"), silent AS (DELETE FROM \"%s:words\" WHERE \"id\" IN (SELECT \"id\" FROM gone)) "
               "SELECT count(*) FROM gone",
               table->name);
    buf_clear(&c->sql.text);
    buf_str(&c->sql.text, buf_view(&text));
    buf_fini(&text);
    TRY(run_change(c, table));
    *removed = (uint64_t)read_cell(c, 0, 0, RECORD_INT).i;
    return err_none();
}

static Err pg_index(struct records_conn *c, const struct record_table *table, int64_t id, Str words) {
    struct records_bind key = {.value = VALUE_I(id)};
    records_sql_clear(&c->sql);
    if (words.len == 0) {
        records_sql_template(&c->sql, "DELETE FROM \"#:words\" WHERE \"id\" = $::int8", table, 0, &key);
        return run_simply(c);
    }
    struct records_bind list = {.value = VALUE_S(c->sql.dialect->words(&c->sql, words)), .as = RECORDS_BIND_WORDS};
    records_sql_template(&c->sql, "INSERT INTO \"#:words\" (\"id\", words) VALUES ($::int8, ", table, 0, &key);
    records_sql_template(&c->sql, "$::text[]) ON CONFLICT (\"id\") DO UPDATE SET words = EXCLUDED.words", table, 0,
                         &list);
    return run_simply(c);
}

/* ---- connections */

struct setting {
    const char *text;
    enum records_role role;
    bool any_role;
};

static Err set_up(struct records_conn *c) {
    static const struct setting settings[] = {
        {"SET jit = off", 0, true},
        {"SET timezone = 'UTC'", 0, true},
        {"SET lock_timeout = '10s'", 0, true},
        {"SET idle_in_transaction_session_timeout = '60s'", 0, true},
        {"SET statement_timeout = '60s'", RECORDS_WRITER, false},
        {"SET statement_timeout = '30s'", RECORDS_READER, false},
        {"SET default_transaction_read_only = on", RECORDS_READER, false},
        /* a commit returns when it is on the disk, whatever the server's own setting */
        {"SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
         RECORDS_WRITER, false},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].any_role || settings[i].role == c->role) TRY(execute(c, settings[i].text));
    TRY(execute(c, "SELECT current_schema() IS NOT NULL, current_setting('server_encoding') = 'UTF8', "
                   "current_setting('fsync') = 'on', current_setting('server_version_num')::int8 >= 130000"));
    if (!read_cell(c, 0, 0, RECORD_BOOL).b)
        return err_make(ERR_INVALID, "the database has no schema to keep records in: create one, or name it with "
                                     "?options=-csearch_path%%3DNAME");
    if (!read_cell(c, 0, 1, RECORD_BOOL).b)
        return err_make(ERR_INVALID, "the database keeps no UTF-8: create it with ENCODING 'UTF8'");
    if (!read_cell(c, 0, 3, RECORD_BOOL).b)
        return err_make(ERR_INVALID, "the PostgreSQL server is older than 13: use a newer one");
    if (c->role == RECORDS_WRITER && !read_cell(c, 0, 2, RECORD_BOOL).b)
        LOG_WARN("records.fsync",
                 LOG_C("why", "the server runs with fsync = off: a power cut loses what it confirmed"));
    return err_none();
}

/* One writer a schema, as long as its connection lives; the database may need a moment to see that one has ended. */
static Err own_schema(struct records_conn *c) {
    for (Nanos until = clock_monotonic() + OWN_PATIENCE;; clock_sleep(OWN_PAUSE)) {
        TRY(execute(c, "SELECT pg_try_advisory_lock(1466262112, (SELECT oid::int8 % 2147483647 FROM pg_namespace WHERE "
                       "nspname = current_schema())::int4)"));
        if (read_cell(c, 0, 0, RECORD_BOOL).b) return err_none();
        if (clock_monotonic() > until) break;
    }
    return err_make(ERR_LOCKED, "another server writes to this database: stop that one, or use another schema");
}

static void drop_link(struct records_conn *c) {
    c->driver->close(c->link);
    c->link = NULL;
    c->began = c->releases = false;
}

static Err open_link(struct records_conn *c) {
    struct postgresql_failure f;
    if (!c->driver->open(c->url, &c->link, &f)) return failure(&f);
    Err err = set_up(c);
    if (err.code == ERR_NONE && c->role == RECORDS_WRITER) err = own_schema(c);
    if (err.code != ERR_NONE) drop_link(c);
    return err;
}

static void pg_disconnect(struct records_conn *c) {
    if (c->link) drop_link(c);
    records_sql_fini(&c->sql);
    free(c->values);
    free(c->cells);
    free(c->url);
    free(c);
}

/* Reading alone, there must be something to read. */
static Err check_stands(struct records_conn *c) {
    TRY(execute(c, "SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema())"));
    if (read_cell(c, 0, 0, RECORD_BOOL).b) return err_none();
    return err_make(ERR_NOT_FOUND, "no records in this database: name one that a server has used");
}

static Err pg_connect(const struct records_place *place, enum records_role role, struct records_conn **out) {
    const void *driver;
    if (!place->url) return err_make(ERR_INVALID, "which database? say postgresql://USER@HOST/DATABASE");
    TRY(plugin_open("postgresql", &driver));
    struct records_conn *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->driver = driver;
    c->role = role;
    c->read_only = place->read_only;
    c->url = strdup(place->url);
    ASSERT(c->url);
    records_sql_init(&c->sql, &records_sql_postgresql);
    Err err = role == RECORDS_KEEPER ? err_none() : open_link(c);
    if (err.code == ERR_NONE && place->read_only) err = check_stands(c);
    if (err.code == ERR_NONE)
        *out = c;
    else
        pg_disconnect(c);
    return err;
}

/* ---- transactions */

static Err begin(struct records_conn *c) {
    if (c->link && c->driver->lost(c->link)) drop_link(c);
    if (!c->link) {
        TRY(open_link(c));
        LOG_WARN("records.reconnected", LOG_C("as", c->role == RECORDS_WRITER ? "writer" : "reader"));
    }
    c->driver->queue(c->link, c->role == RECORDS_WRITER ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    c->began = true;
    return err_none();
}

/* Nobody waits for it: what is wrong with it shows at the next statement. */
static Err rollback(struct records_conn *c) {
    if (c->began && c->link) {
        c->driver->drop_queue(c->link);
        c->driver->send(c->link, "ROLLBACK");
    }
    c->began = c->releases = false;
    return err_none();
}

static Err pg_step(struct records_conn *c, enum records_step step, uint64_t *log_bytes) {
    if (log_bytes) *log_bytes = 0; /* the database keeps its own log */
    switch (step) {
    case RECORDS_BEGIN: return begin(c);
    case RECORDS_SAVE:
        if (!c->link) return err_make(ERR_BUSY, "the connection to the database was lost: try again");
        if (c->releases) c->driver->queue(c->link, "RELEASE SAVEPOINT job");
        c->releases = false;
        c->driver->queue(c->link, "SAVEPOINT job");
        return err_none();
    case RECORDS_KEEP: c->releases = true; return err_none();
    case RECORDS_UNDO:
        TRY(execute(c, "ROLLBACK TO SAVEPOINT job"));
        c->releases = true;
        return err_none();
    case RECORDS_COMMIT: c->began = c->releases = false; return execute(c, "COMMIT");
    case RECORDS_ROLLBACK: return rollback(c);
    case RECORDS_TEND:
    case RECORDS_FOLD:
    case RECORDS_CHECK: break; /* the server's own */
    }
    return err_none();
}

/* ---- tables */

struct standing {
    bool stands, refers[RECORDS_COLUMNS_MAX];
    char types[RECORDS_COLUMNS_MAX][64]; /* "": the column does not stand */
};

/* Which declared columns stand, with which types, and which of them refer. */
static Err read_table(struct records_conn *c, const struct record_table *table, struct standing *out) {
    *out = (struct standing){0};
    struct records_bind name = {.value = VALUE_S(str_c(table->name))};
    records_sql_clear(&c->sql);
    records_sql_template(
        &c->sql,
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), EXISTS (SELECT 1 FROM pg_constraint "
        "k WHERE k.conrelid = a.attrelid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]) FROM "
        "pg_attribute a WHERE a.attrelid = to_regclass(format('%I.%I', current_schema(), $::text)) AND "
        "a.attnum > 0 AND NOT a.attisdropped",
        table, 0, &name);
    TRY(run_simply(c));
    for (size_t r = 0, n = c->driver->rows(c->link); r < n; r++) {
        Str column = read_cell(c, r, 0, RECORD_TEXT).s;
        out->stands = true;
        for (size_t i = 0; i < table->n_columns; i++) {
            if (!str_eq_c(column, table->columns[i].name)) continue;
            snprintf(out->types[i], sizeof out->types[i], STR_FMT, STR_ARG(read_cell(c, r, 1, RECORD_TEXT).s));
            out->refers[i] = read_cell(c, r, 2, RECORD_BOOL).b;
        }
    }
    return err_none();
}

static Err widen(struct records_conn *c, const struct record_table *table, unsigned column, const char *type) {
    const struct record_column *declared = &table->columns[column];
    char wants[RECORDS_SQL_TYPE_BYTES];
    records_sql_type(c->sql.dialect, declared, wants);
    char *collation = strstr(wants, " COLLATE");
    if (collation) *collation = '\0';
    if (strcmp(type, wants) == 0) return err_none();
    if (type[0])
        return err_make(ERR_INVALID, "'%s' of '%s' is kept as %s but declared %s: give the new field another name",
                        declared->name, table->name, type, wants);
    if (c->role != RECORDS_WRITER)
        return err_make(ERR_INVALID, "the records lack '%s' of '%s': start the server once", declared->name,
                        table->name);
    records_sql_widen(&c->sql, table, column);
    return run_simply(c);
}

static Err declare_words(struct records_conn *c, const struct record_table *table) {
    static const char *const texts[] = {
        "CREATE TABLE IF NOT EXISTS \"#:words\" (\"id\" bigint PRIMARY KEY, words text[] COLLATE \"C\" NOT NULL)",
        "CREATE INDEX IF NOT EXISTS \"#:words_words\" ON \"#:words\" USING gin (words)",
    };
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s:words", table->name);
    if (c->role != RECORDS_WRITER) {
        struct standing found;
        TRY(read_table(c, &(struct record_table){.name = name}, &found));
        if (found.stands) return err_none();
        return err_make(ERR_INVALID, "the records keep no words of '%s': start the server once", table->name);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        records_sql_clear(&c->sql);
        records_sql_template(&c->sql, texts[i], table, 0, NULL);
        TRY(run_simply(c));
    }
    return err_none();
}

static Err check_names(const struct records_conn *c, const struct record_table *table) {
    size_t most = c->sql.dialect->name_bytes;
    if (strlen(table->name) + strlen(":words_words") > most)
        return err_make(ERR_INVALID, "'%.80s…' is too long to name a table in PostgreSQL: shorten it", table->name);
    for (size_t i = 0; i < table->n_columns; i++)
        if (strlen(table->columns[i].name) > most)
            return err_make(ERR_INVALID, "'%.80s…' is too long to name a column in PostgreSQL: shorten it",
                            table->columns[i].name);
    return err_none();
}

static Err declare_columns(struct records_conn *c, const struct record_table *table) {
    struct standing found;
    TRY(check_names(c, table));
    TRY(read_table(c, table, &found));
    if (!found.stands && c->role != RECORDS_WRITER)
        return err_make(ERR_INVALID, "the records lack '%s': start the server once", table->name);
    if (!found.stands) {
        records_sql_create(&c->sql, table);
        TRY(run_simply(c));
    }
    for (unsigned i = 0; found.stands && i < table->n_columns; i++) TRY(widen(c, table, i, found.types[i]));
    for (unsigned i = 0; c->role == RECORDS_WRITER && i < table->n_columns; i++)
        if (records_sql_index(&c->sql, table, i)) TRY(run_simply(c));
    return table->searched ? declare_words(c, table) : err_none();
}

static Err declare_references(struct records_conn *c, const struct record_table *table) {
    struct standing found;
    bool any = false;
    for (size_t i = 0; i < table->n_columns; i++) any = any || table->columns[i].refers;
    if (!any) return err_none();
    TRY(read_table(c, table, &found));
    for (unsigned i = 0; i < table->n_columns; i++) {
        if (!table->columns[i].refers || found.refers[i]) continue;
        records_sql_refer(&c->sql, table, i);
        TRY(run_simply(c));
    }
    return err_none();
}

/* References last, because tables refer to each other. */
static Err declare_all(struct records_conn *c, const struct record_table *const *tables, size_t n) {
    for (size_t i = 0; i < n; i++) TRY(declare_columns(c, tables[i]));
    for (size_t i = 0; i < n && c->role == RECORDS_WRITER; i++) TRY(declare_references(c, tables[i]));
    return err_none();
}

static Err pg_declare(struct records_conn *c, const struct record_table *const *tables, size_t n) {
    TRY(begin(c));
    Err err = declare_all(c, tables, n);
    if (err.code == ERR_NONE) err = pg_step(c, RECORDS_COMMIT, NULL);
    if (err.code != ERR_NONE) rollback(c);
    return err;
}

const struct records_backend records_postgresql = {
    .name = "postgresql",
    .connect = pg_connect,
    .disconnect = pg_disconnect,
    .declare = pg_declare,
    .step = pg_step,
    .select = pg_select,
    .aggregate = pg_aggregate,
    .insert = pg_insert,
    .update = pg_update,
    .remove = pg_remove,
    .index = pg_index,
};
