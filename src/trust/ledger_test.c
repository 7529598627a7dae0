#include "trust/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "os/thread.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"

void ledger_test(void);

static struct arena arena;

static LedgerLeaf leaf(uint64_t i) {
    unsigned char salt[32] = {1};
    return ledger_leaf(salt, arena_printf(&arena, "entry %llu", (unsigned long long)i));
}

static struct ledger *open_in(const char *dir, const struct note_key *witnesses, size_t n) {
    struct ledger *l = NULL;
    struct ledger_options o = {.dir = dir, .origin = "test.example/ledger", .witnesses = witnesses, .n_witnesses = n};
    return CHECK_OK(ledger_open(&o, &l)) ? l : NULL;
}

static void add(struct ledger *l, uint64_t from, size_t n) {
    LedgerLeaf *leaves = arena_zero(&arena, n, sizeof *leaves);
    uint64_t first;
    for (size_t i = 0; i < n; i++) leaves[i] = leaf(from + i);
    if (CHECK_OK(ledger_add(l, leaves, n, &first))) CHECK(first == from);
}

static struct checkpoint checkpoint_of(struct ledger *l, Str text) {
    struct note note;
    struct checkpoint c = {0};
    CHECK_OK(note_parse(text, &arena, &note));
    CHECK_INT(note_verify(&note, ledger_key(l), NULL), NOTE_SIGNED);
    CHECK_OK(note_checkpoint(note.text, &c));
    CHECK_STR(c.origin, STR("test.example/ledger"));
    return c;
}

/* The newest checkpoint, its signature checked. */
static struct checkpoint checkpoint(struct ledger *l) {
    Str text = {0};
    CHECK_OK(ledger_checkpoint(l, &arena, &text));
    return checkpoint_of(l, text);
}

static int wrong_inclusions(struct ledger *l, uint64_t step) {
    struct checkpoint c = checkpoint(l);
    MerkleHash path[MERKLE_PATH_MAX];
    int wrong = 0;
    for (uint64_t i = 0; i < c.size; i += step) {
        size_t n;
        LedgerLeaf own = leaf(i);
        MerkleHash h = merkle_leaf(str_n((char *)own.bytes, 32));
        wrong += ledger_inclusion(l, i, c.size, path, &n).code != ERR_NONE ||
                 !merkle_included(h, i, c.size, path, n, c.root);
    }
    return wrong;
}

static void test_growth(void) {
    unit_case("entries are in the tree that the checkpoint signs");
    const char *dir = unit_temp_dir();
    struct ledger *l = open_in(dir, NULL, 0);
    if (!l) return;
    struct checkpoint empty = checkpoint(l), before, after;
    CHECK_INT(empty.size, 0);
    CHECK(merkle_eq(empty.root, merkle_empty()));
    add(l, 0, 1);
    CHECK_INT(wrong_inclusions(l, 1), 0);
    add(l, 1, 299);
    CHECK_INT(ledger_size(l), 300);
    CHECK_INT(wrong_inclusions(l, 1), 0);
    before = checkpoint(l);

    unit_case("and after a restart, and after more");
    ledger_close(l);
    if (!(l = open_in(dir, NULL, 0))) return;
    CHECK_INT(ledger_size(l), 300);
    CHECK_INT(wrong_inclusions(l, 7), 0);
    add(l, 300, 69700);
    after = checkpoint(l);
    CHECK_INT(after.size, 70000);
    CHECK_INT(wrong_inclusions(l, 997), 0);
    MerkleHash path[MERKLE_PATH_MAX];
    size_t n;
    CHECK_OK(ledger_consistency(l, 300, 70000, path, &n));
    CHECK(merkle_consistent(300, 70000, path, n, before.root, after.root));
    CHECK_ERR(ledger_consistency(l, 300, 70001, path, &n), ERR_INVALID);
    CHECK_ERR(ledger_inclusion(l, 70000, 70000, path, &n), ERR_INVALID);

    unit_case("a tree of 70,000 has the tiles that tlog-tiles counts up");
    static const struct {
        const char *path;
        size_t bytes; /* 0: there is none */
    } tiles[] = {{"tile/0/000", 8192},
                 {"tile/0/272", 8192},
                 {"tile/0/273.p/112", 112 * 32},
                 {"tile/0/273.p/113", 0},
                 {"tile/0/273", 0},
                 {"tile/1/000", 8192},
                 {"tile/1/001.p/17", 17 * 32},
                 {"tile/1/001.p/18", 0},
                 {"tile/2/000.p/1", 32},
                 {"tile/2/000.p/2", 0},
                 {"tile/3/000.p/1", 0},
                 {"tile/entries/272", 256 * 34},
                 {"tile/entries/273.p/112", 112 * 34},
                 {"tile/entries/273", 0},
                 {"tile/9/000.p/1", 0},
                 {"tile/63/000.p/1", 0},
                 {"tile/0/0", 0},
                 {"checkpoint", 0}};
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        Str bytes = {0};
        unit_case(tiles[i].path);
        Err err = ledger_tile(l, str_c(tiles[i].path), &arena, &bytes);
        CHECK_INT(err.code, tiles[i].bytes ? ERR_NONE : ERR_NOT_FOUND);
        CHECK_INT(bytes.len, tiles[i].bytes);
    }

    unit_case("bundles hash to tiles, and tiles to the tiles above");
    Str entries, low, high;
    CHECK_OK(ledger_tile(l, STR("tile/entries/001"), &arena, &entries));
    CHECK_OK(ledger_tile(l, STR("tile/0/001"), &arena, &low));
    CHECK_OK(ledger_tile(l, STR("tile/1/000.p/2"), &arena, &high));
    MerkleHash row[256];
    for (size_t i = 0; i < 256; i++) {
        CHECK(entries.ptr[34 * i] == 0 && entries.ptr[34 * i + 1] == 32);
        row[i] = merkle_leaf(str_slice(entries, 34 * i + 2, 34 * i + 34));
        CHECK(memcmp(row[i].bytes, low.ptr + 32 * i, 32) == 0);
    }
    for (size_t k = 256; k > 1; k /= 2)
        for (size_t i = 0; i < k / 2; i++) row[i] = merkle_node(row[2 * i], row[2 * i + 1]);
    CHECK(memcmp(row[0].bytes, high.ptr + 32, 32) == 0);
    add(l, 70000, 130000); /* over the length at which the log is folded */
    CHECK_OK(ledger_check(l));
    CHECK_INT(wrong_inclusions(l, 3001), 0);
    ledger_close(l);
}

