/* Signing in and out. */
#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/people.h"

static Err write_who(struct api_call *call) {
    Str party;
    TRY(people_party_name(call->serve->options.people, call->who.party, call->arena, &party));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "user", call->who.name);
    jw_key(w, "roles");
    jw_array(w);
    for (int role = 0; role < ROLE_SYSTEM; role++)
        if (call->who.roles & ROLE_BIT(role)) jw_c(w, principal_role_name((enum role)role));
    jw_array_end(w);
    jw_kstr(w, "party", party);
    jw_object_end(w);
    return err_none();
}

static void set_cookie(struct api_call *call, const char *value, const char *age) {
    bool tls = str_eq_nocase(http_header(call->request, "X-Forwarded-Proto"), STR("https"));
    http_response_header(call->response, "Set-Cookie",
                         arena_printf(call->arena, "weft_session=%s; Path=/; HttpOnly; SameSite=Strict%s%s", value, age,
                                      tls ? "; Secure" : ""));
}

static Err sign_in(struct api_call *call) {
    Str user, password;
    char session[PEOPLE_SECRET_MAX];
    TRY(api_need_body(call));
    TRY(api_text(call, "user", NULL, &user));
    TRY(api_text(call, "password", NULL, &password));
    TRY(people_sign_in(call->serve->options.people, user, password, &call->who, session));
    set_cookie(call, session, "");
    return write_who(call);
}

static Err sign_out(struct api_call *call) {
    Str session = http_cookie(call->request, "weft_session");
    if (session.len > 0) people_sign_out(call->serve->options.people, session);
    set_cookie(call, "", "; Max-Age=0");
    return err_none();
}

const struct route api_session_routes[] = {
    {HTTP_POST, "/api/v1/session", "signIn", "session", "Sign in; sets the cookie weft_session", 0, NULL, "SignIn",
     "Session", 0, 0, 0, sign_in},
    {HTTP_GET, "/api/v1/session", "getSession", "session", "Who is signed in", ROLE_PEOPLE | ROLE_BIT(ROLE_DEVICE),
     NULL, NULL, "Session", 0, 0, 0, write_who},
    {HTTP_DELETE, "/api/v1/session", "signOut", "session", "Sign out", 0, NULL, NULL, NULL, 204, 0, 0, sign_out},
    {.handler = NULL},
};
