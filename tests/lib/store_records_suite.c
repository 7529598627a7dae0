#include "tests/lib/store_records_suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

enum { ID, PARTY, NAME, SIZE, WEIGHT, DONE, BYTES, CODE, GLOBAL, PARENT, PRICE, N };

static const struct record_column columns[N] = {
    [ID] = {.name = "id", .kind = RECORD_INT},
    [PARTY] = {.name = "party", .kind = RECORD_INT, .indexed = true},
    [NAME] = {.name = "name", .kind = RECORD_TEXT, .indexed = true},
    [SIZE] = {.name = "size", .kind = RECORD_INT, .indexed = true},
    [WEIGHT] = {.name = "weight", .kind = RECORD_REAL},
    [DONE] = {.name = "done", .kind = RECORD_BOOL},
    [BYTES] = {.name = "bytes", .kind = RECORD_BLOB},
    [CODE] = {.name = "code", .kind = RECORD_TEXT, .unique = RECORD_UNIQUE_IN_PARTY},
    [GLOBAL] = {.name = "group", .kind = RECORD_TEXT, .unique = RECORD_UNIQUE}, /* a word of SQL, on purpose */
    [PARENT] = {.name = "parent", .kind = RECORD_INT, .refers = "item"},
    [PRICE] = {.name = "price", .kind = RECORD_DECIMAL, .scale = 2, .indexed = true},
};
static const struct record_table items = {.name = "item", .columns = columns, .n_columns = N, .searched = true};
static const struct record_table first_items = {.name = "item", .columns = columns, .n_columns = SIZE};
static const struct record_table rising = {
    .name = "rising", .columns = columns, .n_columns = NAME + 1, .ids_rise = true};

struct suite {
    const struct records_backend *backend;
    struct records_place place;
    struct records_conn *writer;
};

#define NO_VALUE ((Value){.kind = VALUE_NONE})

/* ---- helpers */

static void step(struct suite *s, enum records_step what) { CHECK_OK(s->backend->step(s->writer, what, NULL)); }

static Err declare(struct suite *s, struct records_conn *conn, const struct record_table *table) {
    return s->backend->declare(conn, &table, 1);
}

/* A change that fails is undone with its savepoint, and the transaction goes on. */
static Err try_insert(struct suite *s, Value *row, int64_t *id) {
    step(s, RECORDS_SAVE);
    Err err = s->backend->insert(s->writer, &items, row, id);
    step(s, err.code == ERR_NONE ? RECORDS_KEEP : RECORDS_UNDO);
    return err;
}

static int64_t insert(struct suite *s, const struct record_table *table, Value *row) {
    int64_t id = 0;
    CHECK_OK(s->backend->insert(s->writer, table, row, &id));
    return id;
}

/* One more transaction of one row; the values by column, VALUE_NONE where not named. */
static int64_t put(struct suite *s, const Value row[N]) {
    Value copy[N];
    memcpy(copy, row, sizeof copy);
    step(s, RECORDS_BEGIN);
    int64_t id = insert(s, &items, copy);
    step(s, RECORDS_COMMIT);
    return id;
}

struct ids {
    char text[512]; /* "3 1 2" */
    int64_t last;
    Value last_values[N];
    size_t n;
};

static bool note_id(void *ctx, const Value *row) {
    struct ids *ids = ctx;
    size_t len = strlen(ids->text);
    snprintf(ids->text + len, sizeof ids->text - len, "%s%lld", len ? " " : "", (long long)row[ID].i);
    ids->last = row[ID].i;
    memcpy(ids->last_values, row, sizeof ids->last_values);
    ids->n++;
    return true;
}

static struct ids select_ids(struct suite *s, const struct records_scope *scope, const struct records_order *order) {
    struct ids ids = {0};
    CHECK_OK(s->backend->select(s->writer, &items, scope, order, note_id, &ids));
    return ids;
}

static void check_ids(struct suite *s, PartyId party, const struct record_filter *filter, const char *want) {
    struct records_scope scope = {.party = party, .every_party = party == 0, .filter = filter};
    struct records_order order = {.sort = ID, .limit = 100};
    CHECK_STR(str_c(select_ids(s, &scope, &order).text), str_c(want));
}

struct one_row {
    Value values[N];
    char text[3][300];
    bool found;
};

static bool copy_one(void *ctx, const Value *row) {
    struct one_row *one = ctx;
    static const unsigned strings[] = {NAME, BYTES, CODE};
    memcpy(one->values, row, sizeof one->values);
    for (size_t i = 0; i < 3; i++) {
        Value *v = &one->values[strings[i]];
        if (v->kind != VALUE_STRING || v->s.len > sizeof one->text[i]) continue;
        memcpy(one->text[i], v->s.ptr, v->s.len);
        v->s.ptr = one->text[i];
    }
    one->found = true;
    return true;
}

