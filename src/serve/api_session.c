/* Signing in and out, and for which party one acts. */
#include <string.h>

#include "base/qr.h"
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"
#include "trust/people_factor.h"
#include "trust/people_link.h"

/* ---- for the handlers of people */

Err api_session_secret(const struct api_call *call, Str *out) {
    if (!call->by_cookie)
        return err_make(ERR_FORBIDDEN, "this is for people: sign in with a name and a password, not with a token");
    *out = http_cookie(call->request, "weft_session");
    return err_none();
}

/* Behind a proxy the last address is the one that the proxy itself has seen; those before it anybody may have made up.
 */
Str api_session_peer(const struct api_call *call) {
    Str forwarded = http_header(call->request, "X-Forwarded-For"), head;
    if (!call->serve->options.behind_proxy || forwarded.len == 0) return str_c(call->request->peer);
    while (str_cut(forwarded, ',', &head, &forwarded)) {
    }
    return str_trim(head);
}

void api_session_write_roles(struct jw *w, unsigned roles) {
    jw_array(w);
    for (int role = 0; role < ROLE_SYSTEM; role++)
        if (roles & ROLE_BIT(role)) jw_c(w, principal_role_name((enum role)role));
    jw_array_end(w);
}

Err api_session_read_roles(const struct api_call *call, unsigned *roles) {
    const struct json *list = json_get(call->body, "roles");
    enum role role;
    *roles = 0;
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) == 0)
        return err_make(ERR_INVALID, "'roles' is missing: a list with at least one role");
    for (size_t i = 0; i < json_len(list); i++) {
        const struct json *v = json_at(list, i);
        if (json_kind(v) != JSON_STRING || !principal_role_parse(json_str(v), &role))
            return err_make(ERR_INVALID, "a role is one of operator, manager, technician, worker, viewer, device");
        *roles |= ROLE_BIT(role);
    }
    return err_none();
}

static bool is_tls(const struct api_call *call) {
    const char *url = call->serve->options.public_url;
    return (url && strncmp(url, "https://", 8) == 0) ||
           str_eq_nocase(http_header(call->request, "X-Forwarded-Proto"), STR("https"));
}

Err api_session_write_link(struct api_call *call, const char *page, const char *code, Nanos until, struct jw *w) {
    const char *known = call->serve->options.public_url;
    struct buf svg = {0};
    Str host = http_header(call->request, "Host");
    Str base = known && known[0]
                   ? str_c(known)
                   : arena_printf(call->arena, "%s://" STR_FMT, is_tls(call) ? "https" : "http", STR_ARG(host));
    if (str_ends(base, STR("/"))) base.len--;
    Str url = arena_printf(call->arena, STR_FMT "/#/%s/%s", STR_ARG(base), page, code);
    TRY(qr_svg(url, &svg));
    jw_kstr(w, "url", url);
    jw_kstr(w, "svg", buf_view(&svg));
    jw_ktime(w, "expires", until);
    buf_fini(&svg);
    return err_none();
}

void api_session_set_cookie(struct api_call *call, const char *session) {
    const char *age = session[0] ? "" : "; Max-Age=0";
    http_response_header(call->response, "Set-Cookie",
                         arena_printf(call->arena, "weft_session=%s; Path=/; HttpOnly; SameSite=Strict%s%s", session,
                                      age, is_tls(call) ? "; Secure" : ""));
}

/* ---- who is signed in */

static void write_seats(const struct people_seat *seats, size_t n, struct jw *w) {
    jw_key(w, "parties");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_kint(w, "id", seats[i].party);
        jw_kstr(w, "name", seats[i].name);
        jw_key(w, "roles");
        api_session_write_roles(w, seats[i].roles);
        jw_object_end(w);
    }
    jw_array_end(w);
}

/* What a worker link is for: the types that its scopes name. */
static void write_worker(const struct principal *who, struct jw *w) {
    jw_key(w, "worker");
    if (strncmp(who->name, "link:", 5) != 0) {
        jw_null(w);
        return;
    }
    jw_object(w);
    jw_kc(w, "label", who->name + 5);
    jw_key(w, "docs");
    jw_array(w);
    for (Str rest = str_c(who->scopes), one, area, name; rest.len > 0;) {
        str_cut(rest, ' ', &one, &rest);
        str_cut(one, ':', &area, &one);
        if (str_eq(area, STR("docs")) && str_cut(one, ':', &name, &one)) jw_str(w, name);
    }
    jw_array_end(w);
    jw_object_end(w);
}

