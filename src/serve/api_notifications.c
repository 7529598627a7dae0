/* What one is told, by which channels it goes out, and the rules that tell it. */
#include "act/notify.h"

#include "act/rules.h"
#include "serve/api.h"
#include "serve/serve_state.h"

static Err find_notify(const struct api_call *call, struct notify **out) {
    *out = call->serve->options.notify;
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "this server sends no notifications");
}

static void text_or_null(struct jw *w, const char *key, Str text) {
    if (text.len > 0)
        jw_kstr(w, key, text);
    else
        jw_kc(w, key, NULL);
}

/* ---- notifications */
static void write_row(struct jw *w, const struct notify_row *row) {
    jw_object(w);
    jw_kint(w, "id", row->id);
    jw_ktime(w, "at", row->at);
    jw_kbool(w, "read", row->read);
    jw_kstr(w, "text_en", row->text_en.len ? row->text_en : row->text_zh);
    jw_kstr(w, "text_zh", row->text_zh.len ? row->text_zh : row->text_en);
    text_or_null(w, "type", row->type);
    jw_key(w, "doc");
    if (row->doc)
        jw_int(w, row->doc);
    else
        jw_null(w);
    text_or_null(w, "rule", row->rule);
    jw_object_end(w);
}

static Err list_notifications(struct api_call *call) {
    struct notify *notify;
    struct notify_row *rows;
    size_t n, unread, limit = (size_t)api_query_int(call, "limit", 50, 1, 200);
    Str only = api_query(call, "unread");
    TRY(find_notify(call, &notify));
    bool only_unread = str_eq(only, STR("true")) || str_eq(only, STR("1"));
    TRY(notify_list(notify, &call->who, only_unread, api_query_int(call, "cursor", 0, 0, INT64_MAX), limit, call->arena,
                    &rows, &n, &unread));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_row(w, &rows[i]);
    jw_array_end(w);
    jw_kint(w, "unread", (int64_t)unread);
    jw_key(w, "next");
    if (n == limit)
        jw_int(w, rows[n - 1].id);
    else
        jw_null(w);
    jw_object_end(w);
    return err_none();
}

static Err read_notifications(struct api_call *call) {
    struct notify *notify;
    TRY(find_notify(call, &notify));
    TRY(api_need_body(call));
    int64_t through = json_get_int(call->body, "through", -1);
    if (through < 0) return err_make(ERR_INVALID, "'through' is missing: the id of the newest one that was read");
    call->response->status = 204;
    return notify_read(notify, &call->who, through);
}

/* ---- channels */
static void write_events(struct jw *w, Str list) {
    jw_key(w, "events");
    jw_array(w);
    for (Str one; list.len > 0;) {
        str_cut(list, ',', &one, &list);
        jw_str(w, one);
    }
    jw_array_end(w);
}

