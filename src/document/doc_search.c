/*
 * Words are made behind the writers: a document is found within a second of its commit. Each step reads what the outbox
 * says, cuts the words outside any transaction, and writes those of up to 200 documents in one; a document that changed
 * meanwhile is left to the outbox row that tells of it. Doing a step twice does no harm, so the outbox is passed after
 * the words are on the disk.
 *
 * Which words a type has (its fields and their tags) is noted in document_layout as "TYPE#words"; when that differs,
 * all documents of the type are gone through.
 */
#include "document/doc_search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "document/doc_system.h"
#include "document/doc_value.h"
#include "document/doc_words.h"
#include "trust/gate.h"

#define READER "search"
#define STEP_MAX 200
#define IDLE (500 * NANOS_PER_MS)
#define AFTER_FAILURE (2 * NANOS_PER_S)

struct doc_search {
    struct thread *thread;
    pthread_mutex_t working; /* held for a step */
    const struct doc_types *checked;
    pthread_mutex_t lock;
    pthread_cond_t called;
    bool woken, stopping;
};

/* ---- some documents of one type */

struct step {
    struct documents *d;
    const struct doc_table *table;
    const int64_t *ids; /* these … */
    size_t n;
    int64_t batch, after; /* … or those of an import (0: all) behind this id */
    struct doc *docs[STEP_MAX];
    Str words[STEP_MAX];
    size_t n_docs;
    struct arena *arena;
};

static Err take(struct step *s, struct records_txn *txn, const struct lens *all, Value *const *rows, size_t n) {
    struct doc_read read;
    TRY(doc_read_begin(&read, s->d, txn, all, s->table, s->arena));
    TRY(doc_read_rows(&read, rows, n, s->docs + s->n_docs));
    s->n_docs += n;
    return err_none();
}

static Err read_docs(void *ctx, struct records_txn *txn) {
    struct step *s = ctx;
    struct lens all = gate_lens_system("words to search by");
    Value *row;
    struct record_page page;
    for (size_t i = 0; i < s->n; i++) {
        TRY(records_txn_get(txn, &all, &s->table->records, s->ids[i], s->arena, &row));
        if (row) TRY(take(s, txn, &all, &row, 1));
    }
    if (s->n > 0) return err_none();
    const struct record_filter parts[] = {{.op = RECORD_GT, .column = RECORD_ID, .value = VALUE_I(s->after)},
                                          {.op = RECORD_EQ, .column = DOC_BATCH, .value = VALUE_I(s->batch)}};
    struct record_filter both = {.op = RECORD_AND, .parts = parts, .n_parts = s->batch ? 2 : 1};
    struct record_query query = {.filter = &both, .limit = STEP_MAX};
    TRY(records_txn_select(txn, &all, &s->table->records, &query, s->arena, &page));
    return page.n ? take(s, txn, &all, page.rows, page.n) : err_none();
}

struct naming {
    const struct step *step;
    const struct doc_table *table;
    int64_t id;
    struct doc_words_label *out;
};

static Err read_label(void *ctx, struct records_txn *txn) {
    struct naming *n = ctx;
    struct lens all = gate_lens_system("labels of what is referred to");
    const struct doctype *type = n->table->type;
    Value *row;
    TRY(records_txn_get(txn, &all, &n->table->records, n->id, n->step->arena, &row));
    if (!row) return err_none();
    n->out->number = row[DOC_NUMBER].s;
    int i = type->label ? doctype_field(type, str_c(type->label)) : -1;
    if (i >= 0 && type->fields[i].kind != FIELD_LINES)
        n->out->label = doc_value_text(&type->fields[i], row[DOC_FIELDS + i], n->step->arena);
    return err_none();
}

static void of_ref(void *ctx, const char *type, int64_t id, struct doc_words_label *out) {
    struct step *s = ctx;
    struct naming n = {.step = s, .table = doc_engine_referred(s->table, type), .id = id, .out = out};
    if (records_read(s->d->options.records, read_label, &n).code != ERR_NONE) *out = (struct doc_words_label){{0}, {0}};
}

static Str of_party(void *ctx, PartyId party) {
    struct step *s = ctx;
    const struct documents_options *o = &s->d->options;
    Str name = {0};
    if (!o->party_name || o->party_name(o->party_ctx, party, s->arena, &name).code != ERR_NONE) return (Str){0};
    return name;
}

