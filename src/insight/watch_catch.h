/* Leans after a restart: what was stored since they were kept is judged, and those that were not kept learn from the
 * store's past. Private to the watch. */
#ifndef INSIGHT_WATCH_CATCH_H
#define INSIGHT_WATCH_CATCH_H

#include "insight/watch_fleet.h"

/* Rows of the family's leans between what was kept of each and what was stored at the start, in one reading for all. */
void watch_catch_up(struct watch_fleet *fleet, const struct watch_family *family,
                    void (*said)(void *ctx, struct watch_findings *found), void *ctx, struct watch_findings *out);
/* Hours of from <= t < to, into a lean that has seen nothing. */
void watch_catch_past(struct watch_fleet *fleet, struct watch_lean *lean, Nanos from, Nanos to);

#endif
