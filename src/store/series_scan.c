#include "store/series_scan.h"

#include <math.h>

Nanos series_scan_window_start(Nanos time, Nanos window) {
    Nanos rest = time % window;
    if (rest < 0) rest += window;
    return time < INT64_MIN + rest ? INT64_MIN : time - rest;
}

static void give(struct series_scan_out *out, const struct series_point *point) {
    out->given++;
    if (!out->sink(out->ctx, point) || out->given >= out->scan->limit) out->stopped = true;
}

static Err give_raw(struct series_scan_out *out, struct series_point *point, struct series_merge *merge) {
    while (!out->stopped) {
        const Nanos *times;
        const Value *values;
        size_t n;
        TRY(series_merge_next(merge, &times, &values, &n));
        if (n == 0) break;
        for (size_t i = 0; i < n && !out->stopped; i++) {
            point->time = times[i], point->value = values[i];
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

static Err give_windows(struct series_scan_out *out, struct series_point *point, struct series_merge *merge,
                        struct keeper *keeper) {
    Nanos window = out->scan->window;
    const Nanos *times;
    const Value *values;
    size_t n;
    for (;;) {
        TRY(series_merge_next(merge, &times, &values, &n));
        for (size_t i = 0; i < n && !out->stopped;) {
            Nanos start = series_scan_window_start(times[i], window);
            size_t end = i + 1;
            while (end < n && (uint64_t)times[end] - (uint64_t)start < (uint64_t)window) end++;
            if (point->count && point->time != start) give(out, point), point->count = 0;
            if (out->stopped) return err_none();
            if (point->count == 0) begin_window(point, start);
            add_samples(point, values + i, end - i, keeper, out->scan->samples_hidden);
            i = end;
        }
        if (n == 0) break;
    }
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
