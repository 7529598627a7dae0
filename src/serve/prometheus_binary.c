#include "serve/prometheus_binary.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"

static bool compares(enum prometheus_op op) { return op >= PROMETHEUS_EQ && op <= PROMETHEUS_GT; }

static double holds(enum prometheus_op op, double a, double b) {
    switch (op) {
    case PROMETHEUS_EQ: return a == b;
    case PROMETHEUS_NE: return a != b;
    case PROMETHEUS_LE: return a <= b;
    case PROMETHEUS_LT: return a < b;
    case PROMETHEUS_GE: return a >= b;
    default: return a > b;
    }
}

static double arithmetic(enum prometheus_op op, double a, double b) {
    switch (op) {
    case PROMETHEUS_ADD: return a + b;
    case PROMETHEUS_SUB: return a - b;
    case PROMETHEUS_MUL: return a * b;
    case PROMETHEUS_DIV: return a / b;
    case PROMETHEUS_MOD: return fmod(a, b);
    case PROMETHEUS_POW: return pow(a, b);
    default: return atan2(a, b);
    }
}

/* A comparison without bool keeps `shown` or leaves out. */
static double result(const struct prometheus_node *node, double a, double b, double shown) {
    if (!compares(node->op)) return arithmetic(node->op, a, b);
    double yes = holds(node->op, a, b);
    if (node->yields_bool) return yes;
    return yes != 0 ? shown : prometheus_absent();
}

static bool keeps_name(const struct prometheus_node *node) { return compares(node->op) && !node->yields_bool; }

/* ---- with a number */

static Err with_scalar(struct prometheus_eval *eval, const struct prometheus_node *node, const double *scalar,
                       bool scalar_first, struct prometheus_value *vector) {
    for (size_t s = 0; s < vector->n_series; s++) {
        double *v = vector->series[s].values;
        for (size_t i = 0; i < eval->n; i++) {
            if (prometheus_is_absent(v[i])) continue;
            v[i] = scalar_first ? result(node, scalar[i], v[i], v[i]) : result(node, v[i], scalar[i], v[i]);
        }
    }
    return keeps_name(node) ? err_none() : prometheus_eval_unname(eval, vector);
}

/* ---- which series meet */

static struct prometheus_labels signature(struct prometheus_eval *eval, const struct prometheus_node *node,
                                          const struct prometheus_labels *labels) {
    return node->on ? prometheus_labels_keep(labels, node->labels, node->n_labels, eval->arena)
                    : prometheus_labels_drop(labels, node->labels, node->n_labels, eval->arena);
}

/* Series of one side by their signature: chains through `next`. */
struct side {
    const struct prometheus_value *value;
    struct map first; /* signature → place of the first series */
    size_t *next;     /* SIZE_MAX: the last */
};

static void side_open(struct prometheus_eval *eval, const struct prometheus_node *node,
                      const struct prometheus_value *value, struct side *side) {
    struct buf key = {0};
    *side = (struct side){.value = value};
    map_init(&side->first);
    side->next = calloc(value->n_series + 1, sizeof *side->next);
    ASSERT(side->next);
    for (size_t i = value->n_series; i-- > 0;) {
        struct prometheus_labels labels = signature(eval, node, &value->series[i].labels);
        uint64_t at = UINT64_MAX;
        buf_clear(&key);
        prometheus_labels_key(&labels, &key);
        map_get(&side->first, buf_view(&key), &at);
        side->next[i] = at == UINT64_MAX ? SIZE_MAX : (size_t)at;
        map_put(&side->first, buf_view(&key), i);
    }
    buf_fini(&key);
}

static void side_close(struct side *side) {
    map_fini(&side->first);
    free(side->next);
}

static size_t side_find(const struct side *side, struct prometheus_eval *eval, const struct prometheus_node *node,
                        const struct prometheus_labels *labels) {
    struct buf key = {0};
    struct prometheus_labels like = signature(eval, node, labels);
    uint64_t at = UINT64_MAX;
    prometheus_labels_key(&like, &key);
    map_get(&side->first, buf_view(&key), &at);
    buf_fini(&key);
    return at == UINT64_MAX ? SIZE_MAX : (size_t)at;
}

