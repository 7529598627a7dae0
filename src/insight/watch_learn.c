/*
 * A job owns copies of all it needs and shares nothing but the store, so the watch goes on while it works. Machines are
 * taken in the order of their names, so the outcome does not depend on which reported first.
 */
#include "insight/watch_learn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "os/thread.h"

#define PAST_MAX (180 * NANOS_PER_DAY) /* learnt from at most */
#define PUPILS_MAX 150                 /* those with failures first */
#define SOON NANOS_PER_DAY
#define AGAIN (7 * NANOS_PER_DAY)
#define GROWTH 1.2
#define BUDGET 0.1 /* false work orders a machine-month */

struct watch_job {
    struct arena arena;
    struct series *series;
    struct watch_family *family; /* a bare copy: names and places */
    struct watch_pupil *pupils;
    size_t n_pupils;
    Nanos cutoff;
    struct thread *thread;
    Err err;
    struct failure_model model;
    struct watch_model row;
};

/* ---- when */
static bool wanted(const struct watch_family *f, Nanos cutoff, uint32_t failures) {
    if (failures < WATCH_LEARN_FAILURES) return false;
    if (!f->taught_cutoff) return true;
    Nanos since = cutoff - f->taught_cutoff;
    return since >= AGAIN || (since >= SOON && failures >= GROWTH * f->taught_failures);
}

bool watch_learn_due(struct watch_family *f, Nanos at, uint32_t (*failures_before)(void *ctx, Nanos t), void *ctx,
                     Nanos *cutoff) {
    Nanos floor = at - at % WATCH_LEARN_STEP;
    if (!f->next_cutoff) f->next_cutoff = floor + WATCH_LEARN_STEP;
    if (f->job || at < f->next_cutoff + WATCH_LEARN_STEP) return false;
    *cutoff = floor - WATCH_LEARN_STEP; /* the latest that is six hours old */
    f->next_cutoff = *cutoff + WATCH_LEARN_STEP;
    uint32_t failures = failures_before(ctx, *cutoff);
    if (!wanted(f, *cutoff, failures)) return false;
    f->taught_cutoff = *cutoff, f->taught_failures = failures;
    return true;
}

/* ---- what */
static size_t count_failures(const struct watch_pupil *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->n_labels; i++) n += p->labels[i].failed;
    return n;
}

static int by_failures(const void *a, const void *b) {
    size_t x = count_failures(a), y = count_failures(b);
    if (x != y) return x > y ? -1 : 1;
    return str_cmp(((const struct watch_pupil *)a)->name, ((const struct watch_pupil *)b)->name);
}

static int by_name(const void *a, const void *b) {
    return str_cmp(((const struct watch_pupil *)a)->name, ((const struct watch_pupil *)b)->name);
}

static void copy_pupils(struct watch_job *job, const struct watch_learn_task *task) {
    job->pupils = arena_zero(&job->arena, task->n_pupils + 1, sizeof *job->pupils);
    for (size_t i = 0; i < task->n_pupils; i++) {
        const struct watch_pupil *from = &task->pupils[i];
        size_t n = 0;
        while (n < from->n_labels && from->labels[n].at < task->cutoff) n++;
        struct watch_label *labels = arena_zero(&job->arena, n + 1, sizeof *labels);
        if (n) memcpy(labels, from->labels, n * sizeof *labels);
        job->pupils[i] = (struct watch_pupil){from->id, arena_str(&job->arena, from->name), labels, n};
    }
    qsort(job->pupils, task->n_pupils, sizeof *job->pupils, by_failures);
    job->n_pupils = task->n_pupils < PUPILS_MAX ? task->n_pupils : PUPILS_MAX;
    qsort(job->pupils, job->n_pupils, sizeof *job->pupils, by_name);
}

static struct watch_family *copy_family(const struct watch_family *family) {
    struct watch_family *copy = watch_family_new(family->party, family->like);
    for (size_t e = 0; e < family->n_codes; e++) watch_family_code(copy, family->codes[e]);
    return copy;
}

