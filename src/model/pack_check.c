/* The walk over the format's tables (pack_form.c): what stands in a file, against what may stand there. */
#include "model/pack_form.h"
#include "model/thing_keep.h"

/* Words of other notations, and ours for them. */
static const char *const foreign[][2] = {
    {"string", "text"},   {"str", "text"},         {"varchar", "text"},    {"integer", "int"},
    {"float", "number"},  {"double", "number"},    {"real", "number"},     {"numeric", "decimal"},
    {"boolean", "bool"},  {"datetime", "time"},    {"timestamp", "time"},  {"enum", "choice"},
    {"select", "choice"}, {"reference", "ref"},    {"link", "ref"},        {"list", "lines"},
    {"array", "lines"},   {"table", "lines"},      {"machine", "thing"},   {"currency", "money"},
    {"amount", "money"},  {"company", "party"},    {"private", "own"},     {"partner", "partners"},
    {"admin", "manager"}, {"everybody", "people"}, {"everyone", "people"}, {"all", "people"},
    {"none", "nobody"},   {"success", "good"},     {"danger", "critical"}, {"error", "critical"},
    {"kanban", "board"},  {"gantt", "calendar"},   {"table", "list"},      {NULL, NULL}};

static const char *all_words(const char *const *words, struct arena *arena) {
    Str text = STR("it is one of");
    for (; *words; words++) text = arena_printf(arena, STR_FMT " %s%s", STR_ARG(text), *words, words[1] ? "," : "");
    return text.ptr;
}

void pack_check_unknown(struct pack_faults *faults, struct pack_place at, const char *what, Str word,
                        const char *const *words) {
    struct pack_near near = pack_fault_near(word);
    for (const char *const *w = words; *w; w++) pack_fault_try(&near, str_c(*w));
    for (size_t i = 0; near.best.len == 0 && foreign[i][0]; i++)
        for (const char *const *w = words; *w && str_eq_nocase(word, str_c(foreign[i][0])); w++)
            if (str_eq_c(str_c(foreign[i][1]), *w)) near.best = str_c(*w);
    const char *suggestion = pack_fault_mean(&near, faults->arena);
    pack_fault_add(faults, at, suggestion ? suggestion : all_words(words, faults->arena), "no %s '%.60s'", what,
                   arena_c(faults->arena, word));
}

static void wrong(const struct pack_node *node, const char *what, const char *wanted, struct pack_faults *faults) {
    pack_fault_add(faults, node->at, NULL, "'%s' is %s here, where it takes %s", what, pack_node_says(node->kind),
                   wanted);
}

static void check_name(Str name, struct pack_place at, struct pack_faults *faults) {
    if (pack_form_is_name(name)) return;
    pack_fault_add(faults, at,
                   "write it as raw_material or line2: at most 40 lower case letters, digits and '_', a letter first",
                   "'%.60s' cannot be a name", arena_c(faults->arena, name));
}

static void check_span(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    Nanos span;
    if (!pack_node_scalar(node))
        wrong(node, what, "a span: 36h, 90d, 8w, 5y or forever", faults);
    else if (thing_keep_span(node->text, &span).code)
        pack_fault_add(faults, node->at, "write 36h, 90d, 8w, 5y or forever", "'%.60s' is no time to keep something",
                       arena_c(faults->arena, node->text));
}

