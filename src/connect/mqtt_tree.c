#include "connect/mqtt_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "connect/mqtt_topic.h"

/*
 * All children of all nodes stand in one hash table, keyed by parent and level, so a step down the tree is one look-up
 * however wide a level is. The two wildcards of a node are kept at hand, as most nodes have none.
 */
struct mqtt_node {
    struct mqtt_node *parent, *chain;          /* chain: of the hash table */
    struct mqtt_node *children, *next, **prev; /* siblings, to walk all names below a filter */
    struct mqtt_node *plus, *hash;
    struct mqtt_sub *subs;
    struct mqtt_message *retained;
    uint32_t code, len; /* of the level's text, which follows */
    char level[];
};

struct mqtt_tree {
    struct mqtt_node *root;
    struct mqtt_node **table;
    size_t size, count; /* size: a power of two */
    size_t n_retained, retained_bytes;
};

static struct mqtt_node *make(struct mqtt_node *parent, Str level, uint32_t code) {
    struct mqtt_node *node = calloc(1, sizeof *node + level.len);
    ASSERT(node);
    node->parent = parent;
    node->code = code;
    node->len = (uint32_t)level.len;
    if (level.len) memcpy(node->level, level.ptr, level.len);
    return node;
}

struct mqtt_tree *mqtt_tree_new(void) {
    struct mqtt_tree *tree = calloc(1, sizeof *tree);
    ASSERT(tree);
    tree->size = 64;
    tree->table = calloc(tree->size, sizeof *tree->table);
    ASSERT(tree->table);
    tree->root = make(NULL, (Str){0}, 0);
    return tree;
}

static bool is_level(const struct mqtt_node *node, char c) { return node->len == 1 && node->level[0] == c; }

static uint32_t code_of(const struct mqtt_node *parent, Str level) {
    return (uint32_t)hash_seeded(level.ptr, level.len, (uint64_t)(uintptr_t)parent);
}

static struct mqtt_node *child(const struct mqtt_tree *tree, const struct mqtt_node *parent, Str level) {
    uint32_t code = code_of(parent, level);
    for (struct mqtt_node *at = tree->table[code & (tree->size - 1)]; at; at = at->chain)
        if (at->code == code && at->parent == parent && str_eq(str_n(at->level, at->len), level)) return at;
    return NULL;
}

static void grow(struct mqtt_tree *tree) {
    size_t size = tree->size * 2;
    struct mqtt_node **table = calloc(size, sizeof *table);
    ASSERT(table);
    for (size_t i = 0; i < tree->size; i++) {
        for (struct mqtt_node *at = tree->table[i], *next; at; at = next) {
            next = at->chain;
            at->chain = table[at->code & (size - 1)];
            table[at->code & (size - 1)] = at;
        }
    }
    free(tree->table);
    tree->table = table;
    tree->size = size;
}

static struct mqtt_node *add_child(struct mqtt_tree *tree, struct mqtt_node *parent, Str level) {
    if (tree->count == tree->size) grow(tree);
    struct mqtt_node *node = make(parent, level, code_of(parent, level));
    node->chain = tree->table[node->code & (tree->size - 1)];
    tree->table[node->code & (tree->size - 1)] = node;
    tree->count++;
    node->next = parent->children;
    node->prev = &parent->children;
    if (node->next) node->next->prev = &node->next;
    parent->children = node;
    if (is_level(node, '+')) parent->plus = node;
    if (is_level(node, '#')) parent->hash = node;
    return node;
}

static void unlink_node(struct mqtt_tree *tree, struct mqtt_node *node) {
    struct mqtt_node **at = &tree->table[node->code & (tree->size - 1)];
    while (*at != node) at = &(*at)->chain;
    *at = node->chain;
    tree->count--;
    *node->prev = node->next;
    if (node->next) node->next->prev = node->prev;
    if (node->parent->plus == node) node->parent->plus = NULL;
    if (node->parent->hash == node) node->parent->hash = NULL;
}

/* Gives back a node that nothing uses, and then its parents. */
static void prune(struct mqtt_tree *tree, struct mqtt_node *node) {
    while (node->parent && !node->children && !node->subs && !node->retained) {
        struct mqtt_node *parent = node->parent;
        unlink_node(tree, node);
        free(node);
        node = parent;
    }
}

void mqtt_tree_free(struct mqtt_tree *tree) {
    if (!tree) return;
    for (size_t i = 0; i < tree->size; i++) {
        for (struct mqtt_node *at = tree->table[i], *next; at; at = next) {
            next = at->chain;
            ASSERT(!at->subs);
            mqtt_message_drop(at->retained);
            free(at);
        }
    }
    free(tree->table);
    free(tree->root);
    free(tree);
}

struct mqtt_node *mqtt_tree_node(struct mqtt_tree *tree, Str filter) {
    struct mqtt_node *node = tree->root;
    bool more = true;
    for (Str level; mqtt_topic_level(&filter, &more, &level);) {
        struct mqtt_node *next = child(tree, node, level);
        node = next ? next : add_child(tree, node, level);
    }
    return node;
}

