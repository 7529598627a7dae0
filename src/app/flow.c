/*
 * The product on one screen. A machine's message goes from left to right through these calls:
 *
 *   connect                store                 insight               act + domain              serve
 *   mqtt_server_start ──▶ series (workspace) ──▶ watch_start ────────▶ act_start ─────────────▶ serve_start
 *   bytes → rows          kept, then answered    rows → findings       findings → documents      people and programs
 *                         on_commit: rows_kept   sink: act_finding     documents → documents     see what they may
 *
 * start_* functions below stand in that order; flow_stop takes them down from the left, so that what was taken is
 * kept, understood and acted upon before the next part goes.
 */
#include "app/flow.h"

#include <stdlib.h>

#include "act/act.h"
#include "act/rules.h"
#include "app/cmd_compact.h"
#include "app/cmd_device.h"
#include "app/cmd_export.h"
#include "app/cmd_import.h"
#include "app/cmd_key.h"
#include "app/cmd_ledger.h"
#include "app/cmd_pack.h"
#include "app/cmd_query.h"
#include "app/cmd_sql.h"
#include "app/cmd_thing.h"
#include "app/cmd_token.h"
#include "app/cmd_user.h"
#include "app/control.h"
#include "app/flow_ledger.h"
#include "app/flow_rules.h"
#include "app/flow_serve.h"
#include "app/flow_sharing.h"
#include "base/log.h"
#include "connect/line_ingest.h"
#include "connect/mqtt_server.h"
#include "document/documents.h"
#include "document/imports.h"
#include "document/packs.h"
#include "document/things.h"
#include "domain/service/service.h"
#include "insight/query.h"
#include "insight/view.h"
#include "insight/watch.h"
#include "model/thing_keep.h"
#include "store/series.h"
#include "trust/device.h"
#include "trust/oidc.h"
#include "trust/people.h"

#define MIB ((size_t)1 << 20)
#define KIB ((uint32_t)1 << 10)
#define DENY_MAX 64

static const struct control_command *const commands[] = {
    &cmd_user_add,       &cmd_user_password,   &cmd_user_roles,    &cmd_user_list,
    &cmd_user_party_add, &cmd_user_party_list, &cmd_token_create,  &cmd_device_create,
    &cmd_export_series,  &cmd_query_run,       &cmd_sql_run,       &cmd_key_rotate,
    &cmd_key_rewrap,     &cmd_key_erase,       &cmd_ledger_status, &cmd_ledger_witness,
    &cmd_compact,        &cmd_pack_install,    &cmd_pack_upgrade,  &cmd_pack_remove,
    &cmd_pack_list,      &cmd_import_table,    &cmd_import_out,    NULL};

/* ---- keep: rows that are durable go on to be understood */
static void rows_kept(void *ctx, const struct rows *rows) {
    struct flow *flow = ctx;
    if (flow->watch) watch_rows(flow->watch, rows);
}

static Err start_stores(struct flow *flow, const struct flow_options *o) {
    const struct settings *s = o->settings;
    struct thing_keep keep;
    Err said = thing_keep_parse(settings_text(s, SETTING_store_keep), &keep);
    if (said.code) return err_make(said.code, "store.keep: %s", said.text);
    struct workspace_options options = {
        .keep = &keep,
        .dir = settings_c(s, SETTING_store_data),
        .records = settings_c(s, SETTING_store_records),
        .clock = o->clock,
        .memory_bytes = (size_t)settings_int(s, SETTING_store_memory_mb) * MIB,
        .dead_letter_bytes = (size_t)settings_int(s, SETTING_store_dead_letter_mb) * MIB,
        .on_commit = rows_kept,
        .on_commit_ctx = flow,
    };
    TRY(workspace_open(&options, &flow->workspace));
    TRY(workspace_seal(&flow->workspace, s));
    Err err = workspace_party(&flow->workspace, str_c(o->assume_party), true, &flow->party);
    bool several = err.code == ERR_INVALID && !o->assume_party; /* none of them is the server's own */
    return several ? err_none() : err;
}

/* ---- documents: everything people and reactions write */
static bool thing_exists(void *ctx, PartyId party, Str name) {
    char model[64];
    return things_model(ctx, party, name, model);
}

/* The writer's thread may still call this while act is being taken down, so the pointer is asked for under the guard.
 */
static void documents_changed(void *ctx) {
    struct flow *flow = ctx;
    thread_lock(&flow->guard);
    if (flow->act) act_wake(flow->act);
    if (flow->serve) serve_wake(flow->serve);
    thread_unlock(&flow->guard);
}

