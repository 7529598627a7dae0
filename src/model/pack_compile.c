/* All packs together: heads, order, scripts, declarations; then what they name in each other. */
#include <string.h>

#include "model/pack_build.h"

#define LUA_LINES_MAX 40

/* ---- heads */
static const struct pack_file *file_named(const struct pack_source *source, const char *name) {
    for (size_t i = 0; i < source->n; i++)
        if (str_eq_c(source->files[i].name, name)) return &source->files[i];
    return NULL;
}

static const char *full_name(struct pack_build *b, const struct pack_source *source, Str name) {
    bool bare = !source->where || !*source->where;
    return arena_printf(b->arena, "%s%s" STR_FMT, bare ? "" : source->where, bare ? "" : "/", STR_ARG(name)).ptr;
}

static void check_version(struct pack_build *b, const struct pack_unit *u) {
    const char *v = u->info.version;
    int64_t part;
    Str rest = str_c(v), head;
    size_t parts = 0;
    bool good = rest.len > 0;
    while (good && rest.len) {
        str_cut(rest, '.', &head, &rest);
        good = str_to_i64(head, &part) && part >= 0;
        parts++;
    }
    if (!good || parts > 4)
        pack_fault_add(b->faults, pack_build_at(u->head, "version"), "write it as 1.0.0", "'%.30s' is no version", v);
}

static void read_head(struct pack_build *b, struct pack_unit *u) {
    const struct pack_file *file = file_named(u->source, "pack.yaml");
    const char *name = full_name(b, u->source, STR("pack.yaml"));
    struct pack_node *nothing = arena_zero(b->arena, 1, sizeof *nothing);
    *nothing = (struct pack_node){.kind = PACK_MAP, .at = {name, 0, 0}};
    if (!file) pack_fault_add(b->faults, nothing->at, "make it with 'weft pack new NAME'", "there is no pack.yaml");
    u->head = file ? pack_yaml_parse(name, file->text, b->arena, b->faults) : NULL;
    if (u->head) pack_check_map(u->head, pack_form_pack, "pack.yaml", b->faults);
    if (!u->head || u->head->kind != PACK_MAP) u->head = nothing;
    u->info.name = pack_build_text(u->head, "name");
    u->info.version = pack_build_text(u->head, "version");
    if (!u->info.name) u->info.name = "";
    if (!u->info.version) u->info.version = "0";
    u->info.builtin = u->source->builtin;
    if (*u->info.name && !pack_form_is_name(str_c(u->info.name)))
        pack_fault_add(b->faults, pack_build_at(u->head, "name"), "lower case letters, digits and '_'",
                       "'%.60s' cannot be a pack's name", u->info.name);
    if (pack_node_get(u->head, "version")) check_version(b, u);
    pack_build_title(b, u->head, "title", str_c(u->info.name), &u->info.title_en, &u->info.title_zh);
    u->needs = pack_node_get(u->head, "needs");
    const struct pack_node **names;
    size_t n = pack_build_names(b, u->needs, &names);
    u->info.needs = pack_build_join(b, names, n);
}

static struct pack_unit *unit_named(struct pack_build *b, Str name) {
    for (size_t i = 0; i < b->n_units; i++)
        if (str_eq_c(name, b->units[i].info.name)) return &b->units[i];
    return NULL;
}

/* Depth first; a pack met again while its needs are walked needs itself. */
static void walk_needs(struct pack_build *b, struct pack_unit *u) {
    if (u->mark) return;
    u->mark = 1;
    const struct pack_node **names;
    size_t n = pack_build_names(b, u->needs, &names);
    for (size_t i = 0; i < n; i++) {
        struct pack_unit *need = unit_named(b, names[i]->text);
        struct pack_near near = pack_fault_near(names[i]->text);
        for (size_t k = 0; k < b->n_units; k++) pack_fault_try(&near, str_c(b->units[k].info.name));
        const char *mean = pack_fault_mean(&near, b->arena);
        if (!need)
            pack_fault_add(b->faults, names[i]->at, mean ? mean : "install it first", "the pack '%.60s' is not here",
                           names[i]->text.ptr);
        else if (need->mark == 1)
            pack_fault_add(b->faults, names[i]->at, "move what both need into a third pack",
                           "packs '%s' and '%s' need each other", u->info.name, need->info.name);
        else
            walk_needs(b, need);
    }
    u->mark = 2;
}

