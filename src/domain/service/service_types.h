/*
 * What the service business keeps, as data: its document types, and the models of the machines it looks after. The
 * document engine, the API and the console work from these tables; nothing else declares a table or a route for them.
 */
#ifndef DOMAIN_SERVICE_SERVICE_TYPES_H
#define DOMAIN_SERVICE_SERVICE_TYPES_H

#include "model/doctype.h"
#include "model/thing_model.h"

extern const struct doctype *const service_types[];            /* ends with NULL; for documents_open */
extern const struct thing_model *const service_types_models[]; /* ends with NULL */
const struct thing_model *service_types_model(Str name);       /* NULL: an open model */

#endif
