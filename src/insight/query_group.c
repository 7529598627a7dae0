/*
 * Rows come in stretches of one group: of a thing in order of time a window is one stretch, found by its bounds, so
 * that an aggregate is called once for many rows. Only what is grouped by values that change from row to row is looked
 * up row by row. States stand in blocks that do not move.
 */
#include "insight/query_group.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/vec.h"
#include "insight/query_agg_time.h"
#include "insight/query_group_inner.h"
#include "insight/query_window.h"

struct query_group *query_group_new(const struct query_group_options *options, struct query_eval *eval) {
    struct query_group *g = calloc(1, sizeof *g);
    ASSERT(g);
    g->o = *options;
    g->eval = eval;
    g->room = (struct query_agg_room){&g->texts, options->bytes};
    size_t n = options->stage->n_aggs;
    g->tracks = calloc(n + 1, sizeof *g->tracks);
    g->columns = calloc(options->stage->n_keys + n + 2, sizeof *g->columns);
    ASSERT(g->tracks && g->columns);
    arena_init(&g->texts, 0);
    return g;
}

static void drop_states(struct query_group *g) {
    const struct query_plan_stage *s = g->o.stage;
    for (size_t a = 0; a < s->n_aggs; a++) {
        if (s->aggs[a].state != a || !s->aggs[a].agg->drop) continue;
        for (size_t i = 0; i < g->n; i++) s->aggs[a].agg->drop(query_group_inner_state(g, i, (unsigned)a), &g->room);
    }
}

void query_group_clear(struct query_group *g) {
    drop_states(g);
    arena_reset(&g->texts);
    if (g->n_keys > 0) memset(g->key_slots, 0, g->key_cap * sizeof *g->key_slots);
    if (g->n > 0) memset(g->slots, 0, g->slot_cap * sizeof *g->slots);
    atomic_fetch_sub(g->o.bytes, g->counted);
    g->n = g->n_keys = g->n_key_values = g->counted = 0;
    g->last = 0;
}

void query_group_free(struct query_group *g) {
    if (!g) return;
    drop_states(g);
    atomic_fetch_sub(g->o.bytes, g->counted);
    for (size_t i = 0; i < g->n_blocks; i++) free(g->blocks[i]);
    free(g->blocks);
    free(g->groups);
    free(g->slots);
    free(g->keys);
    free(g->key_slots);
    free(g->tracks);
    free(g->columns);
    query_group_give_end(g->giving);
    arena_fini(&g->texts);
    free(g);
}

size_t query_group_count(const struct query_group *g) { return g->n; }

static bool count_bytes(struct query_group *g, size_t n) {
    g->counted += n;
    return atomic_fetch_add(g->o.bytes, n) + n <= g->o.max_bytes;
}

/* ---- keys */

static uint64_t hash_key(const Value *key, size_t n) {
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++) {
        Value v = key[i];
        double x = v.kind == VALUE_INT ? (double)v.i : v.kind == VALUE_FLOAT ? v.f + 0.0 : v.kind == VALUE_BOOL && v.b;
        h = v.kind == VALUE_STRING ? hash_seeded(v.s.ptr, v.s.len, h + 1)
                                   : hash_seeded(&x, sizeof x, h + (v.kind == VALUE_NONE ? 3 : 2));
    }
    return h;
}

static bool same_value(Value a, Value b) {
    return a.kind == VALUE_NONE || b.kind == VALUE_NONE ? a.kind == b.kind : value_eq(a, b);
}
static bool same_key(const Value *a, const Value *b, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!same_value(a[i], b[i])) return false;
    return true;
}

static void grow_key_slots(struct query_group *g, size_t width) {
    size_t cap = g->key_cap ? g->key_cap * 2 : 16;
    free(g->key_slots);
    g->key_slots = calloc(cap, sizeof *g->key_slots);
    ASSERT(g->key_slots);
    g->key_cap = cap;
    for (size_t k = 0; k < g->n_keys; k++) {
        size_t at = hash_key(&g->keys[k * width], width) & (cap - 1);
        while (g->key_slots[at]) at = (at + 1) & (cap - 1);
        g->key_slots[at] = (uint32_t)k + 1;
    }
}