static Err write_words(void *ctx, struct records_txn *txn) {
    struct step *s = ctx;
    struct lens all = gate_lens_system("words to search by");
    for (size_t i = 0; i < s->n_docs; i++) {
        Value *row;
        TRY(records_txn_get(txn, &all, &s->table->records, s->docs[i]->id, s->arena, &row));
        if (!row || row[DOC_VERSION].i != s->docs[i]->version) continue;
        TRY(records_txn_index(txn, &s->table->records, s->docs[i]->id, s->words[i]));
    }
    return err_none();
}

static Err run_step(struct step *s) {
    const struct doc_words_names names = {.of_ref = of_ref, .of_party = of_party, .ctx = s};
    s->n_docs = 0;
    TRY(records_read(s->d->options.records, read_docs, s));
    if (s->n_docs == 0) return err_none();
    for (size_t i = 0; i < s->n_docs; i++) {
        s->words[i] = doc_words_of(s->table->words, s->docs[i], &names, s->arena);
        s->after = s->docs[i]->id;
    }
    return records_write(s->d->options.records, write_words, s);
}

static bool stopping(struct documents *d) {
    thread_lock(&d->search->lock);
    bool stop = d->search->stopping;
    thread_unlock(&d->search->lock);
    return stop;
}

/* Of an import, or all of a type. */
static Err index_many(struct documents *d, const struct doc_table *table, int64_t batch) {
    struct arena arena;
    struct step *s = calloc(1, sizeof *s);
    Err err = err_none();
    ASSERT(s);
    arena_init(&arena, 0);
    *s = (struct step){.d = d, .table = table, .batch = batch, .arena = &arena};
    do {
        arena_reset(&arena);
        err = stopping(d) ? err_make(ERR_CLOSED, "closing") : run_step(s);
    } while (err.code == ERR_NONE && s->n_docs > 0);
    arena_fini(&arena);
    free(s);
    return err;
}

/* ---- types whose words are made another way than before */

struct marking {
    Str name, shape;
    bool same;
    struct arena *arena;
};

static Err read_mark(void *ctx, struct records_txn *txn) {
    struct marking *m = ctx;
    struct lens lens = gate_lens_party(0, "layout");
    Value *row;
    TRY(records_txn_find(txn, &lens, &doc_system_layout, LAYOUT_NAME, VALUE_S(m->name), m->arena, &row));
    m->same = row && str_eq(row[LAYOUT_SHAPE].s, m->shape);
    return err_none();
}

static Err write_mark(void *ctx, struct records_txn *txn) {
    struct marking *m = ctx;
    struct lens lens = gate_lens_party(0, "layout");
    Value *row, shape = VALUE_S(m->shape);
    int64_t id;
    TRY(records_txn_find(txn, &lens, &doc_system_layout, LAYOUT_NAME, VALUE_S(m->name), m->arena, &row));
    if (row)
        return records_txn_update(txn, &doc_system_layout, row[RECORD_ID].i, (const unsigned[]){LAYOUT_SHAPE}, &shape,
                                  1);
    Value new[LAYOUT_COLUMNS] = {[RECORD_PARTY] = VALUE_I(0), [LAYOUT_NAME] = VALUE_S(m->name), [LAYOUT_SHAPE] = shape};
    return records_txn_insert(txn, &doc_system_layout, new, &id);
}

static Err check_type(struct documents *d, const struct doc_table *table, struct arena *arena) {
    struct marking m = {.name = arena_printf(arena, "%s#words", table->type->name),
                        .shape = arena_printf(arena, "%016" PRIx64, doc_words_hash(table->words)),
                        .arena = arena};
    TRY(records_read(d->options.records, read_mark, &m));
    if (m.same) return err_none();
    TRY(index_many(d, table, 0));
    return records_write(d->options.records, write_mark, &m);
}

static Err check_types(struct documents *d) {
    const struct doc_types *types = atomic_load(&d->types);
    struct arena arena;
    Err err = err_none();
    if (d->search->checked == types) return err;
    arena_init(&arena, 0);
    for (size_t i = 0; i < types->n && err.code == ERR_NONE; i++) err = check_type(d, types->tables[i], &arena);
    arena_fini(&arena);
    if (err.code == ERR_NONE) d->search->checked = types;
    return err;
}

