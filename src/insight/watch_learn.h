/*
 * Learning in the background: when to train, on what, and how what was learnt comes to speak. Private to the watch.
 *
 * Moments to think of training are the multiples of six hours. At such a cutoff, with at least eight failures before
 * it: train if nothing was learnt yet, or failures are a fifth more than then and a day has passed, or a week has
 * passed. What is known of the time before the cutoff six hours later is what is learnt from; the outcome judges rows
 * from twelve hours after the cutoff. Until it is there, those rows wait.
 */
#ifndef INSIGHT_WATCH_LEARN_H
#define INSIGHT_WATCH_LEARN_H

#include "insight/watch_past.h"

#define WATCH_LEARN_STEP (6 * NANOS_PER_HOUR)
#define WATCH_LEARN_APPLIES (12 * NANOS_PER_HOUR)
#define WATCH_LEARN_FAILURES 8

/* A machine to learn from. */
struct watch_pupil {
    ThingId id;
    Str name;
    const struct watch_label *labels;
    size_t n_labels;
};

struct watch_learn_task {
    struct series *series;
    const struct watch_family *family; /* read while starting, not later */
    Nanos cutoff;
    const struct watch_pupil *pupils; /* copied */
    size_t n_pupils;
};
/* Whether the family's rows have come so far that training at *cutoff is due; advances family->next_cutoff.
 * failures_before counts the family's failures before a time. */
bool watch_learn_due(struct watch_family *family, Nanos at, uint32_t (*failures_before)(void *ctx, Nanos t), void *ctx,
                     Nanos *cutoff);
Err watch_learn_start(const struct watch_learn_task *task, struct watch_job **out);
void watch_learn_wait(struct watch_job *job); /* until it is done; apply or drop it later */
/* Waits, then makes the family speak with what was learnt. False: nothing could be learnt (a log line says why). */
bool watch_learn_apply(struct watch_job *job, struct watch_family *family);
void watch_learn_drop(struct watch_job *job); /* waits and forgets; NULL is fine */

#endif
