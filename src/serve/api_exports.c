/* Documents as files: tables of a list, templates to fill in, QR codes. */
#include <string.h>

#include "base/qr.h"
#include "document/export_sheet.h"
#include "document/print_form.h"
#include "os/child.h"
#include "os/file.h"
#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/people.h"

#define PRINT_TIME (20 * NANOS_PER_S)
#define PDF_MAX ((size_t)64 << 20)
#define RUNNING_MAX 2 /* each holds one of the workers */

static struct documents *documents(const struct api_call *call) { return call->serve->options.documents; }

static Err find_type(const struct api_call *call, const struct doctype **type) {
    *type = documents_type(documents(call), call->segments[0]);
    if (*type) return err_none();
    return err_make(ERR_NOT_FOUND, "no document type '%.60s': GET /api/v1/docs lists them", call->segments[0].ptr);
}

/* ---- tables */

struct telling {
    const struct api_call *call;
    const struct lens *lens;
    const struct doctype *type;
};

static Err disclose_page(void *ctx, const struct doc_page *page) {
    const struct telling *t = ctx;
    int64_t *ids = arena_zero(t->call->arena, page->n, sizeof *ids);
    for (size_t i = 0; i < page->n; i++) ids[i] = page->docs[i]->id;
    return api_disclose(t->call, t->lens, t->type, ids, page->n);
}

static bool is_reserved(const struct api_call *call, Str name) {
    const struct route_param *const lists[] = {call->route->params, route_shared_params};
    for (size_t l = 0; l < 2; l++)
        for (const struct route_param *p = lists[l]; p->name; p++)
            if (str_eq_c(name, p->name)) return true;
    return false;
}

static Err read_query(struct api_call *call, struct export_sheet *order) {
    const struct http_request *request = call->request;
    struct doc_filter *filters = arena_zero(call->arena, request->n_params + 1, sizeof *filters);
    Str sort = api_query(call, "sort");
    order->query = (struct doc_query){.filters = filters,
                                      .sort = sort.len ? arena_c(call->arena, sort) : "id",
                                      .search = api_query(call, "q"),
                                      .limit = (size_t)api_query_int(call, "limit", 0, 0, INT64_MAX)};
    for (size_t i = 0; i < request->n_params; i++) {
        const struct http_pair *param = &request->params[i];
        if (is_reserved(call, param->name)) continue;
        TRY(documents_parse_filter(order->type, param->name, param->value, call->arena,
                                   &filters[order->query.n_filters++]));
    }
    return err_none();
}

static void read_fields(struct api_call *call, struct export_sheet *order) {
    Str rest = api_query(call, "fields"), name;
    Str *fields = arena_zero(call->arena, rest.len + 1, sizeof *fields);
    while (rest.len > 0) {
        str_cut(rest, ',', &name, &rest);
        if (str_trim(name).len > 0) fields[order->n_fields++] = str_trim(name);
    }
    order->fields = order->n_fields ? fields : NULL;
}

static Err read_lang(const struct api_call *call, bool *zh) {
    Str lang = api_query(call, "lang");
    if (lang.len > 0 && !str_eq_c(lang, "zh") && !str_eq_c(lang, "en"))
        return err_make(ERR_INVALID, "query parameter 'lang' is zh or en");
    *zh = lang.len ? str_eq_c(lang, "zh") : str_starts(http_header(call->request, "Accept-Language"), STR("zh"));
    return err_none();
}

static Err read_form(struct api_call *call, struct export_sheet *order) {
    Str format = api_query(call, "format");
    if (format.len > 0 && !str_eq_c(format, "csv") && !str_eq_c(format, "xlsx"))
        return err_make(ERR_INVALID, "query parameter 'format' is csv or xlsx");
    order->xlsx = str_eq_c(format, "xlsx");
    return read_lang(call, &order->zh);
}

static void answer_file(struct api_call *call, const struct export_sheet *order, const char *path, const char *what) {
    const char *ext = order->xlsx ? "xlsx" : "csv";
    call->response->file = path;
    call->response->content_type =
        order->xlsx ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" : "text/csv; charset=utf-8";
    http_response_header(call->response, "Content-Disposition",
                         arena_printf(call->arena, "attachment; filename=\"%s%s.%s\"", order->type->name, what, ext));
}

