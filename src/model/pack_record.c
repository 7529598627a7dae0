/* Document types: fields, states, transitions, checks. */
#include <ctype.h>
#include <string.h>

#include "model/ident.h"
#include "model/pack_build.h"
#include "model/unit.h"

/* In the order of pack_form_kinds; the last, place, is a reference to a place. */
static const enum field_kind kinds[] = {FIELD_TEXT,  FIELD_INT,    FIELD_NUMBER, FIELD_DECIMAL, FIELD_BOOL,
                                        FIELD_TIME,  FIELD_CHOICE, FIELD_REF,    FIELD_THING,   FIELD_JSON,
                                        FIELD_MONEY, FIELD_DATE,   FIELD_PARTY,  FIELD_FILE,    FIELD_GEOMETRY,
                                        FIELD_LINES, FIELD_REF};
#define KIND_PLACE 16
#define SCALE_MAX 9
#define NUMBER_TEXT_MAX 60

static const char *const taken[] = {"id",      "party",      "number", "state", "version", "created",
                                    "changed", "created_by", "batch",  "can",   NULL};

/* Which keys speak of which kinds; a key elsewhere is a mistake worth saying. */
#define K(kind) (1u << (kind))
#define AMOUNTS (K(FIELD_DECIMAL) | K(FIELD_INT) | K(FIELD_NUMBER))
static const struct {
    const char *key;
    unsigned kinds;
    const char *of;
} bound[] = {
    {"unit", AMOUNTS, "decimal, int and number"},
    {"scale", K(FIELD_DECIMAL) | K(FIELD_MONEY), "decimal and money"},
    {"currency", K(FIELD_MONEY), "money"},
    {"choices", K(FIELD_CHOICE), "choice"},
    {"to", K(FIELD_REF), "ref"},
    {"format", K(FIELD_TEXT), "text"},
    {"fields", K(FIELD_LINES), "lines"},
    {"checks", K(FIELD_LINES), "lines"},
};

struct field_of {
    struct pack_item *item;
    Str name;
    struct pack_place at;
    const struct pack_node *node; /* a mapping, or NULL: all defaults */
    enum share_class share;
    bool in_lines;
};

static void check_bound(struct pack_build *b, const struct field_of *of, const struct field *f) {
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        const struct pack_member *m = pack_node_member(of->node, str_c(bound[i].key));
        if (m && !(bound[i].kinds & K(f->kind)))
            pack_fault_add(b->faults, m->at,
                           arena_printf(b->arena, "give the field that kind, or leave '%s' out", bound[i].key).ptr,
                           "'%s' belongs to fields of kind %s", bound[i].key, bound[i].of);
    }
}

static void read_unit(struct pack_build *b, const struct field_of *of, struct field *f) {
    const char *text = pack_build_text(of->node, "unit");
    if (!text) return;
    const struct unit *unit = unit_find(str_c(text));
    if (unit) {
        f->unit = unit->code;
        return;
    }
    struct pack_near near = pack_fault_near(str_c(text));
    for (size_t i = 0; unit_at(i); i++) {
        pack_fault_try(&near, str_c(unit_at(i)->code));
        pack_fault_try(&near, str_c(unit_at(i)->symbol));
        pack_fault_try(&near, str_c(unit_at(i)->title_en));
    }
    const char *suggestion = pack_fault_mean(&near, b->arena);
    pack_fault_add(b->faults, pack_build_at(of->node, "unit"),
                   suggestion ? suggestion
                              : "a code or symbol of UN/ECE Rec 20: KGM or kg, MTR or m, H87 (pieces), HUR or h",
                   "no unit '%.40s'", text);
}

