/* From a merged stream of one thing's metric to the points a reader asked for: raw samples, or windows. */
#ifndef STORE_SERIES_SCAN_H
#define STORE_SERIES_SCAN_H

#include "store/series_merge.h"
#include "store/series_ops.h"

/* Where the points of a whole read go. */
struct series_scan_out {
    const struct series_scan *scan;
    series_sink *sink;
    void *ctx;
    size_t given;
    bool stopped; /* the limit is reached, or the reader has enough */
};

/* Reads the stream to its end or until stopped. */
Err series_scan_stream(struct series_scan_out *out, ThingId thing, MetricId metric, struct series_merge *merge);

#endif
