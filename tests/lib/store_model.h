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
#include "tests/lib/store_cutfs.h"

struct store_model;

struct store_model_counts {
    uint64_t steps, rows, values, reads, opens, cuts, failures, healed; /* failures told; healed without a start */
};

struct store_model *store_model_new(uint64_t seed);
void store_model_step(struct store_model *m);
void store_model_look(struct store_model *m); /* compares everything there is */
/*
 * From so many calls of the file system on they fail, `times` of them (UINT64_MAX: until healed). Steps go on: what
 * fails must say why, and what was not acknowledged may be there afterwards or not.
 */
void store_model_fail(struct store_model *m, enum store_cutfs_failure how, uint64_t calls_from_now, uint64_t times);
/* The disk is well again: writing works at once or says that it needs a start; then a start, and a look. */
void store_model_heal(struct store_model *m);
uint64_t store_model_calls(const struct store_model *m); /* of the file system, since new */
size_t store_model_wrong(const struct store_model *m);
bool store_model_end(struct store_model *m, struct store_model_counts *counts); /* added to */

#endif
