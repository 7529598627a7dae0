/*
 * `samples`: what things reported, a row for each value. Of one metric of one thing it comes newest first, a page at a
 * time, so that `order by time desc limit 1` reads one page of a few.
 *
 * Under an agreement only what is given as single samples is here; what is given by the hour is in `windows`.
 */
#include <string.h>

#include "insight/view.h"
#include "serve/sql_inner.h"

enum { FIRST_PAGE = 200, C_THING = 0, C_METRIC, C_TIME, C_VALUE };

static const struct sql_table_column columns[] = {
    [C_THING] = {.name = "thing", .title_en = "Machine", .title_zh = "设备", .refers = "things"},
    [C_METRIC] = {.name = "metric", .title_en = "Metric", .title_zh = "指标"},
    [C_TIME] = {.name = "time", .title_en = "Time", .title_zh = "时间", .kind = SQL_TIME},
    [C_VALUE] = {.name = "value", .title_en = "Value", .title_zh = "值", .kind = SQL_ANY},
};

struct sample_scan {
    struct sql_scan scan;
    struct view_thing *things;
    size_t n_things, thing;
    struct arena names; /* of the metrics of the thing */
    struct view_latest *metrics;
    size_t n_metrics, metric;
    struct view_series page;
    size_t at, limit; /* at: points left, the newest is the last */
    Nanos from, to;   /* what is still to be read of the metric */
    uint64_t rows;
};

static bool samples_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    (void)t;
    return col == C_TIME ? op != DOC_IS_SET : op == DOC_EQ && col != C_VALUE;
}

static double samples_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    /* Far more than there are documents, so that a join reads these for each of those. */
    double rows = 8e6 * (double)(things_count(t->session->source->things, t->lens.party) + 1);
    if (eq[C_THING]) rows = 8e6;
    if (eq[C_METRIC]) rows /= 8;
    if (range[C_TIME]) rows /= 1000;
    return eq[C_TIME] ? 2 : rows;
}

static void note(struct sample_scan *x) {
    struct sql_table *t = x->scan.table;
    if (t->lens.agreement == 0 || t->what.len > 800) return;
    buf_printf(&t->what, "%s" STR_FMT " " STR_FMT, t->what.len ? "," : "", STR_ARG(x->page.thing),
               STR_ARG(x->page.metric));
}

/* The next older page of the metric; n 0: there is none. */
static Err load_page(struct sample_scan *x) {
    const struct sql_table *t = x->scan.table;
    x->at = 0;
    if (x->from >= x->to) return err_none();
    struct view_query query = {.thing = x->things[x->thing].row.name,
                               .metric = x->metrics[x->metric].metric,
                               .from = x->from,
                               .to = x->to,
                               .window = 0,
                               .limit = x->limit};
    TRY(sql_guard_check(t->session));
    arena_reset(&x->scan.page);
    Err err = view_series(t->session->source->view, &t->lens, &query, &x->scan.page, &x->page);
    if (err.code == ERR_NOT_FOUND) { /* nobody measures that */
        x->to = x->from;
        return err_none();
    }
    TRY(err);
    bool first = x->limit == FIRST_PAGE;
    x->limit = VIEW_POINTS_MAX;
    x->to = x->from;
    if (x->page.window != 0 || x->page.index) return err_none(); /* given, but not as single samples */
    x->at = x->page.n;
    if (x->page.n > 0 && x->page.cut) x->to = x->page.points[0].time;
    if (first && x->page.n > 0) note(x);
    return sql_scan_hold(&x->scan);
}

static void begin_metric(struct sample_scan *x) {
    x->from = INT64_MIN / 4;
    x->to = INT64_MAX / 2;
    x->limit = FIRST_PAGE;
    if (!sql_scan_span(&x->scan, C_TIME, &x->from, &x->to)) x->to = x->from;
}

static Err load_metrics(struct sample_scan *x) {
    const struct sql_table *t = x->scan.table;
    Str metric;
    x->metric = x->n_metrics = 0;
    arena_reset(&x->names);
    if (sql_scan_text(&x->scan, C_METRIC, &metric)) {
        x->metrics = arena_zero(&x->names, 1, sizeof *x->metrics);
        x->metrics->metric = metric;
        x->n_metrics = 1;
        return err_none();
    }
    Err err = view_latest(t->session->source->view, &t->lens, x->things[x->thing].row.name, &x->names, &x->metrics,
                          &x->n_metrics);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

/* On to a sample that there is: an older page, the next metric, the next thing. */
static Err settle(struct sample_scan *x) {
    while (x->at == 0) {
        TRY(load_page(x));
        if (x->at > 0 || x->from < x->to) continue;
        if (++x->metric < x->n_metrics) {
            begin_metric(x);
            continue;
        }
        if (++x->thing >= x->n_things) {
            x->scan.done = true;
            return err_none();
        }
        TRY(load_metrics(x));
        if (x->n_metrics > 0)
            begin_metric(x);
        else
            x->to = x->from;
    }
    return err_none();
}

static Err samples_next(struct sql_scan *scan) {
    struct sample_scan *x = (struct sample_scan *)scan;
    x->at--;
    return settle(x);
}

static Err load_things(struct sample_scan *x) {
    const struct sql_table *t = x->scan.table;
    Str name;
    if (!sql_scan_text(&x->scan, C_THING, &name))
        return view_fleet(t->session->source->view, &t->lens, (Str){0}, &x->scan.arena, &x->things, &x->n_things);
    x->things = arena_zero(&x->scan.arena, 1, sizeof *x->things);
    x->things->row.name = name;
    x->n_things = 1;
    return err_none();
}

static Err samples_begin(struct sql_scan *scan) {
    struct sample_scan *x = (struct sample_scan *)scan;
    TRY(load_things(x));
    scan->done = x->n_things == 0;
    if (scan->done) return err_none();
    TRY(load_metrics(x));
    if (x->n_metrics > 0) begin_metric(x);
    return settle(x);
}

static Err samples_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct sample_scan *x = (struct sample_scan *)scan;
    const struct view_point *p = &x->page.points[x->at - 1];
    switch (col) {
    case C_THING: *out = VALUE_S(x->things[x->thing].row.name); break;
    case C_METRIC: *out = VALUE_S(x->metrics[x->metric].metric); break;
    case C_TIME: *out = VALUE_I(p->time); break;
    default: *out = p->value;
    }
    return err_none();
}

static void samples_end(struct sql_scan *scan) { arena_fini(&((struct sample_scan *)scan)->names); }

static const struct sql_table_ops ops = {.scan_size = sizeof(struct sample_scan),
                                         .takes = samples_takes,
                                         .expects = samples_expects,
                                         .begin = samples_begin,
                                         .next = samples_next,
                                         .cell = samples_cell,
                                         .end = samples_end};

struct sql_table *sql_series_make(struct sql_session *s, Str name, const struct lens *lens) {
    static const struct sql_table_about about = {"samples",
                                                 "Samples",
                                                 "采样值",
                                                 "what machines reported, a row a value",
                                                 "设备上报的数据，每个值一行",
                                                 columns,
                                                 sizeof columns / sizeof *columns};
    return str_eq_nocase(name, STR("samples")) ? sql_names_new(s, &ops, lens, &about) : NULL;
}
