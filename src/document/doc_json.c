#include <string.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "model/gate_rules.h"
#include "trust/gate.h"

/* ---- a document */

struct writing {
    struct documents *d;
    const struct doc_table *table;
    const struct doc *doc;
    const struct lens *lens;
    const struct doc_shape *shape;
    struct arena *arena;
    struct jw *w;
};

static bool is_expanded(const struct writing *x, const struct field *f) {
    const char *const *expand = x->shape && x->shape->lens_of ? x->shape->expand : NULL;
    for (; expand && *expand; expand++)
        if (strcmp(*expand, f->name) == 0) return true;
    return false;
}

/* What is referred to, as its reader's own rights show it; false: they show nothing of it. */
static bool write_expanded(const struct writing *x, const struct field *f, int64_t id) {
    const struct doctype *type = doc_engine_referred(x->table, f->ref)->type;
    struct lens lens;
    struct doc *doc;
    if (x->shape->lens_of(x->shape->ctx, type, &lens).code != ERR_NONE && GATE_RULE_ON(EXPAND)) return false;
    if (!GATE_RULE_ON(EXPAND)) lens = gate_lens_rows(x->lens);
    if (documents_get(x->d, &lens, type, id, x->arena, &doc).code != ERR_NONE) return false;
    if (x->shape->expanded) x->shape->expanded(x->shape->ctx, type, id);
    doc_json_write(x->d, doc, &lens, NULL, NULL, x->arena, x->w);
    return true;
}

/* The number of what is referred to is the other document's, which an agreement on this one does not give. */
static void write_ref(const struct writing *x, const struct field *f, Value v) {
    char text[32];
    Str number = {0};
    if (v.kind == VALUE_INT && is_expanded(x, f) && write_expanded(x, f, v.i)) return;
    if (v.kind == VALUE_INT && (x->lens->agreement == 0 || !GATE_RULE_ON(REF_NUMBER)))
        number = doc_engine_number(x->d, doc_engine_referred(x->table, f->ref), v.i, text);
    doc_value_json(f, v, number, x->w);
}

static Str party_name(const struct writing *x, const struct field *f, Value v) {
    const struct documents_options *o = &x->d->options;
    Str name = {0};
    if (f->kind != FIELD_PARTY || v.kind != VALUE_INT || !o->party_name) return name;
    return o->party_name(o->party_ctx, (PartyId)v.i, x->arena, &name).code == ERR_NONE ? name : (Str){0};
}

static Str currency_of(const struct field *f, const Value *values) {
    Value v = f->kind == FIELD_MONEY && f->companion ? values[f->companion - 1] : (Value){.kind = VALUE_NONE};
    return v.kind == VALUE_STRING ? v.s : (Str){0};
}

static bool is_shown(const struct field *f, PartyId party) {
    return !f->hidden && (f->custom_of == 0 || f->custom_of == party);
}

static void write_value(const struct writing *x, const struct doctype *type, size_t i, const Value *values) {
    const struct field *f = &type->fields[i];
    if (f->kind == FIELD_REF)
        write_ref(x, f, values[i]);
    else if (f->kind == FIELD_PARTY)
        doc_value_json(f, values[i], party_name(x, f, values[i]), x->w);
    else
        doc_value_json(f, values[i], currency_of(f, values), x->w);
}

static void write_lines(const struct writing *x, size_t k, const struct doctype *type) {
    const struct doc_lines *lines = x->doc->lines ? &x->doc->lines[k] : NULL;
    jw_array(x->w);
    for (size_t r = 0; lines && r < lines->n; r++) {
        jw_object(x->w);
        for (size_t i = 0; i < type->n_fields; i++) {
            if (!(x->lens->lines[k] >> i & 1) || !is_shown(&type->fields[i], x->doc->party)) continue;
            jw_key(x->w, type->fields[i].name);
            write_value(x, type, i, lines->rows[r]);
        }
        jw_object_end(x->w);
    }
    jw_array_end(x->w);
}

