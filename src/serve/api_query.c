/*
 * Questions over series (docs/series-query.md), samples as files out and in. An answer stands in memory until it is
 * large; then it goes to a file, which is sent and removed: so it may be larger than memory, and its status is true.
 */
#include "connect/csv_ingest.h"
#include "insight/query.h"
#include "os/file.h"
#include "serve/api.h"
#include "serve/query_json.h"
#include "serve/query_json_out.h"
#include "serve/serve_state.h"

#define MEMORY_MAX ((size_t)4 << 20)
#define FILE_MAX ((uint64_t)2 << 30)
#define CSV_BODY_MAX ((size_t)32 << 20)
#define EXPORT_ROWS ((size_t)10000000)
#define TOLD_MAX 600u /* of a question, in the log of disclosures */
#define WRITERS (ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN) | ROLE_BIT(ROLE_WORKER) | ROLE_BIT(ROLE_DEVICE))

/* ---- answers that outgrow memory */

struct spool {
    const struct api_call *call;
    const char *path;
    struct file *file;
    uint64_t at;
    Err err;
};

/* The name is such that a file left by a crash is removed at the next start. */
static Err spool_open(struct spool *s) {
    const char *dir = s->call->serve->options.spool;
    if (!dir) return err_make(ERR_TOO_LARGE, "the answer is too large: ask for less, or give the last stage a limit");
    s->path = arena_printf(s->call->arena, "%s/upload-%s-query", dir, s->call->request->id).ptr;
    return file_open(file_disk, s->path, FILE_WRITE | FILE_CREATE, &s->file);
}

static bool spool_flush(void *ctx, struct buf *out) {
    struct spool *s = ctx;
    if (!s->file) s->err = spool_open(s);
    if (s->err.code == ERR_NONE) s->err = file_write(s->file, out->ptr, out->len, s->at);
    s->at += out->len;
    buf_clear(out);
    if (s->err.code == ERR_NONE && s->at > FILE_MAX)
        s->err = err_make(ERR_TOO_LARGE, "the answer is larger than %llu GiB: ask for less",
                          (unsigned long long)(FILE_MAX >> 30));
    return s->err.code == ERR_NONE;
}

static void spool_close(struct spool *s, Err err) {
    file_close(s->file);
    if (!s->path) return;
    if (err.code == ERR_NONE)
        s->call->response->file = s->path;
    else if (file_exists(file_disk, s->path))
        (void)file_remove(file_disk, s->path).code;
}

static bool is_gone(void *ctx) { return http_gone(((const struct api_call *)ctx)->request); }

static Err ask(struct api_call *call, const struct lens *lens, const struct query *query, struct query_json_out *out,
               struct spool *spool, Str told) {
    struct query_stats stats;
    struct query_sink sink = query_json_out_sink(out);
    struct query watched = *query;
    watched.limits.gone = is_gone, watched.limits.gone_ctx = call;
    TRY(query_run(call->serve->options.query, lens, &watched, &sink, &stats));
    TRY(spool->err);
    query_json_out_end(out, &stats, err_none());
    if (spool->file && !spool_flush(spool, out->out)) return spool->err;
    return api_disclose_what(call, lens, NULL, "series", str_slice(told, 0, TOLD_MAX), stats.rows_out);
}

static Err answer(struct api_call *call, const struct query *query, enum query_json_out_form form, bool times_ms,
                  Str told) {
    struct lens lens;
    struct spool spool = {.call = call};
    if (!call->serve->options.query) return err_make(ERR_NOT_FOUND, "this server answers no questions over series");
    TRY(api_lens(call, NULL, &lens));
    struct query_json_out *out = arena_zero(call->arena, 1, sizeof *out);
    *out = (struct query_json_out){.form = form,
                                   .times_ms = times_ms,
                                   .out = &call->response->body,
                                   .flush = spool_flush,
                                   .flush_at = MEMORY_MAX,
                                   .ctx = &spool,
                                   .arena = call->arena};
    Err err = ask(call, &lens, query, out, &spool, told);
    spool_close(&spool, err);
    call->response->content_type = query_json_out_type(form);
    return err;
}

static Err post_query(struct api_call *call) {
    struct query_json asked;
    enum query_json_out_form form;
    TRY(api_need_body(call));
    TRY(query_json_read(call->body, clock_now(call->serve->options.clock), call->arena, &asked));
    (void)query_json_out_accept(http_header(call->request, "Accept"), &form);
    return answer(call, &asked.query, form, asked.times_ms, call->request->body);
}

/* ---- samples out: the same question, with every column as it is */

