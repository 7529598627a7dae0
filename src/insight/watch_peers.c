#include "insight/watch_peers.h"

#include <math.h>
#include <stdlib.h>

#include "base/vec.h"
#include "kernel/health.h"
#include "kernel/stats.h"
#include "os/clock.h"

#define PEERS_LEAST 3
#define PEERS_MOST 4000 /* things looked at: a median of so many is as good, and nobody waits for it */
#define PEERS_FRESH (NANOS_PER_S / 2)
#define WARN_BELOW 80.0

static size_t step_of(size_t n) { return n / PEERS_MOST + 1; }

/* Trailing means of one metric of the model's things. */
static size_t list_means(const struct watch_fleet *f, const struct watch_peers *p, size_t metric, double *values) {
    size_t n = 0;
    for (size_t i = 0; i < f->n_machines; i += step_of(f->n_machines)) {
        const struct watch_machine *w = f->machines[i];
        int8_t track = w->family->track_of[metric];
        if (w->model != p->model || w->party != p->party || track < 0 || w->last == INT64_MIN) continue;
        values[n++] = failure_track_mean(&w->track, (size_t)track, 24, INT64_MIN, NULL);
    }
    for (size_t i = 0; i < f->leans.n; i += step_of(f->leans.n)) {
        const struct watch_lean *w = f->leans.items[i];
        if (w->model != p->model || w->family->party != p->party || !w->id || w->last == INT64_MIN) continue;
        values[n++] = watch_lean_mean(w, metric);
    }
    return n;
}

static void make_peers(const struct watch_fleet *f, struct watch_peers *p) {
    size_t most = f->n_machines / step_of(f->n_machines) + f->leans.n / step_of(f->leans.n) + 2;
    double *values = malloc(most * sizeof *values);
    ASSERT(values);
    for (size_t m = 0; m < watch_lean_metrics(p->model); m++) {
        size_t n = stats_drop_nan(values, list_means(f, p, m, values));
        p->median[m] = p->mad[m] = NAN;
        if (n < PEERS_LEAST) continue;
        p->median[m] = stats_median(values, n);
        p->mad[m] = stats_mad(values, n, p->median[m]);
    }
    free(values);
    p->made = clock_monotonic();
}

static const struct watch_peers *peers_of(struct watch_fleet *f, PartyId party, const struct thing_model *model) {
    struct watch_peers *p = NULL;
    for (size_t i = 0; i < f->n_peers && !p; i++)
        if (f->peers[i].model == model && f->peers[i].party == party) p = &f->peers[i];
    if (!p) {
        VEC_PUSH(f->peers, f->n_peers, f->peers_cap, ((struct watch_peers){.model = model, .party = party}));
        p = &f->peers[f->n_peers - 1];
    }
    if (!p->made || clock_monotonic() - p->made > PEERS_FRESH) make_peers(f, p);
    return p;
}

void watch_peers_health(struct watch_fleet *f, PartyId party, struct watch_thing *out) {
    struct health_metric health[WATCH_METRICS_MAX];
    const struct watch_peers *peers = peers_of(f, party, out->model);
    size_t n = watch_lean_metrics(out->model);
    for (size_t m = 0; m < n; m++) {
        struct watch_metric *metric = &out->metrics[m];
        metric->peer_median = peers->median[m], metric->peer_mad = peers->mad[m];
        double spread = isnan(metric->own_mad) ? metric->peer_mad : fmax(metric->peer_mad, metric->own_mad);
        if (spread > 0) metric->peer_z = (metric->value - metric->peer_median) / spread;
        health[m] = (struct health_metric){metric->own_z, metric->peer_z, 0};
    }
    out->health = health_index(health, n);
    for (size_t m = 0; m < n; m++) out->metrics[m].points_lost = health[m].points_lost;
    if (out->health < WARN_BELOW && out->state < WATCH_WARNING) out->state = WATCH_WARNING;
}
