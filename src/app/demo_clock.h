/*
 * The demo's clock: recorded time. It stands still, or runs at `speed` recorded seconds a second up to a limit, so that
 * it never passes an event that was not played yet. It never goes back.
 */
#ifndef APP_DEMO_CLOCK_H
#define APP_DEMO_CLOCK_H

#include "os/clock.h"
#include "os/thread.h"

struct demo_clock {
    struct clock clock; /* hand &demo_clock.clock to the flow */
    pthread_mutex_t lock;
    Nanos at, limit; /* recorded */
    Nanos started;   /* monotonic, when it was at `at` */
    double speed;    /* recorded seconds a second; 0: stands still between events */
};

void demo_clock_init(struct demo_clock *c, Nanos at, double speed);
void demo_clock_fini(struct demo_clock *c);
void demo_clock_set(struct demo_clock *c, Nanos at);    /* stands at `at`; earlier than now: stands where it is */
void demo_clock_run(struct demo_clock *c, Nanos limit); /* runs from where it stands */
Nanos demo_clock_wait(const struct demo_clock *c, Nanos until); /* how long on the wall; 0 when speed is 0 */

#endif
