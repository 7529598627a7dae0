#include "domain/service/service_stock.h"

#include <stdio.h>

#include "os/thread.h"
#include "tests/lib/domain_rig.h"
#include "tests/lib/model_machinery.h"

#define THREADS 6
#define EACH 4
#define ON_HAND 9

struct worker {
    struct domain_rig *rig;
    struct service *service;
    struct thread *thread;
    int64_t part;
    atomic_int *got;
};

#define TYPE(name) model_machinery_type(name)

static void reserve_some(void *ctx) {
    struct worker *w = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    for (int i = 0; i < EACH; i++) {
        struct doc *reservation = NULL;
        if (CHECK_OK(service_stock_reserve(w->service, w->rig->party, w->part, 0, &arena, &reservation)) && reservation)
            atomic_fetch_add(w->got, 1);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

static int count_standing(struct domain_rig *rig, const char *state) {
    int n = 0;
    for (int64_t id = 1; id <= THREADS * EACH; id++)
        n += doctype_in_state(domain_rig_get(rig, TYPE("reservation"), id), state);
    return n;
}

/* Many at once, over the reactions that settle each reservation too: what is on hand is given out, once. */
static void many_at_once(void) {
    struct domain_rig rig;
    atomic_int got = 0;
    unit_case("six threads reserve the same part; exactly what is on hand is given out");
    if (!domain_rig_open(&rig)) return;
    struct service *service = NULL;
    struct service_options options = {.documents = rig.documents, .things = rig.things};
    if (!CHECK_OK(service_open(&options, &service))) return;
    int64_t part = domain_rig_part(&rig, "P", "comp1", ON_HAND, 31);
    struct worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.rig = &rig, .service = service, .part = part, .got = &got};
        CHECK_OK(thread_start(&workers[i].thread, "reserve", reserve_some, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) thread_join(workers[i].thread);
    act_drain(rig.act);
    CHECK_INT(atomic_load(&got), ON_HAND);
    CHECK_INT(count_standing(&rig, "reserved"), ON_HAND);
    CHECK_INT(count_standing(&rig, "released"), THREADS * EACH - ON_HAND);
    CHECK_STR(domain_rig_show(&rig, TYPE("part"), part, "reserved"), STR("9"));

    unit_case("using and releasing them, over a restart, ends with nothing lost and nothing taken twice");
    int n = 0;
    for (int64_t id = 1; id <= THREADS * EACH; id++) {
        if (!doctype_in_state(domain_rig_get(&rig, TYPE("reservation"), id), "reserved")) continue;
        if (n == 5 && !domain_rig_reopen(&rig)) break;
        CHECK_OK(domain_rig_move(&rig, TYPE("reservation"), id, n % 3 ? "use" : "release", NULL));
        if (n++ % 3 == 0) continue;
        CHECK_OK(service_stock_used(rig.service, rig.party, id, &rig.arena)); /* the reaction again */
    }
    act_drain(rig.act);
    CHECK_STR(domain_rig_show(&rig, TYPE("part"), part, "on_hand"), STR("3"));
    CHECK_STR(domain_rig_show(&rig, TYPE("part"), part, "reserved"), STR("0"));
    service_close(service);
    domain_rig_close(&rig);
}

/* People change the part all the while. */
static void stir(void *ctx) {
    struct worker *w = ctx;
    struct principal who = domain_rig_person(w->rig, "keeper", ROLE_STAFF);
    struct arena arena;
    arena_init(&arena, 0);
    for (int i = 0; i < 60; i++) {
        char place[24];
        snprintf(place, sizeof place, "shelf %d", i);
        struct doc_set set = {"location", VALUE_S(str_c(place))};
        struct doc *doc;
        CHECK_OK(documents_change(w->rig->documents, &who, TYPE("part"), w->part,
                                  &(struct doc_change){.set = &set, .n = 1}, &arena, &doc));
    }
    arena_fini(&arena);
}

static void while_it_changes(void) {
    struct domain_rig rig;
    atomic_int got = 0;
    unit_case("a part that others edit meanwhile is counted right all the same");
    if (!domain_rig_open(&rig)) return;
    int64_t part = domain_rig_part(&rig, "P", "comp1", 100, 31);
    struct worker one = {.rig = &rig, .service = rig.service, .part = part, .got = &got}, other = one;
    CHECK_OK(thread_start(&one.thread, "reserve", reserve_some, &one));
    CHECK_OK(thread_start(&other.thread, "stir", stir, &other));
    thread_join(one.thread);
    thread_join(other.thread);
    act_drain(rig.act);
    CHECK_INT(atomic_load(&got), EACH);
    CHECK_STR(domain_rig_show(&rig, TYPE("part"), part, "reserved"), STR("4"));
    CHECK_STR(domain_rig_show(&rig, TYPE("part"), part, "on_hand"), STR("100"));
    domain_rig_close(&rig);
}

void service_stock_test(void) {
    many_at_once();
    while_it_changes();
}
