/*
 * PromQL, read into a tree: selectors, arithmetic and comparison, matching, aggregation, subqueries, offset and @. The
 * types are checked here, so that what is evaluated is well-formed.
 */
#ifndef SERVE_PROMETHEUS_PARSE_H
#define SERVE_PROMETHEUS_PARSE_H

#include "serve/prometheus_tree.h"

#define PROMETHEUS_PARSE_BYTES_MAX ((size_t)64 << 10)
#define PROMETHEUS_PARSE_DEPTH_MAX 100u

/* ERR_INVALID: "position 12: what is wrong, and what belongs there". */
Err prometheus_parse(Str query, struct arena *arena, struct prometheus_node **out);
/* A selector alone, as in match[]: name{a="b"}. */
Err prometheus_parse_selector(Str text, struct arena *arena, struct prometheus_node **out);

#endif