static void read_choices(struct pack_build *b, const struct field_of *of, struct field *f) {
    const struct pack_node *node = pack_node_get(of->node, "choices");
    if (!node || (node->kind != PACK_LIST && node->kind != PACK_MAP)) {
        if (!node)
            pack_fault_add(b->faults, of->at, "choices: {low: {zh: 低, en: Low}, high: {zh: 高, en: High}}",
                           "choice '" STR_FMT "' has no 'choices'", STR_ARG(of->name));
        f->choices = arena_zero(b->arena, 1, sizeof *f->choices);
        return;
    }
    struct choice *choices = arena_zero(b->arena, node->n + 1, sizeof *choices);
    size_t n = 0;
    for (size_t i = 0; i < node->n; i++) {
        const struct pack_member *m = &node->members[i];
        Str name = node->kind == PACK_MAP ? m->key : pack_node_scalar(m->value) ? m->value->text : (Str){0};
        if (name.len == 0) continue;
        if (str_find(name, STR("|")) >= 0)
            pack_fault_add(b->faults, m->value->at, NULL, "a choice has no '|' in its name");
        for (size_t k = 0; k < n; k++)
            if (str_eq_c(name, choices[k].name))
                pack_fault_add(b->faults, m->value->at, "leave one of them", "choice '%.40s' stands here twice",
                               name.ptr);
        choices[n].name = arena_c(b->arena, name);
        pack_build_title(b, node->kind == PACK_MAP ? m->value : NULL, NULL, name, &choices[n].title_en,
                         &choices[n].title_zh);
        n++;
    }
    f->choices = choices;
}

static void read_money(struct pack_build *b, const struct field_of *of, struct field *f) {
    f->currency = pack_build_text(of->node, "currency");
    if (!f->currency) return;
    bool good = strlen(f->currency) == 3;
    for (const char *c = f->currency; *c; c++) good = good && *c >= 'A' && *c <= 'Z';
    if (!good)
        pack_fault_add(b->faults, pack_build_at(of->node, "currency"), "CNY, USD, EUR … (ISO 4217)",
                       "'%.20s' is no currency code", f->currency);
}

static void read_ref(struct pack_build *b, const struct field_of *of, struct field *f) {
    const struct pack_node *to = pack_node_get(of->node, "to");
    if (!to)
        pack_fault_add(b->faults, of->at, "to: the name of a document type", "reference '" STR_FMT "' leads nowhere",
                       STR_ARG(of->name));
    if (!to || !pack_node_scalar(to)) return;
    const struct pack_item *found = pack_build_find(b, PACK_RECORDS, of->item->pack, to->text, to->at, "document type");
    if (found) f->ref = found->type->name;
}

static void read_format(struct pack_build *b, const struct field_of *of, struct field *f) {
    const char *text = pack_build_text(of->node, "format");
    if (!text) return;
    f->format = text;
    if (ident_find(str_c(text))) return;
    const char *words[32];
    size_t n = 0;
    for (const struct ident *i = ident_table; i->name && n < 31; i++) words[n++] = i->name;
    words[n] = NULL;
    pack_check_unknown(b->faults, pack_build_at(of->node, "format"), "format", str_c(text), words);
}

static void read_lines(struct pack_build *b, const struct field_of *of, struct field *f);

static void read_kind(struct pack_build *b, const struct field_of *of, struct field *f) {
    int kind = pack_build_word(of->node, "kind", pack_form_kinds, 0);
    f->kind = kinds[kind];
    if (kind == KIND_PLACE) f->ref = "place";
    check_bound(b, of, f);
    int64_t scale = pack_build_int(of->node, "scale", f->kind == FIELD_MONEY ? 2 : f->kind == FIELD_DECIMAL ? 3 : 0);
    if (scale < 0 || scale > SCALE_MAX) {
        pack_fault_add(b->faults, pack_build_at(of->node, "scale"), NULL, "a scale is 0 to %d digits", SCALE_MAX);
        scale = 0;
    }
    f->scale = (unsigned char)scale;
    read_unit(b, of, f);
    read_format(b, of, f);
    if (f->kind == FIELD_CHOICE) read_choices(b, of, f);
    if (f->kind == FIELD_MONEY) read_money(b, of, f);
    if (f->kind == FIELD_REF && kind != KIND_PLACE) read_ref(b, of, f);
    if (f->kind == FIELD_LINES) read_lines(b, of, f);
}

static void read_compute(struct pack_build *b, const struct field_of *of, struct field *f) {
    f->compute = pack_build_text(of->node, "compute");
    f->computed = pack_build_flag(of->node, "computed") || f->compute;
    if (f->compute) pack_build_function(b, of->item->pack, f->compute, pack_build_at(of->node, "compute"));
    if (f->computed && f->required && f->compute)
        pack_fault_add(b->faults, of->at, "leave 'required' out",
                       "'" STR_FMT "' is computed, so nobody can be asked for it", STR_ARG(of->name));
}

