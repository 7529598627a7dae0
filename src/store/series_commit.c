/*
 * Waiting commits hang in a lock-free list that grows at its head; the committer takes all of it and turns it round.
 * While it syncs, more arrive: the group is as large as the disk is slow.
 *
 * A sync costs the same for one row as for a thousand, so under load a group is held back until no more arrives or a
 * millisecond has passed since the last: a fleet that sends without pause then pays for a thousand syncs a second and
 * not for ten thousand, and a few clients that each wait for their answer never wait longer than until all have asked.
 */
#include "store/series_commit.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "os/thread.h"

#define GROUP_WAIT NANOS_PER_MS
#define GROUP_STEP (NANOS_PER_MS / 4)
#define BUSY_ROWS 64 /* a group of so many rows says that load is high */
#define GROUP_BYTES ((size_t)512 << 10)

struct series_committer {
    struct series_commit_options options;
    struct thread *thread;
    _Atomic(struct series_commit *) waiting;
    atomic_bool asleep, stop;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

void series_commit_submit(struct series_committer *c, struct series_commit *commit) {
    struct series_commit *head = atomic_load_explicit(&c->waiting, memory_order_relaxed);
    do commit->next = head;
    while (!atomic_compare_exchange_weak(&c->waiting, &head, commit));
    if (!atomic_load(&c->asleep)) return;
    thread_lock(&c->lock);
    thread_signal(&c->wake);
    thread_unlock(&c->lock);
}

static void sleep_until_work(struct series_committer *c) {
    thread_lock(&c->lock);
    atomic_store(&c->asleep, true);
    while (!atomic_load(&c->waiting) && !atomic_load(&c->stop)) thread_wait(&c->wake, &c->lock);
    atomic_store(&c->asleep, false);
    thread_unlock(&c->lock);
}

struct group {
    struct series_commit *first;
    struct series_commit **last; /* where the next goes */
    size_t bytes;
    uint64_t rows;
};

/* Appends what waits to the group, in the order it came; false: nothing did. */
static bool take_waiting(struct series_committer *c, struct group *group) {
    struct series_commit *taken = atomic_exchange(&c->waiting, NULL), *turned = NULL;
    if (!taken) return false;
    struct series_commit *newest = taken;
    while (taken) {
        struct series_commit *next = taken->next;
        group->bytes += taken->rows.bytes.len;
        group->rows += taken->rows.n_rows;
        taken->next = turned;
        turned = taken;
        taken = next;
    }
    *group->last = turned;
    group->last = &newest->next;
    return true;
}

static void finish(struct series_committer *c, const struct group *group, Err err) {
    for (struct series_commit *commit = group->first, *next; commit; commit = next) {
        next = commit->next; /* done may give the commit to another thread */
        if (err.code == ERR_NONE && c->options.on_commit) c->options.on_commit(c->options.on_commit_ctx, &commit->rows);
        commit->done(commit, err);
    }
}

/* Under load, lets more arrive. */
static void gather(struct series_committer *c, struct group *group, Nanos since) {
    while (group->bytes < GROUP_BYTES && !atomic_load(&c->stop)) {
        Nanos rest = GROUP_WAIT - (clock_monotonic() - since);
        if (rest <= 0) break;
        clock_sleep(rest < GROUP_STEP ? rest : GROUP_STEP);
        if (!take_waiting(c, group)) break;
    }
}

static void run(void *ctx) {
    struct series_committer *c = ctx;
    Nanos last = 0;
    bool busy = false;
    for (;;) {
        struct group group = {0};
        group.last = &group.first;
        if (!take_waiting(c, &group)) {
            if (atomic_load(&c->stop)) return;
            sleep_until_work(c);
            continue;
        }
        if (busy) gather(c, &group, last);
        Err err = c->options.commit(c->options.ctx, group.first);
        last = clock_monotonic();
        busy = group.rows >= BUSY_ROWS;
        finish(c, &group, err);
    }
}

Err series_commit_start(const struct series_commit_options *options, struct series_committer **out) {
    struct series_committer *c = calloc(1, sizeof *c);
    ASSERT(c != NULL);
    c->options = *options;
    thread_mutex_init(&c->lock);
    thread_cond_init(&c->wake);
    Err err = thread_start(&c->thread, "series-commit", run, c);
    if (err.code) {
        thread_cond_fini(&c->wake);
        thread_mutex_fini(&c->lock);
        free(c);
        return err;
    }
    *out = c;
    return err;
}

void series_commit_stop(struct series_committer *c) {
    if (!c) return;
    thread_lock(&c->lock);
    atomic_store(&c->stop, true);
    thread_signal(&c->wake);
    thread_unlock(&c->lock);
    thread_join(c->thread);
    thread_cond_fini(&c->wake);
    thread_mutex_fini(&c->lock);
    free(c);
}
