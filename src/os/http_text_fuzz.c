/*
 * What we read of a request: lines as they would come, the first a target, the others header values; what follows an
 * empty line is a body, taken as gzip. Decoded texts must be UTF-8 without NUL.
 */
#include "os/gzip.h"
#include "os/http_text.h"

enum { BODY_MAX = 1 << 16 };

static void read_target(Str target, struct arena *arena) {
    Str path, query, part;
    struct http_pair *pairs;
    size_t n;
    if (!http_text_target(target, &path, &query)) return;
    if (http_text_decode(path, false, arena, &part)) ASSERT(str_is_utf8(part) && str_find(part, str_n("", 1)) < 0);
    if (http_text_query(query, arena, &pairs, &n).code != ERR_NONE) return;
    ASSERT(n <= HTTP_TEXT_PARAMS_MAX);
    for (size_t i = 0; i < n; i++) ASSERT(str_is_utf8(pairs[i].name) && str_is_utf8(pairs[i].value));
}

static void read_header(Str value) {
    Str cookie = http_text_cookie(value, "weft_session"), type = http_text_media_type(value);
    ASSERT(cookie.len <= value.len && type.len <= value.len);
    http_text_accepts_gzip(value);
    bool strong = http_text_etag_in(value, STR("\"7\""), true);
    ASSERT(!strong || http_text_etag_in(value, STR("\"7\""), false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct buf body = {0};
    Str rest = str_n((const char *)data, size), line, tail;
    arena_init(&arena, 0);
    for (bool first = true; str_cut(rest, '\n', &line, &tail) && line.len > 0; first = false) {
        if (first) read_target(line, &arena);
        read_header(line);
        rest = tail;
    }
    if (gzip_unpack(tail, BODY_MAX, &body).code == ERR_NONE) ASSERT(body.len <= BODY_MAX);
    buf_fini(&body);
    arena_fini(&arena);
    return 0;
}
