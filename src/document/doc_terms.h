/* Conditions of agreements, as documents keep their values: for struct terms_world. */
#ifndef DOCUMENT_DOC_TERMS_H
#define DOCUMENT_DOC_TERMS_H

#include "trust/terms.h"

Err doc_terms_value(void *ctx, const struct doctype *type, Str field, Str text, struct arena *arena, Value *out);

#endif
