/* Models of things: what they measure, what wears, what they can be told. */
#include <math.h>
#include <string.h>

#include "model/pack_build.h"

static const enum thing_value values[] = {THING_NUMBER, THING_BOOL, THING_TEXT};
static const char *const words[] = {"number", "bool", "text", NULL};

static size_t members(const struct pack_node *map) { return map && map->kind == PACK_MAP ? map->n : 0; }

static const struct thing_attribute *read_attributes(struct pack_build *b, const struct pack_node *map, size_t *n) {
    *n = members(map);
    struct thing_attribute *list = arena_zero(b->arena, *n + 1, sizeof *list);
    for (size_t i = 0; i < *n; i++) {
        const struct pack_member *m = &map->members[i];
        struct thing_attribute *a = &list[i];
        a->name = m->key.ptr;
        pack_build_title(b, m->value, "title", m->key, &a->title_en, &a->title_zh);
        a->kind = values[pack_build_word(m->value, "kind", words, 2)];
        a->unit = pack_build_text(m->value, "unit");
    }
    return list;
}

static void read_span(const struct pack_node *node, Nanos *out) {
    if (node && pack_node_scalar(node)) thing_keep_span(node->text, out);
}

static struct thing_keep read_keep(const struct pack_node *map) {
    struct thing_keep keep = {0};
    const struct pack_node *node = pack_node_get(map, "keep");
    if (!node) return keep;
    if (node->kind != PACK_MAP) read_span(node, &keep.raw);
    for (size_t i = 0; node->kind == PACK_MAP && thing_keep_words[i]; i++)
        read_span(pack_node_get(node, thing_keep_words[i]), thing_keep_at(&keep, i));
    return keep;
}

static void read_metrics(struct pack_build *b, const struct pack_node *map, struct thing_model *model) {
    struct thing_metric *list = arena_zero(b->arena, members(map) + 1, sizeof *list);
    model->n_metrics = members(map);
    for (size_t i = 0; i < model->n_metrics; i++) {
        const struct pack_member *m = &map->members[i];
        struct thing_metric *metric = &list[i];
        metric->name = m->key.ptr;
        pack_build_title(b, m->value, "title", m->key, &metric->title_en, &metric->title_zh);
        metric->unit = pack_build_text(m->value, "unit");
        if (!metric->unit) metric->unit = "";
        metric->low = pack_build_num(m->value, "low");
        metric->high = pack_build_num(m->value, "high");
        metric->component = pack_build_text(m->value, "component");
        metric->keep = read_keep(m->value);
        if (metric->low >= metric->high)
            pack_fault_add(b->faults, m->at, "low is the smaller", "'low' is not below 'high'");
    }
    model->metrics = list;
}

static void read_components(struct pack_build *b, const struct pack_node *map, struct thing_model *model) {
    struct thing_component *list = arena_zero(b->arena, members(map) + 1, sizeof *list);
    model->n_components = members(map);
    for (size_t i = 0; i < model->n_components; i++) {
        const struct pack_member *m = &map->members[i];
        struct thing_component *c = &list[i];
        c->name = m->key.ptr;
        pack_build_title(b, m->value, "title", m->key, &c->title_en, &c->title_zh);
        c->life_hours = pack_build_num(m->value, "life_hours");
        c->part = pack_build_text(m->value, "part");
        c->skill = pack_build_text(m->value, "skill");
    }
    model->components = list;
}

static void read_commands(struct pack_build *b, const struct pack_node *map, struct thing_model *model) {
    struct thing_command *list = arena_zero(b->arena, members(map) + 1, sizeof *list);
    model->n_commands = members(map);
    for (size_t i = 0; i < model->n_commands; i++) {
        const struct pack_member *m = &map->members[i];
        list[i].name = m->key.ptr;
        list[i].roles = pack_build_roles(m->value, "by", ROLE_STAFF);
        pack_build_title(b, m->value, "title", m->key, &list[i].title_en, &list[i].title_zh);
        list[i].takes = read_attributes(b, pack_node_get(m->value, "takes"), &list[i].n_takes);
    }
    model->commands = list;
}

static void check_names(struct pack_build *b, const struct pack_item *item) {
    const struct thing_model *model = item->model;
    const struct pack_node *metrics = pack_node_get(item->node, "metrics");
    for (size_t i = 0; i < model->n_metrics; i++) {
        const char *name = model->metrics[i].component;
        if (!name || thing_model_component(model, str_c(name))) continue;
        struct pack_near near = pack_fault_near(str_c(name));
        for (size_t k = 0; k < model->n_components; k++) pack_fault_try(&near, str_c(model->components[k].name));
        pack_fault_add(b->faults, pack_build_at(metrics->members[i].value, "component"),
                       pack_fault_mean(&near, b->arena), "'%s' has no component '%.60s'", model->name, name);
    }
    if (!model->code_metric || thing_model_metric(model, str_c(model->code_metric))) return;
    struct pack_near near = pack_fault_near(str_c(model->code_metric));
    for (size_t k = 0; k < model->n_metrics; k++) pack_fault_try(&near, str_c(model->metrics[k].name));
    pack_fault_add(b->faults, pack_build_at(item->node, "codes"), pack_fault_mean(&near, b->arena),
                   "'%s' has no metric '%.60s'", model->name, model->code_metric);
}

void pack_thing_build(struct pack_build *b, struct pack_item *item) {
    struct thing_model *model = item->model;
    pack_build_title(b, item->node, "title", item->name, &model->title_en, &model->title_zh);
    model->pack = item->pack->info.name;
    model->closed = pack_build_flag(item->node, "closed");
    model->keep = read_keep(item->node);
    model->code_metric = pack_build_text(item->node, "codes");
    model->attributes = read_attributes(b, pack_node_get(item->node, "attributes"), &model->n_attributes);
    read_metrics(b, pack_node_get(item->node, "metrics"), model);
    read_components(b, pack_node_get(item->node, "components"), model);
    read_commands(b, pack_node_get(item->node, "commands"), model);
    check_names(b, item);
}
