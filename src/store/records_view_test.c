/* What a lens hides does not exist, on any path: random rows and random lenses against plain loops. */
#include "store/records_view.h"

#include <stdio.h>
#include <string.h>

#include "store/records_system.h"
#include "tests/lib/store_postgresql.h"
#include "tests/unit.h"

void records_view_test(void);

enum { JOB_STATE = 2, JOB_FIELDS, JOB_NAME = JOB_FIELDS, JOB_SIZE, JOB_WEIGHT, JOB_DONE, JOB_PRICE, JOB_COLUMNS };
static const struct record_column job_columns[JOB_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {.name = "party", .kind = RECORD_INT, .required = true, .indexed = true},
    [JOB_STATE] = {.name = "state", .kind = RECORD_TEXT, .required = true, .indexed = true},
    [JOB_NAME] = {.name = "name", .kind = RECORD_TEXT},
    [JOB_SIZE] = {.name = "size", .kind = RECORD_INT, .indexed = true},
    [JOB_WEIGHT] = {.name = "weight", .kind = RECORD_REAL},
    [JOB_DONE] = {.name = "done", .kind = RECORD_BOOL},
    [JOB_PRICE] = {.name = "price", .kind = RECORD_DECIMAL, .scale = 2},
};
static const struct record_table jobs = {.name = "job",
                                         .columns = job_columns,
                                         .n_columns = JOB_COLUMNS,
                                         .fields_at = JOB_FIELDS,
                                         .state_at = JOB_STATE,
                                         .searched = true};
static const struct record_table lines = {
    .name = "job_line", .columns = job_columns, .n_columns = JOB_COLUMNS, .fields_at = JOB_FIELDS, .lines = 2};
static const struct lens everything = {.every_party = true, .fields = UINT64_MAX};

#define ROWS 60
#define NO_VALUE ((Value){.kind = VALUE_NONE})

struct world {
    struct records *records;
    struct arena arena;
    Value rows[ROWS][JOB_COLUMNS];
    uint64_t seed;
    struct lens lens;
    struct lens_condition conditions[3];
};

static unsigned draw(struct world *w, unsigned below) {
    w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->seed >> 33) % below;
}

static Value draw_value(struct world *w, unsigned column) {
    static const char *const states[] = {"open", "done", "lost"}, *const names[] = {"a", "b", "c"};
    switch (column) {
    case JOB_STATE: return VALUE_S(str_c(states[draw(w, 3)]));
    case JOB_NAME: return VALUE_S(str_c(names[draw(w, 3)]));
    case JOB_WEIGHT: return VALUE_F(draw(w, 4) * 0.5);
    case JOB_DONE: return VALUE_B(draw(w, 2) == 0);
    default: return VALUE_I(draw(w, 5));
    }
}

static Err add_rows(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    for (size_t i = 0; i < ROWS; i++) {
        Value *row = w->rows[i];
        row[RECORD_PARTY] = VALUE_I(1 + draw(w, 3));
        for (unsigned c = JOB_STATE; c < JOB_COLUMNS; c++)
            row[c] = c > JOB_STATE && draw(w, 4) == 0 ? NO_VALUE : draw_value(w, c);
        TRY(records_txn_insert(txn, &jobs, row, &row[RECORD_ID].i));
        row[RECORD_ID].kind = VALUE_INT;
        TRY(records_txn_insert(txn, &lines, row, &(int64_t){0}));
        TRY(records_txn_index(txn, &jobs, row[RECORD_ID].i, draw(w, 2) ? STR("Odd word") : STR("even")));
    }
    return err_none();
}

/* ---- what is right, by plain loops */

static int order_of(Value a, Value b) {
    if (a.kind == VALUE_STRING) {
        size_t n = a.s.len < b.s.len ? a.s.len : b.s.len;
        int order = memcmp(a.s.ptr, b.s.ptr, n);
        return order ? order : (a.s.len > b.s.len) - (a.s.len < b.s.len);
    }
    double x = value_as_num(a), y = value_as_num(b);
    return (x > y) - (x < y);
}

static bool holds(const struct lens_condition *c, const Value *row) {
    Value v = row[c->field == LENS_STATE ? (unsigned)JOB_STATE : JOB_FIELDS + c->field];
    if (c->op == DOC_IS_SET) return (v.kind != VALUE_NONE) == c->value.b;
    if (v.kind == VALUE_NONE) return false;
    int order = order_of(v, c->value);
    switch (c->op) {
    case DOC_EQ: return order == 0;
    case DOC_NE: return order != 0;
    case DOC_LT: return order < 0;
    case DOC_LE: return order <= 0;
    case DOC_GT: return order > 0;
    default: return order >= 0;
    }
}

