#include <inttypes.h>
#include <string.h>

#include "document/doc_engine.h"
#include "trust/gate.h"

#define BIT(i) (UINT64_C(1) << (i))

/* ---- who refers to it */

struct hunt {
    struct documents *d;
    struct records_txn *txn;
    const struct doc_table *target;
    struct lens lens;
    int64_t id;
    struct arena *arena;
    Str by;
};

static Err hunt_lines(struct hunt *h, const struct doc_table *table, size_t k, unsigned column) {
    Value *row, *head;
    TRY(records_txn_find(h->txn, &h->lens, &table->lines[k]->records, column, VALUE_I(h->id), h->arena, &row));
    if (!row || (table->type == h->target->type && row[DOC_LINE_PARENT].i == h->id)) return err_none();
    TRY(records_txn_get(h->txn, &h->lens, &table->records, row[DOC_LINE_PARENT].i, h->arena, &head));
    if (head) h->by = head[DOC_NUMBER].s;
    return err_none();
}

/* One that refers to itself may go. */
static Err hunt_head(struct hunt *h, const struct doc_table *table, unsigned column) {
    const struct record_filter parts[] = {
        {.op = RECORD_EQ, .column = column, .value = VALUE_I(h->id)},
        {.op = RECORD_NE, .column = RECORD_ID, .value = VALUE_I(table->type == h->target->type ? h->id : -1)}};
    struct record_filter both = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    struct record_query query = {.filter = &both, .limit = 1};
    struct record_page page;
    TRY(records_txn_select(h->txn, &h->lens, &table->records, &query, h->arena, &page));
    if (page.n > 0) h->by = page.rows[0][DOC_NUMBER].s;
    return err_none();
}

static bool refers(const struct field *f, const struct hunt *h) {
    return f->kind == FIELD_REF && strcmp(f->ref, h->target->type->name) == 0;
}

static Err hunt_table(struct hunt *h, const struct doc_table *table) {
    const struct doctype *type = table->type;
    for (unsigned i = 0; i < type->n_fields && h->by.len == 0; i++)
        if (refers(&type->fields[i], h)) TRY(hunt_head(h, table, DOC_FIELDS + i));
    for (size_t k = 0; k < table->n_lines; k++)
        for (unsigned i = 0; i < table->lines[k]->type->n_fields && h->by.len == 0; i++)
            if (refers(&table->lines[k]->type->fields[i], h)) TRY(hunt_lines(h, table, k, DOC_LINE_FIELDS + i));
    return err_none();
}

Err doc_remove_referrer(struct documents *d, struct records_txn *txn, const struct doc_table *table, PartyId party,
                        int64_t id, struct arena *arena, Str *by) {
    struct hunt h = {.d = d, .txn = txn, .target = table, .id = id, .arena = arena};
    const struct doc_types *types = atomic_load(&d->types);
    h.lens = gate_lens_party(party, "documents");
    for (size_t i = 0; i < types->n && h.by.len == 0; i++) TRY(hunt_table(&h, types->tables[i]));
    *by = h.by;
    return err_none();
}

/* ---- removing */

static Err check(const struct doc_removal *r, struct records_txn *txn, const struct doc *doc) {
    Str by;
    if (r->if_version != 0 && r->if_version != doc->version)
        return err_make(ERR_PRECONDITION, STR_FMT " is at version %" PRId64 ", not %" PRId64 ": read it again",
                        STR_ARG(doc->number), doc->version, r->if_version);
    if (doc->state != 0)
        return err_make(ERR_STATE, STR_FMT " is %s: it could be deleted while it was %s", STR_ARG(doc->number),
                        doctype_state_name(doc), doc->type->states[0].name);
    TRY(doc_remove_referrer(r->d, txn, r->table, doc->party, doc->id, r->arena, &by));
    if (by.len == 0) return err_none();
    return err_make(ERR_CONFLICT, STR_FMT " refers to " STR_FMT ": change that first", STR_ARG(by),
                    STR_ARG(doc->number));
}

Err doc_remove_in(struct records_txn *txn, const struct doc_removal *r) {
    struct lens own = gate_lens_own(r->who, "documents");
    struct doc_read read;
    struct doc *doc;
    uint64_t set = 0;
    TRY(doc_read_begin(&read, r->d, txn, &own, r->table, r->arena));
    TRY(doc_read_one(&read, RECORD_ID, VALUE_I(r->id), &doc));
    if (!doc) return err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, r->table->type->name, r->id);
    TRY(check(r, txn, doc));
    TRY(doc_keep_remove(r->d, txn, r->table, doc->party, r->id));
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (doc->values[i].kind != VALUE_NONE) set |= BIT(i);
    for (size_t k = 0; k < r->table->n_lines; k++)
        if (doc->lines[k].n > 0) set |= BIT(r->table->lines[k]->field);
    struct doc_note note = {.who = r->who,
                            .what = STR("delete"),
                            .action = STR("delete"),
                            .before = doc,
                            .changed = set,
                            .with_state = true,
                            .at = clock_now(r->d->options.clock)};
    return doc_keep_note(r->d, txn, &note, r->arena);
}

static Err run(void *ctx, struct records_txn *txn) { return doc_remove_in(txn, ctx); }

Err doc_remove_prepare(struct doc_removal *r) {
    r->table = doc_engine_table(r->d, r->type);
    if (r->type->delete_roles == 0)
        return err_make(ERR_FORBIDDEN, "documents of type '%s' are never deleted", r->type->name);
    if (principal_may(r->who, r->type->delete_roles)) return err_none();
    return err_make(ERR_FORBIDDEN, "'%s' may not delete documents of type '%s'", r->who->name, r->type->name);
}

Err doc_remove_run(struct doc_removal *r) {
    TRY(doc_remove_prepare(r));
    return records_write(r->d->options.records, run, r);
}
