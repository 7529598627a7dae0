/* Aggregates that look at the order of time: what lies between a thing's values, not the values alone. */
#ifndef INSIGHT_QUERY_AGG_TIME_H
#define INSIGHT_QUERY_AGG_TIME_H

#include "insight/query_agg.h"

struct query_agg_time {
    uint64_t n;                  /* of pieces, rises or spells */
    double seconds, seconds_low; /* that the pieces lasted */
    double sum, low;             /* of what they amount to; both of twice the digits */
};
void query_agg_time_merge(void *state, const void *other, struct query_agg_room *room);

#define QUERY_AGG_TIME(what)                                                                                           \
    Value query_agg_time_##what(const void *state, double parameter);                                                  \
    extern const struct query_agg_order query_agg_time_order_##what;
QUERY_AGG_TIME(increase)
QUERY_AGG_TIME(rate)
QUERY_AGG_TIME(integral)
QUERY_AGG_TIME(time_avg)
QUERY_AGG_TIME(duration)
QUERY_AGG_TIME(rises)
QUERY_AGG_TIME(spells)
#undef QUERY_AGG_TIME

/* A value arrives: *track moves on to it. An aggregate's own row of the order says what is told to whom. */
double query_agg_time_total(const struct query_agg_track *track, double value);

#endif
