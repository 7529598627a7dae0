/*
 * Threads and groups. One writer thread owns the only writing connection: it takes every job that waits, gives each a
 * savepoint of one transaction, and commits them together, so a sync of the disk is shared by all who wait for one.
 * A keeper thread folds the log into the database beside it, so that no writer waits for that unless the log has grown
 * to several times its usual length.
 *
 * Lock order: writing, folding, lock. `writing` is held while the writer's connection is in use, `folding` by whoever
 * folds the log; `lock` guards the queue and the pool and is never held over a call that touches the disk.
 */
#include "store/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/log.h"
#include "os/crew.h"
#include "os/thread.h"
#include "store/records_backend.h"
#include "store/records_system.h"

#define READERS_DEFAULT 4
#define READERS_MAX 16
#define CHECKPOINT_DEFAULT ((size_t)16 << 20)
#define CHECKPOINT_HARD_FACTOR 4 /* the writer itself folds a log this many times too long */
#define GROUP_JOBS_MAX 512
#define GROUP_TIME_MAX (20 * NANOS_PER_MS) /* a group takes further jobs no longer than this */
#define IDLE_AFTER NANOS_PER_S

static const struct records_backend *const backends[] = {&records_sqlite, &records_postgresql};

struct reader {
    struct records_conn *conn; /* NULL: not opened yet */
    bool busy;
};

struct records {
    const struct records_backend *backend;
    struct arena arena; /* the folder's name */
    struct records_place place;
    const struct clock *clock;
    size_t checkpoint_bytes;

    pthread_mutex_t writing, folding;
    struct records_conn *writer;
    struct thread *writer_thread, *keeper_thread;
    void (*committed)(void *ctx);
    void *committed_ctx;

    pthread_mutex_t lock;
    pthread_cond_t job_came, reader_free, keeper_called;
    struct records_job *head, *tail;
    struct reader readers[READERS_MAX];
    unsigned n_readers;
    bool closing, keeper_wanted;
    struct records_stats stats;
};

/* ---- the writer */

/* The first waiting jobs, at most max, as a list. */
static struct records_job *take_jobs(struct records *r, size_t max, size_t *taken) {
    struct records_job *list = r->head, *last = NULL;
    size_t n = 0;
    for (struct records_job *job = list; job && n < max; job = job->next, n++) last = job;
    *taken = n;
    if (!last) return NULL;
    r->head = last->next;
    if (!r->head) r->tail = NULL;
    last->next = NULL;
    return list;
}

/* A failed step means that the whole transaction is lost: it is reported in *lost. */
static void run_job(struct records *r, struct records_job *job, Err *lost) {
    struct records_txn txn = {.backend = r->backend, .conn = r->writer, .writes = true};
    *lost = r->backend->step(r->writer, RECORDS_SAVE, NULL);
    if (lost->code != ERR_NONE) return;
    job->err = job->fn(job->ctx, &txn);
    if (job->err.code == ERR_NONE) job->err = txn.failed;
    *lost = r->backend->step(r->writer, job->err.code == ERR_NONE ? RECORDS_KEEP : RECORDS_UNDO, NULL);
}

/* Runs list and whatever else arrives meanwhile, within bounds; returns the last job and the number run. */
static size_t run_jobs(struct records *r, struct records_job *list, Err *lost) {
    Nanos until = clock_monotonic() + GROUP_TIME_MAX;
    size_t run = 0;
    for (struct records_job *job = list; job; job = job->next) {
        job->err = err_none();
        if (lost->code == ERR_NONE) run_job(r, job, lost);
        run++;
        if (job->next || run >= GROUP_JOBS_MAX || clock_monotonic() > until) continue;
        size_t taken;
        thread_lock(&r->lock);
        job->next = take_jobs(r, GROUP_JOBS_MAX - run, &taken);
        thread_unlock(&r->lock);
    }
    return run;
}

static void call_keeper(struct records *r) {
    thread_lock(&r->lock);
    r->keeper_wanted = true;
    thread_signal(&r->keeper_called);
    thread_unlock(&r->lock);
}

static void finish_jobs(struct records *r, struct records_job *list, size_t n, const Err *outcome) {
    uint64_t failed = 0;
    for (struct records_job *job = list; job; job = job->next) {
        if (job->err.code == ERR_NONE) job->err = *outcome;
        failed += job->err.code != ERR_NONE;
    }
    thread_lock(&r->lock);
    r->stats.jobs += n;
    r->stats.failed += failed;
    r->stats.commits += outcome->code == ERR_NONE;
    thread_unlock(&r->lock);
    for (struct records_job *job = list, *next; job; job = next) {
        next = job->next; /* done gives the job back to its owner */
        job->done(job, job->err);
    }
}

