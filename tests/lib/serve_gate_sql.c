#include "tests/lib/serve_gate_sql.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int ask(struct world *w, const char *sql, struct json **tree, char detail[256]) {
    char target[900], escaped[800];
    *tree = NULL;
    snprintf(target, sizeof target, "/api/v1/sql?sql=%s", gate_world_escape(sql, escaped, sizeof escaped));
    return gate_world_ask(w, target, tree, detail);
}

static void refused(struct world *w, const char *sql, int status, const char *detail) {
    char target[900], escaped[800];
    snprintf(target, sizeof target, "/api/v1/sql?sql=%s", gate_world_escape(sql, escaped, sizeof escaped));
    gate_world_refused(w, target, status, detail);
}

static void fault(struct world *w, const char *sql, const char *what) { gate_world_fault(w, sql, what, w->last); }

/* ---- documents */

static bool readable(struct world *w, size_t type, const char *sql) {
    char text[128];
    if (type == 2 && !w->may_memo) {
        refused(w, sql, 403, NULL);
        return false;
    }
    if (w->model.terms[type].given && !w->model.terms[type].aggregates) return true;
    snprintf(text, sizeof text, "AG-%06lld gives nothing of '%s'", w->agreement, serve_types[type]->name);
    refused(w, sql, 403, w->model.terms[type].aggregates ? NULL : text);
    return false;
}

static bool same_time(const struct json *a, const struct json *b) {
    Nanos s, t;
    return json_kind(a) == JSON_STRING && json_kind(b) == JSON_STRING && time_parse(json_str(a), &s).code == ERR_NONE &&
           time_parse(json_str(b), &t).code == ERR_NONE && s == t;
}

static bool same_value(enum field_kind kind, const struct json *got, const struct json *want) {
    if (kind == FIELD_REF && json_kind(want) == JSON_OBJECT)
        return json_kind(got) == JSON_INT && json_int(got) == json_get_int(want, "id", -1);
    if (kind == FIELD_TIME && json_kind(want) == JSON_STRING) return same_time(got, want);
    struct buf x = {0}, y = {0};
    json_dump(got, &x);
    json_dump(want, &y);
    bool same = str_eq(buf_view(&x), buf_view(&y));
    if (kind == FIELD_NUMBER && json_kind(want) != JSON_NULL && json_kind(got) != JSON_NULL)
        same = json_num(got) == json_num(want);
    buf_fini(&x);
    buf_fini(&y);
    return same;
}

/* "customer_id" → customer */
static int column_of(const struct world *w, size_t type, Str name) {
    int column = gate_model_column(&w->model, type, name);
    if (column < 0 && str_ends(name, STR("_id")))
        column = gate_model_column(&w->model, type, str_slice(name, 0, name.len - 3));
    return column;
}

static bool same_row(const struct world *w, size_t type, const struct json *columns, const struct json *row,
                     const struct json *doc) {
    for (size_t i = 0; i < json_len(columns); i++) {
        Str name = json_get_str(json_at(columns, i), "name", (Str){0});
        if (str_eq_c(name, "id")) {
            if (json_int(json_at(row, i)) != json_get_int(doc, "id", -1)) return false;
            continue;
        }
        int column = column_of(w, type, name);
        if (column < 0 || !given(w, type, column)) return false;
        const struct json *want = json_get(doc, gate_model_column_name(&w->model, type, column));
        if (!want || !same_value(gate_model_kind(&w->model, type, column), json_at(row, i), want)) return false;
    }
    return true;
}

static size_t columns_given(const struct world *w, size_t type) {
    size_t n = 1;
    for (size_t c = 0; c < gate_model_columns(&w->model, type); c++) n += given(w, type, (int)c);
    return n;
}

