#include "act/findings.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "os/thread.h"

#define CAPACITY_DEFAULT 4096
#define TICK_WAIT NANOS_PER_S

/* What travels in the queue: a finding in its own memory, or somebody who waits for the queue to pass him. */
struct parcel {
    struct arena arena;
    struct finding finding;
    struct waiter *waiter;
};

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t passed;
    bool done;
};

struct findings {
    struct findings_options options;
    struct thread_queue *queue;
    struct thread *thread;
    atomic_bool stopping;
};

static void waiter_pass(struct waiter *waiter) {
    thread_lock(&waiter->lock);
    waiter->done = true;
    thread_signal(&waiter->passed);
    thread_unlock(&waiter->lock);
}

static void parcel_free(struct parcel *parcel) {
    arena_fini(&parcel->arena);
    free(parcel);
}

static void open_parcel(struct findings *f, struct parcel *parcel) {
    if (!parcel->waiter) {
        f->options.take(f->options.ctx, &parcel->finding);
        parcel_free(parcel);
        return;
    }
    struct waiter *waiter = parcel->waiter;
    parcel_free(parcel);
    f->options.tick(f->options.ctx, clock_now(f->options.clock));
    waiter_pass(waiter); /* the last touch: the waiter's memory is its caller's */
}

static void run(void *ctx) {
    struct findings *f = ctx;
    Nanos ticked = clock_monotonic();
    for (;;) {
        struct parcel *parcel = thread_queue_pop(f->queue, TICK_WAIT);
        if (parcel) open_parcel(f, parcel);
        if (!parcel && atomic_load(&f->stopping) && thread_queue_len(f->queue) == 0) return;
        if (clock_monotonic() - ticked < TICK_WAIT) continue;
        f->options.tick(f->options.ctx, clock_now(f->options.clock));
        ticked = clock_monotonic();
    }
}

Err findings_start(const struct findings_options *options, struct findings **out) {
    struct findings *f = calloc(1, sizeof *f);
    ASSERT(f != NULL);
    f->options = *options;
    f->queue = thread_queue_new(options->capacity ? options->capacity : CAPACITY_DEFAULT);
    Err err = thread_start(&f->thread, "findings", run, f);
    if (err.code != ERR_NONE) {
        thread_queue_free(f->queue);
        free(f);
        return err;
    }
    *out = f;
    return err_none();
}

void findings_stop(struct findings *f) {
    if (!f) return;
    atomic_store(&f->stopping, true);
    thread_queue_close(f->queue);
    thread_join(f->thread);
    thread_queue_free(f->queue);
    free(f);
}

static void copy_reasons(struct arena *arena, struct finding *copy) {
    for (size_t i = 0; i < copy->n_reasons; i++) {
        struct finding_reason *reason = &copy->reasons[i];
        reason->metric = arena_str(arena, reason->metric);
        reason->text_en = arena_str(arena, reason->text_en);
        reason->text_zh = arena_str(arena, reason->text_zh);
    }
}

static struct parcel *parcel_new(void) {
    struct parcel *parcel = calloc(1, sizeof *parcel);
    ASSERT(parcel != NULL);
    arena_init(&parcel->arena, 1024);
    return parcel;
}

void findings_sink(void *findings, const struct finding *finding) {
    struct findings *f = findings;
    ASSERT(finding->n_reasons <= FINDING_REASONS_MAX);
    struct parcel *parcel = parcel_new();
    struct finding *copy = &parcel->finding;
    *copy = *finding;
    copy->thing_name = arena_str(&parcel->arena, finding->thing_name);
    copy->metric = arena_str(&parcel->arena, finding->metric);
    copy->component = arena_str(&parcel->arena, finding->component);
    copy->text = arena_str(&parcel->arena, finding->text);
    copy_reasons(&parcel->arena, copy);
    if (!thread_queue_push(f->queue, parcel)) parcel_free(parcel); /* closing: the condition is found again */
}

void findings_drain(struct findings *f) {
    struct waiter waiter = {.done = false};
    thread_mutex_init(&waiter.lock);
    thread_cond_init(&waiter.passed);
    struct parcel *parcel = parcel_new();
    parcel->waiter = &waiter;
    if (thread_queue_push(f->queue, parcel)) {
        thread_lock(&waiter.lock);
        while (!waiter.done) thread_wait(&waiter.passed, &waiter.lock);
        thread_unlock(&waiter.lock);
    } else {
        parcel_free(parcel);
    }
    thread_cond_fini(&waiter.passed);
    thread_mutex_fini(&waiter.lock);
}

size_t findings_waiting(struct findings *f) { return thread_queue_len(f->queue); }
