/* The part of flow that hands serve what it shows: numbers, checks, the replay. */
#ifndef APP_FLOW_SERVE_H
#define APP_FLOW_SERVE_H

#include "app/flow.h"

Err flow_serve_start(struct flow *flow, const struct flow_options *options);

#endif
