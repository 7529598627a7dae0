#include "model/doctype.h"

#include "base/err.h"

int doctype_field(const struct doctype *type, Str name) {
    for (size_t i = 0; i < type->n_fields; i++)
        if (str_eq_c(name, type->fields[i].name)) return (int)i;
    return -1;
}

int doctype_state(const struct doctype *type, Str name) {
    for (size_t i = 0; i < type->n_states; i++)
        if (str_eq_c(name, type->states[i].name)) return (int)i;
    return -1;
}

const struct transition *doctype_transition(const struct doctype *type, Str name) {
    for (size_t i = 0; i < type->n_transitions; i++)
        if (str_eq_c(name, type->transitions[i].name)) return &type->transitions[i];
    return NULL;
}

bool doctype_leaves(const struct doctype *type, const struct transition *t, int state) {
    if (state < 0) return false;
    if (str_eq_c(str_c(t->from), "*")) return !type->states[state].final;
    return doctype_names(t->from, str_c(type->states[state].name));
}

const struct transition *doctype_transition_from(const struct doctype *type, Str name, int state) {
    for (size_t i = 0; i < type->n_transitions; i++) {
        const struct transition *t = &type->transitions[i];
        if (str_eq_c(name, t->name) && doctype_leaves(type, t, state)) return t;
    }
    return NULL;
}

bool doctype_names(const char *joined, Str name) {
    Str rest = str_c(joined), head;
    while (rest.len > 0) {
        str_cut(rest, '|', &head, &rest);
        if (str_eq(head, name)) return true;
    }
    return false;
}

Value doctype_get(const struct doc *doc, const char *field) {
    int i = doctype_field(doc->type, str_c(field));
    ASSERT(i >= 0);
    return doc->values[i];
}

const char *doctype_state_name(const struct doc *doc) {
    return doc->state < 0 ? NULL : doc->type->states[doc->state].name;
}

bool doctype_in_state(const struct doc *doc, const char *state) {
    return doc->state >= 0 && str_eq_c(str_c(doctype_state_name(doc)), state);
}
