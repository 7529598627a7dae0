#include "serve/prometheus_eval.h"

#include <math.h>
#include <stdlib.h>

#include "base/map.h"
#include "os/clock.h"
#include "serve/prometheus_binary.h"
#include "serve/prometheus_functions.h"
#include "serve/prometheus_group.h"
#include "serve/prometheus_range.h"
#include "serve/prometheus_window.h"

Err prometheus_eval_alive(struct prometheus_eval *eval) {
    struct prometheus_budget *b = eval->budget;
    if (!atomic_load(&b->cancel) && clock_monotonic() < b->deadline) return err_none();
    atomic_store(&b->cancel, true);
    return err_make(ERR_TIMEOUT,
                    "the query took longer than it may: ask for a shorter time, a larger step or fewer series");
}

Err prometheus_eval_take(struct prometheus_eval *eval, size_t bytes) {
    struct prometheus_budget *b = eval->budget;
    if (bytes <= b->bytes && atomic_fetch_add(&b->used, bytes) + bytes <= b->bytes) return err_none();
    return err_make(ERR_LIMIT,
                    "the query needs more than %zu MiB: ask for fewer series, a shorter time or a larger step",
                    b->bytes >> 20);
}

Err prometheus_eval_rows(struct prometheus_eval *eval, size_t n, double **out) {
    size_t count;
    if (__builtin_mul_overflow(n, eval->n, &count) || count > SIZE_MAX / 16)
        return err_make(ERR_LIMIT, "the query has more points than there is memory: ask for fewer series");
    TRY(prometheus_eval_take(eval, count * sizeof **out));
    double absent = prometheus_absent();
    *out = arena_alloc(eval->arena, (count + 1) * sizeof **out);
    for (size_t i = 0; i < count; i++) (*out)[i] = absent;
    return err_none();
}

Err prometheus_eval_series(struct prometheus_eval *eval, size_t n, struct prometheus_value *out) {
    double *rows;
    *out = (struct prometheus_value){.type = PROMETHEUS_VECTOR, .n_series = n};
    TRY(prometheus_eval_take(eval, n * sizeof *out->series));
    TRY(prometheus_eval_rows(eval, n, &rows));
    out->series = arena_zero(eval->arena, n + 1, sizeof *out->series);
    for (size_t i = 0; i < n; i++) out->series[i].values = rows + i * eval->n;
    return err_none();
}

/* ---- the same labels */

static Err put_together(struct prometheus_eval *eval, struct prometheus_series *into,
                        const struct prometheus_series *from) {
    for (size_t i = 0; i < eval->n; i++) {
        if (prometheus_is_absent(from->values[i])) continue;
        if (!prometheus_is_absent(into->values[i])) {
            Str thing = prometheus_labels_get(&into->labels, STR("thing"));
            return err_make(ERR_STATE,
                            "two series have the same labels%s%.60s once the metric's name is dropped: aggregate them, "
                            "or keep a label that tells them apart",
                            thing.len ? ", of thing " : "", thing.len ? arena_c(eval->arena, thing) : "");
        }
        into->values[i] = from->values[i];
    }
    return err_none();
}

Err prometheus_eval_settle(struct prometheus_eval *eval, struct prometheus_value *value) {
    struct map known;
    struct buf key = {0};
    size_t kept = 0;
    Err err = err_none();
    map_init(&known);
    for (size_t i = 0; i < value->n_series && err.code == ERR_NONE; i++) {
        uint64_t place;
        buf_clear(&key);
        prometheus_labels_key(&value->series[i].labels, &key);
        if (map_get(&known, buf_view(&key), &place)) {
            err = put_together(eval, &value->series[place], &value->series[i]);
            continue;
        }
        map_put(&known, buf_view(&key), kept);
        value->series[kept++] = value->series[i];
    }
    value->n_series = kept;
    buf_fini(&key);
    map_fini(&known);
    return err;
}

Err prometheus_eval_unname(struct prometheus_eval *eval, struct prometheus_value *value) {
    for (size_t i = 0; i < value->n_series; i++)
        value->series[i].labels = prometheus_labels_drop(&value->series[i].labels, NULL, 0, eval->arena);
    return prometheus_eval_settle(eval, value);
}

/* ---- nodes */

static Err constant(struct prometheus_eval *eval, double number, struct prometheus_value *out) {
    *out = (struct prometheus_value){.type = PROMETHEUS_SCALAR};
    TRY(prometheus_eval_rows(eval, 1, &out->scalar));
    for (size_t i = 0; i < eval->n; i++) out->scalar[i] = number;
    return err_none();
}

static double negated(double v) { return -v; }

static Err apply(struct prometheus_eval *eval, prometheus_math_fn *math, struct prometheus_value *value) {
    if (value->type == PROMETHEUS_SCALAR) {
        for (size_t i = 0; i < eval->n; i++) value->scalar[i] = math(value->scalar[i]);
        return err_none();
    }
    for (size_t s = 0; s < value->n_series; s++)
        for (size_t i = 0; i < eval->n; i++) {
            double *v = &value->series[s].values[i];
            if (!prometheus_is_absent(*v)) *v = math(*v);
        }
    return prometheus_eval_unname(eval, value);
}

/* Parts of a date: of a vector's values, or of the time itself. */
static Err dates(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out) {
    if (node->n_args == 0) {
        TRY(prometheus_eval_series(eval, 1, out));
        for (size_t i = 0; i < eval->n; i++) out->series[0].values[i] = node->function->date(prometheus_time(eval, i));
        return err_none();
    }
    TRY(prometheus_eval(eval, node->args[0], out));
    for (size_t s = 0; s < out->n_series; s++)
        for (size_t i = 0; i < eval->n; i++) {
            double *v = &out->series[s].values[i];
            if (prometheus_is_absent(*v)) continue;
            *v = fabs(*v) < 9e9 ? node->function->date((Nanos)floor(*v) * NANOS_PER_S) : (double)NAN;
        }
    return prometheus_eval_unname(eval, out);
}

static Err call(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out) {
    const struct prometheus_function *f = node->function;
    if (f->window) return prometheus_range_call(eval, node, out);
    if (f->date) return dates(eval, node, out);
    if (f->call) return f->call(eval, node, out);
    TRY(prometheus_eval(eval, node->args[0], out));
    return apply(eval, f->math, out);
}

Err prometheus_eval(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out) {
    TRY(prometheus_eval_alive(eval));
    switch (node->kind) {
    case PROMETHEUS_NODE_NUMBER: return constant(eval, node->number, out);
    case PROMETHEUS_NODE_STRING:
        *out = (struct prometheus_value){.type = PROMETHEUS_STRING, .text = node->text};
        return err_none();
    case PROMETHEUS_NODE_SELECTOR: return prometheus_range_instant(eval, node, prometheus_window_last, out);
    case PROMETHEUS_NODE_NEGATE: TRY(prometheus_eval(eval, node->args[0], out)); return apply(eval, negated, out);
    case PROMETHEUS_NODE_BINARY: return prometheus_binary(eval, node, out);
    case PROMETHEUS_NODE_CALL: return call(eval, node, out);
    case PROMETHEUS_NODE_AGGREGATE: return prometheus_group(eval, node, out);
    case PROMETHEUS_NODE_SUBQUERY: break;
    }
    err_bug(__FILE__, __LINE__, "a range is no value");
}
