/*
 * Parties, people, memberships, tokens, sessions and links in memory, as the records have them. Used by people*.c
 * alone, under their lock. Parties and accounts are never removed, so pointers to accounts stay good.
 */
#ifndef TRUST_PEOPLE_MEMORY_H
#define TRUST_PEOPLE_MEMORY_H

#include "base/arena.h"
#include "base/map.h"
#include "model/principal.h"
#include "store/records.h"
#include "store/records_system.h"
#include "trust/secret.h"

enum { PEOPLE_TEXTS = PARTY_COLUMNS - PARTY_TITLE }; /* of a party: title, uscc … settings, in the columns' order */
enum { PEOPLE_RECOVERY_CODES = 10, PEOPLE_FACTOR_MAX = 160, PEOPLE_LABEL_MAX = 64 };

struct people_party {
    PartyId id;
    Str name;
    char *texts[PEOPLE_TEXTS]; /* on the heap; NULL: not set */
    bool worker_links;         /* settings, parsed */
    unsigned factor_roles;     /* who must have a second factor */
};

struct people_member {
    PartyId party;
    int64_t row;
    unsigned roles;
};

struct people_account {
    int64_t id;
    PartyId party; /* where it was made */
    Str name;
    Nanos created, seen; /* seen: newest sign of life since the start, or of a standing session */
    bool must_change;
    char password[SECRET_PASSWORD_MAX]; /* empty: no password sign-in */
    char factor[PEOPLE_FACTOR_MAX];     /* sealed; empty: none */
    int64_t factor_step;
    unsigned char recovery[PEOPLE_RECOVERY_CODES][SECRET_HASH_BYTES];
    size_t n_recovery;
    struct people_member *members;
    size_t n_members, cap_members;
};

struct people_bearer {
    int64_t id;
    PartyId party;
    struct people_account *account;
    enum role role;
    unsigned char hash[SECRET_HASH_BYTES];
    char scopes[PRINCIPAL_SCOPES_MAX];
    Nanos created, until, used, saved; /* until 0: for ever; saved: the `used` that the records have */
};

struct people_sitting {
    int64_t id;
    PartyId party; /* the one it acts in */
    struct people_account *account;
    unsigned char hash[SECRET_HASH_BYTES];
    Nanos seen, saved; /* saved: the `seen` that the records have */
    Nanos until;       /* 0: by idleness alone */
    bool outside;      /* signed in at a provider, whose second factor counts */
    unsigned roles;    /* of a worker link; 0: those of the membership */
    char scopes[PRINCIPAL_SCOPES_MAX], label[PEOPLE_LABEL_MAX];
    char enrolling[40]; /* the second factor that is being set up; in memory only */
};

enum people_link_kind { PEOPLE_LINK_JOIN = 1, PEOPLE_LINK_PASSWORD, PEOPLE_LINK_RENEW, PEOPLE_LINK_WORKER };
struct people_link {
    int64_t id;
    enum people_link_kind kind;
    PartyId party;
    unsigned char hash[SECRET_HASH_BYTES];
    struct people_account *account; /* whose password; who made a worker link; NULL */
    unsigned roles;
    char name[PEOPLE_LABEL_MAX], scopes[PRINCIPAL_SCOPES_MAX];
    int64_t minutes;
    Nanos until;
};

struct people_memory {
    struct arena arena;
    struct people_party *parties;
    size_t n_parties, cap_parties;
    struct people_account **accounts;
    size_t n_accounts, cap_accounts;
    struct map by_name, bearers, sittings, links, identities;
};

void people_memory_init(struct people_memory *m);
void people_memory_fini(struct people_memory *m);
records_fn people_memory_load; /* ctx: the struct people_memory */

/* Borrowed until the next party is added. */
struct people_party *people_memory_party(const struct people_memory *m, PartyId id);
struct people_party *people_memory_party_named(const struct people_memory *m, Str name);
void people_memory_add_party(struct people_memory *m, PartyId id, Str name);
void people_memory_party_text(struct people_party *party, unsigned column, Str text); /* empty: not set */

struct people_account *people_memory_account(const struct people_memory *m, Str name);
struct people_account *people_memory_account_of(const struct people_memory *m, int64_t id);
struct people_account *people_memory_add_account(struct people_memory *m, const struct people_account *from);
struct people_member *people_memory_member(const struct people_account *account, PartyId party); /* or NULL */
void people_memory_put_member(struct people_account *account, PartyId party, int64_t row, unsigned roles);
void people_memory_drop_member(struct people_account *account, PartyId party);

struct people_bearer *people_memory_bearer(const struct people_memory *m, const unsigned char hash[SECRET_HASH_BYTES]);
struct people_bearer *people_memory_bearer_of(const struct people_memory *m, int64_t id);
void people_memory_add_bearer(struct people_memory *m, const struct people_bearer *from);
void people_memory_drop_bearer(struct people_memory *m, struct people_bearer *bearer);
/* Those of an account in a party whose role is among `roles`. */
void people_memory_drop_bearers(struct people_memory *m, const struct people_account *account, PartyId party,
                                unsigned roles);

struct people_sitting *people_memory_sitting(const struct people_memory *m,
                                             const unsigned char hash[SECRET_HASH_BYTES]);
void people_memory_add_sitting(struct people_memory *m, const struct people_sitting *from);
void people_memory_drop_sitting(struct people_memory *m, struct people_sitting *sitting);
/* Ends those last seen before. */
void people_memory_drop_idle(struct people_memory *m, Nanos seen_before);
/* Ends an account's, in one party (0: in all), except one (0: none). */
void people_memory_drop_sittings(struct people_memory *m, const struct people_account *account, PartyId party,
                                 int64_t except);

struct people_link *people_memory_link(const struct people_memory *m, const unsigned char hash[SECRET_HASH_BYTES]);
void people_memory_add_link(struct people_memory *m, const struct people_link *from);
void people_memory_drop_link(struct people_memory *m, struct people_link *link);
void people_memory_drop_links(struct people_memory *m, Nanos until_before);

struct people_account *people_memory_identity(const struct people_memory *m, Str subject);
void people_memory_add_identity(struct people_memory *m, Str subject, struct people_account *account);

#endif
