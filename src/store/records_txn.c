/*
 * Lenses and checks for every backend alike: a backend is handed only requests that are well-formed and already
 * narrowed to what the lens shows.
 */
#include "store/records_txn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/gate_rules.h"
#include "store/records_system.h"
#include "store/records_view.h"

#define LIMIT_DEFAULT 50
#define GROUPS_MAX 10000
#define CURSOR_TEXT_MAX 256 /* a longer value is not written into the cursor but read again from its row */

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
        copy[i] = records_view_hides(c->lens, c->table, (unsigned)i) ? (Value){.kind = VALUE_NONE} : row[i];
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
    return records_view_fits(kind, *out);
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

/* A row itself; groups go on to be answered. */
static Err check_rows_shown(const struct lens *lens, const struct record_table *table) {
    if (!lens->aggregates || table->fields_at == 0) return err_none();
    return err_make(ERR_FORBIDDEN, "only groups of these are given, not each of them: ask for ?group=");
}

Err records_txn_get(struct records_txn *txn, const struct lens *lens, const struct record_table *table, int64_t id,
                    struct arena *arena, Value **row) {
    return records_txn_find(txn, lens, table, RECORD_ID, VALUE_I(id), arena, row);
}

Err records_txn_find(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                     unsigned column, Value value, struct arena *arena, Value **row) {
    struct record_filter filter = {.op = RECORD_EQ, .column = column, .value = value};
    struct records_view view;
    *row = NULL;
    TRY(check_rows_shown(lens, table));
    TRY(records_view_make(lens, table, &filter, &view));
    struct records_order order = {.sort = RECORD_ID, .limit = 1};
    struct collect c = {.arena = arena, .lens = lens, .table = table, .rows = row, .cap = 1};
    return txn->backend->select(txn->conn, table, &view.scope, &order, collect_row, &c);
}

Err records_txn_select(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                       const struct record_query *query, struct arena *arena, struct record_page *out) {
    *out = (struct record_page){0};
    struct records_view view;
    TRY(check_rows_shown(lens, table));
    TRY(records_view_column(lens, table, query->sort));
    TRY(records_view_make(lens, table, query->filter, &view));
    size_t limit = query->limit ? query->limit : LIMIT_DEFAULT;
    struct records_order order = {.sort = query->sort, .descending = query->descending, .limit = limit + 1};
    if (query->cursor.len > 0) TRY(parse_cursor(txn, lens, table, query, arena, &order));
    struct collect c = {.arena = arena, .lens = lens, .table = table, .cap = limit + 1};
    c.rows = arena_zero(arena, limit + 1, sizeof *c.rows);
    TRY(txn->backend->select(txn->conn, table, &view.scope, &order, collect_row, &c));
    out->rows = c.rows;
    out->n = c.n < limit ? c.n : limit;
    if (c.n > limit) out->next = cursor_make(query, c.rows[limit - 1], arena);
    if (query->total) TRY(records_txn_count(txn, lens, table, query->filter, &out->total));
    return err_none();
}

/* ---- groups */

struct groups {
    struct arena *arena;
    const struct records_grouping *grouping;
    uint64_t min_group;
    struct record_aggregate *list;
    size_t n, cap, seen, withheld;
    uint64_t withheld_rows;
};

static Value keep_value(struct arena *arena, Value v) {
    if (v.kind == VALUE_STRING) v.s = arena_str(arena, v.s);
    return v;
}

static void *grown(struct arena *arena, const void *items, size_t n, size_t *cap, size_t size) {
    if (n < *cap) return NULL;
    *cap = *cap ? 2 * *cap : 16;
    void *more = arena_zero(arena, *cap, size);
    if (n > 0) memcpy(more, items, n * size);
    return more;
}

static bool collect_group(void *ctx, const struct record_aggregate *group) {
    struct groups *g = ctx;
    size_t n = g->grouping->n_measures;
    g->seen++;
    if (group->count < g->min_group) {
        g->withheld_rows += group->count;
        g->withheld++;
        return true;
    }
    struct record_aggregate *more = grown(g->arena, g->list, g->n, &g->cap, sizeof *more);
    if (more) g->list = more;
    struct record_aggregate *kept = &g->list[g->n++];
    *kept = (struct record_aggregate){.count = group->count};
    for (size_t i = 0; i < g->grouping->n_keys; i++) kept->keys[i] = keep_value(g->arena, group->keys[i]);
    kept->measures = arena_zero(g->arena, n, sizeof *kept->measures);
    kept->counted = arena_zero(g->arena, n, sizeof *kept->counted);
    for (size_t i = 0; i < n; i++) {
        if (group->counted[i] < g->min_group) continue; /* too few to tell their sum */
        kept->measures[i] = keep_value(g->arena, group->measures[i]);
        kept->counted[i] = group->counted[i];
    }
    return true;
}

