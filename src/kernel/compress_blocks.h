/*
 * Columns as blocks of 1,024 values (since version 3 of the run): kernel/codec_block.h and kernel/codec_real.h draw
 * one.
 *
 *     blocks      u32 bytes of each block but the last, then the blocks
 *     dictionary  u32 different ones, u32 bytes of them, they in order as a column, then the place of each value's as a
 *                 column of integers
 */
#ifndef KERNEL_COMPRESS_BLOCKS_H
#define KERNEL_COMPRESS_BLOCKS_H

#include "kernel/codec_real.h"

/* Each appends to `out`; 1 <= n. */
void compress_blocks_ints(struct codec_work *work, const int64_t *values, size_t n, struct buf *out);
void compress_blocks_floats(struct codec_work *work, const double *values, size_t n, struct buf *out);
/* Blocks [from, to) of a column of n values into `values`, whose first is that of block `from`. */
bool compress_blocks_read_ints(struct codec_work *work, Str bytes, size_t n, size_t from, size_t to, int64_t *values);
bool compress_blocks_read_floats(struct codec_work *work, Str bytes, size_t n, size_t from, size_t to, double *values);
size_t compress_blocks_count(size_t n);

/*
 * The different ones among words, in order, and for each word its place among them: both in memory that the caller
 * frees. False: more than `most`, nothing was made.
 */
struct compress_blocks_set {
    uint64_t *words; /* [count] */
    int64_t *places; /* [n] */
    size_t count;
};
bool compress_blocks_different(const uint64_t *words, size_t n, size_t most, struct compress_blocks_set *out);

#endif
