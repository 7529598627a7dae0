#include "kernel/codec_isa.h"

bool codec_isa_has(enum codec_isa isa) {
#if CODEC_X86
    if (isa == CODEC_AVX2) return __builtin_cpu_supports("avx2");
    if (isa == CODEC_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vbmi");
#endif
    return isa == CODEC_PLAIN;
}

enum codec_isa codec_isa_best(void) {
    return codec_isa_has(CODEC_AVX512) ? CODEC_AVX512 : codec_isa_has(CODEC_AVX2) ? CODEC_AVX2 : CODEC_PLAIN;
}

const char *codec_isa_name(enum codec_isa isa) {
    static const char *const names[CODEC_ISAS] = {"plain C", "AVX2", "AVX-512"};
    return names[isa];
}