/* A condition on a given column, of a value that a document has. */
static int draw_condition(struct world *w, size_t type, char *sql, size_t size, char value[64]) {
    int column = (int)below(w, gate_model_columns(&w->model, type));
    enum field_kind kind = gate_model_kind(&w->model, type, column);
    const struct json *from = json_at(docs_of(w, type), below(w, json_len(docs_of(w, type))));
    bool plain = kind == FIELD_TEXT || kind == FIELD_INT || kind == FIELD_CHOICE || kind == FIELD_THING ||
                 kind == FIELD_TIME || kind == FIELD_DECIMAL;
    const char *name = gate_model_column_name(&w->model, type, column);
    bool quoted = kind != FIELD_INT && kind != FIELD_DECIMAL;
    if (!plain || !given(w, type, column) || !gate_model_text(from, name, value) || strchr(value, '\'')) return -1;
    size_t n = strlen(sql);
    snprintf(sql + n, size - n, quoted ? " where \"%s\" = '%s'" : " where \"%s\" = %s", name, value);
    return column;
}

static void probe_rows(struct world *w, size_t type) {
    char sql[400], detail[256], value[64];
    struct json *tree;
    snprintf(sql, sizeof sql, "select * from \"%s\"", serve_types[type]->name);
    int column = chance(w, 60) ? draw_condition(w, type, sql, sizeof sql, value) : -1;
    bool down = chance(w, 50);
    strcat(sql, down ? " order by id desc" : " order by id");
    if (!readable(w, type, sql)) return;
    int status = ask(w, sql, &tree, detail);
    const struct json *rows = json_get(tree, "rows"), *columns = json_get(tree, "columns"), *docs = docs_of(w, type);
    bool same = status == 200 && rows && json_len(columns) == columns_given(w, type);
    size_t n = 0;
    for (size_t i = 0; same && i < json_len(docs); i++) {
        const struct json *doc = json_at(docs, down ? i : json_len(docs) - 1 - i); /* newest id first */
        if (!gate_model_shows(&w->model, type, doc)) continue;
        if (column >= 0 && !gate_model_holds(gate_model_kind(&w->model, type, column), doc,
                                             gate_model_column_name(&w->model, type, column), "=", value))
            continue;
        same = n < json_len(rows) && same_row(w, type, columns, json_at(rows, n), doc);
        n++;
    }
    if (!same || n != json_len(rows)) fault(w, sql, "not the rows that are given");
    json_free(tree);
}

/* What is not given is no column: not shown, not in a condition, not in an order. */
static void probe_hidden(struct world *w, size_t type) {
    char sql[300], text[128], detail[256];
    struct json *tree;
    int column = (int)below(w, gate_model_columns(&w->model, type));
    const char *name = gate_model_column_name(&w->model, type, column);
    bool ref = gate_model_kind(&w->model, type, column) == FIELD_REF; /* its number is never given */
    size_t form = below(w, 4);
    if (form == 0)
        snprintf(sql, sizeof sql, "select \"%s\" from \"%s\"", name, serve_types[type]->name);
    else if (form == 1)
        snprintf(sql, sizeof sql, "select id from \"%s\" order by \"%s\"", serve_types[type]->name, name);
    else if (form == 2)
        snprintf(sql, sizeof sql, "select count(*) from \"%s\" where \"%s\" is not null", serve_types[type]->name,
                 name);
    else
        snprintf(sql, sizeof sql, "select 1 from \"%s\" group by \"%s\"", serve_types[type]->name, name);
    if (!readable(w, type, sql)) return;
    if (given(w, type, column) && !ref) return;
    int status = ask(w, sql, &tree, detail);
    snprintf(text, sizeof text, "no column '%s'", name);
    if (status != 400 || !strstr(detail, text)) fault(w, sql, "a column that is not given");
    json_free(tree);
}

/* ---- machines and series */

static bool any_series(struct world *w, const char *sql) {
    char text[128];
    if (w->model.n_series > 0) return true;
    snprintf(text, sizeof text, "AG-%06lld gives no machines and no series", w->agreement);
    refused(w, sql, 403, text);
    return false;
}

