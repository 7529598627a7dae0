#include "kernel/stats.h"

#include <math.h>
#include <string.h>

#include "tests/unit.h"

void stats_test(void);

#define N(list) (sizeof(list) / sizeof *(list))

static void check_arrays(void) {
    unit_case("median, quantile, mad: by hand, and type 7 as R gives it");
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, with[] = {NAN, 2, NAN, 1, 9}, none[] = {NAN};
    CHECK_NUM(stats_median(odd, N(odd)), 3, 0);
    CHECK_NUM(stats_median(even, N(even)), 2.5, 0);
    CHECK_NUM(stats_median(with, N(with)), 2, 0);
    CHECK(isnan(stats_median(none, N(none))));
    CHECK(isnan(stats_median(none, 0)));
    double ten[] = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    CHECK_NUM(stats_quantile(ten, N(ten), 0.25), 3.25, 1e-12); /* R: quantile(1:10, .25) */
    CHECK_NUM(stats_quantile(ten, N(ten), 0.9), 9.1, 1e-12);
    CHECK_NUM(stats_quantile(ten, N(ten), 0), 1, 0);
    CHECK_NUM(stats_quantile(ten, N(ten), 1), 10, 0);
    double seven[] = {1, 1, 2, 2, 4, 6, 9}; /* the textbook's: median 2, deviations' median 1 */
    CHECK_NUM(stats_mad(seven, N(seven), 2), 1.4826, 1e-4);
    double same[] = {7, 7, 7, 7, 7, 7, 7, 7, 7};
    CHECK_NUM(stats_median(same, N(same)), 7, 0);
    CHECK_NUM(stats_mad(same, N(same), 7), 0, 0);
    double mean[] = {1, 2, NAN, 6};
    CHECK_NUM(stats_mean(mean, N(mean)), 3, 1e-15);
    CHECK(isnan(stats_mean(none, 1)));
}

static void check_streams(void) {
    unit_case("Welford: variance of 2 4 4 4 5 5 7 9 is 32/7");
    static const double list[] = {2, 4, 4, NAN, 4, 5, 5, 7, 9};
    struct stats_welford w = {0};
    CHECK(isnan(stats_welford_variance(&w)));
    for (size_t i = 0; i < N(list); i++) stats_welford_add(&w, list[i]);
    CHECK_INT(w.n, 8);
    CHECK_NUM(w.mean, 5, 1e-12);
    CHECK_NUM(stats_welford_variance(&w), 32.0 / 7, 1e-12);

    unit_case("EWMA: half of a step after its half-life");
    struct stats_ewma e;
    stats_ewma_init(&e, 4);
    stats_ewma_add(&e, 0);
    for (int i = 0; i < 4; i++) stats_ewma_add(&e, 1);
    CHECK_NUM(e.mean, 0.5, 1e-12);
    stats_ewma_add(&e, NAN);
    CHECK_NUM(e.mean, 0.5, 1e-12);

    unit_case("P²: the example of Jain and Chlamtac, median 4.44");
    static const double paper[] = {0.02,  0.15,  0.74, 3.39, 0.83, 22.37, 10.15, 15.43, 38.62, 15.92,
                                   34.60, 10.28, 1.47, 0.40, 0.05, 11.39, 0.27,  0.42,  0.09,  11.37};
    struct stats_p2 p2;
    stats_p2_init(&p2, 0.5);
    CHECK(isnan(stats_p2_value(&p2)));
    for (size_t i = 0; i < N(paper); i++) stats_p2_add(&p2, paper[i]);
    CHECK_NUM(stats_p2_value(&p2), 4.44, 0.005);
    stats_p2_init(&p2, 0.5);
    for (int i = 0; i < 100; i++) stats_p2_add(&p2, 3);
    CHECK_NUM(stats_p2_value(&p2), 3, 0);
}

static void check_huber(void) {
    unit_case("Huber: faults hardly move it, a constant has a spread above 0");
    struct stats_huber h;
    stats_huber_init(&h, 1000);
    for (int i = 0; i < 2000; i++) stats_huber_add(&h, 10 + (i % 7 - 3));
    CHECK_NUM(h.centre, 10, 0.2);
    double before = h.centre;
    for (int i = 0; i < 20; i++) stats_huber_add(&h, 1e9);
    CHECK_NUM(h.centre, before, 0.12);
    stats_huber_add(&h, NAN);
    stats_huber_add(&h, INFINITY);
    CHECK(isfinite(h.centre) && isfinite(h.spread));
    stats_huber_init(&h, 100);
    for (int i = 0; i < 200; i++) stats_huber_add(&h, 5);
    CHECK_NUM(h.centre, 5, 0);
    CHECK(h.spread > 0);
}

static void check_tails(void) {
    unit_case("normal tails: tables, and beyond what a double can hold");
    CHECK_NUM(stats_normal_tail(0), 0.5, 1e-15);
    CHECK_NUM(stats_normal_tail(1.959963984540054), 0.025, 1e-12);
    CHECK_NUM(stats_normal_tail_log10(6), -9.0058, 1e-3);
    CHECK_NUM(stats_normal_tail_log10(40), -349.43701, 1e-3);
    CHECK_NUM(stats_normal_tail_log10(29.9999999), stats_normal_tail_log10(30.0000001), 1e-4);
}

void stats_test(void) {
    check_arrays();
    check_streams();
    check_huber();
    check_tails();
}
