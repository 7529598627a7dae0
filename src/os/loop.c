#include "os/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "os/clock.h"

#define READY_MAX 256 /* sources served in one turn */
#define SLOTS 1024    /* of the timer wheel, LOOP_TICK each; a later timer stays in its slot for another round */
#define WORDS (SLOTS / 64)

struct loop {
    int epoll, event;
    struct loop_hooks hooks;
    Nanos now;
    bool stopped;
    atomic_bool woken;
    struct loop_source wake;
    int n_ready;
    struct epoll_event ready[READY_MAX];
    uint64_t tick; /* all slots before it were served */
    size_t n_timers;
    uint64_t used[WORDS]; /* a bit for each slot that may have timers */
    struct loop_timer *slots[SLOTS];
};

static void on_event(struct loop_source *self, unsigned events) {
    (void)events;
    struct loop *loop = (struct loop *)(void *)((char *)self - offsetof(struct loop, wake));
    uint64_t n;
    while (read(loop->event, &n, sizeof n) == (ssize_t)sizeof n) continue;
    /* Lowered before the mail is read, so that mail posted meanwhile wakes again. */
    atomic_store(&loop->woken, false);
    if (loop->hooks.on_wake) loop->hooks.on_wake(loop->hooks.ctx);
}

Err loop_open(const struct loop_hooks *hooks, struct loop **out) {
    struct loop *loop = calloc(1, sizeof *loop);
    ASSERT(loop);
    loop->hooks = *hooks;
    loop->now = clock_monotonic();
    loop->tick = (uint64_t)(loop->now / LOOP_TICK);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    loop->wake.on_ready = on_event;
    Err err = err_none();
    if (loop->epoll < 0 || loop->event < 0)
        err = err_errno(ERR_IO, errno, "cannot make an event loop");
    else
        err = loop_add(loop, &loop->wake, loop->event, LOOP_READ);
    if (err.code != ERR_NONE) {
        loop_close(loop);
        return err;
    }
    *out = loop;
    return err_none();
}

void loop_close(struct loop *loop) {
    if (!loop) return;
    if (loop->epoll >= 0) close(loop->epoll);
    if (loop->event >= 0) close(loop->event);
    free(loop);
}

static struct epoll_event wish(struct loop_source *source, unsigned interest) {
    uint32_t events = (interest & LOOP_READ ? EPOLLIN : 0) | (interest & LOOP_WRITE ? EPOLLOUT : 0);
    return (struct epoll_event){.events = events, .data.ptr = source};
}

Err loop_add(struct loop *loop, struct loop_source *source, int fd, unsigned interest) {
    struct epoll_event event = wish(source, interest);
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        return err_errno(ERR_IO, errno, "cannot watch descriptor %d", fd);
    source->fd = fd;
    source->interest = interest;
    return err_none();
}

void loop_want(struct loop *loop, struct loop_source *source, unsigned interest) {
    if (source->interest == interest) return;
    struct epoll_event event = wish(source, interest);
    ASSERT(epoll_ctl(loop->epoll, EPOLL_CTL_MOD, source->fd, &event) == 0);
    source->interest = interest;
}

void loop_remove(struct loop *loop, struct loop_source *source) {
    ASSERT(epoll_ctl(loop->epoll, EPOLL_CTL_DEL, source->fd, NULL) == 0);
    for (int i = 0; i < loop->n_ready; i++)
        if (loop->ready[i].data.ptr == source) loop->ready[i].data.ptr = NULL;
}

Nanos loop_now(const struct loop *loop) { return loop->now; }

/* ---- timers */

void loop_timer_clear(struct loop *loop, struct loop_timer *timer) {
    if (!timer->prev) return;
    *timer->prev = timer->next;
    if (timer->next) timer->next->prev = timer->prev;
    timer->prev = NULL;
    timer->next = NULL;
    loop->n_timers--;
}

