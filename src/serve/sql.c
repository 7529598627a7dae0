/* One statement, from its text to its rows. Everything it takes ends with it: the connection is its own. */
#include "serve/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/sql_inner.h"

#define ROWS_DEFAULT 1000000
#define MEMORY_DEFAULT ((size_t)128 << 20)
#define TIME_DEFAULT (30 * NANOS_PER_S)

static const char *const kind_names[] = {[SQL_TEXT] = "text",       [SQL_INT] = "integer",  [SQL_NUMBER] = "number",
                                         [SQL_DECIMAL] = "decimal", [SQL_BOOL] = "boolean", [SQL_TIME] = "time",
                                         [SQL_DATE] = "date",       [SQL_JSON] = "json",    [SQL_ANY] = "any"};

const char *sql_kind_name(enum sql_kind kind) { return kind_names[kind]; }

/* ---- the text */

static Err prepare_once(struct sql_session *s, Str text, sqlite3_stmt **out, int *rc) {
    const char *tail = NULL;
    *rc = sqlite3_prepare_v2(s->db, text.ptr, (int)text.len, out, &tail);
    if (*rc != SQLITE_OK) return err_none();
    if (!*out) return err_make(ERR_INVALID, "the statement is empty: write select … from …");
    sqlite3_stmt *more = NULL;
    if (tail && tail < text.ptr + text.len)
        (void)sqlite3_prepare_v2(s->db, tail, (int)(text.ptr + text.len - tail), &more, NULL);
    bool second = more != NULL || sqlite3_errcode(s->db) != SQLITE_OK;
    sqlite3_finalize(more);
    return second ? err_make(ERR_INVALID, "one statement at a time: leave out what stands behind the first ';'")
                  : err_none();
}

/* Tables are made as they are named. */
static Err prepare(struct sql_session *s, Str text, sqlite3_stmt **out) {
    for (;;) {
        int rc;
        Err why;
        TRY(prepare_once(s, text, out, &rc));
        if (rc == SQLITE_OK) break;
        Str name = sql_errors_missing(s, "no such table: ");
        if (name.len == 0) return sql_errors_say(s, rc, text);
        if (str_starts(name, STR("main."))) name = str_slice(name, 5, name.len);
        struct sqlheap *before = sqlheap_enter(NULL);
        struct sql_table *table = sql_names_make(s, arena_str(s->arena, name), &why);
        sqlheap_leave(before);
        TRY(why);
        if (!table) return sql_errors_say(s, rc, text);
        TRY(sql_vtab_add(s, table));
    }
    if (sqlite3_stmt_readonly(*out)) return err_none();
    return err_make(ERR_INVALID, "only SELECT is run here: documents are written at /api/v1/docs");
}

/* ---- parameters */

