/* Reading and writing terms. Each list is read by one function from its member; a fault names the member's path. */
#include "trust/terms.h"

#include <string.h>

#define PURPOSE_MAX 1000
#define NAME_MAX_BYTES 255
#define VALUE_MAX_BYTES 4096

static const char *const resolutions[] = {[TERMS_RAW] = "raw", [TERMS_HOURLY] = "hourly", [TERMS_INDEX] = "index"};
static const char *const ops[] = {"eq", "ne", "lt", "le", "gt", "ge"};

/* ---- small pieces */

static Err wrong(Str path, const char *what) {
    return err_make(ERR_INVALID, "terms: '" STR_FMT "' %s", STR_ARG(str_slice(path, 0, 100)), what);
}

static Err only_members(const struct json *object, Str path, const char *const *known, struct arena *arena) {
    void *at = NULL;
    Str key;
    const struct json *v;
    while (json_next(object, &at, &key, &v)) {
        bool found = false;
        for (const char *const *k = known; *k; k++) found = found || str_eq_c(key, *k);
        if (!found)
            return wrong(arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(path), path.len ? "." : "",
                                      STR_ARG(str_slice(key, 0, 40))),
                         "is not known: look at the members of an agreement's terms in docs/sharing.md");
    }
    return err_none();
}

static bool absent(const struct json *v) { return !v || json_kind(v) == JSON_NULL; }

static Err read_text(const struct json *v, Str path, size_t max, struct arena *arena, Str *out) {
    if (!v || json_kind(v) != JSON_STRING) return wrong(path, "is missing or no text");
    Str text = json_str(v);
    if (text.len == 0 || text.len > max) return wrong(path, "is empty or too long");
    *out = arena_str(arena, text);
    return err_none();
}

static Err read_bool(const struct json *object, const char *name, bool *out) {
    const struct json *v = json_get(object, name);
    *out = false;
    if (absent(v)) return err_none();
    if (json_kind(v) != JSON_BOOL) return wrong(str_c(name), "is neither true nor false");
    *out = json_bool(v);
    return err_none();
}

static Err read_time(const struct json *object, const char *name, Nanos fallback, Nanos *out) {
    const struct json *v = json_get(object, name);
    *out = fallback;
    if (absent(v)) return err_none();
    if (json_kind(v) != JSON_STRING || time_parse(json_str(v), out).code != ERR_NONE)
        return wrong(str_c(name), "is no time: write it as 2026-03-08T00:00:00Z");
    return err_none();
}

/* A list; absent: n 0. */
static Err list_length(const struct json *v, Str path, size_t max, size_t *n) {
    *n = 0;
    if (absent(v)) return err_none();
    if (json_kind(v) != JSON_ARRAY) return wrong(path, "is no list");
    *n = json_len(v);
    return *n <= max ? err_none() : wrong(path, "is too long a list");
}

static Err read_names(const struct json *v, Str path, size_t max, struct arena *arena, Str **out, size_t *n) {
    TRY(list_length(v, path, max, n));
    *out = arena_zero(arena, *n, sizeof **out);
    for (size_t i = 0; i < *n; i++) {
        Str at = arena_printf(arena, STR_FMT ".%zu", STR_ARG(path), i);
        TRY(read_text(json_at(v, i), at, NAME_MAX_BYTES, arena, &(*out)[i]));
        for (size_t k = 0; k < i; k++)
            if (str_eq((*out)[k], (*out)[i])) return wrong(at, "stands there twice");
    }
    return err_none();
}

/* ---- types */

static Err read_row(const struct json *v, Str path, struct arena *arena, struct terms_row *out) {
    static const char *const known[] = {"field", "op", "value", NULL};
    if (json_kind(v) != JSON_OBJECT) return wrong(path, "is no object");
    TRY(only_members(v, path, known, arena));
    TRY(read_text(json_get(v, "field"), arena_printf(arena, STR_FMT ".field", STR_ARG(path)), NAME_MAX_BYTES, arena,
                  &out->field));
    TRY(read_text(json_get(v, "op"), arena_printf(arena, STR_FMT ".op", STR_ARG(path)), 2, arena, &out->op));
    bool good = false;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) good = good || str_eq_c(out->op, ops[i]);
    if (!good) return wrong(arena_printf(arena, STR_FMT ".op", STR_ARG(path)), "is none of eq ne lt le gt ge");
    const struct json *value = json_get(v, "value");
    Str at = arena_printf(arena, STR_FMT ".value", STR_ARG(path));
    if (!absent(value) && (json_kind(value) == JSON_INT || json_kind(value) == JSON_BOOL)) {
        bool number = json_kind(value) == JSON_INT;
        out->value = number ? arena_printf(arena, "%lld", (long long)json_int(value))
                            : str_c(json_bool(value) ? "true" : "false");
        return err_none();
    }
    return read_text(value, at, VALUE_MAX_BYTES, arena, &out->value);
}

