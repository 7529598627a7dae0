/* What a type computes and what must hold. Any thread; no store. */
#ifndef DOCUMENT_DOC_RULES_H
#define DOCUMENT_DOC_RULES_H

#include "base/arena.h"
#include "document/doc_faults.h"
#include "model/doctype.h"

/* Fields with a function, lines first, each from what stands before it. */
void doc_rules_compute(struct doc *doc, Nanos now, struct arena *arena, struct doc_faults *faults);
/* The checks of every write, and those of the transition (or NULL). A comparison with a field that is not set holds at
 * every write and fails for a transition. */
void doc_rules_check(const struct doc *doc, const struct transition *transition, Nanos now, struct arena *arena,
                     struct doc_faults *faults);

#endif
