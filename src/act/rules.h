/*
 * Runs the rules of packs (model/rule.h): what happens to documents brings them, and the clock. A rule acts for the
 * party that the document belongs to, as "system:rule:NAME…", and its writes stand in the audit under that name. Each
 * rule acts once for each event: what is tried again after a crash finds what it did. A rule does not answer its own
 * writes, and chains of rules end after RULES_DEPTH_MAX.
 *
 * A party may switch a rule off for itself.
 */
#ifndef ACT_RULES_H
#define ACT_RULES_H

#include "act/act.h"
#include "model/catalog.h"

#define RULES_DEPTH_MAX 8

struct notify;
struct records;
struct rules;

struct rules_options {
    struct documents *documents;
    struct records *records;
    struct notify *notify; /* NULL: nobody is told */
    const struct catalog_cell *catalog;
    const struct clock *clock;
    /* Tells a thing to do something; arguments are a JSON object. NULL: things take no commands. */
    Err (*command)(void *ctx, PartyId party, Str thing, Str command, Str arguments);
    void *ctx;
};
Err rules_open(const struct rules_options *options, struct rules **out);
void rules_close(struct rules *rules); /* after act_stop; NULL is fine */
struct act_domain rules_domain(struct rules *rules);

struct rules_state {
    bool enabled;
    int64_t runs, failures;
    Nanos last; /* 0: never */
    Str error;  /* of the last run, or empty */
};
Err rules_state(struct rules *rules, PartyId party, Str rule, struct arena *arena, struct rules_state *out);
/* ERR_NOT_FOUND: no such rule; ERR_FORBIDDEN. */
Err rules_enable(struct rules *rules, const struct principal *who, Str rule, bool enabled);
const struct rule *rules_named(const struct catalog *catalog, Str name); /* or NULL */

#endif
