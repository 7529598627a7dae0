/*
 * The back-test. The model and two simple baselines are held to the same rules of counting and the same budget of false
 * work orders, each threshold chosen only on what it was taught on. Machines are left out one at a time, on as many
 * threads as asked for; each writes its own place, so the outcome does not depend on their number.
 */
#include "kernel/kernel_failure.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/jw.h"
#include "os/thread.h"

#define BUDGET 0.1
#define MACHINES_MAX 512
#define THREADS_MAX 64

/* ---- the recording as the kernel wants it */
struct names {
    Str items[FAILURE_CODES_MAX];
    size_t n;
};

static size_t place_of(struct names *names, Str name, size_t max) {
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(names->items[i], name)) return i;
    if (names->n == max) return max;
    names->items[names->n] = name;
    return names->n++;
}

struct filling {
    struct failure_moment *moments;
    struct failure_label *labels;
    size_t n_moments, n_labels;
};

static Err add_event(const struct recording_event *e, struct names *codes, struct names *components,
                     struct filling *f) {
    bool code = e->kind == RECORDING_CODE;
    size_t at = e->kind == RECORDING_ROW
                    ? 0
                    : place_of(code ? codes : components, e->what, code ? FAILURE_CODES_MAX : FAILURE_COMPONENTS_MAX);
    if (!code && at == FAILURE_COMPONENTS_MAX)
        return err_make(ERR_LIMIT, "more than %d components: leave some out", FAILURE_COMPONENTS_MAX);
    if (e->kind == RECORDING_FAILURE || e->kind == RECORDING_REPLACEMENT) {
        f->labels[f->n_labels++] = (struct failure_label){e->time, (uint8_t)at, e->kind == RECORDING_FAILURE};
        return err_none();
    }
    bool again = f->n_moments && f->moments[f->n_moments - 1].at == e->time;
    if (!again) f->moments[f->n_moments++] = (struct failure_moment){.at = e->time};
    struct failure_moment *moment = &f->moments[f->n_moments - 1];
    if (e->kind == RECORDING_ROW)
        moment->values = e->values;
    else if (at < FAILURE_CODES_MAX)
        moment->codes |= UINT64_C(1) << at;
    return err_none();
}

static Err make_fleet(const struct recording *r, struct arena *arena, struct failure_fleet *out) {
    struct names codes = {.n = 0}, components = {.n = 0};
    if (r->n_metrics > FAILURE_METRICS_MAX || r->n_machines > MACHINES_MAX)
        return err_make(ERR_LIMIT, "at most %d metrics and %d machines: leave some out", FAILURE_METRICS_MAX,
                        MACHINES_MAX);
    struct filling *fill = arena_zero(arena, r->n_machines, sizeof *fill);
    for (size_t pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < r->n_events; i++) {
            struct filling *f = &fill[r->events[i].machine];
            if (pass) TRY(add_event(&r->events[i], &codes, &components, f));
            bool label = r->events[i].kind == RECORDING_FAILURE || r->events[i].kind == RECORDING_REPLACEMENT;
            if (!pass) label ? f->n_labels++ : f->n_moments++;
        }
        for (size_t m = 0; !pass && m < r->n_machines; m++)
            fill[m] = (struct filling){arena_zero(arena, fill[m].n_moments + 1, sizeof *fill[m].moments),
                                       arena_zero(arena, fill[m].n_labels + 1, sizeof *fill[m].labels), 0, 0};
    }
    struct failure_machine *machines = arena_zero(arena, r->n_machines, sizeof *machines);
    for (size_t m = 0; m < r->n_machines; m++)
        machines[m] = (struct failure_machine){fill[m].moments, fill[m].n_moments, fill[m].labels, fill[m].n_labels};
    *out = (struct failure_fleet){machines, r->n_machines, r->n_metrics, components.n, codes.n};
    return err_none();
}

/* ---- two simple baselines */
struct baseline {
    double life_hours[FAILURE_COMPONENTS_MAX];
    double direction[FAILURE_COMPONENTS_MAX][FAILURE_METRICS_MAX]; /* -1, 0 or 1: how a metric moves before failures */
};

static double judge_age(const void *ctx, size_t c, const struct failure_look *look) {
    const struct baseline *b = ctx;
    return isnan(look->age_hours) || !(b->life_hours[c] > 0) ? 0 : (double)look->age_hours / b->life_hours[c];
}

static double judge_mean(const void *ctx, size_t c, const struct failure_look *look) {
    const struct baseline *b = ctx;
    double most = 0;
    for (size_t m = 0; m < FAILURE_METRICS_MAX; m++)
        most = fmax(most, b->direction[c][m] * (double)look->z[FAILURE_24H][m]);
    return most;
}

