/*
 * A row without an index is looked for by the thread, entered, and given its index in a second write. A crash between
 * the two enters it again: the ledger then holds the same hash twice, and the later index counts.
 */
#include "trust/ledger_entries.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/gate.h"
#include "trust/seal.h"

#define BATCH 500
#define RETRY (2 * NANOS_PER_S)

enum {
    ENTRY_AT = 2,
    ENTRY_TYPE,
    ENTRY_ROW,
    ENTRY_VERSION,
    ENTRY_SECRET, /* sealed: salt, then text */
    ENTRY_HASH,
    ENTRY_WAITS, /* 1 until it is in the ledger */
    ENTRY_INDEX,
    ENTRY_COLUMNS
};

static const struct record_column columns[ENTRY_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {.name = "party", .kind = RECORD_INT, .required = true},
    [ENTRY_AT] = {.name = "at", .kind = RECORD_INT, .required = true},
    [ENTRY_TYPE] = {.name = "type", .kind = RECORD_TEXT, .required = true},
    [ENTRY_ROW] = {.name = "row", .kind = RECORD_INT, .required = true, .indexed = true},
    [ENTRY_VERSION] = {.name = "version", .kind = RECORD_INT, .required = true},
    [ENTRY_SECRET] = {.name = "secret", .kind = RECORD_BLOB, .required = true},
    [ENTRY_HASH] = {.name = "hash", .kind = RECORD_BLOB, .required = true},
    [ENTRY_WAITS] = {.name = "waits", .kind = RECORD_INT, .indexed = true},
    [ENTRY_INDEX] = {.name = "position", .kind = RECORD_INT},
};
static const struct record_table table = {.name = "ledger_entry", .columns = columns, .n_columns = ENTRY_COLUMNS};

struct ledger_entries {
    struct ledger_entries_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool fresh, stopping;
    struct thread *thread;
};

static Str about(Str type, int64_t row, int64_t version, struct arena *arena) {
    return arena_printf(arena, "ledger_entry/" STR_FMT "/%lld/%lld", STR_ARG(type), (long long)row, (long long)version);
}

/* ---- writing */
static void wake(struct ledger_entries *e) {
    thread_lock(&e->lock);
    e->fresh = true;
    thread_signal(&e->wake);
    thread_unlock(&e->lock);
}

static Err insert(struct ledger_entries *e, struct records_txn *txn, const struct ledger_entry *entry,
                  struct arena *arena) {
    unsigned char *plain = arena_alloc(arena, 32 + entry->text.len);
    Str sealed;
    int64_t id;
    secret_random(plain, 32);
    if (entry->text.len > 0) memcpy(plain + 32, entry->text.ptr, entry->text.len);
    LedgerLeaf leaf = ledger_leaf(plain, entry->text);
    TRY(seal_bytes(e->options.seal, entry->party, about(entry->type, entry->row, entry->version, arena),
                   str_n((char *)plain, 32 + entry->text.len), arena, &sealed));
    Value row[ENTRY_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(entry->party),
        [ENTRY_AT] = VALUE_I(clock_now(e->options.clock)),
        [ENTRY_TYPE] = VALUE_S(entry->type),
        [ENTRY_ROW] = VALUE_I(entry->row),
        [ENTRY_VERSION] = VALUE_I(entry->version),
        [ENTRY_SECRET] = VALUE_S(sealed),
        [ENTRY_HASH] = VALUE_S(str_n((const char *)leaf.bytes, sizeof leaf.bytes)),
        [ENTRY_WAITS] = VALUE_I(1),
    };
    return records_txn_insert(txn, &table, row, &id);
}

Err ledger_entries_note(struct ledger_entries *e, struct records_txn *txn, const struct ledger_entry *entry) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = insert(e, txn, entry, &arena);
    arena_fini(&arena);
    wake(e); /* a moment early; the thread waits for the commit, as a look that finds nothing is repeated */
    return err;
}

struct writing {
    struct ledger_entries *entries;
    const struct ledger_entry *entry;
};

static Err write_one(void *ctx, struct records_txn *txn) {
    struct writing *w = ctx;
    return ledger_entries_note(w->entries, txn, w->entry);
}

Err ledger_entries_write(struct ledger_entries *e, const struct ledger_entry *entry) {
    TRY(records_write(e->options.records, write_one, &(struct writing){e, entry}));
    wake(e);
    return err_none();
}

/* ---- entering, on a thread of its own */
struct batch {
    struct lens lens;
    struct arena *arena;
    struct record_page page;
    uint64_t first;
};

static Err read_batch(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    struct record_filter waits = {.op = RECORD_EQ, .column = ENTRY_WAITS, .value = VALUE_I(1)};
    struct record_query query = {.filter = &waits, .sort = RECORD_ID, .limit = BATCH};
    return records_txn_select(txn, &b->lens, &table, &query, b->arena, &b->page);
}

static Err write_indexes(void *ctx, struct records_txn *txn) {
    const struct batch *b = ctx;
    static const unsigned changed[] = {ENTRY_WAITS, ENTRY_INDEX};
    for (size_t i = 0; i < b->page.n; i++) {
        Value values[] = {{.kind = VALUE_NONE}, VALUE_I((int64_t)(b->first + i))};
        TRY(records_txn_update(txn, &table, b->page.rows[i][RECORD_ID].i, changed, values, 2));
    }
    return err_none();
}

