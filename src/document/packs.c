/*
 * DATA/packs/NAME/…          an installed pack, as it was given
 * DATA/packs/.new-NAME/…     one that is being written; removed at the next start
 * DATA/packs/.old-NAME/…     the one it replaces, for the moment between two renames; put back at the next start when
 *                            NAME is missing, else removed
 * DATA/packs/fields.json     {"items":[{"party":1,"type":"order","name":"x_colour","field":{…}}]}
 *
 * Catalogs, and what they were compiled from, stay until the end: documents in flight point into them.
 */
#include "document/packs.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jw.h"
#include "base/log.h"
#include "document/documents.h"
#include "document/packs_folder.h"
#include "document/packs_rows.h"
#include "os/thread.h"
#include "store/records.h"

#define INSTALLED_MAX 100
#define CUSTOM_MAX 1000
#define FIELDS_BYTES_MAX (4 * 1024 * 1024)

struct packs {
    struct packs_options options;
    struct file_system *fs;
    struct documents *documents;
    packs_retype_fn *retype;
    void (*changed)(void *ctx);
    void *ctx;
    struct catalog_cell cell;
    pthread_mutex_t changing;
    struct arena arena;
    const char *dir;
    struct pack_custom *custom; /* under changing */
    size_t n_custom;
    uint64_t version;
    const struct catalog **catalogs; /* every one there was */
    size_t n_catalogs, cap_catalogs;
};

/* ---- the fields of parties */
static Err read_custom(struct packs *p) {
    struct buf text = {0};
    struct json *json = NULL;
    Err err = file_load(p->fs, arena_printf(&p->arena, "%s/fields.json", p->dir).ptr, FIELDS_BYTES_MAX, &text);
    if (err.code == ERR_NOT_FOUND) return err_none();
    if (err.code == ERR_NONE) err = json_parse(buf_view(&text), &json);
    const struct json *items = json_get(json, "items");
    for (size_t i = 0;
         err.code == ERR_NONE && items && json_kind(items) == JSON_ARRAY && i < json_len(items) && i < CUSTOM_MAX;
         i++) {
        const struct json *item = json_at(items, i), *field = json_get(item, "field");
        struct buf declared = {0};
        if (field) json_dump(field, &declared);
        p->custom[p->n_custom++] =
            (struct pack_custom){.party = (PartyId)json_get_int(item, "party", 0),
                                 .type = arena_str(&p->arena, json_get_str(item, "type", STR(""))),
                                 .name = arena_str(&p->arena, json_get_str(item, "name", STR(""))),
                                 .text = arena_str(&p->arena, buf_view(&declared))};
        buf_fini(&declared);
    }
    json_free(json);
    buf_fini(&text);
    return err;
}

static Err write_custom(struct packs *p, const struct pack_custom *custom, size_t n) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_key(&w, "items");
    jw_array(&w);
    for (size_t i = 0; i < n; i++) {
        jw_object(&w);
        jw_kint(&w, "party", custom[i].party);
        jw_kstr(&w, "type", custom[i].type);
        jw_kstr(&w, "name", custom[i].name);
        jw_key(&w, "field");
        jw_raw(&w, custom[i].text);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
    Err err =
        file_replace(p->fs, arena_printf(&p->arena, "%s/fields.json", p->dir).ptr, buf_view(&text), "packs.fields");
    buf_fini(&text);
    return err;
}

/* ---- compiling */
struct making {
    const struct pack_source *put; /* installed in place of the one of its name, or NULL */
    Str without;                   /* a pack that is left out */
    const struct pack_custom *custom;
    size_t n_custom;
    bool check_only;
};

static Err gather(struct packs *p, const struct making *m, struct arena *arena, struct pack_source **out, size_t *n) {
    struct pack_source *builtin;
    Str put = m->put ? pack_load_name(m->put, arena) : (Str){0}, names[INSTALLED_MAX];
    size_t n_builtin = pack_load_builtin(arena, &builtin), n_names = 0;
    TRY(packs_folder_list(p->fs, p->dir, arena, names, INSTALLED_MAX, &n_names));
    *out = arena_zero(arena, n_builtin + n_names + 2, sizeof **out);
    for (*n = 0; *n < n_builtin; (*n)++) (*out)[*n] = builtin[*n];
    for (size_t i = 0; i < n_names; i++) {
        const char *where = arena_printf(arena, "packs/" STR_FMT, STR_ARG(names[i])).ptr;
        if ((put.len && str_eq(names[i], put)) || str_eq(names[i], m->without)) continue;
        TRY(pack_load(p->fs, arena_printf(arena, "%s/" STR_FMT, p->dir, STR_ARG(names[i])).ptr, where, arena,
                      &(*out)[(*n)++]));
    }
    if (m->put) (*out)[(*n)++] = *m->put;
    return err_none();
}

