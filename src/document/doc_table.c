#include "document/doc_table.h"

#include <string.h>

#include "document/doc_number.h"
#include "document/doc_value.h"
#include "model/ident.h"
#include "model/script.h"

static const enum record_kind kinds[] = {
    [FIELD_TEXT] = RECORD_TEXT,       [FIELD_INT] = RECORD_INT,       [FIELD_NUMBER] = RECORD_REAL,
    [FIELD_DECIMAL] = RECORD_DECIMAL, [FIELD_BOOL] = RECORD_BOOL,     [FIELD_TIME] = RECORD_INT,
    [FIELD_CHOICE] = RECORD_TEXT,     [FIELD_REF] = RECORD_INT,       [FIELD_THING] = RECORD_TEXT,
    [FIELD_JSON] = RECORD_TEXT,       [FIELD_MONEY] = RECORD_DECIMAL, [FIELD_DATE] = RECORD_INT,
    [FIELD_PARTY] = RECORD_INT,       [FIELD_FILE] = RECORD_INT,      [FIELD_GEOMETRY] = RECORD_TEXT,
    [FIELD_LINES] = RECORD_INT,
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
    [DOC_BATCH] = {.name = "import_batch", .kind = RECORD_INT, .indexed = true},
};

static const struct record_column line_columns[DOC_LINE_FIELDS] = {
    [RECORD_ID] = {.name = "id", .kind = RECORD_INT},
    [RECORD_PARTY] = {.name = "party", .kind = RECORD_INT, .required = true, .refers = "party"},
    [DOC_LINE_PARENT] = {.name = "parent", .kind = RECORD_INT, .required = true, .indexed = true},
    [DOC_LINE_POSITION] = {.name = "position", .kind = RECORD_INT, .required = true},
};

/* ---- is the declaration sound? */

static const struct doctype *type_named(const struct doctype *const *all, const char *name) {
    for (; *all; all++)
        if (strcmp((*all)->name, name) == 0) return *all;
    return NULL;
}

static Err bad_field(const struct doctype *type, const struct field *f, const char *what) {
    return err_make(ERR_INVALID, "type '%s': field '%s' %s", type->name, f->name, what);
}

static Err check_money(const struct doctype *type, const struct field *f) {
    if (f->currency)
        return doc_value_is_currency(str_c(f->currency))
                   ? err_none()
                   : bad_field(type, f, "has a currency that is none of ISO 4217");
    unsigned c = f->companion;
    bool keeps = c > 0 && c <= type->n_fields && type->fields[c - 1].kind == FIELD_TEXT && type->fields[c - 1].hidden;
    return keeps ? err_none() : bad_field(type, f, "needs a fixed currency, or a hidden text that keeps it");
}

static Err check_kind(const struct doctype *type, const struct field *f, const struct doctype *const *all, bool line) {
    switch (f->kind) {
    case FIELD_CHOICE: return f->choices ? err_none() : bad_field(type, f, "has no choices");
    case FIELD_REF: return f->ref && type_named(all, f->ref) ? err_none() : bad_field(type, f, "refers to no type");
    case FIELD_MONEY: return check_money(type, f);
    case FIELD_LINES:
        if (line) return bad_field(type, f, "is a list within a list");
        return f->lines ? err_none() : bad_field(type, f, "says nothing of its lines");
    case FIELD_FILE: return line ? bad_field(type, f, "is a file: these stand in the head") : err_none();
    default: return err_none();
    }
}

static Err check_use(const struct doctype *type, const struct field *f, bool line) {
    if (f->scale > 18) return bad_field(type, f, "has more than 18 digits behind the point");
    if (f->format && !ident_find(str_c(f->format))) return bad_field(type, f, "has a format that is not known");
    if (f->compute && (!type->script || !script_has(type->script, f->compute)))
        return bad_field(type, f, "is computed by a function that the script lacks");
    if (f->share != SHARE_SECRET) return err_none();
    if (line) return bad_field(type, f, "is secret: these stand in the head");
    if (f->kind == FIELD_REF || f->kind == FIELD_LINES || f->kind == FIELD_MONEY)
        return bad_field(type, f, "is of a kind that cannot be secret");
    return f->unique || f->indexed ? bad_field(type, f, "is secret: it cannot be unique or sorted by") : err_none();
}

