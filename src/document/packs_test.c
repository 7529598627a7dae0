/*
 * Installing and upgrading packs, and the same with the power cut at every single change to the disk: after it the old
 * pack is there with its documents, or the new one with what it made of them, and never anything between.
 */
#include "document/packs.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "document/documents.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"
#include "trust/gate.h"

void packs_test(void);

struct world {
    struct store_cutfs *disk; /* NULL: a folder of the real one */
    const char *dir;
    struct records *records;
    struct packs *packs;
    struct documents *documents;
    struct arena arena;
    PartyId party;
};

static Err add_party(void *ctx, struct records_txn *txn) {
    (void)ctx;
    struct lens lens = gate_lens_system("packs test");
    uint64_t n;
    int64_t id;
    TRY(records_txn_count(txn, &lens, &records_system_party, NULL, &n));
    Value row[PARTY_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(0), [PARTY_NAME] = VALUE_S(STR("acme")), [PARTY_CREATED] = VALUE_I(0)};
    return n ? err_none() : records_txn_insert(txn, &records_system_party, row, &id);
}

static Err open_all(struct world *w) {
    struct file_system *fs = w->disk ? store_cutfs_fs(w->disk) : NULL;
    TRY(file_make_dirs(fs ? fs : file_disk, w->dir, "test.dir"));
    TRY(records_open(&(struct records_options){.dir = w->dir, .fs = fs}, &w->records));
    TRY(records_write(w->records, add_party, NULL));
    w->party = 1;
    TRY(packs_open(&(struct packs_options){.dir = w->dir, .fs = fs, .records = w->records}, &w->packs));
    TRY(documents_open(&(struct documents_options){.records = w->records,
                                                   .types = packs_catalog(w->packs)->types,
                                                   .clock = &clock_system},
                       &w->documents));
    return packs_attach(w->packs, w->documents, documents_retype);
}

static void close_all(struct world *w) {
    if (w->documents) documents_close(w->documents);
    packs_close(w->packs);
    if (w->records) records_close(w->records);
    w->documents = NULL, w->packs = NULL, w->records = NULL;
}

#define HEAD "name: shop\ntitle: {zh: 店, en: Shop}\nversion: 1.0.0\nrecords:\n"
#define V1                                                                                                             \
    HEAD "  bill: {fields: {who: {}, count: {kind: int}, price: {kind: decimal, scale: 2}, gone: {}}, states: {open: " \
         "{}, paid: {}}, transitions: {pay: {from: open, to: paid}}}\n"
#define V2                                                                                                             \
    HEAD "  bill: {fields: {client: {was: who}, pieces: {was: count, kind: decimal, scale: 1}, cost: {was: price, "    \
         "kind: decimal, scale: 4}, grade: {kind: choice, choices: [a, b], default: b}}, states: {open: {}, paid: "    \
         "{}}, transitions: {pay: {from: open, to: paid}}}\n"

static Err install(struct world *w, const char *text, bool dry, struct packs_plan *plan) {
    struct pack_faults faults = {.arena = &w->arena};
    struct pack_file file = {STR("pack.yaml"), str_c(text)};
    struct pack_source source = {.where = "shop", .files = &file, .n = 1};
    *plan = (struct packs_plan){.arena = &w->arena};
    return packs_install(w->packs, &source, dry, &faults, plan);
}

static Err make_bills(struct world *w, int n) {
    struct principal who = principal_system(w->party, "test");
    const struct doctype *bill = documents_type(w->documents, STR("bill"));
    for (int i = 0; i < n; i++) {
        struct doc_set set[] = {
            {"who", VALUE_S(STR("ann"))}, {"count", VALUE_I(i)}, {"price", VALUE_I(1250)}, {"gone", VALUE_S(STR("g"))}};
        struct doc *doc;
        TRY(documents_create(w->documents, &who, bill, &(struct doc_change){.set = set, .n = 4}, &w->arena, &doc));
    }
    return err_none();
}

static void look(struct world *w, bool upgraded, int n) {
    struct principal who = principal_system(w->party, "test");
    const struct doctype *bill = documents_type(w->documents, STR("bill"));
    struct lens lens;
    struct doc_page page;
    struct doc_query query = {.limit = 1000, .sort = "id"};
    CHECK_OK(gate_lens(&who, bill, "test", &lens));
    if (!CHECK_OK(documents_list(w->documents, &lens, bill, &query, &w->arena, &page))) return;
    CHECK_INT(page.n, n);
    for (size_t i = 0; i < page.n; i++) {
        const struct doc *d = page.docs[i];
        CHECK_STR(doctype_get(d, upgraded ? "client" : "who").s, STR("ann"));
        CHECK_INT(doctype_get(d, upgraded ? "pieces" : "count").i, (int)i * (upgraded ? 10 : 1));
        CHECK_INT(doctype_get(d, upgraded ? "cost" : "price").i, upgraded ? 125000 : 1250);
        if (upgraded)
            CHECK_STR(doctype_get(d, "grade").s, STR("b"));
        else
            CHECK_STR(doctype_get(d, "gone").s, STR("g"));
    }
}

static bool has_type(struct world *w, const char *name) { return documents_type(w->documents, str_c(name)) != NULL; }

