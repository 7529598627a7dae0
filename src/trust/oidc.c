#include "trust/oidc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "os/clock.h"
#include "os/jose.h"
#include "os/thread.h"
#include "trust/secret.h"

#define PENDING_MAX 1024 /* sign-ins that have begun; the oldest gives way */
#define PENDING_TIME (10 * NANOS_PER_MIN)
#define FOUND_TIME NANOS_PER_HOUR /* what the provider says of itself is asked for again */
#define SKEW NANOS_PER_MIN
enum { SECRET_LETTERS_STATE = 32, VERIFIER_LETTERS = 52 };

struct pending {
    char state[OIDC_STATE_MAX], nonce[OIDC_STATE_MAX], verifier[64], redirect[300];
    Nanos began;
};

struct oidc {
    struct oidc_options o;
    pthread_mutex_t lock; /* all below */
    struct pending pending[PENDING_MAX];
    size_t next;
    Nanos found; /* 0: not yet */
    char authorization[500], token[500], keys[500];
};

Err oidc_open(const struct oidc_options *o, struct oidc **out) {
    if (!o->client_id[0]) return err_make(ERR_INVALID, "oidc.client_id is missing: the provider gives it");
    struct oidc *oidc = calloc(1, sizeof *oidc);
    ASSERT(oidc);
    oidc->o = *o;
    thread_mutex_init(&oidc->lock);
    *out = oidc;
    return err_none();
}

void oidc_close(struct oidc *oidc) {
    if (!oidc) return;
    thread_mutex_fini(&oidc->lock);
    free(oidc);
}

const char *oidc_name(const struct oidc *oidc) { return oidc->o.name; }
const char *oidc_title(const struct oidc *oidc) { return oidc->o.title; }

/* ---- asking the provider */

static Err ask(struct oidc *oidc, struct fetch_request *r, struct arena *arena, struct json **out) {
    struct fetch_answer a;
    r->limits = oidc->o.limits;
    Err err = fetch_http(r, arena, &a);
    if (err.code != ERR_NONE) return err_make(ERR_IO, "the sign-in provider does not answer: %.180s", err.text);
    if (a.status != 200) return err_make(ERR_UNAUTHENTICATED, "the sign-in provider answered %d", a.status);
    return json_parse(a.body, out);
}

static bool keep(char *to, size_t size, const struct json *from, const char *name) {
    Str text = json_get_str(from, name, (Str){0});
    if (text.len == 0 || text.len >= size) return false;
    snprintf(to, size, STR_FMT, STR_ARG(text));
    return true;
}

/* OpenID Connect Discovery 1.0. Two threads may ask at once, and get the same. */
static Err discover(struct oidc *oidc, struct arena *arena) {
    struct json *said = NULL;
    thread_lock(&oidc->lock);
    bool known = oidc->found && clock_monotonic() - oidc->found < FOUND_TIME;
    thread_unlock(&oidc->lock);
    if (known) return err_none();
    struct fetch_request r = {.url = arena_printf(arena, "%s/.well-known/openid-configuration", oidc->o.issuer)};
    TRY(ask(oidc, &r, arena, &said));
    bool same = str_eq_c(json_get_str(said, "issuer", STR("")), oidc->o.issuer);
    thread_lock(&oidc->lock);
    bool whole = same && keep(oidc->authorization, sizeof oidc->authorization, said, "authorization_endpoint") &&
                 keep(oidc->token, sizeof oidc->token, said, "token_endpoint") &&
                 keep(oidc->keys, sizeof oidc->keys, said, "jwks_uri");
    if (whole) oidc->found = clock_monotonic();
    thread_unlock(&oidc->lock);
    json_free(said);
    return whole ? err_none() : err_make(ERR_IO, "the sign-in provider describes itself as another one, or in part");
}

static Str encode(struct arena *arena, Str text) {
    char *out = arena_alloc(arena, text.len * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned char)text.ptr[i]);
    return str_n(out, n);
}

/* Without padding, and safe in an address (RFC 4648 section 5). */
static Str base64url(struct arena *arena, Str bytes) {
    Str text = secret_base64(arena, bytes);
    char *out = arena_c(arena, text);
    size_t n = text.len;
    while (n > 0 && out[n - 1] == '=') n--;
    for (size_t i = 0; i < n; i++) out[i] = (char)(out[i] == '+' ? '-' : out[i] == '/' ? '_' : out[i]);
    return str_n(out, n);
}

/* ---- beginning */

static void remember(struct oidc *oidc, const struct pending *p) {
    thread_lock(&oidc->lock);
    oidc->pending[oidc->next] = *p;
    oidc->next = (oidc->next + 1) % PENDING_MAX;
    thread_unlock(&oidc->lock);
}

