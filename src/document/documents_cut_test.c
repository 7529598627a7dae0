/*
 * Power cuts through documents with lines, removals and imports: after each cut every document has the lines of its
 * last acknowledged write (or of the one that was under way, whole), no line is left without its document, what was
 * removed is gone, and an import is seen wholly or not at all.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "document/documents.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"
#include "trust/gate.h"

void documents_cut_test(void);

enum { DISKS = 12, CUTS = 20, OPS = 24, DOCS_MAX = 4000, LINES_MAX = 6, BATCH_DOCS = 5 };

static const struct field row_fields[] = {{.name = "value", .kind = FIELD_INT, .required = true}};
static const struct doctype row_type = {.name = "row", .fields = row_fields, .n_fields = 1};
static const struct field sheet_fields[] = {{.name = "seed", .kind = FIELD_INT},
                                            {.name = "rows", .kind = FIELD_LINES, .lines = &row_type}};
static const struct doc_state states[] = {{.name = "open"}};
static const struct doctype sheet = {.name = "sheet",
                                     .prefix = "SH",
                                     .fields = sheet_fields,
                                     .n_fields = 2,
                                     .states = states,
                                     .n_states = 1,
                                     .delete_roles = ROLE_STAFF};
static const struct doctype *const types[] = {&sheet, NULL};

/* What must be there: seed < 0: nothing. may: what was under way when the power went. */
struct known {
    int64_t id, seed, may;
    bool unsure;
};

struct run {
    struct store_cutfs *disk;
    struct records *records;
    struct documents *documents;
    struct principal who;
    uint64_t random;
    struct known known[DOCS_MAX];
    size_t n;
    int64_t next_seed, batch, batch_seed; /* batch_seed: of the import under way; its documents have it; 0: none */
    bool batch_shown, batch_unsure;
    char wrong[300];
};

static uint64_t draw(struct run *r) {
    r->random ^= r->random << 13, r->random ^= r->random >> 7, r->random ^= r->random << 17;
    return r->random * UINT64_C(0x9e3779b97f4a7c15) >> 11;
}

static void wrong(struct run *r, const char *what, int64_t id) {
    if (!r->wrong[0]) snprintf(r->wrong, sizeof r->wrong, "%s (%" PRId64 ")", what, id);
}

/* The lines follow from the seed, so that half of a write would show. */
static size_t lines_of(int64_t seed) { return (size_t)(seed % LINES_MAX); }

static struct doc_change change_of(int64_t seed, struct arena *arena) {
    struct buf text = {0};
    struct doc_set *set = arena_zero(arena, 2, sizeof *set);
    buf_c(&text, "[");
    for (size_t i = 0; i < lines_of(seed); i++)
        buf_printf(&text, "%s{\"value\":%" PRId64 "}", i ? "," : "", seed * 10 + (int64_t)i);
    buf_c(&text, "]");
    set[0] = (struct doc_set){"seed", VALUE_I(seed)};
    set[1] = (struct doc_set){"rows", VALUE_S(arena_str(arena, buf_view(&text)))};
    buf_fini(&text);
    return (struct doc_change){.set = set, .n = 2};
}

static bool is_as(const struct doc *doc, int64_t seed) {
    if (doctype_get(doc, "seed").i != seed || doc->lines[0].n != lines_of(seed)) return false;
    for (size_t i = 0; i < doc->lines[0].n; i++)
        if (doc->lines[0].rows[i][0].i != seed * 10 + (int64_t)i) return false;
    return true;
}

/* ---- work */

static Err create_one(struct run *r, struct arena *arena) {
    int64_t seed = ++r->next_seed;
    struct doc_change change = change_of(seed, arena);
    struct doc *doc;
    TRY(documents_create(r->documents, &r->who, &sheet, &change, arena, &doc));
    r->known[r->n++] = (struct known){.id = doc->id, .seed = seed};
    return err_none();
}

static Err change_one(struct run *r, struct known *k, struct arena *arena) {
    struct doc *doc;
    k->may = ++r->next_seed;
    k->unsure = true;
    struct doc_change change = change_of(k->may, arena);
    TRY(documents_change(r->documents, &r->who, &sheet, k->id, &change, arena, &doc));
    k->seed = k->may;
    k->unsure = false;
    return err_none();
}