static void write_fields(const struct writing *x) {
    const struct doctype *type = x->doc->type;
    uint64_t wanted = x->shape && (x->shape->fields || x->shape->none) ? x->shape->fields : UINT64_MAX;
    for (size_t i = 0, k = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        size_t list = f->kind == FIELD_LINES ? k++ : 0;
        if (!(x->lens->fields & wanted & UINT64_C(1) << i) || !is_shown(f, x->doc->party)) continue;
        jw_key(x->w, f->name);
        if (f->kind == FIELD_LINES)
            write_lines(x, list, f->lines);
        else
            write_value(x, type, i, x->doc->values);
    }
}

/* Names once each: two rows of one name never leave one state for the same reader twice in the list. */
static void write_can(const struct doc *doc, const struct principal *who, struct jw *w) {
    const struct doctype *type = doc->type;
    jw_key(w, "can");
    jw_array(w);
    for (size_t i = 0; i < type->n_transitions; i++) {
        const struct transition *t = &type->transitions[i];
        if (!type->immutable && doctype_transition_from(type, str_c(t->name), doc->state) == t &&
            principal_may(who, t->roles))
            jw_c(w, t->name);
    }
    jw_array_end(w);
}

/* What every document has, of it what the lens shows. */
static void write_base(const struct doc *doc, const struct lens *lens, struct jw *w) {
    uint32_t hidden = lens->base_hidden;
    if (!(hidden >> DOC_NUMBER & 1)) jw_kstr(w, "number", doc->number);
    if (!(hidden >> DOC_STATE & 1)) jw_kc(w, "state", doctype_state_name(doc));
    if (!(hidden >> DOC_VERSION & 1)) jw_kint(w, "version", doc->version);
    if (!(hidden >> DOC_CREATED & 1)) jw_ktime(w, "created", doc->created);
    if (!(hidden >> DOC_CHANGED & 1)) jw_ktime(w, "changed", doc->changed);
    if (!(hidden >> DOC_CREATED_BY & 1)) jw_kstr(w, "created_by", doc->created_by);
}

void doc_json_write(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    const struct doc_shape *shape, struct arena *arena, struct jw *w) {
    struct writing x = {d, doc_engine_table(d, doc->type), doc, lens, shape, arena, w};
    jw_object(w);
    jw_kint(w, "id", doc->id);
    write_base(doc, lens, w);
    write_fields(&x);
    if (who) write_can(doc, who, w);
    jw_object_end(w);
}

static void audit_lines(const struct field *f, const struct doc_lines *lines, struct jw *w) {
    jw_array(w);
    for (size_t r = 0; r < lines->n; r++) {
        jw_object(w);
        for (size_t i = 0; i < f->lines->n_fields; i++) {
            if (lines->rows[r][i].kind == VALUE_NONE || f->lines->fields[i].hidden) continue;
            jw_key(w, f->lines->fields[i].name);
            doc_value_json(&f->lines->fields[i], lines->rows[r][i], currency_of(&f->lines->fields[i], lines->rows[r]),
                           w);
        }
        jw_object_end(w);
    }
    jw_array_end(w);
}

Str doc_json_audit(const struct doc *doc, uint64_t mask, bool with_state, struct arena *arena) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    if (with_state) jw_kc(&w, "state", doctype_state_name(doc));
    for (size_t i = 0, k = 0; i < doc->type->n_fields; i++) {
        const struct field *f = &doc->type->fields[i];
        size_t list = f->kind == FIELD_LINES ? k++ : 0;
        if (!(mask >> i & 1) || f->hidden) continue;
        jw_key(&w, f->name);
        if (f->share == SHARE_SECRET && doc->values[i].kind != VALUE_NONE)
            jw_c(&w, "***");
        else if (f->kind == FIELD_LINES)
            audit_lines(f, &doc->lines[list], &w);
        else
            doc_value_json(f, doc->values[i], currency_of(f, doc->values), &w);
    }
    jw_object_end(&w);
    Str out = arena_str(arena, buf_view(&text));
    buf_fini(&text);
    return out;
}
