#include "serve/openapi.h"

#include <stdio.h>
#include <string.h>

#include "serve/api.h"
#include "serve/openapi_schemas.h"

enum { REF_BYTES = 220, NAME_BYTES = 160, PATH_BYTES = 256, OUTSIDE = (1u << ROLE_SYSTEM) - 1 };

struct writer {
    struct jw *w;
    const struct doctype *const *types;
};

/* ---- small pieces */

/* "work_order" → "WorkOrder", at the end of out. */
static void add_camel(char out[NAME_BYTES], const char *name) {
    size_t n = strlen(out);
    bool up = true;
    for (; *name && n + 1 < NAME_BYTES; name++) {
        bool letter =
            (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || (*name >= '0' && *name <= '9');
        if (letter) out[n++] = up && *name >= 'a' && *name <= 'z' ? (char)(*name - 32) : *name;
        up = !letter;
    }
    out[n] = '\0';
}

static void ref(struct jw *w, const char *group, const char *name) {
    char text[REF_BYTES];
    snprintf(text, sizeof text, "#/components/%s/%s", group, name);
    jw_object(w);
    jw_kc(w, "$ref", text);
    jw_object_end(w);
}

static void kref(struct jw *w, const char *key, const char *group, const char *name) {
    jw_key(w, key);
    ref(w, group, name);
}

static void parameter(struct jw *w, const char *in, Str name, bool required, const char *help, const char *type,
                      const char *format) {
    jw_object(w);
    jw_kstr(w, "name", name);
    jw_kc(w, "in", in);
    if (required) jw_kbool(w, "required", true);
    if (help) jw_kc(w, "description", help);
    jw_key(w, "schema");
    jw_object(w);
    jw_kc(w, "type", type);
    if (format) jw_kc(w, "format", format);
    jw_object_end(w);
    jw_object_end(w);
}

/* ---- fields of documents */

static const struct {
    const char *type, *format;
} kinds[] = {
    [FIELD_TEXT] = {"string", NULL},    [FIELD_INT] = {"integer", NULL},  [FIELD_NUMBER] = {"number", NULL},
    [FIELD_DECIMAL] = {"string", NULL}, [FIELD_BOOL] = {"boolean", NULL}, [FIELD_TIME] = {"string", "date-time"},
    [FIELD_CHOICE] = {"string", NULL},  [FIELD_REF] = {NULL, NULL},       [FIELD_THING] = {"string", NULL},
    [FIELD_JSON] = {NULL, NULL},        [FIELD_MONEY] = {NULL, NULL},     [FIELD_DATE] = {"string", "date"},
    [FIELD_PARTY] = {NULL, NULL},       [FIELD_FILE] = {"integer", NULL}, [FIELD_GEOMETRY] = {NULL, NULL},
    [FIELD_LINES] = {"array", NULL},
};

static void choices(struct jw *w, const struct field *f) {
    jw_key(w, "enum");
    jw_array(w);
    for (const struct choice *c = f->choices; c->name; c++) jw_c(w, c->name);
    jw_c(w, NULL);
    jw_array_end(w);
    jw_key(w, "x-titles");
    jw_object(w);
    for (const struct choice *c = f->choices; c->name; c++) {
        jw_key(w, c->name);
        jw_object(w);
        jw_kc(w, "en", c->title_en);
        jw_kc(w, "zh", c->title_zh);
        jw_object_end(w);
    }
    jw_object_end(w);
}

static void field_schema(struct jw *w, const struct field *f, bool input);

/* What is an object of its own: by the name of its schema, and how it may be given in short. */
static const struct {
    const char *schema, *in_short;
} objects[FIELD_LINES + 1] = {
    [FIELD_REF] = {"Reference", "{\"type\":[\"integer\",\"string\"],\"description\":\"id or number\"}"},
    [FIELD_PARTY] = {"Party", "{\"type\":[\"integer\",\"string\"],\"description\":\"name or identifier\"}"},
    [FIELD_MONEY] = {"Money", "{\"$ref\":\"#/components/schemas/Money\"}"},
    [FIELD_GEOMETRY] = {"Geometry", "{\"$ref\":\"#/components/schemas/Geometry\"}"},
};

static void object_kind(struct jw *w, const struct field *f, bool input) {
    jw_key(w, "anyOf");
    jw_array(w);
    if (input)
        jw_raw(w, str_c(objects[f->kind].in_short));
    else
        ref(w, "schemas", objects[f->kind].schema);
    jw_raw(w, STR("{\"type\":\"null\"}"));
    jw_array_end(w);
}

static void lines_kind(struct jw *w, const struct field *f, bool input) {
    jw_kc(w, "type", "array");
    jw_kint(w, "maxItems", DOCTYPE_LINE_ROWS_MAX);
    jw_key(w, "items");
    jw_object(w);
    jw_kc(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    for (size_t i = 0; i < f->lines->n_fields; i++)
        if (!f->lines->fields[i].hidden) field_schema(w, &f->lines->fields[i], input);
    jw_object_end(w);
    jw_object_end(w);
}

static void field_kind(struct jw *w, const struct field *f, bool input) {
    char pattern[64];
    if (f->kind == FIELD_LINES) {
        lines_kind(w, f, input);
        return;
    }
    if (objects[f->kind].schema) object_kind(w, f, input);
    if (!kinds[f->kind].type) return;
    jw_key(w, "type");
    jw_array(w);
    jw_c(w, kinds[f->kind].type);
    jw_c(w, "null");
    jw_array_end(w);
    if (kinds[f->kind].format) jw_kc(w, "format", kinds[f->kind].format);
    if (f->kind == FIELD_CHOICE) choices(w, f);
    if (f->kind != FIELD_DECIMAL) return;
    snprintf(pattern, sizeof pattern, f->scale ? "^-?[0-9]+([.][0-9]{1,%u})?$" : "^-?[0-9]+$", (unsigned)f->scale);
    jw_kc(w, "pattern", pattern);
}

static void field_schema(struct jw *w, const struct field *f, bool input) {
    jw_key(w, f->name);
    jw_object(w);
    jw_kc(w, "title", f->title_en);
    jw_kc(w, "x-title-zh", f->title_zh);
    field_kind(w, f, input);
    if (f->unit) jw_kc(w, "x-unit", f->unit);
    if (f->computed || f->compute) jw_kbool(w, "readOnly", true);
    if (f->help_en) jw_kc(w, "description", f->help_en);
    if (f->format) jw_kc(w, "x-format", f->format);
    if (input && f->fallback) jw_kc(w, "x-default", f->fallback);
    jw_object_end(w);
}

/* The description is everybody's: it has no companions, and nobody's own fields. */
static bool is_public(const struct field *f) { return !f->hidden && f->custom_of == 0; }

/* ---- schemas of one document type */

static void titles(struct jw *w, const struct doctype *type, const char *what_en, const char *what_zh) {
    char en[NAME_BYTES], zh[NAME_BYTES];
    snprintf(en, sizeof en, "%s%s", type->title_en, what_en);
    snprintf(zh, sizeof zh, "%s%s", type->title_zh, what_zh);
    jw_kc(w, "title", en);
    jw_kc(w, "x-title-zh", zh);
    jw_kc(w, "type", "object");
}

static void state_schema(struct jw *w, const struct doctype *type) {
    jw_key(w, "state");
    jw_object(w);
    jw_kc(w, "type", "string");
    jw_key(w, "enum");
    jw_array(w);
    for (size_t i = 0; i < type->n_states; i++) jw_c(w, type->states[i].name);
    jw_array_end(w);
    jw_object_end(w);
}

static void document_schema(struct jw *w, const struct doctype *type) {
    jw_key(w, type->name);
    jw_object(w);
    titles(w, type, "", "");
    jw_key(w, "required");
    jw_raw(w, STR("[\"id\",\"number\",\"state\",\"version\"]"));
    jw_key(w, "properties");
    jw_object(w);
    jw_key(w, "id"), jw_raw(w, STR("{\"type\":\"integer\"}"));
    jw_key(w, "number"), jw_raw(w, STR("{\"type\":\"string\"}"));
    state_schema(w, type);
    jw_key(w, "version"), jw_raw(w, STR("{\"type\":\"integer\",\"description\":\"the ETag's content\"}"));
    jw_key(w, "created"), jw_raw(w, STR("{\"type\":\"string\",\"format\":\"date-time\"}"));
    jw_key(w, "changed"), jw_raw(w, STR("{\"type\":\"string\",\"format\":\"date-time\"}"));
    jw_key(w, "created_by"), jw_raw(w, STR("{\"type\":\"string\"}"));
    jw_key(w, "can"), jw_raw(w, STR("{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"description\":\"steps the "
                                    "reader may take now\"}"));
    for (size_t i = 0; i < type->n_fields; i++)
        if (is_public(&type->fields[i])) field_schema(w, &type->fields[i], false);
    jw_object_end(w);
    jw_object_end(w);
}

static void input_schema(struct jw *w, const struct doctype *type, bool whole) {
    char name[NAME_BYTES];
    bool any = false;
    snprintf(name, sizeof name, "%s.%s", type->name, whole ? "new" : "change");
    jw_key_str(w, str_c(name));
    jw_object(w);
    titles(w, type, whole ? ", new" : ", changed", whole ? "（新建）" : "（修改）");
    jw_kbool(w, "additionalProperties", false);
    for (size_t i = 0; whole && i < type->n_fields; i++) {
        if (!type->fields[i].required || type->fields[i].computed || type->fields[i].compute) continue;
        if (!any) jw_key(w, "required"), jw_array(w);
        any = true;
        jw_c(w, type->fields[i].name);
    }
    if (any) jw_array_end(w);
    jw_key(w, "properties");
    jw_object(w);
    for (size_t i = 0; i < type->n_fields; i++)
        if (is_public(&type->fields[i]) && !type->fields[i].computed && !type->fields[i].compute)
            field_schema(w, &type->fields[i], true);
    jw_object_end(w);
    jw_object_end(w);
}

static void page_schema(struct jw *w, const struct doctype *type) {
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.page", type->name);
    jw_key(w, name);
    jw_object(w);
    jw_kc(w, "type", "object");
    jw_key(w, "required"), jw_raw(w, STR("[\"items\",\"next\"]"));
    jw_key(w, "properties");
    jw_object(w);
    jw_key(w, "items");
    jw_object(w);
    jw_kc(w, "type", "array");
    kref(w, "items", "schemas", type->name);
    jw_object_end(w);
    jw_key(w, "total"), jw_raw(w, STR("{\"type\":\"integer\"}"));
    jw_key(w, "next"), jw_raw(w, STR("{\"type\":[\"string\",\"null\"]}"));
    jw_object_end(w);
    jw_object_end(w);
}

/* ---- operations */

/* What stands for {type} and {transition} of one operation; NULLs for a plain route. */
struct place {
    const struct doctype *type;
    const struct transition *transition;
};

static void fill_path(const struct route *route, struct place at, char out[PATH_BYTES]) {
    size_t n = 0;
    for (const char *p = route->path; *p && n + 1 < PATH_BYTES;) {
        const char *word = NULL;
        if (at.type && strncmp(p, "{type}", 6) == 0) word = at.type->name;
        if (at.transition && strncmp(p, "{transition}", 12) == 0) word = at.transition->name;
        if (!word) {
            out[n++] = *p++;
            continue;
        }
        n += (size_t)snprintf(out + n, PATH_BYTES - n, "%s", word);
        p = strchr(p, '}') + 1;
    }
    out[n] = '\0';
}

static void path_parameters(struct jw *w, const char *path) {
    for (const char *p = path; (p = strchr(p, '{'));) {
        const char *end = strchr(p, '}');
        parameter(w, "path", str_n(p + 1, (size_t)(end - p - 1)), true, NULL, "string", NULL);
        p = end;
    }
}

static const char *const filter_help =
    "FIELD=x, FIELD!=x, FIELD>=x, FIELD<=x, FIELD~=part (in texts), FIELD?=true (is set); one name twice: either";

static void filter_parameters(struct jw *w, const struct doctype *type) {
    parameter(w, "query", STR("state"), false, filter_help, "string", NULL);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (!kinds[f->kind].type || f->kind == FIELD_LINES || f->share == SHARE_SECRET || !is_public(f)) continue;
        parameter(w, "query", str_c(f->name), false, f->title_en, kinds[f->kind].type, kinds[f->kind].format);
    }
}

static void parameters(struct jw *w, const struct route *route, struct place at, const char *path) {
    static const char *const types[] = {[ROUTE_TEXT] = "string", [ROUTE_INT] = "integer", [ROUTE_TIME] = "string"};
    jw_key(w, "parameters");
    jw_array(w);
    path_parameters(w, path);
    const struct route_param *shared = route->flags & ROUTE_SHARED ? route_shared_params : NULL;
    for (const struct route_param *p = shared; p && p->name; p++)
        parameter(w, "query", str_c(p->name), p->required, p->help, "string", NULL);
    for (const struct route_param *p = route->params; p && p->name; p++)
        parameter(w, "query", str_c(p->name), p->required, p->help, types[p->kind], NULL);
    if (at.type && (route->flags & ROUTE_ANY_PARAMS)) filter_parameters(w, at.type);
    if (at.type && (route->method == HTTP_PATCH || route->method == HTTP_DELETE || at.transition))
        ref(w, "parameters", "IfMatch");
    if (route->method == HTTP_POST && route->roles) ref(w, "parameters", "IdempotencyKey");
    jw_array_end(w);
}

/* Members that a transition takes: {"type":"object","required":[…],"properties":{…}} */
static void transition_schema(struct jw *w, const struct doctype *type, const struct transition *t) {
    jw_object(w);
    jw_kc(w, "type", "object");
    jw_kbool(w, "additionalProperties", false);
    if (t->needs) {
        jw_key(w, "required");
        jw_array(w);
        for (size_t i = 0; i < type->n_fields; i++)
            if (doctype_names(t->needs, str_c(type->fields[i].name))) jw_c(w, type->fields[i].name);
        jw_array_end(w);
    }
    jw_key(w, "properties");
    jw_object(w);
    for (size_t i = 0; i < type->n_fields; i++) {
        Str name = str_c(type->fields[i].name);
        bool taken = (t->needs && doctype_names(t->needs, name)) || (t->takes && doctype_names(t->takes, name));
        if (taken) field_schema(w, &type->fields[i], true);
    }
    jw_object_end(w);
    jw_object_end(w);
}

static void body_schema(struct jw *w, const struct route *route, struct place at) {
    char name[NAME_BYTES];
    if (at.transition) {
        transition_schema(w, at.type, at.transition);
    } else if (at.type) {
        snprintf(name, sizeof name, "%s.%s", at.type->name, route->method == HTTP_POST ? "new" : "change");
        ref(w, "schemas", name);
    } else {
        ref(w, "schemas", route->takes);
    }
}

static void request_body(struct jw *w, const struct route *route, struct place at) {
    jw_key(w, "requestBody");
    jw_object(w);
    jw_kbool(w, "required", !at.transition || at.transition->needs);
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "application/json");
    jw_object(w);
    jw_key(w, "schema");
    body_schema(w, route, at);
    jw_object_end(w);
    if (route->flags & ROUTE_RAW_BODY) jw_key(w, "application/octet-stream"), jw_raw(w, STR("{}"));
    jw_object_end(w);
    jw_object_end(w);
}

