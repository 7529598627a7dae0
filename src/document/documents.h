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

struct blobs;
struct documents;
struct outbox_row;
struct records;
struct records_txn;
struct seal;

struct documents_options {
    struct records *records;
    const struct doctype *const *types; /* table, ends with NULL */
    const struct clock *clock;
    bool (*thing_exists)(void *ctx, PartyId party, Str name); /* for FIELD_THING; NULL accepts all */
    void *thing_ctx;
    struct seal *seal;   /* for secret fields and attachments; NULL: types with secret fields are refused */
    struct blobs *blobs; /* for attachments; NULL: none */
    /* FIELD_PARTY: a party by name or identifier, and its name; NULL: such fields are refused. */
    Err (*find_party)(void *ctx, Str name, PartyId *out);
    Err (*party_name)(void *ctx, PartyId party, struct arena *arena, Str *out);
    void *party_ctx;
    bool search; /* keep the words that struct doc_query searches by, on a thread of its own */
    /* Called inside the transaction of each write that concerns the ledger (the engine says what was written). */
    Err (*entered)(void *ctx, struct records_txn *txn, const struct outbox_row *row, const struct doc *doc);
    void *entered_ctx;
};
Err documents_open(const struct documents_options *options, struct documents **out);
void documents_close(struct documents *documents);
/* Other types from now on: tables are made or widened (rows kept), calls under way finish with the old ones. Types that
 * left the list stay in the store, unseen. ERR_INVALID says which type would not fit what is kept. Any thread. */
Err documents_retype(struct documents *documents, const struct doctype *const *types);
const struct doctype *documents_type(const struct documents *documents, Str name); /* NULL: unknown */
const struct doctype *const *documents_types(const struct documents *documents);   /* ends with NULL */

/* One field given by code. Value kinds as in struct doc; FIELD_LINES as JSON text, FIELD_REF also by number. */
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

/* Only in the first state, by delete_roles; what refers to it is named in ERR_CONFLICT. */
Err documents_remove(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     int64_t if_version, struct arena *arena);
/* Several writes in one transaction: all or none. out[n]: what each became; NULL after a removal. *bad: which failed.
 */
struct doc_order {
    const struct doctype *type;
    int64_t id;     /* 0: create */
    Str transition; /* empty: create or change */
    bool remove;
    struct doc_change change;
};
#define DOCUMENTS_OPS_MAX 1000
Err documents_all(struct documents *d, const struct principal *who, const struct doc_order *ops, size_t n,
                  struct arena *arena, struct doc **out, size_t *bad);
/* Validates and computes as documents_create would, and writes nothing. Numbers and uniqueness are not looked at. */
Err documents_check(struct documents *d, const struct principal *who, const struct doctype *type,
                    const struct doc_change *change, struct arena *arena, struct doc **out);

/* ---- imports: documents that become visible all at once. One transaction a call of documents_batch_add: keep it under
 * 1,000 documents. Rows of an open batch are in no answer, count, search or reference; unique fields do see them. */
Err documents_batch_begin(struct documents *d, const struct principal *who, const struct doctype *type, Str title,
                          int64_t *batch);
Err documents_batch_add(struct documents *d, const struct principal *who, int64_t batch, struct doc *const *docs,
                        size_t n, size_t *bad,
                        struct arena *arena); /* docs of documents_check; *bad: which one failed */
Err documents_batch_show(struct documents *d, const struct principal *who, int64_t batch); /* one short write */
Err documents_batch_drop(struct documents *d, const struct principal *who, int64_t batch); /* also after a restart */

Err documents_get(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                  struct arena *arena, struct doc **out);
Err documents_by_number(struct documents *d, const struct lens *lens, const struct doctype *type, Str number,
                        struct arena *arena, struct doc **out);

