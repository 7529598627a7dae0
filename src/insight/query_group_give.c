/* Groups go out: sorted, windows without rows filled in, too small groups left out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "insight/query_group_inner.h"
#include "insight/query_window.h"

/* ---- order */

static int compare_value(Value a, Value b) {
    if (a.kind == VALUE_NONE || b.kind == VALUE_NONE) return (a.kind == VALUE_NONE) - (b.kind == VALUE_NONE);
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING) return str_cmp(a.s, b.s);
    if (a.kind == VALUE_STRING || b.kind == VALUE_STRING) return a.kind == VALUE_STRING ? 1 : -1;
    if (a.kind == VALUE_INT && b.kind == VALUE_INT) return (a.i > b.i) - (a.i < b.i);
    double x = value_as_num(a), y = value_as_num(b);
    return (x > y) - (x < y);
}

struct sorting {
    const struct query_group *g;
    const uint32_t *rank; /* of keys */
    bool by_time;
};

static int by_key(const void *a, const void *b, void *ctx) {
    const struct sorting *s = ctx;
    size_t n = s->g->o.stage->n_keys;
    const Value *x = &s->g->keys[*(const uint32_t *)a * n], *y = &s->g->keys[*(const uint32_t *)b * n];
    for (size_t i = 0; i < n; i++) {
        int c = compare_value(x[i], y[i]);
        if (c) return c;
    }
    return 0;
}

static int by_place(const void *a, const void *b, void *ctx) {
    const struct sorting *s = ctx;
    const struct group *x = &s->g->groups[*(const uint32_t *)a], *y = &s->g->groups[*(const uint32_t *)b];
    uint32_t p = s->rank[x->key], q = s->rank[y->key];
    int key = (p > q) - (p < q), time = (x->from > y->from) - (x->from < y->from);
    return s->by_time ? (time ? time : key) : (key ? key : time);
}

static void sort_unless(uint32_t *items, size_t n, int (*compare)(const void *, const void *, void *),
                        struct sorting *s) {
    for (size_t i = 1; i < n; i++)
        if (compare(&items[i - 1], &items[i], s) > 0) {
            qsort_r(items, n, sizeof *items, compare, s);
            return;
        }
}

/* The groups in order, without those of too few things. Freed by the caller. */
static uint32_t *sorted(const struct query_group *g, bool by_time, size_t *n) {
    uint32_t *order = malloc((g->n_keys + 1) * sizeof *order), *rank = malloc((g->n_keys + 1) * sizeof *rank);
    uint32_t *out = malloc((g->n + 1) * sizeof *out);
    ASSERT(order && rank && out);
    struct sorting s = {g, rank, by_time};
    for (size_t i = 0; i < g->n_keys; i++) order[i] = (uint32_t)i;
    sort_unless(order, g->n_keys, by_key, &s);
    for (size_t i = 0; i < g->n_keys; i++) rank[order[i]] = (uint32_t)i;
    *n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->groups[i].things >= g->o.min_group) out[(*n)++] = (uint32_t)i;
    sort_unless(out, *n, by_place, &s);
    free(order);
    free(rank);
    return out;
}

/* ---- frames */

struct query_group_giving { /* kept from one thing to the next */
    struct query_group *g;
    void (*take)(void *ctx, const struct query_frame *frame);
    void *ctx;
    struct query_slot slots[QUERY_COLUMNS_MAX + 32 + QUERY_PLAN_AGGS_MAX + 1];
    struct arena arena;
};

struct entry { /* a row that goes out; values: of the aggregates, where windows are filled in */
    uint32_t group, key;
    Nanos from;
    const Value *values;
};

static void *space(struct query_group_giving *v, void *have, size_t size) {
    return have ? have : arena_alloc(&v->arena, QUERY_ROWS * size);
}

static void set_bit(uint64_t *bits, size_t i, bool on) {
    if (on) bits[i / 64] |= UINT64_C(1) << i % 64;
}

