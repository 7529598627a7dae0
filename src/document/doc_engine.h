/* What the files of the document engine share; documents.h is its outside. */
#ifndef DOCUMENT_DOC_ENGINE_H
#define DOCUMENT_DOC_ENGINE_H

#include "document/doc_table.h"
#include "document/documents.h"
#include "os/thread.h"
#include "store/records_txn.h"

#define DOC_ENGINE_NUMBERS 1024

struct documents {
    struct documents_options options;
    struct arena arena; /* the tables and their names */
    struct doc_table **tables;
    size_t n_tables;
    void (*on_commit)(void *ctx);
    void *on_commit_ctx;
    bool touched; /* on the writer's thread: something changed since the last commit */
    pthread_mutex_t lock;
    struct doc_engine_number { /* numbers never change: remembered for references in answers */
        const struct doc_table *table;
        int64_t id;
        char text[32];
    } numbers[DOC_ENGINE_NUMBERS];
};

const struct doc_table *doc_engine_table(const struct documents *d,
                                         const struct doctype *type); /* ASSERTs it is known */
const struct doc_table *doc_engine_table_named(const struct documents *d, const char *name);
/* The id of the document with that number, which the lens shows; 0: none. */
Err doc_engine_find_number(struct records_txn *txn, const struct lens *lens, const struct doc_table *table, Str number,
                           struct arena *arena, int64_t *id);

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

/* doc_query.c */
Err doc_query_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out);
Err doc_query_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n);
Err doc_query_parse(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out);

/* doc_outbox.c */
Err doc_outbox_add(struct records_txn *txn, const struct outbox_row *row);
Err doc_outbox_read(struct records *records, const char *reader, size_t limit, struct arena *arena,
                    struct outbox_row **out, size_t *n);
Err doc_outbox_done(struct records *records, const char *reader, int64_t through);

/* doc_json.c */
void doc_json_write(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    struct jw *w);
void doc_json_type(const struct doctype *type, struct jw *w);
/* {"state":…,fields…} of what is in the mask; secrets as "***". */
Str doc_json_audit(const struct doc *doc, uint64_t mask, bool with_state, struct arena *arena);

#endif
