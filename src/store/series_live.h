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
                        size_t *n); /* by metric */
/* The newest of these metrics, each when from <= its time < to: values[k] and times[k]; else VALUE_NONE and 0. */
void series_live_values(struct series_live *live, ThingId thing, const MetricId *metrics, size_t n, Nanos from,
                        Nanos to, struct arena *arena, Value *values, Nanos *times);
MetricId *series_live_metrics(struct series_live *live, ThingId thing, size_t *n); /* ascending; caller frees */
Nanos series_live_seen(const struct series_live *live, ThingId thing);
Nanos series_live_stamped(const struct series_live *live, ThingId thing); /* 0: never */
/* From what the disk remembers, in order of arrival; the kind counts even when the time is past the horizon. */
void series_live_restore(struct series_live *live, ThingId thing, MetricId metric, Nanos time, Value value,
                         Nanos horizon);
void series_live_restore_stamp(struct series_live *live, ThingId thing, Nanos stamped);

/* Its newest values as rows, one for each of their times, appended to `into`; the last time stamped for it. */
void series_live_dump(struct series_live *live, ThingId thing, struct rows *into, Nanos *stamped);
/* The earliest time that was too far ahead when it came, and so is nobody's newest value; INT64_MAX: none ever. */
Nanos series_live_ahead(const struct series_live *live);
void series_live_note_ahead(struct series_live *live, Nanos time);
uint64_t series_live_rows(const struct series_live *live); /* that series_live_row was given */

struct series_live_size {
    uint64_t series, bytes;
};
void series_live_size(const struct series_live *live, struct series_live_size *out);

#endif
