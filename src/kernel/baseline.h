/*
 * What is usual for one metric of one thing, in 64 bytes: a robust centre and spread of its values with a score of the
 * newest (as kernel/anomaly.h), a robust baseline of its hourly means with the spread of its daily ones, and the means
 * of the last day in eight stretches of three hours (as kernel/failure_track.h, more coarsely). For fleets of hundreds
 * of thousands; things whose parts are to be foreseen keep the finer track.
 *
 * Estimates are recursive Huber ones (kernel/stats.h) without a buffer: the first BASELINE_BEGIN values give a plain
 * mean and mean deviation (times 1.2533: a standard deviation when normal), every later one moves both by 1/n of a
 * clipped step. Scores and hourly baselines speak after STATS_HUBER_WARM values, as elsewhere; the hourly one takes
 * every third hour until then. Numbers are kept as differences from the first value, in single precision; stretches in
 * 16 bits, to 0.1 % of that difference.
 *
 * NaN and infinities change nothing. Times must not go back. Zeroed is ready. O(1) a value. The layout is stored by the
 * watch (its file names a version): little endian, no padding.
 */
#ifndef KERNEL_BASELINE_H
#define KERNEL_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#define BASELINE_BEGIN 8
#define BASELINE_STRETCHES 8
#define BASELINE_STRETCH_HOURS 3
#define BASELINE_MEMORY 2000 /* values */
#define BASELINE_HOURS 1440  /* hourly means: 60 days */

struct baseline {
    double first;                               /* all else is relative to it */
    float centre, spread, level;                /* of values; level: their EWMA, in spreads */
    float hour;                                 /* mean of the hour being filled */
    float hour_centre, hour_spread, day_spread; /* of hourly means, of daily means */
    uint16_t likeness;                          /* as in anomaly.h, in 1/4096 */
    uint8_t score, flags;                       /* deviations of the newest value, in 1/16; the owner's */
    uint16_t n, hour_n, hours;                  /* values, values of this hour, hourly means learnt; all saturate */
    uint16_t counts;                            /* hours with values in each stretch, two bits each */
    uint16_t stretches[BASELINE_STRETCHES];     /* their means, as 16-bit numbers; by stretch % 8 */
};
_Static_assert(sizeof(struct baseline) == 64, "stored as it is");

/* The value of a thing that has come to hour `hour` (since 1970); close hours that are over first. */
void baseline_add(struct baseline *b, double x);
/* Many of the hour at once: their mean and how many. */
void baseline_fill(struct baseline *b, double mean, uint32_t count);
/* Hour `hour` is over, the next in which anything comes is `next`. */
void baseline_close(struct baseline *b, int64_t hour, int64_t next);

/* Mean of the last 12 or 24 hours, the one being filled (`hour`) among them, by stretches; *n: hours with values. NaN:
 * none. */
double baseline_mean(const struct baseline *b, int64_t hour, int hours, int *n);
bool baseline_known(const struct baseline *b);    /* the hourly baseline speaks */
double baseline_centre(const struct baseline *b); /* of hourly means; NaN: not yet */
double baseline_score(const struct baseline *b);  /* 0 to 1, of the newest value */

#endif
