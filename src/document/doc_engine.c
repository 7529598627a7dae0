#include "document/doc_engine.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "document/doc_system.h"
#include "trust/gate.h"

#define HIDDEN_MAX 1000

const struct doc_table *doc_engine_table(const struct documents *d, const struct doctype *type) {
    for (const struct doc_types *t = atomic_load(&d->types); t; t = t->older)
        for (size_t i = 0; i < t->n; i++)
            if (t->tables[i]->type == type) return t->tables[i];
    err_bug(__FILE__, __LINE__, "a type of this engine");
}

const struct doc_table *doc_engine_referred(const struct doc_table *from, const char *name) {
    for (size_t i = 0; i < from->types->n; i++)
        if (strcmp(from->types->tables[i]->type->name, name) == 0) return from->types->tables[i];
    err_bug(__FILE__, __LINE__, "a type that a declared one refers to");
}

Err doc_engine_find_number(struct documents *d, struct records_txn *txn, const struct lens *lens,
                           const struct doc_table *table, Str number, struct arena *arena, int64_t *id) {
    struct lens rows = gate_lens_rows(lens); /* its mask is of another type's fields */
    struct doc_hidden hidden;
    Value *row;
    *id = 0;
    TRY(doc_engine_hidden(d, txn, &rows, arena, &hidden));
    TRY(records_txn_find(txn, &rows, &table->records, DOC_NUMBER, VALUE_S(number), arena, &row));
    if (row && !doc_engine_is_hidden(&hidden, row[DOC_BATCH])) *id = row[RECORD_ID].i;
    return err_none();
}

/* ---- imports that are not shown */

Err doc_engine_hidden(struct documents *d, struct records_txn *txn, const struct lens *lens, struct arena *arena,
                      struct doc_hidden *out) {
    *out = (struct doc_hidden){.n = 0};
    /* Read inside the transaction, whose moment stands already: whoever sees no import yet sees none of its rows. */
    if (!atomic_load(&d->batches)) return err_none();
    struct lens rows = gate_lens_rows(lens);
    struct record_filter open = {.op = RECORD_NE, .column = BATCH_STATE, .value = VALUE_S(STR("shown"))};
    struct record_filter kept = {.op = RECORD_NE, .column = BATCH_STATE, .value = VALUE_S(STR("dropped"))};
    struct record_filter both = {.op = RECORD_AND, .parts = (struct record_filter[]){open, kept}, .n_parts = 2};
    struct record_query query = {.filter = &both, .limit = HIDDEN_MAX};
    struct record_page page;
    TRY(records_txn_select(txn, &rows, &doc_system_batch, &query, arena, &page));
    if (page.next.len > 0) return err_make(ERR_LIMIT, "more than %d imports are open: drop some", HIDDEN_MAX);
    out->ids = arena_zero(arena, page.n, sizeof *out->ids);
    for (size_t i = 0; i < page.n; i++) out->ids[i] = page.rows[i][RECORD_ID].i;
    out->n = page.n;
    return err_none();
}

bool doc_engine_is_hidden(const struct doc_hidden *hidden, Value batch) {
    for (size_t i = 0; i < hidden->n && batch.kind == VALUE_INT; i++)
        if (hidden->ids[i] == batch.i) return true;
    return false;
}

/* ---- numbers of referenced documents */

static struct doc_engine_number *slot_of(struct documents *d, const struct doc_table *table, int64_t id) {
    uint64_t key[2] = {(uint64_t)(uintptr_t)table, (uint64_t)id};
    return &d->numbers[hash_bytes(key, sizeof key) % DOC_ENGINE_NUMBERS];
}

struct number_reading {
    const struct doc_table *table;
    int64_t id;
    struct arena *arena;
    Str number;
};

static Err read_number(void *ctx, struct records_txn *txn) {
    struct number_reading *r = ctx;
    struct lens lens = gate_lens_system("numbers of references"); /* the reference itself was shown already */
    Value *row;
    TRY(records_txn_get(txn, &lens, &r->table->records, r->id, r->arena, &row));
    if (row) r->number = row[DOC_NUMBER].s;
    return err_none();
}

static bool recall(struct documents *d, const struct doc_table *table, int64_t id, char out[32]) {
    thread_lock(&d->lock);
    struct doc_engine_number *slot = slot_of(d, table, id);
    bool found = slot->table == table && slot->id == id;
    if (found) memcpy(out, slot->text, 32);
    thread_unlock(&d->lock);
    return found;
}

void doc_engine_forget_number(struct documents *d, const struct doc_table *table, int64_t id) {
    thread_lock(&d->lock);
    struct doc_engine_number *slot = slot_of(d, table, id);
    if (slot->table == table && slot->id == id) slot->table = NULL;
    thread_unlock(&d->lock);
}

/* Empty when it cannot be read; the answer then has the id alone. */
Str doc_engine_number(struct documents *d, const struct doc_table *table, int64_t id, char out[32]) {
    struct arena arena;
    if (recall(d, table, id, out)) return str_c(out);
    arena_init(&arena, 0);
    struct number_reading r = {.table = table, .id = id, .arena = &arena};
    Err err = records_read(d->options.records, read_number, &r);
    int n = snprintf(out, 32, STR_FMT, STR_ARG(r.number));
    arena_fini(&arena);
    if (err.code != ERR_NONE || n <= 0 || n >= 32) return (Str){0};
    thread_lock(&d->lock);
    struct doc_engine_number *slot = slot_of(d, table, id);
    slot->table = table;
    slot->id = id;
    memcpy(slot->text, out, 32);
    thread_unlock(&d->lock);
    return str_c(out);
}