/* One at a time: two would only refuse each other. */
static Err fold(struct records *r, struct records_conn *conn, bool hard) {
    thread_lock(&r->folding);
    Err err = r->backend->step(conn, hard ? RECORDS_FOLD : RECORDS_TEND, NULL);
    thread_unlock(&r->folding);
    return err;
}

static void note_log(struct records *r, uint64_t log_bytes) {
    thread_lock(&r->lock);
    r->stats.log_bytes = log_bytes;
    thread_unlock(&r->lock);
    if (log_bytes < r->checkpoint_bytes) return;
    call_keeper(r);
    if (log_bytes < CHECKPOINT_HARD_FACTOR * r->checkpoint_bytes) return;
    Err err = fold(r, r->writer, true);
    if (err.code != ERR_NONE && err.code != ERR_BUSY) LOG_ERROR("records.checkpoint", LOG_C("error", err.text));
}

static void run_group(struct records *r, struct records_job *list) {
    uint64_t log_bytes = 0;
    thread_lock(&r->writing);
    Err outcome = r->backend->step(r->writer, RECORDS_BEGIN, NULL);
    size_t n = run_jobs(r, list, &outcome);
    if (outcome.code == ERR_NONE) outcome = r->backend->step(r->writer, RECORDS_COMMIT, &log_bytes);
    if (outcome.code != ERR_NONE) {
        LOG_ERROR("records.commit", LOG_C("error", outcome.text), LOG_I("jobs", n));
        r->backend->step(r->writer, RECORDS_ROLLBACK, NULL);
    }
    finish_jobs(r, list, n, &outcome);
    if (outcome.code == ERR_NONE && r->committed) r->committed(r->committed_ctx);
    note_log(r, log_bytes);
    thread_unlock(&r->writing);
}

/* After a quiet second the log is folded and memory given back, once. */
static void rest(struct records *r) {
    thread_lock(&r->writing);
    r->backend->step(r->writer, RECORDS_TEND, NULL);
    thread_unlock(&r->writing);
    call_keeper(r);
}

static void run_writer(void *ctx) {
    struct records *r = ctx;
    bool rested = true;
    for (;;) {
        bool quiet = false;
        size_t taken;
        thread_lock(&r->lock);
        while (!r->head && !r->closing && !quiet) {
            if (rested)
                thread_wait(&r->job_came, &r->lock);
            else
                quiet = !thread_wait_for(&r->job_came, &r->lock, IDLE_AFTER);
        }
        struct records_job *list = take_jobs(r, GROUP_JOBS_MAX, &taken);
        bool stop = !list && r->closing;
        thread_unlock(&r->lock);
        if (stop) return;
        if (list)
            run_group(r, list);
        else
            rest(r);
        rested = !list;
    }
}

/* ---- readers */

static struct reader *claim_free(struct records *r) {
    struct reader *empty = NULL;
    for (unsigned i = 0; i < r->n_readers; i++) {
        struct reader *reader = &r->readers[i];
        if (reader->busy) continue;
        if (reader->conn) return reader;
        if (!empty) empty = reader;
    }
    return empty;
}

static void release_reader(struct records *r, struct reader *reader) {
    thread_lock(&r->lock);
    reader->busy = false;
    r->stats.reads++;
    thread_signal(&r->reader_free);
    thread_unlock(&r->lock);
}

static Err claim_reader(struct records *r, struct reader **out) {
    struct reader *reader = NULL;
    thread_lock(&r->lock);
    while (!r->closing && !(reader = claim_free(r))) thread_wait(&r->reader_free, &r->lock);
    if (reader) reader->busy = true;
    thread_unlock(&r->lock);
    if (!reader) return err_make(ERR_CLOSED, "the records are closing");
    *out = reader;
    if (reader->conn) return err_none();
    Err err = r->backend->connect(&r->place, RECORDS_READER, &reader->conn);
    if (err.code != ERR_NONE) release_reader(r, reader);
    return err;
}

Err records_read(struct records *r, records_fn *fn, void *ctx) {
    struct reader *reader;
    TRY(claim_reader(r, &reader));
    struct records_txn txn = {.backend = r->backend, .conn = reader->conn};
    Err err = r->backend->step(reader->conn, RECORDS_BEGIN, NULL);
    if (err.code == ERR_NONE) {
        err = fn(ctx, &txn);
        r->backend->step(reader->conn, RECORDS_ROLLBACK, NULL);
    }
    release_reader(r, reader);
    return err;
}

