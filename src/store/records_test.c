#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/plugin.h"
#include "os/thread.h"
#include "store/postgresql_driver.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "tests/lib/store_postgresql.h"
#include "tests/unit.h"

void records_test(void);

enum { NOTE_TEXT = 2, NOTE_SIZE, NOTE_SECRET, NOTE_COLUMNS };
static const struct record_column note_columns[NOTE_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {.name = "party", .kind = RECORD_INT, .required = true},
    [NOTE_TEXT] = {.name = "text", .kind = RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [NOTE_SIZE] = {.name = "size", .kind = RECORD_INT, .indexed = true},
    [NOTE_SECRET] = {.name = "secret", .kind = RECORD_TEXT},
};
static const struct record_table notes = {
    .name = "note", .columns = note_columns, .n_columns = NOTE_COLUMNS, .fields_at = NOTE_TEXT};

static const struct lens everything = {.every_party = true, .fields = UINT64_MAX};

static bool on_postgresql;
static const char *url; /* of the newest place; NULL: its folder */

/* A new place to keep records in. */
static const char *fresh_dir(void) {
    url = on_postgresql ? store_postgresql_url() : NULL;
    CHECK(!on_postgresql || url);
    return unit_temp_dir();
}

static Err declare(struct records *r, const struct record_table *table) { return records_declare(r, &table, 1); }

static struct records *open_in(const char *dir) {
    struct records *r = NULL;
    if (!CHECK_OK(records_open(&(struct records_options){.dir = dir, .url = url}, &r))) return NULL;
    if (CHECK_OK(declare(r, &notes))) return r;
    records_close(r);
    return NULL;
}

/* ---- one call each */

struct adding {
    PartyId party;
    const char *text;
    int64_t size, id, number;
    enum err_code fail_with; /* after the insert */
};

static Err add_note(void *ctx, struct records_txn *txn) {
    struct adding *a = ctx;
    Value row[NOTE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(a->party),
                               [NOTE_TEXT] = a->text ? VALUE_S(str_c(a->text)) : (Value){.kind = VALUE_NONE},
                               [NOTE_SIZE] = VALUE_I(a->size),
                               [NOTE_SECRET] = VALUE_S(STR("hush"))};
    TRY(records_txn_next_number(txn, a->party, STR("note"), &a->number));
    TRY(records_txn_insert(txn, &notes, row, &a->id));
    return a->fail_with ? err_make(a->fail_with, "asked to fail") : err_none();
}

static Err add(struct records *r, PartyId party, const char *text, int64_t size) {
    struct adding a = {.party = party, .text = text, .size = size};
    return records_write(r, add_note, &a);
}

struct asking {
    const struct lens *lens;
    struct record_query query;
    struct arena *arena;
    struct record_page page;
};

static Err run_select(void *ctx, struct records_txn *txn) {
    struct asking *a = ctx;
    return records_txn_select(txn, a->lens, &notes, &a->query, a->arena, &a->page);
}

static Err run_count(void *ctx, struct records_txn *txn) {
    return records_txn_count(txn, &everything, &notes, NULL, ctx);
}

static uint64_t count(struct records *r) {
    uint64_t n = 0;
    CHECK_OK(records_read(r, run_count, &n));
    return n;
}

/* ---- cases */

static void opens(void) {
    struct records *r;
    struct records_options stopped = {.dir = fresh_dir(), .url = url, .read_only = true};
    unit_case("an empty folder cannot be opened for reading");
    CHECK_ERR(records_open(&stopped, &r), ERR_NOT_FOUND);
    unit_case("it is made, and opened again with what it has");
    if (!(r = open_in(stopped.dir))) return;
    CHECK_OK(add(r, 1, "a", 1));
    records_close(r);
    if (!(r = open_in(stopped.dir))) return;
    CHECK_INT(count(r), 1);
    CHECK_STR(str_c(records_dir(r)), str_c(stopped.dir));
    records_close(r);
    unit_case("stopped, it is read and not written");
    if (!CHECK_OK(records_open(&stopped, &r))) return;
    CHECK_OK(declare(r, &notes));
    CHECK_INT(count(r), 1);
    CHECK_ERR(add(r, 1, "b", 1), ERR_CLOSED);
    struct record_table other = notes;
    other.name = "unheard_of";
    CHECK_ERR(declare(r, &other), ERR_INVALID);
    records_close(r);
    unit_case("an unknown backend");
    CHECK_ERR(records_open(&(struct records_options){.dir = stopped.dir, .backend = "tape"}, &r), ERR_INVALID);
}

static Err count_runs(void *ctx, struct records_txn *txn) {
    (void)ctx;
    int64_t id;
    Value row[META_COLUMNS] = {[RECORD_PARTY] = VALUE_I(0), [META_NAME] = VALUE_S(STR("ran"))};
    return records_txn_insert(txn, &records_system_meta, row, &id); /* a second run would clash */
}

static void migrates(void) {
    const char *dir = fresh_dir();
    const struct records_migration *first = &records_system_migrations[0];
    const struct records_migration known[] = {*first, {.number = 0}};
    const struct records_migration later[] = {*first, {.number = 2, .name = "count", .run = count_runs}, {.number = 0}};
    struct records *r;
    unit_case("each step runs once");
    for (int i = 0; i < 3; i++) {
        const struct records_migration *steps = i ? later : known;
        if (!CHECK_OK(records_open(&(struct records_options){.dir = dir, .url = url, .migrations = steps}, &r))) return;
        records_close(r);
    }
    unit_case("a folder that is ahead of the program is refused");
    struct records_options behind = {.dir = dir, .url = url, .migrations = known};
    CHECK_ERR(records_open(&behind, &r), ERR_INVALID);
    behind.read_only = true;
    CHECK_ERR(records_open(&behind, &r), ERR_INVALID);
}

static void write_file(const char *dir, const char *name, const char *bytes, size_t n, uint64_t at) {
    char path[512];
    struct file *file;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (!CHECK_OK(file_open(file_disk, path, FILE_WRITE | FILE_CREATE, &file))) return;
    CHECK_OK(file_write(file, bytes, n, at));
    file_close(file);
}

static void refuses_damage(void) {
    const char *dir = fresh_dir();
    char noise[4096];
    struct records *r;
    memset(noise, 'x', sizeof noise);
    unit_case("a file that is no database");
    write_file(dir, "records.db", noise, sizeof noise, 0);
    CHECK_ERR(records_open(&(struct records_options){.dir = dir, .url = url}, &r), ERR_CORRUPT);
    unit_case("a database whose pages were overwritten");
    dir = fresh_dir();
    if (!(r = open_in(dir))) return;
    for (int i = 0; i < 500; i++) {
        snprintf(noise, sizeof noise, "%0500d", i);
        CHECK_OK(add(r, 1, noise, i));
    }
    records_close(r);
    memset(noise, 0xa5, sizeof noise);
    for (uint64_t at = 16384; at < 16384 * 40; at += sizeof noise)
        write_file(dir, "records.db", noise, sizeof noise, at);
    CHECK_ERR(records_open(&(struct records_options){.dir = dir, .url = url}, &r), ERR_CORRUPT);
}

static void undoes_failures(void) {
    struct records *r = open_in(fresh_dir());
    struct adding fails = {.party = 1, .text = "x", .fail_with = ERR_STATE};
    if (!r) return;
    unit_case("a function that fails leaves nothing, not even its number");
    CHECK_OK(add(r, 1, "a", 1));
    CHECK_ERR(records_write(r, add_note, &fails), ERR_STATE);
    CHECK_INT(fails.number, 2);
    CHECK_INT(count(r), 1);
    struct adding next = {.party = 1, .text = "x"};
    CHECK_OK(records_write(r, add_note, &next));
    CHECK_INT(next.number, 2);
    unit_case("each party counts for itself");
    struct adding other = {.party = 2, .text = "x"};
    CHECK_OK(records_write(r, add_note, &other));
    CHECK_INT(other.number, 1);
    unit_case("what must be unique or is required");
    CHECK_ERR(add(r, 1, "a", 1), ERR_CONFLICT);
    CHECK_ERR(add(r, 1, NULL, 1), ERR_INVALID);
    CHECK_OK(add(r, 2, "a", 1));
    records_close(r);
}

static void respects_lenses(void) {
    struct records *r = open_in(fresh_dir());
    struct arena arena;
    if (!r) return;
    arena_init(&arena, 0);
    CHECK_OK(add(r, 1, "mine", 1));
    CHECK_OK(add(r, 2, "theirs", 2));
    const struct lens mine = {.party = 1, .fields = 1u | 1u << (NOTE_SIZE - NOTE_TEXT)};
    struct asking a = {.lens = &mine, .arena = &arena, .query = {.total = true}};
    unit_case("another party's rows are not there, not counted, not found");
    CHECK_OK(records_read(r, run_select, &a));
    CHECK_INT(a.page.n, 1);
    CHECK_INT(a.page.total, 1);
    CHECK_STR(a.page.rows[0][NOTE_TEXT].s, STR("mine"));
    unit_case("a hidden column is empty in rows and refused in filter and order");
    CHECK_INT(a.page.rows[0][NOTE_SECRET].kind, VALUE_NONE);
    struct record_filter guess = {.op = RECORD_EQ, .column = NOTE_SECRET, .value = VALUE_S(STR("hush"))};
    struct record_filter nested = {.op = RECORD_OR, .parts = &guess, .n_parts = 1};
    a.query = (struct record_query){.filter = &nested};
    CHECK_ERR(records_read(r, run_select, &a), ERR_INVALID);
    a.query = (struct record_query){.sort = NOTE_SECRET};
    CHECK_ERR(records_read(r, run_select, &a), ERR_INVALID);
    unit_case("a filter nested too deep");
    struct record_filter deep[RECORD_FILTER_DEPTH_MAX + 2] = {{.op = RECORD_AND}};
    for (size_t i = 1; i < sizeof deep / sizeof *deep; i++)
        deep[i] = (struct record_filter){.op = RECORD_AND, .parts = &deep[i - 1], .n_parts = 1};
    a.query = (struct record_query){.filter = &deep[RECORD_FILTER_DEPTH_MAX + 1]};
    CHECK_ERR(records_read(r, run_select, &a), ERR_INVALID);
    arena_fini(&arena);
    records_close(r);
}

static void refuses_cursors(void) {
    static const char *const bad[] = {"x",
                                      "3a",
                                      "3a.1",
                                      "3a.1.",
                                      "3a.1.q",
                                      "3a.1.i",
                                      "3a.1.i1x",
                                      "3a.x.i1",
                                      "3a.1.s6",
                                      "3a.1.szz",
                                      "3a.1.i99999999999999999999",
                                      "3a.1.n1",
                                      "3d.1.i1",
                                      "2a.1.s61",
                                      "0a.1.i1",
                                      "3a.1.b1",
                                      "3a.1.f3ff0000000000000",
                                      "'; DROP TABLE note; --",
                                      "3a.1.l9"};
    struct records *r = open_in(fresh_dir());
    struct arena arena;
    if (!r) return;
    arena_init(&arena, 0);
    CHECK_OK(add(r, 1, "a", 1));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unit_case(bad[i]);
        struct asking a = {.lens = &everything, .arena = &arena, .query = {.sort = NOTE_SIZE, .cursor = str_c(bad[i])}};
        CHECK_ERR(records_read(r, run_select, &a), ERR_INVALID);
    }
    unit_case("pages by a text longer than a cursor");
    char text[600];
    memset(text, 'p', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < 5; i++) {
        text[400] = (char)('a' + i);
        CHECK_OK(add(r, 1, text, i));
    }
    struct asking a = {
        .lens = &everything, .arena = &arena, .query = {.sort = NOTE_TEXT, .limit = 2, .descending = true}};
    size_t seen = 0;
    do {
        if (!CHECK_OK(records_read(r, run_select, &a))) break;
        seen += a.page.n;
        CHECK(a.page.next.len < 100);
        a.query.cursor = a.page.next;
    } while (a.page.next.len > 0 && seen < 100);
    CHECK_INT(seen, 6);
    arena_fini(&arena);
    records_close(r);
}

