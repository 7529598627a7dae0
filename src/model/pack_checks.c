/* Comparisons: "quantity > 0", "finish >= start", "note is set", "name contains '瓷'". */
#include <string.h>

#include "base/num.h"
#include "model/pack_build.h"

static const struct {
    const char *text;
    enum doc_op op;
    const char *en, *zh; /* the message when none was written */
} ops[] = {
    {"is set", DOC_IS_SET, "must be given", "必须填写"},
    {">=", DOC_GE, "must be at least", "不能小于"},
    {"<=", DOC_LE, "must be at most", "不能大于"},
    {"!=", DOC_NE, "must not be", "不能是"},
    {"<>", DOC_NE, "must not be", "不能是"},
    {"==", DOC_EQ, "must be", "必须是"},
    {"=", DOC_EQ, "must be", "必须是"},
    {">", DOC_GT, "must be more than", "必须大于"},
    {"<", DOC_LT, "must be less than", "必须小于"},
    {"contains", DOC_CONTAINS, "must contain", "必须包含"},
};
#define OPS (sizeof ops / sizeof *ops)

static size_t find_op(Str text, ptrdiff_t *at) {
    size_t best = OPS;
    *at = -1;
    for (size_t i = 0; i < OPS; i++) {
        bool word = ops[i].text[0] >= 'a';
        Str part = str_c(ops[i].text);
        ptrdiff_t here = str_find(text, part);
        if (here <= 0 || (word && text.ptr[here - 1] != ' ')) continue;
        if (*at < 0 || here < *at) best = i, *at = here;
    }
    return best;
}

static Str unquoted(Str text, bool *quoted) {
    *quoted = text.len >= 2 && (text.ptr[0] == '\'' || text.ptr[0] == '"') && text.ptr[text.len - 1] == text.ptr[0];
    return *quoted ? str_slice(text, 1, text.len - 1) : text;
}

static bool is_choice(const struct field *f, Str text, struct pack_near *near) {
    for (const struct choice *c = f->choices; c && c->name; c++) {
        if (str_eq_c(text, c->name)) return true;
        pack_fault_try(near, str_c(c->name));
    }
    return false;
}

static bool is_date(Str text) {
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-') return false;
    for (size_t i = 0; i < 10; i++)
        if (i != 4 && i != 7 && (text.ptr[i] < '0' || text.ptr[i] > '9')) return false;
    int64_t month, day;
    return str_to_i64(str_slice(text, 5, 7), &month) && str_to_i64(str_slice(text, 8, 10), &day) && month >= 1 &&
           month <= 12 && day >= 1 && day <= 31;
}

bool pack_checks_value(struct pack_build *b, const struct field *f, Str text, struct pack_place at) {
    struct pack_near near = pack_fault_near(text);
    int64_t whole;
    double real;
    bool good = true;
    const char *wants = NULL;
    switch (f->kind) {
    case FIELD_INT: good = str_to_i64(text, &whole), wants = "a whole number"; break;
    case FIELD_NUMBER: good = str_to_f64(text, &real), wants = "a number"; break;
    case FIELD_DECIMAL:
    case FIELD_MONEY:
        good = num_parse_decimal(text, f->scale, &whole);
        wants = arena_printf(b->arena, "a decimal of at most %u digits behind the point", f->scale).ptr;
        break;
    case FIELD_BOOL: good = str_eq_c(text, "true") || str_eq_c(text, "false"), wants = "true or false"; break;
    case FIELD_CHOICE: good = is_choice(f, text, &near), wants = "one of its choices"; break;
    case FIELD_DATE: good = is_date(text), wants = "a date as 2026-03-08"; break;
    default: break;
    }
    if (!good)
        pack_fault_add(b->faults, at, pack_fault_mean(&near, b->arena), "'%.60s' is no value of '%s', which takes %s",
                       arena_c(b->arena, text), f->name, wants);
    return good;
}

