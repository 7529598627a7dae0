/* Bearer tokens "weft_…" for programs: a user of one party, one role, perhaps narrowed by scopes, perhaps with an end.
 */
#ifndef TRUST_PEOPLE_TOKEN_H
#define TRUST_PEOPLE_TOKEN_H

#include "base/arena.h"
#include "trust/people_session.h"

/* With one role, every scope and no end; makes the user when absent. */
Err people_token(struct people *people, const struct principal *by, PartyId party, Str user, enum role role,
                 char out[PEOPLE_SECRET_MAX]);
struct people_token_options {
    Str user;
    enum role role;
    Str scopes;  /* model/principal.h; empty: whatever the role allows */
    Nanos until; /* 0: no end */
};
Err people_token_make(struct people *people, const struct principal *by, PartyId party,
                      const struct people_token_options *options, char out[PEOPLE_SECRET_MAX], int64_t *id);
/* ERR_UNAUTHENTICATED: unknown, revoked or over. */
Err people_token_check(struct people *people, Str token, struct principal *out);

struct people_token_row {
    int64_t id;
    Str user, scopes;
    enum role role;
    Nanos created, until, used; /* 0: no end; not yet */
};
Err people_token_list(struct people *people, PartyId party, struct arena *arena, struct people_token_row **out,
                      size_t *n); /* oldest first */
Err people_token_revoke(struct people *people, const struct principal *by, PartyId party, int64_t id);

#endif
