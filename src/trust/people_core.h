/*
 * What the files of people share. Everything is read once at opening and answered from memory. Changes are made one at
 * a time (`changing`): first in the records, then, once committed, in memory (`lock`), so both always tell the same.
 *
 * Lock order: signing_in, changing, lock; lock is never held over a call that waits.
 */
#ifndef TRUST_PEOPLE_CORE_H
#define TRUST_PEOPLE_CORE_H

#include <stdatomic.h>

#include "base/buf.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/attempts.h"
#include "trust/audit.h"
#include "trust/gate.h"
#include "trust/people.h"
#include "trust/people_memory.h"

#define PEOPLE_SECRET_LETTERS 52 /* of five bits: 260 random bits */
#define PEOPLE_NAME_MAX 56       /* with "token:" before it fits principal.name */

struct people {
    struct records *records;
    const struct clock *clock;
    struct seal *seal;
    struct secret_key key;
    pthread_mutex_t signing_in; /* one argon2id at a time: each takes 64 MiB */
    pthread_mutex_t changing;
    pthread_mutex_t lock; /* all below */
    struct people_memory memory;
    struct attempts names, addresses;
    unsigned n_signing_in;
    char nobody[SECRET_PASSWORD_MAX]; /* what an unknown name's password is held against */
    atomic_ullong epoch;
};

/* ---- people.c */
Err people_check_name(const char *what, Str name);
Err people_check_staff(const struct principal *by, PartyId party);
/* Nobody hands out more than he has: managers are made and changed by managers, operators only where the server is
 * operated. */
Err people_check_grant(struct people *people, const struct principal *by, PartyId party, unsigned roles);
struct audit_row people_note(struct people *people, PartyId party, Str who, const char *action, const char *type,
                             Str target);
Str people_roles_json(unsigned roles, struct buf *out);
/* A copy; its members are not to be looked at. */
bool people_copy(struct people *people, Str name, struct people_account *out);
Err people_hash_password(struct people *people, Str password, Str name, char out[SECRET_PASSWORD_MAX]);
Nanos people_wall(const struct people *people); /* the records' clock, which is never a recording's */
unsigned people_counted(const struct people *people, PartyId party, unsigned roles); /* under lock */
void people_ended(struct people *people);                                            /* something: the epoch grows */
/* Under `changing`. account: party, name and password are given. */
Err people_write_user(struct people *people, Str by, struct people_account *account, unsigned roles);
Err people_write_member(struct people *people, Str by, struct people_account *account, PartyId party, unsigned roles);
Err people_write_password(struct people *people, Str by, struct people_account *account, const char *hash,
                          bool must_change, int64_t keep_session);
Value people_text(Str text); /* VALUE_NONE when empty */

/* ---- people_session.c */
struct people_opening {
    PartyId party; /* 0: the account's own */
    Nanos until;
    unsigned roles;
    bool outside;
    Str scopes, label;
};
/* Under `changing`. */
Err people_session_write(struct people *people, struct people_account *account, const struct people_opening *o,
                         char out[PEOPLE_SECRET_MAX]);
void people_session_describe(const struct people *people, const struct people_sitting *sitting,
                             struct principal *out); /* under lock */
/* Is it the account's password? Within the limits, which it counts towards. */
Err people_session_knock(struct people *people, const struct people_account *account, const struct people_knock *knock,
                         bool *right);

/* ---- people_factor.c. Under `changing`: right codes are used up. */
Err people_factor_take(struct people *people, struct people_account *account, Str code);
Err people_factor_drop(struct people *people, struct people_account *account);

#endif
