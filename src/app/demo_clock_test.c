#include "app/demo_clock.h"

#include "tests/unit.h"

#define T0 (INT64_C(1420092000) * NANOS_PER_S)

static void standing(void) {
    struct demo_clock c;
    unit_case("without speed the clock stands where it was put, and never goes back");
    demo_clock_init(&c, T0, 0);
    demo_clock_run(&c, T0 + NANOS_PER_DAY);
    CHECK_INT(clock_now(&c.clock), T0);
    demo_clock_set(&c, T0 + 5);
    CHECK_INT(clock_now(&c.clock), T0 + 5);
    demo_clock_set(&c, T0 + 3);
    CHECK_INT(clock_now(&c.clock), T0 + 5);
    CHECK_INT(demo_clock_wait(&c, T0 + NANOS_PER_DAY), 0);
    demo_clock_fini(&c);
}

static void running(void) {
    struct demo_clock c;
    unit_case("with speed it runs up to its limit and not beyond");
    demo_clock_init(&c, T0, 1e6);
    CHECK_INT(clock_now(&c.clock), T0); /* not told to run */
    demo_clock_run(&c, T0 + NANOS_PER_HOUR);
    Nanos wait = demo_clock_wait(&c, T0 + NANOS_PER_HOUR);
    CHECK(wait > 0 && wait <= NANOS_PER_HOUR / 1000000);
    Nanos last = T0;
    for (int i = 0; i < 100; i++) {
        Nanos now = clock_now(&c.clock);
        if (!CHECK(now >= last && now <= T0 + NANOS_PER_HOUR)) break;
        last = now;
        clock_sleep(NANOS_PER_MS / 10);
    }
    CHECK_INT(clock_now(&c.clock), T0 + NANOS_PER_HOUR);
    CHECK_INT(demo_clock_wait(&c, T0 + NANOS_PER_HOUR), 0);
    unit_case("a long wait is cut to a day");
    c.speed = 1e-6;
    CHECK_INT(demo_clock_wait(&c, T0 + 1000 * NANOS_PER_DAY), NANOS_PER_DAY);
    demo_clock_fini(&c);
}

void demo_clock_test(void) {
    standing();
    running();
}
