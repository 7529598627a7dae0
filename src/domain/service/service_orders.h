/*
 * Work orders: made from predictions, alarms and faults, one open for each machine and component; and what follows
 * each of their moves. All on the reactions thread, all fine to call again.
 */
#ifndef DOMAIN_SERVICE_SERVICE_ORDERS_H
#define DOMAIN_SERVICE_SERVICE_ORDERS_H

#include "domain/service/service_doc.h"

/* Why an order is wanted. */
struct order_wish {
    PartyId party;
    const char *kind, *priority; /* as in the type's choices */
    const char *cause;           /* field that refers to what caused it: "prediction" "alarm" "fault" */
    int64_t cause_id;
    Str thing, component; /* component may be empty */
    Str title_en, title_zh;
};
/* The order for the wish: the one already made for its cause; else the open one of the machine and component, which
 * takes the cause on and the higher priority; else a new one. */
Err service_orders_wish(struct service *s, const struct order_wish *wish, struct arena *arena, struct doc **out);
/* The order that answered a cause, open or not; *out NULL: none. */
Err service_orders_of(struct service *s, PartyId party, const char *cause, int64_t id, struct arena *arena,
                      struct doc **out);

Err service_orders_created(struct service *s, struct doc *order, Nanos at, struct arena *arena);
Err service_orders_dispatched(struct service *s, struct doc *order, struct arena *arena); /* or reassigned */
Err service_orders_arrived(struct service *s, struct doc *order, struct arena *arena);
Err service_orders_finished(struct service *s, struct doc *order, Nanos at, struct arena *arena);
Err service_orders_cancelled(struct service *s, struct doc *order, Nanos at, struct arena *arena);
/* Orders of any party that are late for their promise become urgent, once, with a note. */
Err service_orders_overdue(struct service *s, Nanos now, struct arena *arena);

#endif
