/* Operators between two values: arithmetic, comparison, and, or, unless. */
#ifndef SERVE_PROMETHEUS_BINARY_H
#define SERVE_PROMETHEUS_BINARY_H

#include "serve/prometheus_eval.h"

Err prometheus_binary(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out);

#endif