static bool shown(const struct world *w, const Value *row) {
    if (!w->lens.every_party && row[RECORD_PARTY].i != w->lens.party) return false;
    for (size_t i = 0; i < w->lens.n_rows; i++)
        if (!holds(&w->lens.rows[i], row)) return false;
    return true;
}

static void draw_lens(struct world *w) {
    w->lens = (struct lens){.party = 1 + draw(w, 3), .every_party = draw(w, 4) == 0, .fields = draw(w, 32)};
    if (draw(w, 3) == 0) w->lens.base_hidden = 1u << JOB_STATE | 1u << RECORD_PARTY | 1u << RECORD_ID;
    w->lens.rows = w->conditions;
    w->lens.n_rows = draw(w, 4);
    w->lens.min_group = draw(w, 3) == 0 ? draw(w, 6) : 0;
    for (size_t i = 0; i < w->lens.n_rows; i++) {
        unsigned field = draw(w, JOB_COLUMNS - JOB_FIELDS + 1);
        struct lens_condition *c = &w->conditions[i];
        *c = (struct lens_condition){.field = field ? field - 1 : LENS_STATE, .op = draw(w, DOC_GE + 1)};
        c->value = draw_value(w, field ? JOB_FIELDS + field - 1 : JOB_STATE);
        if (draw(w, 6) == 0) *c = (struct lens_condition){c->field, DOC_IS_SET, VALUE_B(draw(w, 2) == 0)};
    }
}

/* ---- the paths */

static bool hides(const struct world *w, unsigned column) {
    if (column < JOB_FIELDS) return column > RECORD_PARTY && (w->lens.base_hidden >> column & 1);
    return !(w->lens.fields >> (column - JOB_FIELDS) & 1);
}

/* Pages of three in the order of a column, with a filter or a match beside the lens. */
static Err list_pages(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    struct record_filter filter = {.op = RECORD_EQ, .column = JOB_STATE, .value = VALUE_S(STR("open"))};
    unsigned sort = draw(w, JOB_COLUMNS);
    bool filtered = draw(w, 2) == 0 && !hides(w, JOB_STATE), seen[ROWS] = {false};
    struct record_query query = {
        .sort = sort, .limit = 3, .descending = draw(w, 2) == 0, .filter = filtered ? &filter : NULL, .total = true};
    struct record_page page;
    size_t want = 0, got = 0;
    Err err = records_txn_select(txn, &w->lens, &jobs, &query, &w->arena, &page);
    CHECK_INT(err.code, hides(w, sort) ? ERR_INVALID : ERR_NONE);
    if (err.code != ERR_NONE) return err_none();
    for (size_t i = 0; i < ROWS; i++)
        want += seen[i] = shown(w, w->rows[i]) && (!filtered || str_eq_c(w->rows[i][JOB_STATE].s, "open"));
    CHECK_INT(page.total, want);
    for (;;) {
        got += page.n;
        for (size_t i = 0; i < page.n; i++) {
            size_t at = (size_t)(page.rows[i][RECORD_ID].i - w->rows[0][RECORD_ID].i);
            if (!CHECK(at < ROWS && seen[at])) return err_none();
            seen[at] = false;
            for (unsigned c = 0; c < JOB_COLUMNS; c++)
                CHECK(value_eq(page.rows[i][c], hides(w, c) ? NO_VALUE : w->rows[at][c]));
        }
        query.cursor = page.next;
        if (page.next.len == 0 || got > ROWS) break;
        TRY(records_txn_select(txn, &w->lens, &jobs, &query, &w->arena, &page));
    }
    CHECK_INT(got, want);
    return err_none();
}

static Err get_each(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    uint64_t count, want = 0;
    for (size_t i = 0; i < ROWS; i++) {
        Value *row;
        TRY(records_txn_get(txn, &w->lens, &jobs, w->rows[i][RECORD_ID].i, &w->arena, &row));
        CHECK((row != NULL) == shown(w, w->rows[i]));
        want += shown(w, w->rows[i]);
    }
    TRY(records_txn_count(txn, &w->lens, &jobs, NULL, &count));
    CHECK_INT(count, want);
    struct record_filter match = {.op = RECORD_MATCH, .value = VALUE_S(STR("odd|even"))};
    TRY(records_txn_count(txn, &w->lens, &jobs, &match, &count));
    CHECK_INT(count, want);
    for (unsigned c = JOB_FIELDS; c < JOB_COLUMNS; c++) {
        struct record_filter guess = {.op = RECORD_IS_SET, .column = c, .value = VALUE_B(true)};
        const struct record_filter nested = {.op = RECORD_OR, .parts = &guess, .n_parts = 1};
        Err err = records_txn_count(txn, &w->lens, &jobs, &nested, &count);
        CHECK_INT(err.code, hides(w, c) ? ERR_INVALID : ERR_NONE);
    }
    return err_none();
}

