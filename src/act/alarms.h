/*
 * Alarms: findings become documents of type "alarm" and follow the condition through its life. One alarm stands for
 * one condition (machine, kind, metric or code): a repeat counts up instead of making another. Open alarms are read
 * back at the start, so a restart neither doubles nor forgets one.
 *
 *     raised ── acknowledge ──▶ acknowledged ── clear ──▶ cleared
 *        │ ▲                                                ▲
 *  clear ▼ │ repeat (within the rule's settle time)         │
 *     returned ───────────────── acknowledge ───────────────┘
 *
 * All times are the machine's; the clock is only asked in tick. Not thread-safe: one thread takes and ticks.
 */
#ifndef ACT_ALARMS_H
#define ACT_ALARMS_H

#include "act/alarm_rules.h"
#include "act/reactions.h"

struct alarms;

struct alarms_options {
    struct documents *documents;    /* knows a type "alarm" with the fields and transitions used here */
    const struct alarm_rule *rules; /* NULL: alarm_rules_default */
    const struct thing_model *(*model_of)(void *ctx, PartyId party, Str thing); /* may be NULL */
    void *ctx;
};

struct alarms_stats {
    uint64_t raised, repeated, ended, flooded, failed;
    size_t standing; /* conditions that last now or may come back */
};

Err alarms_open(const struct alarms_options *options, struct alarms **out);
void alarms_close(struct alarms *alarms); /* NULL is fine */
/* Waits for the commit. Findings that are no alarms are ignored; a failed write is logged and counted. */
void alarms_take(struct alarms *alarms, const struct finding *finding);
void alarms_tick(struct alarms *alarms,
                 Nanos now); /* delays that have passed, conditions that are over by themselves */
void alarms_stats(const struct alarms *alarms, struct alarms_stats *out); /* the thread that takes, or while it rests */

extern const struct reaction alarms_reactions[]; /* ctx: the struct alarms; notes who acknowledged */

#endif
