/*
 * Plays a recording into a running server as its machines and people would: telemetry and fault codes over one MQTT
 * connection a machine at QoS 1, failures and replacements as documents. Step by step in the order of recorded time:
 * the clock is set to the step, everything of it is sent and acknowledged, and the next step waits until the server
 * has understood it and acted upon it. So what follows from a moment happens at that moment, at any speed.
 *
 * A machine's first code of a moment rides in the row of its reading; each further one is a row of its own, a
 * millisecond later, because a metric has one value at a time.
 */
#ifndef APP_DEMO_REPLAY_H
#define APP_DEMO_REPLAY_H

#include <stdatomic.h>

#include "app/demo_clock.h"
#include "app/demo_company.h"
#include "app/demo_crew.h"

struct mqtt_client;

struct demo_replay {
    struct flow *flow;
    const struct recording *recording;
    struct demo_clock *clock;
    struct demo_crew crew;
    struct mqtt_client **clients; /* [n_machines] */
    size_t next;                  /* event */
    bool again;                   /* parts of the next step may have been played before */
    uint64_t rows_sent;           /* by this run */
    _Atomic Nanos at;
    atomic_bool done;
};

/* Events before this index are history from before the first row. */
size_t demo_replay_start_of(const struct recording *recording);
/* The time to begin or go on at: what a stopped folder has kept of the machines; the recording's beginning when there
 * is nothing. Opens and closes the folder. */
Err demo_replay_position(const char *dir, const struct recording *recording, Nanos *out);
/* Records what was replaced before the recording's rows begin. */
Err demo_replay_history(struct flow *flow, const struct recording *recording);
/* Connects the machines. */
Err demo_replay_open(struct demo_replay *replay, struct flow *flow, const struct recording *recording,
                     struct demo_clock *clock, const struct demo_device *devices);
/* Until the end of the recording or until asked to stop. progress is called after each step. */
Err demo_replay_run(struct demo_replay *replay, void (*progress)(void *ctx, const struct demo_replay *replay),
                    void *ctx, bool *stopped);
void demo_replay_close(struct demo_replay *replay);
/* Rows that are in the store for the recording's machines, counted by reading them. */
Err demo_replay_rows_kept(struct flow *flow, const struct recording *recording, uint64_t *out);
/* Rows that the recording makes up to a time: what should be there. */
uint64_t demo_replay_rows_until(const struct recording *recording, Nanos until);

#endif
