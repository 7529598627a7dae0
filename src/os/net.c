#include "os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "os/clock.h"

#define BACKLOG 4096

static Err split(const char *address, char host[NET_ADDRESS_MAX], char port[8]) {
    Str all = str_c(address), h = all, p = {0};
    for (size_t i = all.len; i > 0 && p.ptr == NULL; i--)
        if (all.ptr[i - 1] == ':') h = str_slice(all, 0, i - 1), p = str_slice(all, i, all.len);
    int64_t number;
    if (!p.ptr || !str_to_i64(p, &number) || number < 0 || number > 65535)
        return err_make(ERR_INVALID, "'%s' is no address: give HOST:PORT, such as 127.0.0.1:1883",
                        address ? address : "");
    if (h.len >= 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']') h = str_slice(h, 1, h.len - 1);
    if (h.len >= NET_ADDRESS_MAX) return err_make(ERR_INVALID, "the host in '%s' is too long", address);
    snprintf(host, NET_ADDRESS_MAX, STR_FMT, STR_ARG(h));
    snprintf(port, 8, "%d", (int)number);
    return err_none();
}

static Err resolve(const char *address, bool passive, struct addrinfo **out) {
    char host[NET_ADDRESS_MAX], port[8];
    TRY(split(address, host, port));
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0};
    int rc = getaddrinfo(host[0] ? host : NULL, port, &hints, out);
    if (rc != 0) return err_make(ERR_INVALID, "cannot find the host of '%s': %s", address, gai_strerror(rc));
    return err_none();
}

static void set_flag(int fd, int level, int option, int value) {
    /* A refused option costs speed, not correctness. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

static int listen_on(const struct addrinfo *at) {
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (at->ai_family == AF_INET6) set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

Err net_listen(const char *address, int *out) {
    struct addrinfo *found = NULL;
    TRY(resolve(address, true, &found));
    int fd = -1;
    /* An empty host gives IPv4's and IPv6's "any"; the IPv6 one takes both, so it is tried first. */
    for (int pass = 0; pass < 2 && fd < 0; pass++)
        for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
            if ((at->ai_family == AF_INET6) == (pass == 0)) fd = listen_on(at);
    int why = errno;
    freeaddrinfo(found);
    if (fd < 0) return err_errno(ERR_IO, why, "cannot listen on '%s'", address);
    *out = fd;
    return err_none();
}

static int connect_to(const struct addrinfo *at, Nanos timeout) {
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    int why = 0;
    socklen_t size = sizeof why;
    if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
        why = errno;
        if (why == EINPROGRESS) {
            why = ETIMEDOUT;
            if (net_wait(fd, false, true, timeout)) getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size);
        }
    }
    if (why == 0) return fd;
    close(fd);
    errno = why;
    return -1;
}

Err net_connect(const char *address, Nanos timeout, int *out) {
    struct addrinfo *found = NULL;
    TRY(resolve(address, false, &found));
    int fd = -1;
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) fd = connect_to(at, timeout);
    int why = errno;
    freeaddrinfo(found);
    if (fd < 0) return err_errno(ERR_IO, why, "cannot connect to '%s'", address);
    *out = fd;
    return err_none();
}

int net_accept(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) set_flag(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return fd;
}

bool net_accept_exhausted(void) { return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM; }

static void print(const struct sockaddr_storage *at, char out[NET_ADDRESS_MAX]) {
    char host[INET6_ADDRSTRLEN] = "?";
    if (at->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const void *)at;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(out, NET_ADDRESS_MAX, "[%s]:%d", host, ntohs(six->sin6_port));
    } else {
        const struct sockaddr_in *four = (const void *)at;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(out, NET_ADDRESS_MAX, "%s:%d", host, ntohs(four->sin_port));
    }
}

void net_address(int fd, char out[NET_ADDRESS_MAX]) {
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    (void)getsockname(fd, (struct sockaddr *)&at, &size);
    print(&at, out);
}

void net_peer(int fd, char out[NET_ADDRESS_MAX]) {
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    (void)getpeername(fd, (struct sockaddr *)&at, &size);
    print(&at, out);
}

uint16_t net_port(int fd) {
    struct sockaddr_storage at = {0};
    socklen_t size = sizeof at;
    (void)getsockname(fd, (struct sockaddr *)&at, &size);
    return ntohs(at.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)(const void *)&at)->sin6_port
                                          : ((const struct sockaddr_in *)(const void *)&at)->sin_port);
}

void net_close(int fd) {
    if (fd >= 0) close(fd);
}

static ptrdiff_t outcome(ssize_t n, size_t asked) {
    if (n > 0 || (n == 0 && asked == 0)) return n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return NET_AGAIN;
    return NET_CLOSED;
}

ptrdiff_t net_recv(int fd, void *into, size_t n) { return outcome(recv(fd, into, n, 0), n); }

ptrdiff_t net_send(int fd, const void *from, size_t n) { return outcome(send(fd, from, n, MSG_NOSIGNAL), n); }

void net_shutdown(int fd) { (void)shutdown(fd, SHUT_WR); }

bool net_wait(int fd, bool read, bool write, Nanos timeout) {
    struct pollfd p = {.fd = fd, .events = (short)((read ? POLLIN : 0) | (write ? POLLOUT : 0))};
    Nanos until = clock_monotonic() + timeout;
    for (;;) {
        Nanos left = until - clock_monotonic();
        int rc = poll(&p, 1, left <= 0 ? 0 : (int)((left + NANOS_PER_MS - 1) / NANOS_PER_MS));
        if (rc > 0) return true;
        if (rc == 0 && left <= 0) return false;
    }
}
