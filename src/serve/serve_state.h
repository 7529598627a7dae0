/* What hangs from struct serve; for the files of this room only. */
#ifndef SERVE_SERVE_STATE_H
#define SERVE_SERVE_STATE_H

#include <stdatomic.h>

#include "os/http.h"
#include "serve/serve.h"

struct idempotency;
struct live;
struct metrics;

struct serve {
    struct serve_options options;
    struct http *http;
    struct live *live;
    struct metrics *metrics;
    struct idempotency *idempotency;
    atomic_uint kernels_running, exports_running, sql_running;
    atomic_bool ready;
    Nanos started; /* monotonic */
};

#endif