/* Names of schemas that stand for something else than a JSON schema of that name. */
static const struct {
    const char *name, *media, *schema;
} special[] = {
    {"Any", "application/json", "{}"},
    {"Text", "text/plain", "{\"type\":\"string\"}"},
    {"Events", "text/event-stream", "{\"type\":\"string\"}"},
    {"Sheet", "text/csv", "{\"type\":\"string\",\"description\":\"or XLSX, by format\"}"},
    {"Svg", "image/svg+xml", "{\"type\":\"string\"}"},
    {"Pdf", "application/pdf", "{\"type\":\"string\",\"format\":\"binary\"}"},
};

static void list_answer(struct jw *w, const struct doctype *type) {
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.page", type->name);
    jw_object(w);
    jw_key(w, "anyOf");
    jw_array(w);
    ref(w, "schemas", name);
    ref(w, "schemas", "Counts");
    ref(w, "schemas", "Groups");
    jw_array_end(w);
    jw_object_end(w);
}

static void answer_schema(struct jw *w, const struct route *route, struct place at) {
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (strcmp(route->gives, special[i].name) != 0) continue;
        jw_key(w, special[i].media);
        jw_object(w);
        jw_key(w, "schema"), jw_raw(w, str_c(special[i].schema));
        jw_object_end(w);
        return;
    }
    jw_key(w, "application/json");
    jw_object(w);
    jw_key(w, "schema");
    if (at.type && strcmp(route->gives, "Page") == 0)
        list_answer(w, at.type);
    else
        ref(w, "schemas", at.type ? at.type->name : route->gives);
    jw_object_end(w);
}