/* ---- scripts */
/* Named functions stand at the left margin and end there; longer ones belong into a kernel or a step in C. */
static void check_lua_lengths(struct pack_build *b, const char *file, Str text) {
    unsigned line = 0, start = 0;
    for (Str head, rest = text; rest.len > 0;) {
        str_cut(rest, '\n', &head, &rest);
        line++;
        if (str_starts(head, STR("function ")) || str_starts(head, STR("local function "))) start = line;
        if (start && str_eq_c(str_trim(head), "end") && head.ptr[0] == 'e') {
            if (line - start + 1 > LUA_LINES_MAX)
                pack_fault_add(b->faults, (struct pack_place){file, start, 1}, "part it into functions",
                               "a function of %u lines: at most %d", line - start + 1, LUA_LINES_MAX);
            start = 0;
        }
    }
}

/* "…logic.lua:12: unexpected symbol": the line, and the words behind it. */
static unsigned line_of(const char *file, const char **text) {
    size_t n = strlen(file);
    for (const char *at = strstr(*text, file); at; at = strstr(at + 1, file)) {
        Str head, rest;
        int64_t line;
        if (at[n] != ':' || !str_cut(str_c(at + n + 1), ':', &head, &rest) || !str_to_i64(head, &line)) continue;
        *text = rest.ptr + (rest.len > 0 && rest.ptr[0] == ' ');
        return line > 0 ? (unsigned)line : 0;
    }
    return 0;
}

static struct script *compile_lua(struct pack_build *b, const char *file, Str text) {
    struct script *script = NULL;
    check_lua_lengths(b, file, text);
    Err err = script_compile(str_c(file), text, NULL, &script);
    const char *words = err.text;
    unsigned line = err.code == ERR_NONE ? 0 : line_of(file, &words);
    if (err.code != ERR_NONE) pack_fault_add(b->faults, (struct pack_place){file, line, line > 0}, NULL, "%s", words);
    return err.code == ERR_NONE ? script : NULL;
}

static void read_scripts(struct pack_build *b, struct pack_unit *u) {
    for (size_t i = 0; i < u->source->n; i++) {
        const struct pack_file *f = &u->source->files[i];
        if (!str_ends(f->name, STR(".lua"))) continue;
        const char *name = full_name(b, u->source, f->name);
        struct script *script = compile_lua(b, name, f->text);
        if (str_eq_c(f->name, "logic.lua"))
            u->script_file = name, u->script = script;
        else
            script_free(script); /* decoders run elsewhere; here it only matters that they compile */
    }
}

/* ---- declarations */
static const struct pack_item *declared(const struct pack_items *list, Str name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i].name, name)) return &list->items[i];
    return NULL;
}

static void declare(struct pack_build *b, struct pack_unit *u, enum pack_section_number section,
                    const struct pack_member *m) {
    struct pack_items *list = &b->sections[section];
    const struct pack_item *same = declared(list, m->key);
    if (same) {
        pack_fault_add(b->faults, m->at, "choose another name, for instance with the pack's in front",
                       "'%.60s' is declared already, in %s line %u", m->key.ptr, same->at.file, same->at.line);
        return;
    }
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 32;
        struct pack_item *items = arena_zero(b->arena, list->cap, sizeof *items);
        if (list->n) memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
    }
    struct pack_item item = {.name = m->key, .at = m->at, .node = m->value, .pack = u};
    if (section == PACK_RECORDS) {
        item.type = arena_zero(b->arena, 1, sizeof *item.type);
        item.type->name = m->key.ptr;
    } else if (section == PACK_THINGS) {
        item.model = arena_zero(b->arena, 1, sizeof *item.model);
        item.model->name = m->key.ptr;
    }
    list->items[list->n++] = item;
}

static void declare_all(struct pack_build *b, struct pack_unit *u, enum pack_section_number section,
                        const struct pack_node *map) {
    if (!map || map->kind != PACK_MAP) return;
    for (size_t i = 0; i < map->n; i++) declare(b, u, section, &map->members[i]);
}

static void read_file(struct pack_build *b, struct pack_unit *u, const struct pack_file *f) {
    Str folder, rest;
    if (!str_cut(f->name, '/', &folder, &rest) || str_ends(f->name, STR(".lua"))) return;
    for (int s = 0; s < PACK_SECTIONS; s++) {
        if (!str_eq_c(folder, pack_form_sections[s].name)) continue;
        const struct pack_node *map = pack_yaml_parse(full_name(b, u->source, f->name), f->text, b->arena, b->faults);
        if (!map || map->kind == PACK_NULL) continue;
        pack_check_section(map, &pack_form_sections[s], b->faults);
        declare_all(b, u, (enum pack_section_number)s, map);
    }
}

