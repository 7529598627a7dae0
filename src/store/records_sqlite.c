/*
 * Records in SQLite: one file, DIR/records.db, with its write-ahead log beside it.
 *
 *   WAL with synchronous=FULL: a commit returns when the log is synced. Pages of 16 KiB (8 KiB measured worse).
 *   Checkpoints never run inside a commit: the keeper's connection runs them, or the writer when told to.
 *   Booleans are 0 and 1, times and decimals 64-bit integers, NaN is NULL; tables are STRICT, so that a column only
 * ever holds its kind. The party and the uniqueness of every table are indexes named TABLE_COLUMN or
 * TABLE_COLUMN_unique.
 *
 * This file and sqlite_vfs.c alone include sqlite3.h.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/vec.h"
#include "os/sqlheap.h"
#include "store/records_sql.h"
#include "store/records_view.h"
#include "store/sqlite_vfs.h"

#define PATH_MAX_BYTES 4096
#define STATEMENTS_MAX 64
#define BUSY_MS 5000
#define WRITER_CACHE_KIB 8192
#define READER_CACHE_KIB 1024
#define PAGE_BYTES 16384
#define NEW_WORDS_MAX 256 /* rows whose words wait to be taken into the full-text table; see records_sql_sqlite.c */

struct statement {
    uint64_t hash, used;
    sqlite3_stmt *stmt;
};

struct records_conn {
    sqlite3 *db;
    enum records_role role;
    char vfs[SQLITE_VFS_NAME_MAX]; /* empty: SQLite's own */
    bool owns_vfs;
    char path[PATH_MAX_BYTES];
    struct records_sql sql;
    struct statement statements[STATEMENTS_MAX];
    uint64_t uses, log_bytes;
    struct searched { /* tables that keep words; writer */
        char *name;
        uint64_t waiting;
    } * searched;
    size_t n_searched, cap_searched;
};

/* ---- failures */

static enum err_code code_of(int rc) {
    switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ERR_CORRUPT;
    default: return ERR_IO;
    }
}

/* "UNIQUE constraint failed: part.party, part.code" → the last column's name. */
static Err unique_failure(const char *message) {
    const char *column = strrchr(message, '.');
    return err_make(ERR_CONFLICT, "%s: it exists already, and must be unique", column ? column + 1 : "a value");
}

static Err failure(struct records_conn *c, int rc, const char *doing) {
    int extended = sqlite3_extended_errcode(c->db);
    const char *message = sqlite3_errmsg(c->db);
    if (extended == SQLITE_CONSTRAINT_UNIQUE) return unique_failure(message);
    if (extended == SQLITE_CONSTRAINT_FOREIGNKEY)
        return err_make(ERR_INVALID, "a reference leads nowhere: give the id of something that exists");
    if (rc == SQLITE_ERROR && strcmp(message, "integer overflow") == 0)
        return err_make(ERR_LIMIT, "the sum is larger than 64 bits hold: narrow the filter");
    return err_make(code_of(rc), "records: %s: %s", doing, message);
}

/* ---- statements, kept by their text */

static struct statement *oldest(struct records_conn *c) {
    struct statement *slot = &c->statements[0];
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        if (c->statements[i].used < slot->used) slot = &c->statements[i];
    return slot;
}

static struct statement *find_statement(struct records_conn *c, uint64_t hash, Str text) {
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct statement *s = &c->statements[i];
        if (s->stmt && s->hash == hash && str_eq_c(text, sqlite3_sql(s->stmt))) return s;
    }
    return NULL;
}

static Err prepare(struct records_conn *c, sqlite3_stmt **out) {
    Str text = buf_view(&c->sql.text);
    uint64_t hash = hash_str(text);
    struct statement *slot = find_statement(c, hash, text);
    if (!slot) {
        slot = oldest(c);
        sqlite3_finalize(slot->stmt);
        slot->stmt = NULL;
        int rc = sqlite3_prepare_v3(c->db, text.ptr, (int)text.len, SQLITE_PREPARE_PERSISTENT, &slot->stmt, NULL);
        if (rc != SQLITE_OK) return failure(c, rc, "prepare");
        slot->hash = hash;
    }
    slot->used = ++c->uses;
    *out = slot->stmt;
    return err_none();
}