static void answers(struct jw *w, const struct route *route, struct place at) {
    char status[16];
    snprintf(status, sizeof status, "%d", route->status ? route->status : 200);
    jw_key(w, "responses");
    jw_object(w);
    jw_key(w, status);
    jw_object(w);
    jw_kc(w, "description", "done");
    if (route->gives) {
        jw_key(w, "content");
        jw_object(w);
        answer_schema(w, route, at);
        jw_object_end(w);
    }
    jw_object_end(w);
    kref(w, "default", "responses", "Problem");
    jw_object_end(w);
}

static void write_roles(struct jw *w, unsigned roles) {
    jw_key(w, "x-roles");
    jw_array(w);
    for (int role = 0; role < ROLE_SYSTEM; role++)
        if (roles & ROLE_BIT(role)) jw_c(w, principal_role_name((enum role)role));
    jw_array_end(w);
}

static unsigned roles_of(const struct route *route, struct place at) {
    if (!at.type) return route->roles;
    unsigned roles = at.transition                  ? at.transition->roles
                     : route->method == HTTP_POST   ? at.type->create_roles
                     : route->method == HTTP_PATCH  ? at.type->change_roles
                     : route->method == HTTP_DELETE ? at.type->delete_roles
                                                    : at.type->read_roles;
    return roles & route->roles;
}

