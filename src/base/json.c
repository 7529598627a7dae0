/*
 * struct json is jansson's json_t under another name: a tree costs no second copy. jansson's names of kinds collide
 * with ours, so they are renamed while its header is read; its json_is_... macros must therefore not be used here.
 */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_REAL JANSSON_REAL
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include <string.h>

#include "base/json.h"
#include "base/jw.h"
#include "base/num.h"

/* jansson's calls take a mutable pointer even where they only read. */
static json_t *tree(const struct json *v) { return (json_t *)(uintptr_t)v; }

static const struct json *value(const json_t *v) { return (const struct json *)v; }

/* jansson would recurse 2,048 deep; ours is refused before it begins. True when deeper than JSON_DEPTH_MAX. */
static bool too_deep(Str text) {
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"')
            in_string = true;
        else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX) return true;
        } else if ((c == '}' || c == ']') && depth)
            depth--;
    }
    return false;
}

Err json_parse(Str text, struct json **out) {
    *out = NULL;
    if (too_deep(text)) return err_make(ERR_INVALID, "json nested deeper than %d levels: flatten it", JSON_DEPTH_MAX);
    json_error_t error;
    json_t *root = json_loadb(text.ptr ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!root)
        return err_make(ERR_INVALID, "not valid json at line %d, column %d: %s", error.line, error.column, error.text);
    *out = (struct json *)root;
    return err_none();
}

void json_free(struct json *root) { json_decref((json_t *)root); }

enum json_kind json_kind(const struct json *v) {
    static const enum json_kind kinds[] = {
        [JANSSON_OBJECT] = JSON_OBJECT, [JANSSON_ARRAY] = JSON_ARRAY, [JANSSON_STRING] = JSON_STRING,
        [JANSSON_INTEGER] = JSON_INT,   [JANSSON_REAL] = JSON_REAL,   [JANSSON_TRUE] = JSON_BOOL,
        [JANSSON_FALSE] = JSON_BOOL,    [JANSSON_NULL] = JSON_NULL,
    };
    return kinds[json_typeof(tree(v))];
}

bool json_bool(const struct json *v) {
    ASSERT(json_kind(v) == JSON_BOOL);
    return json_typeof(tree(v)) == JANSSON_TRUE;
}

int64_t json_int(const struct json *v) {
    ASSERT(json_kind(v) == JSON_INT);
    return json_integer_value(tree(v));
}

double json_num(const struct json *v) {
    ASSERT(json_kind(v) == JSON_INT || json_kind(v) == JSON_REAL);
    return json_number_value(tree(v));
}

Str json_str(const struct json *v) {
    ASSERT(json_kind(v) == JSON_STRING);
    return (Str){json_string_value(tree(v)), json_string_length(tree(v))};
}

size_t json_len(const struct json *v) {
    ASSERT(json_kind(v) == JSON_ARRAY || json_kind(v) == JSON_OBJECT);
    return json_kind(v) == JSON_ARRAY ? json_array_size(tree(v)) : json_object_size(tree(v));
}

const struct json *json_at(const struct json *array, size_t i) {
    ASSERT(json_kind(array) == JSON_ARRAY && i < json_array_size(tree(array)));
    return value(json_array_get(tree(array), i));
}

const struct json *json_get(const struct json *object, const char *key) {
    if (!object || json_kind(object) != JSON_OBJECT) return NULL;
    return value(json_object_get(tree(object), key));
}

Str json_get_str(const struct json *object, const char *key, Str fallback) {
    const struct json *v = json_get(object, key);
    return v && json_kind(v) == JSON_STRING ? json_str(v) : fallback;
}

int64_t json_get_int(const struct json *object, const char *key, int64_t fallback) {
    const struct json *v = json_get(object, key);
    return v && json_kind(v) == JSON_INT ? json_int(v) : fallback;
}

double json_get_num(const struct json *object, const char *key, double fallback) {
    const struct json *v = json_get(object, key);
    return v && (json_kind(v) == JSON_INT || json_kind(v) == JSON_REAL) ? json_num(v) : fallback;
}

bool json_get_bool(const struct json *object, const char *key, bool fallback) {
    const struct json *v = json_get(object, key);
    return v && json_kind(v) == JSON_BOOL ? json_bool(v) : fallback;
}

bool json_next(const struct json *object, void **at, Str *key, const struct json **out) {
    ASSERT(json_kind(object) == JSON_OBJECT);
    void *iter = *at ? json_object_iter_next(tree(object), *at) : json_object_iter(tree(object));
    if (!iter) return false;
    *at = iter;
    *key = str_c(json_object_iter_key(iter));
    *out = value(json_object_iter_value(iter));
    return true;
}

static void dump(const struct json *v, struct jw *w);

static void dump_array(const struct json *v, struct jw *w) {
    jw_array(w);
    for (size_t i = 0; i < json_len(v); i++) dump(json_at(v, i), w);
    jw_array_end(w);
}

static void dump_object(const struct json *v, struct jw *w) {
    Str key;
    const struct json *member;
    jw_object(w);
    for (void *at = NULL; json_next(v, &at, &key, &member);) {
        jw_key_str(w, key);
        dump(member, w);
    }
    jw_object_end(w);
}

/* A real stays a real when read again: 3.0, not 3. */
static void dump_real(double v, struct jw *w) {
    char text[NUM_TEXT_MAX];
    Str s = num_format(v, text);
    jw_raw(w, s);
    if (!memchr(s.ptr, '.', s.len) && !memchr(s.ptr, 'e', s.len)) buf_c(w->out, ".0");
}

static void dump(const struct json *v, struct jw *w) {
    switch (json_kind(v)) {
    case JSON_NULL: jw_null(w); break;
    case JSON_BOOL: jw_bool(w, json_bool(v)); break;
    case JSON_INT: jw_int(w, json_int(v)); break;
    case JSON_REAL: dump_real(json_num(v), w); break;
    case JSON_STRING: jw_str(w, json_str(v)); break;
    case JSON_ARRAY: dump_array(v, w); break;
    case JSON_OBJECT: dump_object(v, w); break;
    }
}

void json_dump(const struct json *v, struct buf *out) {
    struct jw w;
    jw_init(&w, out);
    dump(v, &w);
}

Str json_text(const struct json *v, struct arena *arena) {
    char text[NUM_TEXT_MAX];
    struct buf dumped = {0};
    switch (json_kind(v)) {
    case JSON_NULL: return (Str){0};
    case JSON_BOOL: return json_bool(v) ? STR("true") : STR("false");
    case JSON_INT: return arena_str(arena, num_format_decimal(json_int(v), 0, text));
    case JSON_REAL: return arena_str(arena, num_format(json_num(v), text));
    case JSON_STRING: return json_str(v);
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    json_dump(v, &dumped);
    Str out = arena_str(arena, buf_view(&dumped));
    buf_fini(&dumped);
    return out;
}

Str json_text_of(const struct json *v, const char *member, const char *other, struct arena *arena) {
    if (json_kind(v) != JSON_OBJECT) return json_text(v, arena);
    const struct json *part = json_get(v, member);
    if (!part) part = json_get(v, other);
    return part ? json_text(part, arena) : (Str){0};
}
