#include "act/rules.h"

#include <stdio.h>
#include <string.h>

#include "act/notify.h"
#include "act/rule_text.h"
#include "tests/lib/act_rig.h"
#include "trust/gate.h"
#include "trust/seal.h"

void rules_test(void);

/* ---- a catalog by hand */
static const struct doc_check high[] = {{.field = "severity", .op = DOC_EQ, .text = "high"}};
static const struct doc_check loop[] = {{.field = "severity", .op = DOC_EQ, .text = "loop"}};
static const struct doc_check pool[] = {{.field = "severity", .op = DOC_EQ, .text = "pool"}};
static const struct rule_set follow_sets[] = {{"severity", "low"}, {"note", "after {number}"}, {"value", "{value}"}};
static const struct rule_set seen_sets[] = {{"note", "seen"}};
static const struct rule_set pool_sets[] = {{"severity", "pool"}};
static const struct rule_set loop_sets[] = {{"severity", "loop"}};
static const struct rule_set hour_sets[] = {{"code", "looked at {now}"}};
static const struct rule_action follow_do[] = {
    {.what = RULE_CREATE, .type = "alarm", .sets = follow_sets, .n_sets = 3},
    {.what = RULE_COMMAND, .target = "thing", .name = "cool", .sets = follow_sets, .n_sets = 2},
    {.what = RULE_UPDATE, .sets = seen_sets, .n_sets = 1},
    {.what = RULE_STEP, .name = "acknowledge"},
    {.what = RULE_NOTIFY,
     .target = "role:manager",
     .name = "{thing}: {value} {unknown}",
     .text_zh = "{thing}：{value}"}};
static const struct rule_action loop_do[] = {{.what = RULE_CREATE, .type = "alarm", .sets = pool_sets, .n_sets = 1}};
static const struct rule_action pool_do[] = {{.what = RULE_CREATE, .type = "alarm", .sets = loop_sets, .n_sets = 1}};
static const struct rule_action hour_do[] = {{.what = RULE_UPDATE, .sets = hour_sets, .n_sets = 1}};
static const struct rule_action once_do[] = {{.what = RULE_NOTIFY, .target = "role:staff", .name = "good morning"}};
#define RULE(n, w, c, a)                                                                                               \
    .name = n, .title_en = n, .title_zh = n, .when = w, .conditions = c, .n_conditions = 1, .actions = a,              \
    .n_actions = sizeof a / sizeof *a
static const struct rule rules_of_test[] = {
    {RULE("follow", RULE_ALARM, high, follow_do), .type = "alarm"},
    {RULE("loop", RULE_CHANGE, loop, loop_do), .type = "alarm", .what = "create"},
    {RULE("pool", RULE_CHANGE, pool, pool_do), .type = "alarm", .what = "create"},
    {RULE("hour", RULE_SCHEDULE, high, hour_do), .type = "alarm", .every = NANOS_PER_HOUR, .at_minute = -1},
    {.name = "once",
     .title_en = "once",
     .title_zh = "once",
     .when = RULE_SCHEDULE,
     .actions = once_do,
     .n_actions = 1,
     .every = NANOS_PER_DAY,
     .at_minute = -1},
};
static const struct catalog catalog = {.rules = rules_of_test, .n_rules = 5};

struct world {
    struct act_rig rig;
    struct seal *seal;
    struct notify *notify;
    struct rules *rules;
    struct act *act;
    struct catalog_cell cell;
    int commands, busy; /* busy: that many times the device is not there */
    char told[256];
};

static Err command(void *ctx, PartyId party, Str thing, Str name, Str arguments) {
    struct world *w = ctx;
    (void)party;
    if (w->busy > 0) {
        w->busy--;
        return err_make(ERR_BUSY, "away");
    }
    w->commands++;
    snprintf(w->told, sizeof w->told, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(thing), STR_ARG(name),
             STR_ARG(arguments));
    return err_none();
}

static bool open_world(struct world *w) {
    memset(w, 0, sizeof *w);
    if (!act_rig_open(&w->rig)) return false;
    atomic_store(&w->cell.now, &catalog);
    struct notify_options notify = {.records = w->rig.records, .clock = &w->rig.clock};
    if (!CHECK_OK(seal_open(&(struct seal_options){.dir = w->rig.dir}, &w->seal))) return false;
    notify.seal = w->seal;
    struct rules_options rules = {.documents = w->rig.documents,
                                  .records = w->rig.records,
                                  .catalog = &w->cell,
                                  .clock = &w->rig.clock,
                                  .command = command,
                                  .ctx = w};
    if (!CHECK_OK(notify_open(&notify, &w->notify))) return false;
    rules.notify = w->notify;
    if (!CHECK_OK(rules_open(&rules, &w->rules))) return false;
    struct act_domain domain = rules_domain(w->rules);
    struct act_options act = {
        .documents = w->rig.documents, .clock = &w->rig.clock, .domains = &domain, .n_domains = 1};
    if (!CHECK_OK(act_start(&act, &w->act))) return false;
    act_rig_wakes(&w->rig, w->act);
    return true;
}

