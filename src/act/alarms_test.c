#include "act/alarms.h"

#include <stdlib.h>

#include "tests/lib/act_rig.h"

#define MIN(n) (NANOS_PER_DAY + (n)*NANOS_PER_MIN)

static const struct alarm_rule rules[] = {
    {FINDING_LIMIT, NULL, 0.5, "critical", 0, 30 * NANOS_PER_MIN, 0, 0.25, 99, "{metric} {value}", "{metric} {value}"},
    {FINDING_LIMIT, NULL, 0, "medium", 0, 30 * NANOS_PER_MIN, 0, 0.25, 99, "{metric} {value}", "{metric} {value}"},
    {FINDING_ANOMALY, NULL, 0, "low", 10 * NANOS_PER_MIN, 0, 0, 0.25, 99, "{metric}", "{metric}"},
    {FINDING_CODE, NULL, 0, "high", 0, 0, 60 * NANOS_PER_MIN, 0.25, 3, "{code}", "{code}"},
    {.severity = NULL},
};

struct world {
    struct act_rig rig;
    struct alarms *alarms;
};

static bool open_alarms(struct world *w) {
    struct alarms_options options = {.documents = w->rig.documents, .rules = rules, .model_of = act_rig_model_of};
    return CHECK_OK(alarms_open(&options, &w->alarms));
}

static void acknowledge(struct world *w, size_t n) {
    struct doc_page page = act_rig_alarms(&w->rig);
    struct principal who = {.party = w->rig.party, .roles = ROLE_BIT(ROLE_OPERATOR), .name = "li.wei"};
    struct doc *doc;
    if (CHECK(n < page.n))
        CHECK_OK(documents_transition(w->rig.documents, &who, page.docs[n]->type, page.docs[n]->id, STR("acknowledge"),
                                      NULL, &w->rig.arena, &doc));
}

/* A script: L/A/C at minute with score: a report; l/a/c: its end; t: the clock; k: acknowledge the newest; r: restart.
 */
struct step {
    char what;
    int minute;
    double score;
};

static void run_step(struct world *w, const struct step *s) {
    static const struct {
        char letter;
        enum finding_kind kind;
        const char *what;
    } kinds[] = {{'l', FINDING_LIMIT, "heat"}, {'a', FINDING_ANOMALY, "heat"}, {'c', FINDING_CODE, "E1"}};
    atomic_store(&w->rig.now, MIN(s->minute));
    if (s->what == 't') alarms_tick(w->alarms, MIN(s->minute));
    if (s->what == 'k') acknowledge(w, act_rig_alarms(&w->rig).n - 1);
    if (s->what == 'r') {
        alarms_close(w->alarms);
        w->alarms = NULL;
        if (act_rig_reopen(&w->rig)) open_alarms(w);
    }
    for (size_t i = 0; i < 3; i++) {
        if ((s->what | 32) != kinds[i].letter) continue;
        struct finding f = act_rig_finding(&w->rig, kinds[i].kind, kinds[i].what, s->score, MIN(s->minute));
        if (s->what == kinds[i].letter) {
            f.kind = FINDING_CLEAR;
            f.clears = kinds[i].kind;
        }
        alarms_take(w->alarms, &f);
    }
}