static void test_witness(void) {
    unit_case("a witness's signature is checked, kept and served");
    struct ledger *w = open_in(unit_temp_dir(), NULL, 0);
    const char *dir = unit_temp_dir();
    if (!w) return;
    struct note_key key = *ledger_witness_key(w);
    struct ledger *l = open_in(dir, &key, 1);
    if (!l) return;
    Str signed_note, got, line;
    struct note note;
    add(l, 0, 5);
    CHECK_ERR(ledger_cosigned(l, &arena, &got), ERR_NOT_FOUND);
    CHECK_OK(ledger_checkpoint(l, &arena, &signed_note));
    CHECK_ERR(ledger_cosign(l, signed_note), ERR_FORBIDDEN); /* nobody's */
    CHECK_OK(note_parse(signed_note, &arena, &note));
    line = ledger_witness(w, note.text, &arena);
    CHECK_OK(ledger_cosign(l, note_join(&note, line, &arena)));
    CHECK_OK(ledger_checkpoint(l, &arena, &got));
    CHECK_STR(got, note_join(&note, line, &arena));
    Nanos at = 0;
    CHECK_OK(note_parse(got, &arena, &note));
    CHECK_INT(note_verify(&note, &key, &at), NOTE_SIGNED);
    CHECK(at > INT64_C(1600000000) * NANOS_PER_S);
    add(l, 5, 1);
    CHECK_OK(ledger_checkpoint(l, &arena, &signed_note)); /* a newer one, which nobody has signed */
    CHECK_OK(ledger_cosigned(l, &arena, &line));
    CHECK_STR(line, got);

    unit_case("what is no signature of a witness under a checkpoint of this ledger");
    struct checkpoint c = checkpoint(l);
    Str line_of_other = ledger_witness(w, STR("other text\n"), &arena),
        log_line = ledger_witness(l, STR("x\n"), &arena);
    CHECK_OK(note_parse(signed_note, &arena, &note));
    CHECK_ERR(ledger_cosign(l, note_join(&note, line_of_other, &arena)), ERR_INVALID); /* forged */
    CHECK_ERR(ledger_cosign(l, note_join(&note, log_line, &arena)), ERR_FORBIDDEN);
    struct checkpoint wrong[] = {c, c, c};
    wrong[0].origin = STR("else.example/ledger");
    wrong[1].size = 99;
    wrong[2].root.bytes[3] ^= 1;
    for (size_t i = 0; i < 3; i++) {
        struct note forged = {.text = note_checkpoint_text(&wrong[i], &arena)};
        CHECK_ERR(ledger_cosign(l, note_join(&forged, ledger_witness(w, forged.text, &arena), &arena)), ERR_INVALID);
    }
    CHECK_ERR(ledger_cosign(l, STR("nonsense")), ERR_INVALID);
    ledger_close(l);
    ledger_close(w);

    unit_case("kept over a restart; a ledger cut back behind it is not opened");
    if (!(l = open_in(dir, &key, 1))) return;
    CHECK_OK(ledger_cosigned(l, &arena, &line));
    CHECK_STR(line, got);
    ledger_close(l);
    char path[512], other[512];
    const char *fresh = unit_temp_dir();
    struct buf bytes = {0};
    if (!(l = open_in(fresh, &key, 1))) return;
    ledger_close(l);
    snprintf(path, sizeof path, "%s/ledger/cosigned", dir);
    snprintf(other, sizeof other, "%s/ledger/cosigned", fresh);
    CHECK_OK(file_load(file_disk, path, 4096, &bytes));
    CHECK_OK(file_replace(file_disk, other, buf_view(&bytes), "test"));
    buf_fini(&bytes);
    l = NULL;
    CHECK_ERR(ledger_open(&(struct ledger_options){.dir = fresh, .origin = "test.example/ledger"}, &l), ERR_CORRUPT);
}

