/*
 * The plainest possible series store: one sorted array. Tests do to it what they do to a real one and compare every
 * read. Things and metrics are numbers; the caller maps them to those of the store.
 */
#ifndef TESTS_STORE_ORACLE_H
#define TESTS_STORE_ORACLE_H

#include "store/series.h"

struct store_oracle_sample {
    ThingId thing;
    MetricId metric;
    Nanos time;
    Value value; /* strings: static */
};

struct store_oracle {
    struct store_oracle_sample *items; /* by thing, metric, time */
    size_t n, cap;
    PartyId (*party_of)(ThingId thing); /* NULL: every thing is of party 1 */
};

void store_oracle_fini(struct store_oracle *oracle);
/* A later one of the same thing, metric and time replaces the earlier. */
void store_oracle_put(struct store_oracle *oracle, ThingId thing, MetricId metric, Nanos time, Value value);
const struct store_oracle_sample *store_oracle_get(const struct store_oracle *oracle, ThingId thing, MetricId metric,
                                                   Nanos time);
/* The number of points in which the store differs from what it should give, each printed; 0: none. */
size_t store_oracle_differences(const struct store_oracle *oracle, struct series *series, const struct lens *lens,
                                const struct series_query *query);

#endif
