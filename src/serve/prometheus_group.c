#include "serve/prometheus_group.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/num.h"
#include "serve/prometheus_functions.h"
#include "serve/prometheus_json.h"
#include "serve/prometheus_window.h"

struct grouping {
    struct prometheus_eval *eval;
    const struct prometheus_node *node;
    const struct prometheus_value *in;
    struct prometheus_labels *labels; /* of each group */
    size_t *group;                    /* of each series */
    size_t n;                         /* groups */
};

static Err make_groups(struct grouping *g) {
    const struct prometheus_node *node = g->node;
    struct arena *arena = g->eval->arena;
    struct map known;
    struct buf key = {0};
    map_init(&known);
    TRY(prometheus_eval_take(g->eval, g->in->n_series * (sizeof *g->group + sizeof *g->labels)));
    g->group = arena_zero(arena, g->in->n_series + 1, sizeof *g->group);
    g->labels = arena_zero(arena, g->in->n_series + 1, sizeof *g->labels);
    for (size_t i = 0; i < g->in->n_series; i++) {
        const struct prometheus_labels *all = &g->in->series[i].labels;
        struct prometheus_labels labels = node->on ? prometheus_labels_keep(all, node->labels, node->n_labels, arena)
                                                   : prometheus_labels_drop(all, node->labels, node->n_labels, arena);
        uint64_t at;
        buf_clear(&key);
        prometheus_labels_key(&labels, &key);
        if (!map_get(&known, buf_view(&key), &at)) {
            at = g->n;
            map_put(&known, buf_view(&key), at);
            g->labels[g->n++] = labels;
        }
        g->group[i] = (size_t)at;
    }
    buf_fini(&key);
    map_fini(&known);
    return err_none();
}

/* ---- folded value by value */

struct fold {
    double count, sum, mean, squares, extreme;
};

static void fold_add(struct fold *f, enum prometheus_group what, double v) {
    f->count += 1;
    f->sum += v;
    double away = v - f->mean;
    f->mean += away / f->count;
    f->squares += away * (v - f->mean);
    bool better = what == PROMETHEUS_GROUP_MIN ? v < f->extreme : v > f->extreme;
    if (f->count == 1 || isnan(f->extreme) || better) f->extreme = v;
}

static double fold_end(const struct fold *f, enum prometheus_group what) {
    switch (what) {
    case PROMETHEUS_GROUP_SUM: return f->sum;
    case PROMETHEUS_GROUP_AVG: return f->sum / f->count;
    case PROMETHEUS_GROUP_COUNT: return f->count;
    case PROMETHEUS_GROUP_STDDEV: return sqrt(f->squares / f->count);
    case PROMETHEUS_GROUP_STDVAR: return f->squares / f->count;
    case PROMETHEUS_GROUP_GROUP: return 1;
    default: return f->extreme;
    }
}

static Err fold_groups(struct grouping *g, struct prometheus_value *out) {
    size_t steps = g->eval->n;
    enum prometheus_group what = g->node->function->group;
    struct fold *folds = calloc(g->n + 1, sizeof *folds);
    ASSERT(folds);
    Err err = prometheus_eval_series(g->eval, g->n, out);
    for (size_t i = 0; i < steps && err.code == ERR_NONE; i++) {
        for (size_t k = 0; k < g->n; k++) folds[k] = (struct fold){0};
        for (size_t s = 0; s < g->in->n_series; s++) {
            double v = g->in->series[s].values[i];
            if (!prometheus_is_absent(v)) fold_add(&folds[g->group[s]], what, v);
        }
        for (size_t k = 0; k < g->n; k++)
            if (folds[k].count > 0) out->series[k].values[i] = fold_end(&folds[k], what);
        if (i % 64 == 0) err = prometheus_eval_alive(g->eval);
    }
    for (size_t k = 0; k < out->n_series; k++) out->series[k].labels = g->labels[k];
    free(folds);
    return err;
}

/* ---- quantile, topk and bottomk: all values of a group at once */

struct ranked {
    double v;
    size_t series, group;
};

static int by_group(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (isnan(x->v) || isnan(y->v)) return (isnan(x->v) != 0) - (isnan(y->v) != 0); /* NaN last, either way */
    if (x->v != y->v) return x->v < y->v ? -1 : 1;
    return (x->series > y->series) - (x->series < y->series);
}

static int by_group_down(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->group != y->group || isnan(x->v) || isnan(y->v) || x->v == y->v) return by_group(a, b);
    return x->v > y->v ? -1 : 1;
}

static size_t present_at(const struct grouping *g, size_t i, struct ranked *out) {
    size_t n = 0;
    for (size_t s = 0; s < g->in->n_series; s++) {
        double v = g->in->series[s].values[i];
        if (!prometheus_is_absent(v)) out[n++] = (struct ranked){v, s, g->group[s]};
    }
    return n;
}

static size_t group_end(const struct ranked *all, size_t from, size_t n) {
    size_t to = from;
    while (to < n && all[to].group == all[from].group) to++;
    return to;
}

static void quantile_at(struct ranked *all, size_t n, double *scratch, double q, size_t i,
                        struct prometheus_value *out) {
    for (size_t from = 0, to; from < n; from = to) {
        to = group_end(all, from, n);
        for (size_t k = from; k < to; k++) scratch[k - from] = all[k].v;
        out->series[all[from].group].values[i] = prometheus_window_quantile_of(q, scratch, to - from);
    }
}