static const struct script {
    const char *name;
    struct step steps[8];
    size_t n_docs;
    const char *first, *last; /* state and occurrences */
} scripts[] = {
    {"raised", {{'L', 0, 95}}, 1, "raised 1", "raised 1"},
    {"raised, acknowledged, ended", {{'L', 0, 95}, {'k', 1, 0}, {'l', 2, 0}}, 1, "cleared 1", "cleared 1"},
    {"ended before anybody looked", {{'L', 0, 95}, {'l', 2, 0}}, 1, "returned 1", "returned 1"},
    {"ended, then acknowledged", {{'L', 0, 95}, {'l', 2, 0}, {'k', 3, 0}}, 1, "cleared 1", "cleared 1"},
    {"a repeat counts up", {{'L', 0, 95}, {'L', 1, 96}, {'L', 61, 96}}, 1, "raised 3", "raised 3"},
    {"a small repeat is counted at the end", {{'L', 0, 95}, {'L', 1, 96}, {'l', 2, 0}}, 1, "returned 2", "returned 2"},
    {"comes back soon: the same alarm", {{'L', 0, 95}, {'l', 2, 0}, {'L', 20, 95}}, 1, "raised 2", "raised 2"},
    {"comes back late: another alarm", {{'L', 0, 95}, {'l', 2, 0}, {'L', 40, 95}}, 2, "returned 1", "raised 1"},
    {"comes back soon after it was dealt with: another alarm",
     {{'L', 0, 95}, {'k', 1, 0}, {'l', 2, 0}, {'L', 20, 95}},
     2,
     "cleared 1",
     "raised 1"},
    {"the same report twice counts once", {{'L', 0, 95}, {'L', 0, 95}, {'l', 2, 0}}, 1, "returned 1", "returned 1"},
    {"what was dealt with and comes a second time after a crash",
     {{'L', 0, 95}, {'k', 1, 0}, {'l', 2, 0}, {'r', 3, 0}, {'L', 0, 95}, {'l', 2, 0}},
     1,
     "cleared 1",
     "cleared 1"},
    {"what stands and comes a second time after a crash",
     {{'L', 0, 95}, {'r', 3, 0}, {'L', 0, 95}, {'l', 4, 0}},
     1,
     "returned 1",
     "returned 1"},
    {"an end without a beginning", {{'l', 2, 0}}, 0, "none", "none"},
    {"an end said twice", {{'L', 0, 95}, {'l', 2, 0}, {'l', 3, 0}}, 1, "returned 1", "returned 1"},
    {"too short to be one", {{'A', 0, 5}, {'a', 9, 0}, {'t', 60, 0}}, 0, "none", "none"},
    {"lasts: the clock raises it", {{'A', 0, 5}, {'t', 9, 0}, {'t', 11, 0}}, 1, "raised 1", "raised 1"},
    {"lasts: a later report raises it", {{'A', 0, 5}, {'A', 12, 5}}, 1, "raised 1", "raised 1"},
    {"lasted, but is over when it is heard of", {{'A', 0, 5}, {'a', 15, 0}}, 1, "returned 1", "returned 1"},
    {"a code ends by itself", {{'C', 0, 0}, {'t', 59, 0}, {'t', 61, 0}}, 1, "returned 1", "returned 1"},
    {"a code that repeats lasts", {{'C', 0, 0}, {'C', 50, 0}, {'t', 61, 0}}, 1, "raised 1", "raised 1"},
    {"two kinds of one metric are two alarms", {{'L', 0, 95}, {'A', 0, 5}, {'t', 11, 0}}, 2, "raised 1", "raised 1"},
    {"a restart forgets nothing", {{'L', 0, 95}, {'r', 1, 0}, {'l', 2, 0}}, 1, "returned 1", "returned 1"},
    {"a restart doubles nothing", {{'L', 0, 95}, {'r', 1, 0}, {'L', 70, 96}}, 1, "raised 2", "raised 2"},
    {"comes back after a restart", {{'L', 0, 95}, {'l', 2, 0}, {'r', 3, 0}, {'L', 20, 95}}, 1, "raised 2", "raised 2"},
    {"a restart does not wake what was dealt with",
     {{'L', 0, 95}, {'l', 2, 0}, {'k', 3, 0}, {'r', 4, 0}, {'L', 20, 95}},
     2,
     "cleared 1",
     "raised 1"},
};

static void life_cycles(void) {
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        const struct script *s = &scripts[i];
        struct world w;
        unit_case(s->name);
        if (act_rig_open(&w.rig) && open_alarms(&w)) {
            for (size_t k = 0; k < 8 && s->steps[k].what; k++) run_step(&w, &s->steps[k]);
            size_t n = act_rig_alarms(&w.rig).n;
            CHECK_INT(n, s->n_docs);
            CHECK_STR(act_rig_alarm(&w.rig, 0), str_c(s->first));
            CHECK_STR(act_rig_alarm(&w.rig, n ? n - 1 : 0), str_c(s->last));
            struct alarms_stats stats;
            alarms_stats(w.alarms, &stats);
            CHECK_INT(stats.failed, 0);
            alarms_close(w.alarms);
        }
        act_rig_close(&w.rig);
    }
}

static void what_is_written(void) {
    struct world w;
    unit_case("the alarm says what was found, and a graver report raises its severity");
    if (!act_rig_open(&w.rig) || !open_alarms(&w)) return;
    run_step(&w, &(struct step){'L', 5, 95});
    run_step(&w, &(struct step){'L', 6, 150});
    run_step(&w, &(struct step){'l', 9, 0});
    struct doc_page page = act_rig_alarms(&w.rig);
    if (CHECK_INT(page.n, 1)) {
        const struct doc *d = page.docs[0];
        CHECK_STR(doctype_get(d, "thing").s, STR("oven-1"));
        CHECK_STR(doctype_get(d, "kind").s, STR("limit"));
        CHECK_STR(doctype_get(d, "metric").s, STR("heat"));
        CHECK_STR(doctype_get(d, "severity").s, STR("critical"));
        CHECK_STR(doctype_get(d, "text_en").s, STR("Heat 150 °C"));
        CHECK_NUM(doctype_get(d, "value").f, 150, 0);
        CHECK_INT(doctype_get(d, "raised_at").i, MIN(5));
        CHECK_INT(doctype_get(d, "cleared_at").i, MIN(9));
    }
    alarms_close(w.alarms);
    act_rig_close(&w.rig);
}

static void floods(void) {
    struct world w;
    unit_case("a machine in a flood raises no more than its rule allows within the hour");
    if (!act_rig_open(&w.rig) || !open_alarms(&w)) return;
    for (int i = 0; i < 10; i++) {
        char code[8] = {'E', (char)('0' + i), 0};
        struct finding f = act_rig_finding(&w.rig, FINDING_CODE, code, 0, MIN(i));
        alarms_take(w.alarms, &f);
    }
    CHECK_INT(act_rig_alarms(&w.rig).n, 3);
    struct alarms_stats stats;
    alarms_stats(w.alarms, &stats);
    CHECK_INT(stats.flooded, 7);
    struct finding later = act_rig_finding(&w.rig, FINDING_CODE, "E9", 0, MIN(61));
    alarms_take(w.alarms, &later);
    CHECK_INT(act_rig_alarms(&w.rig).n, 4);
    alarms_close(w.alarms);
    act_rig_close(&w.rig);
}

void alarms_test(void) {
    life_cycles();
    what_is_written();
    floods();
}
