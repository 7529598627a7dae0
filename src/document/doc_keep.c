#include <inttypes.h>
#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_system.h"
#include "document/doc_value.h"
#include "trust/audit.h"
#include "trust/gate.h"

#define BIT(i) (UINT64_C(1) << (i))

/* ---- lines: replaced whole */

static Err remove_lines(struct records_txn *txn, const struct doc_table *table, size_t k, const struct lens *lens,
                        int64_t id) {
    struct record_filter of = {.op = RECORD_EQ, .column = DOC_LINE_PARENT, .value = VALUE_I(id)};
    return records_txn_remove(txn, &table->lines[k]->records, lens, &of, NULL);
}

static Err insert_lines(struct records_txn *txn, const struct doc_table *table, size_t k, const struct doc *doc) {
    const struct doc_lines_table *lines = table->lines[k];
    Value row[RECORDS_COLUMNS_MAX];
    int64_t id;
    for (size_t i = 0; i < doc->lines[k].n; i++) {
        row[RECORD_ID] = (Value){.kind = VALUE_NONE};
        row[RECORD_PARTY] = VALUE_I(doc->party);
        row[DOC_LINE_PARENT] = VALUE_I(doc->id);
        row[DOC_LINE_POSITION] = VALUE_I((int64_t)i);
        memcpy(row + DOC_LINE_FIELDS, doc->lines[k].rows[i], lines->type->n_fields * sizeof *row);
        TRY(records_txn_insert(txn, &lines->records, row, &id));
    }
    return err_none();
}

/* ---- documents */

static Err seal_into(struct documents *d, const struct doc *doc, uint64_t fields, Value *row, struct arena *arena) {
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (fields & BIT(i)) TRY(doc_secret_seal(d, doc, i, doc->values[i], arena, &row[DOC_FIELDS + i]));
    return err_none();
}

static Err update_fields(struct records_txn *txn, const struct doc_table *table, int64_t id, uint64_t fields,
                         const Value *row) {
    unsigned columns[DOCTYPE_FIELDS_MAX];
    Value values[DOCTYPE_FIELDS_MAX];
    size_t n = 0;
    for (unsigned i = 0; i < table->type->n_fields; i++)
        if (fields & BIT(i)) values[n] = row[DOC_FIELDS + i], columns[n++] = DOC_FIELDS + i;
    return n ? records_txn_update(txn, &table->records, id, columns, values, n) : err_none();
}

static uint64_t set_secrets(const struct doc_table *table, const struct doc *doc) {
    uint64_t set = 0;
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (table->secrets & BIT(i) && doc->values[i].kind != VALUE_NONE) set |= BIT(i);
    return set;
}

Err doc_keep_insert(struct documents *d, struct records_txn *txn, struct doc *doc, struct arena *arena) {
    const struct doc_table *table = doc_engine_table(d, doc->type);
    Value row[RECORDS_COLUMNS_MAX];
    uint64_t secrets = set_secrets(table, doc);
    doc_table_write(table, doc, row);
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (table->secrets & BIT(i)) row[DOC_FIELDS + i] = (Value){.kind = VALUE_NONE};
    TRY(records_txn_insert(txn, &table->records, row, &doc->id));
    if (secrets) { /* what they are bound to has an id only now */
        TRY(seal_into(d, doc, secrets, row, arena));
        TRY(update_fields(txn, table, doc->id, secrets, row));
    }
    for (size_t k = 0; k < table->n_lines; k++) TRY(insert_lines(txn, table, k, doc));
    d->touched = true;
    return err_none();
}

Err doc_keep_update(struct documents *d, struct records_txn *txn, const struct doc *doc, uint64_t changed,
                    struct arena *arena) {
    const struct doc_table *table = doc_engine_table(d, doc->type);
    const struct lens party = gate_lens_party(doc->party, "documents");
    Value row[RECORDS_COLUMNS_MAX], values[RECORDS_COLUMNS_MAX];
    unsigned columns[RECORDS_COLUMNS_MAX] = {DOC_STATE, DOC_VERSION, DOC_CHANGED};
    size_t n = 3;
    doc_table_write(table, doc, row);
    TRY(seal_into(d, doc, table->secrets & changed, row, arena));
    for (unsigned i = 0; i < doc->type->n_fields; i++)
        if (changed & BIT(i)) columns[n++] = DOC_FIELDS + i;
    for (size_t i = 0; i < n; i++) values[i] = row[columns[i]];
    TRY(records_txn_update(txn, &table->records, doc->id, columns, values, n));
    for (size_t k = 0; k < table->n_lines; k++) {
        if (!(changed & BIT(table->lines[k]->field))) continue;
        TRY(remove_lines(txn, table, k, &party, doc->id));
        TRY(insert_lines(txn, table, k, doc));
    }
    d->touched = true;
    return err_none();
}

static Err remove_notes(struct records_txn *txn, const struct doc_table *table, const struct lens *lens, int64_t id) {
    static const struct {
        const struct record_table *table;
        unsigned type, doc;
    } notes[] = {{&doc_system_comment, COMMENT_TYPE, COMMENT_DOC},
                 {&doc_system_attachment, ATTACHMENT_TYPE, ATTACHMENT_DOC}};
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
        const struct record_filter parts[] = {
            {.op = RECORD_EQ, .column = notes[i].doc, .value = VALUE_I(id)},
            {.op = RECORD_EQ, .column = notes[i].type, .value = VALUE_S(str_c(table->type->name))}};
        struct record_filter both = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
        TRY(records_txn_remove(txn, notes[i].table, lens, &both, NULL));
    }
    return err_none();
}

Err doc_keep_remove(struct documents *d, struct records_txn *txn, const struct doc_table *table, PartyId owner,
                    int64_t id) {
    const struct lens party = gate_lens_party(owner, "documents");
    struct record_filter self = {.op = RECORD_EQ, .column = RECORD_ID, .value = VALUE_I(id)};
    for (size_t k = 0; k < table->n_lines; k++) TRY(remove_lines(txn, table, k, &party, id));
    TRY(remove_notes(txn, table, &party, id));
    if (d->search) TRY(records_txn_index(txn, &table->records, id, (Str){0}));
    TRY(records_txn_remove(txn, &table->records, &party, &self, NULL));
    doc_engine_forget_number(d, table, id);
    d->touched = true;
    return err_none();
}

/* ---- what is noted of it */

Err doc_keep_note(struct documents *d, struct records_txn *txn, const struct doc_note *note, struct arena *arena) {
    const struct doc *doc = note->after ? note->after : note->before;
    struct audit_row audit = {
        .at = note->at,
        .party = doc->party,
        .who = str_c(note->who->name),
        .action = note->action,
        .type = str_c(doc->type->name),
        .target = doc->number,
        .before = note->before ? doc_json_audit(note->before, note->changed, note->with_state, arena) : (Str){0},
        .after = note->after ? doc_json_audit(note->after, note->changed, note->with_state, arena) : (Str){0},
    };
    struct outbox_row outbox = {.party = doc->party,
                                .type = audit.type,
                                .what = note->what,
                                .id = doc->id,
                                .version = doc->version,
                                .at = note->at,
                                .who = audit.who};
    TRY(audit_add(txn, &audit));
    if (!note->no_outbox) TRY(doc_outbox_add(txn, &outbox));
    return d->options.entered ? d->options.entered(d->options.entered_ctx, txn, &outbox, doc) : err_none();
}
