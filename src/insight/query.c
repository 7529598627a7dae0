/*
 * Pipes of several threads, one for each worker of the scan, take the rows through the stages whose groups are of one
 * thing each. Where a stage's groups are of many, or rows are sorted or cut, the pipes meet: groups are merged, rows
 * are put into one table. From there on a single thread goes on, stage by stage.
 */
#include "insight/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "insight/query_scan.h"
#include "os/process.h"
#include "os/thread.h"
#include "os/zone.h"

#define ROWS_DEFAULT ((size_t)1000000)
#define BYTES_DEFAULT ((size_t)256 << 20)
#define TIME_DEFAULT (30 * NANOS_PER_S)
#define SPAN_DEFAULT (7 * NANOS_PER_DAY)
#define THINGS_A_WORKER 8u
#define EARLIEST (INT64_MIN / 4)

struct query_engine {
    struct query_engine_options o;
    ThreadMutex guard; /* of zones */
    struct map zones;  /* name → struct zone *, kept to the end: there are some hundreds */
};

Err query_engine_open(const struct query_engine_options *options, struct query_engine **out) {
    ASSERT(options->series && options->clock);
    struct query_engine *e = calloc(1, sizeof *e);
    ASSERT(e);
    e->o = *options;
    thread_mutex_init(&e->guard);
    map_init(&e->zones);
    *out = e;
    return err_none();
}

void query_engine_close(struct query_engine *e) {
    size_t at = 0;
    Str key;
    uint64_t zone;
    if (!e) return;
    while (map_next(&e->zones, &at, &key, &zone)) zone_close((struct zone *)(uintptr_t)zone);
    map_fini(&e->zones);
    thread_mutex_fini(&e->guard);
    free(e);
}

/* NULL: UTC. */
static Err find_zone(struct query_engine *e, Str name, const struct zone **out) {
    uint64_t found = 0;
    struct zone *zone = NULL;
    *out = NULL;
    if (name.len == 0 || str_eq_c(name, "UTC")) return err_none();
    thread_lock(&e->guard);
    bool known = map_get(&e->zones, name, &found);
    Err err = known ? err_none() : zone_open(name, &zone);
    if (!known && err.code == ERR_NONE) map_put(&e->zones, name, (uintptr_t)zone);
    thread_unlock(&e->guard);
    *out = known ? (const struct zone *)(uintptr_t)found : zone;
    return err;
}

/* ---- a run */

struct run {
    struct query_engine *engine;
    const struct lens *lens;
    const struct query *query;
    const struct query_sink *sink;
    struct arena arena;
    struct query_source source;
    struct query_plan plan;
    struct query_shared shared;
    struct query_scan scan;
    size_t meet;                /* the stage where the pipes meet */
    bool hold;                  /* … with groups, not rows */
    bool straight;              /* rows go to the sink as they are read */
    struct query_table *tables; /* [workers] */
    struct query_table table;   /* of the stage that was made last */
    size_t max_rows, rows_out;
};

static Err set_times(struct run *r) {
    const struct query *q = r->query;
    Nanos now = clock_now(r->engine->o.clock);
    r->source.now = now;
    r->shared.to = q->to ? q->to : now + 1;
    r->shared.from = q->from ? q->from : r->shared.to - SPAN_DEFAULT;
    if (q->latest && q->from == 0) r->shared.from = EARLIEST;
    if (q->latest && q->to == 0) r->shared.to = -EARLIEST;
    if (r->shared.from < EARLIEST) r->shared.from = EARLIEST;
    r->shared.horizon = r->shared.to < now ? r->shared.to : now;
    if (r->shared.from >= r->shared.to) return err_make(ERR_INVALID, "`from` is not before `to`: swap or widen them");
    return err_none();
}

static void set_limits(struct run *r) {
    const struct query_limits *l = &r->query->limits;
    r->max_rows = l->rows ? l->rows : ROWS_DEFAULT;
    r->shared.max_bytes = l->bytes ? l->bytes : BYTES_DEFAULT;
    r->shared.deadline = clock_monotonic() + (l->time ? l->time : TIME_DEFAULT);
    r->shared.cancel = l->cancel;
    r->shared.gone = l->gone, r->shared.gone_ctx = l->gone_ctx;
    r->shared.look = clock_monotonic();
}

