/* A PromQL tree as text again, in one canonical form: read again, it is the same tree. */
#ifndef SERVE_PROMETHEUS_PRINT_H
#define SERVE_PROMETHEUS_PRINT_H

#include "base/buf.h"
#include "serve/prometheus_tree.h"

void prometheus_print(const struct prometheus_node *node, struct buf *out);

#endif