static void read_field(struct pack_build *b, const struct field_of *of, struct field *f) {
    *f = (struct field){.name = arena_c(b->arena, of->name)};
    for (const char *const *t = taken; *t; t++)
        if (str_eq_c(of->name, *t) && !of->in_lines)
            pack_fault_add(b->faults, of->at, "choose another name", "every document has '%s' already", *t);
    pack_build_title(b, of->node, "title", of->name, &f->title_en, &f->title_zh);
    pack_build_title(b, of->node, "help", (Str){0}, &f->help_en, &f->help_zh);
    f->required = pack_build_flag(of->node, "required");
    f->unique = pack_build_flag(of->node, "unique");
    f->indexed = f->unique || pack_build_flag(of->node, "index");
    f->share = (enum share_class)pack_build_word(of->node, "share", pack_form_shares, (int)of->share);
    f->reveals = (enum reveals)pack_build_word(of->node, "reveals", pack_form_reveals, REVEALS_NOTHING);
    f->was = pack_build_text(of->node, "was");
    read_kind(b, of, f);
    read_compute(b, of, f);
    f->fallback = pack_build_text(of->node, "default");
    if (f->fallback) pack_checks_value(b, f, str_c(f->fallback), pack_build_at(of->node, "default"));
    if (f->share == SHARE_SECRET && (f->indexed || f->unique))
        pack_fault_add(b->faults, of->at, "leave 'index' and 'unique' out",
                       "'" STR_FMT "' is secret: it is kept encrypted and cannot be searched or compared",
                       STR_ARG(of->name));
}

/* The fields of a type or of its lines; a money field without a fixed currency brings a hidden one that keeps it. */
static size_t read_fields(struct pack_build *b, struct field_of of, const struct pack_node *map, size_t room,
                          struct field *fields) {
    size_t n = 0;
    for (size_t i = 0; map && map->kind == PACK_MAP && i < map->n; i++) {
        const struct pack_member *m = &map->members[i];
        if (n + 2 > room) {
            pack_fault_add(b->faults, m->at, "part the type", "more than %u fields", DOCTYPE_FIELDS_MAX);
            break;
        }
        of.name = m->key, of.at = m->at, of.node = m->value;
        struct field *f = &fields[n++];
        read_field(b, &of, f);
        if (f->kind != FIELD_MONEY || f->currency) continue;
        f->companion = (unsigned char)(n + 1);
        fields[n++] = (struct field){.name = arena_printf(b->arena, "%s_currency", f->name).ptr,
                                     .title_en = arena_printf(b->arena, "%s: currency", f->title_en).ptr,
                                     .title_zh = arena_printf(b->arena, "%s币种", f->title_zh).ptr,
                                     .kind = FIELD_TEXT,
                                     .share = f->share,
                                     .hidden = true};
    }
    return n;
}

static void read_lines(struct pack_build *b, const struct field_of *of, struct field *f) {
    const struct pack_node *map = pack_node_get(of->node, "fields");
    struct field *fields = arena_zero(b->arena, DOCTYPE_FIELDS_MAX, sizeof *fields);
    struct doctype *lines = arena_zero(b->arena, 1, sizeof *lines);
    if (of->in_lines)
        pack_fault_add(b->faults, of->at, "make it a document type of its own", "lines cannot have lines");
    if (!map)
        pack_fault_add(b->faults, of->at, "fields: {product: {…}, quantity: {…}}",
                       "lines '" STR_FMT "' have no 'fields'", STR_ARG(of->name));
    *lines = (struct doctype){.name = f->name,
                              .title_en = f->title_en,
                              .title_zh = f->title_zh,
                              .fields = fields,
                              .pack = of->item->pack->info.name,
                              .script = of->item->pack->script};
    struct field_of inner = {.item = of->item, .share = f->share, .in_lines = true};
    if (!of->in_lines) lines->n_fields = read_fields(b, inner, map, DOCTYPE_FIELDS_MAX, fields);
    struct pack_checks checks = {0};
    pack_checks_read(b, of->item->pack, lines, NULL, pack_node_get(of->node, "checks"), &checks);
    lines->checks = checks.items, lines->n_checks = checks.n;
    f->lines = lines;
}

