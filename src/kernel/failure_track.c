#include "kernel/failure_track.h"

#include <math.h>

#include "base/err.h"

#define BASELINE_HOURS (60 * 24)
#define WARM_STEP 3
#define UNLIKE 3.5 /* daily spreads */
#define SLOWLY 0.1

void failure_track_init(struct failure_track *track, struct failure_metric *metrics, size_t n_metrics,
                        struct failure_component *components, size_t n_components) {
    ASSERT(n_metrics <= FAILURE_METRICS_MAX && n_components <= FAILURE_COMPONENTS_MAX);
    *track = (struct failure_track){.hour = INT64_MIN,
                                    .n_metrics = n_metrics,
                                    .n_components = n_components,
                                    .metrics = metrics,
                                    .components = components};
    for (size_t m = 0; m < n_metrics; m++) {
        metrics[m] = (struct failure_metric){0};
        for (size_t h = 0; h < FAILURE_HOURS; h++) metrics[m].ring[h] = NAN;
        stats_huber_init(&metrics[m].hourly, BASELINE_HOURS);
        stats_huber_init(&metrics[m].daily, BASELINE_HOURS);
    }
    for (size_t c = 0; c < n_components; c++) components[c].replaced = INT64_MIN;
}

static int64_t hour_of(Nanos at) { return at / NANOS_PER_HOUR - (at % NANOS_PER_HOUR < 0); }

static size_t slot(int64_t hour) { return (size_t)((hour % FAILURE_HOURS + FAILURE_HOURS) % FAILURE_HOURS); }

static double current(const struct failure_metric *metric) {
    return metric->count ? metric->sum / (double)metric->count : NAN;
}

static double mean(const struct failure_track *track, size_t m, int hours, int64_t since, int *n) {
    const struct failure_metric *metric = &track->metrics[m];
    double sum = 0;
    int count = 0;
    for (int i = 0; i < hours && track->hour - i > since; i++) {
        double x = i == 0 ? current(metric) : (double)metric->ring[slot(track->hour - i)];
        if (isnan(x)) continue;
        sum += x, count++;
    }
    if (n) *n = count;
    return count ? sum / count : NAN;
}

double failure_track_mean(const struct failure_track *track, size_t metric, int hours, Nanos since, int *n) {
    ASSERT(hours >= 1 && hours <= FAILURE_HOURS && metric < track->n_metrics);
    return mean(track, metric, hours, since == INT64_MIN ? INT64_MIN : hour_of(since), n);
}

void failure_track_means(const struct failure_track *track, size_t metric, Nanos since, double means[FAILURE_WINDOWS],
                         int n[FAILURE_WINDOWS]) {
    static const int ends[FAILURE_WINDOWS] = {6, 12, 24, 48};
    const struct failure_metric *m = &track->metrics[metric];
    int64_t floor = since == INT64_MIN ? INT64_MIN : hour_of(since);
    double sum = 0;
    int count = 0, i = 0;
    size_t at = slot(track->hour);
    for (size_t w = 0; w < FAILURE_WINDOWS; w++) {
        for (; i < ends[w] && track->hour - i > floor; i++) {
            double x = i == 0 ? current(m) : (double)m->ring[at];
            at = at ? at - 1 : FAILURE_HOURS - 1;
            if (isnan(x)) continue;
            sum += x, count++;
        }
        means[w] = count ? sum / count : NAN;
        n[w] = count;
    }
}

/*
 * The baseline learns hour by hour; a trailing mean only counts when half of its hours had values. It begins with every
 * third hour of the first eight days, so that a fault in the first days hardly moves its median, and it learns
 * ten times slower while the day is unlike it: a fault must not become the baseline, a new way of running must.
 */
static void learn(struct failure_metric *metric, int64_t hour, double x, double day) {
    bool warm = metric->hourly.n >= STATS_HUBER_WARM;
    if (!warm && hour % WARM_STEP) return;
    double spread = warm ? metric->hourly.spread / sqrt(24) : NAN;
    if (metric->daily.n >= STATS_HUBER_WARM && metric->daily.spread > spread) spread = metric->daily.spread;
    bool unlike = warm && !isnan(day) && fabs(day - metric->hourly.centre) > UNLIKE * spread;
    stats_huber_add_part(&metric->hourly, x, unlike ? SLOWLY : 1);
    if (!isnan(day)) stats_huber_add_part(&metric->daily, day, unlike ? SLOWLY : 1);
}

static void close_hour(struct failure_track *track) {
    for (size_t m = 0; m < track->n_metrics; m++) {
        struct failure_metric *metric = &track->metrics[m];
        double x = current(metric);
        int n;
        double day = mean(track, m, 24, INT64_MIN, &n);
        if (!isnan(x)) learn(metric, track->hour, x, n >= 12 ? day : NAN);
        metric->ring[slot(track->hour)] = (float)x;
        metric->sum = 0, metric->count = 0;
    }
}

bool failure_track_advance(struct failure_track *track, Nanos at) {
    int64_t hour = hour_of(at);
    if (track->hour == INT64_MIN) {
        track->hour = hour;
        return true;
    }
    if (hour <= track->hour) return false;
    close_hour(track);
    int64_t empty = track->hour + 1;
    if (hour - empty > FAILURE_HOURS) empty = hour - FAILURE_HOURS;
    for (; empty <= hour; empty++)
        for (size_t m = 0; m < track->n_metrics; m++) track->metrics[m].ring[slot(empty)] = NAN;
    track->hour = hour;
    return true;
}

void failure_track_value(struct failure_track *track, size_t metric, double value) {
    ASSERT(metric < track->n_metrics);
    if (!isfinite(value)) return;
    track->metrics[metric].sum += value;
    track->metrics[metric].count++;
}

void failure_track_fill(struct failure_track *track, size_t metric, double sum, uint32_t count) {
    ASSERT(metric < track->n_metrics);
    if (!isfinite(sum)) return;
    track->metrics[metric].sum += sum;
    track->metrics[metric].count += count;
}

void failure_track_code(struct failure_track *track, uint8_t code, Nanos at) {
    if (code >= FAILURE_CODES_MAX) return;
    track->codes[track->codes_at] = (struct failure_code){at, code};
    track->codes_at = (track->codes_at + 1) % FAILURE_RECENT_CODES;
    if (track->n_codes < FAILURE_RECENT_CODES) track->n_codes++;
}

void failure_track_replaced(struct failure_track *track, size_t component, Nanos at) {
    ASSERT(component < track->n_components);
    if (at > track->components[component].replaced) track->components[component].replaced = at;
}

uint64_t failure_track_codes(const struct failure_track *track, Nanos at, int hours, Nanos since) {
    uint64_t set = 0;
    for (uint32_t i = 0; i < track->n_codes; i++) {
        const struct failure_code *c = &track->codes[i];
        if (c->at <= at && c->at > at - hours * NANOS_PER_HOUR && c->at > since) set |= UINT64_C(1) << c->code;
    }
    return set;
}
