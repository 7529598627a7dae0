/* Partitions of time: aligned windows of 1, 8, 64 or 512 UTC days that never overlap. */
#ifndef STORE_SERIES_PARTITION_H
#define STORE_SERIES_PARTITION_H

#include "store/series_manifest.h"
#include "store/series_memory.h"

#define SERIES_PARTITION_LEVELS 4

struct series_partition {
    Nanos from, to;
};

struct series_partitions {
    struct series_partition *items; /* ascending */
    size_t n, cap;
};

void series_partition_fini(struct series_partitions *partitions);
/* The window of a level, 0 for days, that holds t; clamped to the range of time. */
struct series_partition series_partition_window(Nanos t, unsigned level);
unsigned series_partition_level(const struct series_partition *partition);
/* Those that the memory's rows fall into: the ones the manifest's runs have, and new ones,
 * of level `widest` at most. Nothing is being added. */
void series_partition_plan(struct series_partitions *out, const struct series_manifest *manifest,
                           const struct series_memory *memory, Nanos now, unsigned widest);

#endif
