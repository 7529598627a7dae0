#include "kernel/anomaly.h"

#include <math.h>

#include "kernel/health.h"
#include "tests/unit.h"

void anomaly_test(void);

static double wave(int i) { return 50 + (double)(i * 37 % 11 - 5); }

static void check_health(void) {
    static const struct {
        const char *name;
        double own, peer, lost;
    } cases[] = {
        {"usual scatter is free", 2.9, -2.9, 0}, {"half of the way", 7.5, 7.5, 25},
        {"at most fifty", 100, 100, 50},         {"own alone", 7.5, NAN, 25},
        {"peers alone", NAN, -7.5, 25},          {"sqrt((0 + 15²)/2) = 10.607", 0, 15, 50 * 7.6066 / 9},
        {"nothing known", NAN, NAN, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        struct health_metric m = {cases[i].own, cases[i].peer, -1};
        double index = health_index(&m, 1);
        CHECK_NUM(m.points_lost, cases[i].lost, 0.01);
        if (isnan(cases[i].own) && isnan(cases[i].peer))
            CHECK(isnan(index));
        else
            CHECK_NUM(index, 100 - cases[i].lost, 0.01);
    }
    unit_case("never below 0");
    struct health_metric many[3] = {{50, 50, 0}, {50, 50, 0}, {50, 50, 0}};
    CHECK_NUM(health_index(many, 3), 0, 0);
    CHECK(isnan(health_index(many, 0)));
}

void anomaly_test(void) {
    struct anomaly a;
    unit_case("a spike scores, the values around it do not");
    anomaly_init(&a, 0);
    double worst = 0;
    for (int i = 0; i < 500; i++) worst = fmax(worst, anomaly_add(&a, wave(i)));
    CHECK(worst < 0.95);
    CHECK(anomaly_add(&a, 90) > 0.9999);
    CHECK(anomaly_add(&a, wave(1)) < 0.95);

    unit_case("a lasting shift that no single value shows");
    double shifted = 0;
    for (int i = 0; i < 30; i++) shifted = fmax(shifted, anomaly_add(&a, wave(i) + 6));
    CHECK(shifted > 0.999);

    unit_case("NaN, infinity, the first values, a constant: 0");
    CHECK_NUM(anomaly_add(&a, NAN), 0, 0);
    CHECK_NUM(anomaly_add(&a, INFINITY), 0, 0);
    anomaly_init(&a, 0);
    for (int i = 0; i < 300; i++) CHECK_NUM(anomaly_add(&a, 3), 0, 0);
    check_health();
}
