/* Sets that are made up from a seed; the same line gives the same values everywhere. */
#ifndef APP_CMD_BENCH_MADE_H
#define APP_CMD_BENCH_MADE_H

#include "app/cmd_bench_sets.h"

Err cmd_bench_made(const struct cmd_bench_set *set, struct buf *values);

#endif
