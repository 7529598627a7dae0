/*
 * Parties, and the people who belong to them. A person has one name and one password in the server and belongs to any
 * number of parties, with roles in each. trust/people_session.h signs people in, people_token.h gives programs tokens,
 * people_link.h invites, people_factor.h is the second factor.
 *
 * The party that was made first operates the server: only there the role operator counts, and it gives no sight of any
 * other party's data.
 *
 * Passwords are argon2id (libsodium, interactive limits); tokens, sessions and links are 260 random bits, kept as keyed
 * hashes. Every change is audited. Writes wait for their commit; look-ups are answered from memory. The key of the
 * hashes is DIR/secret.key (trust/secret.h), made at the first opening.
 * clock: the platform's, for the audit; sessions age by the records' own clock, because the platform's may be a
 * recording's.
 */
#ifndef TRUST_PEOPLE_H
#define TRUST_PEOPLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "model/principal.h"
#include "os/clock.h"
#include "trust/people_session.h"
#include "trust/people_token.h"

struct people;
struct records;
struct seal;

Err people_open(struct records *records, const struct clock *clock, struct people **out);
void people_close(struct people *people);
/* What seals second factors; before anybody asks for one. Must outlive people. */
void people_use_seal(struct people *people, struct seal *seal);
/* Grows whenever a session, a token or somebody's roles may have ended: a cheap sign to ask again who somebody is. */
uint64_t people_epoch(struct people *people);

/* ---- parties. Names are unique in a server. */
Err people_party(struct people *people, Str name, PartyId *out); /* made when absent */
Err people_find_party(struct people *people, Str name,
                      PartyId *out); /* empty name: the only party, else ERR_INVALID naming them */
/* By name, title, USCC, BPN, GLN or handle: as people write it in a document. ERR_NOT_FOUND. */
Err people_party_resolve(struct people *people, Str text, PartyId *out);
Err people_party_name(struct people *people, PartyId party, struct arena *arena, Str *out);
bool people_operates(struct people *people, PartyId party); /* this server */

/* What is told of a party. Texts are empty when not set; settings is a JSON object. */
struct people_card {
    PartyId id;
    Str name, title, uscc, bpn, gln, handle, email, phone, address, settings;
    bool worker_links;
};
Err people_party_card(struct people *people, PartyId party, struct arena *arena, struct people_card *out);
/* Those whose name, title or public identifier holds `part` (empty: all), by name, at most `limit`. */
Err people_party_cards(struct people *people, Str part, size_t limit, struct arena *arena, struct people_card **out,
                       size_t *n);
/* Members of `change`: title, uscc, bpn, gln, handle, email, phone, address (texts, null or empty clears) and settings.
 * Identifiers are checked with their check digits, and unique in the server: ERR_CONFLICT. By a manager of it. */
Err people_party_change(struct people *people, const struct principal *by, PartyId party, const struct json *change);
/* A new one with the members above; by an operator. ERR_CONFLICT: the name is taken. */
Err people_party_make(struct people *people, const struct principal *by, Str name, const struct json *rest,
                      PartyId *out);

/* ---- people */
/* A new person with a first membership; password empty: no password sign-in. ERR_CONFLICT when the name is taken. */
Err people_add_user(struct people *people, const struct principal *by, PartyId party, Str name, Str password,
                    unsigned roles);
/* One's own, or by the staff: a member that belongs to no other party. Ends all sessions. must_change: a new one has to
 * be set at the next sign-in. */
Err people_set_password(struct people *people, const struct principal *by, PartyId party, Str name, Str password);
Err people_set_password_once(struct people *people, const struct principal *by, PartyId party, Str name, Str password);
bool people_has_user(struct people *people, PartyId party, Str name); /* as a member */
/* The roles a person has in a party now; 0: not a member. */
unsigned people_roles(struct people *people, PartyId party, Str name);
struct people_user {
    int64_t id;
    Str name;
    unsigned roles;
    Nanos created, seen; /* seen 0: not lately */
    bool second_factor, password;
};
Err people_users(struct people *people, PartyId party, struct arena *arena, struct people_user **out, size_t *n);
/* The parties somebody belongs to. */
struct people_seat {
    PartyId party;
    Str name;
    unsigned roles;
};
Err people_seats(struct people *people, int64_t user, struct arena *arena, struct people_seat **out, size_t *n);
/* Roles of a person in a party: makes the membership when absent. What is taken away ends at once, tokens too.
 * ERR_STATE: the party would have no manager left. */
Err people_set_roles(struct people *people, const struct principal *by, PartyId party, Str name, unsigned roles);
/* Ends the membership with its sessions and tokens; the person stays. */
Err people_remove(struct people *people, const struct principal *by, PartyId party, Str name);

#endif
