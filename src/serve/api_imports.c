/* Tables that people send become documents: document/imports.h over HTTP. */
#include "document/imports.h"

#include "document/sheet.h"
#include "os/file.h"
#include "serve/api.h"
#include "serve/serve_state.h"

enum { FAULTS_DEFAULT = 100, FAULTS_MAX = 1000 };

static Err imports(const struct api_call *call, struct imports **out) {
    *out = call->serve->options.imports;
    if (*out) return err_none();
    return err_make(ERR_NOT_FOUND, "imports are not offered by this server");
}

static Err answer_job(struct api_call *call, struct imports *im, Str id) {
    return imports_json(im, &call->who, id, api_json(call));
}

static Err upload(struct api_call *call) {
    struct imports *im;
    Str id = {0};
    TRY(imports(call, &im));
    if (!call->request->body_file || call->request->body_bytes == 0)
        return err_make(ERR_INVALID, "the body is missing: send the file itself, CSV or XLSX");
    TRY(imports_add(im, &call->who, api_query(call, "type"), api_query(call, "name"), call->request->body_file,
                    call->arena, &id));
    http_response_header(call->response, "Location",
                         arena_printf(call->arena, "/api/v1/imports/" STR_FMT, STR_ARG(id)));
    return answer_job(call, im, id);
}

static Err list(struct api_call *call) {
    struct imports *im;
    TRY(imports(call, &im));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    imports_list_json(im, &call->who, api_query(call, "type"), w);
    jw_object_end(w);
    return err_none();
}

static Err get(struct api_call *call) {
    struct imports *im;
    TRY(imports(call, &im));
    return answer_job(call, im, call->segments[0]);
}

static Err set(struct api_call *call) {
    struct imports *im;
    TRY(imports(call, &im));
    TRY(api_need_body(call));
    TRY(imports_set(im, &call->who, call->segments[0], call->body));
    return answer_job(call, im, call->segments[0]);
}

static Err apply(struct api_call *call) {
    struct imports *im;
    TRY(imports(call, &im));
    TRY(imports_apply(im, &call->who, call->segments[0]));
    return answer_job(call, im, call->segments[0]);
}

static Err drop(struct api_call *call) {
    struct imports *im;
    TRY(imports(call, &im));
    TRY(imports_drop(im, &call->who, call->segments[0], str_eq_c(api_query(call, "documents"), "keep")));
    call->response->status = 204;
    return err_none();
}

/* ---- faults */

static Err faults_json(struct api_call *call, struct imports *im) {
    struct buf lines = {0};
    uint64_t next;
    size_t limit = (size_t)api_query_int(call, "limit", FAULTS_DEFAULT, 1, FAULTS_MAX);
    uint64_t from = (uint64_t)api_query_int(call, "cursor", 0, 0, INT64_MAX);
    Err err = imports_faults(im, &call->who, call->segments[0], from, limit, &lines, &next);
    if (err.code == ERR_NONE) {
        struct jw *w = api_json(call);
        Str rest = buf_view(&lines), line;
        jw_object(w);
        jw_key(w, "items");
        jw_array(w);
        while (rest.len > 0) {
            str_cut(rest, '\n', &line, &rest);
            jw_raw(w, line);
        }
        jw_array_end(w);
        jw_key(w, "next");
        if (next)
            jw_str(w, arena_printf(call->arena, "%llu", (unsigned long long)next));
        else
            jw_null(w);
        jw_object_end(w);
    }
    buf_fini(&lines);
    return err;
}

static Err write_fault(void *writer, Str line, struct arena *arena) {
    static const char *const names[] = {"row", "column", "field", "value", "message", "suggestion"};
    struct sheet_cell cells[6] = {{.kind = SHEET_NUMBER}};
    struct json *json;
    TRY(json_parse(line, &json));
    cells[0].text = arena_printf(arena, "%lld", (long long)json_get_int(json, "row", 0));
    for (int i = 1; i < 6; i++)
        cells[i] = (struct sheet_cell){.kind = SHEET_TEXT, .text = json_get_str(json, names[i], (Str){0})};
    Err err = sheet_csv_writer.row(writer, cells, 6, false);
    json_free(json);
    return err;
}

