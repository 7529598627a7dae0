#include "os/loop.h"

#include <stdatomic.h>
#include <string.h>

#include "os/clock.h"
#include "os/net.h"
#include "os/thread.h"
#include "tests/unit.h"

struct ticker {
    struct loop_timer timer;
    struct loop *loop;
    int fired;
    Nanos again, set_at, fired_at;
};

static void tick(struct loop_timer *self) {
    struct ticker *t = (struct ticker *)(void *)self;
    t->fired++;
    t->fired_at = clock_monotonic();
    if (t->again) loop_timer_set(t->loop, self, t->again);
}

static void run_until(struct loop *loop, const int *counter, int want) {
    Nanos end = clock_monotonic() + 5 * NANOS_PER_S;
    while (*counter < want && clock_monotonic() < end) loop_turn(loop, 20 * NANOS_PER_MS);
}

static void timers(void) {
    unit_case("timers");
    struct loop *loop;
    struct loop_hooks hooks = {0};
    CHECK_OK(loop_open(&hooks, &loop));
    struct ticker once = {.timer.on_due = tick, .loop = loop, .set_at = clock_monotonic()};
    struct ticker often = {.timer.on_due = tick, .loop = loop, .again = 60 * NANOS_PER_MS};
    struct ticker never = {.timer.on_due = tick, .loop = loop};
    struct ticker late = {.timer.on_due = tick, .loop = loop};
    loop_timer_set(loop, &once.timer, 70 * NANOS_PER_MS);
    loop_timer_set(loop, &often.timer, 0);
    loop_timer_set(loop, &never.timer, 60 * NANOS_PER_MS);
    loop_timer_set(loop, &late.timer, 10 * NANOS_PER_HOUR); /* many rounds of the wheel away */
    loop_timer_clear(loop, &never.timer);
    run_until(loop, &often.fired, 4);
    CHECK_INT(once.fired, 1);
    CHECK(once.fired_at - once.set_at >= 70 * NANOS_PER_MS);
    CHECK(often.fired >= 4);
    CHECK_INT(never.fired, 0);
    CHECK_INT(late.fired, 0);
    loop_close(loop);
}

struct echo {
    struct loop_source source;
    struct loop *loop;
    int wakes, reads;
    char got[64];
    size_t n;
};

static void echo_ready(struct loop_source *self, unsigned events) {
    struct echo *e = (struct echo *)(void *)self;
    if (!(events & LOOP_READ)) return;
    ptrdiff_t n = net_recv(self->fd, e->got + e->n, sizeof e->got - e->n);
    if (n > 0) e->n += (size_t)n, e->reads++;
}

static void woken(void *ctx) { ((struct echo *)ctx)->wakes++; }

static void wake_it(void *ctx) {
    for (int i = 0; i < 1000; i++) loop_wake(ctx);
}

static void sockets(const char *address) {
    unit_case(address);
    struct echo e = {.source.on_ready = echo_ready};
    struct loop_hooks hooks = {.on_wake = woken, .ctx = &e};
    struct loop *loop;
    CHECK_OK(loop_open(&hooks, &loop));
    int listener, client;
    char at[NET_ADDRESS_MAX], peer[NET_ADDRESS_MAX], own[NET_ADDRESS_MAX];
    Err err = net_listen(address, &listener);
    if (err.code != ERR_NONE) {
        unit_skip("this machine has no such address");
        loop_close(loop);
        return;
    }
    net_address(listener, at);
    CHECK(net_port(listener) != 0);
    CHECK_INT(net_accept(listener), -1);
    CHECK(!net_accept_exhausted());
    CHECK_OK(net_connect(at, NANOS_PER_S, &client));
    CHECK(net_wait(listener, true, false, NANOS_PER_S));
    int server = net_accept(listener);
    CHECK(server >= 0);
    net_peer(server, peer);
    net_address(client, own);
    CHECK_STR(str_c(peer), str_c(own));
    CHECK_OK(loop_add(loop, &e.source, server, LOOP_READ));
    CHECK_INT(net_send(client, "hello", 5), 5);
    run_until(loop, &e.reads, 1);
    CHECK_STR(str_n(e.got, e.n), STR("hello"));
    loop_want(loop, &e.source, 0);
    CHECK_INT(net_send(client, "!", 1), 1);
    struct thread *thread;
    CHECK_OK(thread_start(&thread, "waker", wake_it, loop));
    run_until(loop, &e.wakes, 1);
    thread_join(thread);
    CHECK_INT(e.reads, 1);
    loop_want(loop, &e.source, LOOP_READ);
    run_until(loop, &e.reads, 2);
    CHECK_INT(e.n, 6);
    loop_remove(loop, &e.source);
    net_close(client);
    CHECK(net_wait(server, true, false, NANOS_PER_S));
    CHECK_INT(net_recv(server, e.got, sizeof e.got), NET_CLOSED);
    net_close(server);
    net_close(listener);
    loop_close(loop);
}

static void bad_addresses(void) {
    static const char *const bad[] = {
        "", "1883", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"};
    int fd;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unit_case(bad[i]);
        CHECK_ERR(net_listen(bad[i], &fd), ERR_INVALID);
    }
    unit_case("nobody listens");
    CHECK_OK(net_listen("127.0.0.1:0", &fd));
    char at[NET_ADDRESS_MAX];
    net_address(fd, at);
    int other;
    CHECK_ERR(net_listen(at, &other), ERR_IO);
    net_close(fd);
    CHECK_ERR(net_connect(at, NANOS_PER_S, &other), ERR_IO);
}

void loop_test(void) {
    timers();
    sockets("127.0.0.1:0");
    sockets("[::1]:0");
    sockets("localhost:0");
    sockets(":0");
    bad_addresses();
}
