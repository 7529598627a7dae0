/*
 * Tables that the engine of questions over series computes (insight/query.h):
 *
 *   windows        aggregates of one metric over stretches of time: `where metric = 'volt' and width = '10m'`
 *   a model, `pump`, or the first part of metrics' names, `readings` of readings.velocity: a row a moment, a column a
 *                  metric
 *
 * What comes out of one question is held while SQLite reads it, within the statement's memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "insight/view.h"
#include "serve/sql_inner.h"

enum { LOOKED_AT = 500, METRICS_MAX = 60, HOLD_EVERY = 4096 };
#define ALWAYS (INT64_MIN / 2)

struct wide_scan {
    struct sql_scan scan;
    Value *cells; /* [n × width] */
    size_t n, width, at, cap;
    int from[SQL_COLUMNS_MAX]; /* column of the table → of the answer, -1: it is not in it */
    Err err;
};

struct wide_data {
    Str prefix, model;  /* of a table of metrics */
    const Str *metrics; /* [n_columns], the full names; empty: thing and time */
};

/* ---- the engine's rows, held */

static bool take_columns(void *ctx, const struct query_column *columns, size_t n) {
    struct wide_scan *x = ctx;
    const struct sql_table *t = x->scan.table;
    x->width = n;
    for (size_t i = 0; i < t->about.n_columns; i++) {
        x->from[i] = -1;
        for (size_t k = 0; k < n; k++) {
            const char *name = strcmp(t->about.columns[i].name, "start") == 0 ? "time" : t->about.columns[i].name;
            if (str_eq_c(columns[k].name, name)) x->from[i] = (int)k;
        }
    }
    return true;
}

static bool take_row(void *ctx, const Value *row, size_t n) {
    struct wide_scan *x = ctx;
    for (size_t i = 0; i < n; i++) {
        Value v = row[i];
        if (v.kind == VALUE_STRING) v.s = arena_str(&x->scan.page, v.s);
        VEC_PUSH(x->cells, x->at, x->cap, v);
    }
    x->n++;
    if (x->n % HOLD_EVERY != 0) return true;
    if (x->err.code == ERR_NONE) x->err = sql_guard_check(x->scan.table->session);
    if (x->err.code == ERR_NONE) x->err = sql_scan_hold_more(&x->scan, x->cap * sizeof *x->cells);
    return x->err.code == ERR_NONE;
}

static Err ask(struct wide_scan *x, struct query *query) {
    const struct sql_session *s = x->scan.table->session;
    struct query_sink sink = {take_columns, take_row, x};
    struct query_stats stats;
    Nanos left = s->deadline - clock_monotonic();
    query->limits = (struct query_limits){.rows = 20000000, .bytes = s->heap.limit, .time = left > 0 ? left : 1};
    x->at = 0;
    Err err = query_run(s->source->engine, &x->scan.table->lens, query, &sink, &stats);
    x->at = 0;
    x->scan.done = x->n == 0;
    TRY(x->err);
    if (err.code == ERR_NOT_FOUND) { /* nobody measures that */
        x->scan.done = true;
        return err_none();
    }
    TRY(err);
    return sql_scan_hold_more(&x->scan, x->cap * sizeof *x->cells);
}

static Err wide_next(struct sql_scan *scan) {
    struct wide_scan *x = (struct wide_scan *)scan;
    scan->done = ++x->at >= x->n;
    return err_none();
}

static Err wide_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct wide_scan *x = (struct wide_scan *)scan;
    if (x->from[col] >= 0) *out = x->cells[x->at * x->width + (size_t)x->from[col]];
    return err_none();
}

static void wide_end(struct sql_scan *scan) { free(((struct wide_scan *)scan)->cells); }

static Str quoted(struct arena *arena, Str name) {
    struct buf out = {0};
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"') buf_byte(&out, '"');
        buf_byte(&out, (uint8_t)name.ptr[i]);
    }
    Str text = arena_printf(arena, "\"" STR_FMT "\"", STR_ARG(buf_view(&out)));
    buf_fini(&out);
    return text;
}

/* Was it ever reported, by anybody? The engine has no column of what was not; here it is one without values. */
static bool is_known(struct wide_scan *x, Str metric) {
    struct query_select select = {STR("v"), quoted(&x->scan.arena, metric)};
    struct query_stage stage = {.select = &select, .n_select = 1};
    struct query query = {.stages = &stage, .n_stages = 1};
    const struct sql_table *t = x->scan.table;
    return query_check(t->session->source->engine, &t->lens, &query).code == ERR_NONE;
}

