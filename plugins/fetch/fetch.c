/* HTTP and mail out by libcurl, for os/fetch.c. */
#include <curl/curl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fetch.h"

#define TIME_DEFAULT (10 * NANOS_PER_S)
#define BYTES_DEFAULT ((size_t)1 << 20)

struct call {
    CURL *curl;
    const struct fetch_limits *limits;
    bool (*is_private)(const struct sockaddr *);
    bool refused, too_large;
    size_t max_bytes;
    struct buf *body;
    Str rest; /* of a mail that is sent */
    char why[CURL_ERROR_SIZE];
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void init_once(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

/* ---- called by curl */

/* The address is known here, after the name was resolved and before anything is sent. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address) {
    struct call *call = ctx;
    (void)purpose;
    if (!call->limits->private_too && call->is_private(&address->addr)) {
        call->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t take_body(char *bytes, size_t size, size_t n, void *ctx) {
    struct call *call = ctx;
    size_t len = size * n;
    if (call->body->len + len > call->max_bytes) {
        call->too_large = true;
        return 0;
    }
    buf_add(call->body, bytes, len);
    return len;
}

static size_t give_mail(char *bytes, size_t size, size_t n, void *ctx) {
    struct call *call = ctx;
    size_t len = size * n < call->rest.len ? size * n : call->rest.len;
    memcpy(bytes, call->rest.ptr, len);
    call->rest = str_slice(call->rest, len, call->rest.len);
    return len;
}

/* ---- around a call */

static Err begin(struct call *call) {
    pthread_once(&once, init_once);
    call->curl = curl_easy_init();
    if (!call->curl) return err_make(ERR_IO, "libcurl does not start");
    CURL *c = call->curl;
    Nanos time = call->limits->time ? call->limits->time : TIME_DEFAULT;
    call->max_bytes = call->limits->max_bytes ? call->limits->max_bytes : BYTES_DEFAULT;
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)(time / NANOS_PER_MS));
    curl_easy_setopt(c, CURLOPT_PROXY, "");
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, call->why);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (call->limits->ca_file) curl_easy_setopt(c, CURLOPT_CAINFO, call->limits->ca_file);
    return err_none();
}

static Err failure(const struct call *call, CURLcode code) {
    const char *why = call->why[0] ? call->why : curl_easy_strerror(code);
    if (call->refused)
        return err_make(ERR_FORBIDDEN, "the address lies in this server's own network, which is not called");
    if (call->too_large)
        return err_make(ERR_TOO_LARGE, "the answer has more than %zu bytes: it is not read further", call->max_bytes);
    switch (code) {
    case CURLE_OK: return err_none();
    case CURLE_OPERATION_TIMEDOUT: return err_make(ERR_TIMEOUT, "no answer in time: %.180s", why);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return err_make(ERR_INVALID, "the address cannot be called: %.180s", why);
    case CURLE_FILESIZE_EXCEEDED: return err_make(ERR_TOO_LARGE, "the answer is too large: it is not read");
    default: return err_make(ERR_IO, "the call failed: %.180s", why);
    }
}

static Err run(struct call *call) {
    CURLcode code = curl_easy_perform(call->curl);
    return failure(call, code);
}

static Err set_text(struct call *call, CURLoption option, Str text) {
    struct buf copy = {0};
    buf_str(&copy, text);
    buf_byte(&copy, 0);
    CURLcode code = curl_easy_setopt(call->curl, option, copy.ptr);
    buf_fini(&copy);
    return code == CURLE_OK ? err_none() : err_make(ERR_INVALID, "libcurl takes no such text: shorten it");
}

static void add_line(struct curl_slist **list, Str name, Str value, const char *between) {
    struct buf line = {0};
    buf_str(&line, name);
    buf_c(&line, between);
    buf_str(&line, value);
    buf_byte(&line, 0);
    *list = curl_slist_append(*list, line.ptr);
    ASSERT(*list);
    buf_fini(&line);
}

/* ---- HTTP */

static Err set_request(struct call *call, const struct fetch_request *r) {
    CURL *c = call->curl;
    const char *schemes = r->limits.plain ? "http,https" : "https";
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes);
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, r->redirects > 0 ? 1L : 0L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)r->redirects);
    curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, call);
    TRY(set_text(call, CURLOPT_URL, r->url));
    if (r->body.len > 0 || (r->method && strcmp(r->method, "POST") == 0)) {
        curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.len ? r->body.ptr : "");
    }
    if (r->method && strcmp(r->method, "GET") != 0) curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
    return err_none();
}

static Err http(const struct fetch_request *request, bool (*is_private)(const struct sockaddr *),
                struct fetch_raw *out) {
    struct call call = {.limits = &request->limits, .is_private = is_private, .body = &out->body};
    struct curl_slist *headers = NULL;
    long status = 0;
    const char *type = NULL;
    TRY(begin(&call));
    for (size_t i = 0; i < request->n_headers; i++)
        add_line(&headers, request->headers[i].name, request->headers[i].value, ": ");
    add_line(&headers, STR("Expect:"), STR(""), ""); /* no waiting for 100 Continue */
    curl_easy_setopt(call.curl, CURLOPT_HTTPHEADER, headers);
    Err err = set_request(&call, request);
    if (err.code == ERR_NONE) err = run(&call);
    curl_easy_getinfo(call.curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call.curl, CURLINFO_CONTENT_TYPE, &type);
    out->status = (int)status;
    if (type) strncat(out->content_type, type, sizeof out->content_type - 1);
    curl_slist_free_all(headers);
    curl_easy_cleanup(call.curl);
    return err;
}

/* ---- mail */

static Err set_mail(struct call *call, const struct fetch_mail *m) {
    CURL *c = call->curl;
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(m->limits.plain ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(c, CURLOPT_READFUNCTION, give_mail);
    curl_easy_setopt(c, CURLOPT_READDATA, call);
    TRY(set_text(call, CURLOPT_URL, m->server));
    TRY(set_text(call, CURLOPT_MAIL_FROM, m->from));
    if (m->user.len == 0) return err_none();
    TRY(set_text(call, CURLOPT_USERNAME, m->user));
    return set_text(call, CURLOPT_PASSWORD, m->password);
}

static Err mail(const struct fetch_mail *m, bool (*is_private)(const struct sockaddr *)) {
    struct buf ignored = {0};
    struct call call = {.limits = &m->limits, .is_private = is_private, .body = &ignored, .rest = m->text};
    struct curl_slist *to = NULL;
    TRY(begin(&call));
    for (size_t i = 0; i < m->n_to; i++) add_line(&to, STR(""), m->to[i], "");
    curl_easy_setopt(call.curl, CURLOPT_MAIL_RCPT, to);
    Err err = set_mail(&call, m);
    if (err.code == ERR_NONE) err = run(&call);
    curl_slist_free_all(to);
    curl_easy_cleanup(call.curl);
    buf_fini(&ignored);
    return err;
}

__attribute__((visibility("default"))) extern const struct fetch_plugin weft_plugin;
const struct fetch_plugin weft_plugin = {.http = http, .mail = mail};
