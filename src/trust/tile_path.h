/* Addresses of C2SP tlog-tiles: "tile/0/x001/x234/067", "tile/1/000.p/17", "tile/entries/x001/234.p/5". */
#ifndef TRUST_TILE_PATH_H
#define TRUST_TILE_PATH_H

#include "base/arena.h"

#define TILE_PATH_WIDTH 256       /* hashes or entries of a full tile */
#define TILE_PATH_LEVELS 8        /* of 8 levels of the tree each: more do not fit 64 bits */
#define TILE_PATH_ENTRIES 0xffffu /* in place of a level: a bundle of entries */

struct tile_path {
    unsigned level; /* or TILE_PATH_ENTRIES */
    uint64_t n;
    unsigned width; /* 1…256; 256: the full tile */
};
bool tile_path_parse(Str text, struct tile_path *out); /* strict: one address a tile */
Str tile_path_text(const struct tile_path *tile, struct arena *arena);

#endif
