/*
 * The engine that acts: findings become alarms and go to whoever listens, and what happens to documents brings
 * reactions. app makes one, hands it each business's tables, and wires three calls:
 *
 *     act_start(&(struct act_options){.documents = d, .clock = c, .model_of = …, .domains = &domain, .n_domains = 1},
 * &act); watch options:  .sink = act_finding, .sink_ctx = act        findings in documents_on_commit(d, fn that calls
 * act_wake(act), …)       documents have changed act_drain(act)                                               the demo,
 * tests and a clean stop wait here
 */
#ifndef ACT_ACT_H
#define ACT_ACT_H

#include "act/alarms.h"
#include "act/findings.h"
#include "act/reactions.h"

struct act;

/* A step for a kind of finding that is not an alarm. On the findings thread; may wait for commits. */
struct act_listener {
    enum finding_kind kind; /* FINDING_CLEAR: comes with what it clears */
    Err (*run)(void *ctx, const struct finding *finding, struct arena *arena);
};

/* What a business brings. Each table ends with run NULL; any may be NULL. */
struct act_domain {
    const char *name;
    const struct act_listener *listeners;
    const struct reaction *reactions;
    const struct reaction_timer *timers;
    void *ctx;
};

#define ACT_DOMAINS_MAX 16

struct act_options {
    struct documents *documents;
    const struct clock *clock;
    const struct alarm_rule *rules;                                             /* NULL: alarm_rules_default */
    const struct thing_model *(*model_of)(void *ctx, PartyId party, Str thing); /* for titles and limits; may be NULL */
    void *ctx;
    const struct act_domain *domains;
    size_t n_domains;
    size_t queue; /* findings waiting; 0 = 4,096 */
};

struct act_stats {
    struct alarms_stats alarms;
    struct reactions_stats reactions;
    size_t findings_waiting;
    uint64_t listeners_failed;
};

Err act_start(const struct act_options *options, struct act **out);
void act_stop(struct act *act);                             /* takes the findings that wait, then ends; NULL is fine */
void act_finding(void *act, const struct finding *finding); /* a finding_sink; waits while the queue is full */
void act_wake(struct act *act);                             /* documents were committed; any thread, does not block */
void act_drain(struct act *act); /* until findings, reactions and due timers are done, and what they led to as well */
void act_stats(struct act *act, struct act_stats *out); /* any thread */

#endif
