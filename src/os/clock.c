#include "os/clock.h"

#include <errno.h>
#include <time.h>

static Nanos read_clock(clockid_t id) {
    struct timespec t;
    ASSERT(clock_gettime(id, &t) == 0);
    return (Nanos)t.tv_sec * NANOS_PER_S + t.tv_nsec;
}

static Nanos system_now(void *ctx) {
    (void)ctx;
    return read_clock(CLOCK_REALTIME);
}

const struct clock clock_system = {.now = system_now};

Nanos clock_now(const struct clock *clock) { return clock->now(clock->ctx); }

Nanos clock_monotonic(void) { return read_clock(CLOCK_MONOTONIC); }

void clock_sleep(Nanos duration) {
    if (duration <= 0) return;
    struct timespec left = {.tv_sec = duration / NANOS_PER_S, .tv_nsec = duration % NANOS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
    }
}