/* Counts, and sums of price, by state. */
static Err add_up(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    const struct record_key key = {.column = JOB_STATE};
    if (hides(w, JOB_STATE)) return err_none();
    const struct record_measure sum = {RECORD_SUM, JOB_PRICE};
    struct record_aggregate *list;
    size_t n, withheld, want_withheld = 0, at = 0;
    bool hidden = hides(w, JOB_PRICE);
    Err err = records_txn_aggregate(txn, &w->lens, &jobs, NULL, &key, 1, &sum, 1, &w->arena, &list, &n, &withheld);
    CHECK_INT(err.code, hidden ? ERR_INVALID : ERR_NONE);
    TRY(records_txn_aggregate(txn, &w->lens, &jobs, NULL, &key, 1, &sum, !hidden, &w->arena, &list, &n, &withheld));
    static const char *const states[] = {"done", "lost", "open"};
    for (size_t k = 0; k < 3; k++) {
        uint64_t count = 0, counted = 0;
        int64_t total = 0;
        for (size_t i = 0; i < ROWS; i++) {
            const Value *row = w->rows[i];
            if (!shown(w, row) || !str_eq_c(row[JOB_STATE].s, states[k])) continue;
            count++;
            counted += row[JOB_PRICE].kind != VALUE_NONE;
            total += row[JOB_PRICE].kind != VALUE_NONE ? row[JOB_PRICE].i : 0;
        }
        if (count == 0) continue;
        want_withheld += count < w->lens.min_group;
        if (count < w->lens.min_group) continue;
        if (!CHECK(at < n)) break;
        CHECK_STR(list[at].keys[0].s, str_c(states[k]));
        CHECK_INT(list[at].count, count);
        bool told = !hidden && counted > 0 && counted >= w->lens.min_group;
        if (!hidden) CHECK(value_eq(list[at].measures[0], told ? VALUE_I(total) : NO_VALUE));
        at++;
    }
    CHECK_INT(n, at);
    CHECK_INT(withheld, want_withheld);
    return err_none();
}

static Err remove_shown(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    uint64_t removed, want = 0, left;
    for (size_t i = 0; i < ROWS; i++) want += shown(w, w->rows[i]);
    TRY(records_txn_remove(txn, &jobs, &w->lens, NULL, &removed));
    CHECK_INT(removed, want);
    TRY(records_txn_count(txn, &everything, &jobs, NULL, &left));
    CHECK_INT(left, ROWS - want);
    return err_make(ERR_STATE, "and back");
}

static void respects_random_lenses(struct world *w) {
    for (int i = 0; i < 400; i++) {
        char name[40];
        snprintf(name, sizeof name, "random lens %d", i);
        unit_case(name);
        draw_lens(w);
        CHECK_OK(records_read(w->records, list_pages, w));
        CHECK_OK(records_read(w->records, get_each, w));
        CHECK_OK(records_read(w->records, add_up, w));
        if (i % 20 == 0) CHECK_ERR(records_write(w->records, remove_shown, w), ERR_STATE);
        arena_reset(&w->arena);
    }
}

/* ---- what does not fit */

static Err count_rows(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    uint64_t n;
    return records_txn_count(txn, &w->lens, &jobs, NULL, &n);
}

