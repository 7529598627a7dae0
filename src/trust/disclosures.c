/*
 * Callers that come together share a commit, which is the records' own doing; gathering rows here first was measured
 * slower. Rows reach the ledger by a thread that looks for rows without an index,
 * in the order of ids, so that a crash between the two loses nothing: it finds them again.
 */
#include "trust/disclosures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "base/log.h"
#include "os/process.h"
#include "os/thread.h"
#include "store/records_system.h"
#include "store/records_txn.h"
#include "trust/gate.h"
#include "trust/terms.h"

#define ENTER_MAX 2000
#define EVERY_DEFAULT (500 * NANOS_PER_MS)
#define SUMMARY_ROWS 20000
#define SUMMARY_LINES 1000
#define IDS_TEXT_MAX 1000

enum {
    DISCLOSURE_AT = 2,
    DISCLOSURE_AGREEMENT,
    DISCLOSURE_NUMBER,
    DISCLOSURE_READER,
    DISCLOSURE_WHO,
    DISCLOSURE_TYPE,
    DISCLOSURE_WHAT,
    DISCLOSURE_FIELDS,
    DISCLOSURE_ROWS,
    DISCLOSURE_LENS,
    DISCLOSURE_PURPOSE,
    DISCLOSURE_SALT,
    DISCLOSURE_LEDGER,
    DISCLOSURE_COLUMNS
};

static const struct record_column columns[DISCLOSURE_COLUMNS] = {
    {.name = "id", .kind = RECORD_INT},
    {"party", RECORD_INT, .required = true, .indexed = true}, /* the owner */
    [DISCLOSURE_AT] = {"at", RECORD_INT, .required = true},
    [DISCLOSURE_AGREEMENT] = {"agreement", RECORD_INT, .required = true, .indexed = true},
    [DISCLOSURE_NUMBER] = {"number", RECORD_TEXT, .required = true},
    [DISCLOSURE_READER] = {"reader", RECORD_INT, .required = true},
    [DISCLOSURE_WHO] = {"who", RECORD_TEXT, .required = true},
    [DISCLOSURE_TYPE] = {"type", RECORD_TEXT, .required = true},
    [DISCLOSURE_WHAT] = {"what", RECORD_TEXT, .required = true},
    [DISCLOSURE_FIELDS] = {"fields", RECORD_TEXT, .required = true},
    [DISCLOSURE_ROWS] = {"rows", RECORD_INT, .required = true},
    [DISCLOSURE_LENS] = {"lens", RECORD_INT, .required = true},
    [DISCLOSURE_PURPOSE] = {"purpose", RECORD_TEXT, .required = true},
    [DISCLOSURE_SALT] = {"salt", RECORD_BLOB, .required = true},
    [DISCLOSURE_LEDGER] = {.name = "ledger", .kind = RECORD_INT},
};
static const struct record_table table = {
    .name = "disclosure", .columns = columns, .n_columns = DISCLOSURE_COLUMNS, .ids_rise = true};

struct noting {
    const struct disclosure *row;
    unsigned char salt[DISCLOSURES_SALT];
    Nanos at;
};

struct disclosures {
    struct disclosures_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake, pause; /* pause: signalled at the end only */
    bool stopping, fresh;       /* fresh: rows the ledger has not seen */
    struct disclosures_stats stats;
    struct thread *thread;
    int64_t through; /* the thread's: ids up to it are in the ledger */
};

/* ---- noting */

