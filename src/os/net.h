/*
 * TCP. Addresses are texts "HOST:PORT": "127.0.0.1:1883", "[::1]:1883", "localhost:0"; an empty HOST is every
 * interface. Sockets are non-blocking, close-on-exec and without Nagle's delay.
 */
#ifndef OS_NET_H
#define OS_NET_H

#include "base/err.h"
#include "base/time.h"

#define NET_ADDRESS_MAX 64

Err net_listen(const char *address, int *out);                 /* ERR_INVALID: bad text; ERR_IO: cannot bind */
Err net_connect(const char *address, Nanos timeout, int *out); /* waits until connected */
int net_accept(int listener);                        /* -1: nobody waits or no descriptor is free (errno says) */
bool net_accept_exhausted(void);                     /* the last net_accept failed for want of descriptors */
void net_address(int fd, char out[NET_ADDRESS_MAX]); /* own, "127.0.0.1:43121" */
void net_peer(int fd, char out[NET_ADDRESS_MAX]);
uint16_t net_port(int fd); /* own */
void net_close(int fd);    /* -1 is fine */

enum { NET_AGAIN = -1, NET_CLOSED = -2 };                    /* CLOSED: end of stream or an error */
ptrdiff_t net_recv(int fd, void *into, size_t n);            /* > 0, NET_AGAIN or NET_CLOSED */
ptrdiff_t net_send(int fd, const void *from, size_t n);      /* > 0, NET_AGAIN or NET_CLOSED; never a signal */
void net_shutdown(int fd);                                   /* no more sending; what was sent still arrives */
bool net_wait(int fd, bool read, bool write, Nanos timeout); /* false: timed out */

#endif
