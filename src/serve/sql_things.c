/*
 * The machines: `things`, `tags` (their attributes, a row each), `metrics` (what models declare) and `latest` (the
 * newest value of each metric). A condition on the thing's name reads that one alone.
 */
#include <math.h>
#include <string.h>

#include "insight/view.h"
#include "serve/sql_inner.h"

#define COLUMNS(a) (a), sizeof(a) / sizeof *(a)

struct thing_scan {
    struct sql_scan scan;
    struct view_thing *things;
    size_t n, at;
    struct json *tags; /* of the thing */
    void *tag;
    Str key;
    const struct json *value;
    struct view_latest *latest;
    size_t n_latest, at_latest;
    size_t metric;
};

/* ---- the things of a scan */

static Err load_things(struct thing_scan *x, unsigned name_col, int model_col) {
    const struct sql_table *t = x->scan.table;
    struct view *view = t->session->source->view;
    Str name = {0}, model = {0};
    if (model_col >= 0) (void)sql_scan_text(&x->scan, (unsigned)model_col, &model);
    if (!sql_scan_text(&x->scan, name_col, &name)) {
        TRY(view_fleet(view, &t->lens, model, &x->scan.arena, &x->things, &x->n));
        return sql_scan_hold(&x->scan);
    }
    x->things = arena_zero(&x->scan.arena, 1, sizeof *x->things);
    Err err = view_thing(view, &t->lens, name, &x->scan.arena, x->things);
    if (err.code == ERR_NOT_FOUND) return err_none();
    x->n = err.code == ERR_NONE;
    return err;
}

static void note(struct thing_scan *x, Str name, Str more) {
    struct sql_table *t = x->scan.table;
    if (t->lens.agreement == 0 || t->what.len > 800) return;
    buf_printf(&t->what, "%s" STR_FMT "%s" STR_FMT, t->what.len ? "," : "", STR_ARG(name), more.len ? " " : "",
               STR_ARG(more));
}

static const struct thing_row *row_of(const struct thing_scan *x) { return &x->things[x->at].row; }

/* ---- things */

enum { T_NAME, T_MODEL, T_STATE, T_HEALTH, T_SEEN, T_LATITUDE, T_LONGITUDE, T_COMMISSIONED, T_CREATED, T_ATTRIBUTES };
static const struct sql_table_column thing_columns[] = {
    [T_NAME] = {.name = "name", .title_en = "Name", .title_zh = "名称"},
    [T_MODEL] = {.name = "model", .title_en = "Model", .title_zh = "型号"},
    [T_STATE] = {.name = "state", .title_en = "State", .title_zh = "状态"},
    [T_HEALTH] = {.name = "health", .title_en = "Health", .title_zh = "健康度", .kind = SQL_NUMBER},
    [T_SEEN] = {.name = "last_seen", .title_en = "Last seen", .title_zh = "最近上报", .kind = SQL_TIME},
    [T_LATITUDE] = {.name = "latitude", .title_en = "Latitude", .title_zh = "纬度", .kind = SQL_NUMBER},
    [T_LONGITUDE] = {.name = "longitude", .title_en = "Longitude", .title_zh = "经度", .kind = SQL_NUMBER},
    [T_COMMISSIONED] = {.name = "commissioned",
                        .title_en = "In service since",
                        .title_zh = "投运时间",
                        .kind = SQL_TIME},
    [T_CREATED] = {.name = "created", .title_en = "Created", .title_zh = "创建时间", .kind = SQL_TIME},
    [T_ATTRIBUTES] = {.name = "attributes", .title_en = "Attributes", .title_zh = "属性", .kind = SQL_JSON},
};

static bool things_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    (void)t;
    return op == DOC_EQ && (col == T_NAME || col == T_MODEL);
}

static double things_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    (void)range;
    if (eq[T_NAME]) return 1;
    double all = (double)things_count(t->session->source->things, t->lens.party) + 2;
    return eq[T_MODEL] ? all / 5 + 2 : all;
}

static Err things_next(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    x->at++;
    scan->done = x->at >= x->n;
    if (!scan->done) note(x, row_of(x)->name, (Str){0});
    return err_none();
}

static Err things_begin(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    TRY(load_things(x, T_NAME, T_MODEL));
    x->at = SIZE_MAX;
    return things_next(scan);
}

static Value number(double v) { return isnan(v) ? (Value){.kind = VALUE_NONE} : VALUE_F(v); }
static Value moment(Nanos t) { return t == 0 ? (Value){.kind = VALUE_NONE} : VALUE_I(t); }
static Value text(Str s) { return s.len == 0 ? (Value){.kind = VALUE_NONE} : VALUE_S(s); }