/* ---- the type itself */
static const char *make_prefix(struct arena *arena, Str name) {
    char prefix[4] = {0};
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < 3; i++)
        if (i == 0 || name.ptr[i - 1] == '_') prefix[n++] = (char)toupper((unsigned char)name.ptr[i]);
    if (n == 1 && name.len > 1) prefix[n++] = (char)toupper((unsigned char)name.ptr[1]);
    return arena_c(arena, str_c(prefix));
}

/* {yyyy} {yy} {mm} {dd}, and once {0…} for the running number. */
static void check_number(struct pack_build *b, const struct pack_node *node) {
    const char *text = pack_build_text(node, "number");
    if (!text) return;
    static const char *const parts[] = {"yyyy", "yy", "mm", "dd", NULL};
    struct pack_place at = pack_build_at(node, "number");
    unsigned running = 0;
    for (const char *p = text; (p = strchr(p, '{')); p++) {
        const char *end = strchr(p, '}');
        Str part = end ? str_n(p + 1, (size_t)(end - p - 1)) : (Str){0};
        bool known = part.len > 0 && part.len <= 12 && strspn(part.ptr, "0") >= part.len;
        running += known;
        for (const char *const *w = parts; *w; w++) known = known || str_eq_c(part, *w);
        if (!known)
            pack_fault_add(b->faults, at, "{yyyy}, {yy}, {mm}, {dd}, and {0000} for the running number",
                           "'%.40s' has a part that is not known", text);
        if (!end) break;
    }
    if (running != 1)
        pack_fault_add(b->faults, at, "\"PO-{yyyy}{mm}-{0000}\"", "'%.40s' needs the running number once", text);
    if (strlen(text) > NUMBER_TEXT_MAX)
        pack_fault_add(b->faults, at, NULL, "a number's pattern has at most %d characters", NUMBER_TEXT_MAX);
}

void pack_record_fields(struct pack_build *b, struct pack_item *item) {
    struct doctype *t = item->type;
    const struct pack_node *node = item->node;
    struct field *fields = arena_zero(b->arena, DOCTYPE_FIELDS_MAX, sizeof *fields);
    struct field_of of = {.item = item,
                          .share = (enum share_class)pack_build_word(node, "share", pack_form_shares, SHARE_OWN)};
    pack_build_title(b, node, "title", item->name, &t->title_en, &t->title_zh);
    pack_build_title(b, node, "help", (Str){0}, &t->help_en, &t->help_zh);
    t->prefix = pack_build_text(node, "prefix");
    if (!t->prefix) t->prefix = make_prefix(b->arena, item->name);
    t->number = pack_build_text(node, "number");
    check_number(b, node);
    t->label = pack_build_text(node, "label");
    t->immutable = pack_build_flag(node, "immutable");
    t->read_roles = pack_build_roles(node, "read", ROLE_PEOPLE);
    t->create_roles = pack_build_roles(node, "create", ROLE_STAFF);
    t->change_roles = pack_build_roles(node, "change", ROLE_STAFF);
    t->delete_roles = pack_build_roles(node, "delete", 0);
    t->script = item->pack->script;
    t->pack = item->pack->info.name;
    t->fields = fields;
    t->n_fields = read_fields(b, of, pack_node_get(node, "fields"), DOCTYPE_FIELDS_MAX, fields);
    size_t lists = 0;
    for (size_t i = 0; i < t->n_fields; i++) lists += fields[i].kind == FIELD_LINES;
    if (lists > DOCTYPE_LINES_MAX)
        pack_fault_add(b->faults, item->at, "part the type", "'%s' has more than %d fields of kind lines", t->name,
                       DOCTYPE_LINES_MAX);
}

