/* Agreements: proposing, negotiating, what would be given, and the owner's log of what was read. */
#include "trust/agreements.h"

#include "document/documents.h"
#include "insight/view.h"
#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/consent.h"
#include "trust/gate.h"
#include "trust/odrl.h"
#include "trust/people.h"

enum { SAMPLE_DOCS = 3, SAMPLE_THINGS = 5 };

static Err find_all(const struct api_call *call, struct agreements **out) {
    *out = call->serve->options.agreements;
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "this server keeps no agreements");
}

static Err find_one(struct api_call *call, struct agreements **all, struct agreement *out) {
    TRY(find_all(call, all));
    return agreements_find(*all, &call->who, call->segments[0], call->arena, out);
}

/* ---- writing */

static Str party_name(const struct api_call *call, PartyId party) {
    Str name = {0};
    people_party_name(call->serve->options.people, party, call->arena, &name);
    return name;
}

static void write_party(const struct api_call *call, struct jw *w, const char *key, PartyId party) {
    jw_key(w, key);
    jw_object(w);
    jw_kint(w, "id", party);
    jw_kstr(w, "name", party_name(call, party));
    jw_object_end(w);
}

static void write_assent(struct jw *w, const char *key, const struct agreement_assent *assent) {
    jw_key(w, key);
    if (assent->at == 0) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_kstr(w, "who", assent->who);
    jw_ktime(w, "at", assent->at);
    jw_object_end(w);
}

static void write_can(const struct api_call *call, const struct agreement *a, struct jw *w) {
    jw_key(w, "can");
    jw_array(w);
    const char *const *can = agreements_step_can(call->serve->options.agreements, &call->who, a, call->arena);
    for (; *can; can++) jw_c(w, *can);
    jw_array_end(w);
}

static void write_members(const struct api_call *call, const struct agreement *a, struct jw *w) {
    jw_kint(w, "id", a->id);
    jw_kstr(w, "number", a->number);
    jw_kc(w, "state", agreements_state_name(a->state));
    write_party(call, w, "owner", a->owner);
    write_party(call, w, "receiver", a->receiver);
    jw_kc(w, "side", call->who.party == a->owner ? "given" : "received");
    jw_kstr(w, "title", a->title);
    jw_key(w, "terms");
    jw_raw(w, a->terms);
    jw_kint(w, "version", a->version);
    write_party(call, w, "proposed_by", a->proposed_by);
    jw_key(w, "agreed");
    jw_object(w);
    write_assent(w, "owner", &a->agreed[AGREEMENT_OWNER]);
    write_assent(w, "receiver", &a->agreed[AGREEMENT_RECEIVER]);
    jw_object_end(w);
    write_assent(w, "confidentiality_accepted", &a->confidential);
    jw_kc(w, "basis", a->by_law ? "law" : "consent");
    jw_key(w, "legal_reference");
    if (a->by_law)
        jw_str(w, a->legal_reference);
    else
        jw_null(w);
    jw_kstr(w, "reason", a->reason);
    jw_kc(w, "dsp", agreements_dsp(a));
    jw_ktime(w, "created", a->created);
    jw_ktime(w, "changed", a->changed);
    write_can(call, a, w);
}

