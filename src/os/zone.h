/*
 * Time zones by their IANA names, read from the system's compiled database (TZif, RFC 9636) without the C library's
 * one global zone: any number of zones at once, on any threads.
 */
#ifndef OS_ZONE_H
#define OS_ZONE_H

#include "base/err.h"
#include "base/time.h"

struct zone;
/* "Europe/Berlin"; empty and "UTC": the zone without offset. ERR_INVALID: there is none of that name. */
Err zone_open(Str name, struct zone **out);
/* The same from the bytes of such a file; borrowed until it returns. */
Err zone_parse(Str bytes, struct zone **out);
void zone_close(struct zone *zone); /* NULL is fine */

/* Seconds east of UTC at that time. */
int32_t zone_offset(const struct zone *zone, Nanos t);
/* The first moment at which the zone's clocks show this time or, when they leap over it, a later one. local: as if it
 * were UTC. */
Nanos zone_moment(const struct zone *zone, Nanos local);
/* Whether one offset holds throughout from <= t < to. */
bool zone_steady(const struct zone *zone, Nanos from, Nanos to);

#endif
