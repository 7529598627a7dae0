#include "document/doc_table.h"

#include <string.h>

#include "document/doc_value.h"

static const enum record_kind kinds[] = {
    [FIELD_TEXT] = RECORD_TEXT,  [FIELD_INT] = RECORD_INT,   [FIELD_NUMBER] = RECORD_REAL, [FIELD_DECIMAL] = RECORD_INT,
    [FIELD_BOOL] = RECORD_BOOL,  [FIELD_TIME] = RECORD_INT,  [FIELD_CHOICE] = RECORD_TEXT, [FIELD_REF] = RECORD_INT,
    [FIELD_THING] = RECORD_TEXT, [FIELD_JSON] = RECORD_TEXT,
};

static const struct record_column base_columns[DOC_FIELDS] = {
    [RECORD_ID] = {.name = "id", .kind = RECORD_INT},
    [RECORD_PARTY] = {.name = "party", .kind = RECORD_INT, .required = true, .indexed = true, .refers = "party"},
    [DOC_NUMBER] = {.name = "number", .kind = RECORD_TEXT, .required = true, .unique = RECORD_UNIQUE_IN_PARTY},
    [DOC_STATE] = {.name = "state", .kind = RECORD_TEXT, .required = true, .indexed = true},
    [DOC_VERSION] = {.name = "version", .kind = RECORD_INT, .required = true},
    [DOC_CREATED] = {.name = "created", .kind = RECORD_INT, .required = true},
    [DOC_CHANGED] = {.name = "changed", .kind = RECORD_INT, .required = true},
    [DOC_CREATED_BY] = {.name = "created_by", .kind = RECORD_TEXT, .required = true},
};

/* ---- is the declaration sound? */

static const struct doctype *type_named(const struct doctype *const *all, const char *name) {
    for (; *all; all++)
        if (strcmp((*all)->name, name) == 0) return *all;
    return NULL;
}

static Err check_field(const struct doctype *type, size_t i, const struct doctype *const *all) {
    const struct field *f = &type->fields[i];
    Value fallback;
    for (size_t c = 0; c < DOC_FIELDS; c++)
        if (strcmp(f->name, base_columns[c].name) == 0)
            return err_make(ERR_INVALID, "type '%s': every document has '%s' already", type->name, f->name);
    if (doctype_field(type, str_c(f->name)) != (int)i)
        return err_make(ERR_INVALID, "type '%s': two fields '%s'", type->name, f->name);
    if (f->kind == FIELD_CHOICE && !f->choices)
        return err_make(ERR_INVALID, "type '%s': field '%s' has no choices", type->name, f->name);
    if (f->kind == FIELD_REF && (!f->ref || !type_named(all, f->ref)))
        return err_make(ERR_INVALID, "type '%s': field '%s' refers to no type", type->name, f->name);
    if (!f->fallback) return err_none();
    struct doc_faults faults = {0};
    struct arena arena;
    arena_init(&arena, 0);
    doc_value_parse(f, str_c(f->fallback), &arena, &fallback, &faults);
    arena_fini(&arena);
    if (faults.n == 0) return err_none();
    return err_make(ERR_INVALID, "type '%s': default of %s", type->name, doc_faults_err(&faults).text);
}

static Err check_names(const struct doctype *type, const char *transition, const char *joined) {
    Str rest = str_c(joined), name;
    while (rest.len > 0) {
        str_cut(rest, '|', &name, &rest);
        if (doctype_field(type, name) < 0)
            return err_make(ERR_INVALID, "type '%s': transition '%s' names no field '" STR_FMT "'", type->name,
                            transition, STR_ARG(name));
    }
    return err_none();
}

static Err check_transition(const struct doctype *type, const struct transition *t) {
    Str rest = str_c(t->from), name;
    while (rest.len > 0 && strcmp(t->from, "*") != 0) {
        str_cut(rest, '|', &name, &rest);
        if (doctype_state(type, name) < 0)
            return err_make(ERR_INVALID, "type '%s': transition '%s' leaves no state '" STR_FMT "'", type->name,
                            t->name, STR_ARG(name));
    }
    if (t->to && doctype_state(type, str_c(t->to)) < 0)
        return err_make(ERR_INVALID, "type '%s': transition '%s' leads to no state '%s'", type->name, t->name, t->to);
    TRY(check_names(type, t->name, t->needs));
    TRY(check_names(type, t->name, t->takes));
    if (!t->stamps) return err_none();
    int field = doctype_field(type, str_c(t->stamps));
    if (field >= 0 && type->fields[field].kind == FIELD_TIME) return err_none();
    return err_make(ERR_INVALID, "type '%s': transition '%s' stamps no time '%s'", type->name, t->name, t->stamps);
}