static void read_states(struct pack_build *b, struct pack_item *item) {
    static const struct doc_state usual = {"active", "Active", "有效", false, "neutral"};
    const struct pack_node *map = pack_node_get(item->node, "states");
    struct doctype *t = item->type;
    t->states = &usual, t->n_states = 1;
    if (!map || map->kind != PACK_MAP || map->n == 0) return;
    struct doc_state *states = arena_zero(b->arena, map->n, sizeof *states);
    for (size_t i = 0; i < map->n; i++) {
        const struct pack_member *m = &map->members[i];
        states[i] = (struct doc_state){.name = m->key.ptr, .final = pack_build_flag(m->value, "final")};
        pack_build_title(b, m->value, "title", m->key, &states[i].title_en, &states[i].title_zh);
        states[i].tone = pack_form_tones[pack_build_word(m->value, "tone", pack_form_tones, states[i].final ? 2 : 0)];
    }
    t->states = states, t->n_states = map->n;
}

static void need_state(struct pack_build *b, const struct doctype *t, Str name, struct pack_place at) {
    if (doctype_state(t, name) >= 0) return;
    struct pack_near near = pack_fault_near(name);
    for (size_t i = 0; i < t->n_states; i++) pack_fault_try(&near, str_c(t->states[i].name));
    pack_fault_add(b->faults, at, pack_fault_mean(&near, b->arena), "'%s' has no state '%.60s'", t->name,
                   arena_c(b->arena, name));
}

static const char *read_names(struct pack_build *b, const struct doctype *t, const struct pack_node *node,
                              const char *key) {
    const struct pack_node **names;
    size_t n = pack_build_names(b, pack_node_get(node, key), &names);
    for (size_t i = 0; i < n; i++) pack_build_field(b, t, false, names[i]->text, names[i]->at);
    return pack_build_join(b, names, n);
}

static void read_stamps(struct pack_build *b, const struct doctype *t, const struct pack_node *node,
                        struct transition *out) {
    out->stamps = pack_build_text(node, "stamps");
    if (!out->stamps || !pack_build_field(b, t, false, str_c(out->stamps), pack_build_at(node, "stamps"))) return;
    if (t->fields[doctype_field(t, str_c(out->stamps))].kind != FIELD_TIME)
        pack_fault_add(b->faults, pack_build_at(node, "stamps"), "give it the kind time",
                       "'%s' is no field of kind time", out->stamps);
}

struct transitions {
    struct transition *items;
    size_t n;
};

static const char *read_from(struct pack_build *b, const struct doctype *t, const struct pack_node *node) {
    const struct pack_node **names;
    size_t n = pack_build_names(b, pack_node_get(node, "from"), &names);
    for (size_t i = 0; i < n; i++)
        if (!str_eq_c(names[i]->text, "*")) need_state(b, t, names[i]->text, names[i]->at);
    const char *joined = pack_build_join(b, names, n);
    return joined ? joined : "*";
}

static void read_transition(struct pack_build *b, struct doctype *t, const struct pack_member *m,
                            struct transitions *list) {
    struct transition row = {.name = m->key.ptr, .roles = pack_build_roles(m->value, "by", ROLE_STAFF)};
    const struct pack_node *path = pack_node_get(m->value, "path");
    pack_build_title(b, m->value, "title", m->key, &row.title_en, &row.title_zh);
    row.needs = read_names(b, t, m->value, "needs");
    row.takes = read_names(b, t, m->value, "takes");
    read_stamps(b, t, m->value, &row);
    if (path && path->kind == PACK_MAP) {
        if (pack_node_get(m->value, "from") || pack_node_get(m->value, "to"))
            pack_fault_add(b->faults, path->at, "leave 'from' and 'to' out",
                           "'path' stands instead of 'from' and 'to'");
        for (size_t i = 0; i < path->n; i++) {
            const struct pack_member *p = &path->members[i];
            need_state(b, t, p->key, p->at);
            if (!pack_node_scalar(p->value)) continue;
            need_state(b, t, p->value->text, p->value->at);
            row.from = p->key.ptr, row.to = p->value->text.ptr;
            list->items[list->n++] = row;
        }
        return;
    }
    row.from = read_from(b, t, m->value);
    row.to = pack_build_text(m->value, "to");
    if (row.to) need_state(b, t, str_c(row.to), pack_build_at(m->value, "to"));
    list->items[list->n++] = row;
}