static Err add_many(void *ctx, struct records_txn *txn) {
    int64_t id;
    for (int i = 0; i < *(int *)ctx; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d", i);
        Value row[NOTE_COLUMNS] = {
            [RECORD_PARTY] = VALUE_I(1), [NOTE_TEXT] = VALUE_S(str_c(text)), [NOTE_SIZE] = VALUE_I(i)};
        TRY(records_txn_insert(txn, &notes, row, &id));
    }
    return err_none();
}

static Err group_all(void *ctx, struct records_txn *txn) {
    struct asking *a = ctx;
    struct record_group *list;
    return records_txn_group(txn, a->lens, &notes, NULL, NOTE_SIZE, 0, a->arena, &list, &a->page.n);
}

static void bounds_groups(void) {
    struct records *r = open_in(fresh_dir());
    struct arena arena;
    int n = 10000;
    if (!r) return;
    arena_init(&arena, 0);
    struct asking a = {.lens = &everything, .arena = &arena};
    unit_case("as many groups as are allowed, and one more");
    CHECK_OK(records_write(r, add_many, &n));
    CHECK_OK(records_read(r, group_all, &a));
    CHECK_INT(a.page.n, 10000);
    CHECK_OK(add(r, 1, "one more", -1));
    CHECK_ERR(records_read(r, group_all, &a), ERR_LIMIT);
    arena_fini(&arena);
    records_close(r);
}