static int bind_value(sqlite3_stmt *stmt, int at, const struct records_bind *b) {
    Value v = b->value;
    switch (v.kind) {
    case VALUE_INT: return sqlite3_bind_int64(stmt, at, v.i);
    case VALUE_FLOAT: return sqlite3_bind_double(stmt, at, v.f);
    case VALUE_BOOL: return sqlite3_bind_int(stmt, at, v.b);
    case VALUE_STRING: {
        const char *bytes = v.s.ptr ? v.s.ptr : "";
        if (b->as == RECORDS_BIND_BYTES) return sqlite3_bind_blob64(stmt, at, bytes, v.s.len, SQLITE_STATIC);
        return sqlite3_bind_text64(stmt, at, bytes, v.s.len, SQLITE_STATIC, SQLITE_UTF8);
    }
    case VALUE_NONE: break;
    }
    return sqlite3_bind_null(stmt, at);
}

/* The statement of c->sql, with its values; end it with finish(). */
static Err begin(struct records_conn *c, sqlite3_stmt **out) {
    TRY(prepare(c, out));
    for (size_t i = 0; i < c->sql.n_binds; i++) {
        int rc = bind_value(*out, (int)i + 1, &c->sql.binds[i]);
        if (rc != SQLITE_OK) return failure(c, rc, "bind");
    }
    return err_none();
}

/* rc: what the last step gave. */
static Err finish(struct records_conn *c, sqlite3_stmt *stmt, int rc, const char *doing) {
    Err err = rc == SQLITE_DONE || rc == SQLITE_ROW ? err_none() : failure(c, rc, doing);
    sqlite3_reset(stmt);
    return err;
}

static Err run(struct records_conn *c, const char *doing) {
    sqlite3_stmt *stmt;
    TRY(begin(c, &stmt));
    return finish(c, stmt, sqlite3_step(stmt), doing);
}

static Err execute(struct records_conn *c, const char *text) {
    records_sql_clear(&c->sql);
    buf_c(&c->sql.text, text);
    return run(c, text);
}

/* ---- rows */

static Value read_column(sqlite3_stmt *stmt, int at, enum record_kind kind) {
    if (sqlite3_column_type(stmt, at) == SQLITE_NULL) return (Value){.kind = VALUE_NONE};
    switch (kind) {
    case RECORD_DECIMAL:
    case RECORD_INT: return VALUE_I(sqlite3_column_int64(stmt, at));
    case RECORD_REAL: return VALUE_F(sqlite3_column_double(stmt, at));
    case RECORD_BOOL: return VALUE_B(sqlite3_column_int(stmt, at) != 0);
    case RECORD_TEXT:
    case RECORD_BLOB: break;
    }
    const char *bytes = sqlite3_column_blob(stmt, at);
    return VALUE_S(str_n(bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, at)));
}

static Err sqlite_select(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                         const struct records_order *order, records_row_fn *fn, void *ctx) {
    sqlite3_stmt *stmt;
    Value row[RECORDS_COLUMNS_MAX];
    records_sql_select(&c->sql, table, scope, order);
    TRY(begin(c, &stmt));
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (size_t i = 0; i < table->n_columns; i++) row[i] = read_column(stmt, (int)i, table->columns[i].kind);
        if (!fn(ctx, row)) break;
    }
    return finish(c, stmt, rc, "select");
}

/* The kind of a key: a cut time or date stays an integer. */
static void read_group(sqlite3_stmt *stmt, const struct record_table *table, const struct records_grouping *g,
                       struct record_aggregate *out) {
    int at = 0;
    for (size_t i = 0; i < g->n_keys; i++)
        out->keys[i] = read_column(stmt, at++, table->columns[g->keys[i].column].kind);
    out->count = (uint64_t)sqlite3_column_int64(stmt, at++);
    for (size_t i = 0; i < g->n_measures; i++) {
        out->measures[i] = read_column(stmt, at++, table->columns[g->measures[i].column].kind);
        out->counted[i] = (uint64_t)sqlite3_column_int64(stmt, at++);
    }
}