static struct one_row get(struct suite *s, struct records_conn *conn, int64_t id) {
    struct one_row one = {.found = false};
    struct record_filter filter = {.op = RECORD_EQ, .column = ID, .value = VALUE_I(id)};
    struct records_scope scope = {.every_party = true, .filter = &filter};
    struct records_order order = {.sort = ID, .limit = 1};
    CHECK_OK(s->backend->select(conn, &items, &scope, &order, copy_one, &one));
    return one;
}

static bool take_count(void *ctx, const struct record_aggregate *group) {
    *(uint64_t *)ctx = group->count;
    return true;
}

static uint64_t count(struct suite *s, struct records_conn *conn, const struct record_table *table) {
    uint64_t n = 0;
    struct records_scope scope = {.every_party = true};
    CHECK_OK(s->backend->aggregate(conn, table, &scope, &(struct records_grouping){.limit = 1}, take_count, &n));
    return n;
}

static void clear(struct suite *s) {
    uint64_t removed;
    struct records_scope scope = {.every_party = true};
    step(s, RECORDS_BEGIN);
    CHECK_OK(s->backend->remove(s->writer, &items, &scope, &removed));
    step(s, RECORDS_COMMIT);
}

/* ---- cases */

static void connects(struct suite *s) {
    struct records_conn *conn;
    struct records_place stopped = s->place;
    unit_case("an absent store cannot be read");
    stopped.read_only = true;
    CHECK_ERR(s->backend->connect(&stopped, RECORDS_READER, &conn), ERR_NOT_FOUND);
    unit_case("the writer makes it");
    CHECK_OK(s->backend->connect(&s->place, RECORDS_WRITER, &s->writer));
}

static void declares(struct suite *s) {
    struct records_conn *reader;
    unit_case("a reader misses a table that nobody made");
    if (!CHECK_OK(s->backend->connect(&s->place, RECORDS_READER, &reader))) return;
    CHECK_ERR(declare(s, reader, &items), ERR_INVALID);
    unit_case("a table is made, made again, and widened without losing rows");
    CHECK_OK(declare(s, s->writer, &first_items));
    CHECK_OK(declare(s, s->writer, &first_items));
    CHECK_OK(declare(s, s->writer, &rising));
    step(s, RECORDS_BEGIN);
    int64_t id = insert(s, &first_items, (Value[]){NO_VALUE, VALUE_I(1), VALUE_S(STR("old"))});
    step(s, RECORDS_COMMIT);
    CHECK_ERR(declare(s, reader, &items), ERR_INVALID); /* lacks columns */
    CHECK_OK(declare(s, s->writer, &items));
    CHECK_OK(declare(s, reader, &items));
    struct one_row old = get(s, reader, id);
    CHECK_STR(old.values[NAME].s, STR("old"));
    CHECK_INT(old.values[WEIGHT].kind, VALUE_NONE);
    unit_case("a column does not change its kind");
    struct record_column changed[N];
    memcpy(changed, columns, sizeof changed);
    changed[SIZE].kind = RECORD_TEXT;
    struct record_table other = {.name = "item", .columns = changed, .n_columns = N};
    CHECK_ERR(declare(s, s->writer, &other), ERR_INVALID);
    CHECK_OK(declare(s, s->writer, &items));
    s->backend->disconnect(reader);
    clear(s);
}

