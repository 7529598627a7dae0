/* What the files behind agreements.h share. */
#ifndef TRUST_AGREEMENTS_INNER_H
#define TRUST_AGREEMENTS_INNER_H

#include "base/map.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/agreements.h"

enum {
    AGREEMENT_NUMBER = 2,
    AGREEMENT_RECEIVING, /* the receiving party; the row's own party is the owner */
    AGREEMENT_TITLE,
    AGREEMENT_STANDS, /* "proposed" "negotiating" "agreed" "ended"; the clock and suspensions come on top */
    AGREEMENT_VERSION,
    AGREEMENT_PROPOSER,
    AGREEMENT_OFFERER,
    AGREEMENT_TERMS,
    AGREEMENT_LAW,
    AGREEMENT_OWNER_WHO,
    AGREEMENT_OWNER_AT,
    AGREEMENT_RECEIVER_WHO,
    AGREEMENT_RECEIVER_AT,
    AGREEMENT_CONFIDENTIAL_WHO,
    AGREEMENT_CONFIDENTIAL_AT,
    AGREEMENT_SUSPENDED_BY,
    AGREEMENT_REASON,
    AGREEMENT_CREATED,
    AGREEMENT_CHANGED,
    AGREEMENT_COLUMNS
};
enum {
    VERSION_AGREEMENT = 2,
    VERSION_NUMBER,
    VERSION_AT,
    VERSION_WHO,
    VERSION_BY,
    VERSION_TERMS,
    VERSION_REASON,
    VERSION_COLUMNS
};
extern const struct record_table agreements_table, agreements_version_table;

/* What the terms give of one type, compiled once. */
struct agreement_compiled {
    const struct doctype *type; /* NULL: things and series */
    Err err;
    struct agreement_share share;
    struct agreement_compiled *next;
};

/* One agreement as it stands; a change makes a new one in its place. */
struct agreement_entry {
    struct arena arena;
    struct agreement row; /* state: as stored */
    struct terms terms;
    uint64_t stamp;
    struct agreement_compiled *compiled;
};

struct agreements {
    struct agreements_options options;
    pthread_mutex_t changing;         /* one change at a time, over the commit */
    pthread_mutex_t lock;             /* all below */
    struct agreement_entry **entries; /* by id, rising */
    size_t n, cap;
    uint64_t stamp;
};

/* Under the lock. NULL: none that who is a side of. */
struct agreement_entry *agreements_entry(struct agreements *a, const struct principal *who, int64_t id);
enum agreement_state agreements_state_at(const struct agreement_entry *entry, Nanos now);
/* Copies everything into the arena; state: now. */
void agreements_copy(struct agreements *a, const struct agreement_entry *entry, struct arena *arena,
                     struct agreement *out);
/* Makes an entry of a row whose strings may go; its terms are parsed. ERR_CORRUPT. */
Err agreements_entry_make(struct agreements *a, const struct agreement *row, struct agreement_entry **out);
void agreements_entry_free(struct agreement_entry *entry);
void agreements_put(struct agreements *a, struct agreement_entry *entry); /* takes the lock */
void agreements_row(const struct agreement *row, Value values[AGREEMENT_COLUMNS]);

#endif
