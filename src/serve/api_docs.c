/*
 * Documents of every type, from the table of types alone: a new type needs nothing here.
 * The address may name a document by its id (17) or its number (WO-000017).
 */
#include "document/documents.h"
#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/gate.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000 };

static struct documents *documents(const struct api_call *call) { return call->serve->options.documents; }

/* ---- what the address names */

static Err find_type(const struct api_call *call, const struct doctype **type) {
    *type = documents_type(documents(call), call->segments[0]);
    if (*type) return err_none();
    return err_make(ERR_NOT_FOUND, "no document type '%.60s': GET /api/v1/docs lists them", call->segments[0].ptr);
}

static Err find_doc(struct api_call *call, const struct doctype *type, const struct lens *lens, struct doc **out) {
    int64_t id;
    if (str_to_i64(call->segments[1], &id)) return documents_get(documents(call), lens, type, id, call->arena, out);
    return documents_by_number(documents(call), lens, type, call->segments[1], call->arena, out);
}

static Err find(struct api_call *call, const struct doctype **type, struct lens *lens, struct doc **doc) {
    TRY(find_type(call, type));
    TRY(gate_lens(&call->who, *type, "api", lens));
    return find_doc(call, *type, lens, doc);
}

/* ---- answers */

static void write_doc(struct api_call *call, const struct doc *doc, const struct lens *lens) {
    http_response_header(call->response, "ETag", arena_printf(call->arena, "\"%lld\"", (long long)doc->version));
    call->response->keep_plain = true; /* the tag stands for these very bytes */
    documents_json(documents(call), doc, lens, &call->who, api_json(call));
}

static Err list_types(struct api_call *call) {
    const struct doctype *const *types = documents_types(documents(call));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (; *types; types++)
        if (principal_may(&call->who, (*types)->read_roles)) documents_type_json(*types, w);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- lists and counts */

static bool is_reserved(const struct api_call *call, Str name) {
    for (const struct route_param *p = call->route->params; p->name; p++)
        if (str_eq_c(name, p->name)) return true;
    return false;
}

static Err read_filters(struct api_call *call, const struct doctype *type, struct doc_query *query) {
    const struct http_request *request = call->request;
    struct doc_filter *filters = arena_zero(call->arena, request->n_params + 1, sizeof *filters);
    query->filters = filters;
    for (size_t i = 0; i < request->n_params; i++) {
        const struct http_pair *param = &request->params[i];
        if (is_reserved(call, param->name)) continue;
        TRY(documents_parse_filter(type, param->name, param->value, call->arena, &filters[query->n_filters++]));
    }
    return err_none();
}

static void write_page(struct api_call *call, const struct doc_page *page, const struct lens *lens) {
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < page->n; i++) documents_json(documents(call), page->docs[i], lens, &call->who, w);
    jw_array_end(w);
    jw_kint(w, "total", (int64_t)page->total);
    jw_key(w, "next");
    if (page->next.len > 0)
        jw_str(w, page->next);
    else
        jw_null(w);
    jw_object_end(w);
}

static void write_key(struct jw *w, Value key) {
    switch (key.kind) {
    case VALUE_INT: jw_int(w, key.i); break;
    case VALUE_FLOAT: jw_num(w, key.f); break;
    case VALUE_BOOL: jw_bool(w, key.b); break;
    case VALUE_STRING: jw_str(w, key.s); break;
    case VALUE_NONE: jw_null(w); break;
    }
}

static Err write_counts(struct api_call *call, const struct doctype *type, const struct lens *lens,
                        const struct doc_query *query, Str by) {
    struct doc_count *counts;
    size_t n;
    TRY(documents_count(documents(call), lens, type, query, arena_c(call->arena, by), call->arena, &counts, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "counts");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_key(w, "key");
        write_key(w, counts[i].key);
        jw_kint(w, "count", (int64_t)counts[i].count);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err list_docs(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc_page page;
    TRY(find_type(call, &type));
    TRY(gate_lens(&call->who, type, "api", &lens));
    Str sort = api_query(call, "sort"), by = api_query(call, "count");
    struct doc_query query = {.sort = sort.len ? arena_c(call->arena, sort) : NULL,
                              .limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX),
                              .cursor = api_query(call, "cursor")};
    TRY(read_filters(call, type, &query));
    if (by.len > 0) return write_counts(call, type, &lens, &query, by);
    TRY(documents_list(documents(call), &lens, type, &query, call->arena, &page));
    write_page(call, &page, &lens);
    return err_none();
}

/* ---- one document */

static Err get_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    TRY(find(call, &type, &lens, &doc));
    Str tag = arena_printf(call->arena, "\"%lld\"", (long long)doc->version);
    if (http_text_etag_in(http_header(call->request, "If-None-Match"), tag, false)) {
        http_response_header(call->response, "ETag", tag);
        call->response->status = 304;
        return err_none();
    }
    write_doc(call, doc, &lens);
    return err_none();
}

