#include "kernel/stats.h"

#include <math.h>

#include "base/err.h"

#define NORMAL_MAD 1.4826022185056018
#define CLIP_CENTRE 1.5
#define CLIP_SPREAD 2.5

size_t stats_drop_nan(double *values, size_t n) {
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(values[i])) values[kept++] = values[i];
    return kept;
}

static void swap(double *a, double *b) {
    double t = *a;
    *a = *b, *b = t;
}

/* The k-th smallest (from 0) to its place, smaller ones before it. Median of three against sorted input. */
static double select_kth(double *v, size_t n, size_t k) {
    size_t low = 0, high = n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (v[middle] < v[low]) swap(&v[middle], &v[low]);
        if (v[high] < v[low]) swap(&v[high], &v[low]);
        if (v[high] < v[middle]) swap(&v[high], &v[middle]);
        double pivot = v[middle];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i >= j) break;
            swap(&v[i++], &v[j--]);
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[k];
}

static double smallest_from(const double *v, size_t from, size_t n) {
    double m = v[from];
    for (size_t i = from + 1; i < n; i++)
        if (v[i] < m) m = v[i];
    return m;
}

double stats_quantile(double *values, size_t n, double p) {
    ASSERT(p >= 0 && p <= 1);
    n = stats_drop_nan(values, n);
    if (!n) return NAN;
    double h = (double)(n - 1) * p;
    size_t k = (size_t)h;
    double low = select_kth(values, n, k), part = h - (double)k;
    if (part <= 0) return low;
    double high = smallest_from(values, k + 1, n); /* the selection left the greater ones behind k */
    return isinf(low) && isinf(high) ? low : low + part * (high - low);
}

double stats_median(double *values, size_t n) { return stats_quantile(values, n, 0.5); }

double stats_mad(double *values, size_t n, double centre) {
    for (size_t i = 0; i < n; i++) values[i] = fabs(values[i] - centre);
    return NORMAL_MAD * stats_median(values, n);
}

double stats_mean(const double *values, size_t n) {
    double sum = 0, rest = 0;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(values[i])) continue;
        double y = values[i] - rest, t = sum + y;
        rest = isfinite(t) ? (t - sum) - y : 0;
        sum = t, count++;
    }
    return count ? sum / (double)count : NAN;
}

void stats_welford_add(struct stats_welford *w, double x) {
    if (isnan(x)) return;
    double d = x - w->mean;
    w->mean += d / (double)++w->n;
    w->m2 += d * (x - w->mean);
}

double stats_welford_variance(const struct stats_welford *w) { return w->n < 2 ? NAN : w->m2 / (double)(w->n - 1); }

void stats_ewma_init(struct stats_ewma *e, double half_life) {
    ASSERT(half_life > 0);
    *e = (struct stats_ewma){.a = 1 - exp2(-1 / half_life), .mean = NAN, .variance = NAN};
}

void stats_ewma_add(struct stats_ewma *e, double x) {
    if (isnan(x)) return;
    if (!e->begun) {
        e->begun = true, e->mean = x, e->variance = 0;
        return;
    }
    double d = x - e->mean;
    e->mean += e->a * d;
    e->variance = (1 - e->a) * (e->variance + e->a * d * d);
}

void stats_p2_init(struct stats_p2 *q, double p) {
    ASSERT(p > 0 && p < 1);
    *q = (struct stats_p2){.p = p, .wanted = {1, 1 + 2 * p, 1 + 4 * p, 3 + 2 * p, 5}, .place = {1, 2, 3, 4, 5}};
}

static void p2_first(struct stats_p2 *q, double x) {
    size_t i = (size_t)q->n++;
    for (; i > 0 && q->height[i - 1] > x; i--) q->height[i] = q->height[i - 1];
    q->height[i] = x;
}

/* The cell x falls into; the outer markers take new extremes. */
static size_t p2_cell(struct stats_p2 *q, double x) {
    if (x < q->height[0]) q->height[0] = x;
    if (x > q->height[4]) q->height[4] = x;
    size_t k = 0;
    while (k < 3 && x >= q->height[k + 1]) k++;
    return k;
}

