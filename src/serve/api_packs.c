/* Packs over the API: what is installed, checking, installing, removing, pages, and fields of a party's own. */
#include <string.h>

#include "document/packs.h"
#include "serve/api.h"
#include "serve/serve_state.h"

#define PACK_BODY_MAX (8 << 20)

static Err find_packs(const struct api_call *call, struct packs **out) {
    *out = call->serve->options.packs;
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "this server has no packs");
}

/* Types are everybody's: only whoever runs the platform changes them. */
static Err need_platform(const struct api_call *call) {
    PartyId own = call->serve->options.own_party;
    if (own == 0 || call->who.party == own) return err_none();
    return err_make(ERR_FORBIDDEN, "packs are installed by whoever runs the platform: ask them");
}

static Str in_arena(struct api_call *call, const struct json *v) { return arena_str(call->arena, json_str(v)); }

/* ---- reading */
static void write_names(struct jw *w, const char *key, const char *joined) {
    Str rest = str_c(joined), name;
    jw_key(w, key);
    jw_array(w);
    while (rest.len > 0) {
        str_cut(rest, '|', &name, &rest);
        jw_str(w, name);
    }
    jw_array_end(w);
}

static void write_title(struct jw *w, const char *name, const char *en, const char *zh) {
    jw_kc(w, "name", name);
    jw_kc(w, "title_en", en);
    jw_kc(w, "title_zh", zh);
}

static bool of(const char *pack, const struct pack_info *info) { return pack && strcmp(pack, info->name) == 0; }

static const char *when_words(const struct rule *r) {
    static const char *const words[] = {"change", "alarm", "schedule", "event"};
    return words[r->when];
}

