/* A hash map from Str to a 64-bit value. Keys are copied into the map. Not thread-safe. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t count, cap;
    struct arena keys;
    size_t dead_key_bytes; /* of deleted keys, still in the arena */
};

void map_init(struct map *map);
void map_fini(struct map *map);
bool map_get(const struct map *map, Str key, uint64_t *out);
void map_put(struct map *map, Str key, uint64_t value); /* replaces */
bool map_del(struct map *map, Str key);
size_t map_bytes(const struct map *map); /* the memory it takes */
/* Iterate: size_t at = 0; while (map_next(&map, &at, &key, &value)) … ; order undefined, no change while iterating */
bool map_next(const struct map *map, size_t *at, Str *key, uint64_t *value);

#endif