/* Which things, and from when to when. */
static bool set_scope(struct wide_scan *x, struct query *query, struct query_pick *pick, Str *value, unsigned thing,
                      unsigned time, Str model) {
    query->from = ALWAYS;
    query->to = INT64_MAX / 2;
    bool any = sql_scan_span(&x->scan, time, &query->from, &query->to);
    pick->values = value;
    pick->n = 1;
    if (sql_scan_text(&x->scan, thing, value))
        pick->what = STR("thing");
    else if (model.len > 0) {
        pick->what = STR("model");
        *value = model;
    }
    query->picks = pick;
    query->n_picks = pick->what.len > 0;
    return any && !(pick->what.len > 0 && memchr(value->ptr, '*', value->len)); /* a star would be a pattern */
}

/* ---- windows */

enum {
    W_THING,
    W_METRIC,
    W_START,
    W_COUNT,
    W_AVG,
    W_MIN,
    W_MAX,
    W_SUM,
    W_FIRST,
    W_LAST,
    W_STDDEV,
    W_MEDIAN,
    W_WIDTH,
    W_ZONE
};
static const struct sql_table_column window_columns[] = {
    [W_THING] = {.name = "thing", .title_en = "Machine", .title_zh = "设备", .refers = "things"},
    [W_METRIC] = {.name = "metric", .title_en = "Metric", .title_zh = "指标"},
    [W_START] = {.name = "start", .title_en = "Start", .title_zh = "起始时间", .kind = SQL_TIME},
    [W_COUNT] = {.name = "count", .title_en = "Samples", .title_zh = "样本数", .kind = SQL_INT},
    [W_AVG] = {.name = "avg", .title_en = "Mean", .title_zh = "平均值", .kind = SQL_NUMBER},
    [W_MIN] = {.name = "min", .title_en = "Least", .title_zh = "最小值", .kind = SQL_NUMBER},
    [W_MAX] = {.name = "max", .title_en = "Greatest", .title_zh = "最大值", .kind = SQL_NUMBER},
    [W_SUM] = {.name = "sum", .title_en = "Sum", .title_zh = "合计", .kind = SQL_NUMBER},
    [W_FIRST] = {.name = "first", .title_en = "First", .title_zh = "首值", .kind = SQL_ANY},
    [W_LAST] = {.name = "last", .title_en = "Last", .title_zh = "末值", .kind = SQL_ANY},
    [W_STDDEV] = {.name = "stddev", .title_en = "Spread", .title_zh = "标准差", .kind = SQL_NUMBER},
    [W_MEDIAN] = {.name = "median", .title_en = "Median", .title_zh = "中位数", .kind = SQL_NUMBER},
    [W_WIDTH] = {.name = "width", .title_en = "Width", .title_zh = "窗口宽度", .input = true},
    [W_ZONE] = {.name = "zone", .title_en = "Time zone", .title_zh = "时区", .input = true},
};

static bool windows_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    (void)t;
    if (col == W_START) return op != DOC_IS_SET;
    return op == DOC_EQ && (col == W_THING || col == W_METRIC);
}

static double windows_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    double rows = 1e5 * (double)(things_count(t->session->source->things, t->lens.party) + 1);
    if (eq[W_THING]) rows = 1e5;
    if (!eq[W_METRIC] || !eq[W_WIDTH]) rows *= 1e6; /* cannot be: the other order of the join gives them */
    if (range[W_START]) rows /= 100;
    return rows;
}

static Err select_windows(struct wide_scan *x, Str metric, struct query_select *select, size_t *n) {
    struct arena *arena = &x->scan.arena;
    Str name = quoted(arena, metric);
    *n = 0;
    for (unsigned i = W_COUNT; i <= W_MEDIAN; i++) {
        if (!sql_scan_uses(&x->scan, i) && i != W_COUNT) continue;
        select[(*n)++] =
            (struct query_select){str_c(window_columns[i].name),
                                  arena_printf(arena, "%s(" STR_FMT ")", window_columns[i].name, STR_ARG(name))};
    }
    return err_none();
}

