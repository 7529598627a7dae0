/*
 * A XOR codec to compare with, as published by Pelkonen et al., "Gorilla: A Fast, Scalable, In-Memory Time Series
 * Database" (2015), its values only: the first as it is, then each xor the one before. 0: the same; 10: what is not
 * zero lies within the last window; 11: 5 bits of leading zeros, 6 of length, and that many bits.
 */
#ifndef APP_CMD_BENCH_XOR_H
#define APP_CMD_BENCH_XOR_H

#include "base/buf.h"

void cmd_bench_xor_write(const double *values, size_t n, struct buf *out);
bool cmd_bench_xor_read(Str bytes, double *values, size_t n);

#endif
