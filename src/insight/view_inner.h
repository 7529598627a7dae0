/* What the files behind view.h share. */
#ifndef INSIGHT_VIEW_INNER_H
#define INSIGHT_VIEW_INNER_H

#include "insight/view.h"
#include "os/thread.h"

/* How many of a party's things were how, when last counted. */
struct view_counted {
    PartyId party;
    Nanos made, took; /* monotonic; made 0: not yet */
    size_t counts[VIEW_OFFLINE + 1];
};

struct view {
    struct view_options options;
    pthread_mutex_t counting; /* of what follows */
    struct view_counted *counted;
    size_t n_counted, cap_counted;
};

void view_fleet_init(struct view *view);
void view_fleet_fini(struct view *view);
/* One thing of the list. */
void view_fill(const struct view *view, const struct lens *lens, const struct thing_row *row, struct view_thing *out);

/* The series' number of a thing the lens shows. id 0: it never reported. ERR_NOT_FOUND: no such thing. */
Err view_find(struct view *view, const struct lens *lens, Str thing, ThingId *id);
/* What is given of one metric; false: nothing. */
bool view_metric(const struct view *view, const struct lens *lens, Str thing, Str metric, struct lens *out);
const struct thing_model *view_model_of(const struct view *view, PartyId party, Str thing); /* NULL: open */

#endif