static Err make_plan(struct run *r) {
    r->source.of = &r->engine->o;
    r->source.lens = r->lens;
    r->source.query = r->query;
    r->source.arena = &r->arena;
    TRY(set_times(r));
    TRY(find_zone(r->engine, r->query->zone, &r->shared.zone));
    TRY(query_source_open(&r->source));
    struct query_plan_source names = query_source_names(&r->source);
    TRY(query_plan_make(r->query, &names, &r->arena, &r->plan));
    r->shared.plan = &r->plan;
    r->shared.each = r->query->latest;
    return err_none();
}

/* Where rows of single things are withheld, nothing but groups of enough things comes out. */
static Err check_lens(struct run *r) {
    const struct query_plan_stage *first = &r->plan.stages[0];
    if (r->lens->agreement == 0 || (r->lens->min_group < 2 && !r->lens->aggregates)) return err_none();
    r->shared.min_group = r->lens->min_group < 2 ? 2 : r->lens->min_group;
    if (first->grouped) return err_none();
    return err_make(ERR_FORBIDDEN,
                    "the agreement gives groups of at least %u things alone: let the first stage group them",
                    r->shared.min_group);
}

static bool sorts(const struct query_plan_stage *s) { return s->n_order > 0 || s->limit > 0; }

static void choose_shape(struct run *r) {
    const struct query_plan *plan = &r->plan;
    size_t last = plan->n_stages - 1, i = 0;
    r->straight = !r->query->latest;
    for (size_t k = 0; k <= last; k++) {
        const struct query_plan_stage *s = &plan->stages[k];
        if (s->grouped || s->n_order > 0 || s->n_limit_by > 0 || (s->limit > 0 && k < last)) r->straight = false;
    }
    while (i < last && !r->query->latest && !sorts(&plan->stages[i]) &&
           (!plan->stages[i].grouped || plan->stages[i].by_thing))
        i++;
    r->meet = i;
    r->hold = plan->stages[i].grouped && (!plan->stages[i].by_thing || r->query->latest);
}

static unsigned choose_workers(const struct run *r) {
    unsigned n = r->query->workers ? r->query->workers : r->engine->o.workers;
    size_t useful = r->source.n_things / THINGS_A_WORKER + 1;
    if (r->query->latest || r->straight || r->lens->agreement) return 1;
    if (n == 0) n = process_cores();
    if (r->query->workers == 0 && n > useful) n = (unsigned)useful;
    return n > SERIES_ASK_WORKERS_MAX ? SERIES_ASK_WORKERS_MAX : n;
}

/* ---- out */

static Err too_many_rows(const struct run *r) {
    return err_make(ERR_TOO_LARGE, "more than %zu rows come out: ask for less, or give the last stage a limit",
                    r->max_rows);
}

static void give_row(struct run *r, const Value *row) {
    const struct query_plan_stage *last = &r->plan.stages[r->plan.n_stages - 1];
    if (r->rows_out == r->max_rows) {
        query_pipe_fail(&r->shared, too_many_rows(r));
    } else {
        r->rows_out++;
        if (!r->sink->row(r->sink->ctx, row, last->n_out)) atomic_store(&r->shared.stop, true);
        if (r->straight && last->limit == r->rows_out) atomic_store(&r->shared.stop, true);
    }
}

static void take_straight(void *ctx, const struct query_frame *frame, uint32_t rank) {
    struct run *r = ctx;
    Value row[2 * QUERY_COLUMNS_MAX + 40];
    (void)rank;
    for (size_t i = 0; i < frame->n && !atomic_load(&r->shared.stop); i++) {
        for (size_t c = 0; c < frame->n_columns; c++) row[c] = query_vec_value(&frame->columns[c], i);
        give_row(r, row);
    }
}

struct taking {
    struct run *run;
    struct query_table *table;
};

