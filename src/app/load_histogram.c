#include "app/load_histogram.h"

/*
 * Below 32 µs a bucket a microsecond; above, 32 buckets for every doubling: the position of the highest bit chooses the
 * doubling, the five bits behind it the bucket.
 */
#define SUB_BITS 5
#define SUB (1u << SUB_BITS)

static unsigned bucket_of(uint64_t us) {
    if (us < SUB) return (unsigned)us;
    unsigned high = 63 - (unsigned)__builtin_clzll(us);
    unsigned bucket = (high - SUB_BITS + 1) * SUB + (unsigned)(us >> (high - SUB_BITS) & (SUB - 1));
    return bucket < LOAD_HISTOGRAM_BUCKETS ? bucket : LOAD_HISTOGRAM_BUCKETS - 1;
}

static uint64_t upper_us(unsigned bucket) {
    if (bucket < SUB) return bucket + 1;
    unsigned shift = bucket / SUB - 1;
    return ((uint64_t)(SUB + bucket % SUB) + 1) << shift;
}

void load_histogram_add(struct load_histogram *h, Nanos duration) {
    h->count++;
    h->buckets[bucket_of(duration > 0 ? (uint64_t)(duration / NANOS_PER_US) : 0)]++;
    if (duration > h->max) h->max = duration;
}

void load_histogram_merge(struct load_histogram *into, const struct load_histogram *from) {
    into->count += from->count;
    for (unsigned i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) into->buckets[i] += from->buckets[i];
    if (from->max > into->max) into->max = from->max;
}

Nanos load_histogram_quantile(const struct load_histogram *h, double q) {
    uint64_t wanted = (uint64_t)(q * (double)h->count), seen = 0;
    for (unsigned i = 0; i < LOAD_HISTOGRAM_BUCKETS && h->count; i++) {
        seen += h->buckets[i];
        if (seen <= wanted && seen < h->count) continue;
        Nanos upper = (Nanos)upper_us(i) * NANOS_PER_US;
        return upper < h->max ? upper : h->max;
    }
    return 0;
}
