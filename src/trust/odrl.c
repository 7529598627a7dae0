#include "trust/odrl.h"

#include <stdio.h>

/* ---- small pieces */

static void urn(struct jw *w, const char *key, const char *what, Str name) {
    char text[400];
    jw_key(w, key);
    jw_str(w, str_n(text, (size_t)snprintf(text, sizeof text, "urn:weft:%s:" STR_FMT, what,
                                           STR_ARG(str_slice(name, 0, 300)))));
}

static void constraint(struct jw *w, const char *left, const char *op, Str right) {
    jw_object(w);
    jw_kc(w, "leftOperand", left);
    jw_kc(w, "operator", op);
    jw_kstr(w, "rightOperand", right);
    jw_object_end(w);
}

static void constraint_typed(struct jw *w, const char *left, const char *op, const char *type, Str right) {
    jw_object(w);
    jw_kc(w, "leftOperand", left);
    jw_kc(w, "operator", op);
    jw_key(w, "rightOperand");
    jw_object(w);
    jw_kstr(w, "@value", right);
    jw_kc(w, "@type", type);
    jw_object_end(w);
    jw_object_end(w);
}

static void constraint_any(struct jw *w, const char *left, const Str *names, size_t n) {
    jw_object(w);
    jw_kc(w, "leftOperand", left);
    jw_kc(w, "operator", "isAnyOf");
    jw_key(w, "rightOperand");
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, names[i]);
    jw_array_end(w);
    jw_object_end(w);
}

/* ---- targets */

static const char *odrl_op(Str op) {
    static const struct {
        const char *ours, *theirs;
    } ops[] = {{"eq", "eq"}, {"ne", "neq"}, {"lt", "lt"}, {"le", "lteq"}, {"gt", "gt"}, {"ge", "gteq"}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_eq_c(op, ops[i].ours)) return ops[i].theirs;
    return "eq";
}

static void target_documents(struct jw *w, const struct terms_type *t) {
    char left[400];
    jw_key(w, "target");
    jw_object(w);
    jw_kc(w, "@type", "AssetCollection");
    urn(w, "source", "documents", t->type);
    jw_key(w, "refinement");
    jw_array(w);
    constraint_any(w, ODRL_PROFILE ":field", t->fields, t->n_fields);
    for (size_t i = 0; i < t->n_rows; i++) {
        snprintf(left, sizeof left, ODRL_PROFILE ":field:" STR_FMT, STR_ARG(t->rows[i].field));
        constraint(w, left, odrl_op(t->rows[i].op), t->rows[i].value);
    }
    jw_array_end(w);
    jw_object_end(w);
}

static void target_series(struct jw *w, const struct terms_series *s) {
    jw_key(w, "target");
    jw_object(w);
    jw_kc(w, "@type", "AssetCollection");
    urn(w, "source", "series", s->model.len ? s->model : STR("all"));
    jw_key(w, "refinement");
    jw_array(w);
    if (s->things) constraint_any(w, ODRL_PROFILE ":thing", s->things, s->n_things);
    if (!s->every_metric) constraint_any(w, ODRL_PROFILE ":metric", s->metrics, s->n_metrics);
    jw_array_end(w);
    jw_object_end(w);
}

/* ---- rules */

static void duties(struct jw *w, const struct terms *terms) {
    jw_key(w, "duty");
    jw_array(w);
    jw_object(w);
    jw_kc(w, "action", "acceptTracking"); /* every read is in the owner's log */
    jw_object_end(w);
    if (terms->confidentiality.len > 0) {
        jw_object(w);
        jw_kc(w, "action", "reviewPolicy"); /* confidentiality terms are accepted before access */
        jw_key(w, "constraint");
        jw_array(w);
        constraint(w, ODRL_PROFILE ":confidentiality", "eq", terms->confidentiality);
        jw_array_end(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void open_constraints(struct jw *w, const struct terms *terms) {
    char text[TIME_TEXT_MAX];
    jw_key(w, "constraint");
    jw_array(w);
    constraint(w, "purpose", "eq", terms->purpose);
    if (terms->from != INT64_MIN)
        constraint_typed(w, "dateTime", "gteq", "xsd:dateTime", time_format(terms->from, text));
    if (terms->to != INT64_MAX) constraint_typed(w, "dateTime", "lt", "xsd:dateTime", time_format(terms->to, text));
}

static void permit_documents(struct jw *w, const struct terms *terms, const struct terms_type *t) {
    char group[24];
    jw_object(w);
    target_documents(w, t);
    jw_kc(w, "action", t->aggregates ? "aggregate" : "read");
    open_constraints(w, terms);
    Str size = str_n(group, (size_t)snprintf(group, sizeof group, "%u", terms->min_group));
    if (terms->min_group > 0) constraint_typed(w, ODRL_PROFILE ":minGroup", "gteq", "xsd:integer", size);
    jw_array_end(w);
    duties(w, terms);
    jw_object_end(w);
}

static void permit_series(struct jw *w, const struct terms *terms, const struct terms_series *s) {
    jw_object(w);
    target_series(w, s);
    jw_kc(w, "action", "read");
    open_constraints(w, terms);
    if (s->resolution != TERMS_RAW) constraint_typed(w, "resolution", "gteq", "xsd:duration", STR("PT1H"));
    if (s->resolution == TERMS_INDEX) constraint(w, ODRL_PROFILE ":level", "eq", STR("index"));
    jw_array_end(w);
    duties(w, terms);
    jw_object_end(w);
}

static void forbid_onward(struct jw *w, Str number) {
    jw_key(w, "prohibition");
    jw_array(w);
    jw_object(w);
    urn(w, "target", "agreement-assets", number);
    jw_kc(w, "action", "distribute");
    jw_object_end(w);
    jw_array_end(w);
}

void odrl_write(const struct agreement *a, const struct terms *terms, Str owner, Str receiver, struct jw *w) {
    bool both = a->agreed[AGREEMENT_OWNER].at && a->agreed[AGREEMENT_RECEIVER].at;
    jw_object(w);
    jw_kc(w, "@context", "http://www.w3.org/ns/odrl.jsonld");
    jw_kc(w, "@type", both || a->by_law ? "Agreement" : "Offer");
    urn(w, "uid", "agreement", a->number);
    jw_kc(w, "profile", ODRL_PROFILE);
    urn(w, "assigner", "party", owner);
    urn(w, "assignee", "party", receiver);
    jw_key(w, "permission");
    jw_array(w);
    for (size_t i = 0; i < terms->n_types; i++) permit_documents(w, terms, &terms->types[i]);
    for (size_t i = 0; i < terms->n_series; i++) permit_series(w, terms, &terms->series[i]);
    jw_array_end(w);
    if (!terms->onward) forbid_onward(w, a->number);
    jw_object_end(w);
}
