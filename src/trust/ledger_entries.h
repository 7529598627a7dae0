/*
 * What enters the ledger, beside disclosures: documents that must not be changed (events) and changes of agreements. A
 * row holds the salt and the canonical text, both sealed with the owner's key, and the entry's hash; it is written in
 * the transaction of what it tells, and a thread enters it within a second. Erasing the owner's key erases salt and
 * text; the hash in the ledger stays and says nothing.
 */
#ifndef TRUST_LEDGER_ENTRIES_H
#define TRUST_LEDGER_ENTRIES_H

#include "model/lens.h"
#include "trust/ledger.h"

struct ledger_entries;
struct records;
struct records_txn;
struct seal;

struct ledger_entries_options {
    struct records *records;
    struct ledger *ledger;
    struct seal *seal;
    const struct clock *clock;
};
/* Rows that a stop left behind are entered first. */
Err ledger_entries_open(const struct ledger_entries_options *options, struct ledger_entries **out);
void ledger_entries_close(struct ledger_entries *entries); /* enters what waits; NULL is fine */

struct ledger_entry {
    PartyId party; /* the owner */
    Str type;      /* document type, or "agreement" */
    int64_t row, version;
    Str text; /* canonical JSON */
    /* given when read */
    Nanos at;
    int64_t index; /* -1: not yet in the ledger */
    unsigned char salt[32];
};
/* From inside a transaction. */
Err ledger_entries_note(struct ledger_entries *entries, struct records_txn *txn, const struct ledger_entry *entry);
/* In a transaction of its own. */
Err ledger_entries_write(struct ledger_entries *entries, const struct ledger_entry *entry);
/* The newest about this row (version 0) or that of a version. ERR_NOT_FOUND: none, none that the lens shows, or the
 * owner's key was erased. */
Err ledger_entries_find(struct ledger_entries *entries, const struct lens *lens, Str type, int64_t row, int64_t version,
                        struct arena *arena, struct ledger_entry *out);

#endif
