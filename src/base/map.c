/*
 * Linear probing over a power-of-two table, at most three quarters full. A deletion moves the entries behind it
 * forward, so there are no tombstones and a table that is put and deleted for ever stays quick. Keys that were deleted
 * still lie in the arena; when they outweigh the living, the keys are copied into a fresh one.
 */
#include "base/map.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"

#define FIRST_CAP ((size_t)16)
#define DEAD_MIN ((size_t)64 << 10)

struct map_slot {
    uint64_t hash, value;
    Str key; /* ptr NULL: free */
};

void map_init(struct map *map) {
    *map = (struct map){0};
    arena_init(&map->keys, 0);
}

void map_fini(struct map *map) {
    free(map->slots);
    arena_fini(&map->keys);
    *map = (struct map){0};
}

/* Where key is, or the free slot where it would go. The table must not be full. */
static size_t find(const struct map_slot *slots, size_t cap, uint64_t hash, Str key) {
    size_t i = hash & (cap - 1);
    while (slots[i].key.ptr && !(slots[i].hash == hash && str_eq(slots[i].key, key))) i = (i + 1) & (cap - 1);
    return i;
}

bool map_get(const struct map *map, Str key, uint64_t *out) {
    if (!map->count) return false;
    const struct map_slot *slot = &map->slots[find(map->slots, map->cap, hash_str(key), key)];
    if (!slot->key.ptr) return false;
    *out = slot->value;
    return true;
}

static void resize(struct map *map, size_t cap) {
    struct map_slot *slots = calloc(cap, sizeof *slots);
    ASSERT(slots != NULL);
    for (size_t i = 0; i < map->cap; i++) {
        const struct map_slot *old = &map->slots[i];
        if (old->key.ptr) slots[find(slots, cap, old->hash, old->key)] = *old;
    }
    free(map->slots);
    map->slots = slots, map->cap = cap;
}

void map_put(struct map *map, Str key, uint64_t value) {
    if (map->count + 1 > map->cap / 4 * 3) resize(map, map->cap ? map->cap * 2 : FIRST_CAP);
    uint64_t hash = hash_str(key);
    struct map_slot *slot = &map->slots[find(map->slots, map->cap, hash, key)];
    if (!slot->key.ptr) {
        *slot = (struct map_slot){.hash = hash, .key = arena_str(&map->keys, key)};
        map->count++;
    }
    slot->value = value;
}

static void renew_keys(struct map *map) {
    struct arena fresh;
    arena_init(&fresh, 0);
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i].key.ptr) map->slots[i].key = arena_str(&fresh, map->slots[i].key);
    arena_fini(&map->keys);
    map->keys = fresh;
    map->dead_key_bytes = 0;
}

bool map_del(struct map *map, Str key) {
    if (!map->count) return false;
    size_t mask = map->cap - 1, hole = find(map->slots, map->cap, hash_str(key), key);
    if (!map->slots[hole].key.ptr) return false;
    map->dead_key_bytes += map->slots[hole].key.len + 16;
    for (size_t i = (hole + 1) & mask; map->slots[i].key.ptr; i = (i + 1) & mask) {
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue; /* already as near its home as it can be */
        map->slots[hole] = map->slots[i];
        hole = i;
    }
    map->slots[hole] = (struct map_slot){0};
    map->count--;
    if (map->dead_key_bytes > DEAD_MIN && map->dead_key_bytes > arena_used(&map->keys) / 2) renew_keys(map);
    return true;
}

bool map_next(const struct map *map, size_t *at, Str *key, uint64_t *value) {
    while (*at < map->cap) {
        const struct map_slot *slot = &map->slots[(*at)++];
        if (!slot->key.ptr) continue;
        *key = slot->key, *value = slot->value;
        return true;
    }
    return false;
}

size_t map_bytes(const struct map *map) { return map->cap * sizeof *map->slots + arena_used(&map->keys); }