static Err write_row(void *ctx, struct records_txn *txn) {
    const struct noting *w = ctx;
    const struct disclosure *r = w->row;
    int64_t id;
    Value v[DISCLOSURE_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(r->owner),
        [DISCLOSURE_AT] = VALUE_I(w->at),
        [DISCLOSURE_AGREEMENT] = VALUE_I(r->agreement),
        [DISCLOSURE_NUMBER] = VALUE_S(r->number),
        [DISCLOSURE_READER] = VALUE_I(r->reader),
        [DISCLOSURE_WHO] = VALUE_S(r->who),
        [DISCLOSURE_TYPE] = VALUE_S(r->type),
        [DISCLOSURE_WHAT] = VALUE_S(r->what),
        [DISCLOSURE_FIELDS] = VALUE_S(r->fields),
        [DISCLOSURE_ROWS] = VALUE_I((int64_t)r->rows),
        [DISCLOSURE_LENS] = VALUE_I((int64_t)r->lens),
        [DISCLOSURE_PURPOSE] = VALUE_S(r->purpose),
        [DISCLOSURE_SALT] = VALUE_S(str_n((const char *)w->salt, sizeof w->salt)),
    };
    return records_txn_insert(txn, &table, v, &id);
}

Err disclosures_note(struct disclosures *d, const struct disclosure *row) {
    struct noting n = {.row = row, .at = clock_now(d->options.clock)};
    process_random(n.salt, sizeof n.salt);
    TRY(records_write(d->options.records, write_row, &n));
    thread_lock(&d->lock);
    d->stats.noted++;
    if (!d->fresh) {
        d->fresh = true;
        thread_signal(&d->wake);
    }
    thread_unlock(&d->lock);
    return err_none();
}

/* ---- reading */

static Str text(Value v) { return v.kind == VALUE_STRING ? v.s : (Str){0}; }

static struct disclosure from_row(const Value *v) {
    struct disclosure r = {.id = v[RECORD_ID].i,
                           .at = v[DISCLOSURE_AT].i,
                           .owner = (PartyId)v[RECORD_PARTY].i,
                           .reader = (PartyId)v[DISCLOSURE_READER].i,
                           .agreement = v[DISCLOSURE_AGREEMENT].i,
                           .number = text(v[DISCLOSURE_NUMBER]),
                           .who = text(v[DISCLOSURE_WHO]),
                           .type = text(v[DISCLOSURE_TYPE]),
                           .what = text(v[DISCLOSURE_WHAT]),
                           .fields = text(v[DISCLOSURE_FIELDS]),
                           .rows = (uint64_t)v[DISCLOSURE_ROWS].i,
                           .lens = (uint64_t)v[DISCLOSURE_LENS].i,
                           .purpose = text(v[DISCLOSURE_PURPOSE]),
                           .ledger = v[DISCLOSURE_LEDGER].kind == VALUE_INT ? v[DISCLOSURE_LEDGER].i : -1};
    Str salt = text(v[DISCLOSURE_SALT]);
    if (salt.len == sizeof r.salt) memcpy(r.salt, salt.ptr, sizeof r.salt);
    return r;
}

struct listing {
    struct lens lens;
    struct record_query query;
    struct arena *arena;
    struct record_page page;
};

static Err list_rows(void *ctx, struct records_txn *txn) {
    struct listing *l = ctx;
    return records_txn_select(txn, &l->lens, &table, &l->query, l->arena, &l->page);
}

static struct record_filter where(enum record_op op, unsigned column, int64_t value) {
    return (struct record_filter){.op = op, .column = column, .value = VALUE_I(value)};
}

Err disclosures_list(struct disclosures *d, PartyId owner, const struct disclosures_query *query, struct arena *arena,
                     struct disclosure **out, size_t *n) {
    struct record_filter parts[5];
    size_t n_parts = 0;
    *n = 0;
    if (query->agreement) parts[n_parts++] = where(RECORD_EQ, DISCLOSURE_AGREEMENT, query->agreement);
    if (query->reader) parts[n_parts++] = where(RECORD_EQ, DISCLOSURE_READER, query->reader);
    if (query->from) parts[n_parts++] = where(RECORD_GE, DISCLOSURE_AT, query->from);
    if (query->to) parts[n_parts++] = where(RECORD_LT, DISCLOSURE_AT, query->to);
    if (query->before) parts[n_parts++] = where(RECORD_LT, RECORD_ID, query->before);
    struct record_filter all = {.op = RECORD_AND, .parts = parts, .n_parts = n_parts};
    struct listing l = {.lens = gate_lens_party(owner, "the owner's log of disclosures"),
                        .query = {.filter = &all, .sort = RECORD_ID, .descending = true, .limit = query->limit},
                        .arena = arena};
    TRY(records_read(d->options.records, list_rows, &l));
    *out = arena_zero(arena, l.page.n, sizeof **out);
    for (; *n < l.page.n; (*n)++) (*out)[*n] = from_row(l.page.rows[*n]);
    return err_none();
}

