/* What a rule writes: texts in which {field} stands for what a document says. No store. */
#ifndef ACT_RULE_TEXT_H
#define ACT_RULE_TEXT_H

#include "base/json.h"
#include "base/jw.h"
#include "model/rule.h"

/* doc: the document in its outside form (documents_json), or NULL; {now} is known without one. */
struct rule_text {
    const struct json *doc;
    Nanos now;
    struct arena *arena;
};
Str rule_text_expand(const struct rule_text *t, Str text);
/* The JSON object that an action gives: its sets for a document of `type` (NULL: texts). */
Str rule_text_object(const struct rule_text *t, const struct doctype *type, const struct rule_set *sets, size_t n);
/* Do all conditions hold? A comparison with a field that is not set does not. */
bool rule_text_holds(const struct rule *rule, const struct doc *doc, Nanos now, struct arena *arena);

#endif