static Err remove_one(struct run *r, struct known *k, struct arena *arena) {
    k->may = -1;
    k->unsure = true;
    TRY(documents_remove(r->documents, &r->who, &sheet, k->id, 0, arena));
    k->seed = -1;
    k->unsure = false;
    return err_none();
}

static Err import_some(struct run *r, struct arena *arena) {
    struct doc *docs[BATCH_DOCS];
    size_t bad;
    int64_t seed = ++r->next_seed;
    struct doc_change change = change_of(seed, arena);
    for (size_t i = 0; i < BATCH_DOCS; i++)
        TRY(documents_check(r->documents, &r->who, &sheet, &change, arena, &docs[i]));
    TRY(documents_batch_begin(r->documents, &r->who, &sheet, STR("cut"), &r->batch));
    r->batch_seed = seed;
    r->batch_shown = r->batch_unsure = false;
    TRY(documents_batch_add(r->documents, &r->who, r->batch, docs, BATCH_DOCS, &bad, arena));
    if (draw(r) % 2) { /* else it is never seen, however its drop ends */
        r->batch_unsure = true;
        TRY(documents_batch_show(r->documents, &r->who, r->batch));
        r->batch_shown = true;
        r->batch_unsure = draw(r) % 2;
        if (!r->batch_unsure) return err_none();
    }
    return documents_batch_drop(r->documents, &r->who, r->batch);
}

static Err work_once(struct run *r, struct arena *arena) {
    uint64_t luck = draw(r) % 8;
    struct known *k = r->n ? &r->known[draw(r) % r->n] : NULL;
    if (luck == 0 && r->batch_seed == 0) return import_some(r, arena);
    if (!k || luck < 3 || k->seed < 0) return r->n < DOCS_MAX ? create_one(r, arena) : err_none();
    return luck == 3 ? remove_one(r, k, arena) : change_one(r, k, arena);
}

/* ---- what must hold */

static void check_known(struct run *r, const struct lens *lens, struct arena *arena) {
    for (size_t i = 0; i < r->n; i++) {
        struct known *k = &r->known[i];
        struct doc *doc;
        bool there = documents_get(r->documents, lens, &sheet, k->id, arena, &doc).code == ERR_NONE;
        if (k->unsure && (there ? k->may > 0 && is_as(doc, k->may) : k->may < 0)) k->seed = k->may;
        k->unsure = false;
        if (there != (k->seed > 0)) wrong(r, there ? "removed, and there" : "acknowledged, and gone", k->id);
        if (there && k->seed > 0 && !is_as(doc, k->seed)) wrong(r, "not the lines that were acknowledged", k->id);
    }
}

/* All of it or nothing; then it is dropped, if it was not shown, and begun anew. */
static void check_batch(struct run *r, const struct lens *lens, struct arena *arena) {
    struct doc_filter mine = {.field = "seed", .value = VALUE_I(r->batch_seed)};
    struct doc_query query = {.filters = &mine, .n_filters = 1};
    struct doc_page page = {.n = 0};
    if (r->batch_seed == 0) return;
    if (documents_list(r->documents, lens, &sheet, &query, arena, &page).code != ERR_NONE) return;
    if (page.n != 0 && page.n != BATCH_DOCS) wrong(r, "an import is seen in part", r->batch);
    if (!r->batch_unsure && r->batch_shown != (page.n > 0)) wrong(r, "an import is not as acknowledged", r->batch);
    for (size_t i = 0; i < page.n; i++)
        if (!is_as(page.docs[i], r->batch_seed)) wrong(r, "an imported document lacks lines", page.docs[i]->id);
    if (documents_batch_drop(r->documents, &r->who, r->batch).code != ERR_NONE) {
        wrong(r, "an import cannot be dropped", r->batch);
        return;
    }
    if (documents_list(r->documents, lens, &sheet, &query, arena, &page).code == ERR_NONE && page.n > 0)
        wrong(r, "a dropped import is seen", r->batch);
    r->batch_seed = 0;
}

struct lines_count {
    struct run *run;
    uint64_t lines, counted;
    struct arena *arena;
};

