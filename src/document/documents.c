#include "document/documents.h"

#include <inttypes.h>
#include <stdlib.h>

#include "document/doc_batch.h"
#include "document/doc_engine.h"
#include "document/doc_search.h"

/* ---- opening */

static void committed(void *ctx) {
    struct documents *d = ctx;
    if (!d->touched) return;
    d->touched = false;
    doc_search_wake(d);
    if (d->on_commit) d->on_commit(d->on_commit_ctx);
}

Err documents_open(const struct documents_options *options, struct documents **out) {
    struct documents *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->options = *options;
    if (!d->options.clock) d->options.clock = &clock_system;
    thread_mutex_init(&d->lock);
    thread_mutex_init(&d->retyping);
    thread_mutex_init(&d->blobs);
    Err err = doc_types_set(d, options->types);
    if (err.code == ERR_NONE) err = doc_batch_open(d);
    if (err.code != ERR_NONE) {
        documents_close(d);
        return err;
    }
    records_on_commit(d->options.records, committed, d);
    if (options->search && !records_read_only(options->records)) err = doc_search_start(d);
    if (err.code != ERR_NONE) {
        documents_close(d);
        return err;
    }
    *out = d;
    return err;
}

void documents_close(struct documents *d) {
    if (!d) return;
    records_on_commit(d->options.records, NULL, NULL);
    doc_search_stop(d);
    doc_types_free(d);
    thread_mutex_fini(&d->blobs);
    thread_mutex_fini(&d->retyping);
    thread_mutex_fini(&d->lock);
    free(d);
}

void documents_on_commit(struct documents *d, void (*fn)(void *ctx), void *ctx) {
    d->on_commit = fn;
    d->on_commit_ctx = ctx;
}

/* ---- types */

Err documents_retype(struct documents *d, const struct doctype *const *types) { return doc_types_set(d, types); }

const struct doctype *documents_type(const struct documents *d, Str name) {
    const struct doc_types *t = atomic_load(&d->types);
    for (size_t i = 0; i < t->n; i++)
        if (str_eq_c(name, t->types[i]->name)) return t->types[i];
    return NULL;
}

const struct doctype *const *documents_types(const struct documents *d) { return atomic_load(&d->types)->types; }

/* ---- writing */

Err documents_create(struct documents *d, const struct principal *who, const struct doctype *type,
                     const struct doc_change *change, struct arena *arena, struct doc **out) {
    struct doc_write write = {.d = d, .who = who, .type = type, .change = change, .arena = arena};
    return doc_write_run(&write, out);
}

static Err check_id(const struct doctype *type, int64_t id) {
    return id > 0 ? err_none() : err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, type->name, id);
}

Err documents_change(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     const struct doc_change *change, struct arena *arena, struct doc **out) {
    struct doc_write write = {.d = d, .who = who, .type = type, .id = id, .change = change, .arena = arena};
    TRY(check_id(type, id));
    return doc_write_run(&write, out);
}

Err documents_transition(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                         Str transition, const struct doc_change *change, struct arena *arena, struct doc **out) {
    struct doc_write write = {
        .d = d, .who = who, .type = type, .id = id, .transition = transition, .change = change, .arena = arena};
    TRY(check_id(type, id));
    if (transition.len == 0) return err_make(ERR_INVALID, "which transition? name one of '%s'", type->name);
    return doc_write_run(&write, out);
}

Err documents_remove(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     int64_t if_version, struct arena *arena) {
    TRY(check_id(type, id));
    struct doc_removal removal = {.d = d, .who = who, .type = type, .id = id, .if_version = if_version, .arena = arena};
    return doc_remove_run(&removal);
}

Err documents_check(struct documents *d, const struct principal *who, const struct doctype *type,
                    const struct doc_change *change, struct arena *arena, struct doc **out) {
    struct doc_write write = {.d = d, .who = who, .type = type, .change = change, .arena = arena};
    return doc_write_check(&write, out);
}

Err documents_batch_begin(struct documents *d, const struct principal *who, const struct doctype *type, Str title,
                          int64_t *batch) {
    return doc_batch_begin(d, who, type, title, batch);
}

Err documents_batch_add(struct documents *d, const struct principal *who, int64_t batch, struct doc *const *docs,
                        size_t n, size_t *bad, struct arena *arena) {
    return doc_batch_add(d, who, batch, docs, n, bad, arena);
}

Err documents_batch_show(struct documents *d, const struct principal *who, int64_t batch) {
    return doc_batch_show(d, who, batch);
}

Err documents_batch_drop(struct documents *d, const struct principal *who, int64_t batch) {
    return doc_batch_drop(d, who, batch);
}

/* ---- reading */

struct getting {
    struct documents *d;
    const struct lens *lens;
    const struct doc_table *table;
    unsigned column;
    Value value;
    struct arena *arena;
    struct doc *doc;
};

