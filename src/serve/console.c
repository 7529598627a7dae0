#include "serve/console.h"

#include <stdlib.h>
#include <string.h>

#include "os/gzip.h"
#include "serve/console_file.h"

#define PLAIN_MAX (16 * 1024 * 1024)

static int compare(const void *key, const void *file) {
    return str_cmp(*(const Str *)key, str_c(((const struct console_file *)file)->path));
}

static const struct console_file *find(Str path) {
    if (console_files_count == 0) return NULL;
    return bsearch(&path, console_files, console_files_count, sizeof *console_files, compare);
}

/* Addresses inside the console ("/things/press-7") are its own to draw; anything that looks like a file is not. */
static bool is_page(Str path) {
    static const char *const reserved[] = {"/api/", "/assets/", "/problems/"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_starts(path, str_c(reserved[i]))) return false;
    return !str_eq_c(path, "/api");
}

static const struct console_file *choose(const struct http_request *request) {
    Str path = str_eq_c(request->path, "/") ? STR("/index.html") : request->path;
    const struct console_file *file = find(path);
    return file || !is_page(path) ? file : find(STR("/index.html"));
}

/* One file lies gzipped or plain; a client that takes no gzip gets it unpacked. */
static Err put_bytes(const struct http_request *request, const struct console_file *file,
                     struct http_response *response) {
    if (!file->gzip_bytes) {
        response->bytes = file->bytes;
        response->len = file->len;
        return err_none();
    }
    http_response_header(response, "Vary", STR("Accept-Encoding"));
    if (!http_text_accepts_gzip(http_header(request, "Accept-Encoding")))
        return gzip_unpack(str_n((const char *)file->gzip_bytes, file->gzip_len), PLAIN_MAX, &response->body);
    http_response_header(response, "Content-Encoding", STR("gzip"));
    response->bytes = file->gzip_bytes;
    response->len = file->gzip_len;
    return err_none();
}

Err console_answer(const struct http_request *request, struct http_response *response) {
    const struct console_file *file = choose(request);
    if (!file && console_files_count == 0 && is_page(request->path))
        return err_make(ERR_NOT_FOUND, "this program was built without its console: see console/ and build again");
    if (!file) return err_make(ERR_NOT_FOUND, "nothing is at this address: see /api/v1/openapi.json");
    if (request->method != HTTP_GET && request->method != HTTP_HEAD)
        return err_make(ERR_METHOD, "the console's files take GET only");
    bool lasting = str_starts(str_c(file->path), STR("/assets/"));
    response->keep_plain = true;
    http_response_header(response, "ETag", str_c(file->etag));
    http_response_header(response, "Cache-Control",
                         lasting ? STR("public, max-age=31536000, immutable") : STR("no-cache"));
    if (http_text_etag_in(http_header(request, "If-None-Match"), str_c(file->etag), false)) {
        response->status = 304;
        return err_none();
    }
    response->content_type = file->content_type;
    return put_bytes(request, file, response);
}
