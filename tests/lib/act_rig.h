/* A real records store with a small "alarm" type and a clock that tests move, for the tests of act. */
#ifndef TESTS_LIB_ACT_RIG_H
#define TESTS_LIB_ACT_RIG_H

#include <stdatomic.h>

#include "act/act.h"
#include "os/thread.h"
#include "tests/unit.h"
#include "trust/people.h"

struct records;

struct act_rig {
    char dir[256];
    struct records *records;
    struct people *people;
    struct documents *documents;
    struct clock clock;
    _Atomic Nanos now;
    PartyId party;
    struct arena arena; /* for what a test reads */
    pthread_mutex_t guard;
    struct act *woken; /* by commits; under guard */
};

extern const struct thing_model act_rig_model;

bool act_rig_open(struct act_rig *rig);   /* false: a failure was reported */
bool act_rig_reopen(struct act_rig *rig); /* as after a restart */
void act_rig_close(struct act_rig *rig);
void act_rig_wakes(struct act_rig *rig, struct act *act); /* NULL: nobody; before act_stop */
const struct thing_model *act_rig_model_of(void *ctx, PartyId party, Str thing);
struct finding act_rig_finding(const struct act_rig *rig, enum finding_kind kind, const char *what, double score,
                               Nanos at);
/* All documents of type "alarm", oldest first. */
struct doc_page act_rig_alarms(struct act_rig *rig);
/* "raised 2" : state and occurrences of the n-th, or "none" */
Str act_rig_alarm(struct act_rig *rig, size_t n);

#endif
