/* The catalog of the packs that come with the program, compiled once for the whole test program. */
#ifndef TESTS_LIB_MODEL_MACHINERY_H
#define TESTS_LIB_MODEL_MACHINERY_H

#include "model/catalog.h"

const struct catalog *model_machinery(void);
const struct catalog_cell *model_machinery_cell(void);
const struct doctype *model_machinery_type(const char *name);

#endif
