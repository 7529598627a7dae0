#include "insight/query_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

void query_table_init(struct query_table *t, size_t n_columns, atomic_size_t *bytes, size_t max_bytes) {
    *t = (struct query_table){.n_columns = n_columns, .bytes = bytes, .max_bytes = max_bytes};
    t->shown = calloc(2 * n_columns + 1, sizeof *t->shown);
    ASSERT(t->shown);
    t->kept = t->shown + n_columns;
    arena_init(&t->texts, 0);
}

void query_table_fini(struct query_table *t) {
    if (t->bytes) atomic_fetch_sub(t->bytes, t->counted);
    free(t->cells);
    free(t->ranks);
    free(t->order);
    free(t->shown);
    arena_fini(&t->texts);
    *t = (struct query_table){0};
}

static bool reserve(struct query_table *t, size_t rows) {
    if (t->n + rows <= t->cap) return true;
    size_t cap = t->cap ? t->cap : 16, row = t->n_columns * sizeof(Value) + sizeof(uint32_t);
    while (cap < t->n + rows) cap *= 2;
    size_t more = (cap - t->cap) * row;
    t->counted += more;
    if (atomic_fetch_add(t->bytes, more) + more > t->max_bytes) return false;
    t->cells = realloc(t->cells, cap * t->n_columns * sizeof *t->cells + 1);
    t->ranks = realloc(t->ranks, cap * sizeof *t->ranks);
    ASSERT(t->cells && t->ranks);
    t->cap = cap;
    return true;
}

/* Rows of one thing bear its name again and again: the last text of a column is not copied twice. */
static Str keep(struct query_table *t, size_t column, Str s) {
    if (s.ptr == t->shown[column].ptr && s.len == t->shown[column].len && str_eq(s, t->kept[column]))
        return t->kept[column];
    size_t used = s.len + 16;
    t->shown[column] = s;
    t->kept[column] = arena_str(&t->texts, s);
    t->counted += used;
    atomic_fetch_add(t->bytes, used);
    return t->kept[column];
}

bool query_table_add(struct query_table *t, const struct query_frame *frame, uint32_t rank) {
    if (!reserve(t, frame->n)) return false;
    for (size_t c = 0; c < t->n_columns; c++) {
        const struct query_vec *v = &frame->columns[c];
        Value *out = &t->cells[t->n * t->n_columns + c];
        for (size_t i = 0; i < frame->n; i++, out += t->n_columns) {
            *out = query_vec_value(v, i);
            if (out->kind == VALUE_STRING) out->s = keep(t, c, out->s);
        }
    }
    for (size_t i = 0; i < frame->n; i++) t->ranks[t->n + i] = rank;
    t->n += frame->n;
    return true;
}

bool query_table_append(struct query_table *t, const struct query_table *more) {
    if (!reserve(t, more->n)) return false;
    for (size_t i = 0; i < more->n; i++) {
        Value *out = &t->cells[(t->n + i) * t->n_columns];
        memcpy(out, &more->cells[i * t->n_columns], t->n_columns * sizeof *out);
        for (size_t c = 0; c < t->n_columns; c++)
            if (out[c].kind == VALUE_STRING) out[c].s = keep(t, c, out[c].s);
        t->ranks[t->n + i] = more->ranks[i];
    }
    t->n += more->n;
    return true;
}

static size_t place(const struct query_table *t, size_t i) { return t->order ? t->order[i] : i; }

const Value *query_table_row(const struct query_table *t, size_t i) { return &t->cells[place(t, i) * t->n_columns]; }

/* ---- order */

int query_table_compare(Value a, Value b) {
    if (a.kind == VALUE_NONE || b.kind == VALUE_NONE) return (a.kind == VALUE_NONE) - (b.kind == VALUE_NONE);
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING) return str_cmp(a.s, b.s);
    if (a.kind == VALUE_STRING || b.kind == VALUE_STRING) return a.kind == VALUE_STRING ? 1 : -1;
    if (a.kind == VALUE_INT && b.kind == VALUE_INT) return (a.i > b.i) - (a.i < b.i);
    double x = value_as_num(a), y = value_as_num(b);
    return (x > y) - (x < y);
}

