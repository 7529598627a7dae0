/* What the files behind view.h share. */
#ifndef INSIGHT_VIEW_INNER_H
#define INSIGHT_VIEW_INNER_H

#include "insight/view.h"

struct view {
    struct view_options options;
};

/* The series' number of a thing the lens shows. id 0: it never reported. ERR_NOT_FOUND: no such thing. */
Err view_find(struct view *view, const struct lens *lens, Str thing, ThingId *id);
/* What is given of one metric; false: nothing. */
bool view_metric(const struct view *view, const struct lens *lens, Str thing, Str metric, struct lens *out);
const struct thing_model *view_model_of(const struct view *view, PartyId party, Str thing); /* NULL: open */

#endif
