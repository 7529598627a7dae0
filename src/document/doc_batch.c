#include "document/doc_batch.h"

#include <inttypes.h>
#include <string.h>

#include "document/doc_number.h"
#include "document/doc_system.h"
#include "trust/audit.h"
#include "trust/gate.h"

#define ADD_MAX 1000
#define REMOVE_FIRST 50
#define REMOVE_MAX 2000
#define REMOVE_TIME (100 * NANOS_PER_MS) /* of one transaction; other writers wait for it */
#define LOOK_AT_ONCE 500

struct batch {
    struct documents *d;
    const struct principal *who;
    const struct doctype *type; /* begin: given; else of the row */
    const struct doc_table *table;
    int64_t id;
    Str title;
    struct doc *const *docs;
    size_t n, *bad;
    size_t limit, removed; /* of a drop's transaction */
    int64_t after;
    Str by; /* who refers to one of them */
    struct arena *arena;
};

/* ---- its row */

static Err load(struct batch *b, struct records_txn *txn, Value **row) {
    struct lens own = gate_lens_own(b->who, "imports");
    TRY(records_txn_get(txn, &own, &doc_system_batch, b->id, b->arena, row));
    if (!*row) return err_make(ERR_NOT_FOUND, "no import %" PRId64, b->id);
    b->type = documents_type(b->d, (*row)[BATCH_TYPE].s);
    if (!b->type)
        return err_make(ERR_STATE, "import %" PRId64 " is of '" STR_FMT "', which is not installed", b->id,
                        STR_ARG((*row)[BATCH_TYPE].s));
    b->table = doc_engine_table(b->d, b->type);
    return err_none();
}

static bool is_in(const Value *row, const char *state) { return str_eq_c(row[BATCH_STATE].s, state); }

static Err set_state(struct batch *b, struct records_txn *txn, const char *state) {
    Value v = VALUE_S(str_c(state));
    return records_txn_update(txn, &doc_system_batch, b->id, (const unsigned[]){BATCH_STATE}, &v, 1);
}

static Err note(struct batch *b, struct records_txn *txn, const Value *row, const char *action) {
    struct audit_row audit = {.at = clock_now(b->d->options.clock),
                              .party = (PartyId)row[RECORD_PARTY].i,
                              .who = str_c(b->who->name),
                              .action = str_c(action),
                              .type = str_c(b->type->name),
                              .target = arena_printf(b->arena, "import %" PRId64, b->id),
                              .after = arena_printf(b->arena, "{\"rows\":%" PRId64 "}", row[BATCH_ROWS].i)};
    return audit_add(txn, &audit);
}

static Err in_arena(struct batch *b, records_fn *fn, bool writes) {
    struct arena arena;
    arena_init(&arena, 0);
    b->arena = &arena;
    Err err = writes ? records_write(b->d->options.records, fn, b) : records_read(b->d->options.records, fn, b);
    b->arena = NULL;
    arena_fini(&arena);
    return err;
}

/* ---- beginning */

static Err look_for_hidden(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    struct doc_hidden hidden;
    struct lens all = gate_lens_system("imports that are not shown");
    atomic_store(&b->d->batches, true);
    TRY(doc_engine_hidden(b->d, txn, &all, b->arena, &hidden));
    if (hidden.n == 0) atomic_store(&b->d->batches, false);
    return err_none();
}

Err doc_batch_open(struct documents *d) {
    struct batch b = {.d = d};
    return in_arena(&b, look_for_hidden, false);
}

static Err begin(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    Value row[BATCH_COLUMNS] = {[RECORD_PARTY] = VALUE_I(b->who->party),
                                [BATCH_TYPE] = VALUE_S(str_c(b->type->name)),
                                [BATCH_TITLE] = VALUE_S(b->title),
                                [BATCH_STATE] = VALUE_S(STR("open")),
                                [BATCH_WHO] = VALUE_S(str_c(b->who->name)),
                                [BATCH_AT] = VALUE_I(clock_now(b->d->options.clock)),
                                [BATCH_ROWS] = VALUE_I(0)};
    return records_txn_insert(txn, &doc_system_batch, row, &b->id);
}

