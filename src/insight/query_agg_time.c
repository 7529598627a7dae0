/*
 * How windows share what lies across their borders. Two kinds:
 *
 *     straight   increase, rate, integral: between two values the line; at a border the point on it. Windows add up to
 *                the whole; nothing lies before the first value nor behind the last.
 *     steps      time_avg, duration: a value holds until the next, across borders, behind the last to the end of what
 * was asked (or now), at most as long as the second argument says.
 *
 * rises and spells are counted where they begin, and a spell whole: its length is not cut at a border, and one that has
 * not ended is not counted.
 */
#include "insight/query_agg_time.h"

#include <math.h>

static void add(double *sum, double *low, double x) {
    double s = *sum + x, t = s - *sum;
    double lost = (*sum - (s - t)) + (x - t);
    *sum = s;
    if (isfinite(lost)) *low += lost;
}

void query_agg_time_merge(void *state, const void *other, struct query_agg_room *room) {
    struct query_agg_time *s = state;
    const struct query_agg_time *o = other;
    (void)room;
    s->n += o->n;
    add(&s->seconds, &s->seconds_low, o->seconds);
    add(&s->sum, &s->low, o->sum);
    s->seconds_low += o->seconds_low;
    s->low += o->low;
}

static double seconds_between(Nanos from, Nanos to) { return (double)(to - from) / (double)NANOS_PER_S; }

static void take(void *state, Nanos from, Nanos to, double amount) {
    struct query_agg_time *s = state;
    s->n++;
    add(&s->seconds, &s->seconds_low, seconds_between(from, to));
    add(&s->sum, &s->low, amount);
}

/* ---- straight */

static void increase_piece(void *state, Nanos from, Nanos to, double a, double b) { take(state, from, to, b - a); }
static void integral_piece(void *state, Nanos from, Nanos to, double a, double b) {
    take(state, from, to, (a + b) / 2 * seconds_between(from, to));
}

/* ---- steps */

static void time_avg_piece(void *state, Nanos from, Nanos to, double a, double b) {
    (void)b;
    take(state, from, to, a * seconds_between(from, to));
}
static void duration_piece(void *state, Nanos from, Nanos to, double a, double b) {
    (void)b;
    take(state, from, to, a != 0 ? seconds_between(from, to) : 0);
}

static void rises_arrive(void *state, const struct query_agg_track *before, Nanos at, double value) {
    (void)at;
    if (before->has && before->value == 0 && value != 0) ((struct query_agg_time *)state)->n++;
}
static void spells_stretch(void *state, Nanos from, Nanos to) { take(state, from, to, 0); }

double query_agg_time_total(const struct query_agg_track *track, double value) {
    if (!track->has) return 0;
    return track->total + (value >= track->value ? value - track->value : value);
}

/* ---- what comes out */

#define NONE ((Value){.kind = VALUE_NONE})
#define OUT(what, expr)                                                                                                \
    Value query_agg_time_##what(const void *state, double parameter) {                                                 \
        const struct query_agg_time *s = state;                                                                        \
        double seconds = s->seconds + s->seconds_low, sum = s->sum + s->low;                                           \
        (void)parameter, (void)seconds, (void)sum;                                                                     \
        return expr;                                                                                                   \
    }
OUT(increase, s->n ? VALUE_F(sum) : NONE)
OUT(rate, seconds > 0 ? VALUE_F(sum / seconds) : NONE)
OUT(integral, s->n ? VALUE_F(sum) : NONE)
OUT(time_avg, seconds > 0 ? VALUE_F(sum / seconds) : NONE)
OUT(duration, s->n ? VALUE_F(sum) : NONE)
OUT(rises, VALUE_I((int64_t)s->n))
OUT(spells, s->n ? VALUE_F(seconds / (double)s->n) : NONE)

const struct query_agg_order query_agg_time_order_increase = {.piece = increase_piece, .counter = true};
const struct query_agg_order query_agg_time_order_rate = {.piece = increase_piece, .counter = true};
const struct query_agg_order query_agg_time_order_integral = {.piece = integral_piece};
const struct query_agg_order query_agg_time_order_time_avg = {.steps = true, .piece = time_avg_piece};
const struct query_agg_order query_agg_time_order_duration = {.steps = true, .piece = duration_piece};
const struct query_agg_order query_agg_time_order_rises = {.steps = true, .arrive = rises_arrive};
const struct query_agg_order query_agg_time_order_spells = {.steps = true, .stretch = spells_stretch};