static Err make(struct packs *p, const struct making *m, struct arena *arena, struct pack_faults *faults,
                struct catalog **out) {
    struct pack_source *sources;
    size_t n;
    *out = NULL;
    TRY(gather(p, m, arena, &sources, &n));
    struct pack_compile_options options = {
        .custom = m->custom, .n_custom = m->n_custom, .version = p->version + 1, .check_only = m->check_only};
    if (pack_compile(sources, n, &options, arena, faults, out)) return err_none();
    for (size_t i = 0; i < faults->n; i++)
        if (!faults->items[i].warning)
            return err_make(ERR_INVALID, "%.60s:%u:%u: %.120s", faults->items[i].file, faults->items[i].line,
                            faults->items[i].column, faults->items[i].message);
    return err_make(ERR_INVALID, "the pack has faults");
}

static void put_in_force(struct packs *p, const struct catalog *catalog) {
    if (p->n_catalogs == p->cap_catalogs) {
        size_t cap = p->cap_catalogs ? p->cap_catalogs * 2 : 8;
        const struct catalog **all = arena_zero(&p->arena, cap, sizeof *all);
        if (p->n_catalogs) memcpy(all, p->catalogs, p->n_catalogs * sizeof *all);
        p->catalogs = all, p->cap_catalogs = cap;
    }
    p->catalogs[p->n_catalogs++] = catalog;
    p->version = catalog->version;
    atomic_store_explicit(&p->cell.now, catalog, memory_order_release);
    if (p->changed) p->changed(p->ctx);
}

/* The engine first, since it may refuse; then everybody sees the types. */
static Err take(struct packs *p, const struct catalog *catalog) {
    if (p->documents) TRY(p->retype(p->documents, catalog->types));
    put_in_force(p, catalog);
    return p->documents ? packs_rows_fill(p->options.records, catalog) : err_none();
}

/* ---- opening */
static Err open_all(struct packs *p) {
    static const struct record_table *const tables[] = {&packs_rows_table};
    struct pack_faults faults = {.arena = &p->arena};
    struct catalog *catalog;
    p->dir = arena_printf(&p->arena, "%s/packs", p->options.dir).ptr;
    p->custom = arena_zero(&p->arena, CUSTOM_MAX, sizeof *p->custom);
    if (!records_read_only(p->options.records)) {
        TRY(records_declare(p->options.records, tables, 1));
        TRY(packs_folder_settle(p->fs, p->dir));
    }
    TRY(read_custom(p));
    Err err = make(p, &(struct making){.custom = p->custom, .n_custom = p->n_custom}, &p->arena, &faults, &catalog);
    if (err.code == ERR_INVALID)
        return err_make(ERR_INVALID, "%.180s (an installed pack: mend it, or move it out of the data folder)",
                        err.text);
    TRY(err);
    put_in_force(p, catalog);
    return err_none();
}

Err packs_open(const struct packs_options *options, struct packs **out) {
    struct packs *p = calloc(1, sizeof *p);
    ASSERT(p);
    p->options = *options;
    p->fs = options->fs ? options->fs : file_disk;
    thread_mutex_init(&p->changing);
    arena_init(&p->arena, 0);
    Err err = open_all(p);
    if (err.code == ERR_NONE)
        *out = p;
    else
        packs_close(p);
    return err;
}

void packs_close(struct packs *p) {
    if (!p) return;
    for (size_t i = 0; i < p->n_catalogs; i++) pack_compile_free(p->catalogs[i]);
    arena_fini(&p->arena);
    thread_mutex_fini(&p->changing);
    free(p);
}

const struct catalog_cell *packs_cell(const struct packs *p) { return &p->cell; }
const struct catalog *packs_catalog(const struct packs *p) { return catalog_get(&p->cell); }

static Err no_retype(struct documents *documents, const struct doctype *const *types) {
    (void)documents, (void)types;
    return err_make(ERR_STATE, "types cannot be changed while this runs: stop the server first");
}

Err packs_attach(struct packs *p, struct documents *documents, packs_retype_fn *retype) {
    p->documents = documents;
    p->retype = retype ? retype : no_retype;
    return packs_rows_fill(p->options.records, packs_catalog(p));
}

void packs_on_change(struct packs *p, void (*fn)(void *ctx), void *ctx) {
    p->changed = fn;
    p->ctx = ctx;
}

