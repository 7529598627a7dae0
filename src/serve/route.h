/*
 * A route: one address and method of the API, as data. The row finds, authorises, checks and documents; only the
 * handler is code. Rows stand in const arrays beside their handlers (api_*.c) that end with handler NULL; api.c lists
 * the arrays.
 */
#ifndef SERVE_ROUTE_H
#define SERVE_ROUTE_H

#include "model/principal.h"
#include "os/http.h"

struct api_call;
typedef Err route_handler(struct api_call *call);

enum route_kind { ROUTE_TEXT, ROUTE_INT, ROUTE_TIME };
struct route_param {
    const char *name;
    enum route_kind kind;
    bool required;
    const char *help;
};

enum {
    ROUTE_AT_ONCE = 1,    /* the handler never waits */
    ROUTE_RAW_BODY = 2,   /* the body is not a JSON object; the handler reads it */
    ROUTE_ANY_PARAMS = 4, /* query parameters beyond `params` are the handler's business */
    ROUTE_PER_TYPE = 8,   /* {type} is a document type: the description lists the route once for each */
    ROUTE_FILE_BODY = 64, /* the body goes to a file while it arrives: request->body_file */
    ROUTE_SHARED = 32,    /* reads another party's data under ?agreement= or ?owner= */
    ROUTE_READS = 128,    /* a POST that changes nothing: a scope to read is enough */
    ROUTE_HIDDEN = 16,    /* not in the description: for people, not for programs */
};

#define ROUTE_SEGMENTS_MAX 6 /* {…} in a path */

struct route {
    enum http_method method;
    const char *path; /* "/api/v1/docs/{type}/{id}" */
    const char *id;   /* operationId: "getDocument" */
    const char *tag, *summary;
    unsigned roles;                   /* ROLE_BIT mask; 0: everybody, signed in or not */
    const struct route_param *params; /* of the query, ends with name NULL; NULL: none */
    const char *takes, *gives;        /* names of schemas (openapi_schemas.c), NULL: nothing */
    int status;                       /* of success; 0 = 200 */
    unsigned flags;
    size_t max_body; /* bytes; 0 = the server's */
    route_handler *handler;
};

/* Does the path (still percent-encoded) fit? The parts that stand for {…} come out decoded, in order; "segments" NULL:
 * only whether. False also for a part that is empty or not well-formed. */
bool route_match(const struct route *route, Str path, struct arena *arena, Str segments[ROUTE_SEGMENTS_MAX]);
/* agreement and owner, which every route with ROUTE_SHARED takes; ends with name NULL. */
extern const struct route_param route_shared_params[];
/* Every query parameter is known, the required ones are there and of their kind. */
Err route_check_params(const struct route *route, const struct http_pair *params, size_t n);

#endif
