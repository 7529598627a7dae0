/* The rows `anomaly` and `stats`: kernels over one series of numbers in a CSV file with the columns timestamp,value. */
#ifndef KERNEL_KERNEL_SERIES_H
#define KERNEL_KERNEL_SERIES_H

#include "kernel/kernel.h"

extern const struct kernel kernel_series_anomaly, kernel_series_stats;

#endif
