/*
 * Rows of one thing side by side, on their way into a batch: from a chunk, from memory, or joined from several of those
 * whose times overlap. Rows that have none of the metrics asked for are left out (unless none is asked for).
 */
#ifndef STORE_SERIES_BATCH_PART_H
#define STORE_SERIES_BATCH_PART_H

#include "base/arena.h"
#include "store/series_batch.h"
#include "store/series_recent.h"

struct series_batch_part {
    size_t n; /* rows; may be 0 */
    const Nanos *times;
    struct series_batch_column columns[SERIES_ASK_METRICS_MAX];
};

/* Where a metric stands in the ask, looked up for every value of memory. */
struct series_batch_index {
    const MetricId *metrics;
    size_t n;
    uint8_t guess[256]; /* by the metric's low bits: its place + 1, unless another has it */
};
void series_batch_part_index(struct series_batch_index *index, const MetricId *metrics, size_t n);

/* Of rows in memory, in order of time and of arrival. Strings are borrowed from the rows. */
void series_batch_part_memory(struct series_batch_part *part, const struct series_batch_index *index,
                              const struct row_head *const *rows, size_t n, struct arena *arena);

/* One of several: of a moment that many have, the first part's value counts, metric by metric. */
void series_batch_part_join(struct series_batch_part *out, const struct series_batch_part *const *parts, size_t n_parts,
                            size_t n_metrics, struct arena *arena);

/* Rows of a part, without copying; `from` a multiple of 64. */
void series_batch_part_stretch(struct series_batch_part *out, const struct series_batch_part *part, size_t n_metrics,
                               size_t from, size_t n);

/* ---- bits, one a row */
static inline size_t series_batch_words(size_t n) { return (n + 63) / 64; }
static inline bool series_batch_bit(const uint64_t *words, size_t i) { return words[i / 64] >> i % 64 & 1; }
static inline void series_batch_set(uint64_t *words, size_t i) { words[i / 64] |= UINT64_C(1) << i % 64; }
static inline size_t series_batch_count(const uint64_t *words, size_t n_bits) {
    size_t count = 0, whole = n_bits / 64;
    for (size_t i = 0; i < whole; i++) count += (size_t)__builtin_popcountll(words[i]);
    if (n_bits % 64) count += (size_t)__builtin_popcountll(words[whole] & ((UINT64_C(1) << n_bits % 64) - 1));
    return count;
}

#endif
