/*
 * libmicrohttpd behind os/http.h; the only file that knows it.
 *
 * A request's way, with the thread that does each step:
 *
 *     I/O      on_uri        the request line is there: an exchange begins
 *     I/O      begin         the headers are there: plan, limits        (nothing is answered here: an answer at the
 *     I/O      take_body     …                                           first call would cost the connection)
 *     I/O      dispatch      the body is there: suspend, into the queue
 *     worker   work          query and gzip are undone, the handler runs, resume
 *     I/O      send_answer   the answer is handed to libmicrohttpd
 *     I/O      on_completed  sent or lost: everything of the exchange ends
 *
 * Time is kept by a third thread, which shuts the socket of a connection whose current phase took too long;
 * libmicrohttpd then notices as if the client had gone. Lock order: http.mutex, stream, libmicrohttpd's own.
 */
#include "os/http.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "os/clock.h"
#include "os/crew.h"
#include "os/gzip.h"
#include "os/process.h"
#include "os/thread.h"

enum {
    WORKERS_MAX = 64,
    WAITING_WORKERS_MAX = 128, /* beyond those that run: they wait for a commit */
    HEADERS_MAX = 100,
    DRAIN_MAX = 8 * 1024 * 1024, /* of a body too large, read and forgotten so that the client sees the answer */
    PACK_FROM = 1024,            /* bytes of an answer worth packing */
    STREAM_BLOCK = 4096,
    FILE_PATIENCE = 15, /* times the send time for an answer that is a file */
};
#define SWEEP_EVERY (200 * NANOS_PER_MS)
#define RATE_GRACE (5 * NANOS_PER_S)
#define STOP_PATIENCE (1 * NANOS_PER_S)

enum phase { PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER, PHASE_SEND, PHASE_IDLE };

/* A connection. In the list, and its members, under http.mutex. */
struct client {
    struct client *next, *prev;
    int fd;
    enum phase phase;
    Nanos deadline, phase_began; /* monotonic; deadline 0: none */
    size_t phase_bytes;
    struct http_stream *stream;
    struct exchange *exchange; /* under way */
    char peer[NET_ADDRESS_MAX];
};

struct exchange {
    struct http *http;
    struct MHD_Connection *connection;
    struct client *client;
    struct arena arena;
    struct http_request request;
    struct http_response response;
    struct http_plan plan;
    struct buf body, unpacked;
    int body_fd; /* of request.body_file; -1: none */
    Err fault;   /* found before the handler; its text is the answer */
    size_t drained;
    Str uri;
    bool begun, ready;
};

enum counter {
    COUNT_REQUESTS,
    COUNT_BUSY,
    COUNT_LARGE,
    COUNT_SLOW,
    COUNT_MALFORMED,
    COUNT_DROPPED,
    COUNT_IN,
    COUNT_OUT,
    COUNTERS
};

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    int listener;
    char address[NET_ADDRESS_MAX];
    struct crew *workers;
    struct thread *sweeper;
    pthread_mutex_t mutex;
    pthread_cond_t stopped;
    struct client *clients;
    size_t n_clients, n_streams;
    bool stopping; /* under the mutex */
    uint32_t boot; /* makes request ids differ between runs */
    atomic_uint_fast64_t next_id, counters[COUNTERS];
    atomic_uint exchanges;
};

