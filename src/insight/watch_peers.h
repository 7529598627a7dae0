/* How a thing is beside the things of its model, and what of its health that takes. Private to the watch. */
#ifndef INSIGHT_WATCH_PEERS_H
#define INSIGHT_WATCH_PEERS_H

#include "insight/watch_fleet.h"

/* With the fleet's lock held: adds what peers say, and health. A large fleet speaks through a sample of it. */
void watch_peers_health(struct watch_fleet *fleet, PartyId party, struct watch_thing *out);

#endif