static void write_contents(struct jw *w, const struct catalog *c, const struct pack_info *info) {
    jw_key(w, "types"), jw_array(w);
    for (const struct doctype *const *t = c->types; *t; t++)
        if (of((*t)->pack, info)) jw_c(w, (*t)->name);
    jw_array_end(w);
    jw_key(w, "models"), jw_array(w);
    for (const struct thing_model *const *m = c->models; *m; m++)
        if (of((*m)->pack, info)) jw_c(w, (*m)->name);
    jw_array_end(w);
    jw_key(w, "rules"), jw_array(w);
    for (size_t i = 0; i < c->n_rules; i++) {
        const struct rule *r = &c->rules[i];
        if (!of(r->pack, info)) continue;
        jw_object(w);
        write_title(w, r->name, r->title_en, r->title_zh);
        jw_kc(w, "when", when_words(r));
        jw_kc(w, "type", r->type);
        jw_kc(w, "what", r->what);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_key(w, "templates"), jw_array(w);
    for (size_t i = 0; i < c->n_templates; i++)
        if (of(c->templates[i].pack, info)) jw_c(w, c->templates[i].name);
    jw_array_end(w);
    jw_key(w, "views"), jw_array(w);
    for (size_t i = 0; i < c->n_views; i++)
        if (of(c->views[i].pack, info)) jw_c(w, c->views[i].name);
    jw_array_end(w);
}

static Err list_packs(struct api_call *call) {
    const struct catalog *c = catalog_get(call->serve->options.catalog);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < c->n_packs; i++) {
        const struct pack_info *p = &c->packs[i];
        jw_object(w);
        write_title(w, p->name, p->title_en, p->title_zh);
        jw_kc(w, "version", p->version);
        jw_kbool(w, "builtin", p->builtin);
        write_names(w, "needs", p->needs);
        write_contents(w, c, p);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err list_views(struct api_call *call) {
    const struct catalog *c = catalog_get(call->serve->options.catalog);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < c->n_views; i++) {
        const struct view *v = &c->views[i];
        const struct doctype *type = catalog_type(c, str_c(v->type));
        if (!type || !principal_may(&call->who, type->read_roles)) continue;
        jw_object(w);
        write_title(w, v->name, v->title_en, v->title_zh);
        jw_kc(w, "pack", v->pack);
        jw_kc(w, "kind", v->kind);
        jw_kc(w, "type", v->type);
        jw_key(w, "spec");
        jw_raw(w, str_c(v->spec));
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- changing */
static bool is_place(Str name) {
    bool yaml = str_ends(name, STR(".yaml")) || str_ends(name, STR(".yml")) || str_ends(name, STR(".lua"));
    Str folder, rest;
    str_cut(name, '/', &folder, &rest);
    bool clean = name.len < 120 && folder.len > 0 && folder.ptr[0] != '.' && str_find(name, STR("..")) < 0 &&
                 str_find(name, STR("\\")) < 0 && str_find(rest, STR("/")) < 0 && (rest.len == 0 || rest.ptr[0] != '.');
    return yaml && clean && !memchr(name.ptr, 0, name.len);
}

static Err read_files(struct api_call *call, struct pack_source *out) {
    const struct json *files = json_get(call->body, "files");
    if (!files || json_kind(files) != JSON_ARRAY || json_len(files) == 0 || json_len(files) > PACK_FILES_MAX)
        return err_make(ERR_INVALID,
                        "'files' is missing: a list of {\"name\":\"pack.yaml\",\"text\":\"…\"}, at most %d",
                        PACK_FILES_MAX);
    struct pack_file *list = arena_zero(call->arena, json_len(files), sizeof *list);
    for (size_t i = 0; i < json_len(files); i++) {
        const struct json *name = json_get(json_at(files, i), "name"), *text = json_get(json_at(files, i), "text");
        if (!name || !text || json_kind(name) != JSON_STRING || json_kind(text) != JSON_STRING)
            return err_make(ERR_INVALID, "each of 'files' has a name and a text");
        if (!is_place(json_str(name)))
            return err_make(ERR_INVALID, "'%.60s' is no file of a pack: pack.yaml, logic.lua, or FOLDER/NAME.yaml",
                            in_arena(call, name).ptr);
        list[i] = (struct pack_file){in_arena(call, name), in_arena(call, text)};
    }
    *out = (struct pack_source){.where = "", .files = list, .n = json_len(files)};
    return err_none();
}

static void write_faults(struct jw *w, const struct pack_faults *faults) {
    jw_key(w, "faults");
    jw_array(w);
    for (size_t i = 0; i < faults->n; i++) {
        const struct pack_fault *f = &faults->items[i];
        jw_object(w);
        jw_kc(w, "file", f->file);
        jw_kint(w, "line", f->line);
        jw_kint(w, "column", f->column);
        jw_kc(w, "severity", f->warning ? "warning" : "error");
        jw_kc(w, "message", f->message);
        jw_kc(w, "suggestion", f->suggestion);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_key(w, "summary");
    jw_object(w);
    jw_kint(w, "errors", (int64_t)faults->errors);
    jw_kint(w, "warnings", (int64_t)faults->warnings);
    jw_object_end(w);
}

static void write_plan(struct jw *w, const struct packs_plan *plan) {
    jw_key(w, "plan");
    jw_array(w);
    for (size_t i = 0; i < plan->n; i++) {
        jw_object(w);
        jw_kc(w, "type", plan->steps[i].type);
        jw_kc(w, "action", plan->steps[i].action);
        jw_kc(w, "detail", plan->steps[i].detail);
        jw_kbool(w, "refused", plan->steps[i].refused);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static Err check_pack(struct api_call *call) {
    struct packs *packs;
    struct pack_source source;
    struct pack_faults faults = {.arena = call->arena};
    TRY(find_packs(call, &packs));
    TRY(api_need_body(call));
    TRY(read_files(call, &source));
    packs_check(packs, &source, &faults);
    struct jw *w = api_json(call);
    jw_object(w);
    write_faults(w, &faults);
    jw_object_end(w);
    return err_none();
}

/* Faults and what stands in the way are the answer itself: a person mends the pack by them. */
static Err install_pack(struct api_call *call) {
    struct packs *packs;
    struct pack_source source;
    struct pack_faults faults = {.arena = call->arena};
    struct packs_plan plan = {.arena = call->arena};
    bool dry = str_eq_c(api_query(call, "dry_run"), "true");
    TRY(find_packs(call, &packs));
    TRY(need_platform(call));
    TRY(api_need_body(call));
    TRY(read_files(call, &source));
    Err err = packs_install(packs, &source, dry, &faults, &plan);
    if (err.code != ERR_NONE && faults.errors == 0 && plan.refused == 0) return err;
    call->response->status = err.code == ERR_NONE ? (dry ? 200 : 201) : faults.errors ? 400 : dry ? 200 : 409;
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kbool(w, "installed", err.code == ERR_NONE && !dry);
    write_plan(w, &plan);
    write_faults(w, &faults);
    jw_object_end(w);
    return err_none();
}

static Err remove_pack(struct api_call *call) {
    struct packs *packs;
    struct packs_plan plan = {.arena = call->arena};
    TRY(find_packs(call, &packs));
    TRY(need_platform(call));
    TRY(packs_remove(packs, call->segments[0], &plan));
    call->response->status = 204;
    return err_none();
}

/* ---- fields of a party's own */

/* {"name":…,"title_en":…, …} as the declaration of a pack: titles and help in one, the name out. */
static Err declaration(struct api_call *call, Str *name, Str *out) {
    static const char *const pairs[] = {"title", "help"};
    struct buf text = {0};
    struct jw w;
    void *at = NULL;
    Str key;
    const struct json *value;
    TRY(api_text(call, "name", NULL, name));
    jw_init(&w, &text);
    jw_object(&w);
    for (size_t i = 0; i < 2; i++) {
        Str en = json_get_str(call->body, i ? "help_en" : "title_en", STR("")),
            zh = json_get_str(call->body, i ? "help_zh" : "title_zh", STR(""));
        if (en.len == 0 && zh.len == 0) continue;
        jw_key(&w, pairs[i]);
        jw_object(&w);
        jw_kstr(&w, "en", en.len ? en : zh);
        jw_kstr(&w, "zh", zh.len ? zh : en);
        jw_object_end(&w);
    }
    while (json_next(call->body, &at, &key, &value)) {
        bool known = str_eq_c(key, "name") || str_starts(key, STR("title_")) || str_starts(key, STR("help_"));
        if (known) continue;
        struct buf part = {0};
        json_dump(value, &part);
        jw_key_str(&w, key);
        jw_raw(&w, buf_view(&part));
        buf_fini(&part);
    }
    jw_object_end(&w);
    *out = arena_str(call->arena, buf_view(&text));
    buf_fini(&text);
    return err_none();
}

static Err add_field(struct api_call *call) {
    struct packs *packs;
    struct pack_faults faults = {.arena = call->arena};
    Str name, text, got;
    TRY(find_packs(call, &packs));
    TRY(api_need_body(call));
    TRY(declaration(call, &name, &text));
    Err err = packs_add_field(packs, call->who.party, call->segments[0], name, text, &faults, call->arena, &got);
    for (size_t i = 0; i < faults.n && err.code == ERR_INVALID; i++)
        if (!faults.items[i].warning)
            return err_make(ERR_INVALID, "%.160s%s%.60s", faults.items[i].message,
                            faults.items[i].suggestion ? ": " : "",
                            faults.items[i].suggestion ? faults.items[i].suggestion : "");
    TRY(err);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kstr(w, "name", got);
    jw_object_end(w);
    return err_none();
}

static Err remove_field(struct api_call *call) {
    struct packs *packs;
    TRY(find_packs(call, &packs));
    TRY(packs_remove_field(packs, call->who.party, call->segments[0], call->segments[1]));
    call->response->status = 204;
    return err_none();
}

static const struct route_param install_params[] = {
    {"dry_run", ROUTE_TEXT, false, "true: only say what would be done"},
    {.name = NULL},
};

const struct route api_packs_routes[] = {
    {HTTP_GET, "/api/v1/packs", "listPacks", "packs", "Installed packs and what they bring", ROLE_PEOPLE, NULL, NULL,
     "PackList", 0, 0, 0, list_packs},
    {HTTP_GET, "/api/v1/views", "listViews", "packs", "Pages that packs declare", ROLE_PEOPLE, NULL, NULL, "ViewList",
     0, 0, 0, list_views},
    {HTTP_POST, "/api/v1/packs/check", "checkPack", "packs",
     "Every fault of a pack, with its place and what to write instead", ROLE_STAFF, NULL, "PackFiles", "PackFaults", 0,
     0, PACK_BODY_MAX, check_pack},
    {HTTP_POST, "/api/v1/packs", "installPack", "packs",
     "Install or upgrade a pack; documents that stand are brought along", ROLE_BIT(ROLE_OPERATOR), install_params,
     "PackFiles", "PackPlan", 201, 0, PACK_BODY_MAX, install_pack},
    {HTTP_DELETE, "/api/v1/packs/{name}", "removePack", "packs", "Remove a pack that no document is of",
     ROLE_BIT(ROLE_OPERATOR), NULL, NULL, NULL, 204, 0, 0, remove_pack},
    {HTTP_POST, "/api/v1/docs/{type}/fields", "addField", "packs", "A field of the party's own, which nobody else sees",
     ROLE_BIT(ROLE_MANAGER), NULL, "FieldNew", "FieldMade", 201, 0, 0, add_field},
    {HTTP_DELETE, "/api/v1/docs/{type}/fields/{name}", "removeField", "packs",
     "Remove a field of the party's own; what it held is kept, unseen", ROLE_BIT(ROLE_MANAGER), NULL, NULL, NULL, 204,
     0, 0, remove_field},
    {.handler = NULL},
};
