#include "document/import_stage.h"

#include <string.h>

#include "base/hash.h"

#define STAGED_MAX ((size_t)64 << 20)

/* ---- writing */

static void put_value(Value v, struct buf *out) {
    buf_byte(out, (uint8_t)v.kind);
    switch (v.kind) {
    case VALUE_NONE: break;
    case VALUE_INT: buf_u64le(out, (uint64_t)v.i); break;
    case VALUE_FLOAT: buf_add(out, &v.f, sizeof v.f); break;
    case VALUE_BOOL: buf_byte(out, v.b); break;
    case VALUE_STRING:
        buf_varint(out, v.s.len);
        buf_str(out, v.s);
        break;
    }
}

void import_stage_put(const struct doc *doc, size_t row, struct buf *out) {
    size_t at = out->len, k = 0;
    buf_u32le(out, 0);
    buf_varint(out, row);
    for (size_t i = 0; i < doc->type->n_fields; i++) put_value(doc->values[i], out);
    for (size_t i = 0; i < doc->type->n_fields; i++) {
        const struct field *f = &doc->type->fields[i];
        if (f->kind != FIELD_LINES) continue;
        static const struct doc_lines none;
        const struct doc_lines *lines = doc->lines ? &doc->lines[k++] : &none;
        buf_varint(out, lines->n);
        for (size_t r = 0; r < lines->n; r++)
            for (size_t c = 0; c < f->lines->n_fields; c++) put_value(lines->rows[r][c], out);
    }
    size_t n = out->len - at - 4;
    for (int i = 0; i < 4; i++) out->ptr[at + (size_t)i] = (char)(n >> (8 * i) & 0xFF);
}

/* ---- reading */

struct reader {
    const char *p, *end;
    struct arena *arena;
    bool broken;
};

static uint64_t get_bytes(struct reader *r, size_t n) {
    uint64_t v = 0;
    if ((size_t)(r->end - r->p) < n) {
        r->broken = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++) v |= (uint64_t)(unsigned char)r->p[i] << (8 * i);
    r->p += n;
    return v;
}

static uint64_t get_varint(struct reader *r) {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
        uint64_t byte = get_bytes(r, 1);
        v |= (byte & 0x7F) << shift;
        if (!(byte & 0x80)) return v;
    }
    r->broken = true;
    return 0;
}

static Value get_value(struct reader *r) {
    Value v = {.kind = (enum value_kind)get_bytes(r, 1)};
    uint64_t n;
    switch (v.kind) {
    case VALUE_NONE: return v;
    case VALUE_INT: return VALUE_I((int64_t)get_bytes(r, 8));
    case VALUE_BOOL: return VALUE_B(get_bytes(r, 1) != 0);
    case VALUE_FLOAT:
        n = get_bytes(r, 8);
        memcpy(&v.f, &n, sizeof v.f);
        return v;
    case VALUE_STRING:
        n = get_varint(r);
        if (n > (uint64_t)(r->end - r->p)) break;
        v.s = arena_str(r->arena, str_n(r->p, n));
        r->p += n;
        return v;
    }
    r->broken = true;
    return (Value){.kind = VALUE_NONE};
}

static void get_lines(struct reader *r, const struct doctype *type, struct doc_lines *out) {
    uint64_t n = get_varint(r);
    if (n > DOCTYPE_LINE_ROWS_MAX) r->broken = true;
    if (r->broken) return;
    out->rows = arena_zero(r->arena, n + 1, sizeof *out->rows);
    for (out->n = 0; out->n < n && !r->broken; out->n++) {
        Value *row = out->rows[out->n] = arena_zero(r->arena, type->n_fields, sizeof *row);
        for (size_t i = 0; i < type->n_fields; i++) row[i] = get_value(r);
    }
}

static struct doc *get_doc(struct reader *r, const struct doctype *type) {
    struct doc *doc = arena_zero(r->arena, 1, sizeof *doc);
    size_t k = 0;
    doc->type = type;
    doc->values = arena_zero(r->arena, type->n_fields, sizeof *doc->values);
    for (size_t i = 0; i < type->n_fields; i++) doc->values[i] = get_value(r);
    for (size_t i = 0; i < type->n_fields; i++) {
        if (type->fields[i].kind != FIELD_LINES) continue;
        if (!doc->lines) doc->lines = arena_zero(r->arena, DOCTYPE_LINES_MAX, sizeof *doc->lines);
        get_lines(r, type->fields[i].lines, &doc->lines[k++]);
    }
    return doc;
}

Err import_stage_get(const struct doctype *type, Str bytes, struct arena *arena, struct doc **out, size_t *row,
                     size_t *used) {
    struct reader head = {.p = bytes.ptr, .end = bytes.ptr + bytes.len};
    *used = 0;
    uint64_t n = get_bytes(&head, 4);
    if (head.broken) return err_none();
    if (n > STAGED_MAX) return err_make(ERR_CORRUPT, "the staged rows are damaged: check the import anew");
    if (n > (uint64_t)(head.end - head.p)) return err_none();
    struct reader r = {.p = head.p, .end = head.p + n, .arena = arena};
    *row = get_varint(&r);
    *out = get_doc(&r, type);
    if (r.broken || r.p != r.end) return err_make(ERR_CORRUPT, "the staged rows are damaged: check the import anew");
    *used = 4 + n;
    return err_none();
}

static void print_fields(const struct doctype *type, struct buf *out) {
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        buf_printf(out, "%s:%d:%d:%d:%d;", f->name, f->kind, f->scale, f->required, f->unique);
        if (f->kind == FIELD_LINES) print_fields(f->lines, out);
    }
    buf_c(out, "|");
}

uint64_t import_stage_print(const struct doctype *type) {
    struct buf text = {0};
    buf_c(&text, type->name);
    print_fields(type, &text);
    uint64_t hash = hash_str(buf_view(&text));
    buf_fini(&text);
    return hash;
}
