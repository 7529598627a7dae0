/*
 * What the demo did, counted: rows by reading the store, outcomes by holding every prediction against the recording's
 * failures (not against what the documents say of themselves).
 */
#ifndef APP_DEMO_REPORT_H
#define APP_DEMO_REPORT_H

#include "app/flow.h"
#include "model/recording.h"

struct demo_report {
    uint64_t machines, rows_sent, rows_kept;
    uint64_t alarms, faults, predictions, work_orders, predictive_orders, parts_reserved;
    uint64_t arrivals_kept, arrivals_missed, completions_kept, completions_missed;
    Nanos since;                               /* when predicting began: the first model was trained; 0: never */
    uint64_t failures, foreseen, foreseen_24h; /* of the recording, after `since` */
    uint64_t orders_before_failure;            /* predictive orders requested before the failure they were for */
    uint64_t right, wrong, undecided;          /* predictions */
    double machine_months;                     /* after `since` */
    double seconds;
};

/* Fills everything but rows_sent and seconds. */
Err demo_report_read(struct flow *flow, const struct recording *recording, struct demo_report *out);
void demo_report_json(const struct demo_report *report); /* one line on standard output */
void demo_report_text(const struct demo_report *report); /* a few lines for people */

#endif
