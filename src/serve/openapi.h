/* The API's description, OpenAPI 3.1, from the route table and the table of document types. */
#ifndef SERVE_OPENAPI_H
#define SERVE_OPENAPI_H

#include "base/jw.h"
#include "model/doctype.h"

/* types: ends with NULL; version: the product's. */
void openapi_write(const struct doctype *const *types, const char *version, struct jw *w);

#endif
