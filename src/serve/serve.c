#include "serve/serve.h"

#include <stdlib.h>

#include "base/log.h"
#include "serve/api.h"
#include "serve/idempotency.h"
#include "serve/live.h"
#include "serve/metrics.h"
#include "serve/serve_state.h"

static Err start(struct serve *serve) {
    const struct serve_options *o = &serve->options;
    struct http_options http = {.listen = o->listen,
                                .plan = api_plan,
                                .handle = api_answer,
                                .refuse = api_refuse,
                                .ctx = serve,
                                .workers = o->workers,
                                .max_connections = o->max_connections,
                                .max_body = o->max_body,
                                .request_time = o->request_time};
    TRY(live_start(serve, &serve->live));
    return http_start(&http, &serve->http);
}

Err serve_start(const struct serve_options *options, struct serve **out) {
    ASSERT(options->people && options->devices && options->things && options->documents && options->view);
    struct serve *serve = calloc(1, sizeof *serve);
    ASSERT(serve != NULL);
    serve->options = *options;
    serve->started = clock_monotonic();
    serve->metrics = metrics_new();
    serve->idempotency = idempotency_new();
    Err err = start(serve);
    if (err.code != ERR_NONE) {
        serve_stop(serve);
        return err;
    }
    atomic_store(&serve->ready, true);
    LOG_INFO("serve.listening", LOG_C("http", http_address(serve->http)));
    *out = serve;
    return err_none();
}

void serve_stop(struct serve *serve) {
    if (!serve) return;
    http_stop(serve->http);
    live_stop(serve->live);
    idempotency_free(serve->idempotency);
    metrics_free(serve->metrics);
    free(serve);
}

void serve_wake(struct serve *serve) { live_wake(serve->live); }

uint16_t serve_port(const struct serve *serve) { return http_port(serve->http); }

const char *serve_address(const struct serve *serve) { return http_address(serve->http); }
