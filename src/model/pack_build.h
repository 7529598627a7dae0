/* What the files that compile a pack share; for model/pack_*.c only. */
#ifndef MODEL_PACK_BUILD_H
#define MODEL_PACK_BUILD_H

#include "model/pack.h"
#include "model/pack_form.h"
#include "model/script.h"

/* A declaration and the pack it stands in. */
struct pack_item {
    Str name;
    struct pack_place at;
    const struct pack_node *node;
    struct pack_unit *pack;
    struct doctype *type;      /* records */
    struct thing_model *model; /* things */
};
struct pack_items {
    struct pack_item *items;
    size_t n, cap;
};

/* One pack while it is compiled. */
struct pack_unit {
    const struct pack_source *source;
    const struct pack_node *head; /* pack.yaml */
    struct pack_info info;
    struct script *script;
    const char *script_file; /* NULL: no logic.lua */
    const struct pack_node *needs;
    unsigned mark; /* of the walk that orders packs */
};

enum pack_section_number {
    PACK_THINGS,
    PACK_RECORDS,
    PACK_RULES,
    PACK_VIEWS,
    PACK_AGREEMENTS,
    PACK_KNOWLEDGE,
    PACK_SECTIONS
};

struct pack_build {
    struct arena *arena;
    struct pack_faults *faults;
    const struct pack_compile_options *options;
    struct pack_unit *units;
    size_t n_units;
    struct pack_items sections[PACK_SECTIONS];
};

/* Reading a node whose kind was complained of already, if it is wrong: fallbacks, no more words. */
const char *pack_build_text(const struct pack_node *map, const char *key); /* NULL: absent */
bool pack_build_flag(const struct pack_node *map, const char *key);
int64_t pack_build_int(const struct pack_node *map, const char *key, int64_t fallback);
double pack_build_num(const struct pack_node *map, const char *key); /* NaN: absent */
int pack_build_word(const struct pack_node *map, const char *key, const char *const *words, int fallback);
/* Titles: a text stands for both languages; absent: made from the name ("raw_material" → "Raw material"). */
void pack_build_title(struct pack_build *b, const struct pack_node *map, const char *key, Str name, const char **en,
                      const char **zh);
unsigned pack_build_roles(const struct pack_node *map, const char *key, unsigned fallback);
/* The texts of a name or a list of names, with their places. */
size_t pack_build_names(struct pack_build *b, const struct pack_node *node, const struct pack_node ***out);
const char *pack_build_join(struct pack_build *b, const struct pack_node *const *names, size_t n); /* NULL: none */
struct pack_place pack_build_at(const struct pack_node *map, const char *key); /* of the value, else of the map */

/* What another declaration may name: its own pack's, and those of packs it needs and of the program. */
bool pack_build_sees(const struct pack_build *b, const struct pack_unit *from, const struct pack_unit *to);
/* NULL and a fault with a suggestion when there is none; `what`: "document type". */
const struct pack_item *pack_build_find(struct pack_build *b, enum pack_section_number section,
                                        const struct pack_unit *from, Str name, struct pack_place at, const char *what);
/* A field of a type, or (head) also number, state, created …; a fault with a suggestion when there is none. */
bool pack_build_field(struct pack_build *b, const struct doctype *type, bool head, Str name, struct pack_place at);
void pack_build_function(struct pack_build *b, const struct pack_unit *unit, const char *name, struct pack_place at);

/* pack_checks.c: comparisons; transition NULL: at every write. Appends to *list. */
struct pack_checks {
    struct doc_check *items;
    size_t n, cap;
};
void pack_checks_read(struct pack_build *b, const struct pack_unit *unit, const struct doctype *type,
                      const char *transition, const struct pack_node *node, struct pack_checks *list);
/* Is the text a value of this field, in its outside form? A fault when not. */
bool pack_checks_value(struct pack_build *b, const struct field *f, Str text, struct pack_place at);

void pack_record_fields(struct pack_build *b, struct pack_item *item); /* first, of every type … */
void pack_record_finish(struct pack_build *b, struct pack_item *item); /* … then what names fields */
void pack_record_custom(struct pack_build *b);
void pack_thing_build(struct pack_build *b, struct pack_item *item);
void pack_rule_build(struct pack_build *b, const struct pack_item *item, struct rule *out);
void pack_page_view(struct pack_build *b, const struct pack_item *item, struct view *out);
void pack_page_agreement(struct pack_build *b, const struct pack_item *item, struct agreement_template *out);
void pack_page_knowledge(struct pack_build *b, const struct pack_item *item, struct knowledge *out);

#endif