static void write_versions(const struct api_call *call, const struct agreement_version *versions, size_t n,
                           struct jw *w) {
    jw_key(w, "versions");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kint(w, "version", versions[i].version);
        jw_ktime(w, "at", versions[i].at);
        jw_kstr(w, "who", versions[i].who);
        write_party(call, w, "by", versions[i].by);
        jw_key(w, "terms");
        jw_raw(w, versions[i].terms);
        jw_kstr(w, "reason", versions[i].reason);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static Err write_one(struct api_call *call, struct agreements *all, const struct agreement *a) {
    struct agreement_version *versions;
    size_t n;
    TRY(agreements_versions(all, &call->who, a->id, call->arena, &versions, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    write_members(call, a, w);
    write_versions(call, versions, n, w);
    jw_object_end(w);
    return err_none();
}

/* ---- reading */

static bool wanted(const struct api_call *call, const struct agreement *a) {
    Str state = api_query(call, "state"), side = api_query(call, "side");
    if (state.len > 0 && !str_eq_c(state, agreements_state_name(a->state))) return false;
    return side.len == 0 || str_eq_c(side, "given") == (a->owner == call->who.party);
}

static Err list_agreements(struct api_call *call) {
    struct agreements *all;
    struct agreement *list;
    enum agreement_state state;
    size_t n;
    Str side = api_query(call, "side");
    TRY(find_all(call, &all));
    if (api_query(call, "state").len > 0 && !agreements_state_parse(api_query(call, "state"), &state))
        return err_make(ERR_INVALID, "query parameter 'state' is one of proposed, negotiating, agreed, active, "
                                     "suspended, ended");
    if (side.len > 0 && !str_eq_c(side, "given") && !str_eq_c(side, "received"))
        return err_make(ERR_INVALID, "query parameter 'side' is given or received");
    TRY(agreements_list(all, &call->who, call->arena, &list, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        if (!wanted(call, &list[i])) continue;
        jw_object(w);
        write_members(call, &list[i], w);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err get_agreement(struct api_call *call) {
    struct agreements *all;
    struct agreement a;
    TRY(find_one(call, &all, &a));
    return write_one(call, all, &a);
}

static Err list_templates(struct api_call *call) {
    struct agreements *all;
    TRY(find_all(call, &all));
    const struct terms_world *world = agreements_world(all);
    const struct catalog *catalog = world->catalog(world->ctx);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < catalog->n_templates; i++) {
        const struct agreement_template *t = &catalog->templates[i];
        jw_object(w);
        jw_kc(w, "name", t->name);
        jw_kc(w, "title_en", t->title_en);
        jw_kc(w, "title_zh", t->title_zh);
        jw_kc(w, "pack", t->pack);
        jw_kc(w, "purpose_en", t->purpose_en);
        jw_kc(w, "purpose_zh", t->purpose_zh);
        jw_key(w, "terms");
        jw_raw(w, str_c(t->terms));
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- changing */

/* A side of the offer: a party's name or id. Absent: the caller's own. */
static Err read_side(const struct api_call *call, const char *name, PartyId *out) {
    const struct json *v = json_get(call->body, name);
    *out = call->who.party;
    if (!v || json_kind(v) == JSON_NULL) return err_none();
    if (json_kind(v) == JSON_INT && json_int(v) > 0 && json_int(v) <= UINT32_MAX) {
        *out = (PartyId)json_int(v);
        if (party_name(call, *out).len > 0) return err_none();
        return err_make(ERR_NOT_FOUND, "no party %u: GET /api/v1/parties lists them", *out);
    }
    if (json_kind(v) != JSON_STRING || json_str(v).len == 0)
        return err_make(ERR_INVALID, "'%s' is a party's name or id", name);
    return people_find_party(call->serve->options.people, json_str(v), out);
}

static Err template_terms(const struct api_call *call, struct agreements *all, struct json **out) {
    const struct terms_world *world = agreements_world(all);
    const struct catalog *catalog = world->catalog(world->ctx);
    Str name;
    TRY(api_text(call, "template", NULL, &name));
    for (size_t i = 0; i < catalog->n_templates; i++)
        if (str_eq_c(name, catalog->templates[i].name)) return json_parse(str_c(catalog->templates[i].terms), out);
    return err_make(ERR_NOT_FOUND, "no template '%.60s': GET /api/v1/agreements/templates lists them", name.ptr);
}

static Err propose(struct api_call *call) {
    struct agreements *all;
    struct agreement made;
    struct agreement_offer offer = {0};
    struct json *from_template = NULL;
    TRY(find_all(call, &all));
    TRY(api_need_body(call));
    TRY(read_side(call, "owner", &offer.owner));
    TRY(read_side(call, "receiver", &offer.receiver));
    TRY(api_text(call, "title", NULL, &offer.title));
    TRY(api_text(call, "legal_reference", "", &offer.legal_reference));
    offer.terms = json_get(call->body, "terms");
    if (!offer.terms) TRY(template_terms(call, all, &from_template));
    if (from_template) offer.terms = from_template;
    Err err = agreements_step_propose(all, &call->who, &offer, call->arena, &made);
    json_free(from_template);
    TRY(err);
    http_response_header(call->response, "Location",
                         arena_printf(call->arena, "/api/v1/agreements/%lld", (long long)made.id));
    return write_one(call, all, &made);
}

static Err take_step(struct api_call *call) {
    struct agreements *all;
    struct agreement a;
    struct agreement_step step = {.name = call->segments[1]};
    TRY(find_one(call, &all, &a));
    if (call->body) {
        TRY(api_text(call, "reason", "", &step.reason));
        step.terms = json_get(call->body, "terms");
        step.version = json_get_int(call->body, "version", 0);
    }
    TRY(agreements_step(all, &call->who, a.id, &step, call->arena, &a));
    return write_one(call, all, &a);
}

/* ---- what would be given: the very lens of the receiver, shown to the owner */

static void write_field(struct jw *w, const char *name, const char *en, const char *zh, enum reveals reveals,
                        const char *share) {
    static const char *const words[] = {"nothing", "person", "customer", "price", "output"};
    jw_object(w);
    jw_kc(w, "name", name);
    jw_kc(w, "title_en", en);
    jw_kc(w, "title_zh", zh);
    jw_kc(w, "reveals", reveals == REVEALS_NOTHING ? NULL : words[reveals]);
    jw_kc(w, "share", share);
    jw_object_end(w);
}

static const char *share_name(const struct field *f) { return f->share == SHARE_PUBLIC ? "public" : "partners"; }

static void write_line_fields(struct api_call *call, struct jw *w, const struct field *f, uint64_t mask) {
    for (size_t i = 0; f->lines && i < f->lines->n_fields; i++) {
        const struct field *part = &f->lines->fields[i];
        if (!(mask >> i & 1) || part->hidden) continue;
        write_field(w, arena_printf(call->arena, "%s.%s", f->name, part->name).ptr, part->title_en, part->title_zh,
                    consent_reveals(part), share_name(part));
    }
}

static void write_fields(struct api_call *call, struct jw *w, const struct doctype *type, const struct lens *lens) {
    unsigned k = 0;
    jw_key(w, "fields");
    jw_array(w);
    for (const struct terms_mask_base_column *b = terms_mask_base; b->name; b++)
        if (!(lens->base_hidden >> b->column & 1))
            write_field(w, b->name, b->title_en, b->title_zh,
                        str_eq_c(str_c(b->name), "created_by") ? REVEALS_PERSON : REVEALS_NOTHING, "partners");
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        bool lines = f->kind == FIELD_LINES, shown = (lens->fields >> i & 1) && !f->hidden;
        if (shown && !lines) write_field(w, f->name, f->title_en, f->title_zh, consent_reveals(f), share_name(f));
        if (shown && lines && k < DOCTYPE_LINES_MAX) write_line_fields(call, w, f, lens->lines[k]);
        k += lines;
    }
    jw_array_end(w);
}

static Err write_type(struct api_call *call, struct agreements *all, const struct agreement *a, Str name,
                      struct jw *w) {
    struct documents *d = call->serve->options.documents;
    const struct doctype *type = documents_type(d, name);
    struct lens lens;
    struct doc_page page = {0};
    if (!type) return err_none(); /* its pack was removed: nothing is given of it */
    TRY(gate_lens_preview(all, &call->who, a->id, type, call->arena, &lens));
    const struct doc_query some = {.limit = SAMPLE_DOCS};
    if (!lens.aggregates) TRY(documents_list(d, &lens, type, &some, call->arena, &page));
    jw_object(w);
    jw_kc(w, "type", type->name);
    jw_kc(w, "title_en", type->title_en);
    jw_kc(w, "title_zh", type->title_zh);
    write_fields(call, w, type, &lens);
    jw_kbool(w, "aggregates", lens.aggregates);
    jw_key(w, "rows");
    if (lens.aggregates)
        jw_null(w);
    else
        jw_int(w, (int64_t)page.total);
    jw_key(w, "sample");
    jw_array(w);
    for (size_t i = 0; i < page.n; i++) documents_json(d, page.docs[i], &lens, NULL, w);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err write_series(struct api_call *call, const struct lens *lens, size_t grant, const struct terms_series *s,
                        struct jw *w) {
    static const char *const names[] = {[TERMS_RAW] = "raw", [TERMS_HOURLY] = "hourly", [TERMS_INDEX] = "index"};
    struct view_thing *things;
    size_t n;
    struct lens one = gate_lens_grant(lens, grant);
    TRY(view_fleet(call->serve->options.view, &one, (Str){0}, call->arena, &things, &n));
    jw_object(w);
    jw_kc(w, "model", lens->grants[grant].model);
    jw_kc(w, "resolution", names[s->resolution]);
    jw_key(w, "metrics");
    if (s->every_metric) {
        jw_null(w);
    } else {
        jw_array(w);
        for (size_t i = 0; i < s->n_metrics; i++) jw_str(w, s->metrics[i]);
        jw_array_end(w);
    }
    jw_kint(w, "things", (int64_t)n);
    jw_key(w, "sample");
    jw_array(w);
    for (size_t i = 0; i < n && i < SAMPLE_THINGS; i++) jw_str(w, things[i].row.name);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err write_all_series(struct api_call *call, struct agreements *all, const struct agreement *a,
                            const struct terms *terms, struct jw *w) {
    struct lens lens;
    if (terms->n_series == 0) return err_none();
    TRY(gate_lens_preview(all, &call->who, a->id, NULL, call->arena, &lens));
    for (size_t i = 0; i < terms->n_series; i++) TRY(write_series(call, &lens, i, &terms->series[i], w));
    return err_none();
}

static void write_warnings(struct api_call *call, const struct terms *terms, const struct terms_world *world,
                           struct jw *w) {
    struct consent_warning *warnings;
    size_t n;
    consent_warnings(terms, world, call->arena, &warnings, &n);
    jw_key(w, "warnings");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kc(w, "severity", consent_severity_name(warnings[i].severity));
        jw_kstr(w, "text_en", warnings[i].text_en);
        jw_kstr(w, "text_zh", warnings[i].text_zh);
        jw_key(w, "fields");
        jw_array(w);
        for (size_t k = 0; k < warnings[i].n_fields; k++) jw_str(w, warnings[i].fields[k]);
        jw_array_end(w);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static Err preview(struct api_call *call) {
    struct agreements *all;
    struct agreement a;
    struct terms terms;
    TRY(find_one(call, &all, &a));
    if (a.owner != call->who.party)
        return err_make(ERR_FORBIDDEN, "only the owner sees what would be given: ask %.60s",
                        party_name(call, a.owner).ptr);
    TRY(terms_parse_text(a.terms, call->arena, &terms));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "types");
    jw_array(w);
    for (size_t i = 0; i < terms.n_types; i++) TRY(write_type(call, all, &a, terms.types[i].type, w));
    jw_array_end(w);
    jw_key(w, "series");
    jw_array(w);
    TRY(write_all_series(call, all, &a, &terms, w));
    jw_array_end(w);
    write_warnings(call, &terms, agreements_world(all), w);
    jw_object_end(w);
    return err_none();
}

static Err get_odrl(struct api_call *call) {
    struct agreements *all;
    struct agreement a;
    struct terms terms;
    TRY(find_one(call, &all, &a));
    TRY(terms_parse_text(a.terms, call->arena, &terms));
    struct jw *w = api_json(call);
    call->response->content_type = "application/ld+json";
    odrl_write(&a, &terms, party_name(call, a.owner), party_name(call, a.receiver), w);
    return err_none();
}

static const struct route_param list_params[] = {
    {"state", ROUTE_TEXT, false, "proposed, negotiating, agreed, active, suspended or ended"},
    {"side", ROUTE_TEXT, false, "given: we are the owner; received: another party gives to us"},
    {.name = NULL},
};

const struct route api_agreements_routes[] = {
    {HTTP_GET, "/api/v1/agreements", "listAgreements", "agreements", "Agreements that the party is a side of",
     ROLE_PEOPLE, list_params, NULL, "AgreementList", 0, 0, 0, list_agreements},
    {HTTP_GET, "/api/v1/agreements/templates", "listAgreementTemplates", "agreements",
     "What is usually given in a business like this", ROLE_PEOPLE, NULL, NULL, "Any", 0, 0, 0, list_templates},
    {HTTP_POST, "/api/v1/agreements", "propose", "agreements", "Propose an agreement; the other side is told",
     ROLE_STAFF, NULL, "AgreementNew", "Agreement", 201, 0, 0, propose},
    {HTTP_GET, "/api/v1/agreements/{id}", "getAgreement", "agreements", "One agreement with all its versions",
     ROLE_PEOPLE, NULL, NULL, "Agreement", 0, 0, 0, get_agreement},
    {HTTP_GET, "/api/v1/agreements/{id}/preview", "previewAgreement", "agreements",
     "For the owner: exactly what the receiver sees, and what it may tell", ROLE_STAFF, NULL, NULL, "AgreementPreview",
     0, 0, 0, preview},
    {HTTP_GET, "/api/v1/agreements/{id}/odrl", "getAgreementOdrl", "agreements", "As an ODRL 2.2 policy", ROLE_PEOPLE,
     NULL, NULL, "Any", 0, 0, 0, get_odrl},
    {HTTP_POST, "/api/v1/agreements/{id}/{step}", "stepAgreement", "agreements",
     "accept, counter, withdraw, accept_confidentiality, suspend, resume, end", ROLE_PEOPLE, NULL, "AgreementStep",
     "Agreement", 0, 0, 0, take_step},
    {.handler = NULL},
};
