/* The service business at a glance, for the dashboard: counts, promises, how the predictions did. */
#ifndef DOMAIN_SERVICE_SERVICE_BOARD_H
#define DOMAIN_SERVICE_SERVICE_BOARD_H

#include "document/documents.h"

#define SERVICE_BOARD_STATES_MAX 8

struct service_board_count {
    const char *name; /* the state's or choice's, static */
    uint64_t count;
};

struct service_board {
    struct service_board_count open_alarms[4]; /* critical high medium low: raised or acknowledged */
    struct service_board_count work_orders[SERVICE_BOARD_STATES_MAX]; /* every state of a work order, in order */
    size_t n_work_orders;
    uint64_t arrivals_kept, arrivals_missed, completions_kept, completions_missed;
    uint64_t predictions_open, predictions_confirmed, predictions_expired;
    uint64_t faults, faults_foreseen, faults_foreseen_24h; /* that happened at or after `since` */
    double precision;                                      /* confirmed of those confirmed or expired; NaN: none yet */
    double recall;                                         /* foreseen of those that happened; NaN: none yet */
    double recall_24h;                                     /* foreseen a day or more ahead */
};

/* What `who` may see, of his party. since: when predicting began (struct watch_model trained_at, the oldest); 0: at
 * the first prediction on record. */
Err service_board_read(struct documents *documents, const struct principal *who, Nanos since, struct arena *arena,
                       struct service_board *out);

#endif