static void read_transitions(struct pack_build *b, struct pack_item *item, struct pack_checks *checks) {
    const struct pack_node *map = pack_node_get(item->node, "transitions");
    if (!map || map->kind != PACK_MAP) return;
    static const char *const words[] = {"create", "change", "delete", NULL};
    size_t room = 0;
    for (size_t i = 0; i < map->n; i++) {
        const struct pack_node *path = pack_node_get(map->members[i].value, "path");
        room += path && path->kind == PACK_MAP ? path->n + 1 : 1;
        for (const char *const *w = words; *w; w++)
            if (str_eq_c(map->members[i].key, *w))
                pack_fault_add(b->faults, map->members[i].at, "choose another word",
                               "'%s' cannot be a transition: every document has it", *w);
    }
    struct transitions list = {.items = arena_zero(b->arena, room, sizeof *list.items)};
    for (size_t i = 0; i < map->n; i++) read_transition(b, item->type, &map->members[i], &list);
    item->type->transitions = list.items, item->type->n_transitions = list.n;
    for (size_t i = 0; i < map->n; i++)
        pack_checks_read(b, item->pack, item->type, map->members[i].key.ptr,
                         pack_node_get(map->members[i].value, "guard"), checks);
}

/* A state that nothing leads to, and a document that can never end, are likely slips. */
static void check_reach(struct pack_build *b, const struct pack_item *item) {
    const struct doctype *t = item->type;
    for (size_t s = 1; s < t->n_states; s++) {
        bool reached = false;
        for (size_t i = 0; i < t->n_transitions; i++)
            reached = reached || (t->transitions[i].to && strcmp(t->transitions[i].to, t->states[s].name) == 0);
        if (!reached)
            pack_fault_warn(b->faults,
                            pack_node_member(pack_node_get(item->node, "states"), str_c(t->states[s].name))->at,
                            "add a transition to it, or leave the state out", "no transition leads to the state '%s'",
                            t->states[s].name);
    }
}

void pack_record_finish(struct pack_build *b, struct pack_item *item) {
    struct doctype *t = item->type;
    struct pack_checks checks = {0};
    read_states(b, item);
    read_transitions(b, item, &checks);
    pack_checks_read(b, item->pack, t, NULL, pack_node_get(item->node, "checks"), &checks);
    t->checks = checks.items, t->n_checks = checks.n;
    if (t->label) pack_build_field(b, t, false, str_c(t->label), pack_build_at(item->node, "label"));
    check_reach(b, item);
}

/* ---- fields that parties added */
static void add_custom(struct pack_build *b, const struct pack_custom *c) {
    struct pack_item *item = NULL;
    for (size_t i = 0; i < b->sections[PACK_RECORDS].n; i++)
        if (str_eq(b->sections[PACK_RECORDS].items[i].name, c->type)) item = &b->sections[PACK_RECORDS].items[i];
    if (!item) return; /* its pack was removed: it waits for the pack to come back */
    const char *file =
        arena_printf(b->arena, "field '" STR_FMT "' of " STR_FMT, STR_ARG(c->name), STR_ARG(c->type)).ptr;
    const struct pack_node *node = pack_yaml_parse(file, c->text, b->arena, b->faults);
    if (!node) return;
    if (node->kind != PACK_NULL) pack_check_map(node, pack_form_field, c->name.ptr, b->faults);
    struct doctype *t = item->type;
    struct field *fields = (struct field *)(uintptr_t)t->fields;
    struct field_of of = {.item = item, .name = c->name, .at = node->at, .node = node};
    if (t->n_fields + 1 > DOCTYPE_FIELDS_MAX) {
        pack_fault_add(b->faults, node->at, NULL, "'%s' has no room for more fields: %d at most", t->name,
                       DOCTYPE_FIELDS_MAX);
        return;
    }
    struct field *f = &fields[t->n_fields];
    read_field(b, &of, f);
    f->custom_of = c->party;
    f->required = false; /* others write documents of the type without knowing of it */
    if (f->kind == FIELD_LINES || f->compute || (f->kind == FIELD_MONEY && !f->currency))
        pack_fault_add(b->faults, node->at, "choose another kind; money with a currency",
                       "a field of one's own has no lines, no function, and one currency");
    else if (doctype_field(t, c->name) < 0)
        t->n_fields++;
}

void pack_record_custom(struct pack_build *b) {
    for (size_t i = 0; i < b->options->n_custom; i++) add_custom(b, &b->options->custom[i]);
}
