/*
 * Predictions and how they turned out. A prediction is confirmed by a fault of its component that happened within its
 * horizon, and expires PREDICTIONS_GRACE after the horizon without one: faults may be reported late.
 */
#ifndef DOMAIN_SERVICE_SERVICE_PREDICTIONS_H
#define DOMAIN_SERVICE_SERVICE_PREDICTIONS_H

#include "domain/service/service_doc.h"

#define PREDICTIONS_GRACE (24 * NANOS_PER_HOUR)

/* A finding becomes a document; while one is open for the machine and component, a new finding only raises its
 * probability. On the findings thread. */
Err service_predictions_take(struct service *s, const struct finding *finding, struct arena *arena);
/* A prediction was made: somebody goes and looks before it comes true. */
Err service_predictions_created(struct service *s, struct doc *prediction, struct arena *arena);
/* A fault happened: was it foreseen? *prediction: the one it confirmed, or NULL. */
Err service_predictions_judge(struct service *s, struct doc **fault, struct arena *arena, struct doc **prediction);
Err service_predictions_expire(struct service *s, Nanos now, struct arena *arena); /* of every party */

#endif