static Err count_lines(void *ctx, struct records_txn *txn) {
    static const struct record_column line[] = {{.name = "id", .kind = RECORD_INT},
                                                {.name = "party", .kind = RECORD_INT, .required = true}};
    static const struct record_column head[] = {{.name = "id", .kind = RECORD_INT},
                                                {.name = "party", .kind = RECORD_INT, .required = true},
                                                {.name = "rows", .kind = RECORD_INT}};
    static const struct record_table lines = {.name = "doc_sheet__rows", .columns = line, .n_columns = 2},
                                     heads = {.name = "doc_sheet", .columns = head, .n_columns = 3};
    struct lines_count *c = ctx;
    struct lens lens = gate_lens_party(1, "cut test");
    struct record_group *groups;
    size_t n;
    TRY(records_txn_count(txn, &lens, &lines, NULL, &c->lines));
    TRY(records_txn_group(txn, &lens, &heads, NULL, 0, 2, c->arena, &groups, &n));
    c->counted = n && groups[0].sum.kind == VALUE_INT ? (uint64_t)groups[0].sum.i : 0;
    return err_none();
}

static void verify(struct run *r) {
    struct arena arena;
    struct lens lens;
    arena_init(&arena, 0);
    struct lines_count c = {.run = r, .arena = &arena};
    if (gate_lens(&r->who, &sheet, "cut test", &lens).code != ERR_NONE) wrong(r, "no lens", 0);
    check_known(r, &lens, &arena);
    check_batch(r, &lens, &arena);
    Err err = records_read(r->records, count_lines, &c);
    if (err.code != ERR_NONE || c.lines != c.counted) wrong(r, "lines without a document", (int64_t)c.lines);
    arena_fini(&arena);
}

/* ---- one disk, many cuts */

static Err add_party(void *ctx, struct records_txn *txn) {
    uint64_t n;
    int64_t id;
    struct lens lens = gate_lens_system("cut test");
    (void)ctx;
    TRY(records_txn_count(txn, &lens, &records_system_party, NULL, &n));
    Value row[PARTY_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(0), [PARTY_NAME] = VALUE_S(STR("acme")), [PARTY_CREATED] = VALUE_I(0)};
    return n ? err_none() : records_txn_insert(txn, &records_system_party, row, &id);
}

static Err open_all(struct run *r) {
    struct records_options options = {
        .dir = "/data/records", .fs = store_cutfs_fs(r->disk), .checkpoint_bytes = 1 << 17};
    TRY(records_open(&options, &r->records));
    TRY(documents_open(&(struct documents_options){.records = r->records, .types = types}, &r->documents));
    return records_write(r->records, add_party, NULL);
}

static void close_all(struct run *r) {
    documents_close(r->documents);
    records_close(r->records);
    r->documents = NULL;
    r->records = NULL;
}

static void live_once(struct run *r) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = open_all(r);
    if (err.code == ERR_NONE)
        verify(r);
    else
        wrong(r, "cannot be opened", 0);
    store_cutfs_cut_at(r->disk, 1 + draw(r) % 400);
    for (int i = 0; i < OPS && err.code == ERR_NONE; i++) {
        err = work_once(r, &arena);
        arena_reset(&arena);
    }
    if (err.code != ERR_NONE && !store_cutfs_is_off(r->disk)) wrong(r, err.text, 0);
    close_all(r);
    store_cutfs_power_on(r->disk, draw(r) % 2 ? STORE_CUTFS_SYNCED : STORE_CUTFS_SOME);
    arena_fini(&arena);
}

void documents_cut_test(void) {
    static struct run run;
    size_t worked = 0;
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1));
    unit_case("lines, removals and imports survive cuts whole");
    for (uint64_t seed = 1; seed <= DISKS; seed++) {
        run = (struct run){.disk = store_cutfs_new(seed), .random = seed * 2 + 1, .who = principal_system(1, "cut")};
        for (int cut = 0; cut < CUTS && !run.wrong[0]; cut++) live_once(&run);
        CHECK_STR(str_c(run.wrong), STR(""));
        worked += run.n;
        store_cutfs_free(run.disk);
    }
    CHECK(worked > DISKS * CUTS); /* the work was more than nothing */
    log_set_level(LOG_LEVEL_INFO);
}
