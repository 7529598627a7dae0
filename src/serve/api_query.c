/* Questions over series: one language for every reader (docs/series-query.md). */
#include "insight/query.h"

#include "serve/api.h"
#include "serve/query_json.h"
#include "serve/query_json_out.h"
#include "serve/serve_state.h"

#define BODY_MAX ((size_t)64 << 20) /* of an answer that is not streamed */
#define TOLD_MAX 600u               /* of a question, in the log of disclosures */

static Err too_large(void) {
    return err_make(ERR_TOO_LARGE, "the answer is larger than %zu MiB: ask for less, or give the last stage a limit",
                    BODY_MAX >> 20);
}

static bool beyond(void *ctx, struct buf *out) {
    (void)out;
    *(bool *)ctx = true;
    return false;
}

static Err post_query(struct api_call *call) {
    struct query_json asked;
    struct query_stats stats;
    struct lens lens;
    bool large = false;
    struct query_engine *engine = call->serve->options.query;
    if (!engine) return err_make(ERR_NOT_FOUND, "this server answers no questions over series");
    TRY(api_need_body(call));
    TRY(query_json_read(call->body, clock_now(call->serve->options.clock), call->arena, &asked));
    TRY(api_lens(call, NULL, &lens));
    struct query_json_out *out = arena_zero(call->arena, 1, sizeof *out);
    *out = (struct query_json_out){.times_ms = asked.times_ms,
                                   .out = &call->response->body,
                                   .flush = beyond,
                                   .flush_at = BODY_MAX,
                                   .ctx = &large,
                                   .arena = call->arena};
    (void)query_json_out_accept(http_header(call->request, "Accept"), &out->form);
    struct query_sink sink = query_json_out_sink(out);
    TRY(query_run(engine, &lens, &asked.query, &sink, &stats));
    if (large) return too_large();
    query_json_out_end(out, &stats, err_none());
    TRY(api_disclose_what(call, &lens, NULL, "series", str_slice(call->request->body, 0, TOLD_MAX), stats.rows_out));
    call->response->content_type = query_json_out_type(out->form);
    return err_none();
}

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
    {.handler = NULL},
};