static Err enter_batch(struct ledger_entries *e, struct arena *arena, size_t *n) {
    struct batch b = {.lens = gate_lens_system("what happened in every party enters the ledger"), .arena = arena};
    *n = 0;
    TRY(records_read(e->options.records, read_batch, &b));
    if (b.page.n == 0) return err_none();
    LedgerLeaf *leaves = arena_zero(arena, b.page.n, sizeof *leaves);
    for (size_t i = 0; i < b.page.n; i++) {
        Str hash = b.page.rows[i][ENTRY_HASH].s;
        if (hash.len != sizeof leaves[i].bytes) return err_make(ERR_CORRUPT, "a row of ledger_entry has no hash");
        memcpy(leaves[i].bytes, hash.ptr, hash.len);
    }
    TRY(ledger_add(e->options.ledger, leaves, b.page.n, &b.first));
    TRY(records_write(e->options.records, write_indexes, &b));
    *n = b.page.n;
    return err_none();
}

static bool enter_all(struct ledger_entries *e) {
    struct arena arena;
    size_t n;
    Err err;
    arena_init(&arena, 0);
    do {
        arena_reset(&arena);
        err = enter_batch(e, &arena, &n);
    } while (err.code == ERR_NONE && n > 0);
    arena_fini(&arena);
    if (err.code != ERR_NONE) LOG_WARN("ledger.entries", LOG_C("reason", err.text));
    return err.code == ERR_NONE;
}

/* After a wake it looks twice, a little apart: the row is committed by the second look at the latest; what even that
 * misses (a slow disk) waits for the next row or RETRY. */
static void run(void *ctx) {
    struct ledger_entries *e = ctx;
    bool again = true;
    for (;;) {
        thread_lock(&e->lock);
        if (!e->fresh && !e->stopping) {
            if (again)
                thread_wait_for(&e->wake, &e->lock, RETRY);
            else
                thread_wait(&e->wake, &e->lock);
        }
        bool stop = e->stopping, fresh = e->fresh;
        e->fresh = false;
        if (fresh && !stop) thread_wait_for(&e->wake, &e->lock, 200 * NANOS_PER_MS); /* gather */
        thread_unlock(&e->lock);
        bool good = enter_all(e);
        if (stop) return;
        again = fresh || !good;
    }
}

/* ---- reading */
struct finding_entry {
    const struct lens *lens;
    Str type;
    int64_t row, version;
    struct arena *arena;
    struct record_page page;
};

static Err find(void *ctx, struct records_txn *txn) {
    struct finding_entry *f = ctx;
    struct record_filter parts[] = {
        {.op = RECORD_EQ, .column = ENTRY_ROW, .value = VALUE_I(f->row)},
        {.op = RECORD_EQ, .column = ENTRY_TYPE, .value = VALUE_S(f->type)},
        {.op = RECORD_EQ, .column = ENTRY_VERSION, .value = VALUE_I(f->version)},
    };
    struct record_filter all = {.op = RECORD_AND, .parts = parts, .n_parts = f->version ? 3 : 2};
    struct record_query query = {.filter = &all, .sort = RECORD_ID, .descending = true, .limit = 1};
    return records_txn_select(txn, f->lens, &table, &query, f->arena, &f->page);
}

Err ledger_entries_find(struct ledger_entries *e, const struct lens *lens, Str type, int64_t row, int64_t version,
                        struct arena *arena, struct ledger_entry *out) {
    struct finding_entry f = {.lens = lens, .type = type, .row = row, .version = version, .arena = arena};
    TRY(records_read(e->options.records, find, &f));
    if (f.page.n == 0)
        return err_make(ERR_NOT_FOUND, "nothing about '" STR_FMT "' %lld has entered the ledger", STR_ARG(type),
                        (long long)row);
    const Value *v = f.page.rows[0];
    Str plain;
    *out = (struct ledger_entry){.party = (PartyId)v[RECORD_PARTY].i,
                                 .type = type,
                                 .row = row,
                                 .version = v[ENTRY_VERSION].i,
                                 .at = v[ENTRY_AT].i,
                                 .index = v[ENTRY_INDEX].kind == VALUE_INT ? v[ENTRY_INDEX].i : -1};
    TRY(seal_bytes_reveal(e->options.seal, out->party, about(type, row, out->version, arena), v[ENTRY_SECRET].s, arena,
                          &plain));
    if (plain.len < 32) return err_make(ERR_CORRUPT, "a row of ledger_entry is too short");
    memcpy(out->salt, plain.ptr, 32);
    out->text = str_slice(plain, 32, plain.len);
    return err_none();
}

Err ledger_entries_open(const struct ledger_entries_options *options, struct ledger_entries **out) {
    const struct record_table *tables[] = {&table};
    *out = NULL;
    TRY(records_declare(options->records, tables, 1));
    struct ledger_entries *e = calloc(1, sizeof *e);
    ASSERT(e);
    e->options = *options;
    if (!e->options.clock) e->options.clock = &clock_system;
    thread_mutex_init(&e->lock);
    thread_cond_init(&e->wake);
    Err err = thread_start(&e->thread, "ledger-entries", run, e);
    if (err.code != ERR_NONE)
        ledger_entries_close(e);
    else
        *out = e;
    return err;
}

void ledger_entries_close(struct ledger_entries *e) {
    if (!e) return;
    thread_lock(&e->lock);
    e->stopping = true;
    thread_signal(&e->wake);
    thread_unlock(&e->lock);
    if (e->thread) thread_join(e->thread);
    thread_mutex_fini(&e->lock);
    thread_cond_fini(&e->wake);
    free(e);
}
