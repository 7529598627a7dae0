/* Wires what parties give each other: agreements, and the log of what is read under them. */
#ifndef APP_FLOW_SHARING_H
#define APP_FLOW_SHARING_H

#include "app/flow.h"

Err flow_sharing_start(struct flow *flow);
void flow_sharing_stop(struct flow *flow);

#endif
