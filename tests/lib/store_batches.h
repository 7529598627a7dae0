/*
 * Reading as columns against the plain store: every batch of a scan is taken apart, checked for what series_batch.h
 * promises of its form, and its samples, or its windows' aggregates, are compared with what should be there.
 */
#ifndef TESTS_STORE_BATCHES_H
#define TESTS_STORE_BATCHES_H

#include "store/series_batch.h"
#include "tests/lib/store_oracle.h"

/* The number of differences, each of the first printed; 0: none. ask->window with a lens that shows no single samples
 * must be a multiple of its resolution, and from and to ends of windows. */
size_t store_batches_differences(const struct store_oracle *oracle, struct series *series, const struct lens *lens,
                                 const struct series_ask *ask);

#endif
