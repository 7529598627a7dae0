#include "serve/api_doc.h"

#include <string.h>

#include "trust/gate.h"

struct documents *api_doc_engine(const struct api_call *call) {
    return call->serve->options.documents;
}

/* ---- what the address names */

Err api_doc_type(const struct api_call *call, const struct doctype **type) {
    *type = documents_type(api_doc_engine(call), call->segments[0]);
    if (*type) return err_none();
    return err_make(ERR_NOT_FOUND, "no document type '%.60s': GET /api/v1/docs lists them", call->segments[0].ptr);
}

Err api_doc_find(struct api_call *call, const struct doctype **type, struct lens *lens, struct doc **doc) {
    int64_t id;
    TRY(api_doc_type(call, type));
    TRY(api_lens(call, *type, lens));
    if (str_to_i64(call->segments[1], &id))
        return documents_get(api_doc_engine(call), lens, *type, id, call->arena, doc);
    return documents_by_number(api_doc_engine(call), lens, *type, call->segments[1], call->arena, doc);
}

Err api_doc_version(const struct api_call *call, int64_t *version) {
    Str header = str_trim(http_header(call->request, "If-Match"));
    *version = 0;
    if (header.len == 0 || str_eq_c(header, "*")) return err_none();
    bool quoted = header.len > 2 && header.ptr[0] == '"' && header.ptr[header.len - 1] == '"';
    if (quoted && str_to_i64(str_slice(header, 1, header.len - 1), version) && *version > 0) return err_none();
    return err_make(ERR_PRECONDITION, "If-Match is no tag of this document: send the ETag it was read with");
}

Err api_doc_own(const struct lens *lens, const char *what) {
    if (lens->agreement == 0) return err_none();
    return err_make(ERR_FORBIDDEN, "%s are not given under an agreement", what);
}

/* ---- fields and expand */

static const char *const base_names[] = {"id", "number", "state", "version", "created", "changed", "created_by", NULL};

static bool is_base(Str name) {
    for (const char *const *b = base_names; *b; b++)
        if (str_eq_c(name, *b)) return true;
    return false;
}

/* A field that the lens hides is answered exactly as one that is not. */
static Err visible_field(const struct doctype *type, const struct lens *lens, Str name, int *out) {
    *out = doctype_field(type, name);
    const struct field *f = *out < 0 ? NULL : &type->fields[*out];
    bool shown = f && (lens->fields >> *out & 1) && !f->hidden && (f->custom_of == 0 || f->custom_of == lens->party);
    if (shown) return err_none();
    return err_make(ERR_INVALID, "no field '" STR_FMT "' of '%s'", STR_ARG(str_slice(name, 0, 40)), type->name);
}

static Err read_fields(struct api_call *call, const struct doctype *type, const struct lens *lens,
                       struct api_doc_shape *out) {
    Str rest = api_query(call, "fields"), name;
    if (rest.len == 0) return err_none();
    while (rest.len > 0) {
        int i;
        str_cut(rest, ',', &name, &rest);
        if (is_base(str_trim(name)) && gate_shows_base(lens, str_trim(name))) continue;
        TRY(visible_field(type, lens, str_trim(name), &i));
        out->shape.fields |= UINT64_C(1) << i;
    }
    if (out->shape.fields == 0) out->shape.none = true;
    return err_none();
}

static Err lens_of(void *ctx, const struct doctype *type, struct lens *out) {
    const struct api_doc_shape *shape = ctx;
    return api_lens(shape->call, type, out);
}

static void expanded(void *ctx, const struct doctype *type, int64_t id) {
    struct api_doc_shape *shape = ctx;
    if (shape->n == shape->cap) {
        size_t cap = shape->cap ? 2 * shape->cap : 64;
        struct api_doc_seen *more = arena_zero(shape->call->arena, cap, sizeof *more);
        if (shape->n > 0) memcpy(more, shape->seen, shape->n * sizeof *more);
        shape->seen = more;
        shape->cap = cap;
    }
    shape->seen[shape->n++] = (struct api_doc_seen){type, id};
}

static Err read_expand(struct api_call *call, const struct doctype *type, const struct lens *lens,
                       struct api_doc_shape *out) {
    Str rest = api_query(call, "expand"), name;
    const char **names = arena_zero(call->arena, type->n_fields + 1, sizeof *names);
    size_t n = 0;
    while (rest.len > 0 && n < type->n_fields) {
        int i;
        str_cut(rest, ',', &name, &rest);
        TRY(visible_field(type, lens, str_trim(name), &i));
        if (type->fields[i].kind != FIELD_REF)
            return err_make(ERR_INVALID, "'%s' refers to no document: only references are expanded",
                            type->fields[i].name);
        names[n++] = type->fields[i].name;
    }
    if (n > 0) out->shape.expand = names;
    return err_none();
}

Err api_doc_shape_read(struct api_call *call, const struct doctype *type, const struct lens *lens,
                       struct api_doc_shape *out) {
    *out = (struct api_doc_shape){.call = call};
    out->shape.lens_of = lens_of;
    out->shape.expanded = expanded;
    out->shape.ctx = out;
    TRY(read_fields(call, type, lens, out));
    return read_expand(call, type, lens, out);
}

Err api_doc_shape_disclose(struct api_doc_shape *shape) {
    int64_t *ids = arena_zero(shape->call->arena, shape->n, sizeof *ids);
    for (size_t i = 0; i < shape->n; i++) {
        const struct doctype *type = shape->seen[i].type;
        struct lens lens;
        size_t n = 0;
        if (!type) continue;
        for (size_t k = i; k < shape->n; k++) {
            if (shape->seen[k].type != type) continue;
            ids[n++] = shape->seen[k].id;
            shape->seen[k].type = NULL;
        }
        TRY(api_lens(shape->call, type, &lens));
        TRY(api_disclose(shape->call, &lens, type, ids, n));
    }
    return err_none();
}
