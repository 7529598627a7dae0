/*
 * Computing column by column: each node fills its own buffers with up to a frame's rows, in loops without branches
 * where numbers are concerned. A node whose parts are all constant is computed once. Truth is a number, 1 or 0, or
 * null.
 */
#include <math.h>
#include <string.h>

#include "base/num.h"
#include "insight/query_call.h"
#include "insight/query_expr.h"
#include "os/zone.h"

bool query_expr_eval_number(Value v, double *out) {
    if (v.kind == VALUE_STRING) return str_to_f64(str_trim(v.s), out);
    if (v.kind == VALUE_NONE) return false;
    *out = value_as_num(v);
    return true;
}

/* ---- buffers */

static double *numbers_of(struct query_eval *e, unsigned slot, unsigned which) {
    double **p = &e->slots[slot].numbers[which];
    if (!*p) *p = arena_alloc(e->arena, QUERY_ROWS * sizeof **p);
    return *p;
}
static Nanos *times_of(struct query_eval *e, unsigned slot) {
    Nanos **p = &e->slots[slot].times;
    if (!*p) *p = arena_alloc(e->arena, QUERY_ROWS * sizeof **p);
    return *p;
}
static Value *values_of(struct query_eval *e, unsigned slot) {
    Value **p = &e->slots[slot].values;
    if (!*p) *p = arena_alloc(e->arena, QUERY_ROWS * sizeof **p);
    return *p;
}

static void set_bit(uint64_t *bits, size_t i, bool on) {
    uint64_t bit = UINT64_C(1) << i % 64;
    bits[i / 64] = on ? bits[i / 64] | bit : bits[i / 64] & ~bit;
}

struct query_vec query_expr_eval_numbers(struct query_eval *e, unsigned slot, unsigned which, struct query_vec v,
                                         size_t n) {
    if (v.form == QUERY_FORM_NUMBER) return v;
    double *out = numbers_of(e, slot, which);
    uint64_t *has = e->slots[slot].has[which];
    struct query_vec r = {
        .form = QUERY_FORM_NUMBER, .kind = VALUE_FLOAT, .constant = v.constant, .numbers = out, .has = has};
    if (v.constant) n = 1;
    if (v.form == QUERY_FORM_TIME) {
        for (size_t i = 0; i < n; i++) out[i] = (double)v.times[i] / 1e9;
        r.has = v.has;
        return r;
    }
    memset(has, 0, QUERY_WORDS * sizeof *has);
    for (size_t i = 0; i < n; i++) set_bit(has, i, query_expr_eval_number(v.values[i], &out[i]));
    return r;
}

struct query_vec query_expr_eval_spread(struct query_eval *e, unsigned slot, unsigned which, struct query_vec v,
                                        size_t n) {
    if (!v.constant) return v;
    struct query_vec r = v;
    bool has = query_vec_has(&v, 0);
    r.constant = false;
    if (v.form == QUERY_FORM_VALUE) {
        Value *out = values_of(e, slot), one = v.values[0];
        for (size_t i = 0; i < n; i++) out[i] = one;
        r.values = out;
        return r;
    }
    if (v.form == QUERY_FORM_TIME) {
        Nanos *out = times_of(e, slot), one = v.times[0];
        for (size_t i = 0; i < n; i++) out[i] = one;
        r.times = out;
    } else {
        double *out = numbers_of(e, slot, which), one = v.numbers[0];
        for (size_t i = 0; i < n; i++) out[i] = one;
        r.numbers = out;
    }
    r.has = NULL;
    if (has) return r;
    memset(e->slots[slot].has[which], 0, sizeof e->slots[slot].has[which]);
    r.has = e->slots[slot].has[which];
    return r;
}

/* ---- numbers of two */

static const uint64_t *both(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    if (!a || !b) return a ? a : b;
    for (size_t i = 0; i < QUERY_WORDS; i++) out[i] = a[i] & b[i];
    return out;
}

struct pair {
    size_t n;
    bool constant;
    const double *a, *b;
    double *out;
    const uint64_t *has;
    uint64_t *room; /* to write `has` into */
};