static Err list_channels(struct api_call *call) {
    struct notify *notify;
    struct notify_channel *channels;
    size_t n;
    TRY(find_notify(call, &notify));
    TRY(notify_channels(notify, call->who.party, call->arena, &channels, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        const struct notify_channel *c = &channels[i];
        jw_object(w);
        jw_kint(w, "id", c->id);
        jw_kstr(w, "name", c->name);
        jw_kstr(w, "kind", c->kind);
        jw_kstr(w, "target", c->target);
        jw_kbool(w, "secret", c->has_secret);
        write_events(w, c->events);
        jw_kint(w, "waiting", (int64_t)c->waiting);
        text_or_null(w, "trouble", c->trouble);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err read_events(const struct api_call *call, Str *out) {
    const struct json *list = json_get(call->body, "events");
    *out = (Str){0};
    if (!list) return err_none();
    if (json_kind(list) != JSON_ARRAY)
        return err_make(ERR_INVALID, "'events' is a list of rules' names and document types, or [\"*\"]");
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *one = json_at(list, i);
        if (json_kind(one) != JSON_STRING || str_find(json_str(one), STR(",")) >= 0 || json_len(list) > 50)
            return err_make(ERR_INVALID, "'events' is a list of at most 50 names without commas");
        *out = arena_printf(call->arena, STR_FMT "%s" STR_FMT, STR_ARG(*out), i ? "," : "", STR_ARG(json_str(one)));
    }
    if (out->len == 0) *out = STR(","); /* none: not the same as "leave it" */
    return err_none();
}

static Err read_channel(const struct api_call *call, bool fresh, struct notify_channel *c) {
    TRY(api_need_body(call));
    TRY(api_text(call, "name", fresh ? NULL : "", &c->name));
    TRY(api_text(call, "kind", fresh ? NULL : "", &c->kind));
    TRY(api_text(call, "target", fresh ? NULL : "", &c->target));
    TRY(api_text(call, "secret", "", &c->secret));
    return read_events(call, &c->events);
}

static Err create_channel(struct api_call *call) {
    struct notify *notify;
    struct notify_channel c = {0};
    int64_t id;
    TRY(find_notify(call, &notify));
    TRY(read_channel(call, true, &c));
    TRY(notify_channel_put(notify, &call->who, &c, &id));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kint(w, "id", id);
    jw_object_end(w);
    return err_none();
}

static Err channel_id(const struct api_call *call, int64_t *id) {
    if (str_to_i64(call->segments[0], id) && *id > 0) return err_none();
    return err_make(ERR_NOT_FOUND, "channels are named by their id: list them at /api/v1/channels");
}

static Err change_channel(struct api_call *call) {
    struct notify *notify;
    struct notify_channel c = {0};
    int64_t id;
    TRY(find_notify(call, &notify));
    TRY(channel_id(call, &c.id));
    TRY(read_channel(call, false, &c));
    TRY(notify_channel_put(notify, &call->who, &c, &id));
    call->response->status = 204;
    return err_none();
}

static Err delete_channel(struct api_call *call) {
    struct notify *notify;
    int64_t id;
    TRY(find_notify(call, &notify));
    TRY(channel_id(call, &id));
    TRY(notify_channel_remove(notify, &call->who, id));
    call->response->status = 204;
    return err_none();
}

static Err test_channel(struct api_call *call) {
    struct notify *notify;
    int64_t id;
    TRY(find_notify(call, &notify));
    TRY(channel_id(call, &id));
    Err err = notify_channel_test(notify, &call->who, id);
    if (err.code == ERR_FORBIDDEN && !principal_may(&call->who, ROLE_STAFF)) return err;
    if (err.code == ERR_NOT_FOUND) return err;
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kbool(w, "ok", err.code == ERR_NONE);
    jw_kc(w, "detail", err.code == ERR_NONE ? "" : err.text);
    jw_object_end(w);
    return err_none();
}

/* ---- rules */
static Err write_rule(const struct api_call *call, struct jw *w, const struct rule *rule) {
    static const char *const whens[] = {"change", "alarm", "schedule", "event"};
    struct rules_state state;
    TRY(rules_state(call->serve->options.rules, call->who.party, str_c(rule->name), call->arena, &state));
    jw_object(w);
    jw_kc(w, "name", rule->name);
    jw_kc(w, "title_en", rule->title_en);
    jw_kc(w, "title_zh", rule->title_zh);
    jw_kc(w, "pack", rule->pack);
    jw_kc(w, "when", whens[rule->when]);
    jw_kc(w, "type", rule->type);
    jw_kc(w, "what", rule->what);
    jw_kbool(w, "enabled", state.enabled);
    jw_kint(w, "runs", state.runs);
    jw_kint(w, "failures", state.failures);
    jw_key(w, "last");
    if (state.last)
        jw_time(w, state.last);
    else
        jw_null(w);
    text_or_null(w, "error", state.error);
    jw_object_end(w);
    return err_none();
}

static Err list_rules(struct api_call *call) {
    if (!call->serve->options.rules) return err_make(ERR_NOT_FOUND, "this server runs no rules");
    const struct catalog *catalog = catalog_get(call->serve->options.catalog);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < catalog->n_rules; i++) TRY(write_rule(call, w, &catalog->rules[i]));
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err switch_rule(struct api_call *call) {
    if (!call->serve->options.rules) return err_make(ERR_NOT_FOUND, "this server runs no rules");
    TRY(api_need_body(call));
    const struct json *enabled = json_get(call->body, "enabled");
    if (!enabled || json_kind(enabled) != JSON_BOOL)
        return err_make(ERR_INVALID, "'enabled' is missing: true or false");
    call->response->status = 204;
    return rules_enable(call->serve->options.rules, &call->who, call->segments[0], json_bool(enabled));
}

static const struct route_param list_params[] = {
    {"unread", ROUTE_TEXT, false, "true: only those that were not read"},
    {"limit", ROUTE_INT, false, "in one answer; 50, at most 200"},
    {"cursor", ROUTE_INT, false, "`next` of the answer before"},
    {.name = NULL},
};

const struct route api_notifications_routes[] = {
    {HTTP_GET, "/api/v1/notifications", "listNotifications", "notifications", "What I am told, newest first",
     ROLE_PEOPLE, list_params, NULL, "NotificationPage", 0, 0, 0, list_notifications},
    {HTTP_POST, "/api/v1/notifications/read", "readNotifications", "notifications", "I have read so far", ROLE_PEOPLE,
     NULL, "NotificationsRead", NULL, 204, 0, 0, read_notifications},
    {HTTP_GET, "/api/v1/channels", "listChannels", "notifications", "By which ways notifications go out", ROLE_STAFF,
     NULL, NULL, "ChannelList", 0, 0, 0, list_channels},
    {HTTP_POST, "/api/v1/channels", "createChannel", "notifications", "Makes a channel", ROLE_STAFF, NULL, "ChannelNew",
     "ChannelMade", 201, 0, 0, create_channel},
    {HTTP_PATCH, "/api/v1/channels/{id}", "changeChannel", "notifications", "Changes what is given", ROLE_STAFF, NULL,
     "ChannelChange", NULL, 204, 0, 0, change_channel},
    {HTTP_DELETE, "/api/v1/channels/{id}", "deleteChannel", "notifications", "Removes it and what waits for it",
     ROLE_STAFF, NULL, NULL, NULL, 204, 0, 0, delete_channel},
    {HTTP_POST, "/api/v1/channels/{id}/test", "testChannel", "notifications", "Sends a line by it, now", ROLE_STAFF,
     NULL, NULL, "ChannelTest", 0, 0, 0, test_channel},
    {HTTP_GET, "/api/v1/rules", "listRules", "rules", "Rules of the packs, and how they ran for us", ROLE_STAFF, NULL,
     NULL, "RuleList", 0, 0, 0, list_rules},
    {HTTP_POST, "/api/v1/rules/{name}", "switchRule", "rules", "Switches a rule on or off for us", ROLE_STAFF, NULL,
     "RuleSwitch", NULL, 204, 0, 0, switch_rule},
    {.handler = NULL},
};
