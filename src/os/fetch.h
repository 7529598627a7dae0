/*
 * HTTP and mail out, by libcurl in lib/weft-fetch.so (plugins/fetch). Each call waits, on the caller's thread, at most
 * `time`: never from an I/O loop. TLS is checked always. Nothing but https (http only with `plain`) is spoken, files
 * and other schemes are not, also not behind a redirect, and addresses of one's own network (loopback, private, link
 * local, metadata services …) are refused unless `private_too`: checked on the address really connected to, so a name
 * that resolves differently the second time gains nothing. Proxies of the environment are not used.
 */
#ifndef OS_FETCH_H
#define OS_FETCH_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "os/http_text.h"

struct fetch_limits {
    Nanos time;          /* from start to end; 0 = 10 s */
    size_t max_bytes;    /* of the answer, also unpacked; 0 = 1 MiB */
    bool plain;          /* http:// and smtp:// without TLS too: for tests, and relays in one's own network */
    bool private_too;    /* addresses of one's own network too */
    const char *ca_file; /* PEM of authorities to trust instead of the system's; NULL */
};

struct fetch_request {
    const char *method; /* NULL: GET, or POST with a body */
    Str url;
    const struct http_pair *headers;
    size_t n_headers;
    Str body;
    unsigned redirects; /* that may be followed; 0: none, a 3xx is an answer like any other */
    struct fetch_limits limits;
};
struct fetch_answer {
    int status;
    Str content_type, body; /* in the arena */
};
/* ERR_INVALID: the address; ERR_FORBIDDEN: one's own network; ERR_TOO_LARGE, ERR_TIMEOUT, ERR_IO; ERR_NOT_FOUND: the
 * plugin is missing. Any HTTP status is a success here. */
Err fetch_http(const struct fetch_request *request, struct arena *arena, struct fetch_answer *out);

struct fetch_mail {
    Str server;         /* "smtps://mail.example:465", "smtp://mail.example:587" (STARTTLS is then required) */
    Str user, password; /* empty: none */
    Str from;           /* "weft@example.com" */
    const Str *to;
    size_t n_to;
    Str text; /* RFC 5322: headers, an empty line, the body */
    struct fetch_limits limits;
};
Err fetch_send_mail(const struct fetch_mail *mail);

/* ---- between os/fetch.c and the plugin */
struct sockaddr;
struct fetch_raw {
    int status;
    char content_type[128];
    struct buf body;
};
struct fetch_plugin {
    Err (*http)(const struct fetch_request *request, bool (*is_private)(const struct sockaddr *),
                struct fetch_raw *out);
    Err (*mail)(const struct fetch_mail *mail, bool (*is_private)(const struct sockaddr *));
};
bool fetch_is_private(const struct sockaddr *address); /* also what is neither IPv4 nor IPv6 */

#endif
