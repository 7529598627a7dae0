#include "os/process.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/clock.h"
#include "tests/unit.h"

static void test_random(void) {
    unit_case("randomness");
    uint8_t a[64] = {0}, b[64] = {0}, zero[64] = {0};
    process_random(a, sizeof a), process_random(b, sizeof b), process_random(NULL, 0);
    CHECK(memcmp(a, b, sizeof a) != 0 && memcmp(a, zero, sizeof a) != 0 && memcmp(a + 48, zero, 16) != 0);
}

static void test_usage(void) {
    unit_case("memory, processor time, cores, files");
    CHECK(process_resident_bytes() > 100000 && process_resident_bytes() < UINT64_C(1) << 40);
    Nanos from = process_cpu_time(), end = clock_monotonic() + 20 * NANOS_PER_MS;
    while (clock_monotonic() < end) {
    }
    CHECK(process_cpu_time() > from);
    CHECK(process_cores() >= 1);
    process_raise_fd_limit();
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == limit.rlim_max);
}

static void test_signals(void) {
    unit_case("asked to stop");
    process_signals_block();
    Nanos from = clock_monotonic();
    CHECK(!process_signals_wait(5 * NANOS_PER_MS));
    CHECK(clock_monotonic() - from >= 5 * NANOS_PER_MS);
    kill(getpid(), SIGTERM);
    CHECK(process_signals_wait(-1));
    kill(getpid(), SIGINT);
    CHECK(process_signals_wait(NANOS_PER_S));
    CHECK(!process_signals_wait(0));
}

static void test_output(void) {
    unit_case("what a command prints");
    struct buf out = {0};
    CHECK_OK(process_output("printf 'a b'; cat", 100, 10 * NANOS_PER_S, &out)); /* standard input is empty */
    CHECK_STR(buf_view(&out), STR("a b"));
    CHECK_ERR(process_output("exit 7", 100, 10 * NANOS_PER_S, &out), ERR_IO);
    CHECK_ERR(process_output("no-such-command-at-all 2>&-", 100, 10 * NANOS_PER_S, &out), ERR_IO);
    CHECK_ERR(process_output("printf 12345", 4, 10 * NANOS_PER_S, &out), ERR_TOO_LARGE);
    Nanos from = clock_monotonic();
    CHECK_ERR(process_output("sleep 60 & sleep 60", 4, 50 * NANOS_PER_MS, &out), ERR_TIMEOUT);
    CHECK(clock_monotonic() - from < 20 * NANOS_PER_S);
    buf_fini(&out);
}

void process_test(void) {
    test_random();
    test_usage();
    test_output();
    test_signals();
}