/* ---- installing */
bool packs_check(struct packs *p, const struct pack_source *source, struct pack_faults *faults) {
    struct catalog *unused;
    thread_lock(&p->changing);
    struct making m = {.put = source, .custom = p->custom, .n_custom = p->n_custom, .check_only = true};
    Err err = make(p, &m, faults->arena, faults, &unused);
    thread_unlock(&p->changing);
    if (err.code != ERR_NONE && faults->errors == 0)
        pack_fault_add(faults, (struct pack_place){source->where, 0, 0}, NULL, "%s", err.text);
    return faults->errors == 0;
}

static Err refused(const struct packs_plan *plan, const char *what) {
    for (size_t i = 0; i < plan->n; i++)
        if (plan->steps[i].refused)
            return err_make(ERR_CONFLICT, "%s is refused: %s: %.150s", what, plan->steps[i].type,
                            plan->steps[i].detail);
    return err_none();
}

static bool is_builtin(const struct packs *p, Str name) {
    const struct catalog *c = packs_catalog(p);
    for (size_t i = 0; i < c->n_packs; i++)
        if (str_eq_c(name, c->packs[i].name)) return c->packs[i].builtin;
    return false;
}

static Err install(struct packs *p, const struct pack_source *source, bool dry, struct pack_faults *faults,
                   struct packs_plan *plan) {
    struct catalog *catalog;
    Str name = pack_load_name(source, plan->arena);
    if (is_builtin(p, name))
        return err_make(ERR_CONFLICT, "'" STR_FMT "' comes with the program: give the pack another name",
                        STR_ARG(name));
    struct making m = {.put = source, .custom = p->custom, .n_custom = p->n_custom};
    TRY(make(p, &m, &p->arena, faults, &catalog));
    Err err = packs_rows_plan(p->options.records, packs_catalog(p), catalog, plan);
    if (err.code == ERR_NONE) err = refused(plan, "installing");
    if (err.code == ERR_NONE && !dry) err = packs_rows_begin(p->options.records, packs_catalog(p), catalog);
    if (err.code == ERR_NONE && !dry) err = packs_folder_put(p->fs, p->dir, name, source);
    if (err.code == ERR_NONE && !dry) err = take(p, catalog);
    if (err.code == ERR_NONE && !dry) return err;
    if (packs_catalog(p) != catalog) pack_compile_free(catalog);
    return err;
}

Err packs_install(struct packs *p, const struct pack_source *source, bool dry, struct pack_faults *faults,
                  struct packs_plan *plan) {
    thread_lock(&p->changing);
    Err err = install(p, source, dry, faults, plan);
    thread_unlock(&p->changing);
    if (err.code == ERR_NONE && !dry) LOG_INFO("pack.installed", LOG_S("name", pack_load_name(source, plan->arena)));
    return err;
}

static Err may_remove(const struct packs *p, Str name) {
    const struct catalog *c = packs_catalog(p);
    const struct pack_info *found = NULL;
    for (size_t i = 0; i < c->n_packs; i++)
        if (str_eq_c(name, c->packs[i].name)) found = &c->packs[i];
    if (!found)
        return err_make(ERR_NOT_FOUND, "no pack '" STR_FMT "' is installed: see 'weft pack list'", STR_ARG(name));
    if (found->builtin) return err_make(ERR_CONFLICT, "'%s' comes with the program and stays", found->name);
    for (size_t i = 0; i < c->n_packs; i++)
        if (c->packs[i].needs && doctype_names(c->packs[i].needs, name))
            return err_make(ERR_CONFLICT, "pack '%s' needs '%s': remove it first", c->packs[i].name, found->name);
    return err_none();
}

static Err remove_one(struct packs *p, Str name, struct packs_plan *plan) {
    struct pack_faults faults = {.arena = &p->arena};
    struct catalog *catalog;
    TRY(may_remove(p, name));
    struct making m = {.without = name, .custom = p->custom, .n_custom = p->n_custom};
    TRY(make(p, &m, &p->arena, &faults, &catalog));
    Err err = packs_rows_plan(p->options.records, packs_catalog(p), catalog, plan);
    if (err.code == ERR_NONE) err = refused(plan, "removing");
    if (err.code == ERR_NONE) err = packs_folder_remove(p->fs, p->dir, name);
    if (err.code == ERR_NONE) err = take(p, catalog);
    if (err.code != ERR_NONE && packs_catalog(p) != catalog) pack_compile_free(catalog);
    return err;
}

Err packs_remove(struct packs *p, Str name, struct packs_plan *plan) {
    thread_lock(&p->changing);
    Err err = remove_one(p, name, plan);
    thread_unlock(&p->changing);
    if (err.code == ERR_NONE) LOG_INFO("pack.removed", LOG_S("name", name));
    return err;
}