static void names(struct jw *w, const struct route *route, struct place at) {
    char id[NAME_BYTES], summary[NAME_BYTES * 2];
    snprintf(id, sizeof id, "%s", route->id);
    snprintf(summary, sizeof summary, "%s", route->summary);
    if (at.type) add_camel(id, at.type->name);
    if (at.transition) add_camel(id, at.transition->name);
    if (at.transition)
        snprintf(summary, sizeof summary, "%s: %s (%s)", at.type->title_en, at.transition->title_en,
                 at.transition->title_zh);
    else if (at.type)
        snprintf(summary, sizeof summary, "%s: %s (%s)", at.type->title_en, route->summary, at.type->title_zh);
    jw_kc(w, "operationId", id);
    jw_kc(w, "summary", summary);
}

static void operation(struct jw *w, const struct route *route, struct place at, const char *path) {
    static const char *const methods[] = {[HTTP_GET] = "get",     [HTTP_POST] = "post",     [HTTP_PUT] = "put",
                                          [HTTP_PATCH] = "patch", [HTTP_DELETE] = "delete", [HTTP_HEAD] = "head"};
    jw_key(w, methods[route->method]);
    jw_object(w);
    names(w, route, at);
    jw_key(w, "tags");
    jw_array(w);
    jw_c(w, route->tag);
    jw_array_end(w);
    parameters(w, route, at, path);
    if (route->takes) request_body(w, route, at);
    answers(w, route, at);
    if (route->roles) {
        write_roles(w, roles_of(route, at));
        jw_key(w, "security"), jw_raw(w, STR("[{\"session\":[]},{\"token\":[]}]"));
    }
    jw_object_end(w);
}