static double p2_parabolic(const struct stats_p2 *q, size_t i, double d) {
    double before = (double)(q->place[i] - q->place[i - 1]), behind = (double)(q->place[i + 1] - q->place[i]);
    return q->height[i] + d / (before + behind) *
                              ((before + d) * (q->height[i + 1] - q->height[i]) / behind +
                               (behind - d) * (q->height[i] - q->height[i - 1]) / before);
}

static void p2_adjust(struct stats_p2 *q, size_t i) {
    double off = q->wanted[i] - (double)q->place[i];
    int64_t step = off >= 1 && q->place[i + 1] - q->place[i] > 1     ? 1
                   : off <= -1 && q->place[i - 1] - q->place[i] < -1 ? -1
                                                                     : 0;
    if (!step) return;
    double h = p2_parabolic(q, i, (double)step);
    if (!(q->height[i - 1] < h && h < q->height[i + 1])) {
        size_t to = step > 0 ? i + 1 : i - 1;
        h = q->height[i] + (double)step * (q->height[to] - q->height[i]) / (double)(q->place[to] - q->place[i]);
    }
    q->height[i] = h;
    q->place[i] += step;
}

void stats_p2_add(struct stats_p2 *q, double x) {
    if (isnan(x)) return;
    if (q->n < 5) {
        p2_first(q, x);
        return;
    }
    const double step[5] = {0, q->p / 2, q->p, (1 + q->p) / 2, 1};
    for (size_t i = p2_cell(q, x) + 1; i < 5; i++) q->place[i]++;
    q->n++;
    for (size_t i = 0; i < 5; i++) q->wanted[i] += step[i];
    for (size_t i = 1; i < 4; i++) p2_adjust(q, i);
}

double stats_p2_value(const struct stats_p2 *q) {
    if (q->n >= 5) return q->height[2];
    double copy[5];
    for (size_t i = 0; i < (size_t)q->n; i++) copy[i] = q->height[i];
    return stats_quantile(copy, (size_t)q->n, q->p);
}

void stats_huber_init(struct stats_huber *h, uint32_t memory) {
    ASSERT(memory >= STATS_HUBER_WARM);
    *h = (struct stats_huber){.memory = memory, .centre = NAN, .spread = NAN};
}

static double clip(double x, double limit) { return x < -limit ? -limit : x > limit ? limit : x; }

static double at_least_some(double spread, double centre) {
    double least = fmax(1e-9, 1e-9 * fabs(centre));
    return spread > least ? spread : least;
}

static void huber_begin(struct stats_huber *h) {
    double v[STATS_HUBER_WARM];
    for (size_t i = 0; i < STATS_HUBER_WARM; i++) v[i] = (double)h->warm[i];
    h->centre = stats_median(v, STATS_HUBER_WARM);
    h->spread = at_least_some(stats_mad(v, STATS_HUBER_WARM, h->centre), h->centre);
}

void stats_huber_add(struct stats_huber *h, double x) { stats_huber_add_part(h, x, 1); }

void stats_huber_add_part(struct stats_huber *h, double x, double part) {
    if (!isfinite(x)) return;
    if (h->n < STATS_HUBER_WARM) {
        h->warm[h->n++] = (float)x;
        if (h->n == STATS_HUBER_WARM) huber_begin(h);
        return;
    }
    if (h->n < h->memory) h->n++;
    /* E[min(N², c²)] = 2[Φ(c)-½-cφ(c)] + 2c²(1-Φ(c)) at c = 2.5 */
    const double expected = 0.97755998345280686;
    double gain = part / (double)h->n, u = (x - h->centre) / h->spread, v = clip(u, CLIP_SPREAD);
    h->centre += gain * h->spread * clip(u, CLIP_CENTRE);
    h->spread = at_least_some(h->spread * sqrt(1 + gain * (v * v / expected - 1)), h->centre);
}

double stats_normal_tail(double z) { return 0.5 * erfc(z * M_SQRT1_2); }

double stats_normal_tail_log10(double z) {
    if (z < 30) return log10(stats_normal_tail(z));
    /* erfc's asymptotic series: Q(z) = φ(z)/z·(1 - 1/z² + 3/z⁴ - …); at 30 the next term is below 1e-7 */
    double z2 = z * z, series = 1 - 1 / z2 + 3 / (z2 * z2);
    return (-z2 / 2 - log(z * 2.5066282746310002) + log(series)) / M_LN10;
}
