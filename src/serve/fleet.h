/* The fleet as people want to see it: each machine with how it is, its open alarms, what is predicted of it and the
 * work under way. Joined from the view and the documents, each through the gate. */
#ifndef SERVE_FLEET_H
#define SERVE_FLEET_H

#include "base/jw.h"
#include "document/documents.h"
#include "insight/view.h"

struct fleet_item {
    struct view_thing thing;
    uint64_t open_alarms;
    const struct doc *prediction, *work_order; /* the newest open one, or NULL */
};

struct fleet_sources {
    struct view *view;
    struct documents *documents;
};

/* By name; model empty: all. */
Err fleet_list(const struct fleet_sources *from, const struct principal *who, Str model, struct arena *arena,
               struct fleet_item **out, size_t *n);
/* One page of it, by name, for fleets of any size. */
Err fleet_page(const struct fleet_sources *from, const struct principal *who, const struct view_fleet_ask *ask,
               struct arena *arena, struct fleet_item **out, size_t *n, bool *more);
Err fleet_get(const struct fleet_sources *from, const struct principal *who, Str name, struct arena *arena,
              struct fleet_item *out);
/* Members of one item into an open object; health only when asked for. */
void fleet_write(const struct fleet_item *item, bool health, struct jw *w);
/* Changes when anything that fleet_write shows changes; seen: last_seen counts too. */
uint64_t fleet_fingerprint(const struct fleet_item *item, bool seen);

#endif