Err records_check(struct records *r) {
    struct reader *reader;
    TRY(claim_reader(r, &reader));
    Err err = r->backend->step(reader->conn, RECORDS_CHECK, NULL);
    release_reader(r, reader);
    return err;
}

/* ---- the keeper */

static void rest_readers(struct records *r) {
    for (unsigned i = 0; i < r->n_readers; i++) {
        struct reader *reader = &r->readers[i];
        thread_lock(&r->lock);
        bool idle = !reader->busy && reader->conn; /* a busy one may be opening its connection */
        if (idle) reader->busy = true;
        thread_unlock(&r->lock);
        if (!idle) continue;
        r->backend->step(reader->conn, RECORDS_TEND, NULL);
        thread_lock(&r->lock);
        reader->busy = false;
        thread_signal(&r->reader_free);
        thread_unlock(&r->lock);
    }
}

static void run_keeper(void *ctx) {
    struct records *r = ctx;
    struct records_conn *conn = NULL;
    for (;;) {
        thread_lock(&r->lock);
        while (!r->keeper_wanted && !r->closing) thread_wait(&r->keeper_called, &r->lock);
        bool stop = r->closing;
        r->keeper_wanted = false;
        thread_unlock(&r->lock);
        if (stop) break;
        Err err = conn ? err_none() : r->backend->connect(&r->place, RECORDS_KEEPER, &conn);
        if (err.code == ERR_NONE) err = fold(r, conn, false);
        if (err.code != ERR_NONE && err.code != ERR_BUSY) LOG_ERROR("records.checkpoint", LOG_C("error", err.text));
        rest_readers(r);
        thread_lock(&r->lock);
        r->stats.checkpoints += err.code == ERR_NONE;
        thread_unlock(&r->lock);
    }
    if (conn) r->backend->disconnect(conn);
}

/* ---- writing, from outside */

void records_submit(struct records *r, struct records_job *job) {
    ASSERT(job->fn && job->done);
    job->next = NULL;
    thread_lock(&r->lock);
    bool closed = r->closing || r->place.read_only;
    if (!closed) {
        if (r->tail)
            r->tail->next = job;
        else
            r->head = job;
        r->tail = job;
        thread_signal(&r->job_came);
    }
    thread_unlock(&r->lock);
    if (closed)
        job->done(job,
                  err_make(ERR_CLOSED, "the records are %s", r->place.read_only ? "open for reading only" : "closing"));
}

/* Each has an event of its own: many are woken after one commit, and would only meet at a common lock. */
struct waiter {
    struct records_job job;
    ThreadEvent over;
    Err err;
};

static void wake_waiter(struct records_job *job, Err err) {
    struct waiter *waiter = job->ctx;
    waiter->err = err;
    thread_event_set(&waiter->over);
}

struct call {
    struct waiter waiter;
    records_fn *fn;
    void *ctx;
};

static Err run_call(void *ctx, struct records_txn *txn) {
    struct call *call = ctx;
    return call->fn(call->ctx, txn);
}

Err records_write(struct records *r, records_fn *fn, void *ctx) {
    struct call call = {.fn = fn, .ctx = ctx};
    struct waiter *waiter = &call.waiter;
    waiter->job = (struct records_job){.fn = run_call, .ctx = &call, .done = wake_waiter};
    thread_event_init(&waiter->over);
    crew_wait_begin();
    records_submit(r, &waiter->job);
    thread_event_wait(&waiter->over);
    crew_wait_end();
    thread_event_fini(&waiter->over);
    return waiter->err;
}

/* ---- opening and closing */

/* By its name, or by what the url begins with: "postgresql://…". */
static Err pick_backend(const struct records_options *options, const struct records_backend **out) {
    Str name = str_c(options->backend ? options->backend : ""), rest;
    if (!options->backend && options->url) str_cut(str_c(options->url), ':', &name, &rest);
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        *out = backends[i];
        if (name.len == 0 || str_eq_c(name, backends[i]->name)) return err_none();
    }
    return err_make(ERR_INVALID, "records cannot be kept in '" STR_FMT "': use '%s' or '%s://USER@HOST/DATABASE'",
                    STR_ARG(str_slice(name, 0, 40)), backends[0]->name, backends[1]->name);
}

static Err check_columns(const struct record_table *table) {
    ASSERT(table->n_columns >= 2 && table->n_columns <= RECORDS_COLUMNS_MAX);
    ASSERT(strcmp(table->columns[0].name, "id") == 0 && strcmp(table->columns[1].name, "party") == 0);
    for (size_t i = 0; i < table->n_columns; i++)
        for (const char *c = table->columns[i].name; *c; c++)
            if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
                return err_make(ERR_INVALID, "'%s' cannot name a column of '%s': use a-z, 0-9 and _",
                                table->columns[i].name, table->name);
    return err_none();
}

