/* Schemas of the API's own objects, as JSON Schema (2020-12) texts. Those of documents come from their types. */
#ifndef SERVE_OPENAPI_SCHEMAS_H
#define SERVE_OPENAPI_SCHEMAS_H

struct openapi_schema {
    const char *name, *json;
};
extern const struct openapi_schema openapi_schemas[]; /* ends with name NULL */

#endif
