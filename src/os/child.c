#include "os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/clock.h"

#define PIECE 65536

extern char **environ;

struct child {
    pid_t pid;
    int in, out; /* our ends */
};

static Err spawn(const char *const *argv, struct child *child) {
    int in[2], out[2];
    if (pipe2(in, O_CLOEXEC) != 0) return err_errno(ERR_IO, errno, "no pipe to another program");
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return err_errno(ERR_IO, errno, "no pipe to another program");
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int failed = posix_spawn(&child->pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    child->in = in[1];
    child->out = out[0];
    fcntl(child->in, F_SETFL, O_NONBLOCK);
    if (!failed) return err_none();
    close(child->in);
    close(child->out);
    return err_errno(ERR_IO, failed, "'%.100s' cannot be run", argv[0]);
}

static void feed(struct child *child, Str *input) {
    ssize_t n = input->len ? write(child->in, input->ptr, input->len) : 0;
    if (n > 0) *input = str_slice(*input, (size_t)n, input->len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n >= 0 && input->len > 0) return;
    close(child->in); /* told all, or it does not listen */
    child->in = -1;
}

/* *ended: it has said everything. */
static Err hear(const struct child *child, size_t max, size_t before, struct buf *out, bool *ended) {
    buf_reserve(out, PIECE);
    ssize_t n = read(child->out, out->ptr + out->len, PIECE);
    if (n > 0) out->len += (size_t)n;
    *ended = n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN);
    if (out->len - before <= max) return err_none();
    return err_make(ERR_TOO_LARGE, "another program answered with more than %zu bytes", max);
}

static Err talk(struct child *child, Str input, size_t max, Nanos until, struct buf *out) {
    size_t before = out->len;
    for (bool ended = false; !ended;) {
        struct pollfd fds[2] = {{.fd = child->out, .events = POLLIN}, {.fd = child->in, .events = POLLOUT}};
        Nanos left = until - clock_monotonic();
        if (left <= 0) return err_make(ERR_TIMEOUT, "another program took too long: try again");
        if (poll(fds, 2, (int)(left / NANOS_PER_MS) + 1) < 0 && errno != EINTR)
            return err_errno(ERR_IO, errno, "another program cannot be waited for");
        if (child->in >= 0 && fds[1].revents) feed(child, &input);
        if (fds[0].revents) TRY(hear(child, max, before, out, &ended));
    }
    return err_none();
}

Err child_run(const char *const *argv, Str input, size_t max, Nanos patience, struct buf *out) {
    struct child child;
    int status = 0;
    TRY(spawn(argv, &child));
    Err err = talk(&child, input, max, clock_monotonic() + patience, out);
    if (child.in >= 0) close(child.in);
    close(child.out);
    if (err.code != ERR_NONE) kill(child.pid, SIGKILL);
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) continue;
    if (err.code != ERR_NONE || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) return err;
    return err_make(ERR_IO, "'%.60s %.60s' ended with status %d", argv[0], argv[1] ? argv[1] : "", status);
}
