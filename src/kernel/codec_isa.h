/* Which of the machine's vector instructions the decoders use. The plain one is the reference; all give the same bits.
 */
#ifndef KERNEL_CODEC_ISA_H
#define KERNEL_CODEC_ISA_H

#include <stdbool.h>

enum codec_isa { CODEC_PLAIN, CODEC_AVX2, CODEC_AVX512 };

#define CODEC_ISAS 3

#if defined(__x86_64__)
#define CODEC_X86 1
#else
#define CODEC_X86 0
#endif

enum codec_isa codec_isa_best(void); /* that this machine has */
bool codec_isa_has(enum codec_isa isa);
const char *codec_isa_name(enum codec_isa isa);

#endif
