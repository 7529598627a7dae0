/*
 * Types come and go while the engine works. A set of types is made whole (checked, its tables made or widened) and then
 * put in place with one store; sets before it stay until the engine is closed.
 *
 * How each field is kept is noted in document_layout, because a table does not tell: a decimal with three digits behind
 * the point looks like one with two, and a reference to an order like one to a part.
 */
#include <stdlib.h>
#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_system.h"
#include "document/doc_words.h"
#include "trust/gate.h"

/* ---- layout */

struct laying {
    const struct doc_types *types;
    struct lens lens;
    struct arena *arena;
    bool read_only;
};

static Err lay_one(const struct laying *l, struct records_txn *txn, Str name, Str shape) {
    Value *row;
    int64_t id;
    TRY(records_txn_find(txn, &l->lens, &doc_system_layout, LAYOUT_NAME, VALUE_S(name), l->arena, &row));
    if (row && str_eq(row[LAYOUT_SHAPE].s, shape)) return err_none();
    if (row)
        return err_make(ERR_INVALID,
                        "'" STR_FMT "' is kept as " STR_FMT ", not " STR_FMT ": give the changed field another name",
                        STR_ARG(name), STR_ARG(row[LAYOUT_SHAPE].s), STR_ARG(shape));
    if (l->read_only) return err_none();
    Value new[LAYOUT_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(0), [LAYOUT_NAME] = VALUE_S(name), [LAYOUT_SHAPE] = VALUE_S(shape)};
    return records_txn_insert(txn, &doc_system_layout, new, &id);
}

static Err lay_fields(const struct laying *l, struct records_txn *txn, const struct doctype *type, Str prefix) {
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        Str name = arena_printf(l->arena, STR_FMT ".%s", STR_ARG(prefix), f->name);
        TRY(lay_one(l, txn, name, doc_table_shape(f, l->arena)));
    }
    return err_none();
}

static Err lay(void *ctx, struct records_txn *txn) {
    const struct laying *l = ctx;
    for (size_t i = 0; i < l->types->n; i++) {
        const struct doc_table *table = l->types->tables[i];
        TRY(lay_fields(l, txn, table->type, str_c(table->type->name)));
        for (size_t k = 0; k < table->n_lines; k++)
            TRY(lay_fields(
                l, txn, table->lines[k]->type,
                arena_printf(l->arena, "%s.%s", table->type->name, table->type->fields[table->lines[k]->field].name)));
    }
    return err_none();
}

static Err keep_layout(struct records *records, const struct doc_types *types) {
    struct arena arena;
    bool read_only = records_read_only(records);
    arena_init(&arena, 0);
    struct laying l = {.types = types, .lens = gate_lens_party(0, "layout"), .arena = &arena, .read_only = read_only};
    Err err = read_only ? records_read(records, lay, &l) : records_write(records, lay, &l);
    arena_fini(&arena);
    return err;
}

/* ---- a set of types */

static Err make_tables(struct documents *d, struct doc_types *t, const struct doctype *const *types) {
    size_t n = 0;
    while (types[n]) n++;
    const struct doctype **kept = arena_zero(&t->arena, n + 1, sizeof *kept);
    t->types = kept;
    t->tables = arena_zero(&t->arena, n, sizeof *t->tables);
    for (size_t i = 0; i < n; i++) {
        struct doc_table *table = arena_zero(&t->arena, 1, sizeof *table);
        TRY(doc_table_make(types[i], types, &t->arena, table));
        if (table->secrets && !d->options.seal)
            return err_make(ERR_INVALID, "type '%s' has secret fields, and there is no key to seal them",
                            types[i]->name);
        table->types = t;
        kept[i] = types[i];
        t->tables[t->n++] = table;
    }
    for (size_t i = 0; i < n; i++) t->tables[i]->words = doc_words_make(t->tables[i], &t->arena);
    return err_none();
}

static Err declare(struct documents *d, struct doc_types *t) {
    size_t most = t->n * (1 + DOCTYPE_LINES_MAX) + DOC_SYSTEM_TABLES, n = 0;
    const struct record_table **tables = arena_zero(&t->arena, most, sizeof *tables);
    for (size_t i = 0; i < DOC_SYSTEM_TABLES; i++) tables[n++] = doc_system_tables[i];
    TRY(records_declare(d->options.records, tables, n));
    TRY(keep_layout(d->options.records, t)); /* before anything is widened: what does not fit is refused */
    n = 0;
    for (size_t i = 0; i < t->n; i++) tables[n++] = &t->tables[i]->records;
    for (size_t i = 0; i < t->n; i++)
        for (size_t k = 0; k < t->tables[i]->n_lines; k++) tables[n++] = &t->tables[i]->lines[k]->records;
    return records_declare(d->options.records, tables, n);
}

static void free_one(struct doc_types *t) {
    arena_fini(&t->arena);
    free(t);
}

Err doc_types_set(struct documents *d, const struct doctype *const *types) {
    struct doc_types *t = calloc(1, sizeof *t);
    ASSERT(t);
    arena_init(&t->arena, 0);
    thread_lock(&d->retyping);
    Err err = make_tables(d, t, types);
    if (err.code == ERR_NONE) err = declare(d, t);
    if (err.code == ERR_NONE) {
        t->older = atomic_load(&d->types);
        atomic_store(&d->types, t);
    } else {
        free_one(t);
    }
    thread_unlock(&d->retyping);
    return err;
}

void doc_types_free(struct documents *d) {
    for (struct doc_types *t = atomic_load(&d->types), *older; t; t = older) {
        older = t->older;
        free_one(t);
    }
    atomic_store(&d->types, NULL);
}
