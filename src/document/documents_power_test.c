/*
 * The power-cut test of documents: the whole engine over SQLite over a disk that forgets what was not synced. Several
 * threads create, change and move documents until the power goes, at a random change to the disk; after it, everything
 * that was acknowledged must be there exactly as acknowledged, what was under way either wholly or not at all, and
 * audit, outbox and numbers must tell the same story. Leaving out the syncs of any one kind of file must be noticed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "document/documents.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"
#include "trust/gate.h"

void documents_power_test(void);

#define WORKERS 3
#define OPS 10                /* of one worker between two cuts */
#define CUTS_A_DISK 25        /* documents pile up on a disk meanwhile */
#define DISKS 44              /* 1,100 cuts */
#define CHECKPOINT (1 << 17)  /* small, so that the log is folded and started again all the time */
#define FIRST_PAGE_CUT_MAX 16 /* a database's first page is written within so many changes */
#define TEXT_MAX 30000        /* some documents are larger than a page */

static const struct field job_fields[] = {
    {.name = "code", .kind = FIELD_TEXT, .required = true, .unique = true},
    {.name = "count", .kind = FIELD_INT, .indexed = true},
    {.name = "text", .kind = FIELD_TEXT},
    {.name = "parent", .kind = FIELD_REF, .ref = "job"},
};
static const struct doc_state job_states[] = {{.name = "a"}, {.name = "b"}, {.name = "c", .final = true}};
static const struct transition job_transitions[] = {{.name = "next", .from = "a", .to = "b"},
                                                    {.name = "next", .from = "b", .to = "c"}};
static const struct doctype job = {.name = "job",
                                   .prefix = "JO",
                                   .fields = job_fields,
                                   .n_fields = 4,
                                   .states = job_states,
                                   .n_states = 3,
                                   .transitions = job_transitions,
                                   .n_transitions = 2};
static const struct doctype *const types[] = {&job, NULL};

/* A document as acknowledged. */
struct known {
    int64_t id, version, count;
    int state;
};

/* What a worker has asked for and not heard of: it may have happened. index SIZE_MAX: a new document. */
struct asked {
    bool open;
    size_t index;
    int64_t count;
    int state;
    char code[24];
};

struct worker {
    struct run *run;
    int number, made; /* made: of the codes */
    uint64_t random;
    struct known *known;
    size_t n, cap;
    struct asked asked;
};

struct run {
    struct store_cutfs *disk;
    struct records *records;
    struct documents *documents;
    struct principal who;
    uint64_t random;
    struct worker workers[WORKERS];
    int64_t passed, passing; /* the outbox's reader: acknowledged, and asked for */
    uint64_t writes;         /* on the disk, as of the last verification */
    bool disk_fails;         /* now and then, in this life */
    char wrong[300];         /* the first thing that is not as it must be */
};

static uint64_t draw(uint64_t *random) {
    *random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
    return *random * UINT64_C(0x9e3779b97f4a7c15) >> 11;
}

