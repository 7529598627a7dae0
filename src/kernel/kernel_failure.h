/* The row `failure`: back-tests the failure model on a recording. */
#ifndef KERNEL_KERNEL_FAILURE_H
#define KERNEL_KERNEL_FAILURE_H

#include "kernel/failure_trial.h"
#include "kernel/kernel.h"
#include "model/recording.h"

extern const struct kernel kernel_failure;

/* One way to foresee failures, judged two ways. */
struct kernel_failure_line {
    const char *name;
    struct failure_counts left_out; /* each machine by what was learnt from the others */
    struct failure_counts later;    /* the second half of the time by what was learnt from the first */
    double threshold;               /* of the second */
};
#define KERNEL_FAILURE_LINES 3 /* the model, age since replacement, fixed limits on trailing means */
Err kernel_failure_backtest(const struct recording *recording, unsigned threads, struct arena *arena,
                            struct kernel_failure_line out[KERNEL_FAILURE_LINES]);

#endif