static struct query_vec eval(struct query_eval *e, const struct query_node *node);

/* Both sides as numbers, row by row. Buffers 1 and 2 are the sides', 0 the result's. */
static struct pair pair_of(struct query_eval *e, const struct query_node *node, struct query_vec a, struct query_vec b,
                           size_t n) {
    a = query_expr_eval_numbers(e, node->slot, 1, a, n);
    b = query_expr_eval_numbers(e, node->slot, 2, b, n);
    struct pair p = {.constant = a.constant && b.constant};
    p.n = p.constant ? 1 : n;
    if (!p.constant)
        a = query_expr_eval_spread(e, node->slot, 1, a, n), b = query_expr_eval_spread(e, node->slot, 2, b, n);
    p.a = a.numbers, p.b = b.numbers;
    p.out = numbers_of(e, node->slot, 0);
    p.room = e->slots[node->slot].has[0];
    p.has = both(p.room, a.has, b.has);
    return p;
}

/* Where the result is none although both sides were numbers. */
static void drop_undefined(struct pair *p) {
    bool any = false;
    for (size_t i = 0; i < p->n; i++) any |= !isfinite(p->out[i]);
    if (!any) return;
    uint64_t has[QUERY_WORDS];
    memset(has, 0xff, sizeof has);
    if (p->has) memcpy(has, p->has, sizeof has);
    for (size_t i = 0; i < p->n; i++)
        if (!isfinite(p->out[i]) && isfinite(p->a[i]) && isfinite(p->b[i])) set_bit(has, i, false);
    memcpy(p->room, has, sizeof has);
    p->has = p->room;
}

#define EACH(expr)                                                                                                     \
    for (size_t i = 0; i < p->n; i++) p->out[i] = (expr)
static void compute(enum query_op op, struct pair *p) {
    switch (op) {
    case QUERY_OP_ADD: EACH(p->a[i] + p->b[i]); break;
    case QUERY_OP_SUB: EACH(p->a[i] - p->b[i]); break;
    case QUERY_OP_MUL: EACH(p->a[i] * p->b[i]); break;
    case QUERY_OP_DIV: EACH(p->a[i] / p->b[i]); break;
    case QUERY_OP_MOD: EACH(fmod(p->a[i], p->b[i])); break;
    case QUERY_OP_EQ: EACH((double)(p->a[i] == p->b[i])); break;
    case QUERY_OP_NE: EACH((double)(p->a[i] != p->b[i])); break;
    case QUERY_OP_LT: EACH((double)(p->a[i] < p->b[i])); break;
    case QUERY_OP_LE: EACH((double)(p->a[i] <= p->b[i])); break;
    case QUERY_OP_GT: EACH((double)(p->a[i] > p->b[i])); break;
    case QUERY_OP_GE: EACH((double)(p->a[i] >= p->b[i])); break;
    default: break;
    }
    if (op == QUERY_OP_DIV || op == QUERY_OP_MOD) drop_undefined(p);
}

static struct query_vec result(const struct pair *p, uint8_t kind) {
    return (struct query_vec){
        .form = QUERY_FORM_NUMBER, .kind = kind, .constant = p->constant, .numbers = p->out, .has = p->has};
}

static bool whole(struct query_vec v) { return v.form == QUERY_FORM_NUMBER && v.kind == VALUE_INT; }

static struct query_vec arithmetic(struct query_eval *e, const struct query_node *node) {
    struct query_vec a = eval(e, node->args[0]), b = eval(e, node->args[1]);
    struct pair p = pair_of(e, node, a, b, e->frame->n);
    compute(node->op, &p);
    return result(&p, whole(a) && whole(b) && node->op != QUERY_OP_DIV ? VALUE_INT : VALUE_FLOAT);
}

/* ---- comparing: texts with texts, times with times, anything else as numbers */