struct crowd {
    struct ledger *ledger;
    uint64_t base;
    int failed;
    uint64_t index[100];
};

static void add_many(void *ctx) {
    struct crowd *c = ctx;
    unsigned char salt[32] = {2};
    for (uint64_t i = 0; i < 100; i++) {
        unsigned char text[8];
        for (int k = 0; k < 8; k++) text[k] = (unsigned char)((c->base + i) >> 8 * k);
        LedgerLeaf one = ledger_leaf(salt, str_n((char *)text, 8));
        c->failed += ledger_add(c->ledger, &one, 1, &c->index[i]).code != ERR_NONE;
    }
}

static void count_done(void *ctx, Err err, uint64_t index) {
    (void)index;
    if (err.code == ERR_NONE) ++*(int *)ctx;
}

static void test_threads(void) {
    unit_case("many callers share syncs, and each gets its own index");
    struct ledger *l = open_in(unit_temp_dir(), NULL, 0);
    struct thread *threads[8] = {0};
    static struct crowd crowd[8];
    static bool seen[800];
    if (!l) return;
    memset(seen, 0, sizeof seen);
    for (uint64_t i = 0; i < 8; i++) {
        crowd[i] = (struct crowd){.ledger = l, .base = 1000 * i};
        CHECK_OK(thread_start(&threads[i], "adder", add_many, &crowd[i]));
    }
    int twice = 0;
    for (int i = 0; i < 8; i++) {
        thread_join(threads[i]);
        CHECK_INT(crowd[i].failed, 0);
        for (int k = 0; k < 100; k++) {
            uint64_t at = crowd[i].index[k];
            twice += at >= 800 || seen[at];
            if (at < 800) seen[at] = true;
        }
    }
    CHECK_INT(twice, 0);
    struct ledger_stats stats;
    ledger_stats(l, &stats);
    CHECK_INT(stats.entries, 800);
    CHECK(stats.groups < 800);
    int done = 0;
    LedgerLeaf one = leaf(1);
    for (int i = 0; i < 50; i++) ledger_submit(l, &one, count_done, &done);
    ledger_close(l); /* does what was submitted */
    CHECK_INT(done, 50);
}

/* ---- power: everything acknowledged is there, every signed checkpoint is a beginning of what is there */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define CUTS 100
#else
#define CUTS 500
#endif

struct power {
    struct store_cutfs *disk;
    uint64_t random, next; /* next: entries acknowledged */
    struct checkpoint signed_one;
};

static uint64_t draw(struct power *p, uint64_t below) {
    p->random = p->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (p->random >> 33) % below;
}

static Err open_power(struct power *p, struct ledger **out) {
    return ledger_open(
        &(struct ledger_options){
            .dir = "data", .fs = store_cutfs_fs(p->disk), .origin = "test.example/ledger", .fold_at = 600},
        out);
}

/* Entry i is leaf(i), so that what was not acknowledged but is there can be told too. */
static bool look(struct power *p, struct ledger *l) {
    uint64_t size = ledger_size(l);
    if (size < p->next) return false;
    p->next = size;
    if (wrong_inclusions(l, 1 + size / 20)) return false;
    if (p->signed_one.size > 0) {
        MerkleHash path[MERKLE_PATH_MAX];
        size_t n;
        if (ledger_consistency(l, p->signed_one.size, size, path, &n).code != ERR_NONE ||
            !merkle_consistent(p->signed_one.size, size, path, n, p->signed_one.root, checkpoint(l).root))
            return false;
    }
    return true;
}