static Err get_one(void *ctx, struct records_txn *txn) {
    struct getting *g = ctx;
    struct doc_read read;
    TRY(doc_read_begin(&read, g->d, txn, g->lens, g->table, g->arena));
    return doc_read_one(&read, g->column, g->value, &g->doc);
}

static Err get(struct getting *g, struct doc **out) {
    *out = NULL;
    TRY(records_read(g->d->options.records, get_one, g));
    *out = g->doc;
    return err_none();
}

Err documents_get(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                  struct arena *arena, struct doc **out) {
    struct getting g = {.d = d,
                        .lens = lens,
                        .table = doc_engine_table(d, type),
                        .column = RECORD_ID,
                        .value = VALUE_I(id),
                        .arena = arena};
    TRY(get(&g, out));
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, type->name, id);
}

Err documents_by_number(struct documents *d, const struct lens *lens, const struct doctype *type, Str number,
                        struct arena *arena, struct doc **out) {
    struct getting g = {.d = d,
                        .lens = lens,
                        .table = doc_engine_table(d, type),
                        .column = DOC_NUMBER,
                        .value = VALUE_S(number),
                        .arena = arena};
    TRY(get(&g, out));
    if (*out) return err_none();
    return err_make(ERR_NOT_FOUND, "no %s '" STR_FMT "'", type->name, STR_ARG(str_slice(number, 0, 60)));
}

Str documents_number(struct documents *d, const struct doctype *type, int64_t id, char out[32]) {
    return doc_engine_number(d, doc_engine_table(d, type), id, out);
}

Err documents_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out) {
    return doc_query_list(d, lens, type, query, arena, out);
}

Err documents_search_now(struct documents *d) {
    return d->search ? doc_search_catch_up(d) : err_make(ERR_INVALID, "words are not kept here");
}

Err documents_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n) {
    return doc_query_count(d, lens, type, query, by, arena, out, n);
}

Err documents_parse_filter(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out) {
    return doc_query_parse(type, key, text, arena, out);
}

void documents_json_shaped(struct documents *d, const struct doc *doc, const struct lens *lens,
                           const struct principal *who, const struct doc_shape *shape, struct arena *arena,
                           struct jw *w) {
    doc_json_write(d, doc, lens, who, shape, arena, w);
}

void documents_json(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    struct jw *w) {
    struct arena arena;
    arena_init(&arena, 0);
    doc_json_write(d, doc, lens, who, NULL, &arena, w);
    arena_fini(&arena);
}

void documents_type_json(const struct doctype *type, const struct principal *who, struct jw *w) {
    doc_json_type(type, who, w);
}

/* ---- groups, notes, several at once */

Err documents_comment(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                      Str text, struct arena *arena, int64_t *out) {
    return doc_notes_comment(d, who, type, id, text, arena, out);
}

Err documents_comments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                       struct arena *arena, struct doc_comment **out, size_t *n) {
    return doc_notes_comments(d, lens, type, id, arena, out, n);
}

Err documents_attach(struct documents *d, const struct principal *who, const struct doctype *type, int64_t id,
                     const struct doc_attachment *what, Str bytes, struct arena *arena, int64_t *out) {
    return doc_notes_attach(d, who, type, id, what, bytes, arena, out);
}

Err documents_attachments(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                          struct arena *arena, struct doc_attachment **out, size_t *n) {
    return doc_notes_attachments(d, lens, type, id, arena, out, n);
}

Err documents_attachment(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                         int64_t attachment, struct arena *arena, struct doc_attachment *out, Str *bytes) {
    return doc_notes_attachment(d, lens, type, id, attachment, arena, out, bytes);
}

Err documents_group(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *const *by, size_t n_by,
                    const struct doc_measure *measures, size_t n_measures, struct arena *arena, struct doc_group **out,
                    size_t *n, size_t *withheld) {
    return doc_group_run(d, lens, type, query, by, n_by, measures, n_measures, arena, out, n, withheld);
}

void documents_group_json(struct documents *d, const struct lens *lens, const struct doctype *type,
                          const char *const *by, size_t n_by, const struct doc_measure *measures, size_t n_measures,
                          const struct doc_group *group, struct jw *w) {
    doc_group_json(d, lens, type, by, n_by, measures, n_measures, group, w);
}

Err documents_all(struct documents *d, const struct principal *who, const struct doc_order *ops, size_t n,
                  struct arena *arena, struct doc **out, size_t *bad) {
    return doc_write_all(d, who, ops, n, arena, out, bad);
}

/* ---- what happened */

Err documents_outbox(struct documents *d, const char *reader, size_t limit, struct arena *arena,
                     struct outbox_row **out, size_t *n) {
    return doc_outbox_read(d->options.records, reader, limit, arena, out, n);
}

Err documents_outbox_done(struct documents *d, const char *reader, int64_t through_seq) {
    return doc_outbox_done(d->options.records, reader, through_seq);
}