Err api_session_write(struct api_call *call, Str session) {
    static const char *const needs[] = {NULL, "new_password", "second_factor"};
    struct people *people = call->serve->options.people;
    struct people_seat *seats;
    size_t n;
    Str party;
    TRY(people_party_name(people, call->who.party, call->arena, &party));
    TRY(people_seats(people, call->who.user, call->arena, &seats, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "user", call->who.name);
    jw_kc(w, "name", call->who.name);
    jw_key(w, "roles");
    api_session_write_roles(w, call->who.roles);
    jw_key(w, "party");
    jw_object(w);
    jw_kint(w, "id", call->who.party);
    jw_kstr(w, "name", party);
    jw_kbool(w, "operates", people_operates(people, call->who.party));
    jw_object_end(w);
    write_seats(seats, session.len > 0 ? n : 0, w);
    jw_kbool(w, "second_factor", people_factor_set(people, call->who.user));
    jw_kc(w, "needs", session.len > 0 ? needs[people_session_need(people, session)] : NULL);
    write_worker(&call->who, w);
    jw_object_end(w);
    return err_none();
}

static Err get_session(struct api_call *call) {
    return api_session_write(call, call->by_cookie ? http_cookie(call->request, "weft_session") : (Str){0});
}

/* A browser that was signed in as somebody is so no more. */
static void end_before(struct api_call *call) {
    Str session = http_cookie(call->request, "weft_session");
    if (session.len > 0) people_session_end(call->serve->options.people, session);
}

static Err sign_in(struct api_call *call) {
    struct people_knock knock = {.peer = api_session_peer(call)};
    char session[PEOPLE_SECRET_MAX];
    TRY(api_need_body(call));
    TRY(api_text(call, "user", NULL, &knock.name));
    TRY(api_text(call, "password", NULL, &knock.password));
    TRY(api_text(call, "code", "", &knock.code));
    TRY(people_session_begin(call->serve->options.people, &knock, &call->who, session));
    end_before(call);
    api_session_set_cookie(call, session);
    return api_session_write(call, str_c(session));
}

static Err sign_out(struct api_call *call) {
    end_before(call);
    api_session_set_cookie(call, "");
    return err_none();
}

static Err switch_party(struct api_call *call) {
    struct people *people = call->serve->options.people;
    char session[PEOPLE_SECRET_MAX];
    Str secret;
    TRY(api_session_secret(call, &secret));
    TRY(api_need_body(call));
    const struct json *v = json_get(call->body, "party");
    int64_t id = v && json_kind(v) == JSON_INT ? json_int(v) : 0;
    if (id <= 0 || id > UINT32_MAX)
        return err_make(ERR_INVALID,
                        "'party' is missing: the id of one of your parties, as GET /api/v1/session lists them");
    TRY(people_session_switch(people, secret, (PartyId)id, &call->who, session));
    api_session_set_cookie(call, session);
    return api_session_write(call, str_c(session));
}

static Err change_password(struct api_call *call) {
    Str secret, old, new;
    TRY(api_session_secret(call, &secret));
    TRY(api_need_body(call));
    TRY(api_text(call, "old", NULL, &old));
    TRY(api_text(call, "new", NULL, &new));
    return people_session_password(call->serve->options.people, secret, old, new);
}

#define ANYBODY (ROLE_PEOPLE | ROLE_BIT(ROLE_DEVICE))
const struct route api_session_routes[] = {
    {HTTP_POST, "/api/v1/session", "signIn", "session", "Sign in; sets the cookie weft_session", 0, NULL, "SignIn",
     "Session", 0, 0, 0, sign_in},
    {HTTP_GET, "/api/v1/session", "getSession", "session", "Who is signed in", ANYBODY, NULL, NULL, "Session", 0, 0, 0,
     get_session},
    {HTTP_DELETE, "/api/v1/session", "signOut", "session", "Sign out", 0, NULL, NULL, NULL, 204, 0, 0, sign_out},
    {HTTP_POST, "/api/v1/session/party", "switchParty", "session", "Act for another of one's parties", ANYBODY, NULL,
     "PartyChoice", "Session", 0, 0, 0, switch_party},
    {HTTP_POST, "/api/v1/session/password", "changePassword", "session",
     "A new password; every other session of one's own ends", ANYBODY, NULL, "PasswordChange", NULL, 204, 0, 0,
     change_password},
    {.handler = NULL},
};