static Err check_key(const struct lens *lens, const struct record_table *table, const struct record_key *key) {
    ASSERT(key->column != RECORD_ID);
    TRY(records_view_column(lens, table, key->column));
    ASSERT((unsigned)key->cut <= RECORD_DATE_MONTH);
    ASSERT(key->cut == RECORD_WHOLE || table->columns[key->column].kind == RECORD_INT);
    return err_none();
}

static Err check_measure(const struct lens *lens, const struct record_table *table, const struct record_measure *m) {
    TRY(records_view_column(lens, table, m->column));
    enum record_kind kind = table->columns[m->column].kind;
    bool number = kind == RECORD_INT || kind == RECORD_REAL || kind == RECORD_DECIMAL;
    ASSERT(number || (m->what != RECORD_SUM && kind == RECORD_TEXT));
    if (m->what == RECORD_SUM || (lens->min_group <= 1 && !lens->aggregates)) return err_none();
    return err_make(ERR_INVALID, "the %s '%s' would show a single row, and only many together are given: ask for a sum",
                    m->what == RECORD_MIN ? "least" : "greatest", table->columns[m->column].name);
}

/* What is left out of an answer could be had by taking the answer from the answer to a wider question. */
static Err too_few_left_out(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                            const struct record_filter *filter, bool *few) {
    uint64_t asked, all;
    *few = false;
    if (!lens->aggregates || lens->min_group <= 1 || !filter || !GATE_RULE_ON(COMPLEMENT)) return err_none();
    TRY(records_txn_count(txn, lens, table, filter, &asked));
    TRY(records_txn_count(txn, lens, table, NULL, &all));
    *few = all > asked && all - asked < lens->min_group;
    return err_none();
}

/* When few rows lie in the groups withheld, a total would tell them: the smallest group goes with them. */
static void withhold_one_more(struct groups *g) {
    size_t least = 0;
    if (g->withheld_rows == 0 || g->withheld_rows >= g->min_group || g->n == 0 || !GATE_RULE_ON(COMPLEMENT)) return;
    for (size_t i = 1; i < g->n; i++)
        if (g->list[i].count < g->list[least].count) least = i;
    memmove(&g->list[least], &g->list[least + 1], (g->n - least - 1) * sizeof *g->list);
    g->n--;
    g->withheld++;
}

static Err run_groups(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, struct groups *g) {
    const struct records_grouping *asked = g->grouping;
    struct records_view view;
    ASSERT(asked->n_keys <= 2 && asked->n_measures <= RECORD_MEASURES_MAX);
    for (size_t i = 0; i < asked->n_keys; i++) TRY(check_key(lens, table, &asked->keys[i]));
    for (size_t i = 0; i < asked->n_measures; i++) TRY(check_measure(lens, table, &asked->measures[i]));
    TRY(records_view_make(lens, table, filter, &view));
    bool few;
    TRY(too_few_left_out(txn, lens, table, filter, &few));
    g->min_group = few ? UINT64_MAX : GATE_RULE_ON(MIN_GROUP) ? lens->min_group : 0;
    TRY(txn->backend->aggregate(txn->conn, table, &view.scope, asked, collect_group, g));
    if (!few && lens->aggregates) withhold_one_more(g); /* where documents are listed too there is nothing to guess */
    if (g->seen <= GROUPS_MAX) return err_none();
    return err_make(ERR_LIMIT, "'%s' has more than %d values: count by another field",
                    table->columns[asked->keys[asked->n_keys - 1].column].name, GROUPS_MAX);
}

