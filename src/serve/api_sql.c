/* SQL over HTTP. An answer is whole or a failure: it leaves when the last row is there, and, under an agreement, when
 * what was read for it stands in the owner's log. */
#include "serve/api.h"
#include "serve/serve_state.h"
#include "serve/sql.h"
#include "serve/sql_write.h"
#include "trust/people.h"

#define ANSWER_MAX ((size_t)64 << 20)
#define TIME_MAX_S 120

/* ---- what it stands on */

static Err lens_of(void *ctx, const struct doctype *type, struct lens *out) {
    const struct api_call *call = ctx;
    if (!type && !principal_scope(&call->who, STR("series"), (Str){0}, false) &&
        !principal_scope(&call->who, STR("series"), (Str){0}, true))
        return err_make(ERR_FORBIDDEN, "the scopes of '%s' do not hold 'series:read'", call->who.name);
    return api_lens(call, type, out);
}

static Err party_name(void *ctx, PartyId party, struct arena *arena, Str *out) {
    const struct api_call *call = ctx;
    return people_party_name(call->serve->options.people, party, arena, out);
}

static bool is_gone(void *ctx) { return http_gone(((const struct api_call *)ctx)->request); }

static struct sql_source source_of(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    return (struct sql_source){.documents = o->documents,
                               .things = o->things,
                               .view = o->view,
                               .engine = o->query,
                               .clock = o->clock,
                               .catalog = o->catalog,
                               .lens = lens_of,
                               .party_name = party_name,
                               .gone = is_gone,
                               .ctx = call};
}

/* ---- the order */

struct asked {
    struct sql_order order;
    enum sql_form form;
    bool explain;
};

static Err read_form(const struct api_call *call, Str format, enum sql_form *out) {
    Str accept = http_header(call->request, "Accept");
    if (format.len == 0 && str_starts(accept, STR("text/csv"))) format = STR("csv");
    if (format.len == 0 && str_starts(accept, STR("application/x-ndjson"))) format = STR("ndjson");
    *out = SQL_FORM_JSON;
    if (str_eq_c(format, "csv")) *out = SQL_FORM_CSV;
    if (str_eq_c(format, "ndjson")) *out = SQL_FORM_NDJSON;
    if (format.len == 0 || str_eq_c(format, "json") || *out != SQL_FORM_JSON) return err_none();
    return err_make(ERR_INVALID, "'format' is json, ndjson or csv");
}

static Err set_limits(struct asked *a, int64_t limit, int64_t time_s) {
    if (limit < 0 || time_s < 0 || time_s > TIME_MAX_S)
        return err_make(ERR_INVALID, "'limit' is a number of rows, 'time_s' at most %d", TIME_MAX_S);
    a->order.limits.rows = (size_t)limit;
    a->order.limits.cut = limit > 0;
    a->order.limits.time = time_s * NANOS_PER_S;
    return err_none();
}

static Err read_body(struct api_call *call, struct asked *a) {
    TRY(api_need_body(call));
    TRY(api_text(call, "sql", NULL, &a->order.text));
    a->order.params = json_get(call->body, "params");
    a->explain = json_get_bool(call->body, "explain", false);
    TRY(set_limits(a, json_get_int(call->body, "limit", 0), json_get_int(call->body, "time_s", 0)));
    return read_form(call, json_get_str(call->body, "format", (Str){0}), &a->form);
}

static Err read_query(struct api_call *call, struct asked *a) {
    a->order.text = api_query(call, "sql");
    TRY(set_limits(a, api_query_int(call, "limit", 0, 0, INT64_MAX), api_query_int(call, "time_s", 0, 0, TIME_MAX_S)));
    return read_form(call, api_query(call, "format"), &a->form);
}

/* ---- the answer */

/* One line a table that was read. */
static Err disclose(const struct api_call *call, const struct sql_report *report) {
    for (size_t i = 0; i < report->n_seen; i++) {
        const struct sql_seen *s = &report->seen[i];
        if (s->lens.agreement == 0) continue;
        if (s->type) {
            TRY(api_disclose(call, &s->lens, s->type, s->ids, s->n_ids));
            continue;
        }
        Str what = arena_printf(call->arena, "sql %s " STR_FMT, s->table, STR_ARG(s->what));
        bool things = str_eq_c(str_c(s->table), "things");
        TRY(api_disclose_what(call, &s->lens, NULL, things ? "things" : "series", what, s->rows));
    }
    return err_none();
}

