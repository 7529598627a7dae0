#include "serve/api.h"

#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "document/imports.h"
#include "model/gate_rules.h"
#include "serve/console.h"
#include "serve/idempotency.h"
#include "serve/metrics.h"
#include "serve/problem.h"
#include "serve/serve_state.h"
#include "trust/agreements.h"
#include "trust/disclosures.h"
#include "trust/gate.h"
#include "trust/people.h"

#define GROUP(routes) extern const struct route routes[];
#include "serve/api_groups.def"
#undef GROUP

static const struct route *const groups[] = {
#define GROUP(routes) routes,
#include "serve/api_groups.def"
#undef GROUP
};

enum { GROUPS = sizeof groups / sizeof *groups };

/* On every answer. The pages load nothing from elsewhere and are shown in nobody's frame. */
static const struct {
    const char *name, *value;
} common_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy", "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
                                "form-action 'self'; frame-ancestors 'none'"},
};

#define FILE_BODY_TIME (1800 * NANOS_PER_S)

/* ---- finding */

const struct route *api_route(size_t place) {
    for (size_t g = 0; g < GROUPS; g++)
        for (const struct route *r = groups[g]; r->handler; r++)
            if (place-- == 0) return r;
    return NULL;
}

size_t api_place(const struct route *route) {
    size_t place = 0;
    for (size_t g = 0; g < GROUPS; g++)
        for (const struct route *r = groups[g]; r->handler; r++, place++)
            if (r == route) return place;
    err_bug(__FILE__, __LINE__, "a route that no group lists");
}

const struct route *api_find(enum http_method method, Str path) {
    if (method == HTTP_HEAD) method = HTTP_GET;
    for (size_t g = 0; g < GROUPS; g++)
        for (const struct route *r = groups[g]; r->handler; r++)
            if (r->method == method && route_match(r, path, NULL, NULL)) return r;
    return NULL;
}

Str api_allowed(Str path, struct arena *arena) {
    Str list = {0};
    for (size_t g = 0; g < GROUPS; g++)
        for (const struct route *r = groups[g]; r->handler; r++) {
            if (!route_match(r, path, NULL, NULL)) continue;
            list = arena_printf(arena, STR_FMT "%s%s%s", STR_ARG(list), list.len ? ", " : "",
                                http_method_name(r->method), r->method == HTTP_GET ? ", HEAD" : "");
        }
    return list.len ? arena_printf(arena, STR_FMT ", OPTIONS", STR_ARG(list)) : list;
}

static Err identify(struct api_call *call);

/* A large body is kept for whoever may send one; a stranger's goes through memory and is answered 401 or 413. */
static void plan_file(struct serve *serve, const struct http_request *request, struct http_plan *plan) {
    struct api_call call = {.serve = serve,
                            .route = plan->route,
                            .request = (struct http_request *)(uintptr_t)request,
                            .arena = request->arena};
    plan->max_body = 0;
    if (!serve->options.imports || identify(&call).code != ERR_NONE) return;
    plan->max_body = call.route->max_body;
    plan->body_dir = imports_dir(serve->options.imports);
    plan->request_time = FILE_BODY_TIME;
}

void api_plan(void *ctx, const struct http_request *request, struct http_plan *plan) {
    const struct route *route = api_find(request->method, request->path);
    plan->route = route;
    plan->max_body = route ? route->max_body : 0;
    plan->at_once = route ? (route->flags & ROUTE_AT_ONCE) != 0 : true; /* pages and refusals wait for nothing */
    if (route && route->flags & ROUTE_FILE_BODY) plan_file(ctx, request, plan);
}

/* ---- before the handler */

