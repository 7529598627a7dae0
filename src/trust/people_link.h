/*
 * Links that open something once, or for a while: an invitation into a party, a new password, and for workers without
 * an account of their own a session with few rights. A link's code is 260 random bits, kept as a keyed hash; it is told
 * once, to whoever made it.
 */
#ifndef TRUST_PEOPLE_LINK_H
#define TRUST_PEOPLE_LINK_H

#include "base/arena.h"
#include "base/err.h"
#include "trust/people_session.h"

struct people_link_options {
    unsigned roles;
    Str name;        /* invitation: the name proposed; worker link: what it is called in the audit */
    Str scopes;      /* worker links */
    int64_t minutes; /* an invitation is good for; a worker's session lasts */
};
/* A manager's link into his party: taken up once. */
Err people_link_invite(struct people *people, const struct principal *by, PartyId party,
                       const struct people_link_options *options, char code[PEOPLE_SECRET_MAX], Nanos *until);
/* A new password for a member that belongs to no other party; factor: its second factor goes too. */
Err people_link_reset(struct people *people, const struct principal *by, PartyId party, Str name, bool factor,
                      char code[PEOPLE_SECRET_MAX], Nanos *until);
/* Good for any number of workers until it ends. ERR_STATE: the party does not allow worker links. */
Err people_link_worker(struct people *people, const struct principal *by, PartyId party,
                       const struct people_link_options *options, char code[PEOPLE_SECRET_MAX], Nanos *until);

/* What a link is good for. ERR_NOT_FOUND: none, used or over. */
struct people_link_view {
    enum { PEOPLE_LINK_VIEW_JOIN, PEOPLE_LINK_VIEW_PASSWORD, PEOPLE_LINK_VIEW_WORKER } what;
    Str party, name; /* name: of whom the password is, else what was proposed */
    unsigned roles;
    Nanos until;
};
Err people_link_view(struct people *people, Str code, struct arena *arena, struct people_link_view *out);
/* Takes an invitation up: makes the account, or joins the one whose password (and second factor) is given; or sets the
 * new password. Signed in afterwards, in the party of the link. */
Err people_link_accept(struct people *people, Str code, const struct people_knock *knock, struct principal *out,
                       char session_out[PEOPLE_SECRET_MAX]);
Err people_link_enter(struct people *people, Str code, struct principal *out, char session_out[PEOPLE_SECRET_MAX]);

#endif
