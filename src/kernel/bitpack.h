/* Numbers of `width` bits (0 to 64) one behind the other: number i stands at bit i × width, least bit first. */
#ifndef KERNEL_BITPACK_H
#define KERNEL_BITPACK_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/codec_isa.h"

size_t bitpack_bytes(size_t n, unsigned width);
/* Needs room for bitpack_bytes and 8 more. */
void bitpack_write(const uint64_t *words, size_t n, unsigned width, uint8_t *out);
/* `size`: how many bytes may be looked at, at least bitpack_bytes(n, width); a few more make it faster. */
void bitpack_read(enum codec_isa isa, const uint8_t *bytes, size_t size, size_t n, unsigned width, uint64_t *words);
unsigned bitpack_width(uint64_t most); /* bits that the largest needs */

#endif
