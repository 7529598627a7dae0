/*
 * Under an agreement each metric of each thing is read as finely as it is given, and no finer: what is given in windows
 * only makes windows of whole ones of those. An own-party read asks no such thing and is one scan.
 */
#include "insight/query_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "insight/query_window.h"

/* ---- one worker */

struct worker {
    struct query_scan *scan;
    struct query_pipe *pipe;
    ThingId thing;
    size_t rank;
    struct query_vec columns[QUERY_SOURCE_COLUMNS_MAX];
    Value constants[QUERY_SOURCE_COLUMNS_MAX];
    uint64_t has[QUERY_SOURCE_COLUMNS_MAX][QUERY_WORDS];
    struct query_group_sum sums[QUERY_SOURCE_COLUMNS_MAX];
    struct query_slot *slots;
};

struct reading {
    struct query_scan *scan;
    struct worker *workers;
    unsigned columns[SERIES_ASK_METRICS_MAX]; /* of the metrics asked */
    size_t n_metrics;
};

static void set_constant(struct worker *w, size_t column, Value v) {
    w->constants[column] = v;
    w->columns[column] =
        (struct query_vec){.form = QUERY_FORM_VALUE, .constant = true, .values = &w->constants[column]};
}

static void begin_thing(struct worker *w, size_t rank) {
    struct query_source *s = w->scan->source;
    w->rank = rank;
    w->thing = s->things[rank];
    w->pipe->rank = (uint32_t)rank;
    w->pipe->thing = w->thing;
    set_constant(w, 0, VALUE_S(s->names[rank]));
    for (size_t c = 1; c < s->n_columns; c++)
        set_constant(w, c, s->tags[c] && s->tag_values[c] ? s->tag_values[c][rank] : (Value){.kind = VALUE_NONE});
}

static void end_thing(struct worker *w) {
    if (w->thing) query_pipe_end_thing(w->pipe);
    w->thing = 0;
}

static struct query_vec slice(struct worker *w, size_t c, const struct series_batch_column *column, size_t from,
                              size_t n, size_t all) {
    struct query_vec v = {.form = QUERY_FORM_VALUE, .constant = true, .values = &w->constants[c]};
    if (column->n_present == 0) return v;
    v.constant = false;
    v.values = column->values ? column->values + from : NULL;
    if (!column->numbers_only) return v;
    v = (struct query_vec){.form = QUERY_FORM_NUMBER, .kind = column->kind, .numbers = column->numbers + from};
    if (!column->present) return v;
    v.has = column->present + from / 64;
    if (from + QUERY_ROWS <= all) return v;
    memset(w->has[c], 0, sizeof w->has[c]); /* whole frames are read of it */
    memcpy(w->has[c], v.has, (n + 63) / 64 * sizeof *v.has);
    v.has = w->has[c];
    return v;
}

static void push_rows(const struct reading *r, struct worker *w, const struct series_batch *batch) {
    for (size_t from = 0; from < batch->n; from += QUERY_ROWS) {
        size_t n = batch->n - from < QUERY_ROWS ? batch->n - from : QUERY_ROWS;
        w->columns[1] = (struct query_vec){.form = QUERY_FORM_TIME, .times = batch->times + from};
        for (size_t k = 0; k < r->n_metrics; k++)
            w->columns[r->columns[k]] = slice(w, r->columns[k], &batch->columns[k], from, n, batch->n);
        struct query_frame frame = {.n = n,
                                    .columns = w->columns,
                                    .n_columns = w->scan->source->n_columns,
                                    .times = batch->times + from,
                                    .sequence = (uint32_t)w->rank + 1,
                                    .thing = w->thing};
        query_pipe_push(w->pipe, 0, &frame);
    }
    atomic_fetch_add_explicit(&r->scan->rows, batch->n, memory_order_relaxed);
}

static void know(struct worker *w, Nanos at) {
    struct query_frame frame = {
        .n = 1, .columns = w->columns, .n_columns = w->scan->source->n_columns, .thing = w->thing};
    struct query_group_known known = {.frame = &frame, .at = at, .sums = w->sums, .rank = (uint32_t)w->rank};
    if (!query_group_know(w->pipe->groups[0], &known))
        query_pipe_fail(w->scan->shared,
                        err_make(ERR_TOO_LARGE, "the question needs too much memory: ask for longer windows"));
}

