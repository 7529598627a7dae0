/*
 * The newest values of every thing, as one file: a start reads it and the runs that are younger, and not every run
 * there is. It is written together with a change of the manifest, when enough has been written since the last; the
 * manifest names it and the flushes it covers. docs/format-series.md draws it. Private to the embedded engine.
 */
#ifndef STORE_SERIES_SNAPSHOT_H
#define STORE_SERIES_SNAPSHOT_H

#include "store/series_engine.h"

/*
 * With `changing` held, after the runs that the manifest names are durable, and before it is. Every row of the flushes
 * up to `flushed` is in memory's latest values. When it is time, writes a snapshot and names it in the manifest; the
 * old file goes with series_snapshot_drop once the manifest is durable. A failure is logged, and the old one stays
 * named.
 */
void series_snapshot_keep(struct series_engine *engine, struct series_manifest *manifest, uint64_t flushed);
void series_snapshot_drop(struct series_engine *engine, uint64_t file); /* 0: nothing */

/* What its head says: the earliest time of a row that was too far ahead to be a newest value. */
struct series_snapshot_head {
    uint32_t things;
    Nanos ahead, made;
};
/* ERR_NOT_FOUND: the manifest names none. */
Err series_snapshot_head(struct series_engine *engine, struct series_snapshot_head *out);
/* Puts all of it into the front. ERR_CORRUPT may come after a part of it. */
Err series_snapshot_load(struct series_engine *engine);

#endif
