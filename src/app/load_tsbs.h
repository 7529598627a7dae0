/*
 * The "iot" workload of the Time Series Benchmark Suite, as its documents describe it, from our own generator: trucks
 * that report readings and diagnostics every ten seconds, with rows missing and out of order. Same flags, same bytes.
 */
#ifndef APP_LOAD_TSBS_H
#define APP_LOAD_TSBS_H

#include <stdio.h>

#include "base/err.h"
#include "base/time.h"

struct load_tsbs_options {
    unsigned scale; /* trucks */
    unsigned seed;
    Nanos from, to, interval; /* from <= t < to */
    bool ordered;             /* nothing missing, nothing out of order */
};
struct load_tsbs_result {
    unsigned long long lines, values, bytes;
};
/* Line protocol with timestamps in ns to `out`. Needs memory for one entry a truck. */
Err load_tsbs_write(const struct load_tsbs_options *options, FILE *out, struct load_tsbs_result *result);

extern const char load_tsbs_help[];
int load_tsbs_main(int argc, char **argv); /* `weft load tsbs FLAGS`: argv[2]… */

#endif
