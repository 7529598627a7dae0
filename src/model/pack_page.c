/* Views, agreements and knowledge: what the console shows, what is usually given, what is known. */
#include <string.h>

#include "base/jw.h"
#include "model/pack_build.h"

static void write_node(const struct pack_node *node, struct jw *w) {
    if (node->kind == PACK_MAP) {
        jw_object(w);
        for (size_t i = 0; i < node->n; i++) {
            jw_key_str(w, node->members[i].key);
            write_node(node->members[i].value, w);
        }
        jw_object_end(w);
    } else if (node->kind == PACK_LIST) {
        jw_array(w);
        for (size_t i = 0; i < node->n; i++) write_node(node->members[i].value, w);
        jw_array_end(w);
    } else if (node->kind == PACK_INT) {
        jw_int(w, node->integer);
    } else if (node->kind == PACK_NUMBER) {
        jw_num(w, node->number);
    } else if (node->kind == PACK_BOOL) {
        jw_bool(w, node->truth);
    } else if (node->kind == PACK_NULL) {
        jw_null(w);
    } else {
        jw_str(w, node->text);
    }
}

/* ---- views */
static void write_names(struct pack_build *b, const struct pack_node *node, struct jw *w) {
    const struct pack_node **names;
    size_t n = pack_build_names(b, node, &names);
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, names[i]->text);
    jw_array_end(w);
}

static void check_fields(struct pack_build *b, const struct doctype *type, const struct pack_node *node) {
    static const char *const single[] = {"group", "date", "place"};
    const struct pack_node **names, *filter = pack_node_get(node, "filter");
    size_t n = pack_build_names(b, pack_node_get(node, "columns"), &names);
    for (size_t i = 0; i < n; i++) pack_build_field(b, type, true, names[i]->text, names[i]->at);
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        const struct pack_node *v = pack_node_get(node, single[i]);
        if (pack_node_scalar(v)) pack_build_field(b, type, true, v->text, v->at);
    }
    for (size_t i = 0; filter && filter->kind == PACK_MAP && i < filter->n; i++)
        pack_build_field(b, type, true, filter->members[i].key, filter->members[i].at);
    Str sort = str_c(pack_build_text(node, "sort"));
    if (sort.len)
        pack_build_field(b, type, true, str_slice(sort, sort.ptr[0] == '-', sort.len), pack_build_at(node, "sort"));
    Str measure = str_c(pack_build_text(node, "measure")), what, field;
    static const char *const measures[] = {"count", "sum", "avg", "min", "max", NULL};
    if (measure.len == 0) return;
    bool of = str_cut(measure, ':', &what, &field), known = false;
    for (const char *const *m = measures; *m; m++) known = known || str_eq_c(what, *m);
    if (!known) pack_check_unknown(b->faults, pack_build_at(node, "measure"), "measure", what, measures);
    if (of) pack_build_field(b, type, false, field, pack_build_at(node, "measure"));
}

void pack_page_view(struct pack_build *b, const struct pack_item *item, struct view *out) {
    const struct pack_node *node = item->node, *type = pack_node_get(node, "type");
    *out = (struct view){.name = item->name.ptr, .pack = item->pack->info.name, .kind = pack_build_text(node, "kind")};
    pack_build_title(b, node, "title", item->name, &out->title_en, &out->title_zh);
    const struct pack_item *found =
        pack_node_scalar(type) ? pack_build_find(b, PACK_RECORDS, item->pack, type->text, type->at, "document type")
                               : NULL;
    if (found) check_fields(b, found->type, node);
    out->type = found ? found->type->name : NULL;
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    for (size_t i = 0; node->kind == PACK_MAP && i < node->n; i++) {
        const struct pack_member *m = &node->members[i];
        if (str_eq_c(m->key, "title") || str_eq_c(m->key, "kind") || str_eq_c(m->key, "type")) continue;
        jw_key_str(&w, m->key);
        if (str_eq_c(m->key, "columns"))
            write_names(b, m->value, &w);
        else
            write_node(m->value, &w);
    }
    jw_object_end(&w);
    out->spec = arena_str(b->arena, buf_view(&text)).ptr;
    buf_fini(&text);
}

