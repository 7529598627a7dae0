/* Orders of the fleet, for lists longer than a page: whoever looks for the worst machine finds it first, however many
 * there are. */
#ifndef SERVE_FLEET_ORDER_H
#define SERVE_FLEET_ORDER_H

#include "serve/fleet.h"

/* "name" (the order that fleet_list gives), "state" worst first, "health" lowest first, "probability" likeliest failure
 * first, "seen" last heard first; equals by name. ERR_INVALID names the orders there are. Empty: by name. */
Err fleet_order_check(Str order);
void fleet_order_sort(Str order, struct fleet_item *items, size_t n);

#endif
