/*
 * walk     start, then steps uniform in ±step, rounded to `decimals`      real     the same, not rounded
 * gauss    mean, spread, rounded                                          mixed    a walk, each value with 0 to 4
 * decimals counter  grows by 0 to step                                             uniform  in ±spread, not rounded
 * rare     constant; with probability `change` another of ±spread         sparse   0; with probability `change` one of
 * ±spread sine     of a period, times spread, with noise                          fleet    one of the fleet workload's
 * ten metrics
 */
#include "app/cmd_bench_made.h"

#include <math.h>
#include <stdlib.h>

struct maker {
    uint64_t state;
    size_t n;
    double scale; /* 10^decimals */
    double start, step, spread, mean, change, period, noise;
    unsigned metric;
    double at, second; /* where a walk stands */
};

static uint64_t draw(struct maker *m) {
    uint64_t z = m->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double unit(struct maker *m) { return (double)(draw(m) >> 11) * 0x1p-53; }
static double around(struct maker *m, double width) { return (2 * unit(m) - 1) * width; }
static double gaussian(struct maker *m) { return sqrt(-2 * log(1 - unit(m))) * cos(6.283185307179586 * unit(m)); }
static double rounded(const struct maker *m, double v) { return round(v * m->scale) / m->scale; }

static double make_walk(struct maker *m, size_t i) {
    m->at = i == 0 ? m->start : m->at + around(m, m->step);
    return rounded(m, m->at);
}
static double make_real(struct maker *m, size_t i) { return m->at = i == 0 ? m->start : m->at + around(m, m->step); }
static double make_gauss(struct maker *m, size_t i) { return (void)i, rounded(m, m->mean + m->spread * gaussian(m)); }
static double make_mixed(struct maker *m, size_t i) {
    m->at = i == 0 ? m->start : m->at + around(m, m->step);
    m->scale = (double[]){1, 10, 100, 1000, 10000}[draw(m) % 5];
    return rounded(m, m->at);
}
static double make_counter(struct maker *m, size_t i) { return (void)i, m->at += floor(unit(m) * (m->step + 1)); }
static double make_rare(struct maker *m, size_t i) {
    if (i == 0 || unit(m) < m->change) m->at = rounded(m, around(m, m->spread));
    return m->at;
}
static double make_sparse(struct maker *m, size_t i) {
    return (void)i, unit(m) < m->change ? rounded(m, around(m, m->spread)) : 0;
}
static double make_sine(struct maker *m, size_t i) {
    return m->spread * sin((double)i * 6.283185307179586 / m->period) + m->noise * gaussian(m);
}
static double make_uniform(struct maker *m, size_t i) { return (void)i, around(m, m->spread); }

/* ---- the fleet workload */

#define TRUCK_ROWS 8640u /* a day of ten seconds */

static const struct fleet_metric {
    double from, to;  /* where a truck begins: uniform */
    double down, up;  /* a step: uniform */
    double low, high; /* walls */
    double scale;
} fleet[] = {
    {0, 90, -0.005, 0.005, -90, 90, 1e5}, {0, 180, -0.005, 0.005, -180, 180, 1e5},
    {0, 500, -10, 10, 0, 5000, 1},        {0, 0, -10, 10, 0, 100, 1},
    {0, 360, -5, 5, 0, 360, 1},           {0, 0, -5, 5, 0, 100, 1},
    {25, 25, -5, 5, 0, 50, 10},           {1, 1, -0.001, 0, 0, 1, 10},
    {0, 5000, 0, 0, 0, 5000, 1},          {0, 0, 0, 0, 0, 5, 1},
};
#define FLEET_FUEL 7u
#define FLEET_LOAD 8u
#define FLEET_STATUS 9u

static double make_fleet(struct maker *m, size_t i) {
    const struct fleet_metric *f = &fleet[m->metric];
    if (i % TRUCK_ROWS == 0)
        m->at = f->from + unit(m) * (f->to - f->from);
    else if (m->metric == FLEET_LOAD)
        m->at = unit(m) < 0.05 ? unit(m) * f->high : m->at;
    else
        m->at += m->metric == FLEET_STATUS ? gaussian(m) : f->down + unit(m) * (f->up - f->down);
    if (m->metric == FLEET_FUEL && m->at <= f->low) m->at = f->high;
    m->at = m->at < f->low ? f->low : m->at > f->high ? f->high : m->at;
    double v = m->metric == FLEET_STATUS ? floor(m->at) : round(m->at * f->scale) / f->scale;
    return v;
}

static const struct {
    const char *name;
    double (*make)(struct maker *m, size_t i);
} makers[] = {
    {"walk", make_walk}, {"real", make_real},     {"gauss", make_gauss},     {"mixed", make_mixed},
    {"rare", make_rare}, {"sparse", make_sparse}, {"counter", make_counter}, {"uniform", make_uniform},
    {"sine", make_sine}, {"fleet", make_fleet},
};

Err cmd_bench_made(const struct cmd_bench_set *set, struct buf *values) {
    struct maker m = {.state = (uint64_t)cmd_bench_sets_number(set, "seed", 1),
                      .scale = pow(10, cmd_bench_sets_number(set, "decimals", 0)),
                      .start = cmd_bench_sets_number(set, "start", 0),
                      .step = cmd_bench_sets_number(set, "step", 1),
                      .spread = cmd_bench_sets_number(set, "spread", 1),
                      .mean = cmd_bench_sets_number(set, "mean", 0),
                      .change = cmd_bench_sets_number(set, "change", 0.01),
                      .period = cmd_bench_sets_number(set, "period", 100),
                      .noise = cmd_bench_sets_number(set, "noise", 0)};
    double n = cmd_bench_sets_number(set, "n", 100000), metric = cmd_bench_sets_number(set, "metric", 0);
    Str kind = cmd_bench_sets_word(set, "gen");
    if (!(n >= 1 && n <= 1e7) || !(metric >= 0 && metric < 10))
        return err_make(ERR_INVALID, "set '%.*s': n is 1 to 10000000, metric 0 to 9", (int)set->name.len,
                        set->name.ptr);
    m.n = (size_t)n, m.metric = (unsigned)metric;
    for (size_t k = 0; k < sizeof makers / sizeof *makers; k++) {
        if (!str_eq(kind, str_c(makers[k].name))) continue;
        for (size_t i = 0; i < m.n; i++) {
            double v = makers[k].make(&m, i);
            buf_add(values, &v, 8);
        }
        return err_none();
    }
    return err_make(ERR_INVALID, "set '%.*s': nothing makes '%.*s'; src/app/cmd_bench_made.c lists what there is",
                    (int)set->name.len, set->name.ptr, (int)kind.len, kind.ptr);
}
