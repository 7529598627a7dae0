/* The input is a pack in one file, pack.yaml with its sections; behind a line "--lua" stands logic.lua. Whatever it
 * holds, checking ends, each fault has a place in the file, and what compiles once compiles again to as many types. */
#include <string.h>

#include "model/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool compile(const struct pack_source *sources, size_t n, bool check_only, size_t *types) {
    struct arena arena;
    arena_init(&arena, 0);
    struct pack_faults faults = {.arena = &arena};
    struct catalog *catalog;
    bool good =
        pack_compile(sources, n, &(struct pack_compile_options){.check_only = check_only}, &arena, &faults, &catalog);
    ASSERT(good == (faults.errors == 0));
    for (size_t i = 0; i < faults.n; i++) ASSERT(faults.items[i].file && faults.items[i].message);
    *types = 0;
    for (const struct doctype *const *t = catalog ? catalog->types : NULL; t && *t; t++) {
        ASSERT((*t)->n_fields <= DOCTYPE_FIELDS_MAX && (*t)->n_states > 0 && (*t)->prefix);
        (*types)++;
    }
    if (catalog) pack_compile_free(catalog);
    arena_fini(&arena);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = str_n((const char *)data, size), lua = {0};
    if (size > 64 * 1024) return 0;
    ptrdiff_t at = str_find(text, STR("\n--lua\n"));
    if (at >= 0) lua = str_slice(text, (size_t)at + 7, size), text = str_slice(text, 0, (size_t)at + 1);
    struct pack_file files[] = {{STR("pack.yaml"), text}, {STR("logic.lua"), lua}};
    struct pack_source source = {.where = "fuzz", .files = files, .n = lua.len ? 2 : 1};
    size_t first, second;
    bool good = compile(&source, 1, true, &first);
    ASSERT(compile(&source, 1, false, &second) == good);
    return 0;
}