static Err identify(struct api_call *call) {
    struct people *people = call->serve->options.people;
    Str header = http_header(call->request, "Authorization");
    if (header.len > 0) {
        Str scheme, token;
        str_cut(header, ' ', &scheme, &token);
        if (!str_eq_nocase(scheme, STR("Bearer")))
            return err_make(ERR_UNAUTHENTICATED, "only 'Authorization: Bearer TOKEN' is known: ask for a token");
        return people_token_check(people, str_trim(token), &call->who);
    }
    Str session = http_cookie(call->request, "weft_session");
    if (session.len == 0)
        return err_make(ERR_UNAUTHENTICATED, "nobody is signed in: POST /api/v1/session or send a bearer token");
    call->by_cookie = true;
    return people_session(people, session, &call->who);
}

/* Another site can make a browser send our cookie, but not this header. */
static Err check_forgery(const struct api_call *call) {
    enum http_method method = call->request->method;
    bool reads = method == HTTP_GET || method == HTTP_HEAD;
    if (!call->by_cookie || reads || str_eq_c(http_header(call->request, "X-Weft"), "1")) return err_none();
    return err_make(ERR_FORBIDDEN, "a change with the session cookie needs the header 'X-Weft: 1'");
}

/* The first two words behind /api/v1/: "docs" and, of routes that have one for each type, the type. */
static void area_of(const struct api_call *call, Str *area, Str *name) {
    Str rest = str_slice(call->request->path, sizeof "/api/v1/" - 1, call->request->path.len), word;
    str_cut(rest, '/', area, &rest);
    str_cut(rest, '/', &word, &rest);
    *name = str_eq(*area, STR("docs")) ? word : (Str){0};
}

/* Here for every route at once, so that a new one cannot forget it: its address says which scope it needs. */
static Err check_scope(const struct api_call *call) {
    enum http_method method = call->request->method;
    bool writes = method != HTTP_GET && method != HTTP_HEAD && !(call->route->flags & ROUTE_READS);
    Str area, name;
    if (!call->who.scopes[0]) return err_none();
    area_of(call, &area, &name);
    if (str_eq(area, STR("session")) && !writes) return err_none(); /* who am I */
    if (str_eq(area, STR("session")) && method == HTTP_DELETE && str_eq_c(call->request->path, "/api/v1/session"))
        return err_none();
    if (principal_scope(&call->who, area, name, writes)) return err_none();
    if (str_eq(str_c(call->who.scopes), STR("session:*")))
        return err_make(ERR_FORBIDDEN, "first set %s: GET /api/v1/session says what is needed",
                        "a new password or a second factor");
    return err_make(ERR_FORBIDDEN, "the scopes of '%s' do not hold '" STR_FMT "%s" STR_FMT ":%s'", call->who.name,
                    STR_ARG(str_slice(area, 0, 40)), name.len ? ":" : "", STR_ARG(str_slice(name, 0, 60)),
                    writes ? "write" : "read");
}

static Err authorise(struct api_call *call) {
    if (call->route->roles == 0) return err_none();
    TRY(identify(call));
    TRY(check_scope(call));
    if (!principal_may(&call->who, call->route->roles))
        return err_make(ERR_FORBIDDEN, "'%s' may not do this with the roles it has: ask a manager", call->who.name);
    return check_forgery(call);
}

static Err read_body(struct api_call *call) {
    Str body = call->request->body;
    if (call->route->flags & ROUTE_RAW_BODY || body.len == 0 || call->request->method == HTTP_GET) return err_none();
    Str type = http_text_media_type(http_header(call->request, "Content-Type"));
    if (!str_eq_nocase(type, STR("application/json")) && !str_ends(type, STR("+json")))
        return err_make(ERR_MEDIA_TYPE, "content type '%.60s' is not taken here: send application/json",
                        arena_c(call->arena, type));
    TRY(json_parse(body, &call->body));
    if (json_kind(call->body) == JSON_OBJECT) return err_none();
    return err_make(ERR_INVALID, "the body is JSON, but no object: send {\"member\": …}");
}

/* ---- addresses that are no route */

