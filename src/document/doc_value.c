#include "document/doc_value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

#define SHOWN_MAX 40 /* bytes of an outside text shown in a fault */

static const char *const kind_names[] = {
    [FIELD_TEXT] = "text",   [FIELD_INT] = "int",   [FIELD_NUMBER] = "number", [FIELD_DECIMAL] = "decimal",
    [FIELD_BOOL] = "bool",   [FIELD_TIME] = "time", [FIELD_CHOICE] = "choice", [FIELD_REF] = "ref",
    [FIELD_THING] = "thing", [FIELD_JSON] = "json",
};

static const char *const wanted[] = {
    [FIELD_TEXT] = "text",
    [FIELD_INT] = "a whole number",
    [FIELD_NUMBER] = "a number",
    [FIELD_DECIMAL] = "a decimal as a string",
    [FIELD_BOOL] = "true or false",
    [FIELD_TIME] = "a time such as \"2026-01-02T03:04:05Z\"",
    [FIELD_CHOICE] = "one of its choices",
    [FIELD_REF] = "an id or a number",
    [FIELD_THING] = "a thing's name",
    [FIELD_JSON] = "JSON",
};

static const char *const json_names[] = {
    [JSON_NULL] = "null",     [JSON_BOOL] = "true or false", [JSON_INT] = "a number",     [JSON_REAL] = "a number",
    [JSON_STRING] = "a text", [JSON_ARRAY] = "a list",       [JSON_OBJECT] = "an object",
};

const char *doc_value_kind_name(enum field_kind kind) { return kind_names[kind]; }

/* The start of an outside text, without control characters and broken characters. */
static const char *shown(Str text, char out[SHOWN_MAX + 4]) {
    size_t n = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    while (n > 0 && n < text.len && ((unsigned char)text.ptr[n] & 0xc0) == 0x80) n--;
    for (size_t i = 0; i < n; i++) out[i] = (unsigned char)text.ptr[i] < ' ' ? '?' : text.ptr[i];
    memcpy(out + n, n < text.len ? "…" : "", n < text.len ? 4 : 1);
    return out;
}

static void list_choices(const struct field *field, char *out, size_t size) {
    size_t len = 0;
    out[0] = 0;
    for (const struct choice *c = field->choices; c->name && len < size; c++) {
        int n = snprintf(out + len, size - len, "%s%s", len ? ", " : "", c->name);
        if (n > 0) len += (size_t)n;
    }
}

static void take_choice(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char choices[120], start[SHOWN_MAX + 4];
    for (const struct choice *c = field->choices; c->name; c++) {
        if (!str_eq_c(text, c->name)) continue;
        *out = VALUE_S(str_c(c->name));
        return;
    }
    list_choices(field, choices, sizeof choices);
    doc_faults_add(faults, ERR_INVALID, field->name, "no choice '%s': use %s", shown(text, start), choices);
}

static void take_text(const struct field *field, Str text, struct arena *arena, Value *out, struct doc_faults *faults) {
    if (text.len > DOC_VALUE_TEXT_MAX)
        doc_faults_add(faults, ERR_INVALID, field->name, "longer than %d bytes", DOC_VALUE_TEXT_MAX);
    else if (field->kind == FIELD_THING && text.len == 0)
        doc_faults_add(faults, ERR_INVALID, field->name, "a thing's name is not empty");
    else
        *out = VALUE_S(arena_str(arena, text));
}

static void take_time(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    Nanos t;
    if (time_parse(text, &t).code == ERR_NONE)
        *out = VALUE_I(t);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' is not %s", shown(text, start), wanted[FIELD_TIME]);
}

static void take_decimal(const struct field *field, Str text, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    int64_t v;
    if (num_parse_decimal(text, field->scale, &v))
        *out = VALUE_I(v);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "'%s' is no decimal with at most %u digits behind the point",
                       shown(text, start), field->scale);
}

static void refuse(const struct field *field, const struct json *json, struct doc_faults *faults) {
    doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted, not %s", wanted[field->kind],
                   json_names[json_kind(json)]);
}

/* A decimal given as a JSON number has already been through a float: show how to write it. */
static void refuse_number(const struct field *field, const struct json *json, struct doc_faults *faults) {
    char text[NUM_TEXT_MAX];
    Str number;
    if (json_kind(json) == JSON_INT)
        number = num_format_decimal(json_int(json), 0, text);
    else
        number = num_format(json_num(json), text);
    doc_faults_add(faults, ERR_INVALID, field->name, "a decimal travels as a string: write \"" STR_FMT "\"",
                   STR_ARG(number));
}

static void take_ref(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                     struct doc_faults *faults) {
    if (json_kind(json) == JSON_OBJECT) {
        const struct json *id = json_get(json, "id");
        json = id ? id : json_get(json, "number");
    }
    if (json && json_kind(json) == JSON_INT)
        *out = VALUE_I(json_int(json));
    else if (json && json_kind(json) == JSON_STRING)
        take_text(field, json_str(json), arena, out, faults);
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted", wanted[FIELD_REF]);
}

static void take_json(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                      struct doc_faults *faults) {
    struct buf text = {0};
    json_dump(json, &text);
    take_text(field, buf_view(&text), arena, out, faults);
    buf_fini(&text);
}

