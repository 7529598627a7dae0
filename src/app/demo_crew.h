/*
 * The simulated people of the demo: technicians who move their orders on, a desk that confirms done orders and
 * acknowledges alarms, a store keeper who restocks. They do what a person would do through the API, in recorded time,
 * under names that say "simulated". What comes next is read from the documents alone, so a restart goes on where they
 * were, and an order that a person moves by hand is left to the person's next step.
 */
#ifndef APP_DEMO_CREW_H
#define APP_DEMO_CREW_H

#include "app/flow.h"

struct demo_crew {
    struct flow *flow;
    Nanos leave;     /* orders and alarms from this time on are left on site and unacknowledged, for people to finish */
    Nanos next;      /* when they next do something; INT64_MAX: nothing planned */
    Nanos desk_next; /* the desk's next round */
    uint64_t seen;   /* events of act when the orders were last read */
};

/* end: of the recording. What comes in its last DEMO_CREW_LEAVE is left for people to finish. */
#define DEMO_CREW_LEAVE (30 * NANOS_PER_HOUR)
void demo_crew_init(struct demo_crew *crew, struct flow *flow, Nanos now, Nanos end);
/* Reads what is planned, if documents have changed since. Call when the flow is drained. */
Err demo_crew_look(struct demo_crew *crew);
/* Does what is due at `now`; then drain and look again. */
Err demo_crew_act(struct demo_crew *crew, Nanos now);

#endif
