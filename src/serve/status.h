/* The status object: what runs, its time, its recording. GET /api/v1/status and the live event are the same. */
#ifndef SERVE_STATUS_H
#define SERVE_STATUS_H

#include "base/arena.h"
#include "base/jw.h"
#include "model/principal.h"

struct serve;

Err status_write(struct serve *serve, const struct principal *who, struct arena *arena, struct jw *w);

#endif
