/*
 * An answer that goes on: messages for one client, sent from any thread, never waiting. A client that does not read
 * fast enough to keep its queue within the limits is dropped. A message's bytes are shared by all streams it goes to.
 */
#ifndef OS_HTTP_STREAM_H
#define OS_HTTP_STREAM_H

#include "base/str.h"

#define HTTP_STREAM_MESSAGES_MAX 64
#define HTTP_STREAM_BYTES_MAX (1024 * 1024)

struct http_stream_message;
struct http_stream_message *http_stream_message(Str bytes); /* copied; with one reference, the caller's */
void http_stream_message_release(struct http_stream_message *message);

struct http_stream;
/* false: the client has gone or was dropped; release the stream. */
bool http_stream_send(struct http_stream *stream, struct http_stream_message *message);
bool http_stream_gone(struct http_stream *stream);
/* The owner is done; a client still there gets what waits, then the answer's end. */
void http_stream_release(struct http_stream *stream);

/* ---- for the server (os/http.c) */

/* All are called with the stream's lock held, and must not call back. */
struct http_stream_client {
    void (*wake)(void *ctx); /* there is something to take, after a take that gave nothing */
    void (*drop)(void *ctx); /* too slow: close the connection */
    void *ctx;
};
struct http_stream *http_stream_new(void); /* two references: the owner's and the server's */
void http_stream_attach(struct http_stream *stream, const struct http_stream_client *client);
enum http_stream_state { HTTP_STREAM_MORE, HTTP_STREAM_EMPTY, HTTP_STREAM_ENDED };
/* Up to n bytes into `into`. EMPTY: `park` was called under the lock, and the next message or the end wakes the client.
 */
enum http_stream_state http_stream_take(struct http_stream *stream, void (*park)(void *ctx), char *into, size_t n,
                                        size_t *got);
void http_stream_end(struct http_stream *stream);    /* as if the owner were done */
void http_stream_detach(struct http_stream *stream); /* the connection has gone; gives the server's reference back */

#endif