struct sorting {
    const struct query_table *t;
    const struct query_plan_order *by;
    size_t n;
    const Str *names;
};

static int compare_rows(const struct sorting *s, uint32_t a, uint32_t b) {
    const Value *x = &s->t->cells[a * s->t->n_columns], *y = &s->t->cells[b * s->t->n_columns];
    for (size_t i = 0; i < s->n; i++) {
        Value p = x[s->by[i].column], q = y[s->by[i].column];
        int c = query_table_compare(p, q);
        if (c == 0) continue;
        bool none = p.kind == VALUE_NONE || q.kind == VALUE_NONE; /* last, either way */
        return s->by[i].down && !none ? -c : c;
    }
    if (!s->names || s->t->ranks[a] == s->t->ranks[b]) return 0;
    return str_cmp(s->names[s->t->ranks[a]], s->names[s->t->ranks[b]]);
}

static int by_place(const void *a, const void *b, void *ctx) {
    const uint32_t *x = a, *y = b;
    int c = compare_rows(ctx, x[0], y[0]);
    return c ? c : (x[1] > y[1]) - (x[1] < y[1]);
}

static void sort(struct query_table *t, const struct sorting *s) {
    bool sorted = true;
    for (size_t i = 1; i < t->n && sorted; i++)
        sorted = compare_rows(s, (uint32_t)place(t, i - 1), (uint32_t)place(t, i)) <= 0;
    if (sorted) return;
    uint32_t(*pairs)[2] = malloc(t->n * sizeof *pairs + 1);
    ASSERT(pairs);
    for (size_t i = 0; i < t->n; i++) pairs[i][0] = (uint32_t)place(t, i), pairs[i][1] = (uint32_t)i;
    struct sorting ctx = *s;
    qsort_r(pairs, t->n, sizeof *pairs, by_place, &ctx);
    if (!t->order) t->order = malloc(t->n * sizeof *t->order + 1);
    ASSERT(t->order);
    for (size_t i = 0; i < t->n; i++) t->order[i] = pairs[i][0];
    free(pairs);
}

void query_table_sort(struct query_table *t, const struct query_plan_order *by, size_t n) {
    sort(t, &(struct sorting){t, by, n, NULL});
}

void query_table_sort_ranks(struct query_table *t, const Str *names) { sort(t, &(struct sorting){t, NULL, 0, names}); }

static uint64_t hash_cells(const Value *row, const unsigned *by, size_t n) {
    uint64_t h = 1;
    for (size_t i = 0; i < n; i++) {
        Value v = row[by[i]];
        double x = v.kind == VALUE_INT ? (double)v.i : v.kind == VALUE_FLOAT ? v.f + 0.0 : v.kind == VALUE_BOOL && v.b;
        h = v.kind == VALUE_STRING ? hash_seeded(v.s.ptr, v.s.len, h)
                                   : hash_seeded(&x, sizeof x, h + (v.kind == VALUE_NONE));
    }
    return h;
}

/* Rows of each group that were kept so far. */
struct tally {
    uint64_t *hashes;
    size_t *counts, cap;
};
static size_t *tally(struct tally *t, uint64_t hash) {
    hash |= 1;
    size_t at = hash & (t->cap - 1);
    while (t->hashes[at] && t->hashes[at] != hash) at = (at + 1) & (t->cap - 1);
    t->hashes[at] = hash;
    return &t->counts[at];
}

void query_table_cut(struct query_table *t, size_t limit, const unsigned *by, size_t n_by) {
    if (limit == 0) return;
    if (n_by == 0) {
        if (t->n > limit) t->n = limit;
        return;
    }
    struct tally all = {.cap = 16};
    while (all.cap < 2 * t->n) all.cap *= 2;
    all.hashes = calloc(all.cap, sizeof *all.hashes);
    all.counts = calloc(all.cap, sizeof *all.counts);
    uint32_t *order = malloc(t->n * sizeof *order + 1);
    ASSERT(all.hashes && all.counts && order);
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++)
        if (++*tally(&all, hash_cells(query_table_row(t, i), by, n_by) << 1) <= limit)
            order[n++] = (uint32_t)place(t, i);
    free(t->order);
    t->order = order;
    t->n = n;
    free(all.hashes);
    free(all.counts);
}

