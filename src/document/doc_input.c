#include "document/doc_input.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "document/doc_value.h"

#define BIT(i) (UINT64_C(1) << (i))

int doc_input_lines_at(const struct doctype *type, size_t field) {
    int k = 0;
    if (type->fields[field].kind != FIELD_LINES) return -1;
    for (size_t i = 0; i < field; i++) k += type->fields[i].kind == FIELD_LINES;
    return k;
}

/* A party is asked for here, because somebody else knows them and may look into the store for it. */
static void find_party(struct doc_input *in, size_t i) {
    const struct documents_options *o = &in->d->options;
    const struct field *f = &in->type->fields[i];
    Value *v = &in->values[i];
    PartyId party = 0;
    Str name;
    Err err = err_none();
    if (f->kind != FIELD_PARTY || v->kind == VALUE_NONE) return;
    if (!o->find_party || !o->party_name)
        err = err_make(ERR_INVALID, "parties are not known here");
    else if (v->kind == VALUE_STRING)
        err = o->find_party(o->party_ctx, v->s, &party);
    else if (v->i > 0 && v->i <= UINT32_MAX)
        err = o->party_name(o->party_ctx, party = (PartyId)v->i, in->arena, &name);
    else
        err = err_make(ERR_INVALID, "no party %" PRId64, v->i);
    *v = err.code == ERR_NONE ? VALUE_I(party) : (Value){.kind = VALUE_NONE};
    if (err.code != ERR_NONE) doc_faults_add(in->faults, ERR_INVALID, f->name, "%.140s", err.text);
}

/* ---- lines */

static uint64_t own_fields(const struct doctype *type, PartyId party) {
    uint64_t own = 0;
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (!f->hidden && (f->custom_of == 0 || f->custom_of == party)) own |= BIT(i);
    }
    return own;
}

static Value *read_line(struct doc_input *in, const struct doctype *type, const struct json *object) {
    struct doc_input *line = arena_zero(in->arena, 1, sizeof *line);
    *line = (struct doc_input){.d = in->d,
                               .type = type,
                               .party = in->party,
                               .allowed = own_fields(type, in->party),
                               .arena = in->arena,
                               .faults = in->faults};
    doc_input_json(line, object);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        Value *v = &line->values[i];
        if (line->by_person & BIT(i) && (f->computed || f->compute))
            doc_faults_add(in->faults, ERR_INVALID, f->name, "it is computed and cannot be given");
        else if (!(line->by_person & BIT(i)) && v->kind == VALUE_NONE && f->fallback)
            doc_value_parse(f, str_c(f->fallback), in->arena, v, in->faults);
        if (f->required && !f->compute && v->kind == VALUE_NONE && !(line->faulty & BIT(i)))
            doc_faults_add(in->faults, ERR_INVALID, f->name, "missing");
    }
    return line->values;
}

static void read_lines(struct doc_input *in, size_t field, const struct json *list) {
    const struct field *f = &in->type->fields[field];
    struct doc_lines *lines = &in->lines[doc_input_lines_at(in->type, field)];
    enum json_kind kind = json_kind(list);
    *lines = (struct doc_lines){.n = 0};
    if (kind == JSON_NULL) return;
    if (kind != JSON_ARRAY || json_len(list) > DOCTYPE_LINE_ROWS_MAX) {
        if (kind != JSON_ARRAY)
            doc_faults_add(in->faults, ERR_INVALID, f->name, "a list of objects wanted");
        else
            doc_faults_add(in->faults, ERR_INVALID, f->name, "%zu lines: at most %d", json_len(list),
                           DOCTYPE_LINE_ROWS_MAX);
        in->faulty |= BIT(field);
        return;
    }
    lines->rows = arena_zero(in->arena, json_len(list), sizeof *lines->rows);
    for (size_t i = 0; i < json_len(list); i++) {
        snprintf(in->faults->at, sizeof in->faults->at, "%.48s[%u].", f->name, (unsigned)i);
        lines->rows[lines->n++] = read_line(in, f->lines, json_at(list, i));
    }
    in->faults->at[0] = '\0';
}

/* ---- by code */

