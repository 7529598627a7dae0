#include "os/thread.h"

#include <stdatomic.h>

#include "os/clock.h"
#include "tests/unit.h"

static int numbers[8];

static void test_queue_alone(void) {
    unit_case("a queue keeps order and its bounds");
    struct thread_queue *q = thread_queue_new(3);
    CHECK(thread_queue_pop(q, 0) == NULL);
    Nanos from = clock_monotonic();
    CHECK(thread_queue_pop(q, 5 * NANOS_PER_MS) == NULL);
    CHECK(clock_monotonic() - from >= 5 * NANOS_PER_MS);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 3; i++) CHECK(thread_queue_push(q, &numbers[i]));
        CHECK(!thread_queue_try_push(q, &numbers[3]) && thread_queue_len(q) == 3);
        CHECK(thread_queue_pop(q, -1) == &numbers[0]);
        CHECK(thread_queue_try_push(q, &numbers[3]));
        for (int i = 1; i < 4; i++) CHECK(thread_queue_pop(q, NANOS_PER_S) == &numbers[i]);
    }
    CHECK(thread_queue_push(q, &numbers[5]));
    thread_queue_close(q);
    CHECK(!thread_queue_push(q, &numbers[6]) && !thread_queue_try_push(q, &numbers[6]));
    CHECK(thread_queue_pop(q, -1) == &numbers[5]);
    CHECK(thread_queue_pop(q, -1) == NULL);
    thread_queue_free(q);
    thread_queue_free(NULL);
}

enum { MAKERS = 3, TAKERS = 3, ITEMS = 20000 };

struct traffic {
    struct thread_queue *q;
    int items[MAKERS][ITEMS];
    atomic_int next_maker;
    atomic_long taken, sum, disorder;
};

static void make(void *ctx) {
    struct traffic *t = ctx;
    int me = atomic_fetch_add(&t->next_maker, 1);
    for (int i = 0; i < ITEMS; i++) {
        t->items[me][i] = me * ITEMS + i;
        if (i % 3 || !thread_queue_try_push(t->q, &t->items[me][i])) thread_queue_push(t->q, &t->items[me][i]);
    }
}

static void take(void *ctx) {
    struct traffic *t = ctx;
    int last[MAKERS] = {-1, -1, -1};
    for (int *item; (item = thread_queue_pop(t->q, -1));) {
        int maker = *item / ITEMS;
        if (*item <= last[maker]) atomic_fetch_add(&t->disorder, 1);
        last[maker] = *item;
        atomic_fetch_add(&t->taken, 1);
        atomic_fetch_add(&t->sum, *item);
    }
}

static void test_queue_shared(void) {
    static struct traffic t;
    struct thread *makers[MAKERS], *takers[TAKERS];
    unit_case("three threads put, three take: each item once, each maker's in order");
    t.q = thread_queue_new(16);
    for (int i = 0; i < TAKERS; i++) CHECK_OK(thread_start(&takers[i], "test-take", take, &t));
    for (int i = 0; i < MAKERS; i++) CHECK_OK(thread_start(&makers[i], "test-make", make, &t));
    for (int i = 0; i < MAKERS; i++) thread_join(makers[i]);
    thread_queue_close(t.q);
    for (int i = 0; i < TAKERS; i++) thread_join(takers[i]);
    long n = MAKERS * ITEMS;
    CHECK_INT(atomic_load(&t.taken), n);
    CHECK_INT(atomic_load(&t.sum), n * (n - 1) / 2);
    CHECK_INT(atomic_load(&t.disorder), 0);
    thread_queue_free(t.q);
}

static void push_one(void *ctx) {
    struct traffic *t = ctx;
    atomic_store(&t->taken, thread_queue_push(t->q, &numbers[1]) ? 1 : 2);
}

static void test_close_wakes(void) {
    static struct traffic t;
    struct thread *thread;
    unit_case("close wakes whoever waits");
    t.q = thread_queue_new(1);
    thread_queue_push(t.q, &numbers[0]);
    CHECK_OK(thread_start(&thread, "test-push", push_one, &t));
    clock_sleep(5 * NANOS_PER_MS);
    thread_queue_close(t.q);
    thread_join(thread);
    CHECK_INT(atomic_load(&t.taken), 2);
    thread_queue_free(t.q);
}

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool open;
};

static void open_gate(void *ctx) {
    struct gate *g = ctx;
    thread_lock(&g->mutex);
    g->open = true;
    thread_broadcast(&g->changed);
    thread_unlock(&g->mutex);
}

static void test_condition(void) {
    struct gate g = {.open = false};
    struct thread *thread;
    unit_case("waiting with and without an end");
    thread_mutex_init(&g.mutex);
    thread_cond_init(&g.changed);
    thread_lock(&g.mutex);
    Nanos from = clock_monotonic();
    while (thread_wait_for(&g.changed, &g.mutex, 3 * NANOS_PER_MS)) {
    }
    CHECK(clock_monotonic() - from >= 3 * NANOS_PER_MS);
    CHECK(!thread_wait_for(&g.changed, &g.mutex, -1));
    CHECK_OK(thread_start(&thread, "test-gate-open", open_gate, &g));
    while (!g.open) thread_wait(&g.changed, &g.mutex);
    thread_unlock(&g.mutex);
    thread_join(thread);
    thread_cond_fini(&g.changed);
    thread_mutex_fini(&g.mutex);
}

void thread_test(void) {
    test_queue_alone();
    test_queue_shared();
    test_close_wakes();
    test_condition();
}