static void push_known(const struct reading *r, struct worker *w, const struct series_batch *batch) {
    uint64_t most = 0;
    for (size_t k = 0; k < r->n_metrics; k++) {
        const struct series_batch_summary *s = &batch->summaries[k];
        w->sums[r->columns[k]] =
            (struct query_group_sum){s->n, s->min, s->max, s->sum, s->first, s->last, s->last_time};
        if (s->n > most) most = s->n;
    }
    know(w, batch->times[0]);
    atomic_fetch_add_explicit(&r->scan->rows, most, memory_order_relaxed);
}

static bool take_batch(void *ctx, const struct series_batch *batch) {
    const struct reading *r = ctx;
    struct worker *w = &r->workers[batch->worker];
    if (!query_pipe_go_on(r->scan->shared)) return false;
    if (batch->thing != w->thing) {
        end_thing(w);
        size_t rank = query_source_rank(r->scan->source, batch->thing);
        if (rank == SIZE_MAX) return true;
        begin_thing(w, rank);
    }
    if (batch->summaries)
        push_known(r, w, batch);
    else
        push_rows(r, w, batch);
    return !atomic_load(&r->scan->shared->stop);
}

static struct worker *open_workers(struct query_scan *scan) {
    struct worker *workers = calloc(scan->workers, sizeof *workers);
    ASSERT(workers);
    for (unsigned i = 0; i < scan->workers; i++) workers[i].scan = scan, workers[i].pipe = scan->pipes[i];
    return workers;
}

static void close_workers(struct query_scan *scan, struct worker *workers) {
    for (unsigned i = 0; i < scan->workers; i++)
        if (!atomic_load(&scan->shared->stop)) end_thing(&workers[i]);
    free(workers);
}

/* ---- conditions on things */

Err query_scan_narrow(struct query_scan *scan) {
    struct query_source *s = scan->source;
    struct query_node *node = scan->shared->plan->things;
    TRY(query_source_load_tags(s));
    if (!node) return err_none();
    struct worker *w = calloc(1, sizeof *w);
    struct query_pipe none = {0};
    ASSERT(w);
    w->scan = scan, w->pipe = &none;
    struct query_eval e = {.arena = s->arena, .zone = scan->shared->zone};
    e.slots = arena_zero(s->arena, scan->shared->plan->stages[0].slots + 1, sizeof *e.slots);
    size_t n = 0;
    for (size_t i = 0; i < s->n_things; i++) {
        uint64_t mask[QUERY_WORDS];
        begin_thing(w, i);
        struct query_frame frame = {.n = 1, .columns = w->columns, .n_columns = s->n_columns};
        e.frame = &frame;
        if (query_expr_eval_mask(&e, node, mask) == 0) continue;
        for (size_t c = 2; c < s->n_columns; c++)
            if (s->tag_values[c]) s->tag_values[c][n] = s->tag_values[c][i];
        s->things[n] = s->things[i];
        s->names[n++] = s->names[i];
    }
    s->n_things = n;
    free(w);
    return err_none();
}

/* ---- scans */

bool query_scan_known(const struct query_plan_stage *stage, const struct query_source *source, bool ends) {
    if (!stage->grouped || stage->where || stage->n_aggs == 0) return false;
    for (size_t i = 0; i < stage->n_keys; i++) {
        const struct query_node *node = stage->keys[i].node;
        if (node->op != QUERY_OP_COLUMN || (node->column != 0 && !source->tags[node->column])) return false;
    }
    for (size_t i = 0; i < stage->n_aggs; i++) {
        const struct query_plan_agg *a = &stage->aggs[i];
        if (!a->arg || a->arg->op != QUERY_OP_COLUMN || a->arg->column < 2 || source->tags[a->arg->column])
            return false;
        bool counts = strcmp(a->agg->name, "count") == 0, end = a->agg->flags & QUERY_AGG_ENDS;
        if (!(a->agg->flags & QUERY_AGG_BASIC) && !counts && !(end && ends)) return false;
    }
    return true;
}

static void ask_metrics(struct reading *r, MetricId *metrics) {
    const struct query_source *s = r->scan->source;
    r->n_metrics = 0;
    for (size_t c = 2; c < s->n_columns; c++) {
        if (s->tags[c]) continue;
        r->columns[r->n_metrics] = (unsigned)c;
        metrics[r->n_metrics++] = s->metrics[c];
    }
}

static int by_name(const void *a, const void *b, void *ctx) {
    const struct query_source *s = ctx;
    return str_cmp(s->names[*(const uint32_t *)a], s->names[*(const uint32_t *)b]);
}

