/*
 * Lenses and checks for every backend alike: a backend is handed only requests that are well-formed and already
 * narrowed to what the lens shows.
 */
#include "store/records_txn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/records_backend.h"
#include "store/records_system.h"

#define LIMIT_DEFAULT 50
#define GROUPS_MAX 10000
#define CURSOR_TEXT_MAX 256 /* a longer value is not written into the cursor but read again from its row */

static const struct lens own_lens = {.every_party = true, .fields = UINT64_MAX, .purpose = "numbers"};

static bool hidden(const struct lens *lens, const struct record_table *table, unsigned column) {
    if (table->fields_at == 0 || column < table->fields_at) return false;
    unsigned field = column - table->fields_at;
    return field >= 64 || !(lens->fields >> field & 1);
}

static Err check_column(const struct lens *lens, const struct record_table *table, unsigned column) {
    ASSERT(column < table->n_columns);
    if (!hidden(lens, table, column)) return err_none();
    return err_make(ERR_INVALID, "no field '%s'", table->columns[column].name);
}

static bool fits(enum record_kind kind, Value v) {
    static const enum value_kind wants[] = {[RECORD_INT] = VALUE_INT,
                                            [RECORD_REAL] = VALUE_FLOAT,
                                            [RECORD_TEXT] = VALUE_STRING,
                                            [RECORD_BOOL] = VALUE_BOOL,
                                            [RECORD_BLOB] = VALUE_STRING};
    return v.kind == VALUE_NONE || v.kind == wants[kind] || (kind == RECORD_REAL && v.kind == VALUE_INT);
}

static Err check_filter(const struct lens *lens, const struct record_table *table, const struct record_filter *filter,
                        unsigned depth) {
    if (!filter) return err_none();
    if (depth > RECORD_FILTER_DEPTH_MAX)
        return err_make(ERR_INVALID, "a filter nested deeper than %d: simplify it", RECORD_FILTER_DEPTH_MAX);
    if (filter->op == RECORD_AND || filter->op == RECORD_OR) {
        for (size_t i = 0; i < filter->n_parts; i++) TRY(check_filter(lens, table, &filter->parts[i], depth + 1));
        return err_none();
    }
    TRY(check_column(lens, table, filter->column));
    if (filter->op == RECORD_IS_SET) {
        ASSERT(filter->value.kind == VALUE_BOOL);
        return err_none();
    }
    enum record_kind kind = table->columns[filter->column].kind;
    if (filter->op == RECORD_CONTAINS && kind != RECORD_TEXT)
        return err_make(ERR_INVALID, "'%s' is no text to search in", table->columns[filter->column].name);
    ASSERT(fits(kind, filter->value) || (kind == RECORD_INT && filter->value.kind == VALUE_FLOAT));
    return err_none();
}

static struct records_scope scope_of(const struct lens *lens, const struct record_filter *filter) {
    return (struct records_scope){.party = lens->party, .every_party = lens->every_party, .filter = filter};
}

/* ---- rows into the caller's arena */

struct collect {
    struct arena *arena;
    const struct lens *lens;
    const struct record_table *table;
    Value **rows;
    size_t n, cap;
};

static Value *copy_row(const struct collect *c, const Value *row) {
    size_t n = c->table->n_columns;
    Value *copy = arena_alloc(c->arena, n * sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = hidden(c->lens, c->table, (unsigned)i) ? (Value){.kind = VALUE_NONE} : row[i];
        if (copy[i].kind == VALUE_STRING) copy[i].s = arena_str(c->arena, copy[i].s);
    }
    return copy;
}

static bool collect_row(void *ctx, const Value *row) {
    struct collect *c = ctx;
    ASSERT(c->n < c->cap);
    c->rows[c->n++] = copy_row(c, row);
    return true;
}

/* ---- cursors: what the last row had, as text: "3d.41.i1700000000" = column 3 descending, id 41, value 1700000000 */

static Str cursor_make(const struct record_query *query, const Value *row, struct arena *arena) {
    Value v = row[query->sort];
    int64_t id = row[RECORD_ID].i;
    char order = query->descending ? 'd' : 'a';
    if (v.kind == VALUE_INT) return arena_printf(arena, "%u%c.%" PRId64 ".i%" PRId64, query->sort, order, id, v.i);
    if (v.kind == VALUE_BOOL) return arena_printf(arena, "%u%c.%" PRId64 ".b%d", query->sort, order, id, v.b);
    if (v.kind == VALUE_NONE) return arena_printf(arena, "%u%c.%" PRId64 ".n", query->sort, order, id);
    if (v.kind == VALUE_FLOAT) {
        uint64_t bits;
        memcpy(&bits, &v.f, sizeof bits);
        return arena_printf(arena, "%u%c.%" PRId64 ".f%016" PRIx64, query->sort, order, id, bits);
    }
    if (v.s.len > CURSOR_TEXT_MAX) return arena_printf(arena, "%u%c.%" PRId64 ".l", query->sort, order, id);
    char hex[2 * CURSOR_TEXT_MAX + 1] = "";
    for (size_t i = 0; i < v.s.len; i++) snprintf(hex + 2 * i, 3, "%02x", (unsigned char)v.s.ptr[i]);
    return arena_printf(arena, "%u%c.%" PRId64 ".s%s", query->sort, order, id, hex);
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

static bool parse_hex(Str text, struct arena *arena, Str *out) {
    if (text.len % 2 || text.len > 2 * CURSOR_TEXT_MAX) return false;
    char *bytes = arena_alloc(arena, text.len / 2 + 1);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i / 2] = (char)(high << 4 | low);
    }
    *out = str_n(bytes, text.len / 2);
    return true;
}