/* ---- agreements */
static const struct field *line_field(const struct doctype *type, Str name, Str *inner) {
    Str list;
    if (!str_cut(name, '.', &list, inner)) return NULL;
    int i = doctype_field(type, list);
    return i >= 0 && type->fields[i].kind == FIELD_LINES ? &type->fields[i] : NULL;
}

static void give_field(struct pack_build *b, const struct doctype *type, const struct pack_node *name, struct jw *w) {
    Str inner;
    const struct field *lines = line_field(type, name->text, &inner);
    jw_str(w, name->text);
    if (lines) {
        pack_build_field(b, lines->lines, false, inner, name->at);
        return;
    }
    if (!pack_build_field(b, type, true, name->text, name->at)) return;
    int i = doctype_field(type, name->text);
    if (i < 0) return;
    if (type->fields[i].share == SHARE_SECRET || type->fields[i].share == SHARE_OWN)
        pack_fault_add(b->faults, name->at,
                       arena_printf(b->arena, "give the field 'share: partners', or leave it out here").ptr,
                       "'%s' of '%s' is never shared: its share class is %s", type->fields[i].name, type->name,
                       pack_form_shares[type->fields[i].share]);
}

static void give_rows(struct pack_build *b, const struct pack_item *item, const struct doctype *type,
                      const struct pack_node *rows, struct jw *w) {
    static const char *const ops[] = {
        [DOC_EQ] = "eq", [DOC_NE] = "ne", [DOC_LT] = "lt", [DOC_LE] = "le", [DOC_GT] = "gt", [DOC_GE] = "ge"};
    size_t n = !rows ? 0 : pack_node_scalar(rows) ? 1 : rows->kind == PACK_LIST ? rows->n : 0;
    jw_key(w, "rows");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct pack_node *row = rows->kind == PACK_LIST ? rows->members[i].value : rows;
        struct pack_checks checks = {0};
        Str state, name;
        bool of_state = row->kind == PACK_TEXT && str_starts(row->text, STR("state")) &&
                        str_cut(row->text, '=', &state, &name) && str_eq_c(str_trim(state), "state");
        if (!of_state) pack_checks_read(b, item->pack, type, NULL, row, &checks);
        if (of_state && doctype_state(type, str_trim(name)) < 0)
            pack_fault_add(b->faults, row->at, NULL, "'%s' has no state '%.40s'", type->name,
                           arena_c(b->arena, str_trim(name)));
        if (!of_state && (checks.n != 1 || !checks.items[0].text || checks.items[0].op > DOC_GE)) {
            if (checks.n)
                pack_fault_add(b->faults, row->at, "\"quantity > 0\" or \"state = sent\"",
                               "a row condition compares a field with a value");
            continue;
        }
        jw_object(w);
        jw_kc(w, "field", of_state ? "state" : checks.items[0].field);
        jw_kc(w, "op", of_state ? "eq" : ops[checks.items[0].op]);
        jw_kstr(w, "value", of_state ? str_trim(name) : str_c(checks.items[0].text));
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void give_types(struct pack_build *b, const struct pack_item *item, const struct pack_node *types,
                       struct jw *w) {
    jw_key(w, "types");
    jw_array(w);
    for (size_t i = 0; types && types->kind == PACK_MAP && i < types->n; i++) {
        const struct pack_member *m = &types->members[i];
        const struct pack_item *found = pack_build_find(b, PACK_RECORDS, item->pack, m->key, m->at, "document type");
        const struct pack_node *fields = m->value->kind == PACK_MAP ? pack_node_get(m->value, "fields") : m->value,
                               **names;
        size_t n = pack_build_names(b, fields, &names);
        if (n == 0)
            pack_fault_add(b->faults, m->at, "name the fields that are given", "'%s' gives no fields", m->key.ptr);
        if (!found) continue;
        jw_object(w);
        jw_kstr(w, "type", m->key);
        jw_key(w, "fields");
        jw_array(w);
        for (size_t k = 0; k < n; k++) give_field(b, found->type, names[k], w);
        jw_array_end(w);
        give_rows(b, item, found->type, m->value->kind == PACK_MAP ? pack_node_get(m->value, "rows") : NULL, w);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void give_series(struct pack_build *b, const struct pack_item *item, const struct pack_node *list,
                        struct jw *w) {
    jw_key(w, "series");
    jw_array(w);
    for (size_t i = 0; list && list->kind == PACK_LIST && i < list->n; i++) {
        const struct pack_node *s = list->members[i].value, *model = pack_node_get(s, "model"), **names;
        const struct pack_item *found =
            pack_node_scalar(model)
                ? pack_build_find(b, PACK_THINGS, item->pack, model->text, model->at, "model of things")
                : NULL;
        size_t n = pack_build_names(b, pack_node_get(s, "metrics"), &names);
        for (size_t k = 0; found && k < n; k++)
            if (!thing_model_metric(found->model, names[k]->text))
                pack_fault_add(b->faults, names[k]->at, NULL, "'%s' has no metric '%.60s'", found->model->name,
                               names[k]->text.ptr);
        jw_object(w);
        jw_kc(w, "model", pack_build_text(s, "model"));
        jw_key(w, "things");
        if (pack_node_get(s, "things"))
            write_names(b, pack_node_get(s, "things"), w);
        else
            jw_null(w);
        jw_key(w, "metrics");
        if (n)
            write_names(b, pack_node_get(s, "metrics"), w);
        else
            jw_null(w);
        jw_kc(w, "resolution", pack_form_resolutions[pack_build_word(s, "resolution", pack_form_resolutions, 1)]);
        jw_object_end(w);
    }
    jw_array_end(w);
}

void pack_page_agreement(struct pack_build *b, const struct pack_item *item, struct agreement_template *out) {
    const struct pack_node *node = item->node;
    *out = (struct agreement_template){.name = item->name.ptr, .pack = item->pack->info.name};
    pack_build_title(b, node, "title", item->name, &out->title_en, &out->title_zh);
    pack_build_title(b, node, "purpose", (Str){0}, &out->purpose_en, &out->purpose_zh);
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    give_types(b, item, pack_node_get(node, "types"), &w);
    give_series(b, item, pack_node_get(node, "series"), &w);
    jw_kc(&w, "purpose", out->purpose_zh);
    jw_kbool(&w, "onward", pack_build_flag(node, "onward"));
    if (pack_node_get(node, "min_group")) jw_kint(&w, "min_group", pack_build_int(node, "min_group", 5));
    jw_kc(&w, "confidentiality", pack_build_text(node, "confidentiality"));
    jw_object_end(&w);
    out->terms = arena_str(b->arena, buf_view(&text)).ptr;
    buf_fini(&text);
    if (!pack_node_get(node, "types") && !pack_node_get(node, "series"))
        pack_fault_add(b->faults, item->at, "add 'types' or 'series'", "'%s' gives nothing", out->name);
}

/* ---- knowledge */
void pack_page_knowledge(struct pack_build *b, const struct pack_item *item, struct knowledge *out) {
    const struct pack_node *node = item->node, **names;
    *out = (struct knowledge){.name = item->name.ptr, .pack = item->pack->info.name};
    pack_build_title(b, node, "title", item->name, &out->title_en, &out->title_zh);
    pack_build_title(b, node, "cause", (Str){0}, &out->cause_en, &out->cause_zh);
    pack_build_title(b, node, "remedy", (Str){0}, &out->remedy_en, &out->remedy_zh);
    pack_build_title(b, node, "text", (Str){0}, &out->text_en, &out->text_zh);
    out->component = pack_build_text(node, "component");
    out->part = pack_build_text(node, "part");
    size_t n = pack_build_names(b, pack_node_get(node, "model"), &names);
    for (size_t i = 0; i < n; i++) {
        const struct pack_item *model =
            pack_build_find(b, PACK_THINGS, item->pack, names[i]->text, names[i]->at, "model of things");
        if (model && out->component && !thing_model_component(model->model, str_c(out->component)))
            pack_fault_add(b->faults, pack_build_at(node, "component"), NULL, "'%s' has no component '%.60s'",
                           model->model->name, out->component);
    }
    out->models = pack_build_join(b, names, n);
}
