/*
 * Memory becomes runs: one for each partition its rows fall into. A partition is a UTC day, or, for days long past with
 * little in them, 8, 64 or 512 days: a fleet that reports hourly would otherwise have a small file for every day. Days
 * not yet over are always partitions of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "store/series_keep_class.h"
#include "store/series_partition.h"
#include "store/series_recent.h"
#include "store/series_run_write.h"
#include "store/series_snapshot.h"

#define RETRY_AFTER NANOS_PER_S

/* The run of one class that a partition is written to. */
struct out {
    struct series_run_info info;
    struct series_run_writer *writer; /* NULL: not begun */
    uint64_t key;                     /* of the thing that it writes */
    size_t row;                       /* of that, + 1, that it writes */
};

struct flush {
    struct series_engine *engine;
    struct series_memory *memory;
    struct compress *scratch;
    uint64_t *keys; /* of the things with rows, ascending */
    size_t n_keys;
    struct series_recent recent;
    struct series_keep_class *classes;
    struct out *outs; /* of the partition at hand, by class */
    size_t n_outs, cap_outs;
    struct series_manifest manifest; /* as it will be */
    struct series_run **runs;        /* written so far */
    size_t n_runs, cap_runs;
};

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void list_keys(struct flush *f) {
    const ThingId *things = series_memory_things(f->memory, &f->n_keys);
    f->keys = malloc((f->n_keys + 1) * sizeof *f->keys);
    ASSERT(f->keys != NULL);
    for (size_t i = 0; i < f->n_keys; i++)
        f->keys[i] = SERIES_RUN_KEY(series_names_party(f->engine->front.names, things[i]), things[i]);
    if (f->n_keys > 1) qsort(f->keys, f->n_keys, sizeof *f->keys, by_key);
}

static struct series_run_info describe(struct flush *f, const struct series_partition *partition, uint32_t class) {
    return (struct series_run_info){.id = f->manifest.next_file++,
                                    .first = f->manifest.next_flush,
                                    .last = f->manifest.next_flush,
                                    .from = partition->from,
                                    .to = partition->to,
                                    .class = class};
}

/* The class's run, ready for the thing at hand. */
static Err out_of(struct flush *f, const struct series_partition *partition, uint32_t class, uint64_t key,
                  struct out **found) {
    struct series_engine *e = f->engine;
    while (f->n_outs <= class) VEC_PUSH(f->outs, f->n_outs, f->cap_outs, (struct out){0});
    struct out *out = *found = &f->outs[class];
    if (!out->writer) {
        out->info = describe(f, partition, class);
        TRY(series_run_write_begin(e->fs, e->dir, &out->info, f->scratch, &out->writer));
    }
    if (out->key == key) return err_none();
    out->key = key, out->row = 0;
    Nanos stamped = series_live_stamped(e->front.live, (ThingId)key);
    return series_run_write_thing(out->writer, (PartyId)(key >> 32), (ThingId)key, stamped, f->recent.n);
}

static Err write_row(struct flush *f, const struct series_partition *partition, uint64_t key, size_t i) {
    struct row row = rows_open(f->recent.rows[i]);
    struct out *out = NULL;
    uint32_t last = UINT32_MAX;
    for (struct row_value v = {0}; rows_next_value(&row, &v);) {
        uint32_t class = series_keep_class_of(f->classes, v.metric);
        if (class != last) TRY(out_of(f, partition, class, key, &out));
        last = class;
        ASSERT(out);
        if (out->row != i + 1) TRY(series_run_write_row(out->writer, row.time));
        out->row = i + 1;
        series_run_write_value(out->writer, v.metric, v.value);
    }
    return err_none();
}

static Err write_things(struct flush *f, const struct series_partition *partition) {
    for (size_t i = 0; i < f->n_keys; i++) {
        ThingId thing = (ThingId)f->keys[i];
        series_recent_clear(&f->recent);
        series_recent_add(&f->recent, f->memory, thing, partition->from, partition->to);
        if (f->recent.n == 0) continue;
        series_recent_sort(&f->recent);
        series_keep_class_thing(f->classes, (PartyId)(f->keys[i] >> 32), thing);
        for (size_t k = 0; k < f->recent.n; k++) TRY(write_row(f, partition, f->keys[i], k));
    }
    return err_none();
}

static Err end_out(struct flush *f, struct out *out) {
    struct series_engine *e = f->engine;
    struct series_run_writer *writer = out->writer;
    out->writer = NULL;
    TRY(series_run_write_end(writer, &out->info));
    if (out->info.rows == 0) return err_none();
    atomic_fetch_add_explicit(&e->flush_written, out->info.bytes, memory_order_relaxed);
    VEC_PUSH(f->manifest.runs, f->manifest.n_runs, f->manifest.cap_runs, out->info);
    VEC_PUSH(f->runs, f->n_runs, f->cap_runs, series_run_open(e->fs, e->dir, &out->info));
    return err_none();
}

