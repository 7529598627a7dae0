/*
 * Residues of a walk, near their entropy. Most lie within a few hundred steps of each other, and a few far away. A
 * window that holds nearly all is cut into at most 255 steps of 2^low values: the step is a byte, which zstd codes by
 * how often it comes, and the place within a step stands as plain bits, since it is as good as random there. What lies
 * outside the window is step 255, and whole in a list.
 *
 *     u8 low, u64 base, u32 n_outside | places: n × low bits | outside: n_outside × width bits | steps: n bytes or a
 * frame
 */
#ifndef KERNEL_COMPRESS_SPLIT_H
#define KERNEL_COMPRESS_SPLIT_H

#include "base/buf.h"
#include "base/zst.h"
#include "kernel/codec_isa.h"

/* Appends when it is shorter than at_most, and says so. width: bits of the largest word; scratch: any buffer. */
bool compress_split_write(struct zst *zstd, const uint64_t *words, size_t n, unsigned width, size_t at_most,
                          struct buf *scratch, struct buf *out);
/* Any bytes: fills words[n], or says false. */
bool compress_split_read(struct zst *zstd, enum codec_isa isa, Str bytes, size_t n, unsigned width, struct buf *scratch,
                         uint64_t *words);

#endif
