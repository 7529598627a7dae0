/* Live updates by server-sent events. */
#include "serve/api.h"
#include "serve/live.h"
#include "serve/serve_state.h"
#include "trust/people.h"

static Err open_live(struct api_call *call) {
    int64_t agreement;
    TRY(api_agreement(call, &agreement));
    http_response_header(call->response, "Cache-Control", STR("no-store"));
    http_response_header(call->response, "X-Accel-Buffering", STR("no")); /* proxies: pass each event on at once */
    if (call->request->method == HTTP_HEAD) {
        call->response->content_type = "text/event-stream";
        return err_none();
    }
    struct http_stream *stream = http_stream_answer(call->response, "text/event-stream");
    if (call->by_cookie) {
        live_join(call->serve->live, &call->who, agreement, people_session_peek,
                  http_cookie(call->request, "weft_session"), stream);
    } else {
        Str scheme, token;
        str_cut(http_header(call->request, "Authorization"), ' ', &scheme, &token);
        live_join(call->serve->live, &call->who, agreement, people_token_check, str_trim(token), stream);
    }
    return err_none();
}

const struct route api_live_routes[] = {
    {HTTP_GET, "/api/v1/live", "live", "live", "Server-sent events: status, things, doc", ROLE_PEOPLE, NULL, NULL,
     "Events", 0, ROUTE_SHARED, 0, open_live},
    {.handler = NULL},
};