static Err no_route(struct api_call *call) {
    const struct http_request *request = call->request;
    Str allowed = api_allowed(request->path, call->arena);
    if (request->method == HTTP_OPTIONS && (allowed.len > 0 || str_eq_c(request->path, "*"))) {
        call->response->status = 204;
        http_response_header(call->response, "Allow", allowed.len ? allowed : STR("GET, HEAD, OPTIONS"));
        return err_none();
    }
    if (allowed.len > 0)
        return err_make(ERR_METHOD, "%s does not go here: this address takes %.150s", http_method_name(request->method),
                        allowed.ptr);
    return console_answer(request, call->response);
}

/* ---- around the handler */

static Err run_once(struct api_call *call) {
    Str key = call->request->method == HTTP_POST ? http_header(call->request, "Idempotency-Key") : (Str){0};
    if (key.len == 0 || call->route->roles == 0) return call->route->handler(call);
    if (key.len > 128) return err_make(ERR_INVALID, "the Idempotency-Key has %zu bytes: at most 128", key.len);
    struct idempotency *table = call->serve->idempotency;
    Str name = arena_printf(call->arena, "%s %lld " STR_FMT " " STR_FMT, call->who.name, (long long)call->who.party,
                            STR_ARG(call->request->path), STR_ARG(key));
    bool repeated;
    TRY(idempotency_begin(table, name, hash_str(call->request->body), call->response, &repeated));
    if (repeated) return err_none();
    Err err = call->route->handler(call);
    idempotency_end(table, name, err.code == ERR_NONE ? call->response : NULL);
    return err;
}

static Err answer(struct api_call *call) {
    if (!call->route) return no_route(call);
    TRY(authorise(call));
    if (!route_match(call->route, call->request->path, call->arena, call->segments))
        return err_make(ERR_INVALID, "the path is not well-formed: percent-encode it as UTF-8 without NUL");
    TRY(route_check_params(call->route, call->request->params, call->request->n_params));
    TRY(read_body(call));
    call->response->status = call->route->status ? call->route->status : 200;
    return run_once(call);
}

static bool has_header(const struct http_response *response, const char *name) {
    for (size_t i = 0; i < response->n_headers; i++)
        if (str_eq_c(response->headers[i].name, name)) return true;
    return false;
}

static void add_common_headers(struct http_response *response) {
    for (size_t i = 0; i < sizeof common_headers / sizeof *common_headers; i++)
        http_response_header(response, common_headers[i].name, str_c(common_headers[i].value));
    if (!has_header(response, "Cache-Control")) http_response_header(response, "Cache-Control", STR("no-store"));
}

static void add_failure_headers(const struct http_request *request, enum err_code code,
                                struct http_response *response) {
    if (code == ERR_UNAUTHENTICATED || code == ERR_SECOND_FACTOR)
        http_response_header(response, "WWW-Authenticate", STR("Bearer"));
    if (code == ERR_LIMIT) http_response_header(response, "Retry-After", STR("60"));
    if (code == ERR_METHOD) http_response_header(response, "Allow", api_allowed(request->path, request->arena));
}

static void note(const struct api_call *call, Err err) {
    Nanos took = clock_monotonic() - call->request->started;
    metrics_request(call->serve->metrics, call->route ? api_place(call->route) : METRICS_NO_ROUTE,
                    call->response->status, took);
    LOG_DEBUG("http.request", LOG_C("id", call->request->id), LOG_C("method", http_method_name(call->request->method)),
              LOG_S("path", call->request->path), LOG_I("status", call->response->status),
              LOG_I("bytes", call->response->bytes ? call->response->len : call->response->body.len),
              LOG_F("ms", (double)took / (double)NANOS_PER_MS), LOG_C("who", call->who.name),
              LOG_C("peer", call->request->peer));
    if (call->response->status >= 500)
        LOG_ERROR("http.failed", LOG_C("id", call->request->id), LOG_S("path", call->request->path),
                  LOG_C("failure", err_slug(err.code)), LOG_C("why", err.text));
}

