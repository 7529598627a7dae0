/* The second factor: set up, confirmed, taken away. */
#include "base/qr.h"
#include "serve/api_session.h"
#include "serve/serve_state.h"
#include "trust/people.h"
#include "trust/people_factor.h"

/* Percent-encoded, as the label and the issuer of an otpauth address are. */
static Str encode(struct arena *arena, Str text) {
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_alloc(arena, text.len * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_';
        if (plain) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = digits[c >> 4];
        out[n++] = digits[c & 15];
    }
    return str_n(out, n);
}

static Err begin(struct api_call *call) {
    Str session, secret;
    struct buf svg = {0};
    TRY(api_session_secret(call, &session));
    TRY(people_factor_begin(call->serve->options.people, session, call->arena, &secret));
    Str uri = arena_printf(call->arena, "otpauth://totp/Weft:" STR_FMT "?secret=" STR_FMT "&issuer=Weft",
                           STR_ARG(encode(call->arena, str_c(call->who.name))), STR_ARG(secret));
    TRY(qr_svg(uri, &svg));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kstr(w, "secret", secret);
    jw_kstr(w, "uri", uri);
    jw_kstr(w, "svg", buf_view(&svg));
    jw_object_end(w);
    buf_fini(&svg);
    return err_none();
}

static Err confirm(struct api_call *call) {
    char recovery[PEOPLE_FACTOR_CODES][PEOPLE_FACTOR_CODE_MAX];
    Str session, code;
    TRY(api_session_secret(call, &session));
    TRY(api_need_body(call));
    TRY(api_text(call, "code", NULL, &code));
    TRY(people_factor_confirm(call->serve->options.people, session, code, recovery));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "recovery");
    jw_array(w);
    for (size_t i = 0; i < PEOPLE_FACTOR_CODES; i++) jw_c(w, recovery[i]);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err take_away(struct api_call *call) {
    Str session, code;
    TRY(api_session_secret(call, &session));
    TRY(api_need_body(call));
    TRY(api_text(call, "code", NULL, &code));
    return people_factor_remove(call->serve->options.people, session, code);
}

const struct route api_factor_routes[] = {
    {HTTP_POST, "/api/v1/session/totp", "beginSecondFactor", "session", "A new secret for one's authenticator app",
     ROLE_PEOPLE, NULL, NULL, "FactorSecret", 0, 0, 0, begin},
    {HTTP_POST, "/api/v1/session/totp/confirm", "confirmSecondFactor", "session",
     "In force with the first right code; recovery codes are shown once", ROLE_PEOPLE, NULL, "Code", "Recovery", 0, 0,
     0, confirm},
    {HTTP_DELETE, "/api/v1/session/totp", "removeSecondFactor", "session", "Take one's second factor away", ROLE_PEOPLE,
     NULL, "Code", NULL, 204, 0, 0, take_away},
    {.handler = NULL},
};
