/* A small HTTP client for tests: sends any bytes, reads one answer at a time. One thread. */
#ifndef TESTS_LIB_OS_HTTP_CLIENT_H
#define TESTS_LIB_OS_HTTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "os/net.h"

struct http_client {
    int fd; /* -1: closed */
    struct buf in;
    struct arena arena; /* of the answers */
};

struct http_answer {
    int status; /* 0: the connection ended or nothing came in time */
    Str head, body;
};

void http_client_open(struct http_client *client, const char *address);
void http_client_close(struct http_client *client);
void http_client_send(struct http_client *client, Str raw); /* all of it, or until the other side closes */
struct http_answer http_client_read(struct http_client *client, bool is_head, Nanos patience);
/* Sends a request with Host and, when body.len > 0, Content-Length; extra: further header lines, each ended by CRLF. */
struct http_answer http_client_ask(struct http_client *client, const char *method, const char *target,
                                   const char *extra, Str body);
Str http_client_header(const struct http_answer *answer, const char *name); /* empty: absent */
/* Bytes that come until `part` is among them; false: not in time. For streams. */
bool http_client_wait(struct http_client *client, const char *part, Nanos patience);

#endif
