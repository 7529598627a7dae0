/* What reads as a tile's address is written as the same. */
#include <stdlib.h>

#include "trust/tile_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct tile_path tile;
    struct arena arena;
    Str text = str_n((const char *)bytes, n);
    arena_init(&arena, 0);
    if (tile_path_parse(text, &tile) && !str_eq(tile_path_text(&tile, &arena), text)) abort();
    arena_fini(&arena);
    return 0;
}