static Err check_type(const struct doctype *type, const struct doctype *const *all) {
    if (type->n_states == 0 || type->n_fields > DOCTYPE_FIELDS_MAX)
        return err_make(ERR_INVALID, "type '%s': at least one state and at most %d fields", type->name,
                        DOCTYPE_FIELDS_MAX);
    if (type_named(all, type->name) != type) return err_make(ERR_INVALID, "two types '%s'", type->name);
    for (size_t i = 0; i < type->n_fields; i++) TRY(check_field(type, i, all));
    for (size_t i = 0; i < type->n_transitions; i++) TRY(check_transition(type, &type->transitions[i]));
    return err_none();
}

/* ---- its table */

Err doc_table_make(const struct doctype *type, const struct doctype *const *all, struct arena *arena,
                   struct doc_table *out) {
    _Static_assert(DOC_FIELDS + DOCTYPE_FIELDS_MAX <= RECORDS_COLUMNS_MAX, "a document fits into a table");
    TRY(check_type(type, all));
    *out = (struct doc_table){.type = type};
    memcpy(out->columns, base_columns, sizeof base_columns);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        out->columns[DOC_FIELDS + i] = (struct record_column){
            .name = f->name,
            .kind = kinds[f->kind],
            .unique = f->unique ? RECORD_UNIQUE_IN_PARTY : RECORD_MANY,
            .indexed = f->indexed,
            .refers = f->kind == FIELD_REF ? arena_printf(arena, "doc_%s", f->ref).ptr : NULL,
        };
    }
    out->records = (struct record_table){.name = arena_printf(arena, "doc_%s", type->name).ptr,
                                         .columns = out->columns,
                                         .n_columns = DOC_FIELDS + type->n_fields,
                                         .fields_at = DOC_FIELDS};
    return err_none();
}

int doc_table_column(const struct doc_table *table, Str name) {
    for (unsigned i = 0; i < DOC_FIELDS; i++)
        if (i != RECORD_PARTY && str_eq_c(name, base_columns[i].name)) return (int)i;
    int field = doctype_field(table->type, name);
    return field < 0 ? -1 : DOC_FIELDS + field;
}

/* ---- rows */

Err doc_table_read(const struct doc_table *table, const Value *row, struct arena *arena, struct doc **out) {
    struct doc *doc = arena_zero(arena, 1, sizeof *doc);
    int state = doctype_state(table->type, row[DOC_STATE].s);
    if (state < 0)
        return err_make(ERR_CORRUPT, "%s " STR_FMT " is in the state '" STR_FMT "', which its type does not have",
                        table->type->name, STR_ARG(row[DOC_NUMBER].s), STR_ARG(row[DOC_STATE].s));
    *doc = (struct doc){.type = table->type,
                        .id = row[RECORD_ID].i,
                        .number = row[DOC_NUMBER].s,
                        .party = (PartyId)row[RECORD_PARTY].i,
                        .state = state,
                        .version = row[DOC_VERSION].i,
                        .created = row[DOC_CREATED].i,
                        .changed = row[DOC_CHANGED].i,
                        .created_by = row[DOC_CREATED_BY].s};
    doc->values = arena_zero(arena, table->type->n_fields, sizeof *doc->values);
    memcpy(doc->values, row + DOC_FIELDS, table->type->n_fields * sizeof *doc->values);
    *out = doc;
    return err_none();
}

void doc_table_write(const struct doc *doc, Value *row) {
    row[RECORD_ID] = VALUE_I(doc->id);
    row[RECORD_PARTY] = VALUE_I(doc->party);
    row[DOC_NUMBER] = VALUE_S(doc->number);
    row[DOC_STATE] = VALUE_S(str_c(doctype_state_name(doc)));
    row[DOC_VERSION] = VALUE_I(doc->version);
    row[DOC_CREATED] = VALUE_I(doc->created);
    row[DOC_CHANGED] = VALUE_I(doc->changed);
    row[DOC_CREATED_BY] = VALUE_S(doc->created_by);
    memcpy(row + DOC_FIELDS, doc->values, doc->type->n_fields * sizeof *doc->values);
}
