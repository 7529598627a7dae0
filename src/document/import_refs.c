#include "document/import_refs.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "os/thread.h"
#include "trust/gate.h"

#define NONE 0
#define SEVERAL (-1)
#define REMEMBERED_MAX 2000000

struct import_refs {
    struct documents *documents;
    const struct principal *who;
    pthread_mutex_t lock;
    struct map known; /* "type by text" → id, NONE or SEVERAL */
};

struct import_refs *import_refs_new(struct documents *documents, const struct principal *who) {
    struct import_refs *refs = calloc(1, sizeof *refs);
    ASSERT(refs);
    refs->documents = documents;
    refs->who = who;
    thread_mutex_init(&refs->lock);
    map_init(&refs->known);
    return refs;
}

void import_refs_free(struct import_refs *refs) {
    if (!refs) return;
    map_fini(&refs->known);
    thread_mutex_fini(&refs->lock);
    free(refs);
}

/* Documents with this value; a text that cannot be such a value is none. */
static Err find_by(const struct import_refs *refs, const struct lens *lens, const struct doctype *type,
                   const char *field, Str text, struct arena *arena, int64_t *id) {
    struct doc_filter filter;
    struct doc_page page;
    *id = NONE;
    if (documents_parse_filter(type, str_c(field), text, arena, &filter).code != ERR_NONE) return err_none();
    struct doc_query query = {.filters = &filter, .n_filters = 1, .sort = "id", .limit = 2, .no_total = true};
    TRY(documents_list(refs->documents, lens, type, &query, arena, &page));
    if (page.n > 0) *id = page.n > 1 ? SEVERAL : page.docs[0]->id;
    return err_none();
}

static Err look_up(const struct import_refs *refs, const struct import_target *target, Str text, struct arena *arena,
                   int64_t *id) {
    struct lens lens;
    const struct doctype *type = target->ref;
    *id = NONE;
    TRY(gate_lens(refs->who, type, "import", &lens));
    if (target->by) return find_by(refs, &lens, type, target->by, text, arena, id);
    TRY(find_by(refs, &lens, type, "number", text, arena, id));
    for (size_t i = 0; *id == NONE && i < type->n_fields; i++)
        if (type->fields[i].unique && (lens.fields >> i & 1))
            TRY(find_by(refs, &lens, type, type->fields[i].name, text, arena, id));
    return err_none();
}

Err import_refs_find(struct import_refs *refs, const struct import_target *target, Str cell, struct arena *arena,
                     int64_t *id, struct import_fault *fault) {
    uint64_t known = 0;
    Str key = arena_printf(arena, "%s %s " STR_FMT, target->ref->name, target->by ? target->by : "", STR_ARG(cell));
    *fault = (struct import_fault){0};
    thread_lock(&refs->lock);
    bool found = map_get(&refs->known, key, &known);
    thread_unlock(&refs->lock);
    *id = (int64_t)known;
    if (!found) {
        TRY(look_up(refs, target, cell, arena, id));
        thread_lock(&refs->lock);
        if (refs->known.count < REMEMBERED_MAX) map_put(&refs->known, key, (uint64_t)*id);
        thread_unlock(&refs->lock);
    }
    if (*id == NONE)
        snprintf(fault->message, sizeof fault->message, "there is no %s '" STR_FMT "'%s%s", target->ref->name,
                 STR_ARG(str_slice(cell, 0, 60)), target->by ? " by its " : "", target->by ? target->by : "");
    if (*id == SEVERAL)
        snprintf(fault->message, sizeof fault->message, "several documents of '%s' have the %s '" STR_FMT "'",
                 target->ref->name, target->by ? target->by : "number", STR_ARG(str_slice(cell, 0, 60)));
    if (*id == SEVERAL) *id = NONE;
    return err_none();
}