Err doc_batch_begin(struct documents *d, const struct principal *who, const struct doctype *type, Str title,
                    int64_t *batch) {
    struct batch b = {.d = d, .who = who, .type = type, .title = title};
    if (!principal_may(who, type->create_roles))
        return err_make(ERR_FORBIDDEN, "'%s' may not create documents of type '%s'", who->name, type->name);
    if (who->party == 0) return err_make(ERR_INVALID, "an import belongs to a party: begin it as one of a party");
    atomic_store(&d->batches, true); /* before any of its rows can be seen */
    TRY(in_arena(&b, begin, true));
    *batch = b.id;
    return err_none();
}

/* ---- adding */

static Err add_one(struct batch *b, struct records_txn *txn, struct doc *doc, Nanos now) {
    doc->batch = b->id;
    doc->version = 1;
    doc->changed = now;
    TRY(doc_number_next(txn, b->type, doc->party, now, b->arena, &doc->number));
    TRY(doc_keep_insert(b->d, txn, doc, b->arena));
    struct doc_note note = {.who = b->who,
                            .what = STR("import"),
                            .action = STR("import"),
                            .after = doc,
                            .changed = UINT64_MAX,
                            .with_state = true,
                            .no_outbox = true, /* nobody reacts to what nobody sees */
                            .at = now};
    for (size_t i = 0; i < b->type->n_fields; i++)
        if (doc->values[i].kind == VALUE_NONE && b->type->fields[i].kind != FIELD_LINES)
            note.changed &= ~(UINT64_C(1) << i);
    return doc_keep_note(b->d, txn, &note, b->arena);
}

static Err check_doc(const struct batch *b, const Value *row, const struct doc *doc) {
    if (doc->type == b->type && doc->party == (PartyId)row[RECORD_PARTY].i) return err_none();
    return err_make(ERR_INVALID,
                    "a document of '%s' in an import of '%s': its type has changed, or its party is another",
                    doc->type->name, b->type->name);
}

static Err add(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    Nanos now = clock_now(b->d->options.clock);
    Value *row;
    TRY(load(b, txn, &row));
    if (!is_in(row, "open")) return err_make(ERR_STATE, "import %" PRId64 " is closed", b->id);
    for (size_t i = 0; i < b->n; i++) {
        *b->bad = i;
        TRY(check_doc(b, row, b->docs[i]));
        TRY(add_one(b, txn, b->docs[i], now));
    }
    Value rows = VALUE_I(row[BATCH_ROWS].i + (int64_t)b->n);
    return records_txn_update(txn, &doc_system_batch, b->id, (const unsigned[]){BATCH_ROWS}, &rows, 1);
}

Err doc_batch_add(struct documents *d, const struct principal *who, int64_t batch, struct doc *const *docs, size_t n,
                  size_t *bad, struct arena *arena) {
    struct batch b = {.d = d, .who = who, .id = batch, .docs = docs, .n = n, .bad = bad, .arena = arena};
    *bad = 0;
    if (n > ADD_MAX) return err_make(ERR_LIMIT, "%zu documents at once: at most %d", n, ADD_MAX);
    return records_write(d->options.records, add, &b);
}

/* ---- showing */

static Err show(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    Value *row;
    TRY(load(b, txn, &row));
    if (is_in(row, "shown")) return err_none();
    if (!is_in(row, "open")) return err_make(ERR_STATE, "import %" PRId64 " was dropped", b->id);
    TRY(set_state(b, txn, "shown"));
    TRY(note(b, txn, row, "import.show"));
    struct outbox_row outbox = {.party = (PartyId)row[RECORD_PARTY].i,
                                .type = str_c(b->type->name),
                                .what = STR("import"),
                                .id = 0, /* of no one document */
                                .version = b->id,
                                .at = clock_now(b->d->options.clock),
                                .who = str_c(b->who->name)};
    b->d->touched = true;
    return doc_outbox_add(txn, &outbox);
}

Err doc_batch_show(struct documents *d, const struct principal *who, int64_t batch) {
    struct batch b = {.d = d, .who = who, .id = batch};
    return in_arena(&b, show, true);
}

/* ---- dropping */

