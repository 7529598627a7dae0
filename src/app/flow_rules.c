#include "app/flow_rules.h"

#include <stdio.h>
#include <string.h>

#include "act/notify.h"
#include "act/rules.h"
#include "base/jw.h"
#include "base/log.h"
#include "connect/mqtt_server.h"
#include "document/packs.h"
#include "store/series.h"
#include "trust/agreements.h"
#include "trust/people.h"

/* {"method":COMMAND,"params":{…}} on v1/devices/me/rpc/request/ID */
static Err command(void *ctx, PartyId party, Str thing, Str name, Str arguments) {
    struct flow *flow = ctx;
    ThingId id;
    char subtopic[48];
    struct buf payload = {0};
    struct jw w;
    if (!series_find_thing(flow->workspace.series, party, thing, &id))
        return err_make(ERR_NOT_FOUND, "thing '" STR_FMT "' has never sent anything", STR_ARG(thing));
    jw_init(&w, &payload);
    jw_object(&w);
    jw_kstr(&w, "method", name);
    jw_key(&w, "params");
    jw_raw(&w, arguments);
    jw_object_end(&w);
    snprintf(subtopic, sizeof subtopic, "rpc/request/%lld", (long long)(clock_now(&clock_system) / NANOS_PER_US));
    thread_lock(&flow->guard);
    Err err = flow->mqtt ? mqtt_server_command(flow->mqtt, id, str_c(subtopic), buf_view(&payload))
                         : err_make(ERR_BUSY, "the server is starting or stopping: devices are not connected");
    thread_unlock(&flow->guard);
    buf_fini(&payload);
    return err;
}

Err flow_rules_start(struct flow *flow, const struct settings *s) {
    struct workspace *w = &flow->workspace;
    struct notify_options notify = {.records = w->records,
                                    .seal = w->seal,
                                    .clock = w->clock,
                                    .smtp = settings_c(s, SETTING_notify_smtp),
                                    .smtp_user = settings_c(s, SETTING_notify_smtp_user),
                                    .smtp_password = settings_c(s, SETTING_notify_smtp_password),
                                    .from = settings_c(s, SETTING_notify_from),
                                    .own_network = settings_bool(s, SETTING_notify_own_network),
                                    .first_pause = settings_int(s, SETTING_notify_first_pause_ms) * NANOS_PER_MS};
    TRY(notify_open(&notify, &flow->notify));
    struct rules_options rules = {.documents = w->documents,
                                  .records = w->records,
                                  .notify = flow->notify,
                                  .catalog = packs_cell(w->packs),
                                  .clock = w->clock,
                                  .command = command,
                                  .ctx = flow};
    return rules_open(&rules, &flow->rules);
}

void flow_rules_stop(struct flow *flow) {
    rules_close(flow->rules);
    notify_close(flow->notify);
    flow->notify = NULL;
}

/* ---- agreements */
static const struct {
    const char *what, *en, *zh;
} said[] = {
    {"proposed", "proposes an agreement", "提出了一份数据协议"},
    {"countered", "answers the offer with its own", "对协议提出了修改"},
    {"accepted", "accepts the agreement", "接受了协议"},
    {"agreed", "accepts the agreement", "接受了协议"},
    {"suspended", "suspends the agreement", "暂停了协议"},
    {"resumed", "resumes the agreement", "恢复了协议"},
    {"ended", "ends the agreement", "终止了协议"},
    {"withdrawn", "withdraws its offer", "撤回了协议提议"},
};

void flow_rules_agreement(struct flow *flow, const struct agreement *a, PartyId to, const char *what) {
    struct arena arena;
    Str by = {0};
    const char *en = "changes the agreement", *zh = "更改了协议";
    if (!flow->notify) return;
    arena_init(&arena, 0);
    people_party_name(flow->workspace.people, to == a->owner ? a->receiver : a->owner, &arena, &by);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strcmp(said[i].what, what) == 0) en = said[i].en, zh = said[i].zh;
    struct notify_message m = {.party = to,
                               .roles = ROLE_STAFF,
                               .text_en = arena_printf(&arena, STR_FMT " %s " STR_FMT ": " STR_FMT, STR_ARG(by), en,
                                                       STR_ARG(a->number), STR_ARG(a->title)),
                               .text_zh = arena_printf(&arena, STR_FMT " %s " STR_FMT "：" STR_FMT, STR_ARG(by), zh,
                                                       STR_ARG(a->number), STR_ARG(a->title)),
                               .type = STR("agreement"),
                               .doc = a->id};
    Err err = notify_post(flow->notify, &m);
    if (err.code != ERR_NONE) LOG_WARN("notify.agreement", LOG_S("number", a->number), LOG_C("reason", err.text));
    arena_fini(&arena);
}
