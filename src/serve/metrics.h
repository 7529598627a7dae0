/* Numbers for Prometheus: what the API counts itself, and tables of other rooms' numbers, as text format 0.0.4. */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

#include "base/buf.h"
#include "base/time.h"

struct metrics;
struct serve;

#define METRICS_NO_ROUTE SIZE_MAX

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);
/* Any thread, no lock. */
void metrics_request(struct metrics *metrics, size_t route_place, int status, Nanos took);
void metrics_write(struct serve *serve, struct buf *out);

#endif
