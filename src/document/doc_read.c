#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "trust/gate.h"

#define PARENTS_AT_ONCE 100
#define LINES_AT_ONCE 1000

Err doc_read_begin(struct doc_read *r, struct documents *d, struct records_txn *txn, const struct lens *lens,
                   const struct doc_table *table, struct arena *arena) {
    *r = (struct doc_read){.d = d, .txn = txn, .table = table, .fields = UINT64_MAX, .arena = arena};
    r->lens = gate_lens_kept(lens, table->type, 1u << DOC_BATCH);
    return doc_engine_hidden(d, txn, &r->lens, arena, &r->hidden);
}

struct record_filter doc_read_filter(const struct doc_read *r) {
    if (r->hidden.n == 0) return (struct record_filter){.op = RECORD_AND};
    return (struct record_filter){
        .op = RECORD_NOT_IN, .column = DOC_BATCH, .list = r->hidden.ids, .n_list = r->hidden.n};
}

/* ---- lines */

struct parent {
    struct doc *doc;
    size_t room; /* lines that its head counted */
};

static const struct parent *parent_of(const struct parent *some, size_t n, int64_t id) {
    for (size_t i = 0; i < n; i++)
        if (some[i].doc->id == id) return &some[i];
    return NULL;
}

static void take_line(struct doc_read *r, size_t k, const struct parent *parent, const Value *row) {
    const struct doctype *type = r->table->lines[k]->type;
    struct doc_lines *lines = &parent->doc->lines[k];
    if (lines->n >= parent->room) return;
    if (!lines->rows) lines->rows = arena_zero(r->arena, parent->room, sizeof *lines->rows);
    Value *values = arena_alloc(r->arena, type->n_fields * sizeof *values);
    memcpy(values, row + DOC_LINE_FIELDS, type->n_fields * sizeof *values);
    lines->rows[lines->n++] = values;
}

/* Ids of lines rise with their positions: they are written in their order. */
static Err read_lines(struct doc_read *r, size_t k, const struct parent *some, size_t n) {
    struct record_filter any[PARENTS_AT_ONCE];
    for (size_t i = 0; i < n; i++)
        any[i] = (struct record_filter){.op = RECORD_EQ, .column = DOC_LINE_PARENT, .value = VALUE_I(some[i].doc->id)};
    struct record_filter parents = {.op = RECORD_OR, .parts = any, .n_parts = n};
    struct record_query query = {.filter = &parents, .limit = LINES_AT_ONCE};
    struct record_page page;
    struct lens lens = r->lens;
    lens.base_hidden = 0; /* of the head; what is asked here are the engine's own columns */
    do {
        TRY(records_txn_select(r->txn, &lens, &r->table->lines[k]->records, &query, r->arena, &page));
        for (size_t i = 0; i < page.n; i++) {
            const struct parent *parent = parent_of(some, n, page.rows[i][DOC_LINE_PARENT].i);
            if (parent) take_line(r, k, parent, page.rows[i]);
        }
        query.cursor = page.next;
    } while (page.next.len > 0);
    return err_none();
}

/* The head says how many lines there are; a head whose lens hides the field shows none. */
static Err read_all_lines(struct doc_read *r, Value *const *rows, struct doc **docs, size_t n) {
    struct parent some[PARENTS_AT_ONCE];
    for (size_t k = 0; k < r->table->n_lines; k++) {
        unsigned field = r->table->lines[k]->field;
        size_t m = 0;
        if (!(r->fields >> field & 1)) continue;
        for (size_t i = 0; i < n; i++) {
            Value count = rows[i][DOC_FIELDS + field];
            if (count.kind == VALUE_INT && count.i > 0) some[m++] = (struct parent){docs[i], (size_t)count.i};
            if (m == PARENTS_AT_ONCE || (i + 1 == n && m > 0)) {
                TRY(read_lines(r, k, some, m));
                m = 0;
            }
        }
    }
    return err_none();
}

/* ---- documents */

static Err reveal(struct doc_read *r, struct doc *doc) {
    for (size_t i = 0; i < doc->type->n_fields; i++) {
        if (!(r->table->secrets >> i & 1)) continue;
        Value sealed = doc->values[i];
        doc->values[i] = (Value){.kind = VALUE_NONE};
        if (r->lens.agreement == 0) TRY(doc_secret_reveal(r->d, doc, i, sealed, r->arena, &doc->values[i]));
    }
    return err_none();
}

Err doc_read_rows(struct doc_read *r, Value *const *rows, size_t n, struct doc **docs) {
    for (size_t i = 0; i < n; i++) {
        TRY(doc_table_read(r->table, rows[i], r->arena, &docs[i]));
        if (r->table->secrets) TRY(reveal(r, docs[i]));
    }
    return read_all_lines(r, rows, docs, n);
}

Err doc_read_one(struct doc_read *r, unsigned column, Value value, struct doc **out) {
    Value *row;
    struct doc *doc;
    *out = NULL;
    TRY(records_txn_find(r->txn, &r->lens, &r->table->records, column, value, r->arena, &row));
    if (!row || doc_engine_is_hidden(&r->hidden, row[DOC_BATCH])) return err_none();
    TRY(doc_read_rows(r, &row, 1, &doc));
    *out = doc;
    return err_none();
}
