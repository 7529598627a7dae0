/*
 * The document engine, the only writer of documents: validates, computes, numbers, moves through states, audits, and
 * leaves an outbox row, all in one transaction. Calls wait until the write is committed (many callers share a commit);
 * call from worker threads, never from an I/O loop. Results live in the arena given.
 */
#ifndef DOCUMENT_DOCUMENTS_H
#define DOCUMENT_DOCUMENTS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/jw.h"
#include "model/doctype.h"
#include "model/lens.h"
#include "os/clock.h"

struct documents;
struct records;

struct documents_options {
    struct records *records;
    const struct doctype *const *types; /* table, ends with NULL */
    const struct clock *clock;
    bool (*thing_exists)(void *ctx, PartyId party, Str name); /* for FIELD_THING; NULL accepts all */
    void *thing_ctx;
};
Err documents_open(const struct documents_options *options, struct documents **out);
void documents_close(struct documents *documents);
const struct doctype *documents_type(const struct documents *documents, Str name); /* NULL: unknown */
const struct doctype *const *documents_types(const struct documents *documents);   /* ends with NULL */

/* One field given by code. Value kinds as in struct doc. */
struct doc_set {
    const char *field;
    Value value;
};
struct doc_change {
    const struct doc_set *set; /* given by code … */
    size_t n;
    const struct json *json; /* … or a JSON object from outside; every fault is named with its field */
    int64_t if_version;      /* 0: any; else ERR_PRECONDITION on mismatch */
};
/* Role checks by type and transition; errors name field, state and what is possible instead. */
Err documents_create(struct documents *d, const struct principal *who, const struct doctype *type,
                     const struct doc_change *change, struct arena *arena, struct doc **out);
Err documents_change(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     const struct doc_change *change, struct arena *arena, struct doc **out);
Err documents_transition(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                         Str transition, const struct doc_change *change, struct arena *arena, struct doc **out);

Err documents_get(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                  struct arena *arena, struct doc **out);
Err documents_by_number(struct documents *d, const struct lens *lens, const struct doctype *type, Str number,
                        struct arena *arena, struct doc **out);

enum doc_op { DOC_EQ, DOC_NE, DOC_LT, DOC_LE, DOC_GT, DOC_GE, DOC_CONTAINS, DOC_IS_SET };
struct doc_filter {
    const char *field; /* a field, or "state" "number" "id" "created" "changed" "created_by" */
    enum doc_op op;
    Value value; /* state as its name; a list of EQ filters on one field is an OR */
};
struct doc_query {
    const struct doc_filter *filters;
    size_t n_filters;
    const char *sort; /* field or the names above; "-changed" is newest first; NULL = "-id" */
    size_t limit;     /* 0 = 50, at most 1,000 */
    Str cursor;       /* from struct doc_page, or empty */
};
struct doc_page {
    struct doc **docs;
    size_t n;
    uint64_t total; /* all that match */
    Str next;       /* empty: the last page */
};
Err documents_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out);
/* Counts by the values of one field (or "state"). */
struct doc_count {
    Value key;
    uint64_t count;
};
Err documents_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n);
/* Filters from the outside: "severity" "critical", "opened_at>=" …: key as in the address, text as given. */
Err documents_parse_filter(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out);

/* {"id":…,"number":…,"state":…,"version":…,"created":…,"changed":…,"created_by":…, fields…, "can":["transition",…] for
 * who} */
void documents_json(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    struct jw *w);
/* The type itself for consoles: titles, fields, choices, states, transitions with roles. */
void documents_type_json(const struct doctype *type, struct jw *w);

/* ---- what happened, in order; a reader keeps its own place under a name, and rows stay until every reader passed
 * them. */
struct outbox_row {
    int64_t seq;
    PartyId party;
    Str type, what; /* "create", "change" or the transition's name */
    int64_t id, version;
    Nanos at;
    Str who;
};
Err documents_outbox(struct documents *d, const char *reader, size_t limit, struct arena *arena,
                     struct outbox_row **out, size_t *n);
Err documents_outbox_done(struct documents *d, const char *reader, int64_t through_seq); /* durable */
/* Called after each commit that changed documents, on the writer's thread; must not block: wake somebody. Set before
 * threads start. */
void documents_on_commit(struct documents *d, void (*fn)(void *ctx), void *ctx);

#endif
