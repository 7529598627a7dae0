/* Rules: what sets them off, what must hold, what is done. */
#include <string.h>

#include "model/pack_build.h"

#define WHENS 5
#define EVERY_LEAST NANOS_PER_MIN

static const struct doctype *find_type(struct pack_build *b, const struct pack_item *item,
                                       const struct pack_node *name) {
    if (!pack_node_scalar(name)) return NULL;
    const struct pack_item *found = pack_build_find(b, PACK_RECORDS, item->pack, name->text, name->at, "document type");
    return found ? found->type : NULL;
}

static Nanos read_every(struct pack_build *b, const struct pack_node *node) {
    Str text = str_c(pack_build_text(node, "every"));
    int64_t n = 0;
    char unit = text.len ? text.ptr[text.len - 1] : 0;
    Nanos each = unit == 'm' ? NANOS_PER_MIN : unit == 'h' ? NANOS_PER_HOUR : unit == 'd' ? NANOS_PER_DAY : 0;
    if (each && str_to_i64(str_slice(text, 0, text.len - 1), &n) && n >= 1 && n <= 1000) return n * each;
    pack_fault_add(b->faults, pack_build_at(node, "every"), "15m, 1h or 1d", "'%.30s' is no span of time", text.ptr);
    return EVERY_LEAST;
}

static int read_at(struct pack_build *b, const struct pack_node *node) {
    Str text = str_c(pack_build_text(node, "at")), hour, minute;
    int64_t h, m;
    if (str_cut(text, ':', &hour, &minute) && str_to_i64(hour, &h) && str_to_i64(minute, &m) && h >= 0 && h < 24 &&
        m >= 0 && m < 60 && minute.len == 2)
        return (int)(h * 60 + m);
    pack_fault_add(b->faults, pack_build_at(node, "at"), "\"06:30\", in quotes", "'%.30s' is no time of day", text.ptr);
    return 0;
}

static void check_what(struct pack_build *b, const struct doctype *type, const struct rule *rule,
                       struct pack_place at) {
    if (!type || !rule->what || strcmp(rule->what, "create") == 0 || strcmp(rule->what, "change") == 0) return;
    if (doctype_transition(type, str_c(rule->what))) return;
    struct pack_near near = pack_fault_near(str_c(rule->what));
    pack_fault_try(&near, STR("create"));
    pack_fault_try(&near, STR("change"));
    for (size_t i = 0; i < type->n_transitions; i++) pack_fault_try(&near, str_c(type->transitions[i].name));
    pack_fault_add(b->faults, at, pack_fault_mean(&near, b->arena), "nothing called '%.60s' happens to '%s'",
                   rule->what, type->name);
}

static const struct doctype *read_when(struct pack_build *b, const struct pack_item *item, const struct pack_node *when,
                                       struct rule *rule) {
    static const char *const names[WHENS] = {"change", "alarm", "event", "every", "at"};
    unsigned given = 0;
    for (size_t i = 0; i < WHENS; i++) given += pack_node_get(when, names[i]) != NULL;
    if (given != 1) {
        pack_fault_add(b->faults, when ? when->at : item->at, NULL,
                       "'when' has one of change, alarm, event, every and at");
        return NULL;
    }
    const struct doctype *type = NULL;
    rule->at_minute = -1;
    rule->what = pack_build_text(when, "what");
    if (pack_node_get(when, "change")) {
        rule->when = RULE_CHANGE;
        type = find_type(b, item, pack_node_get(when, "change"));
    } else if (pack_node_get(when, "alarm")) {
        rule->when = RULE_ALARM;
        const struct pack_item *alarm =
            pack_build_find(b, PACK_RECORDS, item->pack, STR("alarm"), when->at, "document type");
        type = alarm ? alarm->type : NULL;
    } else if (pack_node_get(when, "event")) {
        rule->when = RULE_EVENT;
        rule->what = pack_build_text(when, "event");
        const struct pack_item *event =
            pack_build_find(b, PACK_RECORDS, item->pack, STR("event"), when->at, "document type");
        type = event ? event->type : NULL;
    } else {
        rule->when = RULE_SCHEDULE;
        if (pack_node_get(when, "every"))
            rule->every = read_every(b, when);
        else
            rule->at_minute = read_at(b, when);
        if (pack_node_get(when, "each")) type = find_type(b, item, pack_node_get(when, "each"));
    }
    if (rule->when == RULE_CHANGE || rule->when == RULE_ALARM) check_what(b, type, rule, pack_build_at(when, "what"));
    rule->type = type ? type->name : NULL;
    return type;
}

