/* What the files of the document engine share; documents.h is its outside. */
#ifndef DOCUMENT_DOC_ENGINE_H
#define DOCUMENT_DOC_ENGINE_H

#include <stdatomic.h>

#include "document/doc_table.h"
#include "document/documents.h"
#include "os/thread.h"
#include "store/records_txn.h"

#define DOC_ENGINE_NUMBERS 1024

/* The types of one moment; older ones stay, because calls under way and documents in hand point into them. */
struct doc_types {
    struct arena arena;
    const struct doctype *const *types; /* ends with NULL */
    struct doc_table **tables;
    size_t n;
    struct doc_types *older;
};

struct doc_search;

struct documents {
    struct documents_options options;
    _Atomic(struct doc_types *) types;
    pthread_mutex_t retyping;
    void (*on_commit)(void *ctx);
    void *on_commit_ctx;
    bool touched;              /* on the writer's thread: something changed since the last commit */
    atomic_bool batches;       /* imports there are, or were in this life: look which are open */
    pthread_mutex_t blobs;     /* over putting a blob and its row, and over removing both */
    struct doc_search *search; /* NULL: no words are kept */
    pthread_mutex_t lock;
    struct doc_engine_number { /* numbers never change: remembered for references in answers */
        const struct doc_table *table;
        int64_t id;
        char text[32];
    } numbers[DOC_ENGINE_NUMBERS];
};

/* doc_types.c */
Err doc_types_set(struct documents *d, const struct doctype *const *types);
void doc_types_free(struct documents *d);

const struct doc_table *doc_engine_table(const struct documents *d,
                                         const struct doctype *type); /* ASSERTs it is known */
/* What a reference field of that table's type leads to. */
const struct doc_table *doc_engine_referred(const struct doc_table *from, const char *name);
/* The id of the document with that number, which the lens shows; 0: none. */
Err doc_engine_find_number(struct documents *d, struct records_txn *txn, const struct lens *lens,
                           const struct doc_table *table, Str number, struct arena *arena, int64_t *id);
/* Ids of the imports whose documents exist for nobody yet (or no more). */
struct doc_hidden {
    int64_t *ids;
    size_t n;
};
Err doc_engine_hidden(struct documents *d, struct records_txn *txn, const struct lens *lens, struct arena *arena,
                      struct doc_hidden *out);
bool doc_engine_is_hidden(const struct doc_hidden *hidden, Value batch);
void doc_engine_forget_number(struct documents *d, const struct doc_table *table, int64_t id);
Str doc_engine_number(struct documents *d, const struct doc_table *table, int64_t id, char out[32]);

/* doc_read.c: documents from rows, with their lines, secrets revealed to whom the lens shows them. */
struct doc_read {
    struct documents *d;
    struct records_txn *txn;
    const struct doc_table *table;
    struct lens lens; /* kept: see gate_lens_kept */
    struct doc_hidden hidden;
    uint64_t fields; /* lines of these only */
    struct arena *arena;
};
Err doc_read_begin(struct doc_read *r, struct documents *d, struct records_txn *txn, const struct lens *lens,
                   const struct doc_table *table, struct arena *arena);
Err doc_read_one(struct doc_read *r, unsigned column, Value value, struct doc **out); /* NULL: none */
Err doc_read_rows(struct doc_read *r, Value *const *rows, size_t n, struct doc **docs);
/* What a select must also hold: not of a hidden import. */
struct record_filter doc_read_filter(const struct doc_read *r);

/* doc_secret.c: values of SHARE_SECRET. */
Err doc_secret_seal(struct documents *d, const struct doc *doc, size_t field, Value v, struct arena *arena, Value *out);
Err doc_secret_reveal(struct documents *d, const struct doc *doc, size_t field, Value sealed, struct arena *arena,
                      Value *out);

/* doc_write.c */
struct doc_write {
    struct documents *d;
    const struct principal *who;
    const struct doctype *type;
    int64_t id;     /* 0: create */
    Str transition; /* empty: create or change */
    const struct doc_change *change;
    struct arena *arena;
};
Err doc_write_run(const struct doc_write *write, struct doc **out);
Err doc_write_check(const struct doc_write *write, struct doc **out); /* a create that is not written */