/* ---- and, or, unless */

static bool any_at(const struct side *side, size_t first, size_t i) {
    for (size_t k = first; k != SIZE_MAX; k = side->next[k])
        if (!prometheus_is_absent(side->value->series[k].values[i])) return true;
    return false;
}

/* Keeps of `value` what the other side has, or has not. */
static void filter(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *value,
                   const struct side *other, bool has) {
    for (size_t s = 0; s < value->n_series; s++) {
        size_t first = side_find(other, eval, node, &value->series[s].labels);
        for (size_t i = 0; i < eval->n; i++)
            if (any_at(other, first, i) != has) value->series[s].values[i] = prometheus_absent();
    }
}

static Err unite(struct prometheus_eval *eval, struct prometheus_value *a, const struct prometheus_value *b) {
    struct prometheus_series *all = arena_zero(eval->arena, a->n_series + b->n_series + 1, sizeof *all);
    for (size_t i = 0; i < a->n_series; i++) all[i] = a->series[i];
    for (size_t i = 0; i < b->n_series; i++) all[a->n_series + i] = b->series[i];
    a->series = all;
    a->n_series += b->n_series;
    return prometheus_eval_settle(eval, a);
}

static Err set_operation(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *a,
                         struct prometheus_value *b) {
    struct side other;
    bool either = node->op == PROMETHEUS_OR;
    side_open(eval, node, either ? a : b, &other);
    filter(eval, node, either ? b : a, &other, node->op == PROMETHEUS_AND);
    side_close(&other);
    return either ? unite(eval, a, b) : err_none();
}

/* ---- arithmetic and comparison between series */

struct joining {
    struct prometheus_eval *eval;
    const struct prometheus_node *node;
    struct side one; /* the side of which each signature has one */
    struct map made; /* labels of a result → its place */
    struct prometheus_series *series;
    size_t n, cap;
    uint8_t *taken; /* one-to-one: [signatures × steps] that a series of the other side has met */
};

static struct prometheus_labels joined_labels(const struct joining *j, const struct prometheus_labels *many,
                                              const struct prometheus_labels *one) {
    const struct prometheus_node *node = j->node;
    struct arena *arena = j->eval->arena;
    struct prometheus_labels out;
    if (node->card == PROMETHEUS_ONE_TO_ONE) {
        if (node->on || !keeps_name(node)) return signature(j->eval, node, many);
        out = (struct prometheus_labels){arena_alloc(arena, (many->n + 1) * sizeof *out.items), 0};
        for (size_t i = 0; i < many->n; i++) {
            bool dropped = false;
            for (size_t k = 0; k < node->n_labels; k++)
                dropped = dropped || str_eq(many->items[i].name, node->labels[k]);
            if (!dropped) out.items[out.n++] = many->items[i];
        }
        return out;
    }
    out = keeps_name(node) ? *many : prometheus_labels_drop(many, NULL, 0, arena);
    for (size_t k = 0; k < node->n_include; k++)
        out = prometheus_labels_with(&out, node->include[k], prometheus_labels_get(one, node->include[k]), arena);
    return out;
}

static Err result_row(struct joining *j, const struct prometheus_labels *labels, double **out) {
    struct buf key = {0};
    uint64_t at;
    Err err = err_none();
    prometheus_labels_key(labels, &key);
    if (map_get(&j->made, buf_view(&key), &at)) {
        *out = j->series[at].values;
    } else {
        map_put(&j->made, buf_view(&key), j->n);
        err = prometheus_eval_rows(j->eval, 1, out);
        if (err.code == ERR_NONE) VEC_PUSH(j->series, j->n, j->cap, ((struct prometheus_series){*labels, *out}));
    }
    buf_fini(&key);
    return err;
}

static Err ambiguous(const struct joining *j, const char *side) {
    return err_make(ERR_STATE,
                    "two series of the %s side have the same labels of '%s': name the labels that tell them apart with "
                    "on (…), or say group_left or group_right",
                    side, prometheus_parse_operators[j->node->op].text);
}