static void life(void) {
    unit_case("install, use, refuse, upgrade, come back, remove");
    struct world w = {.dir = unit_temp_dir()};
    struct packs_plan plan;
    arena_init(&w.arena, 0);
    if (!CHECK_OK(open_all(&w))) return;
    CHECK_OK(install(&w, V1, true, &plan));
    CHECK(!has_type(&w, "bill"));
    CHECK_OK(install(&w, V1, false, &plan));
    CHECK(has_type(&w, "bill"));
    CHECK_OK(make_bills(&w, 3));
    static const struct {
        const char *text, *detail;
    } refused[] = {
        {HEAD "  bill: {fields: {who: {kind: int}}, states: {open: {}}}", "kept as text, not int"},
        {HEAD "  bill: {fields: {price: {kind: decimal, scale: 3}}, states: {open: {}}}", "2 digits"},
        {HEAD "  bill: {fields: {who: {}, new: {required: true}}, states: {open: {}}}", "give it a default"},
        {HEAD "  bill: {fields: {who: {}}, states: {begun: {}}}", "3 documents are in it"},
        {HEAD "  bill: {fields: {n: {kind: int, was: who}}, states: {open: {}}}", "does not fit"},
        {HEAD "  other: {fields: {x: {}}}", "3 documents stand"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        bool said = false;
        CHECK_ERR(install(&w, refused[i].text, false, &plan), ERR_CONFLICT);
        for (size_t k = 0; k < plan.n; k++)
            said = said || (plan.steps[k].refused && strstr(plan.steps[k].detail, refused[i].detail));
        if (!CHECK(said)) fprintf(stderr, "not said: %s\n", refused[i].detail);
    }
    look(&w, false, 3);
    CHECK_OK(install(&w, V2, false, &plan));
    look(&w, true, 3);
    close_all(&w);
    if (!CHECK_OK(open_all(&w))) return;
    look(&w, true, 3);
    plan = (struct packs_plan){.arena = &w.arena};
    CHECK_ERR(packs_remove(w.packs, STR("shop"), &plan), ERR_CONFLICT);
    CHECK_ERR(packs_remove(w.packs, STR("machinery"), &plan), ERR_CONFLICT);
    CHECK_ERR(packs_remove(w.packs, STR("nothing"), &plan), ERR_NOT_FOUND);
    close_all(&w);
    arena_fini(&w.arena);
}

static void own_fields(void) {
    unit_case("fields of a party's own");
    struct world w = {.dir = unit_temp_dir()};
    struct packs_plan plan;
    Str got;
    arena_init(&w.arena, 0);
    struct pack_faults faults = {.arena = &w.arena};
    if (!CHECK_OK(open_all(&w)) || !CHECK_OK(install(&w, V1, false, &plan))) return;
    CHECK_OK(packs_add_field(w.packs, 1, STR("bill"), STR("size"), STR("{\"kind\":\"int\",\"default\":7}"), &faults,
                             &w.arena, &got));
    CHECK_STR(got, STR("x_size"));
    CHECK_ERR(packs_add_field(w.packs, 1, STR("bill"), STR("x_size"), STR("{}"), &faults, &w.arena, &got),
              ERR_CONFLICT);
    CHECK_OK(packs_add_field(w.packs, 2, STR("bill"), STR("size"), STR("{}"), &faults, &w.arena, &got));
    CHECK_STR(got, STR("x_size_2"));
    CHECK_ERR(packs_add_field(w.packs, 1, STR("none"), STR("a"), STR("{}"), &faults, &w.arena, &got), ERR_NOT_FOUND);
    CHECK_ERR(packs_add_field(w.packs, 1, STR("bill"), STR("A b"), STR("{}"), &faults, &w.arena, &got), ERR_INVALID);
    CHECK_ERR(packs_add_field(w.packs, 1, STR("bill"), STR("l"), STR("{\"kind\":\"lines\",\"fields\":{}}"), &faults,
                              &w.arena, &got),
              ERR_INVALID);
    close_all(&w);
    if (!CHECK_OK(open_all(&w))) return;
    const struct doctype *bill = documents_type(w.documents, STR("bill"));
    int own = doctype_field(bill, STR("x_size"));
    if (CHECK(own >= 0)) CHECK_INT(bill->fields[own].custom_of, 1);
    CHECK_ERR(packs_remove_field(w.packs, 2, STR("bill"), STR("x_size")), ERR_NOT_FOUND);
    CHECK_OK(packs_remove_field(w.packs, 1, STR("bill"), STR("x_size")));
    CHECK(doctype_field(documents_type(w.documents, STR("bill")), STR("x_size")) < 0);
    close_all(&w);
    arena_fini(&w.arena);
}

/* One upgrade that the power ends at its k-th change; false: it was through before. */
static bool cut_upgrade(uint64_t k, enum store_cutfs_left left) {
    struct world w = {.disk = store_cutfs_new(k * 31 + 7), .dir = "/data"};
    struct packs_plan plan;
    arena_init(&w.arena, 0);
    bool cut = false;
    if (CHECK_OK(open_all(&w)) && CHECK_OK(install(&w, V1, false, &plan)) && CHECK_OK(make_bills(&w, 4))) {
        store_cutfs_cut_at(w.disk, k);
        Err err = install(&w, V2, false, &plan);
        cut = store_cutfs_is_off(w.disk);
        close_all(&w);
        store_cutfs_power_on(w.disk, left);
        if (CHECK_OK(open_all(&w))) {
            bool upgraded = doctype_field(documents_type(w.documents, STR("bill")), STR("client")) >= 0;
            if (err.code == ERR_NONE) CHECK(upgraded);
            look(&w, upgraded, 4);
        }
    }
    close_all(&w);
    store_cutfs_free(w.disk);
    arena_fini(&w.arena);
    return cut;
}

static void power(void) {
    unit_case("the power goes at any change of an upgrade");
    unsigned n = 0;
    for (uint64_t k = 1; k < 400 && cut_upgrade(k, k % 2 ? STORE_CUTFS_SYNCED : STORE_CUTFS_SOME); k += 1 + k / 12) n++;
    CHECK(n > 15);
}

void packs_test(void) {
    life();
    own_fields();
    power();
}