static void wrong(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void wrong(struct run *run, const char *fmt, ...) {
    va_list args;
    if (run->wrong[0]) return;
    va_start(args, fmt);
    vsnprintf(run->wrong, sizeof run->wrong, fmt, args);
    va_end(args);
}

/* ---- work */

static void acknowledge(struct worker *w, const struct doc *doc) {
    struct known k = {.id = doc->id, .version = doc->version, .count = w->asked.count, .state = w->asked.state};
    if (w->asked.index == SIZE_MAX)
        VEC_PUSH(w->known, w->n, w->cap, k);
    else
        w->known[w->asked.index] = k;
    w->asked.open = false;
}

static Err create_one(struct worker *w, struct arena *arena, struct doc **doc) {
    size_t length = draw(&w->random) % 8 == 0 ? draw(&w->random) % TEXT_MAX : draw(&w->random) % 200;
    char *text = arena_alloc(arena, length + 1);
    memset(text, 'a' + (int)(draw(&w->random) % 26), length);
    snprintf(w->asked.code, sizeof w->asked.code, "%d-%d", w->number, w->made++);
    const struct doc_set set[] = {
        {"code", VALUE_S(str_c(w->asked.code))},
        {"count", VALUE_I(w->asked.count)},
        {"text", VALUE_S(str_n(text, length))},
        {"parent", w->n ? VALUE_I(w->known[draw(&w->random) % w->n].id) : (Value){.kind = VALUE_NONE}}};
    struct doc_change change = {.set = set, .n = 4};
    return documents_create(w->run->documents, &w->run->who, &job, &change, arena, doc);
}

static Err work_once(struct worker *w, struct arena *arena) {
    struct run *run = w->run;
    struct doc *doc = NULL;
    Err err;
    uint64_t luck = draw(&w->random) % 4;
    size_t index = w->n && luck ? draw(&w->random) % w->n : SIZE_MAX;
    struct known old = index == SIZE_MAX ? (struct known){.state = 0} : w->known[index];
    w->asked = (struct asked){.open = true, .index = index, .count = old.count, .state = old.state};
    if (index == SIZE_MAX) {
        w->asked.count = (int64_t)(draw(&w->random) % 1000);
        err = create_one(w, arena, &doc);
    } else if (luck == 1 && old.state < 2) {
        w->asked.state++;
        err = documents_transition(run->documents, &run->who, &job, old.id, STR("next"), NULL, arena, &doc);
    } else {
        w->asked.count++;
        const struct doc_set set = {"count", VALUE_I(w->asked.count)};
        struct doc_change change = {.set = &set, .n = 1, .if_version = old.version};
        err = documents_change(run->documents, &run->who, &job, old.id, &change, arena, &doc);
    }
    if (err.code == ERR_NONE) acknowledge(w, doc);
    return err;
}

static void work(void *ctx) {
    struct worker *w = ctx;
    struct arena arena;
    Err err = err_none();
    arena_init(&arena, 0);
    for (int i = 0; i < OPS && err.code == ERR_NONE; i++) {
        arena_reset(&arena);
        err = work_once(w, &arena);
    }
    if (err.code != ERR_NONE && !w->run->disk_fails && !store_cutfs_is_off(w->run->disk))
        wrong(w->run, "with the power on, work failed: %.200s", err.text);
    arena_fini(&arena);
}

/* A reader of the outbox passes half of what it sees. */
static void pass_outbox(struct run *run) {
    struct arena arena;
    struct outbox_row *rows;
    size_t n;
    arena_init(&arena, 0);
    if (documents_outbox(run->documents, "reader", 40, &arena, &rows, &n).code == ERR_NONE && n > 0) {
        run->passing = rows[n / 2].seq;
        if (documents_outbox_done(run->documents, "reader", run->passing).code == ERR_NONE) run->passed = run->passing;
    }
    arena_fini(&arena);
}

static void work_all(struct run *run) {
    struct thread *threads[WORKERS] = {NULL};
    for (int i = 0; i < WORKERS; i++)
        if (thread_start(&threads[i], "worker", work, &run->workers[i]).code != ERR_NONE) wrong(run, "no thread");
    if (draw(&run->random) % 3 == 0) pass_outbox(run);
    for (int i = 0; i < WORKERS; i++)
        if (threads[i]) thread_join(threads[i]);
}

/* ---- what must hold */

struct on_disk {
    struct run *run;
    struct arena arena;
    struct doc **docs;
    size_t n, cap;
    struct map by_id;   /* to place in docs, + 1 */
    struct map by_code; /* the same */
    struct record_group *audit;
    size_t n_audit;
    struct record_page outbox;
    int64_t through, last_number;
};

static struct doc *find(const struct map *map, Str key, const struct on_disk *d) {
    uint64_t at;
    return map_get(map, key, &at) ? d->docs[at] : NULL;
}

static Str id_key(const int64_t *id) { return str_n((const char *)id, sizeof *id); }

static Err read_docs(struct on_disk *d) {
    struct lens lens;
    struct doc_query query = {.sort = "id", .limit = 1000};
    struct doc_page page;
    TRY(gate_lens(&d->run->who, &job, "power test", &lens));
    do {
        TRY(documents_list(d->run->documents, &lens, &job, &query, &d->arena, &page));
        for (size_t i = 0; i < page.n; i++) {
            struct doc *doc = page.docs[i];
            map_put(&d->by_id, id_key(&doc->id), d->n);
            map_put(&d->by_code, doctype_get(doc, "code").s, d->n);
            VEC_PUSH(d->docs, d->n, d->cap, doc);
        }
        query.cursor = page.next;
    } while (page.next.len > 0);
    return err_none();
}

static Err read_rest(void *ctx, struct records_txn *txn) {
    struct on_disk *d = ctx;
    struct lens lens = gate_lens_system("power test");
    struct record_filter jobs = {.op = RECORD_EQ, .column = AUDIT_TYPE, .value = VALUE_S(STR("job"))};
    Value *row;
    TRY(records_txn_group(txn, &lens, &records_system_audit, &jobs, AUDIT_TARGET, 0, &d->arena, &d->audit,
                          &d->n_audit));
    struct record_query all = {.limit = 100000};
    TRY(records_txn_select(txn, &lens, &records_system_outbox, &all, &d->arena, &d->outbox));
    TRY(records_txn_find(txn, &lens, &records_system_outbox_reader, OUTBOX_READER_NAME, VALUE_S(STR("reader")),
                         &d->arena, &row));
    d->through = row ? row[OUTBOX_READER_THROUGH].i : 0;
    TRY(records_txn_find(txn, &lens, &records_system_number_series, NUMBER_SERIES_NAME, VALUE_S(STR("job")), &d->arena,
                         &row));
    d->last_number = row ? row[NUMBER_SERIES_LAST].i : 0;
    return err_none();
}

static bool is_as(const struct doc *doc, int64_t version, int64_t count, int state) {
    return doc->version == version && doctype_get(doc, "count").i == count && doc->state == state;
}

/* What was asked for last is taken over if it happened; it is then as good as acknowledged. */
static void settle(struct worker *w, const struct on_disk *d) {
    const struct asked *a = &w->asked;
    if (!a->open) return;
    const struct doc *doc = a->index == SIZE_MAX ? find(&d->by_code, str_c(a->code), d)
                                                 : find(&d->by_id, id_key(&w->known[a->index].id), d);
    int64_t version = a->index == SIZE_MAX ? 1 : w->known[a->index].version + 1;
    if (doc && is_as(doc, version, a->count, a->state)) acknowledge(w, doc);
    w->asked.open = false;
}

static void check_known(struct worker *w, const struct on_disk *d) {
    settle(w, d);
    for (size_t i = 0; i < w->n; i++) {
        const struct known *k = &w->known[i];
        const struct doc *doc = find(&d->by_id, id_key(&k->id), d);
        if (!doc)
            wrong(w->run, "document %" PRId64 " was acknowledged and is gone", k->id);
        else if (!is_as(doc, k->version, k->count, k->state))
            wrong(w->run, "document %" PRId64 " was acknowledged at version %" PRId64 " and is at %" PRId64, k->id,
                  k->version, doc->version);
    }
}

static void check_audit(struct run *run, const struct on_disk *d) {
    struct map counts;
    map_init(&counts);
    for (size_t i = 0; i < d->n_audit; i++) map_put(&counts, d->audit[i].key.s, d->audit[i].count);
    for (size_t i = 0; i < d->n; i++) {
        uint64_t count = 0;
        map_get(&counts, d->docs[i]->number, &count);
        if (count != (uint64_t)d->docs[i]->version)
            wrong(run, "%.20s is at version %" PRId64 " with %" PRIu64 " audit rows", d->docs[i]->number.ptr,
                  d->docs[i]->version, count);
    }
    if (d->n_audit != d->n) wrong(run, "audit rows of %zu documents, and there are %zu", d->n_audit, d->n);
    map_fini(&counts);
}

/* Every write left one row; those that the reader passed are gone, all others stand, without a gap. */
static void check_outbox(struct run *run, const struct on_disk *d) {
    uint64_t writes = 0;
    for (size_t i = 0; i < d->n; i++) writes += (uint64_t)d->docs[i]->version;
    for (size_t i = 0; i < d->outbox.n; i++)
        if (d->outbox.rows[i][RECORD_ID].i != d->through + 1 + (int64_t)i)
            wrong(run, "the outbox has a gap behind %" PRId64, d->through);
    if ((uint64_t)d->through + d->outbox.n != writes)
        wrong(run, "%" PRIu64 " writes, and the outbox has seen %" PRIu64, writes, (uint64_t)d->through + d->outbox.n);
    if (d->through != run->passed && d->through != run->passing)
        wrong(run, "the reader had passed %" PRId64 " and stands at %" PRId64, run->passed, d->through);
    run->passed = run->passing = d->through;
    run->writes = writes;
}

static void check_numbers(struct run *run, const struct on_disk *d) {
    size_t known = 0;
    for (size_t i = 0; i < d->n; i++) {
        char number[24];
        snprintf(number, sizeof number, "JO-%06zu", i + 1); /* ids rise as numbers do: one writer gives both */
        if (!str_eq_c(d->docs[i]->number, number))
            wrong(run, "number %.20s where %s must be", d->docs[i]->number.ptr, number);
    }
    if (d->last_number != (int64_t)d->n)
        wrong(run, "%zu documents, and the numbers are at %" PRId64, d->n, d->last_number);
    for (int i = 0; i < WORKERS; i++) known += run->workers[i].n;
    if (known != d->n) wrong(run, "%zu documents, and %zu were asked for", d->n, known);
}

static void verify(struct run *run) {
    struct on_disk d = {.run = run};
    arena_init(&d.arena, 0);
    map_init(&d.by_id);
    map_init(&d.by_code);
    Err err = read_docs(&d);
    if (err.code == ERR_NONE) err = records_read(run->records, read_rest, &d);
    if (err.code != ERR_NONE) {
        if (!store_cutfs_is_off(run->disk)) wrong(run, "cannot be read: %.200s", err.text);
    } else {
        for (int i = 0; i < WORKERS; i++) check_known(&run->workers[i], &d);
        check_audit(run, &d);
        check_outbox(run, &d);
        check_numbers(run, &d);
    }
    free(d.docs);
    map_fini(&d.by_id);
    map_fini(&d.by_code);
    arena_fini(&d.arena);
}

/* ---- one disk, many cuts */

static Err add_party(void *ctx, struct records_txn *txn) {
    (void)ctx;
    struct lens lens = gate_lens_system("power test");
    uint64_t n;
    int64_t id;
    TRY(records_txn_count(txn, &lens, &records_system_party, NULL, &n));
    Value row[PARTY_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(0), [PARTY_NAME] = VALUE_S(STR("acme")), [PARTY_CREATED] = VALUE_I(0)};
    return n ? err_none() : records_txn_insert(txn, &records_system_party, row, &id);
}

static Err open_all(struct run *run) {
    struct records_options options = {
        .dir = "/data/records", .fs = store_cutfs_fs(run->disk), .checkpoint_bytes = CHECKPOINT};
    TRY(records_open(&options, &run->records));
    TRY(documents_open(&(struct documents_options){.records = run->records, .types = types}, &run->documents));
    return records_write(run->records, add_party, NULL);
}

static void close_all(struct run *run) {
    documents_close(run->documents);
    records_close(run->records);
    run->documents = NULL;
    run->records = NULL;
}

static enum store_cutfs_left choose_left(struct run *run) {
    static const enum store_cutfs_left lefts[] = {STORE_CUTFS_SYNCED, STORE_CUTFS_SYNCED, STORE_CUTFS_SOME,
                                                  STORE_CUTFS_SOME,   STORE_CUTFS_ALL,    STORE_CUTFS_KILLED};
    return lefts[draw(&run->random) % (sizeof lefts / sizeof *lefts)];
}

/* Opens, looks, works until the power goes, or does not. The cut may come while opening, working or closing. */
static void live_once(struct run *run) {
    uint64_t cut = 1 + draw(&run->random) % 700;
    bool early = draw(&run->random) % 4 == 0;
    if (early) store_cutfs_cut_at(run->disk, 1 + cut % 60);
    Err err = open_all(run);
    if (err.code == ERR_NONE)
        verify(run);
    else if (!store_cutfs_is_off(run->disk))
        wrong(run, "cannot be opened: %.200s", err.text);
    if (err.code == ERR_NONE && !run->wrong[0]) {
        run->disk_fails = draw(&run->random) % 5 == 0;
        if (!early) store_cutfs_cut_at(run->disk, cut);
        if (run->disk_fails)
            store_cutfs_fail(run->disk, (enum store_cutfs_failure)(cut % 3), draw(&run->random) % 400, 1 + cut % 4);
        work_all(run);
    }
    close_all(run);
    store_cutfs_power_on(run->disk, choose_left(run));
}

static void start(uint64_t seed, const char *ignored, struct run *run) {
    *run = (struct run){.disk = store_cutfs_new(seed), .random = seed * 2 + 1, .who = principal_system(1, "power")};
    if (ignored) store_cutfs_ignore(run->disk, ignored);
    for (int i = 0; i < WORKERS; i++)
        run->workers[i] = (struct worker){.run = run, .number = i, .random = seed * 8 + (uint64_t)i + 1};
}

static void end(struct run *run) {
    for (int i = 0; i < WORKERS; i++) free(run->workers[i].known);
    store_cutfs_free(run->disk);
}

/* Returns the cuts survived; run->wrong says what was found after the last. */
static int live(uint64_t seed, const char *ignored, int cuts, struct run *run) {
    int n = 0;
    start(seed, ignored, run);
    while (n < cuts && !run->wrong[0]) {
        live_once(run);
        n++;
    }
    return n;
}

/* The power goes while the database is being made: it must always be possible to make it again. */
static int be_born(uint64_t seed, const char *ignored, uint64_t last_cut, struct run *run) {
    int cuts = 0;
    bool born = false;
    run->wrong[0] = 0;
    for (uint64_t cut = 1; cut <= last_cut && !born && !run->wrong[0]; cut++) {
        *run = (struct run){
            .disk = store_cutfs_new(seed * 1000 + cut), .random = seed, .who = principal_system(1, "power")};
        if (ignored) store_cutfs_ignore(run->disk, ignored);
        store_cutfs_cut_at(run->disk, cut);
        born = open_all(run).code == ERR_NONE;
        close_all(run);
        store_cutfs_power_on(run->disk, STORE_CUTFS_SOME);
        Err err = open_all(run);
        if (err.code != ERR_NONE) wrong(run, "cannot be opened after cut %" PRIu64 ": %.150s", cut, err.text);
        close_all(run);
        store_cutfs_free(run->disk);
        cuts++;
    }
    return cuts;
}

/* The process dies at the given change to the disk, another looks, and then the power goes: what was seen stays. */
static void die_and_cut(uint64_t change, struct run *run) {
    start(change, NULL, run);
    if (open_all(run).code == ERR_NONE) {
        store_cutfs_cut_at(run->disk, change);
        work(&run->workers[0]);
    }
    close_all(run);
    store_cutfs_power_on(run->disk, STORE_CUTFS_KILLED);
    for (int i = 0; i < 2; i++) {
        Err err = open_all(run);
        if (err.code == ERR_NONE)
            verify(run);
        else
            wrong(run, "cannot be opened: %.200s", err.text);
        store_cutfs_cut_at(run->disk, 0);
        close_all(run);
        store_cutfs_power_on(run->disk, STORE_CUTFS_SYNCED);
    }
}

static void survives(void) {
    uint64_t writes = 0;
    int cuts = 0;
    unit_case("what was acknowledged is there after more than a thousand cuts");
    for (uint64_t seed = 1; seed <= DISKS; seed++) {
        struct run run;
        cuts += live(seed, NULL, CUTS_A_DISK, &run);
        if (run.wrong[0]) printf("seed %" PRIu64 ", cut %d: ", seed, cuts);
        CHECK_STR(str_c(run.wrong), STR(""));
        writes += run.writes;
        end(&run);
    }
    CHECK(cuts >= 1000);
    unit_case("a database is made in spite of cuts at every moment of it");
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct run run;
        CHECK(be_born(seed, NULL, UINT64_MAX, &run) > 20);
        CHECK_STR(str_c(run.wrong), STR(""));
    }
    CHECK(writes > (uint64_t)cuts); /* the work was more than nothing */
}