Err records_declare(struct records *r, const struct record_table *const *tables, size_t n) {
    for (size_t i = 0; i < n; i++) TRY(check_columns(tables[i]));
    if (r->place.read_only) {
        struct reader *reader;
        TRY(claim_reader(r, &reader));
        Err err = r->backend->declare(reader->conn, tables, n);
        release_reader(r, reader);
        return err;
    }
    thread_lock(&r->writing);
    Err err = r->backend->declare(r->writer, tables, n);
    thread_unlock(&r->writing);
    return err;
}

static Err migrate(struct records *r, const struct records_migration *migrations) {
    if (!migrations) migrations = records_system_migrations;
    if (!r->place.read_only) {
        TRY(r->backend->connect(&r->place, RECORDS_WRITER, &r->writer));
        return records_system_migrate(r->backend, r->writer, migrations, false, clock_now(r->clock));
    }
    TRY(r->backend->connect(&r->place, RECORDS_READER, &r->readers[0].conn));
    return records_system_migrate(r->backend, r->readers[0].conn, migrations, true, 0);
}

static Err start(struct records *r, const struct records_options *options) {
    if (!r->place.read_only) TRY(file_make_dirs(r->place.fs ? r->place.fs : file_disk, r->place.dir, "records.folder"));
    TRY(migrate(r, options->migrations));
    if (r->place.read_only) return err_none();
    TRY(thread_start(&r->writer_thread, "records", run_writer, r));
    return thread_start(&r->keeper_thread, "records-keep", run_keeper, r);
}

Err records_open(const struct records_options *options, struct records **out) {
    const struct records_backend *backend;
    TRY(pick_backend(options, &backend));
    struct records *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->backend = backend;
    arena_init(&r->arena, 0);
    bool far = options->url && options->url[0];
    r->place = (struct records_place){.dir = arena_c(&r->arena, str_c(options->dir)),
                                      .url = far ? arena_c(&r->arena, str_c(options->url)) : NULL,
                                      .fs = options->fs == file_disk ? NULL : options->fs,
                                      .read_only = options->read_only};
    r->clock = options->clock ? options->clock : &clock_system;
    r->checkpoint_bytes = options->checkpoint_bytes ? options->checkpoint_bytes : CHECKPOINT_DEFAULT;
    r->n_readers = options->readers ? options->readers : READERS_DEFAULT;
    ASSERT(r->n_readers <= READERS_MAX);
    thread_mutex_init(&r->writing);
    thread_mutex_init(&r->folding);
    thread_mutex_init(&r->lock);
    thread_cond_init(&r->job_came);
    thread_cond_init(&r->reader_free);
    thread_cond_init(&r->keeper_called);
    Err err = start(r, options);
    if (err.code == ERR_NONE) {
        *out = r;
        return err;
    }
    records_close(r);
    return err;
}

void records_close(struct records *r) {
    if (!r) return;
    thread_lock(&r->lock);
    r->closing = true;
    thread_broadcast(&r->job_came);
    thread_broadcast(&r->keeper_called);
    thread_broadcast(&r->reader_free);
    thread_unlock(&r->lock);
    if (r->writer_thread) thread_join(r->writer_thread);
    if (r->keeper_thread) thread_join(r->keeper_thread);
    for (unsigned i = 0; i < r->n_readers; i++)
        if (r->readers[i].conn) r->backend->disconnect(r->readers[i].conn);
    if (r->writer) r->backend->disconnect(r->writer); /* last: it folds the log */
    thread_cond_fini(&r->job_came);
    thread_cond_fini(&r->reader_free);
    thread_cond_fini(&r->keeper_called);
    thread_mutex_fini(&r->writing);
    thread_mutex_fini(&r->folding);
    thread_mutex_fini(&r->lock);
    arena_fini(&r->arena);
    free(r);
}

const char *records_dir(const struct records *r) { return r->place.dir; }
bool records_read_only(const struct records *r) { return r->place.read_only; }
const struct clock *records_clock(const struct records *r) { return r->clock; }

void records_on_commit(struct records *r, void (*fn)(void *ctx), void *ctx) {
    thread_lock(&r->writing);
    r->committed = fn;
    r->committed_ctx = ctx;
    thread_unlock(&r->writing);
}

void records_stats(struct records *r, struct records_stats *out) {
    thread_lock(&r->lock);
    *out = r->stats;
    thread_unlock(&r->lock);
}
