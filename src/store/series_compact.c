/*
 * Runs become fewer and larger, in the background. Within a partition the newest runs are merged when there are several
 * of like size, so every row is written again a number of times that grows with the logarithm of the partition; a
 * partition whose time has passed is merged into one run, compressed for good. Small partitions long past are merged
 * into the window that holds them, so that years of little data do not become thousands of files.
 *
 * The runs that came of one flush or one merging, one of each class of retention, are a generation. Only generations
 * that follow one another in arrival, with none of the partition between them, are merged: the result stands in their
 * place, and of one moment the later arrival still counts. What is read is parted into classes as they are said at
 * that moment, so that rows of different classes never share a file, and a class that was changed reaches what is old.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "store/series_keep_class.h"
#include "store/series_partition.h"
#include "store/series_run_write.h"
#include "store/series_snapshot.h"
#include "store/series_union.h"

#define MERGE_RUNS 8                      /* of like size, before they are merged, when nothing else is said */
#define RUN_BYTES_MAX ((uint64_t)1 << 30) /* larger ones are left as they are */
#define WINDOW_BYTES ((uint64_t)4 << 20)  /* partitions within a window that hold less together are merged */
#define LOOK_EVERY NANOS_PER_MIN          /* partitions end without anybody writing */
#define QUIET_FLUSHES 2                   /* that brought a past partition nothing, before it is merged for good */
#define OVER_AFTER NANOS_PER_HOUR         /* rows may still come late */
#define SLICE_ROWS ((uint64_t)16384)
#define SLICE_VALUES ((uint64_t)1 << 19)

/* ---- what to merge */

struct job {
    struct series_run **runs; /* borrowed from the set */
    size_t n;
    struct series_partition into;
};

static uint64_t bytes_of(const struct series_run *run) { return series_run_info(run)->bytes; }

static bool readable(struct series_run *const *runs, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (series_run_state(runs[i]).code) return false;
    return true;
}

/* How many runs from the i-th on are of one generation. */
static size_t generation(struct series_run *const *runs, size_t n, size_t i) {
    size_t count = 1;
    while (i + count < n && series_run_info(runs[i + count])->last == series_run_info(runs[i])->last) count++;
    return count;
}

static uint64_t bytes_together(struct series_run *const *runs, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += bytes_of(runs[i]);
    return sum;
}

/*
 * How many of a partition's runs, the newest first, are worth merging: as many generations as may be, when there are
 * several and the oldest of them is not much larger than the others together.
 */
static size_t like_sized(struct series_run *const *runs, size_t n, size_t several) {
    uint64_t newer = 0;
    size_t count = 0, generations = 0;
    for (size_t i = 0, k = 1; i < n; k++) {
        size_t g = generation(runs, n, i);
        uint64_t bytes = bytes_together(runs + i, g);
        if (newer + bytes > RUN_BYTES_MAX) break;
        i += g;
        if (bytes <= 2 * newer) count = i, generations = k;
        newer += bytes;
    }
    return generations >= several ? count : 0;
}

/* Whether one generation is as it would be written now. */
static bool is_settled(struct series_run *const *runs, size_t n, struct series_keep_class *classes) {
    bool settled = true;
    for (size_t i = 0; i < n; i++) {
        const struct series_run_info *info = series_run_info(runs[i]);
        settled &= info->cold && series_keep_class_is_said(classes, info->class);
    }
    return settled;
}

/* The same for a partition that is over: all, unless that would write much again for little. */
static size_t all_at_last(struct series_run *const *runs, size_t n, bool whole, struct series_keep_class *classes) {
    size_t newer = 0;
    for (size_t g; newer < n && (g = generation(runs, n, newer)) + newer < n;) newer += g;
    uint64_t sum = bytes_together(runs, n), oldest = bytes_together(runs + newer, n - newer);
    if (sum > RUN_BYTES_MAX) return 0;
    if (!is_settled(runs + newer, n - newer, classes)) return n;
    return newer && (whole || sum - oldest >= oldest / 3) ? n : 0;
}

/* When it is looked at, and what has been flushed by then. */
struct moment {
    Nanos now, today;
    uint64_t flushed; /* number of the last flush; with `quiet`, of one that is long ago */
    bool quiet;
    bool whole;      /* every partition counts as over */
    size_t several;  /* generations of like size are worth merging */
    unsigned widest; /* partition that any class allows */
    struct series_keep_class *classes;
};

/* Its time has passed, and nothing is being written into it any more. */
static bool is_over(const struct series_run_info *newest, const struct moment *m) {
    if (m->whole) return true;
    return newest->to <= m->now - OVER_AFTER && (m->quiet || newest->last + QUIET_FLUSHES <= m->flushed);
}

