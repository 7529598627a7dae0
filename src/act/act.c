#include "act/act.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "os/thread.h"

struct act {
    struct act_options options;
    struct act_domain domains[ACT_DOMAINS_MAX];
    struct reaction_set sets[ACT_DOMAINS_MAX + 1];
    struct alarms *alarms;
    struct findings *findings;
    struct reactions *reactions;
    struct arena arena; /* the findings thread's */
    pthread_mutex_t lock;
    struct alarms_stats alarms_stats; /* a copy that other threads may read, under lock */
    atomic_uint_fast64_t listeners_failed;
};

static void publish_stats(struct act *act) {
    thread_lock(&act->lock);
    alarms_stats(act->alarms, &act->alarms_stats);
    thread_unlock(&act->lock);
}

static void tell(struct act *act, const struct act_domain *domain, const struct finding *finding) {
    for (const struct act_listener *l = domain->listeners; l && l->run; l++) {
        if (l->kind != finding->kind) continue;
        Err err = l->run(domain->ctx, finding, &act->arena);
        arena_reset(&act->arena);
        if (err.code == ERR_NONE) continue;
        atomic_fetch_add(&act->listeners_failed, 1);
        LOG_ERROR("act.finding_failed", LOG_C("domain", domain->name), LOG_S("thing", finding->thing_name),
                  LOG_C("error", err.text));
    }
}

static void take(void *ctx, const struct finding *finding) {
    struct act *act = ctx;
    alarms_take(act->alarms, finding);
    for (size_t i = 0; i < act->options.n_domains; i++) tell(act, &act->domains[i], finding);
    publish_stats(act);
}

static void tick(void *ctx, Nanos now) {
    struct act *act = ctx;
    alarms_tick(act->alarms, now);
    publish_stats(act);
}

static Err start_parts(struct act *act) {
    const struct act_options *o = &act->options;
    struct alarms_options alarms = {
        .documents = o->documents, .rules = o->rules, .model_of = o->model_of, .ctx = o->ctx};
    TRY(alarms_open(&alarms, &act->alarms));
    act->sets[0] = (struct reaction_set){.reactions = alarms_reactions, .ctx = act->alarms};
    for (size_t i = 0; i < o->n_domains; i++) {
        const struct act_domain *d = &act->domains[i];
        act->sets[i + 1] = (struct reaction_set){.reactions = d->reactions, .timers = d->timers, .ctx = d->ctx};
    }
    struct reactions_options reactions = {
        .documents = o->documents, .clock = o->clock, .sets = act->sets, .n_sets = o->n_domains + 1};
    TRY(reactions_start(&reactions, &act->reactions));
    struct findings_options findings = {
        .capacity = o->queue, .clock = o->clock, .take = take, .tick = tick, .ctx = act};
    return findings_start(&findings, &act->findings);
}

Err act_start(const struct act_options *options, struct act **out) {
    ASSERT(options->n_domains <= ACT_DOMAINS_MAX);
    struct act *act = calloc(1, sizeof *act);
    ASSERT(act != NULL);
    act->options = *options;
    for (size_t i = 0; i < options->n_domains; i++) act->domains[i] = options->domains[i];
    arena_init(&act->arena, 0);
    thread_mutex_init(&act->lock);
    Err err = start_parts(act);
    if (err.code != ERR_NONE)
        act_stop(act);
    else
        *out = act;
    return err;
}

void act_stop(struct act *act) {
    if (!act) return;
    findings_stop(act->findings);
    reactions_stop(act->reactions);
    alarms_close(act->alarms);
    arena_fini(&act->arena);
    thread_mutex_fini(&act->lock);
    free(act);
}

void act_finding(void *act, const struct finding *finding) { findings_sink(((struct act *)act)->findings, finding); }

void act_wake(struct act *act) { reactions_wake(act->reactions); }

/* Findings make documents, documents bring reactions, and those may bring findings: once round without an event is
 * rest. */
void act_drain(struct act *act) {
    uint64_t before, after = UINT64_MAX;
    do {
        before = after;
        findings_drain(act->findings);
        if (!reactions_drain(act->reactions, &after)) return;
    } while (before != after);
}

void act_stats(struct act *act, struct act_stats *out) {
    *out = (struct act_stats){.findings_waiting = findings_waiting(act->findings),
                              .listeners_failed = atomic_load(&act->listeners_failed)};
    reactions_stats(act->reactions, &out->reactions);
    thread_lock(&act->lock);
    out->alarms = act->alarms_stats;
    thread_unlock(&act->lock);
}
