/*
 * Statistics of one variable, whole arrays and streams. No allocation, no state beyond the structs.
 * NaN rule: a NaN among array elements or stream values is left out, as if it were not there; what is undefined (a
 * median of nothing, a variance of one value) is NaN. Infinities are values like others. Results carry the unit of the
 * input, variances its square.
 */
#ifndef KERNEL_STATS_H
#define KERNEL_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- arrays. `values` is scratch: it is reordered. Cost O(n) on average (Hoare's selection). */
size_t stats_drop_nan(double *values, size_t n); /* moves the others to the front, in order; how many they are */
double stats_median(double *values, size_t n);   /* mean of the two middle ones when n is even */
/* Median absolute deviation from `centre`, times 1.4826: a standard deviation when the values are normal. */
double stats_mad(double *values, size_t n, double centre);
/* Quantile of type 7 (Hyndman and Fan 1996, "Sample quantiles in statistical packages"): h = (n-1)p, linear between
 * neighbours. 0 <= p <= 1. */
double stats_quantile(double *values, size_t n, double p);
double stats_mean(const double *values, size_t n); /* Kahan-summed */

/* ---- mean and variance of a stream. Welford 1962, "Note on a method for calculating corrected sums of squares and
 * products". O(1) a value. */
struct stats_welford {
    uint64_t n;
    double mean, m2;
};
void stats_welford_add(struct stats_welford *w, double x);
double stats_welford_variance(const struct stats_welford *w); /* over n-1; NaN below two values */

/* ---- exponentially weighted mean and variance of a stream: with a = 1 - 2^(-1/half_life),
 * d = x - mean, mean += a·d, variance = (1-a)(variance + a·d²). The first value is the mean. O(1) a value. */
struct stats_ewma {
    double a, mean, variance; /* zeroed and `a` set: ready */
    bool begun;
};
void stats_ewma_init(struct stats_ewma *e, double half_life); /* in values, > 0 */
void stats_ewma_add(struct stats_ewma *e, double x);

/* ---- a quantile of a stream in five markers. Jain and Chlamtac 1985, "The P² algorithm for dynamic calculation of
 * quantiles and histograms without storing observations". Exact up to five values. O(1) a value. */
struct stats_p2 {
    double p;
    uint64_t n;
    double height[5], wanted[5];
    int64_t place[5];
};
void stats_p2_init(struct stats_p2 *q, double p); /* 0 < p < 1 */
void stats_p2_add(struct stats_p2 *q, double x);
double stats_p2_value(const struct stats_p2 *q); /* NaN before the first value */

/*
 * ---- a robust centre and spread of a stream that may drift: recursive Huber estimates.
 *     u = (x - centre)/spread;   centre += g·spread·clip(u, ±1.5);   spread² += g·spread²·(clip(u, ±2.5)²/b - 1)
 * with g = 1/min(n, memory) and b = E[clip(N(0,1), ±2.5)²] = 0.97756…, so that spread is a standard deviation when the
 * values are normal. The first STATS_HUBER_WARM values are kept and their median and MAD start it off (Huber 1981,
 * "Robust statistics", ch. 6; stochastic approximation after Robbins and Monro 1951). A shift that lasts moves the
 * centre by at most 1.5 spreads in `memory` values, so short faults hardly do. O(1) a value.
 */
#define STATS_HUBER_WARM 64
struct stats_huber {
    uint32_t n, memory;
    double centre,
        spread; /* NaN until STATS_HUBER_WARM values; spread is never 0: at least 1e-9 of |centre|, or 1e-9 */
    float warm[STATS_HUBER_WARM];
};
void stats_huber_init(struct stats_huber *h, uint32_t memory); /* memory in values, >= STATS_HUBER_WARM */
void stats_huber_add(struct stats_huber *h, double x);
void stats_huber_add_part(struct stats_huber *h, double x, double part); /* with the gain times part, once it is warm */

/* ---- tails of the normal distribution */
double stats_normal_tail(double z);       /* P(N > z), full relative accuracy for z > 0 */
double stats_normal_tail_log10(double z); /* its decimal logarithm, also where the tail itself is below 1e-308 */

#endif
