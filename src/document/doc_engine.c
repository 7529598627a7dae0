#include "document/doc_engine.h"

#include "trust/gate.h"

const struct doc_table *doc_engine_table(const struct documents *d, const struct doctype *type) {
    for (size_t i = 0; i < d->n_tables; i++)
        if (d->tables[i]->type == type) return d->tables[i];
    err_bug(__FILE__, __LINE__, "a type of this engine");
}

const struct doc_table *doc_engine_table_named(const struct documents *d, const char *name) {
    const struct doctype *type = documents_type(d, str_c(name));
    ASSERT(type);
    return doc_engine_table(d, type);
}

Err doc_engine_find_number(struct records_txn *txn, const struct lens *lens, const struct doc_table *table, Str number,
                           struct arena *arena, int64_t *id) {
    struct lens rows = gate_lens_rows(lens); /* its mask is of another type's fields */
    Value *row;
    TRY(records_txn_find(txn, &rows, &table->records, DOC_NUMBER, VALUE_S(number), arena, &row));
    *id = row ? row[RECORD_ID].i : 0;
    return err_none();
}
