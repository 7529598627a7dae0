/*
 * Included by codec_lanes.c once a set of instructions, with LANES_NAME(x), LANES_TARGET and which sum to use. Inner
 * loops are of fixed length, since then every compiler turns them into vectors; no intrinsics are needed.
 */

#define STRIDE 32

LANES_TARGET static void LANES_NAME(scale)(const uint64_t *in, size_t n, uint64_t unit, uint64_t base, int64_t *out) {
    size_t i = 0;
    if (unit == 1)
        for (; i + STRIDE <= n; i += STRIDE)
            for (size_t k = 0; k < STRIDE; k++) out[i + k] = (int64_t)(in[i + k] + base);
    for (; i < n; i++) out[i] = (int64_t)(in[i] * unit + base);
}

/* As the machine's own conversion rounds, from the two halves of the word: their sum is rounded once. */
LANES_TARGET static inline __attribute__((always_inline)) double LANES_NAME(to_double)(int64_t word) {
    uint64_t low = ((uint64_t)word & 0xffffffff) | UINT64_C(0x4330000000000000); /* 2^52 + low */
    uint64_t high = ((uint64_t)word >> 32) ^ UINT64_C(0x4530000080000000);       /* 2^84 + (high + 2^31) · 2^32 */
    double l, h;
    memcpy(&l, &low, 8);
    memcpy(&h, &high, 8);
    return (h - 0x1.00000801p84) + l;
}

LANES_TARGET static void LANES_NAME(decimals)(const int64_t *restrict in, size_t n, double unit, double *restrict out) {
    size_t i = 0;
    if (unit == 1.0)
        for (; i + STRIDE <= n; i += STRIDE)
            for (size_t k = 0; k < STRIDE; k++) out[i + k] = LANES_NAME(to_double)(in[i + k]);
    for (; i + STRIDE <= n; i += STRIDE)
        for (size_t k = 0; k < STRIDE; k++) out[i + k] = LANES_NAME(to_double)(in[i + k]) / unit;
    for (; i < n; i++) out[i] = (double)in[i] / unit;
}

LANES_TARGET static void LANES_NAME(singles)(const int64_t *restrict in, size_t n, double unit, double *restrict out) {
    size_t i = 0;
    for (; i + STRIDE <= n; i += STRIDE)
        for (size_t k = 0; k < STRIDE; k++) out[i + k] = (double)(float)(LANES_NAME(to_double)(in[i + k]) / unit);
    for (; i < n; i++) out[i] = (double)(float)((double)in[i] / unit);
}

LANES_TARGET static void LANES_NAME(doubles)(const uint64_t *restrict in, size_t n, unsigned shift,
                                             const uint64_t *restrict high, double *restrict out) {
    static const uint64_t none[STRIDE];
    uint64_t bits[STRIDE];
    for (size_t i = 0; i < n; i += STRIDE) {
        size_t some = n - i < STRIDE ? n - i : STRIDE;
        const uint64_t *above = high ? high + i : none;
        if (some == STRIDE)
            for (size_t k = 0; k < STRIDE; k++) bits[k] = in[i + k] << shift | above[k];
        else
            for (size_t k = 0; k < some; k++) bits[k] = in[i + k] << shift | above[k];
        memcpy(out + i, bits, some * 8);
    }
}

LANES_TARGET static void LANES_NAME(join)(const uint8_t *restrict bytes, size_t n, unsigned planes,
                                          uint64_t *restrict out) {
    size_t whole = n / STRIDE * STRIDE;
    if (planes == 0) memset(out, 0, n * sizeof *out);
    for (unsigned p = 0; p < planes; p++, bytes += n) {
        uint64_t keep = p ? UINT64_MAX : 0;
        for (size_t i = 0; i < whole; i += STRIDE)
            for (size_t k = 0; k < STRIDE; k++) out[i + k] = (out[i + k] & keep) | (uint64_t)bytes[i + k] << (8 * p);
        for (size_t i = whole; i < n; i++) out[i] = (out[i] & keep) | (uint64_t)bytes[i] << (8 * p);
    }
}

LANES_TARGET static void LANES_NAME(steps)(const uint8_t *restrict steps, size_t n, unsigned low, uint64_t base,
                                           uint64_t *restrict out) {
    size_t i = 0;
    for (; i + STRIDE <= n; i += STRIDE)
        for (size_t k = 0; k < STRIDE; k++) out[i + k] += base + ((uint64_t)steps[i + k] << low);
    for (; i < n; i++) out[i] += base + ((uint64_t)steps[i] << low);
}

static const struct codec_lanes LANES_NAME(lanes) = {LANES_NAME(scale),   LANES_SUM,           LANES_NAME(decimals),
                                                     LANES_NAME(singles), LANES_NAME(doubles), LANES_NAME(join),
                                                     LANES_NAME(steps)};

#undef STRIDE
#undef LANES_NAME
#undef LANES_TARGET
#undef LANES_SUM