static Err read_rows(const struct json *v, Str path, struct arena *arena, struct terms_type *out) {
    TRY(list_length(v, path, LENS_ROWS_MAX, &out->n_rows));
    out->rows = arena_zero(arena, out->n_rows, sizeof *out->rows);
    for (size_t i = 0; i < out->n_rows; i++)
        TRY(read_row(json_at(v, i), arena_printf(arena, STR_FMT ".%zu", STR_ARG(path), i), arena, &out->rows[i]));
    return err_none();
}

static Err read_type(const struct json *v, Str path, struct arena *arena, struct terms_type *out) {
    static const char *const known[] = {"type", "fields", "rows", "aggregates", NULL};
    if (json_kind(v) != JSON_OBJECT) return wrong(path, "is no object");
    TRY(only_members(v, path, known, arena));
    TRY(read_text(json_get(v, "type"), arena_printf(arena, STR_FMT ".type", STR_ARG(path)), NAME_MAX_BYTES, arena,
                  &out->type));
    Str fields = arena_printf(arena, STR_FMT ".fields", STR_ARG(path));
    TRY(read_names(json_get(v, "fields"), fields, TERMS_FIELDS_MAX, arena, &out->fields, &out->n_fields));
    if (out->n_fields == 0) return wrong(fields, "is empty: name at least one field, as \"number\"");
    TRY(read_bool(v, "aggregates", &out->aggregates));
    return read_rows(json_get(v, "rows"), arena_printf(arena, STR_FMT ".rows", STR_ARG(path)), arena, out);
}

static Err read_types(const struct json *v, struct arena *arena, struct terms *out) {
    TRY(list_length(v, STR("types"), TERMS_TYPES_MAX, &out->n_types));
    out->types = arena_zero(arena, out->n_types, sizeof *out->types);
    for (size_t i = 0; i < out->n_types; i++) {
        Str path = arena_printf(arena, "types.%zu", i);
        TRY(read_type(json_at(v, i), path, arena, &out->types[i]));
        for (size_t k = 0; k < i; k++)
            if (str_eq(out->types[k].type, out->types[i].type)) return wrong(path, "gives a type for the second time");
    }
    return err_none();
}

/* ---- series */

static Err read_resolution(const struct json *v, Str path, struct terms_series *out) {
    if (v && json_kind(v) == JSON_STRING)
        for (unsigned i = 0; i < sizeof resolutions / sizeof *resolutions; i++)
            if (str_eq_c(json_str(v), resolutions[i])) {
                out->resolution = i;
                return err_none();
            }
    return wrong(path, "is none of raw, hourly, index");
}

static Err read_one_series(const struct json *v, Str path, struct arena *arena, struct terms_series *out) {
    static const char *const known[] = {"things", "model", "metrics", "resolution", NULL};
    if (json_kind(v) != JSON_OBJECT) return wrong(path, "is no object");
    TRY(only_members(v, path, known, arena));
    const struct json *things = json_get(v, "things"), *model = json_get(v, "model"), *metrics = json_get(v, "metrics");
    if (!absent(things)) {
        Str at = arena_printf(arena, STR_FMT ".things", STR_ARG(path));
        TRY(read_names(things, at, TERMS_NAMES_MAX, arena, &out->things, &out->n_things));
        if (out->n_things == 0) return wrong(at, "is empty: name things, or leave it out for every thing");
    } else {
        out->things = NULL;
    }
    if (!absent(model))
        TRY(read_text(model, arena_printf(arena, STR_FMT ".model", STR_ARG(path)), NAME_MAX_BYTES, arena, &out->model));
    out->every_metric = absent(metrics);
    Str at = arena_printf(arena, STR_FMT ".metrics", STR_ARG(path));
    TRY(read_names(metrics, at, TERMS_NAMES_MAX, arena, &out->metrics, &out->n_metrics));
    if (!out->every_metric && out->n_metrics == 0)
        return wrong(at, "is empty: name metrics, or leave it out for every metric");
    return read_resolution(json_get(v, "resolution"), arena_printf(arena, STR_FMT ".resolution", STR_ARG(path)), out);
}

static Err read_series(const struct json *v, struct arena *arena, struct terms *out) {
    TRY(list_length(v, STR("series"), TERMS_SERIES_MAX, &out->n_series));
    out->series = arena_zero(arena, out->n_series, sizeof *out->series);
    for (size_t i = 0; i < out->n_series; i++)
        TRY(read_one_series(json_at(v, i), arena_printf(arena, "series.%zu", i), arena, &out->series[i]));
    return err_none();
}

/* ---- the whole */

static Err read_min_group(const struct json *json, struct terms *out) {
    const struct json *v = json_get(json, "min_group");
    out->min_group = 0;
    if (!absent(v)) {
        if (json_kind(v) != JSON_INT || json_int(v) < 0 || json_int(v) > TERMS_MIN_GROUP_MAX)
            return wrong(STR("min_group"), "is no whole number from 0 to 1000");
        out->min_group = (uint32_t)json_int(v);
    }
    for (size_t i = 0; i < out->n_types; i++)
        if (out->types[i].aggregates && out->min_group < 2)
            return wrong(STR("min_group"), "is below 2: a group of one is a document; 5 is usual");
    return err_none();
}

