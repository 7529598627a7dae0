#include "kernel/codec_lanes.h"

#include <string.h>

#if CODEC_X86
#include <immintrin.h>
#endif

static void plain_sum(const uint64_t *restrict in, size_t n, uint64_t unit, uint64_t base, uint64_t first,
                      int64_t *restrict out) {
    uint64_t at = first;
    if (n == 0) return;
    out[0] = (int64_t)first;
    if (unit == 1)
        for (size_t i = 1; i < n; i++) out[i] = (int64_t)(at += in[i - 1] + base);
    else
        for (size_t i = 1; i < n; i++) out[i] = (int64_t)(at += in[i - 1] * unit + base);
}

#if CODEC_X86
/* Four sums at a time within a vector, then what came before on top: the chain is one addition for four numbers. */
__attribute__((target("avx2"))) static void avx2_sum(const uint64_t *restrict in, size_t n, uint64_t unit,
                                                     uint64_t base, uint64_t first, int64_t *restrict out) {
    if (unit != 1 || n < 8) {
        plain_sum(in, n, unit, base, first, out);
        return;
    }
    __m256i before = _mm256_set1_epi64x((int64_t)first);
    const __m256i add = _mm256_set1_epi64x((int64_t)base), none = _mm256_setzero_si256();
    size_t i = 1;
    out[0] = (int64_t)first;
    for (; i + 4 <= n; i += 4) {
        __m256i v = _mm256_add_epi64(_mm256_loadu_si256((const void *)(in + i - 1)), add);
        v = _mm256_add_epi64(v, _mm256_slli_si256(v, 8));
        __m256i half = _mm256_blend_epi32(none, _mm256_permute4x64_epi64(v, 0x50), 0xf0);
        v = _mm256_add_epi64(v, half);
        __m256i all = _mm256_permute4x64_epi64(v, 0xff);
        _mm256_storeu_si256((void *)(out + i), _mm256_add_epi64(v, before));
        before = _mm256_add_epi64(before, all);
    }
    uint64_t at = (uint64_t)out[i - 1];
    for (; i < n; i++) out[i] = (int64_t)(at += in[i - 1] + base);
}
#endif

#define LANES_NAME(x) plain_##x
#define LANES_TARGET
#define LANES_SUM plain_sum
#include "kernel/codec_lanes_loops.h"

#if CODEC_X86
#define LANES_NAME(x) avx2_##x
#define LANES_TARGET __attribute__((target("avx2")))
#define LANES_SUM avx2_sum
#include "kernel/codec_lanes_loops.h"

#define LANES_NAME(x) avx512_##x
#define LANES_TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
#define LANES_SUM avx2_sum
#include "kernel/codec_lanes_loops.h"
#endif

const struct codec_lanes *codec_lanes_of(enum codec_isa isa) {
    static const struct codec_lanes *const sets[CODEC_ISAS] = {
        &plain_lanes,
#if CODEC_X86
        &avx2_lanes,
        &avx512_lanes,
#endif
    };
    return sets[isa] ? sets[isa] : &plain_lanes;
}
