#include "os/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct thread {
    pthread_t id;
    void (*run)(void *ctx);
    void *ctx;
};

static void *enter(void *arg) {
    struct thread *thread = arg;
    thread->run(thread->ctx);
    return NULL;
}

Err thread_start(struct thread **out, const char *name, void (*run)(void *ctx), void *ctx) {
    ASSERT(strlen(name) <= 15);
    struct thread *thread = malloc(sizeof *thread);
    ASSERT(thread != NULL);
    *thread = (struct thread){.run = run, .ctx = ctx};
    int failed = pthread_create(&thread->id, NULL, enter, thread);
    if (failed) {
        free(thread);
        return err_errno(ERR_LIMIT, failed, "cannot start thread '%s'", name);
    }
    pthread_setname_np(thread->id, name);
    *out = thread;
    return err_none();
}

void thread_join(struct thread *thread) {
    ASSERT(pthread_join(thread->id, NULL) == 0);
    free(thread);
}

void thread_mutex_init(pthread_mutex_t *m) { ASSERT(pthread_mutex_init(m, NULL) == 0); }

void thread_mutex_fini(pthread_mutex_t *m) { ASSERT(pthread_mutex_destroy(m) == 0); }

void thread_lock(pthread_mutex_t *m) { ASSERT(pthread_mutex_lock(m) == 0); }

void thread_unlock(pthread_mutex_t *m) { ASSERT(pthread_mutex_unlock(m) == 0); }

void thread_cond_init(pthread_cond_t *c) {
    pthread_condattr_t attr;
    ASSERT(pthread_condattr_init(&attr) == 0);
    ASSERT(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    ASSERT(pthread_cond_init(c, &attr) == 0);
    pthread_condattr_destroy(&attr);
}

void thread_cond_fini(pthread_cond_t *c) { ASSERT(pthread_cond_destroy(c) == 0); }

void thread_wait(pthread_cond_t *c, pthread_mutex_t *m) { ASSERT(pthread_cond_wait(c, m) == 0); }

/* The moment timeout from now, on the clock of the conditions. */
static struct timespec deadline(Nanos timeout) {
    struct timespec t;
    ASSERT(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    Nanos ns = t.tv_nsec + timeout % NANOS_PER_S;
    t.tv_sec += timeout / NANOS_PER_S + ns / NANOS_PER_S;
    t.tv_nsec = ns % NANOS_PER_S;
    return t;
}

/* false: the deadline has passed */
static bool wait_until(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *end) {
    int failed = pthread_cond_timedwait(c, m, end);
    ASSERT(failed == 0 || failed == ETIMEDOUT);
    return failed == 0;
}

bool thread_wait_for(pthread_cond_t *c, pthread_mutex_t *m, Nanos timeout) {
    struct timespec end = deadline(timeout > 0 ? timeout : 0);
    return wait_until(c, m, &end);
}

void thread_signal(pthread_cond_t *c) { ASSERT(pthread_cond_signal(c) == 0); }

void thread_broadcast(pthread_cond_t *c) { ASSERT(pthread_cond_broadcast(c) == 0); }

/* ---- events: a semaphore, because who is woken by a condition meets the mutex of who wakes it */

void thread_event_init(ThreadEvent *e) { ASSERT(sem_init(e, 0, 0) == 0); }

void thread_event_fini(ThreadEvent *e) { ASSERT(sem_destroy(e) == 0); }

void thread_event_set(ThreadEvent *e) { ASSERT(sem_post(e) == 0); }

void thread_event_wait(ThreadEvent *e) {
    while (sem_wait(e) != 0) ASSERT(errno == EINTR);
}

/* ---- the queue: a ring under one mutex */

struct thread_queue {
    pthread_mutex_t mutex;
    pthread_cond_t filled, drained;
    size_t capacity, head, len;
    bool closed;
    void *items[];
};

struct thread_queue *thread_queue_new(size_t capacity) {
    ASSERT(capacity > 0 && capacity < SIZE_MAX / 2 / sizeof(void *));
    struct thread_queue *q = calloc(1, sizeof *q + capacity * sizeof q->items[0]);
    ASSERT(q != NULL);
    q->capacity = capacity;
    thread_mutex_init(&q->mutex);
    thread_cond_init(&q->filled);
    thread_cond_init(&q->drained);
    return q;
}

void thread_queue_free(struct thread_queue *q) {
    if (!q) return;
    thread_mutex_fini(&q->mutex);
    thread_cond_fini(&q->filled);
    thread_cond_fini(&q->drained);
    free(q);
}

static bool put(struct thread_queue *q, void *item) {
    if (q->closed || q->len == q->capacity) return false;
    q->items[(q->head + q->len++) % q->capacity] = item;
    thread_signal(&q->filled);
    return true;
}

bool thread_queue_push(struct thread_queue *q, void *item) {
    ASSERT(item != NULL); /* NULL is pop's "nothing" */
    thread_lock(&q->mutex);
    while (q->len == q->capacity && !q->closed) thread_wait(&q->drained, &q->mutex);
    bool ok = put(q, item);
    thread_unlock(&q->mutex);
    return ok;
}

bool thread_queue_try_push(struct thread_queue *q, void *item) {
    ASSERT(item != NULL);
    thread_lock(&q->mutex);
    bool ok = put(q, item);
    thread_unlock(&q->mutex);
    return ok;
}

static void *take(struct thread_queue *q) {
    if (q->len == 0) return NULL;
    void *item = q->items[q->head];
    q->head = (q->head + 1) % q->capacity;
    q->len--;
    thread_signal(&q->drained);
    return item;
}

void *thread_queue_pop(struct thread_queue *q, Nanos timeout) {
    struct timespec end = deadline(timeout > 0 ? timeout : 0);
    thread_lock(&q->mutex);
    while (q->len == 0 && !q->closed && timeout != 0) {
        if (timeout < 0)
            thread_wait(&q->filled, &q->mutex);
        else if (!wait_until(&q->filled, &q->mutex, &end))
            break;
    }
    void *item = take(q);
    thread_unlock(&q->mutex);
    return item;
}

size_t thread_queue_len(struct thread_queue *q) {
    thread_lock(&q->mutex);
    size_t n = q->len;
    thread_unlock(&q->mutex);
    return n;
}

void thread_queue_close(struct thread_queue *q) {
    thread_lock(&q->mutex);
    q->closed = true;
    thread_broadcast(&q->filled);
    thread_broadcast(&q->drained);
    thread_unlock(&q->mutex);
}
