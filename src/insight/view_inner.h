/* What the files behind view.h share. */
#ifndef INSIGHT_VIEW_INNER_H
#define INSIGHT_VIEW_INNER_H

#include "insight/view.h"

struct view {
    struct view_options options;
};

/* The series' number of a thing the reader's party has. id 0: it never reported. ERR_NOT_FOUND: no such thing. */
Err view_find(struct view *view, const struct principal *who, Str thing, struct lens *lens, ThingId *id);
const struct thing_model *view_model_of(const struct view *view, PartyId party, Str thing); /* NULL: open */

#endif