static void keeps_values(struct suite *s) {
    static const char bytes[] = "\0\1\377 'quoted\" \\ ; DROP TABLE item; --";
    static const struct {
        const char *name;
        unsigned column;
        Value value;
    } rows[] = {
        {"smallest integer", SIZE, {.kind = VALUE_INT, .i = INT64_MIN}},
        {"largest integer", SIZE, {.kind = VALUE_INT, .i = INT64_MAX}},
        {"zero", SIZE, {.kind = VALUE_INT, .i = 0}},
        {"a float that is whole", WEIGHT, {.kind = VALUE_FLOAT, .f = 3.0}},
        {"the smallest float", WEIGHT, {.kind = VALUE_FLOAT, .f = 5e-324}},
        {"the largest float", WEIGHT, {.kind = VALUE_FLOAT, .f = 1.7976931348623157e308}},
        {"infinity", WEIGHT, {.kind = VALUE_FLOAT, .f = INFINITY}},
        {"false is set", DONE, {.kind = VALUE_BOOL, .b = false}},
        {"true", DONE, {.kind = VALUE_BOOL, .b = true}},
        {"empty text is set", NAME, {.kind = VALUE_STRING, .s = {"", 0}}},
        {"text", NAME, {.kind = VALUE_STRING, .s = {"压缩机 'x' \"y\" %_", 20}}},
        {"text that looks like a number", NAME, {.kind = VALUE_STRING, .s = {"007", 3}}},
        {"bytes with NUL", BYTES, {.kind = VALUE_STRING, .s = {bytes, sizeof bytes - 1}}},
        {"no bytes are set", BYTES, {.kind = VALUE_STRING, .s = {"", 0}}},
        {"the smallest decimal", PRICE, {.kind = VALUE_INT, .i = INT64_MIN}},
        {"the largest decimal", PRICE, {.kind = VALUE_INT, .i = INT64_MAX}},
        {"a decimal below one", PRICE, {.kind = VALUE_INT, .i = -7}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unit_case(rows[i].name);
        Value row[N] = {[PARTY] = VALUE_I(1)};
        row[rows[i].column] = rows[i].value;
        struct one_row kept = get(s, s->writer, put(s, row));
        Value got = kept.values[rows[i].column];
        CHECK_INT(got.kind, rows[i].value.kind);
        CHECK(value_eq(got, rows[i].value));
        for (unsigned c = NAME; c < N; c++)
            if (c != rows[i].column) CHECK_INT(kept.values[c].kind, VALUE_NONE);
    }
    unit_case("not a number is not set");
    Value row[N] = {[PARTY] = VALUE_I(1), [WEIGHT] = VALUE_F(NAN)};
    CHECK_INT(get(s, s->writer, put(s, row)).values[WEIGHT].kind, VALUE_NONE);
    clear(s);
}

static void keeps_unique(struct suite *s) {
    Value row[N] = {[PARTY] = VALUE_I(1), [CODE] = VALUE_S(STR("a")), [GLOBAL] = VALUE_S(STR("g"))};
    int64_t id;
    unit_case("unique in a party, and over all");
    put(s, row);
    step(s, RECORDS_BEGIN);
    row[GLOBAL] = VALUE_S(STR("h"));
    Err err = try_insert(s, row, &id);
    CHECK_ERR(err, ERR_CONFLICT);
    CHECK(str_find(str_c(err.text), STR("code")) >= 0);
    row[PARTY] = VALUE_I(2);
    insert(s, &items, row);
    row[CODE] = VALUE_S(STR("b"));
    err = try_insert(s, row, &id);
    CHECK_ERR(err, ERR_CONFLICT);
    CHECK(str_find(str_c(err.text), STR("group")) >= 0);
    unit_case("rows without the value never clash");
    row[CODE] = row[GLOBAL] = NO_VALUE;
    insert(s, &items, row);
    id = insert(s, &items, row);
    unit_case("an update clashes too, and leaves the row");
    Value taken = VALUE_S(STR("a"));
    uint64_t changed;
    step(s, RECORDS_SAVE);
    CHECK_ERR(s->backend->update(s->writer, &items, id, (const unsigned[]){CODE}, &taken, 1, &changed), ERR_CONFLICT);
    step(s, RECORDS_UNDO);
    CHECK_INT(get(s, s->writer, id).values[CODE].kind, VALUE_NONE);
    step(s, RECORDS_COMMIT);
    clear(s);
}

static void follows_references(struct suite *s) {
    Value row[N] = {[PARTY] = VALUE_I(1)};
    int64_t id;
    unit_case("a reference leads somewhere");
    int64_t parent = put(s, row);
    row[PARENT] = VALUE_I(parent);
    put(s, row);
    step(s, RECORDS_BEGIN);
    row[PARENT] = VALUE_I(parent + 1000);
    CHECK_ERR(s->backend->insert(s->writer, &items, row, &id), ERR_INVALID);
    step(s, RECORDS_ROLLBACK);
    clear(s);
}

/* Six rows of party 1 with ids 1…6 from the base, and one of party 2. */
static int64_t fill(struct suite *s) {
    static const char *const names[] = {"Ant", "bee", NULL, "ant", "50%_x", ""};
    int64_t first = 0;
    for (int i = 0; i < 6; i++) {
        Value row[N] = {[PARTY] = VALUE_I(1)};
        if (names[i]) row[NAME] = VALUE_S(str_c(names[i]));
        if (i != 1) row[SIZE] = VALUE_I(i / 2);
        row[WEIGHT] = VALUE_F(i * 1.5);
        if (i % 3) row[DONE] = VALUE_B(i % 2);
        if (i) row[PRICE] = VALUE_I(i * 100 - 250);
        row[BYTES] = VALUE_S(STR("\0\1"));
        int64_t id = put(s, row);
        if (i == 0) first = id;
    }
    Value other[N] = {[PARTY] = VALUE_I(2), [NAME] = VALUE_S(STR("ant")), [SIZE] = VALUE_I(0)};
    put(s, other);
    return first;
}

#define TEST(column_, op_, ...)                                                                                        \
    { .op = (op_), .column = (column_), .value = __VA_ARGS__ }
#define SIMPLE(name_, want_, column_, op_, ...)                                                                        \
    { (name_), (want_), TEST(column_, op_, __VA_ARGS__) }

static void filters(struct suite *s) {
    const struct record_filter small[] = {TEST(SIZE, RECORD_EQ, VALUE_I(0)), TEST(SIZE, RECORD_EQ, VALUE_I(2))};
    const struct record_filter both[] = {{.op = RECORD_OR, .parts = small, .n_parts = 2},
                                         TEST(NAME, RECORD_NE, VALUE_S(STR("Ant")))};
    static const int64_t listed[] = {0, 2, INT64_MAX};
    const struct {
        const char *name, *want; /* numbers of rows, 1… */
        struct record_filter filter;
    } cases[] = {
        SIMPLE("equal", "1", NAME, RECORD_EQ, VALUE_S(STR("Ant"))),
        SIMPLE("equal to nothing", "3", NAME, RECORD_EQ, NO_VALUE),
        SIMPLE("not equal counts rows without the value", "2 3 4 5 6", NAME, RECORD_NE, VALUE_S(STR("Ant"))),
        SIMPLE("not nothing", "1 2 4 5 6", NAME, RECORD_NE, NO_VALUE),
        SIMPLE("less", "1", SIZE, RECORD_LT, VALUE_I(1)),
        SIMPLE("at most", "1 3 4", SIZE, RECORD_LE, VALUE_I(1)),
        SIMPLE("greater", "5 6", SIZE, RECORD_GT, VALUE_I(1)),
        SIMPLE("at least", "3 4 5 6", SIZE, RECORD_GE, VALUE_I(1)),
        SIMPLE("integers against a float", "3 4 5 6", SIZE, RECORD_GT, VALUE_F(0.5)),
        SIMPLE("floats against an integer", "4 5 6", WEIGHT, RECORD_GT, VALUE_I(3)),
        SIMPLE("contains in either case", "1 4", NAME, RECORD_CONTAINS, VALUE_S(STR("AN"))),
        SIMPLE("contains takes % and _ as they are", "5", NAME, RECORD_CONTAINS, VALUE_S(STR("%_"))),
        SIMPLE("contains nothing: all that are set", "1 2 4 5 6", NAME, RECORD_CONTAINS, VALUE_S(STR(""))),
        SIMPLE("set", "1 2 4 5 6", NAME, RECORD_IS_SET, VALUE_B(true)),
        SIMPLE("not set", "3", NAME, RECORD_IS_SET, VALUE_B(false)),
        SIMPLE("false is not unset", "3 5", DONE, RECORD_EQ, VALUE_B(false)),
        SIMPLE("bytes", "1 2 3 4 5 6", BYTES, RECORD_EQ, VALUE_S(STR("\0\1"))),
        SIMPLE("text is no bytes", "", BYTES, RECORD_EQ, VALUE_S(STR("\1"))),
        SIMPLE("quotes stay text", "", NAME, RECORD_EQ, VALUE_S(STR("x' OR '1'='1"))),
        {"either", "1 5 6", {.op = RECORD_OR, .parts = small, .n_parts = 2}},
        {"both", "5 6", {.op = RECORD_AND, .parts = both, .n_parts = 2}},
        {"all of no parts", "1 2 3 4 5 6", {.op = RECORD_AND}},
        {"any of no parts", "", {.op = RECORD_OR}},
        {"in no list, or not set", "2 3 4", {.op = RECORD_NOT_IN, .column = SIZE, .list = listed, .n_list = 3}},
        {"in no empty list", "1 2 3 4 5 6", {.op = RECORD_NOT_IN, .column = SIZE}},
        SIMPLE("decimals compare exactly", "3 4 5 6", PRICE, RECORD_GE, VALUE_I(-50)),
        SIMPLE("an equal decimal", "3", PRICE, RECORD_EQ, VALUE_I(-50)),
        SIMPLE("an unset decimal differs", "1 2 4 5 6", PRICE, RECORD_NE, VALUE_I(-50)),
    };
    int64_t first = fill(s);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[64] = "";
        unit_case(cases[i].name);
        for (const char *c = cases[i].want; *c; c++) {
            size_t len = strlen(want);
            if (*c != ' ')
                snprintf(want + len, sizeof want - len, "%s%lld", len ? " " : "", (long long)(first + *c - '1'));
        }
        check_ids(s, 1, &cases[i].filter, want);
    }
    unit_case("another party's rows do not exist; the system sees all");
    struct record_filter ants = TEST(NAME, RECORD_EQ, VALUE_S(STR("ant")));
    char want[64];
    snprintf(want, sizeof want, "%lld %lld", (long long)first + 3, (long long)first + 6);
    check_ids(s, 0, &ants, want);
    snprintf(want, sizeof want, "%lld", (long long)first + 6);
    check_ids(s, 2, &ants, want);
    check_ids(s, 3, &ants, "");
    clear(s);
}