Err disclosures_get(struct disclosures *d, PartyId owner, int64_t id, struct arena *arena, struct disclosure *out) {
    struct record_filter one = where(RECORD_EQ, RECORD_ID, id);
    struct listing l = {.lens = gate_lens_party(owner, "the owner's log of disclosures"),
                        .query = {.filter = &one, .limit = 1},
                        .arena = arena};
    TRY(records_read(d->options.records, list_rows, &l));
    if (l.page.n == 0) return err_make(ERR_NOT_FOUND, "no disclosure %" PRId64 " of your data", id);
    *out = from_row(l.page.rows[0]);
    return err_none();
}

static void add_line(struct disclosures_line *lines, size_t *n, const struct disclosure *row) {
    Nanos day = row->at - row->at % NANOS_PER_DAY;
    size_t i = 0;
    while (i < *n && (lines[i].reader != row->reader || lines[i].day != day)) i++;
    if (i == SUMMARY_LINES) return;
    if (i == *n) lines[(*n)++] = (struct disclosures_line){.reader = row->reader, .day = day};
    lines[i].reads++;
    lines[i].rows += row->rows;
}

Err disclosures_summary(struct disclosures *d, PartyId owner, Nanos from, Nanos to, struct arena *arena,
                        struct disclosures_line **out, size_t *n) {
    struct disclosures_query query = {.from = from, .to = to, .limit = ENTER_MAX};
    struct disclosures_line *lines = arena_zero(arena, SUMMARY_LINES, sizeof *lines);
    *n = 0;
    for (size_t read = 0; read < SUMMARY_ROWS;) {
        struct disclosure *rows;
        size_t got;
        TRY(disclosures_list(d, owner, &query, arena, &rows, &got));
        for (size_t i = 0; i < got; i++) add_line(lines, n, &rows[i]);
        read += got;
        if (got < query.limit) break;
        query.before = rows[got - 1].id;
    }
    *out = lines;
    return err_none();
}

/* ---- texts */

Str disclosures_text(const struct disclosure *r, struct arena *arena) {
    struct buf out = {0};
    struct jw w;
    jw_init(&w, &out);
    jw_object(&w);
    jw_kc(&w, "kind", "disclosure");
    jw_kint(&w, "id", r->id);
    jw_ktime(&w, "at", r->at);
    jw_kint(&w, "owner", r->owner);
    jw_kint(&w, "reader", r->reader);
    jw_kstr(&w, "who", r->who);
    jw_kstr(&w, "agreement", r->number);
    jw_kstr(&w, "type", r->type);
    jw_kstr(&w, "what", r->what);
    jw_kstr(&w, "fields", r->fields);
    jw_kint(&w, "rows", (int64_t)r->rows);
    jw_kstr(&w, "lens", arena_printf(arena, "%016" PRIx64, r->lens));
    jw_kstr(&w, "purpose", r->purpose);
    jw_object_end(&w);
    Str made = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return made;
}

static void add_name(struct buf *out, const char *head, const char *name) {
    if (out->len > 0) buf_byte(out, ',');
    if (head) buf_printf(out, "%s.", head);
    buf_c(out, name);
}

Str disclosures_fields(const struct lens *lens, const struct doctype *type, struct arena *arena) {
    struct buf out = {0};
    unsigned k = 0;
    for (const struct terms_mask_base_column *b = terms_mask_base; b->name; b++)
        if (!(lens->base_hidden >> b->column & 1)) add_name(&out, NULL, b->name);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        bool lines = f->kind == FIELD_LINES && f->lines, shown = (lens->fields >> i & 1) && !f->hidden;
        if (shown && !lines) add_name(&out, NULL, f->name);
        for (size_t j = 0; shown && lines && j < f->lines->n_fields && k < DOCTYPE_LINES_MAX; j++)
            if (lens->lines[k] >> j & 1) add_name(&out, f->name, f->lines->fields[j].name);
        k += f->kind == FIELD_LINES;
    }
    Str made = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return made;
}