/* Which metric a limit is put on, and on which side, is given to it by what the model learnt. */
static struct baseline baseline_of(const struct failure_model *model) {
    struct baseline b = {{0}, {{0}}};
    for (size_t c = 0; c < model->n_components; c++) {
        b.life_hours[c] = model->mean_life_hours[c];
        for (size_t m = 0; m < model->n_metrics; m++)
            b.direction[c][m] = model->filter[c][m] > 0.5 ? 1 : model->filter[c][m] < -0.5 ? -1 : 0;
    }
    return b;
}

/* ---- one split: taught on one span, judged on another */
static void judge_split(const struct failure_fleet *fleet, const struct failure_span *teach,
                        const struct failure_span *test, struct arena *arena,
                        struct failure_counts out[KERNEL_FAILURE_LINES], double thresholds[KERNEL_FAILURE_LINES]) {
    static failure_judge_fn *const simple[] = {judge_age, judge_mean};
    struct failure_model model;
    struct failure_counts taught;
    failure_trial_train(fleet, teach, &(struct failure_plan){.budget = BUDGET}, arena, &model, &taught);
    thresholds[0] = model.threshold;
    double odds = model.threshold > 1 ? INFINITY : log(model.threshold / (1 - model.threshold));
    failure_trial_count(fleet, test, &(struct failure_test){failure_trial_model, &model, &model.kind, odds}, arena,
                        &out[0]);
    struct baseline b = baseline_of(&model);
    for (size_t i = 0; i < 2; i++) {
        struct failure_test t = {simple[i], &b, &model.kind, 0};
        t.threshold = failure_trial_choose(fleet, teach, &t, BUDGET, arena, &taught);
        thresholds[i + 1] = t.threshold;
        failure_trial_count(fleet, test, &t, arena, &out[i + 1]);
    }
}

struct left_out {
    const struct failure_fleet *fleet;
    Nanos from, to;
    atomic_size_t next;
    struct failure_counts (*counts)[KERNEL_FAILURE_LINES]; /* of each machine */
};

static void leave_out(void *ctx) {
    struct left_out *l = ctx;
    for (size_t k; (k = atomic_fetch_add(&l->next, 1)) < l->fleet->n_machines;) {
        struct arena arena;
        bool others[MACHINES_MAX], only[MACHINES_MAX];
        double thresholds[KERNEL_FAILURE_LINES];
        arena_init(&arena, 1 << 16);
        for (size_t i = 0; i < l->fleet->n_machines; i++) others[i] = i != k, only[i] = i == k;
        judge_split(l->fleet, &(struct failure_span){others, l->from, l->to},
                    &(struct failure_span){only, l->from, l->to}, &arena, l->counts[k], thresholds);
        arena_fini(&arena);
    }
}

static Err judge_left_out(struct left_out *l, unsigned threads) {
    struct thread *running[THREADS_MAX] = {NULL};
    Err err = err_none();
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    for (unsigned t = 1; t < threads && err.code == ERR_NONE; t++)
        err = thread_start(&running[t], "failure", leave_out, l);
    leave_out(l); /* this thread too; one that did not start is missed by nobody */
    for (unsigned t = 1; t < threads; t++)
        if (running[t]) thread_join(running[t]);
    return err_none();
}

Err kernel_failure_backtest(const struct recording *r, unsigned threads, struct arena *arena,
                            struct kernel_failure_line out[KERNEL_FAILURE_LINES]) {
    static const char *const names[] = {"failure model", "age since replacement", "fixed limits on 24 h means"};
    struct failure_fleet fleet;
    if (!r->n_rows || !r->n_failures) return err_make(ERR_INVALID, "no rows or no failures: nothing can be learnt");
    TRY(make_fleet(r, arena, &fleet));
    struct left_out l = {.fleet = &fleet, .from = r->from, .to = r->to + 1};
    l.counts = arena_zero(arena, fleet.n_machines, sizeof *l.counts);
    TRY(judge_left_out(&l, threads));
    struct failure_counts later[KERNEL_FAILURE_LINES];
    double thresholds[KERNEL_FAILURE_LINES];
    Nanos half = r->from + (r->to - r->from) / 2;
    half += NANOS_PER_HOUR - half % NANOS_PER_HOUR;
    judge_split(&fleet, &(struct failure_span){NULL, r->from, half}, &(struct failure_span){NULL, half, r->to + 1},
                arena, later, thresholds);
    for (size_t i = 0; i < KERNEL_FAILURE_LINES; i++) {
        out[i] = (struct kernel_failure_line){.name = names[i], .later = later[i], .threshold = thresholds[i]};
        for (size_t m = 0; m < fleet.n_machines; m++) failure_trial_add(&out[i].left_out, &l.counts[m][i]);
    }
    return err_none();
}