static Err sqlite_aggregate(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                            const struct records_grouping *grouping, records_group_fn *fn, void *ctx) {
    sqlite3_stmt *stmt;
    Value measures[RECORD_MEASURES_MAX];
    uint64_t counted[RECORD_MEASURES_MAX];
    struct record_aggregate group = {.measures = measures, .counted = counted};
    records_sql_aggregate(&c->sql, table, scope, grouping);
    TRY(begin(c, &stmt));
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        read_group(stmt, table, grouping, &group);
        if (!fn(ctx, &group)) break;
    }
    return finish(c, stmt, rc, "count");
}

/* ---- search words */

static struct searched *find_searched(struct records_conn *c, const char *name) {
    for (size_t i = 0; i < c->n_searched; i++)
        if (strcmp(c->searched[i].name, name) == 0) return &c->searched[i];
    return NULL;
}

static Err put_words(struct records_conn *c, const char *name, int64_t id, Str words) {
    records_sql_clear(&c->sql);
    buf_printf(&c->sql.text, "INSERT OR REPLACE INTO \"%s:new\" (id, words) VALUES (", name);
    records_sql_bind(&c->sql, (struct records_bind){.value = VALUE_I(id)});
    buf_c(&c->sql.text, ", ");
    records_sql_bind(&c->sql, (struct records_bind){.value = VALUE_S(words)});
    buf_c(&c->sql.text, ")");
    return run(c, "index");
}

static Err sqlite_index(struct records_conn *c, const struct record_table *table, int64_t id, Str words) {
    struct searched *searched = find_searched(c, table->name);
    ASSERT(searched);
    searched->waiting++;
    return put_words(c, table->name, id, words);
}

static Err take_words_in(struct records_conn *c, const struct searched *table) {
    static const char *const texts[] = {
        "DELETE FROM \"#:words\" WHERE rowid IN (SELECT id FROM \"#:new\")",
        "INSERT INTO \"#:words\" (rowid, words) SELECT id, words FROM \"#:new\" WHERE words <> ''",
        "DELETE FROM \"#:new\"",
    };
    const struct record_table named = {.name = table->name};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        records_sql_clear(&c->sql);
        records_sql_template(&c->sql, texts[i], &named, 0, NULL);
        TRY(run(c, "index"));
    }
    return err_none();
}

/* Outside a transaction; tables of which more than `most` rows wait. What could not be taken in is still found, and
 * tried again. */
static void tend_words(struct records_conn *c, uint64_t most) {
    for (size_t i = 0; i < c->n_searched; i++) {
        struct searched *table = &c->searched[i];
        if (table->waiting <= most) continue;
        table->waiting = 0;
        Err err = execute(c, "BEGIN IMMEDIATE");
        if (err.code == ERR_NONE) err = take_words_in(c, table);
        if (err.code == ERR_NONE) err = execute(c, "COMMIT");
        if (err.code == ERR_NONE) continue;
        if (!sqlite3_get_autocommit(c->db)) execute(c, "ROLLBACK");
        LOG_ERROR("records.words", LOG_C("table", table->name), LOG_C("error", err.text));
    }
}

static void match_words(sqlite3_context *context, int n, sqlite3_value **values) {
    const char *words = (const char *)sqlite3_value_text(values[0]),
               *asked = (const char *)sqlite3_value_text(values[1]);
    ASSERT(n == 2);
    sqlite3_result_int(context, words && asked && records_view_matches(str_c(words), str_c(asked)));
}

/* ---- changes */

static Err sqlite_insert(struct records_conn *c, const struct record_table *table, const Value *row, int64_t *id) {
    records_sql_insert(&c->sql, table, row);
    TRY(run(c, "insert"));
    *id = sqlite3_last_insert_rowid(c->db);
    return err_none();
}

static Err sqlite_update(struct records_conn *c, const struct record_table *table, int64_t id, const unsigned *columns,
                         const Value *values, size_t n, uint64_t *changed) {
    records_sql_update(&c->sql, table, id, columns, values, n);
    TRY(run(c, "update"));
    *changed = (uint64_t)sqlite3_changes64(c->db);
    return err_none();
}