Err records_txn_aggregate(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                          const struct record_filter *filter, const struct record_key *keys, size_t n_keys,
                          const struct record_measure *measures, size_t n_measures, struct arena *arena,
                          struct record_aggregate **out, size_t *n, size_t *withheld) {
    struct records_grouping grouping = {
        .keys = keys, .n_keys = n_keys, .measures = measures, .n_measures = n_measures, .limit = GROUPS_MAX + 1};
    struct groups g = {.arena = arena, .grouping = &grouping};
    *out = NULL;
    *n = *withheld = 0;
    TRY(run_groups(txn, lens, table, filter, &g));
    *out = g.list;
    *n = g.n;
    *withheld = g.withheld;
    return err_none();
}

Err records_txn_group(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, unsigned by, unsigned sum, struct arena *arena,
                      struct record_group **out, size_t *n) {
    struct record_key key = {.column = by};
    struct record_measure measure = {.what = RECORD_SUM, .column = sum};
    struct record_aggregate *list;
    size_t withheld;
    *out = NULL;
    TRY(records_txn_aggregate(txn, lens, table, filter, &key, by > 0, &measure, sum > 0, arena, &list, n, &withheld));
    *out = arena_zero(arena, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = (struct record_group){
            .key = list[i].keys[0], .count = list[i].count, .sum = sum ? list[i].measures[0] : (Value){.kind = 0}};
    return err_none();
}

static bool take_count(void *ctx, const struct record_aggregate *group) {
    *(uint64_t *)ctx = group->count;
    return true;
}

Err records_txn_count(struct records_txn *txn, const struct lens *lens, const struct record_table *table,
                      const struct record_filter *filter, uint64_t *out) {
    static const struct records_grouping all = {.limit = 1};
    struct records_view view;
    *out = 0;
    TRY(records_view_make(lens, table, filter, &view));
    TRY(txn->backend->aggregate(txn->conn, table, &view.scope, &all, take_count, out));
    if (lens->aggregates && table->fields_at > 0 && *out < lens->min_group) *out = 0;
    return err_none();
}

/* ---- writing */

/* Some databases end a transaction at the first change they refuse, so here all do. */
static Err note(struct records_txn *txn, Err err) {
    if (err.code != ERR_NONE && txn->failed.code == ERR_NONE) txn->failed = err;
    return err;
}

static Err check_value(const struct record_table *table, size_t column, Value v) {
    ASSERT(records_view_fits(table->columns[column].kind, v));
    if (v.kind != VALUE_NONE || !table->columns[column].required) return err_none();
    return err_make(ERR_INVALID, "%s: '%s' is missing", table->name, table->columns[column].name);
}

Err records_txn_insert(struct records_txn *txn, const struct record_table *table, const Value *row, int64_t *id) {
    ASSERT(txn->writes);
    for (size_t i = 1; i < table->n_columns; i++) TRY(check_value(table, i, row[i]));
    return note(txn, txn->backend->insert(txn->conn, table, row, id));
}

Err records_txn_update(struct records_txn *txn, const struct record_table *table, int64_t id, const unsigned *columns,
                       const Value *values, size_t n) {
    ASSERT(txn->writes && n > 0);
    for (size_t i = 0; i < n; i++) {
        ASSERT(columns[i] > RECORD_PARTY && columns[i] < table->n_columns);
        TRY(check_value(table, columns[i], values[i]));
    }
    uint64_t changed = 0;
    TRY(note(txn, txn->backend->update(txn->conn, table, id, columns, values, n, &changed)));
    if (changed == 0) return err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, table->name, id);
    return err_none();
}

Err records_txn_remove(struct records_txn *txn, const struct record_table *table, const struct lens *lens,
                       const struct record_filter *filter, uint64_t *removed) {
    ASSERT(txn->writes);
    uint64_t count = 0;
    struct records_view view;
    TRY(records_view_make(lens, table, filter, &view));
    Err err = note(txn, txn->backend->remove(txn->conn, table, &view.scope, &count));
    if (err.code == ERR_INVALID) err = err_make(ERR_CONFLICT, "it cannot be removed while something refers to it");
    TRY(err);
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
    struct records_scope scope = {.party = party, .filter = &filter};
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

Err records_txn_index(struct records_txn *txn, const struct record_table *table, int64_t id, Str tokens) {
    ASSERT(txn->writes && table->searched);
    struct arena arena;
    TRY(records_view_check_words(tokens));
    arena_init(&arena, 0);
    Err err = note(txn, txn->backend->index(txn->conn, table, id, records_view_words(tokens, &arena)));
    arena_fini(&arena);
    return err;
}