static Nanos longest(const struct query_window *w) {
    static const Nanos units[] = {[QUERY_UNIT_SPAN] = 1,
                                  [QUERY_UNIT_DAY] = 25 * NANOS_PER_HOUR,
                                  [QUERY_UNIT_WEEK] = 8 * NANOS_PER_DAY,
                                  [QUERY_UNIT_MONTH] = 32 * NANOS_PER_DAY,
                                  [QUERY_UNIT_YEAR] = 367 * NANOS_PER_DAY};
    Nanos out;
    return __builtin_mul_overflow(w->n, units[w->unit], &out) || out > 4000 * NANOS_PER_DAY ? 4000 * NANOS_PER_DAY
                                                                                            : out;
}

static Err windows_begin(struct sql_scan *scan) {
    struct wide_scan *x = (struct wide_scan *)scan;
    static const Str by[] = {STR_INIT("thing")};
    struct query_select select[W_MEDIAN];
    struct query_pick pick = {.n = 0};
    struct query_stage stage = {.by = by, .n_by = 1, .select = select};
    struct query query = {.stages = &stage, .n_stages = 1};
    Str metric, width, thing;
    if (!sql_scan_text(scan, W_METRIC, &metric) || !sql_scan_text(scan, W_WIDTH, &width))
        return err_make(ERR_INVALID, "'windows' needs its metric and width: where metric = 'volt' and width = '10m'");
    TRY(query_window_parse(width, &stage.window));
    (void)sql_scan_text(scan, W_ZONE, &query.zone);
    scan->done = !set_scope(x, &query, &pick, &thing, W_THING, W_START, (Str){0}) || !is_known(x, metric);
    if (scan->done) return err_none();
    TRY(select_windows(x, metric, select, &stage.n_select));
    struct sql_table *t = scan->table;
    if (t->lens.agreement && t->what.len < 800)
        buf_printf(&t->what, "%s" STR_FMT " " STR_FMT, t->what.len ? "," : "", STR_ARG(metric), STR_ARG(width));
    if (query.to < INT64_MAX / 4)
        query.to += longest(&stage.window); /* the last stretch begins before it, and is whole */
    return ask(x, &query);
}

static Err windows_cell(struct sql_scan *scan, unsigned col, Value *out) {
    Str metric;
    if (col != W_METRIC) return wide_cell(scan, col, out);
    if (sql_scan_text(scan, W_METRIC, &metric)) *out = VALUE_S(metric);
    return err_none();
}

static const struct sql_table_ops windows_ops = {.scan_size = sizeof(struct wide_scan),
                                                 .takes = windows_takes,
                                                 .expects = windows_expects,
                                                 .begin = windows_begin,
                                                 .next = wide_next,
                                                 .cell = windows_cell,
                                                 .end = wide_end};

/* ---- a column a metric */

enum { M_THING, M_TIME, M_FIRST };

static bool metrics_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    (void)t;
    return col == M_TIME ? op != DOC_IS_SET : col == M_THING && op == DOC_EQ;
}

static double metrics_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    double rows = 1e6 * (double)(things_count(t->session->source->things, t->lens.party) + 1);
    if (eq[M_THING]) rows = 1e6;
    if (range[M_TIME]) rows /= 1000;
    return eq[M_TIME] ? 2 : rows;
}

/* A moment at which none of the metrics was reported is none of this table's. */
static Str any_of(struct wide_scan *x, const struct wide_data *d) {
    Str where = {0};
    for (size_t i = M_FIRST; i < x->scan.table->about.n_columns; i++)
        if (is_known(x, d->metrics[i]))
            where = arena_printf(&x->scan.arena, STR_FMT "%s" STR_FMT " is not null", STR_ARG(where),
                                 where.len ? " or " : "", STR_ARG(quoted(&x->scan.arena, d->metrics[i])));
    return where;
}

static Err metrics_begin(struct sql_scan *scan) {
    struct wide_scan *x = (struct wide_scan *)scan;
    const struct wide_data *d = scan->table->data;
    struct query_select select[METRICS_MAX + M_FIRST] = {{STR("thing"), STR("thing")}, {STR("time"), STR("time")}};
    struct query_pick pick = {.n = 0};
    struct query_stage stage = {.select = select, .n_select = M_FIRST, .where = any_of(x, d)};
    struct query query = {.stages = &stage, .n_stages = 1};
    Str thing;
    scan->done = !set_scope(x, &query, &pick, &thing, M_THING, M_TIME, d->model) || stage.where.len == 0;
    if (scan->done) return err_none();
    for (unsigned i = M_FIRST; i < scan->table->about.n_columns; i++)
        if (sql_scan_uses(scan, i) && is_known(x, d->metrics[i]))
            select[stage.n_select++] =
                (struct query_select){str_c(scan->table->about.columns[i].name), quoted(&scan->arena, d->metrics[i])};
    return ask(x, &query);
}

