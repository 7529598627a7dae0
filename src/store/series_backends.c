/* The backends of the series store, the default first. */
#include "store/series_embedded.h"

const struct series_ops *const series_backends[] = {&series_embedded_ops, NULL};
