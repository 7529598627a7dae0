#include "os/crew.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "os/thread.h"

struct crew {
    struct crew_options options;
    pthread_mutex_t lock;
    pthread_cond_t filled; /* something may be taken */
    struct thread **threads;
    unsigned n_threads, idle;
    /* Changed under the lock, except by who waits and goes on again: so many do at once, after a commit. Whoever makes
     * one of them allow something looks at the other afterwards. */
    _Atomic unsigned running;
    _Atomic size_t len;
    size_t head;
    bool stopping;
    void *items[];
};

/* Whose a thread is: what waits deep in a store cannot be handed its caller's crew through every room between. */
static _Thread_local struct crew *mine;

static bool may_take(const struct crew *c) { return c->len > 0 && c->running < c->options.running; }

static void *take(struct crew *c) {
    void *item = c->items[c->head];
    c->head = (c->head + 1) % c->options.max_waiting;
    c->len--;
    return item;
}

static void run(void *ctx) {
    struct crew *c = ctx;
    mine = c;
    thread_lock(&c->lock);
    for (;;) {
        while (!may_take(c) && !(c->stopping && c->len == 0)) {
            c->idle++;
            thread_wait(&c->filled, &c->lock);
            c->idle--;
        }
        if (c->len == 0) break;
        void *item = take(c);
        c->running++;
        thread_unlock(&c->lock);
        c->options.work(c->options.ctx, item);
        thread_lock(&c->lock);
        c->running--;
    }
    thread_broadcast(&c->filled); /* the others end too */
    thread_unlock(&c->lock);
}

static Err add_thread(struct crew *c) {
    TRY(thread_start(&c->threads[c->n_threads], c->options.name, run, c));
    c->n_threads++;
    return err_none();
}

/* Under the lock: somebody takes what may be taken. Without a further thread it waits for one of those that run. */
static void call_one(struct crew *c) {
    if (!may_take(c)) return;
    if (c->idle > 0)
        thread_signal(&c->filled);
    else if (c->n_threads < c->options.most)
        add_thread(c);
}

Err crew_start(const struct crew_options *options, struct crew **out) {
    ASSERT(options->running > 0 && options->most >= options->running && options->max_waiting > 0);
    struct crew *c = calloc(1, sizeof *c + options->max_waiting * sizeof c->items[0]);
    ASSERT(c);
    c->options = *options;
    c->threads = calloc(options->most, sizeof(struct thread *));
    ASSERT(c->threads);
    thread_mutex_init(&c->lock);
    thread_cond_init(&c->filled);
    Err err = err_none();
    thread_lock(&c->lock);
    while (c->n_threads < options->running && err.code == ERR_NONE) err = add_thread(c);
    thread_unlock(&c->lock);
    if (err.code == ERR_NONE)
        *out = c;
    else
        crew_stop(c);
    return err;
}

bool crew_try_push(struct crew *c, void *item) {
    ASSERT(item);
    thread_lock(&c->lock);
    bool ok = !c->stopping && c->len < c->options.max_waiting;
    if (ok) {
        c->items[(c->head + c->len++) % c->options.max_waiting] = item;
        call_one(c);
    }
    thread_unlock(&c->lock);
    return ok;
}

size_t crew_len(struct crew *c) {
    thread_lock(&c->lock);
    size_t n = c->len;
    thread_unlock(&c->lock);
    return n;
}

void crew_stop(struct crew *c) {
    if (!c) return;
    thread_lock(&c->lock);
    c->stopping = true;
    thread_broadcast(&c->filled);
    thread_unlock(&c->lock);
    for (unsigned i = 0;; i++) { /* one that runs may still start another */
        thread_lock(&c->lock);
        struct thread *thread = i < c->n_threads ? c->threads[i] : NULL;
        thread_unlock(&c->lock);
        if (!thread) break;
        thread_join(thread);
    }
    thread_cond_fini(&c->filled);
    thread_mutex_fini(&c->lock);
    free(c->threads);
    free(c);
}

void crew_wait_begin(void) {
    if (!mine) return;
    atomic_fetch_sub(&mine->running, 1);
    if (atomic_load(&mine->len) == 0) return;
    thread_lock(&mine->lock);
    call_one(mine);
    thread_unlock(&mine->lock);
}

void crew_wait_end(void) {
    if (mine) atomic_fetch_add(&mine->running, 1);
}
