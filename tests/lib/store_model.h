/*
 * A series store and, beside it, the plainest thing that should give the same answers. One life of both: random writes,
 * late, doubled, ahead of time, of every kind; flushes, merges, restarts, kills and power cuts, at rest and in the
 * middle; clocks that jump. After each, whatever can be asked is compared.
 *
 *     struct store_model *m = store_model_new(seed);
 *     for (int i = 0; i < 300 && !store_model_wrong(m); i++) store_model_step(m);
 *     store_model_look(m);
 *     bool good = store_model_end(m);       // closes, looks once more, frees
 *
 * The same seed gives the same steps; what the store's own threads do at the moment of a cut may differ.
 */
#ifndef TESTS_STORE_MODEL_H
#define TESTS_STORE_MODEL_H

#include "store/series.h"

struct store_model;

struct store_model_counts {
    uint64_t steps, rows, values, reads, opens, cuts;
};

struct store_model *store_model_new(uint64_t seed);
void store_model_step(struct store_model *m);
void store_model_look(struct store_model *m); /* compares everything there is */
size_t store_model_wrong(const struct store_model *m);
bool store_model_end(struct store_model *m, struct store_model_counts *counts); /* added to */

#endif
