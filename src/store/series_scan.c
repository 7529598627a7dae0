#include "store/series_scan.h"

#include <math.h>

static void give(struct series_scan_out *out, const struct series_point *point) {
    out->given++;
    if (!out->sink(out->ctx, point) || out->given >= out->scan->limit) out->stopped = true;
}

static Err give_raw(struct series_scan_out *out, struct series_point *point, struct series_merge *merge) {
    while (!out->stopped) {
        struct series_slice slice;
        TRY(series_merge_next(merge, &slice));
        if (slice.n == 0) break;
        for (size_t i = 0; i < slice.n && !out->stopped; i++) {
            point->time = slice.times[i], point->value = slice.values[i];
            give(out, point);
        }
    }
    return err_none();
}

static void begin_window(struct series_point *point, Nanos start) {
    point->time = start;
    point->count = 0;
    point->sum = 0;
    point->min = point->max = NAN;
}

static void add_numbers(struct series_point *point, double v) {
    point->sum += v;
    if (!(point->min <= v)) point->min = v;
    if (!(point->max >= v)) point->max = v;
}

/* A window's last sample may be a string of a batch that is gone when the window is given: it is copied. */
struct keeper {
    struct buf first, last;
};

static Value keep(struct buf *buf, Value v) {
    if (v.kind != VALUE_STRING) return v;
    buf_clear(buf);
    buf_str(buf, v.s);
    return VALUE_S(buf_view(buf));
}

static void add_samples(struct series_point *point, const Value *values, size_t n, struct keeper *keeper, bool hidden) {
    if (!hidden && point->count == 0) point->first = keep(&keeper->first, values[0]);
    if (!hidden) point->last = keep(&keeper->last, values[n - 1]);
    point->count += n;
    for (size_t i = 0; i < n; i++)
        if (values[i].kind != VALUE_STRING) add_numbers(point, value_as_num(values[i]));
}

static void add_summary(struct series_point *point, const struct series_summary *s, struct keeper *keeper,
                        bool hidden) {
    if (!hidden && point->count == 0) point->first = keep(&keeper->first, s->first);
    if (!hidden) point->last = keep(&keeper->last, s->last);
    point->count += s->n;
    point->sum += s->sum;
    if (!(point->min <= s->min)) point->min = s->min;
    if (!(point->max >= s->max)) point->max = s->max;
}

/* Begins the window that holds `time`, unless it is the one at hand; that one is given first. */
static void turn_to_window(struct series_scan_out *out, struct series_point *point, Nanos start) {
    if (point->count && point->time != start) give(out, point), point->count = 0;
    if (point->count == 0) begin_window(point, start);
}

static void add_slice(struct series_scan_out *out, struct series_point *point, const struct series_slice *slice,
                      struct keeper *keeper) {
    Nanos window = out->scan->window;
    for (size_t i = 0; i < slice->n && !out->stopped;) {
        Nanos start = series_merge_window_start(slice->times[i], window);
        size_t end = i + 1;
        while (end < slice->n && (uint64_t)slice->times[end] - (uint64_t)start < (uint64_t)window) end++;
        turn_to_window(out, point, start);
        if (out->stopped) return;
        if (slice->summary)
            add_summary(point, slice->summary, keeper, out->scan->samples_hidden);
        else
            add_samples(point, slice->values + i, end - i, keeper, out->scan->samples_hidden);
        i = end;
    }
}

static Err give_windows(struct series_scan_out *out, struct series_point *point, struct series_merge *merge,
                        struct keeper *keeper) {
    struct series_slice slice;
    do {
        TRY(series_merge_next(merge, &slice));
        add_slice(out, point, &slice, keeper);
    } while (slice.n && !out->stopped);
    if (point->count && !out->stopped) give(out, point);
    return err_none();
}

Err series_scan_stream(struct series_scan_out *out, ThingId thing, MetricId metric, struct series_merge *merge) {
    struct series_point point = {.thing = thing, .metric = metric};
    if (out->scan->window == 0) return give_raw(out, &point, merge);
    struct keeper keeper = {0};
    Err err = give_windows(out, &point, merge, &keeper);
    buf_fini(&keeper.first);
    buf_fini(&keeper.last);
    return err;
}