/* ---- many at once */

#define WRITERS 8
#define EACH 100

struct writer {
    struct records *records;
    int number, failed;
    int64_t numbers[EACH];
};

static void write_many(void *ctx) {
    struct writer *w = ctx;
    for (int i = 0; i < EACH; i++) {
        char text[32];
        snprintf(text, sizeof text, "%d-%d", w->number, i);
        struct adding a = {.party = 1, .text = text, .fail_with = i % 5 == 0 ? ERR_STATE : ERR_NONE};
        Err err = records_write(w->records, add_note, &a);
        w->numbers[i] = err.code == ERR_NONE ? a.number : 0;
        w->failed += err.code != ERR_NONE;
    }
}

static void read_many(void *ctx) {
    struct writer *w = ctx;
    uint64_t last = 0;
    for (int i = 0; i < EACH; i++) {
        uint64_t n = count(w->records);
        w->failed += n < last; /* rows never go */
        last = n;
    }
}

static void shares_commits(void) {
    struct records *r = open_in(fresh_dir());
    struct writer writers[WRITERS] = {{0}}, readers[WRITERS] = {{0}};
    struct thread *threads[2 * WRITERS];
    if (!r) return;
    unit_case("writers share commits; each failure is its own; numbers have no gaps");
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.records = r, .number = i};
        readers[i] = (struct writer){.records = r};
        if (!CHECK_OK(thread_start(&threads[i], "write", write_many, &writers[i]))) return;
        if (!CHECK_OK(thread_start(&threads[WRITERS + i], "read", read_many, &readers[i]))) return;
    }
    for (int i = 0; i < 2 * WRITERS; i++) thread_join(threads[i]);
    bool seen[WRITERS * EACH + 1] = {false};
    int kept = WRITERS * EACH * 4 / 5, doubled = 0;
    for (int i = 0; i < WRITERS; i++) {
        CHECK_INT(writers[i].failed, EACH / 5);
        CHECK_INT(readers[i].failed, 0);
        for (int k = 0; k < EACH; k++) {
            int64_t number = writers[i].numbers[k];
            if (number == 0) continue;
            doubled += number < 1 || number > kept || seen[number];
            if (number <= kept) seen[number] = true;
        }
    }
    CHECK_INT(doubled, 0);
    CHECK_INT(count(r), kept);
    struct records_stats stats;
    records_stats(r, &stats);
    CHECK_INT(stats.jobs, WRITERS * EACH);
    CHECK_INT(stats.failed, WRITERS * EACH / 5);
    CHECK(stats.commits < stats.jobs);
    records_close(r);
}

