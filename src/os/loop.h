/*
 * One thread's event loop: readiness of sockets (epoll), timers, and wake-ups from other threads. Everything except
 * loop_wake belongs to the thread that runs the loop.
 *
 *     struct loop_hooks hooks = {.on_wake = take_mail, .on_turn = flush, .ctx = self};
 *     TRY(loop_open(&hooks, &loop));
 *     TRY(loop_add(loop, &conn->source, fd, LOOP_READ));   // conn->source.on_ready = conn_ready
 *     loop_run(loop);                                      // until loop_stop
 *
 * A turn: wait; call on_ready of each ready source; call timers that are due; call on_wake when woken; call on_turn.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include "base/err.h"
#include "base/time.h"

struct loop;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 }; /* HANGUP is only reported, never asked for */

/* Embedded in its owner, who keeps it alive until loop_remove. */
struct loop_source {
    void (*on_ready)(struct loop_source *self, unsigned events);
    int fd;
    unsigned interest;
};

/* Embedded in its owner; zero value is an unset timer. Fires up to LOOP_TICK late, never early. */
struct loop_timer {
    void (*on_due)(struct loop_timer *self);
    Nanos due; /* monotonic */
    struct loop_timer *next, **prev;
};
#define LOOP_TICK (50 * NANOS_PER_MS)

struct loop_hooks {
    void (*on_wake)(void *ctx); /* after loop_wake; many wakes may be one call; NULL: none */
    void (*on_turn)(void *ctx); /* at the end of each turn; NULL: none */
    void *ctx;
};

Err loop_open(const struct loop_hooks *hooks, struct loop **out);
void loop_close(struct loop *loop); /* sources and timers are forgotten, not closed */
Err loop_add(struct loop *loop, struct loop_source *source, int fd, unsigned interest);
void loop_want(struct loop *loop, struct loop_source *source, unsigned interest); /* no system call when unchanged */
void loop_remove(struct loop *loop, struct loop_source *source); /* also forgets what is ready in this turn */
void loop_timer_set(struct loop *loop, struct loop_timer *timer, Nanos after); /* from now; moves a set one */
void loop_timer_clear(struct loop *loop, struct loop_timer *timer);            /* fine when unset */
Nanos loop_now(const struct loop *loop);                                       /* monotonic, read once a turn */
void loop_turn(struct loop *loop, Nanos max_wait);                             /* one turn; max_wait < 0: for ever */
void loop_run(struct loop *loop);                                              /* turns until loop_stop */
void loop_stop(struct loop *loop); /* from inside the loop: run returns after this turn */
void loop_wake(struct loop *loop); /* any thread, cheap when already woken */

#endif