static void code_lines(struct doc_input *in, size_t field, Value v) {
    struct json *list = NULL;
    if (v.kind == VALUE_NONE) return;
    Err err = v.kind == VALUE_STRING ? json_parse(v.s, &list) : err_make(ERR_INVALID, "lines as JSON wanted");
    if (err.code == ERR_NONE)
        read_lines(in, field, list);
    else
        doc_faults_add(in->faults, ERR_INVALID, in->type->fields[field].name, "%.80s", err.text);
    json_free(list);
}

void doc_input_code(struct doc_input *in, const struct doc_set *set, size_t n) {
    for (size_t k = 0; k < n; k++) {
        int i = doctype_field(in->type, str_c(set[k].field));
        if (i < 0) {
            doc_faults_add(in->faults, ERR_INVALID, set[k].field, "no such field");
            continue;
        }
        size_t before = in->faults->n;
        Value *v = &in->values[i];
        in->by_code |= BIT(i);
        if (in->type->fields[i].kind == FIELD_LINES) {
            code_lines(in, (size_t)i, set[k].value);
            continue;
        }
        doc_value_from_code(&in->type->fields[i], set[k].value, v, in->faults);
        if (v->kind == VALUE_STRING) v->s = arena_str(in->arena, v->s);
        find_party(in, (size_t)i);
        if (in->faults->n > before) in->faulty |= BIT(i);
    }
}

/* ---- by JSON */

/* A name from outside that is no field: says where it belongs, if anywhere. */
static void unknown_member(struct doc_input *in, Str key) {
    static const char *const given[] = {"id", "number", "version", "created", "changed", "created_by"};
    char name[41];
    snprintf(name, sizeof name, STR_FMT, STR_ARG(str_slice(key, 0, 40)));
    const char *says = "no such field";
    if (in->type->n_states > 0 && str_eq_c(key, "state")) says = "it changes by transitions only";
    for (size_t i = 0; in->type->n_states > 0 && i < sizeof given / sizeof *given; i++)
        if (str_eq_c(key, given[i])) says = "it is not yours to set";
    doc_faults_add(in->faults, ERR_INVALID, name, "%s", says);
}

static void read_currency(struct doc_input *in, size_t i, const struct json *value) {
    const struct field *f = &in->type->fields[i];
    size_t c = f->companion;
    Value currency = {.kind = VALUE_NONE};
    if (json_kind(value) == JSON_OBJECT) doc_value_currency(f, value, in->arena, &currency, in->faults);
    if (f->currency || c == 0) return;
    if (currency.kind == VALUE_NONE && in->values[i].kind != VALUE_NONE && in->type->fields[c - 1].fallback)
        currency = VALUE_S(str_c(in->type->fields[c - 1].fallback));
    if (in->values[i].kind == VALUE_NONE) currency = (Value){.kind = VALUE_NONE};
    if (in->values[i].kind != VALUE_NONE && currency.kind == VALUE_NONE)
        doc_faults_add(in->faults, ERR_INVALID, f->name,
                       "of which currency? write {\"amount\":\"12.50\",\"currency\":\"CNY\"}");
    in->values[c - 1] = currency;
    in->by_code |= BIT(c - 1);
}

static void read_member(struct doc_input *in, size_t i, const struct json *value) {
    const struct field *f = &in->type->fields[i];
    size_t before = in->faults->n;
    in->by_person |= BIT(i);
    if (f->kind == FIELD_LINES) {
        read_lines(in, i, value);
        return;
    }
    doc_value_from_json(f, value, in->arena, &in->values[i], in->faults);
    if (f->kind == FIELD_MONEY) read_currency(in, i, value);
    find_party(in, i);
    if (in->faults->n > before) in->faulty |= BIT(i);
}

void doc_input_json(struct doc_input *in, const struct json *object) {
    const struct json *value;
    void *at = NULL;
    Str key;
    if (json_kind(object) != JSON_OBJECT) {
        doc_faults_add(in->faults, ERR_INVALID, in->type->name, "an object of fields wanted");
        return;
    }
    while (json_next(object, &at, &key, &value)) {
        int i = doctype_field(in->type, key);
        if (i < 0 || !(in->allowed & BIT(i)))
            unknown_member(in, key);
        else if (!(in->by_code & BIT(i))) /* the program knows better */
            read_member(in, (size_t)i, value);
    }
}
