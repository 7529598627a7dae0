#include "model/pack_node.h"

const struct pack_member *pack_node_member(const struct pack_node *map, Str key) {
    if (!map || map->kind != PACK_MAP) return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (str_eq(map->members[i].key, key)) return &map->members[i];
    return NULL;
}

const struct pack_node *pack_node_get(const struct pack_node *map, const char *key) {
    const struct pack_member *m = pack_node_member(map, str_c(key));
    return m ? m->value : NULL;
}

bool pack_node_scalar(const struct pack_node *node) {
    return node && node->kind != PACK_NULL && node->kind != PACK_LIST && node->kind != PACK_MAP;
}

const char *pack_node_says(enum pack_node_kind kind) {
    static const char *const words[] = {
        [PACK_NULL] = "nothing",    [PACK_BOOL] = "true or false", [PACK_INT] = "a whole number",
        [PACK_NUMBER] = "a number", [PACK_TEXT] = "a text",        [PACK_LIST] = "a list",
        [PACK_MAP] = "a mapping"};
    return words[kind];
}
