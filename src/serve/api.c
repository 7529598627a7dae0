#include "serve/api.h"

#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "serve/console.h"
#include "serve/idempotency.h"
#include "serve/metrics.h"
#include "serve/problem.h"
#include "serve/serve_state.h"
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

void api_plan(void *ctx, const struct http_request *request, struct http_plan *plan) {
    (void)ctx;
    const struct route *route = api_find(request->method, request->path);
    plan->route = route;
    plan->max_body = route ? route->max_body : 0;
    plan->at_once = route ? (route->flags & ROUTE_AT_ONCE) != 0 : true; /* pages and refusals wait for nothing */
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
        return people_bearer(people, str_trim(token), &call->who);
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

static Err authorise(struct api_call *call) {
    if (call->route->roles == 0) return err_none();
    TRY(identify(call));
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
    if (code == ERR_UNAUTHENTICATED) http_response_header(response, "WWW-Authenticate", STR("Bearer"));
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