static bool partition_job(struct series_run **runs, size_t n, const struct moment *m, struct job *job) {
    const struct series_run_info *info = series_run_info(runs[0]);
    size_t count = like_sized(runs, n, m->several);
    if (count == 0 && is_over(info, m)) count = all_at_last(runs, n, m->whole, m->classes);
    if (count == 0 || !readable(runs, count)) return false;
    *job = (struct job){runs, count, {info->from, info->to}};
    return true;
}

static size_t same_partition(const struct series_set *set, size_t i) {
    size_t n = 1;
    while (i + n < set->n && series_run_info(set->runs[i + n])->from == series_run_info(set->runs[i])->from) n++;
    return n;
}

/* The runs from i on that lie in the next larger window around run i, when together they are small and it is past. */
static bool window_job(const struct series_set *set, size_t i, const struct moment *m, struct job *job) {
    const struct series_run_info *info = series_run_info(set->runs[i]);
    struct series_partition own = {info->from, info->to};
    unsigned level = series_partition_level(&own);
    if (level + 1 > m->widest) return false;
    struct series_partition window = series_partition_window(info->from, level + 1);
    if (window.to > m->today || (i > 0 && series_run_info(set->runs[i - 1])->from >= window.from)) return false;
    size_t n = 0;
    uint64_t sum = 0;
    bool several = false;
    for (; i + n < set->n && series_run_info(set->runs[i + n])->from < window.to; n++) {
        if (series_run_info(set->runs[i + n])->to > window.to) return false;
        if (!is_over(series_run_info(set->runs[i + n]), m)) return false;
        several |= series_run_info(set->runs[i + n])->from != info->from;
        sum += bytes_of(set->runs[i + n]);
    }
    if (!several || sum >= WINDOW_BYTES || !readable(&set->runs[i], n)) return false;
    *job = (struct job){(struct series_run **)(uintptr_t)&set->runs[i], n, window};
    return true;
}

static bool find_job(struct series_set *set, const struct moment *m, struct job *job) {
    for (size_t i = 0, n; i < set->n; i += n) {
        n = same_partition(set, i);
        if (partition_job(&set->runs[i], n, m, job) || window_job(set, i, m, job)) return true;
    }
    return false;
}

/* ---- merging */

/* The run of one class that comes out. */
struct out {
    struct series_run_info info;
    struct series_run_writer *writer; /* NULL: not begun */
    bool begun;                       /* the thing at hand */
};

struct merging {
    struct series_engine *engine;
    const struct job *job;
    struct compress *scratch;
    struct series_keep_class *classes;
    struct out *outs; /* by class */
    size_t n_outs, cap_outs;
    struct series_source_lane *lanes;
    size_t n_lanes;
    struct series_source **sources;
    uint64_t *keys;
    size_t n_keys, cap_keys;
    struct series_union rows;
};

static Err add_keys(struct merging *m, struct series_run *run, const struct series_run_entry *entry,
                    struct series_run_chunk *chunk) {
    if (entry->first_key == entry->last_key) {
        if (m->n_keys == 0 || m->keys[m->n_keys - 1] != entry->first_key)
            VEC_PUSH(m->keys, m->n_keys, m->cap_keys, entry->first_key);
        return err_none();
    }
    TRY(series_run_load(chunk, run, entry));
    TRY(series_run_load_times(m->scratch, chunk));
    for (uint32_t i = 0; i < chunk->chunk.head.n_parts; i++)
        VEC_PUSH(m->keys, m->n_keys, m->cap_keys, SERIES_RUN_KEY(chunk->parts[i].party, chunk->parts[i].thing));
    return err_none();
}

static Err list_run_keys(struct merging *m, struct series_run *run) {
    struct series_run_place place = {.run = run};
    struct series_run_entries all = {0};
    struct series_run_chunk chunk = {0};
    Err err = series_run_all(&place, &all);
    for (size_t i = 0; i < all.n && err.code == ERR_NONE; i++) err = add_keys(m, run, &all.items[i], &chunk);
    series_run_place_fini(&place);
    series_run_chunk_fini(&chunk);
    free(all.items);
    return err;
}