static bool holds(enum query_op op, int c) {
    switch (op) {
    case QUERY_OP_EQ: return c == 0;
    case QUERY_OP_NE: return c != 0;
    case QUERY_OP_LT: return c < 0;
    case QUERY_OP_LE: return c <= 0;
    case QUERY_OP_GT: return c > 0;
    default: return c >= 0;
    }
}

/* -1, 0, 1; 2: they cannot be compared. */
static int compare_values(Value a, Value b) {
    double x, y;
    if (a.kind == VALUE_STRING && b.kind == VALUE_STRING) {
        int c = str_cmp(a.s, b.s);
        return (c > 0) - (c < 0);
    }
    if (a.kind == VALUE_INT && b.kind == VALUE_INT) return (a.i > b.i) - (a.i < b.i);
    if (!query_expr_eval_number(a, &x) || !query_expr_eval_number(b, &y) || isnan(x) || isnan(y)) return 2;
    return (x > y) - (x < y);
}

static struct query_vec compare_each(struct query_eval *e, const struct query_node *node, struct query_vec a,
                                     struct query_vec b) {
    struct pair p = {.constant = a.constant && b.constant, .out = numbers_of(e, node->slot, 0)};
    uint64_t *has = e->slots[node->slot].has[0];
    p.n = p.constant ? 1 : e->frame->n;
    memset(has, 0, QUERY_WORDS * sizeof *has);
    for (size_t i = 0; i < p.n; i++) {
        int c = compare_values(query_vec_value(&a, i), query_vec_value(&b, i));
        bool there = query_vec_has(&a, i) && query_vec_has(&b, i) && c != 2;
        set_bit(has, i, there);
        p.out[i] = there && holds(node->op, c);
    }
    p.has = has;
    return result(&p, VALUE_BOOL);
}

static struct query_vec compare(struct query_eval *e, const struct query_node *node) {
    struct query_vec a = eval(e, node->args[0]), b = eval(e, node->args[1]);
    if (a.form == QUERY_FORM_TIME && b.form == QUERY_FORM_TIME) return compare_each(e, node, a, b);
    if (a.form == QUERY_FORM_VALUE || b.form == QUERY_FORM_VALUE) {
        bool times = a.form == QUERY_FORM_TIME || b.form == QUERY_FORM_TIME;
        if (!times) return compare_each(e, node, a, b);
    }
    struct pair p = pair_of(e, node, a, b, e->frame->n);
    compute(node->op, &p);
    return result(&p, VALUE_BOOL);
}

/* ---- truth */

struct truth {
    uint64_t yes[QUERY_WORDS], no[QUERY_WORDS];
    bool constant;
};

static bool is_coalesce(const struct query_node *node) {
    return node->op == QUERY_OP_CALL && node->call->shape == QUERY_CALL_COALESCE;
}

/* Which rows have a value, without computing any where that is not needed. */
static void there_of(struct query_eval *e, const struct query_node *node, uint64_t there[QUERY_WORDS], bool *constant) {
    if (is_coalesce(node)) {
        uint64_t part[QUERY_WORDS];
        bool fixed;
        *constant = true;
        memset(there, 0, QUERY_WORDS * sizeof *there);
        for (size_t k = 0; k < node->n_args; k++) {
            there_of(e, node->args[k], part, &fixed);
            for (size_t w = 0; w < QUERY_WORDS; w++) there[w] |= part[w];
            *constant &= fixed;
        }
        return;
    }
    struct query_vec v = eval(e, node);
    *constant = v.constant;
    if (v.constant || (v.form != QUERY_FORM_VALUE && !v.has)) {
        memset(there, query_vec_has(&v, 0) ? 0xff : 0, QUERY_WORDS * sizeof *there);
    } else if (v.form != QUERY_FORM_VALUE) {
        memcpy(there, v.has, QUERY_WORDS * sizeof *there);
    } else {
        memset(there, 0, QUERY_WORDS * sizeof *there);
        for (size_t i = 0; i < e->frame->n; i++) there[i / 64] |= (uint64_t)(v.values[i].kind != VALUE_NONE) << i % 64;
    }
}