static Err members(struct batch *b, struct records_txn *txn, size_t limit, struct record_page *page) {
    struct lens own = gate_lens_own(b->who, "imports");
    const struct record_filter parts[] = {{.op = RECORD_EQ, .column = DOC_BATCH, .value = VALUE_I(b->id)},
                                          {.op = RECORD_GT, .column = RECORD_ID, .value = VALUE_I(b->after)}};
    struct record_filter both = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    struct record_query query = {.filter = &both, .limit = limit};
    return records_txn_select(txn, &own, &b->table->records, &query, b->arena, page);
}

/* From now on its rows exist for nobody. */
static Err hide(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    Value *row;
    TRY(load(b, txn, &row));
    if (is_in(row, "dropped") || is_in(row, "dropping")) return err_none();
    b->removed = is_in(row, "shown");
    b->d->touched = true;
    return set_state(b, txn, "dropping");
}

static Err unhide(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    return set_state(b, txn, "shown");
}

/* What was shown may have been worked with meanwhile: then it stays. */
static Err look_at_some(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    struct record_page page;
    Value *row;
    TRY(load(b, txn, &row));
    TRY(members(b, txn, LOOK_AT_ONCE, &page));
    b->n = page.n;
    for (size_t i = 0; i < page.n; i++) {
        const Value *doc = page.rows[i];
        Str by;
        b->after = doc[RECORD_ID].i;
        if (doc[DOC_VERSION].i > 1)
            return err_make(ERR_CONFLICT, STR_FMT " was changed since the import: it stays",
                            STR_ARG(doc[DOC_NUMBER].s));
        TRY(doc_remove_referrer(b->d, txn, b->table, (PartyId)doc[RECORD_PARTY].i, doc[RECORD_ID].i, b->arena, &by));
        Value *referrer = NULL;
        if (by.len == 0) continue;
        struct lens own = gate_lens_own(b->who, "imports");
        TRY(records_txn_find(txn, &own, &b->table->records, DOC_NUMBER, VALUE_S(by), b->arena, &referrer));
        if (referrer && referrer[DOC_BATCH].kind == VALUE_INT && referrer[DOC_BATCH].i == b->id) continue;
        return err_make(ERR_CONFLICT, STR_FMT " refers to " STR_FMT ": change that first", STR_ARG(by),
                        STR_ARG(doc[DOC_NUMBER].s));
    }
    return err_none();
}

static Err look_at_all(struct batch *b) {
    b->after = 0;
    do TRY(in_arena(b, look_at_some, false));
    while (b->n > 0);
    return err_none();
}

/* Latest first: what refers within an import refers to what came before it. */
static Err remove_some(void *ctx, struct records_txn *txn) {
    struct batch *b = ctx;
    struct lens own = gate_lens_own(b->who, "imports");
    struct record_filter of = {.op = RECORD_EQ, .column = DOC_BATCH, .value = VALUE_I(b->id)};
    struct record_query query = {.filter = &of, .descending = true, .limit = b->limit};
    struct record_page page;
    Value *row;
    Nanos until = clock_monotonic() + REMOVE_TIME;
    TRY(load(b, txn, &row));
    TRY(records_txn_select(txn, &own, &b->table->records, &query, b->arena, &page));
    for (b->removed = 0; b->removed < page.n && (b->removed == 0 || clock_monotonic() < until); b->removed++) {
        const Value *doc = page.rows[b->removed];
        TRY(doc_keep_remove(b->d, txn, b->table, (PartyId)doc[RECORD_PARTY].i, doc[RECORD_ID].i));
    }
    if (page.n > 0) return err_none();
    if (is_in(row, "dropped")) return err_none();
    TRY(set_state(b, txn, "dropped"));
    return note(b, txn, row, "import.drop");
}

Err doc_batch_drop(struct documents *d, const struct principal *who, int64_t batch) {
    struct batch b = {.d = d, .who = who, .id = batch, .limit = REMOVE_FIRST};
    atomic_store(&d->batches, true);
    TRY(in_arena(&b, hide, true));
    if (b.removed) {
        Err err = look_at_all(&b);
        if (err.code != ERR_NONE) {
            Err back = in_arena(&b, unhide, true);
            return back.code == ERR_NONE ? err : back;
        }
    }
    do {
        TRY(in_arena(&b, remove_some, true));
        if (b.removed == b.limit && b.limit < REMOVE_MAX) b.limit *= 2;
    } while (b.removed > 0);
    return err_none();
}