static void check_keep(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    if (node->kind != PACK_MAP) {
        check_span(node, what, faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct pack_member *m = &node->members[i];
        bool known = false;
        for (size_t k = 0; thing_keep_words[k]; k++) known |= str_eq_c(m->key, thing_keep_words[k]);
        if (!known)
            pack_check_unknown(faults, m->at, "samples or roll-ups called", m->key, thing_keep_words);
        else
            check_span(m->value, m->key.ptr, faults);
    }
}

static void check_title(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    static const char *const languages[] = {"zh", "en", NULL};
    if (pack_node_scalar(node)) return;
    if (node->kind != PACK_MAP) {
        wrong(node, what, "a text, or {zh: …, en: …}", faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct pack_member *m = &node->members[i];
        if (!str_eq_c(m->key, "zh") && !str_eq_c(m->key, "en"))
            pack_check_unknown(faults, m->at, "language", m->key, languages);
        else if (!pack_node_scalar(m->value))
            wrong(m->value, m->key.ptr, "a text", faults);
    }
    for (size_t i = 0; languages[i]; i++)
        if (!pack_node_get(node, languages[i]))
            pack_fault_warn(faults, node->at, NULL, "'%s' has no '%s': the other language will stand there", what,
                            languages[i]);
}

static void check_names(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    if (pack_node_scalar(node)) return;
    if (node->kind != PACK_LIST) {
        wrong(node, what, "a name or a list of names", faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        if (!pack_node_scalar(node->members[i].value)) wrong(node->members[i].value, what, "names", faults);
}

static void check_roles(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    check_names(node, what, faults);
    size_t n = pack_node_scalar(node) ? 1 : node->kind == PACK_LIST ? node->n : 0;
    for (size_t i = 0; i < n; i++) {
        const struct pack_node *role = node->kind == PACK_LIST ? node->members[i].value : node;
        bool found = !pack_node_scalar(role);
        for (const char *const *w = pack_form_roles; *w; w++) found = found || str_eq_c(role->text, *w);
        if (!found) pack_check_unknown(faults, role->at, "role", role->text, pack_form_roles);
    }
}

static void check_choices(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    if (node->kind != PACK_LIST && node->kind != PACK_MAP) {
        wrong(node, what, "a list of names, or names with their titles", faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct pack_member *m = &node->members[i];
        if (node->kind == PACK_MAP)
            check_title(m->value, m->key.ptr, faults);
        else if (!pack_node_scalar(m->value))
            wrong(m->value, what, "names", faults);
    }
    if (node->n == 0) pack_fault_add(faults, node->at, NULL, "'%s' is empty: nothing could be chosen", what);
}

static void check_checks(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    if (node->kind == PACK_LIST) {
        for (size_t i = 0; i < node->n; i++) check_checks(node->members[i].value, what, faults);
        return;
    }
    if (node->kind == PACK_TEXT) return;
    if (node->kind != PACK_MAP) {
        wrong(node, what, "a comparison in quotes, {check: …} or {lua: …}", faults);
        return;
    }
    pack_check_map(node, pack_form_check, what, faults);
    if (!pack_node_get(node, "check") == !pack_node_get(node, "lua"))
        pack_fault_add(faults, node->at, NULL, "'%s' has either 'check' or 'lua'", what);
}

static void check_pairs(const struct pack_node *node, const char *what, struct pack_faults *faults) {
    if (node->kind != PACK_MAP) {
        wrong(node, what, "a mapping of names and values", faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        if (!pack_node_scalar(node->members[i].value))
            wrong(node->members[i].value, node->members[i].key.ptr, "one value", faults);
}

static void check_each(const struct pack_node *node, const struct pack_key *key, struct pack_faults *faults) {
    if (node->kind != PACK_MAP) {
        wrong(node, key->name, "a mapping of names", faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct pack_member *m = &node->members[i];
        if (key->want == PACK_WANT_EACH) check_name(m->key, m->at, faults);
        if (m->value->kind != PACK_NULL) pack_check_map(m->value, key->keys, m->key.ptr, faults);
    }
}

static void check_list(const struct pack_node *node, const struct pack_key *key, struct pack_faults *faults) {
    if (node->kind != PACK_LIST) {
        wrong(node, key->name, "a list", faults);
        return;
    }
    for (size_t i = 0; i < node->n; i++) pack_check_map(node->members[i].value, key->keys, key->name, faults);
}

static void check_word(const struct pack_node *node, const struct pack_key *key, struct pack_faults *faults) {
    if (!pack_node_scalar(node)) {
        wrong(node, key->name, "one word", faults);
        return;
    }
    for (const char *const *w = key->words; *w; w++)
        if (str_eq_c(node->text, *w)) return;
    pack_check_unknown(faults, node->at, key->name, node->text, key->words);
}

static void check_scalar(const struct pack_node *node, const struct pack_key *key, struct pack_faults *faults) {
    enum pack_node_kind k = node->kind;
    bool good = key->want == PACK_WANT_BOOL  ? k == PACK_BOOL
                : key->want == PACK_WANT_INT ? k == PACK_INT
                : key->want == PACK_WANT_NUM ? k == PACK_INT || k == PACK_NUMBER
                                             : pack_node_scalar(node);
    const char *wanted = key->want == PACK_WANT_BOOL  ? "true or false"
                         : key->want == PACK_WANT_INT ? "a whole number"
                         : key->want == PACK_WANT_NUM ? "a number"
                                                      : "a text";
    if (!good) wrong(node, key->name, wanted, faults);
}

static void check_value(const struct pack_node *node, const struct pack_key *key, struct pack_faults *faults) {
    switch (key->want) {
    case PACK_WANT_TEXT:
    case PACK_WANT_NAME:
    case PACK_WANT_BOOL:
    case PACK_WANT_INT:
    case PACK_WANT_NUM: check_scalar(node, key, faults); break;
    case PACK_WANT_WORD: check_word(node, key, faults); break;
    case PACK_WANT_TITLE: check_title(node, key->name, faults); break;
    case PACK_WANT_NAMES: check_names(node, key->name, faults); break;
    case PACK_WANT_ROLES: check_roles(node, key->name, faults); break;
    case PACK_WANT_CHOICES: check_choices(node, key->name, faults); break;
    case PACK_WANT_CHECKS: check_checks(node, key->name, faults); break;
    case PACK_WANT_KEEP: check_keep(node, key->name, faults); break;
    case PACK_WANT_PAIRS: check_pairs(node, key->name, faults); break;
    case PACK_WANT_KEYS: pack_check_map(node, key->keys, key->name, faults); break;
    case PACK_WANT_EACH:
    case PACK_WANT_TABLE: check_each(node, key, faults); break;
    case PACK_WANT_LIST: check_list(node, key, faults); break;
    case PACK_WANT_GIVES:
        if (node->kind != PACK_MAP) wrong(node, key->name, "document types and their fields", faults);
    }
}

static void unknown_key(const struct pack_member *m, const struct pack_key *keys, const char *what,
                        struct pack_faults *faults) {
    const char *words[64];
    size_t n = 0;
    for (const struct pack_key *k = keys; k->name && n < 63; k++) words[n++] = k->name;
    words[n] = NULL;
    pack_check_unknown(faults, m->at, arena_printf(faults->arena, "key in '%s':", what).ptr, m->key, words);
}

void pack_check_map(const struct pack_node *map, const struct pack_key *keys, const char *what,
                    struct pack_faults *faults) {
    if (map->kind != PACK_MAP) {
        wrong(map, what, "a mapping", faults);
        return;
    }
    for (size_t i = 0; i < map->n; i++) {
        const struct pack_member *m = &map->members[i];
        const struct pack_key *k = keys;
        while (k->name && !str_eq_c(m->key, k->name)) k++;
        if (!k->name)
            unknown_key(m, keys, what, faults);
        else if (m->value->kind == PACK_NULL)
            pack_fault_add(faults, m->at, "give a value or leave the line out", "'%s' is empty", k->name);
        else
            check_value(m->value, k, faults);
    }
    for (const struct pack_key *k = keys; k->name; k++)
        if (k->required && !pack_node_get(map, k->name))
            pack_fault_add(faults, map->at, k->help, "'%s' has no '%s'", what, k->name);
}

void pack_check_section(const struct pack_node *map, const struct pack_section *section, struct pack_faults *faults) {
    struct pack_key key = {
        .name = section->name, .want = section->any_name ? PACK_WANT_TABLE : PACK_WANT_EACH, .keys = section->keys};
    check_each(map, &key, faults);
}
