/*
 * The node's part of the series store: names, kinds, latest values, dead letters and the committer, in front of a
 * backend that keeps the rows.
 */
#include "store/series.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "model/gate_rules.h"
#include "os/thread.h"
#include "store/series_commit.h"
#include "store/series_letters.h"
#include "store/series_ops.h"

struct series {
    struct series_options options;
    const struct series_ops *ops;
    struct series_engine *engine;
    struct series_front front;
    struct series_letters *letters;
    struct series_committer *committer;
    struct buf new_names; /* taken from the dictionary, not yet in the log */
    _Atomic uint64_t rows, values, commits, dead_letters, row_bytes;
};

/* ---- opening */

static Err choose_backend(struct series *s) {
    const char *name = s->options.backend;
    for (size_t i = 0; series_backends[i]; i++) {
        s->ops = series_backends[i];
        if (!name || strcmp(s->ops->name, name) == 0) return err_none();
    }
    return err_make(ERR_INVALID, "no series store is named '%s': use 'embedded'", name);
}

static Err open_parts(struct series *s) {
    TRY(choose_backend(s));
    if (!s->options.read_only) TRY(file_make_dirs(s->options.fs, s->options.dir, "series.dir"));
    TRY(series_letters_open(s->options.fs, s->options.dir, s->options.dead_letter_bytes, s->options.read_only,
                            &s->letters));
    return s->ops->open(&s->options, &s->front, &s->engine);
}

static Err commit_group(void *ctx, struct series_commit *first);

static Err start(struct series *s) {
    TRY(open_parts(s));
    if (s->options.read_only) return err_none();
    return series_commit_start(&(struct series_commit_options){.commit = commit_group,
                                                               .ctx = s,
                                                               .on_commit = s->options.on_commit,
                                                               .on_commit_ctx = s->options.on_commit_ctx},
                               &s->committer);
}

Err series_open(const struct series_options *options, struct series **out) {
    struct series *s = calloc(1, sizeof *s);
    ASSERT(s != NULL);
    s->options = *options;
    s->options.dir = strdup(options->dir);
    if (!s->options.fs) s->options.fs = file_disk;
    if (!s->options.clock) s->options.clock = &clock_system;
    s->front = (struct series_front){series_names_new(), series_live_new()};
    Err err = start(s);
    if (err.code)
        series_close(s);
    else
        *out = s;
    return err;
}

void series_close(struct series *s) {
    if (!s) return;
    series_commit_stop(s->committer);
    if (s->engine) s->ops->close(s->engine);
    series_letters_close(s->letters);
    series_live_free(s->front.live);
    series_names_free(s->front.names);
    buf_fini(&s->new_names);
    free((char *)(uintptr_t)s->options.dir);
    free(s);
}

struct series_inside series_inside(const struct series *s) {
    return (struct series_inside){s->ops, s->engine, s->front};
}

/* ---- names */

static Err read_only_error(const struct series *s) {
    return err_make(ERR_STATE, "'%s' is open for reading only: write through the process that owns it", s->options.dir);
}

Err series_thing(struct series *s, PartyId party, Str name, ThingId *out) {
    if (series_names_find(s->front.names, SERIES_NAME_THING, party, name, out)) return err_none();
    if (s->options.read_only) return read_only_error(s);
    return series_names_add(s->front.names, SERIES_NAME_THING, party, name, out);
}

bool series_find_thing(const struct series *s, PartyId party, Str name, ThingId *out) {
    return series_names_find(s->front.names, SERIES_NAME_THING, party, name, out);
}

bool series_thing_name(const struct series *s, ThingId thing, PartyId *party, Str *name) {
    return series_names_get(s->front.names, SERIES_NAME_THING, thing, party, name);
}

Err series_metric(struct series *s, Str name, MetricId *out) {
    if (series_names_find(s->front.names, SERIES_NAME_METRIC, 0, name, out)) return err_none();
    if (s->options.read_only) return read_only_error(s);
    return series_names_add(s->front.names, SERIES_NAME_METRIC, 0, name, out);
}

bool series_find_metric(const struct series *s, Str name, MetricId *out) {
    return series_names_find(s->front.names, SERIES_NAME_METRIC, 0, name, out);
}