void api_answer(void *ctx, struct http_request *request, struct http_response *response) {
    struct api_call call = {
        .serve = ctx, .route = request->route, .request = request, .response = response, .arena = request->arena};
    Err err = answer(&call);
    if (err.code != ERR_NONE) {
        http_response_clear(response);
        problem_answer(request, err, response);
        add_failure_headers(request, err.code, response);
        if (response->status == 503) http_response_header(response, "Retry-After", STR("1"));
    }
    add_common_headers(response);
    note(&call, err);
    json_free(call.body);
}

void api_refuse(void *ctx, const struct http_request *request, Err err, struct http_response *response) {
    struct serve *serve = ctx;
    problem_answer(request, err, response);
    add_common_headers(response);
    metrics_request(serve->metrics, METRICS_NO_ROUTE, response->status, clock_monotonic() - request->started);
    LOG_DEBUG("http.refused", LOG_C("id", request->id), LOG_S("path", request->path), LOG_C("why", err.text),
              LOG_C("peer", request->peer));
}

/* ---- for handlers */

struct jw *api_json(struct api_call *call) {
    call->response->content_type = "application/json";
    jw_init(&call->writer, &call->response->body);
    return &call->writer;
}

Str api_query(const struct api_call *call, const char *name) { return http_param(call->request, name); }

int64_t api_query_int(const struct api_call *call, const char *name, int64_t fallback, int64_t low, int64_t high) {
    int64_t n;
    if (!str_to_i64(api_query(call, name), &n)) return fallback;
    return n < low ? low : n > high ? high : n;
}

Nanos api_query_time(const struct api_call *call, const char *name) {
    Nanos t;
    Str text = api_query(call, name);
    return text.len > 0 && time_parse(text, &t).code == ERR_NONE ? t : 0;
}

/* ---- another party's data */

bool api_is_shared(const struct api_call *call) {
    if (!(call->route->flags & ROUTE_SHARED)) return false;
    return api_query(call, "agreement").len > 0 || api_query(call, "owner").len > 0;
}

static Err find_agreement(const struct api_call *call, struct agreement *out) {
    const struct serve_options *o = &call->serve->options;
    Str name = api_query(call, "agreement"), owner = api_query(call, "owner");
    PartyId party;
    if (!o->agreements) return err_make(ERR_NOT_FOUND, "this server keeps no agreements");
    if (name.len > 0) return agreements_find(o->agreements, &call->who, name, call->arena, out);
    TRY(people_party_resolve(o->people, owner, &party));
    return agreements_with(o->agreements, &call->who, party, call->arena, out);
}

/* Also of types that are read beside the one in the address: what is searched, counted or led to. Who writes a type is
 * answered with what he wrote. */
static Err check_type(const struct api_call *call, const struct doctype *type) {
    bool writes = call->request->method != HTTP_GET && call->request->method != HTTP_HEAD;
    Str name = type ? str_c(type->name) : (Str){0};
    if (!type || principal_scope(&call->who, STR("docs"), name, false) ||
        (writes && principal_scope(&call->who, STR("docs"), name, true)))
        return err_none();
    return err_make(ERR_FORBIDDEN, "the scopes of '%s' do not hold 'docs:%s:read'", call->who.name, type->name);
}

Err api_lens(const struct api_call *call, const struct doctype *type, struct lens *out) {
    struct agreement agreement;
    TRY(check_type(call, type));
    if (!api_is_shared(call)) return gate_lens(&call->who, type, "api", out);
    TRY(find_agreement(call, &agreement));
    TRY(gate_lens_agreement(call->serve->options.agreements, &call->who, agreement.id, type, call->arena, out));
    if (!has_header(call->response, "X-Weft-Agreement"))
        http_response_header(call->response, "X-Weft-Agreement", agreement.number);
    return err_none();
}