static Err read_fleet(struct watch_job *job, struct failure_fleet *fleet) {
    struct failure_machine *machines = arena_zero(&job->arena, job->n_pupils + 1, sizeof *machines);
    for (size_t i = 0; i < job->n_pupils; i++) {
        const struct watch_pupil *p = &job->pupils[i];
        struct watch_past past = {0};
        Err err = p->id ? watch_past_read(job->series, job->family, p->id, job->cutoff - PAST_MAX, job->cutoff,
                                          &job->arena, &past)
                        : err_none();
        if (err.code == ERR_NONE)
            machines[i] = watch_past_history(&past, job->family->codes, job->family->n_codes, p->labels, p->n_labels,
                                             &job->arena);
        watch_past_free(&past);
        TRY(err);
    }
    *fleet = (struct failure_fleet){machines, job->n_pupils, job->family->n_tracked, job->family->n_components,
                                    job->family->n_codes};
    return err_none();
}

static void describe(struct watch_job *job, const struct failure_fleet *fleet, const struct failure_counts *counts) {
    struct watch_model *row = &job->row;
    char day[TIME_TEXT_MAX];
    time_format(job->cutoff, day);
    snprintf(row->name, sizeof row->name, "failure-48h %.30s %.16s", job->family->like->name, day);
    row->trained_at = job->cutoff, row->to = job->cutoff, row->from = job->cutoff;
    for (size_t i = 0; i < fleet->n_machines; i++) {
        const struct failure_machine *m = &fleet->machines[i];
        if (!m->n_moments) continue;
        if (m->moments[0].at < row->from) row->from = m->moments[0].at;
        row->things++;
    }
    for (size_t c = 0; c < fleet->n_components; c++) row->failures += job->model.failures[c];
    row->threshold = job->model.threshold;
    row->tested = counts->failures, row->foreseen_24h = counts->foreseen_24h, row->foreseen = counts->foreseen;
    row->false_alarms = counts->false_alarms, row->machine_months = counts->machine_months;
}

static void run(void *ctx) {
    struct watch_job *job = ctx;
    struct failure_fleet fleet;
    job->err = read_fleet(job, &fleet);
    if (job->err.code == ERR_NONE) {
        struct failure_span span = {.from = INT64_MIN / 2, .to = job->cutoff};
        struct failure_plan plan = {.budget = BUDGET};
        struct failure_counts counts;
        failure_trial_train(&fleet, &span, &plan, &job->arena, &job->model, &counts);
        describe(job, &fleet, &counts);
    }
}

/* ---- how */
Err watch_learn_start(const struct watch_learn_task *task, struct watch_job **out) {
    struct watch_job *job = calloc(1, sizeof *job);
    ASSERT(job);
    arena_init(&job->arena, 1 << 16);
    job->series = task->series, job->cutoff = task->cutoff;
    job->family = copy_family(task->family);
    copy_pupils(job, task);
    Err err = thread_start(&job->thread, "watch-learn", run, job);
    if (err.code == ERR_NONE)
        *out = job;
    else
        watch_learn_drop(job);
    return err;
}

void watch_learn_wait(struct watch_job *job) {
    if (job->thread) thread_join(job->thread);
    job->thread = NULL;
}

static void job_free(struct watch_job *job) {
    watch_family_free(job->family);
    arena_fini(&job->arena);
    free(job);
}

bool watch_learn_apply(struct watch_job *job, struct watch_family *family) {
    watch_learn_wait(job);
    bool taught = job->err.code == ERR_NONE && job->row.failures > 0;
    if (taught) {
        family->model = job->model, family->row = job->row, family->taught = true;
        LOG_INFO("watch.learnt", LOG_C("model", family->row.name), LOG_I("things", family->row.things),
                 LOG_I("failures", family->row.failures), LOG_F("threshold", family->row.threshold));
    } else {
        LOG_WARN("watch.not_learnt",
                 LOG_C("why", job->err.code == ERR_NONE ? "no failure has rows before it" : job->err.text));
    }
    job_free(job);
    return taught;
}

void watch_learn_drop(struct watch_job *job) {
    if (!job) return;
    watch_learn_wait(job);
    job_free(job);
}
