/* For the staff: users, devices, what could not be kept, and who did what. */
#include <math.h>

#include "insight/view.h"
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/audit.h"
#include "trust/device.h"
#include "trust/gate.h"
#include "trust/people.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000, NAME_MAX_BYTES = 255, PAYLOAD_SHOWN = 4096 };

/* ---- users */

static Err list_users(struct api_call *call) {
    struct people_user *users;
    size_t n;
    TRY(people_users(call->serve->options.people, call->who.party, call->arena, &users, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kint(w, "id", users[i].id);
        jw_kstr(w, "name", users[i].name);
        jw_key(w, "roles");
        api_session_write_roles(w, users[i].roles);
        jw_ktime(w, "created", users[i].created);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err add_user(struct api_call *call) {
    struct people *people = call->serve->options.people;
    Str name, password;
    unsigned roles;
    TRY(api_need_body(call));
    TRY(api_text(call, "name", NULL, &name));
    TRY(api_text(call, "password", "", &password));
    TRY(api_session_read_roles(call, &roles));
    TRY(people_add_user(people, &call->who, call->who.party, name, password, roles));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kstr(w, "name", name);
    jw_key(w, "roles");
    api_session_write_roles(w, roles);
    jw_object_end(w);
    return err_none();
}

/* ---- devices */

static Err add_device(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    Str name, model;
    char user[DEVICE_SECRET_MAX], password[DEVICE_SECRET_MAX];
    TRY(api_need_body(call));
    TRY(api_text(call, "name", NULL, &name));
    TRY(api_text(call, "model", "", &model));
    if (name.len == 0 || name.len > NAME_MAX_BYTES)
        return err_make(ERR_INVALID, "'name' has %zu bytes: 1 to %d", name.len, NAME_MAX_BYTES);
    bool gateway = json_get_bool(call->body, "gateway", false);
    struct thing_row row = {.party = call->who.party, .name = name, .model = model, .latitude = NAN, .longitude = NAN};
    TRY(things_put(o->things, &call->who, &row));
    TRY(device_add(o->devices, &call->who, call->who.party, name, gateway, user, password));
    if (o->models_changed) o->models_changed(o->ctx);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "user", user);
    jw_kc(w, "password", password);
    jw_kstr(w, "thing", name);
    jw_kbool(w, "gateway", gateway);
    jw_object_end(w);
    return err_none();
}

/* ---- what could not be kept */

static void write_letter(struct jw *w, const struct dead_letter_row *row) {
    const struct dead_letter *letter = &row->letter;
    jw_object(w);
    jw_kint(w, "id", (int64_t)row->id);
    jw_ktime(w, "at", letter->at);
    jw_kstr(w, "device", letter->device);
    jw_kstr(w, "topic", letter->topic);
    jw_kstr(w, "reason", letter->reason);
    jw_kint(w, "bytes", (int64_t)letter->payload.len);
    jw_kstr(w, "payload", str_slice(letter->payload, 0, PAYLOAD_SHOWN));
    jw_object_end(w);
}

static Err list_letters(struct api_call *call) {
    struct dead_letter_row *rows;
    size_t n, limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX);
    uint64_t before = (uint64_t)api_query_int(call, "before", 0, 0, INT64_MAX);
    struct lens lens;
    TRY(gate_lens(&call->who, NULL, "dead letters", &lens));
    TRY(view_dead_letters(call->serve->options.view, &lens, before, limit, call->arena, &rows, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_letter(w, &rows[i]);
    jw_array_end(w);
    jw_key(w, "next");
    if (n == limit && n > 0)
        jw_str(w, arena_printf(call->arena, "%llu", (unsigned long long)rows[n - 1].id));
    else
        jw_null(w);
    jw_object_end(w);
    return err_none();
}

/* ---- who did what */

static void write_json(struct jw *w, const char *key, Str text) {
    jw_key(w, key);
    if (text.len > 0)
        jw_raw(w, text);
    else
        jw_null(w);
}

static void write_entry(struct jw *w, const struct audit_row *row) {
    jw_object(w);
    jw_kint(w, "id", row->id);
    jw_ktime(w, "at", row->at);
    jw_kstr(w, "who", row->who);
    jw_kstr(w, "action", row->action);
    jw_kstr(w, "type", row->type);
    jw_kstr(w, "target", row->target);
    write_json(w, "before", row->before);
    write_json(w, "after", row->after);
    jw_object_end(w);
}

static Err list_audit(struct api_call *call) {
    struct lens lens;
    struct audit_row *rows;
    size_t n, limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX);
    TRY(gate_lens(&call->who, NULL, "audit", &lens));
    TRY(audit_list(call->serve->options.records, &lens, api_query(call, "type"), api_query(call, "target"),
                   api_query_int(call, "before", 0, 0, INT64_MAX), limit, call->arena, &rows, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_entry(w, &rows[i]);
    jw_array_end(w);
    jw_key(w, "next");
    if (n == limit && n > 0)
        jw_str(w, arena_printf(call->arena, "%lld", (long long)rows[n - 1].id));
    else
        jw_null(w);
    jw_object_end(w);
    return err_none();
}

static const struct route_param letter_params[] = {
    {"before", ROUTE_INT, false, "`next` of the answer before"},
    {"limit", ROUTE_INT, false, "messages in one answer; 100, at most 1000"},
    {.name = NULL},
};
static const struct route_param audit_params[] = {
    {"type", ROUTE_TEXT, false, "document type, or user, token, device, thing"},
    {"target", ROUTE_TEXT, false, "number or name of what was changed"},
    {"before", ROUTE_INT, false, "`next` of the answer before"},
    {"limit", ROUTE_INT, false, "entries in one answer; 100, at most 1000"},
    {.name = NULL},
};

const struct route api_admin_routes[] = {
    {HTTP_GET, "/api/v1/users", "listUsers", "admin", "Users of the party", ROLE_STAFF, NULL, NULL, "UserList", 0, 0, 0,
     list_users},
    {HTTP_POST, "/api/v1/users", "addUser", "admin", "Make a user", ROLE_STAFF, NULL, "UserNew", "User", 201, 0, 0,
     add_user},
    {HTTP_POST, "/api/v1/devices", "addDevice", "admin", "Make or renew a device's credentials; shown once", ROLE_STAFF,
     NULL, "DeviceNew", "Device", 201, 0, 0, add_device},
    {HTTP_GET, "/api/v1/dead-letters", "listDeadLetters", "admin", "Messages that could not be kept as samples",
     ROLE_STAFF, letter_params, NULL, "DeadLetterPage", 0, 0, 0, list_letters},
    {HTTP_GET, "/api/v1/audit", "listAudit", "admin", "Every write, newest first", ROLE_STAFF, audit_params, NULL,
     "AuditPage", 0, 0, 0, list_audit},
    {.handler = NULL},
};