/* The rows that the scope names go, and with them their words: each id is handed back, and then marked. */
static Err remove_searched(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                           uint64_t *removed) {
    struct searched *searched = find_searched(c, table->name);
    sqlite3_stmt *stmt;
    int64_t *ids = NULL;
    size_t n = 0, cap = 0;
    ASSERT(searched);
    records_sql_remove(&c->sql, table, scope);
    buf_c(&c->sql.text, " RETURNING \"id\"");
    TRY(begin(c, &stmt));
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) VEC_PUSH(ids, n, cap, sqlite3_column_int64(stmt, 0));
    Err err = finish(c, stmt, rc, "remove");
    for (size_t i = 0; i < n && err.code == ERR_NONE; i++) err = put_words(c, table->name, ids[i], STR(""));
    free(ids);
    searched->waiting += n;
    *removed = n;
    return err;
}

static Err sqlite_remove(struct records_conn *c, const struct record_table *table, const struct records_scope *scope,
                         uint64_t *removed) {
    if (table->searched) return remove_searched(c, table, scope, removed);
    records_sql_remove(&c->sql, table, scope);
    TRY(run(c, "remove"));
    *removed = (uint64_t)sqlite3_changes64(c->db);
    return err_none();
}

/* ---- transactions and housekeeping */

static int note_log(void *ctx, sqlite3 *db, const char *name, int pages) {
    struct records_conn *c = ctx;
    (void)db, (void)name;
    c->log_bytes = (uint64_t)pages * PAGE_BYTES;
    return SQLITE_OK;
}

static Err tend(struct records_conn *c, bool fold) {
    if (c->role == RECORDS_WRITER) tend_words(c, 0);
    if (c->role == RECORDS_KEEPER || fold) {
        int mode = fold ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE;
        int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, mode, NULL, NULL);
        if (rc != SQLITE_OK) return failure(c, rc, "checkpoint");
    }
    if (!fold) sqlite3_db_release_memory(c->db);
    return err_none();
}

/* Every page, every index against its table. A server's database looks after itself. */
static Err check_files(struct records_conn *c) {
    sqlite3_stmt *stmt;
    records_sql_clear(&c->sql);
    buf_c(&c->sql.text, "PRAGMA integrity_check(1)");
    TRY(begin(c, &stmt));
    int rc = sqlite3_step(stmt);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
    Err err = err_none();
    if (text && strcmp(text, "ok") != 0) err = err_make(ERR_CORRUPT, "%.200s", text);
    Err last = finish(c, stmt, rc, "integrity_check");
    return err.code ? err : last;
}

static Err sqlite_step(struct records_conn *c, enum records_step step, uint64_t *log_bytes) {
    static const char *const texts[] = {
        [RECORDS_BEGIN] = "BEGIN",          [RECORDS_SAVE] = "SAVEPOINT job", [RECORDS_KEEP] = "RELEASE job",
        [RECORDS_UNDO] = "ROLLBACK TO job", [RECORDS_COMMIT] = "COMMIT",      [RECORDS_ROLLBACK] = "ROLLBACK",
    };
    bool writes = c->role == RECORDS_WRITER;
    if (step == RECORDS_CHECK) return check_files(c);
    if (step == RECORDS_TEND || step == RECORDS_FOLD) return tend(c, step == RECORDS_FOLD);
    if (step == RECORDS_ROLLBACK && sqlite3_get_autocommit(c->db)) return err_none(); /* it undid itself */
    if (step == RECORDS_BEGIN && writes) tend_words(c, NEW_WORDS_MAX);
    TRY(execute(c, step == RECORDS_BEGIN && writes ? "BEGIN IMMEDIATE" : texts[step]));
    if (step == RECORDS_UNDO) TRY(execute(c, texts[RECORDS_KEEP]));
    if (step == RECORDS_COMMIT && log_bytes) *log_bytes = c->log_bytes;
    return err_none();
}

/* ---- tables */

/* Does the table stand, and with which type does each declared column stand in it ("" = not)? */
static Err read_table(struct records_conn *c, const struct record_table *table, bool *stands,
                      char types[RECORDS_COLUMNS_MAX][16]) {
    sqlite3_stmt *stmt;
    records_sql_clear(&c->sql);
    buf_printf(&c->sql.text, "SELECT name, type FROM pragma_table_info('%s')", table->name);
    TRY(begin(c, &stmt));
    int rc;
    *stands = false;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        *stands = true;
        for (size_t i = 0; i < table->n_columns; i++)
            if (strcmp((const char *)sqlite3_column_text(stmt, 0), table->columns[i].name) == 0)
                snprintf(types[i], sizeof types[i], "%s", (const char *)sqlite3_column_text(stmt, 1));
    }
    return finish(c, stmt, rc, "table");
}