static Err find_party(void *ctx, Str name, PartyId *out) {
    if (name.len == 0) return err_make(ERR_INVALID, "which party? give its name");
    return people_find_party(ctx, name, out);
}

static Err party_name(void *ctx, PartyId party, struct arena *arena, Str *out) {
    return people_party_name(ctx, party, arena, out);
}

static Err start_documents(struct flow *flow) {
    struct workspace *w = &flow->workspace;
    TRY(workspace_blobs(w));
    struct documents_options options = {.records = w->records,
                                        .types = packs_catalog(w->packs)->types,
                                        .clock = w->clock,
                                        .thing_exists = thing_exists,
                                        .thing_ctx = w->things,
                                        .seal = w->seal,
                                        .entered = flow_ledger_document,
                                        .entered_ctx = flow,
                                        .blobs = w->blobs,
                                        .search = true,
                                        .find_party = find_party,
                                        .party_name = party_name,
                                        .party_ctx = w->people};
    TRY(documents_open(&options, &w->documents));
    documents_on_commit(w->documents, documents_changed, flow);
    TRY(packs_attach(w->packs, w->documents, documents_retype));
    return err_none();
}

/* ---- understand: findings go to act; failures and repairs, told by the business, teach the models */
static void component_failed(void *ctx, PartyId party, Str thing, Str component, Nanos at) {
    struct flow *flow = ctx;
    thread_lock(&flow->guard);
    if (flow->watch) watch_failed(flow->watch, party, thing, component, at);
    thread_unlock(&flow->guard);
}

static void component_replaced(void *ctx, PartyId party, Str thing, Str component, Nanos at) {
    struct flow *flow = ctx;
    thread_lock(&flow->guard);
    if (flow->watch) watch_replaced(flow->watch, party, thing, component, at);
    thread_unlock(&flow->guard);
}

static void found(void *ctx, const struct finding *finding) { act_finding(((struct flow *)ctx)->act, finding); }

static Err start_insight(struct flow *flow, const char *dir) {
    struct workspace *w = &flow->workspace;
    struct watch_options options = {.series = w->series,
                                    .model_of = service_model_of,
                                    .model_ctx = w->things,
                                    .sink = found,
                                    .sink_ctx = flow,
                                    .dir = arena_printf(&flow->arena, "%s/insight", dir).ptr};
    return watch_open(&options, &flow->watch);
}

/* ---- act: alarms, and the businesses' reactions */
static Err start_act(struct flow *flow, bool replay) {
    struct workspace *w = &flow->workspace;
    struct service_options service = {.documents = w->documents,
                                      .things = w->things,
                                      .failed = component_failed,
                                      .replaced = component_replaced,
                                      .ctx = flow,
                                      .replay = replay};
    TRY(service_open(&service, &flow->service));
    struct act_domain domains[] = {service_domain(flow->service), rules_domain(flow->rules)};
    struct act_options options = {.documents = w->documents,
                                  .clock = w->clock,
                                  .model_of = service_model_of,
                                  .ctx = w->things,
                                  .domains = domains,
                                  .n_domains = sizeof domains / sizeof *domains};
    TRY(act_start(&options, &flow->act));
    TRY(service_history(flow->service));
    return watch_start(flow->watch);
}

/* ---- take: devices connect with their own credentials */
static Err authenticate(void *ctx, Str user, Str password, struct device_identity *out) {
    return device_check(((struct flow *)ctx)->workspace.devices, user, password, out);
}

static const struct thing_model *model_of(void *ctx, PartyId party, Str thing) {
    return service_model_of(((struct flow *)ctx)->workspace.things, party, thing);
}

static void thing_seen(void *ctx, PartyId party, Str thing) {
    things_seen(((struct flow *)ctx)->workspace.things, party, thing, STR("open"));
}

static size_t split_list(struct arena *arena, Str list, const char *out[DENY_MAX]) {
    size_t n = 0;
    for (Str head; list.len > 0 && n < DENY_MAX;) {
        str_cut(list, ',', &head, &list);
        if (str_trim(head).len > 0) out[n++] = arena_c(arena, str_trim(head));
    }
    return n;
}

