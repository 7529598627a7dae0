#include "act/reactions.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/act_rig.h"

/* What the reactions saw, in order: one letter an event. */
struct log {
    char text[128];
    atomic_size_t n;
    atomic_int refuse; /* this many times busy */
    atomic_int ticks;
};

static void say(struct log *log, char c) {
    size_t n = atomic_fetch_add(&log->n, 1);
    if (n < sizeof log->text - 1) log->text[n] = c;
}

static Err on_create(void *ctx, const struct reaction_event *e) {
    (void)e;
    say(ctx, 'c');
    return err_none();
}

static Err on_any(void *ctx, const struct reaction_event *e) {
    struct log *log = ctx;
    if (atomic_load(&log->refuse) > 0) {
        atomic_fetch_sub(&log->refuse, 1);
        say(log, '!');
        return err_make(ERR_BUSY, "not yet");
    }
    say(log, (char)e->row->what.ptr[0]);
    return err_none();
}

static Err on_acknowledge(void *ctx, const struct reaction_event *e) {
    (void)e;
    say(ctx, 'x');
    return err_make(ERR_INVALID, "never works");
}

static Err tick(void *ctx, Nanos now, struct arena *arena) {
    (void)now, (void)arena;
    atomic_fetch_add(&((struct log *)ctx)->ticks, 1);
    return err_none();
}

static const struct reaction table[] = {{"alarm", "create", on_create},
                                        {"alarm", NULL, on_any},
                                        {"alarm", "acknowledge", on_acknowledge},
                                        {"order", NULL, on_create},
                                        {.run = NULL}};
static const struct reaction_timer timers[] = {{"hourly", NANOS_PER_HOUR, tick}, {.run = NULL}};

static bool start(struct act_rig *rig, struct log *log, struct reactions **out) {
    static struct reaction_set set; /* outlives the call, as an owner's would */
    set = (struct reaction_set){.reactions = table, .timers = timers, .ctx = log};
    struct reactions_options options = {.documents = rig->documents, .clock = &rig->clock, .sets = &set, .n_sets = 1};
    return CHECK_OK(reactions_start(&options, out));
}

static int64_t make(struct act_rig *rig) {
    struct principal who = {.party = rig->party, .roles = ROLE_BIT(ROLE_OPERATOR), .name = "li.wei"};
    struct doc_set set = {"thing", VALUE_S(STR("oven-1"))};
    struct doc *doc = NULL;
    const struct doctype *type = documents_type(rig->documents, STR("alarm"));
    CHECK_OK(
        documents_create(rig->documents, &who, type, &(struct doc_change){.set = &set, .n = 1}, &rig->arena, &doc));
    return doc ? doc->id : 0;
}

static void acknowledge(struct act_rig *rig, int64_t id) {
    struct principal who = {.party = rig->party, .roles = ROLE_BIT(ROLE_OPERATOR), .name = "li.wei"};
    struct doc *doc;
    const struct doctype *type = documents_type(rig->documents, STR("alarm"));
    CHECK_OK(documents_transition(rig->documents, &who, type, id, STR("acknowledge"), NULL, &rig->arena, &doc));
}

static void in_order(void) {
    struct act_rig rig;
    struct log log = {.n = 0};
    struct reactions *r;
    struct reactions_stats stats;
    uint64_t rows;
    unit_case("every row that matches runs, in the order of events; a failure is passed by");
    if (!act_rig_open(&rig) || !start(&rig, &log, &r)) return;
    int64_t id = make(&rig);
    acknowledge(&rig, id);
    CHECK(reactions_drain(r, &rows));
    CHECK_INT(rows, 2);
    CHECK_STR(str_c(log.text), STR("ccax"));
    reactions_stats(r, &stats);
    CHECK_INT(stats.failed, 1);
    unit_case("busy is tried again");
    atomic_store(&log.refuse, 3);
    make(&rig);
    CHECK(reactions_drain(r, &rows));
    CHECK_STR(str_c(log.text), STR("ccaxc!!!c"));
    unit_case("it does not try for ever");
    atomic_store(&log.refuse, 1000);
    make(&rig);
    CHECK(reactions_drain(r, &rows));
    CHECK_STR(str_c(log.text), STR("ccaxc!!!cc!!!!!!"));
    reactions_stop(r);
    act_rig_close(&rig);
}

static void over_restarts(void) {
    struct act_rig rig;
    struct log log = {.n = 0};
    struct reactions *r;
    uint64_t rows;
    unit_case("what happened while nobody listened is not lost, and nothing is done twice after a clean stop");
    if (!act_rig_open(&rig)) return;
    make(&rig);
    make(&rig);
    if (!start(&rig, &log, &r)) return;
    CHECK(reactions_drain(r, &rows));
    CHECK_STR(str_c(log.text), STR("cccc"));
    reactions_stop(r);
    make(&rig);
    if (!act_rig_reopen(&rig) || !start(&rig, &log, &r)) return;
    CHECK(reactions_drain(r, &rows));
    CHECK_STR(str_c(log.text), STR("cccccc"));
    CHECK_INT(rows, 1);
    reactions_stop(r);
    act_rig_close(&rig);
}

static void by_the_clock(void) {
    struct act_rig rig;
    struct log log = {.n = 0};
    struct reactions *r;
    uint64_t rows;
    unit_case("timers follow the platform's clock: at the start, then once a period, however far it jumps");
    if (!act_rig_open(&rig) || !start(&rig, &log, &r)) return;
    static const struct {
        int minutes, ticks;
    } steps[] = {{0, 1}, {59, 1}, {60, 2}, {61, 2}, {119, 2}, {600, 3}, {601, 3}, {30, 4}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        atomic_store(&rig.now, NANOS_PER_DAY + steps[i].minutes * NANOS_PER_MIN);
        CHECK(reactions_drain(r, &rows));
        CHECK_INT(atomic_load(&log.ticks), steps[i].ticks);
    }
    reactions_stop(r);
    act_rig_close(&rig);
}

void reactions_test(void) {
    in_order();
    over_restarts();
    by_the_clock();
}
