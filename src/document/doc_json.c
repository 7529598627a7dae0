#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "trust/gate.h"

/* ---- numbers of referenced documents */

static struct doc_engine_number *slot_of(struct documents *d, const struct doc_table *table, int64_t id) {
    uint64_t key[2] = {(uint64_t)(uintptr_t)table, (uint64_t)id};
    return &d->numbers[hash_bytes(key, sizeof key) % DOC_ENGINE_NUMBERS];
}

struct number_reading {
    const struct doc_table *table;
    int64_t id;
    struct arena *arena;
    Str number;
};

static Err read_number(void *ctx, struct records_txn *txn) {
    struct number_reading *r = ctx;
    struct lens lens = gate_lens_system("numbers of references"); /* the reference itself was shown already */
    Value *row;
    TRY(records_txn_get(txn, &lens, &r->table->records, r->id, r->arena, &row));
    if (row) r->number = row[DOC_NUMBER].s;
    return err_none();
}

static bool recall(struct documents *d, const struct doc_table *table, int64_t id, char out[32]) {
    thread_lock(&d->lock);
    struct doc_engine_number *slot = slot_of(d, table, id);
    bool found = slot->table == table && slot->id == id;
    if (found) memcpy(out, slot->text, 32);
    thread_unlock(&d->lock);
    return found;
}

/* Empty when it cannot be read; the answer then has the id alone. */
static Str number_of(struct documents *d, const struct doc_table *table, int64_t id, char out[32]) {
    struct arena arena;
    if (recall(d, table, id, out)) return str_c(out);
    arena_init(&arena, 0);
    struct number_reading r = {.table = table, .id = id, .arena = &arena};
    Err err = records_read(d->options.records, read_number, &r);
    int n = snprintf(out, 32, STR_FMT, STR_ARG(r.number));
    arena_fini(&arena);
    if (err.code != ERR_NONE || n <= 0 || n >= 32) return (Str){0};
    thread_lock(&d->lock);
    struct doc_engine_number *slot = slot_of(d, table, id);
    slot->table = table;
    slot->id = id;
    memcpy(slot->text, out, 32);
    thread_unlock(&d->lock);
    return str_c(out);
}

/* ---- a document */

static void write_field(struct documents *d, const struct field *f, Value v, struct jw *w) {
    char text[32];
    Str number = {0};
    if (f->kind == FIELD_REF && v.kind == VALUE_INT)
        number = number_of(d, doc_engine_table_named(d, f->ref), v.i, text);
    jw_key(w, f->name);
    doc_value_json(f, v, number, w);
}

/* Names once each: two rows of one name never leave one state for the same reader twice in the list. */
static void write_can(const struct doc *doc, const struct principal *who, struct jw *w) {
    const struct doctype *type = doc->type;
    jw_key(w, "can");
    jw_array(w);
    for (size_t i = 0; i < type->n_transitions; i++) {
        const struct transition *t = &type->transitions[i];
        if (doctype_transition_from(type, str_c(t->name), doc->state) == t && principal_may(who, t->roles))
            jw_c(w, t->name);
    }
    jw_array_end(w);
}

void doc_json_write(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    struct jw *w) {
    jw_object(w);
    jw_kint(w, "id", doc->id);
    jw_kstr(w, "number", doc->number);
    jw_kc(w, "state", doctype_state_name(doc));
    jw_kint(w, "version", doc->version);
    jw_ktime(w, "created", doc->created);
    jw_ktime(w, "changed", doc->changed);
    jw_kstr(w, "created_by", doc->created_by);
    for (size_t i = 0; i < doc->type->n_fields; i++)
        if (lens->fields >> i & 1) write_field(d, &doc->type->fields[i], doc->values[i], w);
    if (who) write_can(doc, who, w);
    jw_object_end(w);
}

Str doc_json_audit(const struct doc *doc, uint64_t mask, bool with_state, struct arena *arena) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    if (with_state) jw_kc(&w, "state", doctype_state_name(doc));
    for (size_t i = 0; i < doc->type->n_fields; i++) {
        const struct field *f = &doc->type->fields[i];
        if (!(mask >> i & 1)) continue;
        jw_key(&w, f->name);
        if (f->share == SHARE_SECRET && doc->values[i].kind != VALUE_NONE)
            jw_c(&w, "***");
        else
            doc_value_json(f, doc->values[i], (Str){0}, &w);
    }
    jw_object_end(&w);
    Str out = arena_str(arena, buf_view(&text));
    buf_fini(&text);
    return out;
}

