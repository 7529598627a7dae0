#include "kernel/anomaly.h"

#include <math.h>

#define MEMORY_DEFAULT 2000
#define HALF_LIFE 8
#define LIKENESS_GAIN 0.002
#define SPIKE_CLIP 4.0 /* one spike must not become a level */

void anomaly_init(struct anomaly *a, uint32_t memory) {
    stats_huber_init(&a->baseline, memory ? memory : MEMORY_DEFAULT);
    a->level = 0, a->likeness = 1;
}

static double clip(double x, double limit) { return x < -limit ? -limit : x > limit ? limit : x; }

double anomaly_add(struct anomaly *a, double x) {
    if (!isfinite(x)) return 0;
    double score = 0;
    if (a->baseline.n >= STATS_HUBER_WARM) {
        const double gain = 1 - exp2(-1.0 / HALF_LIFE), share = gain / (2 - gain);
        double u = (x - a->baseline.centre) / a->baseline.spread;
        a->level += gain * (clip(u, SPIKE_CLIP) - a->level);
        double v = a->level / sqrt(share * fmax(1, a->likeness));
        double z = fmax(fabs(u), fabs(v));
        score = fmax(0, 1 - 4 * stats_normal_tail(z));
        a->likeness += LIKENESS_GAIN * (fmin(a->level * a->level / share, 9) - a->likeness);
    }
    stats_huber_add(&a->baseline, x);
    return score;
}