static int bind_one(sqlite3_stmt *stmt, int i, const struct json *v) {
    switch (json_kind(v)) {
    case JSON_NULL: return sqlite3_bind_null(stmt, i);
    case JSON_BOOL: return sqlite3_bind_int(stmt, i, json_bool(v));
    case JSON_INT: return sqlite3_bind_int64(stmt, i, json_int(v));
    case JSON_REAL: return sqlite3_bind_double(stmt, i, json_num(v));
    case JSON_STRING: return sqlite3_bind_text(stmt, i, json_str(v).ptr, (int)json_str(v).len, SQLITE_TRANSIENT);
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return SQLITE_MISMATCH;
}

static const struct json *param_at(const struct json *params, const char *name, int i) {
    if (!params) return NULL;
    if (json_kind(params) == JSON_OBJECT) return name ? json_get(params, name + 1) : NULL;
    return json_kind(params) == JSON_ARRAY && (size_t)i <= json_len(params) ? json_at(params, (size_t)i - 1) : NULL;
}

static Err bind(struct sql_session *s, sqlite3_stmt *stmt) {
    const struct json *params = s->order->params;
    int n = sqlite3_bind_parameter_count(stmt);
    if (params && json_kind(params) == JSON_ARRAY && (int)json_len(params) > n)
        return err_make(ERR_INVALID, "%zu parameters for %d places in the statement", json_len(params), n);
    for (int i = 1; i <= n; i++) {
        const char *name = sqlite3_bind_parameter_name(stmt, i);
        const struct json *v = param_at(params, name, i);
        if (!v) return err_make(ERR_INVALID, "no value for parameter %s%d of the statement", name ? name : "?", i);
        if (bind_one(stmt, i, v) != SQLITE_OK)
            return err_make(ERR_INVALID, "parameter %d is a text, a number, true, false or null", i);
    }
    return err_none();
}

/* ---- rows */

static struct sql_column column_of(sqlite3_stmt *stmt, int i) {
    static const struct {
        const char *type;
        enum sql_kind kind;
    } types[] = {{"TIME TEXT", SQL_TIME}, {"DATE TEXT", SQL_DATE}, {"JSON TEXT", SQL_JSON}, {"TEXT", SQL_TEXT},
                 {"INTEGER", SQL_INT},    {"REAL", SQL_NUMBER},    {"BOOLEAN", SQL_BOOL}};
    struct sql_column c = {.name = sqlite3_column_name(stmt, i), .kind = SQL_ANY};
    const char *type = sqlite3_column_decltype(stmt, i);
    if (!type) return c;
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (strcmp(type, types[k].type) == 0) c.kind = types[k].kind;
    if (strncmp(type, "DECIMAL(", 8) == 0) {
        c.kind = SQL_DECIMAL;
        c.scale = (unsigned)strtoul(type + 8, NULL, 10);
    }
    return c;
}

static Str text_at(sqlite3_stmt *stmt, int i) {
    const char *text = (const char *)sqlite3_column_text(stmt, i);
    return text ? str_n(text, (size_t)sqlite3_column_bytes(stmt, i)) : (Str){0};
}

/* Of up to 15 digits a decimal is one double: it comes out as it went in. */
static struct sql_value decimal_at(struct arena *row, sqlite3_stmt *stmt, int i, unsigned scale) {
    char text[400];
    int n = snprintf(text, sizeof text, "%.*f", (int)scale, sqlite3_column_double(stmt, i));
    return (struct sql_value){SQL_DECIMAL, VALUE_S(arena_str(row, str_n(text, (size_t)n)))};
}

static struct sql_value value_at(struct arena *row, sqlite3_stmt *stmt, int i, const struct sql_column *c) {
    struct sql_value none = {.kind = c->kind};
    switch (sqlite3_column_type(stmt, i)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
        if (c->kind == SQL_DECIMAL) return decimal_at(row, stmt, i, c->scale);
        if (sqlite3_column_type(stmt, i) == SQLITE_FLOAT)
            return (struct sql_value){SQL_NUMBER, VALUE_F(sqlite3_column_double(stmt, i))};
        return (struct sql_value){c->kind == SQL_BOOL ? SQL_BOOL : SQL_INT, VALUE_I(sqlite3_column_int64(stmt, i))};
    case SQLITE_TEXT: return (struct sql_value){c->kind == SQL_ANY ? SQL_TEXT : c->kind, VALUE_S(text_at(stmt, i))};
    case SQLITE_BLOB: return (struct sql_value){SQL_TEXT, VALUE_S(text_at(stmt, i))};
    default: return none;
    }
}

struct running {
    struct sql_session *s;
    sqlite3_stmt *stmt;
    const struct sql_sink *sink;
    struct sql_report *report;
    struct sql_column *columns;
    struct sql_value *row;
    size_t n;
    struct arena texts; /* of one row */
};

static Err give_row(struct running *r) {
    arena_reset(&r->texts);
    for (size_t i = 0; i < r->n; i++) r->row[i] = value_at(&r->texts, r->stmt, (int)i, &r->columns[i]);
    struct sqlheap *before = sqlheap_enter(NULL);
    Err err = r->sink->row(r->sink->ctx, r->row, r->n);
    sqlheap_leave(before);
    r->report->rows++;
    return err;
}

static Err step_all(struct running *r) {
    size_t most = r->s->order->limits.rows;
    for (;;) {
        int rc = sqlite3_step(r->stmt);
        if (rc == SQLITE_DONE) return err_none();
        if (rc != SQLITE_ROW) return sql_errors_say(r->s, rc, r->s->order->text);
        if (r->report->rows == most && r->s->order->limits.cut) {
            r->report->cut = true;
            return err_none();
        }
        if (r->report->rows == most)
            return err_make(ERR_LIMIT, "more than %zu rows: add LIMIT, bound the time, or group", most);
        TRY(give_row(r));
    }
}

static Err run_prepared(struct running *r) {
    r->n = (size_t)sqlite3_column_count(r->stmt);
    r->columns = arena_zero(r->s->arena, r->n + 1, sizeof *r->columns);
    r->row = arena_zero(r->s->arena, r->n + 1, sizeof *r->row);
    for (size_t i = 0; i < r->n; i++) r->columns[i] = column_of(r->stmt, (int)i);
    TRY(bind(r->s, r->stmt));
    TRY(r->sink->columns(r->sink->ctx, r->columns, r->n));
    return step_all(r);
}

/* ---- what was read */

static int by_id(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void tell(const struct sql_session *s, struct sql_report *report) {
    report->seen = arena_zero(s->arena, s->n_tables + 1, sizeof *report->seen);
    for (size_t i = 0; i < s->n_tables; i++) {
        struct sql_table *t = s->tables[i];
        if (!t->opened) continue;
        struct sql_seen *seen = &report->seen[report->n_seen++];
        *seen = (struct sql_seen){.table = t->about.name,
                                  .type = t->type,
                                  .lens = t->lens,
                                  .rows = t->rows,
                                  .what = arena_str(s->arena, buf_view(&t->what))};
        if (t->n_ids == 0) continue;
        qsort(t->ids, t->n_ids, sizeof *t->ids, by_id);
        seen->ids = arena_zero(s->arena, t->n_ids, sizeof *seen->ids);
        for (size_t k = 0; k < t->n_ids; k++)
            if (k == 0 || t->ids[k] != t->ids[k - 1]) seen->ids[seen->n_ids++] = t->ids[k];
    }
}

static void end(struct sql_session *s) {
    sqlite3_close_v2(s->db);
    sqlite3_free(s->plans);
    for (size_t i = 0; i < s->n_tables; i++) {
        free(s->tables[i]->ids);
        buf_fini(&s->tables[i]->what);
    }
    ASSERT(s->heap.used == 0);
}

static struct sql_order with_defaults(const struct sql_order *order) {
    struct sql_order o = *order;
    if (o.limits.rows == 0) o.limits.rows = ROWS_DEFAULT;
    if (o.limits.memory == 0) o.limits.memory = MEMORY_DEFAULT;
    if (o.limits.time == 0) o.limits.time = TIME_DEFAULT;
    return o;
}

static void init(struct sql_session *s, const struct sql_source *source, const struct sql_order *order,
                 struct arena *arena) {
    *s = (struct sql_session){.source = source, .order = order, .arena = arena};
    s->heap.limit = order->limits.memory;
    s->deadline = clock_monotonic() + order->limits.time;
    s->now = clock_now(source->clock);
}

static Err run(struct sql_session *s, Str text, const struct sql_sink *sink, struct sql_report *report) {
    struct running r = {.s = s, .sink = sink, .report = report};
    TRY(sql_guard_open(s));
    Err err = prepare(s, text, &r.stmt);
    arena_init(&r.texts, 0);
    if (err.code == ERR_NONE) err = run_prepared(&r);
    sqlite3_finalize(r.stmt);
    arena_fini(&r.texts);
    return err;
}

Err sql_run(const struct sql_source *source, const struct sql_order *asked, const struct sql_sink *sink,
            struct arena *arena, struct sql_report *report) {
    struct sql_session s;
    struct sql_order order = with_defaults(asked);
    Nanos began = clock_monotonic();
    *report = (struct sql_report){0};
    init(&s, source, &order, arena);
    sqlheap_install();
    struct sqlheap *before = sqlheap_enter(&s.heap);
    sql_guard_run(&s);
    Err err = run(&s, order.text, sink, report);
    tell(&s, report);
    report->rows_read = s.rows_read;
    report->peak = s.heap.peak;
    end(&s);
    sql_guard_run(NULL);
    sqlheap_leave(before);
    report->seconds = (double)(clock_monotonic() - began) / 1e9;
    return err;
}

/* ---- how it would be read */

struct plan_lines {
    struct arena *arena;
    Str *lines;
    size_t n;
    int64_t parents[64], depths[64];
};

static Err no_columns(void *ctx, const struct sql_column *columns, size_t n) {
    (void)ctx;
    (void)columns;
    (void)n;
    return err_none();
}

/* id, parent, -, detail: "SCAN t VIRTUAL TABLE INDEX 3:words" */
static Err take_line(void *ctx, const struct sql_value *row, size_t n) {
    struct plan_lines *p = ctx;
    int64_t depth = 0;
    if (n < 4 || p->n == 64) return err_none();
    for (size_t i = 0; i < p->n; i++)
        if (p->parents[i] == row[1].value.i) depth = p->depths[i] + 1;
    Str text = row[3].value.s, head = text, tail = {0};
    ptrdiff_t at = str_find(text, STR(" VIRTUAL TABLE INDEX "));
    if (at >= 0) {
        head = str_slice(text, 0, (size_t)at);
        str_cut(str_slice(text, (size_t)at + 21, text.len), ':', &tail, &tail);
    }
    p->parents[p->n] = row[0].value.i;
    p->depths[p->n] = depth;
    p->lines[p->n++] = arena_printf(p->arena, "%*s" STR_FMT "%s" STR_FMT, (int)depth * 2, "", STR_ARG(head),
                                    tail.len ? ": " : "", STR_ARG(tail));
    return err_none();
}

Err sql_explain(const struct sql_source *source, const struct sql_order *asked, struct arena *arena, Str **lines,
                size_t *n) {
    struct sql_report report;
    struct plan_lines p = {.arena = arena, .lines = arena_zero(arena, 64, sizeof *p.lines)};
    struct sql_order order = *asked;
    struct sql_sink sink = {no_columns, take_line, &p};
    order.text = arena_printf(arena, "explain query plan " STR_FMT, STR_ARG(asked->text));
    TRY(sql_run(source, &order, &sink, arena, &report));
    *lines = p.lines;
    *n = p.n;
    return err_none();
}

Err sql_tables(const struct sql_source *source, struct arena *arena, struct sql_table_about **out, size_t *n) {
    struct sql_session s;
    struct sql_order order = with_defaults(&(struct sql_order){0});
    init(&s, source, &order, arena);
    return sql_names_list(&s, out, n);
}
