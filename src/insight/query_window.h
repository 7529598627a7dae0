/* Windows of time: of a span, or of a calendar in some zone. */
#ifndef INSIGHT_QUERY_WINDOW_H
#define INSIGHT_QUERY_WINDOW_H

#include "insight/query.h"

struct zone;
/*
 * The window that holds t, from <= t < to. Spans stand on the zone's clock: one that divides a day begins at its
 * midnight, one that divides an hour goes on evenly when the clocks change; any other is counted from 1970 in UTC.
 */
void query_window_at(const struct query_window *window, const struct zone *zone, Nanos t, Nanos *from, Nanos *to);
/* Windows of one length counted from *origin while one offset holds; false: they are not. */
bool query_window_even(const struct query_window *window, const struct zone *zone, Nanos from, Nanos to, Nanos *length,
                       Nanos *origin);

#endif