static Err check_default(const struct doctype *type, const struct field *f) {
    struct doc_faults faults = {0};
    struct arena arena;
    Value fallback;
    if (!f->fallback) return err_none();
    arena_init(&arena, 0);
    doc_value_parse(f, str_c(f->fallback), &arena, &fallback, &faults);
    arena_fini(&arena);
    if (faults.n == 0) return err_none();
    return err_make(ERR_INVALID, "type '%s': default of %s", type->name, doc_faults_err(&faults).text);
}

static bool is_base(const char *name, const struct record_column *columns, size_t n) {
    for (size_t c = 0; c < n; c++)
        if (strcmp(name, columns[c].name) == 0) return true;
    return strcmp(name, "can") == 0;
}

static Err check_lines(const struct doctype *type, const struct field *f, const struct doctype *const *all);

static Err check_field(const struct doctype *type, size_t i, const struct doctype *const *all, bool line) {
    const struct field *f = &type->fields[i];
    bool base = line ? is_base(f->name, line_columns, DOC_LINE_FIELDS) : is_base(f->name, base_columns, DOC_FIELDS);
    if (base) return err_make(ERR_INVALID, "type '%s': every document has '%s' already", type->name, f->name);
    if (doctype_field(type, str_c(f->name)) != (int)i)
        return err_make(ERR_INVALID, "type '%s': two fields '%s'", type->name, f->name);
    TRY(check_kind(type, f, all, line));
    TRY(check_use(type, f, line));
    if (f->kind == FIELD_LINES) TRY(check_lines(type, f, all));
    return check_default(type, f);
}