/* UINT32_MAX: beyond the limit. */
static uint32_t find_key(struct query_group *g, const Value *key) {
    size_t width = g->o.stage->n_keys;
    if (2 * (g->n_keys + 1) > g->key_cap) grow_key_slots(g, width);
    size_t at = hash_key(key, width) & (g->key_cap - 1);
    for (; g->key_slots[at]; at = (at + 1) & (g->key_cap - 1))
        if (same_key(&g->keys[(g->key_slots[at] - 1) * width], key, width)) return g->key_slots[at] - 1;
    size_t bytes = width * sizeof *key + 8;
    for (size_t i = 0; i < width; i++) {
        Value v = key[i];
        if (v.kind == VALUE_STRING) v.s = arena_str(&g->texts, v.s), bytes += v.s.len;
        VEC_PUSH(g->keys, g->n_key_values, g->cap_key_values, v);
    }
    if (!count_bytes(g, bytes)) return UINT32_MAX;
    g->key_slots[at] = (uint32_t)++g->n_keys;
    return (uint32_t)g->n_keys - 1;
}

/* ---- groups */

static size_t slot_of(const struct query_group *g, uint32_t key, Nanos from) {
    uint64_t words[2] = {key, (uint64_t)from};
    return hash_bytes(words, sizeof words) & (g->slot_cap - 1);
}

static void grow_slots(struct query_group *g) {
    free(g->slots);
    g->slot_cap = g->slot_cap ? g->slot_cap * 2 : 16;
    g->slots = calloc(g->slot_cap, sizeof *g->slots);
    ASSERT(g->slots);
    for (size_t i = 0; i < g->n; i++) {
        size_t at = slot_of(g, g->groups[i].key, g->groups[i].from);
        while (g->slots[at]) at = (at + 1) & (g->slot_cap - 1);
        g->slots[at] = (uint32_t)i + 1;
    }
}

void *query_group_inner_state(const struct query_group *g, size_t group, unsigned agg) {
    const struct query_plan_stage *s = g->o.stage;
    return g->blocks[group / BLOCK] + group % BLOCK * s->state_size + s->aggs[agg].offset;
}

static bool add_group(struct query_group *g, uint32_t key, Nanos from, Nanos to) {
    size_t size = g->o.stage->state_size;
    if (g->n / BLOCK == g->n_blocks) {
        char *block = malloc(BLOCK * size + 1);
        ASSERT(block);
        VEC_PUSH(g->blocks, g->n_blocks, g->cap_blocks, block);
    }
    if (size) memset(g->blocks[g->n / BLOCK] + g->n % BLOCK * size, 0, size);
    VEC_PUSH(g->groups, g->n, g->cap, ((struct group){.key = key, .from = from, .to = to}));
    return count_bytes(g, sizeof(struct group) + size + 8) && g->n < UINT32_MAX;
}

/* SIZE_MAX: beyond the limit. */
static size_t find_group(struct query_group *g, uint32_t key, Nanos from, Nanos to) {
    if (g->n > 0 && g->groups[g->last].key == key && g->groups[g->last].from == from) return g->last;
    if (2 * (g->n + 1) > g->slot_cap) grow_slots(g);
    size_t at = slot_of(g, key, from);
    for (; g->slots[at]; at = (at + 1) & (g->slot_cap - 1)) {
        const struct group *one = &g->groups[g->slots[at] - 1];
        if (one->key == key && one->from == from) return g->last = g->slots[at] - 1;
    }
    if (!add_group(g, key, from, to)) return SIZE_MAX;
    g->slots[at] = (uint32_t)g->n;
    return g->last = g->n - 1;
}

bool query_group_inner_only(struct query_group *g) {
    uint32_t key = find_key(g, NULL);
    return key != UINT32_MAX && find_group(g, key, INT64_MIN, INT64_MAX) != SIZE_MAX;
}

static void window_at(const struct query_group *g, Nanos t, Nanos *from, Nanos *to) {
    if (g->o.stage->windowed) {
        query_window_at(&g->o.stage->window, g->o.zone, t, from, to);
        return;
    }
    *from = INT64_MIN;
    *to = INT64_MAX;
}

