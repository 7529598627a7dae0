/*
 * What is known of one thing at one moment, for judging which of its components will fail: hourly means of its
 * metrics, their own robust baselines, the codes it reported, and when each component was last replaced.
 *
 * A track is fed in the order of time and costs O(1) a value. Hours are those of the clock (UTC). What it yields at
 * time t depends on nothing later than t.
 *
 * Metrics, components and codes are known by their place in lists that the caller keeps. NaN values are left out.
 */
#ifndef KERNEL_FAILURE_TRACK_H
#define KERNEL_FAILURE_TRACK_H

#include "base/time.h"
#include "kernel/stats.h"

#define FAILURE_METRICS_MAX 16
#define FAILURE_COMPONENTS_MAX 16
#define FAILURE_CODES_MAX 64 /* distinct codes; later ones are left out */
#define FAILURE_HOURS 48     /* of hourly means kept, and of codes */
#define FAILURE_RECENT_CODES 48

struct failure_metric {
    double sum; /* of the hour being filled */
    uint32_t count;
    float ring[FAILURE_HOURS]; /* hourly means, by hour % FAILURE_HOURS; NaN: nothing reported */
    struct stats_huber hourly; /* own baseline of hourly means; memory 60 days */
    struct stats_huber daily;  /* own baseline of trailing 24 h means, once an hour */
};

struct failure_code {
    Nanos at;
    uint8_t code;
};

struct failure_component {
    Nanos
        replaced; /* or failed, whichever came last: what was before says nothing about this piece. INT64_MIN: never */
};

struct failure_track {
    int64_t hour; /* being filled, hours since 1970; INT64_MIN: nothing yet */
    size_t n_metrics, n_components;
    struct failure_metric *metrics;                  /* [n_metrics], the caller's */
    struct failure_component *components;            /* [n_components], the caller's */
    struct failure_code codes[FAILURE_RECENT_CODES]; /* a ring, newest at codes_at - 1 */
    uint32_t codes_at, n_codes;
};

void failure_track_init(struct failure_track *track, struct failure_metric *metrics, size_t n_metrics,
                        struct failure_component *components, size_t n_components);
/* Time has come to `at`: hours that are over are closed. True when a new hour began. Earlier times change nothing. */
bool failure_track_advance(struct failure_track *track, Nanos at);
/* Values and codes belong to the hour being filled; advance to their time first. */
void failure_track_value(struct failure_track *track, size_t metric, double value);
void failure_track_fill(struct failure_track *track, size_t metric, double sum, uint32_t count); /* many at once */
void failure_track_code(struct failure_track *track, uint8_t code, Nanos at);
void failure_track_replaced(struct failure_track *track, size_t component, Nanos at);

/* Mean over the last `hours` hours, the one being filled among them, but none before `since`; *n: hours that had
 * values; NaN when none had. Cost O(hours). */
double failure_track_mean(const struct failure_track *track, size_t metric, int hours, Nanos since, int *n);
/* The same for 6, 12, 24 and 48 hours at once. */
#define FAILURE_WINDOWS 4
void failure_track_means(const struct failure_track *track, size_t metric, Nanos since, double mean[FAILURE_WINDOWS],
                         int n[FAILURE_WINDOWS]);
/* Codes of the last `hours` hours up to `at`, after `since`, as a bit set. */
uint64_t failure_track_codes(const struct failure_track *track, Nanos at, int hours, Nanos since);

#endif
