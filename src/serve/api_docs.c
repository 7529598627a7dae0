/*
 * Documents of every type, from the table of types alone: a new type needs nothing here.
 * The address may name a document by its id (17) or its number (WO-000017).
 */
#include "serve/api_doc.h"
#include "trust/gate.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000 };

static struct documents *documents(const struct api_call *call) { return api_doc_engine(call); }

/* ---- answers */

static void write_doc(struct api_call *call, const struct doc *doc, const struct lens *lens) {
    const struct principal *steps = lens->agreement ? NULL : &call->who; /* under one, nothing is changed */
    if (!lens->agreement) { /* a change of what is not given would show in the tag */
        http_response_header(call->response, "ETag", arena_printf(call->arena, "\"%lld\"", (long long)doc->version));
        call->response->keep_plain = true; /* the tag stands for these very bytes */
    }
    documents_json(documents(call), doc, lens, steps, api_json(call));
}

static Err list_types(struct api_call *call) {
    const struct doctype *const *types = documents_types(documents(call));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (; *types; types++)
        if (principal_may(&call->who, (*types)->read_roles)) documents_type_json(*types, &call->who, w);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- lists and counts */

static bool is_reserved(const struct api_call *call, Str name) {
    for (const struct route_param *p = call->route->params; p->name; p++)
        if (str_eq_c(name, p->name)) return true;
    for (const struct route_param *p = route_shared_params; p->name; p++)
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

static const int64_t *ids_of(const struct api_call *call, const struct doc_page *page) {
    int64_t *ids = arena_zero(call->arena, page->n, sizeof *ids);
    for (size_t i = 0; i < page->n; i++) ids[i] = page->docs[i]->id;
    return ids;
}

static void write_page(struct api_call *call, const struct doc_page *page, const struct lens *lens,
                       const struct api_doc_shape *shape, bool total) {
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    const struct principal *steps = lens->agreement ? NULL : &call->who;
    for (size_t i = 0; i < page->n; i++)
        documents_json_shaped(documents(call), page->docs[i], lens, steps, &shape->shape, call->arena, w);
    jw_array_end(w);
    api_write_agreement(call, lens, w);
    if (total) jw_kint(w, "total", (int64_t)page->total);
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
    TRY(api_disclose_what(call, lens, type, type->name, arena_printf(call->arena, "count by " STR_FMT, STR_ARG(by)),
                          n));
    struct jw *w = api_json(call);
    jw_object(w);
    api_write_agreement(call, lens, w);
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

/* ---- groups */

struct asked_groups {
    const char **by;
    size_t n_by;
    struct doc_measure *measures;
    size_t n_measures;
};

static Err read_measure(struct api_call *call, Str text, struct doc_measure *out) {
    static const char *const names[] = {
        [DOC_COUNT] = "count", [DOC_SUM] = "sum", [DOC_MIN] = "min", [DOC_MAX] = "max", [DOC_AVG] = "avg"};
    Str what, field;
    str_cut(text, ':', &what, &field);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (!str_eq_c(what, names[i]) || (i == DOC_COUNT) != (field.len == 0)) continue;
        *out = (struct doc_measure){.field = field.len ? arena_c(call->arena, field) : NULL};
        out->what = i;
        return err_none();
    }
    return err_make(ERR_INVALID, "no measure '" STR_FMT "': use count, sum:FIELD, min:FIELD, max:FIELD or avg:FIELD",
                    STR_ARG(str_slice(text, 0, 40)));
}

static Err read_groups(struct api_call *call, struct asked_groups *out) {
    Str by = api_query(call, "group"), measures = api_query(call, "measure"), one;
    out->by = arena_zero(call->arena, by.len + 1, sizeof *out->by);
    out->measures = arena_zero(call->arena, measures.len + 1, sizeof *out->measures);
    while (by.len > 0) {
        str_cut(by, ',', &one, &by);
        out->by[out->n_by++] = arena_c(call->arena, str_trim(one));
    }
    while (measures.len > 0) {
        str_cut(measures, ',', &one, &measures);
        TRY(read_measure(call, str_trim(one), &out->measures[out->n_measures++]));
    }
    return err_none();
}

static Err write_groups(struct api_call *call, const struct doctype *type, const struct lens *lens,
                        const struct doc_query *query) {
    struct asked_groups a = {.n_by = 0};
    struct doc_group *groups;
    size_t n, withheld;
    TRY(read_groups(call, &a));
    TRY(documents_group(documents(call), lens, type, query, a.by, a.n_by, a.measures, a.n_measures, call->arena,
                        &groups, &n, &withheld));
    Str what = arena_printf(call->arena, "groups by " STR_FMT " of " STR_FMT, STR_ARG(api_query(call, "group")),
                            STR_ARG(api_query(call, "measure")));
    TRY(api_disclose_what(call, lens, type, type->name, what, n));
    struct jw *w = api_json(call);
    jw_object(w);
    api_write_agreement(call, lens, w);
    jw_key(w, "groups");
    jw_array(w);
    for (size_t i = 0; i < n; i++)
        documents_group_json(documents(call), lens, type, a.by, a.n_by, a.measures, a.n_measures, &groups[i], w);
    jw_array_end(w);
    jw_kint(w, "withheld", (int64_t)withheld);
    jw_object_end(w);
    return err_none();
}

static Err list_docs(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc_page page;
    struct api_doc_shape shape;
    TRY(api_doc_type(call, &type));
    TRY(api_lens(call, type, &lens));
    TRY(api_doc_shape_read(call, type, &lens, &shape));
    Str sort = api_query(call, "sort"), by = api_query(call, "count"), total = api_query(call, "total");
    struct doc_query query = {.sort = sort.len ? arena_c(call->arena, sort) : NULL,
                              .limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX),
                              .cursor = api_query(call, "cursor"),
                              .search = api_query(call, "q"),
                              .no_total = str_eq_c(total, "false"),
                              .fields = shape.shape.none ? UINT64_C(1) << 63 : shape.shape.fields};
    TRY(read_filters(call, type, &query));
    if (by.len > 0) return write_counts(call, type, &lens, &query, by);
    if (api_query(call, "group").len > 0 || api_query(call, "measure").len > 0)
        return write_groups(call, type, &lens, &query);
    TRY(documents_list(documents(call), &lens, type, &query, call->arena, &page));
    TRY(api_disclose(call, &lens, type, ids_of(call, &page), page.n));
    write_page(call, &page, &lens, &shape, !query.no_total);
    return api_doc_shape_disclose(&shape);
}

/* ---- one document */

/* A part of a document, or more than it, has no tag: the tag is of the whole. */
static Err get_shaped(struct api_call *call, const struct doc *doc, const struct lens *lens,
                      struct api_doc_shape *shape) {
    const struct principal *steps = lens->agreement ? NULL : &call->who;
    documents_json_shaped(documents(call), doc, lens, steps, &shape->shape, call->arena, api_json(call));
    return api_doc_shape_disclose(shape);
}

static Err get_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct api_doc_shape shape;
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(api_doc_shape_read(call, type, &lens, &shape));
    Str tag = arena_printf(call->arena, "\"%lld\"", (long long)doc->version);
    TRY(api_disclose(call, &lens, type, &doc->id, 1));
    if (api_query(call, "fields").len > 0 || shape.shape.expand) return get_shaped(call, doc, &lens, &shape);
    if (!lens.agreement && http_text_etag_in(http_header(call->request, "If-None-Match"), tag, false)) {
        http_response_header(call->response, "ETag", tag);
        call->response->status = 304;
        return err_none();
    }
    write_doc(call, doc, &lens);
    return err_none();
}