/* The name is such that a file left by a crash is removed at the next start. */
static Err new_path(const struct api_call *call, const char **path) {
    const char *spool = call->serve->options.spool;
    if (!spool) return err_make(ERR_NOT_FOUND, "exports are not offered by this server");
    *path = arena_printf(call->arena, "%s/upload-%s-export", spool, call->request->id).ptr;
    return err_none();
}

static Err run_export(struct api_call *call, const struct export_sheet *order, const char *path) {
    uint64_t n;
    Err err = export_sheet_write(order, path, &n);
    if (err.code == ERR_NONE)
        answer_file(call, order, path, "");
    else if (file_exists(file_disk, path))
        (void)file_remove(file_disk, path).code;
    return err;
}

static Err export_docs(struct api_call *call) {
    struct lens lens;
    const char *path;
    struct export_sheet order = {.documents = documents(call), .lens = &lens, .page = disclose_page};
    TRY(new_path(call, &path));
    TRY(find_type(call, &order.type));
    TRY(api_lens(call, order.type, &lens));
    TRY(read_form(call, &order));
    TRY(read_query(call, &order));
    read_fields(call, &order);
    struct telling telling = {call, &lens, order.type};
    order.ctx = &telling;
    atomic_uint *running = &call->serve->exports_running;
    bool room = atomic_fetch_add(running, 1) < RUNNING_MAX;
    Err err = room ? run_export(call, &order, path)
                   : err_make(ERR_BUSY, "%d exports run already: try again in a moment", RUNNING_MAX);
    atomic_fetch_sub(running, 1);
    return err;
}

static Err get_template(struct api_call *call) {
    struct lens lens;
    const char *path;
    struct export_sheet order = {.documents = documents(call), .lens = &lens};
    TRY(new_path(call, &path));
    TRY(find_type(call, &order.type));
    TRY(api_lens(call, order.type, &lens));
    TRY(read_form(call, &order));
    Err err = export_sheet_template(&order, path);
    if (err.code == ERR_NONE)
        answer_file(call, &order, path, "-template");
    else if (file_exists(file_disk, path))
        (void)file_remove(file_disk, path).code;
    return err;
}

/* ---- the code that leads to a document, and the document on paper */

/* The console's page of a document, as this caller reaches the server. */
static Str document_url(const struct api_call *call, const struct doctype *type, int64_t id) {
    Str host = http_header(call->request, "Host");
    bool safe = str_eq_nocase(http_header(call->request, "X-Forwarded-Proto"), STR("https"));
    return arena_printf(call->arena, "%s://" STR_FMT "/#/docs/%s/%lld", safe ? "https" : "http",
                        STR_ARG(str_slice(host, 0, 200)), type->name, (long long)id);
}

static Err find_doc(struct api_call *call, const struct doctype **type, struct lens *lens, struct doc **doc) {
    int64_t id;
    TRY(find_type(call, type));
    TRY(api_lens(call, *type, lens));
    if (str_to_i64(call->segments[1], &id))
        TRY(documents_get(documents(call), lens, *type, id, call->arena, doc));
    else
        TRY(documents_by_number(documents(call), lens, *type, call->segments[1], call->arena, doc));
    return api_disclose(call, lens, *type, &(*doc)->id, 1);
}

static Err get_qr(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    TRY(find_doc(call, &type, &lens, &doc));
    call->response->content_type = "image/svg+xml";
    return qr_svg(document_url(call, type, doc->id), &call->response->body);
}

static Err print_sheet(struct api_call *call, Str sheet) {
    const char *const argv[] = {call->serve->options.program, "worker", "print", NULL};
    call->response->content_type = "application/pdf";
    call->response->keep_plain = true;
    Err err = child_run(argv, sheet, PDF_MAX, PRINT_TIME, &call->response->body);
    if (err.code != ERR_IO) return err;
    return err_make(ERR_IO,
                    "the document cannot be printed: is 'lib/weft-print.so' beside the program? the log says more");
}