/* ---- to the next stage */

struct framing {
    const struct query_table *t;
    const struct query_plan_stage *next;
    struct query_vec *columns;
    struct query_slot *slots;
    struct arena arena;
};

static void *space(struct framing *f, void *have, size_t size) {
    return have ? have : arena_alloc(&f->arena, QUERY_ROWS * size);
}

static void fill_values(struct framing *f, size_t c, size_t from, size_t n) {
    struct query_slot *s = &f->slots[c];
    s->values = space(f, s->values, sizeof(Value));
    for (size_t i = 0; i < n; i++) s->values[i] = query_table_row(f->t, from + i)[c];
    f->columns[c] = (struct query_vec){.form = QUERY_FORM_VALUE, .values = s->values};
}

static void fill_numbers(struct framing *f, size_t c, size_t from, size_t n, bool times) {
    struct query_slot *s = &f->slots[c];
    bool all = true, whole = true;
    s->times = times ? space(f, s->times, sizeof(Nanos)) : NULL;
    s->numbers[0] = times ? NULL : space(f, s->numbers[0], sizeof(double));
    memset(s->has[0], 0, sizeof s->has[0]);
    for (size_t i = 0; i < n; i++) {
        Value v = query_table_row(f->t, from + i)[c];
        bool there = v.kind != VALUE_NONE;
        all &= there;
        whole &= !there || v.kind == VALUE_INT;
        if (there) s->has[0][i / 64] |= UINT64_C(1) << i % 64;
        if (times)
            s->times[i] = v.i;
        else
            s->numbers[0][i] = value_as_num(v);
    }
    f->columns[c] = (struct query_vec){.form = times ? QUERY_FORM_TIME : QUERY_FORM_NUMBER,
                                       .kind = whole ? VALUE_INT : VALUE_FLOAT,
                                       .numbers = s->numbers[0],
                                       .times = s->times,
                                       .has = all ? NULL : s->has[0]};
}

static bool same_thing(const struct framing *f, size_t a, size_t b) {
    int c = f->next->thing_in;
    return c < 0 || query_table_compare(query_table_row(f->t, a)[c], query_table_row(f->t, b)[c]) == 0;
}

void query_table_frames(const struct query_table *t, const struct query_plan_stage *next, bool in_order,
                        void (*take)(void *ctx, const struct query_frame *frame), void *ctx) {
    struct framing f = {.t = t, .next = next};
    uint32_t sequence = 0;
    f.columns = calloc(t->n_columns + 1, sizeof *f.columns);
    f.slots = calloc(t->n_columns + 1, sizeof *f.slots);
    ASSERT(f.columns && f.slots);
    for (size_t from = 0, n; from < t->n; from += n) {
        n = t->n - from < QUERY_ROWS ? t->n - from : QUERY_ROWS;
        if (in_order && (from == 0 || !same_thing(&f, from - 1, from))) sequence++;
        for (size_t i = 1; in_order && i < n; i++)
            if (!same_thing(&f, from, from + i)) n = i;
        for (size_t c = 0; c < t->n_columns; c++) {
            enum query_kind kind = next->in[c].kind;
            if (kind == QUERY_KIND_STRING || kind == QUERY_KIND_ANY)
                fill_values(&f, c, from, n);
            else
                fill_numbers(&f, c, from, n, kind == QUERY_KIND_TIME);
        }
        struct query_frame frame = {
            .n = n, .columns = f.columns, .n_columns = t->n_columns, .sequence = in_order ? sequence : 0};
        if (next->time_in >= 0 && !f.columns[next->time_in].has) frame.times = f.columns[next->time_in].times;
        take(ctx, &frame);
    }
    free(f.columns);
    free(f.slots);
    arena_fini(&f.arena);
}