static void close_world(struct world *w) {
    act_rig_wakes(&w->rig, NULL);
    act_stop(w->act);
    rules_close(w->rules);
    notify_close(w->notify);
    seal_close(w->seal);
    act_rig_close(&w->rig);
}

static int64_t raise(struct world *w, const char *severity) {
    struct principal who = principal_system(w->rig.party, "test");
    struct doc_set sets[] = {
        {"thing", VALUE_S(STR("oven-1"))}, {"severity", VALUE_S(str_c(severity))}, {"value", VALUE_F(97.5)}};
    struct doc *doc;
    const struct doctype *type = documents_type(w->rig.documents, STR("alarm"));
    if (!CHECK_OK(documents_create(w->rig.documents, &who, type, &(struct doc_change){.set = sets, .n = 3},
                                   &w->rig.arena, &doc)))
        return 0;
    act_drain(w->act);
    return doc->id;
}

static const struct doc *nth(struct world *w, size_t i) {
    struct doc_page page = act_rig_alarms(&w->rig);
    return CHECK(i < page.n) ? page.docs[i] : NULL;
}

static size_t notices(struct world *w, struct notify_row **rows) {
    struct principal who = {.party = w->rig.party, .roles = ROLE_BIT(ROLE_MANAGER), .name = "ann"};
    size_t n = 0, unread = 0;
    CHECK_OK(notify_list(w->notify, &who, false, 0, 100, &w->rig.arena, rows, &n, &unread));
    return n;
}

static void test_actions(struct world *w) {
    unit_case("an event sets a rule off, and its actions are done in order");
    struct notify_row *rows;
    raise(w, "medium");
    CHECK_INT(act_rig_alarms(&w->rig).n, 1);
    raise(w, "high");
    CHECK_INT(act_rig_alarms(&w->rig).n, 3);
    const struct doc *about = nth(w, 1), *made = nth(w, 2);
    if (!about || !made) return;
    CHECK_STR(doctype_get(about, "note").s, STR("seen"));
    CHECK(doctype_in_state(about, "acknowledged"));
    CHECK_STR(doctype_get(made, "severity").s, STR("low"));
    CHECK_STR(doctype_get(made, "note").s, STR("after AL-000002"));
    CHECK_NUM(doctype_get(made, "value").f, 97.5, 0);
    CHECK(str_starts(made->created_by, STR("system:rule:follow-")));
    CHECK_STR(str_c(w->told), STR("oven-1 cool {\"severity\":\"low\",\"note\":\"after AL-000002\"}"));
    CHECK_INT(w->commands, 1);
    if (!CHECK_INT(notices(w, &rows), 1)) return;
    CHECK_STR(rows[0].text_en, STR("oven-1: 97.5 "));
    CHECK_STR(rows[0].text_zh, STR("oven-1：97.5"));
    CHECK_STR(rows[0].rule, STR("follow"));
    CHECK_INT(rows[0].doc, about->id);
    struct rules_state state;
    CHECK_OK(rules_state(w->rules, w->rig.party, STR("follow"), &w->rig.arena, &state));
    CHECK(state.enabled && state.runs == 1 && state.failures == 0 && state.error.len == 0);
}

/* The same row of the outbox comes again, as after a crash before its place was kept. */
static void test_again(struct world *w) {
    unit_case("an event that comes again is answered once");
    struct notify_row *rows;
    struct act_domain domain = rules_domain(w->rules);
    int64_t id = raise(w, "medium");
    struct outbox_row row = {
        .seq = 1000, .party = w->rig.party, .type = STR("alarm"), .what = STR("create"), .id = id, .who = STR("x")};
    struct principal who = principal_system(w->rig.party, "test");
    struct doc_set severity = {"severity", VALUE_S(STR("high"))};
    struct doc *doc;
    const struct doctype *type = documents_type(w->rig.documents, STR("alarm"));
    CHECK_OK(documents_change(w->rig.documents, &who, type, id, &(struct doc_change){.set = &severity, .n = 1},
                              &w->rig.arena, &doc));
    act_drain(w->act);
    size_t before = act_rig_alarms(&w->rig).n, told = notices(w, &rows);
    int commands = w->commands;
    for (int i = 0; i < 3; i++)
        CHECK_OK(domain.reactions[0].run(domain.ctx, &(struct reaction_event){.row = &row, .arena = &w->rig.arena}));
    act_drain(w->act);
    CHECK_INT(act_rig_alarms(&w->rig).n, before + 1);
    CHECK_INT(notices(w, &rows), told + 1);
    CHECK_INT(w->commands, commands + 1);

    unit_case("what failed in the middle goes on there");
    w->busy = 2;
    raise(w, "high");
    CHECK_INT(act_rig_alarms(&w->rig).n, before + 3); /* the alarm and one that follows */
    CHECK_INT(w->commands, commands + 2);
    CHECK_INT(notices(w, &rows), told + 2);
}