static Err create_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    TRY(api_doc_type(call, &type));
    TRY(api_need_body(call));
    TRY(api_lens(call, type, &lens));
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
    TRY(api_doc_version(call, &change.if_version));
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(documents_change(documents(call), &call->who, type, doc->id, &change, call->arena, &doc));
    write_doc(call, doc, &lens);
    return err_none();
}

static Err move_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_change change = {.json = call->body};
    TRY(api_doc_version(call, &change.if_version));
    TRY(api_doc_find(call, &type, &lens, &doc));
    if (!doctype_transition(type, call->segments[2]))
        return err_make(ERR_NOT_FOUND, "a %s has no step '%.60s': its type at /api/v1/docs lists them", type->name,
                        call->segments[2].ptr);
    TRY(documents_transition(documents(call), &call->who, type, doc->id, call->segments[2], &change, call->arena,
                             &doc));
    write_doc(call, doc, &lens);
    return err_none();
}

static const struct route_param get_params[] = {
    {"fields", ROUTE_TEXT, false, "only these fields, comma between"},
    {"expand", ROUTE_TEXT, false, "references whose documents are written out, comma between"},
    {.name = NULL},
};

static const struct route_param list_params[] = {
    {"sort", ROUTE_TEXT, false, "a field, state, number, id, created or changed; -FIELD is newest or largest first"},
    {"limit", ROUTE_INT, false, "documents in one answer; 50, at most 1000"},
    {"cursor", ROUTE_TEXT, false, "`next` of the answer before"},
    {"q", ROUTE_TEXT, false, "words that must be in the document"},
    {"fields", ROUTE_TEXT, false, "only these fields, comma between"},
    {"expand", ROUTE_TEXT, false, "references whose documents are written out, comma between"},
    {"total", ROUTE_TEXT, false, "false: do not count all that match"},
    {"group", ROUTE_TEXT, false, "groups by one or two fields instead of a list: state,created:month"},
    {"measure", ROUTE_TEXT, false, "of each group: count, sum:FIELD, min:FIELD, max:FIELD, avg:FIELD"},
    {"count", ROUTE_TEXT, false, "counts by the values of this field (or state) instead of a list"},
    {.name = NULL},
};

const struct route api_docs_routes[] = {
    {HTTP_GET, "/api/v1/docs", "listTypes", "documents", "The document types, for consoles", ROLE_PEOPLE, NULL, NULL,
     "TypeList", 0, 0, 0, list_types},
    {HTTP_GET, "/api/v1/docs/{type}", "list", "documents", "List or count", ROLE_PEOPLE, list_params, NULL, "Page", 0,
     ROUTE_PER_TYPE | ROUTE_ANY_PARAMS | ROUTE_SHARED, 0, list_docs},
    {HTTP_POST, "/api/v1/docs/{type}", "create", "documents", "Make", ROLE_PEOPLE, NULL, "Change", "Document", 201,
     ROUTE_PER_TYPE, 0, create_doc},
    {HTTP_GET, "/api/v1/docs/{type}/{id}", "get", "documents", "Read, by id or number", ROLE_PEOPLE, get_params, NULL,
     "Document", 0, ROUTE_PER_TYPE | ROUTE_SHARED, 0, get_doc},
    {HTTP_PATCH, "/api/v1/docs/{type}/{id}", "change", "documents", "Change fields; If-Match guards", ROLE_PEOPLE, NULL,
     "Change", "Document", 0, ROUTE_PER_TYPE, 0, change_doc},
    {HTTP_POST, "/api/v1/docs/{type}/{id}/{transition}", "move", "documents", "Move to another state", ROLE_PEOPLE,
     NULL, "Change", "Document", 0, ROUTE_PER_TYPE, 0, move_doc},
    {.handler = NULL},
};