static void shows_what_lasts(void) {
    unit_case("what a restarted process shows, a power cut does not take back");
    for (uint64_t change = 1; change <= 80; change++) {
        struct run run;
        die_and_cut(change, &run);
        CHECK_STR(str_c(run.wrong), STR(""));
        end(&run);
    }
}

static void needs_each_sync(void) {
    static const char *const sites[] = {"records.wal", "records.db", "records.journal", "records.dir",
                                        "records.folder"};
    for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
        bool noticed = false; /* the journal is used once in a disk's life, so many disks are born */
        char name[80];
        snprintf(name, sizeof name, "leaving out the syncs of %s is noticed", sites[i]);
        unit_case(name);
        for (uint64_t seed = 1001; seed <= 1006 && !noticed; seed++) {
            struct run run;
            live(seed, sites[i], CUTS_A_DISK, &run);
            noticed = run.wrong[0] != 0;
            end(&run);
        }
        for (uint64_t seed = 2001; seed <= 2300 && !noticed; seed++) {
            struct run run;
            be_born(seed, sites[i], FIRST_PAGE_CUT_MAX, &run);
            noticed = run.wrong[0] != 0;
        }
        CHECK(noticed);
    }
}

void documents_power_test(void) {
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* a cut makes every call fail, and say so */
    survives();
    shows_what_lasts();
    needs_each_sync();
    log_set_level(LOG_LEVEL_INFO);
}