struct async {
    struct records_job job;
    struct adding adding;
    int *order, at;
    Err err;
};

static Err add_async(void *ctx, struct records_txn *txn) { return add_note(&((struct async *)ctx)->adding, txn); }

static void async_done(struct records_job *job, Err err) {
    struct async *a = job->ctx;
    a->at = ++*a->order;
    a->err = err;
}

static void closes(void) {
    const char *dir = fresh_dir();
    struct records *r = open_in(dir);
    static struct async jobs[50];
    static char texts[50][8];
    int order = 0;
    if (!r) return;
    unit_case("closing commits what waits, and calls back in order");
    for (int i = 0; i < 50; i++) {
        snprintf(texts[i], sizeof texts[i], "%d", i % 40); /* the last ten clash */
        jobs[i] = (struct async){.order = &order, .adding = {.party = 1, .text = texts[i]}};
        jobs[i].job = (struct records_job){.fn = add_async, .ctx = &jobs[i], .done = async_done};
        records_submit(r, &jobs[i].job);
    }
    records_close(r);
    for (int i = 0; i < 50; i++) {
        CHECK_INT(jobs[i].at, i + 1);
        CHECK_INT(jobs[i].err.code, i < 40 ? ERR_NONE : ERR_CONFLICT);
    }
    if (!(r = open_in(dir))) return;
    CHECK_INT(count(r), 40);
    records_close(r);
}

