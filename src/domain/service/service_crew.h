/*
 * The crew: sends technicians to orders and keeps their state in line with the orders they have. What a technician has
 * in hand is read from the orders, never remembered, so a person moving an order by hand is no special case.
 */
#ifndef DOMAIN_SERVICE_SERVICE_CREW_H
#define DOMAIN_SERVICE_SERVICE_CREW_H

#include "domain/service/service_doc.h"

/* Sends the best technician to a requested order, or notes why nobody goes. *order becomes the new version. */
Err service_crew_dispatch(struct service *s, struct doc **order, Nanos now, struct arena *arena);
/* Fills in what a person who dispatched or reassigned left open: road, planned arrival. */
Err service_crew_plan(struct service *s, struct doc **order, struct arena *arena);
/* Reserves a part for an open order that has none, or notes that one must be ordered. */
Err service_crew_part(struct service *s, struct doc **order, struct arena *arena);
/* Busy while he has an order in hand, available again after the last. */
Err service_crew_sync(struct service *s, PartyId party, struct arena *arena);
/* Tries every order that waits, the most urgent first, then the oldest. */
Err service_crew_waiting(struct service *s, PartyId party, Nanos now, struct arena *arena);
/* A part came in: orders that wait for it get it. */
Err service_crew_parts_waiting(struct service *s, PartyId party, Str component, struct arena *arena);
/* A technician stands where the machine stands. */
Err service_crew_arrived(struct service *s, const struct doc *order, struct arena *arena);

#endif