/* Pages of every length give the same rows in the same order as one long page. */
static void check_pages(struct suite *s, unsigned sort, bool descending) {
    struct records_scope scope = {.party = 1};
    struct records_order whole = {.sort = sort, .descending = descending, .limit = 100};
    struct ids want = select_ids(s, &scope, &whole);
    CHECK_INT(want.n, 6);
    for (size_t length = 1; length <= 6; length++) {
        char got[1100] = "";
        struct records_order order = {.sort = sort, .descending = descending, .limit = length};
        for (size_t guard = 0; guard < 8; guard++) {
            struct one_row last;
            struct ids page = select_ids(s, &scope, &order);
            if (page.n == 0) break;
            size_t len = strlen(got);
            snprintf(got + len, sizeof got - len, "%s%s", len ? " " : "", page.text);
            last = get(s, s->writer, page.last);
            order.resumes = true;
            order.after_id = page.last;
            order.after_value = last.values[sort];
            static char keep[300];
            if (order.after_value.kind == VALUE_STRING) {
                memcpy(keep, order.after_value.s.ptr, order.after_value.s.len);
                order.after_value.s.ptr = keep;
            }
        }
        CHECK_STR(str_c(got), str_c(want.text));
    }
}

static void orders(struct suite *s) {
    static const unsigned sorts[] = {ID, NAME, SIZE, WEIGHT, DONE, BYTES, PRICE};
    int64_t first = fill(s);
    char want[128];
    unit_case("rows without the value come first, last when descending; ties by id");
    struct records_scope scope = {.party = 1};
    struct records_order order = {.sort = SIZE, .limit = 100};
    snprintf(want, sizeof want, "%lld %lld %lld %lld %lld %lld", (long long)first + 1, (long long)first,
             (long long)first + 2, (long long)first + 3, (long long)first + 4, (long long)first + 5);
    CHECK_STR(str_c(select_ids(s, &scope, &order).text), str_c(want));
    order.descending = true;
    snprintf(want, sizeof want, "%lld %lld %lld %lld %lld %lld", (long long)first + 5, (long long)first + 4,
             (long long)first + 3, (long long)first + 2, (long long)first, (long long)first + 1);
    CHECK_STR(str_c(select_ids(s, &scope, &order).text), str_c(want));
    unit_case("pages of any length meet without gap or overlap");
    for (size_t i = 0; i < sizeof sorts / sizeof *sorts; i++) {
        check_pages(s, sorts[i], false);
        check_pages(s, sorts[i], true);
    }
    clear(s);
}