static int by_key(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static Err list_keys(struct merging *m) {
    for (size_t i = 0; i < m->job->n; i++) TRY(list_run_keys(m, m->job->runs[i]));
    if (m->n_keys > 1) qsort(m->keys, m->n_keys, sizeof *m->keys, by_key);
    size_t n = 0;
    for (size_t i = 0; i < m->n_keys; i++)
        if (n == 0 || m->keys[n - 1] != m->keys[i]) m->keys[n++] = m->keys[i];
    m->n_keys = n;
    return err_none();
}

/* What the lanes have of one metric, from now to the end of their range. */
static Err merge_metric(struct merging *m, MetricId metric) {
    struct series_slice slice;
    for (size_t i = 0; i < m->n_lanes; i++) series_source_lane_metric(&m->lanes[i], metric, false);
    struct series_merge merge = {m->sources, m->n_lanes, false};
    series_union_column(&m->rows, metric);
    for (;;) {
        TRY(series_merge_next(&merge, &slice));
        if (slice.n == 0) break;
        series_union_add(&m->rows, slice.times, slice.values, slice.n);
    }
    for (size_t i = 0; i < m->n_lanes; i++) TRY(series_source_lane_failure(&m->lanes[i]));
    return err_none();
}

static struct series_run_info describe(struct series_engine *e, const struct job *job, uint32_t class) {
    struct series_run_info info = {.from = job->into.from, .to = job->into.to, .first = UINT64_MAX, .cold = true};
    for (size_t i = 0; i < job->n; i++) {
        const struct series_run_info *r = series_run_info(job->runs[i]);
        if (r->first < info.first) info.first = r->first;
        if (r->last > info.last) info.last = r->last;
    }
    thread_lock(&e->changing);
    info.id = e->manifest.next_file++;
    thread_unlock(&e->changing);
    info.class = class;
    return info;
}

static Err write_slice(struct merging *m, uint32_t class, PartyId party, ThingId thing, uint64_t rows) {
    while (m->n_outs <= class) VEC_PUSH(m->outs, m->n_outs, m->cap_outs, (struct out){0});
    struct out *out = &m->outs[class];
    if (m->rows.n_rows == 0) return err_none();
    if (!out->writer) {
        out->info = describe(m->engine, m->job, class);
        TRY(series_run_write_begin(m->engine->fs, m->engine->dir, &out->info, m->scratch, &out->writer));
    }
    Nanos stamped = series_live_stamped(m->engine->front.live, thing);
    if (!out->begun) TRY(series_run_write_thing(out->writer, party, thing, stamped, rows));
    out->begun = true;
    return series_run_write_union(out->writer, &m->rows);
}

/* A thing's metrics, those of one class together. */
struct sorted {
    MetricId *metrics;
    uint32_t *classes;
    size_t n;
    uint64_t rows; /* in chunks of its own */
};

static Err merge_slice(struct merging *m, PartyId party, ThingId thing, Nanos from, Nanos to, const struct sorted *s) {
    for (size_t i = 0; i < m->n_lanes; i++) series_source_lane_thing(&m->lanes[i], party, thing, from, to);
    for (size_t at = 0, end; at < s->n; at = end) {
        series_union_clear(&m->rows);
        for (end = at; end < s->n && s->classes[end] == s->classes[at]; end++) TRY(merge_metric(m, s->metrics[end]));
        series_union_sort(&m->rows);
        TRY(write_slice(m, s->classes[at], party, thing, s->rows));
    }
    return err_none();
}

static int by_least(const void *a, const void *b) {
    Nanos x = ((const struct series_source_ref *)a)->entry.least,
          y = ((const struct series_source_ref *)b)->entry.least;
    return x < y ? -1 : x > y;
}

/* Every chunk that may hold rows of the thing, by time. */
static struct series_source_ref *list_refs(struct merging *m, PartyId party, ThingId thing, size_t *n) {
    struct series_source_ref *refs = NULL;
    size_t cap = 0;
    *n = 0;
    for (size_t i = 0; i < m->n_lanes; i++) {
        series_source_lane_thing(&m->lanes[i], party, thing, m->job->into.from, m->job->into.to);
        for (size_t k = 0; k < m->lanes[i].n_refs; k++) VEC_PUSH(refs, *n, cap, m->lanes[i].refs[k]);
    }
    if (*n > 1) qsort(refs, *n, sizeof *refs, by_least);
    return refs;
}

/* Where a slice that begins with chunk `at` ends: before a chunk begins, when enough rows have come together. */
static Nanos slice_end(const struct series_source_ref *refs, size_t n, size_t *at, uint64_t rows_max, Nanos end) {
    uint64_t rows = 0;
    for (; *at < n; ++*at) {
        if (rows > 0 && rows + refs[*at].entry.n_rows > rows_max && refs[*at].entry.least > refs[*at - 1].entry.least)
            return refs[*at].entry.least;
        rows += refs[*at].entry.n_rows;
    }
    return end;
}

/* Insertion keeps the metrics of a class in their order; classes are few. */
static void sort_metrics(struct merging *m, PartyId party, ThingId thing, struct sorted *s) {
    s->classes = malloc((s->n + 1) * sizeof *s->classes);
    ASSERT(s->classes != NULL);
    series_keep_class_thing(m->classes, party, thing);
    for (size_t i = 0; i < s->n; i++) {
        MetricId metric = s->metrics[i];
        uint32_t class = series_keep_class_of(m->classes, metric);
        size_t k = i;
        for (; k > 0 && s->classes[k - 1] > class; k--)
            s->classes[k] = s->classes[k - 1], s->metrics[k] = s->metrics[k - 1];
        s->classes[k] = class, s->metrics[k] = metric;
    }
}

static Err merge_refs(struct merging *m, PartyId party, ThingId thing, const struct series_source_ref *refs,
                      size_t n_refs, struct sorted *s) {
    Nanos from = m->job->into.from;
    uint64_t rows_max = SLICE_VALUES / (s->n + 1) < SLICE_ROWS ? SLICE_VALUES / (s->n + 1) : SLICE_ROWS;
    for (size_t i = 0; i < n_refs; i++)
        if (refs[i].entry.first_key == refs[i].entry.last_key) s->rows += refs[i].entry.n_rows;
    for (size_t i = 0; i < m->n_outs; i++) m->outs[i].begun = false;
    for (size_t at = 0; at < n_refs;) {
        Nanos to = slice_end(refs, n_refs, &at, rows_max, m->job->into.to);
        TRY(merge_slice(m, party, thing, from, to, s));
        from = to;
    }
    return err_none();
}

static Err merge_thing(struct merging *m, PartyId party, ThingId thing) {
    struct sorted s = {0};
    size_t n_refs;
    s.metrics = series_live_metrics(m->engine->front.live, thing, &s.n);
    struct series_source_ref *refs = list_refs(m, party, thing, &n_refs);
    sort_metrics(m, party, thing, &s);
    Err err = merge_refs(m, party, thing, refs, n_refs, &s);
    free(s.metrics);
    free(s.classes);
    free(refs);
    return err;
}

static Err merge_things(struct merging *m) {
    TRY(list_keys(m));
    for (size_t i = 0; i < m->n_keys; i++) {
        if (atomic_load(&m->engine->stopping)) return err_make(ERR_CLOSED, "the store is being closed");
        TRY(merge_thing(m, (PartyId)(m->keys[i] >> 32), (ThingId)m->keys[i]));
    }
    return err_none();
}

/* Lanes over the job's runs alone. */
static void open_merging(struct merging *m) {
    for (size_t i = 0; i < m->job->n; i++) series_run_ref(m->job->runs[i]);
    struct series_set *set = series_set_new(m->job->runs, m->job->n);
    m->lanes = series_set_open_lanes(set, m->scratch, INT64_MIN, INT64_MAX, &m->n_lanes);
    series_set_let_go(set); /* the job's own references keep the runs */
    m->sources = malloc((m->n_lanes + 1) * sizeof *m->sources);
    ASSERT(m->sources != NULL);
    for (size_t i = 0; i < m->n_lanes; i++) m->sources[i] = &m->lanes[i].base;
}

static void close_merging(struct merging *m) {
    series_set_close_lanes(m->lanes, m->n_lanes);
    series_union_fini(&m->rows);
    compress_free(m->scratch);
    free(m->sources);
    free(m->outs);
    free(m->keys);
}

static Err end_outs(struct merging *m, Err err) {
    for (size_t i = 0; i < m->n_outs; i++) {
        struct out *out = &m->outs[i];
        if (!out->writer) continue;
        if (err.code)
            series_run_write_drop(out->writer);
        else
            err = series_run_write_end(out->writer, &out->info);
        out->writer = NULL;
    }
    return err;
}

static Err write_merged(struct merging *m) {
    struct series_engine *e = m->engine;
    open_merging(m);
    Err err = end_outs(m, merge_things(m));
    if (err.code == ERR_NONE) err = file_sync_dir(e->fs, e->dir, "merged.dir");
    return err;
}

static bool in_job(const struct job *job, uint64_t id) {
    for (size_t i = 0; i < job->n; i++)
        if (series_run_info(job->runs[i])->id == id) return true;
    return false;
}

/* Puts the merged runs in the place of the job's. */
static Err replace_runs(struct merging *m) {
    struct series_engine *e = m->engine;
    struct series_manifest next;
    struct series_run **fresh = malloc((m->n_outs + 1) * sizeof *fresh);
    ASSERT(fresh != NULL);
    series_embedded_copy_manifest(&e->manifest, &next);
    size_t kept = 0, n_fresh = 0;
    for (size_t i = 0; i < next.n_runs; i++)
        if (!in_job(m->job, next.runs[i].id)) next.runs[kept++] = next.runs[i];
    next.n_runs = kept;
    for (size_t i = 0; i < m->n_outs; i++) {
        const struct series_run_info *info = &m->outs[i].info;
        if (info->rows == 0) continue;
        fresh[n_fresh++] = series_run_open(e->fs, e->dir, info);
        VEC_PUSH(next.runs, next.n_runs, next.cap_runs, *info);
        atomic_fetch_add_explicit(&e->merge_written, info->bytes, memory_order_relaxed);
    }
    uint64_t latest = next.latest_file;
    series_snapshot_keep(e, &next, next.next_flush - 1);
    Err err = series_embedded_change(e, &next, fresh, n_fresh, false);
    if (err.code == ERR_NONE && e->manifest.latest_file != latest) series_snapshot_drop(e, latest);
    series_manifest_fini(&next);
    free(fresh);
    return err;
}

static Err do_job(struct series_engine *e, const struct job *job) {
    struct merging m = {.engine = e, .job = job, .scratch = compress_new()};
    m.classes = series_keep_class_new(e, false);
    Err err = write_merged(&m);
    thread_lock(&e->changing);
    if (err.code == ERR_NONE) err = e->stuck.code ? e->stuck : replace_runs(&m);
    thread_unlock(&e->changing);
    series_keep_class_free(m.classes);
    close_merging(&m);
    return err;
}

/* One job, if there is one. */
static bool work_once(struct series_engine *e, bool quiet, bool whole, Err *failed) {
    struct job job;
    struct moment m = {.now = clock_now(e->options.clock), .quiet = quiet, .whole = whole, .several = MERGE_RUNS};
    if (e->options.merge_runs) m.several = e->options.merge_runs;
    m.today = series_partition_window(m.now, 0).from;
    thread_lock(&e->changing);
    m.classes = series_keep_class_new(e, false);
    m.widest = series_keep_class_widest(&e->manifest);
    thread_unlock(&e->changing);
    thread_lock(&e->lock);
    m.flushed = e->first_flush + e->flushes;
    struct series_set *set = e->set;
    series_set_hold(set);
    thread_unlock(&e->lock);
    /* With damage a metric may not be known of its thing, and would be left out. */
    bool dropped = false;
    Err err = series_keep_drop_run(e, &dropped);
    bool found = !dropped && err.code == ERR_NONE && !e->damaged && find_job(set, &m, &job);
    if (found) err = do_job(e, &job);
    if (err.code && err.code != ERR_CLOSED)
        LOG_ERROR("series.merge_failed", LOG_C("dir", e->dir), LOG_C("error", err.text));
    series_set_let_go(set);
    series_keep_class_free(m.classes);
    if (err.code) *failed = err;
    return (found || dropped) && err.code == ERR_NONE;
}

Err series_compact_whole(struct series_engine *e) {
    thread_lock(&e->lock);
    uint64_t mine = ++e->whole_asked;
    e->compact = true;
    thread_broadcast(&e->changed);
    while (e->whole_done < mine && !e->stop) thread_wait(&e->changed, &e->lock);
    Err err = e->whole_done < mine ? err_make(ERR_CLOSED, "the store is being closed") : e->whole_error;
    thread_unlock(&e->lock);
    return err;
}

/* With the lock held: everything that was asked for by now. */
static void work(struct series_engine *e, bool quiet) {
    uint64_t asked = e->whole_asked;
    bool whole = asked > e->whole_done;
    Err failed = err_none();
    e->compact = false;
    thread_unlock(&e->lock);
    while (!atomic_load(&e->stopping) && work_once(e, quiet, whole, &failed)) {
    }
    thread_lock(&e->lock);
    if (!whole || e->stop) return;
    e->whole_done = asked;
    e->whole_error = failed;
    thread_broadcast(&e->changed);
}

void series_compact_run(void *engine) {
    struct series_engine *e = engine;
    thread_lock(&e->lock);
    while (!e->stop) {
        bool quiet = false;
        if (!e->compact) quiet = !thread_wait_for(&e->changed, &e->lock, LOOK_EVERY); /* nothing was flushed so long */
        if (e->stop || !(e->compact || quiet)) continue;
        work(e, quiet);
    }
    thread_unlock(&e->lock);
}
