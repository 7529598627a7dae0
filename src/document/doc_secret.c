#include <inttypes.h>

#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "trust/seal.h"

/* A sealed text opens only where it was put. */
static Str about(const struct doc *doc, size_t field, struct arena *arena) {
    return arena_printf(arena, "%u/%s/%" PRId64 "/%s", doc->party, doc->type->name, doc->id,
                        doc->type->fields[field].name);
}

Err doc_secret_seal(struct documents *d, const struct doc *doc, size_t field, Value v, struct arena *arena,
                    Value *out) {
    Str sealed;
    *out = (Value){.kind = VALUE_NONE};
    if (v.kind == VALUE_NONE) return err_none();
    Str plain = doc_value_text(&doc->type->fields[field], v, arena);
    TRY(seal_text(d->options.seal, doc->party, about(doc, field, arena), plain, arena, &sealed));
    *out = VALUE_S(sealed);
    return err_none();
}

/* A secret whose key was erased is not there any more. */
Err doc_secret_reveal(struct documents *d, const struct doc *doc, size_t field, Value sealed, struct arena *arena,
                      Value *out) {
    Str plain;
    struct doc_faults faults = {0};
    *out = (Value){.kind = VALUE_NONE};
    if (sealed.kind != VALUE_STRING) return err_none();
    Err err = seal_reveal(d->options.seal, doc->party, about(doc, field, arena), sealed.s, arena, &plain);
    if (err.code == ERR_NOT_FOUND) return err_none();
    TRY(err);
    doc_value_parse(&doc->type->fields[field], plain, arena, out, &faults);
    return doc_faults_err(&faults);
}
