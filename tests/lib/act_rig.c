#include "tests/lib/act_rig.h"
#include "tests/lib/store_postgresql.h"

#include <math.h>
#include <stdio.h>

#include "store/records.h"
#include "trust/gate.h"

#define SYSTEM ROLE_BIT(ROLE_SYSTEM)
#define F(field_name, field_kind) .name = field_name, .title_en = field_name, .title_zh = field_name, .kind = field_kind

static const struct field fields[] = {
    {F("thing", FIELD_TEXT)},
    {F("kind", FIELD_TEXT)},
    {F("metric", FIELD_TEXT)},
    {F("component", FIELD_TEXT)},
    {F("code", FIELD_TEXT)},
    {F("severity", FIELD_TEXT)},
    {F("text_en", FIELD_TEXT)},
    {F("text_zh", FIELD_TEXT)},
    {F("value", FIELD_NUMBER)},
    {F("raised_at", FIELD_TIME)},
    {F("acknowledged_at", FIELD_TIME)},
    {F("acknowledged_by", FIELD_TEXT)},
    {F("cleared_at", FIELD_TIME)},
    {F("occurrences", FIELD_INT)},
    {F("note", FIELD_TEXT)},
};
static const struct doc_state states[] = {{"raised", "Raised", "", false, "critical"},
                                          {"acknowledged", "Acknowledged", "", false, "warning"},
                                          {"returned", "Returned", "", false, "info"},
                                          {"cleared", "Cleared", "", true, "good"}};
static const struct transition transitions[] = {
    {"acknowledge", "", "", "raised", "acknowledged", ROLE_STAFF, NULL, "note", "acknowledged_at"},
    {"acknowledge", "", "", "returned", "cleared", ROLE_STAFF, NULL, "note", "acknowledged_at"},
    {"clear", "", "", "raised", "returned", SYSTEM, NULL, NULL, NULL},
    {"clear", "", "", "acknowledged", "cleared", SYSTEM, NULL, NULL, NULL},
    {"repeat", "", "", "returned", "raised", SYSTEM, NULL, NULL, NULL},
};
static const struct doctype alarm_type = {.name = "alarm",
                                          .title_en = "Alarm",
                                          .title_zh = "告警",
                                          .prefix = "AL",
                                          .fields = fields,
                                          .n_fields = sizeof fields / sizeof *fields,
                                          .states = states,
                                          .n_states = sizeof states / sizeof *states,
                                          .transitions = transitions,
                                          .n_transitions = sizeof transitions / sizeof *transitions,
                                          .read_roles = ROLE_PEOPLE,
                                          .create_roles = ROLE_STAFF,
                                          .change_roles = ROLE_STAFF};
static const struct doctype *const types[] = {&alarm_type, NULL};

static const struct thing_metric metrics[] = {{"heat", "Heat", "温度", "°C", 10, 90, "stove", {0}},
                                              {"code", "Code", "代码", "", NAN, NAN, NULL, {0}}};
static const struct thing_component components[] = {{"stove", "Stove", "炉", 1000, "ST-1", "heating"}};
const struct thing_model act_rig_model = {.name = "oven",
                                          .title_en = "Oven",
                                          .title_zh = "烤箱",
                                          .metrics = metrics,
                                          .n_metrics = 2,
                                          .components = components,
                                          .n_components = 1,
                                          .code_metric = "code"};

const struct thing_model *act_rig_model_of(void *ctx, PartyId party, Str thing) {
    (void)ctx, (void)party;
    return str_starts(thing, STR("oven")) ? &act_rig_model : NULL;
}

static Nanos now(void *ctx) { return atomic_load(&((struct act_rig *)ctx)->now); }

/* A commit's writer may still be on its way to call this when the caller has been answered. */
static void committed(void *ctx) {
    struct act_rig *rig = ctx;
    thread_lock(&rig->guard);
    if (rig->woken) act_wake(rig->woken);
    thread_unlock(&rig->guard);
}

void act_rig_wakes(struct act_rig *rig, struct act *act) {
    thread_lock(&rig->guard);
    rig->woken = act;
    thread_unlock(&rig->guard);
}

static bool open_all(struct act_rig *rig) {
    bool ok =
        CHECK_OK(records_open(
            &(struct records_options){.dir = rig->dir, .url = store_postgresql_for(rig->dir), .clock = &rig->clock},
            &rig->records)) &&
        CHECK_OK(people_open(rig->records, &rig->clock, &rig->people)) &&
        CHECK_OK(people_party(rig->people, STR("acme"), &rig->party)) &&
        CHECK_OK(
            documents_open(&(struct documents_options){.records = rig->records, .types = types, .clock = &rig->clock},
                           &rig->documents));
    if (ok) documents_on_commit(rig->documents, committed, rig);
    return ok;
}

bool act_rig_open(struct act_rig *rig) {
    *rig = (struct act_rig){.now = NANOS_PER_DAY};
    rig->clock = (struct clock){.now = now, .ctx = rig};
    arena_init(&rig->arena, 0);
    thread_mutex_init(&rig->guard);
    snprintf(rig->dir, sizeof rig->dir, "%s", unit_temp_dir());
    return open_all(rig);
}

static void close_all(struct act_rig *rig) {
    if (rig->documents) documents_close(rig->documents);
    if (rig->people) people_close(rig->people);
    if (rig->records) records_close(rig->records);
    rig->documents = NULL;
    rig->people = NULL;
    rig->records = NULL;
}

bool act_rig_reopen(struct act_rig *rig) {
    close_all(rig);
    return open_all(rig);
}

void act_rig_close(struct act_rig *rig) {
    close_all(rig);
    arena_fini(&rig->arena);
    thread_mutex_fini(&rig->guard);
}

struct finding act_rig_finding(const struct act_rig *rig, enum finding_kind kind, const char *what, double score,
                               Nanos at) {
    struct finding f = {
        .kind = kind, .party = rig->party, .thing = 1, .thing_name = STR("oven-1"), .score = score, .at = at};
    if (kind == FINDING_CODE)
        f.text = str_c(what);
    else
        f.metric = str_c(what);
    return f;
}

struct doc_page act_rig_alarms(struct act_rig *rig) {
    struct principal who = principal_system(rig->party, "test");
    struct lens lens;
    struct doc_page page = {.n = 0};
    CHECK_OK(gate_lens(&who, &alarm_type, "test", &lens));
    CHECK_OK(documents_list(rig->documents, &lens, &alarm_type, &(struct doc_query){.sort = "id", .limit = 1000},
                            &rig->arena, &page));
    return page;
}

Str act_rig_alarm(struct act_rig *rig, size_t n) {
    struct doc_page page = act_rig_alarms(rig);
    if (n >= page.n) return STR("none");
    return arena_printf(&rig->arena, "%s %d", doctype_state_name(page.docs[n]),
                        (int)doctype_get(page.docs[n], "occurrences").i);
}