static Err things_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct thing_scan *x = (struct thing_scan *)scan;
    const struct view_thing *v = &x->things[x->at];
    bool own = scan->table->lens.agreement == 0; /* under one, a machine is its name and model */
    if (col > T_MODEL && !own) return err_none();
    switch (col) {
    case T_NAME: *out = VALUE_S(v->row.name); break;
    case T_MODEL: *out = VALUE_S(v->row.model); break;
    case T_STATE: *out = VALUE_S(str_c(view_state_name(v->state))); break;
    case T_HEALTH: *out = number(v->health); break;
    case T_SEEN: *out = moment(v->last_seen); break;
    case T_LATITUDE: *out = number(v->row.latitude); break;
    case T_LONGITUDE: *out = number(v->row.longitude); break;
    case T_COMMISSIONED: *out = moment(v->row.commissioned); break;
    case T_CREATED: *out = moment(v->row.created); break;
    default: *out = text(v->row.attributes);
    }
    return err_none();
}

static const struct sql_table_ops things_ops = {.scan_size = sizeof(struct thing_scan),
                                                .takes = things_takes,
                                                .expects = things_expects,
                                                .begin = things_begin,
                                                .next = things_next,
                                                .cell = things_cell};

/* ---- tags */

enum { G_THING, G_TAG, G_VALUE };
static const struct sql_table_column tag_columns[] = {
    [G_THING] = {.name = "thing", .title_en = "Machine", .title_zh = "设备", .refers = "things"},
    [G_TAG] = {.name = "tag", .title_en = "Tag", .title_zh = "标签"},
    [G_VALUE] = {.name = "value", .title_en = "Value", .title_zh = "值"},
};

static bool first_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    (void)t;
    return op == DOC_EQ && col == 0;
}

static double first_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    (void)range;
    return eq[0] ? 8 : 8 * (double)things_count(t->session->source->things, t->lens.party) + 8;
}

static Err tags_next(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    for (;;) {
        if (x->tags && json_kind(x->tags) == JSON_OBJECT && json_next(x->tags, &x->tag, &x->key, &x->value))
            return err_none();
        json_free(x->tags);
        x->tags = NULL;
        x->tag = NULL;
        if (++x->at >= x->n) break;
        Str attributes = row_of(x)->attributes;
        if (attributes.len > 0 && json_parse(attributes, &x->tags).code != ERR_NONE) x->tags = NULL;
    }
    scan->done = true;
    return err_none();
}

static Err tags_begin(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    TRY(load_things(x, G_THING, -1));
    x->at = SIZE_MAX;
    return tags_next(scan);
}

static Err tags_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct thing_scan *x = (struct thing_scan *)scan;
    if (col == G_THING) *out = VALUE_S(row_of(x)->name);
    if (col == G_TAG) *out = VALUE_S(x->key);
    if (col != G_VALUE || !x->value || json_kind(x->value) == JSON_NULL) return err_none();
    arena_reset(&scan->page);
    *out = VALUE_S(json_text(x->value, &scan->page));
    return err_none();
}

static void tags_end(struct sql_scan *scan) { json_free(((struct thing_scan *)scan)->tags); }

static const struct sql_table_ops tags_ops = {.scan_size = sizeof(struct thing_scan),
                                              .takes = first_takes,
                                              .expects = first_expects,
                                              .begin = tags_begin,
                                              .next = tags_next,
                                              .cell = tags_cell,
                                              .end = tags_end};

/* ---- latest */

enum { L_THING, L_METRIC, L_TIME, L_VALUE };
static const struct sql_table_column latest_columns[] = {
    [L_THING] = {.name = "thing", .title_en = "Machine", .title_zh = "设备", .refers = "things"},
    [L_METRIC] = {.name = "metric", .title_en = "Metric", .title_zh = "指标"},
    [L_TIME] = {.name = "time", .title_en = "Time", .title_zh = "时间", .kind = SQL_TIME},
    [L_VALUE] = {.name = "value", .title_en = "Value", .title_zh = "值", .kind = SQL_ANY},
};

static bool latest_takes(const struct sql_table *t, unsigned col, enum doc_op op) {
    (void)t;
    return op == DOC_EQ && (col == L_THING || col == L_METRIC);
}

static double latest_expects(const struct sql_table *t, const bool *eq, const bool *range) {
    double rows = first_expects(t, eq, range);
    return eq[L_METRIC] ? rows / 8 : rows;
}

static Err latest_next(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    Str metric = {0};
    bool one = sql_scan_text(scan, L_METRIC, &metric);
    for (x->at_latest++;; x->at_latest++) {
        if (x->at_latest >= x->n_latest) {
            if (++x->at >= x->n) break;
            TRY(sql_guard_check(scan->table->session));
            arena_reset(&scan->page);
            TRY(view_latest(scan->table->session->source->view, &scan->table->lens, row_of(x)->name, &scan->page,
                            &x->latest, &x->n_latest));
            x->at_latest = SIZE_MAX;
        } else if (!one || str_eq(x->latest[x->at_latest].metric, metric)) {
            note(x, row_of(x)->name, x->latest[x->at_latest].metric);
            return err_none();
        }
    }
    scan->done = true;
    return err_none();
}

static Err latest_begin(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    TRY(load_things(x, L_THING, -1));
    x->at = SIZE_MAX;
    return latest_next(scan);
}

