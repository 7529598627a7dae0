/*
 * Reading JSON: a strict, exact tree by jansson (RFC 8259; duplicate keys, NUL in strings and bad UTF-8 are refused;
 * integers of 64 bits stay exact). Writing is base/jw.h.
 * Telemetry on the hot path has its own scanner in connect/.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct json; /* a value in a tree; children are borrowed from their parent */

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

#define JSON_DEPTH_MAX 64

Err json_parse(Str text, struct json **out); /* error says line, column and what was expected; free with json_free */
void json_free(struct json *root);           /* NULL is fine; only for roots */
enum json_kind json_kind(const struct json *v);
bool json_bool(const struct json *v); /* ASSERTs the kind, as all of these do */
int64_t json_int(const struct json *v);
double json_num(const struct json *v); /* int or real */
Str json_str(const struct json *v);
size_t json_len(const struct json *v); /* array or object */
const struct json *json_at(const struct json *array, size_t i);
const struct json *json_get(const struct json *object, const char *key); /* NULL: absent, or v is NULL or no object */
Str json_get_str(const struct json *object, const char *key, Str fallback); /* fallback when absent or another kind */
int64_t json_get_int(const struct json *object, const char *key, int64_t fallback);
double json_get_num(const struct json *object, const char *key, double fallback);
bool json_get_bool(const struct json *object, const char *key, bool fallback);
/* Members in the order of the text: void *at = NULL; while (json_next(obj, &at, &key, &value)) … */
bool json_next(const struct json *object, void **at, Str *key, const struct json **value);
void json_dump(const struct json *v, struct buf *out); /* compact */
/* A value as people read it: a string without quotes, null empty, a list or object as JSON. */
Str json_text(const struct json *v, struct arena *arena);
/* The same of the first of two members that an object has; of anything else, of itself. */
Str json_text_of(const struct json *v, const char *member, const char *other, struct arena *arena);

#endif
