/* Reading what the first stage computes with: from batches, from what is known of many samples at once, or the newest.
 */
#ifndef INSIGHT_QUERY_SCAN_H
#define INSIGHT_QUERY_SCAN_H

#include "insight/query_pipe.h"
#include "insight/query_source.h"

struct query_scan {
    struct query_source *source;
    struct query_shared *shared;
    struct query_pipe **pipes; /* [workers] */
    unsigned workers;
    bool by_name; /* things in order of their names, for one worker */
    atomic_uint_least64_t rows;
};
/* Drops the things for which the question's conditions on things do not hold. */
Err query_scan_narrow(struct query_scan *scan);
Err query_scan_run(struct query_scan *scan);
/* Whether a stage can be made of windows' counts, sums, least and greatest (ends: and first and last) alone. */
bool query_scan_known(const struct query_plan_stage *stage, const struct query_source *source, bool ends);

#endif
