/* Aggregation operators: sum by (…), topk, quantile and their like. */
#ifndef SERVE_PROMETHEUS_GROUP_H
#define SERVE_PROMETHEUS_GROUP_H

#include "serve/prometheus_eval.h"

Err prometheus_group(struct prometheus_eval *eval, const struct prometheus_node *node, struct prometheus_value *out);

#endif
