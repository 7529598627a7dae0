#include "os/process.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/clock.h"

void process_random(void *into, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t got = getrandom((char *)into + done, n - done, 0);
        ASSERT(got > 0 || errno == EINTR);
        if (got > 0) done += (size_t)got;
    }
}

/* /proc/self/statm: pages in all, pages resident, … */
uint64_t process_resident_bytes(void) {
    char text[128], *at = text;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    bool ok = fgets(text, sizeof text, f) != NULL;
    fclose(f);
    if (!ok) return 0;
    strtoull(at, &at, 10);
    return strtoull(at, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

static Nanos from_timeval(struct timeval t) { return t.tv_sec * NANOS_PER_S + t.tv_usec * NANOS_PER_US; }

Nanos process_cpu_time(void) {
    struct rusage usage;
    ASSERT(getrusage(RUSAGE_SELF, &usage) == 0);
    return from_timeval(usage.ru_utime) + from_timeval(usage.ru_stime);
}

unsigned process_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return (unsigned)CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

void process_raise_fd_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* a refusal leaves the old limit, which accept() reports when reached */
}

static sigset_t stop_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void process_signals_block(void) {
    sigset_t set = stop_signals();
    sigaddset(&set, SIGPIPE);
    ASSERT(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
}

bool process_signals_wait(Nanos timeout) {
    sigset_t set = stop_signals();
    Nanos end = clock_monotonic() + (timeout < 0 ? 0 : timeout);
    for (;;) {
        Nanos left = end - clock_monotonic();
        if (left < 0) left = 0;
        struct timespec wait = {.tv_sec = left / NANOS_PER_S, .tv_nsec = left % NANOS_PER_S};
        int got = timeout < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &wait);
        if (got > 0) return true;
        ASSERT(errno == EAGAIN || errno == EINTR);
        if (errno == EAGAIN) return false;
    }
}

bool process_is_terminal(int fd) { return isatty(fd) == 1; }
