/*
 * A machine's health, 0 to 100, with what each metric took from it.
 *
 * For each metric, z is how far its trailing mean lies from its baseline in that baseline's spreads: own_z against the
 * machine's own past, peer_z against the machines of its model. They count together as
 *     d = sqrt((own_z² + peer_z²)/2)   (own_z alone, or peer_z alone, where the other is NaN)
 *     points lost = 50·clip((d - 3)/9, 0, 1)
 *     index = max(0, 100 - sum of points lost)
 * so that usual scatter costs nothing, a shift of seven spreads about 22 points, and one metric at most 50. Both NaN:
 * the metric is left out. No metric at all: NaN. The scale is ours; nothing published prescribes it. Cost O(n).
 */
#ifndef KERNEL_HEALTH_H
#define KERNEL_HEALTH_H

#include <stddef.h>

struct health_metric {
    double own_z, peer_z; /* in */
    double points_lost;   /* out */
};

double health_index(struct health_metric *metrics, size_t n);

#endif
