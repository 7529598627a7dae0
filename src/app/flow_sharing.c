#include "app/flow_sharing.h"

#include "app/flow_ledger.h"
#include "app/flow_rules.h"
#include "base/log.h"
#include "document/doc_terms.h"
#include "document/packs.h"
#include "trust/agreements.h"
#include "trust/disclosures.h"

static const struct catalog *catalog(void *ctx) { return packs_catalog(((struct flow *)ctx)->workspace.packs); }

/* The server's own party runs the platform. */
static bool is_operator(void *ctx, const struct principal *who) {
    const struct flow *flow = ctx;
    return flow->party != 0 && who->party == flow->party && (who->roles & ROLE_BIT(ROLE_OPERATOR)) != 0;
}

static void told(void *ctx, const struct agreement *agreement, PartyId to, const char *what) {
    flow_ledger_agreement(ctx, agreement, what);
    flow_rules_agreement(ctx, agreement, to, what);
    LOG_INFO("agreement.changed", LOG_S("number", agreement->number), LOG_C("what", what), LOG_I("to", to));
}

Err flow_sharing_start(struct flow *flow) {
    struct workspace *w = &flow->workspace;
    struct agreements_options agreements = {.records = w->records,
                                            .clock = w->clock,
                                            .world = {.catalog = catalog, .value = doc_terms_value, .ctx = flow},
                                            .is_operator = is_operator,
                                            .told = told,
                                            .ctx = flow};
    struct disclosures_options disclosures = {
        .records = w->records, .clock = w->clock, .enter = flow_ledger_disclosures, .ctx = flow};
    TRY(agreements_open(&agreements, &flow->agreements));
    return disclosures_open(&disclosures, &flow->disclosures);
}

void flow_sharing_stop(struct flow *flow) {
    disclosures_close(flow->disclosures);
    agreements_close(flow->agreements);
}
