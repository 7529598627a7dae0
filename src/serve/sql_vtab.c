/*
 * A struct sql_table as a virtual table of SQLite. Conditions that its ops take go down to the store and are tested by
 * SQLite again, but for those on inputs ("search", "width"), which are no values of a row.
 *
 * A module without xCreate makes a table that is there by its name alone, connected when a statement first names it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "serve/sql_inner.h"

struct vtab {
    sqlite3_vtab base;
    struct sql_table *table;
};
struct cursor {
    sqlite3_vtab_cursor base;
    struct sql_scan *scan;
};

static const char *declared(const struct sql_table_column *c) {
    static const char *const types[] = {
        [SQL_TEXT] = "TEXT",       [SQL_INT] = "INTEGER",    [SQL_NUMBER] = "REAL",
        [SQL_DECIMAL] = "DECIMAL", [SQL_BOOL] = "BOOLEAN",   [SQL_TIME] = "TIME TEXT COLLATE TIME",
        [SQL_DATE] = "DATE TEXT",  [SQL_JSON] = "JSON TEXT", [SQL_ANY] = "VALUE"};
    return types[c->kind];
}

static int vtab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out, char **error) {
    struct sql_table *table = aux;
    struct buf text = {0};
    (void)argc;
    (void)argv;
    (void)error;
    buf_c(&text, "CREATE TABLE t(");
    for (size_t i = 0; i < table->about.n_columns; i++) {
        const struct sql_table_column *c = &table->about.columns[i];
        buf_printf(&text, "%s\"%s\" %s", i ? "," : "", c->name, declared(c));
        if (c->kind == SQL_DECIMAL) buf_printf(&text, "(%u)", c->scale);
        if (c->input) buf_c(&text, " HIDDEN");
    }
    buf_c(&text, ")");
    buf_byte(&text, 0);
    table->session->declaring = true; /* SQLite asks whether it may write down what is declared */
    int rc = sqlite3_declare_vtab(db, text.ptr);
    table->session->declaring = false;
    buf_fini(&text);
    if (rc != SQLITE_OK) return rc;
    struct vtab *v = sqlite3_malloc(sizeof *v);
    if (!v) return SQLITE_NOMEM;
    *v = (struct vtab){.table = table};
    sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
    *out = &v->base;
    return SQLITE_OK;
}

static int vtab_disconnect(sqlite3_vtab *v) {
    sqlite3_free(v);
    return SQLITE_OK;
}

/* ---- the plan */

static bool op_of(unsigned char op, enum doc_op *out) {
    static const struct {
        int op;
        enum doc_op is;
    } ops[] = {{SQLITE_INDEX_CONSTRAINT_EQ, DOC_EQ},           {SQLITE_INDEX_CONSTRAINT_IS, DOC_EQ},
               {SQLITE_INDEX_CONSTRAINT_LT, DOC_LT},           {SQLITE_INDEX_CONSTRAINT_LE, DOC_LE},
               {SQLITE_INDEX_CONSTRAINT_GT, DOC_GT},           {SQLITE_INDEX_CONSTRAINT_GE, DOC_GE},
               {SQLITE_INDEX_CONSTRAINT_MATCH, DOC_EQ},        {SQLITE_INDEX_CONSTRAINT_ISNULL, DOC_IS_SET},
               {SQLITE_INDEX_CONSTRAINT_ISNOTNULL, DOC_IS_SET}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (op != ops[i].op) continue;
        *out = ops[i].is;
        return true;
    }
    return false;
}

struct planning {
    const struct sql_table *table;
    sqlite3_index_info *info;
    struct sql_plan plan;
    bool eq[SQL_COLUMNS_MAX], range[SQL_COLUMNS_MAX], missing;
    char words[400];
};

static void say(struct planning *p, const char *fmt, const char *name, const char *op) {
    size_t n = strlen(p->words);
    snprintf(p->words + n, sizeof p->words - n, fmt, n ? " and " : "", name, op);
}