/* ---- paths: each once, with every method it takes */

static bool is_first_of_path(size_t place) {
    const struct route *route = api_route(place), *r;
    for (size_t i = 0; i < place && (r = api_route(i)); i++)
        if (strcmp(r->path, route->path) == 0) return false;
    return true;
}

static void path_item(struct jw *w, const char *template, struct place at) {
    char path[PATH_BYTES];
    const struct route *route;
    bool begun = false;
    for (size_t i = 0; (route = api_route(i)); i++) {
        if (strcmp(route->path, template) != 0 || route->flags & ROUTE_HIDDEN) continue;
        if (route->roles && !(roles_of(route, at) & OUTSIDE)) continue; /* nobody from outside may */
        fill_path(route, at, path);
        if (!begun) {
            jw_key(w, path);
            jw_object(w);
        }
        begun = true;
        operation(w, route, at, path);
    }
    if (begun) jw_object_end(w);
}

static void transition_items(struct jw *w, const char *template, const struct doctype *type) {
    for (size_t t = 0; t < type->n_transitions; t++) {
        bool again = false; /* several rows may share a name: one step with several origins */
        for (size_t k = 0; k < t; k++)
            again = again || strcmp(type->transitions[k].name, type->transitions[t].name) == 0;
        if (!again) path_item(w, template, (struct place){type, &type->transitions[t]});
    }
}

