#include "kernel/health.h"

#include <math.h>

#define FREE 3.0  /* deviations that cost nothing */
#define RANGE 9.0 /* … and over which the cost rises */
#define MOST 50.0

static double lost(double own, double peer) {
    double square = isnan(own) ? peer * peer : isnan(peer) ? own * own : (own * own + peer * peer) / 2;
    double part = (sqrt(square) - FREE) / RANGE;
    return MOST * fmin(1, fmax(0, part));
}

double health_index(struct health_metric *metrics, size_t n) {
    double sum = 0;
    size_t counted = 0;
    for (size_t i = 0; i < n; i++) {
        struct health_metric *m = &metrics[i];
        m->points_lost = 0;
        if (isnan(m->own_z) && isnan(m->peer_z)) continue;
        m->points_lost = lost(m->own_z, m->peer_z);
        sum += m->points_lost, counted++;
    }
    return counted ? fmax(0, 100 - sum) : NAN;
}
