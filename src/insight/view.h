/*
 * Gated reads of what machines measure and what was concluded from it: all that serve needs of store and insight.
 * Every call takes a lens of things and series (gate_lens or gate_lens_agreement with type NULL) and shows nothing
 * else: a thing of another party, or one that an agreement does not give, is ERR_NOT_FOUND. Results live in the arena
 * given. Any thread; reads block on the disk, so not from an I/O loop.
 */
#ifndef INSIGHT_VIEW_H
#define INSIGHT_VIEW_H

#include "document/things.h"
#include "insight/watch.h"
#include "model/principal.h"
#include "trust/gate.h"

struct view;

struct view_options {
    struct series *series;
    struct things *things;
    struct watch *watch; /* NULL: no health, no baselines */
    const struct clock *clock;
};
Err view_open(const struct view_options *options, struct view **out);
void view_close(struct view *view);

/* ---- one metric over time, for a chart */
#define VIEW_WINDOW_AUTO ((Nanos)-1)
#define VIEW_POINTS_MAX 20000
struct view_query {
    Str thing, metric;
    Nanos from, to; /* from <= t < to; to 0: the last sample; from 0: seven days before `to` */
    Nanos window;   /* VIEW_WINDOW_AUTO: raw when few, else the step that gives at most about 1,000 points; 0: raw */
    size_t limit;   /* points; 0 = 2,000; at most VIEW_POINTS_MAX; past it the oldest are left out */
};
struct view_point {
    Nanos time;           /* of the sample, or the window's start */
    Value value;          /* raw */
    double avg, min, max; /* windows; avg also raw, NaN for texts */
    uint64_t count;
};
struct view_baseline {
    double own_median, own_mad, peer_median,
        peer_mad; /* NaN: not known; of trailing 24 h means; mad as a standard deviation */
};
struct view_series {
    Str thing, metric, unit; /* unit empty: not declared */
    Nanos from, to, window;  /* as answered; window 0: raw */
    bool index;              /* avg, min and max are relative: the first hour that is shown is 100 */
    struct view_point *points;
    size_t n;
    bool cut; /* older points were left out */
    bool has_baseline;
    struct view_baseline baseline;
};
Err view_series(struct view *view, const struct lens *lens, const struct view_query *query, struct arena *arena,
                struct view_series *out);

/* ---- the newest value of each metric, in the order of the model, then by name */
struct view_latest {
    Str metric;
    Nanos time;
    Value value;
};
Err view_latest(struct view *view, const struct lens *lens, Str thing, struct arena *arena, struct view_latest **out,
                size_t *n);

/* ---- how a machine is, and why: the owner's alone, ERR_FORBIDDEN under an agreement */
struct view_contributor {
    Str metric;
    double points_lost, own_z, peer_z, value, own_median, peer_median; /* value: trailing 24 h mean */
    Str text_en, text_zh;
};
struct view_component {
    Str name, title_en, title_zh;
    double probability;                 /* of failing within 48 h; NaN: no model yet */
    double age_hours, life_hours, wear; /* since the last replacement; NaN: unknown; wear = age / life */
    Nanos replaced_at;                  /* 0: unknown */
};
struct view_health {
    bool known;                            /* false: an open model, or not enough seen; index is then NaN */
    double index;                          /* 0–100 */
    struct view_contributor *contributors; /* most points lost first; only those that cost any */
    size_t n_contributors;
    struct view_component *components; /* of the model, in its order; empty for an open model */
    size_t n_components;
};
Err view_health(struct view *view, const struct lens *lens, Str thing, struct arena *arena, struct view_health *out);

/* ---- the fleet, by name. Under an agreement only name and model are filled in. */
enum view_state { VIEW_OK, VIEW_WARNING, VIEW_ALARM, VIEW_OFFLINE };
const char *view_state_name(enum view_state state); /* "ok" "warning" "alarm" "offline" */
struct view_thing {
    struct thing_row row;
    /* offline: not heard of for three usual gaps and at least 15 min, or never; alarm: beyond a limit, or a failure is
     * predicted; warning: an anomaly, or health below 80. Open models are ok or offline. */
    enum view_state state;
    double health;   /* NaN: unknown */
    Nanos last_seen; /* 0: never */
};
/* model empty: all. Order and filters beyond the model are the caller's. */
Err view_fleet(struct view *view, const struct lens *lens, Str model, struct arena *arena, struct view_thing **out,
               size_t *n);
/* The same a page at a time, for fleets of any size: things behind `after` whose name or model contains `part` (ASCII
 * letters in either case) and whose state is the one asked for, at most `limit`; *more: there are others. */
struct view_fleet_ask {
    Str model, part, after;
    int state; /* an enum view_state, or VIEW_ANY_STATE */
    size_t limit;
};
#define VIEW_ANY_STATE (-1)
Err view_fleet_page(struct view *view, const struct lens *lens, const struct view_fleet_ask *ask, struct arena *arena,
                    struct view_thing **out, size_t *n, bool *more);
/* How many things are how, and match: in a large fleet as of some time ago, when nothing is asked for but the state. */
Err view_fleet_counts(struct view *view, const struct lens *lens, const struct view_fleet_ask *ask,
                      size_t counts[VIEW_OFFLINE + 1]);
Err view_thing(struct view *view, const struct lens *lens, Str name, struct arena *arena, struct view_thing *out);

/* ---- the registry of learnt failure models, newest first; nothing under an agreement */
Err view_models(struct view *view, const struct lens *lens, struct arena *arena, struct watch_model **out, size_t *n);

/* ---- dead letters of the party, newest first */
Err view_dead_letters(struct view *view, const struct lens *lens, uint64_t before_id, size_t limit, struct arena *arena,
                      struct dead_letter_row **out, size_t *n);

#endif
