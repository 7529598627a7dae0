/*
 * One thread's tree of topic levels: subscriptions at the nodes of their filters, retained messages at the nodes of
 * their names. Not thread-safe; each I/O thread has its own.
 */
#ifndef CONNECT_MQTT_TREE_H
#define CONNECT_MQTT_TREE_H

#include "connect/mqtt_message.h"

struct mqtt_tree;
struct mqtt_node;

/* Owned by whoever subscribes; linked into its node. */
struct mqtt_sub {
    void *owner; /* the session, or the shared group */
    struct mqtt_node *node;
    struct mqtt_sub *next, **prev; /* at its node */
    struct mqtt_sub *next_own;     /* of its owner */
    uint32_t id;                   /* 5.0's subscription identifier, 0 none */
    uint8_t qos, retain_handling;
    bool no_local, retain_as_published, group; /* group: owner is a struct mqtt_group */
};

struct mqtt_tree *mqtt_tree_new(void);
void mqtt_tree_free(struct mqtt_tree *tree); /* drops retained messages; subscriptions must be gone */
/* The node of a filter or name, made when absent; it stays while it is used. filter must be valid. */
struct mqtt_node *mqtt_tree_node(struct mqtt_tree *tree, Str filter);
struct mqtt_node *mqtt_tree_find(const struct mqtt_tree *tree, Str filter); /* or NULL */
void mqtt_tree_add(struct mqtt_tree *tree, struct mqtt_node *node, struct mqtt_sub *sub);
void mqtt_tree_remove(struct mqtt_tree *tree, struct mqtt_sub *sub);

/* Calls each for every subscription whose filter covers the name. The tree must not change meanwhile. */
void mqtt_tree_match(const struct mqtt_tree *tree, Str name, void (*each)(void *ctx, struct mqtt_sub *sub), void *ctx);

/* Keeps the message for its route; an empty payload forgets what is kept. Returns false when it is over max_bytes. */
bool mqtt_tree_retain(struct mqtt_tree *tree, struct mqtt_message *message, size_t max_bytes);
/* Calls each for every retained message that the filter covers; each may drop it by returning false. */
void mqtt_tree_retained(struct mqtt_tree *tree, Str filter, bool (*each)(void *ctx, struct mqtt_message *message),
                        void *ctx);
size_t mqtt_tree_retained_count(const struct mqtt_tree *tree);

#endif