static Err join_pair(struct joining *j, const struct prometheus_series *many, size_t one_at, size_t first,
                     double *row) {
    const struct prometheus_series *one = &j->one.value->series[one_at];
    bool swapped = j->node->card == PROMETHEUS_ONE_TO_MANY;
    for (size_t i = 0; i < j->eval->n; i++) {
        double a = many->values[i], b = one->values[i];
        if (prometheus_is_absent(a) || prometheus_is_absent(b)) continue;
        for (size_t k = first; k != SIZE_MAX; k = j->one.next[k])
            if (k != one_at && !prometheus_is_absent(j->one.value->series[k].values[i]))
                return ambiguous(j, swapped ? "left" : "right");
        if (j->taken) {
            uint8_t *taken = &j->taken[first * j->eval->n + i];
            if (*taken) return ambiguous(j, "left");
            *taken = 1;
        }
        double v = swapped ? result(j->node, b, a, b) : result(j->node, a, b, a);
        if (prometheus_is_absent(v)) continue;
        if (!prometheus_is_absent(row[i])) return ambiguous(j, swapped ? "right" : "left");
        row[i] = v;
    }
    return err_none();
}

static Err join_all(struct joining *j, const struct prometheus_value *many) {
    for (size_t s = 0; s < many->n_series; s++) {
        size_t first = side_find(&j->one, j->eval, j->node, &many->series[s].labels);
        for (size_t k = first; k != SIZE_MAX; k = j->one.next[k]) {
            double *row;
            struct prometheus_labels labels =
                joined_labels(j, &many->series[s].labels, &j->one.value->series[k].labels);
            TRY(result_row(j, &labels, &row));
            TRY(join_pair(j, &many->series[s], k, first, row));
        }
        TRY(prometheus_eval_alive(j->eval));
    }
    return err_none();
}

static Err join(struct prometheus_eval *eval, const struct prometheus_node *node, const struct prometheus_value *a,
                const struct prometheus_value *b, struct prometheus_value *out) {
    bool swapped = node->card == PROMETHEUS_ONE_TO_MANY;
    const struct prometheus_value *many = swapped ? b : a, *one = swapped ? a : b;
    struct joining j = {.eval = eval, .node = node};
    if (node->card == PROMETHEUS_ONE_TO_ONE) {
        TRY(prometheus_eval_take(eval, (one->n_series + 1) * eval->n));
        j.taken = arena_zero(eval->arena, (one->n_series + 1) * eval->n, 1);
    }
    side_open(eval, node, one, &j.one);
    map_init(&j.made);
    Err err = join_all(&j, many);
    *out = (struct prometheus_value){.type = PROMETHEUS_VECTOR, .n_series = j.n};
    out->series = arena_zero(eval->arena, j.n + 1, sizeof *out->series);
    for (size_t i = 0; i < j.n; i++) out->series[i] = j.series[i];
    side_close(&j.one);
    map_fini(&j.made);
    free(j.series);
    return err;
}

/* ---- */

Err prometheus_binary(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out) {
    struct prometheus_value a, b;
    TRY(prometheus_eval(eval, node->args[0], &a));
    TRY(prometheus_eval(eval, node->args[1], &b));
    if (a.type == PROMETHEUS_SCALAR && b.type == PROMETHEUS_SCALAR) {
        for (size_t i = 0; i < eval->n; i++) a.scalar[i] = result(node, a.scalar[i], b.scalar[i], a.scalar[i]);
        *out = a;
        return err_none();
    }
    if (a.type == PROMETHEUS_SCALAR || b.type == PROMETHEUS_SCALAR) {
        bool first = a.type == PROMETHEUS_SCALAR;
        *out = first ? b : a;
        out->ordered = false;
        return with_scalar(eval, node, first ? a.scalar : b.scalar, first, out);
    }
    if (node->op > PROMETHEUS_UNLESS) return join(eval, node, &a, &b, out);
    TRY(set_operation(eval, node, &a, &b));
    *out = a;
    out->ordered = false;
    return err_none();
}
