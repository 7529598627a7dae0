/* What telemetry there is and when it goes. */
#include "insight/view_kept.h"
#include "serve/api.h"
#include "serve/serve_state.h"

static void write_partition(struct jw *w, const struct view_kept *k) {
    jw_object(w);
    jw_kstr(w, "keep", k->keep);
    jw_kstr(w, "what", k->what);
    jw_ktime(w, "from", k->from);
    jw_ktime(w, "to", k->to);
    jw_key(w, "dropped_at");
    if (k->dropped_at)
        jw_time(w, k->dropped_at);
    else
        jw_null(w);
    jw_kint(w, "files", (int64_t)k->runs);
    jw_kint(w, "bytes", (int64_t)k->bytes);
    jw_kint(w, "rows", (int64_t)k->rows);
    jw_kint(w, "values", (int64_t)k->values);
    jw_object_end(w);
}

static void write_written(struct jw *w, struct view_written n) {
    jw_key(w, "written");
    jw_object(w);
    jw_kint(w, "flushed_bytes", (int64_t)n.flushed_bytes);
    jw_kint(w, "merged_bytes", (int64_t)n.merged_bytes);
    jw_kint(w, "dropped_files", (int64_t)n.dropped_runs);
    jw_kint(w, "dropped_bytes", (int64_t)n.dropped_bytes);
    jw_knum(w, "amplification",
            n.flushed_bytes ? (double)(n.flushed_bytes + n.merged_bytes) / (double)n.flushed_bytes : 0);
    jw_object_end(w);
}

static Err get_kept(struct api_call *call) {
    struct view_kept *kept;
    size_t n;
    TRY(view_kept(call->serve->options.view, call->arena, &kept, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    write_written(w, view_kept_written(call->serve->options.view));
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_partition(w, &kept[i]);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

const struct route api_kept_routes[] = {
    {HTTP_GET, "/api/v1/series/keep", "getKept", "things",
     "How much telemetry there is of each time, how long it is kept, and when it goes", ROLE_STAFF, NULL, NULL, "Kept",
     0, 0, 0, get_kept},
    {.handler = NULL},
};