/* ---- the order of time */

static double line(double a, double b, Nanos from, Nanos to, Nanos at) {
    return to == from ? b : a + (b - a) * ((double)(at - from) / (double)(to - from));
}

/* What lies from the track's last value to `to` is shared among the windows it touches. */
static bool spread(struct query_group *g, unsigned a, const struct track *t, Nanos to, double b) {
    const struct query_agg_order *order = g->o.stage->aggs[a].agg->order;
    double first = order->counter ? t->at.total : t->at.value;
    for (Nanos p = t->at.at; p < to;) {
        Nanos from, end;
        window_at(g, p, &from, &end);
        size_t group = find_group(g, t->key, from, end);
        if (group == SIZE_MAX) return false;
        if (end > to) end = to;
        double x = order->steps ? first : line(first, b, t->at.at, to, p);
        double y = order->steps ? first : line(first, b, t->at.at, to, end);
        order->piece(query_group_inner_state(g, group, a), p, end, x, y);
        p = end;
    }
    return true;
}

/* A row that is itself a window speaks for that window alone. */
static Nanos holds_until(const struct query_group *g, unsigned a, Nanos at) {
    const struct query_plan_agg *agg = &g->o.stage->aggs[a];
    Nanos from, to = INT64_MAX;
    if (!agg->agg->order->steps) return INT64_MAX;
    if (agg->parameter > 0) return at + (Nanos)(agg->parameter * 1e9);
    if (g->o.before && g->o.before->windowed) query_window_at(&g->o.before->window, g->o.zone, at, &from, &to);
    return to;
}

static bool end_stretch(struct query_group *g, unsigned a, const struct track *t, Nanos at) {
    Nanos from, to;
    window_at(g, t->at.began, &from, &to);
    size_t group = find_group(g, t->key, from, to);
    if (group == SIZE_MAX) return false;
    g->o.stage->aggs[a].agg->order->stretch(query_group_inner_state(g, group, a), t->at.began, at);
    return true;
}

static bool take_ordered(struct query_group *g, unsigned a, size_t group, Nanos at, double x) {
    const struct query_agg_order *order = g->o.stage->aggs[a].agg->order;
    struct track *t = &g->tracks[a];
    void *state = query_group_inner_state(g, group, a);
    double total = order->counter ? query_agg_time_total(&t->at, x) : 0;
    bool ok = true;
    if (t->at.has && order->piece && at > t->at.at) {
        double b = order->counter ? total : x, first = order->counter ? t->at.total : t->at.value;
        Nanos until = holds_until(g, a, t->at.at);
        if (until > at) until = at;
        if (t->key == g->groups[group].key && t->at.at >= g->groups[group].from)
            order->piece(state, t->at.at, until, first, b);
        else
            ok = spread(g, a, t, until, b);
    }
    if (order->arrive) order->arrive(state, &t->at, at, x);
    if (order->stretch && t->at.has && t->at.value != 0 && x == 0 && t->at.began != INT64_MIN)
        ok = end_stretch(g, a, t, at);
    if (!t->at.has || x == 0)
        t->at.began = INT64_MIN;
    else if (t->at.value == 0)
        t->at.began = at;
    t->at.has = true, t->at.at = at, t->at.value = x, t->at.total = total;
    t->key = g->groups[group].key;
    return ok;
}

static bool run_ordered(struct query_group *g, unsigned a, size_t group, const struct query_vec *v,
                        const struct query_frame *frame, size_t from, size_t to) {
    for (size_t i = from; i < to; i++) {
        if (!query_vec_has(v, i)) continue;
        ASSERT(v->numbers);
        if (!take_ordered(g, a, group, frame->times[i], v->numbers[v->constant ? 0 : i])) return false;
    }
    return true;
}

