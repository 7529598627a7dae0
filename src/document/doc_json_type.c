#include "document/doc_engine.h"
#include "document/doc_value.h"

static void titles(struct jw *w, const char *name, const char *en, const char *zh) {
    jw_kc(w, "name", name);
    jw_kc(w, "title_en", en);
    jw_kc(w, "title_zh", zh);
}

static void names(struct jw *w, const char *key, const char *joined) {
    Str rest = str_c(joined), name;
    jw_key(w, key);
    jw_array(w);
    while (rest.len > 0) {
        str_cut(rest, '|', &name, &rest);
        jw_str(w, name);
    }
    jw_array_end(w);
}

static void role_names(struct jw *w, const char *key, unsigned roles) {
    jw_key(w, key);
    jw_array(w);
    for (int role = 0; role < ROLE_COUNT; role++)
        if (roles & ROLE_BIT(role)) jw_c(w, principal_role_name((enum role)role));
    jw_array_end(w);
}

static void write_choices(struct jw *w, const struct field *f) {
    jw_key(w, "choices");
    jw_array(w);
    for (const struct choice *c = f->choices; c->name; c++) {
        jw_object(w);
        titles(w, c->name, c->title_en, c->title_zh);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_field_type(struct jw *w, const struct field *f, const struct principal *who);

static bool is_mine(const struct field *f, const struct principal *who) {
    return !f->hidden && (f->custom_of == 0 || (who && f->custom_of == who->party));
}

/* NOLINTNEXTLINE(misc-no-recursion): a list has no lists */
static void write_fields(struct jw *w, const struct doctype *type, const struct principal *who) {
    jw_key(w, "fields");
    jw_array(w);
    for (size_t i = 0; i < type->n_fields; i++)
        if (is_mine(&type->fields[i], who)) write_field_type(w, &type->fields[i], who);
    jw_array_end(w);
}

static void write_help(struct jw *w, const char *en, const char *zh) {
    jw_kc(w, "help_en", en);
    jw_kc(w, "help_zh", zh);
}

/* NOLINTNEXTLINE(misc-no-recursion): a list has no lists */
static void write_field_type(struct jw *w, const struct field *f, const struct principal *who) {
    static const char *const shares[] = {"own", "partners", "public", "secret"};
    static const char *const reveals[] = {NULL, "person", "customer", "price", "output"};
    jw_object(w);
    titles(w, f->name, f->title_en, f->title_zh);
    jw_kc(w, "kind", doc_value_kind_name(f->kind));
    if (f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY) jw_kint(w, "scale", f->scale);
    if (f->kind == FIELD_MONEY) jw_kc(w, "currency", f->currency);
    jw_kbool(w, "required", f->required);
    jw_kbool(w, "unique", f->unique);
    jw_kbool(w, "computed", f->computed || f->compute);
    jw_kc(w, "unit", f->unit);
    if (f->format) jw_kc(w, "format", f->format);
    if (f->kind == FIELD_CHOICE) write_choices(w, f);
    if (f->kind == FIELD_REF) jw_kc(w, "ref", f->ref);
    if (f->kind == FIELD_LINES) {
        jw_key(w, "lines");
        jw_object(w);
        write_fields(w, f->lines, who);
        jw_object_end(w);
    }
    jw_kc(w, "share", shares[f->share]);
    if (f->reveals) jw_kc(w, "reveals", reveals[f->reveals]);
    jw_kbool(w, "compute", f->compute != NULL);
    jw_kbool(w, "custom", f->custom_of != 0);
    write_help(w, f->help_en, f->help_zh);
    if (f->fallback) jw_kc(w, "default", f->fallback);
    jw_object_end(w);
}

static void write_state(struct jw *w, const struct doc_state *s, bool initial) {
    jw_object(w);
    titles(w, s->name, s->title_en, s->title_zh);
    jw_kbool(w, "initial", initial);
    jw_kbool(w, "final", s->final);
    jw_kc(w, "tone", s->tone);
    jw_object_end(w);
}

static void write_transition(struct jw *w, const struct doctype *type, const struct transition *t) {
    jw_object(w);
    titles(w, t->name, t->title_en, t->title_zh);
    jw_key(w, "from");
    jw_array(w);
    for (int i = 0; i < (int)type->n_states; i++)
        if (doctype_leaves(type, t, i)) jw_c(w, type->states[i].name);
    jw_array_end(w);
    jw_kc(w, "to", t->to);
    role_names(w, "roles", t->roles);
    names(w, "needs", t->needs);
    names(w, "takes", t->takes);
    jw_object_end(w);
}

static void write_checks(struct jw *w, const struct doctype *type) {
    jw_key(w, "checks");
    jw_array(w);
    for (size_t i = 0; i < type->n_checks; i++) {
        jw_object(w);
        jw_kc(w, "transition", type->checks[i].transition);
        jw_kc(w, "message_en", type->checks[i].message_en);
        jw_kc(w, "message_zh", type->checks[i].message_zh);
        jw_object_end(w);
    }
    jw_array_end(w);
}

void doc_json_type(const struct doctype *type, const struct principal *who, struct jw *w) {
    jw_object(w);
    titles(w, type->name, type->title_en, type->title_zh);
    jw_kc(w, "prefix", type->prefix);
    write_fields(w, type, who);
    jw_key(w, "states");
    jw_array(w);
    for (size_t i = 0; i < type->n_states; i++) write_state(w, &type->states[i], i == 0);
    jw_array_end(w);
    jw_key(w, "transitions");
    jw_array(w);
    for (size_t i = 0; i < type->n_transitions; i++) write_transition(w, type, &type->transitions[i]);
    jw_array_end(w);
    write_checks(w, type);
    role_names(w, "read_roles", type->read_roles);
    role_names(w, "create_roles", type->create_roles);
    role_names(w, "change_roles", type->change_roles);
    write_help(w, type->help_en, type->help_zh);
    jw_kc(w, "pack", type->pack);
    jw_kc(w, "label", type->label);
    jw_kbool(w, "immutable", type->immutable);
    jw_kbool(w, "delete", who && type->delete_roles && principal_may(who, type->delete_roles));
    jw_object_end(w);
}
