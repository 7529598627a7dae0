/* The service business over a real records store, with a clock that tests move, for the tests of domain. */
#ifndef TESTS_LIB_DOMAIN_RIG_H
#define TESTS_LIB_DOMAIN_RIG_H

#include <stdatomic.h>

#include "domain/service/service.h"
#include "os/thread.h"
#include "tests/unit.h"
#include "trust/people.h"

struct records;

struct domain_rig {
    char dir[256];
    struct records *records;
    struct people *people;
    struct documents *documents;
    struct things *things;
    struct service *service;
    struct act *act;
    struct clock clock;
    _Atomic Nanos now;
    PartyId party;
    pthread_mutex_t guard;       /* of act, for commits */
    struct arena arena;          /* for what a test reads */
    atomic_int failed, replaced; /* calls of the callbacks */
    _Atomic Nanos replaced_at;
};

#define DOMAIN_RIG_START (INT64_C(1420070400) * NANOS_PER_S) /* 2015-01-01T00:00:00Z */

/* Machines m-1 (31.0 N 121.0 E), m-2 (31.2 N) of model3 and m-x of an open model without a place. */
bool domain_rig_open(struct domain_rig *rig);
bool domain_rig_reopen(struct domain_rig *rig); /* as after a restart */
void domain_rig_close(struct domain_rig *rig);
void domain_rig_at(struct domain_rig *rig, double hours); /* sets the clock to START + hours, and drains */

service_component_fn domain_rig_replaced; /* counts; ctx is the rig */

struct principal domain_rig_person(struct domain_rig *rig, const char *name, unsigned roles);
int64_t domain_rig_technician(struct domain_rig *rig, const char *name, const char *skills, double latitude);
int64_t domain_rig_part(struct domain_rig *rig, const char *code, const char *component, int on_hand, double latitude);
/* A document made by staff, from JSON with ' for ". 0: a failure was reported. Drains. */
int64_t domain_rig_make(struct domain_rig *rig, const struct doctype *type, const char *json);
/* Moves it as a technician who is staff too. Drains. */
Err domain_rig_move(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *transition,
                    const char *json);
Err domain_rig_patch(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *json);
void domain_rig_predict(struct domain_rig *rig, const char *thing, const char *component, double probability,
                        double hours); /* a finding 48 h ahead, made at START + hours; drains */
struct doc *domain_rig_get(struct domain_rig *rig, const struct doctype *type, int64_t id);
size_t domain_rig_count(struct domain_rig *rig, const struct doctype *type);
struct doc *domain_rig_newest(struct domain_rig *rig, const struct doctype *type);
/* The field as text: a state with "state", numbers and times as digits, true, false, "" when not set. */
Str domain_rig_show(struct domain_rig *rig, const struct doctype *type, int64_t id, const char *field);

#endif