static Err write_runs(struct flush *f, const struct series_partition *partition) {
    f->n_outs = 0;
    Err err = write_things(f, partition);
    for (size_t i = 0; i < f->n_outs; i++) {
        struct out *out = &f->outs[i];
        if (!out->writer) continue;
        if (err.code)
            series_run_write_drop(out->writer);
        else
            err = end_out(f, out);
    }
    return err;
}

static Err write_all(struct flush *f) {
    struct series_engine *e = f->engine;
    struct series_partitions partitions = {0};
    list_keys(f);
    series_partition_plan(&partitions, &f->manifest, f->memory, clock_now(e->options.clock),
                          series_keep_class_widest(&f->manifest));
    Err err = err_none();
    for (size_t i = 0; i < partitions.n && err.code == ERR_NONE; i++) err = write_runs(f, &partitions.items[i]);
    series_partition_fini(&partitions);
    if (err.code == ERR_NONE) err = series_restore_keep_names(e, &f->manifest);
    return err.code ? err : file_sync_dir(e->fs, e->dir, "run.dir");
}

/* Runs that will not be used after all. */
static void drop_runs(struct flush *f) {
    for (size_t i = 0; i < f->n_runs; i++) {
        series_run_doom(f->runs[i]);
        series_run_unref(f->runs[i]);
    }
    f->n_runs = 0;
}

/* Rows are shown first and noted as latest right after, by the committer: what is frozen may lack the last of it. */
static void wait_until_noted(struct series_engine *e) {
    thread_lock(&e->lock);
    uint64_t rows = e->rows_before + e->frozen_rows;
    thread_unlock(&e->lock);
    while (series_live_rows(e->front.live) < rows) clock_sleep(NANOS_PER_MS / 10);
}

static Err flush_locked(struct flush *f, uint32_t log_last) {
    struct series_engine *e = f->engine;
    uint64_t latest = e->manifest.latest_file;
    if (e->stuck.code) return e->stuck;
    wait_until_noted(e);
    series_embedded_copy_manifest(&e->manifest, &f->manifest);
    Err err = write_all(f);
    if (err.code) {
        e->manifest.next_file = f->manifest.next_file; /* a name is not used twice */
        drop_runs(f);
        return err;
    }
    series_snapshot_keep(e, &f->manifest, f->manifest.next_flush);
    f->manifest.next_flush++;
    f->manifest.log_first = log_last + 1;
    err = series_embedded_change(e, &f->manifest, f->runs, f->n_runs, true);
    if (err.code == ERR_NONE && e->manifest.latest_file != latest) series_snapshot_drop(e, latest);
    return err;
}

static Err flush_frozen(struct series_engine *e, struct series_memory *memory, uint32_t log_last) {
    struct flush f = {.engine = e, .memory = memory, .scratch = compress_new()};
    thread_lock(&e->changing);
    f.classes = series_keep_class_new(e, true);
    Err err = flush_locked(&f, log_last);
    series_keep_class_free(f.classes);
    thread_unlock(&e->changing);
    if (err.code == ERR_NONE) series_wal_release(e->wal, log_last);
    series_manifest_fini(&f.manifest);
    series_recent_fini(&f.recent);
    compress_free(f.scratch);
    free(f.keys);
    free(f.runs);
    free(f.outs);
    return err;
}

static void note_result(struct series_engine *e, Err err) {
    if (err.code == ERR_NONE) e->compact = true;
    if (err.code) e->flush_error = err;
    thread_broadcast(&e->changed);
    if (err.code) {
        LOG_ERROR("series.flush_failed", LOG_C("dir", e->dir), LOG_C("error", err.text));
        if (!e->stop) thread_wait_for(&e->changed, &e->lock, RETRY_AFTER);
    }
}

void series_flush_run(void *engine) {
    struct series_engine *e = engine;
    thread_lock(&e->lock);
    while (!e->stop) {
        if (!e->frozen) {
            thread_wait(&e->changed, &e->lock);
            continue;
        }
        struct series_memory *memory = e->frozen; /* stays until we say it is done */
        uint32_t log_last = e->frozen_log;
        thread_unlock(&e->lock);
        Err err = flush_frozen(e, memory, log_last);
        thread_lock(&e->lock);
        note_result(e, err);
    }
    thread_unlock(&e->lock);
}
