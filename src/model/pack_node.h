/*
 * A YAML file as a tree of the JSON data model, each node with its line and column. Nothing of YAML beyond JSON is let
 * in, but for aliases of whole values: no tags, no merge keys, no keys that are not texts, no second document.
 * Nodes and texts live in the arena given.
 */
#ifndef MODEL_PACK_NODE_H
#define MODEL_PACK_NODE_H

#include "model/pack_fault.h"

enum pack_node_kind { PACK_NULL, PACK_BOOL, PACK_INT, PACK_NUMBER, PACK_TEXT, PACK_LIST, PACK_MAP };

struct pack_node {
    enum pack_node_kind kind;
    bool truth;                  /* PACK_BOOL */
    bool quoted;                 /* PACK_TEXT: written in quotes or as a block */
    Str text;                    /* any scalar, as written; ends with NUL */
    int64_t integer;             /* PACK_INT */
    double number;               /* PACK_INT, PACK_NUMBER */
    struct pack_member *members; /* PACK_MAP; PACK_LIST: keys are empty */
    size_t n;
    size_t weight; /* nodes in it, aliases counted as often as they stand there */
    struct pack_place at;
};
struct pack_member {
    Str key; /* ends with NUL */
    struct pack_place at;
    const struct pack_node *value;
};

#define PACK_NODE_DEPTH_MAX 32
#define PACK_NODE_WEIGHT_MAX 50000
#define PACK_NODE_BYTES_MAX (1024 * 1024)

/* NULL when it is not YAML, or beyond a limit: `faults` then says what and where. An empty file is a PACK_NULL. */
const struct pack_node *pack_yaml_parse(const char *file, Str text, struct arena *arena, struct pack_faults *faults);

const struct pack_node *pack_node_get(const struct pack_node *map, const char *key); /* NULL: absent, or no map */
const struct pack_member *pack_node_member(const struct pack_node *map, Str key);    /* the same, with its place */
bool pack_node_scalar(const struct pack_node *node);                                 /* text, number or bool */
const char *pack_node_says(enum pack_node_kind kind);                                /* "a list" */

#endif