static int by_id(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

Str disclosures_ids(const int64_t *ids, size_t n, struct arena *arena) {
    if (n == 0) return STR("none");
    int64_t *sorted = arena_alloc(arena, n * sizeof *sorted);
    memcpy(sorted, ids, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_id);
    struct buf out = {0};
    for (size_t i = 0, end; i < n && out.len < IDS_TEXT_MAX; i = end) {
        end = i + 1;
        while (end < n && sorted[end] <= sorted[end - 1] + 1) end++;
        if (i > 0) buf_byte(&out, ',');
        buf_printf(&out, "%" PRId64, sorted[i]);
        if (sorted[end - 1] > sorted[i]) buf_printf(&out, "-%" PRId64, sorted[end - 1]);
    }
    if (out.len >= IDS_TEXT_MAX) buf_printf(&out, ",… up to %" PRId64, sorted[n - 1]);
    Str made = arena_str(arena, buf_view(&out));
    buf_fini(&out);
    return made;
}

/* ---- into the ledger */

struct entering {
    struct record_page page;
    uint64_t first;
};

static Err set_indexes(void *ctx, struct records_txn *txn) {
    const struct entering *e = ctx;
    for (size_t i = 0; i < e->page.n; i++) {
        Value index = VALUE_I((int64_t)(e->first + i));
        TRY(records_txn_update(txn, &table, e->page.rows[i][RECORD_ID].i, (const unsigned[]){DISCLOSURE_LEDGER}, &index,
                               1));
    }
    return err_none();
}

/* One batch; *n: how many there were. */
static Err enter_batch(struct disclosures *d, struct arena *arena, size_t *n) {
    struct record_filter parts[] = {where(RECORD_GT, RECORD_ID, d->through),
                                    {.op = RECORD_IS_SET, .column = DISCLOSURE_LEDGER, .value = VALUE_B(false)}};
    struct record_filter all = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    struct listing l = {.lens = gate_lens_system("disclosures of every party enter the ledger"),
                        .query = {.filter = &all, .limit = ENTER_MAX},
                        .arena = arena};
    *n = 0;
    TRY(records_read(d->options.records, list_rows, &l));
    struct disclosures_entry *entries = arena_zero(arena, l.page.n, sizeof *entries);
    for (size_t i = 0; i < l.page.n; i++) {
        struct disclosure row = from_row(l.page.rows[i]);
        unsigned char *salt = arena_alloc(arena, DISCLOSURES_SALT);
        memcpy(salt, row.salt, DISCLOSURES_SALT);
        entries[i] = (struct disclosures_entry){.salt = salt, .text = disclosures_text(&row, arena)};
    }
    struct entering e = {.page = l.page};
    if (l.page.n == 0) return err_none();
    TRY(d->options.enter(d->options.ctx, entries, l.page.n, &e.first));
    TRY(records_write(d->options.records, set_indexes, &e));
    d->through = l.page.rows[l.page.n - 1][RECORD_ID].i;
    *n = l.page.n;
    return err_none();
}

/* Returns false when the ledger could not be written: the rows are tried again. */
static bool enter_all(struct disclosures *d) {
    struct arena arena;
    Err err;
    size_t n = 0;
    arena_init(&arena, 0);
    do {
        arena_reset(&arena);
        err = enter_batch(d, &arena, &n);
        thread_lock(&d->lock);
        d->stats.entered += n;
        bool stop = d->stopping;
        thread_unlock(&d->lock);
        if (stop) break;
    } while (err.code == ERR_NONE && n == ENTER_MAX);
    arena_fini(&arena);
    if (err.code != ERR_NONE && err.code != ERR_CLOSED) LOG_WARN("disclosures.ledger", LOG_C("why", err.text));
    return err.code == ERR_NONE;
}

static void run(void *ctx) {
    struct disclosures *d = ctx;
    thread_lock(&d->lock);
    while (!d->stopping) {
        if (!d->fresh) {
            thread_wait(&d->wake, &d->lock);
            continue;
        }
        d->fresh = false;
        thread_unlock(&d->lock);
        bool good = enter_all(d);
        thread_lock(&d->lock);
        if (!good) d->fresh = true;
        if (!d->stopping) thread_wait_for(&d->pause, &d->lock, d->options.every); /* gathers */
    }
    bool fresh = d->fresh;
    thread_unlock(&d->lock);
    if (fresh) enter_all(d);
}

/* ---- opening */

Err disclosures_open(const struct disclosures_options *options, struct disclosures **out) {
    static const struct record_table *const tables[] = {&table};
    struct disclosures *d = calloc(1, sizeof *d);
    ASSERT(d);
    d->options = *options;
    if (d->options.every == 0) d->options.every = EVERY_DEFAULT;
    d->fresh = true; /* what an earlier run left */
    thread_mutex_init(&d->lock);
    thread_cond_init(&d->wake);
    thread_cond_init(&d->pause);
    Err err = records_declare(options->records, tables, 1);
    if (err.code == ERR_NONE && options->enter) err = thread_start(&d->thread, "disclosures", run, d);
    if (err.code == ERR_NONE)
        *out = d;
    else
        disclosures_close(d);
    return err;
}

void disclosures_close(struct disclosures *d) {
    if (!d) return;
    thread_lock(&d->lock);
    d->stopping = true;
    thread_signal(&d->wake);
    thread_signal(&d->pause);
    thread_unlock(&d->lock);
    if (d->thread) thread_join(d->thread);
    thread_cond_fini(&d->wake);
    thread_cond_fini(&d->pause);
    thread_mutex_fini(&d->lock);
    free(d);
}

void disclosures_stats(struct disclosures *d, struct disclosures_stats *out) {
    thread_lock(&d->lock);
    *out = d->stats;
    thread_unlock(&d->lock);
}

/* ---- forgetting */

struct forgetting {
    PartyId owner;
    struct arena arena;
    int64_t after;
    size_t n;
};

static Err forget_page(void *ctx, struct records_txn *txn) {
    struct forgetting *f = ctx;
    static const char zeros[DISCLOSURES_SALT];
    struct lens lens = gate_lens_party(f->owner, "its salts are erased");
    struct record_filter parts[] = {
        {.op = RECORD_GT, .column = RECORD_ID, .value = VALUE_I(f->after)},
        /* the others enter within a second, and not with a salt that everybody knows */
        {.op = RECORD_IS_SET, .column = DISCLOSURE_LEDGER, .value = VALUE_B(true)},
    };
    struct record_filter entered = {.op = RECORD_AND, .parts = parts, .n_parts = 2};
    struct record_query query = {.filter = &entered, .sort = RECORD_ID, .limit = 500};
    struct record_page page;
    Value salt = VALUE_S(str_n(zeros, sizeof zeros));
    TRY(records_txn_select(txn, &lens, &table, &query, &f->arena, &page));
    for (size_t i = 0; i < page.n; i++)
        TRY(records_txn_update(txn, &table, page.rows[i][RECORD_ID].i, (const unsigned[]){DISCLOSURE_SALT}, &salt, 1));
    f->n = page.n;
    if (page.n > 0) f->after = page.rows[page.n - 1][RECORD_ID].i;
    return err_none();
}

Err disclosures_forget(struct records *records, PartyId owner) {
    const struct record_table *tables[] = {&table};
    struct forgetting f = {.owner = owner};
    TRY(records_declare(records, tables, 1));
    Err err;
    arena_init(&f.arena, 0);
    do {
        arena_reset(&f.arena);
        err = records_write(records, forget_page, &f);
    } while (err.code == ERR_NONE && f.n > 0);
    arena_fini(&f.arena);
    return err;
}