/* NOLINTNEXTLINE(misc-no-recursion): a list has no lists */
static Err check_lines(const struct doctype *type, const struct field *f, const struct doctype *const *all) {
    const struct doctype *lines = f->lines;
    if (lines->n_fields == 0 || lines->n_fields > DOCTYPE_FIELDS_MAX)
        return err_make(ERR_INVALID, "type '%s': lines '%s' have 1 to %d fields", type->name, f->name,
                        DOCTYPE_FIELDS_MAX);
    for (size_t i = 0; i < lines->n_fields; i++) {
        if (lines->fields[i].unique) return bad_field(lines, &lines->fields[i], "is unique: lines have no such");
        TRY(check_field(lines, i, all, true));
    }
    return err_none();
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

static Err check_rule(const struct doctype *type, const struct doc_check *c) {
    if (c->transition && !doctype_transition(type, str_c(c->transition)))
        return err_make(ERR_INVALID, "type '%s': a check of no transition '%s'", type->name, c->transition);
    if (c->function) {
        if (type->script && script_has(type->script, c->function)) return err_none();
        return err_make(ERR_INVALID, "type '%s': a check by '%s', which the script lacks", type->name, c->function);
    }
    TRY(check_names(type, "(check)", c->field));
    if (c->other) return check_names(type, "(check)", c->other);
    if (c->op == DOC_IS_SET || c->op == DOC_CONTAINS) return err_none();
    struct field f = type->fields[doctype_field(type, str_c(c->field))];
    f.fallback = c->text ? c->text : "";
    if (f.kind == FIELD_LINES) f.kind = FIELD_INT; /* of lines, how many there are */
    return check_default(type, &f);
}

static Err check_type(const struct doctype *type, const struct doctype *const *all) {
    if (type->n_states == 0 || type->n_fields > DOCTYPE_FIELDS_MAX)
        return err_make(ERR_INVALID, "type '%s': at least one state and at most %d fields", type->name,
                        DOCTYPE_FIELDS_MAX);
    if (type_named(all, type->name) != type) return err_make(ERR_INVALID, "two types '%s'", type->name);
    if (strstr(type->name, "__")) return err_make(ERR_INVALID, "type '%s': a name has no '__'", type->name);
    if (type->number) TRY(doc_number_check(type));
    size_t lines = 0;
    for (size_t i = 0; i < type->n_fields; i++) {
        TRY(check_field(type, i, all, false));
        lines += type->fields[i].kind == FIELD_LINES;
    }
    if (lines > DOCTYPE_LINES_MAX)
        return err_make(ERR_INVALID, "type '%s': more than %d lists of lines", type->name, DOCTYPE_LINES_MAX);
    for (size_t i = 0; i < type->n_transitions; i++) TRY(check_transition(type, &type->transitions[i]));
    for (size_t i = 0; i < type->n_checks; i++) TRY(check_rule(type, &type->checks[i]));
    return err_none();
}

/* ---- its tables */

static struct record_column column_of(const struct field *f, struct arena *arena) {
    bool is_ref = f->kind == FIELD_REF;
    return (struct record_column){
        .name = f->name,
        .kind = f->share == SHARE_SECRET ? RECORD_TEXT : kinds[f->kind],
        .unique = f->unique ? RECORD_UNIQUE_IN_PARTY : RECORD_MANY,
        .indexed = f->indexed || is_ref, /* a reference: to see quickly whether somebody refers to what is removed */
        .refers = is_ref ? arena_printf(arena, "doc_%s", f->ref).ptr : NULL,
        .scale = f->scale,
    };
}

static void make_lines(struct doc_table *out, unsigned field, struct arena *arena) {
    struct doc_lines_table *lines = arena_zero(arena, 1, sizeof *lines);
    const struct field *f = &out->type->fields[field];
    lines->type = f->lines;
    lines->field = field;
    memcpy(lines->columns, line_columns, sizeof line_columns);
    lines->columns[DOC_LINE_PARENT].refers = out->records.name;
    for (size_t i = 0; i < f->lines->n_fields; i++)
        lines->columns[DOC_LINE_FIELDS + i] = column_of(&f->lines->fields[i], arena);
    lines->records = (struct record_table){.name = arena_printf(arena, "%s__%s", out->records.name, f->name).ptr,
                                           .columns = lines->columns,
                                           .n_columns = DOC_LINE_FIELDS + f->lines->n_fields,
                                           .fields_at = DOC_LINE_FIELDS,
                                           .lines = (unsigned)out->n_lines + 1};
    out->lines[out->n_lines++] = lines;
}

Err doc_table_make(const struct doctype *type, const struct doctype *const *all, struct arena *arena,
                   struct doc_table *out) {
    _Static_assert(DOC_FIELDS + DOCTYPE_FIELDS_MAX <= RECORDS_COLUMNS_MAX, "a document fits into a table");
    TRY(check_type(type, all));
    *out = (struct doc_table){.type = type};
    memcpy(out->columns, base_columns, sizeof base_columns);
    out->records = (struct record_table){.name = arena_printf(arena, "doc_%s", type->name).ptr,
                                         .columns = out->columns,
                                         .n_columns = DOC_FIELDS + type->n_fields,
                                         .fields_at = DOC_FIELDS,
                                         .state_at = DOC_STATE,
                                         .ids_rise = true,
                                         .searched = true};
    for (unsigned i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        out->columns[DOC_FIELDS + i] = column_of(f, arena);
        if (f->kind == FIELD_LINES) make_lines(out, i, arena);
        if (f->share == SHARE_SECRET) out->secrets |= UINT64_C(1) << i;
        if (f->hidden) out->companions |= UINT64_C(1) << i;
    }
    return err_none();
}

Str doc_table_shape(const struct field *f, struct arena *arena) {
    const char *kind = doc_value_kind_name(f->kind);
    if (f->share == SHARE_SECRET) return STR("sealed");
    if (f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY) return arena_printf(arena, "%s:%u", kind, f->scale);
    return f->kind == FIELD_REF ? arena_printf(arena, "ref:%s", f->ref) : str_c(kind);
}

static int field_column(const struct doc_table *table, Str name) {
    int field = doctype_field(table->type, name);
    return field < 0 || table->type->fields[field].hidden ? -1 : DOC_FIELDS + field;
}

int doc_table_column(const struct doc_table *table, Str name, unsigned *shown_by) {
    Str head, tail;
    for (unsigned i = 0; i < DOC_BATCH; i++)
        if (i != RECORD_PARTY && str_eq_c(name, base_columns[i].name)) return (int)(*shown_by = i);
    int column = field_column(table, name);
    if (column >= 0) *shown_by = (unsigned)column;
    if (column >= 0 || !str_cut(name, '.', &head, &tail) || !str_eq_c(tail, "currency")) return column;
    column = field_column(table, head);
    if (column < 0) return -1;
    const struct field *f = &table->type->fields[column - DOC_FIELDS];
    if (f->kind != FIELD_MONEY || f->currency) return -1;
    *shown_by = (unsigned)column;
    return DOC_FIELDS + f->companion - 1;
}

/* ---- rows */

static Str shown_text(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }
static int64_t shown_int(Value v) { return v.kind == VALUE_INT ? v.i : 0; }

Err doc_table_read(const struct doc_table *table, const Value *row, struct arena *arena, struct doc **out) {
    struct doc *doc = arena_zero(arena, 1, sizeof *doc);
    bool shown = row[DOC_STATE].kind == VALUE_STRING; /* a lens may hide what every document has */
    int state = shown ? doctype_state(table->type, row[DOC_STATE].s) : DOC_STATE_HIDDEN;
    if (shown && state < 0)
        return err_make(ERR_CORRUPT, "%s " STR_FMT " is in the state '" STR_FMT "', which its type does not have",
                        table->type->name, STR_ARG(row[DOC_NUMBER].s), STR_ARG(row[DOC_STATE].s));
    *doc = (struct doc){.type = table->type,
                        .id = row[RECORD_ID].i,
                        .number = shown_text(row[DOC_NUMBER]),
                        .party = (PartyId)row[RECORD_PARTY].i,
                        .state = state,
                        .version = shown_int(row[DOC_VERSION]),
                        .created = shown_int(row[DOC_CREATED]),
                        .changed = shown_int(row[DOC_CHANGED]),
                        .created_by = shown_text(row[DOC_CREATED_BY]),
                        .batch = shown_int(row[DOC_BATCH])};
    doc->values = arena_zero(arena, table->type->n_fields, sizeof *doc->values);
    memcpy(doc->values, row + DOC_FIELDS, table->type->n_fields * sizeof *doc->values);
    for (size_t k = 0; k < table->n_lines; k++) doc->values[table->lines[k]->field] = (Value){.kind = VALUE_NONE};
    if (table->n_lines > 0) doc->lines = arena_zero(arena, DOCTYPE_LINES_MAX, sizeof *doc->lines);
    *out = doc;
    return err_none();
}

void doc_table_write(const struct doc_table *table, const struct doc *doc, Value *row) {
    row[RECORD_ID] = VALUE_I(doc->id);
    row[RECORD_PARTY] = VALUE_I(doc->party);
    row[DOC_NUMBER] = VALUE_S(doc->number);
    row[DOC_STATE] = VALUE_S(str_c(doctype_state_name(doc)));
    row[DOC_VERSION] = VALUE_I(doc->version);
    row[DOC_CREATED] = VALUE_I(doc->created);
    row[DOC_CHANGED] = VALUE_I(doc->changed);
    row[DOC_CREATED_BY] = VALUE_S(doc->created_by);
    row[DOC_BATCH] = doc->batch ? VALUE_I(doc->batch) : (Value){.kind = VALUE_NONE};
    memcpy(row + DOC_FIELDS, doc->values, doc->type->n_fields * sizeof *doc->values);
    for (size_t k = 0; k < table->n_lines; k++)
        row[DOC_FIELDS + table->lines[k]->field] = VALUE_I((int64_t)doc->lines[k].n);
}