static bool parse_cursor_value(Str text, enum record_kind kind, struct arena *arena, Value *out) {
    if (text.len == 0) return false;
    Str rest = str_slice(text, 1, text.len), raw;
    int64_t i;
    switch (text.ptr[0]) {
    case 'n': *out = (Value){.kind = VALUE_NONE}; return rest.len == 0;
    case 'i':
        if (!str_to_i64(rest, &i)) return false;
        *out = VALUE_I(i);
        break;
    case 'b': *out = VALUE_B(str_eq_c(rest, "1")); break;
    case 'f':
        if (rest.len != 16 || !parse_hex(rest, arena, &raw)) return false;
        uint64_t bits = 0;
        for (size_t k = 0; k < 8; k++) bits = bits << 8 | (unsigned char)raw.ptr[k];
        *out = VALUE_F(0);
        memcpy(&out->f, &bits, sizeof bits);
        if (out->f != out->f) return false;
        break;
    case 's':
        if (!parse_hex(rest, arena, &raw)) return false;
        *out = VALUE_S(raw);
        break;
    default: return false;
    }
    return fits(kind, *out);
}

/* The value of a row whose own was too long for the cursor. */
static Err reread_value(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                        unsigned column, struct arena *arena, struct records_order *order) {
    Value *row;
    TRY(records_txn_get(txn, lens, table, order->after_id, arena, &row));
    if (!row) return err_make(ERR_INVALID, "the cursor's row is gone: start again without it");
    order->after_value = row[column];
    return err_none();
}

static Err parse_cursor(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                        const struct record_query *query, struct arena *arena, struct records_order *order) {
    Str head, rest, id, value = {0};
    char want[16];
    int n = snprintf(want, sizeof want, "%u%c", query->sort, query->descending ? 'd' : 'a');
    if (!str_cut(query->cursor, '.', &head, &rest) || !str_cut(rest, '.', &id, &value) ||
        !str_to_i64(id, &order->after_id) ||
        (!str_eq_c(value, "l") &&
         !parse_cursor_value(value, table->columns[query->sort].kind, arena, &order->after_value)))
        return err_make(ERR_INVALID, "the cursor is not one of ours: start again without it");
    if (!str_eq(head, str_n(want, (size_t)n)))
        return err_make(ERR_INVALID, "the cursor belongs to another order: start again without it");
    order->resumes = true;
    return str_eq_c(value, "l") ? reread_value(txn, lens, table, query->sort, arena, order) : err_none();
}

/* ---- reading */

Err records_txn_get(struct records_txn *txn, const struct lens *lens, const struct record_table *table, int64_t id,
                    struct arena *arena, Value **row) {
    return records_txn_find(txn, lens, table, RECORD_ID, VALUE_I(id), arena, row);
}

Err records_txn_find(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                     unsigned column, Value value, struct arena *arena, Value **row) {
    struct record_filter filter = {.op = RECORD_EQ, .column = column, .value = value};
    TRY(check_filter(lens, table, &filter, 1));
    struct records_scope scope = scope_of(lens, &filter);
    struct records_order order = {.sort = RECORD_ID, .limit = 1};
    struct collect c = {.arena = arena, .lens = lens, .table = table, .rows = row, .cap = 1};
    *row = NULL;
    return txn->backend->select(txn->conn, table, &scope, &order, collect_row, &c);
}

Err records_txn_select(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                       const struct record_query *query, struct arena *arena, struct record_page *out) {
    *out = (struct record_page){0};
    TRY(check_column(lens, table, query->sort));
    TRY(check_filter(lens, table, query->filter, 1));
    size_t limit = query->limit ? query->limit : LIMIT_DEFAULT;
    struct records_order order = {.sort = query->sort, .descending = query->descending, .limit = limit + 1};
    if (query->cursor.len > 0) TRY(parse_cursor(txn, lens, table, query, arena, &order));
    struct records_scope scope = scope_of(lens, query->filter);
    struct collect c = {.arena = arena, .lens = lens, .table = table, .cap = limit + 1};
    c.rows = arena_zero(arena, limit + 1, sizeof *c.rows);
    TRY(txn->backend->select(txn->conn, table, &scope, &order, collect_row, &c));
    out->rows = c.rows;
    out->n = c.n < limit ? c.n : limit;
    if (c.n > limit) out->next = cursor_make(query, c.rows[limit - 1], arena);
    if (query->total) TRY(records_txn_count(txn, lens, table, query->filter, &out->total));
    return err_none();
}