static void refuses_misfits(struct world *w) {
    static const struct {
        const char *name;
        struct lens_condition condition;
    } cases[] = {
        {"a field that the type has not", {JOB_COLUMNS - JOB_FIELDS, DOC_EQ, {.kind = VALUE_INT, .i = 1}}},
        {"a field far beyond", {4000000000u, DOC_EQ, {.kind = VALUE_INT, .i = 1}}},
        {"a value of another kind", {JOB_SIZE - JOB_FIELDS, DOC_EQ, {.kind = VALUE_STRING, .s = {"1", 1}}}},
        {"no value", {JOB_SIZE - JOB_FIELDS, DOC_EQ, {.kind = VALUE_NONE}}},
        {"a search", {JOB_NAME - JOB_FIELDS, DOC_CONTAINS, {.kind = VALUE_STRING, .s = {"a", 1}}}},
        {"an unknown comparison", {JOB_SIZE - JOB_FIELDS, (enum doc_op)99, {.kind = VALUE_INT, .i = 1}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        w->lens = (struct lens){.every_party = true, .fields = UINT64_MAX, .rows = &cases[i].condition, .n_rows = 1};
        CHECK_ERR(records_read(w->records, count_rows, w), ERR_INVALID);
    }
    unit_case("more conditions than a lens may have");
    struct lens_condition many[LENS_ROWS_MAX + 1];
    for (size_t i = 0; i <= LENS_ROWS_MAX; i++)
        many[i] = (struct lens_condition){JOB_SIZE - JOB_FIELDS, DOC_NE, VALUE_I(100)};
    w->lens.rows = many;
    w->lens.n_rows = LENS_ROWS_MAX;
    CHECK_OK(records_read(w->records, count_rows, w));
    w->lens.n_rows++;
    CHECK_ERR(records_read(w->records, count_rows, w), ERR_LIMIT);
}

static Err ask_odd_things(void *ctx, struct records_txn *txn) {
    struct world *w = ctx;
    uint64_t n;
    size_t groups, withheld;
    struct record_aggregate *list;
    static const char *const bad[] = {"a-b", "a||b", "|a", "a|", "\"", "a*", "a\tb"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct record_filter match = {.op = RECORD_MATCH, .value = VALUE_S(str_c(bad[i]))};
        unit_case(bad[i]);
        CHECK_ERR(records_txn_count(txn, &everything, &jobs, &match, &n), ERR_INVALID);
    }
    unit_case("more words than may be asked for");
    static char long_text[RECORD_MATCH_BYTES_MAX + 2];
    memset(long_text, 'a', sizeof long_text - 1);
    struct record_filter match = {.op = RECORD_MATCH, .value = VALUE_S(str_c(long_text))};
    CHECK_ERR(records_txn_count(txn, &everything, &jobs, &match, &n), ERR_LIMIT);
    for (size_t i = 1; i < RECORD_MATCH_BYTES_MAX; i += 2) long_text[i] = i % 400 == 1 ? ' ' : '|';
    match.value.s.len = RECORD_MATCH_BYTES_MAX - 1;
    CHECK_OK(records_txn_count(txn, &everything, &jobs, &match, &n));
    unit_case("only groups are given");
    Value *row;
    struct record_page rows;
    w->lens = (struct lens){.every_party = true, .fields = UINT64_MAX, .min_group = ROWS + 1, .aggregates = true};
    CHECK_ERR(records_txn_get(txn, &w->lens, &jobs, 1, &w->arena, &row), ERR_FORBIDDEN);
    CHECK_ERR(records_txn_select(txn, &w->lens, &jobs, &(struct record_query){0}, &w->arena, &rows), ERR_FORBIDDEN);
    TRY(records_txn_count(txn, &w->lens, &jobs, NULL, &n));
    CHECK_INT(n, 0);
    w->lens.min_group = ROWS;
    TRY(records_txn_count(txn, &w->lens, &jobs, NULL, &n));
    CHECK_INT(n, ROWS);
    unit_case("least and greatest show single rows");
    w->lens = (struct lens){.every_party = true, .fields = UINT64_MAX, .min_group = 2};
    const struct record_measure least = {RECORD_MIN, JOB_PRICE};
    CHECK_ERR(
        records_txn_aggregate(txn, &w->lens, &jobs, NULL, NULL, 0, &least, 1, &w->arena, &list, &groups, &withheld),
        ERR_INVALID);
    unit_case("lines have a mask of their own, and no conditions");
    const struct lens_condition none = {LENS_STATE, DOC_EQ, VALUE_S(STR("none"))};
    const struct lens seen = {
        .every_party = true, .lines = {0, 1u << (JOB_SIZE - JOB_FIELDS)}, .rows = &none, .n_rows = 1};
    struct record_page page;
    TRY(records_txn_select(txn, &seen, &lines, &(struct record_query){.sort = JOB_SIZE, .limit = 100}, &w->arena,
                           &page));
    CHECK_INT(page.n, ROWS);
    for (size_t i = 0; i < page.n; i++) CHECK_INT(page.rows[i][JOB_NAME].kind, VALUE_NONE);
    CHECK(page.n == 0 || page.rows[page.n - 1][JOB_SIZE].kind == VALUE_INT);
    CHECK_ERR(records_txn_select(txn, &seen, &lines, &(struct record_query){.sort = JOB_NAME}, &w->arena, &page),
              ERR_INVALID);
    return err_none();
}

static Err index_badly(void *ctx, struct records_txn *txn) {
    (void)ctx;
    return records_txn_index(txn, &jobs, 1, STR("a|b"));
}

static void test_at(const char *url) {
    static struct world w;
    const struct record_table *const tables[] = {&jobs, &lines};
    w = (struct world){.seed = 7};
    if (!CHECK_OK(records_open(&(struct records_options){.dir = unit_temp_dir(), .url = url}, &w.records))) return;
    arena_init(&w.arena, 0);
    CHECK_OK(records_declare(w.records, tables, 2));
    CHECK_OK(records_write(w.records, add_rows, &w));
    respects_random_lenses(&w);
    refuses_misfits(&w);
    CHECK_OK(records_read(w.records, ask_odd_things, &w));
    CHECK_ERR(records_write(w.records, index_badly, NULL), ERR_INVALID);
    arena_fini(&w.arena);
    records_close(w.records);
}

void records_view_test(void) {
    test_at(NULL);
    const char *url = store_postgresql_url();
    if (url) test_at(url);
}
