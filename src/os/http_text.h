/* The texts of HTTP, parsed: what is ours to read of a request. Nothing here fails other than by its result. */
#ifndef OS_HTTP_TEXT_H
#define OS_HTTP_TEXT_H

#include "base/arena.h"
#include "base/err.h"

struct http_pair {
    Str name, value;
};

#define HTTP_TEXT_PARAMS_MAX 64

/* Percent-decoding (and '+' as a blank when plus). False: a bad escape, a NUL, or bytes that are not UTF-8. */
bool http_text_decode(Str text, bool plus, struct arena *arena, Str *out);
/* Decoded pairs of "a=1&b>=2": a name keeps the '<', '>' or '!' before its '=', so that "b>=2" is ("b>=", "2"). */
Err http_text_query(Str query, struct arena *arena, struct http_pair **out, size_t *n);
/* Value of a cookie in a Cookie header; empty: absent. */
Str http_text_cookie(Str header, const char *name);
/* Does an Accept-Encoding header allow gzip? */
bool http_text_accepts_gzip(Str header);
/* Is etag (with its quotes) in an If-None-Match or If-Match header? "*" matches all. strong: weak tags never match. */
bool http_text_etag_in(Str header, Str etag, bool strong);
/* Media type of a Content-Type header without its parameters: "application/json". */
Str http_text_media_type(Str header);
/* The path and query of a request target: "/a?b" or "http://host/a?b". False: neither. "*" gives path "*". */
bool http_text_target(Str target, Str *path, Str *query);

#endif