static void read_unit_files(struct pack_build *b, struct pack_unit *u) {
    for (int s = 0; s < PACK_SECTIONS; s++)
        declare_all(b, u, (enum pack_section_number)s, pack_node_get(u->head, pack_form_sections[s].name));
    for (size_t i = 0; i < u->source->n; i++) read_file(b, u, &u->source->files[i]);
}

/* ---- the whole */
static void build_all(struct pack_build *b) {
    struct pack_items *s = b->sections;
    for (size_t i = 0; i < s[PACK_THINGS].n; i++) pack_thing_build(b, &s[PACK_THINGS].items[i]);
    for (size_t i = 0; i < s[PACK_RECORDS].n; i++) pack_record_fields(b, &s[PACK_RECORDS].items[i]);
    for (size_t i = 0; i < s[PACK_RECORDS].n; i++) pack_record_finish(b, &s[PACK_RECORDS].items[i]);
    pack_record_custom(b);
}

#define BUILD_LIST(section, type, member, count, build)                                                                \
    do {                                                                                                               \
        type *list = arena_zero(b->arena, b->sections[section].n + 1, sizeof *list);                                   \
        for (size_t i = 0; i < b->sections[section].n; i++) build(b, &b->sections[section].items[i], &list[i]);        \
        c->member = list, c->count = b->sections[section].n;                                                           \
    } while (0)

static struct catalog *gather(struct pack_build *b) {
    struct catalog *c = arena_zero(b->arena, 1, sizeof *c);
    c->version = b->options->version;
    struct pack_info *infos = arena_zero(b->arena, b->n_units + 1, sizeof *infos);
    for (size_t i = 0; i < b->n_units; i++) infos[i] = b->units[i].info;
    c->packs = infos, c->n_packs = b->n_units;
    struct script **scripts = arena_zero(b->arena, b->n_units + 1, sizeof *scripts);
    for (size_t i = 0; i < b->n_units; i++) scripts[i] = b->units[i].script;
    c->scripts = scripts, c->n_scripts = b->n_units;
    const struct pack_items *records = &b->sections[PACK_RECORDS], *things = &b->sections[PACK_THINGS];
    const struct doctype **types = arena_zero(b->arena, records->n + 1, sizeof *types);
    for (size_t i = 0; i < records->n; i++) types[i] = records->items[i].type;
    const struct thing_model **models = arena_zero(b->arena, things->n + 1, sizeof *models);
    for (size_t i = 0; i < things->n; i++) models[i] = things->items[i].model;
    c->types = types, c->models = models;
    BUILD_LIST(PACK_RULES, struct rule, rules, n_rules, pack_rule_build);
    BUILD_LIST(PACK_VIEWS, struct view, views, n_views, pack_page_view);
    BUILD_LIST(PACK_AGREEMENTS, struct agreement_template, templates, n_templates, pack_page_agreement);
    BUILD_LIST(PACK_KNOWLEDGE, struct knowledge, knowledge, n_knowledge, pack_page_knowledge);
    return c;
}

static void same_names(struct pack_build *b) {
    for (size_t i = 0; i < b->n_units; i++)
        for (size_t k = 0; k < i; k++)
            if (*b->units[i].info.name && strcmp(b->units[i].info.name, b->units[k].info.name) == 0)
                pack_fault_add(b->faults, pack_build_at(b->units[i].head, "name"), "choose another",
                               "there is a pack '%s' already", b->units[i].info.name);
}

bool pack_compile(const struct pack_source *sources, size_t n, const struct pack_compile_options *options,
                  struct arena *arena, struct pack_faults *faults, struct catalog **out) {
    struct pack_build b = {.arena = arena,
                           .faults = faults,
                           .options = options,
                           .units = arena_zero(arena, n + 1, sizeof *b.units),
                           .n_units = n};
    *out = NULL;
    for (size_t i = 0; i < n; i++) {
        b.units[i].source = &sources[i];
        read_head(&b, &b.units[i]);
    }
    same_names(&b);
    for (size_t i = 0; i < n; i++) walk_needs(&b, &b.units[i]);
    for (size_t i = 0; i < n; i++) read_scripts(&b, &b.units[i]);
    for (size_t i = 0; i < n; i++) read_unit_files(&b, &b.units[i]);
    build_all(&b);
    struct catalog *catalog = gather(&b);
    pack_fault_sort(faults);
    bool good = faults->errors == 0;
    for (size_t i = 0; i < n && (!good || options->check_only); i++) script_free(b.units[i].script);
    if (good && !options->check_only) *out = catalog;
    return good;
}

void pack_compile_free(const struct catalog *catalog) {
    for (size_t i = 0; i < catalog->n_scripts; i++) script_free(catalog->scripts[i]);
}
