/* How much telemetry there is of each time, how long it is kept, and when it goes. Of the whole server: its files are
 * not parted by party. */
#ifndef INSIGHT_VIEW_KEPT_H
#define INSIGHT_VIEW_KEPT_H

#include "insight/view.h"

struct view_kept {
    Str keep; /* "raw 90d, 1h 5y": what is kept alike */
    Str what; /* "raw" samples, "1m" "1h" "1d" roll-ups, "latest": newest values of what was dropped */
    Nanos from, to;
    Nanos dropped_at; /* 0: never */
    uint64_t runs, bytes, rows, values;
};
Err view_kept(struct view *view, struct arena *arena, struct view_kept **out, size_t *n);

struct view_written { /* since the start */
    uint64_t flushed_bytes, merged_bytes, dropped_runs, dropped_bytes;
};
struct view_written view_kept_written(const struct view *view);

#endif
