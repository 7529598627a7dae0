/*
 * Line protocol over HTTP, at the addresses and with the parameters that Telegraf and the clients of InfluxDB 1 and 2
 * use. A device signs in with its own user and password, a program with a token:
 *
 *     Authorization: Token weft_…            Authorization: Bearer weft_…
 *     Authorization: Token USER:PASSWORD     Authorization: Basic …           ?u=USER&p=PASSWORD
 *
 * 204 when every line was kept as samples. Else 400 in the words that those clients understand: the lines that could
 * not be are kept among the dead letters, and the rest was stored.
 */
#include "connect/line_ingest.h"
#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/device.h"
#include "trust/people.h"
#include "trust/secret.h"

#define WRITE_ROLES (ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN) | ROLE_BIT(ROLE_WORKER) | ROLE_BIT(ROLE_DEVICE))
#define WRITE_BODY_MAX ((size_t)32 << 20)

static Err sign_in_device(struct api_call *call, Str user, Str password, struct line_message *message) {
    struct device_identity device;
    TRY(device_check(call->serve->options.devices, user, password, &device));
    message->party = device.party;
    message->device = arena_str(call->arena, str_c(device.thing));
    if (!device.gateway) message->only = message->device;
    return err_none();
}

static Err sign_in_token(struct api_call *call, Str token, struct line_message *message) {
    TRY(people_token_check(call->serve->options.people, token, &call->who));
    if (!principal_may(&call->who, WRITE_ROLES) || !principal_scope(&call->who, STR("series"), (Str){0}, true))
        return err_make(ERR_FORBIDDEN,
                        "'%s' may not write: ask for a token with the role device or worker, and if it has scopes with "
                        "series:write",
                        call->who.name);
    message->party = call->who.party;
    message->device = arena_str(call->arena, str_c(call->who.name));
    return err_none();
}

static Err sign_in_basic(struct api_call *call, Str coded, struct line_message *message) {
    Str plain, user, password;
    if (!secret_base64_read(call->arena, coded, &plain) || !str_cut(plain, ':', &user, &password))
        return err_make(ERR_UNAUTHENTICATED, "the Basic credentials are not base64 of USER:PASSWORD");
    return sign_in_device(call, user, password, message);
}

static Err sign_in(struct api_call *call, struct line_message *message) {
    Str header = http_header(call->request, "Authorization"), scheme, rest, user, password;
    if (header.len == 0 && api_query(call, "u").len > 0)
        return sign_in_device(call, api_query(call, "u"), api_query(call, "p"), message);
    str_cut(header, ' ', &scheme, &rest);
    rest = str_trim(rest);
    if (str_eq_nocase(scheme, STR("Basic"))) return sign_in_basic(call, rest, message);
    if (str_eq_nocase(scheme, STR("Token")) && str_cut(rest, ':', &user, &password))
        return sign_in_device(call, user, password, message);
    if (str_eq_nocase(scheme, STR("Token")) || str_eq_nocase(scheme, STR("Bearer")))
        return sign_in_token(call, rest, message);
    return err_make(ERR_UNAUTHENTICATED, "nobody is signed in: send a token, or a device's user and password");
}

static void answer_partial(struct api_call *call, const struct line_outcome *outcome) {
    Str text = arena_printf(call->arena, "partial write: %s; %llu of %llu lines or values are among the dead letters",
                            outcome->first, (unsigned long long)outcome->refused, (unsigned long long)outcome->lines);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "code", "invalid");
    jw_kstr(w, "message", text);
    jw_kstr(w, "error", text);
    jw_object_end(w);
    call->response->status = 400;
}

static Err write_lines(struct api_call *call) {
    struct line_message message = {.text = call->request->body, .now = clock_now(call->serve->options.clock)};
    struct line_outcome outcome;
    Str precision = api_query(call, "precision");
    TRY(sign_in(call, &message));
    if (precision.len > 0 && !line_protocol_precision(precision, &message.precision))
        return err_make(ERR_INVALID, "precision '%.20s' is not known: use ns, us, ms or s", precision.ptr);
    if (!call->serve->options.lines) return err_make(ERR_NOT_FOUND, "this server takes no line protocol");
    TRY(line_ingest_write(call->serve->options.lines, &message, &outcome));
    if (outcome.refused > 0) answer_partial(call, &outcome);
    return err_none();
}

/* Clients ask whether there is a server, and which. */
static Err ping(struct api_call *call) {
    http_response_header(call->response, "X-Influxdb-Version", STR("1.8.10-weft"));
    http_response_header(call->response, "X-Influxdb-Build", STR("weft"));
    return err_none();
}

static const struct route_param write_params[] = {
    {"precision", ROUTE_TEXT, false, "of the timestamps: ns (default), us, ms, s"},
    {"db", ROUTE_TEXT, false, "taken and not used: the party is that of the credentials"},
    {"rp", ROUTE_TEXT, false, "taken and not used"},
    {"consistency", ROUTE_TEXT, false, "taken and not used: every write is durable"},
    {"org", ROUTE_TEXT, false, "taken and not used"},
    {"orgID", ROUTE_TEXT, false, "taken and not used"},
    {"bucket", ROUTE_TEXT, false, "taken and not used"},
    {"u", ROUTE_TEXT, false, "a device's user"},
    {"p", ROUTE_TEXT, false, "its password"},
    {NULL, ROUTE_TEXT, false, NULL},
};

#define WRITE(address, name, more)                                                                                     \
    {                                                                                                                  \
        .method = HTTP_POST, .path = address, .id = name, .tag = "telemetry",                                          \
        .summary = "Telemetry in Influx line protocol", .params = write_params, .status = 204,                         \
        .flags = ROUTE_RAW_BODY | (more), .max_body = WRITE_BODY_MAX, .handler = write_lines                           \
    }
const struct route api_write_routes[] = {
    WRITE("/api/v1/write", "writeLines", 0),
    WRITE("/api/v2/write", "writeLinesV2", ROUTE_HIDDEN),
    WRITE("/write", "writeLinesV1", ROUTE_HIDDEN),
    {.method = HTTP_GET,
     .path = "/ping",
     .id = "ping",
     .tag = "telemetry",
     .summary = "Is there a server?",
     .status = 204,
     .flags = ROUTE_AT_ONCE | ROUTE_HIDDEN | ROUTE_ANY_PARAMS,
     .handler = ping},
    {.handler = NULL},
};