static void test_chain(struct world *w) {
    unit_case("a chain of rules ends");
    size_t before = act_rig_alarms(&w->rig).n;
    raise(w, "loop");
    CHECK_INT(act_rig_alarms(&w->rig).n, before + 1 + RULES_DEPTH_MAX);
}

static void test_switch(struct world *w) {
    unit_case("a rule is switched off by the party's staff");
    struct principal manager = {.party = w->rig.party, .roles = ROLE_BIT(ROLE_MANAGER), .name = "ann"};
    struct principal worker = {.party = w->rig.party, .roles = ROLE_BIT(ROLE_WORKER), .name = "bob"};
    CHECK_ERR(rules_enable(w->rules, &worker, STR("follow"), false), ERR_FORBIDDEN);
    CHECK_ERR(rules_enable(w->rules, &manager, STR("none"), false), ERR_NOT_FOUND);
    CHECK_OK(rules_enable(w->rules, &manager, STR("follow"), false));
    size_t before = act_rig_alarms(&w->rig).n;
    raise(w, "high");
    CHECK_INT(act_rig_alarms(&w->rig).n, before + 1);
    CHECK_OK(rules_enable(w->rules, &manager, STR("follow"), true));
    raise(w, "high");
    CHECK_INT(act_rig_alarms(&w->rig).n, before + 3);
}

static void pass(struct world *w, Nanos time) {
    atomic_fetch_add(&w->rig.now, time);
    act_drain(w->act);
}

static void test_schedule(struct world *w) {
    unit_case("a schedule runs once in each of its moments");
    struct notify_row *rows;
    struct rules_state state;
    size_t told = notices(w, &rows);
    CHECK_OK(rules_state(w->rules, w->rig.party, STR("hour"), &w->rig.arena, &state));
    CHECK_INT(state.runs, 0); /* new: it waits for its next moment */
    pass(w, NANOS_PER_HOUR);
    CHECK_OK(rules_state(w->rules, w->rig.party, STR("hour"), &w->rig.arena, &state));
    int64_t each = state.runs; /* one a document that meets its condition */
    CHECK(each > 0);
    pass(w, 10 * NANOS_PER_S);
    CHECK_OK(rules_state(w->rules, w->rig.party, STR("hour"), &w->rig.arena, &state));
    CHECK_INT(state.runs, each);
    CHECK(str_starts(doctype_get(nth(w, 1), "code").s, STR("looked at 1970-01-02T01:")));
    CHECK_INT(notices(w, &rows), told);
    pass(w, 5 * NANOS_PER_DAY); /* those that were missed run once */
    CHECK_INT(notices(w, &rows), told + 1);
    CHECK_OK(rules_state(w->rules, w->rig.party, STR("hour"), &w->rig.arena, &state));
    CHECK_INT(state.runs, 2 * each);
}

static void test_text(void) {
    unit_case("texts with what stands in a document");
    struct arena arena;
    struct json *json = NULL;
    arena_init(&arena, 0);
    CHECK_OK(json_parse(
        STR("{\"a\":\"x\",\"n\":5,\"price\":{\"amount\":\"1.50\",\"currency\":\"CNY\"},"
            "\"to\":{\"id\":3,\"number\":\"WO-3\"},\"by\":{\"id\":1,\"name\":\"acme\"},\"no\":null,\"ok\":true}"),
        &json));
    struct rule_text t = {.doc = json, .now = 0, .arena = &arena};
    static const char *const cases[][2] = {{"", ""},
                                           {"plain", "plain"},
                                           {"{a}{a}", "xx"},
                                           {"n={n}, {ok}", "n=5, true"},
                                           {"{price}", "1.50 CNY"},
                                           {"{to} {by}", "WO-3 acme"},
                                           {"[{no}]", "[]"},
                                           {"{gone}", ""},
                                           {"{now}", "1970-01-01T00:00:00Z"},
                                           {"open { brace", "open { brace"},
                                           {"}{", "}{"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_STR(rule_text_expand(&t, str_c(cases[i][0])), str_c(cases[i][1]));
    json_free(json);
    arena_fini(&arena);
}

void rules_test(void) {
    struct world w;
    test_text();
    if (open_world(&w)) {
        test_actions(&w);
        test_again(&w);
        test_chain(&w);
        test_switch(&w);
        test_schedule(&w);
        close_world(&w);
    }
}