static void take_term(struct planning *p, int i) {
    static const char *const names[] = {
        [DOC_EQ] = "=", [DOC_LT] = "<", [DOC_LE] = "<=", [DOC_GT] = ">", [DOC_GE] = ">="};
    const struct sqlite3_index_constraint *c = &p->info->aConstraint[i];
    enum doc_op op;
    bool limit = c->op == SQLITE_INDEX_CONSTRAINT_LIMIT;
    if (p->plan.n == SQL_TERMS_MAX) return;
    if (!limit && (c->iColumn < 0 || !op_of(c->op, &op))) return;
    const struct sql_table_column *col = limit ? NULL : &p->table->about.columns[c->iColumn];
    if (!limit && !col->input && (!p->table->ops->takes || !p->table->ops->takes(p->table, (unsigned)c->iColumn, op)))
        return;
    if (!c->usable) { /* of a table that another order of the join would read first */
        if (!limit && col->input && op == DOC_EQ) p->missing = true;
        return;
    }
    if (!limit && col->input && op != DOC_EQ) return;
    p->info->aConstraintUsage[i].argvIndex = (int)p->plan.n + 1;
    p->info->aConstraintUsage[i].omit = !limit && col->input;
    p->plan.terms[p->plan.n].limit = limit;
    if (!limit) {
        p->plan.terms[p->plan.n].col = (unsigned)c->iColumn;
        p->plan.terms[p->plan.n].op = op;
        bool *known = op == DOC_EQ ? p->eq : p->range;
        known[c->iColumn] = true;
        if (op == DOC_IS_SET) /* which of the two stands in the plan as the operator's sign */
            p->plan.terms[p->plan.n].op = c->op == SQLITE_INDEX_CONSTRAINT_ISNULL ? DOC_CONTAINS : DOC_IS_SET;
        if (op == DOC_IS_SET)
            say(p, "%s%s %s", col->name, c->op == SQLITE_INDEX_CONSTRAINT_ISNULL ? "is null" : "is not null");
        else
            say(p, "%s%s %s ?", col->name, names[op]);
    }
    p->plan.n++;
}

static void take_order(struct planning *p) {
    const struct sqlite3_index_info *info = p->info;
    p->plan.order = -1;
    if (info->nOrderBy != 1 || info->aOrderBy[0].iColumn < 0 || !p->table->ops->sorts) return;
    if (!p->table->ops->sorts(p->table, (unsigned)info->aOrderBy[0].iColumn)) return;
    p->plan.order = info->aOrderBy[0].iColumn;
    p->plan.descending = info->aOrderBy[0].desc;
    p->info->orderByConsumed = 1;
    size_t n = strlen(p->words);
    snprintf(p->words + n, sizeof p->words - n, "%sin order of %s%s", n ? ", " : "",
             p->table->about.columns[p->plan.order].name, p->plan.descending ? " descending" : "");
}

static int keep_plan(struct planning *p) {
    struct sql_session *s = p->table->session;
    if (s->n_plans == s->cap_plans) {
        size_t cap = s->cap_plans ? 2 * s->cap_plans : 16;
        struct sql_plan *more = cap > 65536 ? NULL : sqlite3_realloc64(s->plans, cap * sizeof *more);
        if (!more) return SQLITE_NOMEM;
        s->plans = more;
        s->cap_plans = cap;
    }
    s->plans[s->n_plans] = p->plan;
    p->info->idxNum = (int)s->n_plans++;
    return SQLITE_OK;
}

static int vtab_best(sqlite3_vtab *v, sqlite3_index_info *info) {
    struct planning p = {.table = ((struct vtab *)v)->table, .info = info};
    if (sql_guard_check(p.table->session).code != ERR_NONE) return SQLITE_INTERRUPT;
    for (int i = 0; i < info->nConstraint; i++) take_term(&p, i);
    if (p.missing) return SQLITE_CONSTRAINT;
    take_order(&p);
    p.plan.used = info->colUsed;
    double rows = p.table->ops->expects ? p.table->ops->expects(p.table, p.eq, p.range) : 1000;
    info->estimatedRows = (sqlite3_int64)(rows < 1 ? 1 : rows);
    info->estimatedCost = 50 + rows; /* to begin costs more than a row */
    info->idxStr = sqlite3_mprintf("%s", p.words[0] ? p.words : "all rows");
    info->needToFreeIdxStr = 1;
    if (!info->idxStr) return SQLITE_NOMEM;
    return keep_plan(&p);
}

/* ---- reading */

static int vtab_open(sqlite3_vtab *v, sqlite3_vtab_cursor **out) {
    (void)v;
    struct cursor *c = sqlite3_malloc(sizeof *c);
    if (!c) return SQLITE_NOMEM;
    memset(c, 0, sizeof *c);
    *out = &c->base;
    return SQLITE_OK;
}

static void end_scan(struct cursor *c) {
    struct sql_scan *scan = c->scan;
    if (!scan) return;
    if (scan->table->ops->end) scan->table->ops->end(scan);
    arena_fini(&scan->page);
    arena_fini(&scan->arena);
    sqlheap_give(&scan->table->session->heap, scan->held);
    free(scan);
    c->scan = NULL;
}

