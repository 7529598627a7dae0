/* Rows that are held: to be sorted, cut, given out, or taken by the next stage. */
#ifndef INSIGHT_QUERY_TABLE_H
#define INSIGHT_QUERY_TABLE_H

#include "base/arena.h"
#include "insight/query_plan.h"

struct query_table {
    size_t n_columns, n, cap;
    Value *cells;    /* [n × n_columns]; texts are the table's */
    uint32_t *ranks; /* [n]: of the things they are of */
    uint32_t *order; /* [n] once sorted or cut: which row stands where; NULL: as they came */
    struct arena texts;
    Str *shown, *kept; /* [n_columns]: the text copied last, and its copy */
    atomic_size_t *bytes;
    size_t max_bytes, counted;
};
void query_table_init(struct query_table *t, size_t n_columns, atomic_size_t *bytes, size_t max_bytes);
void query_table_fini(struct query_table *t);
bool query_table_add(struct query_table *t, const struct query_frame *frame, uint32_t rank); /* false: the limit */
bool query_table_append(struct query_table *t, const struct query_table *more);              /* before sorting */
const Value *query_table_row(const struct query_table *t, size_t i);
int query_table_compare(Value a, Value b); /* numbers, then texts, then nothing */
/* Stable. */
void query_table_sort(struct query_table *t, const struct query_plan_order *by, size_t n);
void query_table_sort_ranks(struct query_table *t, const Str *names); /* by the names that ranks stand for */
/* At most `limit` rows, or so many of each group of equal values. */
void query_table_cut(struct query_table *t, size_t limit, const unsigned *by, size_t n_by);
/* The rows as frames, for a stage whose incoming columns these are. in_order: sequences are told apart by thing. */
void query_table_frames(const struct query_table *t, const struct query_plan_stage *next, bool in_order,
                        void (*take)(void *ctx, const struct query_frame *frame), void *ctx);

#endif
