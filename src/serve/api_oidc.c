/* Signing in at an OpenID provider. */
#include "trust/oidc.h"

#include <string.h>

#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"

static Err list_providers(struct api_call *call) {
    const struct oidc *oidc = call->serve->options.oidc;
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "providers");
    jw_array(w);
    if (oidc) {
        jw_object(w);
        jw_kc(w, "name", oidc_name(oidc));
        jw_kc(w, "title", oidc_title(oidc));
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* Lax: the browser comes back from another site. It proves that the sign-in was begun in this browser. */
static void set_state(struct api_call *call, const char *state) {
    const char *known = call->serve->options.public_url;
    bool tls = known && strncmp(known, "https://", 8) == 0;
    http_response_header(call->response, "Set-Cookie",
                         arena_printf(call->arena,
                                      "weft_oidc=%s; Path=/api/v1/session/oidc; HttpOnly; SameSite=Lax; Max-Age=%d%s",
                                      state, state[0] ? 600 : 0, tls ? "; Secure" : ""));
}

static Err go(struct api_call *call, Str location) {
    call->response->status = 302;
    http_response_header(call->response, "Location", location);
    return err_none();
}

static Err begin(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    char state[OIDC_STATE_MAX];
    Str location;
    if (!o->oidc || !str_eq_c(call->segments[0], oidc_name(o->oidc)))
        return err_make(ERR_NOT_FOUND, "no such provider: GET /api/v1/session/oidc lists them");
    TRY(oidc_begin(o->oidc, arena_printf(call->arena, "%s/api/v1/session/oidc/callback", o->public_url), call->arena,
                   &location, state));
    set_state(call, state);
    return go(call, location);
}

static Err finish(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    Str state = api_query(call, "state"), code = api_query(call, "code");
    struct oidc_person person;
    char session[PEOPLE_SECRET_MAX];
    if (!o->oidc) return err_make(ERR_NOT_FOUND, "this server knows no provider");
    if (state.len == 0 || !str_eq(state, http_cookie(call->request, "weft_oidc")))
        return err_make(ERR_UNAUTHENTICATED, "this sign-in was not begun in this browser: begin again");
    if (code.len == 0) return err_make(ERR_UNAUTHENTICATED, "the provider signed nobody in: begin again");
    TRY(oidc_finish(o->oidc, state, code, call->arena, &person));
    Str subject = arena_printf(call->arena, "%s " STR_FMT, oidc_name(o->oidc), STR_ARG(person.subject));
    TRY(people_session_outside(o->people, subject, person.email, &call->who, session));
    api_session_set_cookie(call, session);
    set_state(call, "");
    return go(call, STR("/"));
}

static const struct route_param callback_params[] = {
    {"state", ROUTE_TEXT, false, "as it was given to the provider"},
    {"code", ROUTE_TEXT, false, "what the provider gives for the sign-in"},
    {.name = NULL},
};

const struct route api_oidc_routes[] = {
    {HTTP_GET, "/api/v1/session/oidc", "listProviders", "session", "Where else one may sign in", 0, NULL, NULL,
     "ProviderList", 0, 0, 0, list_providers},
    {HTTP_GET, "/api/v1/session/oidc/callback", "finishOutside", "session", "Back from a provider", 0, callback_params,
     NULL, NULL, 302, ROUTE_ANY_PARAMS, 0, finish},
    {HTTP_GET, "/api/v1/session/oidc/{name}", "beginOutside", "session", "Go to a provider to sign in", 0, NULL, NULL,
     NULL, 302, 0, 0, begin},
    {.handler = NULL},
};
