/*
 * Things are handed out a few at a time, in order, to the caller's thread and as many more as were asked for. Threads
 * are started for each reading: that costs some 30 us each, which is only spent where there is much to read.
 */
#include <stdlib.h>

#include "store/series_batch_read.h"

#define HANDED_MAX 64     /* things at a time: chunks that they share are then decoded by one thread */
#define HANDINGS 16       /* to a thread, at least, so that they end together */
#define THINGS_A_THREAD 4 /* fewer are not worth a thread */

struct crew {
    struct series_batch_work work;
    const ThingId *things; /* NULL: 1 .. n */
    size_t n, handed;
};

struct hand {
    struct crew *crew;
    unsigned worker;
    struct thread *thread;
    Err failure;
};

static void read_some(void *ctx) {
    struct hand *hand = ctx;
    struct crew *crew = hand->crew;
    struct series_batch_work *work = &crew->work;
    struct series_batch_reader *reader = series_batch_read_open(work, hand->worker);
    for (;;) {
        size_t at = atomic_fetch_add(&work->next, crew->handed);
        if (at >= crew->n || atomic_load(&work->stopped)) break;
        size_t end = crew->n - at < crew->handed ? crew->n : at + crew->handed;
        for (; at < end; at++) series_batch_read_thing(reader, crew->things ? crew->things[at] : (ThingId)(at + 1));
    }
    hand->failure = series_batch_read_failure(reader);
    series_batch_read_close(reader);
}

static unsigned worth_starting(const struct crew *crew, unsigned asked) {
    size_t worth = crew->n / THINGS_A_THREAD;
    unsigned most = asked > SERIES_ASK_WORKERS_MAX ? SERIES_ASK_WORKERS_MAX : asked;
    return worth < most ? (worth ? (unsigned)worth : 1) : most ? most : 1;
}

static Err read_all(struct crew *crew, unsigned n) {
    struct hand hands[SERIES_ASK_WORKERS_MAX] = {{.crew = crew}};
    crew->handed = crew->n / ((size_t)n * HANDINGS);
    crew->handed = crew->handed > HANDED_MAX ? HANDED_MAX : crew->handed ? crew->handed : 1;
    for (unsigned i = 1; i < n; i++) {
        hands[i] = (struct hand){.crew = crew, .worker = i};
        Err err = thread_start(&hands[i].thread, "series-read", read_some, &hands[i]);
        if (err.code) hands[i].thread = NULL; /* those that there are do it all */
    }
    read_some(&hands[0]);
    Err failure = hands[0].failure;
    for (unsigned i = 1; i < n; i++) {
        if (hands[i].thread) thread_join(hands[i].thread);
        if (hands[i].failure.code && !failure.code) failure = hands[i].failure;
    }
    return failure;
}

Err series_batch_crew_read(struct series_engine *engine, const struct series_asked *asked, series_batch_sink *sink,
                           void *ctx) {
    const struct series_ask *ask = &asked->ask;
    struct crew crew = {.work = {.engine = engine, .asked = asked, .sink = sink, .ctx = ctx}, .things = ask->things};
    crew.n = ask->things ? ask->n_things : series_names_count(engine->front.names, SERIES_NAME_THING);
    crew.work.now = series_gather_hold(engine);
    Err err = read_all(&crew, worth_starting(&crew, ask->workers));
    series_gather_let_go(&crew.work.now);
    return crew.work.cancelled ? err_make(ERR_CANCELLED, "the reading was stopped") : err;
}