/* If-Match: one of our tags, or "*" for whatever stands. */
static Err read_version(const struct api_call *call, int64_t *version) {
    Str header = str_trim(http_header(call->request, "If-Match"));
    *version = 0;
    if (header.len == 0 || str_eq_c(header, "*")) return err_none();
    bool quoted = header.len > 2 && header.ptr[0] == '"' && header.ptr[header.len - 1] == '"';
    if (quoted && str_to_i64(str_slice(header, 1, header.len - 1), version) && *version > 0) return err_none();
    return err_make(ERR_PRECONDITION, "If-Match is no tag of this document: send the ETag it was read with");
}

static Err create_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    TRY(find_type(call, &type));
    TRY(api_need_body(call));
    TRY(gate_lens(&call->who, type, "api", &lens));
    struct doc_change change = {.json = call->body};
    TRY(documents_create(documents(call), &call->who, type, &change, call->arena, &doc));
    http_response_header(call->response, "Location",
                         arena_printf(call->arena, "/api/v1/docs/%s/%lld", type->name, (long long)doc->id));
    write_doc(call, doc, &lens);
    return err_none();
}

static Err change_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_change change = {.json = call->body};
    TRY(api_need_body(call));
    TRY(read_version(call, &change.if_version));
    TRY(find(call, &type, &lens, &doc));
    TRY(documents_change(documents(call), &call->who, type, doc->id, &change, call->arena, &doc));
    write_doc(call, doc, &lens);
    return err_none();
}

static Err move_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_change change = {.json = call->body};
    TRY(read_version(call, &change.if_version));
    TRY(find(call, &type, &lens, &doc));
    if (!doctype_transition(type, call->segments[2]))
        return err_make(ERR_NOT_FOUND, "a %s has no step '%.60s': its type at /api/v1/docs lists them", type->name,
                        call->segments[2].ptr);
    TRY(documents_transition(documents(call), &call->who, type, doc->id, call->segments[2], &change, call->arena,
                             &doc));
    write_doc(call, doc, &lens);
    return err_none();
}

static const struct route_param list_params[] = {
    {"sort", ROUTE_TEXT, false, "a field, state, number, id, created or changed; -FIELD is newest or largest first"},
    {"limit", ROUTE_INT, false, "documents in one answer; 50, at most 1000"},
    {"cursor", ROUTE_TEXT, false, "`next` of the answer before"},
    {"count", ROUTE_TEXT, false, "counts by the values of this field (or state) instead of a list"},
    {.name = NULL},
};

const struct route api_docs_routes[] = {
    {HTTP_GET, "/api/v1/docs", "listTypes", "documents", "The document types, for consoles", ROLE_PEOPLE, NULL, NULL,
     "TypeList", 0, 0, 0, list_types},
    {HTTP_GET, "/api/v1/docs/{type}", "list", "documents", "List or count", ROLE_PEOPLE, list_params, NULL, "Page", 0,
     ROUTE_PER_TYPE | ROUTE_ANY_PARAMS, 0, list_docs},
    {HTTP_POST, "/api/v1/docs/{type}", "create", "documents", "Make", ROLE_PEOPLE, NULL, "Change", "Document", 201,
     ROUTE_PER_TYPE, 0, create_doc},
    {HTTP_GET, "/api/v1/docs/{type}/{id}", "get", "documents", "Read, by id or number", ROLE_PEOPLE, NULL, NULL,
     "Document", 0, ROUTE_PER_TYPE, 0, get_doc},
    {HTTP_PATCH, "/api/v1/docs/{type}/{id}", "change", "documents", "Change fields; If-Match guards", ROLE_PEOPLE, NULL,
     "Change", "Document", 0, ROUTE_PER_TYPE, 0, change_doc},
    {HTTP_POST, "/api/v1/docs/{type}/{id}/{transition}", "move", "documents", "Move to another state", ROLE_PEOPLE,
     NULL, "Change", "Document", 0, ROUTE_PER_TYPE, 0, move_doc},
    {.handler = NULL},
};