static Err answer_plan(struct api_call *call, const struct sql_source *source, const struct asked *a) {
    Str *lines;
    size_t n;
    TRY(sql_explain(source, &a->order, call->arena, &lines, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "plan");
    jw_array(w);
    for (size_t i = 0; i < n; i++) jw_str(w, lines[i]);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static void write_report(struct jw *w, const struct sql_report *r) {
    jw_kint(w, "n", (int64_t)r->rows);
    jw_kbool(w, "cut", r->cut);
    jw_kint(w, "rows_read", (int64_t)r->rows_read);
    jw_knum(w, "seconds", r->seconds);
    jw_object_end(w);
}

static Err answer_rows(struct api_call *call, const struct sql_source *source, const struct asked *a) {
    struct sql_report report;
    struct sql_write write = {.form = a->form, .out = &call->response->body, .most = ANSWER_MAX};
    if (a->form == SQL_FORM_JSON) jw_object(write.w = api_json(call));
    struct sql_sink sink = sql_write_sink(&write);
    TRY(sql_run(source, &a->order, &sink, call->arena, &report));
    sql_write_end(&write);
    TRY(disclose(call, &report));
    if (a->form == SQL_FORM_JSON) write_report(write.w, &report);
    if (a->form == SQL_FORM_CSV) call->response->content_type = "text/csv; charset=utf-8; header=present";
    if (a->form == SQL_FORM_NDJSON) call->response->content_type = "application/x-ndjson";
    if (report.cut) http_response_header(call->response, "X-Weft-Cut", STR("true"));
    return err_none();
}

/* Half of the workers at most: a long statement must not keep the console waiting. */
static Err answer(struct api_call *call, const struct asked *a) {
    struct serve *serve = call->serve;
    struct sql_source source = source_of(call);
    int64_t agreement;
    unsigned workers = serve->options.workers ? serve->options.workers : 4, limit = workers > 1 ? workers / 2 : 1;
    TRY(api_agreement(call, &agreement)); /* an ended one is refused whatever the statement reads */
    if (atomic_fetch_add(&serve->sql_running, 1) >= limit) {
        atomic_fetch_sub(&serve->sql_running, 1);
        return err_make(ERR_BUSY, "%u statements run already: try again when they are done", limit);
    }
    Err err = a->explain ? answer_plan(call, &source, a) : answer_rows(call, &source, a);
    atomic_fetch_sub(&serve->sql_running, 1);
    return err;
}

static Err run_sql(struct api_call *call) {
    struct asked a = {.explain = false};
    TRY(read_body(call, &a));
    return answer(call, &a);
}

static Err get_sql(struct api_call *call) {
    struct asked a = {.explain = false};
    TRY(read_query(call, &a));
    return answer(call, &a);
}

static Err list_tables(struct api_call *call) {
    struct sql_table_about *tables;
    size_t n;
    struct sql_source source = source_of(call);
    TRY(sql_tables(&source, call->arena, &tables, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    sql_write_tables(w, tables, n);
    jw_object_end(w);
    return err_none();
}

static const struct route_param params[] = {
    {"sql", ROUTE_TEXT, true, "one SELECT"},
    {"format", ROUTE_TEXT, false, "json, ndjson or csv; by Accept, else json"},
    {"limit", ROUTE_INT, false, "rows at most: further ones are left out; without it more than 1,000,000 are refused"},
    {"time_s", ROUTE_INT, false, "seconds it may take, at most 120; 30"},
    {.name = NULL},
};

const struct route api_sql_routes[] = {
    {HTTP_POST, "/api/v1/sql", "runSql", "sql", "One SELECT over documents, machines and series", ROLE_PEOPLE, NULL,
     "SqlOrder", "SqlAnswer", 0, ROUTE_SHARED | ROUTE_READS, 0, run_sql},
    {HTTP_GET, "/api/v1/sql", "sql", "sql", "The same from an address, for sheets and dashboards", ROLE_PEOPLE, params,
     NULL, "SqlAnswer", 0, ROUTE_SHARED, 0, get_sql},
    {HTTP_GET, "/api/v1/sql/tables", "listSqlTables", "sql", "Tables and columns of SQL that the caller has",
     ROLE_PEOPLE, NULL, NULL, "SqlTables", 0, 0, 0, list_tables},
    {.handler = NULL},
};
