#include "os/http_text.h"

#include <string.h>

static int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool http_text_decode(Str text, bool plus, struct arena *arena, Str *out) {
    char *to = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '+' && plus) c = ' ';
        if (c == '%') {
            int high = i + 2 < text.len ? hex(text.ptr[i + 1]) : -1;
            int low = i + 2 < text.len ? hex(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0') return false;
        to[n++] = c;
    }
    to[n] = '\0';
    *out = str_n(to, n);
    return str_is_utf8(*out);
}

/* "b>=2" split at its '=' has lost half its operator, "b>2" was not split at all: both become an operator's name. */
static void mend_operator(struct arena *arena, bool split, struct http_pair *pair) {
    char last = pair->name.len ? pair->name.ptr[pair->name.len - 1] : '\0';
    if (split && strchr("<>!", last) && last) pair->name = arena_printf(arena, STR_FMT "=", STR_ARG(pair->name));
    if (split) return;
    Str text = pair->name;
    size_t at = 0;
    while (at < text.len && !strchr("<>=", text.ptr[at])) at++;
    if (at == text.len) return;
    size_t value = at + 1 < text.len && text.ptr[at] != '=' && text.ptr[at + 1] == '=' ? at + 2 : at + 1;
    bool keep = text.ptr[at] != '=' || (at > 0 && text.ptr[at - 1] == '!');
    pair->name = str_slice(text, 0, keep ? value : at);
    pair->value = str_slice(text, value, text.len);
}

Err http_text_query(Str query, struct arena *arena, struct http_pair **out, size_t *n) {
    *n = 0;
    *out = arena_zero(arena, HTTP_TEXT_PARAMS_MAX, sizeof **out);
    while (query.len > 0) {
        Str part, rest, name, value;
        str_cut(query, '&', &part, &rest);
        query = rest;
        if (part.len == 0) continue;
        if (*n == HTTP_TEXT_PARAMS_MAX)
            return err_make(ERR_INVALID, "more than %d query parameters: leave some out", HTTP_TEXT_PARAMS_MAX);
        struct http_pair *pair = &(*out)[*n];
        bool split = str_cut(part, '=', &name, &value);
        if (!http_text_decode(name, true, arena, &pair->name) || !http_text_decode(value, true, arena, &pair->value))
            return err_make(ERR_INVALID,
                            "query parameter %zu is not well-formed: percent-encode it as UTF-8 without NUL", *n + 1);
        mend_operator(arena, split, pair);
        (*n)++;
    }
    return err_none();
}

Str http_text_cookie(Str header, const char *name) {
    while (header.len > 0) {
        Str part, rest, key, value;
        str_cut(header, ';', &part, &rest);
        header = rest;
        str_cut(str_trim(part), '=', &key, &value);
        if (str_eq_c(key, name)) return value;
    }
    return (Str){0};
}

/* One element of a comma-separated list, in halves at its ';'. */
static bool next_element(Str *list, Str *element, Str *parameters) {
    while (list->len > 0) {
        Str part, rest;
        str_cut(*list, ',', &part, &rest);
        *list = rest;
        str_cut(part, ';', element, parameters);
        *element = str_trim(*element);
        if (element->len > 0) return true;
    }
    return false;
}

static bool weight_is_zero(Str parameters) {
    while (parameters.len > 0) {
        Str part, rest, key, value;
        str_cut(parameters, ';', &part, &rest);
        parameters = rest;
        str_cut(str_trim(part), '=', &key, &value);
        double q;
        if (str_eq_nocase(str_trim(key), STR("q"))) return str_to_f64(str_trim(value), &q) && q == 0;
    }
    return false;
}

bool http_text_accepts_gzip(Str header) {
    Str element, parameters;
    bool any = false;
    while (next_element(&header, &element, &parameters)) {
        if (str_eq_nocase(element, STR("gzip")) || str_eq_nocase(element, STR("x-gzip")))
            return !weight_is_zero(parameters);
        if (str_eq_c(element, "*")) any = !weight_is_zero(parameters);
    }
    return any;
}

bool http_text_etag_in(Str header, Str etag, bool strong) {
    if (str_eq_c(str_trim(header), "*")) return true;
    Str element, parameters;
    while (next_element(&header, &element, &parameters)) {
        bool weak = str_starts(element, STR("W/"));
        if (weak && strong) continue;
        if (str_eq(weak ? str_slice(element, 2, element.len) : element, etag)) return true;
    }
    return false;
}

Str http_text_media_type(Str header) {
    Str type, parameters;
    str_cut(header, ';', &type, &parameters);
    return str_trim(type);
}

bool http_text_target(Str target, Str *path, Str *query) {
    str_cut(target, '?', path, query);
    if (str_eq_c(*path, "*")) return true;
    ptrdiff_t scheme = path->len > 0 && path->ptr[0] != '/' ? str_find(*path, STR("://")) : -1;
    if (scheme > 0) {
        Str rest = str_slice(*path, (size_t)scheme + 3, path->len);
        ptrdiff_t slash = str_find(rest, STR("/"));
        *path = slash < 0 ? STR("/") : str_slice(rest, (size_t)slash, rest.len);
    }
    return path->len > 0 && path->ptr[0] == '/';
}
