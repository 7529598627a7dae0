/* The ledger of a running server: what enters it, and from where. */
#ifndef APP_FLOW_LEDGER_H
#define APP_FLOW_LEDGER_H

#include "app/flow.h"
#include "trust/disclosures.h"

struct agreement;
struct doc;
struct outbox_row;
struct records_txn;

/* Opens workspace.ledger and flow->entries. */
Err flow_ledger_start(struct flow *flow, const struct settings *settings);
void flow_ledger_stop(struct flow *flow);

/* documents_options.entered: documents that are never changed (events) enter when they are made. */
Err flow_ledger_document(void *flow, struct records_txn *txn, const struct outbox_row *row, const struct doc *doc);
/* disclosures_options.enter */
Err flow_ledger_disclosures(void *flow, const struct disclosures_entry *entries, size_t n, uint64_t *first);
void flow_ledger_agreement(struct flow *flow, const struct agreement *agreement, const char *what);

#endif
