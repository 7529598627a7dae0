/*
 * Terms held against the types that are installed, and compiled into what a lens is made of. A field that a type no
 * longer has, or no longer shares, is silently no longer given: an agreement never gives more than it says, and a pack
 * that is upgraded may well take something away. A condition that no longer fits gives nothing at all, because rows
 * without it would be more than was agreed.
 */
#include <string.h>

#include "model/gate_rules.h"
#include "trust/terms.h"

/* The columns of every document's table; document/ holds its own order against these positions. */
const struct terms_mask_base_column terms_mask_base[] = {
    {"number", "Number", "编号", 2},
    {"state", "State", "状态", 3},
    {"version", "Version", "版本", 4},
    {"created", "Made", "创建时间", 5},
    {"changed", "Changed", "修改时间", 6},
    {"created_by", "Made by", "创建人", 7},
    {.name = NULL},
};
#define BASE_NAMED 0xfcu     /* those of the table */
#define BASE_ALL 0xfffffffcu /* all but id and party */

static const struct {
    const char *name;
    enum doc_op op;
} ops[] = {{"eq", DOC_EQ}, {"ne", DOC_NE}, {"lt", DOC_LT}, {"le", DOC_LE}, {"gt", DOC_GT}, {"ge", DOC_GE}};

/* ---- one field */

/* Why a field may not be given; NULL: it may. */
static const char *why_not(const struct field *f, PartyId owner) {
    if (f->hidden || (f->custom_of != 0 && f->custom_of != owner)) return "is not known";
    if (f->share == SHARE_SECRET) return "is secret, and never given to anybody";
    if (f->share == SHARE_OWN) return "is the owner's own: its type does not share it with partners";
    return NULL;
}

static int base_column(Str name) {
    for (const struct terms_mask_base_column *b = terms_mask_base; b->name; b++)
        if (str_eq_c(name, b->name)) return (int)b->column;
    return -1;
}

/* Which list of lines a field is: 0…, in the order of the type's fields. */
static unsigned lines_index(const struct doctype *type, int field) {
    unsigned k = 0;
    for (int i = 0; i < field; i++) k += type->fields[i].kind == FIELD_LINES;
    return k;
}

static Err bad_field(const struct doctype *type, Str name, const char *why) {
    return err_make(ERR_INVALID, "terms: field '" STR_FMT "' of '%s' %s", STR_ARG(str_slice(name, 0, 60)), type->name,
                    why);
}

static Err add_line_field(const struct doctype *type, Str name, PartyId owner, struct terms_mask *mask) {
    Str head, tail;
    str_cut(name, '.', &head, &tail);
    int lines = doctype_field(type, head);
    if (lines < 0 || type->fields[lines].kind != FIELD_LINES) return bad_field(type, name, "is not known");
    const struct field *list = &type->fields[lines];
    int i = list->lines ? doctype_field(list->lines, tail) : -1;
    const char *why = why_not(list, owner);
    if (!why) why = i < 0 ? "is not known" : why_not(&list->lines->fields[i], owner);
    if (why) return bad_field(type, name, why);
    unsigned k = lines_index(type, lines);
    ASSERT(k < DOCTYPE_LINES_MAX);
    mask->fields |= UINT64_C(1) << lines;
    mask->lines[k] |= UINT64_C(1) << i;
    return err_none();
}

/* A money field's currency comes with it: an amount without one says nothing. */
static Err add_field(const struct doctype *type, Str name, PartyId owner, struct terms_mask *mask) {
    if (str_find(name, STR(".")) >= 0) return add_line_field(type, name, owner, mask);
    int base = base_column(name), i = doctype_field(type, name);
    if (base >= 0) {
        mask->base_hidden &= ~(1u << base);
        return err_none();
    }
    const char *why = i < 0 ? "is not known" : why_not(&type->fields[i], owner);
    if (!why && type->fields[i].kind == FIELD_LINES)
        why = "is a list of lines: name the fields of its lines, as \"lines.quantity\"";
    if (why) return bad_field(type, name, why);
    mask->fields |= UINT64_C(1) << i;
    if (type->fields[i].kind == FIELD_MONEY && type->fields[i].companion)
        mask->fields |= UINT64_C(1) << (type->fields[i].companion - 1);
    return err_none();
}

/* ---- conditions */

static bool ordered(const struct field *f) {
    switch (f->kind) {
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_DECIMAL:
    case FIELD_MONEY:
    case FIELD_TIME:
    case FIELD_DATE: return true;
    default: return false;
    }
}

static Err read_condition(const struct terms_row *row, const struct doctype *type, PartyId owner,
                          const struct terms_world *world, struct arena *arena, struct lens_condition *out) {
    *out = (struct lens_condition){.op = DOC_EQ};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_eq_c(row->op, ops[i].name)) out->op = ops[i].op;
    bool order = out->op != DOC_EQ && out->op != DOC_NE;
    if (str_eq_c(row->field, "state")) {
        if (order) return bad_field(type, row->field, "has no order: use eq or ne");
        if (doctype_state(type, row->value) < 0)
            return err_make(ERR_INVALID, "terms: '%s' has no state '" STR_FMT "'", type->name,
                            STR_ARG(str_slice(row->value, 0, 40)));
        out->field = LENS_STATE;
        out->value = VALUE_S(row->value);
        return err_none();
    }
    int i = doctype_field(type, row->field);
    const struct field *f = i < 0 ? NULL : &type->fields[i];
    if (!f || f->hidden || (f->custom_of && f->custom_of != owner)) return bad_field(type, row->field, "is not known");
    /* whoever sees which rows are there learns what the condition says of them */
    if (f->share == SHARE_SECRET) return bad_field(type, row->field, "is secret: rows cannot be chosen by it");
    if (f->kind == FIELD_LINES || f->kind == FIELD_JSON || f->kind == FIELD_GEOMETRY)
        return bad_field(type, row->field, "cannot be compared");
    if (order && !ordered(f)) return bad_field(type, row->field, "has no order: use eq or ne");
    TRY(world->value(world->ctx, type, row->field, row->value, arena, &out->value));
    if (out->value.kind == VALUE_NONE || (f->kind == FIELD_REF && out->value.kind != VALUE_INT))
        return bad_field(type, row->field, "is compared with no such value: a reference is given by its id");
    out->field = (unsigned)i;
    return err_none();
}