static Err widen(struct records_conn *c, const struct record_table *table, unsigned column, const char *type) {
    const struct record_column *declared = &table->columns[column];
    char wants[RECORDS_SQL_TYPE_BYTES];
    records_sql_type(&records_sql_sqlite, declared, wants);
    if (strcmp(type, wants) == 0) return err_none();
    if (type[0])
        return err_make(ERR_INVALID, "'%s' of '%s' is kept as %s but declared %s: give the new field another name",
                        declared->name, table->name, type, wants);
    if (c->role != RECORDS_WRITER)
        return err_make(ERR_INVALID, "the records lack '%s' of '%s': start the server once", declared->name,
                        table->name);
    records_sql_widen(&c->sql, table, column);
    return run(c, "add column");
}

/* The two tables of a searched table's words. What an earlier run left waiting is taken in with the first rest. */
static Err declare_words(struct records_conn *c, const struct record_table *table) {
    static const char *const texts[] = {
        "CREATE VIRTUAL TABLE IF NOT EXISTS \"#:words\" USING fts5(words, detail=none, columnsize=0, tokenize='ascii')",
        "CREATE TABLE IF NOT EXISTS \"#:new\" (id INTEGER PRIMARY KEY, words TEXT NOT NULL) STRICT",
    };
    char name[128];
    struct record_column id = {.name = "id", .kind = RECORD_INT};
    struct record_table counted = {.name = name, .columns = &id, .n_columns = 1};
    bool stands;
    char types[RECORDS_COLUMNS_MAX][16] = {{0}};
    if ((size_t)snprintf(name, sizeof name, "%s:new", table->name) >= sizeof name)
        return err_make(ERR_INVALID, "the name '%.80s…' is too long for a table", table->name);
    if (c->role != RECORDS_WRITER) {
        TRY(read_table(c, &counted, &stands, types));
        if (stands) return err_none();
        return err_make(ERR_INVALID, "the records keep no words of '%s': start the server once", table->name);
    }
    for (size_t i = 0; i < 2; i++) {
        records_sql_clear(&c->sql);
        records_sql_template(&c->sql, texts[i], table, 0, NULL);
        TRY(run(c, "create words"));
    }
    if (find_searched(c, table->name)) return err_none();
    struct searched searched = {.name = strdup(table->name), .waiting = 1};
    ASSERT(searched.name);
    VEC_PUSH(c->searched, c->n_searched, c->cap_searched, searched);
    return err_none();
}

static Err declare_now(struct records_conn *c, const struct record_table *table) {
    bool stands;
    char types[RECORDS_COLUMNS_MAX][16] = {{0}};
    TRY(read_table(c, table, &stands, types));
    if (!stands && c->role != RECORDS_WRITER)
        return err_make(ERR_INVALID, "the records lack '%s': start the server once", table->name);
    if (!stands) {
        records_sql_create(&c->sql, table);
        TRY(run(c, "create table"));
    }
    for (unsigned i = 0; stands && i < table->n_columns; i++) TRY(widen(c, table, i, types[i]));
    for (unsigned i = 0; c->role == RECORDS_WRITER && i < table->n_columns; i++)
        if (records_sql_index(&c->sql, table, i)) TRY(run(c, "create index"));
    return table->searched ? declare_words(c, table) : err_none();
}

static Err declare_all(struct records_conn *c, const struct record_table *const *tables, size_t n) {
    for (size_t i = 0; i < n; i++) TRY(declare_now(c, tables[i]));
    return err_none();
}

static Err sqlite_declare(struct records_conn *c, const struct record_table *const *tables, size_t n) {
    if (c->role != RECORDS_WRITER) return declare_all(c, tables, n);
    TRY(execute(c, "BEGIN IMMEDIATE"));
    Err err = declare_all(c, tables, n);
    if (err.code == ERR_NONE) err = execute(c, "COMMIT");
    if (err.code != ERR_NONE) sqlite_step(c, RECORDS_ROLLBACK, NULL);
    return err;
}

/* ---- connections */

