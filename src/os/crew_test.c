#include "os/crew.h"

#include <stdatomic.h>

#include "os/clock.h"
#include "os/thread.h"
#include "tests/unit.h"

void crew_test(void);

struct world {
    struct crew *crew;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int running, most_running, waiting, done;
    bool open, waits;
};

static void work(void *ctx, void *item) {
    struct world *w = ctx;
    (void)item;
    thread_lock(&w->lock);
    if (++w->running > w->most_running) w->most_running = w->running;
    thread_unlock(&w->lock);
    clock_sleep(NANOS_PER_MS);
    thread_lock(&w->lock);
    if (w->waits) {
        w->running--;
        crew_wait_begin();
        w->waiting++;
        thread_broadcast(&w->changed);
        while (!w->open) thread_wait(&w->changed, &w->lock);
        crew_wait_end();
        w->running++;
    }
    w->running--;
    w->done++;
    thread_broadcast(&w->changed);
    thread_unlock(&w->lock);
}

static void open_world(struct world *w, bool waits) {
    *w = (struct world){.waits = waits};
    thread_mutex_init(&w->lock);
    thread_cond_init(&w->changed);
    CHECK_OK(crew_start(
        &(struct crew_options){.name = "crew", .running = 2, .most = 10, .max_waiting = 20, .work = work, .ctx = w},
        &w->crew));
}

static void close_world(struct world *w) {
    crew_stop(w->crew);
    thread_cond_fini(&w->changed);
    thread_mutex_fini(&w->lock);
}

void crew_test(void) {
    struct world w;
    unit_case("everything is done, and only so many run at once");
    open_world(&w, false);
    for (int i = 0; i < 20; i++) CHECK(crew_try_push(w.crew, &w));
    close_world(&w);
    CHECK_INT(w.done, 20);
    CHECK_INT(w.most_running, 2);

    unit_case("who waits lets others run, up to the most");
    open_world(&w, true);
    for (int i = 0; i < 20; i++) CHECK(crew_try_push(w.crew, &w));
    thread_lock(&w.lock);
    while (w.waiting < 10) thread_wait(&w.changed, &w.lock);
    thread_unlock(&w.lock);
    CHECK_INT(crew_len(w.crew), 10);
    CHECK_INT(w.done, 0);
    unit_case("a full queue takes no more");
    for (int i = 0; i < 10; i++) CHECK(crew_try_push(w.crew, &w));
    CHECK(!crew_try_push(w.crew, &w));
    thread_lock(&w.lock);
    w.open = true;
    thread_broadcast(&w.changed);
    thread_unlock(&w.lock);
    close_world(&w);
    CHECK_INT(w.done, 30);

    unit_case("outside a crew a wait is only a wait");
    crew_wait_begin();
    crew_wait_end();
    unit_case("one that does nothing ends");
    open_world(&w, false);
    close_world(&w);
    CHECK_INT(w.done, 0);
}
