/*
 * Threads that work off a bounded queue, of which only a few run at once: as many as the machine has use for. One that
 * is about to wait long (for a commit on the disk) says so, and another runs meanwhile; so a hundred requests may wait
 * for one commit together although four run. Threads beyond those are started when they are first needed.
 */
#ifndef OS_CREW_H
#define OS_CREW_H

#include <stddef.h>

#include "base/err.h"

struct crew;

struct crew_options {
    const char *name;   /* of the threads, at most 15 characters */
    unsigned running;   /* at once */
    unsigned most;      /* threads in all, those that wait among them */
    size_t max_waiting; /* items in the queue */
    void (*work)(void *ctx, void *item);
    void *ctx;
};
Err crew_start(const struct crew_options *options, struct crew **out);
bool crew_try_push(struct crew *crew, void *item); /* never waits; false: full or stopping */
size_t crew_len(struct crew *crew);                /* items in the queue */
void crew_stop(struct crew *crew);                 /* works off the queue, then ends; NULL is fine */

/* Around a long wait. On a thread that is of no crew they do nothing; afterwards a few more than `running` may run. */
void crew_wait_begin(void);
void crew_wait_end(void);

#endif