static void sqlite_disconnect(struct records_conn *c) {
    for (size_t i = 0; i < STATEMENTS_MAX; i++) sqlite3_finalize(c->statements[i].stmt);
    sqlite3_close(c->db);
    if (c->owns_vfs) sqlite_vfs_remove(c->vfs);
    records_sql_fini(&c->sql);
    for (size_t i = 0; i < c->n_searched; i++) free(c->searched[i].name);
    free(c->searched);
    free(c);
}

static Err set_up(struct records_conn *c) {
    bool writes = c->role == RECORDS_WRITER;
    char cache[64];
    snprintf(cache, sizeof cache, "PRAGMA cache_size=-%d", writes ? WRITER_CACHE_KIB : READER_CACHE_KIB);
    const char *const settings[] = {
        writes ? "PRAGMA page_size=16384" : NULL,
        writes ? "PRAGMA journal_mode=WAL" : NULL, /* kept in the file */
        "PRAGMA synchronous=FULL",
        "PRAGMA foreign_keys=ON",
        "PRAGMA trusted_schema=OFF",
        "PRAGMA cell_size_check=ON",
        "PRAGMA temp_store=MEMORY",
        cache,
        "SELECT count(*) FROM sqlite_schema", /* reads, so that damage shows now and a log left by a crash is applied */
    };
    sqlite3_busy_timeout(c->db, BUSY_MS);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i]) TRY(execute(c, settings[i]));
    int rc = sqlite3_create_function_v2(c->db, "weft_match", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, match_words,
                                        NULL, NULL, NULL);
    if (rc != SQLITE_OK) return failure(c, rc, "function");
    sqlite3_wal_autocheckpoint(c->db, 0);
    sqlite3_wal_hook(c->db, note_log, c);
    return err_none();
}

/* What a killed process wrote to the log but had not synced is read as committed now, and a power cut could still take
 * it back: nobody may see it before a checkpoint has synced it. */
static Err make_durable(struct records_conn *c) {
    int rc = sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc == SQLITE_OK ? err_none() : failure(c, rc, "checkpoint");
}

static Err open_database(struct records_conn *c, const struct records_place *place) {
    int n = snprintf(c->path, sizeof c->path, "%s/records.db", place->dir);
    if (n < 0 || (size_t)n >= sizeof c->path) return err_make(ERR_INVALID, "the data folder's name is too long");
    if (place->read_only && !file_exists(place->fs ? place->fs : file_disk, c->path))
        return err_make(ERR_NOT_FOUND, "no records in '%s': name a data folder that a server has used", place->dir);
    if (place->fs) sqlite_vfs_name(place->fs, c->vfs);
    if (place->fs && c->role == RECORDS_WRITER) {
        TRY(sqlite_vfs_add(place->fs));
        c->owns_vfs = true;
    }
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    flags |= place->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (c->role == RECORDS_WRITER) flags |= SQLITE_OPEN_CREATE;
    int rc = sqlite3_open_v2(c->path, &c->db, flags, place->fs ? c->vfs : NULL);
    if (rc != SQLITE_OK)
        return err_make(code_of(rc), "open '%s': %s", c->path, c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc));
    TRY(set_up(c));
    return c->role == RECORDS_WRITER ? make_durable(c) : err_none();
}

static Err sqlite_connect(const struct records_place *place, enum records_role role, struct records_conn **out) {
    struct records_conn *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->role = role;
    records_sql_init(&c->sql, &records_sql_sqlite);
    /* What a savepoint needs to undo stays in memory, not in temporary files. Refused, and then already so, once SQLite
     * has started. */
    if (role == RECORDS_WRITER) sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
    sqlheap_install();
    Err err = open_database(c, place);
    if (err.code == ERR_NONE)
        *out = c;
    else
        sqlite_disconnect(c);
    return err;
}

const struct records_backend records_sqlite = {
    .name = "sqlite",
    .connect = sqlite_connect,
    .disconnect = sqlite_disconnect,
    .declare = sqlite_declare,
    .step = sqlite_step,
    .select = sqlite_select,
    .aggregate = sqlite_aggregate,
    .insert = sqlite_insert,
    .update = sqlite_update,
    .remove = sqlite_remove,
    .index = sqlite_index,
};
