/* The group committer: one thread that makes all waiting commits durable at once and then calls each one's `done`. */
#ifndef STORE_SERIES_COMMIT_H
#define STORE_SERIES_COMMIT_H

#include "store/series.h"

struct series_committer;

/* Makes a list of commits, linked by next, durable and visible; every one fails or none. Committer's thread. */
typedef Err series_commit_fn(void *ctx, struct series_commit *first);

struct series_commit_options {
    series_commit_fn *commit;
    void *ctx;
    void (*on_commit)(void *ctx, const struct rows *rows);
    void *on_commit_ctx;
};

Err series_commit_start(const struct series_commit_options *options, struct series_committer **out);
void series_commit_stop(struct series_committer *committer); /* commits what waits first */
void series_commit_submit(struct series_committer *committer, struct series_commit *commit); /* any thread */

#endif
