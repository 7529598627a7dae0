#include "os/http_stream.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "os/thread.h"

struct http_stream_message {
    atomic_uint references;
    size_t len;
    char bytes[];
};

struct http_stream {
    pthread_mutex_t mutex;
    struct http_stream_client client;
    unsigned references; /* the owner's and the server's */
    bool attached, parked, ended, gone;
    size_t head, n, offset, bytes; /* the ring; offset: how much of the first message is already taken */
    struct http_stream_message *ring[HTTP_STREAM_MESSAGES_MAX];
};

struct http_stream_message *http_stream_message(Str bytes) {
    struct http_stream_message *m = malloc(sizeof *m + bytes.len);
    ASSERT(m != NULL);
    atomic_init(&m->references, 1);
    m->len = bytes.len;
    if (bytes.len) memcpy(m->bytes, bytes.ptr, bytes.len);
    return m;
}

void http_stream_message_release(struct http_stream_message *m) {
    if (m && atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) == 1) free(m);
}

struct http_stream *http_stream_new(void) {
    struct http_stream *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    thread_mutex_init(&s->mutex);
    s->references = 2;
    return s;
}

static void empty(struct http_stream *s) {
    for (; s->n > 0; s->n--) {
        http_stream_message_release(s->ring[s->head]);
        s->head = (s->head + 1) % HTTP_STREAM_MESSAGES_MAX;
    }
    s->offset = s->bytes = 0;
}

/* Called with the lock; gives it back. */
static void unlock_and_drop_reference(struct http_stream *s) {
    bool last = --s->references == 0;
    thread_unlock(&s->mutex);
    if (!last) return;
    empty(s);
    thread_mutex_fini(&s->mutex);
    free(s);
}

void http_stream_attach(struct http_stream *s, const struct http_stream_client *client) {
    thread_lock(&s->mutex);
    s->client = *client;
    s->attached = true;
    if (s->gone) client->drop(client->ctx); /* its queue overran before the answer began */
    thread_unlock(&s->mutex);
}

static void wake(struct http_stream *s) {
    if (!s->parked) return;
    s->parked = false;
    s->client.wake(s->client.ctx);
}

static void drop(struct http_stream *s) {
    s->gone = true;
    empty(s);
    if (s->attached) s->client.drop(s->client.ctx);
    wake(s);
}

bool http_stream_send(struct http_stream *s, struct http_stream_message *m) {
    thread_lock(&s->mutex);
    if (!s->gone && (s->n == HTTP_STREAM_MESSAGES_MAX || s->bytes + m->len > HTTP_STREAM_BYTES_MAX)) drop(s);
    bool ok = !s->gone;
    if (ok && m->len > 0) {
        atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
        s->ring[(s->head + s->n++) % HTTP_STREAM_MESSAGES_MAX] = m;
        s->bytes += m->len;
        wake(s);
    }
    thread_unlock(&s->mutex);
    return ok;
}

bool http_stream_gone(struct http_stream *s) {
    thread_lock(&s->mutex);
    bool gone = s->gone;
    thread_unlock(&s->mutex);
    return gone;
}

void http_stream_release(struct http_stream *s) {
    thread_lock(&s->mutex);
    s->ended = true;
    wake(s);
    unlock_and_drop_reference(s);
}

void http_stream_end(struct http_stream *s) {
    thread_lock(&s->mutex);
    s->ended = true;
    wake(s);
    thread_unlock(&s->mutex);
}

void http_stream_detach(struct http_stream *s) {
    thread_lock(&s->mutex);
    s->gone = true;
    s->attached = s->parked = false;
    empty(s);
    unlock_and_drop_reference(s);
}

static void copy_out(struct http_stream *s, char *into, size_t n, size_t *got) {
    while (s->n > 0 && *got < n) {
        struct http_stream_message *m = s->ring[s->head];
        size_t part = m->len - s->offset < n - *got ? m->len - s->offset : n - *got;
        memcpy(into + *got, m->bytes + s->offset, part);
        *got += part, s->offset += part, s->bytes -= part;
        if (s->offset < m->len) break;
        http_stream_message_release(m);
        s->offset = 0;
        s->head = (s->head + 1) % HTTP_STREAM_MESSAGES_MAX;
        s->n--;
    }
}

enum http_stream_state http_stream_take(struct http_stream *s, void (*park)(void *ctx), char *into, size_t n,
                                        size_t *got) {
    *got = 0;
    enum http_stream_state state = HTTP_STREAM_MORE;
    thread_lock(&s->mutex);
    copy_out(s, into, n, got);
    if (*got == 0 && (s->ended || s->gone))
        state = HTTP_STREAM_ENDED;
    else if (*got == 0) {
        state = HTTP_STREAM_EMPTY;
        s->parked = true;
        park(s->client.ctx);
    }
    thread_unlock(&s->mutex);
    return state;
}
