#include "tests/lib/store_records_suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

enum { ID, PARTY, NAME, SIZE, WEIGHT, DONE, BYTES, CODE, GLOBAL, PARENT, N };

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
};
static const struct record_table items = {.name = "item", .columns = columns, .n_columns = N};
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

static bool take_count(void *ctx, const struct record_group *group) {
    *(uint64_t *)ctx = group->count;
    return true;
}

static uint64_t count(struct suite *s, struct records_conn *conn, const struct record_table *table) {
    uint64_t n = 0;
    struct records_scope scope = {.every_party = true};
    CHECK_OK(s->backend->group(conn, table, &scope, 0, 0, 1, take_count, &n));
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
    Err err = s->backend->insert(s->writer, &items, row, &id);
    CHECK_ERR(err, ERR_CONFLICT);
    CHECK(str_find(str_c(err.text), STR("code")) >= 0);
    row[PARTY] = VALUE_I(2);
    insert(s, &items, row);
    row[CODE] = VALUE_S(STR("b"));
    err = s->backend->insert(s->writer, &items, row, &id);
    CHECK_ERR(err, ERR_CONFLICT);
    CHECK(str_find(str_c(err.text), STR("group")) >= 0);
    unit_case("rows without the value never clash");
    row[CODE] = row[GLOBAL] = NO_VALUE;
    insert(s, &items, row);
    id = insert(s, &items, row);
    unit_case("an update clashes too, and leaves the row");
    Value taken = VALUE_S(STR("a"));
    uint64_t changed;
    CHECK_ERR(s->backend->update(s->writer, &items, id, (const unsigned[]){CODE}, &taken, 1, &changed), ERR_CONFLICT);
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
    static const unsigned sorts[] = {ID, NAME, SIZE, WEIGHT, DONE, BYTES};
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

static bool note_group(void *ctx, const struct record_group *group) {
    char *text = ctx;
    size_t len = strlen(text);
    char key[32] = "-";
    if (group->key.kind == VALUE_INT) snprintf(key, sizeof key, "%lld", (long long)group->key.i);
    if (group->key.kind == VALUE_BOOL) snprintf(key, sizeof key, "%s", group->key.b ? "true" : "false");
    snprintf(text + len, 256 - len, "%s:%llu:%g ", key, (unsigned long long)group->count, value_as_num(group->sum));
    return true;
}

static void groups(struct suite *s) {
    char text[256] = "";
    struct records_scope scope = {.party = 1};
    fill(s);
    unit_case("counts and sums by a column's values");
    CHECK_OK(s->backend->group(s->writer, &items, &scope, SIZE, WEIGHT, 100, note_group, text));
    CHECK_STR(str_c(text), STR("-:1:1.5 0:1:0 1:2:7.5 2:2:13.5 "));
    text[0] = 0;
    CHECK_OK(s->backend->group(s->writer, &items, &scope, DONE, SIZE, 100, note_group, text));
    CHECK_STR(str_c(text), STR("-:2:1 false:2:3 true:2:2 "));
    unit_case("a sum that does not fit is an error");
    Value row[N] = {[PARTY] = VALUE_I(1), [SIZE] = VALUE_I(INT64_MAX)};
    put(s, row);
    CHECK_ERR(s->backend->group(s->writer, &items, &scope, 0, SIZE, 1, note_group, text), ERR_LIMIT);
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
    CHECK_OK(s->backend->tend(keeper, false));
    CHECK_OK(s->backend->tend(s->writer, true));
    CHECK_OK(s->backend->tend(s->writer, false));
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
    changes(&s);
    transactions(&s);
    reopens(&s);
}