static void add_value(char text[512], Value v) {
    size_t len = strlen(text);
    if (v.kind == VALUE_NONE) snprintf(text + len, 512 - len, "-");
    if (v.kind == VALUE_INT) snprintf(text + len, 512 - len, "%lld", (long long)v.i);
    if (v.kind == VALUE_BOOL) snprintf(text + len, 512 - len, "%s", v.b ? "true" : "false");
    if (v.kind == VALUE_FLOAT) snprintf(text + len, 512 - len, "%gf", v.f);
    if (v.kind == VALUE_STRING) snprintf(text + len, 512 - len, "'" STR_FMT "'", STR_ARG(v.s));
}

struct grouped {
    const struct records_grouping *grouping;
    char text[512]; /* "key,key:count:measure/rows… " */
};

static bool note_group(void *ctx, const struct record_aggregate *group) {
    struct grouped *g = ctx;
    for (size_t i = 0; i < g->grouping->n_keys; i++) {
        if (i) strcat(g->text, ",");
        add_value(g->text, group->keys[i]);
    }
    size_t len = strlen(g->text);
    snprintf(g->text + len, sizeof g->text - len, ":%llu", (unsigned long long)group->count);
    for (size_t i = 0; i < g->grouping->n_measures; i++) {
        strcat(g->text, ":");
        add_value(g->text, group->measures[i]);
        len = strlen(g->text);
        snprintf(g->text + len, sizeof g->text - len, "/%llu", (unsigned long long)group->counted[i]);
    }
    strcat(g->text, " ");
    return true;
}

static Err group_by(struct suite *s, PartyId party, const struct record_key *keys, size_t n_keys,
                    const struct record_measure *measures, size_t n_measures, struct grouped *out) {
    static struct records_grouping grouping;
    struct records_scope scope = {.party = party};
    grouping = (struct records_grouping){keys, n_keys, measures, n_measures, 100};
    *out = (struct grouped){.grouping = &grouping};
    return s->backend->aggregate(s->writer, &items, &scope, &grouping, note_group, out);
}

static void check_groups(struct suite *s, const struct record_key *keys, size_t n_keys,
                         const struct record_measure *measures, size_t n_measures, const char *want) {
    struct grouped got;
    CHECK_OK(group_by(s, 1, keys, n_keys, measures, n_measures, &got));
    CHECK_STR(str_c(got.text), str_c(want));
}