/* ---- actions */
static void check_braces(struct pack_build *b, const struct doctype *type, const char *text, struct pack_place at) {
    for (const char *p = text; p && type && (p = strchr(p, '{')); p++) {
        const char *end = strchr(p, '}');
        if (!end) {
            pack_fault_add(b->faults, at, "close it with '}'", "'{' without '}'");
            return;
        }
        Str name = str_n(p + 1, (size_t)(end - p - 1));
        if (!str_eq_c(name, "now")) pack_build_field(b, type, true, name, at);
    }
}

static void read_sets(struct pack_build *b, const struct doctype *about, const struct doctype *target,
                      const struct pack_node *map, struct rule_action *out) {
    size_t n = map && map->kind == PACK_MAP ? map->n : 0;
    struct rule_set *sets = arena_zero(b->arena, n + 1, sizeof *sets);
    for (size_t i = 0; i < n; i++) {
        const struct pack_member *m = &map->members[i];
        const char *text = pack_node_scalar(m->value) ? m->value->text.ptr : "";
        sets[i] = (struct rule_set){m->key.ptr, text};
        bool known = !target || pack_build_field(b, target, false, m->key, m->at);
        check_braces(b, about, text, m->value->at);
        if (known && target && !strchr(text, '{'))
            pack_checks_value(b, &target->fields[doctype_field(target, m->key)], str_c(text), m->value->at);
    }
    out->sets = sets, out->n_sets = n;
}

/* The type of the document that an action is done to: the rule's own, or the one its reference leads to. */
static const struct doctype *follow(struct pack_build *b, const struct pack_item *item, const struct doctype *about,
                                    const char *ref, struct pack_place at, struct rule_action *out) {
    if (!ref || strcmp(ref, "self") == 0) return about;
    out->target = ref;
    if (!about || !pack_build_field(b, about, false, str_c(ref), at)) return NULL;
    const struct field *f = &about->fields[doctype_field(about, str_c(ref))];
    if (f->kind != FIELD_REF) {
        pack_fault_add(b->faults, at, "name a field of kind ref, or self", "'%s' is no reference", ref);
        return NULL;
    }
    out->type = f->ref;
    const struct pack_item *found =
        f->ref ? pack_build_find(b, PACK_RECORDS, item->pack, str_c(f->ref), at, "document type") : NULL;
    return found ? found->type : NULL;
}

static void read_step(struct pack_build *b, const struct pack_item *item, const struct doctype *about,
                      const struct pack_node *node, struct rule_action *out) {
    out->what = RULE_STEP;
    out->name = pack_build_text(node, "step");
    const struct doctype *type = follow(b, item, about, pack_build_text(node, "of"), pack_build_at(node, "of"), out);
    if (type && !doctype_transition(type, str_c(out->name))) {
        struct pack_near near = pack_fault_near(str_c(out->name));
        for (size_t i = 0; i < type->n_transitions; i++) pack_fault_try(&near, str_c(type->transitions[i].name));
        pack_fault_add(b->faults, pack_build_at(node, "step"), pack_fault_mean(&near, b->arena),
                       "'%s' has no transition '%.60s'", type->name, out->name);
    }
    read_sets(b, about, type, pack_node_get(node, "set"), out);
}