/* ---- fields of a party's own */
static Err name_field(const struct packs *p, PartyId party, const struct doctype *type, Str name, struct arena *arena,
                      Str *got) {
    size_t own = 0;
    for (size_t i = 0; i < p->n_custom; i++)
        own += p->custom[i].party == party && str_eq_c(p->custom[i].type, type->name);
    if (own >= PACK_CUSTOM_MAX)
        return err_make(ERR_LIMIT, "a party has at most %d fields of its own in a type", PACK_CUSTOM_MAX);
    if (p->n_custom == CUSTOM_MAX)
        return err_make(ERR_LIMIT, "there are %d fields of parties: remove some", CUSTOM_MAX);
    if (str_starts(name, STR(PACK_CUSTOM_PREFIX))) name = str_slice(name, 2, name.len);
    bool good = name.len > 0 && name.len <= 30;
    for (size_t i = 0; good && i < name.len; i++)
        good = memchr("abcdefghijklmnopqrstuvwxyz0123456789_", name.ptr[i], 37) != NULL;
    if (!good)
        return err_make(ERR_INVALID, "'%.40s' cannot be a field's name: at most 30 lower case letters, digits and '_'",
                        arena_c(arena, name));
    *got = arena_printf(arena, PACK_CUSTOM_PREFIX STR_FMT, STR_ARG(name));
    for (unsigned n = 2;; n++) {
        int at = doctype_field(type, *got);
        if (at < 0) return err_none();
        if (type->fields[at].custom_of == party)
            return err_make(ERR_CONFLICT, "you have a field '" STR_FMT "' already", STR_ARG(*got));
        *got = arena_printf(arena, PACK_CUSTOM_PREFIX STR_FMT "_%u", STR_ARG(name), n);
    }
}

static Err set_custom(struct packs *p, struct pack_custom *custom, size_t n, struct pack_faults *faults) {
    struct catalog *catalog;
    TRY(make(p, &(struct making){.custom = custom, .n_custom = n}, &p->arena, faults, &catalog));
    Err err = p->documents ? p->retype(p->documents, catalog->types) : err_none();
    if (err.code == ERR_NONE) err = write_custom(p, custom, n);
    if (err.code != ERR_NONE) {
        pack_compile_free(catalog);
        return err;
    }
    p->custom = custom;
    p->n_custom = n;
    put_in_force(p, catalog);
    return packs_rows_fill(p->options.records, catalog);
}

static Err add_field(struct packs *p, PartyId party, Str type_name, Str name, Str declaration,
                     struct pack_faults *faults, struct arena *arena, Str *got) {
    const struct doctype *type = catalog_type(packs_catalog(p), type_name);
    if (!type) return err_make(ERR_NOT_FOUND, "no document type '%.40s'", arena_c(arena, type_name));
    TRY(name_field(p, party, type, name, arena, got));
    struct pack_custom *custom = arena_zero(&p->arena, CUSTOM_MAX, sizeof *custom);
    memcpy(custom, p->custom, p->n_custom * sizeof *custom);
    custom[p->n_custom] = (struct pack_custom){.party = party,
                                               .type = str_c(type->name),
                                               .name = arena_str(&p->arena, *got),
                                               .text = arena_str(&p->arena, declaration)};
    return set_custom(p, custom, p->n_custom + 1, faults);
}

Err packs_add_field(struct packs *p, PartyId party, Str type, Str name, Str declaration, struct pack_faults *faults,
                    struct arena *arena, Str *got) {
    thread_lock(&p->changing);
    Err err = add_field(p, party, type, name, declaration, faults, arena, got);
    thread_unlock(&p->changing);
    return err;
}

static Err remove_field(struct packs *p, PartyId party, Str type, Str name) {
    struct pack_custom *custom = arena_zero(&p->arena, CUSTOM_MAX, sizeof *custom);
    struct pack_faults faults = {.arena = &p->arena};
    size_t n = 0;
    for (size_t i = 0; i < p->n_custom; i++) {
        const struct pack_custom *c = &p->custom[i];
        if (c->party != party || !str_eq(c->type, type) || !str_eq(c->name, name)) custom[n++] = *c;
    }
    if (n == p->n_custom)
        return err_make(ERR_NOT_FOUND, "you have no field '" STR_FMT "' in '" STR_FMT "'", STR_ARG(name),
                        STR_ARG(type));
    return set_custom(p, custom, n, &faults);
}

Err packs_remove_field(struct packs *p, PartyId party, Str type, Str name) {
    thread_lock(&p->changing);
    Err err = remove_field(p, party, type, name);
    thread_unlock(&p->changing);
    return err;
}
