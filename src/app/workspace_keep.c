#include "app/workspace_keep.h"

#include <stdlib.h>

#include "document/packs.h"
#include "document/things.h"
#include "model/catalog.h"

struct workspace_keep {
    struct things *things;
    struct packs *packs;
    struct series_keep usual;
    struct series_keep_policy policy;
};

static struct series_keep of_thing(struct thing_keep said) {
    struct series_keep keep = {.raw = said.raw};
    for (size_t i = 0; i < SERIES_KEEP_LEVELS; i++) keep.rolled[i] = said.rolled[i];
    return keep;
}

static const void *model_of(void *ctx, PartyId party, Str thing) {
    return things_model_of(((struct workspace_keep *)ctx)->things, party, thing);
}

static struct series_keep keep_of(void *ctx, const void *model, Str metric) {
    (void)ctx;
    return of_thing(thing_model_keep(model, metric));
}

/* Of each model what it says itself, then what it says of each metric. */
static bool said(void *ctx, size_t i, struct series_keep *out) {
    const struct catalog *catalog = packs_catalog(((struct workspace_keep *)ctx)->packs);
    for (const struct thing_model *const *m = catalog->models; *m; m++) {
        if (i <= (*m)->n_metrics) {
            *out = of_thing(i == 0 ? (*m)->keep : thing_model_keep(*m, str_c((*m)->metrics[i - 1].name)));
            return true;
        }
        i -= (*m)->n_metrics + 1;
    }
    return false;
}

struct workspace_keep *workspace_keep_new(struct things *things, struct packs *packs, const struct thing_keep *usual) {
    struct workspace_keep *k = calloc(1, sizeof *k);
    ASSERT(k != NULL);
    k->things = things, k->packs = packs;
    if (usual) k->usual = of_thing(*usual);
    k->policy = (struct series_keep_policy){
        .usual = usual ? &k->usual : NULL, .model_of = model_of, .keep_of = keep_of, .said = said, .ctx = k};
    return k;
}

void workspace_keep_free(struct workspace_keep *keep) { free(keep); }
const struct series_keep_policy *workspace_keep_policy(const struct workspace_keep *keep) { return &keep->policy; }