static void groups(struct suite *s) {
    const struct record_key by_size = {.column = SIZE}, by_done = {.column = DONE};
    const struct record_measure weight = {RECORD_SUM, WEIGHT}, size = {RECORD_SUM, SIZE};
    fill(s);
    unit_case("counts and sums by a column's values");
    check_groups(s, &by_size, 1, &weight, 1, "-:1:1.5f/1 0:1:0f/1 1:2:7.5f/2 2:2:13.5f/2 ");
    check_groups(s, &by_done, 1, &size, 1, "-:2:1/2 false:2:3/2 true:2:2/1 ");
    unit_case("by two columns, with many measures");
    const struct record_key both[] = {by_done, by_size};
    const struct record_measure many[] = {{RECORD_SUM, PRICE},  {RECORD_MIN, PRICE}, {RECORD_MAX, NAME},
                                          {RECORD_MIN, WEIGHT}, {RECORD_MAX, SIZE},  {RECORD_MIN, NAME}};
    check_groups(s, both, 2, many, 6,
                 "-,0:1:-/0:-/0:'Ant'/1:0f/1:0/1:'Ant'/1 -,1:1:50/1:50/1:'ant'/1:4.5f/1:1/1:'ant'/1 "
                 "false,1:1:-50/1:-50/1:-/0:3f/1:1/1:-/0 false,2:1:150/1:150/1:'50%_x'/1:6f/1:2/1:'50%_x'/1 "
                 "true,-:1:-150/1:-150/1:'bee'/1:1.5f/1:-/0:'bee'/1 true,2:1:250/1:250/1:''/1:7.5f/1:2/1:''/1 ");
    unit_case("all as one, and nothing as one");
    check_groups(s, NULL, 0, many, 2, ":6:250/5:-150/5 ");
    struct grouped none;
    CHECK_OK(group_by(s, 9, NULL, 0, many, 2, &none));
    CHECK_STR(str_c(none.text), STR(":0:-/0:-/0 "));
    unit_case("a sum that does not fit is an error");
    Value row[N] = {[PARTY] = VALUE_I(1), [SIZE] = VALUE_I(INT64_MAX), [PRICE] = VALUE_I(INT64_MAX)};
    put(s, row);
    CHECK_ERR(group_by(s, 1, NULL, 0, &size, 1, &none), ERR_LIMIT);
    CHECK_ERR(group_by(s, 1, NULL, 0, many, 1, &none), ERR_LIMIT);
    clear(s);
}

/* Times and dates, before and after 1970. */
static void cuts(struct suite *s) {
    static const Nanos day = 86400 * NANOS_PER_S;
    const int64_t times[] = {-1, 0, day - 1, day, 31 * day, -31 * day, -32 * day + 5, 59 * day, 60 * day};
    static const int64_t dates[] = {-1, 0, 30, 31, -31, -32, 19417, 19447, 19448};
    unit_case("times are cut to days and months, dates to months");
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        Value row[N] = {[PARTY] = VALUE_I(1), [SIZE] = VALUE_I(times[i])};
        put(s, row);
    }
    check_groups(s, &(struct record_key){SIZE, RECORD_DAY}, 1, NULL, 0,
                 "-2764800000000000:1 -2678400000000000:1 -86400000000000:1 0:2 86400000000000:1 2678400000000000:1 "
                 "5097600000000000:1 5184000000000000:1 ");
    check_groups(s, &(struct record_key){SIZE, RECORD_MONTH}, 1, NULL, 0,
                 "-5270400000000000:1 -2678400000000000:2 0:3 2678400000000000:1 5097600000000000:2 ");
    clear(s);
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        Value row[N] = {[PARTY] = VALUE_I(1), [SIZE] = VALUE_I(dates[i])};
        put(s, row);
    }
    Value row[N] = {[PARTY] = VALUE_I(1)};
    put(s, row);
    check_groups(s, &(struct record_key){SIZE, RECORD_DATE_MONTH}, 1, NULL, 0,
                 "-:1 -61:1 -31:2 0:2 31:1 19417:2 19448:1 ");
    clear(s);
}

static void give_words(struct suite *s, int64_t id, const char *words) {
    step(s, RECORDS_BEGIN);
    CHECK_OK(s->backend->index(s->writer, &items, id, str_c(words)));
    step(s, RECORDS_COMMIT);
}

static void check_words(struct suite *s, int64_t first, PartyId party, const char *asked, const char *want) {
    char ids[64] = "";
    struct record_filter match = {.op = RECORD_MATCH, .value = VALUE_S(str_c(asked))};
    for (const char *c = want; *c; c++)
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%lld", c == want ? "" : " ",
                 (long long)first + *c - '1');
    check_ids(s, party, &match, ids);
}