static void read_list(struct api_call *call, const char *name, const Str **out, size_t *n) {
    Str rest = api_query(call, name), head;
    Str *items = arena_zero(call->arena, rest.len + 1, sizeof *items);
    *n = 0;
    while (rest.len > 0) {
        str_cut(rest, ',', &head, &rest);
        if (str_trim(head).len > 0) items[(*n)++] = str_trim(head);
    }
    *out = items;
}

/* A name as an expression: in double quotes, those inside doubled. */
static Str quoted(struct api_call *call, Str name) {
    char *out = arena_alloc(call->arena, 2 * name.len + 2);
    size_t n = 0;
    out[n++] = '"';
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '"') out[n++] = '"';
        out[n++] = name.ptr[i];
    }
    out[n++] = '"';
    return str_n(out, n);
}

static Err get_export(struct api_call *call) {
    struct query_stage stage = {0};
    struct query_pick pick = {.what = STR("thing")};
    struct query query = {.from = api_query_time(call, "from"),
                          .to = api_query_time(call, "to"),
                          .stages = &stage,
                          .n_stages = 1,
                          .limits = {.rows = EXPORT_ROWS, .time = 300 * NANOS_PER_S}};
    const Str *metrics;
    size_t n;
    Str format = api_query(call, "format");
    if (format.len > 0 && !str_eq_c(format, "csv") && !str_eq_c(format, "ndjson"))
        return err_make(ERR_INVALID, "query parameter 'format' is csv or ndjson");
    read_list(call, "things", &pick.values, &pick.n);
    if (pick.n) query.picks = &pick, query.n_picks = 1;
    read_list(call, "metrics", &metrics, &n);
    if (n > QUERY_COLUMNS_MAX - 2)
        return err_make(ERR_INVALID, "more than %u metrics: name fewer", QUERY_COLUMNS_MAX - 2);
    struct query_select *select = arena_zero(call->arena, n + 2, sizeof *select);
    select[0] = (struct query_select){STR("thing"), STR("thing")};
    select[1] = (struct query_select){STR("time"), STR("time")};
    for (size_t i = 0; i < n; i++) select[i + 2] = (struct query_select){metrics[i], quoted(call, metrics[i])};
    if (n) stage.select = select, stage.n_select = n + 2;
    bool lines = str_eq_c(format, "ndjson");
    http_response_header(call->response, "Content-Disposition",
                         lines ? STR("attachment; filename=\"series.ndjson\"")
                               : STR("attachment; filename=\"series.csv\""));
    return answer(call, &query, lines ? QUERY_JSON_OUT_LINES : QUERY_JSON_OUT_CSV, false, call->request->query);
}

/* ---- samples in */

static Err post_import(struct api_call *call) {
    struct csv_ingest_outcome outcome;
    if (!call->serve->options.csv) return err_make(ERR_NOT_FOUND, "this server takes no CSV");
    TRY(csv_ingest_write(call->serve->options.csv, call->who.party, call->request->body, &outcome));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kint(w, "rows", (int64_t)outcome.rows);
    jw_kint(w, "values", (int64_t)outcome.values);
    jw_object_end(w);
    return err_none();
}

static const struct route_param export_params[] = {
    {"things", ROUTE_TEXT, false, "names, by commas; * stands for anything; all"},
    {"metrics", ROUTE_TEXT, false, "names, by commas; all that these things report"},
    {"from", ROUTE_TIME, false, "RFC 3339 or ms since 1970; seven days before `to`"},
    {"to", ROUTE_TIME, false, "RFC 3339 or ms since 1970, not included; now"},
    {"format", ROUTE_TEXT, false, "csv or ndjson"},
    {.name = NULL},
};

const struct route api_query_routes[] = {
    {.method = HTTP_POST,
     .path = "/api/v1/series/query",
     .id = "querySeries",
     .tag = "things",
     .summary = "A question over series: windows, groups, aggregates, in stages",
     .roles = ROLE_PEOPLE,
     .takes = "SeriesQuery",
     .gives = "SeriesAnswer",
     .flags = ROUTE_READS,
     .handler = post_query},
    {HTTP_GET, "/api/v1/series/export", "exportSeries", "things", "Samples as CSV or lines of JSON", ROLE_PEOPLE,
     export_params, NULL, "Sheet", 0, 0, 0, get_export},
    {.method = HTTP_POST,
     .path = "/api/v1/series/import",
     .id = "importSeries",
     .tag = "telemetry",
     .summary = "Samples as CSV: all of the body is kept, or nothing",
     .roles = WRITERS,
     .gives = "SeriesImported",
     .flags = ROUTE_RAW_BODY,
     .max_body = CSV_BODY_MAX,
     .handler = post_import},
    {.handler = NULL},
};