static void probe_things(struct world *w) {
    const char *sql = "select * from things order by name";
    char detail[256];
    struct json *tree;
    size_t n = 0;
    if (!any_series(w, sql)) return;
    int status = ask(w, sql, &tree, detail);
    const struct json *rows = json_get(tree, "rows");
    bool same = status == 200 && rows;
    for (size_t i = 0; same && i < GATE_MODEL_THINGS; i++) {
        if (!gate_model_grant(&w->model, i, -1)) continue;
        const struct json *row = n < json_len(rows) ? json_at(rows, n) : NULL;
        same = row && json_len(row) == 2 && str_eq_c(json_str(json_at(row, 0)), gate_model_things[i]) &&
               str_eq_c(json_str(json_at(row, 1)), gate_model_thing_models[i]);
        n++;
    }
    if (!same || n != json_len(rows)) fault(w, sql, "other machines");
    json_free(tree);
}

/* Only what is given as single samples is in this table. */
static bool is_shown(const struct world *w, size_t thing, int metric, Nanos at) {
    const struct gate_model_series *s = gate_model_grant(&w->model, thing, metric);
    return s && strcmp(s->resolution, "raw") == 0 && at >= w->model.from && at < w->model.to;
}

static void probe_samples(struct world *w) {
    char sql[300], detail[256];
    struct json *tree;
    size_t thing = below(w, GATE_MODEL_THINGS), n = 0;
    int metric = (int)below(w, GATE_MODEL_METRICS);
    Nanos from = SERVE_RIG_START + (Nanos)below(w, 260) * NANOS_PER_MIN,
          to = from + (Nanos)below(w, 100) * NANOS_PER_MIN;
    snprintf(sql, sizeof sql,
             "select time, value from samples where thing = '%s' and metric = '%s' and time >= %lld and "
             "time < %lld order by time",
             gate_model_things[thing], gate_model_metrics[metric], (long long)(from / NANOS_PER_MS),
             (long long)(to / NANOS_PER_MS));
    if (!any_series(w, sql)) return;
    int status = ask(w, sql, &tree, detail);
    const struct json *rows = json_get(tree, "rows");
    bool same = status == 200 && rows;
    for (int i = 0; same && i < GATE_MODEL_MINUTES; i++) {
        Nanos at = SERVE_RIG_START + i * NANOS_PER_MIN, got;
        if (at < from || at >= to || !is_shown(w, thing, metric, at)) continue;
        const struct json *row = n < json_len(rows) ? json_at(rows, n) : NULL;
        same = row && time_parse(json_str(json_at(row, 0)), &got).code == ERR_NONE && got == at &&
               json_num(json_at(row, 1)) == w->model.samples[thing][metric][i];
        n++;
    }
    if (!same || n != json_len(rows)) fault(w, sql, "other samples");
    json_free(tree);
}

/* ---- */

/* Two tables: a line in the log for each. */
static void probe_join(struct world *w) {
    const char *sql = "select count(*) from \"order\" a, customer b";
    char detail[256];
    struct json *tree;
    size_t n[2] = {0, 0};
    for (size_t type = 0; type < 2; type++) {
        if (!w->model.terms[type].given || w->model.terms[type].aggregates) return;
        for (size_t i = 0; i < json_len(docs_of(w, type)); i++)
            n[type] += gate_model_shows(&w->model, type, json_at(docs_of(w, type), i));
    }
    if (n[0] == 0 || n[1] == 0) return; /* which of the two is looked at first is SQLite's to say */
    w->also = 1;
    w->adds = true;
    int status = ask(w, sql, &tree, detail);
    const struct json *rows = json_get(tree, "rows");
    if (status != 200 || json_int(json_at(json_at(rows, 0), 0)) != (int64_t)(n[0] * n[1]))
        fault(w, sql, "another count");
    json_free(tree);
}

void serve_gate_sql_drive(struct world *w) {
    size_t type = below(w, GATE_MODEL_TYPES);
    switch (below(w, 6)) {
    case 0: probe_hidden(w, type); break;
    case 1: probe_things(w); break;
    case 2: probe_samples(w); break;
    case 3: probe_join(w); break;
    default: probe_rows(w, type);
    }
}
