#include "os/clock.h"

#include "tests/unit.h"

void clock_test(void) {
    unit_case("monotonic");
    Nanos from = clock_monotonic();
    clock_sleep(NANOS_PER_MS);
    CHECK(clock_monotonic() - from >= NANOS_PER_MS);
}