static int vtab_close(sqlite3_vtab_cursor *cursor) {
    end_scan((struct cursor *)cursor);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int failed(const struct sql_scan *scan, Err err) {
    struct sql_session *s = scan->table->session;
    if (s->err.code == ERR_NONE) s->err = err;
    return err.code == ERR_LIMIT && s->heap.refused ? SQLITE_NOMEM : SQLITE_ERROR;
}

/* The ops read other databases on this thread: their memory is not the statement's. */
static int step(struct sql_scan *scan, Err (*fn)(struct sql_scan *scan)) {
    struct sql_session *s = scan->table->session;
    Err err = sql_guard_check(s);
    if (err.code == ERR_NONE) {
        struct sqlheap *before = sqlheap_enter(NULL);
        err = fn(scan);
        sqlheap_leave(before);
    }
    if (err.code != ERR_NONE) return failed(scan, err);
    if (scan->done) return SQLITE_OK;
    s->rows_read++;
    scan->table->rows++;
    return SQLITE_OK;
}

static void add_term(struct sql_scan *scan, const struct sql_plan *plan, size_t i, sqlite3_value *value) {
    struct sql_term *t = &scan->terms[scan->n_terms];
    bool never = false;
    if (plan->terms[i].limit) {
        if (sqlite3_value_type(value) == SQLITE_INTEGER) scan->wanted = sqlite3_value_int64(value);
        return;
    }
    *t = (struct sql_term){.col = plan->terms[i].col, .op = plan->terms[i].op};
    if (t->op == DOC_IS_SET || t->op == DOC_CONTAINS) {
        t->value = VALUE_B(t->op == DOC_IS_SET);
        t->op = DOC_IS_SET;
        scan->n_terms++;
        return;
    }
    if (sql_push_value(&scan->table->about.columns[t->col], &t->op, value, &scan->arena, &t->value, &never))
        scan->n_terms++;
    scan->done = scan->done || never;
}

static int vtab_filter(sqlite3_vtab_cursor *cursor, int number, const char *words, int argc, sqlite3_value **argv) {
    struct cursor *c = (struct cursor *)cursor;
    struct sql_table *table = ((struct vtab *)cursor->pVtab)->table;
    (void)words;
    end_scan(c);
    ASSERT(number >= 0 && (size_t)number < table->session->n_plans);
    const struct sql_plan plan = table->session->plans[number];
    struct sql_scan *scan = calloc(1, table->ops->scan_size);
    ASSERT(scan);
    *scan = (struct sql_scan){.table = table, .order = plan.order, .descending = plan.descending, .used = plan.used};
    arena_init(&scan->arena, 0);
    arena_init(&scan->page, 0);
    c->scan = scan;
    table->opened = true;
    for (size_t i = 0; i < plan.n && i < (size_t)argc; i++) add_term(scan, &plan, i, argv[i]);
    if (scan->done) return SQLITE_OK;
    return step(scan, table->ops->begin);
}

static int vtab_next(sqlite3_vtab_cursor *cursor) {
    struct sql_scan *scan = ((struct cursor *)cursor)->scan;
    return step(scan, scan->table->ops->next);
}

static int vtab_eof(sqlite3_vtab_cursor *cursor) { return ((struct cursor *)cursor)->scan->done; }

static int vtab_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int i) {
    struct sql_scan *scan = ((struct cursor *)cursor)->scan;
    const struct sql_table_column *col = &scan->table->about.columns[i];
    Value v = {.kind = VALUE_NONE};
    struct sqlheap *before = sqlheap_enter(NULL);
    Err err = scan->table->ops->cell(scan, (unsigned)i, &v);
    sqlheap_leave(before);
    if (err.code != ERR_NONE) return failed(scan, err);
    sql_push_result(ctx, col, v);
    return SQLITE_OK;
}

static int vtab_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *out) {
    *out = (sqlite3_int64)((struct cursor *)cursor)->scan->table->rows;
    return SQLITE_OK;
}

/* `search match 'bearing'` is what `search = 'bearing'` is; elsewhere there is nothing to match. */
static void no_match(sqlite3_context *ctx, int argc, sqlite3_value **argv) {
    (void)argc;
    (void)argv;
    sqlite3_result_error(ctx, "only the column 'search' of documents takes MATCH", -1);
}

static int vtab_find(sqlite3_vtab *v, int argc, const char *name,
                     void (**fn)(sqlite3_context *ctx, int argc, sqlite3_value **argv), void **ctx) {
    (void)v;
    if (argc != 2 || sqlite3_stricmp(name, "match") != 0) return 0;
    *fn = no_match;
    *ctx = NULL;
    return 1;
}

static const sqlite3_module module = {
    .iVersion = 1,
    .xConnect = vtab_connect,
    .xBestIndex = vtab_best,
    .xDisconnect = vtab_disconnect,
    .xOpen = vtab_open,
    .xClose = vtab_close,
    .xFilter = vtab_filter,
    .xNext = vtab_next,
    .xEof = vtab_eof,
    .xColumn = vtab_column,
    .xRowid = vtab_rowid,
    .xFindFunction = vtab_find,
};

Err sql_vtab_add(struct sql_session *s, struct sql_table *table) {
    if (s->n_tables == SQL_TABLES_MAX) return err_make(ERR_LIMIT, "more than %u tables: ask in parts", SQL_TABLES_MAX);
    s->tables[s->n_tables++] = table;
    if (sqlite3_create_module_v2(s->db, table->about.name, &module, table, NULL) == SQLITE_OK) return err_none();
    return err_make(ERR_LIMIT, "no memory for another table: use fewer");
}