struct mqtt_node *mqtt_tree_find(const struct mqtt_tree *tree, Str filter) {
    struct mqtt_node *node = tree->root;
    bool more = true;
    for (Str level; node && mqtt_topic_level(&filter, &more, &level);) node = child(tree, node, level);
    return node;
}

void mqtt_tree_add(struct mqtt_tree *tree, struct mqtt_node *node, struct mqtt_sub *sub) {
    (void)tree;
    sub->node = node;
    sub->next = node->subs;
    sub->prev = &node->subs;
    if (sub->next) sub->next->prev = &sub->next;
    node->subs = sub;
}

void mqtt_tree_remove(struct mqtt_tree *tree, struct mqtt_sub *sub) {
    *sub->prev = sub->next;
    if (sub->next) sub->next->prev = sub->prev;
    prune(tree, sub->node);
}

/* ---- matching names */

struct match {
    const struct mqtt_tree *tree;
    void (*each)(void *ctx, struct mqtt_sub *sub);
    void *ctx;
};

static void all_subs(const struct match *m, const struct mqtt_node *node) {
    for (struct mqtt_sub *sub = node ? node->subs : NULL, *next; sub; sub = next) {
        next = sub->next;
        m->each(m->ctx, sub);
    }
}

static void match_below(const struct match *m, const struct mqtt_node *node, Str rest, bool more, bool wild) {
    Str level;
    if (wild) all_subs(m, node->hash); /* also covers the node itself */
    if (!mqtt_topic_level(&rest, &more, &level)) {
        all_subs(m, node);
        return;
    }
    if (wild && node->plus) match_below(m, node->plus, rest, more, true);
    const struct mqtt_node *next = child(m->tree, node, level);
    if (next) match_below(m, next, rest, more, true);
}

void mqtt_tree_match(const struct mqtt_tree *tree, Str name, void (*each)(void *ctx, struct mqtt_sub *sub), void *ctx) {
    struct match m = {tree, each, ctx};
    match_below(&m, tree->root, name, true, !(name.len && name.ptr[0] == '$'));
}

/* ---- retained messages */

static void forget(struct mqtt_tree *tree, struct mqtt_node *node) {
    tree->n_retained--;
    tree->retained_bytes -= mqtt_message_bytes(node->retained);
    mqtt_message_drop(node->retained);
    node->retained = NULL;
}

bool mqtt_tree_retain(struct mqtt_tree *tree, struct mqtt_message *message, size_t max_bytes) {
    struct mqtt_node *node = mqtt_tree_find(tree, message->route);
    if (node && node->retained) {
        if (node->retained->serial > message->serial) return true; /* a later one came by another way */
        forget(tree, node);
    }
    bool keep = message->payload.len > 0;
    bool fits = tree->retained_bytes + mqtt_message_bytes(message) <= max_bytes;
    if (keep && fits) {
        node = mqtt_tree_node(tree, message->route);
        node->retained = mqtt_message_hold(message);
        tree->n_retained++;
        tree->retained_bytes += mqtt_message_bytes(message);
    } else if (node) {
        prune(tree, node);
    }
    return fits || !keep;
}

struct walk {
    struct mqtt_tree *tree;
    bool (*each)(void *ctx, struct mqtt_message *message);
    void *ctx;
};

static void visit(const struct walk *w, struct mqtt_node *node) {
    if (node->retained && !w->each(w->ctx, node->retained)) forget(w->tree, node);
}

static void visit_all(const struct walk *w, struct mqtt_node *node) {
    visit(w, node);
    for (struct mqtt_node *at = node->children; at; at = at->next) visit_all(w, at);
}

static bool hidden(const struct walk *w, const struct mqtt_node *parent, const struct mqtt_node *node) {
    return parent == w->tree->root && node->len && node->level[0] == '$';
}

static void walk(const struct walk *w, struct mqtt_node *node, Str rest, bool more) {
    Str level;
    if (!mqtt_topic_level(&rest, &more, &level)) {
        visit(w, node);
        return;
    }
    bool all = str_eq(level, STR("#"));
    if (!all && !str_eq(level, STR("+"))) {
        struct mqtt_node *next = child(w->tree, node, level);
        if (next) walk(w, next, rest, more);
        return;
    }
    if (all && node->parent) visit(w, node);
    for (struct mqtt_node *at = node->children; at; at = at->next) {
        if (hidden(w, node, at)) continue;
        if (all)
            visit_all(w, at);
        else
            walk(w, at, rest, more);
    }
}

/* Nodes whose message was dropped on the way stay until their next use: pruning here would pull the tree from below. */
void mqtt_tree_retained(struct mqtt_tree *tree, Str filter, bool (*each)(void *ctx, struct mqtt_message *message),
                        void *ctx) {
    struct walk w = {tree, each, ctx};
    walk(&w, tree->root, filter, true);
}

size_t mqtt_tree_retained_count(const struct mqtt_tree *tree) { return tree->n_retained; }