/* ---- a type */

static bool everything(const struct doctype *type, const struct terms_mask *mask) {
    if (mask->base_hidden & BASE_NAMED) return false;
    for (size_t i = 0; i < type->n_fields; i++) {
        if (!(mask->fields >> i & 1)) return false;
        if (type->fields[i].kind != FIELD_LINES || !type->fields[i].lines) continue;
        size_t n = type->fields[i].lines->n_fields;
        uint64_t all = n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
        if ((mask->lines[lines_index(type, (int)i)] & all) != all) return false;
    }
    return true;
}

static Err make_mask(const struct terms_type *given, const struct doctype *type, PartyId owner,
                     const struct terms_world *world, bool strict, struct arena *arena, struct terms_mask *out) {
    *out = (struct terms_mask){.base_hidden = BASE_ALL};
    for (size_t i = 0; i < given->n_fields; i++) {
        Err err = add_field(type, given->fields[i], owner, out);
        if (strict) TRY(err);
    }
    out->rows = arena_zero(arena, given->n_rows, sizeof *out->rows);
    for (; out->n_rows < given->n_rows; out->n_rows++)
        TRY(read_condition(&given->rows[out->n_rows], type, owner, world, arena, &out->rows[out->n_rows]));
    if (!GATE_RULE_ON(FIELDS)) out->fields = UINT64_MAX;
    if (!GATE_RULE_ON(BASE)) out->base_hidden = 0;
    for (size_t k = 0; k < DOCTYPE_LINES_MAX && !GATE_RULE_ON(LINES); k++) out->lines[k] = UINT64_MAX;
    if (!GATE_RULE_ON(ROWS)) out->n_rows = 0;
    if (!everything(type, out)) return err_none();
    out->base_hidden = 0;
    out->fields = UINT64_MAX; /* then also what is said about a document: comments, history */
    for (size_t k = 0; k < DOCTYPE_LINES_MAX; k++) out->lines[k] = UINT64_MAX;
    return err_none();
}

Err terms_mask(const struct terms_type *given, const struct doctype *type, PartyId owner,
               const struct terms_world *world, struct arena *arena, struct terms_mask *out) {
    return make_mask(given, type, owner, world, false, arena, out);
}

/* ---- series */

static const char *const *names_c(const Str *names, size_t n, struct arena *arena) {
    const char **out = arena_zero(arena, n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = arena_c(arena, names[i]);
    return out;
}

struct lens_grant *terms_mask_grants(const struct terms *terms, struct arena *arena) {
    struct lens_grant *out = arena_zero(arena, terms->n_series, sizeof *out);
    for (size_t i = 0; i < terms->n_series; i++) {
        const struct terms_series *s = &terms->series[i];
        out[i] = (struct lens_grant){.things = s->things ? names_c(s->things, s->n_things, arena) : NULL,
                                     .model = s->model.len ? arena_c(arena, s->model) : NULL,
                                     .metrics = s->every_metric ? NULL : names_c(s->metrics, s->n_metrics, arena),
                                     .resolution = s->resolution == TERMS_RAW ? 0 : NANOS_PER_HOUR,
                                     .index = s->resolution == TERMS_INDEX};
    }
    return out;
}

/* ---- the whole, before anybody agrees to it */

static Err check_series(const struct terms_series *s, const struct catalog *catalog) {
    if (s->model.len == 0) return err_none();
    const struct thing_model *model = catalog_model(catalog, s->model);
    if (!model)
        return err_make(ERR_INVALID, "terms: no model '" STR_FMT "': GET /api/v1/models lists them",
                        STR_ARG(str_slice(s->model, 0, 60)));
    for (size_t i = 0; i < s->n_metrics; i++)
        if (!thing_model_metric(model, s->metrics[i]))
            return err_make(ERR_INVALID, "terms: model '%s' has no metric '" STR_FMT "'", model->name,
                            STR_ARG(str_slice(s->metrics[i], 0, 60)));
    return err_none();
}

Err terms_mask_check(const struct terms *terms, PartyId owner, const struct terms_world *world) {
    const struct catalog *catalog = world->catalog(world->ctx);
    struct arena arena;
    Err err = err_none();
    arena_init(&arena, 0);
    for (size_t i = 0; i < terms->n_types && err.code == ERR_NONE; i++) {
        const struct doctype *type = catalog_type(catalog, terms->types[i].type);
        struct terms_mask mask;
        err = type ? make_mask(&terms->types[i], type, owner, world, true, &arena, &mask)
                   : err_make(ERR_INVALID, "terms: no document type '" STR_FMT "': GET /api/v1/docs lists them",
                              STR_ARG(str_slice(terms->types[i].type, 0, 60)));
    }
    for (size_t i = 0; i < terms->n_series && err.code == ERR_NONE; i++) err = check_series(&terms->series[i], catalog);
    arena_fini(&arena);
    return err;
}
