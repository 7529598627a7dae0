/*
 * An HTTP/1.1 server. One I/O thread reads requests and writes answers and never waits; a few workers run the handlers
 * from a bounded queue, each request with its own arena. A handler may wait (for a query; for a commit another runs in
 * its place, see os/crew.h); a full queue is answered 503 with Retry-After.
 *
 *     struct http_options options = {.listen = "127.0.0.1:8080", .plan = find_route, .handle = answer, .refuse =
 * problem}; TRY(http_start(&options, &http));
 *
 * Limits and deadlines hold before a handler sees anything: headers, body (also unpacked), time to arrive, rate.
 */
#ifndef OS_HTTP_H
#define OS_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "os/http_stream.h"
#include "os/http_text.h"
#include "os/net.h"

struct http;

enum http_method {
    HTTP_GET,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_HEAD,
    HTTP_OPTIONS,
    HTTP_OTHER,
    HTTP_METHOD_COUNT
};
const char *http_method_name(enum http_method method); /* "GET"; HTTP_OTHER: "?" */

/* Everything in it lives until the answer is sent. */
struct http_request {
    struct arena *arena; /* what a handler allocates ends with the request */
    enum http_method method;
    Str path;                       /* as sent, still percent-encoded, without the query */
    Str query;                      /* as sent */
    const struct http_pair *params; /* the query, decoded, in its order; set for handle, not for plan */
    size_t n_params;
    const struct http_pair *headers;
    size_t n_headers;
    Str body;              /* unpacked */
    const char *body_file; /* plan.body_dir: the body is in this file, which ends with the request unless renamed */
    uint64_t body_bytes;   /* … and has so many bytes */
    Nanos started;         /* monotonic */
    char peer[NET_ADDRESS_MAX]; /* without the port */
    char id[24];                /* for the log and X-Request-Id */
    const void *route;          /* what plan found */
    void *scratch;              /* for whoever handles it; NULL at first */
};
Str http_header(const struct http_request *request, const char *name); /* empty: absent */
Str http_cookie(const struct http_request *request, const char *name);
Str http_param(const struct http_request *request, const char *name); /* first of that name; empty: absent */
/* Has the client closed its side, so that nobody reads the answer? For a handler, now and then; never waits. */
bool http_gone(const struct http_request *request);

/* What a handler answers. Zeroed before the handler except status = 200. */
struct http_response {
    int status;
    const char *content_type; /* static text; NULL: none */
    struct buf body;          /* taken and freed by the server */
    const void *bytes;        /* … or bytes that outlive the server */
    size_t len;
    const char *file; /* … or this file, which is removed once the answer begins; the name lives in the arena */
    bool keep_plain;  /* never packed with gzip, whatever the client accepts */
    struct http_pair *headers;
    size_t n_headers, cap_headers;
    struct http_stream *stream; /* set by http_stream_answer */
    struct arena *arena;        /* the request's */
};
void http_response_header(struct http_response *response, const char *name, Str value); /* value is copied */
void http_response_clear(struct http_response *response);                               /* as before the handler */
/* The answer goes on: what is sent to the stream from now on is its body. The caller holds the stream until
 * http_stream_release. */
struct http_stream *http_stream_answer(struct http_response *response, const char *content_type);

/* What is known of a request once its headers are there. */
struct http_plan {
    size_t max_body;      /* bytes, also unpacked; 0 = options.max_body */
    const char *body_dir; /* the body goes to a new file in this folder while it arrives, never packed; NULL: memory */
    Nanos request_time;   /* 0 = options.request_time */
    bool at_once;         /* the handler never waits: it runs on the I/O thread */
    const void *route;
};

struct http_options {
    const char *listen; /* "HOST:PORT"; port 0 takes a free one */
    /* I/O thread, fast, no waiting. */
    void (*plan)(void *ctx, const struct http_request *request, struct http_plan *plan);
    /* A worker's thread (or the I/O thread: see at_once); may wait. */
    void (*handle)(void *ctx, struct http_request *request, struct http_response *response);
    /* Says a failure found before the handler; any of the threads, no waiting. */
    void (*refuse)(void *ctx, const struct http_request *request, Err err, struct http_response *response);
    void *ctx;
    unsigned workers;       /* that run at once; 0 = 4 */
    size_t max_waiting;     /* requests in the queue; 0 = 256 */
    size_t max_connections; /* 0 = 4,096 */
    size_t max_per_client;  /* connections of one address; 0 = half of max_connections */
    size_t max_body;        /* 0 = 1 MiB */
    size_t max_header;      /* memory of one connection for request line and headers; 0 = 16 KiB */
    Nanos header_time;      /* a new connection's first headers are whole by then; 0 = 10 s */
    Nanos request_time;     /* from the headers to the last byte of the body; 0 = 30 s */
    Nanos idle_time;        /* a kept connection has sent its next request by then; 0 = 60 s */
    Nanos send_time;        /* an answer that is no stream has gone out by then; 0 = 120 s */
    size_t min_rate;        /* bytes/s a body arrives with, on average, after 5 s; 0 = 512 */
};
Err http_start(const struct http_options *options, struct http **out);
/* No new requests, waits for the handlers that run, ends the streams, closes. NULL is fine. */
void http_stop(struct http *http);
uint16_t http_port(const struct http *http);
const char *http_address(const struct http *http); /* "127.0.0.1:43121" */

struct http_stats {
    uint64_t connections, streams, waiting; /* now */
    uint64_t requests;                      /* since the start, as all below */
    uint64_t refused_busy, refused_large, refused_slow, refused_malformed;
    uint64_t streams_dropped;     /* clients that read too slowly */
    uint64_t bytes_in, bytes_out; /* of bodies */
};
void http_stats(const struct http *http, struct http_stats *out);

#endif
