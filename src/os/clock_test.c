#include "os/clock.h"

#include <time.h>

#include "tests/unit.h"

static Nanos fixed(void *ctx) { return *(Nanos *)ctx; }

void clock_test(void) {
    unit_case("the system's clock is the system's");
    Nanos now = clock_now(&clock_system);
    CHECK(now / NANOS_PER_S - (Nanos)time(NULL) <= 1 && (Nanos)time(NULL) - now / NANOS_PER_S <= 1);

    unit_case("a clock of one's own");
    Nanos t = 42;
    const struct clock clock = {.now = fixed, .ctx = &t};
    CHECK_INT(clock_now(&clock), 42);

    unit_case("sleeping takes as long as asked");
    Nanos from = clock_monotonic();
    clock_sleep(2 * NANOS_PER_MS);
    CHECK(clock_monotonic() - from >= 2 * NANOS_PER_MS);
    clock_sleep(0), clock_sleep(-1);
}