/* ---- the answer */
static void text_line(struct buf *out, const char *name, const struct failure_counts *c) {
    buf_printf(out, "  %-28s %8u %8u %8u %7.1f%% %7u %9u %7.2f %8.3f\n", name, c->failures, c->foreseen_24h,
               c->foreseen, 100 * failure_trial_recall(c), c->false_alarms, c->undecided, c->machine_months,
               failure_trial_false_rate(c));
}

static void text_table(struct buf *out, const char *title, const struct kernel_failure_line lines[], bool later) {
    buf_printf(out, "%s\n  %-28s %8s %8s %8s %8s %7s %9s %7s %8s\n", title, "", "failures", ">= 24 h", "foreseen",
               "recall", "false", "undecided", "months", "a month");
    for (size_t i = 0; i < KERNEL_FAILURE_LINES; i++)
        text_line(out, lines[i].name, later ? &lines[i].later : &lines[i].left_out);
}

static void json_counts(struct jw *w, const char *key, const struct failure_counts *c) {
    jw_key(w, key);
    jw_object(w);
    jw_kint(w, "failures", c->failures), jw_kint(w, "foreseen_24h", c->foreseen_24h);
    jw_kint(w, "foreseen", c->foreseen), jw_kint(w, "predictions", c->predictions);
    jw_kint(w, "false", c->false_alarms), jw_kint(w, "undecided", c->undecided);
    jw_knum(w, "machine_months", c->machine_months);
    jw_knum(w, "recall_24h", failure_trial_recall(c));
    jw_knum(w, "false_per_machine_month", failure_trial_false_rate(c));
    jw_object_end(w);
}

static void write_json(struct buf *out, const struct kernel_failure_line lines[]) {
    struct jw w;
    jw_init(&w, out);
    jw_object(&w);
    jw_kint(&w, "horizon_hours", FAILURE_HORIZON / NANOS_PER_HOUR);
    jw_kint(&w, "lead_hours", FAILURE_LEAD / NANOS_PER_HOUR);
    jw_knum(&w, "budget", BUDGET);
    jw_key(&w, "methods");
    jw_array(&w);
    for (size_t i = 0; i < KERNEL_FAILURE_LINES; i++) {
        jw_object(&w);
        jw_kc(&w, "name", lines[i].name);
        json_counts(&w, "leave_one_machine_out", &lines[i].left_out);
        json_counts(&w, "second_half_of_time", &lines[i].later);
        jw_knum(&w, "threshold", lines[i].threshold);
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
    buf_byte(out, '\n');
}

static Str file_named(const struct kernel_call *call, const char *name) {
    for (size_t i = 0; i < call->n_files; i++)
        if (str_ends(call->files[i].name, str_c(name))) return call->files[i].bytes;
    return (Str){0};
}

static Err run(const struct kernel_call *call) {
    struct recording r;
    Str packed = file_named(call, "telemetry.csv.zst");
    struct recording_files files = {
        file_named(call, "machines.csv"), packed.ptr ? packed : file_named(call, "telemetry.csv"),
        file_named(call, "errors.csv"), file_named(call, "failures.csv"), file_named(call, "maintenance.csv")};
    TRY(recording_parse(&files, &r));
    struct kernel_failure_line lines[KERNEL_FAILURE_LINES];
    if (call->progress) call->progress(call->progress_ctx, 0.05, "learning and judging");
    Err err = kernel_failure_backtest(&r, call->threads, call->arena, lines);
    if (err.code == ERR_NONE && call->json) write_json(call->out, lines);
    if (err.code == ERR_NONE && !call->json) {
        buf_printf(
            call->out,
            "Failures within 48 h, foreseen at least 24 h ahead, at most %.1f false work orders a machine-month\n\n",
            BUDGET);
        text_table(call->out, "Each machine judged by what was learnt from the others", lines, false);
        buf_c(call->out, "\n");
        text_table(call->out, "The second half of the time judged by what was learnt from the first", lines, true);
    }
    if (call->progress) call->progress(call->progress_ctx, 1, "done");
    recording_close(&r);
    return err;
}

const struct kernel kernel_failure = {
    .name = "failure",
    .summary = "back-test of the failure-within-48-hours model on a recording",
    .usage = "weft run failure [--back-test] [--threads N] [--json] FOLDER",
    .input = "a folder with machines.csv, telemetry.csv[.zst], errors.csv, failures.csv, maintenance.csv (see "
             "packs/machinery/demo/PROVENANCE.md); packs/machinery/demo when none is named",
    .output = "counts of failures, foreseen and false work orders for the model and two simple baselines",
    .options = "back-test",
    .min_files = 5,
    .max_files = 6,
    .run = run,
};
