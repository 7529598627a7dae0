#include "kernel/kernel_series.h"

#include <math.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/jw.h"
#include "base/num.h"
#include "base/vec.h"
#include "kernel/anomaly.h"
#include "kernel/stats.h"

#define PROGRESS_EVERY 4096

/* Calls fn for each row; an empty value is NaN. */
typedef void row_fn(void *ctx, Str timestamp, double value);

static Err each_row(const struct kernel_call *call, const struct kernel_file *file, row_fn *fn, void *ctx) {
    struct csv csv;
    csv_open(&csv, file->name, file->bytes, call->arena);
    TRY(csv_header(&csv, "timestamp,value"));
    for (size_t n = 1;; n++) {
        bool more;
        Nanos at;
        double value = NAN;
        TRY(csv_next(&csv, &more));
        if (!more) return err_none();
        TRY(csv_time(&csv, 0, &at));
        if (csv.fields[1].len) TRY(csv_num(&csv, 1, &value));
        fn(ctx, csv.fields[0], value);
        if (call->progress && n % PROGRESS_EVERY == 0)
            call->progress(call->progress_ctx, 1 - (double)csv.rest.len / (double)(file->bytes.len + 1), "rows");
    }
}

/* ---- anomaly */
struct scoring {
    struct anomaly anomaly;
    struct buf *out;
    struct jw *json;
};

static void score_row(void *ctx, Str timestamp, double value) {
    struct scoring *s = ctx;
    char number[NUM_TEXT_MAX], score[NUM_TEXT_MAX];
    double p = anomaly_add(&s->anomaly, value);
    if (s->json) {
        jw_array(s->json);
        jw_str(s->json, timestamp), jw_num(s->json, value), jw_num(s->json, p);
        jw_array_end(s->json);
        return;
    }
    buf_str(s->out, timestamp);
    buf_byte(s->out, ',');
    if (!isnan(value)) buf_str(s->out, num_format(value, number));
    buf_byte(s->out, ',');
    buf_str(s->out, num_format(p, score));
    buf_byte(s->out, '\n');
}

static Err run_anomaly(const struct kernel_call *call) {
    struct jw w;
    struct scoring s = {.out = call->out, .json = call->json ? &w : NULL};
    anomaly_init(&s.anomaly, 0);
    jw_init(&w, call->out);
    if (call->json)
        jw_array(&w);
    else
        buf_c(call->out, "timestamp,value,anomaly_score\n");
    TRY(each_row(call, &call->files[0], score_row, &s));
    if (call->json) {
        jw_array_end(&w);
        buf_byte(call->out, '\n');
    }
    return err_none();
}

const struct kernel kernel_series_anomaly = {
    .name = "anomaly",
    .summary = "how unusual each value of a series is, by what came before it",
    .usage = "weft run anomaly [--json] FILE.csv",
    .input = "CSV with the columns timestamp,value (as in the Numenta Anomaly Benchmark)",
    .output = "CSV with the columns timestamp,value,anomaly_score; the score runs from 0 to 1",
    .min_files = 1,
    .max_files = 1,
    .run = run_anomaly,
};

/* ---- stats */
struct gathering {
    double *values;
    size_t n, cap, absent;
    struct stats_welford moments;
};

static void gather_row(void *ctx, Str timestamp, double value) {
    struct gathering *g = ctx;
    (void)timestamp;
    if (isnan(value)) {
        g->absent++;
        return;
    }
    if (g->n == g->cap) g->values = vec_grow(g->values, &g->cap, g->n + 1, sizeof *g->values);
    g->values[g->n++] = value;
    stats_welford_add(&g->moments, value);
}

static void put(struct jw *w, struct buf *out, const char *name, double value) {
    char text[NUM_TEXT_MAX];
    if (w)
        jw_knum(w, name, value);
    else
        buf_printf(out, "%s,%s\n", name, isnan(value) ? "" : num_format(value, text).ptr);
}

static void put_stats(const struct kernel_call *call, struct gathering *g) {
    static const struct {
        const char *name;
        double p;
    } quantiles[] = {{"minimum", 0}, {"p05", 0.05}, {"p25", 0.25}, {"median", 0.5},
                     {"p75", 0.75},  {"p95", 0.95}, {"maximum", 1}};
    struct jw writer, *w = call->json ? &writer : NULL;
    jw_init(&writer, call->out);
    if (w)
        jw_object(w);
    else
        buf_c(call->out, "statistic,value\n");
    put(w, call->out, "count", (double)g->n);
    put(w, call->out, "absent", (double)g->absent);
    put(w, call->out, "mean", g->n ? g->moments.mean : NAN);
    put(w, call->out, "standard_deviation", sqrt(stats_welford_variance(&g->moments)));
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        put(w, call->out, quantiles[i].name, stats_quantile(g->values, g->n, quantiles[i].p));
    put(w, call->out, "mad", stats_mad(g->values, g->n, stats_median(g->values, g->n)));
    if (!w) return;
    jw_object_end(w);
    buf_byte(call->out, '\n');
}

static Err run_stats(const struct kernel_call *call) {
    struct gathering g = {0};
    Err err = each_row(call, &call->files[0], gather_row, &g);
    if (err.code == ERR_NONE) put_stats(call, &g);
    free(g.values);
    return err;
}

const struct kernel kernel_series_stats = {
    .name = "stats",
    .summary = "count, mean, spread and quantiles of a series",
    .usage = "weft run stats [--json] FILE.csv",
    .input = "CSV with the columns timestamp,value",
    .output = "CSV with the columns statistic,value; mad is scaled to a standard deviation",
    .min_files = 1,
    .max_files = 1,
    .run = run_stats,
};
