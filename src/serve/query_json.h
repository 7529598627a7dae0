/*
 * A question over series as JSON (docs/series-query.md): {"from", "to", "zone", "things", "latest", "stages", "limits",
 * "time_format"}. One stage may stand at the top, without "stages".
 */
#ifndef SERVE_QUERY_JSON_H
#define SERVE_QUERY_JSON_H

#include "base/arena.h"
#include "base/json.h"
#include "insight/query.h"

struct query_json {
    struct query query;
    bool times_ms; /* times as milliseconds since 1970, not as RFC 3339 */
};
/* Texts point into the JSON, which must live as long. ERR_INVALID names the member. */
Err query_json_read(const struct json *json, Nanos now, struct arena *arena, struct query_json *out);
/* "2026-01-31", RFC 3339, ms since 1970, "now", "now-6h" */
Err query_json_time(Str text, Nanos now, Nanos *out);
Err query_json_fill(Str text, enum query_fill *out, double *value);

#endif
