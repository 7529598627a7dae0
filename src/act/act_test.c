#include "act/act.h"

#include <stdatomic.h>

#include "tests/lib/act_rig.h"

struct heard {
    atomic_int predictions, ends, slow;
    char texts[64];
};

static Err on_prediction(void *ctx, const struct finding *f, struct arena *arena) {
    struct heard *heard = ctx;
    (void)arena;
    if (atomic_load(&heard->slow)) clock_sleep(NANOS_PER_MS);
    CHECK_STR(f->reasons[0].text_zh, STR("过热"));
    atomic_fetch_add(&heard->predictions, 1);
    return err_none();
}

static Err on_end(void *ctx, const struct finding *f, struct arena *arena) {
    (void)arena;
    if (f->clears == FINDING_PREDICTION) atomic_fetch_add(&((struct heard *)ctx)->ends, 1);
    return err_make(ERR_INVALID, "is counted");
}

static const struct act_listener listeners[] = {
    {FINDING_PREDICTION, on_prediction}, {FINDING_CLEAR, on_end}, {.run = NULL}};

static bool start(struct act_rig *rig, struct heard *heard, size_t queue, struct act **out) {
    struct act_domain domain = {.name = "test", .listeners = listeners, .ctx = heard};
    struct act_options options = {.documents = rig->documents,
                                  .clock = &rig->clock,
                                  .model_of = act_rig_model_of,
                                  .domains = &domain,
                                  .n_domains = 1,
                                  .queue = queue};
    if (!CHECK_OK(act_start(&options, out))) return false;
    act_rig_wakes(rig, *out);
    return true;
}

static void from_finding_to_document(void) {
    struct act_rig rig;
    struct heard heard = {.predictions = 0};
    struct act *act;
    struct act_stats stats;
    unit_case("a finding becomes an alarm; who acknowledged it is noted; drain waits for all of it");
    if (!act_rig_open(&rig) || !start(&rig, &heard, 0, &act)) return;
    struct finding f = act_rig_finding(&rig, FINDING_LIMIT, "heat", 120, NANOS_PER_DAY);
    act_finding(act, &f);
    act_drain(act);
    CHECK_STR(act_rig_alarm(&rig, 0), STR("raised 1"));
    struct principal who = {.party = rig.party, .roles = ROLE_BIT(ROLE_OPERATOR), .name = "li.wei"};
    struct doc_page page = act_rig_alarms(&rig);
    struct doc *doc;
    CHECK_OK(documents_transition(rig.documents, &who, page.docs[0]->type, page.docs[0]->id, STR("acknowledge"), NULL,
                                  &rig.arena, &doc));
    act_drain(act);
    page = act_rig_alarms(&rig);
    CHECK_STR(doctype_get(page.docs[0], "acknowledged_by").s, STR("li.wei"));
    act_stats(act, &stats);
    CHECK_INT(stats.alarms.raised, 1);
    CHECK_INT(stats.reactions.failed, 0);
    act_rig_wakes(&rig, NULL);
    act_stop(act);
    act_rig_close(&rig);
}

static void listeners_hear(void) {
    struct act_rig rig;
    struct heard heard = {.slow = 1};
    struct act *act;
    struct act_stats stats;
    unit_case("listeners get their kinds with all texts, through a queue of two; failures are counted");
    if (!act_rig_open(&rig) || !start(&rig, &heard, 2, &act)) return;
    for (int i = 0; i < 20; i++) {
        char zh[] = "过热";
        struct finding f = act_rig_finding(&rig, FINDING_PREDICTION, "", 0.9, i);
        f.n_reasons = 1;
        f.reasons[0].text_zh = str_c(zh);
        act_finding(act, &f);
        zh[0] = 0; /* the caller's memory is its own again */
    }
    struct finding end = act_rig_finding(&rig, FINDING_CLEAR, "", 0, 30);
    end.clears = FINDING_PREDICTION;
    act_finding(act, &end);
    act_drain(act);
    CHECK_INT(atomic_load(&heard.predictions), 20);
    CHECK_INT(atomic_load(&heard.ends), 1);
    act_stats(act, &stats);
    CHECK_INT(stats.listeners_failed, 1);
    CHECK_INT(stats.findings_waiting, 0);
    CHECK_INT(act_rig_alarms(&rig).n, 0);
    unit_case("a stop takes what waits");
    for (int i = 0; i < 2; i++) {
        struct finding f = act_rig_finding(&rig, FINDING_CODE, i ? "E1" : "E2", 0, i);
        act_finding(act, &f);
    }
    act_rig_wakes(&rig, NULL);
    act_stop(act);
    CHECK_INT(act_rig_alarms(&rig).n, 2);
    act_rig_close(&rig);
}

void act_test(void) {
    from_finding_to_document();
    listeners_hear();
}
