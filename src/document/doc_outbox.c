/* A row stays until every reader has passed it; a reader is known from its first look on. */
#include "document/doc_engine.h"
#include "trust/gate.h"

#define LIMIT_MAX 1000

Err doc_outbox_add(struct records_txn *txn, const struct outbox_row *row) {
    int64_t seq;
    Value values[OUTBOX_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(row->party),     [OUTBOX_TYPE] = VALUE_S(row->type),
        [OUTBOX_WHAT] = VALUE_S(row->what),       [OUTBOX_DOC] = VALUE_I(row->id),
        [OUTBOX_VERSION] = VALUE_I(row->version), [OUTBOX_AT] = VALUE_I(row->at),
        [OUTBOX_WHO] = VALUE_S(row->who),
    };
    return records_txn_insert(txn, &records_system_outbox, values, &seq);
}

struct reading {
    Str reader;
    size_t limit;
    struct arena *arena;
    struct lens lens;
    bool known;
    struct record_page page;
};

static Err find_reader(struct records_txn *txn, const struct reading *r, Value **row) {
    return records_txn_find(txn, &r->lens, &records_system_outbox_reader, OUTBOX_READER_NAME, VALUE_S(r->reader),
                            r->arena, row);
}

static Err read_rows(void *ctx, struct records_txn *txn) {
    struct reading *r = ctx;
    Value *reader;
    TRY(find_reader(txn, r, &reader));
    r->known = reader != NULL;
    struct record_filter new = {
        .op = RECORD_GT, .column = RECORD_ID, .value = VALUE_I(reader ? reader[OUTBOX_READER_THROUGH].i : 0)};
    struct record_query query = {.filter = &new, .sort = RECORD_ID, .limit = r->limit};
    return records_txn_select(txn, &r->lens, &records_system_outbox, &query, r->arena, &r->page);
}

static Err add_reader(void *ctx, struct records_txn *txn) {
    struct reading *r = ctx;
    Value *standing;
    int64_t id;
    TRY(find_reader(txn, r, &standing));
    if (standing) return err_none();
    Value row[OUTBOX_READER_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(0), [OUTBOX_READER_NAME] = VALUE_S(r->reader), [OUTBOX_READER_THROUGH] = VALUE_I(0)};
    return records_txn_insert(txn, &records_system_outbox_reader, row, &id);
}

static struct outbox_row row_of(const Value *v) {
    return (struct outbox_row){.seq = v[RECORD_ID].i,
                               .party = (PartyId)v[RECORD_PARTY].i,
                               .type = v[OUTBOX_TYPE].s,
                               .what = v[OUTBOX_WHAT].s,
                               .id = v[OUTBOX_DOC].i,
                               .version = v[OUTBOX_VERSION].i,
                               .at = v[OUTBOX_AT].i,
                               .who = v[OUTBOX_WHO].s};
}

Err doc_outbox_read(struct records *records, const char *reader, size_t limit, struct arena *arena,
                    struct outbox_row **out, size_t *n) {
    struct reading r = {.reader = str_c(reader),
                        .limit = limit > LIMIT_MAX ? LIMIT_MAX : limit,
                        .arena = arena,
                        .lens = gate_lens_system("outbox")};
    *out = NULL;
    *n = 0;
    TRY(records_read(records, read_rows, &r));
    if (!r.known && !records_read_only(records)) {
        TRY(records_write(records, add_reader, &r));
        TRY(records_read(records, read_rows, &r)); /* what was removed meanwhile is no longer promised */
    }
    *out = arena_zero(arena, r.page.n, sizeof **out);
    for (size_t i = 0; i < r.page.n; i++) (*out)[i] = row_of(r.page.rows[i]);
    *n = r.page.n;
    return err_none();
}

struct passing {
    Str reader;
    int64_t through;
};

/* Removes what every reader has passed. */
static Err sweep(struct records_txn *txn, const struct lens *lens, struct arena *arena) {
    struct record_page slowest;
    struct record_query query = {.sort = OUTBOX_READER_THROUGH, .limit = 1};
    TRY(records_txn_select(txn, lens, &records_system_outbox_reader, &query, arena, &slowest));
    if (slowest.n == 0) return err_none();
    struct record_filter passed = {
        .op = RECORD_LE, .column = RECORD_ID, .value = slowest.rows[0][OUTBOX_READER_THROUGH]};
    return records_txn_remove(txn, &records_system_outbox, lens, &passed, NULL);
}

static Err pass(struct records_txn *txn, const struct passing *p, struct arena *arena) {
    struct reading r = {.reader = p->reader, .arena = arena, .lens = gate_lens_system("outbox")};
    Value *row;
    TRY(find_reader(txn, &r, &row));
    if (!row) {
        TRY(add_reader(&r, txn));
        TRY(find_reader(txn, &r, &row));
    }
    if (row[OUTBOX_READER_THROUGH].i >= p->through) return err_none();
    Value through = VALUE_I(p->through);
    TRY(records_txn_update(txn, &records_system_outbox_reader, row[RECORD_ID].i,
                           (const unsigned[]){OUTBOX_READER_THROUGH}, &through, 1));
    return sweep(txn, &r.lens, arena);
}

static Err run_pass(void *ctx, struct records_txn *txn) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = pass(txn, ctx, &arena);
    arena_fini(&arena);
    return err;
}

Err doc_outbox_done(struct records *records, const char *reader, int64_t through) {
    struct passing p = {.reader = str_c(reader), .through = through};
    return records_write(records, run_pass, &p);
}