static void paths(struct writer *to) {
    const struct route *route;
    jw_key(to->w, "paths");
    jw_object(to->w);
    for (size_t i = 0; (route = api_route(i)); i++) {
        if (!is_first_of_path(i)) continue;
        if (!(route->flags & ROUTE_PER_TYPE)) {
            path_item(to->w, route->path, (struct place){0});
            continue;
        }
        for (const struct doctype *const *t = to->types; *t; t++) {
            if (strstr(route->path, "{transition}"))
                transition_items(to->w, route->path, *t);
            else
                path_item(to->w, route->path, (struct place){*t, NULL});
        }
    }
    jw_object_end(to->w);
}

static void components(struct writer *to) {
    struct jw *w = to->w;
    jw_key(w, "components");
    jw_object(w);
    jw_key(w, "securitySchemes");
    jw_raw(w, STR("{\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"weft_session\",\"description\":"
                  "\"changes also need the header X-Weft: 1\"},"
                  "\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}}"));
    jw_key(w, "parameters");
    jw_raw(w, STR("{\"IfMatch\":{\"name\":\"If-Match\",\"in\":\"header\",\"description\":\"the ETag it was read with; "
                  "412 when it changed since\",\"schema\":{\"type\":\"string\"}},"
                  "\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"description\":\"a request sent "
                  "again with the same key is done once\",\"schema\":{\"type\":\"string\",\"maxLength\":128}}}"));
    jw_key(w, "responses");
    jw_raw(w, STR("{\"Problem\":{\"description\":\"what went wrong (RFC 9457)\",\"content\":{\"application/"
                  "problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}}"));
    jw_key(w, "schemas");
    jw_object(w);
    for (const struct openapi_schema *s = openapi_schemas; s->name; s++) {
        jw_key(w, s->name);
        jw_raw(w, str_c(s->json));
    }
    for (const struct doctype *const *t = to->types; *t; t++) {
        document_schema(w, *t);
        input_schema(w, *t, true);
        input_schema(w, *t, false);
        page_schema(w, *t);
    }
    jw_object_end(w);
    jw_object_end(w);
}

void openapi_write(const struct doctype *const *types, const char *version, struct jw *w) {
    struct writer to = {w, types};
    jw_object(w);
    jw_kc(w, "openapi", "3.1.0");
    jw_key(w, "info");
    jw_object(w);
    jw_kc(w, "title", "Weft");
    jw_kc(w, "version", version);
    jw_kc(w, "description",
          "Machines, what they measure, what it means and the work it leads to. Failures are problem details (RFC "
          "9457), times are RFC 3339, lists go on with `next` as `cursor`.");
    jw_key(w, "license"), jw_raw(w, STR("{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}"));
    jw_object_end(w);
    paths(&to);
    components(&to);
    jw_object_end(w);
}