/* The number of a document that a reader was shown a reference to, of his own party; empty: unknown. */
Str documents_number(struct documents *d, const struct doctype *type, int64_t id, char out[32]);

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
    Str search;       /* words, in Chinese or English: all must be in fields the lens shows; empty: no search */
    bool no_total;    /* page.total is not wanted */
    uint64_t fields;  /* only lines of these need be read; 0: of all */
};
struct doc_page {
    struct doc **docs;
    size_t n;
    uint64_t total; /* all that match */
    Str next;       /* empty: the last page */
};
Err documents_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out);
/* What was committed before the call is found by its words after it; without it, within a second. */
Err documents_search_now(struct documents *d);
/* Counts by the values of one field (or "state"). */
struct doc_count {
    Value key;
    uint64_t count;
};
Err documents_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n);
/* Groups by up to two fields ("state", a time with ":day" ":month", or a field), with sums of exact decimals. */
struct doc_measure {
    enum { DOC_COUNT, DOC_SUM, DOC_MIN, DOC_MAX, DOC_AVG } what;
    const char *field; /* DOC_COUNT: NULL */
};
struct doc_group {
    Value keys[2];
    uint64_t count;
    Value *measures; /* in the field's own form; DOC_AVG at the field's scale, half to even */
};
/* Groups with fewer rows than the lens's min_group are withheld and counted in *withheld. */
Err documents_group(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *const *by, size_t n_by,
                    const struct doc_measure *measures, size_t n_measures, struct arena *arena, struct doc_group **out,
                    size_t *n, size_t *withheld);

/* {"keys":[…],"count":n,"measures":["12.50",…]}: keys as in a document, sums of decimals as texts. */
void documents_group_json(struct documents *d, const struct lens *lens, const struct doctype *type,
                          const char *const *by, size_t n_by, const struct doc_measure *measures, size_t n_measures,
                          const struct doc_group *group, struct jw *w);

/* Comments and attachments of a document; seen with the document itself, never by partners unless the agreement says
 * so (the lens's fields are then all ones). */
struct doc_comment {
    int64_t id;
    Nanos at;
    Str who, text;
};
Err documents_comment(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                      Str text, struct arena *arena, int64_t *out);
Err documents_comments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                       struct arena *arena, struct doc_comment **out, size_t *n);
struct doc_attachment {
    int64_t id;
    Nanos at;
    Str who, name, media_type;
    uint64_t bytes;
    bool sealed;
    unsigned char hash[32]; /* SHA-256 of the plain bytes */
};
Err documents_attach(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     const struct doc_attachment *what, Str bytes, struct arena *arena, int64_t *out);
Err documents_attachments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                          struct arena *arena, struct doc_attachment **out, size_t *n);
Err documents_attachment(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                         int64_t attachment, struct arena *arena, struct doc_attachment *out, Str *bytes);

/* Filters from the outside: "severity" "critical", "opened_at>=" …: key as in the address, text as given. */
Err documents_parse_filter(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out);

/* {"id":…,"number":…,"state":…,"version":…,"created":…,"changed":…,"created_by":…, fields…, "can":["transition",…] for
 * who} */
struct doc_shape {
    uint64_t fields;           /* only these of what the lens shows; 0: all … */
    bool none;                 /* … unless no field at all is wanted */
    const char *const *expand; /* reference fields whose documents are written out, ends with NULL; or NULL */
    /* The reader's own lens for the other type; an expanded document is read through it. NULL: no expanding. */
    Err (*lens_of)(void *ctx, const struct doctype *type, struct lens *out);
    /* Says which documents were written out so; NULL: nobody wants to know. */
    void (*expanded)(void *ctx, const struct doctype *type, int64_t id);
    void *ctx;
};
void documents_json_shaped(struct documents *d, const struct doc *doc, const struct lens *lens,
                           const struct principal *who, const struct doc_shape *shape, struct arena *arena,
                           struct jw *w);
void documents_json(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    struct jw *w);
/* The type itself for consoles: titles, fields, choices, states, transitions with roles. */
void documents_type_json(const struct doctype *type, const struct principal *who, struct jw *w);

/* ---- what happened, in order; a reader keeps its own place under a name, and rows stay until every reader passed
 * them. */
struct outbox_row {
    int64_t seq;
    PartyId party;
    Str type, what; /* "create" "change" "delete", the transition's name, or "import": id 0, version the import's */
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
