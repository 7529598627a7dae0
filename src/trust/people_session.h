/*
 * Sessions of people: signing in with a password (and a second factor, where there is one), and who a session is.
 * Sessions survive a restart, as keyed hashes: an upgrade should not throw everybody out. When one was last seen is
 * written at most every ten minutes, so a restart may forget that much.
 */
#ifndef TRUST_PEOPLE_SESSION_H
#define TRUST_PEOPLE_SESSION_H

#include "base/str.h"
#include "model/principal.h"

struct people;

#define PEOPLE_SECRET_MAX 96
enum people_need { PEOPLE_NEEDS_NOTHING, PEOPLE_NEEDS_PASSWORD, PEOPLE_NEEDS_FACTOR };

struct people_knock {
    Str name, password;
    Str code; /* of the second factor, or a recovery code; empty: none given */
    Str peer; /* the address; empty: not limited by it */
};
/*
 * Constant work for unknown names. Five failures for a name, or thirty from an address, within a minute → ERR_LIMIT.
 * ERR_SECOND_FACTOR: the password is right, and a code is needed too. ERR_FORBIDDEN: belongs to no party.
 * session_out: text for the cookie.
 */
Err people_session_begin(struct people *people, const struct people_knock *knock, struct principal *out,
                         char session_out[PEOPLE_SECRET_MAX]);
/* Of somebody whom a provider vouches for: known by his subject there ("provider subject"), or at the first time by a
 * verified e-mail address that is his name here. ERR_FORBIDDEN: nobody of this server. */
Err people_session_outside(struct people *people, Str subject, Str email, struct principal *out,
                           char session_out[PEOPLE_SECRET_MAX]);
/* Who it is: ERR_UNAUTHENTICATED when unknown, over, or older than 12 h idle. While something is needed first (a new
 * password, a second factor) the scopes allow "session" alone. */
Err people_session(struct people *people, Str session, struct principal *out);
/* The same without counting as a sign of life. */
Err people_session_peek(struct people *people, Str session, struct principal *out);
/* ERR_NONE: nothing is known of it. */
enum people_need people_session_need(struct people *people, Str session);
void people_session_end(struct people *people, Str session);
/* Acts in another of the person's parties from now on, with a new secret: the old one ends. ERR_FORBIDDEN. */
Err people_session_switch(struct people *people, Str session, PartyId party, struct principal *out,
                          char session_out[PEOPLE_SECRET_MAX]);
/* A new password for oneself: the old one must be right. Ends every other session. */
Err people_session_password(struct people *people, Str session, Str old, Str password);

#endif
