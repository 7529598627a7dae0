/*
 * The form of a row in memory and in the log; private to the series store. Little endian, each row starts at a multiple
 * of 8 bytes:
 *
 *     struct row_head, then n_values times { u32 tag = metric << 4 | type, payload by type }, zeroes up to 8
 *
 *     type      payload                         type      payload
 *     INT4      int32                           FALSE     none
 *     INT8      int64                           TRUE      none
 *     FLOAT4    float, when that is exact       STRING    u32 length, bytes, zeroes up to 4
 *     FLOAT8    double
 *
 * `link` is zero in a commit and on disk; in memory it chains the rows of one thing, so indexing allocates nothing.
 */
#ifndef STORE_ROWS_FORM_H
#define STORE_ROWS_FORM_H

#include "store/rows.h"

struct row_head {
    uint32_t size; /* whole row, a multiple of 8 */
    uint32_t thing;
    int64_t time;
    uint32_t n_values, flags;
    uint64_t link;
};

enum rows_type {
    ROWS_NONE,
    ROWS_INT4,
    ROWS_INT8,
    ROWS_FLOAT4,
    ROWS_FLOAT8,
    ROWS_FALSE,
    ROWS_TRUE,
    ROWS_STRING,
    ROWS_TYPES,
};

#define ROWS_TAG_SHIFT 4
#define ROWS_TAG_MASK 15u
#define ROWS_METRIC_MAX ((UINT32_C(1) << 28) - 1)
#define ROWS_SIZE_MAX (UINT32_C(1) << 30)

/* The row that starts at `at`. */
struct row rows_open(const struct row_head *head);
/* Whether bytes from outside are whole, well-formed rows; counts them. */
bool rows_check(Str bytes, uint32_t *n_rows, uint32_t *n_values);

#endif
