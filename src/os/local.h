/*
 * A local stream socket in a folder: how a command reaches the server that owns a data folder. Mode 0600, so only the
 * owner's processes connect. Calls block; failures are ERR_IO, ERR_NOT_FOUND when nobody listens.
 */
#ifndef OS_LOCAL_H
#define OS_LOCAL_H

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

Err local_listen(const char *dir, const char *name, int *out_fd); /* replaces a socket left by a killed process */
Err local_accept(int listener, Nanos timeout, int *out_fd, bool *timed_out);
Err local_connect(const char *dir, const char *name, int *out_fd);
Err local_read(int fd, void *into, size_t n, size_t *got); /* some bytes; 0: the peer has closed */
Err local_write(int fd, Str bytes);                        /* all of them */
void local_close(int fd);

#endif
