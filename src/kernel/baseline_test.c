/* Held against the finer state that it stands in for, on the same values. */
#include "kernel/baseline.h"

#include <math.h>

#include "kernel/anomaly.h"
#include "kernel/failure_track.h"
#include "tests/unit.h"

void baseline_test(void);

/* Normal enough: twelve uniform numbers, minus six. */
static double noise(uint64_t *dice) {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        *dice = *dice * UINT64_C(6364136223846793005) + 1442695040888963407u;
        sum += (double)(*dice >> 11) * 0x1p-53;
    }
    return sum;
}

static void check_values(void) {
    static const struct {
        const char *name;
        double centre, spread;
    } cases[] = {{"around zero", 0, 1}, {"far from zero", 1e6, 0.5}, {"large", 3e12, 1e9}, {"small", 1e-6, 1e-8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        struct baseline b = {0};
        struct anomaly fine;
        uint64_t dice = 7;
        anomaly_init(&fine, 0);
        for (int k = 0; k < 5000; k++) {
            double x = cases[i].centre + cases[i].spread * noise(&dice);
            baseline_add(&b, x);
            anomaly_add(&fine, x);
        }
        CHECK_NUM(b.first + (double)b.centre, fine.baseline.centre, 0.1 * cases[i].spread);
        CHECK_NUM((double)b.spread, fine.baseline.spread, 0.1 * fine.baseline.spread);
        baseline_add(&b, cases[i].centre + 7 * cases[i].spread);
        CHECK(baseline_score(&b) > 0.9999);
        baseline_add(&b, cases[i].centre);
        CHECK(baseline_score(&b) < 0.999);
    }
    unit_case("what is no number changes nothing");
    struct baseline b = {0}, before;
    baseline_add(&b, 1);
    before = b;
    baseline_add(&b, NAN);
    baseline_add(&b, INFINITY);
    CHECK(b.n == before.n && b.hour_n == before.hour_n);
}

struct both {
    struct baseline lean;
    struct failure_metric metric;
    struct failure_track fine;
    int64_t hour;
};

/* One hour of twenty values on both. */
static void feed(struct both *s, int64_t hour, double mean, uint64_t *dice) {
    if (s->hour != INT64_MIN) baseline_close(&s->lean, s->hour, hour);
    s->hour = hour;
    failure_track_advance(&s->fine, hour * NANOS_PER_HOUR);
    for (int i = 0; i < 20; i++) {
        double x = mean + noise(dice);
        baseline_add(&s->lean, x);
        failure_track_value(&s->fine, 0, x);
    }
}

static void check_hours(void) {
    unit_case("forty days of hours, then a shift");
    struct both s = {.hour = INT64_MIN};
    uint64_t dice = 3;
    int n;
    failure_track_init(&s.fine, &s.metric, 1, NULL, 0);
    for (int64_t h = 1000; h < 1000 + 40 * 24; h++) feed(&s, h, 200 + 5 * noise(&dice), &dice);
    CHECK(baseline_known(&s.lean));
    CHECK_NUM(baseline_centre(&s.lean), s.metric.hourly.centre, 1);
    CHECK_NUM((double)s.lean.hour_spread, s.metric.hourly.spread, 1.2);
    CHECK_NUM((double)s.lean.day_spread, s.metric.daily.spread, 0.6);
    double own = baseline_mean(&s.lean, s.hour, 24, &n), fine = failure_track_mean(&s.fine, 0, 24, INT64_MIN, NULL);
    CHECK(n >= 22 && n <= 24);
    CHECK_NUM(own, fine, 1);
    for (int64_t h = s.hour + 1, end = h + 24; h < end; h++) feed(&s, h, 300, &dice);
    CHECK_NUM(baseline_mean(&s.lean, s.hour, 12, &n), 300, 1);
    CHECK_NUM(baseline_centre(&s.lean), 200, 6);
    unit_case("hours without values fall out");
    baseline_close(&s.lean, s.hour, s.hour + 30);
    CHECK(isnan(baseline_mean(&s.lean, s.hour + 30, 24, &n)) && n == 0);
    unit_case("filled from hourly sums it is the same");
    struct baseline a = {0};
    baseline_fill(&a, 10, 3);
    baseline_fill(&a, 14, 1);
    CHECK_NUM(baseline_mean(&a, 5, 24, &n), 11, 1e-6);
    CHECK_INT(n, 1);
}

void baseline_test(void) {
    check_values();
    check_hours();
}