static void take_table(void *ctx, const struct query_frame *frame, uint32_t rank) {
    struct taking *t = ctx;
    struct query_shared *sh = &t->run->shared;
    const struct query_plan_stage *s = &t->run->plan.stages[t->run->plan.n_stages - 1];
    bool final = t->run->meet + 1 == t->run->plan.n_stages;
    if (!query_table_add(t->table, frame, rank))
        query_pipe_fail(sh, err_make(ERR_TOO_LARGE,
                                     "the rows need more than %zu MiB of memory: ask for less time or fewer groups",
                                     sh->max_bytes >> 20));
    if (final && s->limit == 0 && t->table->n > t->run->max_rows) query_pipe_fail(sh, too_many_rows(t->run));
}

static bool failed(struct run *r) { return atomic_load(&r->shared.stop); }

/* ---- one stage's rows, put in order and cut */

static void default_order(struct run *r, size_t stage) {
    const struct query_plan_stage *s = &r->plan.stages[stage];
    struct query_plan_order by[QUERY_COLUMNS_MAX + 1];
    size_t n = 0;
    if (s->grouped) {
        for (; n < s->n_by; n++) by[n] = (struct query_plan_order){(unsigned)n, false};
        if (s->windowed) by[n] = (struct query_plan_order){(unsigned)n, false}, n++;
        query_table_sort(&r->table, by, n);
    } else if (!r->query->latest) {
        query_table_sort_ranks(&r->table, r->source.names);
    } else if (s->thing_out >= 0) {
        by[0] = (struct query_plan_order){(unsigned)s->thing_out, false};
        query_table_sort(&r->table, by, 1);
    }
}

static void arrange(struct run *r, size_t stage) {
    const struct query_plan_stage *s = &r->plan.stages[stage];
    if (s->n_order) query_table_sort(&r->table, s->order, s->n_order);
    query_table_cut(&r->table, s->limit, s->limit_by, s->n_limit_by);
}

/* ---- to where the pipes meet */

static void open_pipes(struct run *r, struct query_pipe **pipes, struct taking *takings) {
    const struct query_plan_stage *s = &r->plan.stages[r->meet];
    for (unsigned i = 0; i < r->scan.workers; i++) {
        query_table_init(&r->tables[i], s->n_out, &r->shared.bytes, r->shared.max_bytes);
        takings[i] = (struct taking){r, &r->tables[i]};
        struct query_pipe_end end = {take_table, &takings[i]};
        if (r->straight) end = (struct query_pipe_end){take_straight, r};
        pipes[i] = query_pipe_new(&r->shared, 0, r->meet, r->hold, &end);
    }
}

static void meet(struct run *r, struct query_pipe **pipes) {
    if (r->hold) {
        for (unsigned i = 0; i < r->scan.workers; i++)
            if (!query_group_end_sequence(pipes[i]->groups[r->meet])) return;
        for (unsigned i = 1; i < r->scan.workers && !failed(r); i++)
            if (!query_group_merge(pipes[0]->groups[r->meet], pipes[i]->groups[r->meet]))
                query_pipe_fail(&r->shared, err_make(ERR_TOO_LARGE, "the groups need too much memory: ask for fewer"));
        if (!failed(r)) query_pipe_finish(pipes[0]);
    }
    r->table = r->tables[0];
    r->tables[0] = (struct query_table){0};
    for (unsigned i = 1; i < r->scan.workers && !failed(r); i++)
        if (!query_table_append(&r->table, &r->tables[i]))
            query_pipe_fail(&r->shared, err_make(ERR_TOO_LARGE, "the rows need too much memory: ask for fewer"));
    if (!failed(r) && !r->straight) default_order(r, r->meet);
    if (!failed(r)) arrange(r, r->meet);
}

static Err read_all(struct run *r) {
    struct query_pipe *pipes[SERIES_ASK_WORKERS_MAX] = {0};
    struct taking takings[SERIES_ASK_WORKERS_MAX];
    r->tables = arena_zero(&r->arena, r->scan.workers, sizeof *r->tables);
    open_pipes(r, pipes, takings);
    r->scan.pipes = pipes;
    Err err = query_scan_narrow(&r->scan);
    if (err.code == ERR_NONE) err = query_scan_run(&r->scan);
    if (err.code == ERR_NONE && !failed(r)) meet(r, pipes);
    for (unsigned i = 0; i < r->scan.workers; i++) {
        query_pipe_free(pipes[i]);
        query_table_fini(&r->tables[i]);
    }
    return err;
}

