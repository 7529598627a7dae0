#include "act/reactions.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "os/thread.h"

#define BATCH 200
#define TRIES 6
#define FIRST_PAUSE (5 * NANOS_PER_MS) /* doubled after each try */
#define IDLE_WAIT NANOS_PER_S

struct timer_state {
    const struct reaction_timer *timer;
    void *ctx;
    Nanos next;
};

struct reactions {
    struct reactions_options options;
    struct timer_state timers[REACTIONS_TIMERS_MAX];
    size_t n_timers;
    struct thread *thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, rest;
    uint64_t wanted, rested; /* scans asked for; the last of them that found nothing left */
    bool stopping;
    atomic_uint_fast64_t events, run, failed, fired;
};

static bool stopping(struct reactions *r) {
    thread_lock(&r->lock);
    bool stop = r->stopping;
    thread_unlock(&r->lock);
    return stop;
}

static bool worth_another_try(enum err_code code) {
    return code == ERR_BUSY || code == ERR_PRECONDITION || code == ERR_IO || code == ERR_TIMEOUT;
}

static void run_reaction(struct reactions *r, const struct reaction *reaction, void *ctx,
                         const struct reaction_event *event) {
    Nanos pause = FIRST_PAUSE;
    Err err = reaction->run(ctx, event);
    for (int i = 1; i < TRIES && worth_another_try(err.code) && !stopping(r); i++, pause *= 2) {
        clock_sleep(pause);
        err = reaction->run(ctx, event);
    }
    atomic_fetch_add(&r->run, 1);
    if (err.code == ERR_NONE) return;
    atomic_fetch_add(&r->failed, 1);
    LOG_ERROR("act.reaction_failed", LOG_S("type", event->row->type), LOG_S("what", event->row->what),
              LOG_I("id", event->row->id), LOG_C("error", err.text));
}

static bool matches(const struct reaction *reaction, const struct outbox_row *row) {
    return (!reaction->type || str_eq_c(row->type, reaction->type)) &&
           (!reaction->what || str_eq_c(row->what, reaction->what));
}

static void run_event(struct reactions *r, const struct outbox_row *row, struct arena *arena) {
    atomic_fetch_add(&r->events, 1);
    for (size_t s = 0; s < r->options.n_sets; s++) {
        const struct reaction_set *set = &r->options.sets[s];
        for (const struct reaction *reaction = set->reactions; reaction && reaction->run; reaction++) {
            if (!matches(reaction, row)) continue;
            run_reaction(r, reaction, set->ctx, &(struct reaction_event){.row = row, .arena = arena});
            arena_reset(arena);
        }
    }
}

/* One batch of the outbox. False: nothing was there, or it could not be read. */
static bool run_batch(struct reactions *r, struct arena *rows_arena, struct arena *arena) {
    const char *reader = r->options.reader;
    struct outbox_row *rows;
    size_t n;
    arena_reset(rows_arena);
    Err err = documents_outbox(r->options.documents, reader, BATCH, rows_arena, &rows, &n);
    if (err.code != ERR_NONE) LOG_ERROR("act.outbox_unreadable", LOG_C("error", err.text));
    if (err.code != ERR_NONE || n == 0) return false;
    size_t done = 0;
    while (done < n && !stopping(r)) run_event(r, &rows[done++], arena);
    if (done == 0) return false;
    err = documents_outbox_done(r->options.documents, reader, rows[done - 1].seq);
    if (err.code != ERR_NONE) LOG_ERROR("act.outbox_place_not_kept", LOG_C("error", err.text));
    return err.code == ERR_NONE;
}

static void run_timers(struct reactions *r, struct arena *arena) {
    Nanos now = clock_now(r->options.clock);
    for (size_t i = 0; i < r->n_timers; i++) {
        struct timer_state *t = &r->timers[i];
        /* due, or the clock was set back by more than a period */
        if (now < t->next && t->next - now <= t->timer->period) continue;
        t->next = now - now % t->timer->period + t->timer->period;
        arena_reset(arena);
        atomic_fetch_add(&r->fired, 1);
        Err err = t->timer->run(t->ctx, now, arena);
        if (err.code != ERR_NONE)
            LOG_ERROR("act.timer_failed", LOG_C("timer", t->timer->name), LOG_C("error", err.text));
    }
}