static Err start_mqtt(struct flow *flow, const struct settings *s) {
    const char **deny = arena_zero(&flow->arena, DENY_MAX, sizeof *deny);
    struct mqtt_server_options options = {
        .address = settings_c(s, SETTING_mqtt_listen),
        .threads = (unsigned)settings_int(s, SETTING_mqtt_threads),
        .clock = flow->workspace.clock,
        .series = flow->workspace.series,
        .authenticate = authenticate,
        .model_of = model_of,
        .thing_seen = thing_seen,
        .ctx = flow,
        .allow_anonymous = settings_bool(s, SETTING_mqtt_allow_anonymous),
        .server_keep_alive = (uint16_t)settings_int(s, SETTING_mqtt_server_keep_alive),
        .deny_subscribe = deny,
        .n_deny_subscribe = split_list(&flow->arena, settings_text(s, SETTING_mqtt_deny_subscribe), deny),
        .limits = {.max_packet = (uint32_t)settings_int(s, SETTING_mqtt_max_packet_kb) * KIB,
                   .max_connections = (uint32_t)settings_int(s, SETTING_mqtt_max_connections)},
    };
    return mqtt_server_start(&options, &flow->mqtt);
}

static const char *const *tag_list(struct flow *flow, Str list) {
    const char **tags = arena_zero(&flow->arena, DENY_MAX + 1, sizeof *tags);
    split_list(&flow->arena, list, tags);
    return tags;
}

static Err start_lines(struct flow *flow, const struct settings *s) {
    struct line_protocol_options options = {.series = flow->workspace.series,
                                            .thing_seen = thing_seen,
                                            .ctx = flow,
                                            .thing_tags = tag_list(flow, settings_text(s, SETTING_ingest_thing_tags)),
                                            .split_tags = tag_list(flow, settings_text(s, SETTING_ingest_split_tags))};
    flow->csv = (struct csv_ingest_options){flow->workspace.series, thing_seen, flow};
    return line_ingest_open(&options, &flow->lines);
}

/* ---- what people send as tables; one that a crash interrupted goes on now */
static Err start_imports(struct flow *flow, const char *dir) {
    struct imports_options options = {.dir = arena_printf(&flow->arena, "%s/imports", dir).ptr,
                                      .documents = flow->workspace.documents,
                                      .clock = flow->workspace.clock};
    TRY(imports_open(&options, &flow->imports));
    flow->workspace.imports = flow->imports;
    return err_none();
}

/* ---- the whole */
static Err start_all(struct flow *flow, const struct flow_options *o) {
    const char *dir = settings_c(o->settings, SETTING_store_data);
    TRY(start_stores(flow, o));
    TRY(flow_ledger_start(flow, o->settings));
    TRY(start_documents(flow));
    TRY(start_insight(flow, dir));
    TRY(flow_rules_start(flow, o->settings));
    TRY(start_act(flow, o->replay.read != NULL));
    TRY(start_mqtt(flow, o->settings));
    TRY(start_lines(flow, o->settings));
    TRY(flow_sharing_start(flow));
    TRY(start_imports(flow, dir));
    TRY(flow_serve_start(flow, o));
    return control_start(&flow->workspace, dir, commands, &flow->control);
}

Err flow_start(const struct flow_options *options, struct flow **out) {
    struct flow *flow = calloc(1, sizeof *flow);
    ASSERT(flow);
    flow->workspace.lock_fd = -1;
    arena_init(&flow->arena, 0);
    thread_mutex_init(&flow->guard);
    Err err = start_all(flow, options);
    if (err.code != ERR_NONE)
        flow_stop(flow);
    else
        *out = flow;
    return err;
}

/* Takes a part out of the callbacks' sight before it is closed. */
static void *withdraw(struct flow *flow, void **part) {
    thread_lock(&flow->guard);
    void *taken = *part;
    *part = NULL;
    thread_unlock(&flow->guard);
    return taken;
}

void flow_stop(struct flow *flow) {
    if (!flow) return;
    control_stop(flow->control);
    serve_stop(withdraw(flow, (void **)&flow->serve));
    oidc_close(flow->oidc);
    imports_close(flow->imports);
    query_engine_close(flow->query);
    if (flow->view) view_close(flow->view);
    line_ingest_close(flow->lines);
    mqtt_server_stop(withdraw(flow, (void **)&flow->mqtt));
    watch_close(withdraw(flow, (void **)&flow->watch));
    act_stop(withdraw(flow, (void **)&flow->act));
    service_close(flow->service);
    flow_rules_stop(flow);
    flow_sharing_stop(flow);
    if (flow->workspace.documents) documents_close(flow->workspace.documents);
    flow_ledger_stop(flow);
    workspace_close(&flow->workspace);
    arena_fini(&flow->arena);
    thread_mutex_fini(&flow->guard);
    free(flow);
}

void flow_drain(struct flow *flow) {
    watch_drain(flow->watch);
    act_drain(flow->act);
}

const char *flow_http_address(const struct flow *flow) { return serve_address(flow->serve); }
const char *flow_mqtt_address(const struct flow *flow) { return mqtt_server_address(flow->mqtt); }