static ThingId *things_by_name(struct query_source *s) {
    uint32_t *order = arena_zero(s->arena, s->n_things + 1, sizeof *order);
    ThingId *things = arena_zero(s->arena, s->n_things + 1, sizeof *things);
    for (size_t i = 0; i < s->n_things; i++) order[i] = (uint32_t)i;
    qsort_r(order, s->n_things, sizeof *order, by_name, s);
    for (size_t i = 0; i < s->n_things; i++) things[i] = s->things[order[i]];
    return things;
}

static void ask_summaries(const struct query_scan *scan, struct series_ask *ask) {
    const struct query_plan_stage *s = &scan->shared->plan->stages[0];
    if (!query_scan_known(s, scan->source, true)) return;
    if (!s->windowed)
        ask->window = ask->to - ask->from, ask->origin = ask->from;
    else if (!query_window_even(&s->window, scan->shared->zone, ask->from, ask->to, &ask->window, &ask->origin))
        ask->window = 0;
}

static Err scan_own(struct query_scan *scan) {
    struct query_source *s = scan->source;
    MetricId metrics[SERIES_ASK_METRICS_MAX];
    struct reading r = {.scan = scan, .workers = open_workers(scan)};
    ask_metrics(&r, metrics);
    struct series_ask ask = {.things = scan->by_name ? things_by_name(s) : s->things,
                             .n_things = s->n_things,
                             .metrics = metrics,
                             .n_metrics = r.n_metrics,
                             .from = scan->shared->from,
                             .to = scan->shared->to,
                             .workers = scan->workers > 1 ? scan->workers : 0,
                             .cancel = scan->shared->cancel};
    ask_summaries(scan, &ask);
    Err err = s->n_things ? series_batch_scan(s->of->series, s->lens, &ask, take_batch, &r) : err_none();
    close_workers(scan, r.workers);
    return err;
}

/* ---- under an agreement */

enum fineness { NOTHING, SAMPLES, WINDOWS };

struct given {
    enum fineness fineness[SERIES_ASK_METRICS_MAX];
    struct lens lens[SERIES_ASK_METRICS_MAX];
    bool any, windows;
};

static Err what_is_given(const struct reading *r, size_t thing, struct given *out) {
    const struct query_source *s = r->scan->source;
    out->any = out->windows = false;
    for (size_t k = 0; k < r->n_metrics; k++) {
        Str name = s->columns[r->columns[k]].name, shown = str_slice(name, 0, 60);
        out->fineness[k] = NOTHING;
        if (!query_source_given(s, thing, name, &out->lens[k])) continue;
        if (out->lens[k].index)
            return err_make(ERR_FORBIDDEN, "'" STR_FMT "' is given as an index alone: read it as one series",
                            STR_ARG(shown));
        out->fineness[k] = out->lens[k].resolution > 0 ? WINDOWS : SAMPLES;
        out->any = true;
        out->windows |= out->fineness[k] == WINDOWS;
    }
    return err_none();
}

static Err scan_samples(struct reading *r, struct worker *w, size_t thing, const struct given *given) {
    const struct query_source *s = r->scan->source;
    MetricId metrics[SERIES_ASK_METRICS_MAX];
    struct reading part = {.scan = r->scan, .workers = w};
    const struct lens *lens = NULL;
    for (size_t k = 0; k < r->n_metrics; k++) {
        if (given->fineness[k] != SAMPLES) continue;
        lens = &given->lens[k];
        part.columns[part.n_metrics] = r->columns[k];
        metrics[part.n_metrics++] = s->metrics[r->columns[k]];
    }
    struct series_ask ask = {.things = &s->things[thing],
                             .n_things = 1,
                             .metrics = metrics,
                             .n_metrics = part.n_metrics,
                             .from = r->scan->shared->from,
                             .to = r->scan->shared->to,
                             .cancel = r->scan->shared->cancel};
    return lens ? series_batch_scan(s->of->series, lens, &ask, take_batch, &part) : err_none();
}

struct knowing {
    struct worker *w;
    unsigned column;
};
static bool take_window(void *ctx, const struct series_point *p) {
    struct knowing *k = ctx;
    memset(k->w->sums, 0, sizeof k->w->sums);
    if (isnan(p->min)) return true; /* texts */
    k->w->sums[k->column] = (struct query_group_sum){.n = p->count, .min = p->min, .max = p->max, .sum = p->sum};
    know(k->w, p->time);
    return query_pipe_go_on(k->w->scan->shared);
}