Str series_metric_name(const struct series *s, MetricId metric) {
    PartyId party;
    Str name = {0};
    series_names_get(s->front.names, SERIES_NAME_METRIC, metric, &party, &name);
    return name;
}

uint32_t series_thing_count(const struct series *s) { return series_names_count(s->front.names, SERIES_NAME_THING); }

/* A number that nobody was given is a caller's bug. */
static void check_thing(const struct series *s, ThingId thing) {
    ASSERT(thing != 0 && thing <= series_names_count(s->front.names, SERIES_NAME_THING));
}

bool series_accepts(struct series *s, ThingId thing, MetricId metric, enum value_kind kind, enum value_kind *is) {
    check_thing(s, thing);
    ASSERT(kind != VALUE_NONE);
    return series_live_accepts(s->front.live, thing, metric, kind, is);
}

Nanos series_stamp(struct series *s, ThingId thing, Nanos now) {
    check_thing(s, thing);
    return series_live_stamp(s->front.live, thing, now);
}

/* ---- writing */

static void note_rows(struct series *s, const struct rows *rows, Nanos horizon) {
    const char *at = rows->bytes.ptr, *end = at + rows->bytes.len;
    while (at < end) {
        const struct row_head *head = (const struct row_head *)(const void *)at;
        series_live_row(s->front.live, head, horizon);
        at += head->size;
    }
}

static Err keep_letters(struct series *s, const struct series_commit *first) {
    for (const struct series_commit *c = first; c; c = c->next)
        for (size_t i = 0; i < c->n_dead_letters; i++) series_letters_add(s->letters, &c->dead_letters[i]);
    return series_letters_commit(s->letters);
}

static Err commit_group(void *ctx, struct series_commit *first) {
    struct series *s = ctx;
    TRY(keep_letters(s, first));
    series_names_take(s->front.names, &s->new_names);
    TRY(s->ops->append(s->engine, &(struct series_group){first, buf_view(&s->new_names)}));
    buf_clear(&s->new_names);
    Nanos horizon = clock_now(s->options.clock) + SERIES_LIVE_AHEAD;
    uint64_t rows = 0, values = 0, commits = 0, letters = 0, bytes = 0;
    for (const struct series_commit *c = first; c; c = c->next) {
        note_rows(s, &c->rows, horizon);
        rows += c->rows.n_rows, values += c->rows.n_values, commits++, letters += c->n_dead_letters;
        bytes += c->rows.bytes.len;
    }
    atomic_fetch_add_explicit(&s->rows, rows, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->values, values, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->row_bytes, bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->commits, commits, memory_order_relaxed);
    atomic_fetch_add_explicit(&s->dead_letters, letters, memory_order_relaxed);
    return err_none();
}

void series_submit(struct series *s, struct series_commit *commit) {
    if (s->options.read_only)
        commit->done(commit, read_only_error(s));
    else
        series_commit_submit(s->committer, commit);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
    Err err;
};

static void wake_waiter(struct series_commit *commit, Err err) {
    struct waiter *w = commit->ctx;
    thread_lock(&w->lock);
    w->done = true, w->err = err;
    thread_signal(&w->cond);
    thread_unlock(&w->lock);
}

Err series_write(struct series *s, struct series_commit *commit) {
    struct waiter w = {0};
    thread_mutex_init(&w.lock);
    thread_cond_init(&w.cond);
    commit->done = wake_waiter, commit->ctx = &w;
    series_submit(s, commit);
    thread_lock(&w.lock);
    while (!w.done) thread_wait(&w.cond, &w.lock);
    thread_unlock(&w.lock);
    thread_cond_fini(&w.cond);
    thread_mutex_fini(&w.lock);
    return w.err;
}

/* ---- reading */

static Err check_query(const struct series_query *q) {
    if (q->window < 0) return err_make(ERR_INVALID, "window of %lld ns: give 0 for samples", (long long)q->window);
    if (q->newest_first && (q->window || !q->thing || !q->metric))
        return err_make(ERR_INVALID, "newest first works for samples of one thing and one metric");
    return err_none();
}

/* Never finer than the lens allows; a whole multiple of it, so that differences tell no more. */
static Nanos allowed_window(Nanos window, Nanos resolution) {
    if (resolution <= 0) return window;
    Nanos rest = window % resolution;
    return window == 0 ? resolution : rest ? window - rest + resolution : window;
}

