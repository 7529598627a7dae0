/*
 * The loops over unpacked numbers, one set for each of the machine's vector instructions; all give the same bits.
 * Arithmetic of words is modulo 2^64. Cost: 0.3 to 2 cycles a number.
 */
#ifndef KERNEL_CODEC_LANES_H
#define KERNEL_CODEC_LANES_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/codec_isa.h"

struct codec_lanes {
    /* out[i] = in[i] · unit + base; may be in place */
    void (*scale)(const uint64_t *in, size_t n, uint64_t unit, uint64_t base, int64_t *out);
    /* out[0] = first, out[i] = out[i-1] + in[i-1] · unit + base; n: of out; not in place */
    void (*sum)(const uint64_t *in, size_t n, uint64_t unit, uint64_t base, uint64_t first, int64_t *out);
    /* out[i] = in[i] / unit, rounded once to the nearest; exact for all |in[i]| <= 2^53 */
    void (*decimals)(const int64_t *in, size_t n, double unit, double *out);
    /* the same, then rounded to single precision */
    void (*singles)(const int64_t *in, size_t n, double unit, double *out);
    /* out[i] = in[i] << shift | high[i] when there are any, as the bits of a double */
    void (*doubles)(const uint64_t *in, size_t n, unsigned shift, const uint64_t *high, double *out);
    /* words of `planes` bytes, from one plane of lowest bytes, one of the next … */
    void (*join)(const uint8_t *bytes, size_t n, unsigned planes, uint64_t *out);
    /* out[i] += base + (steps[i] << low) */
    void (*steps)(const uint8_t *steps, size_t n, unsigned low, uint64_t base, uint64_t *out);
};

const struct codec_lanes *codec_lanes_of(enum codec_isa isa);

#endif
