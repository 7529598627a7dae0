#include "kernel/kernel.h"

#include "kernel/kernel_failure.h"
#include "kernel/kernel_series.h"

const struct kernel *const kernel_table[] = {&kernel_series_anomaly, &kernel_series_stats, &kernel_failure, NULL};

const struct kernel *kernel_find(Str name) {
    for (size_t i = 0; kernel_table[i]; i++)
        if (str_eq_c(name, kernel_table[i]->name)) return kernel_table[i];
    return NULL;
}
