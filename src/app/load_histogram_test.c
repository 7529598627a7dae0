#include "app/load_histogram.h"

#include "tests/unit.h"

void load_histogram_test(void) {
    unit_case("quantiles are within 4 % of the truth");
    struct load_histogram h = {0}, twice = {0};
    CHECK_INT(load_histogram_quantile(&h, 0.5), 0);
    for (Nanos us = 1; us <= 100000; us++) load_histogram_add(&h, us * NANOS_PER_US);
    CHECK_NUM((double)load_histogram_quantile(&h, 0.5), 50e6, 2e6);
    CHECK_NUM((double)load_histogram_quantile(&h, 0.99), 99e6, 4e6);
    CHECK_INT(load_histogram_quantile(&h, 1), 100000 * NANOS_PER_US);
    unit_case("merging adds");
    load_histogram_merge(&twice, &h);
    load_histogram_merge(&twice, &h);
    CHECK_INT(twice.count, 200000);
    CHECK_INT(load_histogram_quantile(&twice, 0.5), load_histogram_quantile(&h, 0.5));
    unit_case("extremes");
    struct load_histogram e = {0};
    load_histogram_add(&e, -5);
    load_histogram_add(&e, INT64_MAX);
    CHECK_INT(e.max, INT64_MAX);
    CHECK(load_histogram_quantile(&e, 0.1) <= NANOS_PER_US);
}