static void messages(struct pack_build *b, const struct doctype *type, const struct pack_node *node, size_t op,
                     struct doc_check *c) {
    if (node && pack_node_get(node, "message")) {
        pack_build_title(b, node, "message", (Str){0}, &c->message_en, &c->message_zh);
        return;
    }
    if (!c->field) {
        c->message_en = arena_printf(b->arena, "'%s' does not allow it", c->function).ptr;
        c->message_zh = arena_printf(b->arena, "不符合规则“%s”", c->function).ptr;
        return;
    }
    int at = doctype_field(type, str_c(c->field)), with = c->other ? doctype_field(type, str_c(c->other)) : -1;
    const char *en = at >= 0 ? type->fields[at].title_en : c->field,
               *zh = at >= 0 ? type->fields[at].title_zh : c->field;
    const char *than_en = with >= 0 ? type->fields[with].title_en : c->text ? c->text : "";
    const char *than_zh = with >= 0 ? type->fields[with].title_zh : than_en;
    c->message_en = arena_printf(b->arena, "%s %s%s%s", en, ops[op].en, *than_en ? " " : "", than_en).ptr;
    c->message_zh = arena_printf(b->arena, "%s%s%s", zh, ops[op].zh, than_zh).ptr;
}

static void compare(struct pack_build *b, const struct doctype *type, Str text, struct pack_place at,
                    const struct pack_node *node, struct doc_check *c) {
    ptrdiff_t where;
    size_t op = find_op(text, &where);
    if (op == OPS) {
        pack_fault_add(b->faults, at,
                       "write a field, one of = != < <= > >= contains, and a value: \"quantity > 0\"; or \"note is "
                       "set\"; anything more is a function of logic.lua",
                       "'%.80s' is no comparison", arena_c(b->arena, text));
        return;
    }
    bool quoted = false;
    Str left = str_trim(str_slice(text, 0, (size_t)where));
    Str right = str_trim(str_slice(text, (size_t)where + strlen(ops[op].text), text.len));
    if (!pack_build_field(b, type, false, left, at)) return;
    c->field = arena_c(b->arena, left);
    c->op = ops[op].op;
    int i = doctype_field(type, left);
    right = unquoted(right, &quoted);
    if (ops[op].op == DOC_IS_SET) {
        if (right.len)
            pack_fault_add(b->faults, at, NULL, "'%.40s' after 'is set' is too much", arena_c(b->arena, right));
    } else if (right.len == 0 && !quoted) {
        pack_fault_add(b->faults, at, NULL, "nothing to compare '%s' with", c->field);
    } else if (!quoted && doctype_field(type, right) >= 0) {
        c->other = arena_c(b->arena, right);
        int other = doctype_field(type, right);
        if (i >= 0 && type->fields[i].kind != type->fields[other].kind)
            pack_fault_add(b->faults, at, "compare fields of one kind, or use a function of logic.lua",
                           "'%s' and '%s' are of different kinds", c->field, c->other);
    } else {
        c->text = arena_c(b->arena, right);
        if (i >= 0) pack_checks_value(b, &type->fields[i], right, at);
    }
    messages(b, type, node, op, c);
}

static void push(struct pack_build *b, struct pack_checks *list, struct doc_check check) {
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 8;
        struct doc_check *items = arena_zero(b->arena, list->cap, sizeof *items);
        if (list->n) memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
    }
    list->items[list->n++] = check;
}

static const char *on_transition(struct pack_build *b, const struct doctype *type, const struct pack_node *node,
                                 const char *fallback) {
    const char *on = pack_build_text(node, "on");
    if (!on) return fallback;
    if (doctype_transition(type, str_c(on))) return on;
    struct pack_near near = pack_fault_near(str_c(on));
    for (size_t i = 0; i < type->n_transitions; i++) pack_fault_try(&near, str_c(type->transitions[i].name));
    pack_fault_add(b->faults, pack_build_at(node, "on"), pack_fault_mean(&near, b->arena),
                   "'%s' has no transition '%.60s'", type->name, on);
    return fallback;
}

void pack_checks_read(struct pack_build *b, const struct pack_unit *unit, const struct doctype *type,
                      const char *transition, const struct pack_node *node, struct pack_checks *list) {
    if (!node) return;
    if (node->kind == PACK_LIST) {
        for (size_t i = 0; i < node->n; i++) pack_checks_read(b, unit, type, transition, node->members[i].value, list);
        return;
    }
    struct doc_check check = {.transition = transition};
    if (node->kind == PACK_TEXT) {
        compare(b, type, node->text, node->at, NULL, &check);
    } else if (node->kind == PACK_MAP) {
        check.transition = on_transition(b, type, node, transition);
        const char *text = pack_build_text(node, "check"), *function = pack_build_text(node, "lua");
        if (text) {
            compare(b, type, str_c(text), pack_build_at(node, "check"), node, &check);
        } else if (function) {
            pack_build_function(b, unit, function, pack_build_at(node, "lua"));
            check.function = function;
            messages(b, type, node, 0, &check);
        }
    }
    if (check.field || check.function) push(b, list, check);
}