static void truth_of_null(struct query_eval *e, const struct query_node *node, struct truth *t) {
    there_of(e, node->args[0], t->no, &t->constant);
    for (size_t w = 0; w < QUERY_WORDS; w++) t->yes[w] = ~t->no[w];
}

/* What is there and not 0. */
static void truth_of_number(struct query_eval *e, const struct query_node *node, unsigned slot, struct truth *t) {
    struct query_vec v = query_expr_eval_numbers(e, slot, 1, eval(e, node), e->frame->n);
    size_t n = v.constant ? 1 : e->frame->n;
    t->constant = v.constant;
    memset(t, 0, sizeof t->yes + sizeof t->no);
    for (size_t w = 0; w * 64 < n; w++) {
        size_t end = n - w * 64 < 64 ? n - w * 64 : 64;
        uint64_t yes = 0, there = v.has ? v.has[w] : ~UINT64_C(0);
        for (size_t i = 0; i < end; i++) yes |= (uint64_t)(v.numbers[w * 64 + i] != 0) << i;
        uint64_t rows = end == 64 ? ~UINT64_C(0) : (UINT64_C(1) << end) - 1;
        t->yes[w] = yes & there & rows;
        t->no[w] = ~yes & there & rows;
    }
    if (!v.constant || e->frame->n == 1) return;
    for (size_t w = QUERY_WORDS; w-- > 0;) {
        t->yes[w] = t->yes[0] & 1 ? ~UINT64_C(0) : 0;
        t->no[w] = t->no[0] & 1 ? ~UINT64_C(0) : 0;
    }
}

static void truth_of(struct query_eval *e, const struct query_node *node, unsigned slot, struct truth *t) {
    struct truth b;
    bool and = node->op == QUERY_OP_AND;
    switch (node->op) {
    case QUERY_OP_IS_NULL: truth_of_null(e, node, t); break;
    case QUERY_OP_NOT:
        truth_of(e, node->args[0], node->slot, &b);
        memcpy(t->yes, b.no, sizeof t->yes), memcpy(t->no, b.yes, sizeof t->no);
        t->constant = b.constant;
        break;
    case QUERY_OP_AND:
    case QUERY_OP_OR:
        truth_of(e, node->args[0], node->slot, t);
        truth_of(e, node->args[1], node->slot, &b);
        for (size_t w = 0; w < QUERY_WORDS; w++) {
            t->yes[w] = and? t->yes[w] & b.yes[w] : t->yes[w] | b.yes[w];
            t->no[w] = and? t->no[w] | b.no[w] : t->no[w] & b.no[w];
        }
        t->constant = t->constant && b.constant;
        break;
    default: truth_of_number(e, node, slot, t);
    }
}

static struct query_vec truth_out(struct query_eval *e, const struct query_node *node, const struct truth *t) {
    double *out = numbers_of(e, node->slot, 0);
    uint64_t *has = e->slots[node->slot].has[0];
    size_t n = t->constant ? 1 : e->frame->n;
    for (size_t i = 0; i < n; i++) out[i] = (double)(t->yes[i / 64] >> i % 64 & 1);
    for (size_t w = 0; w < QUERY_WORDS; w++) has[w] = t->yes[w] | t->no[w];
    return (struct query_vec){
        .form = QUERY_FORM_NUMBER, .kind = VALUE_BOOL, .constant = t->constant, .numbers = out, .has = has};
}

static struct query_vec logic(struct query_eval *e, const struct query_node *node) {
    struct truth t;
    truth_of(e, node, node->slot, &t);
    return truth_out(e, node, &t);
}

/* ---- functions */

static struct query_vec call_numbers(struct query_eval *e, const struct query_node *node) {
    const struct query_call *call = node->call;
    struct query_vec a = eval(e, node->args[0]);
    struct query_vec b = call->shape == QUERY_CALL_TWO ? eval(e, node->args[1]) : a;
    struct pair pair = pair_of(e, node, a, b, e->frame->n), *p = &pair;
    if (call->shape == QUERY_CALL_TWO)
        EACH(call->two(p->a[i], p->b[i]));
    else
        EACH(call->one(p->a[i]));
    drop_undefined(p);
    return result(p, VALUE_FLOAT);
}

