/* Threads, locks and a bounded hand-over queue. Atomics are C11's own <stdatomic.h>. */
#ifndef OS_THREAD_H
#define OS_THREAD_H

#include <pthread.h>
#include <semaphore.h>

#include "base/err.h"
#include "base/time.h"

typedef pthread_mutex_t ThreadMutex;
#define THREAD_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER

struct thread; /* a running thread */
/* name: at most 15 characters, seen in top. ERR_LIMIT when the system gives no more threads. */
Err thread_start(struct thread **out, const char *name, void (*run)(void *ctx), void *ctx);
void thread_join(struct thread *thread); /* waits and frees */

void thread_mutex_init(pthread_mutex_t *m);
void thread_mutex_fini(pthread_mutex_t *m);
void thread_lock(pthread_mutex_t *m);
void thread_unlock(pthread_mutex_t *m);
void thread_cond_init(pthread_cond_t *c); /* monotonic clock */
void thread_cond_fini(pthread_cond_t *c);
void thread_wait(pthread_cond_t *c, pthread_mutex_t *m);
bool thread_wait_for(pthread_cond_t *c, pthread_mutex_t *m, Nanos timeout); /* false: timed out */
void thread_signal(pthread_cond_t *c);
void thread_broadcast(pthread_cond_t *c);

/* Something that happens once: one thread waits for it, another tells it. The one that waited may end it at once. */
typedef sem_t ThreadEvent;
void thread_event_init(ThreadEvent *e);
void thread_event_fini(ThreadEvent *e);
void thread_event_set(ThreadEvent *e);
void thread_event_wait(ThreadEvent *e);

/* Bounded queue of pointers, any number of threads at both ends. */
struct thread_queue;
struct thread_queue *thread_queue_new(size_t capacity);
void thread_queue_free(struct thread_queue *q);
bool thread_queue_push(struct thread_queue *q, void *item);     /* waits while full; false once closed */
bool thread_queue_try_push(struct thread_queue *q, void *item); /* false: full or closed */
/* Waits; NULL: timed out, or closed and empty. timeout < 0: for ever. */
void *thread_queue_pop(struct thread_queue *q, Nanos timeout);
size_t thread_queue_len(struct thread_queue *q);
void thread_queue_close(struct thread_queue *q); /* wakes all; what is inside can still be popped */

#endif