/* Windows of the question that hold no part of a window that is given: told by looking at each that is read. */
static Err check_windows(const struct query_scan *scan, Nanos resolution) {
    const struct query_plan_stage *s = &scan->shared->plan->stages[0];
    Err coarse = err_make(ERR_FORBIDDEN,
                          "some of this is given per %lld s alone: ask for windows of whole multiples with avg, min, "
                          "max, sum or count, and conditions on things alone",
                          (long long)(resolution / NANOS_PER_S));
    if (!query_scan_known(s, scan->source, false)) return coarse;
    if (!s->windowed) return err_none();
    Nanos length, origin;
    if (!query_window_even(&s->window, scan->shared->zone, scan->shared->from, scan->shared->to, &length, &origin)) {
        for (Nanos at = scan->shared->from, end; at < scan->shared->to; at = end) {
            query_window_at(&s->window, scan->shared->zone, at, &at, &end);
            if (at % resolution != 0 || end % resolution != 0) return coarse;
        }
        return err_none();
    }
    return length % resolution == 0 && origin % resolution == 0 ? err_none() : coarse;
}

static Nanos ceil_to(Nanos t, Nanos step) {
    Nanos rest = t % step;
    return rest == 0 ? t : t - rest + (rest > 0 ? step : 0);
}

static Err scan_windows(struct reading *r, struct worker *w, size_t thing, const struct given *given) {
    const struct query_source *s = r->scan->source;
    for (size_t k = 0; k < r->n_metrics; k++) {
        if (given->fineness[k] == NOTHING) continue;
        Nanos step = given->lens[k].resolution;
        if (step > 0) TRY(check_windows(r->scan, step));
        if (step == 0) { /* beside coarser ones: samples as windows of one, by the same way */
            struct given one = *given;
            for (size_t j = 0; j < r->n_metrics; j++)
                if (j != k) one.fineness[j] = NOTHING;
            TRY(scan_samples(r, w, thing, &one));
            if (w->thing != s->things[thing]) begin_thing(w, thing);
            continue;
        }
        Nanos to = r->scan->shared->to - r->scan->shared->to % step;
        struct knowing knowing = {w, r->columns[k]};
        struct series_query query = {.thing = s->things[thing],
                                     .metric = s->metrics[r->columns[k]],
                                     .from = ceil_to(r->scan->shared->from, step),
                                     .to = to,
                                     .window = step};
        if (query.from < to) TRY(series_read(s->of->series, &given->lens[k], &query, take_window, &knowing));
    }
    return err_none();
}

/* Thing by thing, since each may be given otherwise. */
static Err scan_given(struct query_scan *scan) {
    struct query_source *s = scan->source;
    MetricId metrics[SERIES_ASK_METRICS_MAX];
    struct reading r = {.scan = scan, .workers = open_workers(scan)};
    struct given *given = calloc(1, sizeof *given);
    Err err = err_none();
    ASSERT(given);
    ask_metrics(&r, metrics);
    if (r.n_metrics == 0)
        err = err_make(ERR_FORBIDDEN,
                       "name the metrics that are asked for: under an agreement moments alone are not given");
    for (size_t i = 0; i < s->n_things && err.code == ERR_NONE && !atomic_load(&scan->shared->stop); i++) {
        err = what_is_given(&r, i, given);
        if (err.code != ERR_NONE || !given->any) continue;
        begin_thing(&r.workers[0], i);
        err = given->windows ? scan_windows(&r, &r.workers[0], i, given) : scan_samples(&r, &r.workers[0], i, given);
        if (err.code == ERR_NONE) end_thing(&r.workers[0]);
    }
    free(given);
    close_workers(scan, r.workers);
    return err;
}

/* ---- the newest values */

struct latest {
    struct query_scan *scan;
    struct worker *w;
    unsigned columns[SERIES_ASK_METRICS_MAX];
    MetricId metrics[SERIES_ASK_METRICS_MAX];
    size_t n_metrics;
    Value *values; /* [rows × n_metrics] */
    Nanos *times;
    Value *cells[QUERY_SOURCE_COLUMNS_MAX];
    Nanos *newest;
};

/* Under an agreement: metric by metric, as each is given. */
static Err latest_given(struct latest *l, size_t from, size_t n, struct arena *arena) {
    const struct query_source *s = l->scan->source;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < l->n_metrics; k++) {
            struct lens given;
            size_t at = i * l->n_metrics + k;
            l->values[at] = (Value){.kind = VALUE_NONE};
            if (!query_source_given(s, from + i, s->columns[l->columns[k]].name, &given)) continue;
            if (given.resolution > 0 || given.index)
                return err_make(ERR_FORBIDDEN, "single samples of some of this are not given: ask for windows");
            TRY(series_batch_latest(s->of->series, &given, &s->things[from + i], 1, &l->metrics[k], 1, arena,
                                    &l->values[at], &l->times[at]));
        }
    return err_none();
}