static const char *const method_names[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = "GET",       [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH",
    [HTTP_DELETE] = "DELETE", [HTTP_HEAD] = "HEAD", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "?",
};

const char *http_method_name(enum http_method method) { return method_names[method]; }

bool http_gone(const struct http_request *request) {
    const struct exchange *ex = (const void *)((const char *)request - offsetof(struct exchange, request));
    struct pollfd fd = {.fd = ex->client->fd, .events = POLLRDHUP};
    return poll(&fd, 1, 0) == 1 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static enum http_method parse_method(const char *text) {
    for (int m = 0; m < HTTP_OTHER; m++)
        if (strcmp(text, method_names[m]) == 0) return (enum http_method)m;
    return HTTP_OTHER;
}

static void count(struct http *http, enum counter counter, uint64_t more) {
    atomic_fetch_add_explicit(&http->counters[counter], more, memory_order_relaxed);
}

/* ---- what handlers read and answer */

Str http_header(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (str_eq_nocase(request->headers[i].name, str_c(name))) return request->headers[i].value;
    return (Str){0};
}

Str http_cookie(const struct http_request *request, const char *name) {
    return http_text_cookie(http_header(request, "Cookie"), name);
}

Str http_param(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->n_params; i++)
        if (str_eq_c(request->params[i].name, name)) return request->params[i].value;
    return (Str){0};
}

void http_response_header(struct http_response *response, const char *name, Str value) {
    if (response->n_headers == response->cap_headers) {
        size_t cap = response->cap_headers ? response->cap_headers * 2 : 16;
        struct http_pair *grown = arena_zero(response->arena, cap, sizeof *grown);
        if (response->n_headers) memcpy(grown, response->headers, response->n_headers * sizeof *grown);
        response->headers = grown;
        response->cap_headers = cap;
    }
    response->headers[response->n_headers++] = (struct http_pair){str_c(name), arena_str(response->arena, value)};
}

void http_response_clear(struct http_response *response) {
    buf_fini(&response->body);
    if (response->file) unlink(response->file);
    if (response->stream) http_stream_detach(response->stream); /* the other reference is its owner's */
    *response = (struct http_response){.status = 200, .arena = response->arena};
}

struct http_stream *http_stream_answer(struct http_response *response, const char *content_type) {
    ASSERT(response->stream == NULL);
    response->content_type = content_type;
    return response->stream = http_stream_new();
}

/* ---- phases of a connection */

static void enter_phase(struct http *http, struct client *client, enum phase phase, Nanos limit) {
    Nanos now = clock_monotonic();
    thread_lock(&http->mutex);
    client->phase = phase;
    client->phase_began = now;
    client->deadline = limit ? now + limit : 0;
    client->phase_bytes = 0;
    thread_unlock(&http->mutex);
}

static void add_phase_bytes(struct http *http, struct client *client, size_t n) {
    thread_lock(&http->mutex);
    client->phase_bytes += n;
    thread_unlock(&http->mutex);
}

static bool is_late(const struct http *http, const struct client *client, Nanos now) {
    if (client->deadline && now > client->deadline) return true;
    Nanos took = now - client->phase_began;
    return client->phase == PHASE_BODY && took > RATE_GRACE &&
           (double)client->phase_bytes < (double)http->options.min_rate * ((double)took / (double)NANOS_PER_S);
}

/* Nothing was answered yet in these phases, so that the raw text is a whole answer. */
static void shut(struct client *client) {
    static const char late[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    if (client->phase == PHASE_HEADERS || client->phase == PHASE_BODY)
        (void)!send(client->fd, late, sizeof late - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(client->fd, SHUT_RDWR);
    client->deadline = 0;
    client->phase = PHASE_ANSWER;
}

static void sweep(void *ctx) {
    struct http *http = ctx;
    thread_lock(&http->mutex);
    while (!http->stopping) {
        Nanos now = clock_monotonic();
        for (struct client *c = http->clients; c; c = c->next) {
            if (!is_late(http, c, now)) continue;
            if (c->phase != PHASE_IDLE) {
                count(http, COUNT_SLOW, 1);
                LOG_INFO("http.slow", LOG_C("peer", c->peer), LOG_I("phase", c->phase));
            }
            shut(c);
        }
        thread_wait_for(&http->stopped, &http->mutex, SWEEP_EVERY);
    }
    thread_unlock(&http->mutex);
}

static struct client *client_of(struct MHD_Connection *connection) {
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void on_open(struct http *http, struct MHD_Connection *connection, void **context) {
    struct client *client = calloc(1, sizeof *client);
    ASSERT(client != NULL);
    client->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    net_peer(client->fd, client->peer);
    char *port = strrchr(client->peer, ':');
    if (port) *port = '\0';
    *context = client;
    enter_phase(http, client, PHASE_HEADERS, http->options.header_time);
    thread_lock(&http->mutex);
    client->next = http->clients;
    if (client->next) client->next->prev = client;
    http->clients = client;
    http->n_clients++;
    thread_unlock(&http->mutex);
}

static void end_exchange(struct exchange *ex);

/* libmicrohttpd does not say on_completed of a request line that it answered itself while the client was leaving. */
static void on_close(struct http *http, struct client *client) {
    if (client->exchange) end_exchange(client->exchange);
    thread_lock(&http->mutex);
    if (client->next) client->next->prev = client->prev;
    if (client->prev)
        client->prev->next = client->next;
    else
        http->clients = client->next;
    http->n_clients--;
    thread_unlock(&http->mutex);
    free(client);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what) {
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        on_open(cls, connection, context);
    else if (*context)
        on_close(cls, *context);
}

/* ---- a body that goes to a file */

static Err begin_file(struct exchange *ex) {
    if (http_header(&ex->request, "Content-Encoding").len > 0)
        return err_make(ERR_MEDIA_TYPE, "a file is taken here as it is: send it without Content-Encoding");
    const char *path = arena_printf(&ex->arena, "%s/upload-%s", ex->plan.body_dir, ex->request.id).ptr;
    ex->body_fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (ex->body_fd < 0) return err_errno(ERR_IO, errno, "the file cannot be kept");
    ex->request.body_file = path;
    return err_none();
}

/* Into the page cache: the disk is not waited for. */
static Err add_to_file(struct exchange *ex, const char *bytes, size_t n) {
    while (n > 0) {
        ssize_t done = write(ex->body_fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return err_errno(ERR_IO, errno, "the file cannot be kept");
        bytes += done;
        n -= (size_t)done;
        ex->request.body_bytes += (uint64_t)done;
    }
    return err_none();
}

static void end_file(struct exchange *ex) {
    if (ex->body_fd < 0) return;
    close(ex->body_fd);
    unlink(ex->request.body_file); /* unless the handler has renamed it */
    ex->body_fd = -1;
}

/* ---- an exchange begins and ends */

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection) {
    struct http *http = cls;
    struct exchange *ex = calloc(1, sizeof *ex);
    ASSERT(ex != NULL);
    ex->http = http;
    ex->connection = connection;
    ex->client = client_of(connection);
    ex->body_fd = -1;
    arena_init(&ex->arena, 0);
    ex->uri = arena_str(&ex->arena, str_c(uri));
    ex->request.arena = ex->response.arena = &ex->arena;
    ex->request.started = clock_monotonic();
    ex->response.status = 200;
    unsigned long long id = atomic_fetch_add_explicit(&http->next_id, 1, memory_order_relaxed);
    snprintf(ex->request.id, sizeof ex->request.id, "%08x-%llx", http->boot, id & 0xFFFFFFFFFFULL);
    memcpy(ex->request.peer, ex->client->peer, sizeof ex->request.peer);
    atomic_fetch_add(&http->exchanges, 1);
    count(http, COUNT_REQUESTS, 1);
    enter_phase(http, ex->client, PHASE_HEADERS, http->options.header_time);
    ex->client->exchange = ex;
    return ex;
}

static void forget_stream(struct exchange *ex) {
    struct http *http = ex->http;
    thread_lock(&http->mutex);
    bool was_attached = ex->client->stream != NULL;
    ex->client->stream = NULL;
    if (was_attached) http->n_streams--;
    thread_unlock(&http->mutex);
    if (was_attached) http_stream_detach(ex->response.stream);
    if (was_attached) ex->response.stream = NULL;
}

static void end_exchange(struct exchange *ex) {
    struct http *http = ex->http;
    if (!ex->begun) count(http, COUNT_MALFORMED, 1); /* libmicrohttpd refused its headers itself */
    forget_stream(ex);
    http_response_clear(&ex->response);
    end_file(ex);
    buf_fini(&ex->body);
    buf_fini(&ex->unpacked);
    arena_fini(&ex->arena);
    enter_phase(http, ex->client, PHASE_IDLE, http->options.idle_time);
    ex->client->exchange = NULL;
    free(ex);
    atomic_fetch_sub(&http->exchanges, 1);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode why) {
    (void)cls, (void)connection, (void)why;
    if (*con_cls) end_exchange(*con_cls);
    *con_cls = NULL;
}

/* ---- the answer */

static void stream_wake(void *ctx) { MHD_resume_connection(((struct exchange *)ctx)->connection); }

static void stream_park(void *ctx) { MHD_suspend_connection(((struct exchange *)ctx)->connection); }

/* The socket is open: a stream is detached before libmicrohttpd closes it. */
static void stream_drop(void *ctx) {
    struct exchange *ex = ctx;
    count(ex->http, COUNT_DROPPED, 1);
    LOG_INFO("http.stream_dropped", LOG_C("peer", ex->request.peer), LOG_C("why", "reads too slowly"));
    shutdown(ex->client->fd, SHUT_RDWR);
}

static ssize_t read_stream(void *cls, uint64_t at, char *into, size_t n) {
    struct exchange *ex = cls;
    (void)at;
    size_t got;
    switch (http_stream_take(ex->response.stream, stream_park, into, n, &got)) {
    case HTTP_STREAM_ENDED: return MHD_CONTENT_READER_END_OF_STREAM;
    case HTTP_STREAM_EMPTY: return 0;
    case HTTP_STREAM_MORE: break;
    }
    count(ex->http, COUNT_OUT, got);
    return (ssize_t)got;
}

static void attach_stream(struct exchange *ex) {
    struct http *http = ex->http;
    struct http_stream_client client = {.wake = stream_wake, .drop = stream_drop, .ctx = ex};
    http_stream_attach(ex->response.stream, &client);
    thread_lock(&http->mutex);
    ex->client->stream = ex->response.stream;
    http->n_streams++;
    if (http->stopping) http_stream_end(ex->response.stream);
    thread_unlock(&http->mutex);
}

/* The file loses its name at once, so that nothing is left of it whatever happens to the client. */
static struct MHD_Response *file_body(const char *path) {
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    unlink(path);
    if (fd >= 0 && fstat(fd, &facts) == 0) return MHD_create_response_from_fd64((uint64_t)facts.st_size, fd);
    LOG_ERROR("http.no_file", LOG_C("path", path));
    if (fd >= 0) close(fd);
    return NULL;
}

static struct MHD_Response *make_body(struct exchange *ex) {
    struct http_response *r = &ex->response;
    if (r->stream) return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, ex, NULL);
    if (r->file) return file_body(r->file);
    if (r->bytes) {
        void *bytes = (void *)(uintptr_t)r->bytes;
        return MHD_create_response_from_buffer(r->len, bytes, MHD_RESPMEM_PERSISTENT);
    }
    /* the exchange outlives the answer, so its buffer need not be copied or given away */
    return MHD_create_response_from_buffer(r->body.len, r->body.ptr ? r->body.ptr : "", MHD_RESPMEM_PERSISTENT);
}

static void add_header(struct MHD_Response *answer, const char *name, const char *value) {
    if (MHD_add_response_header(answer, name, value) != MHD_YES)
        LOG_ERROR("http.bad_header", LOG_C("name", name), LOG_C("value", value));
}

static enum MHD_Result send_answer(struct exchange *ex) {
    struct http_response *r = &ex->response;
    struct MHD_Response *answer = make_body(ex);
    if (!answer && r->file) return MHD_NO; /* closes the connection */
    ASSERT(answer != NULL);
    if (r->content_type) add_header(answer, "Content-Type", r->content_type);
    add_header(answer, "X-Request-Id", ex->request.id);
    for (size_t i = 0; i < r->n_headers; i++) add_header(answer, r->headers[i].name.ptr, r->headers[i].value.ptr);
    if (!r->stream) count(ex->http, COUNT_OUT, r->bytes ? r->len : r->body.len);
    Nanos send_time = ex->http->options.send_time * (r->file ? FILE_PATIENCE : 1);
    r->file = NULL;
    enter_phase(ex->http, ex->client, PHASE_SEND, r->stream ? 0 : send_time);
    if (r->stream) attach_stream(ex);
    enum MHD_Result queued = MHD_queue_response(ex->connection, (unsigned)r->status, answer);
    MHD_destroy_response(answer);
    return queued;
}

static void refuse(struct exchange *ex, Err fault) {
    http_response_clear(&ex->response);
    ex->response.status = err_http_status(fault.code);
    ex->http->options.refuse(ex->http->options.ctx, &ex->request, fault, &ex->response);
    if (fault.code == ERR_TOO_LARGE) count(ex->http, COUNT_LARGE, 1);
    if (fault.code == ERR_INVALID) count(ex->http, COUNT_MALFORMED, 1);
    if (fault.code == ERR_BUSY) {
        count(ex->http, COUNT_BUSY, 1);
        http_response_header(&ex->response, "Retry-After", STR("1"));
    }
    ex->ready = true;
}

static bool is_text(const char *type) {
    return type && (strncmp(type, "text/", 5) == 0 || strncmp(type, "application/json", 16) == 0 ||
                    strncmp(type, "application/problem+json", 24) == 0);
}

static void pack_answer(struct exchange *ex) {
    struct http_response *r = &ex->response;
    if (r->stream || r->bytes || r->file || r->keep_plain || r->body.len < PACK_FROM || !is_text(r->content_type))
        return;
    http_response_header(r, "Vary", STR("Accept-Encoding"));
    if (!http_text_accepts_gzip(http_header(&ex->request, "Accept-Encoding"))) return;
    struct buf packed = {0};
    gzip_pack(buf_view(&r->body), 1, &packed);
    buf_fini(&r->body);
    r->body = packed;
    http_response_header(r, "Content-Encoding", STR("gzip"));
}

/* ---- the handler's side */

static Err unpack_body(struct exchange *ex) {
    Str coding = str_trim(http_header(&ex->request, "Content-Encoding"));
    ex->request.body = buf_view(&ex->body);
    if (coding.len == 0 || str_eq_nocase(coding, STR("identity"))) return err_none();
    if (!str_eq_nocase(coding, STR("gzip")))
        return err_make(ERR_MEDIA_TYPE, "content encoding '%.40s' is not known: send gzip or plain", coding.ptr);
    TRY(gzip_unpack(ex->request.body, ex->plan.max_body, &ex->unpacked));
    ex->request.body = buf_view(&ex->unpacked);
    return err_none();
}

static Err prepare(struct exchange *ex) {
    struct http_pair *params;
    TRY(http_text_query(ex->request.query, &ex->arena, &params, &ex->request.n_params));
    ex->request.params = params;
    return unpack_body(ex);
}

static void run_handler(struct exchange *ex) {
    Err err = prepare(ex);
    if (err.code != ERR_NONE) {
        refuse(ex, err);
        return;
    }
    ex->http->options.handle(ex->http->options.ctx, &ex->request, &ex->response);
    pack_answer(ex);
    ex->ready = true;
}

static void work(void *ctx, void *item) {
    struct exchange *ex = item;
    struct MHD_Connection *connection = ex->connection;
    (void)ctx;
    run_handler(ex);
    MHD_resume_connection(connection); /* from here on the I/O thread may end the exchange */
}

/* ---- reading */

static enum MHD_Result add_request_header(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_len,
                                          const char *value, size_t value_len) {
    struct exchange *ex = cls;
    struct http_pair *to = (struct http_pair *)(uintptr_t)ex->request.headers;
    (void)kind;
    to[ex->request.n_headers++] = (struct http_pair){str_n(key, key_len), value ? str_n(value, value_len) : (Str){0}};
    return ex->request.n_headers < HEADERS_MAX ? MHD_YES : MHD_NO;
}

/* What two readers of one request could read differently is refused: it is how requests are smuggled past a proxy. */
static Err check_headers(const struct http_request *request) {
    static const char *const once[] = {"Host", "Content-Length", "Transfer-Encoding", "Content-Type"};
    size_t seen[sizeof once / sizeof *once] = {0};
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct http_pair *h = &request->headers[i];
        if (h->value.len > 0 && memchr(h->value.ptr, '\0', h->value.len))
            return err_make(ERR_INVALID, "header '%.60s' has a NUL byte in it: send text", h->name.ptr);
        for (size_t k = 0; k < sizeof once / sizeof *once; k++)
            if (str_eq_nocase(h->name, str_c(once[k])) && seen[k]++)
                return err_make(ERR_INVALID, "header '%s' is given twice: send it once", once[k]);
    }
    return err_none();
}

/* ERR_TOO_LARGE: a body that will be read and forgotten, or (given_up) not even that. */
static Err check_length(struct exchange *ex, bool *given_up) {
    Str length = http_header(&ex->request, "Content-Length");
    bool chunked = http_header(&ex->request, "Transfer-Encoding").len > 0;
    if (chunked && length.len > 0)
        return err_make(ERR_INVALID, "both Content-Length and Transfer-Encoding are given: send one of them");
    int64_t n = 0;
    if (length.len > 0 && (!str_to_i64(length, &n) || n < 0)) {
        *given_up = true;
        return err_make(ERR_INVALID, "Content-Length '%.40s' is not a length: send a number of bytes", length.ptr);
    }
    if ((uint64_t)n <= ex->plan.max_body) return err_none();
    *given_up = (uint64_t)n > ex->plan.max_body + DRAIN_MAX || http_header(&ex->request, "Expect").len > 0;
    return err_make(ERR_TOO_LARGE, "a body of %lld bytes: at most %zu are taken here, send less at once", (long long)n,
                    ex->plan.max_body);
}

static Err read_head(struct exchange *ex, const char *method, bool *given_up) {
    struct http_request *request = &ex->request;
    request->method = parse_method(method);
    request->headers = arena_zero(&ex->arena, HEADERS_MAX, sizeof *request->headers);
    MHD_get_connection_values_n(ex->connection, MHD_HEADER_KIND, add_request_header, ex);
    ex->plan.max_body = ex->http->options.max_body;
    if (!http_text_target(ex->uri, &request->path, &request->query)) {
        request->path = STR("/");
        return err_make(ERR_INVALID, "the request's target is not a path: it starts with '/'");
    }
    if (request->n_headers == HEADERS_MAX) return err_make(ERR_INVALID, "%d headers or more: send fewer", HEADERS_MAX);
    TRY(check_headers(request));
    ex->http->options.plan(ex->http->options.ctx, request, &ex->plan);
    if (ex->plan.max_body == 0) ex->plan.max_body = ex->http->options.max_body;
    request->route = ex->plan.route;
    TRY(check_length(ex, given_up));
    return ex->plan.body_dir ? begin_file(ex) : err_none();
}

static enum MHD_Result begin(struct exchange *ex, const char *method) {
    bool given_up = false;
    ex->begun = true;
    ex->fault = read_head(ex, method, &given_up);
    Nanos limit = ex->plan.request_time ? ex->plan.request_time : ex->http->options.request_time;
    enter_phase(ex->http, ex->client, PHASE_BODY, limit);
    if (!given_up) return MHD_YES;
    refuse(ex, ex->fault);
    return send_answer(ex);
}

static enum MHD_Result take_body(struct exchange *ex, const char *bytes, size_t n) {
    add_phase_bytes(ex->http, ex->client, n);
    count(ex->http, COUNT_IN, n);
    if (ex->fault.code == ERR_NONE && ex->body.len + ex->request.body_bytes + n > ex->plan.max_body)
        ex->fault = err_make(ERR_TOO_LARGE, "a body of more than %zu bytes: send less at once", ex->plan.max_body);
    if (ex->fault.code == ERR_NONE && ex->body_fd >= 0) {
        ex->fault = add_to_file(ex, bytes, n);
        return MHD_YES;
    }
    if (ex->fault.code == ERR_NONE) {
        buf_add(&ex->body, bytes, n);
        return MHD_YES;
    }
    buf_fini(&ex->body);
    ex->body = (struct buf){0};
    ex->drained += n;
    return ex->drained > DRAIN_MAX + ex->plan.max_body ? MHD_NO : MHD_YES;
}

static enum MHD_Result dispatch(struct exchange *ex) {
    enter_phase(ex->http, ex->client, PHASE_ANSWER, 0);
    if (ex->fault.code != ERR_NONE)
        refuse(ex, ex->fault);
    else if (ex->plan.at_once)
        run_handler(ex);
    if (ex->ready) return send_answer(ex);
    /* suspended first: a worker may be done before this returns */
    MHD_suspend_connection(ex->connection);
    if (!crew_try_push(ex->http->workers, ex)) {
        refuse(ex, err_make(ERR_BUSY, "%zu requests wait already: try again in a second", crew_len(ex->http->workers)));
        MHD_resume_connection(ex->connection);
    }
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *bytes, size_t *n, void **con_cls) {
    struct exchange *ex = *con_cls;
    (void)cls, (void)connection, (void)url, (void)version;
    if (!ex->begun) return begin(ex, method);
    if (*n > 0) {
        enum MHD_Result result = take_body(ex, bytes, *n);
        *n = 0;
        return result;
    }
    return ex->ready ? send_answer(ex) : dispatch(ex);
}

/* ---- the server begins and ends */

/* Targets are decoded by us, piece by piece: a '%2F' in a name must not become a '/'. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text) {
    (void)cls, (void)connection;
    return strlen(text);
}

static void log_line(void *cls, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
static void log_line(void *cls, const char *format, va_list args) {
    char text[200];
    (void)cls;
    int n = vsnprintf(text, sizeof text, format, args);
    if (n > 0) LOG_DEBUG("http.library", LOG_S("text", str_trim(str_c(text))));
}

static void set_defaults(struct http_options *o) {
    if (!o->workers) o->workers = 4;
    if (o->workers > WORKERS_MAX) o->workers = WORKERS_MAX;
    if (!o->max_waiting) o->max_waiting = 256;
    if (!o->max_connections) o->max_connections = 4096;
    if (!o->max_per_client) o->max_per_client = o->max_connections / 2 + 1;
    if (!o->max_body) o->max_body = 1024 * 1024;
    if (!o->max_header) o->max_header = 16 * 1024;
    if (!o->header_time) o->header_time = 10 * NANOS_PER_S;
    if (!o->request_time) o->request_time = 30 * NANOS_PER_S;
    if (!o->idle_time) o->idle_time = 60 * NANOS_PER_S;
    if (!o->send_time) o->send_time = 120 * NANOS_PER_S;
    if (!o->min_rate) o->min_rate = 512;
}

static Err start_daemon(struct http *http) {
    const struct http_options *o = &http->options;
    http->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request, http,
        MHD_OPTION_EXTERNAL_LOGGER, log_line, NULL, MHD_OPTION_LISTEN_SOCKET, http->listener,
        MHD_OPTION_URI_LOG_CALLBACK, on_uri, http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->max_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        (unsigned)o->max_per_client, MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->max_header, MHD_OPTION_CONNECTION_TIMEOUT,
        0u, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    return http->daemon ? err_none() : err_make(ERR_IO, "the HTTP server does not start on '%s'", http->address);
}

static Err start_threads(struct http *http) {
    const struct crew_options crew = {.name = "http-work",
                                      .running = http->options.workers,
                                      .most = http->options.workers + WAITING_WORKERS_MAX,
                                      .max_waiting = http->options.max_waiting,
                                      .work = work,
                                      .ctx = http};
    TRY(thread_start(&http->sweeper, "http-sweep", sweep, http));
    TRY(crew_start(&crew, &http->workers));
    return start_daemon(http);
}

Err http_start(const struct http_options *options, struct http **out) {
    ASSERT(options->plan && options->handle && options->refuse);
    int listener;
    TRY(net_listen(options->listen, &listener));
    struct http *http = calloc(1, sizeof *http);
    ASSERT(http != NULL);
    http->options = *options;
    set_defaults(&http->options);
    http->listener = listener;
    net_address(listener, http->address);
    thread_mutex_init(&http->mutex);
    thread_cond_init(&http->stopped);
    process_random(&http->boot, sizeof http->boot);
    Err err = start_threads(http);
    if (err.code != ERR_NONE) {
        http_stop(http);
        return err;
    }
    *out = http;
    return err_none();
}

static void end_streams(struct http *http) {
    thread_lock(&http->mutex);
    http->stopping = true;
    thread_broadcast(&http->stopped);
    for (struct client *c = http->clients; c; c = c->next)
        if (c->stream) http_stream_end(c->stream);
    thread_unlock(&http->mutex);
}

void http_stop(struct http *http) {
    if (!http) return;
    if (http->daemon) MHD_quiesce_daemon(http->daemon);
    end_streams(http);
    crew_stop(http->workers);
    http->workers = NULL;
    /* the answers of the last handlers go out */
    for (Nanos end = clock_monotonic() + STOP_PATIENCE; atomic_load(&http->exchanges) && clock_monotonic() < end;)
        clock_sleep(2 * NANOS_PER_MS);
    if (http->daemon) MHD_stop_daemon(http->daemon);
    if (http->sweeper) thread_join(http->sweeper);
    net_close(http->listener);
    thread_cond_fini(&http->stopped);
    thread_mutex_fini(&http->mutex);
    free(http);
}

uint16_t http_port(const struct http *http) { return net_port(http->listener); }

const char *http_address(const struct http *http) { return http->address; }

void http_stats(const struct http *http, struct http_stats *out) {
    struct http *h = (struct http *)(uintptr_t)http; /* the mutex is taken, nothing changes */
    uint64_t n[COUNTERS];
    for (int i = 0; i < COUNTERS; i++) n[i] = atomic_load_explicit(&h->counters[i], memory_order_relaxed);
    *out = (struct http_stats){.waiting = crew_len(h->workers),
                               .requests = n[COUNT_REQUESTS],
                               .refused_busy = n[COUNT_BUSY],
                               .refused_large = n[COUNT_LARGE],
                               .refused_slow = n[COUNT_SLOW],
                               .refused_malformed = n[COUNT_MALFORMED],
                               .streams_dropped = n[COUNT_DROPPED],
                               .bytes_in = n[COUNT_IN],
                               .bytes_out = n[COUNT_OUT]};
    thread_lock(&h->mutex);
    out->connections = h->n_clients;
    out->streams = h->n_streams;
    thread_unlock(&h->mutex);
}
