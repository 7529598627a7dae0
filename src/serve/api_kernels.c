/* Kernels over HTTP: the same rows that `weft run` uses, on files that are sent along. */
#include "kernel/kernel.h"
#include "model/doctype.h"
#include "serve/api.h"
#include "serve/serve_state.h"

enum { FILES_MAX = 16 };
#define BODY_MAX (32 * 1024 * 1024)

static void write_kernel(struct jw *w, const struct kernel *k) {
    jw_object(w);
    jw_kc(w, "name", k->name);
    jw_kc(w, "summary", k->summary);
    jw_kc(w, "usage", k->usage);
    jw_kc(w, "input", k->input);
    jw_kc(w, "output", k->output);
    jw_kc(w, "options", k->options);
    jw_kint(w, "min_files", (int64_t)k->min_files);
    jw_kint(w, "max_files", (int64_t)k->max_files);
    jw_object_end(w);
}

static Err list_kernels(struct api_call *call) {
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (const struct kernel *const *k = kernel_table; *k; k++) write_kernel(w, *k);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- the files of one run */

static Err read_json_files(const struct json *root, struct kernel_file *files, size_t *n) {
    const struct json *list = json_get(root, "files");
    if (!list || json_kind(list) != JSON_ARRAY || json_len(list) > FILES_MAX)
        return err_make(ERR_INVALID, "'files' is missing: a list of at most %d {\"name\":…,\"text\":…}", FILES_MAX);
    *n = json_len(list);
    for (size_t i = 0; i < *n; i++) {
        const struct json *text = json_get(json_at(list, i), "text");
        if (!text || json_kind(text) != JSON_STRING)
            return err_make(ERR_INVALID, "files[%zu] has no 'text': send the file's content as a text", i);
        files[i] = (struct kernel_file){json_get_str(json_at(list, i), "name", STR("file")), json_str(text)};
    }
    return err_none();
}

/* A JSON body with "files" brings several, any other body is the one file itself. */
static Err read_files(struct api_call *call, struct kernel_file *files, size_t *n) {
    Str type = http_text_media_type(http_header(call->request, "Content-Type"));
    if (!str_eq_nocase(type, STR("application/json"))) {
        Str name = api_query(call, "name");
        files[0] = (struct kernel_file){name.len ? name : STR("file"), call->request->body};
        *n = call->request->body.len > 0;
        return err_none();
    }
    TRY(json_parse(call->request->body, &call->body));
    return read_json_files(call->body, files, n);
}

static Err check_count(const struct kernel *k, size_t n) {
    if (n >= k->min_files && n <= k->max_files) return err_none();
    return err_make(ERR_INVALID, "kernel '%s' takes %zu to %zu files, not %zu: %s", k->name, k->min_files, k->max_files,
                    n, k->usage);
}

static Err find_kernel(const struct api_call *call, const struct kernel **out) {
    *out = kernel_find(call->segments[0]);
    if (*out) return err_none();
    return err_make(ERR_NOT_FOUND, "no kernel '%.60s': GET /api/v1/kernels lists them", call->segments[0].ptr);
}

/* Half of the workers at most: a long computation must not keep the console waiting. */
static Err enter(struct serve *serve) {
    unsigned workers = serve->options.workers ? serve->options.workers : 4;
    unsigned limit = workers > 1 ? workers / 2 : 1;
    if (atomic_fetch_add(&serve->kernels_running, 1) < limit) return err_none();
    atomic_fetch_sub(&serve->kernels_running, 1);
    return err_make(ERR_BUSY, "%u kernels run already: try again when they are done", limit);
}

static Err run(struct api_call *call, const struct kernel *kernel, const struct kernel_file *files, size_t n) {
    Str option = api_query(call, "option");
    struct kernel_call run = {.files = files,
                              .n_files = n,
                              .seed = (uint64_t)api_query_int(call, "seed", 0, 0, INT64_MAX),
                              .json = !str_eq_c(api_query(call, "as"), "text"),
                              .option = option.len ? arena_c(call->arena, option) : NULL,
                              .arena = call->arena,
                              .out = &call->response->body};
    if (run.option && (!kernel->options || !doctype_names(kernel->options, option)))
        return err_make(ERR_INVALID, "kernel '%s' has no option '%.40s': %s", kernel->name, run.option,
                        kernel->options ? kernel->options : "it has none");
    TRY(enter(call->serve));
    Err err = kernel->run(&run);
    atomic_fetch_sub(&call->serve->kernels_running, 1);
    call->response->content_type = run.json ? "application/json" : "text/plain; charset=utf-8";
    return err;
}

static Err run_kernel(struct api_call *call) {
    const struct kernel *kernel;
    struct kernel_file files[FILES_MAX];
    size_t n = 0;
    TRY(find_kernel(call, &kernel));
    TRY(read_files(call, files, &n));
    TRY(check_count(kernel, n));
    return run(call, kernel, files, n);
}

static const struct route_param params[] = {
    {"name", ROUTE_TEXT, false, "the file's name, for error messages"},
    {"option", ROUTE_TEXT, false, "one of the kernel's options"},
    {"seed", ROUTE_INT, false, "of its random numbers; 0"},
    {"as", ROUTE_TEXT, false, "json or text; json"},
    {.name = NULL},
};

const struct route api_kernels_routes[] = {
    {HTTP_GET, "/api/v1/kernels", "listKernels", "kernels", "Computations that can be run", ROLE_PEOPLE, NULL, NULL,
     "KernelList", 0, 0, 0, list_kernels},
    {HTTP_POST, "/api/v1/kernels/{name}", "runKernel", "kernels",
     "Run one on the file that is the body, or on the files in a JSON body", ROLE_PEOPLE, params, "KernelFiles", "Any",
     0, ROUTE_RAW_BODY, BODY_MAX, run_kernel},
    {.handler = NULL},
};
