/* Windows against figures that Prometheus publishes (its promql/promqltest/testdata) or that are worked out by hand. */
#include "serve/prometheus_window.h"

#include <math.h>

#include "tests/unit.h"

static double got;

static bool over(prometheus_window_fn *fn, double start, double end, double param, const double *pairs, size_t n) {
    Nanos times[32];
    double values[32];
    for (size_t i = 0; i < n; i++) {
        times[i] = (Nanos)(pairs[2 * i] * 1e9);
        values[i] = pairs[2 * i + 1];
    }
    struct prometheus_window w = {times, values, n, (Nanos)(start * 1e9), (Nanos)(end * 1e9), param};
    return fn(&w, &got);
}
#define OVER(fn, start, end, param, ...)                                                                               \
    over(prometheus_window_##fn, start, end, param, (const double[]){__VA_ARGS__},                                     \
         sizeof((const double[]){__VA_ARGS__}) / sizeof(double) / 2)
#define IS(want, ...) (CHECK(OVER(__VA_ARGS__)), CHECK_NUM(got, want, 1e-12))

static void rates(void) {
    unit_case("rates: stretched to the ends of the window, and not before zero");
    /* 10, 20 … 100 every five minutes, over the 50 minutes behind a counter's zero */
    IS(100, increase, 0, 3000, 0, 300, 10, 600, 20, 900, 30, 1200, 40, 1500, 50, 1800, 60, 2100, 70, 2400, 80, 2700, 90,
       3000, 100);
    /* starts again in between: 0 … 50, 0 … 40; 90 gained over 45 minutes of 50 */
    IS(90.0 * 50 / 45, increase, 0, 3000, 0, 300, 10, 600, 20, 900, 30, 1200, 40, 1500, 50, 1800, 10, 2100, 20, 2400,
       30, 2700, 40, 3000, 50);
    IS(100.0 / 3000, rate, 0, 3000, 0, 300, 10, 3000, 100);
    /* far from both ends: half a gap more on either side; a gauge goes before zero, a counter does not */
    IS(10 + 10, delta, 0, 1000, 0, 400, 5, 500, 15);
    IS(10 + 5 + 5, increase, 0, 1000, 0, 400, 5, 500, 15);
    IS(10 + 1 + 5, increase, 0, 1000, 0, 400, 1, 500, 11);
    CHECK(!OVER(rate, 0, 100, 0, 50, 1));
    IS(10.0 / 300, irate, 0, 3000, 0, 2400, 80, 2700, 90, 3000, 100);
    IS(5.0 / 300, irate, 0, 3000, 0, 2700, 90, 3000, 5);
    IS(-85, idelta, 0, 3000, 0, 2700, 90, 3000, 5);
}

static void lines(void) {
    /* testcounter_reset_middle 0+10x4 0+10x5 every five minutes */
#define MIDDLE 0, 0, 300, 10, 600, 20, 900, 30, 1200, 40, 1500, 0, 1800, 10, 2100, 20, 2400, 30, 2700, 40, 3000, 50
    unit_case("lines: slope and what it foretells, as Prometheus publishes them");
    IS(0.010606060606060607, deriv, -3000, 3000, 0, MIDDLE);
    CHECK(OVER(predict, -1, 3000, 3600, MIDDLE));
    CHECK_NUM(got, 76.81818181818181, 1e-9);
    IS(0, deriv, 0, 100, 0, 10, 5, 20, 5);
    IS(5, predict, 0, 100, 3600, 10, 5, 20, 5);
}

static void aggregates(void) {
    unit_case("over time");
    IS(0.8, quantile, 0, 100, 0.8, 0, 0, 10, 1);
    IS(1.5, quantile, 0, 100, 0.75, 0, 0, 10, 1, 20, 2);
    IS(2.8, quantile, 0, 100, 0.8, 0, 0, 10, 1, 20, 4);
    CHECK(OVER(quantile, 0, 100, -1, 0, 0, 10, 1) && isinf(got) && got < 0);
    CHECK(OVER(quantile, 0, 100, 2, 0, 0, 10, 1) && isinf(got) && got > 0);
    CHECK(OVER(quantile, 0, 100, (double)NAN, 0, 0, 10, 1) && isnan(got));
    /* 0 8 8 2 3: deviation as published for stddev_over_time */
    IS(10.56, stdvar, 0, 100, 0, 0, 0, 10, 8, 20, 8, 30, 2, 40, 3);
    IS(3.249615361854384, stddev, 0, 100, 0, 0, 0, 10, 8, 20, 8, 30, 2, 40, 3);
    IS(4.2, avg, 0, 100, 0, 0, 0, 10, 8, 20, 8, 30, 2, 40, 3);
    IS(2, sum, 0, 100, 0, 0, 1, 1, 1e100, 2, 1, 3, -1e100); /* nothing is lost beside a large value */
    IS(3, changes, 0, 100, 0, 0, 0, 10, 8, 20, 8, 30, 2, 40, 3);
    IS(1, resets, 0, 100, 0, 0, 0, 10, 8, 20, 8, 30, 2, 40, 3);
    IS(1, min, 0, 100, 0, 0, (double)NAN, 1, 2, 2, 1);
    IS(2, max, 0, 100, 0, 0, (double)NAN, 1, 2, 2, 1);
    IS(40, last_time, 0, 100, 0, 0, 0, 40, 8);
    IS(2, count, 0, 100, 0, 0, 0, 40, 8);
    IS(1, present, 0, 100, 0, 0, 0);
}

void prometheus_window_test(void) {
    rates();
    lines();
    aggregates();
}