/* A column out of values, in the form its kind has. */
static struct query_vec column_of(struct query_group_giving *v, size_t slot, enum query_kind kind, bool whole,
                                  const Value *values, size_t n) {
    struct query_slot *s = &v->slots[slot];
    struct query_vec out = {.has = s->has[0], .kind = whole ? VALUE_INT : VALUE_FLOAT};
    memset(s->has[0], 0, sizeof s->has[0]);
    bool all = true;
    for (size_t i = 0; i < n; i++) all &= values[i].kind != VALUE_NONE;
    if (kind == QUERY_KIND_TIME) {
        Nanos *times = s->times = space(v, s->times, sizeof *s->times);
        for (size_t i = 0; i < n; i++) times[i] = values[i].i, set_bit(s->has[0], i, values[i].kind != VALUE_NONE);
        out.form = QUERY_FORM_TIME, out.times = times;
    } else if (kind == QUERY_KIND_NUMBER) {
        double *numbers = s->numbers[0] = space(v, s->numbers[0], sizeof(double));
        for (size_t i = 0; i < n; i++)
            numbers[i] = value_as_num(values[i]), set_bit(s->has[0], i, values[i].kind != VALUE_NONE);
        out.form = QUERY_FORM_NUMBER, out.numbers = numbers;
    } else {
        s->values = space(v, s->values, sizeof(Value));
        memcpy(s->values, values, n * sizeof *values);
        out.form = QUERY_FORM_VALUE, out.values = s->values;
    }
    if (all) out.has = NULL;
    return out;
}

static bool one_key(const struct entry *entries, size_t n) {
    for (size_t i = 1; i < n; i++)
        if (entries[i].key != entries[0].key) return false;
    return true;
}

static void key_columns(struct query_group_giving *v, const struct entry *entries, size_t n) {
    struct query_group *g = v->g;
    const struct query_plan_stage *s = g->o.stage;
    bool constant = one_key(entries, n);
    Value values[QUERY_ROWS];
    for (size_t k = 0; k < s->n_keys; k++) {
        size_t rows = constant ? 1 : n;
        for (size_t i = 0; i < rows; i++) values[i] = g->keys[entries[i].key * s->n_keys + k];
        enum query_kind kind = s->keys[k].kind == QUERY_KIND_NUMBER ? QUERY_KIND_ANY : s->keys[k].kind;
        g->columns[k] = column_of(v, k, kind, false, values, rows);
        g->columns[k].constant = constant;
    }
}

static Value finish(struct query_group *g, const struct entry *e, size_t a) {
    const struct query_plan_agg *agg = &g->o.stage->aggs[a];
    if (e->values) return e->values[a];
    return agg->agg->finish(query_group_inner_state(g, e->group, (unsigned)agg->state), agg->parameter);
}

static void agg_columns(struct query_group_giving *v, size_t first, const struct entry *entries, size_t n) {
    const struct query_plan_stage *s = v->g->o.stage;
    Value values[QUERY_ROWS];
    for (size_t a = 0; a < s->n_aggs; a++) {
        bool whole = true;
        for (size_t i = 0; i < n; i++) {
            values[i] = finish(v->g, &entries[i], a);
            whole &= values[i].kind == VALUE_INT || values[i].kind == VALUE_NONE;
        }
        bool keeps = s->aggs[a].agg->flags & QUERY_AGG_KEEPS && s->aggs[a].kind == QUERY_KIND_NUMBER;
        v->g->columns[first + a] = column_of(v, first + a, keeps ? QUERY_KIND_ANY : s->aggs[a].kind, whole, values, n);
    }
}

static void give_frame(struct query_group_giving *v, const struct entry *entries, size_t n) {
    struct query_group *g = v->g;
    const struct query_plan_stage *s = g->o.stage;
    struct query_frame frame = {.n = n,
                                .columns = g->columns,
                                .n_columns = s->n_keys + s->windowed + s->n_aggs,
                                .sequence = g->sequence,
                                .thing = s->by_thing ? g->thing : 0};
    key_columns(v, entries, n);
    if (s->windowed) {
        Nanos *times = v->slots[s->n_keys].times = space(v, v->slots[s->n_keys].times, sizeof(Nanos));
        for (size_t i = 0; i < n; i++) times[i] = entries[i].from;
        g->columns[s->n_keys] = (struct query_vec){.form = QUERY_FORM_TIME, .times = times};
        frame.times = times;
    }
    agg_columns(v, s->n_keys + s->windowed, entries, n);
    v->take(v->ctx, &frame);
}

static void give_entries(struct query_group_giving *v, const struct entry *entries, size_t n) {
    for (size_t i = 0; i < n; i += QUERY_ROWS) give_frame(v, entries + i, n - i < QUERY_ROWS ? n - i : QUERY_ROWS);
}

static void give_plain(struct query_group_giving *v, const uint32_t *order, size_t n) {
    struct entry entries[QUERY_ROWS];
    for (size_t i = 0; i < n;) {
        size_t k = 0;
        for (; k < QUERY_ROWS && i < n; k++, i++) {
            const struct group *one = &v->g->groups[order[i]];
            entries[k] = (struct entry){order[i], one->key, one->from, NULL};
        }
        give_frame(v, entries, k);
    }
}

/* ---- windows without rows */

struct filling {
    struct query_group_giving *v;
    struct entry *entries; /* of one key */
    size_t n, cap;
    struct arena arena;
};

