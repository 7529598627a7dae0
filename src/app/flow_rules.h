/* Notifications and the rules of packs, in a running server. */
#ifndef APP_FLOW_RULES_H
#define APP_FLOW_RULES_H

#include "app/flow.h"

struct agreement;

Err flow_rules_start(struct flow *flow, const struct settings *settings); /* before act */
void flow_rules_stop(struct flow *flow);                                  /* after act */
/* The staff of the other side hears of a change of an agreement. */
void flow_rules_agreement(struct flow *flow, const struct agreement *agreement, PartyId to, const char *what);

#endif
