/*
 * All that is watched: machines by number and by name, the families they learn in, what earlier runs kept. Private to
 * the watch: its thread changes it, holding `lock` while it does; watch_look reads it under the lock.
 */
#ifndef INSIGHT_WATCH_FLEET_H
#define INSIGHT_WATCH_FLEET_H

#include "base/map.h"
#include "insight/watch_judge.h"
#include "insight/watch_keep.h"
#include "insight/watch_lean_keep.h"
#include "os/thread.h"

#define WATCH_LEAN (UINT32_C(1) << 31)

/* How the things of one model are now; made anew when asked for and older than half a second. */
struct watch_peers {
    const struct thing_model *model;
    PartyId party;
    Nanos made; /* monotonic */
    double median[WATCH_METRICS_MAX], mad[WATCH_METRICS_MAX];
};

struct watch_fleet {
    const struct watch_options *options;
    pthread_mutex_t lock;
    struct watch_machine **machines;
    size_t n_machines, machines_cap;
    struct watch_leans leans; /* things without components */
    struct watch_lean_keeper keeper;
    uint32_t *by_id; /* by ThingId: place in machines + 1, or in leans + 1 with WATCH_LEAN; 0: not known, UINT32_MAX: an
                        open model */
    size_t n_ids;
    struct map by_name; /* "party/name" → place in machines */
    struct watch_family **families;
    size_t n_families, families_cap;
    struct watch_peers *peers;
    size_t n_peers, peers_cap;
    struct watch_registry registry;
    struct json *kept; /* state of an earlier run, until every machine in it was met */
    struct map kept_by_name;
    size_t n_cold, next_cold;
    bool models_changed;
    uint64_t trainings, late_rows, judged_rows, findings, predictions;
};

Err watch_fleet_init(struct watch_fleet *fleet, const struct watch_options *options);
void watch_fleet_fini(struct watch_fleet *fleet);
void watch_fleet_meet(
    struct watch_fleet *fleet); /* every thing the store knows; those with a declared model are cold */
/* What was stored of leans and not judged by an earlier run is judged now, as one reading of the store. */
void watch_fleet_catch_up(struct watch_fleet *fleet, void (*said)(void *ctx, struct watch_findings *found), void *ctx,
                          struct watch_findings *out);
void watch_fleet_forget_models(struct watch_fleet *fleet);
void watch_fleet_told(struct watch_fleet *fleet, PartyId party, Str thing, Str component, Nanos at, bool failed);
void watch_fleet_row(struct watch_fleet *fleet, const struct row *row, struct watch_findings *out);
void watch_fleet_prefetch(const struct watch_fleet *fleet, ThingId thing); /* a row of it comes soon */
/* Reads the past of one cold machine; false: none is cold. */
bool watch_fleet_warm_one(struct watch_fleet *fleet, struct watch_findings *out);
void watch_fleet_wait_learning(struct watch_fleet *fleet);
bool watch_fleet_is_warming(const struct watch_fleet *fleet);
uint64_t watch_fleet_baseline_bytes(const struct watch_fleet *fleet); /* of all that is usual for metrics */
void watch_fleet_state(const struct watch_fleet *fleet, struct buf *json);
bool watch_fleet_look(struct watch_fleet *fleet, ThingId thing, struct watch_thing *out); /* any thread */
uint64_t watch_fleet_bytes(const struct watch_fleet *fleet);

#endif