Err terms_parse(const struct json *json, struct arena *arena, struct terms *out) {
    static const char *const known[] = {"types",  "series",    "purpose",         "from", "to",
                                        "onward", "min_group", "confidentiality", NULL};
    *out = (struct terms){0};
    if (!json || json_kind(json) != JSON_OBJECT)
        return err_make(ERR_INVALID, "'terms' is missing: an object with types or series, and a purpose");
    TRY(only_members(json, (Str){0}, known, arena));
    TRY(read_types(json_get(json, "types"), arena, out));
    TRY(read_series(json_get(json, "series"), arena, out));
    if (out->n_types + out->n_series == 0)
        return err_make(ERR_INVALID, "the terms give nothing: name document types, series or both");
    TRY(read_text(json_get(json, "purpose"), STR("purpose"), PURPOSE_MAX, arena, &out->purpose));
    TRY(read_time(json, "from", INT64_MIN, &out->from));
    TRY(read_time(json, "to", INT64_MAX, &out->to));
    if (out->from >= out->to) return wrong(STR("to"), "is not after 'from'");
    TRY(read_bool(json, "onward", &out->onward));
    TRY(read_min_group(json, out));
    const struct json *text = json_get(json, "confidentiality");
    if (absent(text) || (json_kind(text) == JSON_STRING && json_str(text).len == 0)) return err_none();
    return read_text(text, STR("confidentiality"), TERMS_TEXT_MAX, arena, &out->confidentiality);
}

Err terms_parse_text(Str text, struct arena *arena, struct terms *out) {
    struct json *json;
    if (text.len > TERMS_BYTES_MAX)
        return err_make(ERR_TOO_LARGE, "terms of %zu bytes: at most %d", text.len, TERMS_BYTES_MAX);
    TRY(json_parse(text, &json));
    Err err = terms_parse(json, arena, out);
    json_free(json);
    return err;
}

/* ---- looking */

const struct terms_type *terms_of_type(const struct terms *terms, Str type) {
    for (size_t i = 0; i < terms->n_types; i++)
        if (str_eq(terms->types[i].type, type)) return &terms->types[i];
    return NULL;
}

/* ---- writing */

static void write_names(struct jw *w, const char *key, const Str *names, size_t n) {
    jw_key(w, key);
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, names[i]);
    jw_array_end(w);
}

static void write_type(const struct terms_type *t, struct jw *w) {
    jw_object(w);
    jw_kstr(w, "type", t->type);
    write_names(w, "fields", t->fields, t->n_fields);
    jw_key(w, "rows");
    jw_array(w);
    for (size_t i = 0; i < t->n_rows; i++) {
        jw_object(w);
        jw_kstr(w, "field", t->rows[i].field);
        jw_kstr(w, "op", t->rows[i].op);
        jw_kstr(w, "value", t->rows[i].value);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_kbool(w, "aggregates", t->aggregates);
    jw_object_end(w);
}

static void write_series(const struct terms_series *s, struct jw *w) {
    jw_object(w);
    if (s->things) {
        write_names(w, "things", s->things, s->n_things);
    } else {
        jw_key(w, "things");
        jw_null(w);
    }
    jw_key(w, "model");
    if (s->model.len > 0)
        jw_str(w, s->model);
    else
        jw_null(w);
    if (!s->every_metric) {
        write_names(w, "metrics", s->metrics, s->n_metrics);
    } else {
        jw_key(w, "metrics");
        jw_null(w);
    }
    jw_kc(w, "resolution", resolutions[s->resolution]);
    jw_object_end(w);
}

static void write_time(struct jw *w, const char *key, Nanos t) {
    jw_key(w, key);
    if (t == INT64_MIN || t == INT64_MAX)
        jw_null(w);
    else
        jw_time(w, t);
}

void terms_write(const struct terms *terms, struct jw *w) {
    jw_object(w);
    jw_key(w, "types");
    jw_array(w);
    for (size_t i = 0; i < terms->n_types; i++) write_type(&terms->types[i], w);
    jw_array_end(w);
    jw_key(w, "series");
    jw_array(w);
    for (size_t i = 0; i < terms->n_series; i++) write_series(&terms->series[i], w);
    jw_array_end(w);
    jw_kstr(w, "purpose", terms->purpose);
    write_time(w, "from", terms->from);
    write_time(w, "to", terms->to);
    jw_kbool(w, "onward", terms->onward);
    jw_kint(w, "min_group", terms->min_group);
    jw_key(w, "confidentiality");
    if (terms->confidentiality.len > 0)
        jw_str(w, terms->confidentiality);
    else
        jw_null(w);
    jw_object_end(w);
}
