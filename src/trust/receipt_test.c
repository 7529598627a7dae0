#include "trust/receipt.h"

#include <string.h>

#include "store/records.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "tests/unit.h"
#include "trust/gate.h"
#include "trust/ledger_entries.h"
#include "trust/seal.h"

void receipt_test(void);

static struct arena arena;

struct world {
    const char *dir;
    struct records *records;
    struct seal *seal;
    struct ledger *ledger;
    struct ledger_entries *entries;
};

static bool open_world(struct world *w) {
    struct records_options records = {.dir = w->dir};
    struct ledger_options ledger = {.dir = w->dir, .origin = "test.example/ledger"};
    return CHECK_OK(records_open(&records, &w->records)) &&
           CHECK_OK(seal_open(&(struct seal_options){.dir = w->dir}, &w->seal)) &&
           CHECK_OK(ledger_open(&ledger, &w->ledger)) &&
           CHECK_OK(ledger_entries_open(&(struct ledger_entries_options){w->records, w->ledger, w->seal, NULL},
                                        &w->entries));
}

static void close_world(struct world *w) {
    ledger_entries_close(w->entries);
    ledger_close(w->ledger);
    seal_close(w->seal);
    records_close(w->records);
}

struct told {
    int holds, fails, open;
};

static void count(void *ctx, enum receipt_verdict verdict, Str words) {
    struct told *t = ctx;
    CHECK(words.len > 10);
    *(verdict == RECEIPT_HOLDS ? &t->holds : verdict == RECEIPT_FAILS ? &t->fails : &t->open) += 1;
}

static void test_check(struct world *w, const struct ledger_entry *entry) {
    unit_case("a receipt goes out as JSON and is checked elsewhere");
    struct receipt made, r;
    struct buf json = {0};
    struct jw writer;
    CHECK_OK(receipt_make(w->ledger, entry->salt, entry->text, (uint64_t)entry->index, &arena, &made));
    jw_init(&writer, &json);
    receipt_write(&made, &writer, &arena);
    CHECK_OK(receipt_parse(buf_view(&json), &arena, &r));
    struct told told = {0};
    struct receipt_check check = {
        .receipt = &r, .keys = ledger_key(w->ledger), .n_keys = 1, .say = count, .ctx = &told};
    CHECK_INT(receipt_check(&check, &arena), RECEIPT_HOLDS);
    CHECK_INT(told.holds, 2);
    check.n_keys = 0;
    CHECK_INT(receipt_check(&check, &arena), RECEIPT_OPEN);
    check.n_keys = 1;

    unit_case("whatever is changed in it is found");
    for (int i = 0; i < 6; i++) {
        struct receipt bad = r;
        if (i == 0) bad.text = STR("something else");
        if (i == 1) bad.salt[31] ^= 1;
        if (i == 2) bad.index ^= 1;
        if (i == 3) bad.size++;
        if (i == 4) bad.path[0].bytes[0] ^= 1;
        if (i == 5) bad.checkpoint = STR("nonsense");
        check.receipt = &bad;
        CHECK_INT(receipt_check(&check, &arena), RECEIPT_FAILS);
    }
    check.receipt = &r;
    Str other = STR("test.example/ledger\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n"
                    "\xe2\x80\x94 test.example/ledger AAAAAAA=\n");
    check.checkpoints = &other;
    check.n_checkpoints = 1;
    CHECK_INT(receipt_check(&check, &arena), RECEIPT_FAILS); /* not signed by the ledger */
    buf_fini(&json);
}

static void test_parse(void) {
    unit_case("what is no receipt");
    static const char *const texts[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"weft\":\"receipt/2\"}",
                                        "{\"weft\":\"receipt/1\",\"text\":5}",
                                        "{\"weft\":\"receipt/1\",\"text\":\"a\",\"salt\":\"AAAA\"}",
                                        "1e999"};
    struct receipt r;
    struct receipt_proof p;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_ERR(receipt_parse(str_c(texts[i]), &arena, &r), ERR_INVALID);
        CHECK_ERR(receipt_proof_parse(str_c(texts[i]), &arena, &p), ERR_INVALID);
    }
    CHECK_OK(receipt_proof_parse(STR("{\"from\":1,\"to\":2,\"path\":[]}"), &arena, &p));
}

static struct lens lens_of(PartyId party) { return gate_lens_party(party, "test"); }

static void test_entries(struct world *w, struct ledger_entry *out) {
    unit_case("what is noted is in the ledger soon, with a salt of its own");
    struct ledger_entry note = {.party = 1, .type = STR("event"), .row = 7, .version = 1, .text = STR("{\"kiln\":4}")};
    CHECK_OK(ledger_entries_write(w->entries, &note));
    note.version = 2;
    note.text = STR("{\"kiln\":5}");
    CHECK_OK(ledger_entries_write(w->entries, &note));
    note.party = 2;
    CHECK_OK(ledger_entries_write(w->entries, &note));
    ledger_entries_close(w->entries); /* enters what waits */
    CHECK_INT(ledger_size(w->ledger), 3);
    CHECK_OK(ledger_entries_open(&(struct ledger_entries_options){w->records, w->ledger, w->seal, NULL}, &w->entries));
    struct ledger_entry got, first;
    struct lens own = lens_of(1), stranger = lens_of(3);
    CHECK_OK(ledger_entries_find(w->entries, &own, STR("event"), 7, 0, &arena, &got));
    CHECK_INT(got.version, 2);
    CHECK_STR(got.text, STR("{\"kiln\":5}"));
    CHECK_INT(got.index, 1);
    CHECK_OK(ledger_entries_find(w->entries, &own, STR("event"), 7, 1, &arena, &first));
    CHECK_STR(first.text, STR("{\"kiln\":4}"));
    CHECK(memcmp(first.salt, got.salt, 32) != 0);
    CHECK_ERR(ledger_entries_find(w->entries, &own, STR("event"), 7, 3, &arena, &got), ERR_NOT_FOUND);
    CHECK_ERR(ledger_entries_find(w->entries, &own, STR("order"), 7, 0, &arena, &got), ERR_NOT_FOUND);
    CHECK_ERR(ledger_entries_find(w->entries, &stranger, STR("event"), 7, 0, &arena, &got), ERR_NOT_FOUND);
    *out = first;
}

static void test_erased(struct world *w) {
    unit_case("an erased key takes texts and salts with it");
    struct ledger_entry got;
    struct lens own = lens_of(1), other = lens_of(2);
    CHECK_OK(seal_erase(w->seal, 1));
    CHECK_ERR(ledger_entries_find(w->entries, &own, STR("event"), 7, 0, &arena, &got), ERR_NOT_FOUND);
    CHECK_OK(ledger_entries_find(w->entries, &other, STR("event"), 7, 0, &arena, &got));
    CHECK_INT(ledger_size(w->ledger), 3);
}

void receipt_test(void) {
    struct world w = {.dir = unit_temp_dir()};
    struct ledger_entry entry;
    arena_init(&arena, 0);
    test_parse();
    if (open_world(&w)) {
        test_entries(&w, &entry);
        test_check(&w, &entry);
        test_erased(&w);
        close_world(&w);
    }
    arena_fini(&arena);
}
