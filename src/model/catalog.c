#include "model/catalog.h"

const struct catalog *catalog_get(const struct catalog_cell *cell) {
    return atomic_load_explicit(&cell->now, memory_order_acquire);
}

const struct doctype *catalog_type(const struct catalog *catalog, Str name) {
    for (const struct doctype *const *t = catalog->types; *t; t++)
        if (str_eq_c(name, (*t)->name)) return *t;
    return NULL;
}

const struct thing_model *catalog_model(const struct catalog *catalog, Str name) {
    for (const struct thing_model *const *m = catalog->models; *m; m++)
        if (str_eq_c(name, (*m)->name)) return *m;
    return NULL;
}
