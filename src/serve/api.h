/*
 * The API: the list of all routes, and what a handler has to work with. A handler reads `who`, `segments`, `body` and
 * the query, writes its answer with api_json or into the response, and returns ERR_NONE or the failure, which becomes
 * a problem (RFC 9457). Signing in, roles, the check against forged requests, limits and logs are done before and
 * after it.
 */
#ifndef SERVE_API_H
#define SERVE_API_H

#include "base/json.h"
#include "base/jw.h"
#include "serve/route.h"

struct serve;

struct api_call {
    struct serve *serve;
    const struct route *route;
    struct http_request *request;
    struct http_response *response;
    struct arena *arena; /* ends with the request */
    Str segments[ROUTE_SEGMENTS_MAX];
    struct principal who; /* zeroed on routes for everybody */
    bool by_cookie;       /* signed in by the session cookie */
    struct json *body;    /* a JSON object, or NULL when none was sent */
    struct jw writer;
};

/* Every route by its place, 0…; NULL behind the last. */
const struct route *api_route(size_t place);
size_t api_place(const struct route *route);
#define API_ROUTES_MAX 96
/* The route of a request, or NULL. HEAD finds what GET finds. */
const struct route *api_find(enum http_method method, Str path);
/* Methods that some route takes at this path, joined by ", "; empty: no such path. */
Str api_allowed(Str path, struct arena *arena);

/* For os/http: ctx is the struct serve. api_answer does everything from signing in to the log. */
void api_plan(void *ctx, const struct http_request *request, struct http_plan *plan);
void api_answer(void *ctx, struct http_request *request, struct http_response *response);
void api_refuse(void *ctx, const struct http_request *request, Err err, struct http_response *response);

/* ---- for handlers */
struct jw *api_json(struct api_call *call); /* the answer is JSON, written here */
Str api_query(const struct api_call *call, const char *name);
int64_t api_query_int(const struct api_call *call, const char *name, int64_t fallback, int64_t low,
                      int64_t high);                                 /* clamped */
Nanos api_query_time(const struct api_call *call, const char *name); /* 0: absent */
/* A member of the body that must be a text; fallback NULL: it must be there. */
Err api_text(const struct api_call *call, const char *name, const char *fallback, Str *out);
Err api_need_body(const struct api_call *call);

#endif
