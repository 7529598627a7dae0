/* The audit: every write, who and when, with before and after. Rows are added in the same transaction as the write. */
#ifndef TRUST_AUDIT_H
#define TRUST_AUDIT_H

#include "base/arena.h"
#include "base/err.h"
#include "model/lens.h"

struct records;
struct records_txn;

struct audit_row {
    int64_t id;
    Nanos at;
    PartyId party;
    Str who, action, type, target; /* action: "create" "change" "transition:acknowledge" "token.create" … */
    Str before, after;             /* JSON or empty */
};
/* Notes one write, from inside it; id is ignored. */
Err audit_add(struct records_txn *txn, const struct audit_row *row);
/* Newest first, older than before_id (0: from the newest); type or target empty: all. limit 0: 50. */
Err audit_list(struct records *records, const struct lens *lens, Str type, Str target, int64_t before_id, size_t limit,
               struct arena *arena, struct audit_row **out, size_t *n);

#endif