void doc_value_from_json(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                         struct doc_faults *faults) {
    enum json_kind kind = json_kind(json);
    *out = (Value){.kind = VALUE_NONE};
    if (kind == JSON_NULL) return;
    bool is_number = kind == JSON_INT || kind == JSON_REAL;
    if (field->kind == FIELD_JSON)
        take_json(field, json, arena, out, faults);
    else if (field->kind == FIELD_REF)
        take_ref(field, json, arena, out, faults);
    else if (field->kind == FIELD_INT && kind == JSON_INT)
        *out = VALUE_I(json_int(json));
    else if (field->kind == FIELD_NUMBER && is_number)
        *out = VALUE_F(json_num(json));
    else if (field->kind == FIELD_BOOL && kind == JSON_BOOL)
        *out = VALUE_B(json_bool(json));
    else if (field->kind == FIELD_DECIMAL && is_number)
        refuse_number(field, json, faults);
    else if (kind != JSON_STRING || field->kind == FIELD_INT || field->kind == FIELD_NUMBER ||
             field->kind == FIELD_BOOL)
        refuse(field, json, faults);
    else if (field->kind == FIELD_TIME)
        take_time(field, json_str(json), out, faults);
    else if (field->kind == FIELD_DECIMAL)
        take_decimal(field, json_str(json), out, faults);
    else if (field->kind == FIELD_CHOICE)
        take_choice(field, json_str(json), out, faults);
    else
        take_text(field, json_str(json), arena, out, faults);
}

void doc_value_parse(const struct field *field, Str text, struct arena *arena, Value *out, struct doc_faults *faults) {
    char start[SHOWN_MAX + 4];
    int64_t i;
    double f;
    *out = (Value){.kind = VALUE_NONE};
    switch (field->kind) {
    case FIELD_CHOICE: take_choice(field, text, out, faults); return;
    case FIELD_TIME: take_time(field, text, out, faults); return;
    case FIELD_DECIMAL: take_decimal(field, text, out, faults); return;
    case FIELD_INT:
        if (str_to_i64(text, &i)) *out = VALUE_I(i);
        break;
    case FIELD_NUMBER:
        if (str_to_f64(text, &f) && isfinite(f)) *out = VALUE_F(f);
        break;
    case FIELD_BOOL:
        if (str_eq_c(text, "true") || str_eq_c(text, "false")) *out = VALUE_B(text.len == 4);
        break;
    case FIELD_REF:
        if (str_to_i64(text, &i))
            *out = VALUE_I(i);
        else if (text.len > 0)
            take_text(field, text, arena, out, faults);
        break;
    case FIELD_TEXT:
    case FIELD_THING:
    case FIELD_JSON: take_text(field, text, arena, out, faults); return;
    }
    if (out->kind == VALUE_NONE)
        doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted, not '%s'", wanted[field->kind],
                       shown(text, start));
}

static void check_json(const struct field *field, Value v, Value *out, struct doc_faults *faults) {
    struct json *json = NULL;
    Err err = json_parse(v.s, &json);
    if (err.code == ERR_NONE)
        *out = v;
    else
        doc_faults_add(faults, ERR_INVALID, field->name, "%.80s", err.text);
    json_free(json);
}

void doc_value_from_code(const struct field *field, Value v, Value *out, struct doc_faults *faults) {
    static const enum value_kind kinds[] = {
        [FIELD_TEXT] = VALUE_STRING,   [FIELD_INT] = VALUE_INT,   [FIELD_NUMBER] = VALUE_FLOAT,
        [FIELD_DECIMAL] = VALUE_INT,   [FIELD_BOOL] = VALUE_BOOL, [FIELD_TIME] = VALUE_INT,
        [FIELD_CHOICE] = VALUE_STRING, [FIELD_REF] = VALUE_INT,   [FIELD_THING] = VALUE_STRING,
        [FIELD_JSON] = VALUE_STRING,
    };
    if (field->kind == FIELD_NUMBER && v.kind == VALUE_INT) v = VALUE_F((double)v.i);
    if (field->kind == FIELD_NUMBER && v.kind == VALUE_FLOAT && !isfinite(v.f)) v = (Value){.kind = VALUE_NONE};
    *out = (Value){.kind = VALUE_NONE};
    if (v.kind == VALUE_NONE) return;
    bool by_number = field->kind == FIELD_REF && v.kind == VALUE_STRING;
    if (v.kind != kinds[field->kind] && !by_number) {
        doc_faults_add(faults, ERR_INVALID, field->name, "%s wanted", wanted[field->kind]);
        return;
    }
    if (field->kind == FIELD_CHOICE)
        take_choice(field, v.s, out, faults);
    else if (field->kind == FIELD_JSON)
        check_json(field, v, out, faults);
    else
        *out = v;
}

static void ref_json(Value v, Str number, struct jw *w) {
    jw_object(w);
    jw_kint(w, "id", v.i);
    if (number.len > 0) jw_kstr(w, "number", number);
    jw_object_end(w);
}

void doc_value_json(const struct field *field, Value v, Str ref_number, struct jw *w) {
    char text[NUM_TEXT_MAX];
    if (v.kind == VALUE_NONE) {
        jw_null(w);
        return;
    }
    switch (field->kind) {
    case FIELD_INT: jw_int(w, v.i); break;
    case FIELD_NUMBER: jw_num(w, v.f); break;
    case FIELD_DECIMAL: jw_str(w, num_format_decimal(v.i, field->scale, text)); break;
    case FIELD_BOOL: jw_bool(w, v.b); break;
    case FIELD_TIME: jw_time(w, v.i); break;
    case FIELD_REF: ref_json(v, ref_number, w); break;
    case FIELD_JSON: jw_raw(w, v.s); break;
    case FIELD_TEXT:
    case FIELD_CHOICE:
    case FIELD_THING: jw_str(w, v.s); break;
    }
}