/* The ends of time stay what they are. */
static Nanos floor_to(Nanos t, Nanos step) {
    Nanos rest = t % step < 0 ? t % step + step : t % step;
    return t < INT64_MIN + rest ? INT64_MIN : t - rest;
}

static Nanos ceil_to(Nanos t, Nanos step) {
    Nanos start = floor_to(t, step);
    return start == t ? t : start > INT64_MAX - step ? INT64_MAX : start + step;
}

Err series_read(struct series *s, const struct lens *lens, const struct series_query *q, series_sink *sink, void *ctx) {
    TRY(check_query(q));
    Nanos from = q->from, to = q->to;
    if (lens->resolution > 0 && GATE_RULE_ON(WHOLE_HOURS)) { /* part of a window would be finer than allowed */
        from = floor_to(from, lens->resolution);
        to = ceil_to(to, lens->resolution);
    }
    struct series_scan scan = {
        .party = lens->party,
        .every_party = lens->every_party,
        .thing = q->thing,
        .metric = q->metric,
        .from = from > lens->from ? from : lens->from,
        .to = to == 0 || to > lens->to ? lens->to : to,
        .window = allowed_window(q->window, lens->resolution),
        .newest_first = q->newest_first,
        .samples_hidden = lens->resolution > 0,
        .limit = q->limit ? q->limit : SIZE_MAX,
    };
    if (scan.window && scan.newest_first)
        return err_make(ERR_FORBIDDEN, "single samples are not shown: ask for windows");
    if (scan.from >= scan.to) return err_none();
    return s->ops->read(s->engine, &scan, sink, ctx);
}

static bool may_see(const struct series *s, const struct lens *lens, ThingId thing) {
    PartyId party = series_names_party(s->front.names, thing);
    return party != 0 && (lens->every_party || party == lens->party);
}

Err series_latest(struct series *s, const struct lens *lens, ThingId thing, struct arena *arena,
                  struct series_latest **out, size_t *n) {
    *out = NULL, *n = 0;
    if (!may_see(s, lens, thing)) return err_none();
    if (lens->resolution > 0) return err_make(ERR_FORBIDDEN, "single samples are not shown: ask for windows");
    series_live_latest(s->front.live, thing, arena, out, n);
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if ((*out)[i].time >= lens->from && (*out)[i].time < lens->to) (*out)[kept++] = (*out)[i];
    *n = kept;
    return err_none();
}

Nanos series_last_seen(const struct series *s, ThingId thing) {
    check_thing(s, thing);
    return series_live_seen(s->front.live, thing);
}

Err series_dead_letters(struct series *s, const struct lens *lens, uint64_t before_id, size_t limit,
                        struct arena *arena, struct dead_letter_row **out, size_t *n) {
    return series_letters_list(s->letters, lens, before_id, limit ? limit : SIZE_MAX, arena, out, n);
}

void series_stats(const struct series *series, struct series_stats *out) {
    struct series *s = (struct series *)(uintptr_t)series;
    struct series_live_size latest;
    series_live_size(s->front.live, &latest);
    *out = (struct series_stats){
        .latest = latest.series,
        .latest_bytes = latest.bytes,
        .names_bytes = series_names_bytes(s->front.names),
        .row_bytes = s->row_bytes,
        .rows = s->rows,
        .values = s->values,
        .commits = s->commits,
        .dead_letters = s->dead_letters,
        .things = series_names_count(s->front.names, SERIES_NAME_THING),
        .metrics = series_names_count(s->front.names, SERIES_NAME_METRIC),
        .disk_bytes = series_letters_bytes(s->letters),
    };
    s->ops->stats(s->engine, out);
}

Err series_flush(struct series *s) {
    if (s->options.read_only) return read_only_error(s);
    return s->ops->flush(s->engine);
}

Err series_kept(struct series *s, struct arena *arena, struct series_kept **out, size_t *n) {
    return s->ops->kept(s->engine, arena, out, n);
}

Err series_compact(struct series *s) {
    if (s->options.read_only) return read_only_error(s);
    return s->ops->compact(s->engine);
}
