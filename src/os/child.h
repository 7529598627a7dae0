/* Another program, run for one answer: what it is told on its standard input, what it says on its standard output. */
#ifndef OS_CHILD_H
#define OS_CHILD_H

#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"

/*
 * argv[0] is a path, "/proc/self/exe" is this program; argv ends with NULL. Its standard error goes where ours goes.
 * Appends at most max bytes. ERR_TIMEOUT after `patience` (the child is killed), ERR_TOO_LARGE, ERR_IO when it cannot
 * be run or ends with another status than 0. Any thread; waits.
 */
Err child_run(const char *const *argv, Str input, size_t max, Nanos patience, struct buf *out);

#endif