static void work(struct power *p, struct ledger *l) {
    while (!store_cutfs_is_off(p->disk)) {
        size_t n = 1 + (size_t)draw(p, 300);
        LedgerLeaf *leaves = arena_zero(&arena, n, sizeof *leaves);
        uint64_t first;
        for (size_t i = 0; i < n; i++) leaves[i] = leaf(p->next + i);
        if (ledger_add(l, leaves, n, &first).code != ERR_NONE) return;
        p->next = first + n;
        Str text;
        if (draw(p, 3) == 0 && ledger_checkpoint(l, &arena, &text).code == ERR_NONE)
            p->signed_one = checkpoint_of(l, text);
    }
}

static int one_disk(uint64_t seed, const char *ignored) {
    struct power p = {.disk = store_cutfs_new(seed), .random = seed};
    int lost = 0;
    CHECK_OK(file_make_dirs(store_cutfs_fs(p.disk), "data", "test"));
    store_cutfs_ignore(p.disk, ignored);
    for (int i = 0; i < 5 && !lost; i++) {
        struct ledger *l = NULL;
        store_cutfs_cut_at(p.disk, 1 + draw(&p, 60));
        if (open_power(&p, &l).code == ERR_NONE) work(&p, l);
        ledger_close(l);
        store_cutfs_power_on(p.disk, draw(&p, 3) == 0   ? STORE_CUTFS_SYNCED
                                     : draw(&p, 2) == 0 ? STORE_CUTFS_KILLED
                                                        : STORE_CUTFS_SOME);
        l = NULL;
        lost += open_power(&p, &l).code != ERR_NONE || !look(&p, l);
        if (l) ledger_close(l);
    }
    store_cutfs_free(p.disk);
    arena_reset(&arena);
    return lost;
}

static void test_power(void) {
    unit_case("power cut at any moment: what was acknowledged or signed is there");
    int lost = 0;
    for (uint64_t seed = 1; seed <= CUTS / 5; seed++) lost += one_disk(seed, "");
    CHECK_INT(lost, 0);
#if CUTS >= 500
    static const char *const needed[] = {"ledger.append", "ledger.files", "ledger.files.dir", "ledger.log",
                                         "ledger.log.dir"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        unit_case(needed[i]);
        lost = 0;
        for (uint64_t seed = 1; seed <= CUTS && lost == 0; seed++) lost += one_disk(seed, needed[i]);
        CHECK(lost > 0); /* without this sync a loss is found */
    }
#endif
}

static void test_damage(void) {
    unit_case("damage is named");
    struct store_cutfs *disk = store_cutfs_new(1);
    struct power p = {.disk = disk};
    struct ledger *l = NULL;
    CHECK_OK(file_make_dirs(store_cutfs_fs(disk), "data", "test"));
    if (!CHECK_OK(open_power(&p, &l))) return;
    add(l, 0, 1000);
    ledger_close(l);
    if (!CHECK_OK(open_power(&p, &l))) return; /* folds */
    ledger_close(l);
    l = NULL;
    CHECK(store_cutfs_flip(disk, "data/ledger/log", 17));
    CHECK_ERR(open_power(&p, &l), ERR_CORRUPT);
    CHECK(store_cutfs_flip(disk, "data/ledger/log", 17));
    CHECK(store_cutfs_flip(disk, "data/ledger/level1", 40));
    CHECK_ERR(open_power(&p, &l), ERR_CORRUPT);
    CHECK(store_cutfs_flip(disk, "data/ledger/level1", 40));
    CHECK_OK(file_remove(store_cutfs_fs(disk), "data/ledger/log"));
    CHECK_ERR(open_power(&p, &l), ERR_CORRUPT);
    store_cutfs_free(disk);

    unit_case("a disk that is full for a while");
    disk = store_cutfs_new(2);
    p = (struct power){.disk = disk};
    CHECK_OK(file_make_dirs(store_cutfs_fs(disk), "data", "test"));
    if (!CHECK_OK(open_power(&p, &l))) return;
    add(l, 0, 10);
    LedgerLeaf one = leaf(10);
    uint64_t first;
    store_cutfs_fail(disk, STORE_CUTFS_SHORT, 0, 1);
    CHECK_ERR(ledger_add(l, &one, 1, &first), ERR_IO);
    add(l, 10, 5);
    CHECK_INT(wrong_inclusions(l, 1), 0);
    ledger_close(l);
    l = NULL;
    if (!CHECK_OK(open_power(&p, &l))) return;
    CHECK_INT(ledger_size(l), 15);
    CHECK_INT(wrong_inclusions(l, 1), 0);
    ledger_close(l);
    store_cutfs_free(disk);
}

void ledger_test(void) {
    arena_init(&arena, 0);
    test_growth();
    test_witness();
    test_threads();
    log_set_level((enum log_level)(LOG_LEVEL_ERROR + 1)); /* a cut makes every call fail, and say so */
    test_power();
    test_damage();
    log_set_level(LOG_LEVEL_INFO);
    arena_fini(&arena);
}