static Err write_faults(struct api_call *call, struct imports *im, void *writer) {
    static const struct sheet_cell heading[] = {
        {SHEET_TEXT, STR_INIT("row"), 0},     {SHEET_TEXT, STR_INIT("column"), 0},
        {SHEET_TEXT, STR_INIT("field"), 0},   {SHEET_TEXT, STR_INIT("value"), 0},
        {SHEET_TEXT, STR_INIT("message"), 0}, {SHEET_TEXT, STR_INIT("suggestion"), 0}};
    struct buf lines = {0};
    struct arena arena;
    uint64_t at = 0;
    arena_init(&arena, 0);
    Err err = sheet_csv_writer.row(writer, heading, 6, true);
    do {
        buf_clear(&lines);
        arena_reset(&arena);
        if (err.code == ERR_NONE) err = imports_faults(im, &call->who, call->segments[0], at, FAULTS_MAX, &lines, &at);
        Str rest = buf_view(&lines), line;
        while (err.code == ERR_NONE && rest.len > 0) {
            str_cut(rest, '\n', &line, &rest);
            err = write_fault(writer, line, &arena);
        }
    } while (err.code == ERR_NONE && at > 0);
    buf_fini(&lines);
    arena_fini(&arena);
    return err;
}

static Err faults_csv(struct api_call *call, struct imports *im) {
    void *writer;
    const char *path = arena_printf(call->arena, "%s/upload-%s-faults", imports_dir(im), call->request->id).ptr;
    TRY(sheet_csv_writer.open(path, &writer));
    Err err = write_faults(call, im, writer);
    Err closed = sheet_csv_writer.close(writer);
    if (err.code == ERR_NONE) err = closed;
    call->response->file = path; /* removed even when it is not sent */
    call->response->content_type = "text/csv; charset=utf-8";
    http_response_header(call->response, "Content-Disposition", STR("attachment; filename=\"faults.csv\""));
    return err;
}

static Err faults(struct api_call *call) {
    struct imports *im;
    TRY(imports(call, &im));
    Str format = api_query(call, "format");
    if (str_eq_c(format, "csv")) return faults_csv(call, im);
    if (format.len == 0 || str_eq_c(format, "json")) return faults_json(call, im);
    return err_make(ERR_INVALID, "query parameter 'format' is json or csv");
}

static const struct route_param upload_params[] = {
    {"type", ROUTE_TEXT, true, "the documents' type"},
    {"name", ROUTE_TEXT, false, "what the file is called"},
    {.name = NULL},
};

static const struct route_param list_params[] = {{"type", ROUTE_TEXT, false, "only of this type"}, {.name = NULL}};

static const struct route_param fault_params[] = {
    {"limit", ROUTE_INT, false, "faults in one answer; 100, at most 1000"},
    {"cursor", ROUTE_INT, false, "`next` of the answer before"},
    {"format", ROUTE_TEXT, false, "json, or csv: all of them as a file"},
    {.name = NULL},
};

static const struct route_param drop_params[] = {
    {"documents", ROUTE_TEXT, false, "keep: only the record of a finished import goes"},
    {.name = NULL},
};

#define UPLOAD_MAX ((size_t)256 << 20)

const struct route api_imports_routes[] = {
    {HTTP_POST, "/api/v1/imports", "uploadImport", "files", "Send a table, CSV or XLSX", ROLE_PEOPLE, upload_params,
     NULL, "Import", 201, ROUTE_RAW_BODY | ROUTE_FILE_BODY, UPLOAD_MAX, upload},
    {HTTP_GET, "/api/v1/imports", "listImports", "files", "Imports, newest first", ROLE_PEOPLE, list_params, NULL,
     "ImportList", 0, 0, 0, list},
    {HTTP_GET, "/api/v1/imports/{id}", "getImport", "files", "How far an import is", ROLE_PEOPLE, NULL, NULL, "Import",
     0, 0, 0, get},
    {HTTP_POST, "/api/v1/imports/{id}", "setImport", "files", "Which column is which field; check", ROLE_PEOPLE, NULL,
     "ImportOrder", "Import", 0, 0, 0, set},
    {HTTP_GET, "/api/v1/imports/{id}/errors", "listImportErrors", "files", "What is wrong, row by row", ROLE_PEOPLE,
     fault_params, NULL, "ImportFaults", 0, 0, 0, faults},
    {HTTP_POST, "/api/v1/imports/{id}/apply", "applyImport", "files", "Make the documents, all at once", ROLE_PEOPLE,
     NULL, NULL, "Import", 0, 0, 0, apply},
    {HTTP_DELETE, "/api/v1/imports/{id}", "dropImport", "files", "Drop an import and everything of it", ROLE_PEOPLE,
     drop_params, NULL, NULL, 204, 0, 0, drop},
    {.handler = NULL},
};
