/*
 * Signing in at an OpenID provider (OpenID Connect Core 1.0): authorization code with PKCE (RFC 7636), state bound to
 * the browser, nonce, and every claim checked. Calls wait on the provider, at most some seconds. Any thread.
 */
#ifndef TRUST_OIDC_H
#define TRUST_OIDC_H

#include "base/arena.h"
#include "base/err.h"
#include "os/fetch.h"

struct oidc;

struct oidc_options {
    const char *name, *title; /* "work", "Acme's sign-in" */
    const char *issuer;       /* "https://login.example" */
    const char *client_id, *client_secret;
    struct fetch_limits limits;
};
Err oidc_open(const struct oidc_options *options, struct oidc **out); /* ERR_INVALID names what is missing */
void oidc_close(struct oidc *oidc);
const char *oidc_name(const struct oidc *oidc);
const char *oidc_title(const struct oidc *oidc);

#define OIDC_STATE_MAX 40
/* Where the browser goes; `state` is to come back from it, and from a cookie of the same browser. */
Err oidc_begin(struct oidc *oidc, Str redirect, struct arena *arena, Str *location, char state[OIDC_STATE_MAX]);
struct oidc_person {
    Str subject;
    Str email; /* empty unless the provider says that it has verified it */
};
/* Each state is good once, for ten minutes. ERR_UNAUTHENTICATED says what was wrong. */
Err oidc_finish(struct oidc *oidc, Str state, Str code, struct arena *arena, struct oidc_person *out);

#endif