static struct query_vec call_clock(struct query_eval *e, const struct query_node *node) {
    struct query_vec v = eval(e, node->args[0]);
    struct pair p = {.constant = v.constant, .out = numbers_of(e, node->slot, 0), .has = v.has};
    p.n = v.constant ? 1 : e->frame->n;
    if (v.form != QUERY_FORM_TIME) { /* null, where a time should be */
        p.has = memset(e->slots[node->slot].has[0], 0, sizeof e->slots[node->slot].has[0]);
        p.n = 0;
    }
    for (size_t i = 0; i < p.n; i++) {
        int32_t offset = e->zone ? zone_offset(e->zone, v.times[i]) : 0;
        p.out[i] = node->call->clock(v.times[i] + offset * NANOS_PER_S);
    }
    return result(&p, VALUE_INT);
}

/* The greatest or the least of what is there. */
static struct query_vec call_extreme(struct query_eval *e, const struct query_node *node) {
    double *out = numbers_of(e, node->slot, 0), sign = node->call->shape == QUERY_CALL_LEAST ? -1 : 1;
    uint64_t *has = e->slots[node->slot].has[0];
    size_t n = e->frame->n;
    memset(has, 0, QUERY_WORDS * sizeof *has);
    for (size_t k = 0; k < node->n_args; k++) {
        struct query_vec v = query_expr_eval_numbers(e, node->slot, 1, eval(e, node->args[k]), n);
        for (size_t i = 0; i < n; i++) {
            if (!query_vec_has(&v, i)) continue;
            double x = v.numbers[v.constant ? 0 : i];
            if (!(has[i / 64] >> i % 64 & 1) || x * sign > out[i] * sign) out[i] = x;
            set_bit(has, i, true);
        }
    }
    return (struct query_vec){.form = QUERY_FORM_NUMBER, .kind = VALUE_FLOAT, .numbers = out, .has = has};
}

/* if and coalesce of numbers alone need no values. */
static struct query_vec choose_values(struct query_eval *e, const struct query_node *node,
                                      const struct query_vec *parts, const struct truth *t) {
    size_t n = e->frame->n;
    bool numbers = true, times = true;
    uint8_t kind = VALUE_NONE;
    for (size_t k = t ? 1 : 0; k < node->n_args; k++) {
        if (node->args[k]->op == QUERY_OP_NULL) continue;
        numbers &= parts[k].form == QUERY_FORM_NUMBER, times &= parts[k].form == QUERY_FORM_TIME;
        if (parts[k].form == QUERY_FORM_NUMBER)
            kind = kind == VALUE_NONE || kind == parts[k].kind ? parts[k].kind : VALUE_FLOAT;
    }
    double *out = numbers ? numbers_of(e, node->slot, 0) : NULL;
    Nanos *at = times && !numbers ? times_of(e, node->slot) : NULL;
    Value *values = numbers || times ? NULL : values_of(e, node->slot);
    uint64_t *has = e->slots[node->slot].has[0];
    memset(has, 0, QUERY_WORDS * sizeof *has);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        if (t)
            k = t->yes[i / 64] >> i % 64 & 1 ? 1 : 2;
        else
            while (k + 1 < node->n_args && !query_vec_has(&parts[k], i)) k++;
        bool there = query_vec_has(&parts[k], i);
        set_bit(has, i, there);
        if (values) values[i] = query_vec_value(&parts[k], i);
        ASSERT(!out || !there || parts[k].numbers);
        if (out && there) out[i] = parts[k].numbers[parts[k].constant ? 0 : i];
        if (at && there) at[i] = parts[k].times[parts[k].constant ? 0 : i];
    }
    return (struct query_vec){.form = numbers ? QUERY_FORM_NUMBER
                                      : times ? QUERY_FORM_TIME
                                              : QUERY_FORM_VALUE,
                              .kind = kind == VALUE_NONE ? VALUE_FLOAT : kind,
                              .numbers = out,
                              .times = at,
                              .values = values,
                              .has = has};
}