Err oidc_begin(struct oidc *oidc, Str redirect, struct arena *arena, Str *location, char state[OIDC_STATE_MAX]) {
    struct pending p = {.began = clock_monotonic()};
    unsigned char hash[32];
    if (redirect.len >= sizeof p.redirect) return err_make(ERR_INVALID, "the address to come back to is too long");
    TRY(discover(oidc, arena));
    secret_text(p.state, SECRET_LETTERS_STATE);
    secret_text(p.nonce, SECRET_LETTERS_STATE);
    secret_text(p.verifier, VERIFIER_LETTERS);
    memcpy(p.redirect, redirect.ptr, redirect.len);
    remember(oidc, &p);
    memcpy(state, p.state, sizeof p.state);
    secret_sha256(str_c(p.verifier), hash);
    thread_lock(&oidc->lock);
    const char *joint = strchr(oidc->authorization, '?') ? "&" : "?";
    *location = arena_printf(arena,
                             "%s%sresponse_type=code&scope=openid%%20email&client_id=" STR_FMT "&redirect_uri=" STR_FMT
                             "&state=%s&nonce=%s&code_challenge_method=S256&code_challenge=" STR_FMT,
                             oidc->authorization, joint, STR_ARG(encode(arena, str_c(oidc->o.client_id))),
                             STR_ARG(encode(arena, redirect)), p.state, p.nonce,
                             STR_ARG(base64url(arena, str_n((const char *)hash, sizeof hash))));
    thread_unlock(&oidc->lock);
    return err_none();
}

/* ---- finishing */

static bool recall(struct oidc *oidc, Str state, struct pending *out) {
    bool found = false;
    thread_lock(&oidc->lock);
    for (size_t i = 0; state.len > 0 && !found && i < PENDING_MAX; i++) {
        if (!str_eq_c(state, oidc->pending[i].state)) continue;
        *out = oidc->pending[i];
        oidc->pending[i] = (struct pending){.began = 0};
        found = clock_monotonic() - out->began < PENDING_TIME;
    }
    thread_unlock(&oidc->lock);
    return found;
}

static Err redeem(struct oidc *oidc, const struct pending *p, Str code, struct arena *arena, Str *token) {
    struct json *said = NULL;
    struct http_pair header = {STR("Content-Type"), STR("application/x-www-form-urlencoded")};
    struct fetch_request r = {.method = "POST", .url = str_c(oidc->token), .headers = &header, .n_headers = 1};
    r.body = arena_printf(arena,
                          "grant_type=authorization_code&code=" STR_FMT "&redirect_uri=" STR_FMT
                          "&code_verifier=%s&client_id=" STR_FMT "&client_secret=" STR_FMT,
                          STR_ARG(encode(arena, code)), STR_ARG(encode(arena, str_c(p->redirect))), p->verifier,
                          STR_ARG(encode(arena, str_c(oidc->o.client_id))),
                          STR_ARG(encode(arena, str_c(oidc->o.client_secret))));
    TRY(ask(oidc, &r, arena, &said));
    *token = arena_str(arena, json_get_str(said, "id_token", (Str){0}));
    json_free(said);
    return token->len > 0 ? err_none() : err_make(ERR_UNAUTHENTICATED, "the sign-in provider gave no identity");
}

static bool is_for(const struct json *claims, const char *client) {
    const struct json *aud = json_get(claims, "aud");
    if (aud && json_kind(aud) == JSON_STRING) return str_eq_c(json_str(aud), client);
    bool listed = false;
    for (size_t i = 0; aud && json_kind(aud) == JSON_ARRAY && i < json_len(aud); i++) {
        const struct json *one = json_at(aud, i);
        listed = listed || (json_kind(one) == JSON_STRING && str_eq_c(json_str(one), client));
    }
    return listed && str_eq_c(json_get_str(claims, "azp", str_c(client)), client);
}

static Err check_claims(const struct oidc *oidc, const struct pending *p, const struct json *claims) {
    int64_t now = clock_now(&clock_system) / NANOS_PER_S, skew = SKEW / NANOS_PER_S;
    const char *wrong = NULL;
    if (!str_eq_c(json_get_str(claims, "iss", STR("")), oidc->o.issuer)) wrong = "of another issuer";
    if (!is_for(claims, oidc->o.client_id)) wrong = "for somebody else";
    if (!str_eq_c(json_get_str(claims, "nonce", STR("")), p->nonce)) wrong = "of another sign-in";
    if (json_get_int(claims, "exp", 0) + skew <= now) wrong = "over";
    if (json_get_int(claims, "iat", 0) - skew > now) wrong = "of the future";
    if (json_get_str(claims, "sub", (Str){0}).len == 0) wrong = "without a subject";
    return wrong ? err_make(ERR_UNAUTHENTICATED, "the provider's token is %s: sign in again", wrong) : err_none();
}

static Err read_token(struct oidc *oidc, const struct pending *p, Str token, struct arena *arena,
                      struct oidc_person *out) {
    struct fetch_request r = {.url = str_c(oidc->keys)};
    struct fetch_answer keys;
    struct json *claims = NULL;
    Str text;
    r.limits = oidc->o.limits;
    TRY(fetch_http(&r, arena, &keys));
    TRY(jose_verify(token, keys.body, arena, &text));
    TRY(json_parse(text, &claims));
    Err err = check_claims(oidc, p, claims);
    out->subject = arena_str(arena, json_get_str(claims, "sub", (Str){0}));
    if (json_get_bool(claims, "email_verified", false))
        out->email = arena_str(arena, json_get_str(claims, "email", (Str){0}));
    json_free(claims);
    return err;
}

Err oidc_finish(struct oidc *oidc, Str state, Str code, struct arena *arena, struct oidc_person *out) {
    struct pending p;
    Str token;
    *out = (struct oidc_person){0};
    if (!recall(oidc, state, &p))
        return err_make(ERR_UNAUTHENTICATED, "this sign-in was not begun here, or took too long: begin again");
    TRY(redeem(oidc, &p, code, arena, &token));
    return read_token(oidc, &p, token, arena, out);
}
