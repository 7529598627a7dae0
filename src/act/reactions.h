/*
 * Reactions: what follows when a document was made, changed or moved. A thread reads the outbox in order and calls
 * every row of the tables that matches. At least once: after a failure or a crash an event may come again, so a
 * reaction looks at what stands before it writes. Timers run on the same thread, on the platform's clock, so that one
 * thread alone acts for the system.
 */
#ifndef ACT_REACTIONS_H
#define ACT_REACTIONS_H

#include "document/documents.h"

struct reactions;

struct reaction_event {
    const struct outbox_row *row;
    struct arena *arena; /* reset after the event */
};

/* ERR_BUSY, ERR_PRECONDITION, ERR_IO and ERR_TIMEOUT are tried again a few times; any other failure, or the last of
 * those, is logged and counted and the event passed by. */
struct reaction {
    const char *type, *what; /* document type; "create", "change" or a transition's name; NULL: every one */
    Err (*run)(void *ctx, const struct reaction_event *event);
};

struct reaction_timer {
    const char *name;
    Nanos period; /* platform time */
    Err (*run)(void *ctx, Nanos now, struct arena *arena);
};

/* One business's share. Tables end with run NULL. */
struct reaction_set {
    const struct reaction *reactions;
    const struct reaction_timer *timers;
    void *ctx;
};

#define REACTIONS_TIMERS_MAX 32

struct reactions_options {
    struct documents *documents;
    const struct clock *clock;
    const char *reader; /* name of its place in the outbox; NULL: "reactions" */
    const struct reaction_set *sets;
    size_t n_sets;
};

struct reactions_stats {
    uint64_t events, run, failed, timers;
};

Err reactions_start(const struct reactions_options *options, struct reactions **out);
void reactions_stop(struct reactions *reactions); /* ends after the event in hand; the rest waits in the outbox */
void reactions_wake(struct reactions *reactions); /* something was committed; any thread; does not block */
/* Waits until the outbox is empty, and the timers due by now have run. False once stopping. *rows: events since the
 * start. */
bool reactions_drain(struct reactions *reactions, uint64_t *rows);
void reactions_stats(struct reactions *reactions, struct reactions_stats *out);

#endif
