/*
 * One field's value: from outside JSON, from text (a filter, a default), from code, and out again as JSON.
 * What is wrong is added to the faults under the field's name, and *out is then VALUE_NONE.
 * A reference given by number, and a party given by name, is VALUE_STRING until the engine has looked it up.
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
/* label: the number of what a FIELD_REF leads to, the name of a FIELD_PARTY, the currency of a FIELD_MONEY that has
 * none fixed; empty when unknown. Not for FIELD_LINES. */
void doc_value_json(const struct field *field, Value v, Str label, struct jw *w);
/* As doc_value_parse reads it: "2026-03-08", "12.50". */
Str doc_value_text(const struct field *field, Value v, struct arena *arena);
bool doc_value_same(Value a, Value b); /* two that are not set are the same */
const char *doc_value_kind_name(enum field_kind kind);

/* "currency" of a FIELD_MONEY's JSON object; VALUE_NONE when it says none. */
void doc_value_currency(const struct field *field, const struct json *json, struct arena *arena, Value *out,
                        struct doc_faults *faults);
bool doc_value_is_currency(Str code); /* of ISO 4217 */

#endif
