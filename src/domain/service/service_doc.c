#include "domain/service/service_doc.h"

#include <math.h>

#include "trust/gate.h"

const struct doctype *service_doc_type(const struct service *s, const char *name) {
    const struct doctype *type = documents_type(s->options.documents, str_c(name));
    ASSERT(type); /* built in: cannot be removed */
    return type;
}

Str service_doc_text(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_STRING ? v.s : STR("");
}

int64_t service_doc_int(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_INT ? v.i : 0;
}

double service_doc_num(const struct doc *doc, const char *field) { return value_as_num(doctype_get(doc, field)); }

bool service_doc_flag(const struct doc *doc, const char *field) {
    Value v = doctype_get(doc, field);
    return v.kind == VALUE_BOOL && v.b;
}

bool service_doc_has(const struct doc *doc, const char *field) { return doctype_get(doc, field).kind != VALUE_NONE; }

static void put(struct service_sets *sets, const char *field, Value value) {
    ASSERT(sets->n < SERVICE_DOC_SETS_MAX);
    sets->set[sets->n++] = (struct doc_set){field, value};
}

void service_doc_put_text(struct service_sets *sets, const char *field, Str text) {
    if (text.len) put(sets, field, VALUE_S(text));
}

void service_doc_put_int(struct service_sets *sets, const char *field, int64_t value) {
    if (value != 0) put(sets, field, VALUE_I(value));
}

void service_doc_put_count(struct service_sets *sets, const char *field, int64_t value) {
    put(sets, field, VALUE_I(value));
}

void service_doc_put_nothing(struct service_sets *sets, const char *field) {
    put(sets, field, (Value){.kind = VALUE_NONE});
}

void service_doc_put_num(struct service_sets *sets, const char *field, double value) {
    if (isfinite(value)) put(sets, field, VALUE_F(value));
}

void service_doc_put_flag(struct service_sets *sets, const char *field, bool value) {
    put(sets, field, VALUE_B(value));
}

Err service_doc_lens(PartyId party, const struct doctype *type, struct lens *out) {
    if (party == 0) *out = gate_lens_system("service timers: promises and predictions of every party");
    if (party == 0) return err_none();
    struct principal who = principal_system(party, "service");
    return gate_lens(&who, type, "service", out);
}

Err service_doc_get(struct service *s, PartyId party, const struct doctype *type, int64_t id, struct arena *arena,
                    struct doc **out) {
    struct lens lens;
    TRY(service_doc_lens(party, type, &lens));
    return documents_get(s->options.documents, &lens, type, id, arena, out);
}

Err service_doc_find(struct service *s, PartyId party, const struct doctype *type, const struct doc_filter *filters,
                     size_t n_filters, const char *sort, size_t limit, struct arena *arena, struct doc_page *out) {
    struct lens lens;
    TRY(service_doc_lens(party, type, &lens));
    struct doc_query query = {.filters = filters, .n_filters = n_filters, .sort = sort, .limit = limit ? limit : 1000};
    return documents_list(s->options.documents, &lens, type, &query, arena, out);
}

Err service_doc_create(struct service *s, PartyId party, const struct doctype *type, const struct service_sets *sets,
                       struct arena *arena, struct doc **out) {
    struct principal who = principal_system(party, "service");
    struct doc_change change = {.set = sets->set, .n = sets->n};
    return documents_create(s->options.documents, &who, type, &change, arena, out);
}

Err service_doc_change(struct service *s, struct doc **doc, const struct service_sets *sets, bool if_same,
                       struct arena *arena) {
    if (sets->n == 0) return err_none();
    struct principal who = principal_system((*doc)->party, "service");
    struct doc_change change = {.set = sets->set, .n = sets->n, .if_version = if_same ? (*doc)->version : 0};
    return documents_change(s->options.documents, &who, (*doc)->type, (*doc)->id, &change, arena, doc);
}

Err service_doc_move(struct service *s, struct doc **doc, const char *transition, const struct service_sets *sets,
                     struct arena *arena) {
    struct principal who = principal_system((*doc)->party, "service");
    struct doc_change change = {.set = sets ? sets->set : NULL, .n = sets ? sets->n : 0};
    return documents_transition(s->options.documents, &who, (*doc)->type, (*doc)->id, str_c(transition), &change, arena,
                                doc);
}

bool service_doc_really_happened(const struct service *s, const struct doc *maintenance) {
    return !s->options.replay || str_eq_c(maintenance->created_by, SERVICE_RECORDING);
}
