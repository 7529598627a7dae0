/*
 * Questions over series: which things, which time, then stages that make rows of rows. Every read passes through a lens
 * of things and series, as in insight/view.h, and shows nothing else. docs/series-query.md is the whole language, with
 * examples; serve/query_json.c reads it from JSON.
 *
 * A stage turns rows into rows: `where` drops rows, `window` and `by` group them, `select` computes, `having` drops
 * groups. The first stage's rows are what things reported: one a moment, with the columns `thing`, `time`, every metric
 * by its name and every tag as @name (the value it has now). A later stage's rows are those of the stage before.
 *
 *     struct query q = {.from = a, .to = b, .stages = stages, .n_stages = 2};
 *     TRY(query_run(engine, &lens, &q, sink, ctx));
 *
 * Trucks that drove more than 22 of the 24 ten-minute stretches of four hours:
 *     stage 1: window 10m, by thing, select v = avg(readings.velocity), having v > 1
 *     stage 2: by thing, select n = count(*), having n > 22
 */
#ifndef INSIGHT_QUERY_H
#define INSIGHT_QUERY_H

#include <stdatomic.h>

#include "insight/view.h"

#define QUERY_STAGES_MAX 8u
#define QUERY_COLUMNS_MAX 64u

/* How windows without rows are shown. */
enum query_fill { QUERY_FILL_NONE, QUERY_FILL_NULL, QUERY_FILL_PREVIOUS, QUERY_FILL_LINEAR, QUERY_FILL_VALUE };

/* A window's length: a span, or a number of calendar units in the query's zone. */
enum query_unit { QUERY_UNIT_SPAN, QUERY_UNIT_DAY, QUERY_UNIT_WEEK, QUERY_UNIT_MONTH, QUERY_UNIT_YEAR };
struct query_window {
    enum query_unit unit;
    int64_t n; /* ns of a span, or how many units; 0: no windows */
};
/* "10m", "1h30m", "1d" (of the zone's midnight), "1w" (Mondays), "1mo", "1y". */
Err query_window_parse(Str text, struct query_window *out);

/* A column that is made: `avg(readings.velocity)`, `max(a) - min(a)`, `percentile(x, 95)`, or without aggregates in a
 * stage that neither windows nor groups: `a / b`. */
struct query_select {
    Str name, expr;
};

struct query_stage {
    Str where; /* an expression over the incoming rows; empty: all */
    struct query_window window;
    const Str *by; /* names of incoming columns; "thing" is one, "@fleet" is one */
    size_t n_by;
    const struct query_select *select; /* none: every incoming column as it is */
    size_t n_select;
    Str having; /* over what was made */
    enum query_fill fill;
    double fill_value;
    const Str *order; /* names of columns, "-" before one turns it round; none: by group, then time */
    size_t n_order;
    size_t limit; /* of rows; with limit_by, of rows of each of those groups; 0: none */
    const Str *limit_by;
    size_t n_limit_by;
};

/* A condition on which things are read: their tag, model or name is one of these. */
struct query_pick {
    Str what;          /* "thing", "model" or a tag, as "@fleet" */
    const Str *values; /* [n]; `*` in a name stands for anything */
    size_t n;
    bool except; /* is none of these */
};

struct query_limits { /* 0: the default */
    size_t rows;      /* that come out; 1,000,000 */
    size_t bytes;     /* held while working; 256 MiB */
    Nanos time;       /* 30 s */
    const atomic_bool *cancel;
    bool (*gone)(void *ctx); /* asked now and then, from any thread: nobody waits for the answer any more */
    void *gone_ctx;
};

struct query {
    Nanos from, to; /* from <= t < to; to 0: now; from 0: seven days before `to` */
    Str zone;       /* IANA, as "Asia/Shanghai"; empty: UTC */
    const struct query_pick *picks;
    size_t n_picks;
    bool latest; /* the first stage's rows: for each thing, its newest values (time: the newest of them) */
    const struct query_stage *stages;
    size_t n_stages;
    unsigned workers; /* 0: as many as the machine has use for */
    struct query_limits limits;
};

/* The columns that come out; known before the first row. */
enum query_kind { QUERY_KIND_NUMBER, QUERY_KIND_STRING, QUERY_KIND_TIME, QUERY_KIND_ANY };
struct query_column {
    Str name;
    enum query_kind kind; /* ANY: a metric as it is, bools and texts among them */
};
struct query_sink {
    bool (*columns)(void *ctx, const struct query_column *columns, size_t n); /* false: enough, as below */
    bool (*row)(void *ctx, const Value *row, size_t n); /* times are VALUE_INT, in ns; borrowed for the call */
    void *ctx;
};
struct query_stats {
    uint64_t things, rows_read, rows_out;
    double seconds;
};

struct query_engine;
struct query_engine_options {
    struct view *view;
    struct series *series;
    struct things *things;
    const struct clock *clock;
    unsigned workers; /* at most at once in one query; 0: the machine's cores */
};
Err query_engine_open(const struct query_engine_options *options, struct query_engine **out);
void query_engine_close(struct query_engine *engine);

/*
 * Runs it; rows go to the sink as they are made, from one thread, in the order asked for. ERR_INVALID says which stage,
 * what, where and how to mend it; ERR_TOO_LARGE which limit and how to ask for less; ERR_TIMEOUT; ERR_CANCELLED;
 * ERR_FORBIDDEN when the lens shows nothing so fine. Blocks on the disk.
 */
Err query_run(struct query_engine *engine, const struct lens *lens, const struct query *query,
              const struct query_sink *sink, struct query_stats *stats);
/* Checks only: names are those that the lens shows. */
Err query_check(struct query_engine *engine, const struct lens *lens, const struct query *query);

#endif
