/* The embedded backend: a log, memory and runs in one folder. */
#ifndef STORE_SERIES_EMBEDDED_H
#define STORE_SERIES_EMBEDDED_H

#include "store/series_ops.h"

extern const struct series_ops series_embedded_ops;

#endif
