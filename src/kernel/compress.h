/*
 * Columns of values as few bytes, exactly.
 *
 *     integers   x[i] or its first differences, less their least (frame of reference), as bit-packed words of the
 * widest; cold: the same residues as byte planes through zstd, when that is smaller floats     v = m / 10^e with one e
 * for the column and m < 2^53, m as integers; what does not come back bit for bit stands in a list of exceptions. Too
 * many of those: v[i] xor v[i-1] as byte planes through zstd when cold, else the 8 bytes as they are. NaN, infinities
 * and -0.0 come back bit for bit. bits       one value each, one bit each, or zstd over those bytes      as they are,
 * or zstd
 *
 * Sources: Lemire and Boytsov, "Decoding billions of integers per second through vectorization" (2012) for frame of
 * reference; Afroozeh, Kuffo and Boncz, "ALP: Adaptive Lossless floating-Point compression" (2023) for decimals.
 * Cost: 1 to 3 ns a value hot and in reading, 5 to 15 ns cold. The same input gives the same bytes on every machine.
 *
 * Written with the size known, read with the number of values known: neither is stored. A reader given any bytes at all
 * either fills its output or says false; it never reads or writes out of bounds.
 */
#ifndef KERNEL_COMPRESS_H
#define KERNEL_COMPRESS_H

#include "base/buf.h"
#include "kernel/codec_isa.h"

#define COMPRESS_VALUES_MAX ((size_t)1 << 24) /* in one column */
#define COMPRESS_BLOCK 1024u                  /* values that can be read by themselves */

struct compress; /* scratch; one a thread */

struct compress *compress_new(void);
void compress_free(struct compress *scratch);
/* Reads with these instructions from now on, which the machine must have; it begins with the best it has. */
void compress_use(struct compress *scratch, enum codec_isa isa);

/* Each appends to out. cold: take the time to be small. */
void compress_ints(struct compress *scratch, const int64_t *values, size_t n, bool cold, struct buf *out);
void compress_floats(struct compress *scratch, const double *values, size_t n, bool cold, struct buf *out);
void compress_bits(struct compress *scratch, const bool *values, size_t n, bool cold, struct buf *out);
void compress_bytes(struct compress *scratch, Str bytes, bool cold, struct buf *out);

/* The whole of `bytes` must be what the function above appended. */
bool compress_read_ints(struct compress *scratch, Str bytes, int64_t *values, size_t n);
bool compress_read_floats(struct compress *scratch, Str bytes, double *values, size_t n);
bool compress_read_bits(struct compress *scratch, Str bytes, bool *values, size_t n);

/*
 * For readers of columns. A column of integers as doubles: false also when one is beyond 2^53 and so not exact.
 * Of a column of n values, those of blocks [from, to) of COMPRESS_BLOCK each, the last being shorter: cheap where the
 * column is in blocks, which it mostly is; else the whole is read and the rest left out.
 */
bool compress_read_ints_as_floats(struct compress *scratch, Str bytes, double *values, size_t n);
bool compress_read_floats_part(struct compress *scratch, Str bytes, size_t n, size_t from, size_t to, double *values);
bool compress_read_ints_part(struct compress *scratch, Str bytes, size_t n, size_t from, size_t to, int64_t *values);
/* The same bits, 64 a word, without making them bools: words[(n + 63) / 64], bit i of word i / 64; past n they are 0.
 */
bool compress_read_bit_words(struct compress *scratch, Str bytes, uint64_t *words, size_t n);
bool compress_read_bytes(struct compress *scratch, Str bytes, size_t size_max, struct buf *out); /* appends */

#endif