static void folds_its_log(void) {
    const char *dir = fresh_dir();
    struct records *r;
    struct records_stats stats;
    char text[2000], path[512];
    unit_case("the log stays within its bound while it is written");
    if (!CHECK_OK(records_open(&(struct records_options){.dir = dir, .url = url, .checkpoint_bytes = 1 << 18}, &r)))
        return;
    CHECK_OK(declare(r, &notes));
    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof text, "%01900d", i);
        CHECK_OK(add(r, 1, text, i));
    }
    records_stats(r, &stats);
    struct file *wal;
    uint64_t size = 0;
    snprintf(path, sizeof path, "%s/records.db-wal", dir);
    if (CHECK_OK(file_open(file_disk, path, FILE_READ, &wal))) {
        CHECK_OK(file_size(wal, &size));
        file_close(wal);
    }
    CHECK(size < 3 << 20); /* 300 commits of four pages and more are 20 MB */
    CHECK_INT(count(r), 300);
    records_close(r);
}

static void names_columns(void) {
    struct records *r = open_in(fresh_dir());
    struct record_column columns[3] = {{.name = "id"}, {.name = "party"}, {.name = "a\"b"}};
    struct record_table odd = {.name = "odd", .columns = columns, .n_columns = 3};
    if (!r) return;
    unit_case("a column's name is plain");
    CHECK_ERR(declare(r, &odd), ERR_INVALID);
    columns[2].name = "select";
    CHECK_OK(declare(r, &odd));
    records_close(r);
}

static Err add_twice(void *ctx, struct records_txn *txn) {
    struct adding *a = ctx;
    TRY(add_note(a, txn));
    Err refused = add_note(a, txn);
    CHECK_ERR(refused, ERR_CONFLICT);
    return err_none(); /* as if nothing had happened */
}

enum { LEAF_OF = 2, LEAF_COLUMNS };
static const struct record_column leaf_columns[LEAF_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {.name = "party", .kind = RECORD_INT, .required = true},
    [LEAF_OF] = {.name = "of", .kind = RECORD_INT, .refers = "note"},
};
static const struct record_table leaves = {.name = "leaf", .columns = leaf_columns, .n_columns = LEAF_COLUMNS};

static Err add_leaf(void *ctx, struct records_txn *txn) {
    const struct adding *a = ctx;
    int64_t id;
    return records_txn_insert(txn, &leaves, (Value[]){VALUE_I(0), VALUE_I(1), VALUE_I(a->id)}, &id);
}

static Err remove_notes(void *ctx, struct records_txn *txn) {
    (void)ctx;
    return records_txn_remove(txn, &notes, &everything, NULL, NULL);
}

static void fails_after_refusals(void) {
    struct records *r = open_in(fresh_dir());
    struct adding a = {.party = 1, .text = "x"};
    if (!r) return;
    unit_case("a change that was refused cannot be passed over");
    CHECK_ERR(records_write(r, add_twice, &a), ERR_CONFLICT);
    CHECK_INT(count(r), 0);
    unit_case("and the next is as if nothing had been");
    CHECK_OK(records_write(r, add_note, &a));
    CHECK_INT(count(r), 1);
    unit_case("what is referred to stays");
    CHECK_OK(declare(r, &leaves));
    CHECK_OK(records_write(r, add_leaf, &a));
    CHECK_ERR(records_write(r, remove_notes, NULL), ERR_CONFLICT);
    CHECK_INT(count(r), 1);
    records_close(r);
}

