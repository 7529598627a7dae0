/*
 * Clocks. Product code never asks the system directly: `app` hands a struct clock to every room, and the demo's follows
 * its recording.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include "base/time.h"

struct clock {
    Nanos (*now)(void *ctx);
    void *ctx;
};

Nanos clock_now(const struct clock *clock);
extern const struct clock clock_system; /* wall clock */
Nanos clock_monotonic(void);            /* for durations */
void clock_sleep(Nanos duration);

#endif
