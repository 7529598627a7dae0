/* How long telemetry is kept, as the models of the installed packs and the settings say it. */
#ifndef APP_WORKSPACE_KEEP_H
#define APP_WORKSPACE_KEEP_H

#include "store/series_keep.h"

struct things;
struct packs;
struct workspace_keep;

/* usual: of what no model speaks of; NULL: as the folder remembers it. */
struct workspace_keep *workspace_keep_new(struct things *things, struct packs *packs, const struct thing_keep *usual);
void workspace_keep_free(struct workspace_keep *keep); /* NULL is fine */
const struct series_keep_policy *workspace_keep_policy(const struct workspace_keep *keep);

#endif
