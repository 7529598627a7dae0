/*
 * What is known of each thing without looking at the disk: the kind of each of its metrics, the newest value, the time
 * it was last heard of, the last time stamped for it. About 20 bytes a metric and 24 a thing.
 *
 * series_live_accepts and _stamp may be called by any thread; _row only by the committer (or before other threads are
 * there); the others by any thread.
 */
#ifndef STORE_SERIES_LIVE_H
#define STORE_SERIES_LIVE_H

#include "store/rows_form.h"
#include "store/series.h"

struct series_live;

#define SERIES_LIVE_AHEAD (10 * NANOS_PER_MIN) /* a row further ahead of the clock is kept, but is not the latest */

struct series_live *series_live_new(void);
void series_live_free(struct series_live *live);
bool series_live_accepts(struct series_live *live, ThingId thing, MetricId metric, enum value_kind kind,
                         enum value_kind *is);
Nanos series_live_stamp(struct series_live *live, ThingId thing, Nanos now);
void series_live_row(struct series_live *live, const struct row_head *row,
                     Nanos horizon);                                      /* later times are passed over */
void series_live_prefetch(const struct series_live *live, ThingId thing); /* a row of it comes soon */
void series_live_latest(struct series_live *live, ThingId thing, struct arena *arena, struct series_latest **out,
                        size_t *n);                                                /* by metric */
MetricId *series_live_metrics(struct series_live *live, ThingId thing, size_t *n); /* ascending; caller frees */
Nanos series_live_seen(const struct series_live *live, ThingId thing);
Nanos series_live_stamped(const struct series_live *live, ThingId thing); /* 0: never */
/* From what the disk remembers, in order of arrival; the kind counts even when the time is past the horizon. */
void series_live_restore(struct series_live *live, ThingId thing, MetricId metric, Nanos time, Value value,
                         Nanos horizon);
void series_live_restore_stamp(struct series_live *live, ThingId thing, Nanos stamped);

#endif