/* Waits for work; *scan is what rested becomes when the next scan finds nothing. False: stop. */
static bool wait_for_work(struct reactions *r, uint64_t *scan) {
    thread_lock(&r->lock);
    if (!r->stopping && r->rested == r->wanted) thread_wait_for(&r->wake, &r->lock, IDLE_WAIT);
    *scan = r->wanted;
    bool go = !r->stopping;
    thread_unlock(&r->lock);
    return go;
}

static void say_rested(struct reactions *r, uint64_t scan) {
    thread_lock(&r->lock);
    r->rested = scan;
    thread_broadcast(&r->rest);
    thread_unlock(&r->lock);
}

static void run(void *ctx) {
    struct reactions *r = ctx;
    struct arena rows, arena;
    arena_init(&rows, 0);
    arena_init(&arena, 0);
    for (uint64_t scan; wait_for_work(r, &scan);) {
        while (run_batch(r, &rows, &arena)) {
        }
        run_timers(r, &arena);
        while (run_batch(r, &rows, &arena)) {
        }
        say_rested(r, scan);
    }
    arena_fini(&rows);
    arena_fini(&arena);
}

static void collect_timers(struct reactions *r) {
    for (size_t s = 0; s < r->options.n_sets; s++) {
        const struct reaction_set *set = &r->options.sets[s];
        for (const struct reaction_timer *timer = set->timers; timer && timer->run; timer++) {
            ASSERT(r->n_timers < REACTIONS_TIMERS_MAX);
            r->timers[r->n_timers++] = (struct timer_state){.timer = timer, .ctx = set->ctx};
        }
    }
}

Err reactions_start(const struct reactions_options *options, struct reactions **out) {
    struct reactions *r = calloc(1, sizeof *r);
    ASSERT(r != NULL);
    r->options = *options;
    if (!r->options.reader) r->options.reader = "reactions";
    thread_mutex_init(&r->lock);
    thread_cond_init(&r->wake);
    thread_cond_init(&r->rest);
    r->wanted = 1; /* what the last run left in the outbox */
    collect_timers(r);
    Err err = thread_start(&r->thread, "reactions", run, r);
    if (err.code != ERR_NONE) {
        r->thread = NULL;
        reactions_stop(r);
        return err;
    }
    *out = r;
    return err_none();
}

void reactions_stop(struct reactions *r) {
    if (!r) return;
    thread_lock(&r->lock);
    r->stopping = true;
    thread_broadcast(&r->wake);
    thread_broadcast(&r->rest);
    thread_unlock(&r->lock);
    if (r->thread) thread_join(r->thread);
    thread_cond_fini(&r->wake);
    thread_cond_fini(&r->rest);
    thread_mutex_fini(&r->lock);
    free(r);
}

void reactions_wake(struct reactions *r) {
    thread_lock(&r->lock);
    r->wanted++;
    thread_signal(&r->wake);
    thread_unlock(&r->lock);
}

bool reactions_drain(struct reactions *r, uint64_t *rows) {
    thread_lock(&r->lock);
    uint64_t mine = ++r->wanted;
    thread_signal(&r->wake);
    while (!r->stopping && r->rested < mine) thread_wait(&r->rest, &r->lock);
    bool ok = !r->stopping;
    thread_unlock(&r->lock);
    *rows = atomic_load(&r->events);
    return ok;
}

void reactions_stats(struct reactions *r, struct reactions_stats *out) {
    *out = (struct reactions_stats){.events = atomic_load(&r->events),
                                    .run = atomic_load(&r->run),
                                    .failed = atomic_load(&r->failed),
                                    .timers = atomic_load(&r->fired)};
}