/* What is beyond the k first of its group leaves the answer. */
static void leave_out(const struct grouping *g, const struct ranked *all, size_t n, double k, size_t i) {
    double most = isnan(k) || k < 1 ? 0 : floor(k);
    for (size_t from = 0, to; from < n; from = to) {
        to = group_end(all, from, n);
        for (size_t at = from; at < to; at++)
            if ((double)(at - from) >= most) g->in->series[all[at].series].values[i] = prometheus_absent();
    }
}

/* At one time the answer stands in its order; over a span each series has its own. */
static void put_in_order(struct grouping *g, const struct ranked *all, size_t n, struct prometheus_value *out) {
    struct prometheus_series *series = arena_zero(g->eval->arena, n + 1, sizeof *series);
    size_t kept = 0;
    for (size_t at = 0; at < n; at++)
        if (!prometheus_is_absent(g->in->series[all[at].series].values[0]))
            series[kept++] = g->in->series[all[at].series];
    *out = (struct prometheus_value){.type = PROMETHEUS_VECTOR, .series = series, .n_series = kept, .ordered = true};
}

static Err rank_groups(struct grouping *g, const double *params, struct prometheus_value *out) {
    enum prometheus_group what = g->node->function->group;
    bool quantile = what == PROMETHEUS_GROUP_QUANTILE;
    size_t n = 0;
    struct ranked *all = calloc(g->in->n_series + 1, sizeof *all);
    double *scratch = calloc(g->in->n_series + 1, sizeof *scratch);
    ASSERT(all && scratch && params);
    Err err = quantile ? prometheus_eval_series(g->eval, g->n, out) : err_none();
    if (!quantile) *out = *g->in;
    for (size_t i = 0; i < g->eval->n && err.code == ERR_NONE; i++) {
        n = present_at(g, i, all);
        qsort(all, n, sizeof *all, what == PROMETHEUS_GROUP_TOPK ? by_group_down : by_group);
        if (quantile)
            quantile_at(all, n, scratch, params[i], i, out);
        else
            leave_out(g, all, n, params[i], i);
        err = prometheus_eval_alive(g->eval);
    }
    for (size_t k = 0; quantile && k < out->n_series; k++) out->series[k].labels = g->labels[k];
    if (!quantile && g->eval->n == 1) put_in_order(g, all, n, out);
    free(all);
    free(scratch);
    return err;
}

/* ---- count_values("label", vector): the value becomes a label */

static Err count_values(struct grouping *g, Str label, struct prometheus_value *out) {
    struct map known;
    struct buf key = {0};
    size_t most = 0, n = 0;
    for (size_t s = 0; s < g->in->n_series; s++)
        for (size_t i = 0; i < g->eval->n; i++) most += !prometheus_is_absent(g->in->series[s].values[i]);
    struct prometheus_series *series = calloc(most + 1, sizeof *series);
    ASSERT(series);
    map_init(&known);
    Err err = prometheus_eval_take(g->eval, most * sizeof *series);
    for (size_t s = 0; s < g->in->n_series && err.code == ERR_NONE; s++)
        for (size_t i = 0; i < g->eval->n && err.code == ERR_NONE; i++) {
            char text[PROMETHEUS_JSON_NUMBER_MAX];
            double v = g->in->series[s].values[i];
            uint64_t at;
            if (prometheus_is_absent(v)) continue;
            Str number = prometheus_json_number(v, text);
            buf_clear(&key);
            buf_u64le(&key, g->group[s]);
            buf_str(&key, number);
            if (!map_get(&known, buf_view(&key), &at)) {
                at = n++;
                map_put(&known, buf_view(&key), at);
                series[at].labels = prometheus_labels_with(&g->labels[g->group[s]], label,
                                                           arena_str(g->eval->arena, number), g->eval->arena);
                err = prometheus_eval_rows(g->eval, 1, &series[at].values);
                if (err.code != ERR_NONE) break;
            }
            ASSERT(series[at].values);
            double *count = &series[at].values[i];
            *count = prometheus_is_absent(*count) ? 1 : *count + 1;
        }
    *out = (struct prometheus_value){.type = PROMETHEUS_VECTOR, .n_series = n};
    out->series = arena_zero(g->eval->arena, n + 1, sizeof *out->series);
    for (size_t i = 0; i < n; i++) out->series[i] = series[i];
    buf_fini(&key);
    map_fini(&known);
    free(series);
    return err.code == ERR_NONE ? prometheus_eval_settle(g->eval, out) : err;
}

Err prometheus_group(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out) {
    struct prometheus_value in, param = {.type = PROMETHEUS_SCALAR};
    TRY(prometheus_eval(eval, node->args[0], &in));
    if (node->n_args == 2) TRY(prometheus_eval(eval, node->args[1], &param));
    struct grouping g = {.eval = eval, .node = node, .in = &in};
    TRY(make_groups(&g));
    switch (node->function->group) {
    case PROMETHEUS_GROUP_TOPK:
    case PROMETHEUS_GROUP_BOTTOMK:
    case PROMETHEUS_GROUP_QUANTILE: return rank_groups(&g, param.scalar, out);
    case PROMETHEUS_GROUP_COUNT_VALUES: return count_values(&g, param.text, out);
    default: return fold_groups(&g, out);
    }
}