static Err print_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct jw w;
    struct buf sheet = {0};
    bool zh;
    Str form = api_query(call, "form");
    bool as_json = str_eq_c(api_query(call, "format"), "json");
    if (!call->serve->options.program && !as_json) return err_make(ERR_NOT_FOUND, "nothing is printed by this server");
    if (form.len > 0 && !str_eq_c(form, "page") && !str_eq_c(form, "label"))
        return err_make(ERR_INVALID, "query parameter 'form' is page or label");
    TRY(read_lang(call, &zh));
    TRY(find_doc(call, &type, &lens, &doc));
    struct print_form print = {.documents = documents(call),
                               .lens = &lens,
                               .doc = doc,
                               .zh = zh,
                               .label = str_eq_c(form, "label"),
                               .url = document_url(call, type, doc->id),
                               .now = clock_now(call->serve->options.clock)};
    TRY(people_party_name(call->serve->options.people, doc->party, call->arena, &print.party));
    jw_init(&w, &sheet);
    atomic_uint *running = &call->serve->exports_running;
    bool room = atomic_fetch_add(running, 1) < RUNNING_MAX;
    Err err =
        room ? print_form_json(&print, &w) : err_make(ERR_BUSY, "too much is being printed: try again in a moment");
    if (err.code == ERR_NONE && as_json)
        jw_raw(api_json(call), buf_view(&sheet));
    else if (err.code == ERR_NONE)
        err = print_sheet(call, buf_view(&sheet));
    atomic_fetch_sub(running, 1);
    buf_fini(&sheet);
    return err;
}

static const struct route_param print_params[] = {
    {"lang", ROUTE_TEXT, false, "zh or en; by Accept-Language"},
    {"form", ROUTE_TEXT, false, "page (A4) or label (100 x 60 mm); page"},
    {"format", ROUTE_TEXT, false, "pdf, or json: what would stand on the paper; pdf"},
    {.name = NULL},
};

static const struct route_param export_params[] = {
    {"format", ROUTE_TEXT, false, "csv or xlsx; csv"},
    {"lang", ROUTE_TEXT, false, "headings in zh or en; by Accept-Language"},
    {"fields", ROUTE_TEXT, false, "columns, comma between; all that may be seen"},
    {"sort", ROUTE_TEXT, false,
     "a field, state, number, id, created or changed; -FIELD is newest or largest first; id"},
    {"q", ROUTE_TEXT, false, "words that must be in the document"},
    {"limit", ROUTE_INT, false, "documents at most; all"},
    {.name = NULL},
};

static const struct route_param template_params[] = {
    {"format", ROUTE_TEXT, false, "csv or xlsx; csv"},
    {"lang", ROUTE_TEXT, false, "headings in zh or en; by Accept-Language"},
    {.name = NULL},
};

const struct route api_exports_routes[] = {
    {HTTP_GET, "/api/v1/docs/{type}/export", "export", "files", "A list as a table; filters as of the list",
     ROLE_PEOPLE, export_params, NULL, "Sheet", 0, ROUTE_PER_TYPE | ROUTE_ANY_PARAMS | ROUTE_SHARED, 0, export_docs},
    {HTTP_GET, "/api/v1/docs/{type}/template", "template", "files", "A table to fill in and import", ROLE_PEOPLE,
     template_params, NULL, "Sheet", 0, ROUTE_PER_TYPE, 0, get_template},
    {HTTP_GET, "/api/v1/docs/{type}/{id}/print", "print", "files", "The document on paper, as PDF", ROLE_PEOPLE,
     print_params, NULL, "Pdf", 0, ROUTE_PER_TYPE | ROUTE_SHARED, 0, print_doc},
    {HTTP_GET, "/api/v1/docs/{type}/{id}/qr", "qr", "files", "The code that leads to the document, as SVG", ROLE_PEOPLE,
     NULL, NULL, "Svg", 0, ROUTE_PER_TYPE | ROUTE_SHARED, 0, get_qr},
    {.handler = NULL},
};
