#include "model/pack_build.h"

#include <math.h>
#include <string.h>

/* ---- reading */
const char *pack_build_text(const struct pack_node *map, const char *key) {
    const struct pack_node *v = pack_node_get(map, key);
    return pack_node_scalar(v) ? v->text.ptr : NULL;
}

bool pack_build_flag(const struct pack_node *map, const char *key) {
    const struct pack_node *v = pack_node_get(map, key);
    return v && v->kind == PACK_BOOL && v->truth;
}

int64_t pack_build_int(const struct pack_node *map, const char *key, int64_t fallback) {
    const struct pack_node *v = pack_node_get(map, key);
    return v && v->kind == PACK_INT ? v->integer : fallback;
}

double pack_build_num(const struct pack_node *map, const char *key) {
    const struct pack_node *v = pack_node_get(map, key);
    return v && (v->kind == PACK_INT || v->kind == PACK_NUMBER) ? v->number : NAN;
}

int pack_build_word(const struct pack_node *map, const char *key, const char *const *words, int fallback) {
    const char *text = pack_build_text(map, key);
    for (int i = 0; text && words[i]; i++)
        if (strcmp(text, words[i]) == 0) return i;
    return fallback;
}

struct pack_place pack_build_at(const struct pack_node *map, const char *key) {
    const struct pack_node *v = pack_node_get(map, key);
    return v ? v->at : map->at;
}

static const char *spoken(struct arena *arena, Str name) {
    char *text = arena_c(arena, name);
    for (char *p = text; *p; p++)
        if (*p == '_') *p = ' ';
    if (*text >= 'a' && *text <= 'z') *text = (char)(*text - 32);
    return text;
}

void pack_build_title(struct pack_build *b, const struct pack_node *map, const char *key, Str name, const char **en,
                      const char **zh) {
    const struct pack_node *v = key ? pack_node_get(map, key) : map;
    *en = *zh = NULL;
    if (pack_node_scalar(v)) *en = *zh = v->text.ptr;
    if (v && v->kind == PACK_MAP) {
        *en = pack_build_text(v, "en");
        *zh = pack_build_text(v, "zh");
    }
    if (!*en) *en = *zh;
    if (!*zh) *zh = *en;
    if (!*en && name.len) *en = *zh = spoken(b->arena, name);
}

static unsigned role_bits(Str name) {
    enum role role;
    if (str_eq_c(name, "staff")) return ROLE_STAFF;
    if (str_eq_c(name, "people")) return ROLE_PEOPLE;
    if (str_eq_c(name, "nobody")) return 0;
    if (str_eq_c(name, "system")) return ROLE_BIT(ROLE_SYSTEM);
    return principal_role_parse(name, &role) ? ROLE_BIT(role) : 0;
}

unsigned pack_build_roles(const struct pack_node *map, const char *key, unsigned fallback) {
    const struct pack_node *v = pack_node_get(map, key);
    if (!v) return fallback;
    if (pack_node_scalar(v)) return role_bits(v->text);
    unsigned bits = 0;
    for (size_t i = 0; v->kind == PACK_LIST && i < v->n; i++)
        if (pack_node_scalar(v->members[i].value)) bits |= role_bits(v->members[i].value->text);
    return bits;
}

size_t pack_build_names(struct pack_build *b, const struct pack_node *node, const struct pack_node ***out) {
    *out = NULL;
    if (!node || (node->kind != PACK_LIST && !pack_node_scalar(node))) return 0;
    size_t max = node->kind == PACK_LIST ? node->n : 1, n = 0;
    *out = arena_zero(b->arena, max + 1, sizeof **out);
    for (size_t i = 0; i < max; i++) {
        const struct pack_node *v = node->kind == PACK_LIST ? node->members[i].value : node;
        if (pack_node_scalar(v)) (*out)[n++] = v;
    }
    return n;
}

const char *pack_build_join(struct pack_build *b, const struct pack_node *const *names, size_t n) {
    Str text = {0};
    for (size_t i = 0; i < n; i++)
        text = arena_printf(b->arena, STR_FMT "%s" STR_FMT, STR_ARG(text), i ? "|" : "", STR_ARG(names[i]->text));
    return n ? text.ptr : NULL;
}

/* ---- finding */
bool pack_build_sees(const struct pack_build *b, const struct pack_unit *from, const struct pack_unit *to) {
    if (from == to || to->info.builtin) return true;
    (void)b;
    return from->info.needs && doctype_names(from->info.needs, str_c(to->info.name));
}

const struct pack_item *pack_build_find(struct pack_build *b, enum pack_section_number section,
                                        const struct pack_unit *from, Str name, struct pack_place at,
                                        const char *what) {
    const struct pack_items *all = &b->sections[section];
    struct pack_near near = pack_fault_near(name);
    const struct pack_unit *hidden = NULL;
    for (size_t i = 0; i < all->n; i++) {
        bool seen = pack_build_sees(b, from, all->items[i].pack);
        if (!str_eq(all->items[i].name, name)) {
            if (seen) pack_fault_try(&near, all->items[i].name);
        } else if (seen) {
            return &all->items[i];
        } else {
            hidden = all->items[i].pack;
        }
    }
    const char *suggestion = pack_fault_mean(&near, b->arena);
    if (hidden)
        suggestion = arena_printf(b->arena, "pack '%s' has it: add it to 'needs' in pack.yaml", hidden->info.name).ptr;
    pack_fault_add(b->faults, at, suggestion, "no %s '%.60s'", what, arena_c(b->arena, name));
    return NULL;
}

bool pack_build_field(struct pack_build *b, const struct doctype *type, bool head, Str name, struct pack_place at) {
    static const char *const heads[] = {"number", "state", "created", "changed", "created_by", "id", NULL};
    struct pack_near near = pack_fault_near(name);
    for (const char *const *h = heads; head && *h; h++) {
        if (str_eq_c(name, *h)) return true;
        pack_fault_try(&near, str_c(*h));
    }
    for (size_t i = 0; i < type->n_fields; i++) {
        if (type->fields[i].hidden || type->fields[i].custom_of) continue;
        if (str_eq_c(name, type->fields[i].name)) return true;
        pack_fault_try(&near, str_c(type->fields[i].name));
    }
    pack_fault_add(b->faults, at, pack_fault_mean(&near, b->arena), "'%s' has no field '%.60s'", type->name,
                   arena_c(b->arena, name));
    return false;
}

void pack_build_function(struct pack_build *b, const struct pack_unit *unit, const char *name, struct pack_place at) {
    if (unit->script && script_has(unit->script, name)) return;
    if (unit->script_file && !unit->script) return; /* it did not compile, which was said */
    pack_fault_add(
        b->faults, at, arena_printf(b->arena, "write 'function %.60s(doc) … return … end' in logic.lua", name).ptr,
        unit->script_file ? "logic.lua has no function '%.60s'" : "there is no logic.lua with a function '%.60s'",
        name);
}
