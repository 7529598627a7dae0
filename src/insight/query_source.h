/*
 * What the first stage reads: the things that were picked, their tags, and the columns that the question names. Nothing
 * that the lens hides is here: neither a thing nor the name of a metric.
 */
#ifndef INSIGHT_QUERY_SOURCE_H
#define INSIGHT_QUERY_SOURCE_H

#include "base/arena.h"
#include "insight/query_plan.h"
#include "store/series_batch.h"

#define QUERY_SOURCE_COLUMNS_MAX (2 + SERIES_ASK_METRICS_MAX + 32)

struct query_source {
    const struct query_engine_options *of;
    const struct lens *lens;
    const struct query *query;
    struct arena *arena;
    Nanos now;
    ThingId *things; /* [n_things], ascending */
    Str *names;
    size_t n_things, n_visible; /* visible: before picking; 0: not counted */
    struct query_column columns[QUERY_SOURCE_COLUMNS_MAX];
    MetricId metrics[QUERY_SOURCE_COLUMNS_MAX]; /* of columns 2… */
    bool tags[QUERY_SOURCE_COLUMNS_MAX];
    size_t n_columns;
    Value *tag_values[QUERY_SOURCE_COLUMNS_MAX]; /* [n_things] each, once loaded */
};
Err query_source_open(struct query_source *s); /* the first five members are set */
struct query_plan_source query_source_names(struct query_source *s);
/* What of one metric of one thing may be read; false: nothing. */
bool query_source_given(const struct query_source *s, size_t thing, Str metric, struct lens *out);
Err query_source_load_tags(struct query_source *s);
size_t query_source_rank(const struct query_source *s, ThingId thing); /* its place; SIZE_MAX: not picked */

#endif
