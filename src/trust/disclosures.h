/*
 * The log of disclosures: what was read under an agreement, by whom, when, for what. It is the owner's. A row is
 * durable before the answer leaves; callers that come together share one commit. Rows are then entered in the ledger in
 * batches within a second, as SHA-256 of a random salt and the row's text, both of which stay here with the owner.
 */
#ifndef TRUST_DISCLOSURES_H
#define TRUST_DISCLOSURES_H

#include "base/arena.h"
#include "model/lens.h"
#include "model/principal.h"
#include "os/clock.h"

struct disclosures;
struct records;

#define DISCLOSURES_SALT 32

struct disclosure {
    int64_t id;
    Nanos at;
    PartyId owner, reader;
    int64_t agreement;
    Str number;          /* the agreement's */
    Str who, type, what; /* type: of documents, or "series" "things"; what: "list 17,20-25", "export", "live 17" */
    Str fields;          /* names, joined by ',' */
    uint64_t rows, lens; /* lens: its hash */
    Str purpose;
    int64_t ledger; /* index, -1: not yet */
    unsigned char salt[DISCLOSURES_SALT];
};

struct disclosures_entry {
    const unsigned char *salt; /* DISCLOSURES_SALT bytes */
    Str text;                  /* canonical JSON */
};
struct disclosures_options {
    struct records *records;
    const struct clock *clock;
    /* Durable in the ledger when it returns; first: the first entry's index, the others follow. NULL: no ledger. */
    Err (*enter)(void *ctx, const struct disclosures_entry *entries, size_t n, uint64_t *first);
    void *ctx;
    Nanos every; /* between batches for the ledger; 0 = 500 ms */
};
Err disclosures_open(const struct disclosures_options *options, struct disclosures **out);
void disclosures_close(struct disclosures *disclosures); /* NULL is fine */

/* Waits until it is durable; id, at, ledger and salt are given here. */
Err disclosures_note(struct disclosures *d, const struct disclosure *row);

struct disclosures_query {
    int64_t agreement; /* 0: all */
    PartyId reader;    /* 0: all */
    Nanos from, to;    /* to 0: no end */
    int64_t before;    /* ids below; 0: from the newest */
    size_t limit;      /* 0 = 50 */
};
/* The owner's own, newest first. */
Err disclosures_list(struct disclosures *d, PartyId owner, const struct disclosures_query *query, struct arena *arena,
                     struct disclosure **out, size_t *n);
Err disclosures_get(struct disclosures *d, PartyId owner, int64_t id, struct arena *arena, struct disclosure *out);
/* Reads by reader and UTC day, newest day first; at most 1,000 lines of the newest 20,000 rows. */
struct disclosures_line {
    PartyId reader;
    Nanos day;
    uint64_t reads, rows;
};
Err disclosures_summary(struct disclosures *d, PartyId owner, Nanos from, Nanos to, struct arena *arena,
                        struct disclosures_line **out, size_t *n);

/* With a party's key its salts go too: nothing of its log can be proven after that. On a stopped folder as well. */
Err disclosures_forget(struct records *records, PartyId owner);

/* The text that entered the ledger. */
Str disclosures_text(const struct disclosure *row, struct arena *arena);
/* Names of what a lens shows of a type, "number,quantity,lines.price". */
Str disclosures_fields(const struct lens *lens, const struct doctype *type, struct arena *arena);
/* "17,20-25", shortened when long; ids in any order. */
Str disclosures_ids(const int64_t *ids, size_t n, struct arena *arena);

struct disclosures_stats {
    uint64_t noted, entered; /* since the start */
};
void disclosures_stats(struct disclosures *d, struct disclosures_stats *out);

#endif
