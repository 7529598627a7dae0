/*
 * A block of at most 1,024 doubles, bit for bit, in the shortest of
 *
 *     0 decimal  u8 power, [exceptions], a block of integers m: v = m / 10^power, divided once; + 4: then rounded to
 *                single precision (numbers that were floats); + 8: with exceptions
 *     1 bits     u8 shift, a block of integers: v's bits >> shift
 *     2 fronts   u8 shift, u8 right, u8 count - 1, count × u16 front, [exceptions' fronts], codes, right parts:
 *                v's bits = front << (shift + right) | right part << shift; + 8: some fronts are not in the list
 *     3 raw      8 bytes each
 *     exceptions u16 count, u16 place each, then 8 bytes (of fronts: 2) each
 *
 * A quotient is rounded right by every machine, so that each decimal that a program printed or read is one m and no
 * exception; a product with an inverse power would be faster and miss some. Source of decimals and fronts: Afroozeh,
 * Kuffo and Boncz, "ALP: Adaptive Lossless floating-Point compression" (2023).
 */
#ifndef KERNEL_CODEC_REAL_H
#define KERNEL_CODEC_REAL_H

#include "kernel/codec_block.h"

void codec_real_write(struct codec_work *work, const double *values, size_t n, struct buf *out); /* 1 <= n */
bool codec_real_read(struct codec_work *work, struct codec_in *in, double *values, size_t n);

/* Whether v is m / 10^power, bit for bit (single: rounded to single precision after that). */
#define CODEC_REAL_POWER_MAX 22u
bool codec_real_decimal(double v, unsigned power, bool single, int64_t *m);
double codec_real_power(unsigned power); /* 10^power */
/* The power that fits the most of a few values spread over the column, the least of those; *single as above.
 * Returns how many of 32 it fits. */
unsigned codec_real_choose(const double *values, size_t n, unsigned *power, bool *single);

#endif