void loop_timer_set(struct loop *loop, struct loop_timer *timer, Nanos after) {
    loop_timer_clear(loop, timer);
    timer->due = loop->now + (after > 0 ? after : 0);
    /* The slot after the one its time falls into: it is served when that time has passed for certain. */
    uint64_t tick = (uint64_t)(timer->due / LOOP_TICK) + 1;
    if (tick < loop->tick) tick = loop->tick;
    size_t slot = tick % SLOTS;
    timer->next = loop->slots[slot];
    timer->prev = &loop->slots[slot];
    if (timer->next) timer->next->prev = &timer->next;
    loop->slots[slot] = timer;
    loop->used[slot / 64] |= UINT64_C(1) << (slot % 64);
    loop->n_timers++;
}

static void serve_slot(struct loop *loop, size_t slot) {
    /* The list is moved aside first: a timer may set itself or others again, into this very slot. */
    struct loop_timer *due = loop->slots[slot];
    loop->slots[slot] = NULL;
    loop->used[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    if (due) due->prev = &due;
    while (due) {
        struct loop_timer *timer = due;
        if (timer->due > loop->now) { /* a later round's */
            loop_timer_set(loop, timer, timer->due - loop->now);
            continue;
        }
        loop_timer_clear(loop, timer);
        timer->on_due(timer);
    }
}

static void serve_timers(struct loop *loop) {
    uint64_t now = (uint64_t)(loop->now / LOOP_TICK);
    if (now >= loop->tick + SLOTS) loop->tick = now - SLOTS + 1; /* long asleep: each slot once is enough */
    for (; loop->tick <= now; loop->tick++) {
        size_t slot = loop->tick % SLOTS;
        if (loop->used[slot / 64] >> (slot % 64) & 1) serve_slot(loop, slot);
    }
}

/* Until the next slot that may hold a timer; -1 without timers. */
static Nanos until_timer(const struct loop *loop, Nanos now) {
    if (loop->n_timers == 0) return -1;
    for (uint64_t i = 0; i < SLOTS; i++) {
        size_t slot = (loop->tick + i) % SLOTS;
        uint64_t word = loop->used[slot / 64] >> (slot % 64);
        if (word == 0) {
            i += 63 - slot % 64;
            continue;
        }
        i += (unsigned)__builtin_ctzll(word);
        Nanos at = (Nanos)(loop->tick + i) * LOOP_TICK;
        return at > now ? at - now : 0;
    }
    return SLOTS * LOOP_TICK;
}

/* ---- turns */

static int wait_ms(struct loop *loop, Nanos max_wait) {
    Nanos wait = until_timer(loop, loop->now);
    if (wait < 0 || (max_wait >= 0 && max_wait < wait)) wait = max_wait;
    if (wait < 0) return -1;
    return wait > NANOS_PER_HOUR ? 3600000 : (int)((wait + NANOS_PER_MS - 1) / NANOS_PER_MS);
}

static unsigned seen(uint32_t events) {
    unsigned out = 0;
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) out |= LOOP_READ;
    if (events & EPOLLOUT) out |= LOOP_WRITE;
    if (events & (EPOLLHUP | EPOLLERR)) out |= LOOP_HANGUP;
    return out;
}

void loop_turn(struct loop *loop, Nanos max_wait) {
    loop->now = clock_monotonic();
    int n = epoll_wait(loop->epoll, loop->ready, READY_MAX, wait_ms(loop, max_wait));
    ASSERT(n >= 0 || errno == EINTR);
    loop->now = clock_monotonic();
    loop->n_ready = n < 0 ? 0 : n;
    for (int i = 0; i < loop->n_ready; i++) {
        struct loop_source *source = loop->ready[i].data.ptr;
        if (source) source->on_ready(source, seen(loop->ready[i].events));
    }
    loop->n_ready = 0;
    serve_timers(loop);
    if (loop->hooks.on_turn) loop->hooks.on_turn(loop->hooks.ctx);
}

void loop_run(struct loop *loop) {
    while (!loop->stopped) loop_turn(loop, -1);
    loop->stopped = false;
}

void loop_stop(struct loop *loop) { loop->stopped = true; }

void loop_wake(struct loop *loop) {
    if (atomic_exchange(&loop->woken, true)) return;
    uint64_t one = 1;
    ASSERT(write(loop->event, &one, sizeof one) == (ssize_t)sizeof one);
}
