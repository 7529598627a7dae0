/*
 * What the installed packs say, compiled: an immutable table. Installing, upgrading or removing a pack, or adding a
 * field, makes a new catalog; older ones live as long as the process, because documents in flight point into them and
 * such changes are rare.
 */
#ifndef MODEL_CATALOG_H
#define MODEL_CATALOG_H

#include <stdatomic.h>

#include "model/rule.h"
#include "model/thing_model.h"

/* A ready-made agreement: what is usually given in a business like this. Text, as in the pack; trust checks it. */
struct agreement_template {
    const char *name, *title_en, *title_zh, *pack;
    const char *purpose_en, *purpose_zh;
    const char *terms; /* JSON, as "terms" of POST /api/v1/agreements */
};

/* A page of the console: how documents of a type are shown. */
struct view {
    const char *name, *title_en, *title_zh, *pack;
    const char *kind; /* "list" "board" "form" "map" "chart" "calendar" */
    const char *type;
    const char *spec; /* JSON: columns, group, filters, sort … for the console */
};

/* What is known of a fault, by its code; or an article (text). */
struct knowledge {
    const char *name, *title_en, *title_zh, *pack;
    const char *models; /* names joined by '|', or NULL: every one */
    const char *component, *part;
    const char *cause_en, *cause_zh, *remedy_en, *remedy_zh, *text_en, *text_zh; /* or NULL */
};

struct pack_info {
    const char *name, *version, *title_en, *title_zh;
    const char *needs; /* names joined by '|', or NULL */
    bool builtin;      /* comes with the program: cannot be removed */
};

struct catalog {
    uint64_t version; /* rises with every change */
    const struct pack_info *packs;
    size_t n_packs;
    const struct doctype *const *types;      /* ends with NULL */
    const struct thing_model *const *models; /* ends with NULL */
    const struct rule *rules;
    size_t n_rules;
    const struct agreement_template *templates;
    size_t n_templates;
    const struct view *views;
    size_t n_views;
    const struct knowledge *knowledge;
    size_t n_knowledge;
    struct script *const *scripts; /* of the packs, each once; NULL where a pack has none */
    size_t n_scripts;
};

/* The catalog in force: packs replace it, any thread reads it. What was read once stays valid. */
struct catalog_cell {
    _Atomic(const struct catalog *) now;
};
const struct catalog *catalog_get(const struct catalog_cell *cell);

const struct doctype *catalog_type(const struct catalog *catalog, Str name);      /* or NULL */
const struct thing_model *catalog_model(const struct catalog *catalog, Str name); /* or NULL */

#endif
