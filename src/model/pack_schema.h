/* JSON Schema (2020-12) of a pack's files, from the tables of pack_form.h, for editors. */
#ifndef MODEL_PACK_SCHEMA_H
#define MODEL_PACK_SCHEMA_H

#include "base/buf.h"

/* name: "pack" (pack.yaml), or a section: "records" … False: there is no such file. */
bool pack_schema_write(const char *name, struct buf *out);

#endif