/* ---- the stages behind */

struct feeding {
    struct run *run;
    struct query_pipe *pipe;
    size_t stage;
};
static void feed(void *ctx, const struct query_frame *frame) {
    struct feeding *f = ctx;
    if (query_pipe_go_on(&f->run->shared)) query_pipe_push(f->pipe, f->stage, frame);
}

static void next_stage(struct run *r, size_t stage) {
    const struct query_plan_stage *s = &r->plan.stages[stage];
    struct query_table made;
    struct taking taking = {r, &made};
    struct query_pipe_end end = {take_table, &taking};
    bool in_order = s->grouped && s->time_in >= 0 && (s->windowed || s->ordered_aggs);
    if (in_order) {
        struct query_plan_order by[2];
        size_t n = 0;
        if (s->thing_in >= 0) by[n++] = (struct query_plan_order){(unsigned)s->thing_in, false};
        by[n++] = (struct query_plan_order){(unsigned)s->time_in, false};
        query_table_sort(&r->table, by, n);
    }
    r->meet = stage;
    query_table_init(&made, s->n_out, &r->shared.bytes, r->shared.max_bytes);
    struct query_pipe *pipe = query_pipe_new(&r->shared, stage, stage, false, &end);
    struct feeding f = {r, pipe, stage};
    query_table_frames(&r->table, s, in_order, feed, &f);
    if (!failed(r)) query_pipe_finish(pipe);
    query_pipe_free(pipe);
    query_table_fini(&r->table);
    r->table = made;
    if (!failed(r)) arrange(r, stage);
}

static void give_rows(struct run *r) {
    for (size_t i = 0; i < r->table.n && !failed(r); i++) {
        if (i % QUERY_ROWS == 0 && !query_pipe_go_on(&r->shared)) return;
        give_row(r, query_table_row(&r->table, i));
    }
}

static Err work(struct run *r) {
    TRY(make_plan(r));
    TRY(check_lens(r));
    choose_shape(r);
    const struct query_plan_stage *last = &r->plan.stages[r->plan.n_stages - 1];
    if (!r->sink->columns(r->sink->ctx, last->out, last->n_out)) return err_none();
    r->scan = (struct query_scan){.source = &r->source, .shared = &r->shared, .by_name = r->straight};
    r->scan.workers = choose_workers(r);
    Err err = read_all(r);
    if (r->shared.err.code != ERR_NONE) return r->shared.err;
    if (err.code != ERR_NONE) return err;
    for (size_t i = r->meet + 1; i < r->plan.n_stages && !failed(r); i++) next_stage(r, i);
    if (!failed(r) && !r->straight) give_rows(r);
    return r->shared.err;
}

static struct run *open_run(struct query_engine *engine, const struct lens *lens, const struct query *query,
                            const struct query_sink *sink) {
    struct run *r = calloc(1, sizeof *r);
    ASSERT(r);
    r->engine = engine, r->lens = lens, r->query = query, r->sink = sink;
    arena_init(&r->arena, 16384);
    thread_mutex_init(&r->shared.guard);
    set_limits(r);
    return r;
}

static void close_run(struct run *r) {
    query_table_fini(&r->table);
    thread_mutex_fini(&r->shared.guard);
    arena_fini(&r->arena);
    free(r);
}

Err query_run(struct query_engine *engine, const struct lens *lens, const struct query *query,
              const struct query_sink *sink, struct query_stats *stats) {
    Nanos began = clock_monotonic();
    struct run *r = open_run(engine, lens, query, sink);
    Err err = work(r);
    if (stats)
        *stats = (struct query_stats){.things = r->source.n_things,
                                      .rows_read = atomic_load(&r->scan.rows),
                                      .rows_out = r->rows_out,
                                      .seconds = (double)(clock_monotonic() - began) / 1e9};
    close_run(r);
    return err;
}

Err query_check(struct query_engine *engine, const struct lens *lens, const struct query *query) {
    struct run *r = open_run(engine, lens, query, NULL);
    Err err = make_plan(r);
    if (err.code == ERR_NONE) err = check_lens(r);
    close_run(r);
    return err;
}
