#include "kernel/kernel_failure.h"

#include <string.h>

#include "tests/unit.h"

void kernel_failure_test(void);

#define DEMO "packs/machinery/demo"
#define BUDGET 0.1

static void check_counts(const struct failure_counts *model, const struct failure_counts *baseline) {
    CHECK(failure_trial_recall(model) > failure_trial_recall(baseline));
    CHECK(failure_trial_false_rate(model) <= BUDGET);
    CHECK_INT(model->failures, baseline->failures);
    CHECK_INT(model->predictions, model->foreseen + model->false_alarms + model->undecided);
}

static void check_backtest(const struct recording *rec) {
    struct kernel_failure_line one[KERNEL_FAILURE_LINES], two[KERNEL_FAILURE_LINES];
    struct arena arena;
    arena_init(&arena, 0);
    unit_case("better than both baselines within the budget, on machines and on times not learnt from");
    if (CHECK_OK(kernel_failure_backtest(rec, 2, &arena, two))) {
        for (size_t i = 1; i < KERNEL_FAILURE_LINES; i++) {
            check_counts(&two[0].left_out, &two[i].left_out);
            check_counts(&two[0].later, &two[i].later);
        }
        CHECK_INT(two[0].left_out.failures, 42);
        CHECK_INT(two[0].later.failures, 17);
        CHECK(two[0].left_out.foreseen_24h >= 36);
        CHECK(two[0].later.foreseen_24h >= 14);
    }
    unit_case("the same counts on one thread");
    CHECK_OK(kernel_failure_backtest(rec, 1, &arena, one));
    for (size_t i = 0; i < KERNEL_FAILURE_LINES; i++) {
        CHECK_INT(one[i].left_out.predictions, two[i].left_out.predictions);
        CHECK_INT(one[i].left_out.foreseen_24h, two[i].left_out.foreseen_24h);
        CHECK_INT(one[i].left_out.false_alarms, two[i].left_out.false_alarms);
        CHECK(memcmp(&one[i].threshold, &two[i].threshold, sizeof one[i].threshold) == 0);
    }
    arena_fini(&arena);
}

/* ---- the rules of counting, on histories made by hand */
#define HOUR(n) ((n)*NANOS_PER_HOUR)
static double judge_code(const void *ctx, size_t c, const struct failure_look *look) {
    (void)ctx, (void)c;
    return look->codes_24h ? 1 : 0;
}

static const struct {
    const char *name;
    int code_at, failed_at, replaced_at; /* hours; -1: never. The code is what the judge predicts by */
    unsigned failures, foreseen_24h, foreseen, predictions, false_alarms, undecided;
} counting[] = {
    {"nothing happens", -1, -1, -1, 0, 0, 0, 0, 0, 0},
    {"not foreseen", -1, 100, -1, 1, 0, 0, 0, 0, 0},
    {"24 h ahead to the hour", 76, 100, -1, 1, 1, 1, 1, 0, 0},
    {"23 h ahead", 77, 100, -1, 1, 0, 1, 1, 0, 0},
    {"48 h ahead is within the horizon", 52, 100, -1, 1, 1, 1, 1, 0, 0},
    {"49 h ahead is false, and the failure not foreseen", 51, 100, -1, 1, 0, 0, 1, 1, 0},
    {"at its own moment", 100, 100, -1, 1, 0, 0, 1, 1, 0},
    {"no failure follows", 50, -1, -1, 0, 0, 0, 1, 1, 0},
    {"a replacement on plan does not save it", 50, -1, 60, 0, 0, 0, 1, 1, 0},
    {"open at the end", 180, -1, -1, 0, 0, 0, 1, 0, 1},
};

static void check_counting(void) {
    double values[1] = {1};
    for (size_t i = 0; i < sizeof counting / sizeof *counting; i++) {
        unit_case(counting[i].name);
        struct failure_moment moments[200];
        struct failure_label labels[2];
        size_t n_labels = 0;
        for (int h = 0; h < 200; h++) moments[h] = (struct failure_moment){HOUR(h), values, h == counting[i].code_at};
        if (counting[i].failed_at >= 0)
            labels[n_labels++] = (struct failure_label){HOUR(counting[i].failed_at), 0, true};
        if (counting[i].replaced_at >= 0)
            labels[n_labels++] = (struct failure_label){HOUR(counting[i].replaced_at), 0, false};
        struct failure_machine machine = {moments, 200, labels, n_labels};
        struct failure_fleet fleet = {&machine, 1, 1, 1, 1};
        struct failure_kind kind = {{1}, {1}, {1}};
        struct failure_counts c;
        struct arena arena;
        arena_init(&arena, 0);
        failure_trial_count(&fleet, &(struct failure_span){NULL, 0, HOUR(200)},
                            &(struct failure_test){judge_code, NULL, &kind, 1}, &arena, &c);
        CHECK_INT(c.failures, counting[i].failures);
        CHECK_INT(c.foreseen_24h, counting[i].foreseen_24h);
        CHECK_INT(c.foreseen, counting[i].foreseen);
        CHECK_INT(c.predictions, counting[i].predictions);
        CHECK_INT(c.false_alarms, counting[i].false_alarms);
        CHECK_INT(c.undecided, counting[i].undecided);
        CHECK_NUM(c.machine_months, 199 / (365.25 * 2), 1e-9);
        arena_fini(&arena);
    }
}

void kernel_failure_test(void) {
    struct recording rec;
    check_counting();
    if (!CHECK_OK(recording_open(DEMO, &rec))) return;
    check_backtest(&rec);
    recording_close(&rec);
}
