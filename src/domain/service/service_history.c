/* What is on record about components, told to insight at the start. */
#include "base/arena.h"
#include "domain/service/service_doc.h"
#include "trust/gate.h"

static Err tell_all(struct service *s, const struct doctype *type, const char *at, service_component_fn *tell) {
    struct lens lens = gate_lens_system("failures and replacements on record, for insight");
    struct arena arena;
    arena_init(&arena, 0);
    struct doc_page page = {.next = STR("")};
    Err err = err_none();
    do {
        struct doc_query query = {.sort = at, .limit = 1000, .cursor = page.next};
        err = documents_list(s->options.documents, &lens, type, &query, &arena, &page);
        for (size_t i = 0; err.code == ERR_NONE && i < page.n; i++) {
            const struct doc *d = page.docs[i];
            Str component = service_doc_text(d, "component");
            if (component.len && (type == &service_docs_fault || service_doc_really_happened(s, d)))
                tell(s->options.ctx, d->party, service_doc_text(d, "thing"), component, service_doc_int(d, at));
        }
    } while (err.code == ERR_NONE && page.next.len);
    arena_fini(&arena);
    return err;
}

Err service_history(struct service *s) {
    if (s->options.failed) TRY(tell_all(s, &service_docs_fault, "occurred_at", s->options.failed));
    if (s->options.replaced) TRY(tell_all(s, &service_docs_maintenance, "done_at", s->options.replaced));
    return err_none();
}