bool query_group_end_sequence(struct query_group *g) {
    const struct query_plan_stage *s = g->o.stage;
    bool ok = true;
    for (unsigned a = 0; s->ordered_aggs && a < s->n_aggs; a++) {
        const struct query_agg_order *order = s->aggs[a].agg->order;
        struct track *t = &g->tracks[a];
        if (order && order->steps && order->piece && t->at.has && ok) {
            Nanos until = holds_until(g, a, t->at.at);
            ok = spread(g, a, t, until < g->o.horizon ? until : g->o.horizon, t->at.value);
        }
        *t = (struct track){0};
    }
    return ok;
}

/* ---- rows */

struct incoming {
    const struct query_frame *frame;
    struct query_vec keys[QUERY_COLUMNS_MAX + 32], args[QUERY_PLAN_AGGS_MAX];
    bool constant; /* all keys are */
    uint32_t rank;
};

static void compute(struct query_group *g, const struct query_frame *frame, struct incoming *in) {
    const struct query_plan_stage *s = g->o.stage;
    struct query_eval *e = g->eval;
    e->frame = frame;
    in->frame = frame;
    in->constant = true;
    for (size_t k = 0; k < s->n_keys; k++) {
        in->keys[k] = query_expr_eval(e, s->keys[k].node);
        in->constant &= in->keys[k].constant;
    }
    for (size_t a = 0; a < s->n_aggs; a++) {
        const struct query_plan_agg *agg = &s->aggs[a];
        if (agg->state != a || !agg->arg) continue;
        in->args[a] = query_expr_eval(e, agg->arg);
        if (!(agg->agg->flags & QUERY_AGG_ANY))
            in->args[a] = query_expr_eval_numbers(e, agg->arg->slot, 0, in->args[a], frame->n);
    }
}

static uint32_t key_of(struct query_group *g, const struct incoming *in, size_t row) {
    Value key[QUERY_COLUMNS_MAX + 32];
    size_t n = g->o.stage->n_keys;
    for (size_t k = 0; k < n; k++) key[k] = query_vec_value(&in->keys[k], row);
    return find_key(g, key);
}

static bool same_keys(const struct query_group *g, const struct incoming *in, size_t a, size_t b) {
    for (size_t k = 0; k < g->o.stage->n_keys; k++) {
        const struct query_vec *v = &in->keys[k];
        if (v->constant) continue;
        if (!same_value(query_vec_value(v, a), query_vec_value(v, b))) return false;
    }
    return true;
}

/* The first row from `row` on that is not before `to`, by doubling steps. */
static size_t bound(const Nanos *times, size_t row, size_t n, Nanos to) {
    size_t step = 1, low = row, high;
    while (low + step < n && times[low + step] < to) low += step, step *= 2;
    high = low + step < n ? low + step : n;
    while (high - low > 1) {
        size_t mid = low + (high - low) / 2;
        if (times[mid] < to)
            low = mid;
        else
            high = mid;
    }
    return high;
}

static size_t run_end(const struct query_group *g, const struct incoming *in, size_t row, Nanos from, Nanos to) {
    const struct query_frame *f = in->frame;
    size_t end = f->n;
    if (g->o.each) return row + 1;
    if (g->o.stage->windowed && f->sequence) end = bound(f->times, row, f->n, to);
    if (g->o.stage->windowed && !f->sequence)
        for (end = row + 1; end < f->n && f->times[end] >= from && f->times[end] < to;) end++;
    if (in->constant) return end;
    for (size_t i = row + 1; i < end; i++)
        if (!same_keys(g, in, row, i)) return i;
    return end;
}

static bool add_run(struct query_group *g, const struct incoming *in, size_t group, size_t from, size_t to) {
    const struct query_plan_stage *s = g->o.stage;
    struct group *one = &g->groups[group];
    uint32_t thing = g->o.each ? in->rank + (uint32_t)from + 1 : in->frame->thing;
    if (one->last_thing != thing || one->things == 0) one->things++;
    one->last_thing = thing;
    struct query_agg_run run = {.times = in->frame->times, .rank = in->rank, .from = from, .to = to, .room = &g->room};
    for (unsigned a = 0; a < s->n_aggs; a++) {
        const struct query_plan_agg *agg = &s->aggs[a];
        if (agg->state != a) continue;
        run.values = agg->arg ? &in->args[a] : NULL;
        run.parameter = agg->parameter;
        run.no_limits = agg->no_limits;
        if (agg->agg->order) {
            ASSERT(run.values);
            if (!run_ordered(g, a, group, run.values, in->frame, from, to)) return false;
        } else {
            agg->agg->add(query_group_inner_state(g, group, a), &run);
        }
    }
    return true;
}