static bool add_entry(struct filling *f, uint32_t group, uint32_t key, Nanos from, const Value *values) {
    struct query_group *g = f->v->g;
    size_t n = g->o.stage->n_aggs, bytes = sizeof(struct entry) + n * sizeof *values;
    Value *copy = arena_zero(&f->arena, n + 1, sizeof *copy);
    if (values) memcpy(copy, values, n * sizeof *values);
    VEC_PUSH(f->entries, f->n, f->cap, ((struct entry){group, key, from, copy}));
    g->counted += bytes;
    return atomic_fetch_add(g->o.bytes, bytes) + bytes <= g->o.max_bytes;
}

static Value between(Value a, Value b, double part) {
    if (!value_is_number(a) || !value_is_number(b)) return (Value){.kind = VALUE_NONE};
    return VALUE_F(value_as_num(a) + (value_as_num(b) - value_as_num(a)) * part);
}

/* What an empty window shows: `last` is the window with rows before it, `next` the one behind; NULL: none. */
static void empty_values(const struct query_group *g, const struct entry *last, const struct entry *next, Nanos at,
                         Value *out) {
    const struct query_plan_stage *s = g->o.stage;
    for (size_t a = 0; a < s->n_aggs; a++) {
        out[a] = (Value){.kind = VALUE_NONE};
        if (s->fill == QUERY_FILL_VALUE) out[a] = VALUE_F(s->fill_value);
        if (s->fill == QUERY_FILL_PREVIOUS && last) out[a] = last->values[a];
        if (s->fill == QUERY_FILL_LINEAR && last && next)
            out[a] = between(last->values[a], next->values[a],
                             (double)(at - last->from) / (double)(next->from - last->from));
    }
}

static bool fill_key(struct filling *f, const uint32_t *order, size_t n) {
    struct query_group *g = f->v->g;
    const struct query_plan_stage *s = g->o.stage;
    Value values[QUERY_PLAN_AGGS_MAX], known[2][QUERY_PLAN_AGGS_MAX];
    struct entry last = {0}, next = {0};
    size_t i = 0;
    Nanos end, at;
    f->n = 0;
    arena_reset(&f->arena);
    query_window_at(&s->window, g->o.zone, g->o.from, &at, &end);
    if (g->groups[order[0]].from < at) query_window_at(&s->window, g->o.zone, g->groups[order[0]].from, &at, &end);
    for (; at < g->o.to; at = end) {
        query_window_at(&s->window, g->o.zone, at, &at, &end);
        if (i < n && (!next.values || next.from < at)) {
            const struct group *one = &g->groups[order[i]];
            next = (struct entry){order[i], one->key, one->from, NULL};
            for (size_t a = 0; a < s->n_aggs; a++) known[i % 2][a] = finish(g, &next, a);
            next.values = known[i % 2];
        }
        bool here = i < n && next.from == at;
        if (!here) empty_values(g, last.values ? &last : NULL, i < n ? &next : NULL, at, values);
        if (!add_entry(f, order[0], g->groups[order[0]].key, at, here ? next.values : values)) return false;
        if (here) last = next, i++;
    }
    return true;
}

static bool give_filled(struct query_group_giving *v, const uint32_t *order, size_t n) {
    struct filling f = {.v = v};
    bool ok = true;
    for (size_t i = 0, end; i < n && ok; i = end) {
        for (end = i; end < n && v->g->groups[order[end]].key == v->g->groups[order[i]].key;) end++;
        ok = fill_key(&f, order + i, end - i);
        if (ok) give_entries(v, f.entries, f.n);
    }
    free(f.entries);
    arena_fini(&f.arena);
    return ok;
}

bool query_group_give(struct query_group *g, bool by_time, void (*take)(void *ctx, const struct query_frame *frame),
                      void *ctx) {
    size_t n;
    bool ok = true, fill = g->o.stage->fill != QUERY_FILL_NONE;
    if (g->n == 0 && (g->o.stage->n_keys > 0 || g->o.stage->windowed)) return true;
    if (g->n == 0 && !query_group_inner_only(g)) return false; /* of nothing: one row, as in SQL */
    if (!g->giving) g->giving = calloc(1, sizeof *g->giving);
    struct query_group_giving *v = g->giving;
    ASSERT(v);
    v->g = g, v->take = take, v->ctx = ctx;
    uint32_t *order = sorted(g, by_time && !fill, &n);
    if (fill)
        ok = give_filled(v, order, n);
    else
        give_plain(v, order, n);
    free(order);
    return ok;
}

void query_group_give_end(struct query_group_giving *v) {
    if (v) arena_fini(&v->arena);
    free(v);
}