static void check_all_words(struct suite *s, int64_t first) {
    check_words(s, first, 1, "pump", "124");
    check_words(s, first, 1, "pump valve", "14");
    check_words(s, first, 1, "PUMP leak|seal", "24");
    check_words(s, first, 1, "压缩", "3");
    check_words(s, first, 1, "压缩|valve 机油|pump", "134");
    check_words(s, first, 1, "pum", "");
    check_words(s, first, 1, "and", "5"); /* no word of any query language */
    check_words(s, first, 1, "\xc3\x89t\xc3\xa9", "5");
    check_words(s, first, 1, "\xc3\xa9t\xc3\xa9", ""); /* only ASCII has two cases */
    check_words(s, first, 1, "", "123456");
    check_words(s, first, 2, "pump", "7");
    check_words(s, first, 0, "pump valve|leak", "147");
}

static void searches(struct suite *s) {
    static const char *const words[] = {
        "pump valve 7", "pump seal", "压缩 缩机 机油", "leak valve pump seal", "and or not near \xc3\x89t\xc3\xa9", "",
        "pump leak"};
    struct records_scope scope = {.party = 1};
    uint64_t removed;
    int64_t first = fill(s);
    for (int i = 0; i < 7; i++) give_words(s, first + i, words[i]);
    unit_case("words are found at once, and after a rest");
    check_all_words(s, first);
    step(s, RECORDS_TEND);
    check_all_words(s, first);
    unit_case("new words replace the old ones, at once and after a rest");
    give_words(s, first, "gone");
    give_words(s, first + 1, "");
    for (int i = 0; i < 2; i++) {
        check_words(s, first, 1, "pump", "4");
        check_words(s, first, 1, "gone", "1");
        step(s, RECORDS_TEND);
    }
    unit_case("words are undone with their job");
    step(s, RECORDS_BEGIN);
    step(s, RECORDS_SAVE);
    CHECK_OK(s->backend->index(s->writer, &items, first + 2, STR("undone")));
    step(s, RECORDS_UNDO);
    step(s, RECORDS_COMMIT);
    check_words(s, first, 1, "undone", "");
    check_words(s, first, 1, "压缩", "3");
    unit_case("a match stands beside other filters, and finds what is removed");
    const struct record_filter parts[] = {{.op = RECORD_MATCH, .value = VALUE_S(STR("pump|gone"))},
                                          {.op = RECORD_GT, .column = SIZE, .value = VALUE_I(0)}};
    const struct record_filter both = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    char ids[32];
    snprintf(ids, sizeof ids, "%lld", (long long)first + 3);
    check_ids(s, 1, &both, ids);
    scope.filter = &both;
    step(s, RECORDS_BEGIN);
    CHECK_OK(s->backend->remove(s->writer, &items, &scope, &removed));
    CHECK_INT(removed, 1);
    step(s, RECORDS_COMMIT);
    unit_case("the words of a removed row are gone");
    for (int i = 0; i < 2; i++) {
        check_words(s, first, 1, "pump", "");
        check_words(s, first, 2, "pump", "7");
        step(s, RECORDS_TEND);
    }
    unit_case("many rows, some of them at rest");
    clear(s);
    int64_t from = 0;
    for (int i = 0; i < 700; i++) {
        char text[32];
        Value row[N] = {[PARTY] = VALUE_I(1)};
        snprintf(text, sizeof text, "all n%d m%d", i, i % 7);
        int64_t id = put(s, row);
        if (i == 0) from = id;
        give_words(s, id, text);
    }
    struct record_filter all = {.op = RECORD_MATCH, .value = VALUE_S(STR("all m3|m5"))};
    scope.filter = &all;
    uint64_t found = 0;
    CHECK_OK(
        s->backend->aggregate(s->writer, &items, &scope, &(struct records_grouping){.limit = 1}, take_count, &found));
    CHECK_INT(found, 200);
    check_words(s, from, 1, "n3", "4");
    clear(s);
}

