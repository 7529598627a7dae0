/* The process: signals, memory, randomness, environment. */
#ifndef OS_PROCESS_H
#define OS_PROCESS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

void process_random(void *into, size_t n); /* from the kernel */
uint64_t process_resident_bytes(void);
Nanos process_cpu_time(void);      /* user + system of this process */
unsigned process_cores(void);      /* usable */
void process_raise_fd_limit(void); /* soft limit up to the hard one */
/* Blocks SIGTERM, SIGINT and SIGPIPE in all threads; call first in main. */
void process_signals_block(void);
bool process_signals_wait(Nanos timeout); /* true: asked to stop; timeout < 0 waits for ever */
/* Appends what `sh -c command` prints on standard output. ERR_IO: it failed; ERR_TIMEOUT: it was stopped;
 * ERR_TOO_LARGE: more than max bytes. Blocks. */
Err process_output(const char *command, size_t max, Nanos timeout, struct buf *into);
bool process_is_terminal(int fd); /* 1: standard output, 2: standard error */

#endif
