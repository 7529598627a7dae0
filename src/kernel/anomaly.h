/*
 * How unusual is the newest value of one metric? A streaming score from 0 to 1 in O(1) memory and time.
 *
 * Two questions, each answered by a tail probability of a normal distribution around a robust baseline (stats_huber):
 *   spike  u = (x - centre)/spread                 is this value far out?
 *   level  v = (1-a)·v + a·u;  v/sqrt(a/(2-a)·r)   have values of late been on one side? (EWMA, half-life 8 values)
 * r ≥ 1 widens the second where values are alike from one to the next: a slow average of v² over its share under
 * independence. p is the smaller two-sided tail times 2 (two questions), and score = 1 - p, so that 0.999 comes once
 * in a thousand values of a normal, stationary metric. EWMA control charts: Roberts 1959; tail likelihoods as anomaly
 * scores: Ahmad et al. 2017, "Unsupervised real-time anomaly detection for streaming data".
 *
 * NaN and infinities score 0 and change nothing; the first STATS_HUBER_WARM values score 0.
 */
#ifndef KERNEL_ANOMALY_H
#define KERNEL_ANOMALY_H

#include "kernel/stats.h"

struct anomaly {
    struct stats_huber baseline;
    double level;    /* v */
    double likeness; /* r */
};

void anomaly_init(struct anomaly *a, uint32_t memory); /* the baseline's, in values; 0 = 2,000 */
double anomaly_add(struct anomaly *a, double x);       /* the score of x, judged by what came before it */

#endif
