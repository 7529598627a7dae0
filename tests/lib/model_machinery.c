#include "tests/lib/model_machinery.h"

#include "model/pack.h"

const struct catalog_cell *model_machinery_cell(void) {
    static struct catalog_cell cell;
    static struct arena arena; /* for the whole run */
    if (catalog_get(&cell)) return &cell;
    struct pack_faults faults = {.arena = &arena};
    struct pack_compile_options options = {.version = 1};
    struct pack_source *sources;
    struct catalog *catalog;
    arena_init(&arena, 0);
    size_t n = pack_load_builtin(&arena, &sources);
    ASSERT(pack_compile(sources, n, &options, &arena, &faults, &catalog));
    atomic_store(&cell.now, catalog);
    return &cell;
}

const struct catalog *model_machinery(void) { return catalog_get(model_machinery_cell()); }

const struct doctype *model_machinery_type(const char *name) {
    const struct doctype *type = catalog_type(model_machinery(), str_c(name));
    ASSERT(type);
    return type;
}
