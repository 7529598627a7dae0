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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW true
#else
#define SLOW false
#endif

static void check_backtest(const struct recording *rec) {
    unit_case("better than both baselines within the budget, on machines and on times not learnt from");
    if (SLOW) {
        unit_skip("minutes under a sanitizer; the smaller fleet below runs the same code");
        return;
    }
    struct kernel_failure_line lines[KERNEL_FAILURE_LINES];
    struct arena arena;
    arena_init(&arena, 0);
    if (CHECK_OK(kernel_failure_backtest(rec, 2, &arena, lines))) {
        for (size_t i = 1; i < KERNEL_FAILURE_LINES; i++) {
            check_counts(&lines[0].left_out, &lines[i].left_out);
            check_counts(&lines[0].later, &lines[i].later);
        }
        CHECK_INT(lines[0].left_out.failures, 42);
        CHECK_INT(lines[0].later.failures, 17);
        CHECK(lines[0].left_out.foreseen_24h >= 36);
        CHECK(lines[0].later.foreseen_24h >= 14);
    }
    arena_fini(&arena);
}

#define FEW 5
static void check_threads(const struct recording *rec) {
    unit_case("the same outcome on one thread and on three");
    struct recording few = *rec;
    struct kernel_failure_line one[KERNEL_FAILURE_LINES], three[KERNEL_FAILURE_LINES];
    struct arena arena;
    arena_init(&arena, 0);
    few.n_machines = FEW, few.n_events = 0;
    few.events = arena_zero(&arena, rec->n_events, sizeof *few.events);
    for (size_t i = 0; i < rec->n_events; i++)
        if (rec->events[i].machine < FEW) few.events[few.n_events++] = rec->events[i];
    CHECK_OK(kernel_failure_backtest(&few, 1, &arena, one));
    CHECK_OK(kernel_failure_backtest(&few, 3, &arena, three));
    CHECK(one[0].left_out.failures > 0);
    for (size_t i = 0; i < KERNEL_FAILURE_LINES; i++) {
        CHECK_INT(one[i].left_out.predictions, three[i].left_out.predictions);
        CHECK_INT(one[i].left_out.foreseen_24h, three[i].left_out.foreseen_24h);
        CHECK_INT(one[i].left_out.false_alarms, three[i].left_out.false_alarms);
        CHECK(memcmp(&one[i].threshold, &three[i].threshold, sizeof one[i].threshold) == 0);
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
    check_threads(&rec);
    check_backtest(&rec);
    recording_close(&rec);
}
