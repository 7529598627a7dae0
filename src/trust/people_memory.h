/*
 * Parties, users, tokens and sessions in memory, as the records have them. Used by people.c alone, under its lock.
 * Parties, users and tokens are never removed; their memory is one arena.
 */
#ifndef TRUST_PEOPLE_MEMORY_H
#define TRUST_PEOPLE_MEMORY_H

#include "base/arena.h"
#include "base/map.h"
#include "model/principal.h"
#include "store/records.h"
#include "trust/secret.h"

struct people_party {
    PartyId id;
    Str name;
};

struct people_account {
    int64_t id;
    PartyId party;
    Str name;
    unsigned roles;
    Nanos created;
    char password[SECRET_PASSWORD_MAX]; /* empty: no password sign-in */
};

struct people_bearer {
    const struct people_account *account;
    enum role role;
};

struct people_sitting {
    int64_t id;
    const struct people_account *account;
    unsigned char hash[SECRET_HASH_BYTES];
    Nanos seen, saved; /* saved: the `seen` that the records have */
};

struct people_memory {
    struct arena arena;
    struct people_party *parties;
    size_t n_parties, cap_parties;
    struct people_account **accounts;
    size_t n_accounts, cap_accounts;
    struct map by_name, bearers, sittings;
};

void people_memory_init(struct people_memory *m);
void people_memory_fini(struct people_memory *m);
records_fn people_memory_load; /* ctx: the struct people_memory */

const struct people_party *people_memory_party(const struct people_memory *m, PartyId id);
const struct people_party *people_memory_party_named(const struct people_memory *m, Str name);
void people_memory_add_party(struct people_memory *m, PartyId id, Str name);
struct people_account *people_memory_account(const struct people_memory *m, Str name);
struct people_account *people_memory_add_account(struct people_memory *m, const struct people_account *from);
const struct people_bearer *people_memory_bearer(const struct people_memory *m,
                                                 const unsigned char hash[SECRET_HASH_BYTES]);
void people_memory_add_bearer(struct people_memory *m, Str hash, const struct people_account *account, enum role role);
struct people_sitting *people_memory_sitting(const struct people_memory *m,
                                             const unsigned char hash[SECRET_HASH_BYTES]);
void people_memory_add_sitting(struct people_memory *m, const struct people_sitting *from);
void people_memory_drop_sitting(struct people_memory *m, struct people_sitting *sitting);
/* Ends those last seen before, and (unless NULL) all of one account. */
void people_memory_drop_sittings(struct people_memory *m, Nanos seen_before, const struct people_account *account);

#endif