static const struct sql_table_ops metrics_ops = {.scan_size = sizeof(struct wide_scan),
                                                 .takes = metrics_takes,
                                                 .expects = metrics_expects,
                                                 .begin = metrics_begin,
                                                 .next = wide_next,
                                                 .cell = wide_cell,
                                                 .end = wide_end};

struct making {
    struct sql_session *s;
    struct sql_table_column *columns;
    Str *metrics;
    size_t n;
};

static void add_column(struct making *m, Str name, Str metric, const struct thing_metric *declared) {
    for (size_t i = 0; i < m->n; i++)
        if (str_eq_nocase(name, str_c(m->columns[i].name))) return;
    if (m->n == METRICS_MAX || name.len == 0 || memchr(name.ptr, '"', name.len)) return;
    m->metrics[m->n] = metric;
    m->columns[m->n++] = (struct sql_table_column){.name = arena_c(m->s->arena, name),
                                                   .title_en = declared ? declared->title_en : NULL,
                                                   .title_zh = declared ? declared->title_zh : NULL,
                                                   .unit = declared ? declared->unit : NULL,
                                                   .kind = metric.len ? SQL_ANY : SQL_TEXT};
}

/* What some of the machines report now; all of a fleet report alike. */
static Err add_reported(struct making *m, const struct lens *lens, Str prefix, Str model) {
    struct thing_row *things;
    size_t n, n_latest;
    struct view_latest *latest;
    TRY(things_list(m->s->source->things, lens, model, m->s->arena, &things, &n));
    for (size_t i = 0, step = n / LOOKED_AT + 1; i < n; i += step) {
        if (view_latest(m->s->source->view, lens, things[i].name, m->s->arena, &latest, &n_latest).code != ERR_NONE)
            continue;
        for (size_t k = 0; k < n_latest; k++)
            if (str_starts(latest[k].metric, prefix))
                add_column(m, str_slice(latest[k].metric, prefix.len, latest[k].metric.len), latest[k].metric, NULL);
    }
    return err_none();
}

static struct sql_table *make_metrics(struct sql_session *s, Str name, const struct lens *lens) {
    const struct thing_model *model = catalog_model(catalog_get(s->source->catalog), name);
    struct wide_data *d = arena_zero(s->arena, 1, sizeof *d);
    struct making m = {s, arena_zero(s->arena, METRICS_MAX, sizeof *m.columns),
                       arena_zero(s->arena, METRICS_MAX, sizeof *m.metrics), 0};
    add_column(&m, STR("thing"), (Str){0}, NULL);
    add_column(&m, STR("time"), (Str){0}, NULL);
    m.columns[M_TIME].kind = SQL_TIME;
    m.columns[M_THING].refers = "things";
    for (size_t i = 0; model && i < model->n_metrics; i++)
        add_column(&m, str_c(model->metrics[i].name), str_c(model->metrics[i].name), &model->metrics[i]);
    if (model)
        d->model = str_c(model->name);
    else
        d->prefix = arena_printf(s->arena, STR_FMT ".", STR_ARG(name));
    if (add_reported(&m, lens, d->prefix, d->model).code != ERR_NONE || m.n == M_FIRST) return NULL;
    d->metrics = m.metrics;
    struct sql_table_about about = {.name = arena_c(s->arena, name),
                                    .title_en = model ? model->title_en : NULL,
                                    .title_zh = model ? model->title_zh : NULL,
                                    .about_en = "what machines reported, a row a moment, a column a metric",
                                    .about_zh = "设备上报的数据，每个时刻一行，每个指标一列",
                                    .columns = m.columns,
                                    .n_columns = m.n};
    struct sql_table *t = sql_names_new(s, &metrics_ops, lens, &about);
    t->data = d;
    return t;
}

struct sql_table *sql_wide_make(struct sql_session *s, Str name, const struct lens *lens) {
    static const struct sql_table_about about = {"windows",
                                                 "Windows",
                                                 "时间窗口",
                                                 "aggregates of a metric over stretches of time",
                                                 "指标按时间窗口的聚合",
                                                 window_columns,
                                                 sizeof window_columns / sizeof *window_columns};
    if (!s->source->engine) return NULL;
    if (str_eq_nocase(name, STR("windows"))) return sql_names_new(s, &windows_ops, lens, &about);
    return lens->agreement == 0 ? make_metrics(s, name, lens) : NULL; /* single moments: samples has what is given */
}
