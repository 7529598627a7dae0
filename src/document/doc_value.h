/*
 * One field's value: from outside JSON, from text (a filter, a default), from code, and out again as JSON.
 * What is wrong is added to the faults under the field's name, and *out is then VALUE_NONE.
 * A reference given by number is VALUE_STRING until the engine has looked it up.
 */
#ifndef DOCUMENT_DOC_VALUE_H
#define DOCUMENT_DOC_VALUE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/jw.h"
#include "document/doc_faults.h"
#include "model/doctype.h"

#define DOC_VALUE_TEXT_MAX 65536

void doc_value_from_json(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                         struct doc_faults *faults);
void doc_value_parse(const struct field *field, Str text, struct arena *arena, Value *out, struct doc_faults *faults);
/* By code: as it will be kept (an integer for a FIELD_NUMBER becomes a float). A wrong kind is a fault too. */
void doc_value_from_code(const struct field *field, Value v, Value *out, struct doc_faults *faults);
/* ref_number: of a FIELD_REF, or empty when unknown. */
void doc_value_json(const struct field *field, Value v, Str ref_number, struct jw *w);
const char *doc_value_kind_name(enum field_kind kind);

#endif
