#include "act/rule_text.h"

#include <string.h>

#include "document/doc_rules.h"

static Str taken(struct buf *text, struct arena *arena) {
    Str out = arena_str(arena, buf_view(text));
    buf_fini(text);
    return out;
}

static Str dumped(const struct json *v, struct arena *arena) {
    struct buf text = {0};
    json_dump(v, &text);
    return taken(&text, arena);
}

/* As a person would read it: a reference's number, a party's name, an amount with its currency. */
static Str plain(const struct json *v, struct arena *arena) {
    static const char *const members[] = {"number", "name", "value"};
    if (!v || json_kind(v) == JSON_NULL) return (Str){0};
    if (json_kind(v) == JSON_STRING) return json_str(v);
    if (json_kind(v) != JSON_OBJECT) return dumped(v, arena);
    Str amount = json_get_str(v, "amount", (Str){0});
    if (amount.len > 0)
        return arena_printf(arena, STR_FMT " " STR_FMT, STR_ARG(amount),
                            STR_ARG(json_get_str(v, "currency", (Str){0})));
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        Str text = json_get_str(v, members[i], (Str){0});
        if (text.len > 0) return text;
    }
    return dumped(v, arena);
}

static Str now_text(const struct rule_text *t) {
    char *text = arena_alloc(t->arena, TIME_TEXT_MAX);
    return time_format(t->now, text);
}

static Str value_of(const struct rule_text *t, Str name) {
    if (str_eq_c(name, "now")) return now_text(t);
    return t->doc ? plain(json_get(t->doc, arena_c(t->arena, name)), t->arena) : (Str){0};
}

Str rule_text_expand(const struct rule_text *t, Str text) {
    struct buf out = {0};
    while (text.len > 0) {
        Str before, name, rest;
        bool open = str_cut(text, '{', &before, &rest);
        buf_str(&out, before);
        if (!open) break;
        if (!str_cut(rest, '}', &name, &text)) {
            buf_byte(&out, '{');
            text = rest;
            continue;
        }
        buf_str(&out, value_of(t, name));
    }
    return taken(&out, t->arena);
}

/* ---- JSON for the document engine */
static bool is_json(Str text) {
    struct json *json = NULL;
    bool ok = json_parse(text, &json).code == ERR_NONE;
    json_free(json);
    return ok;
}

/* "{customer}" alone hands on what stands there, in its own form. */
static const struct json *whole(const struct rule_text *t, Str text) {
    if (!t->doc || text.len < 3 || text.ptr[0] != '{' || text.ptr[text.len - 1] != '}') return NULL;
    Str name = str_slice(text, 1, text.len - 1);
    return str_find(name, STR("{")) < 0 ? json_get(t->doc, arena_c(t->arena, name)) : NULL;
}

static void write_money(struct jw *w, Str text) {
    Str amount, currency;
    if (!str_cut(text, ' ', &amount, &currency)) {
        jw_str(w, text);
        return;
    }
    jw_object(w);
    jw_kstr(w, "amount", amount);
    jw_kstr(w, "currency", str_trim(currency));
    jw_object_end(w);
}

static void write_text(struct jw *w, enum field_kind kind, Str text) {
    int64_t id;
    bool raw = kind == FIELD_INT || kind == FIELD_NUMBER || kind == FIELD_BOOL || kind == FIELD_JSON ||
               kind == FIELD_GEOMETRY || kind == FIELD_LINES;
    if (text.len == 0)
        jw_null(w);
    else if (kind == FIELD_MONEY)
        write_money(w, text);
    else if (kind == FIELD_REF && str_to_i64(text, &id))
        jw_int(w, id);
    else if (raw && is_json(text))
        jw_raw(w, text);
    else
        jw_str(w, text);
}

static void write_set(const struct rule_text *t, struct jw *w, const struct field *field, Str text) {
    const struct json *v = whole(t, text);
    enum field_kind kind = field ? field->kind : FIELD_TEXT;
    bool own_form = v && (json_kind(v) == JSON_ARRAY || (json_kind(v) == JSON_OBJECT && json_get(v, "amount")));
    if (own_form && kind != FIELD_TEXT)
        jw_raw(w, dumped(v, t->arena));
    else
        write_text(w, kind, rule_text_expand(t, text));
}

Str rule_text_object(const struct rule_text *t, const struct doctype *type, const struct rule_set *sets, size_t n) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_object(&w);
    for (size_t i = 0; i < n; i++) {
        int at = type ? doctype_field(type, str_c(sets[i].field)) : -1;
        jw_key(&w, sets[i].field);
        write_set(t, &w, at >= 0 ? &type->fields[at] : NULL, str_c(sets[i].text));
    }
    jw_object_end(&w);
    return taken(&out, t->arena);
}

/* ---- conditions: those of the rule, looked at as if they were the type's, for a transition of their own */
bool rule_text_holds(const struct rule *rule, const struct doc *doc, Nanos now, struct arena *arena) {
    static const struct transition asked = {.name = "rule"};
    if (rule->n_conditions == 0) return true;
    struct doc_check *checks = arena_zero(arena, rule->n_conditions, sizeof *checks);
    for (size_t i = 0; i < rule->n_conditions; i++) {
        checks[i] = rule->conditions[i];
        checks[i].transition = asked.name;
    }
    struct doctype type = *doc->type;
    struct doc as_it_is = *doc;
    struct doc_faults faults = {0};
    type.checks = checks;
    type.n_checks = rule->n_conditions;
    if (rule->script) type.script = rule->script;
    as_it_is.type = &type;
    doc_rules_check(&as_it_is, &asked, now, arena, &faults);
    return faults.n == 0;
}
