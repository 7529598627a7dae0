#include "os/child.h"

#include "os/clock.h"
#include "tests/unit.h"

void child_test(void) {
    const char *const cat[] = {"/bin/cat", NULL}, *const fails[] = {"/bin/sh", "-c", "exit 3", NULL},
                      *const sleeps[] = {"/bin/sleep", "20", NULL}, *const absent[] = {"/no/such/program", NULL};
    struct buf in = {0}, out = {0};
    unit_case("a megabyte there and back");
    for (unsigned i = 0; in.len < 1000000; i++) buf_printf(&in, "%u\n", i);
    CHECK_OK(child_run(cat, buf_view(&in), 2000000, 20 * NANOS_PER_S, &out));
    CHECK_STR(buf_view(&out), buf_view(&in));

    unit_case("too much, too long, failing, absent");
    buf_clear(&out);
    CHECK_ERR(child_run(cat, buf_view(&in), 1000, 20 * NANOS_PER_S, &out), ERR_TOO_LARGE);
    Nanos began = clock_monotonic();
    CHECK_ERR(child_run(sleeps, STR(""), 1000, 50 * NANOS_PER_MS, &out), ERR_TIMEOUT);
    CHECK(clock_monotonic() - began < 10 * NANOS_PER_S);
    CHECK_ERR(child_run(fails, STR(""), 1000, 20 * NANOS_PER_S, &out), ERR_IO);
    CHECK_ERR(child_run(absent, STR(""), 1000, 20 * NANOS_PER_S, &out), ERR_IO);
    buf_fini(&in);
    buf_fini(&out);
}
