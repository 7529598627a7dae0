#include "kernel/baseline.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "kernel/stats.h"

#define CLIP_CENTRE 1.5F
#define CLIP_SPREAD 2.5F
#define EXPECTED 0.97755998F /* E[clip(N(0,1), 2.5)²] */
#define MEAN_DEVIATION 1.2533F
#define LEVEL_GAIN 0.08299596F /* half-life 8 values */
#define LEVEL_SHARE (LEVEL_GAIN / (2 - LEVEL_GAIN))
#define SPIKE_CLIP 4.0F
#define LIKENESS_GAIN 0.002F
#define LIKENESS_ONE 4096
#define SCORE_ONE 16
#define WARM_STEP 3
#define UNLIKE 3.5F /* daily spreads */
#define SLOWLY 0.1F

/* ---- 16-bit numbers: sign, 6 bits of exponent (2^-31 to 2^31), 9 of mantissa */

static uint16_t pack(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 31 << 15, rest = (bits & 0x7FFFFFFF) + (1u << 13); /* to the nearest */
    int exponent = (int)(rest >> 23) - 127 + 31;
    if (exponent <= 0) return 0;
    if (exponent > 63) return (uint16_t)(sign | 0x7FFF);
    return (uint16_t)(sign | (uint32_t)exponent << 9 | (rest >> 14 & 0x1FF));
}