struct groups {
    struct arena *arena;
    struct record_group *list;
    size_t n, cap;
};

static bool collect_group(void *ctx, const struct record_group *group) {
    struct groups *g = ctx;
    if (g->n == g->cap) {
        size_t cap = g->cap ? 2 * g->cap : 16;
        struct record_group *list = arena_alloc(g->arena, cap * sizeof *list);
        if (g->n > 0) memcpy(list, g->list, g->n * sizeof *list);
        g->list = list;
        g->cap = cap;
    }
    g->list[g->n] = *group;
    if (group->key.kind == VALUE_STRING) g->list[g->n].key.s = arena_str(g->arena, group->key.s);
    g->n++;
    return true;
}

Err records_txn_group(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, unsigned by, unsigned sum, struct arena *arena,
                      struct record_group **out, size_t *n) {
    *out = NULL;
    *n = 0;
    TRY(check_column(lens, table, by));
    TRY(check_column(lens, table, sum));
    TRY(check_filter(lens, table, filter, 1));
    struct records_scope scope = scope_of(lens, filter);
    struct groups g = {.arena = arena};
    TRY(txn->backend->group(txn->conn, table, &scope, by, sum, GROUPS_MAX + 1, collect_group, &g));
    if (g.n > GROUPS_MAX)
        return err_make(ERR_LIMIT, "'%s' has more than %d values: count by another field", table->columns[by].name,
                        GROUPS_MAX);
    *out = g.list;
    *n = g.n;
    return err_none();
}

static bool take_count(void *ctx, const struct record_group *group) {
    *(uint64_t *)ctx = group->count;
    return true;
}

Err records_txn_count(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, uint64_t *out) {
    *out = 0;
    TRY(check_filter(lens, table, filter, 1));
    struct records_scope scope = scope_of(lens, filter);
    return txn->backend->group(txn->conn, table, &scope, 0, 0, 1, take_count, out);
}

/* ---- writing */

static Err check_value(const struct record_table *table, size_t column, Value v) {
    ASSERT(fits(table->columns[column].kind, v));
    if (v.kind != VALUE_NONE || !table->columns[column].required) return err_none();
    return err_make(ERR_INVALID, "%s: '%s' is missing", table->name, table->columns[column].name);
}

Err records_txn_insert(struct records_txn *txn, const struct record_table *table, const Value *row, int64_t *id) {
    ASSERT(txn->writes);
    for (size_t i = 1; i < table->n_columns; i++) TRY(check_value(table, i, row[i]));
    return txn->backend->insert(txn->conn, table, row, id);
}

Err records_txn_update(struct records_txn *txn, const struct record_table *table, int64_t id, const unsigned *columns,
                       const Value *values, size_t n) {
    ASSERT(txn->writes && n > 0);
    for (size_t i = 0; i < n; i++) {
        ASSERT(columns[i] > RECORD_PARTY && columns[i] < table->n_columns);
        TRY(check_value(table, columns[i], values[i]));
    }
    uint64_t changed = 0;
    TRY(txn->backend->update(txn->conn, table, id, columns, values, n, &changed));
    if (changed == 0) return err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, table->name, id);
    return err_none();
}

Err records_txn_remove(struct records_txn *txn, const struct record_table *table, const struct lens *lens,
                       const struct record_filter *filter, uint64_t *removed) {
    ASSERT(txn->writes);
    uint64_t count = 0;
    TRY(check_filter(lens, table, filter, 1));
    struct records_scope scope = scope_of(lens, filter);
    TRY(txn->backend->remove(txn->conn, table, &scope, &count));
    if (removed) *removed = count;
    return err_none();
}

struct last_number {
    int64_t id, last;
};

static bool take_last(void *ctx, const Value *row) {
    struct last_number *found = ctx;
    *found = (struct last_number){.id = row[RECORD_ID].i, .last = row[NUMBER_SERIES_LAST].i};
    return false;
}

Err records_txn_next_number(struct records_txn *txn, PartyId party, Str series, int64_t *out) {
    ASSERT(txn->writes);
    const struct record_table *table = &records_system_number_series;
    struct record_filter filter = {.op = RECORD_EQ, .column = NUMBER_SERIES_NAME, .value = VALUE_S(series)};
    struct lens lens = own_lens;
    lens.every_party = false;
    lens.party = party;
    struct records_scope scope = scope_of(&lens, &filter);
    struct records_order order = {.sort = RECORD_ID, .limit = 1};
    struct last_number found = {0};
    TRY(txn->backend->select(txn->conn, table, &scope, &order, take_last, &found));
    *out = found.last + 1;
    if (found.id > 0)
        return records_txn_update(txn, table, found.id, (const unsigned[]){NUMBER_SERIES_LAST},
                                  (const Value[]){VALUE_I(*out)}, 1);
    Value row[NUMBER_SERIES_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(party), [NUMBER_SERIES_NAME] = VALUE_S(series), [NUMBER_SERIES_LAST] = VALUE_I(*out)};
    return records_txn_insert(txn, table, row, &found.id);
}
