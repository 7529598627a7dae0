/*
 * Stock. Reservations are the truth: a part's `reserved` follows the reservations that stand, and `on_hand` falls once
 * for each that was used. Any number of threads may reserve the same part at once: a reservation is made first and
 * holds only if it and all older ones together fit what is on hand, so the older wins and nothing is given twice.
 */
#ifndef DOMAIN_SERVICE_SERVICE_STOCK_H
#define DOMAIN_SERVICE_SERVICE_STOCK_H

#include "domain/service/service_doc.h"

/* One piece of the part for the order. *out NULL: no free piece was left. Any thread. */
Err service_stock_reserve(struct service *s, PartyId party, int64_t part, int64_t order, struct arena *arena,
                          struct doc **out);
/* The reservation that stands or was used for an order; *out NULL: none. */
Err service_stock_of_order(struct service *s, PartyId party, int64_t order, struct arena *arena, struct doc **out);
/* What follows a reservation's making or move, whoever did it. On the reactions thread. */
Err service_stock_made(struct service *s, PartyId party, int64_t reservation, struct arena *arena);
Err service_stock_used(struct service *s, PartyId party, int64_t reservation, struct arena *arena);
Err service_stock_released(struct service *s, PartyId party, int64_t reservation, struct arena *arena);

#endif