/* ---- a database server that goes away */

static bool at_server(const char *where, const char *text) {
    const void *driver;
    struct postgresql_link *link;
    struct postgresql_failure failure;
    if (!CHECK_OK(plugin_open("postgresql", &driver))) return false;
    const struct postgresql_driver *d = driver;
    if (!CHECK(d->open(where, &link, &failure))) return false;
    bool ok = CHECK(d->run(link, str_c(text), NULL, 0, &failure));
    d->close(link);
    return ok;
}

static const char end_all[] =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'weft' AND "
    "pid <> pg_backend_pid()";

struct ending {
    struct adding adding;
    const char *where;
};

static Err add_and_end(void *ctx, struct records_txn *txn) {
    struct ending *e = ctx;
    TRY(add_note(&e->adding, txn));
    at_server(e->where, end_all);
    return err_none();
}

static Err add_row(void *ctx, struct records_txn *txn) {
    int64_t id;
    return records_txn_insert(txn, &notes, ctx, &id);
}

/* The first question may find the connection's end. */
static void read_again(struct records *r, struct asking *asking) {
    Err err = records_read(r, run_select, asking);
    CHECK(err.code == ERR_BUSY || err.code == ERR_NONE);
    CHECK_OK(records_read(r, run_select, asking));
}

static void survives_the_server(void) {
    struct records *r = open_in(fresh_dir()), *second = NULL;
    struct arena arena;
    if (!r) return;
    arena_init(&arena, 0);
    struct asking all = {.lens = &everything, .arena = &arena};
    CHECK_OK(add(r, 1, "before", 1));
    CHECK_OK(records_read(r, run_select, &all));
    unit_case("one server writes to a schema");
    CHECK_ERR(records_open(&(struct records_options){.dir = unit_temp_dir(), .url = url}, &second), ERR_LOCKED);
    unit_case("connections that end are opened again");
    if (at_server(url, end_all)) {
        Err lost = add(r, 1, "lost", 2); /* the first write finds out */
        CHECK(lost.code == ERR_BUSY || lost.code == ERR_NONE);
        CHECK_OK(add(r, 1, "after", 3));
        read_again(r, &all);
        CHECK_INT(all.page.n, lost.code == ERR_NONE ? 3 : 2);
    }
    unit_case("a connection that ends inside a transaction takes it along");
    struct ending e = {.adding = {.party = 1, .text = "half"}, .where = url};
    CHECK_ERR(records_write(r, add_and_end, &e), ERR_BUSY);
    read_again(r, &all);
    for (size_t i = 0; i < all.page.n; i++) CHECK(!str_eq_c(all.page.rows[i][NOTE_TEXT].s, "half"));
    CHECK_OK(add(r, 1, "half", 3));
    unit_case("a text that the database cannot keep");
    Value row[NOTE_COLUMNS] = {[RECORD_PARTY] = VALUE_I(1), [NOTE_TEXT] = VALUE_S(STR("a\0b"))};
    CHECK_ERR(records_write(r, add_row, row), ERR_INVALID);
    arena_fini(&arena);
    records_close(r);
    unit_case("nobody at that address; no such database; no such plan");
    CHECK_ERR(records_open(
                  &(struct records_options){.dir = unit_temp_dir(), .url = "postgresql://nobody@127.0.0.1:1/none"}, &r),
              ERR_BUSY);
    CHECK_ERR(records_open(&(struct records_options){.dir = unit_temp_dir(), .url = "mysql://x"}, &r), ERR_INVALID);
}

static void run_all(void) {
    opens();
    migrates();
    undoes_failures();
    respects_lenses();
    refuses_cursors();
    bounds_groups();
    shares_commits();
    closes();
    names_columns();
    fails_after_refusals();
}

void records_test(void) {
    run_all();
    refuses_damage();
    folds_its_log();
    on_postgresql = getenv("WEFT_TEST_POSTGRESQL") != NULL;
    if (!on_postgresql) return;
    run_all();
    survives_the_server();
    on_postgresql = false;
}