static void read_notify(struct pack_build *b, const struct doctype *about, const struct pack_node *node,
                        struct rule_action *out) {
    out->what = RULE_NOTIFY;
    out->target = pack_build_text(node, "notify");
    pack_build_title(b, node, "text", (Str){0}, &out->name, &out->text_zh);
    struct pack_place at = pack_build_at(node, "notify");
    Str target = str_c(out->target);
    enum role role;
    bool group = str_eq_c(target, "role:staff") || str_eq_c(target, "role:people");
    if (str_starts(target, STR("role:")) ? !group && !principal_role_parse(str_slice(target, 5, target.len), &role)
                                         : !str_starts(target, STR("user:")) && !str_starts(target, STR("channel:")))
        pack_fault_add(b->faults, at, "role:manager, user:{field} or channel:NAME", "'%.60s' is nobody to notify",
                       target.ptr);
    if (!out->name) pack_fault_add(b->faults, at, "text: {zh: …, en: …}", "nothing to say: 'notify' has no 'text'");
    check_braces(b, about, out->target, at);
    check_braces(b, about, out->name, pack_build_at(node, "text"));
    if (out->text_zh != out->name) check_braces(b, about, out->text_zh, pack_build_at(node, "text"));
}

static void read_command(struct pack_build *b, const struct doctype *about, const struct pack_node *node,
                         struct rule_action *out) {
    out->what = RULE_COMMAND;
    out->name = pack_build_text(node, "command");
    out->target = pack_build_text(node, "thing");
    struct pack_place at = pack_build_at(node, "thing");
    if (!out->target)
        pack_fault_add(b->faults, at, "thing: a field of kind thing", "'command' has no 'thing'");
    else if (about && pack_build_field(b, about, false, str_c(out->target), at) &&
             about->fields[doctype_field(about, str_c(out->target))].kind != FIELD_THING)
        pack_fault_add(b->faults, at, "name a field of kind thing", "'%s' holds no thing", out->target);
    read_sets(b, about, NULL, pack_node_get(node, "set"), out);
}

static void read_action(struct pack_build *b, const struct pack_item *item, const struct doctype *about,
                        const struct pack_node *node, struct rule_action *out) {
    static const char *const verbs[] = {"create", "change", "step", "kernel", "command", "notify"};
    unsigned given = 0;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) given += pack_node_get(node, verbs[i]) != NULL;
    if (given != 1) {
        pack_fault_add(b->faults, node->at, NULL,
                       "an action has one of create, change, step, kernel, command and notify");
        return;
    }
    if (pack_node_get(node, "create")) {
        const struct doctype *type = find_type(b, item, pack_node_get(node, "create"));
        *out = (struct rule_action){.what = RULE_CREATE, .type = type ? type->name : NULL};
        read_sets(b, about, type, pack_node_get(node, "set"), out);
    } else if (pack_node_get(node, "change")) {
        out->what = RULE_UPDATE;
        const struct doctype *type =
            follow(b, item, about, pack_build_text(node, "change"), pack_build_at(node, "change"), out);
        read_sets(b, about, type, pack_node_get(node, "set"), out);
    } else if (pack_node_get(node, "step")) {
        read_step(b, item, about, node, out);
    } else if (pack_node_get(node, "notify")) {
        read_notify(b, about, node, out);
    } else if (pack_node_get(node, "command")) {
        read_command(b, about, node, out);
    } else {
        *out = (struct rule_action){.what = RULE_KERNEL, .name = pack_build_text(node, "kernel")};
        read_sets(b, about, NULL, pack_node_get(node, "set"), out);
    }
}

void pack_rule_build(struct pack_build *b, const struct pack_item *item, struct rule *out) {
    *out = (struct rule){.name = item->name.ptr, .pack = item->pack->info.name, .script = item->pack->script};
    pack_build_title(b, item->node, "title", item->name, &out->title_en, &out->title_zh);
    const struct doctype *type = read_when(b, item, pack_node_get(item->node, "when"), out);
    const struct pack_node *conditions = pack_node_get(item->node, "if"), *actions = pack_node_get(item->node, "do");
    struct pack_checks checks = {0};
    if (type)
        pack_checks_read(b, item->pack, type, NULL, conditions, &checks);
    else if (conditions && out->when == RULE_SCHEDULE)
        pack_fault_add(b->faults, conditions->at, "add 'each: TYPE' to 'when'", "'if' needs documents to look at");
    out->conditions = checks.items, out->n_conditions = checks.n;
    size_t n = actions && actions->kind == PACK_LIST ? actions->n : 0;
    struct rule_action *list = arena_zero(b->arena, n + 1, sizeof *list);
    for (size_t i = 0; i < n; i++) read_action(b, item, type, actions->members[i].value, &list[i]);
    out->actions = list, out->n_actions = n;
}
