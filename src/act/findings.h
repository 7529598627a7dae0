/*
 * The hand-over of findings: insight's threads put them into a bounded queue, one thread takes them out in order.
 * A full queue makes insight wait (back-pressure), so no finding is lost and memory stays bounded.
 */
#ifndef ACT_FINDINGS_H
#define ACT_FINDINGS_H

#include "model/finding.h"
#include "os/clock.h"

struct findings;

struct findings_options {
    size_t capacity; /* findings waiting; 0 = 4,096 */
    const struct clock *clock;
    void (*take)(void *ctx, const struct finding *finding); /* on the findings thread; may wait for commits */
    void (*tick)(void *ctx, Nanos now); /* the same thread, about once a second while nothing comes, and on a drain */
    void *ctx;
};

Err findings_start(const struct findings_options *options, struct findings **out);
void findings_stop(struct findings *findings); /* takes what waits, then ends; NULL is fine */
/* A finding_sink whose ctx is the struct findings. Copies the finding; waits while the queue is full. */
void findings_sink(void *findings, const struct finding *finding);
void findings_drain(struct findings *findings); /* waits until all handed over before were taken and a tick ran */
size_t findings_waiting(struct findings *findings);

#endif
