/* Durations counted in buckets of about 3 %, from 1 µs to more than an hour. */
#ifndef APP_LOAD_HISTOGRAM_H
#define APP_LOAD_HISTOGRAM_H

#include "base/time.h"

#define LOAD_HISTOGRAM_BUCKETS 1024

struct load_histogram {
    uint64_t count, buckets[LOAD_HISTOGRAM_BUCKETS];
    Nanos max;
};

void load_histogram_add(struct load_histogram *h, Nanos duration);
void load_histogram_merge(struct load_histogram *into, const struct load_histogram *from);
Nanos load_histogram_quantile(const struct load_histogram *h, double q); /* 0 when empty; never above max */

#endif