/* ---- a type */

static void titles(struct jw *w, const char *name, const char *en, const char *zh) {
    jw_kc(w, "name", name);
    jw_kc(w, "title_en", en);
    jw_kc(w, "title_zh", zh);
}

static void names(struct jw *w, const char *key, const char *joined) {
    Str rest = str_c(joined), name;
    jw_key(w, key);
    jw_array(w);
    while (rest.len > 0) {
        str_cut(rest, '|', &name, &rest);
        jw_str(w, name);
    }
    jw_array_end(w);
}

static void role_names(struct jw *w, const char *key, unsigned roles) {
    jw_key(w, key);
    jw_array(w);
    for (int role = 0; role < ROLE_COUNT; role++)
        if (roles & ROLE_BIT(role)) jw_c(w, principal_role_name((enum role)role));
    jw_array_end(w);
}

static void write_choices(struct jw *w, const struct field *f) {
    jw_key(w, "choices");
    jw_array(w);
    for (const struct choice *c = f->choices; c->name; c++) {
        jw_object(w);
        titles(w, c->name, c->title_en, c->title_zh);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void write_field_type(struct jw *w, const struct field *f) {
    static const char *const shares[] = {"own", "partners", "public", "secret"};
    jw_object(w);
    titles(w, f->name, f->title_en, f->title_zh);
    jw_kc(w, "kind", doc_value_kind_name(f->kind));
    if (f->kind == FIELD_DECIMAL) jw_kint(w, "scale", f->scale);
    jw_kbool(w, "required", f->required);
    jw_kbool(w, "unique", f->unique);
    jw_kbool(w, "computed", f->computed);
    jw_kc(w, "unit", f->unit);
    if (f->kind == FIELD_CHOICE) write_choices(w, f);
    if (f->kind == FIELD_REF) jw_kc(w, "ref", f->ref);
    jw_kc(w, "share", shares[f->share]);
    if (f->fallback) jw_kc(w, "default", f->fallback);
    jw_object_end(w);
}

static void write_state(struct jw *w, const struct doc_state *s, bool initial) {
    jw_object(w);
    titles(w, s->name, s->title_en, s->title_zh);
    jw_kbool(w, "initial", initial);
    jw_kbool(w, "final", s->final);
    jw_kc(w, "tone", s->tone);
    jw_object_end(w);
}

static void write_transition(struct jw *w, const struct doctype *type, const struct transition *t) {
    jw_object(w);
    titles(w, t->name, t->title_en, t->title_zh);
    jw_key(w, "from");
    jw_array(w);
    for (int i = 0; i < (int)type->n_states; i++)
        if (doctype_leaves(type, t, i)) jw_c(w, type->states[i].name);
    jw_array_end(w);
    jw_kc(w, "to", t->to);
    role_names(w, "roles", t->roles);
    names(w, "needs", t->needs);
    names(w, "takes", t->takes);
    jw_object_end(w);
}

void doc_json_type(const struct doctype *type, struct jw *w) {
    jw_object(w);
    titles(w, type->name, type->title_en, type->title_zh);
    jw_kc(w, "prefix", type->prefix);
    jw_key(w, "fields");
    jw_array(w);
    for (size_t i = 0; i < type->n_fields; i++) write_field_type(w, &type->fields[i]);
    jw_array_end(w);
    jw_key(w, "states");
    jw_array(w);
    for (size_t i = 0; i < type->n_states; i++) write_state(w, &type->states[i], i == 0);
    jw_array_end(w);
    jw_key(w, "transitions");
    jw_array(w);
    for (size_t i = 0; i < type->n_transitions; i++) write_transition(w, type, &type->transitions[i]);
    jw_array_end(w);
    role_names(w, "read_roles", type->read_roles);
    role_names(w, "create_roles", type->create_roles);
    role_names(w, "change_roles", type->change_roles);
    jw_object_end(w);
}