/* ---- following the outbox */

static const struct doc_table *table_of(const struct documents *d, const struct outbox_row *row) {
    const struct doctype *type = documents_type(d, row->type);
    return type ? doc_engine_table(d, type) : NULL;
}

static bool repeats(const struct outbox_row *rows, size_t n, const struct outbox_row *row) {
    for (size_t i = 0; i < n; i++)
        if (rows[i].id == row->id && str_eq(rows[i].type, row->type) && str_eq(rows[i].what, row->what)) return true;
    return false;
}

/* The rows of one type together, as far as one transaction goes. */
static Err index_rows(struct documents *d, const struct outbox_row *rows, size_t n, struct arena *arena) {
    int64_t ids[STEP_MAX];
    bool done[STEP_MAX] = {false};
    for (size_t i = 0; i < n; i++) {
        const struct doc_table *table = done[i] ? NULL : table_of(d, &rows[i]);
        struct step *s = arena_zero(arena, 1, sizeof *s);
        size_t m = 0;
        if (!table) continue;
        if (str_eq_c(rows[i].what, "import")) {
            TRY(index_many(d, table, rows[i].version));
            continue;
        }
        for (size_t k = i; k < n; k++) {
            if (done[k] || !str_eq(rows[k].type, rows[i].type) || str_eq_c(rows[k].what, "import")) continue;
            done[k] = true;
            if (!repeats(rows + i, k - i, &rows[k])) ids[m++] = rows[k].id;
        }
        *s = (struct step){.d = d, .table = table, .ids = ids, .n = m, .arena = arena};
        TRY(run_step(s));
    }
    return err_none();
}

static Err follow(struct documents *d, size_t *n) {
    struct outbox_row *rows;
    struct arena arena;
    arena_init(&arena, 0);
    Err err = documents_outbox(d, READER, STEP_MAX, &arena, &rows, n);
    if (err.code == ERR_NONE && *n > 0) {
        err = index_rows(d, rows, *n, &arena);
        if (err.code == ERR_NONE) err = documents_outbox_done(d, READER, rows[*n - 1].seq);
    }
    arena_fini(&arena);
    return err;
}

Err doc_search_catch_up(struct documents *d) {
    size_t n = 1;
    Err err = err_none();
    while (n > 0 && err.code == ERR_NONE) {
        thread_lock(&d->search->working);
        err = check_types(d);
        if (err.code == ERR_NONE) err = follow(d, &n);
        thread_unlock(&d->search->working);
    }
    return err;
}

/* ---- the thread */

static void run(void *ctx) {
    struct documents *d = ctx;
    struct doc_search *s = d->search;
    thread_lock(&s->lock);
    while (!s->stopping) {
        s->woken = false;
        thread_unlock(&s->lock);
        Err err = doc_search_catch_up(d);
        if (err.code != ERR_NONE && err.code != ERR_CLOSED)
            LOG_WARN("document.search_failed", LOG_S("error", str_c(err.text)));
        thread_lock(&s->lock);
        if (!s->woken && !s->stopping)
            thread_wait_for(&s->called, &s->lock, err.code == ERR_NONE ? IDLE : AFTER_FAILURE);
    }
    thread_unlock(&s->lock);
}

Err doc_search_start(struct documents *d) {
    struct doc_search *s = calloc(1, sizeof *s);
    ASSERT(s);
    thread_mutex_init(&s->working);
    thread_mutex_init(&s->lock);
    thread_cond_init(&s->called);
    d->search = s;
    return thread_start(&s->thread, "search", run, d);
}

void doc_search_stop(struct documents *d) {
    struct doc_search *s = d->search;
    if (!s) return;
    thread_lock(&s->lock);
    s->stopping = true;
    thread_broadcast(&s->called);
    thread_unlock(&s->lock);
    if (s->thread) thread_join(s->thread);
    thread_cond_fini(&s->called);
    thread_mutex_fini(&s->lock);
    thread_mutex_fini(&s->working);
    d->search = NULL;
    free(s);
}

void doc_search_wake(struct documents *d) {
    if (!d->search) return;
    thread_lock(&d->search->lock);
    d->search->woken = true;
    thread_signal(&d->search->called);
    thread_unlock(&d->search->lock);
}