static void changes(struct suite *s) {
    uint64_t n;
    int64_t first = fill(s);
    struct record_filter small = TEST(SIZE, RECORD_LE, VALUE_I(1));
    struct records_scope scope = {.party = 1, .filter = &small};
    unit_case("an update changes what it names");
    step(s, RECORDS_BEGIN);
    CHECK_OK(s->backend->update(s->writer, &items, first, (const unsigned[]){SIZE, NAME},
                                (const Value[]){VALUE_I(9), NO_VALUE}, 2, &n));
    CHECK_INT(n, 1);
    struct one_row row = get(s, s->writer, first);
    CHECK_INT(row.values[SIZE].i, 9);
    CHECK_INT(row.values[NAME].kind, VALUE_NONE);
    CHECK_NUM(row.values[WEIGHT].f, 0, 0);
    CHECK_OK(s->backend->update(s->writer, &items, first + 1000, (const unsigned[]){SIZE}, (const Value[]){VALUE_I(1)},
                                1, &n));
    CHECK_INT(n, 0);
    unit_case("a removal removes what it names, of that party");
    CHECK_OK(s->backend->remove(s->writer, &items, &scope, &n));
    CHECK_INT(n, 2);
    CHECK_INT(count(s, s->writer, &items), 5);
    step(s, RECORDS_COMMIT);
    unit_case("ids that rise are never given again");
    step(s, RECORDS_BEGIN);
    Value plain[] = {NO_VALUE, VALUE_I(1), NO_VALUE};
    insert(s, &rising, plain);
    int64_t last = insert(s, &rising, plain);
    struct records_scope all = {.every_party = true};
    CHECK_OK(s->backend->remove(s->writer, &rising, &all, &n));
    CHECK_INT(insert(s, &rising, plain), last + 1);
    step(s, RECORDS_COMMIT);
    clear(s);
}

static void transactions(struct suite *s) {
    Value row[N] = {[PARTY] = VALUE_I(1)};
    struct records_conn *reader;
    unit_case("a savepoint undoes its own changes alone");
    step(s, RECORDS_BEGIN);
    step(s, RECORDS_SAVE);
    int64_t kept = insert(s, &items, row);
    step(s, RECORDS_KEEP);
    step(s, RECORDS_SAVE);
    insert(s, &items, row);
    step(s, RECORDS_UNDO);
    step(s, RECORDS_SAVE);
    insert(s, &items, row);
    step(s, RECORDS_KEEP);
    step(s, RECORDS_COMMIT);
    CHECK_INT(count(s, s->writer, &items), 2);
    CHECK(get(s, s->writer, kept).found);
    unit_case("a reader sees one moment, and does not stop the writer");
    if (!CHECK_OK(s->backend->connect(&s->place, RECORDS_READER, &reader))) return;
    CHECK_OK(s->backend->step(reader, RECORDS_BEGIN, NULL));
    CHECK_INT(count(s, reader, &items), 2);
    put(s, row);
    CHECK_INT(count(s, reader, &items), 2);
    CHECK_OK(s->backend->step(reader, RECORDS_ROLLBACK, NULL));
    CHECK_INT(count(s, reader, &items), 3);
    unit_case("what is not committed is not seen, and is gone after a rollback");
    step(s, RECORDS_BEGIN);
    insert(s, &items, row);
    CHECK_INT(count(s, reader, &items), 3);
    step(s, RECORDS_ROLLBACK);
    CHECK_INT(count(s, s->writer, &items), 3);
    s->backend->disconnect(reader);
}

static void reopens(struct suite *s) {
    Value row[N] = {[PARTY] = VALUE_I(1)};
    struct records_conn *keeper;
    uint64_t log_bytes = 0;
    unit_case("what is committed stands after closing; what is not does not");
    step(s, RECORDS_BEGIN);
    insert(s, &items, row);
    CHECK_OK(s->backend->step(s->writer, RECORDS_COMMIT, &log_bytes));
    step(s, RECORDS_BEGIN);
    insert(s, &items, row);
    s->backend->disconnect(s->writer);
    CHECK_OK(s->backend->connect(&s->place, RECORDS_WRITER, &s->writer));
    CHECK_INT(count(s, s->writer, &items), 4);
    unit_case("housekeeping changes nothing that is read");
    if (!CHECK_OK(s->backend->connect(&s->place, RECORDS_KEEPER, &keeper))) return;
    put(s, row);
    CHECK_OK(s->backend->step(keeper, RECORDS_TEND, NULL));
    CHECK_OK(s->backend->step(s->writer, RECORDS_FOLD, NULL));
    CHECK_OK(s->backend->step(s->writer, RECORDS_TEND, NULL));
    put(s, row);
    CHECK_INT(count(s, s->writer, &items), 6);
    s->backend->disconnect(keeper);
    unit_case("a stopped store is read without writing");
    s->backend->disconnect(s->writer);
    struct records_place stopped = s->place;
    struct records_conn *reader;
    stopped.read_only = true;
    if (!CHECK_OK(s->backend->connect(&stopped, RECORDS_READER, &reader))) return;
    CHECK_OK(declare(s, reader, &items));
    CHECK_INT(count(s, reader, &items), 6);
    s->backend->disconnect(reader);
}

void store_records_suite(const struct records_backend *backend, const struct records_place *place) {
    struct suite s = {.backend = backend, .place = *place};
    connects(&s);
    if (!s.writer) return;
    declares(&s);
    keeps_values(&s);
    keeps_unique(&s);
    follows_references(&s);
    filters(&s);
    orders(&s);
    groups(&s);
    cuts(&s);
    searches(&s);
    changes(&s);
    transactions(&s);
    reopens(&s);
}