/* doc_keep.c: the writing itself, inside a transaction; number, id and version of the document are set. */
Err doc_keep_insert(struct documents *d, struct records_txn *txn, struct doc *doc, struct arena *arena);
Err doc_keep_update(struct documents *d, struct records_txn *txn, const struct doc *doc, uint64_t changed,
                    struct arena *arena);
/* With its lines, comments, attachments and words. */
Err doc_keep_remove(struct documents *d, struct records_txn *txn, const struct doc_table *table, PartyId owner,
                    int64_t id);
/* Audit and outbox of one write, and the ledger's hook. before NULL: it was made. */
struct doc_note {
    const struct principal *who;
    Str what, action; /* of the outbox, and of the audit */
    const struct doc *before, *after;
    uint64_t changed;
    bool with_state, no_outbox;
    Nanos at;
};
Err doc_keep_note(struct documents *d, struct records_txn *txn, const struct doc_note *note, struct arena *arena);

/* doc_remove.c */
struct doc_removal {
    struct documents *d;
    const struct principal *who;
    const struct doctype *type;
    const struct doc_table *table; /* set by doc_remove_prepare */
    int64_t id, if_version;
    struct arena *arena;
};
Err doc_remove_run(struct doc_removal *removal);
Err doc_remove_prepare(struct doc_removal *removal); /* may they? */
Err doc_remove_in(struct records_txn *txn, const struct doc_removal *removal);
/* A document that refers to this one, for the error; *by is empty when there is none. */
Err doc_remove_referrer(struct documents *d, struct records_txn *txn, const struct doc_table *table, PartyId party,
                        int64_t id, struct arena *arena, Str *by);

/* doc_query.c */
struct doc_query_where {
    struct documents *d;
    struct records_txn *txn;
    const struct doc_table *table;
    const struct lens *lens;
    const struct doc_query *asked;
    struct arena *arena;
    struct doc_read read;
    struct record_filter where;
};
Err doc_query_column(const struct doc_table *table, const struct lens *lens, Str name, unsigned *out);
/* Filters of parties by name become ids: before the transaction, because somebody else is asked. */
Err doc_query_prepare(struct documents *d, const struct doctype *type, const struct doc_query *query,
                      struct arena *arena, struct doc_query *out);
Err doc_query_build(struct doc_query_where *q);
Err doc_query_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out);
Err doc_query_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n);
Err doc_query_parse(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out);

/* doc_group.c, doc_notes.c, doc_write.c: as in documents.h */
Err doc_notes_comment(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                      Str text, struct arena *arena, int64_t *out);
Err doc_notes_comments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                       struct arena *arena, struct doc_comment **out, size_t *n);
Err doc_notes_attach(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     const struct doc_attachment *what, Str bytes, struct arena *arena, int64_t *out);
Err doc_notes_attachments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                          struct arena *arena, struct doc_attachment **out, size_t *n);
Err doc_notes_attachment(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                         int64_t attachment, struct arena *arena, struct doc_attachment *out, Str *bytes);
Err doc_group_run(struct documents *d, const struct lens *lens, const struct doctype *type,
                  const struct doc_query *query, const char *const *by, size_t n_by, const struct doc_measure *measures,
                  size_t n_measures, struct arena *arena, struct doc_group **out, size_t *n, size_t *withheld);
void doc_group_json(struct documents *d, const struct lens *lens, const struct doctype *type, const char *const *by,
                    size_t n_by, const struct doc_measure *measures, size_t n_measures, const struct doc_group *group,
                    struct jw *w);
Err doc_write_all(struct documents *d, const struct principal *who, const struct doc_order *ops, size_t n,
                  struct arena *arena, struct doc **out, size_t *bad);

/* doc_outbox.c */
Err doc_outbox_add(struct records_txn *txn, const struct outbox_row *row);
Err doc_outbox_read(struct records *records, const char *reader, size_t limit, struct arena *arena,
                    struct outbox_row **out, size_t *n);
Err doc_outbox_done(struct records *records, const char *reader, int64_t through);

/* doc_json.c */
void doc_json_write(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    const struct doc_shape *shape, struct arena *arena, struct jw *w);
/* {"state":…,fields…} of what is in the mask; secrets as "***". */
Str doc_json_audit(const struct doc *doc, uint64_t mask, bool with_state, struct arena *arena);
/* doc_json_type.c */
void doc_json_type(const struct doctype *type, const struct principal *who, struct jw *w);

#endif
