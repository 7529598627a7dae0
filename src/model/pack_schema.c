#include "model/pack_schema.h"

#include <string.h>

#include "base/jw.h"
#include "model/pack_form.h"

#define NAME_PATTERN "^[a-z][a-z0-9_]{0,39}$"

static void write_keys(const struct pack_key *keys, struct jw *w);

static void write_type(struct jw *w, const char *type) { jw_kc(w, "type", type); }

static void write_words(const char *const *words, struct jw *w) {
    jw_key(w, "enum");
    jw_array(w);
    for (; *words; words++) jw_c(w, *words);
    jw_array_end(w);
}

static void write_scalar(struct jw *w) { jw_key(w, "type"), jw_raw(w, STR("[\"string\",\"number\",\"boolean\"]")); }

static void write_each(const struct pack_key *key, struct jw *w) {
    write_type(w, "object");
    if (key->want == PACK_WANT_EACH) {
        jw_key(w, "propertyNames");
        jw_raw(w, STR("{\"pattern\":\"" NAME_PATTERN "\"}"));
    }
    jw_key(w, "additionalProperties");
    if (key->keys == pack_form_field)
        jw_raw(w, STR("{\"$ref\":\"#/$defs/field\"}"));
    else
        jw_object(w), write_keys(key->keys, w), jw_object_end(w);
}

static void write_value(const struct pack_key *key, struct jw *w) {
    switch (key->want) {
    case PACK_WANT_TEXT: write_scalar(w); break;
    case PACK_WANT_NAME: write_type(w, "string"); break;
    case PACK_WANT_BOOL: write_type(w, "boolean"); break;
    case PACK_WANT_INT: write_type(w, "integer"); break;
    case PACK_WANT_NUM: write_type(w, "number"); break;
    case PACK_WANT_WORD: write_words(key->words, w); break;
    case PACK_WANT_TITLE: jw_kc(w, "$ref", "#/$defs/title"); break;
    case PACK_WANT_NAMES: jw_kc(w, "$ref", "#/$defs/names"); break;
    case PACK_WANT_ROLES: jw_kc(w, "$ref", "#/$defs/roles"); break;
    case PACK_WANT_CHOICES: jw_kc(w, "$ref", "#/$defs/choices"); break;
    case PACK_WANT_CHECKS: jw_kc(w, "$ref", "#/$defs/checks"); break;
    case PACK_WANT_KEEP: jw_kc(w, "$ref", "#/$defs/keep"); break;
    case PACK_WANT_PAIRS: jw_kc(w, "$ref", "#/$defs/pairs"); break;
    case PACK_WANT_KEYS: write_keys(key->keys, w); break;
    case PACK_WANT_EACH:
    case PACK_WANT_TABLE: write_each(key, w); break;
    case PACK_WANT_LIST:
        write_type(w, "array");
        jw_key(w, "items");
        jw_object(w), write_keys(key->keys, w), jw_object_end(w);
        break;
    case PACK_WANT_GIVES: write_type(w, "object");
    }
}

static void write_keys(const struct pack_key *keys, struct jw *w) {
    bool needed = false;
    write_type(w, "object");
    jw_key(w, "properties");
    jw_object(w);
    for (const struct pack_key *k = keys; k->name; k++) {
        jw_key(w, k->name);
        jw_object(w);
        jw_kc(w, "description", k->help);
        write_value(k, w);
        jw_object_end(w);
        needed = needed || k->required;
    }
    jw_object_end(w);
    jw_kbool(w, "additionalProperties", false);
    if (!needed) return;
    jw_key(w, "required");
    jw_array(w);
    for (const struct pack_key *k = keys; k->name; k++)
        if (k->required) jw_c(w, k->name);
    jw_array_end(w);
}

static void write_shared(struct jw *w) {
    jw_key(w, "title");
    jw_raw(
        w,
        STR("{\"oneOf\":[{\"type\":[\"string\",\"number\"]},{\"type\":\"object\",\"properties\":{\"zh\":{\"type\":"
            "[\"string\",\"number\"]},\"en\":{\"type\":[\"string\",\"number\"]}},\"additionalProperties\":false}]}"));
    jw_key(w, "names");
    jw_raw(w, STR("{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]}"));
    jw_key(w, "pairs");
    jw_raw(w, STR("{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"));
    jw_key(w, "choices");
    jw_raw(w, STR("{\"oneOf\":[{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}},{\"type\":"
                  "\"object\","
                  "\"additionalProperties\":{\"$ref\":\"#/$defs/title\"}}]}"));
    jw_key(w, "check");
    jw_object(w), write_keys(pack_form_check, w), jw_object_end(w);
    jw_key(w, "checks");
    jw_raw(
        w,
        STR("{\"oneOf\":[{\"type\":\"string\"},{\"$ref\":\"#/$defs/check\"},{\"type\":\"array\",\"items\":{\"oneOf\":"
            "[{\"type\":\"string\"},{\"$ref\":\"#/$defs/check\"}]}}]}"));
    jw_key(w, "field");
    jw_object(w), write_keys(pack_form_field, w), jw_object_end(w);
    jw_key(w, "keep");
    jw_raw(w, STR("{\"oneOf\":[{\"$ref\":\"#/$defs/"
                  "span\"},{\"type\":\"object\",\"additionalProperties\":false,\"properties\":"
                  "{\"raw\":{\"$ref\":\"#/$defs/span\"},\"1m\":{\"$ref\":\"#/$defs/span\"},\"1h\":{\"$ref\":\"#/$defs/"
                  "span\"},"
                  "\"1d\":{\"$ref\":\"#/$defs/span\"}}}]}"));
    jw_key(w, "span");
    jw_raw(w, STR("{\"type\":\"string\",\"pattern\":\"^([1-9][0-9]*[hdwy]|forever)$\"}"));
    jw_key(w, "role");
    jw_object(w), write_words(pack_form_roles, w), jw_object_end(w);
    jw_key(w, "roles");
    jw_raw(w,
           STR("{\"oneOf\":[{\"$ref\":\"#/$defs/role\"},{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/role\"}}]}"));
}

bool pack_schema_write(const char *name, struct buf *out) {
    const struct pack_section *s = pack_form_sections;
    bool whole = strcmp(name, "pack") == 0;
    while (s->name && strcmp(s->name, name) != 0) s++;
    if (!whole && !s->name) return false;
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_kc(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    jw_kc(&w, "title", whole ? "pack.yaml" : s->help);
    if (whole) {
        write_keys(pack_form_pack, &w);
    } else {
        struct pack_key key = {
            .name = s->name, .want = s->any_name ? PACK_WANT_TABLE : PACK_WANT_EACH, .keys = s->keys};
        write_each(&key, &w);
    }
    jw_key(&w, "$defs");
    jw_object(&w);
    write_shared(&w);
    jw_object_end(&w);
    jw_object_end(&w);
    return true;
}