Err api_agreement(const struct api_call *call, int64_t *out) {
    struct agreement agreement;
    *out = 0;
    if (!api_is_shared(call)) return err_none();
    TRY(find_agreement(call, &agreement));
    TRY(agreements_readable(call->serve->options.agreements, &call->who, agreement.id));
    http_response_header(call->response, "X-Weft-Agreement", agreement.number);
    *out = agreement.id;
    return err_none();
}

static Err disclose(const struct serve *serve, const struct principal *who, const struct lens *lens,
                    const struct doctype *type, const char *type_name, Str what, size_t rows, struct arena *arena) {
    struct agreement agreement;
    const struct serve_options *o = &serve->options;
    if (lens->agreement == 0 || !GATE_RULE_ON(DISCLOSE)) return err_none();
    TRY(agreements_get(o->agreements, who, lens->agreement, arena, &agreement));
    struct disclosure row = {.owner = lens->party,
                             .reader = who->party,
                             .agreement = lens->agreement,
                             .number = agreement.number,
                             .who = str_c(who->name),
                             .type = str_c(type_name),
                             .what = what,
                             .fields = type ? disclosures_fields(lens, type, arena) : (Str){0},
                             .rows = rows,
                             .lens = lens->hash,
                             .purpose = str_c(lens->purpose)};
    return disclosures_note(o->disclosures, &row);
}

Err api_disclose_what(const struct api_call *call, const struct lens *lens, const struct doctype *type,
                      const char *type_name, Str what, size_t rows) {
    return disclose(call->serve, &call->who, lens, type, type_name, what, rows, call->arena);
}

Err api_disclose_doc(const struct serve *serve, const struct principal *who, const struct lens *lens,
                     const struct doc *doc, const char *what, struct arena *arena) {
    Str said = arena_printf(arena, "%s %lld", what, (long long)doc->id);
    return disclose(serve, who, lens, doc->type, doc->type->name, said, 1, arena);
}

Err api_disclose(const struct api_call *call, const struct lens *lens, const struct doctype *type, const int64_t *ids,
                 size_t n) {
    if (lens->agreement == 0) return err_none();
    Str what = arena_printf(call->arena, "%s " STR_FMT, call->route->id, STR_ARG(disclosures_ids(ids, n, call->arena)));
    return api_disclose_what(call, lens, type, type->name, what, n);
}

void api_write_agreement(const struct api_call *call, const struct lens *lens, struct jw *w) {
    struct agreement agreement;
    Str owner;
    const struct serve_options *o = &call->serve->options;
    if (lens->agreement == 0) return;
    if (agreements_get(o->agreements, &call->who, lens->agreement, call->arena, &agreement).code != ERR_NONE) return;
    jw_key(w, "agreement");
    jw_object(w);
    jw_kint(w, "id", agreement.id);
    jw_kstr(w, "number", agreement.number);
    jw_key(w, "owner");
    jw_object(w);
    jw_kint(w, "id", agreement.owner);
    if (people_party_name(o->people, agreement.owner, call->arena, &owner).code == ERR_NONE) jw_kstr(w, "name", owner);
    jw_object_end(w);
    jw_kc(w, "purpose", lens->purpose);
    jw_object_end(w);
}

Err api_need_body(const struct api_call *call) {
    if (call->body) return err_none();
    return err_make(ERR_INVALID, "the body is missing: send a JSON object (schema '%s' in /api/v1/openapi.json)",
                    call->route->takes ? call->route->takes : "any");
}

Err api_text(const struct api_call *call, const char *name, const char *fallback, Str *out) {
    const struct json *v = json_get(call->body, name);
    if (v && json_kind(v) == JSON_STRING) {
        *out = json_str(v);
        return err_none();
    }
    if (v && json_kind(v) != JSON_NULL) return err_make(ERR_INVALID, "'%s' is no text: send it in quotes", name);
    if (!fallback) return err_make(ERR_INVALID, "'%s' is missing: it is a text", name);
    *out = str_c(fallback);
    return err_none();
}