static Err latest_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct thing_scan *x = (struct thing_scan *)scan;
    const struct view_latest *l = &x->latest[x->at_latest];
    switch (col) {
    case L_THING: *out = VALUE_S(row_of(x)->name); break;
    case L_METRIC: *out = VALUE_S(l->metric); break;
    case L_TIME: *out = VALUE_I(l->time); break;
    default: *out = l->value;
    }
    return err_none();
}

static const struct sql_table_ops latest_ops = {.scan_size = sizeof(struct thing_scan),
                                                .takes = latest_takes,
                                                .expects = latest_expects,
                                                .begin = latest_begin,
                                                .next = latest_next,
                                                .cell = latest_cell};

/* ---- metrics */

enum { M_MODEL, M_NAME, M_TITLE_EN, M_TITLE_ZH, M_UNIT, M_LOW, M_HIGH, M_COMPONENT };
static const struct sql_table_column metric_columns[] = {
    [M_MODEL] = {.name = "model", .title_en = "Model", .title_zh = "型号"},
    [M_NAME] = {.name = "name", .title_en = "Name", .title_zh = "名称"},
    [M_TITLE_EN] = {.name = "title_en", .title_en = "Title, English", .title_zh = "英文名"},
    [M_TITLE_ZH] = {.name = "title_zh", .title_en = "Title, Chinese", .title_zh = "中文名"},
    [M_UNIT] = {.name = "unit", .title_en = "Unit", .title_zh = "单位"},
    [M_LOW] = {.name = "low", .title_en = "Lower limit", .title_zh = "下限", .kind = SQL_NUMBER},
    [M_HIGH] = {.name = "high", .title_en = "Upper limit", .title_zh = "上限", .kind = SQL_NUMBER},
    [M_COMPONENT] = {.name = "component", .title_en = "Component", .title_zh = "部件"},
};

static const struct thing_model *model_at(const struct sql_scan *scan, size_t at) {
    return catalog_get(scan->table->session->source->catalog)->models[at];
}

static Err metrics_next(struct sql_scan *scan) {
    struct thing_scan *x = (struct thing_scan *)scan;
    const struct thing_model *model = model_at(scan, x->at);
    if (++x->metric < model->n_metrics) return err_none();
    x->metric = 0;
    do model = model_at(scan, ++x->at);
    while (model && model->n_metrics == 0);
    scan->done = !model;
    return err_none();
}

static Err metrics_begin(struct sql_scan *scan) {
    const struct thing_model *model = model_at(scan, 0);
    scan->done = !model;
    return !model || model->n_metrics > 0 ? err_none() : metrics_next(scan);
}

static Err metrics_cell(struct sql_scan *scan, unsigned col, Value *out) {
    struct thing_scan *x = (struct thing_scan *)scan;
    const struct thing_model *model = model_at(scan, x->at);
    const struct thing_metric *m = &model->metrics[x->metric];
    const char *const texts[] = {[M_MODEL] = model->name,
                                 [M_NAME] = m->name,
                                 [M_TITLE_EN] = m->title_en,
                                 [M_TITLE_ZH] = m->title_zh,
                                 [M_UNIT] = m->unit,
                                 [M_LOW] = NULL,
                                 [M_HIGH] = NULL,
                                 [M_COMPONENT] = m->component};
    if (col == M_LOW || col == M_HIGH)
        *out = number(col == M_LOW ? m->low : m->high);
    else
        *out = text(str_c(texts[col]));
    return err_none();
}

static const struct sql_table_ops metrics_ops = {
    .scan_size = sizeof(struct thing_scan), .begin = metrics_begin, .next = metrics_next, .cell = metrics_cell};

/* ---- */

static const struct {
    const struct sql_table_ops *ops;
    struct sql_table_about about;
} tables[] = {
    {&things_ops,
     {"things", "Machines", "设备", "every machine, how it is and where", "每台设备及其状态与位置",
      COLUMNS(thing_columns)}},
    {&tags_ops,
     {"tags", "Tags", "标签", "attributes of machines, a row each", "设备属性，每行一条", COLUMNS(tag_columns)}},
    {&latest_ops,
     {"latest", "Newest values", "最新值", "the newest value of each metric", "每个指标的最新值",
      COLUMNS(latest_columns)}},
    {&metrics_ops,
     {"metrics", "Metrics", "指标", "what the models of machines declare", "设备型号声明的指标",
      COLUMNS(metric_columns)}},
};

struct sql_table *sql_things_make(struct sql_session *s, Str name, const struct lens *lens) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct sql_table_about about = tables[i].about;
        if (!str_eq_nocase(name, str_c(about.name))) continue;
        if (lens->agreement != 0 && tables[i].ops == &tags_ops) return NULL; /* attributes are the owner's own */
        if (lens->agreement != 0 && tables[i].ops == &things_ops) about.n_columns = T_MODEL + 1;
        return sql_names_new(s, tables[i].ops, lens, &about);
    }
    return NULL;
}