static float unpack(uint16_t v) {
    uint32_t exponent = v >> 9 & 63, bits;
    if (exponent == 0) return 0;
    bits = (uint32_t)(v >> 15) << 31 | (exponent - 31 + 127) << 23 | (uint32_t)(v & 0x1FF) << 14;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- robust centre and spread */

static float clip(float x, float limit) { return x < -limit ? -limit : x > limit ? limit : x; }

/* Never 0, so that whoever divides by it may. */
static float at_least_some(float spread, double value) {
    float least = (float)fmax(1e-9, 1e-9 * fabs(value));
    return spread > least ? spread : least;
}

/* The n-th value. */
static void learn(const struct baseline *b, float *centre, float *spread, unsigned n, unsigned memory, float x,
                  float part) {
    if (n == 1) {
        *centre = x, *spread = 0;
    } else if (n <= BASELINE_BEGIN) {
        float d = fabsf(x - *centre) * sqrtf((float)(n - 1) / (float)n) * MEAN_DEVIATION;
        *centre += (x - *centre) / (float)n;
        *spread += (d - *spread) / (float)(n - 1);
    } else {
        float gain = part / (float)(n < memory ? n : memory), s = at_least_some(*spread, b->first + (double)*centre);
        float u = (x - *centre) / s, v = clip(u, CLIP_SPREAD);
        *centre += gain * s * clip(u, CLIP_CENTRE);
        *spread = s * sqrtf(1 + gain * (v * v / EXPECTED - 1));
    }
}

static uint16_t one_more(uint16_t n, uint16_t most) { return n < most ? (uint16_t)(n + 1) : n; }

/* ---- values */

static void score(struct baseline *b, float x) {
    float s = at_least_some(b->spread, b->first + (double)b->centre), u = (x - b->centre) / s;
    float likeness = (float)b->likeness / LIKENESS_ONE;
    if (likeness < 1) likeness = 1;
    b->level += LEVEL_GAIN * (clip(u, SPIKE_CLIP) - b->level);
    float v = b->level / sqrtf(LEVEL_SHARE * likeness), z = fmaxf(fabsf(u), fabsf(v));
    likeness += LIKENESS_GAIN * (fminf(b->level * b->level / LEVEL_SHARE, 9) - likeness);
    b->likeness = (uint16_t)lrintf(fmaxf(likeness, 1) * LIKENESS_ONE);
    b->score = (uint8_t)(fminf(z, 15.9F) * SCORE_ONE);
}

void baseline_add(struct baseline *b, double value) {
    if (!isfinite(value)) return;
    if (b->n == 0 && b->hour_n == 0 && b->hours == 0) b->first = value;
    float x = (float)(value - b->first);
    if (!isfinite(x)) return;
    b->hour_n = one_more(b->hour_n, UINT16_MAX);
    b->hour += (x - b->hour) / (float)b->hour_n;
    if (b->n >= STATS_HUBER_WARM) score(b, x);
    b->n = one_more(b->n, BASELINE_MEMORY);
    learn(b, &b->centre, &b->spread, b->n, BASELINE_MEMORY, x, 1);
}

void baseline_fill(struct baseline *b, double mean, uint32_t count) {
    if (!isfinite(mean) || count == 0) return;
    if (b->n == 0 && b->hour_n == 0 && b->hours == 0) b->first = mean;
    unsigned n = b->hour_n + count;
    b->hour_n = (uint16_t)(n < UINT16_MAX ? n : UINT16_MAX);
    b->hour += ((float)(mean - b->first) - b->hour) * (float)count / (float)n;
}

/* ---- hours */

static int64_t stretch_of(int64_t hour) { return hour / BASELINE_STRETCH_HOURS - (hour % BASELINE_STRETCH_HOURS < 0); }
static unsigned place_of(int64_t stretch) { return (unsigned)((uint64_t)stretch % BASELINE_STRETCHES); }
static unsigned count_of(const struct baseline *b, unsigned place) { return b->counts >> (2 * place) & 3; }

static void set_count(struct baseline *b, unsigned place, unsigned n) {
    b->counts = (uint16_t)((b->counts & ~(3u << (2 * place))) | n << (2 * place));
}

/* Relative to `first`. */
static float mean_of(const struct baseline *b, int64_t hour, int hours, int *n) {
    float sum = b->hour_n ? b->hour : 0;
    int count = b->hour_n ? 1 : 0;
    for (int i = 0; i < hours / BASELINE_STRETCH_HOURS; i++) {
        unsigned place = place_of(stretch_of(hour) - i), c = count_of(b, place);
        sum += (float)c * unpack(b->stretches[place]);
        count += (int)c;
    }
    *n = count;
    return count ? sum / (float)count : NAN;
}

/* As failure_track.c learns: slowly while the day is unlike the baseline, so that a fault does not become usual. */
static void learn_hour(struct baseline *b, int64_t hour) {
    int n;
    bool warm = baseline_known(b);
    if (!warm && hour % WARM_STEP) return;
    float day = mean_of(b, hour, 24, &n), spread = b->hour_spread / sqrtf(24);
    bool whole = n >= 12;
    if (b->day_spread > spread) spread = b->day_spread;
    bool unlike = warm && whole && fabsf(day - b->hour_centre) > UNLIKE * spread;
    b->hours = one_more(b->hours, BASELINE_HOURS);
    learn(b, &b->hour_centre, &b->hour_spread, b->hours, BASELINE_HOURS, b->hour, unlike ? SLOWLY : 1);
    if (!whole) return;
    float aside = day - b->hour_centre; /* daily means lie around the same centre */
    unsigned days = b->hours;
    float s = b->day_spread > 0 ? b->day_spread : at_least_some(fabsf(aside), b->first);
    float v = clip(aside / s, CLIP_SPREAD), gain = (unlike ? SLOWLY : 1) / (float)days;
    b->day_spread = at_least_some(s * sqrtf(1 + gain * (v * v / EXPECTED - 1)), b->first);
}

void baseline_close(struct baseline *b, int64_t hour, int64_t next) {
    ASSERT(next > hour);
    if (b->hour_n) {
        learn_hour(b, hour);
        unsigned place = place_of(stretch_of(hour)), c = count_of(b, place);
        float mean = c ? unpack(b->stretches[place]) : 0;
        if (c == 3) c = 2; /* cannot be, when hours do not go back */
        b->stretches[place] = pack(mean + (b->hour - mean) / (float)(c + 1));
        set_count(b, place, c + 1);
    }
    b->hour = 0, b->hour_n = 0;
    int64_t from = stretch_of(hour) + 1, to = stretch_of(next);
    if (to - from >= BASELINE_STRETCHES) from = to - BASELINE_STRETCHES + 1;
    for (int64_t s = from; s <= to; s++) set_count(b, place_of(s), 0);
}

/* ---- looking */

double baseline_mean(const struct baseline *b, int64_t hour, int hours, int *n) {
    int count;
    float mean = mean_of(b, hour, hours, &count);
    if (n) *n = count;
    return count ? b->first + (double)mean : (double)NAN;
}

bool baseline_known(const struct baseline *b) { return b->hours >= STATS_HUBER_WARM; }

double baseline_centre(const struct baseline *b) {
    return baseline_known(b) ? b->first + (double)b->hour_centre : (double)NAN;
}

double baseline_score(const struct baseline *b) {
    return fmax(0, 1 - 4 * stats_normal_tail((double)b->score / SCORE_ONE));
}
