/* What is on record about components, told to insight at the start. */
#include <string.h>

#include "base/arena.h"
#include "domain/service/service_doc.h"
#include "trust/gate.h"

static Err tell_all(struct service *s, const char *name, const char *at, service_component_fn *tell) {
    struct lens lens = gate_lens_system("failures and replacements on record, for insight");
    const struct doctype *type = service_doc_type(s, name);
    bool faults = strcmp(name, FAULT_TYPE) == 0;
    struct arena arena;
    arena_init(&arena, 0);
    struct doc_page page = {.next = STR("")};
    Err err = err_none();
    do {
        struct doc_query query = {.sort = at, .limit = 1000, .cursor = page.next};
        err = documents_list(s->options.documents, &lens, type, &query, &arena, &page);
        for (size_t i = 0; err.code == ERR_NONE && i < page.n; i++) {
            const struct doc *d = page.docs[i];
            Str component = service_doc_text(d, faults ? FAULT_COMPONENT : MAINTENANCE_COMPONENT);
            if (component.len && (faults || service_doc_really_happened(s, d)))
                tell(s->options.ctx, d->party, service_doc_text(d, faults ? FAULT_THING : MAINTENANCE_THING), component,
                     service_doc_int(d, at));
        }
    } while (err.code == ERR_NONE && page.next.len);
    arena_fini(&arena);
    return err;
}

Err service_history(struct service *s) {
    if (s->options.failed) TRY(tell_all(s, FAULT_TYPE, FAULT_OCCURRED_AT, s->options.failed));
    if (s->options.replaced) TRY(tell_all(s, MAINTENANCE_TYPE, MAINTENANCE_DONE_AT, s->options.replaced));
    return err_none();
}