/* coalesce of numbers that are not constant: what the first lacks is taken from the next, word by word. */
static bool coalesce_numbers(struct query_eval *e, const struct query_node *node, const struct query_vec *parts,
                             struct query_vec *out) {
    uint8_t kind = parts[0].kind;
    for (size_t k = 0; k < node->n_args; k++) {
        if (parts[k].form != QUERY_FORM_NUMBER || parts[k].constant) return false;
        if (parts[k].kind != kind) kind = VALUE_FLOAT;
    }
    size_t n = e->frame->n;
    double *numbers = numbers_of(e, node->slot, 0);
    uint64_t *has = e->slots[node->slot].has[0];
    memset(has, 0, QUERY_WORDS * sizeof *has);
    for (size_t from = 0; from < n; from += 64) {
        uint64_t rows = n - from >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << (n - from)) - 1, done = 0;
        for (size_t k = 0; k < node->n_args && done != rows; k++) {
            uint64_t take = (parts[k].has ? parts[k].has[from / 64] : ~UINT64_C(0)) & rows & ~done;
            done |= take;
            if (k == 0)
                memcpy(numbers + from, parts[k].numbers + from, (n - from < 64 ? n - from : 64) * sizeof *numbers);
            else
                for (; take; take &= take - 1) {
                    size_t i = from + (size_t)__builtin_ctzll(take);
                    numbers[i] = parts[k].numbers[i];
                }
        }
        has[from / 64] = done;
    }
    *out = (struct query_vec){.form = QUERY_FORM_NUMBER, .kind = kind, .numbers = numbers, .has = has};
    return true;
}

static struct query_vec call_choose(struct query_eval *e, const struct query_node *node) {
    struct query_vec parts[16] = {0};
    struct truth t;
    bool is_if = node->call->shape == QUERY_CALL_IF;
    if (is_if) truth_of(e, node->args[0], node->slot, &t);
    for (size_t k = is_if; k < node->n_args; k++) parts[k] = eval(e, node->args[k]);
    struct query_vec out;
    if (!is_if && coalesce_numbers(e, node, parts, &out)) return out;
    return choose_values(e, node, parts, is_if ? &t : NULL);
}

static struct query_vec call_text(struct query_eval *e, const struct query_node *node) {
    struct query_vec v = eval(e, node->args[0]);
    Value *out = values_of(e, node->slot);
    size_t n = v.constant ? 1 : e->frame->n;
    char number[NUM_TEXT_MAX];
    for (size_t i = 0; i < n; i++) {
        out[i] = query_vec_value(&v, i);
        if (out[i].kind == VALUE_BOOL) out[i] = VALUE_S(out[i].b ? STR("true") : STR("false"));
        if (out[i].kind == VALUE_INT) out[i] = VALUE_S(arena_printf(e->arena, "%lld", (long long)out[i].i));
        if (out[i].kind == VALUE_FLOAT) out[i] = VALUE_S(arena_str(e->arena, num_format(out[i].f, number)));
    }
    return (struct query_vec){.form = QUERY_FORM_VALUE, .constant = v.constant, .values = out};
}

/* Seconds since 1970, or a text, as a time. */
static struct query_vec call_time(struct query_eval *e, const struct query_node *node) {
    struct query_vec v = eval(e, node->args[0]);
    if (v.form == QUERY_FORM_TIME) return v;
    Nanos *out = times_of(e, node->slot);
    uint64_t *has = e->slots[node->slot].has[0];
    size_t n = v.constant ? 1 : e->frame->n;
    double x = 0;
    memset(has, 0, QUERY_WORDS * sizeof *has);
    for (size_t i = 0; i < n; i++) {
        Value one = query_vec_value(&v, i);
        bool ok = one.kind == VALUE_STRING ? time_parse(one.s, &out[i]).code == ERR_NONE
                                           : query_expr_eval_number(one, &x) && fabs(x) < 9e9;
        if (ok && one.kind != VALUE_STRING) out[i] = (Nanos)(x * 1e9);
        set_bit(has, i, ok);
    }
    return (struct query_vec){.form = QUERY_FORM_TIME, .constant = v.constant, .times = out, .has = has};
}

