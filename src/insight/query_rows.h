/* Rows that are left out of a frame, and a stage that computes row by row. */
#ifndef INSIGHT_QUERY_ROWS_H
#define INSIGHT_QUERY_ROWS_H

#include "insight/query_plan.h"

struct query_rows;
struct query_rows *query_rows_new(struct arena *arena, size_t n_columns);
/* The rows of the mask alone, in buffers of `rows`; used: which columns are wanted (NULL: all). */
struct query_frame query_rows_pick(struct query_rows *rows, struct arena *arena, const struct query_frame *frame,
                                   const uint64_t mask[QUERY_WORDS], size_t n, const bool *used);
/*
 * Behind the columns of `frame` come those of select; then having drops rows, and what comes out stands in out[n_out].
 * False: no row is left. room: [frame's columns + n_select].
 */
bool query_rows_make(struct query_rows *rows, struct query_eval *e, const struct query_plan_stage *stage,
                     const struct query_frame *frame, struct query_vec *room, struct query_vec *out,
                     struct query_frame *made);

#endif
