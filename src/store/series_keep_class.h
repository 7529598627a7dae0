/* Which class a thing's metric is of, for who writes runs; and when a run's time is over. The engine's own. */
#ifndef STORE_SERIES_KEEP_CLASS_H
#define STORE_SERIES_KEEP_CLASS_H

#include "store/series_engine.h"

#define SERIES_LEVEL_LATEST 4u /* a run of the newest values of what was dropped; read at the start alone */

struct series_keep_class; /* for one thread and one piece of work: what it has found out stays true meanwhile */
struct series_keep_class *series_keep_class_new(struct series_engine *engine, bool changing_held);
void series_keep_class_free(struct series_keep_class *classes);
/* Everything is of class 0. */
bool series_keep_class_uniform(const struct series_keep_class *classes);
void series_keep_class_thing(struct series_keep_class *classes, PartyId party, ThingId thing); /* then, of it: */
uint32_t series_keep_class_of(struct series_keep_class *classes, MetricId metric);
/* Whether anything is of this class at present; false once what was said has changed. */
bool series_keep_class_is_said(struct series_keep_class *classes, uint32_t class);

/* How wide a partition of these classes may be, so that dropping it is not much too late: a level. */
unsigned series_keep_class_widest(const struct series_manifest *manifest);
unsigned series_keep_class_width(const struct series_keep *keep);

#endif
