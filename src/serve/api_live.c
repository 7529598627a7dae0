/* Live updates by server-sent events. */
#include "serve/api.h"
#include "serve/live.h"
#include "serve/serve_state.h"

/* Browsers come back by themselves after this time. */
static const char hello[] = "retry: 2000\n\n";

static Err open_live(struct api_call *call) {
    http_response_header(call->response, "Cache-Control", STR("no-store"));
    http_response_header(call->response, "X-Accel-Buffering", STR("no")); /* proxies: pass each event on at once */
    if (call->request->method == HTTP_HEAD) {
        call->response->content_type = "text/event-stream";
        return err_none();
    }
    struct http_stream *stream = http_stream_answer(call->response, "text/event-stream");
    struct http_stream_message *message = http_stream_message(str_c(hello));
    http_stream_send(stream, message);
    http_stream_message_release(message);
    live_join(call->serve->live, &call->who, stream);
    return err_none();
}

const struct route api_live_routes[] = {
    {HTTP_GET, "/api/v1/live", "live", "live", "Server-sent events: status, things, doc", ROLE_PEOPLE, NULL, NULL,
     "Events", 0, 0, 0, open_live},
    {.handler = NULL},
};
