#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/wait.h>
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

/* ---- a command's output: a shell in a process group of its own, with every signal free again */
static Err spawn_shell(const char *command, int to, pid_t *pid) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    sigemptyset(&none);
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, to, 1);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setpgroup(&attr, 0);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int failed = posix_spawn(pid, "/bin/sh", &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return failed ? err_errno(ERR_IO, failed, "cannot run '%.100s'", command) : err_none();
}

static Err read_until_closed(int from, const char *command, size_t max, Nanos timeout, struct buf *into) {
    Nanos end = clock_monotonic() + timeout;
    for (size_t total = 0;;) {
        struct pollfd ready = {.fd = from, .events = POLLIN};
        Nanos left = end - clock_monotonic();
        int n = left > 0 ? poll(&ready, 1, (int)(left / NANOS_PER_MS) + 1) : 0;
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return err_make(ERR_TIMEOUT, "'%.100s' did not end within %lld s: mend the command", command,
                            (long long)(timeout / NANOS_PER_S));
        char part[4096];
        ssize_t got = read(from, part, sizeof part);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return err_errno(ERR_IO, errno, "cannot read what '%.100s' prints", command);
        if (got == 0) return err_none();
        if ((total += (size_t)got) > max)
            return err_make(ERR_TOO_LARGE, "'%.100s' prints more than %zu bytes", command, max);
        buf_add(into, part, (size_t)got);
    }
}

Err process_output(const char *command, size_t max, Nanos timeout, struct buf *into) {
    int ends[2], status = 0;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0) return err_errno(ERR_IO, errno, "cannot make a pipe");
    Err err = spawn_shell(command, ends[1], &pid);
    close(ends[1]);
    if (err.code == ERR_NONE) {
        err = read_until_closed(ends[0], command, max, timeout, into);
        if (err.code != ERR_NONE) kill(-pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (err.code == ERR_NONE && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
            err = err_make(ERR_IO, "'%.100s' failed: run it by hand to see why", command);
    }
    close(ends[0]);
    return err;
}

bool process_is_terminal(int fd) { return isatty(fd) == 1; }