/* A thing that has none of what is asked, or not in the time that is asked for, makes no row. */
static size_t latest_rows(struct latest *l, size_t from, size_t n) {
    const struct query_source *s = l->scan->source;
    bool bounded = l->scan->source->query->from != 0 || l->scan->source->query->to != 0;
    size_t rows = 0;
    for (size_t i = 0; i < n; i++) {
        Nanos newest = INT64_MIN;
        for (size_t k = 0; k < l->n_metrics; k++) {
            size_t at = i * l->n_metrics + k;
            Value v = l->values[at];
            Nanos t = l->times[at];
            if (bounded && (t < l->scan->shared->from || t >= l->scan->shared->to)) v.kind = VALUE_NONE;
            l->cells[l->columns[k]][rows] = v;
            if (v.kind != VALUE_NONE && t > newest) newest = t;
        }
        if (l->n_metrics == 0 && s->lens->agreement == 0) {
            Nanos seen = series_last_seen(s->of->series, s->things[from + i]);
            if (seen) newest = seen;
        }
        if (newest == INT64_MIN) continue;
        l->newest[rows] = newest;
        l->cells[0][rows] = VALUE_S(s->names[from + i]);
        for (size_t c = 2; c < s->n_columns; c++)
            if (s->tags[c]) l->cells[c][rows] = s->tag_values[c][from + i];
        rows++;
    }
    return rows;
}

static void push_latest(struct latest *l, size_t from, size_t n) {
    const struct query_source *s = l->scan->source;
    struct query_vec columns[QUERY_SOURCE_COLUMNS_MAX];
    for (size_t c = 0; c < s->n_columns; c++)
        columns[c] = (struct query_vec){.form = QUERY_FORM_VALUE, .values = l->cells[c]};
    columns[1] = (struct query_vec){.form = QUERY_FORM_TIME, .times = l->newest};
    struct query_frame frame = {.n = n, .columns = columns, .n_columns = s->n_columns, .times = l->newest};
    l->scan->pipes[0]->rank = (uint32_t)from;
    if (n) query_pipe_push(l->scan->pipes[0], 0, &frame);
    atomic_fetch_add(&l->scan->rows, n);
}

static Err read_latest(struct latest *l, size_t from, size_t n) {
    const struct query_source *s = l->scan->source;
    struct arena arena = {0};
    Err err = err_none();
    if (s->lens->agreement)
        err = latest_given(l, from, n, &arena);
    else if (l->n_metrics)
        err = series_batch_latest(s->of->series, s->lens, &s->things[from], n, l->metrics, l->n_metrics, &arena,
                                  l->values, l->times);
    if (err.code == ERR_NONE) push_latest(l, from, latest_rows(l, from, n));
    arena_fini(&arena);
    return err;
}

static Err scan_latest(struct query_scan *scan) {
    struct query_source *s = scan->source;
    struct latest *l = arena_zero(s->arena, 1, sizeof *l);
    struct reading r = {.scan = scan};
    size_t rows = s->n_things < QUERY_ROWS ? s->n_things : QUERY_ROWS;
    l->scan = scan;
    ask_metrics(&r, l->metrics);
    memcpy(l->columns, r.columns, sizeof l->columns);
    l->n_metrics = r.n_metrics;
    l->values = arena_alloc(s->arena, (rows * l->n_metrics + 1) * sizeof *l->values);
    l->times = arena_alloc(s->arena, (rows * l->n_metrics + 1) * sizeof *l->times);
    l->newest = arena_alloc(s->arena, (rows + 1) * sizeof *l->newest);
    for (size_t c = 0; c < s->n_columns; c++) l->cells[c] = arena_alloc(s->arena, (rows + 1) * sizeof(Value));
    Err err = err_none();
    for (size_t from = 0; from < s->n_things && err.code == ERR_NONE && query_pipe_go_on(scan->shared);
         from += QUERY_ROWS)
        err = read_latest(l, from, s->n_things - from < QUERY_ROWS ? s->n_things - from : QUERY_ROWS);
    return err;
}

Err query_scan_run(struct query_scan *scan) {
    if (scan->source->query->latest) return scan_latest(scan);
    return scan->source->lens->agreement ? scan_given(scan) : scan_own(scan);
}
