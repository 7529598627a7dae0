#include "app/demo_clock.h"

static Nanos now_locked(const struct demo_clock *c) {
    if (c->speed <= 0 || c->limit <= c->at) return c->at;
    double passed = (double)(clock_monotonic() - c->started) * c->speed;
    return passed >= (double)(c->limit - c->at) ? c->limit : c->at + (Nanos)passed;
}

static Nanos now(void *ctx) {
    struct demo_clock *c = ctx;
    thread_lock(&c->lock);
    Nanos t = now_locked(c);
    thread_unlock(&c->lock);
    return t;
}

void demo_clock_init(struct demo_clock *c, Nanos at, double speed) {
    *c = (struct demo_clock){.at = at, .limit = at, .speed = speed, .started = clock_monotonic()};
    c->clock = (struct clock){.now = now, .ctx = c};
    thread_mutex_init(&c->lock);
}

void demo_clock_fini(struct demo_clock *c) { thread_mutex_fini(&c->lock); }

static void move(struct demo_clock *c, Nanos at, Nanos limit) {
    thread_lock(&c->lock);
    Nanos t = now_locked(c);
    c->at = at > t ? at : t;
    c->limit = limit > c->at ? limit : c->at;
    c->started = clock_monotonic();
    thread_unlock(&c->lock);
}

void demo_clock_set(struct demo_clock *c, Nanos at) { move(c, at, INT64_MIN); }

void demo_clock_run(struct demo_clock *c, Nanos limit) { move(c, INT64_MIN, limit); }

Nanos demo_clock_wait(const struct demo_clock *c, Nanos until) {
    Nanos t = clock_now(&c->clock);
    if (c->speed <= 0 || until <= t) return 0;
    double wait = (double)(until - t) / c->speed;
    return wait < (double)NANOS_PER_DAY ? (Nanos)wait : NANOS_PER_DAY;
}
