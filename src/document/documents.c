#include "document/documents.h"

#include <inttypes.h>
#include <stdlib.h>

#include "document/doc_engine.h"

/* ---- opening */

static Err declare_types(struct documents *d) {
    size_t n = 0;
    while (d->options.types[n]) n++;
    d->tables = arena_zero(&d->arena, n, sizeof *d->tables);
    const struct record_table **records = arena_zero(&d->arena, n, sizeof *records);
    for (size_t i = 0; i < n; i++) {
        struct doc_table *table = arena_zero(&d->arena, 1, sizeof *table);
        TRY(doc_table_make(d->options.types[i], d->options.types, &d->arena, table));
        records[i] = &table->records;
        d->tables[d->n_tables++] = table;
    }
    return records_declare(d->options.records, records, n);
}

static void committed(void *ctx) {
    struct documents *d = ctx;
    if (!d->touched) return;
    d->touched = false;
    if (d->on_commit) d->on_commit(d->on_commit_ctx);
}

Err documents_open(const struct documents_options *options, struct documents **out) {
    struct documents *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->options = *options;
    if (!d->options.clock) d->options.clock = &clock_system;
    arena_init(&d->arena, 0);
    thread_mutex_init(&d->lock);
    Err err = declare_types(d);
    if (err.code != ERR_NONE) {
        documents_close(d);
        return err;
    }
    records_on_commit(d->options.records, committed, d);
    *out = d;
    return err;
}

void documents_close(struct documents *d) {
    if (!d) return;
    records_on_commit(d->options.records, NULL, NULL);
    thread_mutex_fini(&d->lock);
    arena_fini(&d->arena);
    free(d);
}

void documents_on_commit(struct documents *d, void (*fn)(void *ctx), void *ctx) {
    d->on_commit = fn;
    d->on_commit_ctx = ctx;
}

/* ---- types */

const struct doctype *documents_type(const struct documents *d, Str name) {
    for (size_t i = 0; i < d->n_tables; i++)
        if (str_eq_c(name, d->tables[i]->type->name)) return d->tables[i]->type;
    return NULL;
}

const struct doctype *const *documents_types(const struct documents *d) { return d->options.types; }

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

/* ---- reading */

struct getting {
    const struct lens *lens;
    const struct doc_table *table;
    unsigned column;
    Value value;
    struct arena *arena;
    Value *row;
};

static Err get_row(void *ctx, struct records_txn *txn) {
    struct getting *g = ctx;
    return records_txn_find(txn, g->lens, &g->table->records, g->column, g->value, g->arena, &g->row);
}

static Err get(struct documents *d, struct getting *g, struct doc **out) {
    *out = NULL;
    TRY(records_read(d->options.records, get_row, g));
    return g->row ? doc_table_read(g->table, g->row, g->arena, out) : err_none();
}

Err documents_get(struct documents *d, const struct lens *lens, const struct doctype *type, int64_t id,
                  struct arena *arena, struct doc **out) {
    struct getting g = {
        .lens = lens, .table = doc_engine_table(d, type), .column = RECORD_ID, .value = VALUE_I(id), .arena = arena};
    TRY(get(d, &g, out));
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "no %s with id %" PRId64, type->name, id);
}

Err documents_by_number(struct documents *d, const struct lens *lens, const struct doctype *type, Str number,
                        struct arena *arena, struct doc **out) {
    struct getting g = {.lens = lens,
                        .table = doc_engine_table(d, type),
                        .column = DOC_NUMBER,
                        .value = VALUE_S(number),
                        .arena = arena};
    TRY(get(d, &g, out));
    if (*out) return err_none();
    return err_make(ERR_NOT_FOUND, "no %s '" STR_FMT "'", type->name, STR_ARG(str_slice(number, 0, 60)));
}

Err documents_list(struct documents *d, const struct lens *lens, const struct doctype *type,
                   const struct doc_query *query, struct arena *arena, struct doc_page *out) {
    return doc_query_list(d, lens, type, query, arena, out);
}

Err documents_count(struct documents *d, const struct lens *lens, const struct doctype *type,
                    const struct doc_query *query, const char *by, struct arena *arena, struct doc_count **out,
                    size_t *n) {
    return doc_query_count(d, lens, type, query, by, arena, out, n);
}

Err documents_parse_filter(const struct doctype *type, Str key, Str text, struct arena *arena, struct doc_filter *out) {
    return doc_query_parse(type, key, text, arena, out);
}

void documents_json(struct documents *d, const struct doc *doc, const struct lens *lens, const struct principal *who,
                    struct jw *w) {
    doc_json_write(d, doc, lens, who, w);
}

void documents_type_json(const struct doctype *type, struct jw *w) { doc_json_type(type, w); }

/* ---- what happened */

Err documents_outbox(struct documents *d, const char *reader, size_t limit, struct arena *arena,
                     struct outbox_row **out, size_t *n) {
    return doc_outbox_read(d->options.records, reader, limit, arena, out, n);
}

Err documents_outbox_done(struct documents *d, const char *reader, int64_t through_seq) {
    return doc_outbox_done(d->options.records, reader, through_seq);
}
