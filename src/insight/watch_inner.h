/* What the files behind watch.h share. `lock` guards every struct here except the queue, which has its own. */
#ifndef INSIGHT_WATCH_INNER_H
#define INSIGHT_WATCH_INNER_H

#include "base/arena.h"
#include "base/map.h"
#include "insight/watch.h"
#include "kernel/failure_trial.h"
#include "os/thread.h"

#define WATCH_INNER_METRICS FAILURE_METRICS_MAX
#define WATCH_INNER_COMPONENTS FAILURE_COMPONENTS_MAX

/* What happened to a thing's components, in the order of time; also of things that never reported. */
struct watch_labels {
    struct failure_label *items;
    size_t n, cap;
    size_t told; /* so many were given to the track */
};

/* Machines whose models name the same metrics and components learn one failure model together. */
struct watch_family {
    const struct thing_model *like; /* the first of them */
    struct map codes;               /* text → number */
    Str code_names[FAILURE_CODES_MAX];
    size_t n_codes, n_kinds;
    Nanos now;                 /* the latest row of any */
    Nanos trained_at;          /* 0: never */
    uint32_t failures, taught; /* heard of; heard of when last trained */
    bool training, has_model;
    struct failure_model model;
    struct watch_model row; /* of `model` */
};

/* A model of machine: its peers' baseline. */
struct watch_kind {
    const struct thing_model *model;
    struct watch_family *family;
    MetricId metrics[WATCH_INNER_METRICS], code; /* 0: not seen yet */
    size_t n_metrics, n_components;
    double centre[WATCH_INNER_METRICS], spread[WATCH_INNER_METRICS]; /* of trailing days; NaN: not known */
    struct failure_kind hourly;
    int64_t day; /* the baseline's, in days since 1970 */
};

struct watch_condition {
    uint16_t beyond, within; /* rows in a row */
    bool standing;
};

struct watched {
    ThingId thing;
    PartyId party;
    Str name;
    struct watch_kind *kind;
    struct watch_labels *labels;
    Nanos last, gap; /* gap: smoothed time between rows */
    double health;
    enum watch_state state;
    struct failure_track track;
    struct failure_metric metrics[WATCH_INNER_METRICS];
    struct failure_component components[WATCH_INNER_COMPONENTS];
    struct watch_condition limits[WATCH_INNER_METRICS], anomalies[WATCH_INNER_METRICS];
    struct watch_metric shown[WATCH_INNER_METRICS];
    double probability[WATCH_INNER_COMPONENTS];
    Nanos predicted[WATCH_INNER_COMPONENTS], failed[WATCH_INNER_COMPONENTS];
};

struct watch {
    struct watch_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* queue, training, idle */
    struct thread *judge, *trainer;

    /* the queue of rows not yet judged; also under lock */
    struct buf waiting, taken;
    bool busy, started, stopping;

    struct watched **things; /* by ThingId; WATCH_INNER_OPEN: an open model */
    size_t cap_things, n_things;
    struct watch_kind **kinds;
    size_t n_kinds, cap_kinds;
    struct watch_family **families;
    size_t n_families, cap_families;
    struct map labels; /* "party/name" → struct watch_labels * */
    struct map said;   /* read at the start: "party/name" → its place in said_list */
    struct watch_said *said_list;
    size_t n_said, cap_said;
    struct watch_model *models; /* the registry, oldest first */
    size_t n_models, cap_models;
    struct watch_family *to_train; /* NULL: nothing */
    Nanos train_at;
    struct arena scratch;               /* of the judge's thread, reset for each row */
    struct finding findings[64], spare; /* spare: what is not said while warming up goes there */
    size_t n_findings;
    bool muted; /* warming up */
    struct watch_stats stats;
};

#define WATCH_INNER_OPEN ((struct watched *)(uintptr_t)1)

/* What was said of a thing before the last stop. */
struct watch_said {
    Nanos last, predicted[WATCH_INNER_COMPONENTS];
};

Str watch_key(PartyId party, Str thing, char out[300]);
struct watched *watch_thing(struct watch *watch, ThingId thing); /* NULL: an open model. With the lock */
struct watch_labels *watch_labels_of(struct watch *watch, PartyId party, Str thing);
struct watch_family *watch_family_named(struct watch *watch, Str model); /* NULL: no such model any more */
void watch_say(struct watch *watch); /* hands out the findings; lets the lock go meanwhile */
int watch_code(struct watch_family *family, Str code, bool make); /* -1: unknown or full */

/* watch_judge.c. With the lock; findings are gathered in watch->findings. */
void watch_judge_row(struct watch *watch, struct watched *thing, const struct row *row);
/* watch_reasons.c: the texts of a finding, in watch->scratch. */
void watch_reasons_prediction(struct watch *watch, const struct watched *thing, size_t component,
                              const struct failure_look *look, const double parts[FAILURE_FEATURES],
                              struct finding *out);
Str watch_reasons_metric(struct arena *arena, const struct thing_metric *metric, const struct watch_metric *shown,
                         bool zh);
/* watch_train.c: learns from the stored past before `until`; without the lock. */
void watch_train_family(struct watch *watch, struct watch_family *family, Nanos until);
/* watch_keep.c */
Err watch_keep_load(struct watch *watch);
Err watch_keep_save(struct watch *watch); /* with the lock */
void watch_keep_warm_up(struct watch *watch);

#endif
