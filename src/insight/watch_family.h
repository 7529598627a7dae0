/*
 * Things of one kind in one party: those whose models name the same metrics and components. They learn from each
 * other; nothing is learnt across parties. Private to the watch, whose thread alone touches it unless said.
 */
#ifndef INSIGHT_WATCH_FAMILY_H
#define INSIGHT_WATCH_FAMILY_H

#include "base/arena.h"
#include "insight/watch.h"
#include "kernel/failure.h"

#define WATCH_CODE_MAX 64 /* bytes of a fault code that count */

struct watch_job;

enum { WATCH_ROLE_UNKNOWN = 255, WATCH_ROLE_NONE = 254 }; /* else: place in like->metrics */

struct watch_family {
    struct arena arena;
    PartyId party;
    const struct thing_model *like; /* one of its models: the names and their order are the same in all */
    size_t n_tracked, n_components;
    uint8_t tracked[WATCH_METRICS_MAX]; /* place in like->metrics of each metric with a baseline of hours: of a model
                                           with components those the failure model looks at, FAILURE_METRICS_MAX */
    int8_t track_of[WATCH_METRICS_MAX]; /* the other way; -1: not looked at */
    uint8_t *role_of;                   /* by MetricId */
    size_t n_roles;
    Str codes[FAILURE_CODES_MAX]; /* fault codes ever seen, in the order of their coming */
    size_t n_codes;

    bool taught;                /* model and row are set */
    struct failure_model model; /* speaks now */
    struct watch_model row;
    Nanos next_cutoff;   /* the next moment to think of training at; 0: no row seen yet */
    Nanos taught_cutoff; /* 0: never */
    uint32_t taught_failures;
    struct watch_job *job; /* running, or done and not yet applied; NULL: none */
    Nanos job_applies;     /* rows from here on are judged by its outcome */
};

struct watch_family *watch_family_new(PartyId party, const struct thing_model *like);
void watch_family_free(struct watch_family *family); /* job must be NULL */
bool watch_family_fits(const struct watch_family *family, PartyId party, const struct thing_model *model);
/* Place of a metric in like->metrics, or WATCH_ROLE_NONE. */
uint8_t watch_family_role(struct watch_family *family, struct series *series, MetricId metric);
uint8_t watch_family_code(struct watch_family *family, Str code);        /* known, or new; FAILURE_CODES_MAX: no room */
int watch_family_component(const struct watch_family *family, Str name); /* -1: none of that name */

#endif