bool query_group_push(struct query_group *g, const struct query_frame *frame, uint32_t rank) {
    struct incoming in = {.frame = frame};
    if (frame->n == 0 || (g->o.stage->windowed && !frame->times)) return true;
    if (frame->sequence != g->sequence || frame->sequence == 0) {
        if (!query_group_end_sequence(g)) return false;
        g->sequence = frame->sequence;
    }
    g->thing = frame->thing;
    compute(g, frame, &in);
    in.rank = rank;
    uint32_t key = in.constant ? key_of(g, &in, 0) : 0;
    for (size_t row = 0; row < frame->n;) {
        Nanos from, to;
        if (!in.constant) key = key_of(g, &in, row);
        if (key == UINT32_MAX) return false;
        window_at(g, g->o.stage->windowed ? frame->times[row] : 0, &from, &to);
        size_t group = find_group(g, key, from, to);
        size_t end = run_end(g, &in, row, from, to);
        if (group == SIZE_MAX || !add_run(g, &in, group, row, end)) return false;
        row = end;
    }
    return atomic_load(g->o.bytes) <= g->o.max_bytes;
}

/* ---- summaries */

static void know_agg(struct query_group *g, unsigned a, size_t group, const struct query_group_known *known) {
    const struct query_plan_agg *agg = &g->o.stage->aggs[a];
    const struct query_group_sum *s = &known->sums[agg->arg->column];
    void *state = query_group_inner_state(g, group, a);
    if (s->n == 0) return;
    if (agg->agg->flags & QUERY_AGG_BASIC) {
        if (s->first.kind != VALUE_STRING) query_agg_basic_add(state, s->n, s->min, s->max, s->sum);
    } else if (agg->agg->flags & QUERY_AGG_ENDS) {
        bool first = query_agg_is_first(agg->agg);
        query_agg_end_add(state, first, first ? known->at : s->last_time, known->rank, first ? s->first : s->last,
                          &g->room);
    } else {
        *(uint64_t *)state += s->n;
    }
}

bool query_group_know(struct query_group *g, const struct query_group_known *known) {
    const struct query_plan_stage *s = g->o.stage;
    struct incoming in = {.frame = known->frame, .rank = known->rank};
    Nanos from, to;
    g->eval->frame = known->frame;
    g->thing = known->frame->thing;
    for (size_t k = 0; k < s->n_keys; k++) in.keys[k] = query_expr_eval(g->eval, s->keys[k].node);
    uint32_t key = key_of(g, &in, 0);
    window_at(g, known->at, &from, &to);
    size_t group = key == UINT32_MAX ? SIZE_MAX : find_group(g, key, from, to);
    if (group == SIZE_MAX) return false;
    struct group *one = &g->groups[group];
    if (one->last_thing != known->frame->thing || one->things == 0) one->things++;
    one->last_thing = known->frame->thing;
    for (unsigned a = 0; a < s->n_aggs; a++)
        if (s->aggs[a].state == a) know_agg(g, a, group, known);
    return true;
}

bool query_group_merge(struct query_group *g, struct query_group *other) {
    const struct query_plan_stage *s = g->o.stage;
    for (size_t i = 0; i < other->n; i++) {
        const struct group *theirs = &other->groups[i];
        uint32_t key = find_key(g, &other->keys[theirs->key * s->n_keys]);
        size_t group = key == UINT32_MAX ? SIZE_MAX : find_group(g, key, theirs->from, theirs->to);
        if (group == SIZE_MAX) return false;
        g->groups[group].things += theirs->things;
        for (unsigned a = 0; a < s->n_aggs; a++)
            if (s->aggs[a].state == a)
                s->aggs[a].agg->merge(query_group_inner_state(g, group, a), query_group_inner_state(other, i, a),
                                      &g->room);
    }
    return atomic_load(g->o.bytes) <= g->o.max_bytes;
}
