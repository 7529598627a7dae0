#include "insight/query_pipe.h"

#include <stdlib.h>

#include "insight/query_rows.h"
#include "os/thread.h"

void query_pipe_fail(struct query_shared *shared, Err err) {
    thread_lock(&shared->guard);
    if (shared->err.code == ERR_NONE) shared->err = err;
    thread_unlock(&shared->guard);
    atomic_store(&shared->stop, true);
}

static Err too_much(const struct query_shared *shared) {
    return err_make(ERR_TOO_LARGE,
                    "the question needs more than %zu MiB of memory: ask for less time, longer windows or fewer groups",
                    shared->max_bytes >> 20);
}

/* One thread asks, not all of them. */
static bool is_gone(struct query_shared *shared, Nanos now) {
    Nanos look = atomic_load(&shared->look);
    if (!shared->gone || now < look) return false;
    if (!atomic_compare_exchange_strong(&shared->look, &look, now + QUERY_PIPE_LOOK)) return false;
    return shared->gone(shared->gone_ctx);
}

bool query_pipe_go_on(struct query_shared *shared) {
    if (atomic_load(&shared->stop)) return false;
    Nanos now = clock_monotonic();
    if (is_gone(shared, now))
        query_pipe_fail(shared, err_make(ERR_CANCELLED, "nobody waits for the answer any more"));
    else if (shared->cancel && atomic_load(shared->cancel))
        query_pipe_fail(shared, err_make(ERR_CANCELLED, "the question was withdrawn"));
    else if (now > shared->deadline)
        query_pipe_fail(
            shared,
            err_make(ERR_TIMEOUT, "the question took too long: ask for less time or fewer things, or allow it more"));
    return !atomic_load(&shared->stop);
}

/* ---- making */

struct pipe_rows {
    struct query_rows *where, *having;
    struct query_vec *room, *out;
};

static void make_stage(struct query_pipe *pipe, size_t i) {
    struct query_shared *sh = pipe->shared;
    const struct query_plan_stage *s = &sh->plan->stages[i];
    size_t wide = s->n_made + s->n_select;
    pipe->evals[i] = (struct query_eval){.arena = &pipe->arena, .zone = sh->zone};
    pipe->evals[i].slots = arena_zero(&pipe->arena, s->slots + 1, sizeof(struct query_slot));
    struct pipe_rows *rows = arena_zero(&pipe->arena, 1, sizeof *rows);
    rows->where = s->where ? query_rows_new(&pipe->arena, s->n_in) : NULL;
    rows->having = s->having ? query_rows_new(&pipe->arena, wide) : NULL;
    rows->room = arena_zero(&pipe->arena, wide + 1, sizeof *rows->room);
    rows->out = arena_zero(&pipe->arena, s->n_out + 1, sizeof *rows->out);
    pipe->rows[i] = rows;
    if (!s->grouped) return;
    struct query_group_options options = {.stage = s,
                                          .before = i > 0 ? s - 1 : NULL,
                                          .zone = sh->zone,
                                          .from = sh->from,
                                          .to = sh->to,
                                          .horizon = sh->horizon,
                                          .min_group = i == 0 ? sh->min_group : 0,
                                          .max_bytes = sh->max_bytes,
                                          .bytes = &sh->bytes,
                                          .each = i == 0 && sh->each};
    pipe->groups[i] = query_group_new(&options, &pipe->evals[i]);
}

struct query_pipe *query_pipe_new(struct query_shared *shared, size_t first, size_t last, bool hold,
                                  const struct query_pipe_end *end) {
    struct query_pipe *pipe = calloc(1, sizeof *pipe);
    ASSERT(pipe);
    *pipe = (struct query_pipe){.shared = shared, .first = first, .last = last, .hold = hold, .end = *end};
    arena_init(&pipe->arena, 0);
    size_t n = shared->plan->n_stages;
    pipe->evals = arena_zero(&pipe->arena, n, sizeof *pipe->evals);
    pipe->groups = arena_zero(&pipe->arena, n, sizeof(struct query_group *));
    pipe->rows = arena_zero(&pipe->arena, n, sizeof(struct pipe_rows *));
    for (size_t i = first; i <= last; i++) make_stage(pipe, i);
    return pipe;
}

void query_pipe_free(struct query_pipe *pipe) {
    if (!pipe) return;
    for (size_t i = pipe->first; i <= pipe->last; i++) query_group_free(pipe->groups[i]);
    arena_fini(&pipe->arena);
    free(pipe);
}

/* ---- rows on their way */

static void deliver(struct query_pipe *pipe, size_t stage, const struct query_frame *frame) {
    if (stage < pipe->last)
        query_pipe_push(pipe, stage + 1, frame);
    else
        pipe->end.take(pipe->end.ctx, frame, pipe->rank);
}

static void make_rows(struct query_pipe *pipe, size_t stage, const struct query_frame *frame) {
    struct query_frame made;
    struct pipe_rows *rows = pipe->rows[stage];
    if (query_rows_make(rows->having, &pipe->evals[stage], &pipe->shared->plan->stages[stage], frame, rows->room,
                        rows->out, &made))
        deliver(pipe, stage, &made);
}

void query_pipe_push(struct query_pipe *pipe, size_t stage, const struct query_frame *frame) {
    const struct query_plan_stage *s = &pipe->shared->plan->stages[stage];
    struct query_frame picked = *frame;
    uint64_t mask[QUERY_WORDS];
    if (s->where) {
        pipe->evals[stage].frame = frame;
        size_t left = query_expr_eval_mask(&pipe->evals[stage], s->where, mask);
        if (left == 0) return;
        picked = query_rows_pick(pipe->rows[stage]->where, &pipe->arena, frame, mask, left, s->used);
    }
    if (!s->grouped) {
        make_rows(pipe, stage, &picked);
    } else if (!query_group_push(pipe->groups[stage], &picked, pipe->rank)) {
        query_pipe_fail(pipe->shared, too_much(pipe->shared));
    }
}

struct giving {
    struct query_pipe *pipe;
    size_t stage;
};
static void take_group(void *ctx, const struct query_frame *frame) {
    struct giving *g = ctx;
    if (!atomic_load(&g->pipe->shared->stop)) make_rows(g->pipe, g->stage, frame);
}

static void give(struct query_pipe *pipe, size_t stage) {
    const struct query_plan *plan = pipe->shared->plan;
    struct query_group *group = pipe->groups[stage];
    const struct query_plan_stage *next = stage < pipe->last ? &plan->stages[stage + 1] : NULL;
    struct giving g = {pipe, stage};
    bool by_time = next && (next->windowed || next->ordered_aggs);
    if (!query_group_end_sequence(group) || !query_group_give(group, by_time, take_group, &g))
        query_pipe_fail(pipe->shared, too_much(pipe->shared));
    query_group_clear(group);
}

void query_pipe_end_thing(struct query_pipe *pipe) {
    const struct query_plan *plan = pipe->shared->plan;
    for (size_t i = pipe->first; i <= pipe->last; i++)
        if (plan->stages[i].grouped && plan->stages[i].by_thing && !(pipe->hold && i == pipe->last)) give(pipe, i);
}

void query_pipe_finish(struct query_pipe *pipe) {
    for (size_t i = pipe->first; i <= pipe->last; i++)
        if (pipe->shared->plan->stages[i].grouped && !atomic_load(&pipe->shared->stop)) give(pipe, i);
}
