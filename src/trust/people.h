/*
 * Parties, users, sessions and API tokens. Passwords are argon2id (libsodium, interactive limits); tokens and session
 * ids are 256 random bits, kept as keyed hashes. Every change is audited. Writes wait for their commit; look-ups are
 * answered from memory. The key of the hashes is DIR/secret.key (trust/secret.h), made at the first opening.
 * clock: the platform's, for the audit; sessions age by the records' own clock, because the platform's may be a
 * recording's.
 */
#ifndef TRUST_PEOPLE_H
#define TRUST_PEOPLE_H

#include "base/arena.h"
#include "base/err.h"
#include "model/principal.h"
#include "os/clock.h"

struct people;
struct records;

Err people_open(struct records *records, const struct clock *clock, struct people **out);
void people_close(struct people *people);

/* Party by name, made when absent. Names are unique in a server. */
Err people_party(struct people *people, Str name, PartyId *out);
Err people_find_party(struct people *people, Str name,
                      PartyId *out); /* empty name: the only party, else ERR_INVALID naming them */
Err people_party_name(struct people *people, PartyId party, struct arena *arena, Str *out);

/* password empty: no password sign-in. ERR_CONFLICT when the name is taken in the server. */
Err people_add_user(struct people *people, const struct principal *by, PartyId party, Str name, Str password,
                    unsigned roles);
Err people_set_password(struct people *people, const struct principal *by, PartyId party, Str name, Str password);
bool people_has_user(struct people *people, PartyId party, Str name);
struct people_user {
    int64_t id;
    Str name;
    unsigned roles;
    Nanos created;
};
Err people_users(struct people *people, PartyId party, struct arena *arena, struct people_user **out, size_t *n);

#define PEOPLE_SECRET_MAX 96
/* Sign in. Constant work for unknown names; five failures for a name within a minute → ERR_LIMIT. session_out: text for
 * the cookie. */
Err people_sign_in(struct people *people, Str name, Str password, struct principal *out,
                   char session_out[PEOPLE_SECRET_MAX]);
Err people_session(struct people *people, Str session,
                   struct principal *out); /* ERR_UNAUTHENTICATED when unknown or older than 12 h idle */
void people_sign_out(struct people *people, Str session);

/* A bearer token "weft_…" acting as user with one role; makes the user when absent. */
Err people_token(struct people *people, const struct principal *by, PartyId party, Str user, enum role role,
                 char out[PEOPLE_SECRET_MAX]);
Err people_bearer(struct people *people, Str token, struct principal *out);

#endif
