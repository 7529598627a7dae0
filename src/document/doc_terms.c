#include "document/doc_terms.h"

#include "document/documents.h"

Err doc_terms_value(void *ctx, const struct doctype *type, Str field, Str text, struct arena *arena, Value *out) {
    struct doc_filter filter;
    (void)ctx;
    TRY(documents_parse_filter(type, field, text, arena, &filter));
    *out = filter.value;
    if (out->kind == VALUE_STRING) out->s = arena_str(arena, out->s);
    return err_none();
}
