/*
 * A block of at most 1,024 integers as few bits, by itself: the column cuts its values into such blocks and says where
 * each begins, so that a reader may open some of them and not the others.
 *
 *     u8 form: 0 constant, 1 frame of reference, 2 the same of differences, 3 runs; + 8: a unit, + 16: patches
 *     unit      offset, unit as varints: value = offset + unit · what follows stands for
 *     constant  value             frame  base, u8 width, n words              differences  first, base, u8 width, n - 1
 *     patches   u8 count - 1, u8 width, positions of 10 bits each, residues (zigzag); before the words
 *     runs      varint count, then a block of their values, and one of their lengths
 *
 * Signed numbers are zigzag varints. The words that fit stand within the width; the few that do not are patched, so
 * that a spike costs itself and not its neighbours (Zukowski et al., "Super-scalar RAM-CPU cache compression", 2006).
 */
#ifndef KERNEL_CODEC_BLOCK_H
#define KERNEL_CODEC_BLOCK_H

#include "base/buf.h"
#include "kernel/codec_lanes.h"

#define CODEC_BLOCK 1024u /* values */

/* Bytes being read: a reader takes from `at`, at most to `end`, and may look at what lies before `limit`. */
struct codec_in {
    const uint8_t *at, *end, *limit;
};
bool codec_block_byte(struct codec_in *in, unsigned *out);
bool codec_block_varint(struct codec_in *in, uint64_t *out);
bool codec_block_signed(struct codec_in *in, int64_t *out);
/* n words of `width` bits; false: there are not so many bytes. */
bool codec_block_words(enum codec_isa isa, struct codec_in *in, size_t n, unsigned width, uint64_t *out);
void codec_block_put_signed(struct buf *out, int64_t v);
void codec_block_put_words(struct buf *out, const uint64_t *words, size_t n, unsigned width);

/* Room to work in; one a thread. */
struct codec_work {
    enum codec_isa isa;
    const struct codec_lanes *lanes;
    uint64_t words[CODEC_BLOCK + 8], spare[CODEC_BLOCK + 8];
    int64_t ints[CODEC_BLOCK], values[CODEC_BLOCK], lengths[CODEC_BLOCK];
};

void codec_block_write(struct codec_work *work, const int64_t *values, size_t n, struct buf *out); /* 1 <= n */
bool codec_block_read(struct codec_work *work, struct codec_in *in, int64_t *values, size_t n);

#endif
