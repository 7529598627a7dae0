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
#include "model/lens.h"
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
#define API_ROUTES_MAX 192
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
/* Another party's data is asked for, by ?agreement= or ?owner=. */
bool api_is_shared(const struct api_call *call);
/* What the caller may see of documents of a type (NULL: things and series): its own party's, or with ?agreement= or
 * ?owner= what another party gives it. Then
 * the answer says so in the header X-Weft-Agreement, and must be noted by api_disclose before it leaves. */
Err api_lens(const struct api_call *call, const struct doctype *type, struct lens *out);
/* The agreement that the caller names, readable by him now; 0: none is named. */
Err api_agreement(const struct api_call *call, int64_t *out);
/* For what is told without a call: one document, under a lens. */
Err api_disclose_doc(const struct serve *serve, const struct principal *who, const struct lens *lens,
                     const struct doc *doc, const char *what, struct arena *arena);
/* Notes what the answer discloses, durably, before it leaves. An own-party read discloses nothing and costs nothing. */
Err api_disclose(const struct api_call *call, const struct lens *lens, const struct doctype *type, const int64_t *ids,
                 size_t n);
/* The same where no documents are listed by id: of things, series, groups, a file. type: "series", what: "m-01 volt".
 */
Err api_disclose_what(const struct api_call *call, const struct lens *lens, const struct doctype *type,
                      const char *type_name, Str what, size_t rows);
/* "agreement":{…} into an open object, when the answer was read under one. */
void api_write_agreement(const struct api_call *call, const struct lens *lens, struct jw *w);
/* A member of the body that must be a text; fallback NULL: it must be there. */
Err api_text(const struct api_call *call, const char *name, const char *fallback, Str *out);
Err api_need_body(const struct api_call *call);

#endif
