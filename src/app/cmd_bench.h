/* weft bench codec: the codec of columns on public and made-up data, beside zstd and a XOR codec. */
#ifndef APP_CMD_BENCH_H
#define APP_CMD_BENCH_H

int cmd_bench(int argc, char **argv);

#endif
