/* About the API itself: its description, health, numbers, and what its failures mean. */
#include "base/log.h"
#include "document/documents.h"
#include "serve/api.h"
#include "serve/metrics.h"
#include "serve/openapi.h"
#include "serve/problem.h"
#include "serve/serve_state.h"

static Err get_openapi(struct api_call *call) {
    openapi_write(documents_types(call->serve->options.documents), call->serve->options.version, api_json(call));
    return err_none();
}

static bool run_check(const struct serve_check *check, struct jw *w) {
    Err err = check->check(check->ctx);
    jw_object(w);
    jw_kc(w, "name", check->name);
    jw_kbool(w, "ok", err.code == ERR_NONE);
    if (err.code != ERR_NONE) {
        jw_kc(w, "detail", err.text);
        LOG_WARN("health.failed", LOG_C("check", check->name), LOG_C("why", err.text));
    }
    jw_object_end(w);
    return err.code == ERR_NONE;
}

static Err get_health(struct api_call *call) {
    const struct serve_options *o = &call->serve->options;
    bool ok = atomic_load(&call->serve->ready);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_kc(w, "version", o->version);
    jw_kbool(w, "started", ok);
    jw_key(w, "checks");
    jw_array(w);
    for (size_t i = 0; i < o->n_checks; i++) ok = run_check(&o->checks[i], w) && ok;
    jw_array_end(w);
    jw_kc(w, "status", ok ? "ok" : "failing");
    jw_object_end(w);
    if (!ok) call->response->status = 503;
    return err_none();
}

static Err get_metrics(struct api_call *call) {
    call->response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(call->serve, &call->response->body);
    return err_none();
}

static Err get_problem(struct api_call *call) {
    call->response->content_type = "text/html; charset=utf-8";
    if (problem_page(call->segments[0], &call->response->body)) return err_none();
    return err_make(ERR_NOT_FOUND, "no kind of problem has that name");
}

const struct route api_meta_routes[] = {
    {HTTP_GET, "/api/v1/openapi.json", "getDescription", "meta", "This description", 0, NULL, NULL, "Any", 0, 0, 0,
     get_openapi},
    {HTTP_GET, "/healthz", "getHealth", "meta", "Is the server well? 503 when a check fails", 0, NULL, NULL, "Health",
     0, 0, 0, get_health},
    {HTTP_GET, "/metrics", "getMetrics", "meta", "Numbers in Prometheus text format", 0, NULL, NULL, "Text", 0, 0, 0,
     get_metrics},
    {HTTP_GET, "/problems/{slug}", "getProblem", "meta", "What a kind of problem means", 0, NULL, NULL, NULL, 0,
     ROUTE_HIDDEN, 0, get_problem},
    {.handler = NULL},
};