static struct query_vec call(struct query_eval *e, const struct query_node *node) {
    switch (node->call->shape) {
    case QUERY_CALL_ONE:
    case QUERY_CALL_TWO: return call_numbers(e, node);
    case QUERY_CALL_CLOCK: return call_clock(e, node);
    case QUERY_CALL_IF:
    case QUERY_CALL_COALESCE: return call_choose(e, node);
    case QUERY_CALL_LEAST:
    case QUERY_CALL_GREATEST: return call_extreme(e, node);
    case QUERY_CALL_NUMBER: return query_expr_eval_numbers(e, node->slot, 0, eval(e, node->args[0]), e->frame->n);
    case QUERY_CALL_TEXT: return call_text(e, node);
    case QUERY_CALL_TIME: break;
    }
    return call_time(e, node);
}

/* ---- */

static struct query_vec literal(struct query_eval *e, const struct query_node *node) {
    struct query_vec v = {.form = QUERY_FORM_VALUE, .constant = true};
    if (node->op == QUERY_OP_NUMBER) {
        v.form = QUERY_FORM_NUMBER, v.kind = node->number_kind, v.numbers = &node->number;
    } else if (node->op == QUERY_OP_TIME) {
        v.form = QUERY_FORM_TIME, v.times = &node->time;
    } else {
        Value *out = values_of(e, node->slot);
        *out = node->op == QUERY_OP_TEXT ? VALUE_S(node->text) : (Value){.kind = VALUE_NONE};
        v.values = out;
    }
    return v;
}

static struct query_vec negate(struct query_eval *e, const struct query_node *node) {
    struct query_vec a = eval(e, node->args[0]);
    struct pair pair = pair_of(e, node, a, a, e->frame->n), *p = &pair;
    EACH(-p->a[i]);
    return result(p, whole(a) ? VALUE_INT : VALUE_FLOAT);
}

static struct query_vec eval(struct query_eval *e, const struct query_node *node) {
    switch (node->op) {
    case QUERY_OP_NUMBER:
    case QUERY_OP_TEXT:
    case QUERY_OP_TIME:
    case QUERY_OP_NULL: return literal(e, node);
    case QUERY_OP_COLUMN: ASSERT(node->column < e->frame->n_columns); return e->frame->columns[node->column];
    case QUERY_OP_NEGATE: return negate(e, node);
    case QUERY_OP_ADD:
    case QUERY_OP_SUB:
    case QUERY_OP_MUL:
    case QUERY_OP_DIV:
    case QUERY_OP_MOD: return arithmetic(e, node);
    case QUERY_OP_EQ:
    case QUERY_OP_NE:
    case QUERY_OP_LT:
    case QUERY_OP_LE:
    case QUERY_OP_GT:
    case QUERY_OP_GE: return compare(e, node);
    case QUERY_OP_NOT:
    case QUERY_OP_AND:
    case QUERY_OP_OR:
    case QUERY_OP_IS_NULL: return logic(e, node);
    case QUERY_OP_CALL: return call(e, node);
    case QUERY_OP_AGG: break;
    }
    ASSERT(node->op != QUERY_OP_AGG); /* it was taken out */
    return (struct query_vec){0};
}

struct query_vec query_expr_eval(struct query_eval *e, const struct query_node *node) {
    return eval(e, node);
}

size_t query_expr_eval_mask(struct query_eval *e, const struct query_node *node, uint64_t mask[QUERY_WORDS]) {
    struct truth t;
    size_t n = 0, rows = e->frame->n;
    truth_of(e, node, node->slot, &t);
    for (size_t w = 0; w < QUERY_WORDS; w++) {
        size_t left = rows > w * 64 ? rows - w * 64 : 0;
        uint64_t all = left >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << left) - 1;
        mask[w] = t.yes[w] & all;
        n += (size_t)__builtin_popcountll(mask[w]);
    }
    return n;
}
