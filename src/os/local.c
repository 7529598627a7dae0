/* sockaddr_un holds 107 bytes of path while data folders may lie deeper, so the socket is named through the folder's
 * descriptor. */
#include "os/local.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define LOCAL_PATIENCE_S 30 /* an accepted peer that neither sends nor reads for so long is dropped */

static Err open_in(const char *dir, const char *name, struct sockaddr_un *at, int *dir_fd, int *fd) {
    *dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dir_fd < 0) return err_errno(errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "cannot open folder '%s'", dir);
    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(at->sun_path, sizeof at->sun_path, "/proc/self/fd/%d/%s", *dir_fd, name);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (*fd >= 0) return err_none();
    Err err = err_errno(ERR_IO, errno, "cannot make a local socket");
    close(*dir_fd);
    return err;
}

Err local_listen(const char *dir, const char *name, int *out_fd) {
    struct sockaddr_un at;
    int dir_fd, fd;
    TRY(open_in(dir, name, &at, &dir_fd, &fd));
    unlinkat(dir_fd, name, 0);
    Err err = err_none();
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || fchmodat(dir_fd, name, 0600, 0) != 0 || listen(fd, 16) != 0)
        err = err_errno(ERR_IO, errno, "cannot listen on '%s/%s'", dir, name);
    close(dir_fd);
    if (err.code != ERR_NONE)
        close(fd);
    else
        *out_fd = fd;
    return err;
}

Err local_accept(int listener, Nanos timeout, int *out_fd, bool *timed_out) {
    struct pollfd p = {.fd = listener, .events = POLLIN};
    int ready = poll(&p, 1, (int)(timeout / NANOS_PER_MS));
    *timed_out = ready == 0 || (ready < 0 && errno == EINTR);
    if (*timed_out) return err_none();
    *out_fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (*out_fd < 0) return err_errno(ERR_IO, errno, "cannot accept a local connection");
    struct timeval patience = {.tv_sec = LOCAL_PATIENCE_S};
    setsockopt(*out_fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(*out_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return err_none();
}

Err local_connect(const char *dir, const char *name, int *out_fd) {
    struct sockaddr_un at;
    int dir_fd, fd;
    TRY(open_in(dir, name, &at, &dir_fd, &fd));
    Err err = err_none();
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0)
        err = err_errno(errno == ENOENT || errno == ECONNREFUSED ? ERR_NOT_FOUND : ERR_IO, errno,
                        "nobody answers at '%s/%s'", dir, name);
    close(dir_fd);
    if (err.code != ERR_NONE)
        close(fd);
    else
        *out_fd = fd;
    return err;
}

Err local_read(int fd, void *into, size_t n, size_t *got) {
    ssize_t r;
    do r = read(fd, into, n);
    while (r < 0 && errno == EINTR);
    if (r < 0) return err_errno(ERR_IO, errno, "local connection broke");
    *got = (size_t)r;
    return err_none();
}

Err local_write(int fd, Str bytes) {
    while (bytes.len > 0) {
        ssize_t w = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (w < 0 && errno == EINTR) continue;
        if (w < 0) return err_errno(ERR_IO, errno, "local connection broke");
        bytes = str_slice(bytes, (size_t)w, bytes.len);
    }
    return err_none();
}

void local_close(int fd) { close(fd); }
